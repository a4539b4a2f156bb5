"""The beginning of an IMAP connection: TCP, TLS, greeting, sign-in; and what a mailbox is called on the wire.

Nothing here may put a credential into an error, or send one before what was agreed about TLS holds. This is the
sole importer of imapclient, which knows modified UTF-7. Its connections are not used: imaplib behind them reads a
greeting and what comes before sign-in without bounds, and keeps what came in plain text for after STARTTLS.
Standard: RFC 9051 §6.1, §6.2, §7.1.5; RFC 4959 (SASL-IR); RFC 4616 (PLAIN); RFC 3501 §5.1.3 and RFC 6855 (mailbox
names).
"""

from __future__ import annotations

import base64
import socket
from typing import NamedTuple

from imapclient.imap_utf7 import decode, encode

from gateway.config import Server, Tls
from gateway.errors import (
    AuthenticationFailed,
    ServerAlert,
    StoreError,
    StoreRefused,
    StoreTLSError,
    StoreUnreachable,
    UnsafeArgument,
)
from gateway.store import response, tls
from gateway.store.exchange import Exchange, refusal
from gateway.store.response import Reply
from gateway.store.tls import ProbeResult

# Seconds for one address to accept a connection and to finish its TLS handshake.
CONNECT_SECONDS = 10.0
# What cancels a SASL exchange: a second challenge has no answer in PLAIN (RFC 9051 §6.2.2).
CANCEL = b"*"
# Characters of a credential by which its echo is known: a server's text is cut, and so may be the echo.
ECHO = 16

# Response codes of a NO that say nothing of the password (RFC 5530, RFC 9051 §7.1), beside those of `exchange`.
_NOT_NOW = frozenset({"INUSE", "LIMIT", "SERVERBUG", "CORRUPTION", "CONTACTADMIN"})


class Opening(NamedTuple):
    """A conversation up to the point where credentials may be sent, with what the server has shown."""

    exchange: Exchange
    capabilities: frozenset[str]
    greeting: str


def open_exchange(server: Server, kind: type[Exchange] = Exchange) -> Opening:
    """Connect, protect and greet, or raise the StoreError that fits."""
    if tls.is_too_open(server):
        raise StoreTLSError(
            "plain text to another machine: use imaps:// or imap+starttls://, or insecure = true"
        )
    where = f"{server.host}:{server.port}"
    try:
        exchange = kind(_connect(server))
    except (OSError, UnicodeError) as error:
        raise _unopened(where, error) from None
    try:
        return _greet(exchange, server)
    except StoreError as error:
        exchange.close()
        raise error if isinstance(error, ServerAlert) else type(error)(f"{where}: {error.detail}") from None
    except OSError as error:
        exchange.close()
        raise _unopened(where, error) from None
    except BaseException:
        exchange.close()
        raise


def _unopened(where: str, error: OSError | UnicodeError) -> StoreError:
    unsafe = isinstance(error, OSError) and tls.is_unsafe(error)
    return (StoreTLSError if unsafe else StoreUnreachable)(f"{where}: {tls.words(error)}")


def _connect(server: Server) -> socket.socket:
    sock = socket.create_connection((server.host, server.port), CONNECT_SECONDS)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    except OSError:
        sock.close()
        raise
    return tls.protect(sock, server) if server.tls is Tls.IMPLICIT else sock


def _greet(exchange: Exchange, server: Server) -> Opening:
    """Read the greeting and the capabilities, and go into TLS where that is agreed."""
    greeting = exchange.greet()
    if greeting.kind == "BYE":
        raise ServerAlert(greeting.text) if greeting.code == "ALERT" else StoreUnreachable(greeting.text)
    if greeting.kind == "PREAUTH":
        # Nobody's credentials were asked for: this is not known to be the mailbox of the one who signs in.
        raise StoreRefused("the server takes us for signed in already (PREAUTH)")
    names = _names(greeting.argument) if greeting.code == "CAPABILITY" else _ask(exchange)
    if server.tls is Tls.STARTTLS:
        if "STARTTLS" not in names:
            raise StoreTLSError("the server does not offer STARTTLS")
        (reply,) = exchange.run(b"STARTTLS")
        if not reply.ok:
            raise refusal(reply, StoreTLSError)
        exchange.secure(lambda sock: _protect(sock, server))
        names = _ask(exchange)
    return Opening(exchange, names, greeting.text)


def _protect(sock: socket.socket, server: Server) -> socket.socket:
    sock.settimeout(CONNECT_SECONDS)
    return tls.protect(sock, server)


def _ask(exchange: Exchange) -> frozenset[str]:
    answer = exchange.call(b"CAPABILITY")
    return _names(b" ".join(u.pieces[0] for u in answer.untagged if u.kind == "CAPABILITY"))


def sign_in(exchange: Exchange, capabilities: frozenset[str], user: str, password: str) -> frozenset[str]:
    """Authenticate by PLAIN where it is offered or needed, else by LOGIN; return the capabilities that hold now."""
    message = _plain_message(response.safe(user), response.safe(password))
    ascii_only = user.isascii() and password.isascii()
    plain = "AUTH=PLAIN" in capabilities or not ascii_only
    if not plain and "LOGINDISABLED" in capabilities:
        raise StoreTLSError("the server does not take passwords on this connection")
    try:
        if not plain:
            (reply,) = exchange.run(b"LOGIN " + response.quoted(user) + b" " + response.quoted(password))
        elif "SASL-IR" in capabilities:
            reply = exchange.converse(b"AUTHENTICATE PLAIN " + message, CANCEL)
        else:
            reply = exchange.converse(b"AUTHENTICATE PLAIN", message, CANCEL)
        if not reply.ok:
            raise _refused(reply)
    except StoreError as error:
        raise _without((password, message.decode()), error) from None
    for status in (reply.status, *(u.status for u in reply.untagged if u.kind == "OK")):
        if status.code == "CAPABILITY":
            return _names(status.argument)
    return _ask(exchange)


def _refused(reply: Reply) -> StoreError:
    """Tell a wrong password from a server that cannot sign in anybody just now, or does not understand."""
    if reply.status.kind != "NO":
        return refusal(reply, StoreRefused)
    return refusal(reply, StoreUnreachable if reply.status.code in _NOT_NOW else AuthenticationFailed)


def _plain_message(user: str, password: str) -> bytes:
    """Write the message of PLAIN in base64 (RFC 4616 §2)."""
    try:
        return base64.b64encode(f"\0{user}\0{password}".encode())
    except UnicodeEncodeError:
        raise UnsafeArgument("the credentials are not Unicode text") from None


def _without(secrets: tuple[str, ...], error: StoreError) -> StoreError:
    """Drop the detail of an error in which the server repeats the password, plain or encoded, whole or cut."""
    if any(secret and secret[:ECHO] in error.detail for secret in secrets):
        return (
            ServerAlert("")
            if isinstance(error, ServerAlert)
            else type(error)("(text of the server left out)")
        )
    return error


def _names(octets: bytes) -> frozenset[str]:
    return frozenset(octets.decode("ascii", "replace").upper().split())


def enable_utf8(exchange: Exchange, capabilities: frozenset[str]) -> bool:
    """Have the server speak UTF-8 where it can (RFC 6855 §3); tell whether it does from now on."""
    if not {"UTF8=ACCEPT", "UTF8=ONLY"} & capabilities:
        return False
    (reply,) = exchange.run(b"ENABLE UTF8=ACCEPT")
    enabled = (line.pieces[0].upper().split() for line in reply.untagged if line.kind == "ENABLED")
    return any(b"UTF8=ACCEPT" in names for names in enabled)


def mailbox_argument(name: str, utf8: bool = False) -> bytes:
    """Write a mailbox name as an argument of a command: in modified UTF-7, or as it is with UTF8=ACCEPT."""
    if utf8:
        return response.quoted(name, utf8)
    try:
        return response.quoted(encode(response.safe(name)).decode("ascii"))
    except UnicodeEncodeError:
        raise UnsafeArgument("the mailbox name is not Unicode text") from None


def mailbox_name(octets: bytes, utf8: bool = False) -> str:
    """Read a mailbox name from the wire; one that is no modified UTF-7 stays as it is."""
    if utf8:
        return octets.decode("utf-8", "replace")
    if b"&" not in octets and octets.isascii():
        return octets.decode("ascii")
    try:
        return str(decode(octets))
    except (UnicodeError, ValueError):
        return octets.decode("utf-8", "replace")


def probe(server: Server) -> ProbeResult:
    """Learn what a server shows before sign-in, as far as one gets; never raise a StoreError."""
    result = ProbeResult()
    try:
        result.addresses = tls.resolve(server)
    except OSError as error:
        result.failure = StoreUnreachable(f"{server.host}: {tls.words(error)}")
        return result
    try:
        opened = open_exchange(server)
    except StoreError as failure:
        result.failure = failure
        return result
    tls.describe(opened.exchange.sock, result)
    result.greeting = opened.greeting
    names = sorted(opened.capabilities)
    result.mechanisms = tuple(name.removeprefix("AUTH=") for name in names if name.startswith("AUTH="))
    result.capabilities = tuple(name for name in names if not name.startswith("AUTH="))
    opened.exchange.close()
    return result
