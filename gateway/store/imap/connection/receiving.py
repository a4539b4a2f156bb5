"""Reads one IMAP response at a time off a Wire, within limits.

Nothing here may know what a response means, with one exception: one that describes a message is skipped if it is too
long, as otherwise one giant structure would make a whole mailbox unreadable. Standard: RFC 9051 §2.2.2, §4.3.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Protocol, TypeAlias

from gateway.store.imap import response
from gateway.store.imap.response import ImapSyntaxError, Untagged
from gateway.upstreams.wire import Budget, Ledger, Overrun, Wire

# Octets of one response with its literals; a longer one is skipped. What we ask for is below 200 KB, but the
# BODYSTRUCTURE of a message is as long as its sender likes.
MAX_RESPONSE = 1024 * 1024
# Octets of all responses to what was sent in one write, kept, handed on or skipped; number of lines; and bytes that the
# kept ones take as objects. A hundred rows take some 1.5 MB; forty thousand mailboxes with their counts are 80,000
# lines, which take three seconds to read.
MAX_ANSWER, MAX_LINES, MAX_HELD = 32 * 1024 * 1024, 80_000, 8 * 1024 * 1024
# Bytes that the answers of one server take as objects together, over all its connections. What is currently being read,
# up to MAX_RESPONSE each, comes on top.
MAX_SERVER = 3 * MAX_HELD // 2
# The same for all lists of mailboxes, which are handed on row by row: one of them may use all of it.
MAX_LISTS = 16 * 1024 * 1024
# Bytes of a response, of a piece of it, and of each value parsed from it, in addition to its octets (CPython
# 3.11, 64-bit).
RESPONSE_BYTES, PIECE_BYTES, VALUE_BYTES = 200, 40, 60

# Octets within which responses are read together: two pages of a list.
TOGETHER = 4096

# The most lines that one response may be broken into by raw line ends inside its strings.
MAX_FOLDS = 100

_LITERAL = re.compile(rb"\{(\d{1,10})\}\Z")
_FETCH = re.compile(rb"\* +\d{1,10} +FETCH[ \t(]", re.IGNORECASE)


#: Takes an untagged response as it arrives, so that it is not kept; returns whether it did.
Taker: TypeAlias = Callable[[Untagged], bool]


class Sink(Protocol):
    """Takes a literal of more than `above` octets."""

    above: int

    def begin(self, size: int) -> bool:
        """Return whether to hand on a literal of this size; otherwise it is skipped."""

    def write(self, octets: bytes) -> object: ...


class Collected(list[Untagged]):
    """Untagged responses, counted in their server's ledger for as long as they are referenced."""

    __slots__ = ("_folds", "_ledger", "_size")

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self._ledger, self._size, self._folds = ledger, 0, 0

    def charge(self, size: int) -> None:
        self._ledger.take(size)
        self._size += size

    def add(self, pieces: list[bytes]) -> None:
        """Keep an untagged response; one that cannot be read is lost, but the conversation continues."""
        try:
            self.append(response.untagged(pieces))
        except ImapSyntaxError:  # `suppress` takes as long as all the rest
            pass

    def unfold(self, pieces: list[bytes]) -> None:
        """Add a line that is not a response in its own right to the FETCH response before it, if that is incomplete.

        QUIRK: some servers send line ends inside quoted strings. Any other such line is ignored.
        """
        last = self[-1] if self else Untagged("")
        if last.kind != "FETCH" or self._folds >= MAX_FOLDS:
            return
        self._folds += 1
        try:
            last.values()
        except ImapSyntaxError:
            joined = last.pieces[-1] + b"\r\n" + pieces[0]
            self[-1] = replace(last, pieces=(*last.pieces[:-1], joined, *pieces[1:]))

    def __del__(self) -> None:
        self._ledger.give(self._size)


def budget() -> Budget:
    """Return the budget of the responses to what is sent in one write."""
    return Budget(MAX_ANSWER, MAX_LINES, MAX_HELD)


def read(
    wire: Wire, collected: Collected, sink: Sink | None = None, taker: Taker | None = None
) -> list[bytes]:
    """Read one response: text and literals alternating, without line ends; a literal that the sink takes is empty.

    For an oversized one nothing is returned if it describes a message; any other raises Overrun. A response that was
    taken reads as a blank line.
    """
    pieces = _pieces(wire, sink)
    if taker is not None and pieces and _is_taken(pieces, taker):
        return [b""]
    cost = _cost(pieces) if pieces else 0
    if cost > wire.room and _FETCH.match(pieces[0]):
        return []
    wire.hold(cost)
    collected.charge(cost)
    return pieces


def read_together(wire: Wire, collected: Collected) -> None:
    """Keep the untagged responses that have arrived whole, without literals, as `read` does with each.

    A list is some twenty short lines that arrive together; one by one, each costs three times as much.
    """
    lines = wire.arrived_lines(TOGETHER)
    found = []
    for line in lines:
        text = line.rstrip(b"\r ")
        if text[:2] != b"* " or text[-1:] == b"}":
            break
        found.append(text)
    cost = (RESPONSE_BYTES + PIECE_BYTES) * len(found) + _values_cost(b"".join(found))
    if len(found) < 2 or cost > wire.room:
        return
    wire.pass_over(lines[: len(found)])
    wire.hold(cost)
    collected.charge(cost)
    for text in found:
        collected.add([text])


def _is_taken(pieces: list[bytes], taker: Taker) -> bool:
    with suppress(ImapSyntaxError):
        return taker(response.untagged(pieces))
    return False


def _pieces(wire: Wire, sink: Sink | None) -> list[bytes]:
    pieces: list[bytes] = []
    left = MAX_RESPONSE
    head = b""
    wire.cut = False
    while True:
        line = wire.line(max(0, left))
        head = head or (wire.beginning if wire.cut else line)
        left = -1 if wire.cut else left - len(line) - PIECE_BYTES
        text = line.rstrip(b"\r\n ")
        pieces.append(text)
        found = _LITERAL.search(text) if text[-1:] == b"}" else None
        size = int(found[1]) if found else 0
        if found and left >= 0 and sink is not None and _handed_on(wire, size, sink):
            pieces.append(b"")
            continue
        left -= size + PIECE_BYTES if found else 0
        if size > MAX_ANSWER or (left < 0 and not _FETCH.match(head)):
            raise Overrun("the answer is too long")
        if not found:
            return pieces if left >= 0 else []
        if left >= 0:
            pieces.append(wire.exactly(size))
        else:
            pieces.clear()
            wire.skip(size)


def _handed_on(wire: Wire, size: int, sink: Sink) -> bool:
    """Hand a literal on to the sink, if it takes it."""
    if not sink.above < size <= MAX_ANSWER or not sink.begin(size):
        return False
    wire.allow(size)
    for stretch in wire.stretches(size):
        sink.write(stretch)
    return True


def _cost(pieces: Sequence[bytes]) -> int:
    """Return the most bytes that a response, of text and literals alternating, can take when parsed."""
    literals = sum(map(len, pieces[1::2])) + PIECE_BYTES * len(pieces)
    return RESPONSE_BYTES + literals + sum(map(_values_cost, pieces[::2]))


def _values_cost(text: bytes) -> int:
    return len(text) + VALUE_BYTES * (text.count(b" ") + text.count(b"("))
