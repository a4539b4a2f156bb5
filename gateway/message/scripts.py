"""Scripts: the charset of a few words, told by the letters and signs that are frequent where it is used.

Nothing here may be asked before what is certain (see `detect`). Ten letters make up two thirds of the words of any
alphabet, some hundred signs half of any Chinese or Japanese text; read in the wrong charset, words have others.
"""

from __future__ import annotations

import unicodedata
from typing import Final

#: The least share of frequent letters, less twice that of rare ones, and of frequent signs.
_LEAST_LETTERS: Final = 0.5
_LEAST_SIGNS: Final = 0.6
#: Octets that are read: words beyond these change nothing.
_ENOUGH: Final = 400

#: Letters, of fewer of which nothing can be told.
_LEAST_OF_THEM: Final = 4
#: Letters that are frequent and that are rare, and whether words have capitals only in front.
_ALPHABETS: Final = {
    "cp1255": ("יוהלאתרבשמםנך", "", False),
    "cp1253": ("αοιετσνηυρπκςμλάέήίόύώ", "ψξζϋϊ", True),
    "cp1251": ("оеаинтсрвлкмд", "ъщэфц", True),
    "koi8_r": ("оеаинтсрвлкмд", "ъщэфц", True),
    "cp866": ("оеаинтсрвлкмд", "ъщэфц", True),
    "cp1256": ("اليمنورتبهعأة", "", False),
    "cp874": ("านรกเอง่มยลวดทส้ีัุคตบิป", "", False),
}
#: The sigma that only ends words.
_LAST: Final = "ς"
_SIMPLIFIED: Final = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然"
    "家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日者意无力它与长把机"
    "十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应向头文体政美相见被利什二等产或新己制身果加西"
    "月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活更别打女"
    "变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直资命山金指许统区保至形社便空决治展科司五基书非则"
    "听白却界达光放强即难且权思完设式色路记南品住告类求据程北边张该交规万取格望觉领共确传师观清今切院让识候带导运请"
    "谢您邮箱附查收测试快乐早晚周末议改午约订单价格"
)
_TURNED: Final = str.maketrans(
    "这个们来为国说时会对着过发后里种经么学现当没动还进样开实无与长机关点业将两间问应头体见产话内给门儿东声员论处义几"
    "认条气题别变总电数报结务场计资许统区决书则听达强难权设记类据边张该规万觉领确传师观让识带导运请谢邮测试乐议约订单于价",
    "這個們來為國說時會對著過發後裡種經麼學現當沒動還進樣開實無與長機關點業將兩間問應頭體見產話內給門兒東聲員論處義幾"
    "認條氣題別變總電數報結務場計資許統區決書則聽達強難權設記類據邊張該規萬覺領確傳師觀讓識帶導運請謝郵測試樂議約訂單於價",
)
_JAPANESE: Final = (
    "".join(map(chr, (*range(0x3041, 0x3094), *range(0x30A1, 0x30F7), 0x30FC, 0x3001, 0x3002)))
    + "日本人会社様件名資料送付確認願致明今月年時間議予定請求書連絡先電話世大変申上下中山田東京"
    + "株式新見議書類旅行荷物届注文返信了解"
    + "一二三四五六七八九十"
)
_SIGNS: Final = {
    "gb18030": frozenset(_SIMPLIFIED + "，。！？、："),
    "big5hkscs": frozenset(_SIMPLIFIED.translate(_TURNED) + "，。！？、："),
    "cp932": frozenset(_JAPANESE),
    "euc_jp": frozenset(_JAPANESE),
}


def of_signs(octets: bytes) -> str:
    """Name the East Asian charset of a few words, '' if it is none of ours."""
    return _best({codec: _share_of_signs(octets[:_ENOUGH], codec) for codec in _SIGNS}, _LEAST_SIGNS)


def of_letters(octets: bytes) -> str:
    """Name the charset of a few words in an alphabet that is not Latin, '' if it is none of ours."""
    return _best({codec: _share_of_letters(octets[:_ENOUGH], codec) for codec in _ALPHABETS}, _LEAST_LETTERS)


def _best(shares: dict[str, float], least: float) -> str:
    codec = max(shares, key=lambda each: shares[each])
    return codec if shares[codec] >= least else ""


def _beyond(octets: bytes, codec: str) -> str:
    """Read octets, as far as they can be, and leave out what is ASCII."""
    try:
        text = octets.decode(codec)
    except UnicodeDecodeError as error:
        if error.start < len(octets) - 4:  # more than a sign that was cut
            return ""
        text = octets[: error.start].decode(codec)
    return "".join(character for character in text if character >= "\x80")


def _share_of_signs(octets: bytes, codec: str) -> float:
    signs = _beyond(octets, codec)
    return sum(sign in _SIGNS[codec] for sign in signs) / len(signs) if len(signs) > 1 else 0.0


def _share_of_letters(octets: bytes, codec: str) -> float:
    frequent, rare, cased = _ALPHABETS[codec]
    letters = _beyond(octets, codec)
    if len(letters) < _LEAST_OF_THEM or not all(unicodedata.category(each)[0] in "LM" for each in letters):
        return 0.0
    words = ["".join(filter(str.isalpha, word)) for word in octets.decode(codec, "replace").split()]
    if cased and not all(
        word.isascii() or word[1:].islower() or word.isupper() or not word[1:] for word in words
    ):
        return 0.0
    if any(_LAST in word[:-1] for word in words):
        return 0.0
    balance = sum((letter in frequent) - 2 * (letter in rare) for letter in letters.lower())
    return balance / len(letters)
