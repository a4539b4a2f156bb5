"""Decodes octets to text by a charset label, which may be wrong.

Nothing here may raise for a wrong label or bad octets: the charset of an unknown label is detected, bad octets become
U+FFFD. Labels are looked up in a table built once from Python's text codecs (RFC 2978 names and common misspellings):
an unknown label never reaches `codecs.lookup`, which would cache it forever, and codecs that are not text (zlib, rot13,
idna) cannot be named.
"""

from __future__ import annotations

import codecs
import re
from encodings.aliases import aliases
from functools import cache
from typing import Final

from gateway.message.charset import utf7
from gateway.message.charset.detection import (
    BOMS,
    UTF8,
    WESTERN,
    WIDE,
    mostly_utf8,
    sample,
    sniff,
    surely_utf8,
)

#: Octets of a page that are searched for a `meta` element (HTML Living Standard §13.2.3.2: 1024).
META_WITHIN: Final = 4096
#: Characters of a label that are read (RFC 2978 §2.3 allows 40).
_LABEL_LIMIT: Final = 60

ASCII: Final = "ascii"
UTF7: Final = "utf_7"

_NOT_TEXT: Final = frozenset(
    ("base64_codec", "bz2_codec", "hex_codec", "quopri_codec", "rot_13", "uu_codec", "zlib_codec", "mbcs")
)
_WITHOUT_ALIAS: Final = (
    "cp720", "cp737", "cp856", "cp874", "cp875", "cp1006", "iso8859_1", "koi8_t", "koi8_u", "mac_arabic",
    "mac_croatian", "mac_farsi", "mac_romanian", "palmos", "utf_8_sig",
)  # fmt: skip

#: Codecs that are replaced by a superset.
_LARGER: Final = {
    "latin_1": WESTERN,
    "iso8859_1": WESTERN,
    "iso8859_9": "cp1254",
    "iso8859_11": "cp874",
    "tis_620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "big5hkscs",
    "cp950": "big5hkscs",
    "iso2022_jp": "iso2022_jp_ext",
    "utf_8_sig": UTF8,
}

#: Labels that Python does not know, without punctuation and leading "x".
_WILD: Final = {
    "utf8mb4": UTF8, "utf8mb3": UTF8, "utf": UTF8, "unicode20utf8": UTF8, "unicode11utf8": UTF8,
    "unicode": "utf_16", "ucs2": "utf_16", "iso10646ucs2": "utf_16", "csunicode": "utf_16", "utf16": "utf_16",
    "ucs4": "utf_32", "iso10646ucs4": "utf_32",
    "ansi": WESTERN, "latin": WESTERN, "west": WESTERN, "windows": WESTERN, "western": WESTERN,
    "iso8859": WESTERN, "88591": WESTERN, "885915": "iso8859_15", "latin9": "iso8859_15",
    "iso88598i": "iso8859_8", "iso88598e": "iso8859_8", "visual": "iso8859_8", "logical": "iso8859_8",
    "iso88596i": "iso8859_6", "iso88596e": "iso8859_6", "windows874": "cp874", "iso885911": "cp874",
    "koi": "koi8_r", "koi8": "koi8_r", "koi8ru": "koi8_u", "cskoi8r": "koi8_r",
    "gb231280": "gb18030", "chinese": "gb18030", "euccn": "gb18030", "gb": "gb18030", "cngb": "gb18030",
    "big5eten": "big5hkscs", "cnbig5": "big5hkscs", "sjis": "cp932", "mssjis": "cp932", "windows31j": "cp932",
    "eucjpms": "euc_jp", "cp51932": "euc_jp", "cp50220": "iso2022_jp_ext", "cp50221": "iso2022_jp_ext",
    "ksc56011987": "cp949", "ksc56011989": "cp949", "ksc5601": "cp949", "korean": "cp949",
    "windows949": "cp949",
    "macintosh": "mac_roman", "macroman": "mac_roman", "macukrainian": "mac_cyrillic", "mac": "mac_roman",
    "macce": "mac_latin2", "maccentraleurope": "mac_latin2", "macromania": "mac_romanian",
    **{f"win{page}": f"cp{page}" for page in range(1250, 1259)},
    **{f"microsoftcp{page}": f"cp{page}" for page in range(1250, 1259)},
}  # fmt: skip


def _squeeze(label: str) -> str:
    return re.sub("[^a-z0-9]", "", label.lower())


def _table() -> dict[str, str]:
    names = {*aliases.values(), *_WITHOUT_ALIAS}
    table = {_squeeze(alias): name for alias, name in aliases.items()}
    table |= {_squeeze(name): name for name in names}
    table = {label: name for label, name in table.items() if name not in _NOT_TEXT} | _WILD
    return {label: _LARGER.get(name, name) for label, name in table.items()}


_CODECS: Final = _table()


_LABEL: Final = re.compile(r"[\s\"'<(=]*([^\s;,*\"'<>]+)")


def resolve(label: str) -> str:
    """Return the Python codec for a label, '' for a missing, unknown or meaningless one."""
    match = _LABEL.match(label[:_LABEL_LIMIT]) if label else None
    if match is None:
        return ""
    name = _squeeze(match.group(1))
    return _CODECS.get(name) or _CODECS.get(name.removeprefix("x"), "")


def known(label: str) -> bool:
    """Return whether a label names a charset."""
    return resolve(label) != ""


def guessed(codec: str) -> bool:
    """Return whether a codec from `resolve` has to be confirmed by the octets."""
    return codec in ("", ASCII, UTF8) or codec in WIDE


def is_utf8(octets: bytes) -> bool:
    """Return whether octets are valid UTF-8."""
    try:
        octets.decode(UTF8)
    except UnicodeDecodeError:
        return False
    return True


@cache
def doubtful(codec: str) -> bool:
    """Return whether a label for this codec is often wrong: UTF-8 text is labelled with any superset of ASCII."""
    if guessed(codec) or codec in (UTF7, "hz") or codec.startswith(("iso2022", "utf_")):
        return False
    return "az<09 ".encode(codec) == b"az<09 "


#: The error handler for UTF-8: see `_stray`. Codecs take handlers by name only.
_STRAY: Final = "gateway.stray"
#: Adjacent octets beyond ASCII that can be stray letters; more of them mean another charset.
_STRAYS: Final = 2
_HIGH_BEFORE: Final = re.compile(rb"[\x80-\xff]+\Z")
_HIGH_BEHIND: Final = re.compile(rb"[\x80-\xff]+")


def _stray(error: UnicodeError) -> tuple[str, int]:
    """Decode one or two isolated octets in UTF-8 as windows-1252; U+FFFD if truncated or not a letter there.

    QUIRK: programs that concatenate texts, and mailing lists, mix charsets.
    """
    if not isinstance(error, UnicodeDecodeError):
        raise error
    before = _HIGH_BEFORE.search(error.object, max(error.start - _STRAYS, 0), error.start)
    behind = _HIGH_BEHIND.match(error.object, error.start)
    alone = len(before.group() if before else b"") + len(behind.group() if behind else b"") <= _STRAYS
    if error.end - error.start == 1 and alone:
        return error.object[error.start : error.end].decode(WESTERN, "replace"), error.end
    return "\ufffd", error.end


codecs.register_error(_STRAY, _stray)


def errors(codec: str) -> str:
    """Return the name of the error handler for a codec."""
    return _STRAY if codec == UTF8 else "replace"


def codec_decoder(codec: str) -> codecs.IncrementalDecoder:
    """Make a decoder that never raises, for a codec that `resolve` or `sniff` returned."""
    return utf7.Utf7Decoder() if codec == UTF7 else codecs.getincrementaldecoder(codec)(errors(codec))


class _Wide(codecs.BufferedIncrementalDecoder):
    """UTF-16 or UTF-32 by byte order mark, big-endian without one (RFC 2781 §4.3); Python's own decoders raise."""

    def __init__(self, codec: str) -> None:
        super().__init__("replace")
        self._codec = codec
        self._decoder: codecs.IncrementalDecoder | None = None

    def _buffer_decode(self, input: bytes, errors: str, final: bool) -> tuple[str, int]:  # type: ignore[override]
        if self._decoder is None:
            if len(input) < WIDE[self._codec] and not final:
                return "", 0
            marked = (name for mark, name in BOMS if name.startswith(self._codec) and input.startswith(mark))
            self._decoder = codec_decoder(next(marked, f"{self._codec}_be"))
            return self._decoder.decode(input, final).removeprefix("\ufeff"), len(input)
        return self._decoder.decode(input, final), len(input)


def decoder(label: str) -> codecs.IncrementalDecoder:
    """Make a decoder for a label, UTF-8 for an unknown one, with U+FFFD for errors."""
    codec = resolve(label)
    if codec in WIDE:
        return _Wide(codec)
    return codec_decoder(UTF8 if codec in ("", ASCII) else codec)


def decode(octets: bytes, label: str = "") -> tuple[str, list[str]]:
    """Decode a complete text; detect the charset if the label is missing, unknown or plainly wrong."""
    codec = resolve(label)
    defects = [] if codec or not label else [f"charset: unknown {label[:_LABEL_LIMIT]!a}"]
    if guessed(codec):
        if octets.isascii() and b"\x1b" not in octets and b"\0" not in octets:
            return octets.decode("ascii"), defects
        found = sniff(sample(octets, codec), codec)
        if codec and not found.startswith(codec):
            defects.append(f"charset: {label[:_LABEL_LIMIT]!a} read as {found}")
        codec = found
    elif doubtful(codec) and not octets.isascii() and surely_utf8(sample(octets, codec), codec):
        defects.append(f"charset: {label[:_LABEL_LIMIT]!a} read as {UTF8}")
        codec = UTF8
    text = codec_decoder(codec).decode(octets, True)
    return text.removeprefix("\ufeff"), defects


_META: Final = re.compile(rb"<meta\b[^>]{0,500}?\bcharset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)


def html_label(octets: bytes, declared: str = "") -> str:
    """Choose the charset label of an HTML body: byte order mark, the part's parameter, `meta`, else detection."""
    for mark, name in BOMS:
        if octets.startswith(mark):
            return name
    codec = resolve(declared)
    if codec and not guessed(codec):
        return declared
    seen = sample(octets, codec)
    if codec in WIDE:
        return sniff(seen, codec)
    if not seen.isascii() and mostly_utf8(seen):
        return UTF8
    meta = _META.search(octets, 0, META_WITHIN)
    named = resolve(meta.group(1).decode("ascii", "replace")) if meta else ""
    return named if named and not guessed(named) else sniff(seen)
