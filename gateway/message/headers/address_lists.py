"""Address lists: RFC 5322 §3.4, and what is found in the wild.

Nothing here may raise, or take more than linear time: the standard library's parser does both on open
brackets and quotes. Encoded words are decoded after the list is split: a comma inside one does not split it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from gateway.message.headers import header_fields
from gateway.message.model import Address

#: Addresses of one field that are kept; the others are only counted.
ADDRESS_LIMIT: Final = 200

_QUOTED: Final = rb'"(?:[^"\\]++|\\.)*+'
_TOKENS: Final = rb"""
    |(?P<space>[ \t\r\n]++)
    |(?P<atom>=\?[^?\s]{1,60}\?[bBqQ]\?[^?]{0,1000}\?=)  # an encoded word may hold raw specials
    |(?P<literal>\[[^\[\]\s<>]*+\])
    |(?P<special>[<>,;:()])
    |(?P<plain>[^\s"<>,;:()\[]++|.)"""
_TOKEN: Final = re.compile(b"(?P<quote>" + _QUOTED + b")" + _TOKENS, re.VERBOSE | re.DOTALL)
_TOKEN_UNQUOTED: Final = re.compile(b"(?P<quote>(?!))" + _TOKENS, re.VERBOSE | re.DOTALL)
_IN_COMMENT: Final = re.compile(rb"[^()\\]*+(?:\\.|([()])|\Z)", re.DOTALL)
_ESCAPE: Final = re.compile(rb"\\(.)", re.DOTALL)


class _List:
    """The state of the parser: the list so far, and the address being read."""

    def __init__(self, limit: int) -> None:
        self.kept: list[Address] = []
        self.groups: list[tuple[int, str]] = []
        self.more = 0
        self.limit = limit
        self._begin()

    def _begin(self) -> None:
        self.phrase: list[bytes] = []
        self.plain = False  # whether the last token was a bare word
        self.local = b""  # a quoted string directly before an "@"
        self.comment = b""
        self.angle: list[bytes] | None = None
        self.closed = False

    def add(self, token: bytes, spec: bytes | None = None) -> None:
        """Take a token of the phrase or, inside angle brackets, of the addr-spec, written `spec`."""
        if self.angle is not None and not self.closed:
            self.angle.append(spec or token)
        else:
            if self.local and token.startswith(b"@"):
                self.phrase.pop()
                self.angle, self.closed = [self.local, token], True
            else:
                self.phrase.append(token)
            self.local = spec or b""
            self.plain = spec is None and not token.startswith(b"=?")

    def end(self) -> None:
        """Finish an address; an empty one is dropped."""
        phrase = b"".join(self.phrase).strip()
        name, spec = (phrase, b"".join(self.angle)) if self.angle is not None else _bare(phrase)
        if self.angle is None and not spec and len(self.phrase) == 1 and self.plain:
            name, spec = b"", name  # a local mailbox: "postmaster"
        if (name or spec or self.comment) and len(self.kept) >= self.limit:
            self.more += 1
        elif name or spec or self.comment:
            address = make(name or self.comment, _spec(spec))
            if address.name or address.spec:
                self.kept.append(address)
        self._begin()

    def special(self, sign: bytes) -> None:
        """Handle a special character."""
        inside = self.angle is not None and not self.closed
        if sign == b"<":
            self.angle, self.closed = [], False
        elif sign == b">":
            self.closed = self.angle is not None
        elif sign == b":":  # end of a source route, of a group's name, or of "mailto"
            if inside:
                self.angle = []
            elif b"@" not in (name := b"".join(self.phrase).strip()):
                if name and name.lower() != b"mailto":
                    self.groups.append((len(self.kept), header_fields.decode(name)))
                self.phrase.clear()
        elif not (
            inside and self.angle and self.angle[0].startswith(b"@")
        ):  # else: the commas of a source route
            self.end()


def parse(value: bytes | str) -> tuple[tuple[Address, ...], int]:
    """Parse an address list: the first ADDRESS_LIMIT with groups flattened, and how many more there are."""
    found = parse_groups(value, ADDRESS_LIMIT)
    return found.addresses, found.more


class GroupedAddresses(NamedTuple):
    """An address list with its groups: each as the number of addresses before it, and its name."""

    addresses: tuple[Address, ...]
    groups: tuple[tuple[int, str], ...] = ()
    more: int = 0


def parse_groups(value: bytes | str, limit: int) -> GroupedAddresses:
    """Parse an address list with the names of its groups, and at most `limit` addresses."""
    octets = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else bytes(value)
    octets = octets[: header_fields.FIELD_LIMIT]
    out = _List(limit)
    at = 0
    comments = quotes = True  # until one is not closed: from then on the sign is literal
    while match := (_TOKEN if quotes else _TOKEN_UNQUOTED).match(octets, at):
        kind, token, at = match.lastgroup, match.group(), match.end()
        if kind == "quote":
            quotes = octets[at : at + 1] == b'"'
            if quotes:
                out.add(_ESCAPE.sub(rb"\1", token[1:]), token + b'"')
            at = at + 1 if quotes else match.start() + 1
        elif token == b"(":
            end = _comment_end(octets, at) if comments else 0
            comments = comments and end > 0
            if comments:
                out.comment, at = out.comment or octets[at : end - 1], end
        elif kind == "special":
            if token != b")":
                out.special(token)
        else:
            out.add(token)
    out.end()
    return GroupedAddresses(tuple(out.kept), tuple(out.groups), out.more)


def _comment_end(octets: bytes, at: int) -> int:
    """Return the end of a comment that has begun, nested ones included; 0 if it is not closed."""
    depth = 1
    while depth:
        match = _IN_COMMENT.match(octets, at)
        if match is None or (match.end() == len(octets) and match.group(1) is None):
            return 0
        depth += {b"(": 1, b")": -1}.get(match.group(1), 0)
        at = match.end()
    return at


def _bare(phrase: bytes) -> tuple[bytes, bytes]:
    """Split words without angle brackets into display name and addr-spec, if there is one."""
    left, at, right = phrase.rpartition(b"@")
    if not at:
        return phrase, b""
    name, _, local = left.rstrip().rpartition(b" ")
    domain, _, rest = right.lstrip().partition(b" ")
    return b" ".join((name, rest)).strip(), local + at + domain


def _spec(octets: bytes) -> str:
    text = header_fields.decode(octets)
    return "".join(text.split()) if '"' not in text else text


def make(name: bytes | str, spec: str) -> Address:
    """Make an address from an addr-spec and a raw display name, which is decoded."""
    shown = header_fields.decode(name)
    if len(shown) > 1 and shown[0] == shown[-1] == "'":  # QUIRK: Outlook puts apostrophes around addresses
        shown = shown[1:-1].strip()
    return Address("" if shown == spec else shown, spec)


def parse_typed(text: str) -> tuple[list[Address], list[str]]:
    """Parse what a person typed: the addresses that can be sent to, and the text that is none."""
    good: list[Address] = []
    bad: list[str] = []
    found, more = parse(text.replace("\r", ",").replace("\n", ","))
    for address in found:
        if valid(address.spec):
            good.append(address)
        else:
            bad.append(address.spec or address.name)
    if more:
        bad.append(f"+{more}")
    return unique(good), bad


_LOCAL: Final = r'(?:[^\s"@()<>\[\]:;,\\\x00-\x1f\x7f]+|"(?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])*+")'
_DOMAIN: Final = r"(?:\[[0-9A-Za-z.:-]+\]|[^\W_](?:[\w-]*[^\W_])?(?:\.[^\W_](?:[\w-]*[^\W_])?)*\.?)"
_VALID: Final = re.compile(f"{_LOCAL}@{_DOMAIN}")


def valid(spec: str) -> bool:
    """Return whether an addr-spec is well formed for sending (RFC 5321 §4.1.2, RFC 6531)."""
    return len(spec.encode("utf-8", "replace")) <= 254 and _VALID.fullmatch(spec) is not None


def unique(found: Iterable[Address], without: frozenset[str] = frozenset()) -> list[Address]:
    """Drop duplicates by addr-spec, ignoring case, and those whose lower-case addr-spec is in `without`."""
    out: dict[str, Address] = {}
    for address in found:
        key = address.spec.lower()
        if key and key not in without:
            out.setdefault(key, address)
    return list(out.values())
