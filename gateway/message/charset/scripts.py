"""Guesses the charset of unlabelled words by letter frequencies of the languages that use it.

Nothing here may be called before all certain cases are ruled out (see `detect`), or look at octets except
through a codec. In each charset the words are decoded and scored by the likelihood of their letters in each
language written in it; the best score wins. Signs inside words and a capital after a small letter lower the
score. Ideographs are scored by whether they are among the few hundred that make up most texts.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from math import exp, log
from typing import Final

from gateway.message.charset.alphabets import ALPHABETS, HANGUL, KANJI, SIMPLIFIED, TRADITIONAL

#: Octets that are read; more words change nothing.
ENOUGH: Final = 1200
#: Ranks over which letter frequency falls to a third: in each alphabet the first ten letters make up two
#: thirds.
_FALL: Final = 8.0

# Log-likelihood (natural) of a decoded text containing … … a letter of another language, a sign, a sign
# inside a word, a sign that is common around words everywhere,
_STRANGE: Final = -9.5
_SIGN: Final = -9.0
_SIGN_INSIDE: Final = -3.0
_COMMON_SIGN: Final = -5.0
#: … an octet that is undefined in the charset,
_UNDEFINED: Final = -16.0
#: … a word in capitals, one with an initial capital, a capital after a small letter, letters of two scripts,
_CAPITALS: Final = -2.0
_CAPITAL: Final = -1.0
_TORN: Final = -5.0
#: … a Latin letter next to another script,
_PLAIN: Final = -2.9
#: … an ideograph of the charset's first level, one of its other levels, a half-width one, a small Latin
#: letter next to one.
_OTHER: Final = -9.4
_RARE: Final = -13.0
_HALF: Final = -9.0
_BETWEEN: Final = -3.0

#: How rare or common a charset is, on the same scale; 0 for the others.
_RARENESS: Final = {
    "cp1252": 4.0,
    "koi8_r": -0.9, "cp874": 1.0, "cp1254": -1.0, "cp1255": -0.5, "iso8859_2": -1.0, "iso8859_7": -1.0,
    "cp1257": -2.0, "cp866": -2.5, "koi8_u": -2.5, "iso8859_5": -2.5, "iso8859_6": -4.0, "mac_roman": -3.0,
    "cp850": -3.0, "euc_jp": -1.0,
}  # fmt: skip
_AROUND: Final = frozenset("“”„‘’«»–—…•·°§€№®™©\xa0¿¡，。！？、：；（）「」『』《》•％ー〜・")
#: Common between words, but also between spaces or numbers.
_DASH: Final = "–"
#: The final sigma.
_LAST: Final = "ς"
_WORD: Final = re.compile(r"[^\W\d_]+")
_TAGS: Final = re.compile(rb"<[!/a-zA-Z][^<>]{0,400}>|https?://[!-~]+|[\w.+-]+@[\w.-]+")
#: Words of ASCII with no other octet next to them are the same in every charset; many of them would outweigh the rest.
_PLAIN_WORDS: Final = re.compile(rb"(?<![A-Za-z\x80-\xff])[A-Za-z]+(?![A-Za-z\x80-\xff])")
_MARKS: Final = re.compile("[\u0591-\u05c7\u064b-\u0652\u0e31\u0e34-\u0e4e]")
_MIXED: Final = re.compile(
    "[a-z](?=[\u2e80-\uffef])|(?<=[\u2e80-\uffef])[a-z]|[A-Z](?=[\uff61-\uff9f])|(?<=[\uff61-\uff9f])[A-Z]"
)


def best_charset(octets: bytes) -> str:
    """Return the charset in which the octets beyond ASCII score best."""
    octets = _PLAIN_WORDS.sub(b"", _TAGS.sub(b" ", octets))[:ENOUGH]
    readings = [*_alphabetic(octets), *_ideographic(octets)]
    return max(readings, key=lambda one: one[1] + _RARENESS.get(one[0], 0.0))[0]


def _alphabetic(octets: bytes) -> list[tuple[str, float]]:
    """Score the single-octet charsets, in each language."""
    scores: list[tuple[str, float]] = []
    read: dict[str, tuple[Counter[str], float]] = {}
    for letters, codecs, rareness in ALPHABETS:
        weights = _weights(letters)
        latin = "e" in weights
        for codec in codecs:
            if codec not in read:
                read[codec] = _counted(octets.decode(codec, "replace"))
            counted, penalty = read[codec]
            likely = sum(count * _weight(character, weights, latin) for character, count in counted.items())
            scores.append((codec, likely + penalty + rareness))
    return scores


@cache
def _weights(letters: str) -> dict[str, float]:
    """Return the log-likelihood of each letter of an alphabet."""
    total = sum(exp(-rank / _FALL) for rank in range(len(letters)))
    return {letter: -rank / _FALL - log(total) for rank, letter in enumerate(letters)}


def _weight(character: str, weights: dict[str, float], latin: bool) -> float:
    known = weights.get(character)
    if known is not None:
        return known
    if character < "\x80":
        return _STRANGE if latin else _PLAIN
    if character in _AROUND or (not latin and _MARKS.match(character)):
        return _COMMON_SIGN
    if character == "\ufffd" or not character.isprintable():
        return _UNDEFINED
    return _STRANGE if character.isalpha() else _SIGN


def _counted(text: str) -> tuple[Counter[str], float]:
    """Count the letters of words and the signs beyond ASCII, and score the shape of the words."""
    penalty = sum(map(_torn, text, text[1:]))
    counted: Counter[str] = Counter()
    for word in _WORD.findall(text):
        counted.update(letter if len(letter.lower()) > 1 else letter.lower() for letter in word)
        if not word.islower():
            penalty += _CAPITALS if word.isupper() and len(word) > 1 else _CAPITAL
    counted.update(sign for sign in text if sign >= "\x80" and not sign.isalpha())
    return counted, penalty


def _torn(before: str, after: str) -> float:
    """Score neighbours: words have no inner capitals, no signs, and one script."""
    if before.isalpha() and after.isalpha():
        torn = (before.islower() and after.isupper()) or before == _LAST
        return _TORN * (torn + ((before < "\u0250") != (after < "\u0250")))
    if before.isalpha() and after >= "\x80" and (after == _DASH or after not in _AROUND):
        return 0.0 if before >= "\x80" and _MARKS.match(after) else _SIGN_INSIDE
    return 0.0


def _table(*groups: tuple[str, float]) -> dict[str, float]:
    """Give each character of a group an equal fraction of the group's share."""
    return {sign: log(share / len(set(signs))) for signs, share in reversed(groups) for sign in signs}


_SPACE: Final = "\u3000"
_HIRAGANA: Final = "".join(map(chr, range(0x3041, 0x3094)))
_KATAKANA: Final = "".join(map(chr, range(0x30A1, 0x30F7))) + "ー"
_JAPANESE: Final = _table(("、。", 0.06), (_SPACE, 0.1), (_HIRAGANA, 0.45), (_KATAKANA, 0.14), (KANJI, 0.2))
#: Codec, likelihood of its frequent characters, and its first level as a range of lead octets in some codec.
_IDEOGRAPHIC: Final = (
    (
        "gb18030",
        _table(("，。、！？：", 0.08), (_SPACE, 0.1), (SIMPLIFIED, 0.62)),
        "gb2312",
        range(0xB0, 0xD8),
    ),
    (
        "big5hkscs",
        _table(("，。、！？：", 0.08), (_SPACE, 0.1), (TRADITIONAL, 0.62)),
        "big5",
        range(0xA4, 0xC7),
    ),
    ("cp932", _JAPANESE, "shift_jis", range(0x88, 0x99)),
    ("euc_jp", _JAPANESE, "euc_jp", range(0xB0, 0xD0)),
    ("cp949", _table((HANGUL, 0.75)), "euc_kr", range(0xB0, 0xC9)),
)


def _ideographic(octets: bytes) -> list[tuple[str, float]]:
    """Score the double-octet charsets."""
    scores: list[tuple[str, float]] = []
    for codec, weights, narrow, first_level in _IDEOGRAPHIC:
        try:
            text = octets.decode(codec)
        except UnicodeDecodeError as error:
            if len(octets) < ENOUGH or error.start < ENOUGH - 4:  # more than a truncated character
                continue
            text = octets[: error.start].decode(codec)
        likely = _BETWEEN * len(_MIXED.findall(text))
        for character, count in Counter(text).items():
            if character >= "\x80":
                likely += count * (weights.get(character) or _ideograph(character, narrow, first_level))
            elif character.isalpha():
                likely += count * _PLAIN
        scores.append((codec, likely))
    return scores


def _ideograph(character: str, codec: str, first_level: range) -> float:
    if "\uff61" <= character <= "\uff9f":
        return _HALF
    try:
        lead = character.encode(codec)[0]
    except UnicodeEncodeError:
        return _RARE
    return _OTHER if lead in first_level or character in _AROUND else _RARE
