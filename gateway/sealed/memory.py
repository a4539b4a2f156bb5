"""An account's stored data, encrypted: profile, people, address book, favourites.

Nothing here may know what a kind means, or store anything that can be read from the database alone: values are JSON
objects encrypted under the server secret and the account's number. Names are not encrypted, so a name is a number of
ours or a `mark`, never an address or anything a person has written. Changing the server secret empties every memory.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from typing import Any, Final

from gateway.sealed import vault
from gateway.state import State

#: Octets of one value as JSON; a larger one is a bug of ours.
LARGEST: Final = 256 * 1024
_PURPOSE: Final = b"memory"
#: What ends an encrypted value: a MAC over nonce and text (AES-GCM).
_TAG_OCTETS: Final = 16

StoredValue = dict[str, Any]
#: Values by kind and name, and the function that merges the memories of two accounts.
Contents = dict[str, dict[str, StoredValue]]
Merge = Callable[[Contents, Contents], Contents]
#: Names that are numbers of ours, which may mean something else in another account.
_NUMBERS: Final = re.compile(r"[0-9.]+")


class Memory:
    """One account's memory; cheap to make, and stateless."""

    __slots__ = ("_account", "_clock", "_seal", "_table")

    def __init__(self, state: State, account: int, secret: bytes, clock: Callable[[], float]) -> None:
        self._table, self._account, self._clock = state.memories, account, clock
        self._seal = vault.Seal(str(account), secret, _PURPOSE)

    def mark(self, text: str) -> str:
        """Make a name from a text that must not appear in the database."""
        return self._seal.mark(text)

    def get(self, kind: str, name: str = "") -> StoredValue | None:
        """Return one value, None if there is none."""
        return self._opened(kind, name, self._table.get(self._account, kind, name))

    def version(self, kind: str, name: str = "") -> bytes:
        """Return what is another one whenever the value was written; b"" if there is none. Nothing is decrypted."""
        return (self._table.get(self._account, kind, name) or b"")[-_TAG_OCTETS:]

    def all(self, kind: str) -> dict[str, StoredValue]:
        """Return all values of a kind by name, the least recently written first."""
        found = self._table.all(self._account, kind)
        opened = ((name, self._opened(kind, name, sealed)) for name, sealed in found.items())
        return {name: value for name, value in opened if value is not None}

    def put(self, kind: str, name: str, value: Mapping[str, Any], most: int = 0) -> None:
        """Store a value, replacing the old one; beyond `most` of a kind the oldest are removed."""
        self.change(kind, name, lambda _: dict(value), most)

    def change(
        self, kind: str, name: str, update: Callable[[StoredValue | None], StoredValue | None], most: int = 0
    ) -> StoredValue | None:
        """Replace a value with what `update` returns for it, in one transaction, and return that.

        `update` must be quick: nobody else can write in the meantime. Raise ValueError for a value that is too large.
        """
        result: StoredValue | None = None

        def changed(sealed: bytes | None) -> bytes | None:
            nonlocal result
            result = update(self._opened(kind, name, sealed))
            if result is None:
                return None
            octets = _octets(result)
            if len(octets) > LARGEST:
                raise ValueError(f"{kind}: {len(octets)} octets")
            return self._seal.close(octets, _row(kind, name))

        self._table.change(self._account, kind, name, changed, self._clock(), most)
        return result

    def remove(self, kind: str, name: str = "") -> None:
        """Remove one value."""
        self._table.remove(self._account, kind, name)

    def everything(self) -> dict[str, dict[str, StoredValue]]:
        """Return all values, by kind and name."""
        return {kind: self.all(kind) for kind in self._table.kinds(self._account)}

    def forget(self) -> None:
        """Remove all values."""
        self._table.forget(self._account)

    def _opened(self, kind: str, name: str, sealed: bytes | None) -> StoredValue | None:
        plain = self._seal.open(sealed, _row(kind, name)) if sealed is not None else None
        value = json.loads(plain) if plain is not None else None
        return value if isinstance(value, dict) else None


def merged(first: Contents, second: Contents) -> Contents:
    """Merge two memories: the first one's values, and those of the second under other names.

    A number with two meanings is dropped; counters continue from the higher value.
    """
    found: Contents = {}
    for kind in {**second, **first}:
        mine, other = first.get(kind, {}), second.get(kind, {})
        unlike = {name for name in mine if name in other and mine[name] != other[name]}
        dead = {name for name in unlike if _NUMBERS.fullmatch(name)}
        found[kind] = {name: dict(value) for name, value in {**other, **mine}.items() if name not in dead}
        for name in unlike - dead:
            last = [
                value["last"] for value in (mine[name], other[name]) if isinstance(value.get("last"), int)
            ]
            if last:
                found[kind][name]["last"] = max(last)
    return found


def reencrypted(
    rows: Mapping[int, Mapping[tuple[str, str], tuple[bytes, float]]],
    mailboxes: Iterable[str],
    into: int,
    secret: bytes,
    merge: Merge,
) -> dict[tuple[str, str], tuple[bytes, float]]:
    """Merge the values of several accounts and encrypt them for one; undecryptable ones are dropped.

    `mailboxes`: the names that a mark may stand for, since marks differ between accounts.
    """
    new = vault.Seal(str(into), secret, _PURPOSE)
    marks = [(name, new.mark(name)) for name in mailboxes]
    contents: list[Contents] = []
    written: dict[tuple[str, str], float] = {}
    for account, kept in rows.items():
        old = vault.Seal(str(account), secret, _PURPOSE)
        renamed = {old.mark(name): mark for name, mark in marks}
        contents.append({})
        for (kind, name), (sealed, at) in kept.items():
            plain = old.open(sealed, _row(kind, name))
            if plain is not None:
                name = renamed.get(name, name)
                contents[-1].setdefault(kind, {})[name] = json.loads(plain)
                written[kind, name] = max(at, written.get((kind, name), at))
    latest = max(written.values(), default=0.0)
    return {
        (kind, name): (new.close(_octets(value), _row(kind, name)), written.get((kind, name), latest))
        for kind, values in reduce(merge, contents).items()
        for name, value in values.items()
    }


def is_readable(rows: Iterable[tuple[int, str, str, bytes]], secret: bytes) -> bool:
    """Return whether a secret decrypts any of these: account, kind, name and value; true if there are none."""
    return not (rows := list(rows)) or any(
        vault.Seal(str(account), secret, _PURPOSE).open(sealed, _row(kind, name)) is not None
        for account, kind, name, sealed in rows
    )


def _octets(value: StoredValue) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def _row(kind: str, name: str) -> bytes:
    return f"{kind}\0{name}".encode("utf-8", "surrogatepass")
