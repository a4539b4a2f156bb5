"""The session of one signed-in person on one handheld, for the length of a request.

Nothing here may reveal a password, keep anything in memory that a restart would lose, or know of markup and
screens. A session gives access to everything that works on its account: the mail store, mail submission, the
encrypted memory, the send journal, the tables. It consists of a row in `state`, a token that only the
handheld has, and the credential encrypted under both. Its key in the pool is the token's digest, so no two
sessions share a connection.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from gateway.access import logins
from gateway.access.mail_submission import MailSubmission, Submit
from gateway.access.mailbox_ids import MailboxIds
from gateway.access.sent_copies import Learnt
from gateway.config import Server, Upstream
from gateway.errors import AuthenticationFailed, SessionEnded, StoreError
from gateway.sealed import vault
from gateway.sealed.link_ids import LinkIds
from gateway.sealed.memory import Memory
from gateway.sealed.saved_forms import SavedForms
from gateway.sealed.send_journal import Journal
from gateway.state import SessionRow, State, Via, optional
from gateway.store import protocols
from gateway.store.abilities import Can
from gateway.store.base import MailStore
from gateway.upstreams.bulkhead import Bulkhead

#: How many sessions' store abilities are remembered; beyond that, all are learnt again.
MOST_ABILITIES: Final = 10_000

ConnectStore = Callable[[Server, str, str], MailStore]


class ConnectionPool(Protocol):
    """The interface of the connection pool; keys are digests of session tokens.

    `connect` returns what the pool keeps, which is more than a MailStore, and the pool's own business.
    """

    def lease(self, key: bytes, connect: Callable[[], Any]) -> AbstractContextManager[MailStore]: ...

    def drop(self, key: bytes) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, repr=False)
class Credential:
    """Address and password; its repr shows neither."""

    address: str
    password: str

    def __repr__(self) -> str:
        return "<credential>"

    def packed(self) -> bytes:
        """Return the credential as octets, to be encrypted."""
        return json.dumps([self.address, self.password]).encode("ascii")

    @classmethod
    def unpacked(cls, octets: bytes) -> Credential:
        """Parse the octets that `packed` returned."""
        address, password = json.loads(octets)
        return cls(address, password)


@dataclass(frozen=True, slots=True)
class Resources:
    """The resources that all sessions of one gateway share."""

    state: State
    secret: bytes
    pool: ConnectionPool
    connect: ConnectStore
    submit: Submit
    clock: Callable[[], float]
    links: LinkIds
    saved_forms: SavedForms
    per_hour: int
    bulkhead: Bulkhead
    #: What the store of a session could do when it was last used, by the token's digest.
    abilities: dict[bytes, Can] = field(default_factory=dict)
    #: Which submission servers file sent mail themselves, as far as known.
    learnt: Learnt = field(default_factory=Learnt)

    def __repr__(self) -> str:
        return "<resources>"


class Session:
    """One signed-in person on one handheld, for the length of a request."""

    __slots__ = (
        "_credential",
        "_memory",
        "_resources",
        "_row",
        "_upstream",
        "extended",
        "mailboxes",
        "person",
        "remembered",
        "token",
    )

    def __init__(
        self,
        resources: Resources,
        row: SessionRow,
        token: str,
        credential: Credential,
        upstream: Upstream,
        remembered: str = "",
    ) -> None:
        """`remembered`: the new cookie of a known device, set at sign-in."""
        self._resources = resources
        self._row = row
        self._credential = credential
        self._upstream = upstream
        self.token = token
        self.remembered = remembered
        #: Whether this request has extended the session.
        self.extended = False
        #: The account's key: fair shares are counted by account, not by session.
        self.person = logins.account_key(upstream, credential.address)
        self._memory: Memory | None = None
        #: The short ids of the account's mailboxes.
        self.mailboxes = MailboxIds(resources.state.mailboxes, row.account)

    def __repr__(self) -> str:
        return f"<session of account {self._row.account}>"

    @property
    def address(self) -> str:
        """The complete address that signed in."""
        return self._credential.address

    @property
    def credential(self) -> Credential:
        """The credential, to be sealed."""
        return self._credential

    def in_small_letters(self) -> Session | None:
        """Return this session with its login in lower case; None if that is the same, or somebody else's."""
        small = replace(self._credential, address=self.address.lower())
        if small == self._credential or self._upstream.case_sensitive_logins:
            return None
        return Session(self._resources, self._row, self.token, small, self._upstream)

    @property
    def account(self) -> int:
        """The account's number in `state`."""
        return self._row.account

    @property
    def device(self) -> str:
        """The name of the device identified at sign-in."""
        return self._row.device

    @property
    def markup(self) -> str:
        """The markup at sign-in."""
        return self._row.markup

    @property
    def chose_markup(self) -> bool:
        """Whether the person asked for that markup."""
        return bool(self._row.chosen)

    @property
    def language(self) -> str:
        """The language chosen at sign-in."""
        return self._row.language

    @property
    def via(self) -> Via:
        """Where the token lives: in the URL or in a cookie."""
        return self._row.via

    @property
    def id(self) -> int:
        """The session's number in `state`."""
        return self._row.id

    # --- what it gives access to ---

    @property
    def state(self) -> State:
        """The database."""
        return self._resources.state

    @property
    def links(self) -> LinkIds:
        """The ids of links in mail."""
        return self._resources.links

    @property
    def saved_forms(self) -> SavedForms:
        """The forms that were posted to ended sessions."""
        return self._resources.saved_forms

    @property
    def memory(self) -> Memory:
        """The account's encrypted memory, shared by all devices."""
        if self._memory is None:  # its key is derived once per request
            resources = self._resources
            self._memory = Memory(resources.state, self.account, resources.secret, resources.clock)
        return self._memory

    @property
    def journal(self) -> Journal:
        """The account's send journal."""
        return Journal(self.state, self.account, self.id, self._resources.secret)

    @property
    def submission(self) -> MailSubmission:
        """Mail submission for this person."""
        resources = self._resources
        return MailSubmission(
            self._upstream,
            self.address,
            self._credential.password,
            self.account,
            self.person,
            resources.submit,
            resources.bulkhead,
            resources.state.submissions,
            resources.per_hour,
            resources.clock,
            resources.learnt,
        )

    @contextmanager
    def store(self) -> Iterator[MailStore]:
        """Lease the mail store for one request. Raise SessionEnded if the server no longer accepts the password."""
        try:
            with self.leased() as store:
                yield store
        except AuthenticationFailed as error:
            with optional("the end of a session"):
                self.close()
            raise SessionEnded(f"the server refuses the session's password: {error.detail}") from error

    @property
    def can(self) -> Can:
        """What the mail store can do; everything if it does not respond, so that nothing is missing for long."""
        if self._row.digest not in self._resources.abilities:
            with suppress(StoreError), self.store():
                pass
        return self.last_seen_can

    @property
    def last_seen_can(self) -> Can:
        """What the mail store can do, as far as that is already known: no server is asked."""
        return self._resources.abilities.get(self._row.digest, protocols.expected(self._upstream.store))

    def now(self) -> float:
        """Return the time by the clock of the sessions, in seconds since the epoch."""
        return self._resources.clock()

    def await_other(self, seconds: float) -> bool:
        """Wait a moment for another request of the same person; return False if there is no waiting place."""
        return self._resources.bulkhead.await_other(self.person, seconds)

    # --- what is derived from its token ---

    def name_of(self, content: str) -> str:
        """Return a name for some content: always the same within a session, and revealing nothing about it."""
        octets = content.encode("utf-8", "surrogatepass")
        return vault.mark(octets, self.token, self._resources.secret, b"mail").hex()

    def ticket(self) -> str:
        """Make a one-time ticket for one change."""
        return vault.ticket(self.token, self._resources.secret)

    def check_ticket(self, ticket: str) -> bytes | None:
        """Return the nonce of a ticket of this session, used or not; None for any other text."""
        return vault.check_ticket(ticket, self.token, self._resources.secret)

    # --- its end ---

    def close(self) -> None:
        """Sign out: delete the row with its tickets, and close the pooled connections."""
        self._resources.pool.drop(self._row.digest)
        self.state.sessions.delete(self.id)

    def forget_account(self) -> None:
        """Delete everything stored about the person, and end their sessions on all devices."""
        for digest in self.state.accounts.forget(self.account):
            self._resources.pool.drop(digest)
        self.state.mailboxes.forget(self.account)

    @contextmanager
    def leased(self, stranger: bool = False) -> Iterator[MailStore]:
        """Lease the mail store when the bulkhead admits it; `stranger`: the password has not been verified yet."""
        resources = self._resources
        with (
            resources.bulkhead.admit(self._upstream, self._upstream.store, self.person, stranger) as inside,
            resources.pool.lease(self._row.digest, self._connect) as store,
            store.lent(self._connect, self.memory),
        ):
            self._remember(store.can)  # before anybody in the block asks, which would take another lease
            try:
                yield store
            finally:
                inside.broken = bool(getattr(store, "broken", False))
                self._remember(store.can)

    def _remember(self, can: Can) -> None:
        abilities = self._resources.abilities
        if len(abilities) >= MOST_ABILITIES:
            abilities.clear()
        abilities[self._row.digest] = can

    def _connect(self) -> MailStore:
        return self._resources.connect(
            self._upstream.store, self._upstream.user(self.address), self._credential.password
        )
