"""The configuration file as the panel's forms read and change it.

Nothing here may write a file with which the gateway would not start: every change is read by `gateway.config.load`
first. A change that cannot be written, because the file or its folder is read-only, is shown to be made by hand.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import unified_diff
from functools import cached_property
from pathlib import Path
from typing import Any

from gateway.config import Config, load, writing
from gateway.config.editing import BOM, OptionEdit, block, edited
from gateway.config.toml_lines import KeyPath
from gateway.errors import ConfigError


@dataclass(frozen=True)
class ConfigFile:
    """One version of the file, with which the gateway can start, or a text that is to become the file."""

    path: Path
    octets: bytes

    @classmethod
    def read(cls, path: Path | None) -> ConfigFile:
        """Read the file. Raise ConfigError if it is unusable."""
        if path is None:
            raise ConfigError("this gateway was started without a configuration file")
        try:
            octets = path.read_bytes()
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
        load(path, octets)
        return cls(path, octets)

    @cached_property
    def version(self) -> str:
        """What identifies this version."""
        return writing.digest(self.octets)

    @cached_property
    def text(self) -> str:
        """The text, with its byte order mark if it has one."""
        return self.octets.decode()

    @cached_property
    def config(self) -> Config:
        """The configuration that the gateway's parser reads from it. Raise ConfigError."""
        return load(self.path, self.octets)

    @cached_property
    def tables(self) -> dict[str, Any]:
        """The values as written."""
        return tomllib.loads(self.text.removeprefix(BOM))

    def table(self, path: KeyPath) -> dict[str, Any]:
        """Return the values of one table, {} if there is none."""
        found: Any = self.tables
        for part in path:
            try:
                found = found[part]
            except LookupError:
                return {}
        return found if isinstance(found, dict) else {}

    def after(self, changes: Iterable[OptionEdit]) -> ConfigFile:
        """Return the version after some changes, not yet written. Raise ConfigError if it would be unusable."""
        made = ConfigFile(self.path, edited(self.text, changes).encode())
        load(made.path, made.octets)
        return made

    def block(self, path: KeyPath) -> str:
        """Return the lines of a table."""
        return block(self.text.removeprefix(BOM), path)

    def difference(self, later: ConfigFile) -> str:
        """Return what a later version changes, as a unified diff."""
        now, wanted = (each.text.replace("\r\n", "\n").splitlines() for each in (self, later))
        name = self.path.name
        return "\n".join(unified_diff(now, wanted, f"{name} (before)", f"{name} (after)", lineterm=""))

    def write_after(self, before: ConfigFile) -> None:
        """Replace the version before with this one. Raise ConfigChanged or ConfigNotWritten."""
        writing.replace(self.path, self.octets, before.version)
