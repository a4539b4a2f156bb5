"""What an option and a section of the configuration file are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ValueKind(Enum):
    """The kind of value that an option takes; the text is for the reference."""

    LISTEN = "host:port"
    OWN_URL = "http:// or https:// URL"
    FILE = "path of an existing file"
    NEW_FILE = "path"
    TIMEZONE = "time zone name"
    NUMBER = "whole number"
    FLAG = "true or false"
    LOGIN = "template"
    CHOICE = "one of"
    DOMAINS = "list of domains"
    NAMES = "list of host names"
    HOST = "host name"
    ADDRESS = "IP address"
    NETWORKS = "list of networks"
    IMAP = "IMAP URL"
    POP3 = "POP3 URL"
    SMTP = "SMTP URL"
    TEXT = "text"
    SECRET = "path of a file readable by its owner only"  # noqa: S105
    FOLDERS = "table of folder names by"
    SCREEN = "width and height in pixels"
    CHOICES = "list of"


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the file; `array`: an array of tables."""

    name: str
    doc: str
    array: bool = False

    @property
    def heading(self) -> str:
        """The table's header in the file."""
        return f"[[{self.name}]]" if self.array else f"[{self.name}]"


@dataclass(frozen=True, slots=True)
class Option:
    """One key. `default` None: no default; `example` is TOML; `active`: not commented out in the sample."""

    section: str
    name: str
    kind: ValueKind
    default: str | int | bool | tuple[str, ...] | None
    example: str
    doc: str
    required: bool = False
    active: bool = False
    choices: tuple[str, ...] = ()
    low: int = 1
    high: int = 1
