"""A phone's line to the gateway: breaks while the request goes up or the answer comes down, and loses patience.

Nothing here may try anything twice: whoever got no page is told so, and decides. HTTP/1.1, one request per connection.
"""

from __future__ import annotations

import http.client
import io
import random
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from tests.devices.phones import Answer

#: Seconds that a phone waits for a page.
PATIENCE: Final = (8.0, 30.0)
#: Octets of an answer, some of which come down before a cut.
_DOWN: Final = 1500


class NoPage(OSError):
    """The line broke, or nothing came; the phone shows what it showed before."""


class _Octets:
    """What a socket has said, for http.client."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._octets)


class Line:
    """One person's line; `at` is the gateway process to which it leads, `cut` how many of a hundred requests break."""

    def __init__(self, ports: Sequence[int], dice: random.Random, cut: Callable[[], int]) -> None:
        self._ports, self._dice, self._cut = ports, dice, cut
        self.at = dice.randrange(len(ports))
        self.requests = self.cuts = 0

    def change(self) -> None:
        """Use another process from now on."""
        self.at = (self.at + 1) % len(self._ports)

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        port = self._ports[self.at]
        octets = _request(method, url, headers, body, port)
        self.requests += 1
        breaks = self._dice.randrange(100) < self._cut()
        part = self._dice.random()
        up = int(len(octets) * 2 * part) if breaks and part < 0.5 else len(octets)
        down = int(_DOWN * (2 * part - 1)) if breaks and part >= 0.5 else None
        self.cuts += breaks
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as sock:
                sock.settimeout(self._dice.uniform(*PATIENCE))
                sock.sendall(octets[:up])
                if up < len(octets):
                    raise NoPage("cut on the way up")
                return _answer(_read(sock, down), method, url)
        except NoPage:
            raise
        except (OSError, http.client.HTTPException) as error:
            raise NoPage(type(error).__name__) from error


def _request(method: str, url: str, headers: Mapping[str, str], body: bytes, port: int) -> bytes:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    said = {"Host": f"127.0.0.1:{port}", "Connection": "close", **headers}
    if method == "POST":
        said["Content-Length"] = str(len(body))
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in said.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def _read(sock: socket.socket, most: int | None) -> bytes:
    found = b""
    while most is None or len(found) <= most:
        piece = sock.recv(64 * 1024)
        if not piece:
            return found
        found += piece
    raise NoPage("cut on the way down")


def _answer(octets: bytes, method: str, url: str) -> Answer:
    sock: Any = _Octets(octets)
    response = http.client.HTTPResponse(sock, method=method)
    response.begin()
    body = response.read()
    headers = response.getheaders()
    return Answer(
        response.status,
        {name.lower(): value for name, value in headers},
        body,
        url,
        [value for name, value in headers if name.lower() == "set-cookie"],
    )
