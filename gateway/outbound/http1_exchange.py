"""One request and its response over an open connection (RFC 9110, RFC 9112), in the grammar of h11.

Nothing here may know where the connection leads; what a server sends beyond its limits, or beyond HTTP, is an error.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import h11

from gateway.errors import OutboundUncertain
from gateway.outbound.reach import Target

#: Octets of everything before the body: interim responses, status and fields.
LARGEST_HEAD: Final = 16 * 1024
RECEIVE: Final = 16 * 1024
USER_AGENT: Final = "Mozilla/5.0 (compatible; mail client)"


@dataclass(frozen=True, slots=True)
class Response:
    """A response, whatever its status; `body` is empty unless it was requested."""

    status: int
    media_type: str = ""
    location: str = ""
    body: bytes = b""


def request(method: str, target: Target, body: bytes, media_type: str) -> bytes:
    """Return the request, which contains nothing about the person or this gateway."""
    headers = [
        ("Host", target.authority),
        ("User-Agent", USER_AGENT),
        ("Accept", "*/*"),
        *([("Content-Type", media_type)] if media_type else []),
        *([("Content-Length", str(len(body)))] if body or method not in ("GET", "HEAD") else []),
        ("Connection", "close"),
    ]
    connection = h11.Connection(h11.CLIENT)
    asked = h11.Request(method=method, target=target.path, headers=headers)
    parts = (asked, *([h11.Data(data=body)] if body else []), h11.EndOfMessage())
    return b"".join(connection.send(part) or b"" for part in parts)


def receive(sock: socket.socket, method: str, most: int, left: Callable[[], float]) -> Response:
    """Read the response to a request of this method; interim ones (RFC 9110 §15.2) are skipped.

    `most`: the most octets of the body to read; 0: it is not read. `left` returns the seconds left. Raise OSError, or
    OutboundUncertain for what is not HTTP or too long.
    """
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=LARGEST_HEAD)
    connection.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
    connection.send(h11.EndOfMessage())
    head, body, octets = Response(0), b"", 0
    try:
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                sock.settimeout(left())
                piece = sock.recv(RECEIVE)
                octets += len(piece)
                connection.receive_data(piece)
            elif isinstance(event, h11.Response):
                head = _head(event)
                if not most:
                    return head
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                return Response(head.status, head.media_type, head.location, body)
            elif isinstance(event, h11.ConnectionClosed):
                raise OutboundUncertain("the answer ended early")
            if len(body) > most or octets - len(body) > LARGEST_HEAD + most:
                raise OutboundUncertain("the answer is too long")
    except h11.RemoteProtocolError:
        raise OutboundUncertain("the answer is not HTTP") from None


def _head(event: h11.Response) -> Response:
    fields = {name.decode("ascii"): value.decode("latin-1") for name, value in event.headers}
    media_type = fields.get("content-type", "").partition(";")[0].strip().lower()
    return Response(event.status_code, media_type, fields.get("location", ""))
