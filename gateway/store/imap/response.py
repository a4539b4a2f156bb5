"""Parses IMAP responses, and writes the few values that commands need.

Nothing here may do I/O or know a command. A value is None (NIL), an int, bytes (atom, quoted string or
literal) or a tuple of values. Malformed octets raise ImapSyntaxError, and nothing else does.

Standard: RFC 9051 §4 (data formats), §9 (grammar); RFC 3501 for what servers still use of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, TypeAlias

from gateway.errors import UnsafeArgument
from gateway.message.model import MAX_NUMBER as MAX_NUMBER
from gateway.store.server_text import clean as clean
from gateway.store.server_text import safe as safe

Value: TypeAlias = "int | bytes | tuple[Value, ...] | None"

# Nested lists. Dovecot stops at 100 levels of MIME, each of which nests at most two lists.
MAX_DEPTH = 1000

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TOKEN = re.compile(
    rb' *(?:([()])|"((?:[^"\\]++|\\.)*+)"|~?\{(\d+)\}\Z|((?:[^ ()"{\[]++|\[[^\[\]]{0,2000}\]|\[)++))',
    re.DOTALL,
)
# QUIRK: keywords with a quote or a brace in them, and lines that are folded between values: tried where the grammar
# above does not fit.
_LOOSE_TOKEN = re.compile(
    rb'[ \t\r\n]*(?:([()])|"((?:[^"\\]++|\\.)*+)"(?=[ ()\t\r\n]|\Z)|~?\{(\d+)\}\Z'
    rb"|((?:[^ ()\[{\t\r\n]++|\{(?!\d{1,10}\}\Z)|\[[^\[\]]{0,2000}\]|\[)++))",
    re.DOTALL,
)
_ESCAPED = re.compile(rb'\\(["\\])')
_UNTAGGED = re.compile(rb"\* +(?:(\d{1,10}) +)?([A-Za-z][A-Za-z0-9-]*)(?:[ \t]|(?=\()|\Z)")
_CODE = re.compile(rb"\[([A-Za-z0-9-]+)(?: ([^\]]*))?\] ?")
_DATE = re.compile(rb" ?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\Z")
_FLAG = re.compile(r"\\?[^\x00-\x20\x7f-\U0010ffff(){%*\"\\\]]+\Z")
#: The names of responses that lists consist of.
_NAMES: Final = {name.encode(): name for name in ("FETCH", "STATUS", "EXISTS", "LIST")}
ENDINGS = frozenset({"OK", "NO", "BAD"})
GREETINGS = frozenset({"OK", "BYE", "PREAUTH"})
STATUSES = ENDINGS | GREETINGS


class ImapSyntaxError(ValueError):
    """The octets are not an IMAP response."""


@dataclass(frozen=True, slots=True)
class Status:
    """The part after OK, NO, BAD or BYE: a response code, upper case, with its argument, and text."""

    kind: str
    code: str = ""
    argument: bytes = b""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Untagged:
    """One untagged response: its name, the number before it, and the rest, text and literals alternating."""

    kind: str
    number: int = 0
    pieces: Sequence[bytes] = ()

    def values(self) -> tuple[Value, ...]:
        """Parse the rest, or raise ImapSyntaxError."""
        return parse(self.pieces)

    def items(self) -> dict[bytes, Value]:
        """Parse the list of a FETCH or STATUS response into its items, by upper-case name."""
        return pairs(self.values())

    @property
    def status(self) -> Status:
        return status(self.kind, self.pieces[0] if self.pieces else b"")


@dataclass(frozen=True, slots=True)
class CommandResponse:
    """The tagged response of one command and all untagged responses before it.

    `finished` numbers commands that were sent together in the order in which they ended.
    """

    status: Status
    untagged: list[Untagged] = field(default_factory=list)
    finished: int = 0

    @property
    def ok(self) -> bool:
        return self.status.kind == "OK"


def status(kind: str, rest: bytes) -> Status:
    """Split the rest of a status response into its code and its text."""
    rest = rest.lstrip(b" ")
    found = _CODE.match(rest)
    if not found:
        return Status(kind, text=clean(rest))
    return Status(kind, found[1].decode("ascii").upper(), found[2] or b"", clean(rest[found.end() :]))


def untagged(pieces: Sequence[bytes]) -> Untagged:
    """Read "* 12 FETCH (…" or "* OK …" up to its name; the rest stays unparsed."""
    found = _UNTAGGED.match(pieces[0])
    if not found:
        raise ImapSyntaxError("no untagged response")
    rest = (pieces[0][found.end() :], *pieces[1:])
    number, name = found.groups()
    numbered = int(number) if number else 0
    if numbered > MAX_NUMBER:
        raise ImapSyntaxError("number out of range")
    return Untagged(_NAMES.get(name) or name.decode("ascii").upper(), numbered, rest)


def parse(pieces: Sequence[bytes]) -> tuple[Value, ...]:
    """Parse text, in which each {n} at the end of a piece stands for the literal that follows it."""
    with suppress(ImapSyntaxError):
        return _parse(pieces, _TOKEN)
    return _parse(pieces, _LOOSE_TOKEN)  # what had been read until then is released


def _parse(pieces: Sequence[bytes], grammar: re.Pattern[bytes]) -> tuple[Value, ...]:
    top: list[Value] = []
    stack = [top]
    waiting = iter(pieces)
    for text in waiting:
        at, end = 0, len(text.rstrip())
        while at < end:
            token = grammar.match(text, at)
            if token is None:
                raise ImapSyntaxError(f"unexpected {text[at : at + 20]!r}")
            at = token.end()
            bracket, string, size, atom = token.groups()
            if atom is not None:
                stack[-1].append(_atom(atom))
            elif string is not None:
                stack[-1].append(_ESCAPED.sub(rb"\1", string) if b"\\" in string else string)
            elif size is not None:
                stack[-1].append(next(waiting, b""))
            elif bracket == b"(":
                stack.append([])
                if len(stack) > MAX_DEPTH:
                    raise ImapSyntaxError("too deep")
            elif len(stack) > 1:
                closed = tuple(stack.pop())
                stack[-1].append(closed)
            else:
                raise ImapSyntaxError("unexpected ')'")
    if len(stack) > 1:
        raise ImapSyntaxError("')' missing")
    return tuple(top)


def pairs(values: Sequence[Value]) -> dict[bytes, Value]:
    """Read the list after some values as alternating names and values, by upper-case name, or raise ImapSyntaxError."""
    if not values or not isinstance(values[-1], tuple):
        raise ImapSyntaxError("list expected")
    flat = values[-1]
    if len(flat) % 2 or not all(isinstance(name, bytes) for name in flat[::2]):
        raise ImapSyntaxError("pairs expected")
    return {
        name.upper(): value
        for name, value in zip(flat[::2], flat[1::2], strict=True)
        if isinstance(name, bytes)
    }


def _atom(atom: bytes) -> Value:
    if atom.isdigit() and len(atom) <= 20 and (atom[:1] != b"0" or atom == b"0"):
        return int(atom)
    return None if atom.upper() == b"NIL" else atom


def numeral(text: bytes) -> int | None:
    """Read a 32-bit number (RFC 9051 §9), None if it is not one."""
    return int(text) if text.isdigit() and len(text) <= 10 and int(text) <= MAX_NUMBER else None


def number(value: Value) -> int:
    """Return a value as a number, 0 if it is not one. QUIRK: some servers quote numbers."""
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, bytes) and value.isdigit() and len(value) <= 20 else 0


def octets(value: Value) -> bytes:
    """Return a value as a string, empty if it is not one. QUIRK: some servers send digits without quotes."""
    if isinstance(value, bytes):
        return value
    return str(value).encode() if isinstance(value, int) else b""


def words(values: Iterable[Value]) -> frozenset[str]:
    """Read flags or attributes."""
    return frozenset(octets(value).decode("utf-8", "replace") for value in values)


def moment(value: Value) -> datetime | None:
    """Read INTERNALDATE as an aware datetime, None if it is invalid."""
    found = _DATE.match(octets(value))
    if not found or found[2].decode().title() not in _MONTHS:
        return None
    day, year, hour, minute, second, off_hours, off_minutes = (int(found[i]) for i in (1, 3, 4, 5, 6, 8, 9))
    offset = timedelta(hours=off_hours, minutes=off_minutes) * (-1 if found[7] == b"-" else 1)
    try:
        zone = timezone(offset)
        return datetime(
            year, _MONTHS.index(found[2].decode().title()) + 1, day, hour, minute, second, tzinfo=zone
        )
    except ValueError:
        return None


def date_time(when: datetime) -> bytes:
    """Write INTERNALDATE, with English months whatever the locale is; a naive one counts as UTC."""
    offset = when.utcoffset()
    if offset is None:
        when = when.replace(tzinfo=UTC)
    elif offset % timedelta(minutes=1):
        when = when.astimezone(UTC)
    return f'"{when.day:2d}-{_MONTHS[when.month - 1]}-{when.year:04d} {when:%H:%M:%S %z}"'.encode("ascii")


def quoted(text: str, utf8: bool = False) -> bytes:
    """Write a quoted string of ASCII text, or of any text if UTF8=ACCEPT is enabled (RFC 6855 §3)."""
    try:
        octets = safe(text).encode("utf-8" if utf8 else "ascii")
    except UnicodeEncodeError:
        raise UnsafeArgument("Unicode text expected" if utf8 else "ASCII expected") from None
    return quoted_octets(octets)


def quoted_octets(octets: bytes) -> bytes:
    """Write a quoted string of octets that are already in the server's encoding."""
    if re.search(rb"[\0\r\n]", octets):
        raise UnsafeArgument("NUL, CR or LF in an argument")
    return b'"' + octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def flag_list(flags: Iterable[str]) -> bytes:
    """Write a flag list, each flag an atom, or raise UnsafeArgument."""
    names = list(flags)
    for name in names:
        if not _FLAG.match(safe(name)):
            raise UnsafeArgument("a flag is an atom")
    return b"(" + " ".join(names).encode("ascii") + b")"


def number_set(numbers: Iterable[int]) -> bytes:
    """Write numbers as a sequence set, runs joined: 1,3:5."""
    runs: list[list[int]] = []
    for n in sorted(set(numbers)):
        if n < 1 or n > MAX_NUMBER:
            raise UnsafeArgument("not a message number")
        if runs and runs[-1][1] == n - 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return b",".join(b"%d" % a if a == b else b"%d:%d" % (a, b) for a, b in runs)
