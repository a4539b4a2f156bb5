"""What the log knows about the current request: its id, and the account, as a digest.

Nothing here may be logged except id and account: typed text is kept only so that it can be left out. The entry is in
the context (PEP 567): everything logged within a request is marked with it, in any thread that the request uses.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

#: Characters that can be read out over the phone: none looks like another.
ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"
#: Characters of an id: there are 27 thousand million, so no two requests of a day share one.
ID_LENGTH: Final = 7
#: Digits of an account's key in the log, and wherever administrators see it.
HASH_DIGITS: Final = 12
#: The fewest characters of a text that is left out: a shorter one may be part of any words.
SHORTEST_TYPED: Final = 4
#: The key, in a log record's `extra`, of further values by name.
FIELDS: Final = "fields"


@dataclass(slots=True)
class RequestEntry:
    """One request: its id, and the hash of the account that is signed in, or that a sign-in names.

    `typed`: texts of the request that a mail server may repeat, the longest first.
    """

    id: str
    account: str = ""
    typed: tuple[str, ...] = field(default=(), repr=False)


_current: ContextVar[RequestEntry | None] = ContextVar("request", default=None)


@contextmanager
def request() -> Iterator[RequestEntry]:
    """Begin a request for the block."""
    entry = RequestEntry(_id(secrets.randbelow(len(ALPHABET) ** ID_LENGTH)))
    token = _current.set(entry)
    try:
        yield entry
    finally:
        with suppress(ValueError):  # a leftover generator closed in another context, where it is not set
            _current.reset(token)


def _id(number: int) -> str:
    """Write a number in ID_LENGTH characters of ALPHABET."""
    letters = []
    for _ in range(ID_LENGTH):
        number, at = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[at])
    return "".join(letters)


def current() -> RequestEntry:
    """Return the entry of the current request; an empty one outside requests."""
    return _current.get() or RequestEntry("")


def note_account(key: bytes) -> None:
    """Mark the current request with an account, by its key (`logins.account_key`)."""
    current().account = account_hash(key)


def leave_out(typed: Iterable[str]) -> None:
    """Have texts that a person has typed left out where the log quotes a server."""
    found = {text.strip() for text in typed}
    current().typed = tuple(
        sorted((text for text in found if len(text) >= SHORTEST_TYPED), key=len, reverse=True)
    )


def account_hash(key: bytes) -> str:
    """Return the short form of an account's key for administrators: it reveals no address."""
    return key.hex()[:HASH_DIGITS]
