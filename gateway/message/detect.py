"""Detection: what charset octets are in when nobody says so, or what is said cannot be true.

Nothing here may look at a label's spelling (`charset` does) or raise. UTF-8 is recognised by its form, UTF-16
by byte order mark or zero octets, ISO 2022 by its escapes; else it is a guess, and windows-1252 the last one.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from charset_normalizer import from_bytes

from gateway.message import scripts

#: Octets a guess looks at: the detector is slow, about 20 ms for this much (measured on one 2 GHz core).
SAMPLE: Final = 16 * 1024
#: Fewer octets above 7F than this tell the detector too little (it is right half the time).
_FEW: Final = 24

UTF8: Final = "utf_8"
WESTERN: Final = "cp1252"

_BEYOND: Final = re.compile(rb"[\x1b\x80-\xff]")


def beyond_ascii(octets: bytes) -> bool:
    """Tell whether the octets need more than US-ASCII: high ones, or escapes of ISO 2022."""
    return _BEYOND.search(octets) is not None


def sample(octets: bytes, codec: str) -> bytes:
    """Cut the stretch that `sniff` should see: from the first octet that ASCII does not explain."""
    match = None if codec in WIDE else _BEYOND.search(octets)
    start = match.start() if match else 0
    return octets[start : start + SAMPLE]


#: Codecs whose byte order must be found, with the octets of their unit.
WIDE: Final = {"utf_16": 2, "utf_32": 4}

BOMS: Final = (
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF32_LE, "utf_32_le"),
    (codecs.BOM_UTF32_BE, "utf_32_be"),
    (codecs.BOM_UTF16_LE, "utf_16_le"),
    (codecs.BOM_UTF16_BE, "utf_16_be"),
)
_ISO2022: Final = ((rb"\x1b\$\)C", "iso2022_kr"), (rb"\x1b(?:\$[@B]|\([IJ]|\$\([DO])", "iso2022_jp_ext"))


def sniff(octets: bytes, codec: str = "", *, thorough: bool = True) -> str:
    """Name the codec of octets whose label says `codec`, which is '' or one that they must confirm."""
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
    return UTF8 if octets.isascii() else detect(octets, thorough=thorough)


def _endian(octets: bytes, codec: str) -> str:
    """Tell the byte order by where the zero octets are; '' if there are none, and so no wide charset."""
    width = WIDE[codec]
    zeros = [octets[at::width].count(0) for at in range(width)]
    if not any(zeros):
        return "" if octets.isascii() or mostly_utf8(octets) else f"{codec}_be"
    return f"{codec}_le" if zeros[-1] > zeros[0] else f"{codec}_be"


def mostly_utf8(octets: bytes) -> bool:
    """Tell whether the octets have the form of UTF-8, but for a few faults."""
    text = codecs.getincrementaldecoder(UTF8)("replace").decode(octets, len(octets) < SAMPLE)
    bad = text.count("\ufffd") - octets.count(b"\xef\xbf\xbd")
    good = len(text) - len(text.encode("ascii", "ignore")) - bad
    return good > bad or not bad


#: Sequences of UTF-8 that are believed against a label: of so many octets at least, or so many of any length.
_LONG_ENOUGH: Final = 3
_MANY_ENOUGH: Final = 8
#: What begins the sequences of western letters, and of quotes: nobody writes "Ã¼" or "â€œ" in Latin-1.
_WESTERN_LEADS: Final = (b"\xc2", b"\xc3", b"\xe2\x80")


def surely_utf8(octets: bytes, codec: str) -> bool:
    """Tell whether octets are UTF-8 in spite of a label: without a fault, and not by chance."""
    try:
        text = codecs.getincrementaldecoder(UTF8)("strict").decode(octets, len(octets) < SAMPLE)
    except UnicodeDecodeError:
        return False
    beyond = [character for character in text if character >= "\x80"]
    long = sum(character >= "\u0800" for character in beyond)
    if codec in _LATIN and any(lead in octets for lead in _WESTERN_LEADS):
        return bool(beyond)
    return long >= _LONG_ENOUGH or len(beyond) >= _MANY_ENOUGH


#: What the detector may answer; others are never met in mail, and only ever a mistake.
_CANDIDATES: Final = (
    "big5", "gb18030", "cp949", "cp932", "euc_jp", "euc_jis_2004", "cp1251", "koi8_r", "cp1253", "cp1255",
    "cp1256", "cp866", "cp874", "mac_cyrillic", "cp1252", "cp1250",
)  # fmt: skip
_DETECTED: Final = {"big5": "big5hkscs", "euc_jis_2004": "euc_jp"}
#: All that `sniff` may answer, so that one letter can name it in a position: append only, at most 26.
SNIFFED: Final = (
    UTF8, WESTERN, "cp1251", "koi8_r", "gb18030", "big5hkscs", "cp949", "cp932", "euc_jp", "iso2022_jp_ext",
    "iso2022_kr", "utf_16_le", "utf_16_be", "utf_32_le", "utf_32_be", "cp1250", "iso8859_2", "cp1253",
    "cp1254", "cp1255", "cp1256", "cp866", "cp874", "mac_cyrillic", "mac_roman", "cp850",
)  # fmt: skip
#: The letters beyond ASCII that are common where a European codec is used.
_EUROPEAN: Final = {
    WESTERN: "äöüßéèêëàâçùûîïôœáíóúñãõåøæÄÖÜÉÈÀÇÅØÆÑÁÓ¿¡°§«»“”„‘’–—…€©®™•·",
    "cp1250": "ąćęłńóśźżáčďéěíňřšťúůýžőűöüäßăâîşŁŚŻČŘŠŽÁÉ“”„’–—…€©®™•·",
    "iso8859_2": "ąćęłńóśźżáčďéěíňřšťúůýžőűöüäßăâîşŁŚŻČŘŠŽÁÉ",
    "cp1254": "çğıöşüâîûÇĞİÖŞÜ“”‘’–—…€",
    "mac_roman": "äöüßéèêëàâçùûîïôœáíóúñãõåøæÄÖÜÉ“”„‘’–—…",
    "cp850": "äöüßéèêëàâçùûîïôáíóúñãõåøæÄÖÜÉ",
}


_LATIN: Final = frozenset(
    {*_EUROPEAN, "cp1257", *(f"iso8859_{number}" for number in (3, 4, 10, 13, 14, 15, 16))}
)


def detect(octets: bytes, *, thorough: bool = True) -> str:
    """Guess the codec of octets that are not UTF-8: the last resort, windows-1252 where it cannot tell."""
    octets = octets[:SAMPLE]
    runs = re.findall(rb"[\x80-\xff]+", octets)
    high = sum(map(len, runs))
    thorough = thorough and high >= _FEW
    if not runs:
        return UTF8
    signs = scripts.of_signs(octets)
    if signs:
        return signs
    if 2 * len(runs) >= high:  # letters with accents stand alone, other scripts stand in runs
        return _european(b"".join(runs))
    found = _east_asian(runs) or scripts.of_letters(octets) or _hebrew(runs) or _cyrillic(runs)
    if found or not thorough:
        return found or WESTERN
    best = from_bytes(octets, cp_isolation=list(_CANDIDATES)).best()
    name = best.encoding if best else WESTERN
    name = _DETECTED.get(name, name)
    return name if name in SNIFFED else WESTERN


def _european(octets: bytes) -> str:
    """Choose the codec in which most of the octets are characters that are common there, and none controls."""

    def common(codec: str) -> int:
        text = octets.decode(codec, "replace")
        controls = sum("\x80" <= character <= "\x9f" for character in text)
        return sum(character in _EUROPEAN[codec] for character in text) - controls

    return max(_EUROPEAN, key=common)


def _east_asian(runs: list[bytes]) -> str:
    """Tell the EUC codecs apart by their lead octets: kana, the hangul block, the first level of hanzi."""
    if any(len(run) % 2 or min(run) < 0xA1 for run in runs) or max(map(len, runs)) < 4:
        return ""
    leads = [octet for run in runs for octet in run[::2]]
    letters = [lead for lead in leads if lead >= 0xB0]
    if sum(lead in (0xA4, 0xA5) for lead in leads) * 5 > len(leads):
        return "euc_jp"
    if len(letters) < 4 or max(letters) > 0xD7:
        return ""
    return "cp949" if max(letters) <= 0xC8 else "gb18030"


def _hebrew(runs: list[bytes]) -> str:
    """Tell Hebrew: its 27 letters, and never the last five of the Cyrillic ones, which are frequent."""
    enough = sum(map(len, runs)) > 8
    return "cp1255" if enough and all(re.fullmatch(rb"[\xe0-\xfa]+", run) for run in runs) else ""


_CYRILLIC: Final = ("koi8_r", "cp1251", "cp866", "mac_cyrillic")
_WORD: Final = re.compile("[\u0400-\u045f\u0490\u0491]+")
#: The ten letters that make up two thirds of Russian, and hardly less of its neighbours.
_FREQUENT: Final = frozenset("оеаинтсрвл")


def _cyrillic(runs: list[bytes]) -> str:
    """Tell the Cyrillic codecs apart: words of frequent letters, with capitals where words have them."""
    best, score = "", 0.5
    for codec in _CYRILLIC:
        text = b" ".join(runs).decode(codec, "replace")
        words = _WORD.findall(text)
        letters = "".join(words).lower()
        cased = sum(word[1:].islower() or word.isupper() or len(word) == 1 for word in words)
        if 10 * cased >= 9 * len(words) and 10 * len(letters) >= 9 * len(text.replace(" ", "")):
            share = sum(letter in _FREQUENT for letter in letters) / max(len(letters), 1)
            best, score = max((best, score), (codec, share), key=lambda one: one[1])
    return best
