"""The health of the mail servers, as all processes that share the state have seen it.

Nothing here may contact a server. What a process has seen goes to the state in batches, joined with what is there; who
shows it reads what the others have written. It is encrypted: servers' answers are in it, and may name a person.
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
    """What one process tells the others of the mail servers, and hears from them; thread-safe."""

    def __init__(self, records: HealthRecords, state: State, secret: bytes) -> None:
        self._records, self._table = records, state.server_health
        self._seal = Seal("", secret, _PURPOSE)

    def tell(self, now: float) -> None:
        """Write what is new. Raise StateError; nothing is lost by that."""
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
        """Return the health of servers, as all processes have seen it. Raise StateError."""
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
        """Return the name of a server's row: another way to reach it, or to trust it, is another server."""
        return self._seal.mark(repr(server))
