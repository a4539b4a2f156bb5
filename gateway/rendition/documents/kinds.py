"""Kinds of files: what a file is, going by its label, its name, and its first octets.

Nothing here may read more than a few octets, except that a ZIP is checked for being a document. Mail programs label
files with whatever their system has in a table, so a general label yields to the name, and a missing or misleading
name to the octets.
"""

from __future__ import annotations

from typing import Final

from gateway.message.media_types import OCTETS, TABLE, TEXT, XLS, ZIP
from gateway.rendition.documents import archive

#: Kinds recognized by more than their label.
_KNOWN: Final = tuple(row for row in TABLE if row.endings or row.begins)
_BY_TYPE: Final = {name: row.media_type for row in _KNOWN for name in row.names}
_BY_ENDING: Final = {ending: row.media_type for row in reversed(_KNOWN) for ending in row.endings.split()}
_BY_BEGINNING: Final = tuple((mark, row.media_type) for row in _KNOWN for mark in row.begins)

#: Labels that say too little, or that systems give to unknown files: the name is trusted first.
#: QUIRK: Windows with Excel calls CSV application/vnd.ms-excel, with old Word calls RTF and DOCX application/msword.
_GENERAL: Final = frozenset({
    "", OCTETS, "application/binary", "application/unknown", "application/x-download", "application/download",
    "application/force-download", "application/x-unknown", "application/data", "application/x-msdownload",
    "binary/octet-stream", "application/msword", "application/x-msword", "application/x-unknown-content-type",
    "application/vnd.openxmlformats-officedocument", "application/x-ole-storage", ZIP, XLS, TEXT,
})  # fmt: skip
#: Octets that tell text from binary data.
_HEAD: Final = 2048
_CONTROLS: Final = bytes(range(9)) + b"\x0e\x0f" + bytes(range(0x10, 0x1A))


def ending(filename: str) -> str:
    """Return the extension of a file name, in lower case."""
    return filename.rpartition(".")[2].strip().lower() if "." in filename else ""


def effective_type(declared: str, filename: str, octets: bytes = b"") -> str:
    """Return the media type of a file, in one spelling for each kind we know.

    `octets` may be empty, the first few hundred, or the whole file. An unknown kind keeps its label.
    """
    declared = declared.strip().lower()
    named = _BY_TYPE.get(declared, "")
    if named and named not in _GENERAL:
        return named
    by_name = _BY_ENDING.get(ending(filename), "")
    if by_name and not (by_name == ZIP and octets) and by_name != XLS:
        return by_name
    if declared not in _GENERAL and not named:
        return declared
    return _sniffed(octets) or by_name or named or declared or OCTETS


def _sniffed(octets: bytes) -> str:
    start = octets[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    for mark, media_type in _BY_BEGINNING:
        if start.startswith(mark):
            return (archive.inside(octets) or ZIP) if media_type == ZIP else media_type
    if octets[:4] == b"RIFF" and octets[8:12] == b"WEBP":
        return "image/webp"
    if octets[4:8] == b"ftyp" and octets[8:12] in (b"avif", b"avis"):
        return "image/avif"
    head = octets[:_HEAD]
    return TEXT if head and head.translate(None, _CONTROLS) == head else ""
