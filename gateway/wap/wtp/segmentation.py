"""Segmentation and re-assembly: a message as packets in groups, each of which is acknowledged.

Nothing here may know a timer or a state. WAP-224 §7.14; extended segmentation (§7.15) is not supported.
"""

from __future__ import annotations

from typing import Final

from gateway.wap.wtp.wtp_pdus import MOST_PACKETS

PACKET: Final = 1400
"""Octets of data in a packet: with all headers less than the 1,500 of most links."""
MAXIMUM_GROUP: Final = 1405
"""Octets of data in a group, unless the receiver names another size. WAP-224 table 30."""
LARGEST_GROUP: Final = 16
"""The most packets of a group, whatever the receiver names: they are sent at once."""


def packet_size(unit: int | None, group: int | None) -> int:
    """Return the octets of a packet, within the receiver's maximum unit and group (None: not named)."""
    return max(1, min(PACKET, unit or PACKET, group or MAXIMUM_GROUP))


def largest_message(unit: int | None, group: int | None) -> int:
    """Return the octets of the largest message that a receiver can be sent in packets."""
    return packet_size(unit, group) * MOST_PACKETS


class Outgoing:
    """A message that is sent in groups of packets."""

    def __init__(self, data: bytes, unit: int | None = None, group: int | None = None) -> None:
        """Cut a message; raise ValueError if it takes more than MOST_PACKETS."""
        size = packet_size(unit, group)
        self.packets = [data[at : at + size] for at in range(0, len(data), size)] or [b""]
        if len(self.packets) > MOST_PACKETS:
            raise ValueError(f"{len(self.packets)} packets")
        self._size = size
        self.first = self.last = -1
        """The first and the last packet of the group that is under way."""
        self.advance(group or MAXIMUM_GROUP)

    @property
    def is_last_group(self) -> bool:
        """Whether nothing follows the current group."""
        return self.last == len(self.packets) - 1

    def advance(self, group: int | None = None) -> None:
        """Move on to the next group; `group`: the most octets it may have, if the receiver has named another size."""
        if group:
            self._group = max(1, min(LARGEST_GROUP, group // self._size))
        self.first = self.last + 1
        self.last = min(self.first + self._group, len(self.packets)) - 1

    def numbers(self, missing: tuple[int, ...] = ()) -> list[int]:
        """Return the packets of the current group, or those missing packets that are in it or before it."""
        if missing:
            return sorted({number for number in missing if number <= self.last})
        return list(range(self.first, self.last + 1))


class Incoming:
    """A message that arrives in packets. `limit`: the most octets it may have."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._packets: dict[int, bytes] = {}
        self._complete = -1
        """The last packet of the groups that are complete."""
        self._trailer = -1
        self._ended = False
        self.octets = 0

    def add(self, number: int, data: bytes, gtr: bool, ttr: bool) -> bool:
        """Add a packet; return False if the message becomes too large."""
        if number not in self._packets:
            self.octets += len(data)
            if self.octets > self._limit:
                return False
            self._packets[number] = data
        if ttr or gtr:
            self._trailer = max(self._trailer, number)
            self._ended = self._ended or ttr
        return True

    @property
    def waits_for_group(self) -> bool:
        """Whether the end of a group has arrived, and the group is not known to be complete."""
        return self._trailer > self._complete

    def missing(self) -> tuple[int, ...]:
        """Return the packets that are missing in a group whose end has arrived."""
        return tuple(
            number for number in range(self._complete + 1, self._trailer + 1) if number not in self._packets
        )

    def complete(self) -> int:
        """Mark a group whose packets are all there as complete; return its last packet."""
        self._complete = self._trailer
        return self._complete

    @property
    def acknowledged(self) -> int:
        """The last packet of the last complete group, -1 before there is one."""
        return self._complete

    @property
    def is_whole(self) -> bool:
        """Whether all packets are there."""
        return self._ended and self._complete == self._trailer

    def message(self) -> bytes:
        """Return the message."""
        return b"".join(self._packets[number] for number in sorted(self._packets))
