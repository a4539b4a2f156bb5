"""The health of the mail servers, as seen by all processes that share the state.

Nothing here may contact a server. What a process has seen goes to the state in batches, merged with what is there; a
process that shows it reads what the others have written. It is encrypted: it contains servers' replies, which may name
a person.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Final

from gateway.config import Server
from gateway.sealed.vault import Seal
from gateway.state import State
from gateway.upstreams.health import Health, HealthRecords

_PURPOSE: Final = b"server health"


class SharedHealth:
    """What one process tells the others about the mail servers, and learns from them; thread-safe."""

    def __init__(self, records: HealthRecords, state: State, secret: bytes) -> None:
        self._records, self._table = records, state.server_health
        self._seal = Seal("", secret, _PURPOSE)

    def tell(self, now: float) -> None:
        """Write what is new. Raise StateError, in which case nothing is lost."""
        new = {self._name(server): server for server in self._records.take_new()}

        def joined(rows: Mapping[str, bytes]) -> dict[str, tuple[float, bytes]]:
            self._take(new, rows)
            return {name: self._row(name, self._records.of(server)) for name, server in new.items()}

        if not new:
            return
        try:
            self._table.change(new, joined, now)
        except BaseException:
            self._records.put_back(new.values())
            raise

    def hear(self, servers: Iterable[Server], now: float) -> dict[Server, Health]:
        """Return the health of servers, as seen by all processes. Raise StateError."""
        names = {self._name(server): server for server in servers}
        self._take(names, self._table.of(names, now))
        return {server: self._records.of(server) for server in names.values()}

    def _take(self, names: Mapping[str, Server], rows: Mapping[str, bytes]) -> None:
        for name, sealed in rows.items():
            if (plain := self._seal.open(sealed, name.encode())) is not None:
                self._records.join(names[name], Health(**json.loads(plain)))

    def _row(self, name: str, health: Health) -> tuple[float, bytes]:
        return health.seen, self._seal.close(json.dumps(asdict(health)).encode(), name.encode())

    def _name(self, server: Server) -> str:
        """Return the name of a server's row: if it is reached or trusted in another way, it is another server."""
        return self._seal.mark(repr(server))
