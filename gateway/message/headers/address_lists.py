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
        self.before = 0  # tokens of the phrase before the angle brackets

    def add(self, token: bytes, spec: bytes | None = None) -> None:
        """Take a token of the phrase or, inside angle brackets, of the addr-spec, written `spec`."""
        if self.angle is not None and not self.closed:
            self.angle.append(spec or token)
        else:
            if self.local and token.startswith(b"@"):
                self.phrase.pop()
                self.angle, self.closed, self.before = [self.local, token], True, len(self.phrase)
            else:
                self.phrase.append(token)
            self.local = spec or b""
            self.plain = spec is None and not token.startswith(b"=?")

    def end(self) -> None:
        """Finish an address; an empty one is dropped. Addresses separated by only a blank are several."""
        if self.angle is None:
            local = len(self.phrase) == 1 and self.plain  # a local mailbox: "postmaster"
            found = _bare(b"".join(self.phrase), local)
        else:
            behind = _bare(b"".join(self.phrase[self.before :]))
            several = bool(behind[0][1])
            name = b"".join(self.phrase[: self.before] if several else self.phrase).strip()
            found = [(name, b"".join(self.angle)), *(behind if several else ())]
        for name, spec in found:
            self._keep(name, spec)
        self._begin()

    def _keep(self, name: bytes, spec: bytes) -> None:
        if not (name or spec or self.comment):
            return
        if len(self.kept) >= self.limit:
            self.more += 1
            return
        address = make(name or self.comment, _spec(spec))
        if address.name or address.spec:
            self.kept.append(address)

    def _open(self) -> None:
        """Begin angle brackets; after closed ones, those of the next address, whose name is between them."""
        if self.angle and self.closed:
            between = self.phrase[self.before :]
            del self.phrase[self.before :]
            self.end()
            self.phrase = between
        self.angle, self.closed, self.before = [], False, len(self.phrase)

    def special(self, sign: bytes) -> None:
        """Handle a special character."""
        inside = self.angle is not None and not self.closed
        if sign == b"<":
            self._open()
        elif sign == b">":
            self.closed = self.angle is not None
        elif sign == b":":  # end of a source route, of a group's name, or of "mailto"
            if inside:
                self.angle = []
            elif b"@" not in (name := b"".join(self.phrase).strip()):
                if name and name.lower() != b"mailto":
                    self.groups.append((len(self.kept), header_fields.decode(name)))
                self.phrase.clear()
                self.local = b""
        elif not (
            inside and self.angle and self.angle[0].startswith(b"@")
        ):  # else: the commas of a source route
            self.end()


#: One address in the form of nearly all: `Name <spec>`, `"Name" <spec>`, or bare, with nothing ambiguous in it.
_USUAL_SPEC: Final = rb"[^\s\"<>,;:()\[\]@\\=]++@[^\s\"<>,;:()\[\]@\\=]++"
_USUAL: Final = re.compile(
    rb"[ ]*+(?:(?:\"([^\"\\]*+)\"|([^\"<>,;:()\[\]@\\\r\n]*+))[ ]*+<(%b)>|(%b))[ ]*+"
    % (_USUAL_SPEC, _USUAL_SPEC)
)


def parse(value: bytes | str) -> tuple[tuple[Address, ...], int]:
    """Parse an address list: the first ADDRESS_LIMIT with groups flattened, and how many more there are."""
    octets = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else bytes(value)
    if not octets:
        return (), 0
    if len(octets) <= header_fields.FIELD_LIMIT and (usual := _USUAL.fullmatch(octets)):
        quoted, name, spec, bare = usual.groups()
        return (make((quoted or name or b"").strip(), _spec(spec or bare)),), 0
    found = parse_groups(octets, ADDRESS_LIMIT)
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
    comments = quotes = True  # until one is not closed: from then on its sign is literal
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


_AROUND_AT: Final = re.compile(rb"(?<!\s)\s+(?=@)|(?<=@)\s+")
_ENCODED: Final = re.compile(rb"=\?[^?\s]{1,60}\?[bBqQ]\?[^?]{0,1000}\?=")


def _bare(phrase: bytes, local: bool = False) -> list[tuple[bytes, bytes]]:
    """Split words without angle brackets into addresses, each as display name and addr-spec.

    Words without an address are a name, or, if `local`, the name of a mailbox.
    """
    if b"@" not in _ENCODED.sub(b"", phrase):  # what an encoded word contains is found by `make`
        return [(b"", phrase.strip()) if local else (phrase.strip(), b"")]
    found: list[tuple[bytes, bytes]] = []
    name: list[bytes] = []
    for word in _AROUND_AT.sub(b"", phrase).split():
        if b"@" in word:
            found.append((b" ".join(name), word.strip(b",;")))
            name = []
        else:
            name.append(word)
    rest = b" ".join(name)
    if rest and len(found) == 1:
        return [(b" ".join((found[0][0], rest)).strip(), found[0][1])]
    return found + ([(rest, b"")] if rest else [])


#: White space that is allowed in an addr-spec (RFC 5322 §4.4, obs-local-part, obs-domain), or where it was folded.
_FOLDED: Final = re.compile(r"(?<!\s)\s+(?=[.@])|(?<=[.@])\s+")


def _spec(octets: bytes) -> str:
    text = header_fields.decode(octets)
    return text if '"' in text else _FOLDED.sub("", text).strip()


_WHOLE: Final = re.compile(r"([^<>]*)<\s*([^<>\s]+)\s*>")


def make(name: bytes | str, spec: str) -> Address:
    """Make an address from an addr-spec and a raw display name, which is decoded.

    QUIRK: some programs quote or encode all of `Name <address>`, or an address, as if it were a name.
    """
    shown = header_fields.decode(name)
    if "<" in spec or not spec:
        whole = _WHOLE.fullmatch(f"{shown} {spec}".strip())
        if whole is not None and valid(whole[2]):
            shown, spec = whole[1].strip(' "'), whole[2]
        elif not spec and valid(shown):
            shown, spec = "", shown
    if len(shown) > 1 and shown[0] == shown[-1] == "'":  # QUIRK: Outlook puts apostrophes around addresses
        shown = shown[1:-1].strip()
    return Address("" if shown == spec else shown, spec)


def parse_typed(text: str) -> tuple[list[Address], list[str]]:
    """Parse what a person typed: the addresses that can be sent to, and the text that is not an address."""
    good: list[Address] = []
    bad: list[str] = []
    found, more = parse(text.replace("\r", ",").replace("\n", ","))
    for address in found:
        if valid(address.spec) and _names_another(address):
            bad.append(f"{address.name} <{address.spec}>")
        elif valid(address.spec):
            good.append(address)
        else:
            bad.append(address.spec or address.name)
    if more:
        bad.append(f"+{more}")
    return unique(good), bad


def _names_another(address: Address) -> bool:
    """Return whether the name contains another address: then nobody knows which one is meant."""
    words = (word.strip("<>,;") for word in address.name.split())
    return any(valid(word) and word.lower() != address.spec.lower() for word in words)


_LOCAL: Final = r'(?:[^\s"@()<>\[\]:;,\\\x00-\x1f\x7f]+|"(?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])*+")'
_DOMAIN: Final = r"(?:\[[0-9A-Za-z.:-]+\]|[^\W_](?:[\w-]*[^\W_])?(?:\.[^\W_](?:[\w-]*[^\W_])?)*\.?)"
_VALID: Final = re.compile(f"{_LOCAL}@{_DOMAIN}")


def valid(spec: str) -> bool:
    """Return whether an addr-spec is well formed for sending (RFC 5321 §4.1.2, RFC 6531)."""
    return len(spec.encode("utf-8", "replace")) <= 254 and _VALID.fullmatch(spec) is not None


def unique(found: Iterable[Address]) -> list[Address]:
    """Drop duplicates by addr-spec, ignoring case."""
    out: dict[str, Address] = {}
    for address in found:
        if address.spec:
            out.setdefault(address.spec.lower(), address)
    return list(out.values())


def sendable(found: Iterable[Address]) -> tuple[Address, ...]:
    """Return those that can be sent to, each once."""
    return tuple(unique(one for one in found if valid(one.spec)))


def mailbox_of(spec: str) -> str:
    """Return the address of a mailbox in one case, and without a plus sign and what follows it (RFC 5233)."""
    local, at, domain = spec.casefold().rpartition("@")
    return (local.partition("+")[0] or local) + at + domain
