"""`pocketpost render`: message files in, pages out, as a device would get them, in one process without a server.

Nothing here may know how a page is made: `markup.message_pages` yields them. For each file there is a folder with its
pages, and a row in index.json.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Protocol, TextIO

from gateway.device import Device, by_name, names
from gateway.errors import ConfigError

SUFFIXES = {"wml": "wml", "xhtml": "xhtml"}
PROGRESS_EVERY = 100
"""Files between two lines of progress."""


class DevicePage(Protocol):
    """A page of `message_pages`: its octets as sent, and the compiled size of a WML page."""

    @property
    def octets(self) -> bytes: ...
    @property
    def compiled(self) -> int | None: ...


PageMaker = Callable[[bytes], tuple[Iterable[DevicePage], tuple[str, ...]]]
"""Turns the octets of a message into its pages (lazily) and its defects."""


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One file in index.json; sizes in octets, in the order of the pages."""

    file: str
    folder: str
    pages: int
    octets: list[int]
    compiled: list[int] | None
    defects: list[str]
    error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


def device(name: str, markup: str | None) -> Device:
    """Find a device, as `markup` if given. Raise ConfigError, which lists the known ones."""
    try:
        return by_name(name, markup)
    except KeyError:
        raise ConfigError(f"no device {name!r}; there are: {', '.join(names())}") from None


def page_maker(handheld: Device, full: bool) -> PageMaker:
    """Return a function that makes the pages of a message for one device."""
    from gateway.message.mime import wire_format
    from gateway.pages.message_pages import message_pages

    def make(octets: bytes) -> tuple[Iterable[DevicePage], tuple[str, ...]]:
        mail = wire_format.parse(octets)
        pages = message_pages(mail.message, mail.octets, handheld, fold=not full)
        return pages, mail.message.defects

    return make


@dataclass(slots=True)
class FolderNames:
    """Folder names for files; a repeated file name gets a number."""

    taken: set[str] = field(default_factory=set)

    def name(self, file: Path) -> str:
        """Return a name that has not been returned before."""
        for number in count(1):
            name = file.name if number == 1 else f"{file.name}-{number}"
            if name not in self.taken and name != "index.json":
                self.taken.add(name)
                return name
        raise AssertionError


def to_folder(files: Iterable[Path], make: PageMaker, suffix: str, out: Path, progress: TextIO) -> int:
    """Write the pages of every file below `out`; return how many files failed."""
    folders, rows = FolderNames(), []
    for done, file in enumerate(files, 1):
        rows.append(_file(file, folders.name(file), make, suffix, out, progress))
        if done % PROGRESS_EVERY == 0:
            print(f"{done} files", file=progress, flush=True)
    out.mkdir(parents=True, exist_ok=True)
    listing = json.dumps([row.as_dict() for row in rows], indent=1, ensure_ascii=False)
    (out / "index.json").write_text(listing + "\n", encoding="utf-8", errors="backslashreplace")
    return sum(row.error is not None for row in rows)


def _file(file: Path, folder: str, make: PageMaker, suffix: str, out: Path, progress: TextIO) -> IndexRow:
    octets: list[int] = []
    compiled: list[int] = []
    defects: tuple[str, ...] = ()
    error = None
    try:
        content = file.read_bytes()
        (out / folder).mkdir(parents=True, exist_ok=True)
        pages, defects = make(content)
        for number, page in enumerate(pages, 1):
            (out / folder / f"{number:03}.{suffix}").write_bytes(page.octets)
            octets.append(len(page.octets))
            if page.compiled is not None:
                compiled.append(page.compiled)
    except Exception as problem:
        # One bad file must not end a run over thousands; the error is reported and counted.
        error = f"{type(problem).__name__}: {problem}"
        print(f"{file}: {error}", file=progress)
        if not isinstance(problem, OSError):
            traceback.print_exc(file=progress)
    sizes = compiled if suffix == "wml" else None
    return IndexRow(str(file), folder, len(octets), octets, sizes, list(defects), error)


def to_stdout(files: Iterable[Path], make: PageMaker, wanted: int | None) -> None:
    """Print page number `wanted` of each file, or all pages if None."""
    for file in files:
        pages, _ = make(file.read_bytes())
        for page in _chosen(pages, wanted, file):
            sys.stdout.buffer.write(page.octets.rstrip(b"\r\n") + b"\n")
    sys.stdout.buffer.flush()


def _chosen(pages: Iterable[DevicePage], wanted: int | None, file: Path) -> Iterator[DevicePage]:
    number = 0
    for number, page in enumerate(pages, 1):
        if wanted in (None, number):
            yield page
        if number == wanted:
            return
    if wanted is not None:
        raise ConfigError(f"{file} has {number} pages, so there is no page {wanted}")
