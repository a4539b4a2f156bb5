"""Opens POP3 connections: TCP, TLS, greeting, capabilities, sign-in; and probes servers without credentials.

Nothing here may send a credential before the configured TLS is in place, put one into an error, or offer a password
twice after it was reported as wrong: accounts are locked for that.

Standard: RFC 1939 §4, §7 (USER, PASS, APOP); RFC 2449 (CAPA, codes); RFC 2595 §4 (STLS); RFC 3206 (codes);
RFC 5034 (AUTH).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final, NamedTuple

from gateway.config import Server, Tls
from gateway.errors import (
    AppPasswordNeeded,
    AuthenticationFailed,
    MaildropLocked,
    OAuthOnly,
    PasswordsNotTaken,
    SignInTooSoon,
    StoreBusy,
    StoreError,
    StoreRefused,
    StoreTLSError,
    StoreUnreachable,
)
from gateway.store import credentials, reaching
from gateway.store.pop3.answers import StatusLine
from gateway.store.pop3.connection import MAX_SERVER, BoundedPOP3, farewell
from gateway.upstreams import sasl, tls
from gateway.upstreams.tls import ProbeResult
from gateway.upstreams.wire import Ledger

Capabilities = Mapping[str, tuple[str, ...]]

#: The memory that the answers of each server take at the moment.
_LEDGERS: dict[Server, Ledger] = {}
#: When a connection broke while several commands were in progress. QUIRK: some servers announce PIPELINING, but lose
#: what comes after the first command.
_ONE_BY_ONE: dict[Server, float] = {}
#: Seconds for which such a server gets one command at a time.
REMEMBERED_SECONDS: Final = 3600.0
#: Response codes that say what a refusal means (RFC 2449 §8.1, RFC 3206 §3, §4).
_CODES: Final[Mapping[str, type[StoreError]]] = {
    "AUTH": AuthenticationFailed,
    "IN-USE": MaildropLocked,
    "LOGIN-DELAY": SignInTooSoon,
    "SYS/TEMP": StoreUnreachable,
    "SYS/PERM": StoreRefused,
}
# QUIRK: servers without response codes say in words that the password is not what is wrong. A locked account is not a
# maildrop in use: a password must not be offered again for that.
_MAILDROP: Final = r"(?:mail\s?(?:drop|box|file)|spool)"
_WORDS: Final = (
    (
        re.compile(
            rf"{_MAILDROP}\W+(?:\w+\W+){{0,4}}(?:lock(?:ed)?|in use|busy|open(?:ed)?)\b|\block\W+(?:\w+\W+){{0,3}}"
            rf"{_MAILDROP}|\block busy|another (?:\w+ )?(?:session|process)|session\W+(?:\w+\W+){{0,2}}"
            rf"(?:active|running)",
            re.IGNORECASE,
        ),
        MaildropLocked,
    ),
    (
        re.compile(r"too many \w*\s?(?:connections|sessions|logins)|maximum number of", re.IGNORECASE),
        StoreBusy,
    ),
    (
        re.compile(r"plain\s?text \w+ (?:is )?(?:not allowed|disallowed|disabled)", re.IGNORECASE),
        PasswordsNotTaken,
    ),
    (
        re.compile(r"temporar|try (?:again )?later|internal error|unavailable", re.IGNORECASE),
        StoreUnreachable,
    ),
)


#: A timestamp in a greeting; one with other letters may have been made to find out a password (CVE-2007-1558).
_TIMESTAMP: Final = re.compile(r"<[!-;=?A-~]+@[!-;=?A-~]+>")


class OpenedConnection(NamedTuple):
    """A connection on which credentials may be sent, with what the server has announced."""

    connection: BoundedPOP3
    capabilities: Capabilities
    greeting: str


def open_connection(server: Server) -> OpenedConnection:
    """Connect, start TLS and read the greeting; raise the StoreError for a failure that is the same for every user."""
    try:
        sock = reaching.connect(server)
        connection = BoundedPOP3(sock, _LEDGERS.setdefault(server, Ledger(MAX_SERVER)), server.host)
        try:
            return _greet(connection, server)
        except (StoreError, OSError) as error:
            connection.close()
            raise reaching.unopened(server, error) from None
        except BaseException:
            connection.close()
            raise
    except StoreUnreachable as error:
        error.for_anyone = True
        raise


def _greet(connection: BoundedPOP3, server: Server) -> OpenedConnection:
    greeting = connection.greet()
    if not greeting.ok:
        unavailable = StoreUnreachable(str(greeting))
        unavailable.answered = True
        raise unavailable
    if server.tls is Tls.STARTTLS:
        reply = connection.start_tls(tls.context(server))
        if not reply.ok:
            raise StoreTLSError(f"the server does not offer STLS: {reply}")
    known = connection.ask_capabilities()
    since = time.monotonic() - REMEMBERED_SECONDS
    connection.pipelining = "PIPELINING" in known and _ONE_BY_ONE.get(server, since) <= since
    connection.on_batch_lost = lambda: _ONE_BY_ONE.update({server: time.monotonic()})
    return OpenedConnection(connection, known, greeting.text)


def timestamp_in(greeting: str) -> str:
    """Return what APOP makes its digest from, "" if it is not offered (RFC 1939 §7)."""
    found = _TIMESTAMP.search(greeting)
    return found[0] if found else ""


def sign_in(opened: OpenedConnection, user: str, password: str) -> None:
    """Sign in, with another mechanism only if the first was refused as such. Raise the StoreError for a refusal."""
    secrets = credentials.secrets(user, password)
    reply = StatusLine(False)
    try:
        for mechanism in _mechanisms(opened.capabilities, timestamp_in(opened.greeting)):
            reply = mechanism(opened.connection, user, password)
            if reply.ok:
                return
            if not _refuses_mechanism(reply):
                break
        raise _judged(reply)
    except StoreError as error:
        raise credentials.without(secrets, error) from None


def _refuses_mechanism(reply: StatusLine) -> bool:
    # QUIRK: Dovecot without PLAIN announces USER, and answers "[AUTH] Unsupported authentication mechanism."
    return reply.code in ("", "AUTH") and sasl.refuses_mechanism(reply.text)


Mechanism = Callable[[BoundedPOP3, str, str], StatusLine]


def _mechanisms(known: Capabilities, timestamp: str) -> Iterator[Mechanism]:
    """Yield the password mechanisms; a server that announces nothing has the oldest one (RFC 1939 §7).

    APOP is the last: some servers greet with a timestamp without having a password to compare its digest with.
    """
    mechanisms = known.get("SASL", ())
    others = "PLAIN" in mechanisms or "USER" in known
    if not others and mechanisms and not timestamp:
        kind = OAuthOnly if sasl.OAUTH & set(mechanisms) else PasswordsNotTaken
        raise kind(f"no mechanism for passwords is offered: SASL {' '.join(mechanisms)}")
    if "PLAIN" in mechanisms:
        yield _plain
    if "USER" in known or not others:
        yield partial(_user_or_apop, timestamp) if known and timestamp and not others else _user_and_pass
    if timestamp:
        yield partial(_apop, timestamp)


def _plain(connection: BoundedPOP3, user: str, password: str) -> StatusLine:
    return connection.authenticate(b"PLAIN", sasl.plain(user.encode(), password.encode()))


def _user_and_pass(connection: BoundedPOP3, user: str, password: str) -> StatusLine:
    reply = connection.attempt(connection.user, user)
    return connection.attempt(connection.pass_, password) if reply.ok else reply


def _apop(timestamp: str, connection: BoundedPOP3, user: str, password: str) -> StatusLine:
    digest = sasl.apop(password.encode(), timestamp.encode("ascii"))
    return connection.ask(f"APOP {user} {digest}".encode())


def _user_or_apop(timestamp: str, connection: BoundedPOP3, user: str, password: str) -> StatusLine:
    """Sign in to a server that does not announce USER: a refusal of just the name says nothing about the password."""
    reply = connection.attempt(connection.user, user)
    return (
        connection.attempt(connection.pass_, password)
        if reply.ok
        else _apop(timestamp, connection, user, password)
    )


def _judged(reply: StatusLine) -> StoreError:
    """Distinguish a wrong password from everything else that keeps a person out."""
    error = _kind(reply)(str(reply))
    if isinstance(error, StoreUnreachable):
        error.answered = True
    return error


def _kind(reply: StatusLine) -> type[StoreError]:
    if sasl.wants_app_password(reply.text):
        return AppPasswordNeeded
    if sasl.refuses_passwords(reply.text):
        return OAuthOnly
    if _refuses_mechanism(reply):
        return PasswordsNotTaken
    if reply.code in _CODES:
        return _CODES[reply.code]
    return next((kind for words, kind in _WORDS if words.search(reply.text)), AuthenticationFailed)


def probe(server: Server) -> ProbeResult:
    """Learn what a server announces before sign-in, as far as possible; never raise a StoreError."""
    return tls.probe(server, _look, StoreUnreachable)


def _look(server: Server, result: ProbeResult) -> None:
    opened = open_connection(server)
    tls.describe(opened.connection.wire.sock, result)
    result.greeting = opened.greeting
    result.mechanisms = tuple(sorted(opened.capabilities.get("SASL", ())))
    others = sorted(opened.capabilities.items())
    result.capabilities = tuple(" ".join((name, *words)) for name, words in others if name != "SASL")
    farewell(opened.connection)
