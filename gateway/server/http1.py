"""One connection of an HTTP/1.x client: requests in, responses out, within limits of time and size.

Nothing here may know a route or a thread, buffer more of a response than the socket's share, wait for a peer
forever, or let a broken response pass for a complete one. `h11` has the grammar and the states; octets come
and go through asyncio's streams. RFC 9110; RFC 9112 (§8: incomplete messages; §9.6: tear-down).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from enum import Enum
from functools import lru_cache
from typing import cast

import h11

from gateway.device import WML_TEXT
from gateway.markup.security_headers import ResponseReader, security_headers
from gateway.server import pace
from gateway.server.admission import Holder, Priority
from gateway.server.pace import Pace

HEADER_SECONDS = 30.0
"""Seconds for a request's header, for the TLS handshake before it, and for the next request on an idle connection."""
HEADER_OCTETS = 16 * 1024
"""Octets of a request line and header, and octets read at a time. Handhelds send some hundreds."""
WAITING_OCTETS = 32 * 1024
"""Octets of a response buffered in this process."""
SENT_OCTETS = 64 * 1024
"""Octets of the kernel's send buffer."""
RECEIVED_OCTETS = 32 * 1024
"""Octets of the kernel's receive buffer."""
PIECE = 16 * 1024
"""Octets passed to the socket at a time."""
LINGER_SECONDS = 2.0
"""Seconds of reading on after the last response, so that a reset does not destroy it (RFC 9112 §9.6)."""

LEAST_CHUNK = 256
"""Least average octets of a body's chunks, beyond the first thousand: each costs some 20 µs."""
FREE_CHUNKS = 1000

_BODILESS = frozenset({204, 304})
_BODY_FIELDS = frozenset({b"content-length", b"transfer-encoding"})
_NO_REQUEST = "This is no request that is understood here."


class Gone(Exception):
    """The peer has closed its side, or is too slow."""


class MalformedRequest(Exception):
    """What the peer sends is not HTTP."""


class ConnectionPhase(Enum):
    """The phase of a connection; the text is for the log."""

    IDLE = "idle"
    REQUEST = "not complete"
    WORK = "being worked on"
    ANSWER = "being answered"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The ends of a connection: the peer's address; ours, with the port; and whether TLS is around it."""

    peer: str
    here: tuple[str, int]
    scheme: str

    @classmethod
    def of(cls, line: socket.socket, peer: str, scheme: str) -> Endpoints:
        """Read the addresses of an accepted socket; IPv4-mapped ones become IPv4 (RFC 4291 §2.5.5.2)."""
        host, port = line.getsockname()[:2]
        mapped = peer.removeprefix("::ffff:")
        return cls(mapped if "." in mapped else peer, (host, port), scheme)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request's header; field names are in lower case."""

    method: str
    target: bytes
    version: str
    headers: list[tuple[bytes, bytes]]
    ends: Endpoints


class HttpConnection:
    """A peer's connection. `known`: its request is from somebody signed in; `bodiless`: the response has no body.

    `status`: of the response that has begun, or 0; `finished`: all of it was handed to the socket.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, holder: Holder, ends: Endpoints
    ) -> None:
        self.phase = ConnectionPhase.REQUEST
        self.known = False
        self.holder = holder
        self._reader, self._writer, self._ends = reader, writer, ends
        self._http = _grammar()
        self._last = False
        self._has_body = True
        self.bodiless = False
        self.status, self.finished = 0, False
        self._unsent = b""
        self._pace = Pace(pace.ANSWER_STEP)
        writer.transport.set_write_buffer_limits(high=WAITING_OCTETS)

    async def serve(self, handle: Callable[[HttpRequest, HttpConnection], Awaitable[None]]) -> None:
        """Handle one request after the other until the peer or the gateway ends the connection."""
        try:
            while (request := await self._request()) is not None:
                await handle(request, self)
                if (
                    self._last
                    or self._http.our_state is not h11.DONE
                    or self._http.their_state is not h11.DONE
                ):
                    break
                self._begin_again()
        except (Gone, OSError):
            self.abort()
        finally:
            await self._close()

    def _begin_again(self) -> None:
        left, ended = self._http.trailing_data
        self._http = _grammar()
        self.phase, self.known, self.bodiless = ConnectionPhase.IDLE, False, False
        self._take(left)
        if ended:
            self._http.receive_data(b"")

    def _take(self, octets: bytes) -> None:
        """Feed received octets to the parser.

        QUIRK: browsers of the nineties send an empty line after a form that its length does not count, and
        that would precede the next request (RFC 9112 §2.2).
        """
        if self._http.their_state is h11.IDLE and not self._http.trailing_data[0]:
            octets = octets.lstrip(b"\r\n")
        if not octets:
            return
        if self.phase is ConnectionPhase.IDLE:
            self.phase = ConnectionPhase.REQUEST
            self.holder.standing = Priority.STRANGER
        self._http.receive_data(octets)

    def stop(self) -> bool:
        """Accept no further request; return whether there is one still to be answered."""
        self._last = True
        return self.phase in (ConnectionPhase.WORK, ConnectionPhase.ANSWER)

    @property
    def sent(self) -> int:
        """Octets of the response that were handed to the socket, its header included."""
        return self._pace.octets

    @property
    def slow(self) -> Priority:
        """Return the claim of the peer to its place while it is waited for."""
        return Priority.KNOWN if self.known else Priority.STRANGER

    # --- the request ---

    async def _request(self) -> HttpRequest | None:
        """Wait for a header; None if no more is to come, or the request was refused."""
        try:
            with self._waiting():
                async with asyncio.timeout(HEADER_SECONDS):
                    event = await self._next()
        except TimeoutError:
            if self._http.trailing_data[0]:
                await self.refuse(408, "The request came too slowly.")
            return None
        except h11.RemoteProtocolError as error:
            await self.refuse(error.error_status_hint, _NO_REQUEST)
            return None
        return await self._understood(event) if isinstance(event, h11.Request) else None

    async def _understood(self, event: h11.Request) -> HttpRequest | None:
        """Begin a request, or refuse what this server does not support."""
        method, version = event.method.decode("ascii"), event.http_version.decode("ascii")
        self._pace, self.phase, self.status = Pace(pace.ANSWER_STEP), ConnectionPhase.REQUEST, 0
        self.finished, self.bodiless = False, method == "HEAD"
        self._has_body = any(name in _BODY_FIELDS and value != b"0" for name, value in event.headers)
        status = 501 if method == "CONNECT" else 200 if version in ("1.0", "1.1") else 505
        if {b"content-length", b"transfer-encoding"} <= {name for name, _ in event.headers}:
            status = 400  # what is one request here is two for a proxy in front of us (RFC 9112 §6.3)
        if len(event.target) + sum(len(name) + len(value) for name, value in event.headers) > HEADER_OCTETS:
            status = 431  # it arrived in one piece
        if status != 200:
            await self.refuse(status, _NO_REQUEST)
            return None
        return HttpRequest(method, event.target, version, list(event.headers), self._ends)

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives. Raise TimeoutError if it is too slow, MalformedRequest."""
        if not self._has_body:
            self._http.next_event()  # its end, which is there with its header
            self.phase = ConnectionPhase.WORK
            return
        coming = Pace(pace.BODY_STEP)
        chunks = 0
        while True:
            try:
                with self._waiting():
                    async with coming.step():
                        event = await self._next()
            except h11.RemoteProtocolError as error:
                raise MalformedRequest(str(error)) from error
            if not isinstance(event, h11.Data):
                break
            coming.octets += len(event.data)
            chunks += event.chunk_end
            if chunks > FREE_CHUNKS + coming.octets // LEAST_CHUNK:
                raise MalformedRequest("tiny chunks")
            yield bytes(event.data)
            if event.chunk_end:
                await asyncio.sleep(0)  # let other tasks run, however many chunks have arrived already
        self.phase = ConnectionPhase.WORK

    @property
    def complete(self) -> bool:
        """Whether the whole request has been read: without a body, only its header (RFC 9112 §6.3)."""
        state = self._http.their_state
        return state is not h11.ERROR and (state is not h11.SEND_BODY or not self._has_body)

    async def _next(self) -> h11.Event | type[h11.PAUSED]:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                self._writer.write(self._http.send(h11.InformationalResponse(status_code=100, headers=[])))
            if octets := await self._reader.read(HEADER_OCTETS):
                self._take(octets)
            else:
                self._http.receive_data(b"")
        return cast("h11.Event | type[h11.PAUSED]", event)

    @contextlib.contextmanager
    def _waiting(self) -> Iterator[None]:
        """Weaken the claim to the place while waiting for the peer."""
        self.holder.standing = Priority.IDLE if self.phase is ConnectionPhase.IDLE else self.slow
        try:
            yield
        finally:
            self.holder.standing = Priority.BUSY

    # --- the response ---

    async def start(self, status: int, reason: str, headers: list[tuple[str, str]]) -> None:
        """Begin a response; its header is sent with what comes next."""
        self.phase, self.status = ConnectionPhase.ANSWER, status
        fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        if not any(name.lower() == b"date" for name, _ in fields):
            fields.append((b"Date", _date(int(time.time()))))
        if self._last or not self.complete:
            fields.append((b"Connection", b"close"))
        self.bodiless = self.bodiless or status in _BODILESS
        self._unsent = self._http.send(h11.Response(status_code=status, reason=reason, headers=fields)) or b""

    async def send(self, octets: bytes) -> None:
        """Send a piece of the response, waiting for the socket; raise Gone."""
        if self.bodiless:
            return
        for at in range(0, len(octets), PIECE):
            self._unsent += self._http.send(h11.Data(data=octets[at : at + PIECE])) or b""
            await self._flush()

    async def end(self) -> None:
        """Complete the response; raise Gone."""
        self._unsent += self._http.send(h11.EndOfMessage()) or b""
        await self._flush()
        self.finished = True

    async def refuse(self, status: int, sentence: str, kind: str = "text/plain") -> None:
        """Respond with one sentence in US-ASCII, or a page of that media type, and close."""
        self._last = True
        if self._http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.abort()
            return
        octets = f"{sentence}\n".encode("ascii")
        headers = security_headers(ResponseReader.DECK if kind == WML_TEXT else ResponseReader.BROWSER)
        headers |= {"Content-Type": f"{kind}; charset=us-ascii", "Content-Length": str(len(octets))}
        await self.start(status, "Refused", [*headers.items()])
        await self.send(octets)
        await self.end()

    def abort(self) -> None:
        """Reset the connection, discarding unsent octets: the peer sees that the response is broken."""
        line = self._writer.get_extra_info("socket")  # None over TLS when the peer has reset it already
        if line is not None:
            with contextlib.suppress(OSError):
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def _flush(self) -> None:
        octets, self._unsent = self._unsent, b""
        if not octets:
            return
        transport = self._writer.transport
        transport.write(octets)
        self._pace.octets += len(octets)
        if transport.get_write_buffer_size() > WAITING_OCTETS or transport.is_closing():
            await self._drain()

    async def _drain(self) -> None:
        """Wait for the socket; raise Gone."""
        try:
            with self._waiting():
                async with self._pace.step():
                    await self._writer.drain()
        except OSError as error:  # includes TimeoutError
            raise Gone(type(error).__name__) from error

    async def _close(self) -> None:
        """Close so that the peer sees what it got: the whole response, or a broken one."""
        if self._http.our_state is h11.SEND_BODY or self._writer.is_closing():
            self.abort()
            return
        try:
            with self._waiting():
                async with self._pace.step():
                    # With TLS the end can be signalled only by closing, which itself reads on until the peer
                    # closes.
                    if self._http.our_state is h11.MUST_CLOSE and (
                        not self.complete or self._writer.can_write_eof()
                    ):
                        await self._linger()
                    self._writer.close()
                    await self._writer.wait_closed()
        except (OSError, asyncio.CancelledError):
            self.abort()

    async def _linger(self) -> None:
        await self._writer.drain()
        if self._writer.can_write_eof():
            self._writer.write_eof()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while await self._reader.read(HEADER_OCTETS):
                    pass


@lru_cache(maxsize=1)
def _date(seconds: int) -> bytes:
    return formatdate(seconds, usegmt=True).encode("ascii")


def _grammar() -> h11.Connection:
    return h11.Connection(h11.SERVER, max_incomplete_event_size=HEADER_OCTETS)
