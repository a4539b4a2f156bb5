"""The decoder: compiled documents (WBXML 1.0 to 1.3; WML, SI and SL) back to their text.

Nothing here may trust a length, an offset or a nesting: everything is checked, and anything broken is a WBXMLError. It
is for people at a terminal, and the tests' oracle; no request passes through it. WAP-192 §5 (structure) and §7
(numbers), WAP-191 §14, WAP-167 §8, WAP-168 §8.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from xml.sax.saxutils import escape

from gateway.wap.wbxml.document_types import BY_NUMBER, BY_ROOT, DATE, WML
from gateway.wap.wbxml.tokens import (
    CHARSETS,
    CONVERSIONS,
    DEPTH_LIMIT,
    END,
    ENTITY,
    EXT_I,
    EXT_T,
    HAS_ATTRIBUTES,
    HAS_CONTENT,
    LITERAL,
    OPAQUE,
    PI,
    PUBLIC_ID_IN_TABLE,
    PUBLIC_ID_UNKNOWN,
    STR_I,
    STR_T,
    SWITCH_PAGE,
    UTF_8,
    WBXMLError,
)
from gateway.wap.wbxml.wml_parser import is_name

#: Octets of a deck. The largest limit of any phone known here is 357,000.
INPUT_LIMIT: Final = 1 << 20
#: Characters read and written for one deck: a string of the table can be referenced again and again.
OUTPUT_LIMIT: Final = 1 << 23
#: Octets of a multi-byte integer: mb_u_int32 (WAP-192 §5.1).
_INTEGER_LIMIT: Final = 5

_CONVERSION_NAMES: Final = {number: name for name, number in CONVERSIONS.items()}
_VARIABLE_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_DIGITS: Final = re.compile(r"(....)(..)(..)(..)(..)(..)")
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_IN_TEXT: Final = {"\r": "&#13;"}
_IN_ATTRIBUTE: Final = {'"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}


def decode(octets: bytes) -> str:
    """Write a compiled document as text; raise WBXMLError, with the offset where reading stopped, if it is invalid."""
    if len(octets) > INPUT_LIMIT:
        raise WBXMLError(f"more than {INPUT_LIMIT} octets", offset=INPUT_LIMIT)
    decoder = _Decoder(octets)
    try:
        return decoder.document()
    except WBXMLError as error:
        raise WBXMLError(error.reason, offset=decoder.at) from None


class _Decoder:
    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self.at = 0
        self._out: list[str] = []
        self._written = 0
        self._table = b""
        self._codec, self._unit = CHARSETS[UTF_8]
        self._doctype = WML

    def document(self) -> str:
        public_id = self._header()
        self._write('<?xml version="1.0"?>\n')
        if public_id:
            doctype = self._doctype
            self._write(f'<!DOCTYPE {doctype.root} PUBLIC "{public_id}" "{doctype.system_ids[public_id]}">\n')
        self._instructions()
        self._elements()
        self._instructions()
        if self.at != len(self._octets):
            raise WBXMLError("octets after the end")
        return "".join(self._out)

    def _header(self) -> str:
        version = self._octet()
        if version > 0x03:
            raise WBXMLError(f"WBXML version {(version >> 4) + 1}.{version & 15}")
        number = self._integer()
        index = self._integer() if number == PUBLIC_ID_IN_TABLE else 0
        if version:  # WBXML 1.0 has no charset
            charset = self._integer() or UTF_8
            if charset not in CHARSETS:
                raise WBXMLError(f"charset {charset}")
            self._codec, self._unit = CHARSETS[charset]
        self._table = self._take(self._integer())
        if number == PUBLIC_ID_UNKNOWN:
            return ""
        public_id, doctype = BY_NUMBER.get(number, ("", None))
        if number == PUBLIC_ID_IN_TABLE:
            public_id = self._from_table(index)
            found = (one for one in BY_ROOT.values() if public_id in one.public_ids)
            doctype = next(found, None)
        if doctype is None:
            raise WBXMLError(f"no public identifier of WML 1.1 to 1.3, SI or SL: {number}")
        self._doctype = doctype
        return public_id

    def _instructions(self) -> None:
        while self.at < len(self._octets) and self._octets[self.at] == PI:
            self.at += 1
            self._instruction()

    def _instruction(self) -> None:
        """Read and discard a processing instruction."""
        self._attribute_start(self._octet())
        while (token := self._octet()) != END:
            self._attribute_value(token, "")

    def _elements(self) -> None:
        """Read the root element with its content."""
        tags: list[str] = []
        while (token := self._octet()) == SWITCH_PAGE:
            self._switch_page()
        self._element(token, tags)
        while tags:
            token = self._octet()
            if token == END:
                self._write(f"</{tags.pop()}>")
            elif token == PI:
                self._instruction()
            elif token == SWITCH_PAGE:
                self._switch_page()
            elif (text := self._text(token, "")) is not None:
                self._write(escape(text, _IN_TEXT))
            else:
                self._element(token, tags)

    def _element(self, token: int, tags: list[str]) -> None:
        """Read a start tag with its attributes; put it on the stack if it has content."""
        identity = token & ~(HAS_ATTRIBUTES | HAS_CONTENT)
        name = self._name() if identity == LITERAL else self._doctype.tag_names.get(identity)
        if name is None:
            raise WBXMLError(f"unknown tag {token:#04x}")
        self._write(f"<{name}")
        if token & HAS_ATTRIBUTES:
            for attribute, value in self._attributes().items():
                self._write(f' {attribute}="{escape(value, _IN_ATTRIBUTE)}"')
        if not token & HAS_CONTENT:
            self._write("/>")
            return
        self._write(">")
        tags.append(name)
        if len(tags) > DEPTH_LIMIT:
            raise WBXMLError(f"more than {DEPTH_LIMIT} elements within each other")

    def _attributes(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        token = self._octet()
        while token != END:
            if token == SWITCH_PAGE:
                self._switch_page()
                token = self._octet()
                continue
            name, value = self._attribute_start(token)
            if name in found:
                raise WBXMLError(f"attribute {name} twice")
            parts = [value]
            while (token := self._octet()) != END and (token >= 0x80 or token in _STRINGS):
                dated = token == OPAQUE and name in self._doctype.dates
                parts.append(self._date() if dated else self._attribute_value(token, name))
            found[name] = "".join(parts)
            if name in self._doctype.dates and not DATE.fullmatch(found[name]):
                raise WBXMLError("no date")
        return found

    def _attribute_start(self, token: int) -> tuple[str, str]:
        if token == LITERAL:
            return self._name(), ""
        start = self._doctype.start_names.get(token)
        if start is None:
            raise WBXMLError(f"unknown attribute {token:#04x}")
        return start

    def _attribute_value(self, token: int, name: str) -> str:
        value = self._doctype.value_names.get(token)
        text = self._text(token, name) if value is None else value
        if text is None:
            raise WBXMLError(f"unknown attribute value {token:#04x}")
        return text

    def _text(self, token: int, attribute: str) -> str | None:
        """Read a token for characters, and write it as WML; None for any other token."""
        if token == STR_I:
            return self._checked(self._inline())
        if token == STR_T:
            return self._checked(self._from_table(self._integer()))
        if token == ENTITY:
            number = self._integer()
            return self._checked(chr(number) if number <= 0x10FFFF else "\0")
        if token == OPAQUE:
            return self._checked(self._characters(self._take(self._integer())))
        if not self._doctype.variables:
            return None
        if EXT_I <= token <= EXT_I + 2:
            return self._variable(token - EXT_I, self._inline(), attribute)
        if EXT_T <= token <= EXT_T + 2:
            return self._variable(token - EXT_T, self._from_table(self._integer()), attribute)
        return None

    def _date(self) -> str:
        """Read a date from its digits. WAP-167 §8.2.2."""
        digits = self._take(self._integer()).hex().ljust(len("YYYYMMDDhhmmss"), "0")
        return _DIGITS.sub(r"\1-\2-\3T\4:\5:\6Z", digits)

    def _variable(self, conversion: int, name: str, attribute: str) -> str:
        if not _VARIABLE_NAME.match(name):
            raise WBXMLError(f"no name of a variable: {name[:40]!r}")
        default = "escape" if attribute in self._doctype.urls else "noesc"
        said = _CONVERSION_NAMES[conversion]
        return f"$({name})" if said == default else f"$({name}:{said})"

    def _name(self) -> str:
        name = self._from_table(self._integer())
        if not is_name(name):
            raise WBXMLError(f"no name: {name[:40]!r}")
        return name

    def _switch_page(self) -> None:
        if self._octet() != 0:
            raise WBXMLError("there is one code page")

    def _inline(self) -> str:
        octets = _terminated(self._octets, self.at, self._unit)
        self.at += len(octets) + self._unit
        return self._characters(octets)

    def _from_table(self, index: int) -> str:
        return self._characters(_terminated(self._table, index, self._unit))

    def _characters(self, octets: bytes) -> str:
        self._count(len(octets))
        try:
            return octets.decode(self._codec)
        except UnicodeDecodeError as error:
            raise WBXMLError(f"text is not {self._codec}: {error.reason}") from None

    def _checked(self, text: str) -> str:
        if _NO_XML.search(text):
            raise WBXMLError("a character that XML cannot say")
        return text.replace("$", "$$") if self._doctype.variables else text

    def _integer(self) -> int:
        number = 0
        for _ in range(_INTEGER_LIMIT):
            octet = self._octet()
            number = number << 7 | octet & 0x7F
            if octet < 0x80:
                return number
        raise WBXMLError("an integer without end")

    def _octet(self) -> int:
        if self.at >= len(self._octets):
            raise WBXMLError("cut off")
        self.at += 1
        return self._octets[self.at - 1]

    def _take(self, length: int) -> bytes:
        octets = self._octets[self.at : self.at + length]
        if len(octets) < length:
            raise WBXMLError("cut off")
        self.at += length
        return octets

    def _write(self, text: str) -> None:
        self._count(len(text))
        self._out.append(text)

    def _count(self, length: int) -> None:
        self._written += length
        if self._written > OUTPUT_LIMIT:
            raise WBXMLError(f"more than {OUTPUT_LIMIT} characters")


#: Tokens below 0x80 that can be part of an attribute's value; all others there begin the next attribute.
_STRINGS: Final = frozenset({ENTITY, STR_I, EXT_I, EXT_I + 1, EXT_I + 2})


def _terminated(octets: bytes, start: int, unit: int) -> bytes:
    """Return the octets from `start` to the terminator of `unit` zero octets."""
    end = octets.find(bytes(unit), start)
    while end >= 0 and (end - start) % unit:
        end = octets.find(bytes(unit), end + 1)
    if end < 0 or start > len(octets):
        raise WBXMLError("a string without end")
    return octets[start:end]
