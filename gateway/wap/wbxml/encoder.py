"""The encoder: WML text to WBXML 1.1 octets.

Nothing here may lose what a person would read. The deck must be well-formed; it is not validated: what is not
in the tables is written as literals. White space is collapsed, and dropped beside block elements, by WAP-191
§11.8.1; between inline elements (`INLINE`) one space stays, or words would run together. Comments and
processing instructions are dropped. WAP-192 §5 and §6, WAP-191 §14.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.wap.wbxml.tokens import (
    ATTRIBUTE_STARTS,
    ATTRIBUTE_VALUES,
    CHARSETS,
    CONVERSIONS,
    DEPTH_LIMIT,
    END,
    EXT_I,
    EXT_T,
    HAS_ATTRIBUTES,
    HAS_CONTENT,
    HREF_ATTRIBUTES,
    INLINE,
    LITERAL,
    PUBLIC_IDS,
    STARTS_BY_NAME,
    STR_I,
    STR_T,
    TAGS,
    UTF_8,
    WBXML_1_1,
    WML_1_1,
    WBXMLError,
)
from gateway.wap.wbxml.wml_parser import read, split_variables

BLANKS: Final = " \t\r\n"
_BLANK_RUN: Final = re.compile(f"[{BLANKS}]+")
#: Longest first, so that the alternation takes the longest match.
_LONGEST_FIRST: Final = sorted(ATTRIBUTE_VALUES, key=len, reverse=True)
_VALUES: Final = re.compile(f"({'|'.join(map(re.escape, _LONGEST_FIRST))})")
#: Octets of a reference into a string table of less than 2 MiB (7 bits an octet).
LARGEST_REFERENCE: Final = 3
_OCTET: Final = tuple(bytes((number,)) for number in range(256))
_END: Final = _OCTET[END]
_STR_I: Final = _OCTET[STR_I]
_STR_T: Final = _OCTET[STR_T]
_NOESC: Final = CONVERSIONS["noesc"]
_ESCAPE: Final = CONVERSIONS["escape"]


def encode(wml: str | bytes, charset: int = UTF_8) -> bytes:
    """Compile a deck; a document type other than WML 1.1, 1.2 or 1.3 is written as WML 1.1.

    `charset`: MIBenum of a charset with single octets as terminators. Raise WBXMLError for text that is not
    in it.
    """
    compiler = Compiler(codec=CHARSETS[charset][0])
    public_id = read(wml, compiler).public_id
    header = bytes((WBXML_1_1, PUBLIC_IDS.get(public_id, WML_1_1), charset))
    return header + compiler.with_table()


def multibyte(number: int) -> bytes:
    """Write a multi-byte integer (WAP-192 §5.1)."""
    out = [number & 0x7F]
    while number := number >> 7:
        out.append(number & 0x7F | 0x80)
    return bytes(reversed(out))


class Compiler:
    """Takes the events of `wml_parser` and keeps the body as octet strings, one for each token or string.

    `uses` has, for every string, the pieces that contain it, each with the token that would precede a
    reference into the string table; `names` are the strings that must be in the table: literals have no
    inline form.
    """

    def __init__(self, *, bare: bool = False, codec: str = "utf-8") -> None:
        """Begin a deck, or with `bare` content in an unknown context: its outer white space stays."""
        self._codec = codec
        self.pieces: list[bytes] = []
        self.uses: dict[bytes, list[tuple[int, bytes]]] = {}
        self.names: dict[bytes, None] = {}
        self._open: list[int] = []  # index of each open element's tag; inverted once it has content
        self._preserve: list[bool] = [False]
        self._text = ""
        self._bare = bare
        self._after_block = not bare

    def start(self, tag: str, attributes: list[str]) -> None:
        """Take a start tag."""
        opened = self._open
        if self._bare and not opened:  # the element around a fragment is not part of it
            opened.append(-1)
            return
        block = tag not in INLINE
        if self._text:
            self._flush(block)
        self._after_block = block
        if opened and opened[-1] >= 0:
            self._mark_content()
        if len(opened) >= DEPTH_LIMIT:
            raise WBXMLError(f"more than {DEPTH_LIMIT} elements within each other")
        opened.append(len(self.pieces))
        flags = HAS_ATTRIBUTES if attributes else 0
        token = TAGS.get(tag)
        if token is not None:
            self.pieces.append(_OCTET[token | flags])
        else:
            self._literal(tag, flags)
        preserve = tag == "pre" or self._preserve[-1]
        for name, value in zip(attributes[::2], attributes[1::2], strict=True):
            if name == "xml:space":
                preserve = value == "preserve"
            self._attribute(name, value)
        if attributes:
            self.pieces.append(_END)
        self._preserve.append(preserve)

    def end(self, tag: str) -> None:
        """Take an end tag."""
        around = self._bare and len(self._open) == 1
        block = tag not in INLINE and not around
        if self._text:
            self._flush(block)
        self._after_block = block
        self._preserve.pop()
        if self._open.pop() < 0 and not around:
            self.pieces.append(_END)

    def text(self, data: str) -> None:
        """Take text, which may come in several parts."""
        self._text += data

    def size(self) -> int:
        """Return how many octets this adds at most to a deck, without a string table."""
        size = sum(map(len, self.pieces))
        if self.names:  # and the length of the table takes more than one octet
            size += LARGEST_REFERENCE - 1
            size += sum(LARGEST_REFERENCE * len(self.uses[name]) + len(name) + 1 for name in self.names)
        return size

    def with_table(self) -> bytes:
        """Return string table and body; the table has only what makes the whole smaller."""
        table, offsets = self._table()
        if not table:
            return b"\0" + b"".join(self.pieces)
        pieces = self.pieces.copy()
        for content, offset in offsets.items():
            reference = multibyte(offset)
            for index, token in self.uses[content]:
                if not token or len(reference) <= len(content):
                    pieces[index] = token + reference
        return multibyte(len(table)) + table + b"".join(pieces)

    def _table(self) -> tuple[bytes, dict[bytes, int]]:
        table = b""
        offsets: dict[bytes, int] = {}
        for name in self.names:
            offsets[name] = len(table)
            table += name + b"\0"
        repeated = [
            (len(uses), text) for text, uses in self.uses.items() if len(uses) > 1 and text not in self.names
        ]
        saved = 0
        # Short references for the frequent ones.
        for count, text in sorted(repeated, key=lambda row: -row[0]):
            gain = count * (len(text) + 1 - len(multibyte(len(table)))) - (len(text) + 1)
            if gain > 0:
                offsets[text] = len(table)
                table += text + b"\0"
                saved += gain
        if not self.names and saved < len(multibyte(len(table))):  # the table's length is an octet anyway
            return b"", {}
        return table, offsets

    def _mark_content(self) -> None:
        index = self._open[-1]
        self.pieces[index] = _OCTET[self.pieces[index][0] | HAS_CONTENT]
        self._open[-1] = ~index

    def _flush(self, before_block: bool) -> None:
        text, self._text = self._text, ""
        if not self._preserve[-1]:
            text = _BLANK_RUN.sub(" ", text)
            if self._after_block:
                text = text.lstrip(" ")
            if before_block:
                text = text.rstrip(" ")
            if not text:
                return
        if self._open[-1] >= 0:
            self._mark_content()
        if "$" not in text:
            self._string(text)
            return
        for part in split_variables(text, _NOESC):
            if isinstance(part, str):
                self._string(part)
            else:
                self._variable(*part)

    def _attribute(self, name: str, value: str) -> None:
        token = ATTRIBUTE_STARTS.get((name, value))
        if token is not None:
            self.pieces.append(_OCTET[token])
            return
        for prefix, token in STARTS_BY_NAME.get(name, ()):
            if value.startswith(prefix):
                self.pieces.append(_OCTET[token])
                value = value[len(prefix) :]
                break
        else:
            self._literal(name, 0)
        if "$" not in value:
            self._value(value)
            return
        for part in split_variables(value, _ESCAPE if name in HREF_ATTRIBUTES else _NOESC):
            if isinstance(part, str):
                self._value(part)
            else:
                self._variable(*part)

    def _value(self, value: str) -> None:
        for part in _VALUES.split(value):
            token = ATTRIBUTE_VALUES.get(part)
            if token is not None:
                self.pieces.append(_OCTET[token])
            elif part:
                self._string(part)

    def _string(self, text: str) -> None:
        content = text.encode(self._codec)
        self.uses.setdefault(content, []).append((len(self.pieces), _STR_T))
        self.pieces.append(_STR_I + content + b"\0")

    def _variable(self, conversion: int, name: str) -> None:
        content = name.encode()
        self.uses.setdefault(content, []).append((len(self.pieces), _OCTET[EXT_T + conversion]))
        self.pieces.append(_OCTET[EXT_I + conversion] + content + b"\0")

    def _literal(self, name: str, flags: int) -> None:
        content = name.encode()
        self.names[content] = None
        self.pieces.append(_OCTET[LITERAL | flags])
        self.uses.setdefault(content, []).append((len(self.pieces), b""))
        self.pieces.append(b"")
