"""Opens IMAP connections: TCP, TLS, greeting; and writes mailbox names for the wire.

Nothing here may sign in; a conversation is returned only when the configured TLS is in place. Standard: RFC 9051 §6.1,
§6.2.1, §7.1.5; RFC 3501 §5.1.3 and RFC 6855 (mailbox names).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from imapclient.imap_utf7 import decode, encode

from gateway.config import Server, Tls
from gateway.errors import (
    ServerClosed,
    StoreError,
    StoreRefused,
    StoreTLSError,
    StoreUnreachable,
    UnsafeArgument,
)
from gateway.store import raw_names, reaching
from gateway.store.imap import response
from gateway.store.imap.connection.receiving import MAX_LISTS, MAX_SERVER
from gateway.store.imap.connection.signing_in import Refused
from gateway.store.imap.exchange import Exchange, capability_names, refusal
from gateway.upstreams import tls
from gateway.upstreams.tls import ProbeResult
from gateway.upstreams.wire import Ledger

# A character outside printable ASCII, or "&", in a mailbox name (RFC 3501 §5.1.3).
_SHIFTED = re.compile(rb"(&[A-Za-z0-9+,]*-)")
# The memory that the answers and lists of each server take at the moment, and the mechanisms that it has refused.
_LEDGERS: dict[Server, tuple[Ledger, Ledger]] = {}
_REFUSED: dict[Server, Refused] = {}


class OpenedExchange(NamedTuple):
    """A conversation up to the point where credentials may be sent, with what the server has announced."""

    exchange: Exchange
    capabilities: frozenset[str]
    greeting: str


def open_exchange(server: Server, kind: type[Exchange] = Exchange) -> OpenedExchange:
    """Connect, start TLS and read the greeting; raise the StoreError for a failure that is the same for every user."""
    try:
        return _opened(server, kind)
    except StoreUnreachable as error:
        error.for_anyone = True
        raise


def refused_by(server: Server) -> Refused:
    """Return the mechanisms that a server has refused, for reading and adding."""
    return _REFUSED.setdefault(server, {})


def _opened(server: Server, kind: type[Exchange]) -> OpenedExchange:
    answers, lists = _LEDGERS.setdefault(server, (Ledger(MAX_SERVER), Ledger(MAX_LISTS)))
    exchange = kind(reaching.connect(server), answers, server.host, lists)
    try:
        return _greet(exchange, server)
    except (StoreError, OSError) as error:
        exchange.close()
        raise reaching.unopened(server, error) from None
    except BaseException:
        exchange.close()
        raise


def _greet(exchange: Exchange, server: Server) -> OpenedExchange:
    """Read the greeting and the capabilities, and start TLS if it is configured."""
    greeting = exchange.greet()
    if greeting.kind == "BYE":
        raise ServerClosed(greeting.text) if greeting.code == "ALERT" else StoreUnreachable(greeting.text)
    if greeting.kind == "PREAUTH":
        # Nobody's credentials were requested: this may not be the mailbox of the person who signs in.
        raise StoreRefused("the server takes us for signed in already (PREAUTH)")
    names = (
        capability_names(greeting.argument) if greeting.code == "CAPABILITY" else exchange.ask_capabilities()
    )
    if server.tls is Tls.STARTTLS:
        if "STARTTLS" not in names:
            raise StoreTLSError("the server does not offer STARTTLS")
        exchange.know(names)
        _, reply = exchange.attempt(exchange.starttls, tls.context(server))
        if not reply.ok:
            raise refusal(reply, StoreTLSError)
        names = exchange.ask_capabilities()
    return OpenedExchange(exchange, names, greeting.text)


def enable_utf8(exchange: Exchange, capabilities: frozenset[str]) -> bool:
    """Enable UTF-8 if the server supports it (RFC 6855 §3); return whether it is enabled.

    A server that supports only IMAP4rev2 uses it without that (RFC 9051 §5.1).
    """
    if "IMAP4REV2" in capabilities and "IMAP4REV1" not in capabilities:
        return True
    if not {"UTF8=ACCEPT", "UTF8=ONLY"} & capabilities:
        return False
    exchange.know(capabilities, signed_in=True)
    try:
        enabled, _ = exchange.attempt(exchange.enable, "UTF8=ACCEPT")
    except StoreRefused:
        return False
    return b"UTF8=ACCEPT" in [name.upper() for name in enabled or ()]


def mailbox_argument(name: str, utf8: bool = False) -> bytes:
    """Write a mailbox name as an argument: in modified UTF-7, or as UTF-8 with UTF8=ACCEPT; raw octets unchanged."""
    try:
        return response.quoted_octets(_name_octets(response.safe(name), utf8))
    except UnicodeEncodeError:
        raise UnsafeArgument("the mailbox name is not Unicode text") from None


def mailbox_name(octets: bytes, utf8: bool = False) -> str:
    """Decode a mailbox name so that `mailbox_argument` writes the same octets: invalid ones stay raw."""
    if not utf8 and b"&" not in octets and octets.isascii() and octets.decode("ascii").isprintable():
        return octets.decode("ascii")
    try:
        name = octets.decode("utf-8") if utf8 else "".join(map(_decoded, _SHIFTED.split(octets)))
        return name if _name_octets(name, utf8) == octets else raw_names.raw(octets)
    except UnicodeError:
        return raw_names.raw(octets)


def _decoded(piece: bytes) -> str:
    """Decode one piece of a name in modified UTF-7: a shifted one, or the ASCII between them."""
    if not _SHIFTED.fullmatch(piece):
        return raw_names.raw(piece)
    try:
        return str(decode(piece))
    except (UnicodeError, ValueError):
        return raw_names.raw(piece)


def _name_octets(name: str, utf8: bool) -> bytes:
    return raw_names.encoded(name, str.encode if utf8 else encode)


def probe(server: Server) -> ProbeResult:
    """Learn what a server announces before sign-in, as far as possible; never raise a StoreError."""
    return tls.probe(server, _look, StoreUnreachable)


def _look(server: Server, result: ProbeResult) -> None:
    opened = open_exchange(server)
    tls.describe(opened.exchange.sock, result)
    result.greeting = opened.greeting
    names = sorted(opened.capabilities)
    result.mechanisms = tuple(name.removeprefix("AUTH=") for name in names if name.startswith("AUTH="))
    result.capabilities = tuple(name for name in names if not name.startswith("AUTH="))
    opened.exchange.close()
