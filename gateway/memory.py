"""What the gateway remembers for one account, sealed: profile, people, address book, favourites.

Nothing here may know what a kind means, and nothing is kept that the database alone can tell: values are JSON objects
sealed under the server secret and the account's number. Names stand in the clear, so a name is a number of ours or a
`mark`, never an address or a word of a person's. Whoever changes the server secret starts with an empty memory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from gateway import vault
from gateway.state import State

#: Octets of one thing as JSON; what is larger is a bug of ours.
LARGEST: Final = 256 * 1024
_PURPOSE: Final = b"memory"

Value = dict[str, Any]


class Memory:
    """One account's memory; cheap to make, and without state of its own."""

    __slots__ = ("_account", "_clock", "_seal", "_table")

    def __init__(self, state: State, account: int, secret: bytes, clock: Callable[[], float]) -> None:
        self._table, self._account, self._clock = state.memories, account, clock
        self._seal = vault.Seal(str(account), secret, _PURPOSE)

    def mark(self, text: str) -> str:
        """Make a name of a text that must not stand in the database."""
        return self._seal.mark(text)

    def get(self, kind: str, name: str = "") -> Value | None:
        """Return one thing, None where there is none."""
        return self._opened(kind, name, self._table.get(self._account, kind, name))

    def all(self, kind: str) -> dict[str, Value]:
        """Return everything of a kind by name, the least recently written first."""
        found = self._table.all(self._account, kind)
        opened = ((name, self._opened(kind, name, sealed)) for name, sealed in found.items())
        return {name: value for name, value in opened if value is not None}

    def put(self, kind: str, name: str, value: Mapping[str, Any], most: int = 0) -> None:
        """Keep one thing in place of what was there; beyond `most` of a kind the oldest go."""
        self.change(kind, name, lambda _: dict(value), most)

    def change(
        self, kind: str, name: str, update: Callable[[Value | None], Value | None], most: int = 0
    ) -> Value | None:
        """Put what `update` makes of a thing in its place, undisturbed by other requests, and return it.

        `update` must be quick: nobody else can write meanwhile. Raise ValueError for what is too large.
        """
        result: Value | None = None

        def changed(sealed: bytes | None) -> bytes | None:
            nonlocal result
            result = update(self._opened(kind, name, sealed))
            if result is None:
                return None
            octets = json.dumps(result, separators=(",", ":")).encode("ascii")
            if len(octets) > LARGEST:
                raise ValueError(f"{kind}: {len(octets)} octets")
            return self._seal.close(octets, _row(kind, name))

        self._table.change(self._account, kind, name, changed, self._clock(), most)
        return result

    def remove(self, kind: str, name: str = "") -> None:
        """Forget one thing."""
        self._table.remove(self._account, kind, name)

    def everything(self) -> dict[str, dict[str, Value]]:
        """Return all that is kept, by kind and name."""
        return {kind: self.all(kind) for kind in self._table.kinds(self._account)}

    def forget(self) -> None:
        """Forget everything."""
        self._table.forget(self._account)

    def _opened(self, kind: str, name: str, sealed: bytes | None) -> Value | None:
        plain = self._seal.open(sealed, _row(kind, name)) if sealed is not None else None
        value = json.loads(plain) if plain is not None else None
        return value if isinstance(value, dict) else None


def _row(kind: str, name: str) -> bytes:
    return f"{kind}\0{name}".encode("utf-8", "surrogatepass")
