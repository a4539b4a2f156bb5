"""ZIP: its listing, its entries, and the parts of formats based on it.

Nothing here may unpack more than the limits, whatever the headers claim, or write anywhere. APPNOTE 6.3.10
§4.3 (structure), §4.4.4 (flags: 0 encrypted, 11 UTF-8 names).
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gateway.message.charset.detection import WESTERN, sniff
from gateway.message.media_types import DOCX, XLSB, XLSX
from gateway.rendition import glyphs
from gateway.rendition.blocks import Block, Kind, Run
from gateway.rendition.context import Context
from gateway.rendition.documents.bounds import (
    DAMAGED,
    EMPTY,
    ENTRIES_LIMIT,
    PROTECTED,
    RATIO_LIMIT,
    TOO_LARGE,
    UNKNOWN,
    UNPACKED_LIMIT,
    DocumentError,
    note,
)

#: Octets unpacked at a time, at first and later: a first page needs few, and a long token must not be parsed often.
_FIRST_STEP: Final = 64 * 1024
_STEP: Final = 1024 * 1024
#: Smallest size at which the ratio counts, octets: a short file of spaces is not a bomb.
_HARMLESS: Final = 4 * 1024 * 1024
#: Without LZMA, which lets an entry choose how much memory its dictionary takes.
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
_ENTRY: Final = b"PK\1\2"
_ENCRYPTED: Final = 0x1
_UTF8: Final = 0x800
_NAME_LIMIT: Final = 200


@dataclass(frozen=True, slots=True)
class ArchiveEntry:
    """One file in an archive: its index in the listing, its path there, and its size, octets unpacked."""

    index: int
    name: str
    octets: int
    protected: bool = False


def opened(octets: bytes) -> zipfile.ZipFile:
    """Open an archive; raise DocumentError if it is not one or has too many entries."""
    if octets.count(_ENTRY) > ENTRIES_LIMIT:  # each costs an object, and the count in the directory may lie
        raise DocumentError(TOO_LARGE)
    try:
        return zipfile.ZipFile(io.BytesIO(octets))
    except (zipfile.BadZipFile, ValueError, EOFError, OverflowError, NotImplementedError, OSError) as error:
        raise DocumentError(DAMAGED, type(error).__name__) from error


def unpacked(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int = UNPACKED_LIMIT
) -> Iterator[bytes]:
    """Yield an entry in pieces; raise DocumentError if it is encrypted, damaged, a bomb or beyond `limit`."""
    if entry.flag_bits & _ENCRYPTED:
        raise DocumentError(PROTECTED)
    if entry.compress_type not in _METHODS:
        raise DocumentError(UNKNOWN)
    allowed = min(limit, max(entry.compress_size * RATIO_LIMIT, _HARMLESS))
    done, step = 0, _FIRST_STEP
    try:
        with archive.open(entry) as stream:
            while chunk := stream.read(step):
                done += len(chunk)
                if done > allowed:
                    raise DocumentError(TOO_LARGE)
                yield chunk
                step = min(step * 2, _STEP)
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError, RuntimeError) as error:
        if isinstance(error, DocumentError):
            raise
        raise DocumentError(DAMAGED, type(error).__name__) from error


def part(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """Yield the part of a document with this name; nothing if there is none."""
    if name in archive.NameToInfo:
        yield from unpacked(archive, archive.getinfo(name))


def _files(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [info for info in archive.infolist() if not info.is_dir()]


def _name(info: zipfile.ZipInfo) -> str:
    """Decode a name as its writer meant it; without the UTF-8 flag it may be in any charset, not just cp437."""
    name = info.orig_filename
    if not info.flag_bits & _UTF8 and not name.isascii():
        octets = name.encode("cp437", "replace")
        codec = sniff(octets)
        name = name if codec == WESTERN else octets.decode(codec, "replace")
    return glyphs.visible(name).replace("\\", "/")[:_NAME_LIMIT]


def zip_entries(octets: bytes) -> tuple[ArchiveEntry, ...]:
    """List the files of an archive."""
    with opened(octets) as archive:
        return tuple(
            ArchiveEntry(index, _name(info), info.file_size, bool(info.flag_bits & _ENCRYPTED))
            for index, info in enumerate(_files(archive))
        )


def zip_entry(octets: bytes, index: int) -> bytes:
    """Unpack one file by its index in the listing; raise DocumentError if there is none or it is too large."""
    with opened(octets) as archive:
        files = _files(archive)
        if not 0 <= index < len(files):
            raise DocumentError(UNKNOWN)
        return b"".join(unpacked(archive, files[index]))


def inside(octets: bytes) -> str:
    """Return the media type of the document that an archive is, going by its parts, or ''."""
    try:
        archive = opened(octets)
    except DocumentError:
        return ""
    with archive:
        names = archive.NameToInfo
        for name, media_type in _PARTS.items():
            if name in names:
                return media_type
        if "mimetype" not in names:
            return ""
        try:
            declared = b"".join(unpacked(archive, archive.getinfo("mimetype"), 200))
        except DocumentError:
            return ""
    return declared.decode("ascii", "replace").strip()


#: The part that identifies an archive as a document of that type (ISO 29500-2 §9; ODF has `mimetype`, ODF 1.2-3 §3.3).
_PARTS: Final = {
    "word/document.xml": DOCX,
    "xl/workbook.xml": XLSX,
    "xl/workbook.bin": XLSB,
}


def read(octets: bytes, _leaf: int, context: Context) -> Iterator[tuple[int, Block]]:
    """List an archive, an item for each file."""
    entries = zip_entries(octets)
    for entry in entries:
        yield 0, Block(Kind.ITEM, (Run(f"{entry.name} · {_size(entry.octets)}"),), marker="•")
    if not entries:
        yield 0, note(context, EMPTY)


def _size(octets: int) -> str:
    if octets < 10_000:
        return f"{octets} B"
    return f"{octets / 1000:.0f} KB" if octets < 10_000_000 else f"{octets / 1_000_000:.0f} MB"
