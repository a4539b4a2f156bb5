"""Kinds of files: what a file is, from what its sender called it, its name, and its first octets.

Nothing here may read further than a few octets, except that a ZIP is asked whether it is a document. Mail programs
label with whatever their system had in a table, so that a general label yields to the name, and a missing or
misleading name to the octets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.rendition.documents import archive

OCTETS: Final = "application/octet-stream"
PDF: Final = "application/pdf"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
XLSB: Final = "application/vnd.ms-excel.sheet.binary.macroenabled.12"
XLS: Final = "application/vnd.ms-excel"
ODT: Final = "application/vnd.oasis.opendocument.text"
ODS: Final = "application/vnd.oasis.opendocument.spreadsheet"
RTF: Final = "application/rtf"
CSV: Final = "text/csv"
TEXT: Final = "text/plain"
SOURCE: Final = "text/x-source"
ZIP: Final = "application/zip"
TNEF: Final = "application/ms-tnef"
MESSAGE: Final = "message/rfc822"
CALENDAR: Final = "text/calendar"
CONTACT: Final = "text/vcard"
HTML: Final = "text/html"


@dataclass(frozen=True, slots=True)
class _Row:
    """One kind: its media type, other names of it, the endings of file names, and how such files begin."""

    media_type: str
    aliases: str = ""
    endings: str = ""
    begins: tuple[bytes, ...] = ()


_TABLE: Final = (
    _Row(PDF, "application/x-pdf application/acrobat text/pdf", "pdf", (b"%PDF-",)),
    _Row(DOCX, "application/vnd.ms-word.document.macroenabled.12", "docx docm dotx"),
    _Row(XLSX, "application/vnd.ms-excel.sheet.macroenabled.12", "xlsx xlsm xltx"),
    _Row(XLSB, "", "xlsb"),
    _Row(XLS, "application/msexcel application/x-msexcel application/x-excel", "xls xlt"),
    _Row(ODT, "application/vnd.oasis.opendocument.text-template", "odt ott"),
    _Row(ODS, "application/vnd.oasis.opendocument.spreadsheet-template", "ods ots"),
    _Row(RTF, "text/rtf text/richtext application/x-rtf", "rtf", (b"{\\rtf",)),
    _Row(CSV, "text/comma-separated-values text/tab-separated-values application/csv text/x-csv", "csv tsv tab"),
    _Row(MESSAGE, "message/global application/eml application/x-eml", "eml mht mhtml"),
    _Row(CALENDAR, "application/ics text/x-vcalendar", "ics ical ifb vcs", (b"BEGIN:VCALENDAR",)),
    _Row(CONTACT, "text/x-vcard text/directory application/vcard", "vcf vcard", (b"BEGIN:VCARD",)),
    _Row(HTML, "application/xhtml+xml", "html htm xhtml", (b"<!DOCTYPE html", b"<!doctype html", b"<html", b"<HTML")),
    _Row(TNEF, "application/vnd.ms-tnef", "", (b"\x78\x9f\x3e\x22",)),
    _Row("image/jpeg", "image/jpg image/pjpeg", "jpg jpeg jpe jfif", (b"\xff\xd8\xff",)),
    _Row("image/png", "image/x-png", "png", (b"\x89PNG\r\n",)),
    _Row("image/gif", "", "gif", (b"GIF87a", b"GIF89a")),
    _Row("image/webp", "", "webp"),
    _Row("image/avif", "", "avif"),
    _Row("image/bmp", "image/x-ms-bmp image/x-bmp", "bmp dib"),
    _Row("image/vnd.wap.wbmp", "", "wbmp"),
    _Row(TEXT, "text/markdown text/x-markdown", "txt text md markdown rst log asc nfo me 1st"),
    _Row(
        SOURCE,
        "application/json application/xml text/xml application/javascript text/javascript text/css text/x-patch "
        "text/x-diff text/x-python text/x-c text/x-csrc text/x-shellscript application/x-sh application/x-yaml "
        "application/yaml application/toml application/sql application/pgp-keys application/pgp-signature",
        "py pyi c h cc cpp hpp cs java kt js mjs ts css json xml xsl svg yaml yml toml ini cfg conf sh bash bat ps1 "
        "sql pl pm rb go rs php lua r tex bib diff patch asm s f90 hs scala swift vb vbs reg properties gradle cmake "
        "srt vtt asc sig key pem crt po pot",
    ),
    _Row(ZIP, "application/x-zip-compressed application/x-zip multipart/x-zip", "zip", (b"PK\3\4", b"PK\5\6")),
)  # fmt: skip

_BY_TYPE: Final = {
    alias: row.media_type for row in _TABLE for alias in (row.media_type, *row.aliases.split())
}
_BY_ENDING: Final = {ending: row.media_type for row in reversed(_TABLE) for ending in row.endings.split()}
_BY_BEGINNING: Final = tuple((mark, row.media_type) for row in _TABLE for mark in row.begins)

#: Labels that say too little, or that systems give to what they do not know: the name is believed first.
#: QUIRK: Windows with Excel calls CSV application/vnd.ms-excel, with old Word calls RTF and DOCX application/msword.
_GENERAL: Final = frozenset({
    "", OCTETS, "application/binary", "application/unknown", "application/x-download", "application/download",
    "application/force-download", "application/x-unknown", "application/data", "application/x-msdownload",
    "binary/octet-stream", "application/msword", "application/x-msword", "application/x-unknown-content-type",
    "application/vnd.openxmlformats-officedocument", "application/x-ole-storage", ZIP, XLS, TEXT,
})  # fmt: skip
#: Octets that tell text from other things.
_HEAD: Final = 2048
_CONTROLS: Final = bytes(range(9)) + b"\x0e\x0f" + bytes(range(0x10, 0x1A))


def ending(filename: str) -> str:
    """Return what follows the last point of a file name, in lower case."""
    return filename.rpartition(".")[2].strip().lower() if "." in filename else ""


def ending_of(media_type: str) -> str:
    """Return the ending that files of a kind have, or ''."""
    return next(
        (row.endings.split()[0] for row in _TABLE if row.media_type == media_type and row.endings), ""
    )


def effective_type(declared: str, filename: str, octets: bytes = b"") -> str:
    """Name the media type that a file has, in one spelling for each kind we know.

    `octets` may be missing, the first few hundred, or the file. What we do not know keeps its label.
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
