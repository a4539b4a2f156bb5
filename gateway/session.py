"""Who asks: opens a session, finds it again, and lends it the mail store and the way out for mail.

Nothing here may show a password, keep anything in memory that a restart of the gateway would miss, or know of
markup and screens. What a session is made of: a row in `state`, a token that only the handheld has, and the
credential sealed under both. Its key in the pool is the token's digest, so warm connections are its own.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any, Protocol

from gateway import submission, vault
from gateway.config import Config, Server, Upstream
from gateway.errors import AuthenticationFailed, BadRequest, SenderRefused, SessionEnded, UnknownDomain
from gateway.journal import Journal
from gateway.kept import KeptText, KeptTexts
from gateway.links import Link, LinkIds
from gateway.memory import Memory
from gateway.state import Claim, SessionRow, State, Stop, Via
from gateway.store import imap
from gateway.store.base import MailStore
from gateway.submission import Receipt
from gateway.throttle import LIFETIME, Throttle

log = logging.getLogger(__name__)

LONGEST_CREDENTIAL = 1024  # characters of an address or a password; no server takes more
LONGEST_FAMILY = 64  # characters of a User-Agent's name that are compared
PURGE_SECONDS = 600.0  # seconds between two removals of what has expired, in each process

# RFC 9110 §10.1.5: User-Agent begins with a product, whose name is a token.
_PRODUCT = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

Connect = Callable[[Server, str, str], MailStore]
Submit = Callable[[Server, str, str, str, Sequence[str], bytes], Receipt]


class Lender(Protocol):
    """What is asked of the pool; the key is a session's token digest.

    `connect` returns what the pool can keep, which is more than a MailStore and its own affair.
    """

    def lease(self, key: bytes, connect: Callable[[], Any]) -> AbstractContextManager[MailStore]: ...

    def drop(self, key: bytes) -> None: ...


def user_agent_family(user_agent: str | None) -> str:
    """Name the family of a User-Agent: its first product without the version, in lower case; "" for none."""
    match = _PRODUCT.match((user_agent or "").strip())
    return match.group()[:LONGEST_FAMILY].lower() if match else ""


@dataclass(frozen=True, slots=True, repr=False)
class _Credential:
    """Address and password; shows neither."""

    address: str
    password: str

    def __repr__(self) -> str:
        return "<credential>"

    def packed(self) -> bytes:
        return json.dumps([self.address, self.password]).encode("ascii")

    @classmethod
    def unpacked(cls, octets: bytes) -> _Credential:
        address, password = json.loads(octets)
        return cls(address, password)


@dataclass(frozen=True, slots=True)
class _Doors:
    """What every session needs of the house."""

    state: State
    secret: bytes
    pool: Lender
    connect: Connect
    submit: Submit
    clock: Callable[[], float]
    links: LinkIds
    kept: KeptTexts

    def __repr__(self) -> str:
        return "<doors>"


class Session:
    """One signed-in person on one handheld, for the length of a request."""

    __slots__ = ("_credential", "_doors", "_row", "_upstream", "token")

    def __init__(
        self, doors: _Doors, row: SessionRow, token: str, credential: _Credential, upstream: Upstream
    ) -> None:
        self._doors = doors
        self._row = row
        self._credential = credential
        self._upstream = upstream
        self.token = token

    def __repr__(self) -> str:
        return f"<session of account {self._row.account}>"

    @property
    def address(self) -> str:
        """The address signed in with, complete."""
        return self._credential.address

    @property
    def account(self) -> int:
        """The account's number in `state`."""
        return self._row.account

    @property
    def device(self) -> str:
        """The name of the device recognised at sign-in."""
        return self._row.device

    @property
    def markup(self) -> str:
        """The markup chosen at sign-in."""
        return self._row.markup

    @property
    def language(self) -> str:
        """The language chosen at sign-in."""
        return self._row.language

    @property
    def via(self) -> Via:
        """Where the token lives: in the URL or in a cookie."""
        return self._row.via

    @property
    def sent_copy(self) -> str:
        """Who puts a copy into Sent: "append" (we) or "provider"."""
        return self._upstream.sent_copy

    @property
    def memory(self) -> Memory:
        """What is remembered for the account, on all devices."""
        return Memory(self._doors.state, self.account, self._doors.secret, self._doors.clock)

    @property
    def journal(self) -> Journal:
        """How far each of the account's sendings has come."""
        return Journal(self._doors.state, self.account, self._row.id, self._doors.secret)

    @contextmanager
    def store(self) -> Iterator[MailStore]:
        """Lend the mail store for one request. Raise SessionEnded when the password is no longer right."""
        try:
            with self._doors.pool.lease(self._row.digest, self._connect) as store:
                yield store
        except AuthenticationFailed as error:
            self.close()
            raise SessionEnded(f"the server refuses the session's password: {error.detail}") from error

    def may_send_from(self, address: str) -> bool:
        """Say whether the upstream's rule lets this person send from an address."""
        return self._upstream.allows_from(self.address, address)

    def submit(self, recipients: Sequence[str], octets: bytes, sender: str = "") -> Receipt:
        """Submit a finished message with the person's own credential, from their own address unless said.

        Raise SubmissionError; SenderRefused for an address that is not theirs.
        """
        sender = sender or self.address
        if not self.may_send_from(sender):
            raise SenderRefused("not allowed by from_addresses")
        return self._doors.submit(
            self._upstream.smtp,
            self._upstream.user(self.address),
            self._credential.password,
            sender,
            recipients,
            octets,
        )

    def size_limit(self) -> int | None:
        """Say how many octets a message may have that is submitted; None where that is not known."""
        return submission.size_limit(self._upstream.smtp)

    def ticket(self) -> str:
        """Make a one-time ticket for one change."""
        return vault.ticket(self.token, self._doors.secret)

    def check_ticket(self, ticket: str) -> bytes | None:
        """Return the nonce of a ticket of this session, used or not, else None."""
        return vault.check_ticket(ticket, self.token, self._doors.secret)

    def claim(self, ticket: str) -> Claim:
        """Claim a ticket: fresh once, then the first outcome. Raise BadRequest for one that is not ours."""
        return self._doors.state.tickets.claim(self._row.id, self._nonce(ticket), self._doors.clock())

    def settle(self, ticket: str, outcome: dict[str, str]) -> None:
        """Record what a claimed ticket came to, in ids and msgids, for those who bring it again."""
        self._doors.state.tickets.settle(self._row.id, self._nonce(ticket), outcome)

    def mailbox_number(self, name: str, uidvalidity: int) -> int:
        """Return the short id of a mailbox."""
        return self._doors.state.mailboxes.number(self.account, name, uidvalidity)

    def mailbox(self, number: int) -> tuple[str, int] | None:
        """Return name and UIDVALIDITY of a short id."""
        return self._doors.state.mailboxes.lookup(self.account, number)

    def settings(self) -> dict[str, str]:
        """Return what the person has chosen on this device."""
        return self._doors.state.settings.all(self.account, self.device)

    def choose(self, values: Mapping[str, str]) -> None:
        """Remember choices for this device."""
        self._doors.state.settings.put(self.account, self.device, values)

    def stops(self, number: int, uids: Iterable[int]) -> dict[int, Stop]:
        """Return where reading stopped in messages of a mailbox, for those not read to the end."""
        return self._doors.state.reading.stops(self.account, number, uids)

    def stop(self, number: int, uid: int, place: Stop | None) -> None:
        """Remember where reading stopped in a message; None when it is read to its end."""
        if place is None:
            self._doors.state.reading.forget(self.account, number, uid)
        else:
            self._doors.state.reading.stop(self.account, number, uid, place, self._doors.clock())

    def link_id(self, url: str, text: str) -> str:
        """Name a link by what tells nobody else whose or which it is."""
        return self._doors.links.id(self._link(url, text), self.token)

    def keep_links(self, links: Iterable[tuple[str, str]]) -> None:
        """Keep the links (URL and text) of a page that is being shown, so that their ids lead somewhere."""
        self._doors.links.keep((self._link(*link) for link in links), self.token)

    def kept(self) -> tuple[KeptText, ...]:
        """Return what the person posted to an earlier session when it had ended, the newest first."""
        return self._doors.kept.all(self.token, self.account)

    def forget_kept(self, text: KeptText) -> None:
        """Forget what has been taken back into a page and saved, sent or given up."""
        self._doors.kept.forget(self.token, text.name)

    def adopt_kept(self, token: str) -> int:
        """Take over what was posted to an ended session of the same account; say how many texts."""
        return self._doors.kept.adopt(token, self.token, self.account)

    def _link(self, url: str, text: str) -> Link:
        return Link(url, text, self.device, self.markup, self.language)

    def everything(self) -> dict[str, Any]:
        """Return all that is kept about the person and can be read, as JSON has it."""
        kept = [{"page": text.path, "fields": dict(text.fields)} for text in self.kept()]
        return {
            "address": self.address,
            "memory": self.memory.everything(),
            "sendings": self.journal.everything(),
            "tables": self._doors.state.accounts.rows(self.account),
            "kept texts": kept,
        }

    def forget_everything(self) -> None:
        """Forget all that is kept about the person, and end their sessions on all devices."""
        state = self._doors.state
        for digest in state.accounts.forget(self.account):
            self._doors.pool.drop(digest)
        state.mailboxes.forget(self.account)

    def close(self) -> None:
        """Sign out: the row, its tickets and the warm connections are gone."""
        self._doors.state.sessions.delete(self._row.id)
        self._doors.pool.drop(self._row.digest)

    def _connect(self) -> MailStore:
        return self._doors.connect(
            self._upstream.imap, self._upstream.user(self.address), self._credential.password
        )

    def _nonce(self, ticket: str) -> bytes:
        nonce = self.check_ticket(ticket)
        if nonce is None:
            raise BadRequest("a ticket that is not of this session")
        return nonce


class Sessions:
    """Opens sessions and finds them again."""

    def __init__(
        self,
        config: Config,
        state: State,
        secret: bytes,
        pool: Lender,
        connect: Connect = imap.connect,
        submit: Submit = submission.submit,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._state = state
        self._throttle = Throttle(state.tries)
        links = LinkIds(state, secret, clock)
        kept = KeptTexts(state, secret, clock)
        self._doors = _Doors(state, secret, pool, connect, submit, clock, links, kept)
        self._purge_lock = Lock()
        self._purged = float("-inf")

    def open(
        self,
        address: str,
        password: str,
        *,
        device: str,
        markup: str,
        user_agent: str,
        language: str,
        via: Via,
        remote: str,
    ) -> Session:
        """Sign in upstream and begin a session.

        Raise UnknownDomain, TooManyTries, AuthenticationFailed or another StoreError.
        """
        now = self._doors.clock()
        self._purge(now)
        credential = _Credential(self._config.complete_address(address), password)
        upstream = self._config.upstream_for(credential.address)
        # An empty password is an anonymous bind, which succeeds, behind some servers' LDAP (RFC 4513 §5.1.2).
        if not password or max(len(address), len(password)) > LONGEST_CREDENTIAL:
            raise AuthenticationFailed("empty or over-long")
        key = _account_key(upstream, credential.address)
        self._throttle.check(key, remote, now)
        token = vault.new_token()
        row = SessionRow(
            id=secrets.randbits(63),
            digest=vault.digest(token),
            account=0,
            family=user_agent_family(user_agent),
            markup=markup,
            device=device,
            language=language,
            via=via,
            sealed=b"",
            touched=now,
            expires=now + self._idle(),
        )
        self._verify(Session(self._doors, row, token, credential, upstream), key, remote)
        row = replace(
            row,
            account=self._state.accounts.id_for(key),
            sealed=vault.seal(credential.packed(), token, self._doors.secret, row.id),
        )
        self._state.sessions.create(row)
        return Session(self._doors, row, token, credential, upstream)

    def resume(self, token: str, user_agent: str | None) -> Session:
        """Find the session of a token. Raise SessionEnded for none, or when another browser brings it."""
        now = self._doors.clock()
        row = self._state.sessions.get(vault.digest(token), now) if vault.is_token(token) else None
        if row is None:
            raise SessionEnded("unknown or expired")
        family = user_agent_family(user_agent)
        # Connectionless WSP sends no User-Agent at all: that is no other browser.
        if family and row.family and family != row.family:
            self._end(row)
            raise SessionEnded(f"session of {row.family} brought by {family}")
        try:
            credential = _Credential.unpacked(vault.unseal(row.sealed, token, self._doors.secret, row.id))
            upstream = self._config.upstream_for(credential.address)
        except (SessionEnded, UnknownDomain) as error:  # the server secret or the upstreams were changed
            self._end(row)
            raise SessionEnded(error.detail) from error
        self._state.sessions.touch(row, now, now + self._idle())
        return Session(self._doors, row, token, credential, upstream)

    def keep(self, token: str, path: str, fields: Mapping[str, str]) -> bool:
        """Keep a form that was posted to a session which had ended; say whether it is kept."""
        return self._doors.kept.keep(token, path, fields)

    def was_begun(self, token: str, ticket: str) -> bool:
        """Say whether a ticket of an ended session has sent a mail, and have that told at the next sign-in."""
        account = self._state.sessions.account(vault.digest(token), self._doors.clock())
        if account is None or vault.check_ticket(ticket, token, self._doors.secret) is None:
            return False
        return Journal(self._state, account, 0, self._doors.secret).ask(ticket)

    def link(self, key: str) -> Link | None:
        """Find a link by its id, which is all that is needed; None for one that is not known any more."""
        return self._doors.links.find(key)

    def _verify(self, session: Session, key: bytes, remote: str) -> None:
        """Sign in upstream; the connection stays in the pool for the first page."""
        try:
            with self._doors.pool.lease(session._row.digest, session._connect):
                pass
        except AuthenticationFailed:
            self._throttle.failed(key, remote, self._doors.clock())
            raise
        self._throttle.succeeded(key, remote)

    def _end(self, row: SessionRow) -> None:
        self._state.sessions.delete(row.id)
        self._doors.pool.drop(row.digest)

    def _idle(self) -> float:
        return self._config.idle_minutes * 60.0

    def _purge(self, now: float) -> None:
        with self._purge_lock:
            if 0 <= now - self._purged < PURGE_SECONDS:
                return
            self._purged = now
        gone = self._state.sessions.purge(now)
        self._state.tries.purge(now - LIFETIME)
        self._state.links.purge(now)
        self._state.kept.purge(now)
        self._state.journal.purge(now)
        log.debug("%d expired sessions removed", gone)


def _account_key(upstream: Upstream, address: str) -> bytes:
    """Make what an account is known by: neither server nor login can be read from it."""
    text = f"{upstream.imap.host}\0{upstream.user(address)}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
