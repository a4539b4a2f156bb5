"""Parses the text of documents into events, and splits text at its variables.

Nothing here may fetch anything or expand an entity other than XML's own five and WML's two: a deck with an
internal subset is refused, an external one is never read. XML 1.0; WAP-191 §10.3 (variables).
"""

from __future__ import annotations

import codecs
import re
from typing import Final, NamedTuple, Protocol
from xml.parsers import expat

from gateway.wap.wbxml.tokens import CONVERSIONS, WBXMLError

#: Declared by the DTDs of WML in addition to XML's five. WAP-191 §13.2.
_ENTITIES: Final = b'<!ENTITY nbsp "&#160;"><!ENTITY shy "&#173;">'
_OTHER_ENTITY: Final = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);|#)")
_UNHEARD_ENTITY: Final = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|nbsp|shy);|#)")

_ASCII_NAME: Final = re.compile(r"[A-Za-z_:][A-Za-z0-9_:.\-]*\Z")
_NOT_IN_NAMES: Final = re.compile(r"[\0-,/;-@\[-^`{-\x7f]")

_VARIABLE: Final = re.compile(
    r"\$(?:(?P<dollar>\$)"
    r"|\((?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::(?P<conversion>[A-Za-z]+))?\)"
    r"|(?P<bare>[A-Za-z_][A-Za-z0-9_]*))"
)
#: All spellings, abbreviations included, which WAP-191 §10.3.1 calls deprecated.
_CONVERSIONS: Final = (
    CONVERSIONS
    | {name[0]: number for name, number in CONVERSIONS.items()}
    | {"unescape": CONVERSIONS["unesc"]}  # QUIRK: WAP-191 has `unesc`, books and toolkits the whole word.
)


class WmlHandler(Protocol):
    """A handler of the events. `attributes` alternates names and values, in source order."""

    def start(self, tag: str, attributes: list[str]) -> None: ...

    def end(self, tag: str) -> None: ...

    def text(self, data: str) -> None: ...


class Prolog(NamedTuple):
    """What precedes the root element; '' for what is missing."""

    encoding: str
    public_id: str


def read(source: str | bytes, reader: WmlHandler, *, plain: bool = False) -> Prolog:
    """Send the events of a deck to a handler and return its prolog.

    With `plain`, comments, processing instructions and CDATA sections are errors.
    """
    prolog = Prolog("", "")

    def declaration(_version: str, encoding: str | None, _standalone: int) -> None:
        nonlocal prolog
        prolog = Prolog(encoding or "", "")

    def doctype(_name: str, _system: str | None, public_id: str | None, internal: bool) -> None:
        nonlocal prolog
        if internal:
            raise WBXMLError("a deck may have no internal subset")
        prolog = prolog._replace(public_id=public_id or "")

    data, parser = _prepare(source, reader, plain)
    parser.XmlDeclHandler = declaration
    parser.StartDoctypeDeclHandler = doctype
    _run(parser, data)
    return prolog


def read_fragment(markup: str, reader: WmlHandler, *, plain: bool = False) -> None:
    """Send the events of some content to a handler, inside one element that is not part of it."""
    data, parser = _prepare(markup, reader, plain)
    _run(parser, b"<x>%b</x>" % data)


def is_name(text: str) -> bool:
    """Return whether a text can be the name of an element or attribute (XML 1.0 §2.3)."""
    if _ASCII_NAME.match(text):
        return True
    if text.isascii() or _NOT_IN_NAMES.search(text):
        return False
    try:
        expat.ParserCreate("utf-8").Parse(f"<{text}/>".encode(), True)
    except (expat.ExpatError, UnicodeError):
        return False
    return True


def _prepare(source: str | bytes, reader: WmlHandler, plain: bool) -> tuple[bytes, expat.XMLParserType]:
    try:
        if isinstance(source, str):
            data, parser = source.encode(), expat.ParserCreate("utf-8")
        elif source[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            data, parser = source.decode("utf-16").encode(), expat.ParserCreate("utf-8")
        else:
            data, parser = source, expat.ParserCreate()
    except UnicodeError as error:
        raise WBXMLError(f"a lone surrogate: {error}") from None
    parser.buffer_text = True
    parser.ordered_attributes = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    if plain:
        parser.CommentHandler = _refuse
        parser.ProcessingInstructionHandler = _refuse
        parser.StartCdataSectionHandler = _refuse
    if _OTHER_ENTITY.search(data):
        _declare_entities(parser, data)
    return data, parser


def _refuse(*_what: str) -> None:
    raise WBXMLError("neither a tag nor text")


def _declare_entities(parser: expat.XMLParserType, data: bytes) -> None:
    """Stand in for the external subset.

    Entities that WML does not have are refused: expat would silently omit them.
    """
    unheard = _UNHEARD_ENTITY.search(data)
    if unheard is not None:
        raise WBXMLError("unknown entity", data.count(b"\n", 0, unheard.start()) + 1)

    def external(context: str, *_ids: object) -> int:
        parser.ExternalEntityParserCreate(context).Parse(_ENTITIES, True)
        return 1

    parser.UseForeignDTD(True)
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_ALWAYS)
    parser.ExternalEntityRefHandler = external


def _run(parser: expat.XMLParserType, data: bytes) -> None:
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise WBXMLError(expat.ErrorString(error.code), error.lineno) from None
    except WBXMLError as error:
        raise WBXMLError(error.reason, parser.CurrentLineNumber) from None
    except (
        LookupError,
        ValueError,
    ) as error:  # a declared encoding that Python does not know or expat cannot use
        raise WBXMLError(f"encoding: {error}", parser.CurrentLineNumber) from None


def split_variables(text: str, default: int) -> list[str | tuple[int, str]]:
    """Split text at its variables into strings and (conversion, name); `$$` becomes `$` in a string."""
    parts: list[str | tuple[int, str]] = []
    literal, at = "", 0
    while (dollar := text.find("$", at)) >= 0:
        literal += text[at:dollar]
        match = _VARIABLE.match(text, dollar)
        if match is None:
            raise WBXMLError("a `$` that begins no variable (`$$` is a dollar sign)")
        at = match.end()
        if match["dollar"]:
            literal += "$"
            continue
        conversion = default
        if match["conversion"]:
            found = _CONVERSIONS.get(match["conversion"].lower())
            if found is None:
                raise WBXMLError(f"unknown conversion of a variable: {match['conversion']}")
            conversion = found
        if literal:
            parts.append(literal)
        parts.append((conversion, match["name"] or match["bare"]))
        literal = ""
    literal += text[at:]
    if literal:
        parts.append(literal)
    return parts
