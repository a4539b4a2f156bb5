"""Media types with parameters, and quality factors: what several headers share.

Nothing here may know a header. Text is as in HTTP: "text/plain; charset=utf-8". WAP-230 §8.4.2.3, §8.4.2.4, §8.4.2.7
and §8.4.2.24.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final

from gateway.wap.wsp.assigned import CHARSET_NUMBERS, CHARSETS, PARAMETER_NAMES, PARAMETERS, USUAL, Version
from gateway.wap.wsp.assigned_media_types import media_type, media_type_number
from gateway.wap.wsp.octets import (
    BLANKS,
    LENGTH_QUOTE,
    SHORT,
    TEXT,
    Cursor,
    integer,
    long_integer,
    text_string,
    uintvar,
    value_length,
)

OWS: Final = " \t"
"""Blanks around values (RFC 9110 §5.6.3); others that Unicode has are octets of a value."""
ANY: Final = 0x80
"""The octet of "*"."""
Q: Final = 0x00
CHARSET: Final = 0x01

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z/-]+")
_PAIR: Final = re.compile(r';\s*([^\s;="]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^;]*))?')
_LAST_SECOND: Final = 253_402_300_799
"""The last second of the year 9999."""


def latin_1(octets: bytes) -> str:
    """Return octets as text, one character each, as WSGI has header fields; they may not contain a line end."""
    return octets.decode("latin-1").replace("\r", " ").replace("\n", " ")


def http_date(seconds: int) -> str:
    """Return seconds since 1970 as an HTTP date, "" after the year 9999."""
    if seconds > _LAST_SECOND:
        return ""
    return format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True)


def seconds_of(date: str) -> int:
    """Return the seconds since 1970 of an HTTP date; raise ValueError."""
    parsed = parsedate_to_datetime(date)
    return int(parsed.replace(tzinfo=parsed.tzinfo or UTC).timestamp())


def version_text(number: int) -> str:
    """Return the text of a Version-value in a Short-integer (WAP-230 §8.4.2.3)."""
    major, minor = number >> 4 & 7, number & 15
    return str(major) if minor == 15 else f"{major}.{minor}"


def version_octet(text: str) -> bytes:
    """Write a Version-value."""
    major, dot, minor = text.strip(OWS).partition(".")
    if major.isdecimal() and 1 <= int(major) <= 7 and (not dot or (minor.isdecimal() and int(minor) <= 14)):
        return bytes((SHORT | int(major) << 4 | (int(minor) if dot else 15),))
    return text_string(text.encode("latin-1", "replace"))


def q_text(number: int) -> str:
    """Return a Q-value as HTTP writes it (WAP-230 §8.4.2.3)."""
    if number > 100:
        return f"{min(number - 100, 999) / 1000:.3f}".rstrip("0").rstrip(".")
    return f"{max(number - 1, 0) / 100:.2f}".rstrip("0").rstrip(".")


def q_value(text: str) -> bytes:
    """Write a quality factor, or nothing for 1; raise ValueError."""
    thousandths = round(float(text) * 1000)
    if not 0 <= thousandths <= 1000:
        raise ValueError("a quality factor lies between 0 and 1")
    if thousandths == 1000:
        return b""
    return uintvar(thousandths // 10 + 1 if thousandths % 10 == 0 else thousandths + 100)


def is_text(cursor: Cursor) -> bool:
    """Return whether a text comes next."""
    return TEXT <= cursor.peek() < SHORT


def _quoted(text: str) -> str:
    return text if _TOKEN.fullmatch(text) else '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def read_media(cursor: Cursor) -> str:
    """Read a media type with its parameters up to the end of the cursor."""
    name = latin_1(cursor.text()) if is_text(cursor) else media_type(cursor.integer())
    parameters = ""
    while cursor.left:
        parameters += read_parameter(cursor)
    return name + parameters if name else ""


def read_parameter(cursor: Cursor) -> str:
    """Read one parameter as "; name=value"; "" if its number or value is unknown."""
    if is_text(cursor):
        name, typed = latin_1(cursor.text()), -1
    else:
        typed = cursor.integer()
        name = PARAMETER_NAMES.get(typed, "")
    if not cursor.left:
        return f"; {name}" if name else ""
    if typed == Q:
        return f"; q={q_text(cursor.uintvar())}"
    first = cursor.peek()
    if first == 0:  # No-value
        cursor.octet()
        return f"; {name}" if name else ""
    if TEXT <= first < SHORT:
        value = latin_1(cursor.text()).removeprefix('"')
    elif first >= SHORT or first < LENGTH_QUOTE:
        value = _parameter_number(typed, cursor.integer())
    else:
        cursor.take(cursor.length())
        return ""
    return f"; {name}={_quoted(value)}" if name else ""


def _parameter_number(typed: int, number: int) -> str:
    if typed == CHARSET:
        return CHARSETS.get(number, "*" if number == 0 else str(number))
    if typed == 0x02:
        return version_text(number)
    if typed in (0x03, 0x09):
        return media_type(number) or str(number)
    return http_date(number) if typed in (0x13, 0x14, 0x15) else str(number)


def parameters_of(value: str) -> tuple[str, list[tuple[str, str]]]:
    """Split "text/plain; charset=utf-8" into its beginning, and names (in lower case) with their values."""
    head, semicolon, rest = value.partition(";")
    pairs = []
    for name, raw in _PAIR.findall(semicolon + rest):
        text = raw.strip(OWS)
        if text.startswith('"'):
            text = re.sub(r"\\(.)", r"\1", text[1:-1])
        pairs.append((name.lower(), text))
    return head.strip(OWS), pairs


def write_media(value: str, version: Version = USUAL) -> bytes:
    """Write a media type with its parameters: the Content-type-value, or one range of Accept."""
    name, pairs = parameters_of(value)
    number = media_type_number(name, version)
    kind = integer(number) if number is not None else text_string(name.encode("latin-1", "replace"))
    parameters = b"".join(write_parameter(key, text, version) for key, text in pairs)
    return value_length(kind + parameters) if parameters else kind


def write_parameter(name: str, text: str, version: Version) -> bytes:
    """Write one parameter; a quality factor of 1, or one that is not a number, is left out."""
    octets = text.encode("latin-1", "replace")
    if name == "q":
        try:
            q = q_value(text)
        except ValueError:
            q = b""
        return integer(Q) + q if q else b""
    if name == "charset" and text.lower() in CHARSET_NUMBERS:
        return integer(CHARSET) + integer(CHARSET_NUMBERS[text.lower()])
    fits = [
        number
        for number, known, since in PARAMETERS
        if known == name and since <= max(version, USUAL) and number in _TEXT_PARAMETERS
    ]
    head = integer(fits[-1]) if fits else text_string(name.encode("latin-1", "replace"))
    if octets.lstrip(BLANKS)[:1] == b'"':  # a Quoted-string, whose end has no mark (WAP-230 §8.4.2.1)
        octets = b'"' + octets
    return head + (text_string(octets) if octets else b"\0")


#: Parameters whose values are texts, whatever their version. WAP-230 table 38.
_TEXT_PARAMETERS: Final = frozenset({0x05, 0x06, 0x0A, 0x0B, 0x17, 0x18, 0x19, 0x1A})


def read_charset(number: int) -> str:
    """Return the name of a charset by its MIBenum; "" for an unknown one."""
    return CHARSETS.get(number, "")


def date_value(text: str) -> bytes:
    """Write a Date-value; raise ValueError."""
    return long_integer(seconds_of(text))
