"""Converts one request to a WSGI environ, and holds the application's response as far as allowed.

Nothing here may wait for a peer; code that runs the application is for a thread. PEP 3333; RFC 9112 §3.2.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from gateway.server.http1 import HttpRequest

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Environ = dict[str, Any]

log = logging.getLogger(__name__)

INLINE = 64 * 1024
"""Octets of a response that is sent in one piece; a longer one is streamed."""
LARGEST_PIECE = 128 * 1024
"""Octets of a piece of a response held in memory while waiting for a socket; a larger one goes into a file."""
READ = 32 * 1024
"""Octets read from that file at a time."""

_ORIGIN = re.compile(rb"\A[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
"""The part before the path in a request through a proxy (absolute form, RFC 9112 §3.2.2)."""


class NoRoom(Exception):
    """The temporary folder is full."""


@dataclass(slots=True)
class WsgiResponse:
    """The application's response: all of it in `head`, or its beginning with the rest still to be pulled."""

    status: int = 500
    reason: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    head: bytes = b""
    rest: Iterator[bytes] | None = None
    close: Callable[[], object] = lambda: None


def environ(request: HttpRequest, body: IO[bytes]) -> Environ:
    """Make the PEP 3333 environ of a request; `body` is positioned at its end."""
    # QUIRK: some phones send the fragment, which is only for the client (RFC 9110 §4.2.5).
    path, _, query = _ORIGIN.sub(b"", request.target, count=1).partition(b"#")[0].partition(b"?")
    host, port = request.ends.here
    result: Environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path or b"/").decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{request.version}",
        "REMOTE_ADDR": request.ends.peer,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.ends.scheme,
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in _fields(request):
        key = name.upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        glue = "; " if key == "HTTP_COOKIE" else ", "
        result[key] = f"{result[key]}{glue}{value}" if key in result else value
    result["CONTENT_LENGTH"] = str(body.tell())
    body.seek(0)
    return result


def _fields(request: HttpRequest) -> Iterator[tuple[str, str]]:
    """Yield the header fields that an application may trust."""
    for name, value in request.headers:
        if b"_" in name or name in (b"proxy", b"content-length", b"transfer-encoding"):
            continue  # "_" would pass for "-" (spoofing), Proxy for a proxy setting (CVE-2016-5385)
        yield name.decode("ascii"), value.decode("latin-1")


def ask(app: WSGIApplication, request: Environ) -> WsgiResponse:
    """Run the application, in a thread, until its response is complete or too long to hold."""
    answer = WsgiResponse()
    written: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        answer.status, answer.reason, answer.headers = int(status[:3]), status[4:], list(headers)
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
        if written and len(written[-1]) > LARGEST_PIECE:
            _spool(answer, written, pieces)
        else:
            answer.head = b"".join(written)
    finally:
        if answer.rest is None:
            answer.close()
    return answer


def _spool(answer: WsgiResponse, written: list[bytes], pieces: Iterator[bytes]) -> None:
    """Spool a complete response to a file, and free its memory. Raise NoRoom."""
    answer.rest = None  # so that the caller closes its source, whatever happens
    try:
        file = TemporaryFile()  # noqa: SIM115
        try:
            file.writelines(written)
            file.writelines(pieces)
            file.seek(0)
        except BaseException:
            file.close()
            raise
    except OSError as error:
        log.error("no room for an answer in the temporary folder: %s", error.strerror)
        raise NoRoom from error
    written.clear()
    answer.close()
    answer.rest, answer.close = iter(lambda: file.read(READ), b""), file.close


def pull(pieces: Iterator[bytes]) -> bytes:
    """Return the next piece that is not empty, or b"" at the end."""
    return next(filter(None, pieces), b"")
