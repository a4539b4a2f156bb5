"""Armour: encoded octets between a BEGIN and an END line, and text that is signed in the clear.

Nothing here may decode or verify the content. RFC 9580 §6.2 (ASCII armor), §7 (cleartext signatures, dash
escapes), RFC 7468 (certificates and keys).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import takewhile
from typing import Final


def _(msgid: str) -> str:
    return msgid


#: Labels of folded armour, by the words of its first line.
_LABELS: Final = (
    ("PGP SIGNATURE", _("[PGP signature]")),
    ("KEY", _("[key]")),
    ("CERTIFICATE", _("[certificate]")),
)
_SIGNED_MESSAGE: Final = "-----BEGIN PGP SIGNED MESSAGE-----"
_BEGINS: Final = re.compile(r"\s*-----BEGIN ((?:[A-Z0-9]+[ ,/]){0,5}[A-Z0-9]+)-----\s*\Z")
_ENDS: Final = re.compile(r"\s*-----END (?:[A-Z0-9]+[ ,/]){0,5}[A-Z0-9]+-----\s*\Z")
#: Lines inside: headers, groups of four letters, the checksum.
_INSIDE: Final = re.compile(
    r"\s*(?:[A-Z][A-Za-z-]{1,30}: .*|[A-Za-z0-9+/]{1,80}={0,3}|=[A-Za-z0-9+/]{4})?\s*\Z"
)
#: A full line of base64: 64 letters from PGP, 60 to 76 from others; at least one of the lines has many different
#: letters.
_FULL: Final = re.compile(r"[A-Za-z0-9+/]{60,76}\Z")
_LEAST_KINDS: Final = 20


def begins(text: str) -> str:
    """Return the type of armour that begins at a line ("PGP MESSAGE"), or ''."""
    match = _BEGINS.match(text) if text.lstrip().startswith("-----BEGIN ") else None
    return match.group(1) if match else ""


def begins_signed(text: str) -> bool:
    """Return whether text that is signed in the clear begins after this line and its headers."""
    return text.strip() == _SIGNED_MESSAGE


def is_header(text: str) -> bool:
    """Return whether a line after that one is a header: Hash, Charset, Comment …"""
    return re.match(r"[A-Z][A-Za-z-]{1,30}: ", text) is not None


def ends(text: str) -> bool:
    """Return whether armour ends with this line."""
    return _ENDS.match(text) is not None


def is_inside(text: str) -> bool:
    """Return whether a line may be inside armour."""
    return _INSIDE.match(text) is not None


def is_base64(rows: Iterable[str]) -> bool:
    """Return whether the first of these lines, or one below it after rows of zeros, can only be base64."""
    full = takewhile(_FULL.match, rows)
    return any(len(set(row)) >= _LEAST_KINDS for row in full)


def is_encrypted(words: str) -> bool:
    """Return whether this type of armour is ciphertext."""
    return words == "PGP MESSAGE" or words.startswith("PGP MESSAGE,") or words in ("PKCS7", "CMS")


def label(words: str) -> str:
    """Return the label of this type of armour, a msgid; '' if it has none of its own."""
    return next((said for found, said in _LABELS if found in words), "")


def without_dash(text: str) -> str:
    """Remove dash escaping (RFC 9580 §7.1)."""
    return text[2:] if text.startswith(("- -", "- From ")) else text
