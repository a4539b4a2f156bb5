"""RSGI outside, WSGI inside: one request of the event loop becomes one call in a pool of threads.

Nothing here may import granian or know a route. A request takes a thread only when it is complete: bodies are
read by the event loop, with a bound in octets and in time, so that phones which stall halfway hold a socket
and nothing more (granian's own WSGI mode gives such a body a thread; sixteen of them stop it). Answers leave
by the loop too, so a slow reader holds no thread either. An answer that fails midway never looks complete: its
connection is reset. PEP 3333; RSGI 1.6 (granian); RFC 9110, RFC 9112.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import ctypes
import logging
import os
import socket
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = logging.getLogger(__name__)

BODY_LIMIT = 256 * 1024
"""Octets of a request body without files: no form of ours comes near."""
UPLOADS = 32
"""Bodies beyond that at a time: they lie in files without a name until they are complete."""
PATIENCE = 4
"""How many times the limit of an upload is read, and dropped, so that a browser hears the answer."""
BODY_PAUSE = 60.0
"""Seconds without an octet of the body before it is given up; GPRS stalls for 30 and goes on."""
INLINE = 64 * 1024
"""Octets of an answer that are gathered before it is sent in one piece; what is longer is streamed."""

_FAMILIES = (socket.AF_INET, socket.AF_INET6)


@dataclass(slots=True)
class Answer:
    """What the application said: all of it in `head`, or its beginning with the rest still to be pulled."""

    status: int = 500
    headers: list[tuple[str, str]] = field(default_factory=list)
    head: bytes = b""
    rest: Iterator[bytes] | None = None
    close: Callable[[], object] = lambda: None


def environ(scope: Any, body: IO[bytes]) -> dict[str, Any]:
    """Write a request as PEP 3333 wants it; `body` stands at its end.

    QUIRK: granian decodes the path as UTF-8 and leaves out header fields with octets outside US-ASCII.
    """
    server, _, port = scope.server.rpartition(":")
    result: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": server.strip("[]"),
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{'1.0' if scope.http_version == '1' else scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope.headers.items():
        if "_" in name or name in ("proxy", "content-length", "transfer-encoding"):
            continue  # "_" would pass for "-" (spoofing), Proxy for a proxy setting (CVE-2016-5385)
        key = name.upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        glue = "; " if key == "HTTP_COOKIE" else ", "
        result[key] = f"{result[key]}{glue}{value}" if key in result else value
    result["CONTENT_LENGTH"] = str(body.tell())
    body.seek(0)
    return result


def ask(app: WSGIApplication, request: dict[str, Any]) -> Answer:
    """Run the application, in a thread, until its answer is complete or too long to hold."""
    answer = Answer()
    written: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        answer.status, answer.headers = int(status[:3]), list(headers)
        return written.append

    result: Iterable[bytes] = app(request, start_response)
    answer.close = getattr(result, "close", answer.close)
    try:
        pieces = iter(result)
        size = 0
        for piece in pieces:
            written.append(piece)
            size += len(piece)
            if size > INLINE:
                answer.rest = pieces
                break
        answer.head = b"".join(written)
    finally:
        if answer.rest is None:
            answer.close()
    return answer


def pull(pieces: Iterator[bytes]) -> bytes:
    """Return the next piece that is not empty, or b"" at the end."""
    return next(filter(None, pieces), b"")


def hang_up(client: str, server: str) -> bool:
    """Reset a connection, named by its two ends; say whether it was still there.

    QUIRK: granian ends a chunked answer properly whatever becomes of the application (RFC 9112 §8 wants it to be seen
    as incomplete), and has no call to break it off, so its socket is looked for and dissolved. Nothing is duplicated
    or closed here: a descriptor that turned out to be the database's would lose its locks by that (fcntl).
    """
    for name in os.listdir("/dev/fd"):
        with contextlib.suppress(OSError):
            line = socket.socket(fileno=int(name))
            try:
                if line.family in _FAMILIES and _ends(line) == (client, server.rpartition(":")[2]):
                    _reset(line)
                    return True
            finally:
                line.detach()
    return False


def _reset(line: socket.socket) -> None:
    """Send RST, as connecting to no address at all does (connect(2), AF_UNSPEC); failing that, an end at least."""
    nowhere = struct.pack("H14x", socket.AF_UNSPEC)
    if ctypes.CDLL(None).connect(line.fileno(), nowhere, len(nowhere)):
        line.shutdown(socket.SHUT_RDWR)


def _ends(line: socket.socket) -> tuple[str, str]:
    """Spell the peer's address as RSGI does, and our port."""
    host, port, *_ = line.getpeername()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}", str(line.getsockname()[1])


class Bridge:
    """An RSGI application that is a WSGI application in a pool of threads."""

    def __init__(
        self, app: WSGIApplication, threads: int, gone: type[Exception], upload_limit: int = 0
    ) -> None:
        """`gone` is what the server raises when the peer has closed its side; `upload_limit` is in octets."""
        self._app = app
        self._gone = gone
        self._upload_limit = upload_limit
        self._uploads = 0
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self._reading: set[asyncio.Task[Any]] = set()
        self._open = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def __call__(self, scope: Any, protocol: Any) -> None:
        """Answer one request; a peer that goes away is no error."""
        self._open += 1
        self._idle.clear()
        try:
            await self._serve(scope, protocol)
        finally:
            self._open -= 1
            if not self._open:
                self._idle.set()

    async def _serve(self, scope: Any, protocol: Any) -> None:
        with contextlib.suppress(self._gone), SpooledTemporaryFile(BODY_LIMIT) as body:
            try:
                await self._body(scope, protocol, body)
            except TimeoutError:
                self._refuse(protocol, 408)
            except OverflowError:
                self._refuse(protocol, 413)
            except (asyncio.CancelledError, BlockingIOError):
                self._refuse(protocol, 503)
            else:
                await self._respond(scope, protocol, body)

    async def finish(self) -> None:
        """Give up the requests that are not complete yet, and wait until all others are answered."""
        for task in tuple(self._reading):
            task.cancel()
        await self._idle.wait()

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    @staticmethod
    def _refuse(protocol: Any, status: int) -> None:
        protocol.response_empty(status, [("content-length", "0"), ("connection", "close")])

    async def _body(self, scope: Any, protocol: Any, body: IO[bytes]) -> None:
        """Read a body. Raise OverflowError for too much of it, BlockingIOError while there are too many large ones."""
        task = asyncio.current_task()
        assert task is not None
        self._reading.add(task)
        files = scope.headers.get("content-type", "").lower().startswith("multipart/form-data")
        most = BODY_LIMIT + self._upload_limit * files
        size = 0
        try:
            clock = asyncio.get_running_loop().time
            async with asyncio.timeout(BODY_PAUSE) as pause:
                async for piece in protocol:
                    before, size = size, size + len(piece)
                    if before <= BODY_LIMIT < size:
                        self._uploads += 1
                        if self._uploads > UPLOADS:
                            raise BlockingIOError
                    if size > BODY_LIMIT + PATIENCE * (most - BODY_LIMIT):
                        raise OverflowError
                    # What is dropped is missed by the reader of the form, which then knows what was too large.
                    body.write(piece[: max(most - before, 0)])
                    pause.reschedule(clock() + BODY_PAUSE)
        finally:
            self._reading.discard(task)
            self._uploads -= size > BODY_LIMIT

    async def _respond(self, scope: Any, protocol: Any, body: IO[bytes]) -> None:
        # One context for all steps of a request: its pieces may be pulled by different threads in turn.
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        try:
            answer = await loop.run_in_executor(self._pool, context.run, ask, self._app, environ(scope, body))
        except Exception:
            log.exception("the application failed")
            self._refuse(protocol, 500)
            return
        if answer.rest is None:
            protocol.response_bytes(answer.status, answer.headers, answer.head)
            return
        try:
            transport = protocol.response_stream(answer.status, answer.headers)
            await transport.send_bytes(answer.head)
            while piece := await loop.run_in_executor(self._pool, context.run, pull, answer.rest):
                await transport.send_bytes(piece)
        except self._gone:
            raise
        except Exception:
            log.exception("the application failed in the midst of an answer")
            hang_up(scope.client, scope.server)
        finally:
            await loop.run_in_executor(self._pool, context.run, answer.close)
