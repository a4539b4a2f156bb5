"""Message catalogues: gettext's .po files (GNU gettext manual §10.2 "PO Files"), read as they are written.

Nothing here may know which language is whose. The catalogues need no compiling: what is read becomes a .mo file in
memory (ibid. §10.3 "MO Files"), which is what the standard library's gettext understands, plural forms included.
Ours are the only files that are read; one with a mistake is a ValueError that names the line.
"""

from __future__ import annotations

import gettext
import io
import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_MAGIC: Final = 0x950412DE
_CONTEXT, _NUMBERED = "\x04", "\x00"
_LINE: Final = re.compile(
    r'(?:(msgctxt|msgid|msgid_plural|msgstr)(?:\[([0-9])\])?\s+)?"((?:[^"\\]|\\[nt"\\])*)"'
)
_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPED: Final = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One message: `strings` are its translations, several where it has plural forms, '' where there is none yet.

    `places`: the files it stands in. `fuzzy`: a translation of something similar, not to be shown.
    """

    msgid: str
    plural: str = ""
    context: str = ""
    strings: tuple[str, ...] = ("",)
    places: tuple[str, ...] = ()
    fuzzy: bool = False

    @property
    def key(self) -> tuple[str, str]:
        return self.context, self.msgid

    @property
    def done(self) -> bool:
        """Whether every form is translated."""
        return all(self.strings) and not self.fuzzy


@dataclass(slots=True)
class _Draft:
    """An entry while its lines are read."""

    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    places: list[str] = field(default_factory=list)
    fuzzy: bool = False

    def entry(self) -> Entry:
        strings = tuple(text for (name, _), text in sorted(self.texts.items()) if name == "msgstr")
        one = {name: text for (name, _), text in self.texts.items() if name != "msgstr"}
        return Entry(
            one["msgid"],
            one.get("msgid_plural", ""),
            one.get("msgctxt", ""),
            strings,
            tuple(self.places),
            self.fuzzy,
        )


def read(path: Path) -> tuple[Entry, ...]:
    """Read a catalogue; its header is the entry of the empty msgid. Raise ValueError naming the line."""
    return tuple(_entries(path.read_text(encoding="utf-8").splitlines(), path.name))


def _entries(lines: Iterable[str], name: str) -> Iterator[Entry]:
    draft, here = _Draft(), ("", "")
    for number, line in enumerate(lines, 1):
        if here[0] == "msgstr" and line.startswith(("#", "msgctxt ", "msgid ")):
            yield draft.entry()
            draft, here = _Draft(), ("", "")
        if line.startswith("#"):
            draft.fuzzy |= line.startswith("#,") and "fuzzy" in line
            draft.places += line[2:].split() if line.startswith("#:") else []
        elif line.strip():
            match = _LINE.fullmatch(line.strip())
            if not match or not (match[1] or here[0]):
                raise ValueError(f"{name}, line {number}: {line}")
            here = (match[1], match[2] or "") if match[1] else here
            text = _ESCAPE.sub(lambda escape: _ESCAPED[escape[1]], match[3])
            draft.texts[here] = draft.texts.get(here, "") + text
    if here[0] == "msgstr":
        yield draft.entry()


def translations(entries: Iterable[Entry]) -> gettext.GNUTranslations:
    """Make what gettext looks messages up in; what is not translated is not in it."""
    return gettext.GNUTranslations(io.BytesIO(_compiled(entries)))


def _compiled(entries: Iterable[Entry]) -> bytes:
    pairs = sorted(
        (_original(entry).encode(), _NUMBERED.join(entry.strings).encode()) for entry in entries if entry.done
    )
    size = 4 * 7
    tables = [b"", b""]
    texts, start = b"", size + len(pairs) * 16
    for column in (0, 1):
        for pair in pairs:
            tables[column] += struct.pack("<2I", len(pair[column]), start + len(texts))
            texts += pair[column] + b"\0"
    head = struct.pack("<7I", _MAGIC, 0, len(pairs), size, size + len(pairs) * 8, 0, size)
    return head + tables[0] + tables[1] + texts


def _original(entry: Entry) -> str:
    context = entry.context + _CONTEXT if entry.context else ""
    return context + entry.msgid + (_NUMBERED + entry.plural if entry.plural else "")
