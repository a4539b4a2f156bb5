"""Form bodies from raw octets, in whatever charset the phone chose.

Nothing here may lose an octet that a person typed: an undeclared charset is found by what it did to a probe
field of known characters, and the last resort decodes everything. Order: Content-Type's charset, `_charset_`
(HTML Living Standard §4.10.18.5), the probe (WML), the page's own charset.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.message import Message as _Header
from typing import Final

from gateway.errors import BadRequest
from gateway.markup.screen import Verbatim
from gateway.message import charset as charsets

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


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent along; `media_type` is what the browser says, with a charset if it has one."""

    field: str
    filename: str
    media_type: str
    octets: bytes


class Fields(dict[str, str]):
    """What a form holds: of each name the first value. `too_large`: names of files that were left out."""

    def __init__(
        self,
        values: Iterable[tuple[str, str]] = (),
        files: tuple[Upload, ...] = (),
        too_large: tuple[str, ...] = (),
    ) -> None:
        self._values = tuple(values)
        super().__init__(reversed(self._values))
        self.files = files
        self.too_large = too_large

    def every(self, name: str) -> list[str]:
        """Return all values of a name in their order, as boxes that were ticked have them.

        WML joins the values of a multiple select by `;` (WML 1.1 §11.6.2.1), so each is taken apart there.
        """
        values = [value for key, value in self._values if key == name]
        return [piece for value in values for piece in value.split(";") if piece]


def parse(content_type: str, body: bytes, page_charset: str) -> Fields:
    """Read application/x-www-form-urlencoded octets into text fields.

    Raise BadRequest for another media type or too many fields.
    """
    header = _Header()
    header["content-type"] = content_type or "application/x-www-form-urlencoded"
    if header.get_content_type() not in ("application/x-www-form-urlencoded", "text/plain"):
        raise BadRequest("form type")
    raw = _raw_fields(body)
    declared = header.get_param("charset")
    charset = charset_of(declared if isinstance(declared, str) else "", dict(reversed(raw)), page_charset)
    return Fields((decode(name, charset), decode(value, charset)) for name, value in raw)


def _raw_fields(body: bytes) -> list[tuple[bytes, bytes]]:
    # QUIRK: some phones post the `&amp;` of the deck's source.
    pieces = body.replace(b"&amp;", b"&").split(b"&")
    if len(pieces) > MOST_FIELDS:
        raise BadRequest("too many fields")
    parted = (piece.partition(b"=") for piece in pieces)
    return [(_unescape(name), _unescape(value)) for name, _, value in parted if name]


def _unescape(octets: bytes) -> bytes:
    return re.sub(
        rb"%([0-9A-Fa-f]{2})", lambda match: bytes((int(match[1], 16),)), octets.replace(b"+", b" ")
    )


def charset_of(declared: str, raw: Mapping[bytes, bytes], page_charset: str) -> str:
    """Find the charset of raw fields; `declared` is what the form itself says."""
    named = raw.get(CHARSET_FIELD.encode(), b"").decode("latin-1")
    for label in (declared, named):
        charset = known(label)
        if charset:
            return charset
    return _probed(raw.get(PROBE_FIELD.encode(), b"")) or known(page_charset) or "utf-8"


def known(label: str) -> str:
    """Name the codec of a charset, '' for one that is not known.

    A label comes from whoever posts: codecs that are no charsets (some take quadratic time) cannot be named, and
    `codecs.lookup`, which remembers every label for ever, sees only names out of a table.
    """
    codec = charsets.resolve(label)
    if codec in ("", charsets.UTF7):  # in which half a surrogate pair can be written
        return ""
    name = codecs.lookup(codec).name
    return "cp1252" if name in _LATIN_1 else name


def _probed(octets: bytes) -> str:
    for start, charset in _PROBE_STARTS:
        if octets.startswith(start):
            return charset
    for end, charset in _PROBE_ENDS:
        if octets.endswith(end):
            return charset
    return ""


def decode(octets: bytes, charset: str) -> str:
    """Decode one value; nothing of it is lost."""
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
