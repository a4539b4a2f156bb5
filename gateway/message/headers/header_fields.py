"""Reads header fields: from octets to names, raw values and text that is safe to show.

Nothing here may raise, or take more than linear time, whatever a field contains: RFC 5322 §2.2, RFC 2047, and what is
found in the wild (raw 8-bit, unterminated words, split characters, unknown charsets, quoted words).
"""

from __future__ import annotations

import re
import unicodedata
from binascii import a2b_base64, a2b_qp
from typing import Final

from gateway.message.charset import decoding
from gateway.message.model import Address, Bound, Gap

#: Octets of one field that are read (RFC 5322 allows lines of 998; References and To grow long).
FIELD_LIMIT: Final = 64 * 1024
#: Octets of one header that are read.
HEADER_LIMIT: Final = 1024 * 1024

_NAME: Final = re.compile(rb"([!-9;-~]{1,200})[ \t]*:")


def fields(header: bytes) -> tuple[list[tuple[str, bytes]], list[str]]:
    """Split a header into (lower-case name, raw unfolded value), skipping lines that are not fields."""
    out: list[tuple[str, list[bytes]]] = []
    defects: list[str] = []
    if len(header) > HEADER_LIMIT:
        defects.append(Gap(f"header: more than {HEADER_LIMIT} octets, the rest left out", Bound.HEADER))
    for line in header[:HEADER_LIMIT].splitlines():
        if line[:1] in (b" ", b"\t"):
            if out:
                out[-1][1].append(line)
            continue
        match = _NAME.match(line)
        if match:
            out.append((match.group(1).decode("ascii").lower(), [line[match.end() :]]))
        elif line:
            defects.append("header: a line that is no field")
    found: list[tuple[str, bytes]] = []
    for name, lines in out:
        value = b"".join(lines).strip()
        if len(value) > FIELD_LIMIT:
            token = f"{name}: more than {FIELD_LIMIT} octets, the rest left out"
            defects.append(Gap(token, Bound.HEADER, names=name.title()))
        found.append((name, value[:FIELD_LIMIT]))
    return found, list(dict.fromkeys(defects))


def is_field(line: bytes) -> bool:
    """Return whether a line begins a header field."""
    return _NAME.match(line) is not None


# --- RFC 2047 ---

_WORD: Final = re.compile(rb"=\?([^?=\s]{1,60})\?([bBqQ])\?")
_NOT_BASE64: Final = bytes(
    set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
)


def in_charset(value: bytes, label: str) -> bytes:
    """Convert a header with raw octets in its body's charset to UTF-8; UTF-8 and ASCII stay as they are.

    QUIRK: programs that do not encode headers write them in the charset of the body.
    """
    if value.isascii():
        return value
    codec = decoding.resolve(label)
    if decoding.guessed(codec) or codec == decoding.UTF7 or decoding.is_utf8(value):
        return value
    try:
        return value.decode(codec).encode("utf-8")
    except UnicodeDecodeError:
        return value


def decode(value: bytes | str) -> str:
    """Decode an unstructured value, or a phrase without its quotes, to clean text."""
    octets = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else bytes(value)
    octets = octets[:FIELD_LIMIT]
    text = _decode_words(octets) if b"=?" in octets else _text(octets)
    if "=?" in text:  # encoded twice, by a program that took the first encoding for text
        text = _decode_words(text.encode("utf-8", "surrogatepass"))
    return clean(text)


def _decode_words(octets: bytes) -> str:
    out: list[str] = []
    label, pending = "", b""  # adjacent words in one charset are joined first: they may split a character
    at = 0
    word = _WORD.search(octets)
    while word:
        between = octets[at : word.start()]
        spelled = word.group(1).decode("ascii", "replace")
        following = _WORD.search(octets, word.end())
        payload, at = _payload(octets, word, following)
        if pending and (between.strip() or decoding.resolve(spelled) != decoding.resolve(label)):
            out.append(_text(pending, label))
            pending = b""
        if between.strip() or not (out or pending):
            out.append(_text(between))
        label, pending = spelled, pending + payload
        word = following
    if pending:
        out.append(_text(pending, label))
    out.append(_text(octets[at:]))
    return "".join(out)


def _text(octets: bytes, label: str = "") -> str:
    return decoding.decode(octets, label)[0]


def _payload(octets: bytes, word: re.Match[bytes], following: re.Match[bytes] | None) -> tuple[bytes, int]:
    """Decode one word; an unterminated one ends where the next begins, or with the field."""
    limit = following.start() if following else len(octets)
    end = octets.find(b"?=", word.end(), limit)
    raw = octets[word.end() : limit if end < 0 else end]
    after = limit if end < 0 else end + 2
    if word.group(2) in b"qQ":
        return a2b_qp(raw, header=True), after
    return _base64(raw), after


def _base64(raw: bytes) -> bytes:
    """Decode base64 that may lack padding, or contain several padded pieces."""
    out = b""
    for piece in raw.translate(None, _NOT_BASE64).split(b"="):
        piece = piece[: len(piece) - (len(piece) % 4 == 1)]
        out += a2b_base64(piece + b"=" * (-len(piece) % 4))
    return out


# --- text for people ---


def _cleaning() -> dict[int, str | None]:
    table: dict[int, str | None] = dict.fromkeys(range(0x20)) | dict.fromkeys(range(0x7F, 0xA0))
    table |= dict.fromkeys((0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029, 0x2800, 0x3164, 0xFFA0), " ")
    table |= dict.fromkeys(
        (0x200E, 0x200F, 0x061C, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
    )  # bidirectional
    table |= dict.fromkeys(
        (0x00AD, 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x200B, 0xFEFF)
    )  # zero width
    table |= dict.fromkeys(
        (*range(0x2060, 0x2066), *range(0x206A, 0x2070), *range(0xFFF9, 0xFFFC), 0xFFFE, 0xFFFF)
    )
    return table | dict.fromkeys((*range(0xD800, 0xE000), *range(0xE0000, 0xE1000)))


_CLEANING: Final = _cleaning()
#: Joiners have a meaning only inside Arabic and Indic scripts and emoji.
_IDLE_JOINER: Final = re.compile(
    "(?<![\u0300-\U0010ffff])[\u200c\u200d]+|[\u200c\u200d]+(?![\u0300-\U0010ffff])"
)


def clean(text: str) -> str:
    """Remove what hides or reorders text (controls, bidirectional marks, zero width) and collapse whitespace."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    return " ".join(_IDLE_JOINER.sub("", text.translate(_CLEANING)).split())


_AT_SIGN: Final = re.compile("[@\uff20\ufe6b]")


def safe_spec(spec: str) -> str:
    """Format an addr-spec so that a domain of mixed scripts cannot imitate another: as A-labels (RFC 5890)."""
    if spec.isascii():
        return spec
    local, at, domain = spec.rpartition("@")
    labels = [_plain(label) for label in domain.split(".")]
    return local + at + ".".join(labels)


def _plain(label: str) -> str:
    if label.isascii() or not _mixed(label):
        return label
    return "xn--" + label.lower().encode("punycode", "replace").decode("ascii", "replace")


def safe_label(address: Address) -> str:
    """Format an address with the addr-spec first if the display name looks like another address."""
    spec = safe_spec(address.spec)
    name = address.name
    if not name or name.casefold() == address.spec.casefold():
        return spec
    if not spec or (name.isascii() and "@" not in name):
        return name
    pretended = [word for word in name.split() if _AT_SIGN.search(word)]
    if any(word.strip("<>()'\"").casefold() != address.spec.casefold() for word in pretended) or any(
        _mixed(word) for word in name.split()
    ):
        return f"{spec} ({name})"
    return name


_LOOKALIKE: Final = frozenset(("LATIN", "CYRILLIC", "GREEK", "CHEROKEE", "ARMENIAN"))


def _mixed(word: str) -> bool:
    """Return whether a word mixes scripts that have lookalike letters."""
    if word.isascii():
        return False
    scripts = {unicodedata.name(letter, "").partition(" ")[0] for letter in word[:200] if letter.isalpha()}
    return len(scripts & _LOOKALIKE) > 1
