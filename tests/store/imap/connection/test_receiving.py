"""Responses that arrive together are kept as they would be one by one."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.store.imap.connection.receiving import Collected, read, read_together
from gateway.upstreams.wire import Budget, Ledger, Overrun, Wire

END = b"p1 OK done\r\n"
BUDGET = Budget(1_000_000, 1000, 100_000)

RESPONSES = st.sampled_from([
    b"* 12 FETCH (UID 7 FLAGS (\\Seen))\r\n",
    b"* 3 EXISTS\r\n",
    b"* 4 EXPUNGE  \r\n",
    b"* OK [UIDNEXT 9] said\r\n",
    b"* LIST () \".\" {5}\r\nINBOX\r\n",
    b"* 1 FETCH (BODY[1] {9}\r\n* 2 FETCH)\r\n",
    b"* 5 FETCH (ENVELOPE \"raw\r\n* end\")\r\n",
    b"* 6 FETCH (\r\n",
    b"\r\n",
    b"* no response\n",
    b"stray\r\n",
])  # fmt: skip


@contextmanager
def arrived(octets: bytes, budget: Budget = BUDGET) -> Iterator[Wire]:
    """Yield a wire on which octets, and the end of a command, have arrived."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(octets + END)
        wire = Wire(ours, 5.0)
        wire.begin(30.0, budget)
        wire.put_back(wire.arrived())
        yield wire


def collected(
    octets: bytes, *, together: bool, budget: Budget = BUDGET
) -> tuple[Collected, int, list[bytes]]:
    """Read responses to the end of the command: those kept, the room left, and the other lines."""
    kept, others = Collected(Ledger(1_000_000)), []
    with arrived(octets, budget) as wire:
        while not others or others[-1] != END.strip():
            if together:
                read_together(wire, kept)
            pieces = read(wire, kept)
            if pieces and pieces[0].startswith(b"* "):
                kept.add(pieces)
            elif pieces:
                others.append(pieces[0])
        return kept, wire.room, others


@given(st.lists(RESPONSES, max_size=30).map(b"".join))
def test_together_or_one_by_one_the_same_is_kept_and_charged(octets: bytes) -> None:
    assert collected(octets, together=True) == collected(octets, together=False)


def test_a_list_s_rows_are_read_together(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[bytes] = []
    line: Callable[[Wire, int], bytes] = Wire.line

    def counted(wire: Wire, limit: int) -> bytes:
        lines.append(line(wire, limit))
        return lines[-1]

    monkeypatch.setattr(Wire, "line", counted)
    rows = b"".join(b"* %d FETCH (UID %d FLAGS (\\Seen) RFC822.SIZE 2000)\r\n" % (n, n) for n in range(1, 21))
    kept, _, _ = collected(rows, together=True)
    assert len(kept) == 20
    assert lines == [END]


@pytest.mark.parametrize("together", [True, False])
def test_lines_that_come_together_count_as_many(together: bool) -> None:
    with pytest.raises(Overrun):
        collected(b"* 3 EXISTS\r\n" * 20, together=together, budget=Budget(1_000_000, 15, 100_000))


def test_what_describes_a_message_is_skipped_for_want_of_room_when_it_comes_together() -> None:
    row = b"* 1 FETCH (UID 7 FLAGS (\\Seen))\r\n"
    rows = row * 20
    none, one = (collected(octets, together=False)[1] for octets in (b"", row))
    small = Budget(1_000_000, 1000, BUDGET.held - none + 3 * (none - one))
    assert collected(rows, together=True, budget=small) == collected(rows, together=False, budget=small)
    assert len(collected(rows, together=True, budget=small)[0]) == 3
