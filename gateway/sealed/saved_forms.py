"""Forms posted to a session after its end, or not stored anywhere else, so that nobody has to type them again.

Nothing here may keep a form for longer than a day, for a token that never belonged to a session, or readable without
that token: it is encrypted under it. A person who signs in to the same account and presents the old token gets the form
back, encrypted under the new one. A form that came without such a token is not stored: the sign-in page carries it,
encrypted under the server secret.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from gateway.errors import SessionEnded
from gateway.sealed import vault
from gateway.sealed.vault import TicketedPost
from gateway.state import PostedForm, State
from gateway.state.sending.posted_forms import LIFETIME

#: Octets of a stored form; ours are never larger.
LARGEST: Final = 256 * 1024
#: Octets of a form that a page carries: the sign-in form with it, in base64, is within the limit of a form.
LARGEST_CARRIED: Final = 128 * 1024
_PURPOSE: Final = b"kept"
#: Octets of a name in URLs, of which some phones accept only 100: a session has a handful of forms.
_CODE: Final = 8


def code_of(name: bytes) -> str:
    """Return how pages name a form."""
    return name[:_CODE].hex()


@dataclass(frozen=True, slots=True)
class SavedForm:
    """A form as it was posted: `path`: of the page it was posted to, without token; `name`: to forget it by."""

    name: bytes
    path: str
    fields: Mapping[str, str]

    @property
    def code(self) -> str:
        """Its name in pages."""
        return code_of(self.name)

    @property
    def digest(self) -> str:
        """What identifies it even when another session has taken it over, which changes its name."""
        return sha256(_written(self.path, self.fields)).hexdigest()


class SavedForms:
    """Stores what was posted too late, and returns it."""

    def __init__(self, state: State, secret: bytes, clock: Callable[[], float]) -> None:
        self._state, self._secret, self._clock = state, secret, clock
        self._seal = vault.Seal("", secret, b"carried")

    def keep(self, token: str, path: str, fields: Mapping[str, str]) -> bool:
        """Store a form posted with the token of an ended session; return whether it was stored."""
        now = self._clock()
        account = self._state.sessions.account(vault.digest(token), now) if vault.is_token(token) else None
        plain = _written(path, fields)
        if account is None or len(plain) > LARGEST:
            return False
        self._put(token, plain, account, now + LIFETIME)
        return True

    def put(self, token: str, account: int, path: str, fields: Mapping[str, str]) -> bytes | None:
        """Store what was typed in a session that goes on; return its name, None if it is too large."""
        plain = _written(path, fields)
        return self._put(token, plain, account, self._clock() + LIFETIME) if len(plain) <= LARGEST else None

    def adopt(self, old: str, new: str, account: int) -> int:
        """Move the forms of an ended session to a new one of the same account; return how many."""
        adopted = 0
        if not vault.is_token(old) or old == new:
            return adopted
        for row in self._state.posted_forms.all(vault.digest(old), account, self._clock()):
            plain = self._opened(row, old)
            if plain is not None:
                self._put(new, plain, account, row.expires)
                adopted += 1
            self._state.posted_forms.remove(row.digest, row.name)
        return adopted

    def all(self, token: str, account: int | None) -> tuple[SavedForm, ...]:
        """Return what is stored under a session's token, the newest first; None: whichever account it was."""
        rows = self._state.posted_forms.all(vault.digest(token), account, self._clock())
        opened = ((row.name, self._opened(row, token)) for row in rows)
        return tuple(SavedForm(name, *json.loads(plain)) for name, plain in opened if plain is not None)

    def carried(self, post: TicketedPost, path: str, fields: Mapping[str, str]) -> str:
        """Encrypt a form for the sign-in page to carry, since no token says whose it is; '' if it is too large."""
        plain = json.dumps([post.ticket, post.mark.hex(), path, dict(fields)], separators=(",", ":")).encode()
        return (
            base64.urlsafe_b64encode(self._seal.close(plain, b"")).decode()
            if len(plain) <= LARGEST_CARRIED
            else ""
        )

    def arrived(self, carried: str) -> tuple[TicketedPost, str, Mapping[str, str]] | None:
        """Return the post, path and fields of a form that a page has carried; None if it is not one of ours."""
        try:
            plain = self._seal.open(base64.urlsafe_b64decode(carried.encode()), b"")
        except ValueError:  # binascii.Error, too
            return None
        if plain is None:
            return None
        ticket, mark, path, fields = json.loads(plain)
        return TicketedPost(ticket, bytes.fromhex(mark)), path, fields

    def forget(self, token: str, name: bytes) -> None:
        """Remove a form that has been reopened, or sent."""
        self._state.posted_forms.remove(vault.digest(token), name)

    def _put(self, token: str, plain: bytes, account: int, expires: float) -> bytes:
        name = vault.mark(plain, token, self._secret, _PURPOSE)
        sealed = vault.seal(plain, token, self._secret, _row(name), _PURPOSE)
        self._state.posted_forms.put(PostedForm(vault.digest(token), name, account, sealed, expires))
        return name

    def _opened(self, row: PostedForm, token: str) -> bytes | None:
        try:
            return vault.unseal(row.sealed, token, self._secret, _row(row.name), _PURPOSE)
        except SessionEnded:  # the server secret was changed
            return None


def _written(path: str, fields: Mapping[str, str]) -> bytes:
    return json.dumps([path, dict(fields)], separators=(",", ":")).encode("ascii")


def _row(name: bytes) -> int:
    return int.from_bytes(name[:8], "big")
