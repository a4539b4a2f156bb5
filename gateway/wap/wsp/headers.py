"""Sequences of headers: from octets to names and values, and back.

Nothing here may keep a code page from one sequence to the next. Headers of other code pages than the default are
skipped: none is ever agreed on. WAP-230 §8.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from gateway.wap.wsp.assigned import DEFAULT_PAGE, HEADER_NAMES, NEWEST, USUAL, Version
from gateway.wap.wsp.header_parameters import latin_1, read_media
from gateway.wap.wsp.header_reading import read_value
from gateway.wap.wsp.header_writing import write_header
from gateway.wap.wsp.octets import LENGTH_QUOTE, QUOTE, SHORT, TEXT, Cursor

#: Names and values, in order; a value may come several times.
Headers = tuple[tuple[str, str], ...]

#: Headers of one message. A phone sends some twenty, one for each media type that it accepts.
MOST_HEADERS: Final = 200


def read_headers(octets: bytes, start: int = 0) -> Headers:
    """Read headers; `start` is the offset that errors count from. Raise WSPError.

    A header with an unknown name or value is left out. QUIRK: a Siemens SX1 sends headers without a value, which are
    left out, and a Siemens S35 a superfluous NUL, which is skipped.
    """
    return tuple(_headers(Cursor(octets, start)))


def _headers(cursor: Cursor) -> Iterator[tuple[str, str]]:
    page = DEFAULT_PAGE
    count = 0
    while cursor.left:
        first = cursor.octet()
        if first == 0:
            continue
        if first == QUOTE or first <= LENGTH_QUOTE:  # a shift of code pages, and its short form
            page = cursor.octet() if first == QUOTE else first
            continue
        count += 1
        if count > MOST_HEADERS:
            raise cursor.error(f"more than {MOST_HEADERS} headers")
        if first >= SHORT:
            name = HEADER_NAMES.get(first & 0x7F, "") if page == DEFAULT_PAGE else ""
        else:
            cursor.at -= 1
            name = latin_1(cursor.text())
        if not cursor.left:
            return
        value = read_value(name.lower(), cursor)
        if name and value:
            yield name, value


def read_content_type(cursor: Cursor) -> str:
    """Read the Content-type-value before the headers; "" for an unknown type."""
    first = cursor.peek()
    if TEXT <= first < SHORT:
        return latin_1(cursor.text())
    media = cursor.part(1 if first >= SHORT else cursor.length())
    return read_media(media) if media.left else ""


def write_headers(headers: Iterable[tuple[str, str]], version: Version = USUAL) -> bytes:
    """Write headers for a peer of this encoding version."""
    return b"".join(write_header(name, value, version) for name, value in headers)


def field(headers: Iterable[tuple[str, str]], name: str) -> str:
    """Return all values of a header, joined as in HTTP; "" for none."""
    return ", ".join(value for known, value in headers if known.lower() == name.lower())


def encoding_version(headers: Headers) -> Version | None:
    """Return the encoding version that a phone has named, which is the latest that we write."""
    major, dot, minor = field(headers, "Encoding-Version").partition(".")
    if not (major.isdecimal() and dot and minor.isdecimal()):
        return None
    return min((int(major), int(minor)), NEWEST)


def version_header(version: Version | None) -> Headers:
    """Return the Encoding-Version to answer: only one that was named (WAP-230 §8.4.2.70)."""
    return () if version is None else (("Encoding-Version", f"{version[0]}.{version[1]}"),)
