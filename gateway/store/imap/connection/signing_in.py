"""Signs in to an IMAP server: which mechanism, what a refusal means, and who we are (ID).

Nothing here may put a credential into an error, or offer a password twice after it was reported as wrong: accounts are
locked for that. Another mechanism is tried only if the first was not understood (BAD) or refused as such, once per
sign-in; which ones a server refuses is remembered.

Standard: RFC 9051 §6.2.2, §6.2.3; RFC 4616 (PLAIN); RFC 2195 (CRAM-MD5); RFC 2971 (ID); RFC 5530 (codes).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from gateway import __version__
from gateway.errors import (
    AppPasswordNeeded,
    AuthenticationFailed,
    OAuthOnly,
    PasswordsDoubtful,
    PasswordsNotTaken,
    StoreError,
    StoreRefused,
    StoreUnreachable,
)
from gateway.store import credentials
from gateway.store.imap import response
from gateway.store.imap.exchange import Exchange, capability_names, refusal
from gateway.store.imap.response import CommandResponse
from gateway.upstreams import sasl
from gateway.upstreams.sasl import CRAM_MD5, LOGIN, PLAIN

#: Tries in one sign-in.
TRIES: Final = 2
#: Seconds for which a server is believed to refuse a mechanism.
REMEMBERED_SECONDS: Final = 3600.0
#: When a server refused a mechanism, by mechanism name, on the monotonic clock.
Refused = dict[str, float]

LOGIN_COMMAND: Final = "LOGIN command"
_OAUTH: Final = frozenset(f"AUTH={name}" for name in sasl.OAUTH)
# Response codes of a NO that do not mean a wrong password (RFC 5530, RFC 9051 §7.1), in addition to those of
# `exchange`.
_NOT_NOW: Final = frozenset({"INUSE", "LIMIT", "SERVERBUG", "CORRUPTION", "CONTACTADMIN"})
#: Response codes that judge the credentials, whatever the text says.
_JUDGED: Final = frozenset({"AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED", "ALERT"})
#: QUIRK: hosts that offer PLAIN and refuse it as if the password were wrong, since 2022 and 2024 for nearly everybody:
#: https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/deprecation-of-basic-authentication-exchange-online
_PASSWORDS_DOUBTFUL: Final = frozenset(
    {"outlook.office365.com", "outlook.office.com", "imap-mail.outlook.com"}
)


def sign_in(
    exchange: Exchange,
    capabilities: frozenset[str],
    user: str,
    password: str,
    refused: Refused | None = None,
) -> frozenset[str]:
    """Authenticate, and return the capabilities afterwards; `refused`: what this server has refused before."""
    refused = {} if refused is None else refused
    secrets = credentials.secrets(response.safe(user), response.safe(password))
    mechanisms = _mechanisms(capabilities, user.isascii() and password.isascii(), refused)
    exchange.know(capabilities)
    reply: CommandResponse | None = None
    tries = 0
    for mechanism in mechanisms[:TRIES]:
        tries += 1
        try:
            reply = _ATTEMPTS[mechanism](exchange, user, password)
        except StoreUnreachable as error:
            if reply is None:
                raise credentials.without(secrets, error) from None
            break  # hung up on the second try: the first refusal says why
        except StoreError as error:
            raise credentials.without(secrets, error) from None
        if reply.ok:
            return _introduced(exchange, reply, capabilities)
        if not _is_of_the_mechanism(reply):
            break
        refused[mechanism] = time.monotonic()
    assert reply is not None
    raise credentials.without(secrets, _judged(reply, tries, exchange.host))


def _mechanisms(capabilities: frozenset[str], ascii_only: bool, refused: Refused) -> list[str]:
    """Return the password mechanisms in the order to try them, those that were refused last; or raise."""
    found = [name for name in (PLAIN, LOGIN, CRAM_MD5) if f"AUTH={name}" in capabilities]
    if "LOGINDISABLED" not in capabilities and (found or not _OAUTH & capabilities):
        # LOGIN comes after PLAIN; for non-ASCII letters, which it takes only as literals, after any other mechanism.
        found.insert(1 if PLAIN in found or (found and not ascii_only) else 0, LOGIN_COMMAND)
    if not found:
        only_oauth = _OAUTH & capabilities
        raise (OAuthOnly if only_oauth else PasswordsNotTaken)("no mechanism for passwords is offered")
    since = time.monotonic() - REMEMBERED_SECONDS
    return sorted(found, key=lambda name: refused.get(name, since) > since)


# --- the mechanisms ---


def _plain(exchange: Exchange, user: str, password: str) -> CommandResponse:
    return _sasl(exchange, PLAIN, [sasl.plain(user.encode(), password.encode())])


def _login(exchange: Exchange, user: str, password: str) -> CommandResponse:
    return _sasl(exchange, LOGIN, [user.encode(), password.encode()])


def _login_command(exchange: Exchange, user: str, password: str) -> CommandResponse:
    if user.isascii() and password.isascii():
        return exchange.attempt(exchange.login, user, password)[1]
    command = (b"LOGIN ", user.encode(), b" ", password.encode(), b"")
    return exchange.speak(command, capabilities=exchange.known)[0]


def _cram_md5(exchange: Exchange, user: str, password: str) -> CommandResponse:
    def answer(challenge: bytes) -> bytes:
        return sasl.cram_md5(user.encode(), password.encode(), challenge)

    return _sasl(exchange, CRAM_MD5, [answer])


_ATTEMPTS: Final[dict[str, Callable[[Exchange, str, str], CommandResponse]]] = {
    PLAIN: _plain,
    LOGIN_COMMAND: _login_command,
    LOGIN: _login,
    CRAM_MD5: _cram_md5,
}


def _sasl(
    exchange: Exchange, mechanism: str, steps: Sequence[bytes | Callable[[bytes], bytes]]
) -> CommandResponse:
    """Authenticate in steps; a further challenge cancels."""
    left = iter(steps)

    def answer(challenge: bytes) -> bytes | None:
        step = next(left, None)
        return step(challenge) if callable(step) else step

    return exchange.attempt(exchange.sasl_login, mechanism, answer)[1]


# --- what comes of it ---


def _introduced(exchange: Exchange, reply: CommandResponse, before: frozenset[str]) -> frozenset[str]:
    """Learn the capabilities, and say who we are together with the next command.

    QUIRK: NetEase opens no mailbox for a client without ID ("Unsafe Login").
    """
    if "ID" in before:
        exchange.send_ahead(_ID)
    told = [u.pieces[0] for u in reply.untagged if u.kind == "CAPABILITY"]
    statuses = reply.status, *(u.status for u in reply.untagged if u.kind == "OK")
    told += [status.argument for status in statuses if status.code == "CAPABILITY"]
    if told:
        names = capability_names(told[-1])
    else:
        try:
            names = exchange.ask_capabilities()
        except StoreRefused:
            names = before
    if "ID" in names - before:
        exchange.send_ahead(_ID)
    return names


_ID: Final = b'ID ("name" "Pocketpost" "version" ' + response.quoted(__version__) + b")"


def _is_of_the_mechanism(reply: CommandResponse) -> bool:
    """Return whether the mechanism was refused, rather than the credentials."""
    if reply.status.code in _JUDGED:
        return False
    if reply.status.kind == "BAD" or reply.status.code == "CANNOT":
        return True
    return reply.status.code in ("", "CAPABILITY") and sasl.refuses_mechanism(reply.status.text)


def _judged(reply: CommandResponse, tries: int, host: str) -> StoreError:
    """Distinguish a wrong password from everything else that keeps a person out."""
    said = " ".join(u.status.text for u in reply.untagged if u.kind in response.STATUSES) + reply.status.text
    detail = refusal(reply).detail
    if sasl.wants_app_password(said):
        return AppPasswordNeeded(detail)
    if sasl.refuses_passwords(said):
        return OAuthOnly(detail)
    if reply.status.kind != "NO":
        return refusal(reply, StoreRefused)
    if _is_of_the_mechanism(reply):
        return PasswordsNotTaken(detail)
    error = refusal(reply, StoreUnreachable if reply.status.code in _NOT_NOW else AuthenticationFailed)
    if type(error) is AuthenticationFailed and host.lower() in _PASSWORDS_DOUBTFUL:
        error = PasswordsDoubtful(detail)
    if isinstance(error, AuthenticationFailed):
        error.tries = tries
    return error
