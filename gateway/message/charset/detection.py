"""Detects the charset of octets that have no label, or one that cannot be true.

Nothing here may look at the spelling of a label (`decoding` does) or raise. UTF-8 is recognized by its form,
UTF-16 by byte order mark or zero octets, ISO 2022 by its escapes; otherwise it is a guess, windows-1252 as
the last resort.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from gateway.message.charset import scripts

#: Octets that are sampled.
SAMPLE: Final = 16 * 1024

UTF8: Final = "utf_8"
WESTERN: Final = "cp1252"

#: Two octets that can belong to one word, one of them beyond ASCII.
_OF_WORD: Final = re.compile(rb"[\x80-\xff][A-Za-z\x80-\xff]|[A-Za-z][\x80-\xff]")
#: Typographic signs of windows-1252, and how many ASCII letters there are for each in a text that has nothing else.
_TYPOGRAPHIC: Final = re.compile(rb"[\x80\x85\x91-\x97\x99\xa0\xa7\xa9\xab\xae\xb0\xb7\xbb]")
_ASCII_LETTER: Final = re.compile(rb"[A-Za-z]")
_LETTERS_FOR_SIGN: Final = 4
_BEYOND: Final = re.compile(rb"[\x1b\x80-\xff]")


def beyond_ascii(octets: bytes) -> bool:
    """Return whether octets need more than US-ASCII: high octets, or escapes of ISO 2022."""
    return _BEYOND.search(octets) is not None


def sample(octets: bytes, codec: str) -> bytes:
    """Return the sample for `sniff`: from the first octet that is not plain ASCII."""
    match = None if codec in WIDE else _BEYOND.search(octets)
    start = match.start() if match else 0
    return octets[start : start + SAMPLE]


#: Codecs whose byte order must be found, with the octets of a code unit.
WIDE: Final = {"utf_16": 2, "utf_32": 4}

BOMS: Final = (
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF32_LE, "utf_32_le"),
    (codecs.BOM_UTF32_BE, "utf_32_be"),
    (codecs.BOM_UTF16_LE, "utf_16_le"),
    (codecs.BOM_UTF16_BE, "utf_16_be"),
)
_ISO2022: Final = ((rb"\x1b\$\)C", "iso2022_kr"), (rb"\x1b(?:\$[@B]|\([IJ]|\$\([DO])", "iso2022_jp_ext"))


def sniff(octets: bytes, codec: str = "") -> str:
    """Return the codec of octets labelled `codec`, which is '' or has to be confirmed."""
    for mark, name in BOMS:
        if octets.startswith(mark):
            return name
    wide = _endian(octets[:256], codec) if codec in WIDE else ""
    if wide:
        return wide
    if not octets.isascii() and mostly_utf8(octets):
        return UTF8
    for pattern, name in _ISO2022:
        if re.search(pattern, octets):
            return name
    return UTF8 if octets.isascii() else detect(octets)


def _endian(octets: bytes, codec: str) -> str:
    """Return the byte order by the position of zero octets; '' if there are none, so no wide charset."""
    width = WIDE[codec]
    zeros = [octets[at::width].count(0) for at in range(width)]
    if not any(zeros):
        return "" if octets.isascii() or mostly_utf8(octets) else f"{codec}_be"
    return f"{codec}_le" if zeros[-1] > zeros[0] else f"{codec}_be"


def mostly_utf8(octets: bytes) -> bool:
    """Return whether octets are UTF-8 with a few errors."""
    text = codecs.getincrementaldecoder(UTF8)("replace").decode(octets, len(octets) < SAMPLE)
    bad = text.count("\ufffd") - octets.count(b"\xef\xbf\xbd")
    good = len(text) - len(text.encode("ascii", "ignore")) - bad
    return good > bad or not bad


#: UTF-8 sequences that outweigh a label: one of this many octets, or this many of any length.
_LONG_ENOUGH: Final = 3
_MANY_ENOUGH: Final = 8
#: Lead octets of western letters and quotation marks: nobody writes "Ã¼" or "â€œ" in Latin-1.
_WESTERN_LEADS: Final = (b"\xc2", b"\xc3", b"\xe2\x80")


def surely_utf8(octets: bytes, codec: str) -> bool:
    """Return whether octets are UTF-8 whatever the label says: valid, and not by chance."""
    try:
        text = codecs.getincrementaldecoder(UTF8)("strict").decode(octets, len(octets) < SAMPLE)
    except UnicodeDecodeError:
        return False
    beyond = [character for character in text if character >= "\x80"]
    long = sum(character >= "\u0800" for character in beyond)
    if codec in _LATIN and any(lead in octets for lead in _WESTERN_LEADS):
        return bool(beyond)
    return long >= _LONG_ENOUGH or len(beyond) >= _MANY_ENOUGH


#: All codecs that `sniff` can return, so that a position names one in one or two letters: append only, at
#: most 26.
SNIFFED: Final = (
    UTF8, WESTERN, "cp1251", "koi8_r", "gb18030", "big5hkscs", "cp949", "cp932", "euc_jp", "iso2022_jp_ext",
    "iso2022_kr", "utf_16_le", "utf_16_be", "utf_32_le", "utf_32_be", "cp1250", "iso8859_2", "cp1253",
    "cp1254", "cp1255", "cp1256", "cp866", "cp874", "iso8859_5", "mac_roman", "cp850", "cp1257",
    "iso8859_7", "koi8_u",
)  # fmt: skip
_LATIN: Final = frozenset(
    {
        WESTERN,
        "cp1250",
        "cp1254",
        "mac_roman",
        "cp850",
        "cp1257",
        *(f"iso8859_{number}" for number in (2, 3, 4, 10, 13, 14, 15, 16)),
    }
)


def _only_punctuated(octets: bytes) -> bool:
    """Return whether all octets beyond ASCII are what a word processor sets: quotation marks, fixed spaces, ®."""
    plain, signs = _TYPOGRAPHIC.subn(b"", octets)
    return plain.isascii() and len(_ASCII_LETTER.findall(plain)) >= _LETTERS_FOR_SIGN * signs


def detect(octets: bytes) -> str:
    """Guess the codec of octets that are not UTF-8; windows-1252 if nothing shows it: no word, only signs such as ©."""
    if _OF_WORD.search(octets[:SAMPLE]) is None or _only_punctuated(octets[:SAMPLE]):
        return WESTERN
    found = scripts.best_charset(octets[:SAMPLE])
    return found if found in SNIFFED else WESTERN
