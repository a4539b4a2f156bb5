"""Measures what a piece of a deck takes in each of three compilers, except for their string tables.

Nothing here may know the deck around the piece. The behaviour of Kannel 1.4.5 and libwbxml 0.11 is as
observed; `sizes` describes it, and adds up what is collected here.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final, NamedTuple

from gateway.wap.wbxml.document_types import WML
from gateway.wap.wbxml.encoder import BLANKS, Compiler, is_even, spaced
from gateway.wap.wbxml.string_table import LARGEST_REFERENCE
from gateway.wap.wbxml.tokens import ATTRIBUTE_VALUES, TAGS
from gateway.wap.wbxml.wml_parser import split_variables

#: Strings and words of at most this many octets stay out of the string table.
KANNEL_MINIMUM: Final = 4
LIBWBXML_MINIMUM: Final = 3

_VALUE_TOKEN: Final = re.compile("|".join(map(re.escape, [*ATTRIBUTE_VALUES, "Www."])))
_MANY_SPACES: Final = re.compile("   +")
#: Octets that Kannel leaves out at the ends of what it counts: all but letters and digits of ASCII.
_OUTER: Final = bytes(octet for octet in range(256) if octet > 127 or not chr(octet).isalnum())
_KANNEL_TAGS: Final = frozenset(TAGS) - {"pre"}
_EMPHASIS: Final = frozenset({"em", "strong", "b", "i", "u", "big", "small"})
#: Both parse with namespaces, then look for the name without `xml:`, or with this prefix, and find none.
_XML: Final = "http://www.w3.org/XML/1998/namespace"


class Share(NamedTuple):
    """What a piece of a deck takes with one of the other compilers.

    `fixed`: octets in any case. `names`: strings written by reference only, one for each reference. `said`:
    texts that are inline unless parts of them are in the table. `counted`: texts that the table is built
    from.
    """

    fixed: int
    names: tuple[bytes, ...]
    said: tuple[bytes, ...]
    counted: tuple[bytes, ...]

    def inline(self) -> int:
        """Return the octets of this piece alone, if no text occurs twice."""
        return self.spelled() + named(self.names)

    def spelled(self) -> int:
        """Return the octets of this piece without its names, if no text occurs twice."""
        return self.fixed + sum(map(len, self.said)) + 2 * len(self.said)


def named(names: Collection[bytes]) -> int:
    """Return the most octets that names take: once in the table, and a reference each."""
    if not names:
        return 0
    return sum(len(name) + 1 for name in set(names)) + LARGEST_REFERENCE * len(names)


class Measure(NamedTuple):
    """The sizes of a piece of a deck; those of consecutive pieces make that of the whole."""

    own: int
    kannel: Share
    libwbxml: Share
    latin: bool = False  # declared to be ISO-8859-1, which Kannel compiles differently


class _Sheet:
    """Collects one Share."""

    __slots__ = ("counted", "fixed", "names", "said")

    def __init__(self) -> None:
        self.fixed = 0
        self.names: list[bytes] = []
        self.said: list[bytes] = []
        self.counted: list[bytes] = []

    def share(self) -> Share:
        return Share(self.fixed, tuple(self.names), tuple(self.said), tuple(self.counted))


class Meter:
    """Takes the events of `wml_parser` for all three compilers at once."""

    def __init__(self, *, bare: bool = False) -> None:
        """Begin a deck, or with `bare` content in an unknown context."""
        self._own = Compiler(bare=bare)
        self._bare = bare
        self._kannel = _Sheet()
        self._libwbxml = _Sheet()
        self._text = ""
        self._filled: list[bool] = []  # for each open element: whether it has content
        self._before = ""  # the preceding sibling element

    def measure(self) -> Measure:
        """Return the sizes of what was read."""
        return Measure(self._own.body.size(), self._kannel.share(), self._libwbxml.share())

    def start(self, tag: str, attributes: list[str]) -> None:
        """Take a start tag."""
        self._own.start(tag, attributes)
        if self._text:
            self._flush(tag)
        if not self._filled and self._bare:
            self._filled.append(True)
            return
        if self._filled:
            self._filled[-1] = True
        self._filled.append(False)
        self._before = ""
        ends = 1 if attributes else 0
        for sheet, tags in ((self._kannel, _KANNEL_TAGS), (self._libwbxml, TAGS)):
            sheet.fixed += 1 + ends
            if tag not in tags:
                sheet.names.append(tag.encode())
        for name, value in zip(attributes[::2], attributes[1::2], strict=True):
            self._attribute(name, value)

    def end(self, tag: str) -> None:
        """Take an end tag."""
        self._own.end(tag)
        if self._text:
            self._flush("")
        if self._filled.pop() and (self._filled or not self._bare):
            self._kannel.fixed += 1
            self._libwbxml.fixed += 1
        self._before = tag

    def text(self, data: str) -> None:
        """Take text, which may come in several parts."""
        self._own.text(data)
        self._text += data

    def _flush(self, after: str) -> None:
        text, self._text = self._text, ""
        self._filled[-1] = True
        content = text.encode()
        stripped = text.strip(BLANKS)
        if stripped:
            self._libwbxml.said.append(content if stripped == text else stripped.encode())
            if len(content) > LIBWBXML_MINIMUM:
                self._libwbxml.counted.append(content)
        shrunk = _shrunk(text)
        self._kannel_counts(shrunk)
        if self._before not in _EMPHASIS and after not in _EMPHASIS:
            shrunk = stripped if shrunk == text else shrunk.strip(BLANKS)
        if shrunk:
            self._kannel_says(shrunk)

    def _kannel_counts(self, text: str) -> None:
        content = text.encode().strip(_OUTER)
        if len(content) > KANNEL_MINIMUM:
            self._kannel.counted.append(content)

    def _kannel_says(self, text: str) -> None:
        if "$" not in text:
            self._kannel.said.append(text.encode())
            return
        for part in split_variables(text, 0):
            if isinstance(part, str):
                self._kannel.said.append(part.encode())
            else:
                self._kannel.fixed += 1
                self._kannel.names.append(part[1].encode())

    def _attribute(self, name: str, value: str) -> None:
        self._kannel_counts(_shrunk(value))
        self._kannel.fixed += 1
        self._libwbxml.fixed += 1
        rest = value
        if name.startswith("xml:"):
            self._kannel.names.append(name[4:].encode())
            self._libwbxml.names.append(f"{_XML}|{name[4:]}".encode())
        else:
            for prefix, _token in WML.starts_by_name.get(name, ()):
                if value.startswith(prefix):
                    rest = value[len(prefix) :]
                    break
            else:
                self._kannel.names.append(name.encode())
                self._libwbxml.names.append(name.encode())
        if rest:
            self._libwbxml_value(rest, counted=rest == value)
        if "$" in rest:
            self._kannel_says(rest)
        elif _VALUE_TOKEN.search(rest):
            self._kannel.fixed += len(rest.encode()) + 2
        elif rest:
            self._kannel.said.append(rest.encode())

    def _libwbxml_value(self, value: str, *, counted: bool) -> None:
        content = value.encode()
        if _VALUE_TOKEN.search(value):
            # Tokens never take more than the text they stand for, but a reference to 4 octets may, by one.
            self._libwbxml.fixed += len(content) + 2 + len(content) // (LIBWBXML_MINIMUM + 2)
            return
        self._libwbxml.said.append(content)
        if counted and len(content) > LIBWBXML_MINIMUM:
            self._libwbxml.counted.append(content)


#: Text that every compiler writes as it is, and an address that may be: no tag, reference, variable or blank at an end.
_TEXT: Final = "((?! )[^<>&$\0-\x1f\ud800-\udfff\ufffe\uffff]+(?<! ))"
_ADDRESS: Final = "([!#%'-;=?-~]+)"
_PARAGRAPH: Final = re.compile(f'<p>(?:{_TEXT}|<b>{_TEXT}</b>|<a href="{_ADDRESS}">{_TEXT}</a>)</p>')


def paragraph(markup: str) -> Measure | None:
    """Measure some content if it is one paragraph with one text, plain, bold or a link, as most content is.

    That takes a fifth of the function calls that parsing it would.
    """
    found = _PARAGRAPH.fullmatch(markup)
    if found is None or not is_even(markup):
        return None
    plain, bold, address, link = found.groups()
    if address and _VALUE_TOKEN.search(address):
        return None
    # Start and end of each element, and if it has an attribute, that attribute's name and end.
    fixed = 2 if plain else 4 if bold else 6
    said = (address.encode(), link.encode()) if address else ((plain or bold).encode(),)
    within = [content.strip(_OUTER) for content in said]
    return Measure(
        fixed + sum(map(len, said)) + 2 * len(said),
        Share(fixed, (), said, tuple([text for text in within if len(text) > KANNEL_MINIMUM])),
        Share(fixed, (), said, tuple([content for content in said if len(content) > LIBWBXML_MINIMUM])),
    )


def _shrunk(text: str) -> str:
    """Write blanks as Kannel does: two stay two."""
    return text if is_even(text) else _MANY_SPACES.sub(" ", spaced(text))
