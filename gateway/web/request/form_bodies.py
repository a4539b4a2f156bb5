"""Form bodies decoded from raw octets, in whatever charset the phone chose.

Nothing here may lose an octet that was typed: an undeclared charset is found by its effect on a probe field of known
characters, and the last resort decodes everything. Order: Content-Type's charset, `_charset_` (HTML Living Standard
§4.10.18.5), the probe (WML), the page's own charset.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.message import Message as _Header
from typing import Final

from gateway.errors import BadRequest
from gateway.markup.screen import Verbatim
from gateway.message import media_types
from gateway.message.charset import decoding as charsets

#: A character of Latin-1, one that only windows-1252 and UTF-8 have, and a Cyrillic one: each charset mangles a
#: different part of it.
PROBE: Final = Verbatim("é€д")
PROBE_FIELD: Final = "_probe"
CHARSET_FIELD: Final = "_charset_"
#: Fields that belong to the page itself: its tickets, and the name of a restored form.
TICKET, KEEP, KEPT = "ticket", "keep", "kept"
#: The field that says which sendings a text continues; a saved form keeps it.
AFTER: Final = "after"
PAGE_FIELDS: Final = frozenset({TICKET, KEEP, KEPT, PROBE_FIELD, CHARSET_FIELD})
#: The button: the value of this field in WML, otherwise a name with this prefix.
_BUTTON: Final = "do"
_PRESSED: Final = "do."
#: The ticked boxes of a list: the one field in which order does not matter.
TICKED: Final = "u"
#: Maximum number of fields; none of our forms has more.
MOST_FIELDS: Final = 200

#: First octets of the probe -> charset. ISO-8859-1 is read as windows-1252, its superset (WHATWG Encoding §4.2).
_PROBE_STARTS: Final = (
    ("é€".encode(), "utf-8"),
    ("é".encode(), "utf-8"),
    ("é€".encode("cp1252"), "cp1252"),
    ("é".encode("utf-16-be"), "utf-16-be"),
    ("é".encode("utf-16-le"), "utf-16-le"),
    ("é€".encode("iso8859-15"), "iso8859-15"),
    ("é".encode("latin-1"), "cp1252"),
)
#: A Cyrillic charset has no é: the phone substitutes something, but the last octet is д.
_PROBE_ENDS: Final = (("д".encode("cp1251"), "cp1251"), ("д".encode("koi8-r"), "koi8-r"))
_LATIN_1: Final = frozenset({"iso8859-1", "ascii"})


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file; `media_type` is as the browser sent it, including a charset."""

    field: str
    filename: str
    media_type: str
    octets: bytes


class Fields(dict[str, str]):
    """The fields of a form: the first value of each name. `too_large`: names of files that were dropped."""

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

    def getlist(self, name: str) -> list[str]:
        """Return all values of a name in order, such as the values of ticked boxes.

        WML joins the values of a multiple select with `;` (WML 1.1 §11.6.2.1), so each value is split there.
        """
        return [piece for value in self._all(name) for piece in value.split(";") if piece]

    def pressed_button(self) -> str:
        """Return the name of the button that was pressed; "" if the form does not say."""
        named = next((name.removeprefix(_PRESSED) for name in self if name.startswith(_PRESSED)), "")
        return named or self.get(_BUTTON, "")

    def repost_fields(self) -> tuple[tuple[str, str], ...]:
        """Return the fields for a page that lets the person post this form again, in any charset.

        Fields that the browser fills in are omitted; the result is empty for a form with a password or files.
        """
        if self.files or self.too_large or "password" in self:
            return ()
        typed = ((name, Verbatim(value)) for name, value in self._values)
        fields = tuple(field for field in typed if field[0] not in (PROBE_FIELD, CHARSET_FIELD))
        return (*fields, (PROBE_FIELD, PROBE)) if fields else ()

    def fingerprint(self, where: str) -> bytes:
        """Return a fingerprint of what was posted: the address, the button, the fields and files."""
        names = sorted(
            name for name in self if name not in (*PAGE_FIELDS, _BUTTON) and not name.startswith(_PRESSED)
        )
        typed = [(name, sorted(self.getlist(name)) if name == TICKED else self._all(name)) for name in names]
        files = [
            (one.field, one.filename, one.media_type, hashlib.sha256(one.octets).hexdigest())
            for one in self.files
        ]
        return json.dumps([where, self.pressed_button(), typed, files, self.too_large]).encode("ascii")

    def _all(self, name: str) -> list[str]:
        return [value for key, value in self._values if key == name]


def parse(content_type: str, body: bytes, page_charset: str) -> Fields:
    """Decode application/x-www-form-urlencoded octets into text fields.

    Raise BadRequest for another media type or too many fields.
    """
    header = _Header()
    header["content-type"] = content_type or media_types.FORM
    if header.get_content_type() not in (media_types.FORM, media_types.TEXT):
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
    """Return the charset of raw fields; `declared` is what the form itself states."""
    named = raw.get(CHARSET_FIELD.encode(), b"").decode("latin-1")
    for label in (declared, named):
        charset = codec_of(label)
        if charset:
            return charset
    return _probe_charset(raw.get(PROBE_FIELD.encode(), b"")) or codec_of(page_charset) or "utf-8"


def codec_of(label: str) -> str:
    """Return the codec of a charset, '' if it is unknown.

    The label is untrusted: codecs that are not charsets (some take quadratic time) cannot be named, and
    `codecs.lookup`, which caches every label permanently, only gets names from a table.
    """
    codec = charsets.resolve(label)
    if codec in ("", charsets.UTF7):  # which can encode half a surrogate pair
        return ""
    name = codecs.lookup(codec).name
    return "cp1252" if name in _LATIN_1 else name


def _probe_charset(octets: bytes) -> str:
    for start, charset in _PROBE_STARTS:
        if octets.startswith(start):
            return charset
    for end, charset in _PROBE_ENDS:
        if octets.endswith(end):
            return charset
    return ""


def decode(octets: bytes, charset: str) -> str:
    """Decode one value without loss."""
    for candidate in (charset, "utf-8"):
        try:
            text = octets.decode(candidate)
        except UnicodeDecodeError:
            continue
        break
    else:  # windows-1252 has five holes; the C1 control of the same octet loses nothing.
        text = "".join(bytes((octet,)).decode("cp1252", "ignore") or chr(octet) for octet in octets)
    return text.replace("\r\n", "\n").replace("\r", "\n")
