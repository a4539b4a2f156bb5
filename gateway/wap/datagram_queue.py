"""What has come and waits for its turn: a flood delays nobody but itself.

Nothing here may know what a datagram says. Who has nothing waiting goes before who has, known addresses before others;
who sends more takes turns with others who do. This is the idea of RFC 8290 §4.2 (flow queue scheduling).
"""

from __future__ import annotations

from collections import deque
from typing import Final

from gateway.wap.quadruplet import Quadruplet

WAITING: Final = 1024
"""Datagrams that wait in all."""
PER_PEER: Final = 64
"""Datagrams that wait of one address: more than a group of packets has."""


class DatagramQueue:
    """Datagrams by their address, in the order in which they are taken."""

    def __init__(self) -> None:
        self._waiting: dict[Quadruplet, deque[bytes]] = {}
        self._known: deque[Quadruplet] = deque()
        self._strangers: deque[Quadruplet] = deque()
        self._again: deque[Quadruplet] = deque()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, data: bytes, peer: Quadruplet, *, known: bool) -> None:
        """Take in a datagram; `known`: its address is certain. Where there is no room, one is dropped."""
        waiting = self._waiting.get(peer)
        if waiting is not None and len(waiting) >= PER_PEER:
            return
        if self._count >= WAITING and not self._make_room(known):
            return
        if waiting is None:
            waiting = self._waiting[peer] = deque()
            (self._known if known else self._strangers).append(peer)
        waiting.append(data)
        self._count += 1

    def take(self) -> tuple[bytes, Quadruplet]:
        """Return the next datagram; raise IndexError if there is none."""
        peer = (self._known or self._strangers or self._again).popleft()
        waiting = self._waiting[peer]
        data = waiting.popleft()
        self._count -= 1
        if waiting:
            self._again.append(peer)
        else:
            del self._waiting[peer]
        return data, peer

    def _make_room(self, known: bool) -> bool:
        """Drop half of what the one with most has sent, or for who is known a stranger's only one."""
        if self._count > len(self._waiting):
            most = max(self._waiting.values(), key=len)
            for _ in range(len(most) // 2):
                most.pop()
                self._count -= 1
            return True
        if known and self._strangers:
            del self._waiting[self._strangers.popleft()]
            self._count -= 1
            return True
        return False
