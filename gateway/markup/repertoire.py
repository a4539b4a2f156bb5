"""Reduces text to the characters that a device can draw.

Nothing here may leave a `?` or a box in place of a character: what the device lacks is written in characters it has,
and applying `fit` twice changes nothing more. This module has the typography of mail, and emoji as emoticons or by
their Unicode names; the letters of the world's scripts come from `anyascii`, which no other module may import. Text is
normalized first (Unicode UAX #15, NFC). Emoji sequences: Unicode UTS #51 §1.4.9.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Final

from anyascii import anyascii

from gateway.device import LATIN_1, UTF_8, WML, Device

#: Emoticons that fit into a line of text; all other emoji are written by name.
_FACES: Final = {
    "😀": ":D", "😃": ":D", "😄": ":D", "😁": ":D", "😆": "XD", "😅": ":D", "😂": ":'D", "🤣": ":'D",
    "🙂": ":)", "😊": ":)", "☺": ":)", "😌": ":)", "😇": "O:)", "😉": ";)", "😍": "<3", "🥰": "<3",
    "😘": ":*", "😗": ":*", "😙": ":*", "😚": ":*", "😋": ":P", "😛": ":P", "😜": ";P", "😝": "XP",
    "😎": "B)", "🙁": ":(", "☹": ":(", "😞": ":(", "😟": ":(", "😢": ":'(", "😭": ":'(", "😕": ":/",
    "😐": ":|", "😑": ":|", "😮": ":o", "😯": ":o", "😲": ":O", "😱": ":O", "😠": ">:(", "😡": ">:(",
    "😈": ">:)", "😶": ":x", "🤐": ":x", "❤": "<3", "💕": "<3", "💔": "</3", "♥": "<3", "🧡": "<3",
    "💛": "<3", "💚": "<3", "💙": "<3", "💜": "<3", "🖤": "<3", "💗": "<3", "💖": "<3",
}  # fmt: skip
#: Signs that need no name: bullets, ticks, stars and arrows among the dingbats and symbols.
_SIGNS: Final = {
    "✓": "v", "✔": "v", "✅": "[v]", "☑": "[v]", "✗": "x", "✘": "x", "✕": "x", "✖": "x", "❌": "[x]",
    "☐": "[ ]", "☒": "[x]", "⬜": "[ ]", "★": "*", "☆": "*", "⭐": "*", "✦": "*", "✧": "*", "✩": "*",
    "✪": "*", "✱": "*", "✲": "*", "✳": "*", "✴": "*", "✶": "*", "✷": "*", "❖": "*", "❯": ">", "❮": "<",
    "❱": ">", "❰": "<", "➕": "+", "➖": "-", "➗": "/", "❗": "!", "❕": "!", "❓": "?", "❔": "?", "‼": "!!",
    "⁉": "!?", "❝": '"', "❞": '"', "❛": "'", "❜": "'", "☎": "[telephone]", "✉": "[envelope]",
    "👍": "[thumbs up]", "👎": "[thumbs down]", "➔": "->", "➜": "->", "➝": "->", "➞": "->", "➡": "->",
    "➤": ">", "➢": ">", "➣": ">", "➥": "->", "➨": "->", "➙": "->", "➛": "->", "⬅": "<-", "⬆": "^", "⬇": "v",
    "▶": ">", "◀": "<", "©": "(C)", "®": "(R)", "™": "(TM)", "ℹ": "[i]",
}  # fmt: skip
#: Typography and signs that some charset lacks; letters are left to `anyascii`.
_TYPOGRAPHY: Final = {
    "“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'", "‛": "'",
    "‹": "'", "›": "'", "′": "'", "″": '"', "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-",
    "−": "-", "…": "...", "·": "-", "•": "*", "‣": ">", "◦": "o", "▪": "*", "▫": "o", "■": "*", "□": "o",
    "●": "*", "○": "o", "◆": "*", "◇": "o", "◾": "*", "◽": "o", "►": ">", "◄": "<", "▸": ">", "▹": ">",
    "▲": "^", "▼": "v", "△": "^", "▽": "v", "→": "->", "←": "<-", "↔": "<->", "⇒": "=>", "⇐": "<=",
    "⇔": "<=>", "↑": "^", "↓": "v", "⟶": "->", "⟵": "<-", "↩": "<-", "↪": "->", "↵": "<-", "€": "EUR",
    "£": "GBP", "¥": "JPY", "₹": "INR", "₽": "RUB", "₺": "TRY", "₴": "UAH", "₩": "KRW", "₪": "ILS",
    "₿": "BTC", "¢": "ct", "¤": "", "§": "par.", "¶": "", "°": "deg", "±": "+/-", "×": "x", "÷": "/",
    "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "∞": "inf", "√": "sqrt ", "№": "No.", "℃": "degC",
    "℉": "degF", "‰": " per mille", "†": "+", "‡": "++", "¿": "", "¡": "", "´": "'", "¨": '"', "¦": "|",
    "¬": "not ", "℅": "c/o", "℠": "(SM)", "⁄": "/", "∕": "/", "؟": "?", "、": ", ", "。": ". ",
    "\ufffc": "", "\ufffd": "_", "ا": "a",
}  # fmt: skip
#: Box drawing and block elements by range of code points (Unicode blocks 2500 and 2580).
_BOXES: Final = (
    ("─━┄┅┈┉╌╍╴╶╸╺╼╾", "-"),
    ("│┃┆┇┊┋╎╏╵╷╹╻╽╿║", "|"),
    ("═", "="),
    ("╱", "/"),
    ("╲", "\\"),
    ("╳", "x"),
)
_DRAWN: Final = (
    dict.fromkeys(map(chr, range(0x2500, 0x2580)), "+")
    | dict.fromkeys(map(chr, range(0x2580, 0x25A0)), "#")
    | {sign: said for signs, said in _BOXES for sign in signs}
)
_KNOWN: Final = _DRAWN | _TYPOGRAPHY | _SIGNS | _FACES

#: Variation selectors and the joiner; phones that do not know them draw boxes.
_LOOKS: Final = "\ufe0e\ufe0f\u200d"
_TONE: Final = "[\U0001f3fb-\U0001f3ff]"
#: Drawn as boxes by phones of 1999 even in UTF-8: clocks and media keys, symbols, dingbats, everything beyond 16 bits.
_PICTURE: Final = (
    "[\u203c\u2049\u2139\u231a-\u231b\u2328\u23cf\u23e9-\u23fa\u2600-\u27bf\u2b00-\u2bff\u3030\u303d"
    "\u3297\u3299\ue000-\uf8ff\U00010000-\U0010ffff]"
)
_SEQUENCES: Final = (
    "(?P<flag>[\U0001f1e6-\U0001f1ff]{2})"
    "|(?P<key>[0-9#*]\ufe0f?\u20e3)"
    "|(?P<land>\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f)"
    f"|(?P<emoji>{_PICTURE}(?:\ufe0f|\ufe0e|{_TONE})*(?:\u200d{_PICTURE}(?:\ufe0f|\ufe0e|{_TONE})*)*)"
)
_BOXED: Final = re.compile(f"{_SEQUENCES}|[{_LOOKS}\ufffc\ufffd]" + "(?<![\u0600-\u1fff]\u200d)")
_BEYOND: Final = {
    UTF_8: _BOXED,
    LATIN_1: re.compile(f"{_SEQUENCES}|[^\x00-\x7f\xa0-\xff]"),
}
_MATHEMATICAL: Final = "[\U0001d400-\U0001d7ff]"
#: A pattern that begins with a set of characters is searched for several times as fast as with a repetition.
_STYLED: Final = re.compile(f"{_MATHEMATICAL}{_MATHEMATICAL}*")
#: Phonetic small capitals, which some use to make words look different.
_SMALL: Final = "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ"
_CAPITALS: Final = str.maketrans(_SMALL, "ABCDEFGHIJKLMNOPQRSTUVWYZ")
#: What is in all texts whose letters are written plainly: one search for it, as most texts have none.
_RESTYLED: Final = re.compile(f"[{_SMALL}{_MATHEMATICAL[1:-1]}]")
_SMALL_WORD: Final = re.compile(f"[{_SMALL}][{_SMALL}]+")
_BEYOND_ASCII: Final = re.compile(f"{_SEQUENCES}|[^\x00-\x7f]")
#: Words of a name that describe the drawing, not the thing.
_DRAWING: Final = re.compile(r"^(?:(?:black|white|heavy|negative|squared|circled) )+|(?: sign| symbol)$")
_QUESTION: Final = re.compile("QUESTION|INTERROBANG")
#: Stands for a letter of a script that has no transliteration.
_UNSAYABLE: Final = "_"
#: Emoji that only modify others (sex, skin tone) are not named.
_MODIFIERS: Final = frozenset("♀♂⚧" + _LOOKS + "".join(map(chr, range(0x1F3FB, 0x1F400))))


def fit(text: str, device: Device) -> str:
    """Write text in the characters that a device has."""
    return fitter(device.markup, device.charset)(text)


@cache
def fitter(markup: str, charset: str) -> Callable[[str], str]:
    """Return the function that fits text to all devices of a markup and charset."""
    if charset == UTF_8 and markup != WML:
        return _without_styles
    beyond = _BEYOND.get(charset, _BEYOND_ASCII)

    def fitted(text: str) -> str:
        if text.isascii():
            return text
        return beyond.sub(_replaced, _enlarged(unicodedata.normalize("NFC", text)))

    return fitted


def _without_styles(text: str) -> str:
    """Write the bold, script and sans-serif letters of mathematics plainly: phones draw boxes for them."""
    if text.isascii() or _RESTYLED.search(text) is None:
        return text
    return _STYLED.sub(lambda match: unicodedata.normalize("NFKC", match[0]), _enlarged(text))


def _enlarged(text: str) -> str:
    """Write words in small capitals plainly; a single one is a sound."""
    return _SMALL_WORD.sub(lambda match: match[0].translate(_CAPITALS), text)


def _replaced(match: re.Match[str]) -> str:
    found = match[0]
    if match["flag"]:
        return "[" + "".join(chr(ord(letter) - 0x1F1E6 + ord("A")) for letter in found) + "]"
    if match["key"]:
        return f"[{found[0]}]"
    if match["land"]:
        return "[" + "".join(chr(ord(tag) - 0xE0000) for tag in found[1:-1]).upper() + "]"
    if match["emoji"]:
        return _emoji(found)
    said = _character(found)
    # "1½" is not eleven halves.
    return f" {said}" if "1" <= said[:1] <= "9" and "/" in said and _after_digit(match) else said


def _after_digit(match: re.Match[str]) -> bool:
    return match.string[match.start() - 1 : match.start()].isdigit()


def _emoji(sequence: str) -> str:
    """Write an emoji sequence, or a symbol beyond 16 bits, as text."""
    signs = [sign for sign in sequence if sign not in _MODIFIERS] or [sequence[0]]
    if len(signs) == 1:
        return _KNOWN.get(signs[0]) or _symbol(signs[0])
    names = dict.fromkeys(filter(None, map(_name, signs)))
    return f"[{', '.join(names)}]" if names else ""


def _symbol(sign: str) -> str:
    """Write a picture by its name, a styled letter by its plain form, a letter by transliteration."""
    plain = unicodedata.normalize("NFKC", sign)
    if plain != sign:
        return plain if plain.isascii() else anyascii(plain)
    if unicodedata.category(sign)[0] in "LN":
        return _character(sign) or _UNSAYABLE
    return "" if unicodedata.category(sign) in ("Mn", "Cf") else _bracketed(sign)  # variation selectors, tags


def _bracketed(sign: str) -> str:
    name = _name(sign)
    return f"[{name}]" if name else ""


def _name(sign: str) -> str:
    """Name a picture; one that is newer than Python's tables gets the name that `anyascii` gives it."""
    name = unicodedata.name(sign, "").lower()
    if not name:
        return anyascii(sign).strip(":").replace("_", " ")
    return _DRAWING.sub("", _DRAWING.sub("", name))


def _character(sign: str) -> str:
    """Write a character that is not a picture."""
    known = _KNOWN.get(sign)
    if known is not None:
        return known
    if sign.isspace():
        return " "
    said, category, name = anyascii(sign), unicodedata.category(sign), unicodedata.name(sign, "")
    if category == "No" and "CIRCLED" in name:
        return f"({said})"
    if "?" in said and not _QUESTION.search(name):  # anyascii writes ? for a glottal stop, too
        return said.replace("?", "'")
    return said or (_bracketed(sign) if category[0] == "S" else "")
