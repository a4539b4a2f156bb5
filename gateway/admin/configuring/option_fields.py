"""The options of a table as form fields: typed text becomes values of the file, and vice versa.

Nothing here may know a screen, or check a value by itself: `config.option_values` does, as for the file. An empty field
is a key that is not set.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from gateway.config.editing import OptionEdit, TomlValue
from gateway.config.option_kinds import Option
from gateway.config.option_values import CHECKS
from gateway.config.reference import literal
from gateway.config.toml_lines import KeyPath
from gateway.errors import ConfigError

#: Maximum characters of a field; the longest lists of domains are far shorter.
LONGEST: Final = 16_384
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_FLAGS: Final = {"true": True, "false": False}


@cache
def shape(option: Option) -> type:
    """Return the type of an option's values in the file, as its example shows it: str, int, bool, list or dict."""
    return type(tomllib.loads(f"x = {option.example}")["x"])


@dataclass(frozen=True, slots=True)
class OptionField:
    """One field. `typed`: its content; `problem`: what is wrong with that; `now`: what the file has instead.

    `first`: it is its option's first field, if that has several.
    """

    option: Option
    name: str
    label: str
    typed: str
    problem: str = ""
    now: str | None = None
    first: bool = True

    @property
    def is_list(self) -> bool:
        """Whether it takes several lines."""
        return shape(self.option) is list

    @property
    def choices(self) -> tuple[str, ...]:
        """The values to choose from, including the field's own; () for a field to type into."""
        known = {bool: tuple(_FLAGS), str: self.option.choices}.get(shape(self.option), ())
        return known if not known or self.typed in ("", *known) else (*known, self.typed)

    @property
    def default(self) -> str:
        """The value that applies if it is not set, in words."""
        return "required" if self.option.required else literal(self.option.default)


@dataclass
class OptionForm:
    """The fields of one table. `typed` by field, `problems` by option; `folder`: paths are relative to it."""

    options: tuple[Option, ...]
    folder: Path
    typed: dict[str, str]
    problems: dict[str, str] = field(default_factory=dict)
    now: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_table(cls, options: tuple[Option, ...], folder: Path, table: Mapping[str, Any]) -> OptionForm:
        """Fill the form with the contents of a table in the file."""
        return cls(options, folder, dict(_texts(options, table)))

    @classmethod
    def of_request(cls, options: tuple[Option, ...], folder: Path, form: Mapping[str, str]) -> OptionForm:
        """Fill the form with what was typed, and say what is wrong with it."""
        names = (name for option in options for name in _names(option))
        made = cls(
            options, folder, {name: form.get(name, "").replace("\r\n", "\n").strip("\n") for name in names}
        )
        for option in options:
            made._check(option)
        return made

    @property
    def fields(self) -> list[OptionField]:
        """The fields in the order of the table; a problem is shown at an option's first field."""
        made = []
        for option in self.options:
            for number, name in enumerate(_names(option)):
                label = name if name == option.name else name.replace(".", ": ")
                now = self.now.get(name, "") if self.now else self.typed[name]
                differs = now if now.strip() != self.typed[name].strip() else None
                problem = "" if number else self.problems.get(option.name, "")
                made.append(OptionField(option, name, label, self.typed[name], problem, differs, number == 0))
        return made

    def beside(self, table: Mapping[str, Any]) -> None:
        """Show what a table in the file has, beside what was typed."""
        self.now = dict(_texts(self.options, table))

    def blame(self, error: ConfigError, path: KeyPath) -> str:
        """Put an error of the parser beside its field, if that is below `path`; otherwise return it."""
        name = error.key[len(path)] if error.key[: len(path)] == path and len(error.key) > len(path) else ""
        if name not in {option.name for option in self.options}:
            return error.detail
        self.problems[str(name)] = error.detail
        return ""

    def value(self, option: Option) -> TomlValue | None:
        """Return an option's value for the file, None if it is not set. Raise ValueError."""
        kind = shape(option)
        if kind is dict:
            roles = {role: self.typed[f"{option.name}.{role}"].strip() for role in option.choices}
            return {role: name for role, name in roles.items() if name} or None
        text = self.typed[option.name].strip()
        if not text:
            return None
        if kind is list:
            return [*dict.fromkeys(item for item in re.split(r"[\s,]+", text) if item)] or None
        if kind is bool:
            return _FLAGS.get(text, text)
        if kind is int:
            return int(text) if _NUMBER.fullmatch(text) else text
        return text

    def values(self) -> dict[str, TomlValue]:
        """Return the values that a new table would have."""
        found = {option.name: self.value(option) for option in self.options}
        return {name: value for name, value in found.items() if value is not None}

    def changes(self, path: KeyPath) -> list[OptionEdit]:
        """Return the changes to a table that has, or may have, these keys."""
        return [OptionEdit((*path, option.name), self.value(option)) for option in self.options]

    def _check(self, option: Option) -> None:
        if any(len(self.typed[name]) > LONGEST for name in _names(option)):
            self.problems[option.name] = f"more than {LONGEST} characters"
            return
        value = self.value(option)
        if value is None:
            if option.required:
                self.problems[option.name] = "is needed"
            return
        try:
            CHECKS[option.kind](option, value, self.folder)
        except ValueError as error:
            self.problems[option.name] = str(error)


def _names(option: Option) -> tuple[str, ...]:
    """Return the names of an option's fields: one for each key of a table."""
    if shape(option) is dict:
        return tuple(f"{option.name}.{role}" for role in option.choices)
    return (option.name,)


def _texts(options: Iterable[Option], table: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for option in options:
        value = table.get(option.name)
        if shape(option) is dict:
            folders = value if isinstance(value, dict) else {}
            yield from ((f"{option.name}.{role}", str(folders.get(role, ""))) for role in option.choices)
        else:
            yield option.name, _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)
