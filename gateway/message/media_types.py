"""The table of media types: what kinds of content there are, what they are called, and how each is best viewed.

Nothing here may open anything. Constants name the types that code elsewhere treats specially. A new kind of attachment
is a row here and, if it has a viewer, one in `rendition.documents`. RFC 6838; RFC 2046.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final


def _(msgid: str) -> str:
    return msgid


OCTETS: Final = "application/octet-stream"  # nothing is known (RFC 2046 §4.5.1)
PDF: Final = "application/pdf"
DOC: Final = "application/msword"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
XLSB: Final = "application/vnd.ms-excel.sheet.binary.macroenabled.12"
XLS: Final = "application/vnd.ms-excel"
ODT: Final = "application/vnd.oasis.opendocument.text"
ODS: Final = "application/vnd.oasis.opendocument.spreadsheet"
RTF: Final = "application/rtf"
EPUB: Final = "application/epub+zip"
CSV: Final = "text/csv"
TEXT: Final = "text/plain"
MARKDOWN: Final = "text/markdown"
SOURCE: Final = "text/x-source"  # our own name for program code and settings
ZIP: Final = "application/zip"
TNEF: Final = "application/ms-tnef"
MESSAGE: Final = "message/rfc822"
SMIME: Final = "application/pkcs7-mime"
CALENDAR: Final = "text/calendar"
CONTACT: Final = "text/vcard"
HTML: Final = "text/html"
ENRICHED: Final = ("text/enriched", "text/richtext")  # RFC 1896, RFC 1341
AMP: Final = "text/x-amp-html"
WATCH: Final = "text/watch-html"
SIGNATURES: Final = (  # RFC 3156, RFC 8551
    "application/pgp-signature",
    "application/pkcs7-signature",
    "application/x-pkcs7-signature",
)
PGP_ENCRYPTED: Final = "application/pgp-encrypted"
PGP_KEYS: Final = "application/pgp-keys"
FORM: Final = "application/x-www-form-urlencoded"  # what a page posts
JPEG: Final = "image/jpeg"
PNG: Final = "image/png"
GIF: Final = "image/gif"
BMP: Final = "image/bmp"
WBMP: Final = "image/vnd.wap.wbmp"


class Look(Enum):
    """How a file is viewed."""

    PICTURE = auto()
    MESSAGE = auto()
    CONTENTS = auto()  # as a list of the files in it
    READ = auto()  # like the same text in a mail
    DOCUMENT = auto()  # by a viewer of `rendition.documents`, if there is one


@dataclass(frozen=True, slots=True)
class MediaType:
    """One kind: its media type, other names of it, the extensions of file names, and how such files begin.

    `words`: a msgid; '' for the words of its main type. `safe`: a device may make use of it, and it cannot be a page, a
    script, or a drawing with scripts in it.
    """

    media_type: str
    words: str = ""
    look: Look = Look.DOCUMENT
    aliases: str = ""
    endings: str = ""
    begins: tuple[bytes, ...] = ()
    safe: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return (self.media_type, *self.aliases.split())


TABLE: Final = (
    MediaType(
        PDF, "PDF", aliases="application/x-pdf application/acrobat text/pdf", endings="pdf", begins=(b"%PDF-",),
        safe=True,
    ),
    MediaType(
        DOCX, _("Word document"), aliases="application/vnd.ms-word.document.macroenabled.12",
        endings="docx docm dotx", safe=True,
    ),
    MediaType(
        XLSX, _("Spreadsheet"), aliases="application/vnd.ms-excel.sheet.macroenabled.12", endings="xlsx xlsm xltx",
        safe=True,
    ),
    MediaType(XLSB, _("Spreadsheet"), endings="xlsb"),
    MediaType(
        XLS, _("Spreadsheet"), aliases="application/msexcel application/x-msexcel application/x-excel",
        endings="xls xlt", safe=True,
    ),
    MediaType(
        ODT, _("Text document"), aliases="application/vnd.oasis.opendocument.text-template", endings="odt ott",
        safe=True,
    ),
    MediaType(
        ODS, _("Spreadsheet"), aliases="application/vnd.oasis.opendocument.spreadsheet-template", endings="ods ots",
        safe=True,
    ),
    MediaType(
        RTF, _("Text document"), aliases="text/rtf text/richtext application/x-rtf", endings="rtf",
        begins=(b"{\\rtf",), safe=True,
    ),
    MediaType(EPUB, _("Text document"), endings="epub", safe=True),
    MediaType(
        CSV, _("Table"), aliases="text/comma-separated-values text/tab-separated-values application/csv text/x-csv",
        endings="csv tsv tab", safe=True,
    ),
    MediaType(
        MESSAGE, _("Message"), Look.MESSAGE, aliases="message/global application/eml application/x-eml",
        endings="eml mht mhtml",
    ),
    MediaType(SMIME, _("Message"), Look.MESSAGE, aliases="application/x-pkcs7-mime", endings="p7m"),
    MediaType(
        CALENDAR, _("Invitation"), Look.READ, aliases="application/ics text/x-vcalendar", endings="ics ical ifb vcs",
        begins=(b"BEGIN:VCALENDAR",), safe=True,
    ),
    MediaType(
        CONTACT, _("Contact"), Look.READ, aliases="text/x-vcard text/directory application/vcard",
        endings="vcf vcard", begins=(b"BEGIN:VCARD",), safe=True,
    ),
    MediaType(
        HTML, _("Web page"), Look.READ, aliases="application/xhtml+xml", endings="html htm xhtml",
        begins=(b"<!DOCTYPE html", b"<!doctype html", b"<html", b"<HTML"),
    ),
    MediaType(
        TNEF, _("Outlook attachment"), Look.CONTENTS, aliases="application/vnd.ms-tnef", begins=(b"\x78\x9f\x3e\x22",)
    ),
    MediaType(
        JPEG, look=Look.PICTURE, aliases="image/jpg image/pjpeg", endings="jpg jpeg jpe jfif",
        begins=(b"\xff\xd8\xff",), safe=True,
    ),
    MediaType(PNG, look=Look.PICTURE, aliases="image/x-png", endings="png", begins=(b"\x89PNG\r\n",), safe=True),
    MediaType(GIF, look=Look.PICTURE, endings="gif", begins=(b"GIF87a", b"GIF89a"), safe=True),
    MediaType("image/webp", look=Look.PICTURE, endings="webp", safe=True),
    MediaType("image/avif", look=Look.PICTURE, endings="avif", safe=True),
    MediaType(BMP, look=Look.PICTURE, aliases="image/x-ms-bmp image/x-bmp", endings="bmp dib", safe=True),
    MediaType(WBMP, look=Look.PICTURE, endings="wbmp", safe=True),
    MediaType(TEXT, _("Text"), Look.READ, endings="txt text rst log asc nfo me 1st", safe=True),
    MediaType(MARKDOWN, _("Text"), Look.READ, aliases="text/x-markdown", endings="md markdown mkd"),
    MediaType(
        SOURCE, _("Text"),
        aliases=(
            "application/json application/xml text/xml application/javascript text/javascript text/css "
            "text/x-patch text/x-diff text/x-python text/x-c text/x-csrc text/x-shellscript application/x-sh "
            "application/x-yaml application/yaml application/toml application/sql application/pgp-keys "
            "application/pgp-signature"
        ),
        endings=(
            "py pyi c h cc cpp hpp cs java kt js mjs ts css json xml xsl svg yaml yml toml ini cfg conf sh "
            "bash bat ps1 sql pl pm rb go rs php lua r tex bib diff patch asm s f90 hs scala swift vb vbs reg "
            "properties gradle cmake srt vtt asc sig key pem crt po pot"
        ),
    ),
    MediaType(
        ZIP, _("Zip archive"), Look.CONTENTS,
        aliases="application/x-zip-compressed application/x-zip multipart/x-zip", endings="zip",
        begins=(b"PK\x03\x04", b"PK\x05\x06"), safe=True,
    ),
    # Known only by the label.
    MediaType(DOC, _("Word document"), safe=True),
    MediaType("application/vnd.ms-powerpoint", safe=True),
    MediaType("application/vnd.oasis.opendocument.presentation", safe=True),
    MediaType("application/vnd.openxmlformats-officedocument.presentationml.presentation", safe=True),
    *(MediaType(f"audio/{kind}", safe=True) for kind in ("amr", "midi", "mpeg", "mp4", "aac", "ogg", "wav", "x-wav")),
    *(MediaType(f"video/{kind}", safe=True) for kind in ("3gpp", "mp4", "mpeg")),
)  # fmt: skip
#: Words for all other kinds of a main type.
_GENERAL_WORDS: Final = {"image": _("Picture"), "audio": _("Sound"), "video": _("Video"), "text": _("Text")}
_FILE: Final = _("File")

_ROWS: Final = {row.media_type: row for row in TABLE}


def names(media_type: str) -> tuple[str, ...]:
    """Return a media type of the table with all other names that it has."""
    return _ROWS[media_type].names


def look(media_type: str) -> Look:
    """Return how a kind is best viewed."""
    row = _ROWS.get(media_type)
    return row.look if row else Look.DOCUMENT


def words(media_type: str) -> str:
    """Return what a kind is called, a msgid."""
    row = _ROWS.get(media_type)
    return (row.words if row else "") or _GENERAL_WORDS.get(media_type.partition("/")[0], _FILE)


def is_safe(media_type: str) -> bool:
    """Return whether a device may be told that a file is of this kind."""
    row = _ROWS.get(media_type)
    return row is not None and row.safe


def ending_of(media_type: str) -> str:
    """Return the extension of files of a kind, or ''."""
    row = _ROWS.get(media_type)
    return row.endings.split()[0] if row and row.endings else ""
