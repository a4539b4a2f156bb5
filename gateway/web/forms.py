"""Form bodies from raw octets, in whatever charset the phone chose.

Nothing here may lose an octet that a person typed: an undeclared charset is found by what it did to a probe
field of known characters, and the last resort decodes everything. Order: Content-Type's charset, `_charset_`
(HTML Living Standard §4.10.18.5), the probe (WML), the page's own charset.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from email.message import Message as _Header
from typing import Final

from gateway.errors import BadRequest
from gateway.markup.screen import Verbatim

#: One character of Latin-1, one that only windows-1252 and UTF-8 carry, one Cyrillic: each charset mangles
#: another part of it.
PROBE: Final = Verbatim("é€д")
PROBE_FIELD: Final = "_probe"
CHARSET_FIELD: Final = "_charset_"
#: Fields of one form; more is no form of ours.
MOST_FIELDS: Final = 200

#: What the probe's first octets say. ISO-8859-1 is read as windows-1252, its superset (WHATWG Encoding §4.2).
_PROBE_STARTS: Final = (
    ("é€".encode(), "utf-8"),
    ("é".encode(), "utf-8"),
    ("é€".encode("cp1252"), "cp1252"),
    ("é".encode("utf-16-be"), "utf-16-be"),
    ("é".encode("utf-16-le"), "utf-16-le"),
    ("é€".encode("iso8859-15"), "iso8859-15"),
    ("é".encode("latin-1"), "cp1252"),
)
#: A Cyrillic charset has no é: the phone puts something else there, but the last octet is д.
_PROBE_ENDS: Final = (("д".encode("cp1251"), "cp1251"), ("д".encode("koi8-r"), "koi8-r"))
_LATIN_1: Final = frozenset({"iso8859-1", "ascii"})


def parse(content_type: str, body: bytes, page_charset: str) -> dict[str, str]:
    """Read application/x-www-form-urlencoded octets into text fields; the first of a name wins.

    Raise BadRequest for another media type or too many fields.
    """
    header = _Header()
    header["content-type"] = content_type or "application/x-www-form-urlencoded"
    if header.get_content_type() not in ("application/x-www-form-urlencoded", "text/plain"):
        raise BadRequest("form type")
    raw = _raw_fields(body)
    declared = header.get_param("charset")
    charset = _charset(declared if isinstance(declared, str) else "", raw, page_charset)
    return {_decode(name, charset): _decode(value, charset) for name, value in raw.items()}


def _raw_fields(body: bytes) -> dict[bytes, bytes]:
    # QUIRK: some phones post the `&amp;` of the deck's source.
    pieces = body.replace(b"&amp;", b"&").split(b"&")
    if len(pieces) > MOST_FIELDS:
        raise BadRequest("too many fields")
    fields: dict[bytes, bytes] = {}
    for piece in pieces:
        name, _, value = piece.partition(b"=")
        if name:
            fields.setdefault(_unescape(name), _unescape(value))
    return fields


def _unescape(octets: bytes) -> bytes:
    return re.sub(
        rb"%([0-9A-Fa-f]{2})", lambda match: bytes((int(match[1], 16),)), octets.replace(b"+", b" ")
    )


def _charset(declared: str, raw: Mapping[bytes, bytes], page_charset: str) -> str:
    named = raw.get(CHARSET_FIELD.encode(), b"").decode("latin-1")
    for label in (declared, named):
        known = _known(label)
        if known:
            return known
    return _probed(raw.get(PROBE_FIELD.encode(), b"")) or _known(page_charset) or "utf-8"


def _known(label: str) -> str:
    try:
        name = codecs.lookup(label.strip(" \"'")).name
        "".encode(name)
    except (LookupError, ValueError):
        return ""
    return "cp1252" if name in _LATIN_1 else name


def _probed(octets: bytes) -> str:
    for start, charset in _PROBE_STARTS:
        if octets.startswith(start):
            return charset
    for end, charset in _PROBE_ENDS:
        if octets.endswith(end):
            return charset
    return ""


def _decode(octets: bytes, charset: str) -> str:
    for candidate in (charset, "utf-8"):
        try:
            text = octets.decode(candidate)
        except UnicodeDecodeError:
            continue
        return text.replace("\r\n", "\n").replace("\r", "\n")
    # windows-1252 has five holes; the C1 control of the same octet loses nothing.
    return "".join(bytes((octet,)).decode("cp1252", "ignore") or chr(octet) for octet in octets).replace(
        "\r\n", "\n"
    )
