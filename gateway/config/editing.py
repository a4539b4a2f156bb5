"""Changes to the TOML file as text: keys set and unset, tables of an array added and removed.

Nothing here may touch a file, or know an option. A change is first tried as an administrator makes it by hand, below
the commented example of its key or its table's last key, then as tomlkit makes it, wherever that puts it; the first
text that reads as intended is taken. All comments outside what is removed stay, and so does the order. Syntax: TOML
1.0.
"""

from __future__ import annotations

import copy
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array

from gateway.config.toml_lines import KeyLines, KeyPath
from gateway.errors import ConfigError

BOM: Final = "\ufeff"
TomlValue = str | int | bool | list[str] | dict[str, Any]

_HEADING: Final = re.compile(r"\s*#?\s*\[")
_COMMENT: Final = re.compile(r"\s*#")


@dataclass(frozen=True, slots=True)
class OptionEdit:
    """A key with its new value, None to remove it; ("upstream", 2) is a table of an array, or a new one after the
    last."""

    path: KeyPath
    value: TomlValue | None


def edited(text: str, changes: Iterable[OptionEdit]) -> str:
    """Return the text after the changes, each made to the text that the previous one returned. Raise ConfigError.

    A byte order mark stays, and so do CR LF line ends if all of them are CR LF.
    """
    mark = BOM if text.startswith(BOM) else ""
    body = text.removeprefix(BOM)
    windows = "\n" in body and body.count("\n") == body.count("\r\n")
    body = body.replace("\r\n", "\n") if windows else body
    for change in changes:
        body = _after(body, change)
    return mark + (body.replace("\n", "\r\n") if windows else body)


def block(text: str, path: KeyPath) -> str:
    """Return the lines of a table in a text, "" if it has no heading."""
    found = _block(KeyLines(text), path)
    return "".join(text.splitlines(keepends=True)[slice(*found)]) if found else ""


def _after(text: str, change: OptionEdit) -> str:
    data = _read(text)
    present = _value_at(data, change.path)
    if isinstance(present, dict) and isinstance(change.value, dict):
        return _each_key(text, change.path, present, change.value)
    with suppress(LookupError, TypeError):  # keys of what is not a table
        wanted = _applied(data, change)
        if _same(data, wanted):
            return text
        for way in _ways(present, change):
            with suppress(TOMLKitError, ConfigError, LookupError, TypeError, ValueError):
                made = way(text, change)
                if _same(_read(made), wanted):
                    return made
    name = ".".join(map(str, change.path))
    raise ConfigError(
        f"{name}: the file is written in a way that it cannot be changed here; change it by hand"
    )


def _each_key(text: str, path: KeyPath, present: dict[str, Any], value: dict[str, Any]) -> str:
    for name in [*present, *(new for new in value if new not in present)]:
        text = _after(text, OptionEdit((*path, name), value.get(name)))
    return text


def _read(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(error)) from error


def _same(one: Any, other: Any) -> bool:
    """Return whether two documents are the same; 1 and true are different."""
    return json.dumps(one, sort_keys=True, default=repr) == json.dumps(other, sort_keys=True, default=repr)


def _value_at(data: Any, path: KeyPath) -> Any:
    for part in path:
        try:
            data = data[part]
        except (LookupError, TypeError):
            return None
    return data


def _applied(data: dict[str, Any], change: OptionEdit) -> dict[str, Any]:
    """Return what a document should be after a change; an array without tables is dropped."""
    made = copy.deepcopy(data)
    if change.value is not None:
        _put(made, change.path, change.value)
    elif _value_at(data, change.path) is not None:
        *outer, name = change.path
        table = _value_at(made, tuple(outer))
        del table[name]
        if table == []:
            del _value_at(made, tuple(outer[:-1]))[outer[-1]]
    return made


def _put(data: dict[str, Any], path: KeyPath, value: TomlValue) -> None:
    table: Any = data
    for part, following in pairwise(path):
        if isinstance(table, dict):
            table.setdefault(part, [] if isinstance(following, int) else {})
        table = table[part]
    if isinstance(table, list) and path[-1] == len(table):
        table.append(value)
    else:
        table[path[-1]] = value


# --- ways to make a change


Way = Callable[[str, OptionEdit], str]


def _ways(present: Any, change: OptionEdit) -> Iterator[Way]:
    table = isinstance(change.path[-1], int)
    if present is not None and change.value is not None:
        yield from (_array_by_items, _by_tomlkit)
    elif change.value is not None:
        yield from (_table_below_the_last, _table_at_the_end) if table else (_below_example, _below_last)
        yield _by_tomlkit
    else:
        yield from (_without_lines, _by_tomlkit) if table else (_by_tomlkit,)


def _by_tomlkit(text: str, change: OptionEdit) -> str:
    document = tomlkit.parse(text)
    *outer, name = change.path
    table: Any = document
    for part in outer:
        if part not in table and not isinstance(part, int):
            table[part] = tomlkit.table()
        table = table[part]
    if change.value is None:
        del table[name]
    elif isinstance(name, int) and name == len(table):
        table.append(_item(change.value))
    else:
        table[name] = _item(change.value)
    return tomlkit.dumps(document)


def _array_by_items(text: str, change: OptionEdit) -> str:
    """Remove and append items, so that the others keep their lines and comments."""
    document = tomlkit.parse(text)
    table: Any = document
    for part in change.path:
        table = table[part]
    if not isinstance(table, Array) or not isinstance(change.value, list):
        raise TypeError("no array")
    for item in [one for one in table if one not in change.value]:
        table.remove(item)
    for item in [one for one in change.value if one not in table]:
        table.append(item)
    return tomlkit.dumps(document)


def _item(value: TomlValue) -> Any:
    if not isinstance(value, dict):
        return tomlkit.item(value)
    made = tomlkit.inline_table()
    made.update({name: _item(one) for name, one in value.items()})
    return made


def _line(name: str, value: TomlValue) -> str:
    return f"{name} = {_item(value).as_string()}"


def _below_example(text: str, change: OptionEdit) -> str:
    """Add a key below a comment such as "# url = ...", in its table or in one that is commented out."""
    return _added(text, change, by_example=True)


def _below_last(text: str, change: OptionEdit) -> str:
    """Add a key below the last one of its table."""
    return _added(text, change, by_example=False)


def _added(text: str, change: OptionEdit, by_example: bool) -> str:
    *outer, name = change.path
    if change.value is None or isinstance(name, int):
        raise TypeError("no key")
    lines, known = text.split("\n"), KeyLines(text)
    heading = known.headings.get(tuple(outer)) or _uncommented(lines, outer)
    last = known.ends.get(tuple(outer), heading)
    rest = enumerate(lines[heading:], heading)
    until = next((at for at, line in rest if at >= last and _HEADING.match(line)), len(lines))
    example = re.compile(rf"\s*#\s*{re.escape(name)}\s*=")
    examples = [at + 1 for at in range(heading, until) if example.match(lines[at])]
    last = examples[0] if by_example else last
    indent = lines[last - 1][: -len(lines[last - 1].lstrip())]
    lines.insert(last, indent + _line(name, change.value))
    return "\n".join(lines)


def _uncommented(lines: list[str], table: KeyPath | list[str | int]) -> int:
    """Uncomment a table's heading; return its line. Raise LookupError if there is none."""
    pattern = re.compile(rf"\s*#\s*(\[{re.escape('.'.join(map(str, table)))}\]\s*)")
    for at, line in enumerate(lines):
        if pattern.fullmatch(line):
            lines[at] = pattern.sub(r"\1", line)
            return at + 1
    raise LookupError("no heading")


def _block(known: KeyLines, path: KeyPath) -> tuple[int, int] | None:
    """Return the lines of a table with its subtables, as a slice; None if it has no heading."""
    if path not in known.headings:
        return None
    inside = [
        line
        for lines in (known.headings, known.ends)
        for other, line in lines.items()
        if other[: len(path)] == path
    ]
    return known.headings[path] - 1, max(inside)


def _without_lines(text: str, change: OptionEdit) -> str:
    """Remove the lines of a table of an array, and comments that follow directly, but not those above a heading."""
    found = _block(KeyLines(text), change.path)
    if found is None:
        raise LookupError("no heading")
    (first, end), lines = found, text.split("\n")
    following = end
    while following < len(lines) and _COMMENT.match(lines[following]):
        following += 1
    if following == len(lines) or not lines[following].strip():
        end = following
    if first and end < len(lines) and not lines[first - 1].strip() and not lines[end].strip():
        end += 1
    return "\n".join(lines[:first] + lines[end:])


def _table_below_the_last(text: str, change: OptionEdit) -> str:
    """Add a table to an array, below the last one."""
    *array, number = change.path
    if not isinstance(number, int) or not isinstance(change.value, dict):
        raise TypeError("no table of an array")
    found = _block(KeyLines(text), (*array, number - 1))
    if found is None:
        raise LookupError("no heading")
    lines, at = text.split("\n"), found[1]
    while at < len(lines) and _COMMENT.match(lines[at]):
        at += 1
    if at < len(lines) and lines[at].strip():  # a heading: the comments are its own
        at = found[1]
    gap = [""] if at < len(lines) and lines[at].strip() else []
    return "\n".join([*lines[:at], "", *_table(change), *gap, *lines[at:]])


def _table_at_the_end(text: str, change: OptionEdit) -> str:
    return "\n".join([text.rstrip("\n"), "", *_table(change), ""]).lstrip("\n")


def _table(change: OptionEdit) -> list[str]:
    if not isinstance(change.value, dict):
        raise TypeError("no table")
    heading = ".".join(map(str, change.path[:-1]))
    return [f"[[{heading}]]", *(_line(name, value) for name, value in change.value.items())]
