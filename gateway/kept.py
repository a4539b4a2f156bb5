"""Text that was posted to a session which had ended: nobody types it twice.

Nothing here may keep a text for longer than a day, for a token that never was a session's, or so that it could be
read without that token: it is sealed under it. Who signs in to the same account and brings the old token gets the text
back, sealed under the new one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway import vault
from gateway.errors import SessionEnded
from gateway.state import KeptRow, State
from gateway.state.kept import LIFETIME

#: Octets of what is kept; a form of ours is never larger.
LARGEST: Final = 256 * 1024
_PURPOSE: Final = b"kept"


@dataclass(frozen=True, slots=True)
class KeptText:
    """A form as it was posted: `path` of the page it was posted to, without token; `name` to forget it by."""

    name: bytes
    path: str
    fields: Mapping[str, str]


class KeptTexts:
    """Keeps what was posted too late, and gives it back."""

    def __init__(self, state: State, secret: bytes, clock: Callable[[], float]) -> None:
        self._state, self._secret, self._clock = state, secret, clock

    def keep(self, token: str, path: str, fields: Mapping[str, str]) -> bool:
        """Keep a form posted with the token of a session that has ended; say whether it is kept."""
        now = self._clock()
        account = self._state.sessions.account(vault.digest(token), now) if vault.is_token(token) else None
        plain = json.dumps([path, dict(fields)], separators=(",", ":")).encode("ascii")
        if account is None or len(plain) > LARGEST:
            return False
        self._put(token, plain, account, now + LIFETIME)
        return True

    def adopt(self, old: str, new: str, account: int) -> int:
        """Take the texts of an ended session over to a new one of the same account; say how many."""
        adopted = 0
        if not vault.is_token(old) or old == new:
            return adopted
        for row in self._state.kept.all(vault.digest(old), account, self._clock()):
            plain = self._opened(row, old)
            if plain is not None:
                self._put(new, plain, account, row.expires)
                adopted += 1
            self._state.kept.remove(row.digest, row.name)
        return adopted

    def all(self, token: str, account: int) -> tuple[KeptText, ...]:
        """Return what is kept under a session's token, the newest first."""
        rows = self._state.kept.all(vault.digest(token), account, self._clock())
        opened = ((row.name, self._opened(row, token)) for row in rows)
        return tuple(KeptText(name, *json.loads(plain)) for name, plain in opened if plain is not None)

    def forget(self, token: str, name: bytes) -> None:
        """Forget a text that has been taken back, or sent."""
        self._state.kept.remove(vault.digest(token), name)

    def _put(self, token: str, plain: bytes, account: int, expires: float) -> None:
        name = vault.mark(plain, token, self._secret, _PURPOSE)
        sealed = vault.seal(plain, token, self._secret, _row(name), _PURPOSE)
        self._state.kept.put(KeptRow(vault.digest(token), name, account, sealed, expires))

    def _opened(self, row: KeptRow, token: str) -> bytes | None:
        try:
            return vault.unseal(row.sealed, token, self._secret, _row(row.name), _PURPOSE)
        except SessionEnded:  # the server secret was changed
            return None


def _row(name: bytes) -> int:
    return int.from_bytes(name[:8], "big")
