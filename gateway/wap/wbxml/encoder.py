"""The encoder: the text of a WML deck, a Service Indication or a Service Loading to WBXML octets.

Nothing here may lose what a person would read. The document must be well-formed; it is not validated: what is not
in the tables is written as literals. White space is collapsed, and dropped beside block elements, by WAP-191
§11.8.1; between inline elements one space stays, or words would run together. Comments and processing
instructions are dropped. WAP-192 §5 and §6, WAP-191 §14, WAP-167 §8, WAP-168 §8.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.wap.wbxml.document_types import BY_ROOT, DATE, WML
from gateway.wap.wbxml.string_table import OCTET, Body, multibyte, string_piece, variable_piece
from gateway.wap.wbxml.tokens import (
    CHARSETS,
    CONVERSIONS,
    DEPTH_LIMIT,
    END,
    ENTITY,
    HAS_ATTRIBUTES,
    HAS_CONTENT,
    LITERAL,
    OPAQUE,
    UTF_8,
    VERSIONS,
    WBXMLError,
)
from gateway.wap.wbxml.wml_parser import read, split_variables

BLANKS: Final = " \t\r\n"
_SPACES: Final = re.compile("  +")
_UNEVEN: Final = re.compile("[\t\r\n]|  ")
#: Characters that a charset of single octets does not have.
_BEYOND: Final = {"ascii": re.compile("([^\0-\x7f])"), "iso-8859-1": re.compile("([^\0-\xff])")}
_END: Final = OCTET[END]
_NOESC: Final = CONVERSIONS["noesc"]
_ESCAPE: Final = CONVERSIONS["escape"]


def encode(
    document: str | bytes,
    charset: int = UTF_8,
    *,
    version: str = "1.1",
    room: int | None = None,
    attribute_references: bool = True,
) -> bytes:
    """Compile a document; one without a known document type is written with the first one of its root element.

    `charset`: MIBenum of a charset with single octets as terminators; what is not in it becomes entities, but raises
    WBXMLError in names. `version`: that of WBXML. `room`: octets; if they are enough, no time is spent on a smaller
    encoding. `attribute_references`: attribute values may refer to the string table.
    """
    codec, unit = CHARSETS[charset]
    if unit != 1:
        raise ValueError(f"charset {charset} ends strings with {unit} octets")
    compiler = Compiler(codec=codec)
    public_id = read(document, compiler).public_id
    ids = compiler.doctype.public_ids
    header = bytes((VERSIONS[version], ids.get(public_id, next(iter(ids.values()))))) + multibyte(charset)
    body = compiler.body
    try:
        octets = header + body.with_wholes(attribute_references)
        if room is not None and len(octets) <= room:
            return octets
        return min(
            (octets, *(header + found for found in body.with_substrings(attribute_references))), key=len
        )
    except UnicodeEncodeError as error:
        raise WBXMLError(f"a name is not {codec}: {error.object[:40]!r}") from None


def is_even(text: str) -> bool:
    """Return whether every blank is a single space, as it is in most texts."""
    return _UNEVEN.search(text) is None


def spaced(text: str) -> str:
    """Write every blank as a space."""
    return text.replace("\t", " ").replace("\r", " ").replace("\n", " ")


class Compiler:
    """Takes the events of `wml_parser` and writes the body. The document type is that of the root element."""

    def __init__(self, *, bare: bool = False, codec: str = "utf-8") -> None:
        """Begin a document, or with `bare` content of a deck in an unknown context: its outer white space stays."""
        self.doctype = WML
        self.body = Body(codec, WML.values)
        self._pieces = self.body.pieces
        self._beyond = _BEYOND.get(codec)
        self._open: list[int] = []  # index of each open element's tag; inverted once it has content
        self._preserve: list[bool] = [False]
        self._text = ""
        self._bare = bare
        self._after_block = not bare

    def start(self, tag: str, attributes: list[str]) -> None:
        """Take a start tag."""
        opened = self._open
        if not opened:
            if self._bare:  # the element around a fragment is not part of it
                opened.append(-1)
                return
            self.doctype = BY_ROOT.get(tag, WML)
            self.body.values = self.doctype.values
        block = tag not in self.doctype.inline
        if self._text:
            self._flush(block)
        self._after_block = block
        if opened and opened[-1] >= 0:
            self._mark_content()
        if len(opened) >= DEPTH_LIMIT:
            raise WBXMLError(f"more than {DEPTH_LIMIT} elements within each other")
        opened.append(len(self._pieces))
        flags = HAS_ATTRIBUTES if attributes else 0
        token = self.doctype.tags.get(tag)
        if token is not None:
            self._pieces.append(OCTET[token | flags])
        else:
            self._literal(tag, flags)
        preserve = tag == "pre" or self._preserve[-1]
        for name, value in zip(attributes[::2], attributes[1::2], strict=True):
            if name == "xml:space":
                preserve = value == "preserve"
            self._attribute(name, value)
        if attributes:
            self._pieces.append(_END)
        self._preserve.append(preserve)

    def end(self, tag: str) -> None:
        """Take an end tag."""
        around = self._bare and len(self._open) == 1
        block = tag not in self.doctype.inline and not around
        if self._text:
            self._flush(block)
        self._after_block = block
        self._preserve.pop()
        if self._open.pop() < 0 and not around:
            self._pieces.append(_END)

    def text(self, data: str) -> None:
        """Take text, which may come in several parts."""
        self._text += data

    def _mark_content(self) -> None:
        index = self._open[-1]
        self._pieces[index] = OCTET[self._pieces[index][0] | HAS_CONTENT]
        self._open[-1] = ~index

    def _flush(self, before_block: bool) -> None:
        text, self._text = self._text, ""
        if not self._preserve[-1]:
            if not is_even(text):
                text = _SPACES.sub(" ", spaced(text))
            if self._after_block:
                text = text.lstrip(" ")
            if before_block:
                text = text.rstrip(" ")
            if not text:
                return
        if self._open[-1] >= 0:
            self._mark_content()
        self._said(text, _NOESC, in_attribute=False)

    def _attribute(self, name: str, value: str) -> None:
        doctype = self.doctype
        token = doctype.starts.get((name, value))
        if token is not None and name not in doctype.dates:
            self._pieces.append(OCTET[token])
            return
        for prefix, token in doctype.starts_by_name.get(name, ()):
            if value.startswith(prefix):
                self._pieces.append(OCTET[token])
                value = value[len(prefix) :]
                break
        else:
            self._literal(name, 0)
        if name in doctype.dates:
            self._date(value)
        else:
            self._said(value, _ESCAPE if name in doctype.urls else _NOESC, in_attribute=True)

    def _date(self, value: str) -> None:
        """Write a date as its digits, two an octet, without zeros at the end. WAP-167 §8.2.2."""
        if not DATE.fullmatch(value):
            raise WBXMLError(f"no date like 1999-04-30T06:40:00Z: {value[:40]!r}")
        octets = bytes.fromhex("".join(filter(str.isdigit, value))).rstrip(b"\0")
        self._pieces.append(OCTET[OPAQUE] + multibyte(len(octets)) + octets)

    def _said(self, text: str, conversion: int, *, in_attribute: bool) -> None:
        """Write text with its variables."""
        if "$" not in text or not self.doctype.variables:
            self._characters(text, in_attribute)
            return
        for part in split_variables(text, conversion):
            if isinstance(part, str):
                self._characters(part, in_attribute)
            else:
                self.body.variables.append((len(self._pieces), *part))
                self._pieces.append(variable_piece(*part))

    def _characters(self, text: str, in_attribute: bool) -> None:
        """Write characters, as entities if the charset does not have them."""
        if self._beyond is None or text.isascii():
            self._string(text, in_attribute)
            return
        for at, part in enumerate(self._beyond.split(text)):
            if at % 2:
                self._pieces.append(OCTET[ENTITY] + multibyte(ord(part)))
            else:
                self._string(part, in_attribute)

    def _string(self, text: str, in_attribute: bool) -> None:
        if not text:
            return
        self.body.strings.append((len(self._pieces), text, in_attribute))
        codec = self.body.codec
        self._pieces.append(self._value(text, codec) if in_attribute else string_piece(text, codec))

    def _value(self, value: str, codec: str) -> bytes:
        """Write a value without the string table, with attribute value tokens where they save octets."""
        parts = self.doctype.value_pattern.split(value)
        if len(parts) == 1:
            return string_piece(value, codec)
        octets, text = b"", ""
        for at, part in enumerate(parts):
            token = (
                at % 2
                and len(part) - 1 + 2 * (not text) + 2 * (at == len(parts) - 2 and not parts[-1]) - 2 > 0
            )
            if not token:
                text += part
                continue
            octets += (string_piece(text, codec) if text else b"") + OCTET[self.doctype.values[part]]
            text = ""
        return octets + (string_piece(text, codec) if text else b"")

    def _literal(self, name: str, flags: int) -> None:
        self._pieces.append(OCTET[LITERAL | flags])
        self.body.names.append((len(self._pieces), name))
        self._pieces.append(b"")
