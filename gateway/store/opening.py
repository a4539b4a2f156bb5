"""The beginning of an IMAP connection: TCP, TLS, greeting, sign-in; and what a mailbox is called on the wire.

This is the sole importer of imapclient: it connects, verifies, does STARTTLS and knows modified UTF-7; from the
greeting on the conversation is ours (`exchange`). Nothing here may put a credential into an error.
Standard: RFC 9051 §6.1, §6.2, §7.1.5; RFC 4959 (SASL-IR); RFC 4616 (PLAIN); RFC 3501 §5.1.3 (mailbox names).
"""

from __future__ import annotations

import base64
import socket
import ssl
from contextlib import suppress

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import CapabilityError, IMAPClientError
from imapclient.imap_utf7 import decode, encode

from gateway.config import Server, Tls
from gateway.errors import (
    AuthenticationFailed,
    ServerAlert,
    StoreError,
    StoreTLSError,
    StoreUnreachable,
    UnsafeArgument,
)
from gateway.store import response, tls
from gateway.store.exchange import READ_SECONDS, Exchange, refusal
from gateway.store.response import Reply
from gateway.store.tls import ProbeResult

# Seconds for one address to accept a connection and to finish its TLS handshake.
CONNECT_SECONDS = 10.0


def _client(server: Server) -> IMAPClient:
    """Connect, and raise what imapclient, ssl and socket raise."""
    implicit = server.tls is Tls.IMPLICIT
    client = IMAPClient(
        server.host,
        server.port,
        ssl=implicit,
        ssl_context=tls.context(server) if implicit else None,
        timeout=SocketTimeout(CONNECT_SECONDS, READ_SECONDS),
    )
    # imapclient formats each line for a log that nobody reads, and imaplib keeps the last ten commands.
    client._imap.debug = 0
    if server.tls is Tls.STARTTLS:
        try:
            client.starttls(tls.context(server))
        except BaseException:
            with suppress(OSError):
                client.shutdown()
            raise
    return client


def open_client(server: Server) -> IMAPClient:
    """Connect up to the point where credentials may be sent, or raise the StoreError that fits."""
    if tls.is_too_open(server):
        raise StoreTLSError(
            "plain text to another machine: use imaps:// or imap+starttls://, or insecure = true"
        )
    where = f"{server.host}:{server.port}"
    try:
        client = _client(server)
    except ssl.SSLError as error:
        raise StoreTLSError(f"{where}: {tls.words(error)}") from None
    except OSError as error:
        raise StoreUnreachable(f"{where}: {tls.words(error)}") from None
    except CapabilityError:
        raise StoreTLSError(f"{where}: the server does not offer STARTTLS") from None
    except IMAPClientError as error:
        raise _greeting_error(where, error) from None
    sock = client.socket()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return client


def _greeting_error(where: str, error: IMAPClientError) -> StoreError:
    """Read the greeting that imaplib raised: "* BYE [ALERT] text", or whatever was there instead."""
    said = error.args[0] if error.args and isinstance(error.args[0], bytes) else str(error).encode()
    try:
        status = response.untagged([said]).status
    except response.Malformed:
        return StoreUnreachable(f"{where}: {response.clean(said)}")
    if status.code == "ALERT":
        return ServerAlert(status.text)
    return StoreUnreachable(f"{where}: {status.text or 'the server hung up'}")


def open_exchange(server: Server) -> tuple[Exchange, frozenset[str]]:
    """Connect, and hand over the conversation with the capabilities known so far."""
    client = open_client(server)
    names = frozenset(name.decode("ascii", "replace") for name in client.capabilities())
    return Exchange(client.socket(), client.shutdown), names


def sign_in(exchange: Exchange, capabilities: frozenset[str], user: str, password: str) -> frozenset[str]:
    """Authenticate by PLAIN where it is offered or needed, else by LOGIN; return the capabilities that hold now."""
    response.safe(user)
    response.safe(password)
    ascii_only = user.isascii() and password.isascii()
    if "AUTH=PLAIN" in capabilities or not ascii_only:
        reply = _plain(exchange, capabilities, user, password)
    elif "LOGINDISABLED" in capabilities:
        raise StoreTLSError("the server does not take passwords on this connection")
    else:
        (reply,) = exchange.run(b"LOGIN " + response.quoted(user) + b" " + response.quoted(password))
    if not reply.ok:
        raise _without(password, refusal(reply, AuthenticationFailed))
    for status in (reply.status, *(u.status for u in reply.untagged if u.kind == "OK")):
        if status.code == "CAPABILITY":
            return _names(status.argument)
    answer = exchange.call(b"CAPABILITY")
    return _names(b" ".join(u.pieces[0] for u in answer.untagged if u.kind == "CAPABILITY"))


def _plain(exchange: Exchange, capabilities: frozenset[str], user: str, password: str) -> Reply:
    try:
        answer = base64.b64encode(f"\0{user}\0{password}".encode())
    except UnicodeEncodeError:
        raise UnsafeArgument("the credentials are not Unicode text") from None
    if "SASL-IR" in capabilities:
        (reply,) = exchange.run(b"AUTHENTICATE PLAIN " + answer)
        return reply
    return exchange.converse(b"AUTHENTICATE PLAIN", answer)


def _without(secret: str, error: StoreError) -> StoreError:
    """Drop the detail of an error in which the server repeats the password."""
    if secret and secret in error.detail:
        return (
            ServerAlert("")
            if isinstance(error, ServerAlert)
            else type(error)("(text of the server left out)")
        )
    return error


def _names(octets: bytes) -> frozenset[str]:
    return frozenset(octets.decode("ascii", "replace").upper().split())


def mailbox_argument(name: str) -> bytes:
    """Write a mailbox name as an argument of a command, in modified UTF-7."""
    try:
        return response.quoted(encode(response.safe(name)).decode("ascii"))
    except UnicodeEncodeError:
        raise UnsafeArgument("the mailbox name is not Unicode text") from None


def mailbox_name(octets: bytes) -> str:
    """Read a mailbox name from the wire; one that is no modified UTF-7 stays as it is."""
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
        client = open_client(server)
    except StoreError as failure:
        result.failure = failure
        return result
    try:
        tls.describe(client.socket(), result)
        result.greeting = response.clean(client.welcome or b"").removeprefix("* ")
        names = sorted(name.decode("ascii", "replace") for name in client.capabilities())
        result.mechanisms = tuple(name.removeprefix("AUTH=") for name in names if name.startswith("AUTH="))
        result.capabilities = tuple(name for name in names if not name.startswith("AUTH="))
    except (OSError, IMAPClientError) as error:
        result.failure = StoreUnreachable(str(error))
    finally:
        with suppress(OSError):
            client.shutdown()
    return result
