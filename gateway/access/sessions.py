"""Opens sessions at sign-in and resumes them by token.

Nothing here may reveal a password, or let a guess go upstream uncounted. `session` says what a session
consists of.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock

from gateway import submission
from gateway.access import log_context, logins, sign_in_log
from gateway.access.browser_families import is_another_browser, user_agent_family
from gateway.access.known_devices import KnownDevices, SignInOrigin
from gateway.access.mail_submission import Submit
from gateway.access.session import ConnectionPool, ConnectStore, Credential, Resources, Session
from gateway.access.throttle import LIFETIME, AdmittedAttempt, Attempt, Throttle, site_of
from gateway.config import Config, Upstream
from gateway.config.hosts import domain_name
from gateway.errors import (
    AccountLocked,
    AuthenticationFailed,
    SessionEnded,
    UnknownDomain,
)
from gateway.sealed import account_address, account_data, memory, vault
from gateway.sealed.link_ids import LinkIds
from gateway.sealed.saved_forms import SavedForms
from gateway.sealed.send_journal import Journal
from gateway.sealed.vault import TicketedPost
from gateway.state import SessionRow, State, Via, optional
from gateway.store import protocols
from gateway.upstreams.bulkhead import Bulkhead

log = logging.getLogger(__name__)

LONGEST_CREDENTIAL = 1024  # characters of an address or a password; no server takes more
PURGE_SECONDS = 600.0  # seconds between two removals of what has expired, in each process


class Sessions:
    """Opens, resumes and ends sessions."""

    def __init__(
        self,
        config: Config,
        state: State,
        secret: bytes,
        pool: ConnectionPool,
        connect: ConnectStore = protocols.connect,
        submit: Submit = submission.submit,
        clock: Callable[[], float] = time.time,
        merge: memory.Merge = memory.merged,
        bulkhead: Bulkhead | None = None,
    ) -> None:
        """`merge` merges the memories of two accounts that turn out to be one person's."""
        self._reseal = account_data.resealing(secret, merge)
        self._config = config
        self._state = state
        self._throttle = Throttle(state.tries, KnownDevices(state.devices))
        self.links = LinkIds(state, secret, clock)
        self.saved_forms = SavedForms(state, secret, clock)
        self._resources = Resources(
            state,
            secret,
            pool,
            connect,
            submit,
            clock,
            self.links,
            self.saved_forms,
            config.per_hour,
            bulkhead or Bulkhead(config.threads),
        )
        self._purge_lock = Lock()
        self._purged = float("-inf")
        if not config.admin_show_addresses:
            with optional("that no addresses are kept"):
                state.accounts.erase_addresses()

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
        remembered: str = "",
        chosen: bool = True,
    ) -> Session:
        """Sign in upstream and begin a session.

        `chosen`: the person asked for this markup, so that no override changes it.
        `remote`: the network address; `remembered`: the cookie of a known device. Raise UnknownDomain,
        AccountLocked, TooManyTries, AuthenticationFailed or another StoreError.
        """
        now = self._resources.clock()
        self._purge(now)
        credential, upstream, key = self._unlocked(address, password)
        # Before the password goes anywhere: a guess that cannot be counted must not be made.
        self._state.database.require_writable()
        counted = logins.counting_key(upstream, credential.address)
        origin = SignInOrigin(key, site_of(remote), remembered)
        entry = self._throttle.enter(Attempt(counted, remote, origin), now)
        token = vault.new_token()
        row = self._new_row(token, now, user_agent, markup=markup, device=device, language=language, via=via)
        row = replace(row, domain=domain_mark(self._resources.secret, credential.address), chosen=chosen)
        with self._given_back_unless_wrong(entry):
            credential = self._verified(Session(self._resources, row, token, credential, upstream), entry)
            sealed = vault.seal(credential.packed(), token, self._resources.secret, row.id)
            row = replace(row, sealed=sealed)
            former = logins.key_as_typed(upstream, credential.address)
            row = self._state.begin(row, key, former, self._reseal, self._shown(key, credential))
        known = self._resources.clock()  # the mail server may have taken its time
        cookie = self._throttle.succeeded(entry, row.account, known, by_token=via == "cookie")
        return Session(self._resources, row, token, credential, upstream, cookie)

    def _unlocked(self, address: str, password: str) -> tuple[Credential, Upstream, bytes]:
        """Return who signs in, where, and the key of the account. Raise UnknownDomain, AccountLocked."""
        credential = Credential(self._config.complete_address(address), password)
        upstream = self._config.upstream_for(credential.address)
        _refuse_unusable(address, password)
        key = logins.account_key(upstream, credential.address)
        log_context.note_account(key)
        if self._state.accounts.is_locked((key, logins.key_as_typed(upstream, credential.address))):
            raise AccountLocked("locked by an administrator")
        return credential, upstream, key

    def _new_row(
        self, token: str, now: float, user_agent: str, *, markup: str, device: str, language: str, via: Via
    ) -> SessionRow:
        """Make the row of a session, still without an account and credentials."""
        return SessionRow(
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
            expires=now + self.idle_seconds(),
            begun=now,
        )

    def resume(self, token: str, user_agent: str | None) -> Session:
        """Return the session of a token. Raise SessionEnded if there is none, or if another browser presents its token.

        A request from another browser ends nothing: a leaked address or a link scanner must not sign anybody
        out.
        """
        now = self._resources.clock()
        row = self._state.sessions.get(vault.digest(token), now) if vault.is_token(token) else None
        if row is None:
            raise SessionEnded("unknown or expired")
        family = user_agent_family(user_agent)
        # Connectionless WSP sends no User-Agent at all, which does not make it another browser.
        if is_another_browser(family, row.family):
            raise SessionEnded(f"session of {row.family} brought by {family}")
        try:
            credential = Credential.unpacked(vault.unseal(row.sealed, token, self._resources.secret, row.id))
            upstream = self._config.upstream_for(credential.address)
        except (SessionEnded, UnknownDomain) as error:  # the server secret or the upstreams were changed
            self._end(row)
            raise SessionEnded(error.detail) from error
        session = Session(self._resources, row, token, credential, upstream)
        log_context.note_account(session.person)
        with optional("that a session lives"):
            session.extended = self._state.sessions.touch(row, now, now + self.idle_seconds())
        return session

    def knows(self, token: str) -> bool:
        """Return whether a token is that of a session, without touching the session or decrypting anything."""
        if not vault.is_token(token):
            return False
        return self._state.sessions.get(vault.digest(token), self._resources.clock()) is not None

    def was_begun(self, token: str, post: TicketedPost) -> bool:
        """Return whether a post to an ended session has sent a mail, and have it reported at the next sign-in.

        A ticket that the journal knows was issued by us, even if the server secret has changed since.
        """
        account = self._state.sessions.account(vault.digest(token), self._resources.clock())
        return account is not None and Journal(self._state, account, 0, self._resources.secret).ask(post)

    def close(self) -> None:
        """Close the pooled connections; the sessions live on."""
        self._resources.pool.close()

    def _verified(self, session: Session, entry: AdmittedAttempt) -> Credential:
        """Sign in upstream, and return the credential that worked; the connection stays in the pool for the first page.

        Keypads capitalise: a login that is wrong as typed is tried in lower case, unless the password has already been
        offered twice.
        """
        try:
            with session.leased(stranger=not entry.charged):
                return session.credential
        except AuthenticationFailed as error:
            small = session.in_small_letters()
            if small is None or error.tries > 1 or type(error) is not AuthenticationFailed:
                raise
        with small.leased(stranger=not entry.charged):
            return small.credential

    @contextmanager
    def _given_back_unless_wrong(self, entry: AdmittedAttempt) -> Iterator[None]:
        """Undo the count of a try that failed for a reason other than its password."""
        try:
            yield
        except BaseException as error:
            if sign_in_log.was_refused(error):
                raise
            with optional("that a try was no guess"):
                self._throttle.did_not_fail(entry, self._resources.clock())
            raise

    def _end(self, row: SessionRow) -> None:
        with optional("the end of a session"):
            self._state.sessions.delete(row.id)
        self._resources.pool.drop(row.digest)

    def _shown(self, key: bytes, credential: Credential) -> bytes | None:
        """Return the encrypted address that is kept for administrators, None if they do not want it."""
        if not self._config.admin_show_addresses:
            return None
        return account_address.closed(credential.address, key, self._resources.secret)

    def idle_seconds(self) -> float:
        """Return how long an unused session lives."""
        return self._config.idle_minutes * 60.0

    def _purge(self, now: float) -> None:
        with self._purge_lock:
            if 0 <= now - self._purged < PURGE_SECONDS:
                return
            self._purged = now
        with optional("what has expired stays"):
            gone = self._state.sessions.purge(now)
            self._state.tries.purge(now - LIFETIME)
            self._state.devices.purge(now)
            self._state.links.purge(now)
            self._state.posted_forms.purge(now)
            self._state.journal.purge(now)
            log.debug("%d expired sessions removed", gone)


def domain_mark(secret: bytes, address: str) -> str:
    """Return the mark that a session has instead of its mail domain; `address` may be just a domain."""
    return vault.Seal("", secret, b"session domain").mark(domain_name(address.rpartition("@")[2].strip()))


def _refuse_unusable(address: str, password: str) -> None:
    # With some servers' LDAP an empty password is an anonymous bind, which succeeds (RFC 4513 §5.1.2).
    if not password or max(len(address), len(password)) > LONGEST_CREDENTIAL:
        raise AuthenticationFailed("empty or over-long")
