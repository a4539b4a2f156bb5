"""RTF: its text as paragraphs and table rows, with bold and italic.

Nothing here may recurse: groups are a list, however deep. Destinations other than the text are skipped, and so are
all that are marked as ignorable. RTF 1.9.1 (groups, control words); MS-OXRTFEX §2.1.3 (\\htmlrtf).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from gateway.message.charset import decoding
from gateway.rendition.blocks import Block
from gateway.rendition.context import Context
from gateway.rendition.documents.bounds import CUT, DAMAGED, DocumentError, note
from gateway.rendition.documents.composer import Composer

#: Tokens that are read: about one per word.
TOKENS_LIMIT: Final = 400_000
GROUPS_LIMIT: Final = 500

_TOKEN: Final = re.compile(
    rb"\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,9})? ?"
    rb"|\\'(?P<hex>[0-9a-fA-F]{2})"
    rb"|\\(?P<symbol>[^a-zA-Z])"
    rb"|(?P<brace>[{}])"
    rb"|[\r\n]+"
    rb"|(?P<text>[^\\{}\r\n]+)"
    rb"|\\",
    re.DOTALL,
)
#: Destinations whose content is not the document's text.
_NOT_TEXT: Final = frozenset(
    b"fonttbl colortbl stylesheet info pict object header headerl headerr headerf footer footerl footerr footerf "
    b"listtable listoverridetable revtbl rsidtbl generator themedata colorschememapping latentstyles datastore "
    b"xmlnstbl fldinst nonshppict bkmkstart bkmkend annotation atnauthor atnid template filetbl".split()
)
_CHARACTER_WORDS: Final = {
    b"tab": "\t", b"line": "\n", b"lquote": "‘", b"rquote": "’", b"ldblquote": "“", b"rdblquote": "”",
    b"bullet": "•", b"endash": "–", b"emdash": "—", b"emspace": " ", b"enspace": " ",
}  # fmt: skip
_SYMBOLS: Final = {b"~": "\xa0", b"_": "-", b"\\": "\\", b"{": "{", b"}": "}"}
#: The code page of the current font (\\fcharset) would be exact; the document's own is right for nearly all mail.
_DEFAULT_PAGE: Final = "cp1252"


@dataclass(slots=True)
class _Group:
    """What a closing brace restores. `after`: characters that follow a \\u for readers without Unicode."""

    hidden: bool = False
    strong: bool = False
    emphasis: bool = False
    after: int = 1
    fresh: bool = True  # only the brace has been read so far


class _Reader:
    def __init__(self, composer: Composer) -> None:
        self._composer = composer
        self._group = _Group()
        self._groups: list[_Group] = []
        self._page = _DEFAULT_PAGE
        self._octets = bytearray()
        self._skip = 0
        self._surrogate = 0
        self._in_table = False

    def token(self, match: re.Match[bytes]) -> None:
        """Take one token."""
        kind = match.lastgroup
        if kind == "text":
            self._plain(match.group())
        elif kind == "hex":
            self._plain(bytes([int(match.group("hex"), 16)]))
        elif kind == "brace":
            self._brace(match.group() == b"{")
        elif kind == "symbol":
            self._symbol(match.group("symbol"))
        elif kind in ("word", "number"):
            number = match.group("number")
            self._word(match.group("word"), None if number is None else int(number))

    def _plain(self, octets: bytes) -> None:
        skipped = min(self._skip, len(octets))
        self._skip -= skipped
        self._group.fresh = False
        if not self._group.hidden:
            self._octets += octets[skipped:]

    def flush(self) -> None:
        """Pass on octets that were collected for multi-byte charsets."""
        if self._octets:
            self._composer.strong, self._composer.emphasis = self._group.strong, self._group.emphasis
            self._composer.text(decoding.codec_decoder(self._page).decode(bytes(self._octets), True))
            self._octets.clear()

    def _say(self, text: str) -> None:
        self.flush()
        if not self._group.hidden:
            self._composer.strong, self._composer.emphasis = self._group.strong, self._group.emphasis
            self._composer.text(text)

    def _brace(self, opening: bool) -> None:
        self.flush()
        self._skip = 0
        if opening:
            if len(self._groups) >= GROUPS_LIMIT:
                raise DocumentError(DAMAGED, "groups")
            self._groups.append(self._group)
            self._group = replace(self._group, fresh=True)
        elif self._groups:
            self._group = self._groups.pop()

    def _symbol(self, symbol: bytes) -> None:
        if symbol == b"*":
            self._group.hidden = True
        elif symbol in (b"\r", b"\n"):
            self._word(b"par", None)
        elif symbol in _SYMBOLS and self._skip:
            self._skip -= 1
        elif symbol in _SYMBOLS:
            self._say(_SYMBOLS[symbol])
        self._group.fresh = False

    def _word(self, word: bytes, number: int | None) -> None:
        fresh, self._group.fresh = self._group.fresh, False
        on = number != 0
        if word == b"u":
            self._unicode(number or 0)
            return
        self.flush()
        if fresh and word in _NOT_TEXT:
            self._group.hidden = True
        elif word in _CHARACTER_WORDS:
            self._say(_CHARACTER_WORDS[word])
        elif word == b"b":
            self._group.strong = on
        elif word == b"i":
            self._group.emphasis = on
        elif word == b"plain":
            self._group.strong = self._group.emphasis = False
        elif word == b"uc":
            self._group.after = max(number or 0, 0)
        elif word in (b"v", b"htmlrtf"):
            self._group.hidden = on
        elif word == b"ansicpg":
            self._page = decoding.resolve(f"cp{number}") or _DEFAULT_PAGE
        elif not self._group.hidden:
            self._structure(word)

    def _structure(self, word: bytes) -> None:
        if word in (b"par", b"sect", b"page") and not self._in_table:
            self._composer.paragraph()
        elif word == b"par":
            self._composer.text(" ")
        elif word == b"trowd" and not self._in_table:
            self._composer.table()
            self._in_table = True
        elif word == b"cell":
            self._composer.cell()
        elif word == b"row":
            self._composer.end_table()
            self._in_table = False

    def _unicode(self, number: int) -> None:
        unit = number % 0x10000
        if 0xD800 <= unit < 0xDC00:
            self._surrogate = unit
        elif 0xDC00 <= unit < 0xE000:
            if self._surrogate:
                self._say(chr(0x10000 + (self._surrogate - 0xD800 << 10) + unit - 0xDC00))
            self._surrogate = 0
        else:
            self._say(chr(unit))
        self._skip = self._group.after


def read(octets: bytes, _leaf: int, context: Context) -> Iterator[tuple[int, Block]]:
    """Yield the text."""
    if not octets.lstrip()[:5].startswith(b"{\\rtf"):
        raise DocumentError(DAMAGED, "no RTF")
    composer = Composer(context.fold)
    reader = _Reader(composer)
    cut = False
    for number, match in enumerate(_TOKEN.finditer(octets)):
        reader.token(match)
        while composer.ready:
            yield 0, composer.ready.popleft()
        if number >= TOKENS_LIMIT:
            cut = True
            break
    reader.flush()
    composer.end_table()
    composer.paragraph()
    for block in composer.ready:
        yield 0, block
    if cut:
        yield 0, note(context, CUT)
