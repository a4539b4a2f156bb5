"""Writes header fields: folded, beyond ASCII in encoded words (RFC 5322 §2.2.3, RFC 2047, RFC 2231).

Nothing here may let a line break into a header: control characters are removed from every value first.
"""

from __future__ import annotations

import re
import unicodedata
from binascii import b2a_base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import quote

from gateway.message.headers import address_lists, header_fields
from gateway.message.model import Address

#: Characters of a line without its end: recommended, allowed (RFC 5322 §2.1.1).
LINE: Final = 78
LONGEST: Final = 998
#: Octets in one encoded word, so that it has at most 75 characters in base64 (RFC 2047 §2).
_WORD: Final = 45
#: Characters in one section of an extended parameter, so that it fits a line with its name (RFC 2231 §3).
_PIECE: Final = 54

_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
#: QUIRK: ticket systems and old programs write ids without an "@" (RFC 5322 §3.6.4), which identify a thread all the
#: same.
_MSG_ID: Final = re.compile(r"<[^<>\s]+>")
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$&^_.+-]+")
_DOTS: Final = re.compile("[.\u3002\uff0e\uff61]")
#: Characters of a DNS label (RFC 1035 §2.3.4).
_LABEL: Final = 63


def field(name: str, words: Sequence[str]) -> str:
    """Write a field from words between which it may be folded; '' if there are none."""
    if not words:
        return ""
    lines, line = [], f"{name}:"
    for word in words:
        if len(line) + 1 + len(word) > LINE and line.strip() and line != f"{name}:":
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\r\n".join((*lines, line)) + "\r\n"


def address_list(found: Sequence[Address]) -> list[str]:
    """Write an address list without duplicates. Raise ValueError for a malformed address."""
    words: list[str] = []
    for address in found:
        if not address_lists.valid(ascii_spec(address.spec)):
            raise ValueError(f"not an address: {address.spec!a}")
    for address in address_lists.unique(found):
        if words:
            words[-1] += ","
        name, spec = header_fields.clean(address.name), ascii_spec(address.spec)
        words += [*_phrase(name), f"<{spec}>"] if name else [spec]
    return words


def _phrase(name: str) -> list[str]:
    if _ATOMS.fullmatch(name) and "=?" not in name and max(map(len, name.split(" "))) < LINE:
        return name.split(" ")
    if name.isascii() and len(name) < LINE - 2 and "=?" not in name:
        return ['"' + re.sub(r'(["\\])', r"\\\1", name) + '"']
    return list(encoded_words(name.encode("utf-8", "replace")))


def unstructured(text: str) -> list[str]:
    """Write unstructured text."""
    text = header_fields.clean(text)
    words = text.split(" ") if text else []
    if text.isascii() and "=?" not in text and max(map(len, words), default=0) < LINE - len("Subject: "):
        return words
    return list(encoded_words(text.encode("utf-8", "replace")))


def encoded_words(octets: bytes) -> Iterator[str]:
    """Encode text in UTF-8 as encoded words, each with whole characters (RFC 2047 §5)."""
    at = 0
    while at < len(octets):
        end = min(at + _WORD, len(octets))
        while end < len(octets) and end > at + _WORD - 4 and octets[end] & 0xC0 == 0x80:
            end -= 1
        yield f"=?utf-8?b?{b2a_base64(octets[at:end], newline=False).decode('ascii')}?="
        at = end


def ids(found: Iterable[str]) -> list[str]:
    """Extract the message ids from a field; anything else is dropped."""
    out = [match for text in found for match in _MSG_ID.findall(header_fields.clean(text))]
    return [one for one in out if one.isascii() and len(one) < LONGEST // 2]


def parameters(values: Mapping[str, str]) -> list[str]:
    """Write parameters after a field's value, without the `;` before the first.

    A value beyond ASCII is written in extended form, before its plain form for readers that know only that.
    """
    words: list[str] = []
    for name, value in values.items():
        text = header_fields.clean(value)
        if _TOKEN.fullmatch(text) and len(text) < _PIECE:
            words.append(f"{name}={text}")
            continue
        plain = _fallback(text)
        if plain != text or len(text) > _PIECE or "=?" in text:
            words += _extended(name, text)
            plain = _cut(plain)
        words.append(f'{name}="' + re.sub(r'(["\\])', r"\\\1", plain) + '"')
    return [f"{word};" for word in words[:-1]] + words[-1:]


def _extended(name: str, text: str) -> list[str]:
    """Write a value in UTF-8, in several sections if it is long (RFC 2231 §4.1)."""
    value = "UTF-8''" + quote(text.encode("utf-8", "replace"), safe="")
    if len(value) <= _PIECE:
        return [f"{name}*={value}"]
    cuts = re.findall(f"(?:%..|[^%]){{1,{_PIECE // 3}}}", value)
    return [f"{name}*{number}*={piece}" for number, piece in enumerate(cuts)]


def _fallback(text: str) -> str:
    """Approximate text in ASCII: without accents, and with marks for other letters."""
    apart = unicodedata.normalize("NFKD", text)
    bare = "".join(sign for sign in apart if not unicodedata.combining(sign))
    return "".join(sign if " " <= sign <= "~" else "_" for sign in bare).replace("=?", "=_")


def _cut(plain: str) -> str:
    """Shorten a file name to fit a line, keeping its extension."""
    if len(plain) <= _PIECE:
        return plain
    stem, dot, ending = plain.rpartition(".")
    keep = dot + ending if stem and len(ending) < _PIECE // 4 else ""
    return plain[: _PIECE - len(keep)].rstrip(". ") + keep


def ascii_domain(domain: str) -> str:
    """Write a domain as A-labels (RFC 5891 §4.4); one that has none stays as it is."""
    if domain.isascii():
        return domain
    labels = _DOTS.split(unicodedata.normalize("NFKC", domain.lower()))
    # Not the "idna" codec: it implements IDNA 2003, which makes straße.de somebody else's domain.
    out = [
        label if label.isascii() else f"xn--{label.encode('punycode').decode('ascii')}" for label in labels
    ]
    return ".".join(out) if all(len(label) <= _LABEL for label in out) else domain


def ascii_spec(spec: str) -> str:
    """Write an addr-spec in ASCII; with a non-ASCII local part it needs SMTPUTF8 and stays as it is (RFC 6531)."""
    local, at, domain = spec.rpartition("@")
    return local + at + ascii_domain(domain) if local.isascii() else spec
