"""The TID test: whether an Invoke is new, or perhaps an old duplicate.

Nothing here may forget a TID within the time that a packet may live. WAP-224 §7.8.2, tables 6 to 8.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from gateway.wap.quadruplet import Quadruplet

WINDOW: Final = 1 << 14
"""Half the TID space. WAP-224 §7.8.2.3."""
MPL: Final = 120.0
"""Seconds that a datagram may live in the network: the maximum segment lifetime of RFC 9293 §3.4.2."""
RECORDS: Final = 20_000
"""How many initiators' last TIDs are remembered."""


def is_newer(received: int, last: int) -> bool:
    """Return whether a TID passes the test (tables 7 and 8)."""
    if received >= last:
        return 0 < received - last <= WINDOW
    return last - received >= WINDOW


class LastTids:
    """The last TID of each initiator."""

    def __init__(self) -> None:
        self._records: OrderedDict[Quadruplet, tuple[int, float]] = OrderedDict()

    def is_valid(self, peer: Quadruplet, tid: int, new: bool, now: float) -> bool:
        """Decide by table 6 on an Invoke that begins a transaction; remember its TID if it is valid.

        `new`: TIDnew. It asks for verification, and until that has succeeded the last TID stays: otherwise a late
        duplicate with this flag would erase it.
        """
        known = self._records.get(peer)
        if new or (known is not None and now - known[1] < MPL and not is_newer(tid, known[0])):
            return False
        self.remember(peer, tid, now)
        return True

    def verified(self, peer: Quadruplet, tid: int, new: bool, now: float) -> None:
        """Record that the initiator knows this TID (table 9): without TIDnew the last TID stays."""
        if new:
            self.remember(peer, tid, now)

    def remember(self, peer: Quadruplet, tid: int, now: float) -> None:
        """Remember a TID as an initiator's last one."""
        self._records[peer] = (tid, now)
        self._records.move_to_end(peer)
        if len(self._records) > RECORDS:
            self._records.popitem(last=False)
