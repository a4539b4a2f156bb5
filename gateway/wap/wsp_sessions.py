"""WSP sessions by the address of their phone and by id, with a limit for all and for each host.

Nothing here may know a PDU or a clock. Headers are kept as they came, so that an idle session is small. WAP-230 §7.1.5.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.wap.quadruplet import Quadruplet
from gateway.wap.wsp.assigned import Version
from gateway.wap.wsp.capabilities import Terms

HEADERS = 4096
"""The most octets of headers that are kept for a session: phones send less than 400."""


@dataclass(slots=True)
class WspSession:
    """One session. `headers`: its static ones, encoded; `methods`: the transactions of its requests."""

    id: int
    peer: Quadruplet
    terms: Terms
    headers: bytes
    version: Version | None = None
    suspended: bool = False
    seen: float = 0.0
    methods: dict[int, None] = field(default_factory=dict)


class WspSessions:
    """All sessions; if there are too many, the one that has been idle for longest is dropped."""

    def __init__(self, ids: Iterator[int], most: int, per_host: int, idle: float) -> None:
        """`ids` yields unpredictable numbers below 2**28; `idle`: seconds after which a session is dropped."""
        self._ids = ids
        self._most, self._per_host, self._idle = most, per_host, idle
        self._by_id: OrderedDict[int, WspSession] = OrderedDict()  # the one seen last is last
        self._by_peer: dict[Quadruplet, WspSession] = {}
        self._by_host: dict[str, OrderedDict[int, WspSession]] = {}  # here, too

    def __len__(self) -> int:
        return len(self._by_id)

    def of(self, peer: Quadruplet) -> WspSession | None:
        """Return the session of an address."""
        return self._by_peer.get(peer)

    def by_id(self, session_id: int) -> WspSession | None:
        """Return a session by its id."""
        return self._by_id.get(session_id)

    def add(self, session: WspSession, now: float) -> list[WspSession]:
        """Give a session an id and keep it; return those that were dropped to make room."""
        gone = []
        own = self._by_host.get(session.peer.host)
        if own is not None and len(own) >= self._per_host:
            gone.append(next(iter(own.values())))
        elif len(self._by_id) >= self._most:
            gone.append(next(iter(self._by_id.values())))
        for each in gone:
            self.drop(each)
        session.id = next(number for number in self._ids if number and number not in self._by_id)
        session.seen = now
        self._by_id[session.id] = session
        self._bind(session, session.peer)
        return gone

    def touch(self, session: WspSession, now: float) -> None:
        """Record that a session is alive."""
        session.seen = now
        self._by_id.move_to_end(session.id)
        self._by_host[session.peer.host].move_to_end(session.id)

    def move(self, session: WspSession, peer: Quadruplet) -> None:
        """Bind a session to another address, which has none."""
        self._unbind(session)
        self._bind(session, peer)

    def drop(self, session: WspSession) -> None:
        """Forget a session."""
        if self._by_id.pop(session.id, None) is not None:
            self._unbind(session)

    def _bind(self, session: WspSession, peer: Quadruplet) -> None:
        session.peer = peer
        self._by_peer[peer] = session
        self._by_host.setdefault(peer.host, OrderedDict())[session.id] = session

    def _unbind(self, session: WspSession) -> None:
        if self._by_peer.get(session.peer) is session:
            del self._by_peer[session.peer]
        own = self._by_host[session.peer.host]
        del own[session.id]
        if not own:
            del self._by_host[session.peer.host]

    @property
    def due(self) -> float | None:
        """When the next session has been idle for too long."""
        first = next(iter(self._by_id.values()), None)
        return None if first is None else first.seen + self._idle

    def expired(self, now: float) -> list[WspSession]:
        """Drop the sessions that have been idle for too long, and return them."""
        gone = []
        while (due := self.due) is not None and due <= now:
            session = next(iter(self._by_id.values()))
            self.drop(session)
            gone.append(session)
        return gone
