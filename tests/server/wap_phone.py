"""A bearer in front of a toy application, and our initiator as a phone on its ports.

Nothing here may be a test.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gateway.config import Config
from gateway.server.bearer import Bearer, beside
from gateway.server.datagrams import bind_all, free_ports
from gateway.wap import wbxml, wsp
from gateway.wap.initiator import Answer, Initiator
from gateway.wap.wsp.headers import Headers
from gateway.wap.wsp.octets import uintvar
from tests import PATIENCE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

CLIENT_SDU = 0
PAGE = '<?xml version="1.0"?><!DOCTYPE wml PUBLIC "-//WAPFORUM//DTD WML 1.1//EN" "x"><wml><card><p>{}</p></card></wml>'


#: Octets of a picture that is sent in segments and does not fit a datagram.
PICTURE = 100_000


def _pieces(path: str) -> Iterator[bytes]:
    """Yield more than is accepted, or break off."""
    for _ in range(100):
        yield b"x" * 10_000
        if path == "/fail/midway":
            yield b"x" * 60_000
            raise RuntimeError


def toy(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Answer with a deck that repeats what was posted; by path, with something long, a redirect, a failure."""
    path = environ["PATH_INFO"]
    if path == "/fail":
        raise RuntimeError
    if path == "/status":
        start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
        return [b"Something"]
    if path == "/picture":
        start_response("200 OK", [("Content-Type", "image/vnd.wap.wbmp")])
        return [b"x" * PICTURE]
    if path == "/octets":
        kind, _, size = environ["QUERY_STRING"].rpartition("=")
        start_response("200 OK", [("Content-Type", kind)])
        return [b"x" * int(size)]
    if path in ("/endless", "/fail/midway"):
        start_response("200 OK", [("Content-Type", "image/vnd.wap.wbmp")])
        return _pieces(path)
    headers = [("Content-Type", "text/vnd.wap.wml; charset=utf-8"), ("X-Own", "1")]
    if path == "/go":
        start_response("302 Found", [*headers, ("Location", "/there")])
        return [b""]
    start_response("200 OK", headers)
    # Nothing repeated: a string table would make little of that.
    long = "".join(f"é{number}" for number in range(3000))
    text = long if path == "/long" else environ["wsgi.input"].read().decode() or path
    return [PAGE.format(text).encode()]


def stalling(waiting: threading.Event, goes_on: threading.Event) -> Any:
    """Return the toy, which reports its first request, and waits before it answers that."""

    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if not waiting.is_set():
            waiting.set()
            goes_on.wait(PATIENCE)
        return toy(environ, start_response)

    return app


@contextmanager
def serving(
    app: Any = toy,
    *,
    refused: Callable[[str], object] = lambda why: None,
    current: Callable[[Config], Config] = lambda config: config,
    **more: Any,
) -> Iterator[tuple[int, int]]:
    """Run a bearer on free ports; yield the one for sessions and the connectionless one."""
    found = free_ports("127.0.0.1", ((0, 0),))
    assert found is not None
    _, port, connectionless = found
    config = Config((), wap_listen="127.0.0.1", wap_port=port, wap_connectionless_port=connectionless, **more)
    with beside(Bearer(app, lambda: current(config), bind_all(config), refused)):
        yield port, connectionless


def deck(reply: wsp.WspPdu | None) -> str:
    assert isinstance(reply, wsp.Reply)
    assert reply.content_type == "application/vnd.wap.wmlc"
    return wbxml.decode(reply.body)


class Phone:
    """Our initiator on a socket of its own; counts octets."""

    def __init__(
        self,
        port: int,
        headers: Headers = (),
        *,
        sdu: int | None = None,
        sar: bool = False,
        host: str = "127.0.0.1",
    ) -> None:
        self._line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._line.bind((host, 0))
        self._line.connect(("127.0.0.1", port))
        self._line.settimeout(PATIENCE)
        self.phone = Initiator(sar=sar)
        self.sent = self.received = 0
        capabilities = () if sdu is None else ((CLIENT_SDU, uintvar(sdu)),)
        assert isinstance(self.ask(wsp.Connect(capabilities, headers)), wsp.ConnectReply)

    def close(self) -> None:
        self._line.close()

    def begin(self, pdu: wsp.WspPdu) -> int:
        """Send a request, and return its transaction id."""
        tid = self.phone.invoke(wsp.write_pdu(pdu), 0)
        self._send()
        return tid

    def _send(self) -> None:
        for data in self.phone.datagrams_to_send(0):
            self.sent += self._line.send(data)

    def answer(self, tid: int) -> wsp.WspPdu | None:
        answer = self.answered()
        assert answer.tid == tid
        return answer.pdu

    def answered(self) -> Answer:
        while True:
            self._send()
            answer: Answer | None = self.phone.next_event()
            if answer is not None:
                return answer
            data = self._line.recv(65_536)
            self.received += len(data)
            self.phone.receive_datagram(data, 0)

    def ask(self, pdu: wsp.WspPdu) -> wsp.WspPdu | None:
        return self.answer(self.begin(pdu))

    def get(self, url: str) -> wsp.WspPdu | None:
        return self.ask(wsp.Method("GET", url))
