"""Parameters of Content-Type and Content-Disposition (RFC 2045 §5.1, RFC 2231), in every form they come in.

Nothing here may raise, or take more than linear time. `split` reads a field's value; `combine` assembles what
`split` or a server's BODYSTRUCTURE returned: continuations, charsets, encoded words where they do not belong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote_to_bytes

from gateway.message.charset import decoding
from gateway.message.headers import header_fields

#: Parameters of one field that are read; each RFC 2231 continuation counts.
PARAMETER_LIMIT: Final = 200

_SEPARATORS: Final = re.compile(rb"(?:[\s;]|\([^()]{0,1000}\))*+")
_VALUE: Final = re.compile(rb"[^\s;(]*+")
_NAME: Final = re.compile(rb"([^\s=;\"]++)\s*+(=\s*+)?")
_QUOTED: Final = re.compile(rb'"((?:[^"\\]++|\\.)*+)"?', re.DOTALL)
_ESCAPE: Final = re.compile(
    rb'\\(["\\])'
)  # QUIRK: old Windows programs send paths with unescaped backslashes
_KEY: Final = re.compile(rb"([^*]++)(?:\*([0-9]{1,3}))?(\*)?")

Pair = tuple[bytes, bytes]


def split(value: bytes) -> tuple[str, list[Pair]]:
    """Split a field's value into its first token, in lower case, and its raw parameters."""
    at = _SEPARATORS.match(value).end()  # type: ignore[union-attr]  # matches the empty string too
    first = _VALUE.match(value, at)
    assert first is not None
    at = first.end()
    pairs: list[Pair] = []
    while len(pairs) < PARAMETER_LIMIT:
        separators = _SEPARATORS.match(value, at)
        at = separators.end() if separators else at
        name = _NAME.match(value, at)
        if name is None:
            at += 1
            if at >= len(value):
                break
            continue
        at = name.end()
        if name.group(2):
            text, at = _parameter(value, at, name.group(1).lower())
            pairs.append((name.group(1).lower(), text))
    return first.group().decode("ascii", "replace").lower(), pairs


def _parameter(value: bytes, at: int, name: bytes) -> tuple[bytes, int]:
    quoted = _QUOTED.match(value, at)
    if quoted:
        return _ESCAPE.sub(rb"\1", quoted.group(1)), quoted.end()
    end = value.find(b";", at)
    end = len(value) if end < 0 else end
    text = value[at:end].partition(b" (")[0]
    words = text.split(None, 1)
    if len(words) > 1 and (b"=" in words[1] or b"name" not in name):
        # The semicolon is missing ("charset=utf-8 name=x"), or this is noise; only names may contain spaces.
        return words[0], at + text.find(words[0]) + len(words[0])
    return text.strip(), end


def combine(pairs: Iterable[Pair]) -> tuple[dict[str, str], list[str]]:
    """Assemble and decode parameters; the first of a name counts, an RFC 2231 form before any other."""
    plain: dict[str, bytes] = {}
    pieces: dict[str, dict[int, tuple[bytes, bool]]] = {}
    for count, (key, value) in enumerate(pairs):
        if count >= PARAMETER_LIMIT:
            return _decoded(plain, pieces), [f"parameters: more than {PARAMETER_LIMIT}"]
        match = _KEY.fullmatch(key.lower())
        name = (match.group(1) if match else key.lower()).decode("ascii", "replace")
        if match is None or not (match.group(2) or match.group(3)):
            plain.setdefault(name, value)
        else:
            pieces.setdefault(name, {}).setdefault(int(match.group(2) or 0), (value, bool(match.group(3))))
    return _decoded(plain, pieces), []


def _decoded(plain: dict[str, bytes], pieces: dict[str, dict[int, tuple[bytes, bool]]]) -> dict[str, str]:
    out = {name: header_fields.decode(value) for name, value in plain.items()}
    for name, numbered in pieces.items():
        out[name] = _extended([numbered[number] for number in sorted(numbered)])
    return out


def _extended(pieces: list[tuple[bytes, bool]]) -> str:
    """Join the sections of a value as octets, since a character may be split between two (RFC 2231 §4.1)."""
    label = ""
    first, encoded = pieces[0]
    if encoded and first.count(b"'") >= 2:
        charset_name, _, first = first.split(b"'", 2)
        label = charset_name.decode("ascii", "replace")
        pieces = [(first, True), *pieces[1:]]
    octets = b"".join(unquote_to_bytes(value) if marked else value for value, marked in pieces)
    if not any(marked for _, marked in pieces):
        return header_fields.decode(octets)
    return header_fields.clean(decoding.decode(octets, label)[0])
