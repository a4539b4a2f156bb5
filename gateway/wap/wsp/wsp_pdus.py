"""The PDUs of WSP as values, connection-oriented and connectionless.

Nothing here may know a session. A PDU is read whole: what is cut off, or announces more than is there, is a WSPError.
WAP-230 §8.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from gateway.wap.wsp.assigned import (
    METHOD_TYPES,
    METHODS,
    USUAL,
    Version,
    WspPduType,
    http_status,
    status_octet,
)
from gateway.wap.wsp.capabilities import Proposal, read_capabilities, write_capabilities
from gateway.wap.wsp.header_parameters import latin_1, write_media
from gateway.wap.wsp.headers import Headers, read_content_type, read_headers, write_headers
from gateway.wap.wsp.octets import Cursor, WSPError, uintvar

#: Version 1.0 of the protocol, in Connect. WAP-230 §8.2.2.1.
PROTOCOL: Final = 0x10


@dataclass(frozen=True, slots=True)
class Connect:
    """Begins a session. `raw_headers`: the headers as they came, for keeping."""

    capabilities: tuple[Proposal, ...] = ()
    headers: Headers = ()
    version: int = PROTOCOL
    raw_headers: bytes = field(default=b"", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class ConnectReply:
    """Accepts a session."""

    session_id: int
    capabilities: tuple[Proposal, ...] = ()
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class RedirectAddress:
    """Another address of the server; `bearer` and `port` are None if they are those of the request."""

    address: bytes
    port: int | None = None
    bearer: int | None = None


@dataclass(frozen=True, slots=True)
class Redirect:
    """Refuses a session, and says where else to ask. `permanent`: for all future sessions."""

    addresses: tuple[RedirectAddress, ...]
    permanent: bool = False
    reuse_security: bool = False


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Ends a session."""

    session_id: int


@dataclass(frozen=True, slots=True)
class Suspend:
    """Suspends a session."""

    session_id: int


@dataclass(frozen=True, slots=True)
class Resume:
    """Resumes a session, perhaps from another address."""

    session_id: int
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class Method:
    """A request: GET, OPTIONS, HEAD, DELETE, TRACE, or with a body POST, PUT. `url` has one character per octet."""

    name: str
    url: str
    headers: Headers = ()
    content_type: str = ""
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a request, or to a Connect that is refused, or to a Resume. `status` is that of HTTP."""

    status: int
    content_type: str = "text/plain"
    headers: Headers = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Push:
    """What the server sends unasked; `confirmed` wants an acknowledgement."""

    content_type: str
    headers: Headers = ()
    body: bytes = b""
    confirmed: bool = False


WspPdu = Connect | ConnectReply | Redirect | Disconnect | Suspend | Resume | Method | Reply | Push


def read_pdu(octets: bytes) -> WspPdu:
    """Read a PDU of a session; raise WSPError."""
    cursor = Cursor(octets)
    kind = cursor.octet()
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(cursor)
    if kind in METHODS:
        return _method(WspPduType(kind), cursor)
    raise WSPError(f"PDU type {kind:#04x} is not known", 0)


def read_unit(octets: bytes) -> tuple[int, WspPdu]:
    """Read a connectionless PDU: its transaction id and the rest; raise WSPError."""
    if len(octets) < 2:
        raise WSPError("it ends too early", len(octets))
    try:
        return octets[0], read_pdu(octets[1:])
    except WSPError as error:
        raise WSPError(error.reason, error.offset + 1) from None


def _connect(cursor: Cursor) -> Connect:
    version = cursor.octet()
    lengths = cursor.uintvar(), cursor.uintvar()
    start = cursor.offset
    capabilities = read_capabilities(cursor.take(lengths[0]), start)
    start, raw = cursor.offset, cursor.take(lengths[1])
    return Connect(capabilities, read_headers(raw, start), version, raw)


def _connect_reply(cursor: Cursor) -> ConnectReply:
    session_id = cursor.uintvar()
    lengths = cursor.uintvar(), cursor.uintvar()
    start = cursor.offset
    capabilities = read_capabilities(cursor.take(lengths[0]), start)
    start = cursor.offset
    return ConnectReply(session_id, capabilities, read_headers(cursor.take(lengths[1]), start))


def _redirect(cursor: Cursor) -> Redirect:
    flags = cursor.octet()
    addresses = []
    while cursor.left:
        kind = cursor.octet()
        bearer = cursor.octet() if kind & 0x80 else None
        port = cursor.multi_octet(2) if kind & 0x40 else None
        addresses.append(RedirectAddress(cursor.take(kind & 0x3F), port, bearer))
    return Redirect(tuple(addresses), bool(flags & 0x80), bool(flags & 0x40))


def _resume(cursor: Cursor) -> Resume:
    session_id = cursor.uintvar()
    cursor.take(cursor.uintvar())  # capabilities are reserved
    start = cursor.offset
    return Resume(session_id, read_headers(cursor.rest(), start))


def _entity(cursor: Cursor, count: int) -> tuple[str, Headers]:
    """Read a content type and headers, this many octets together."""
    part = cursor.part(count)
    content_type = read_content_type(part) if part.left else ""
    start = part.offset
    return content_type, read_headers(part.rest(), start)


def _method(kind: WspPduType, cursor: Cursor) -> Method:
    length = cursor.uintvar()
    if kind < WspPduType.POST:
        url = latin_1(cursor.take(length))
        start = cursor.offset
        return Method(METHODS[kind], url, read_headers(cursor.rest(), start))
    count = cursor.uintvar()
    url = latin_1(cursor.take(length))
    content_type, headers = _entity(cursor, count)
    return Method(METHODS[kind], url, headers, content_type, cursor.rest())


def _reply(cursor: Cursor) -> Reply:
    status = http_status(cursor.octet())
    content_type, headers = _entity(cursor, cursor.uintvar())
    return Reply(status, content_type, headers, cursor.rest())


def _push(cursor: Cursor, confirmed: bool = False) -> Push:
    content_type, headers = _entity(cursor, cursor.uintvar())
    return Push(content_type, headers, cursor.rest(), confirmed)


_READERS: Final[dict[int, Callable[[Cursor], WspPdu]]] = {
    WspPduType.CONNECT: _connect,
    WspPduType.CONNECT_REPLY: _connect_reply,
    WspPduType.REDIRECT: _redirect,
    WspPduType.REPLY: _reply,
    WspPduType.DISCONNECT: lambda cursor: Disconnect(cursor.uintvar()),
    WspPduType.PUSH: _push,
    WspPduType.CONFIRMED_PUSH: lambda cursor: _push(cursor, True),
    WspPduType.SUSPEND: lambda cursor: Suspend(cursor.uintvar()),
    WspPduType.RESUME: _resume,
}


def write_pdu(pdu: WspPdu, version: Version = USUAL) -> bytes:
    """Write a PDU for a peer of this encoding version."""
    match pdu:
        case Method():
            return _write_method(pdu, version)
        case Reply():
            return (
                bytes((WspPduType.REPLY, status_octet(pdu.status))) + _write_entity(pdu, version) + pdu.body
            )
        case Push():
            kind = WspPduType.CONFIRMED_PUSH if pdu.confirmed else WspPduType.PUSH
            return bytes((kind,)) + _write_entity(pdu, version) + pdu.body
        case Connect() | ConnectReply():
            return _write_session(pdu, version)
        case Redirect():
            return _write_redirect(pdu)
        case Resume():
            head = bytes((WspPduType.RESUME,)) + uintvar(pdu.session_id) + uintvar(0)
            return head + write_headers(pdu.headers, version)
        case Disconnect() | Suspend():
            kind = WspPduType.DISCONNECT if isinstance(pdu, Disconnect) else WspPduType.SUSPEND
            return bytes((kind,)) + uintvar(pdu.session_id)


def write_unit(transaction: int, pdu: WspPdu, version: Version = USUAL) -> bytes:
    """Write a connectionless PDU."""
    return bytes((transaction,)) + write_pdu(pdu, version)


def _write_entity(pdu: Reply | Push | Method, version: Version) -> bytes:
    octets = write_media(pdu.content_type, version) + write_headers(pdu.headers, version)
    return uintvar(len(octets)) + octets


def _write_method(pdu: Method, version: Version) -> bytes:
    url = pdu.url.encode("latin-1")
    kind = METHOD_TYPES[pdu.name]
    if kind < WspPduType.POST:
        return bytes((kind,)) + uintvar(len(url)) + url + write_headers(pdu.headers, version)
    entity = write_media(pdu.content_type, version) + write_headers(pdu.headers, version)
    return bytes((kind,)) + uintvar(len(url)) + uintvar(len(entity)) + url + entity + pdu.body


def _write_session(pdu: Connect | ConnectReply, version: Version) -> bytes:
    if isinstance(pdu, Connect):
        head = bytes((WspPduType.CONNECT, pdu.version))
        headers = pdu.raw_headers or write_headers(pdu.headers, version)
    else:
        head = bytes((WspPduType.CONNECT_REPLY,)) + uintvar(pdu.session_id)
        headers = write_headers(pdu.headers, version)
    capabilities = write_capabilities(pdu.capabilities)
    return head + uintvar(len(capabilities)) + uintvar(len(headers)) + capabilities + headers


def _write_redirect(pdu: Redirect) -> bytes:
    out = bytes((WspPduType.REDIRECT, pdu.permanent << 7 | pdu.reuse_security << 6))
    for each in pdu.addresses:
        with_bearer, with_port = each.bearer is not None, each.port is not None
        out += bytes((with_bearer << 7 | with_port << 6 | len(each.address),))
        out += bytes((each.bearer,)) if each.bearer is not None else b""
        out += each.port.to_bytes(2, "big") if each.port is not None else b""
        out += each.address
    return out
