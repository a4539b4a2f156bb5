"""A WAP 1.x phone's end of the wire: one connection-oriented WSP session (WAP-230) over WTP class 2 (WAP-224).

Nothing here may share code with the product: it drives somebody else's WAP gateway, over loopback, where no datagram is
lost; so there are no retransmissions, and requests are sent in one piece.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType

from tests import PATIENCE
from tests.devices.phones import Answer, Transport

#: WTP PDU types (WAP-224 §8.2) and WSP PDU types (WAP-230 table 34).
ACK, ABORT, RESULT, SEGMENTED_RESULT = 3, 4, 2, 6
CONNECT, CONNECT_REPLY, REPLY, DISCONNECT, GET, POST = 0x01, 0x02, 0x04, 0x05, 0x40, 0x60
#: Well-known header names and media types (WAP-230 tables 39 and 40), all as sent: with the high bit.
ACCEPT, USER_AGENT = b"\x80", b"\xa9"
HEADERS = {
    0x88: "cache-control",
    0x8D: "content-length",
    0x9C: "location",
    0x92: "date",
    0xA6: "server",
    0xAA: "vary",
    0xC1: "set-cookie",
}
WMLC_TYPE = "application/vnd.wap.wmlc"
MEDIA_TYPES = {0x83: "text/plain", 0x88: "text/vnd.wap.wml", 0x94: WMLC_TYPE}
WMLC, WBMP, PLAIN, FORM = b"\x94", b"\xa1", b"\x83", b"\x92"


def uintvar(number: int) -> bytes:
    """Write a variable-length unsigned integer (WAP-230 §8.1.2)."""
    out = [number & 0x7F]
    while number := number >> 7:
        out.insert(0, 0x80 | number & 0x7F)
    return bytes(out)


def read_uintvar(octets: bytes, at: int) -> tuple[int, int]:
    """Return the number at a position, and the position after it."""
    number = 0
    while True:
        number = number << 7 | octets[at] & 0x7F
        at += 1
        if not octets[at - 1] & 0x80:
            return number, at


def _read_value(octets: bytes, at: int) -> tuple[bytes, int]:
    """Read one header value (WAP-230 §8.4.1.2): its octets without length or final zero, and the position after it."""
    first = octets[at]
    if first >= 0x80:
        return octets[at : at + 1], at + 1
    if first >= 0x20:
        end = octets.index(0, at)
        return octets[at:end], end + 1
    length, at = read_uintvar(octets, at + 1) if first == 31 else (first, at + 1)
    return octets[at : at + length], at + length


@dataclass(frozen=True)
class Reply:
    """What came back: an HTTP status, the media type, headers in lower case; `pdu` is the length of the whole WSP
    PDU."""

    status: int
    media_type: str
    headers: dict[str, bytes]
    body: bytes
    pdu: int

    @property
    def overhead(self) -> int:
        """Octets of the PDU that are not the body."""
        return self.pdu - len(self.body)


def read_reply(pdu: bytes) -> Reply:
    """Read a Reply PDU (WAP-230 §8.2.3.3)."""
    assert pdu[0] == REPLY, f"PDU type {pdu[0]:#x}"
    status = (
        (pdu[1] >> 4) * 100 + (pdu[1] & 15) if pdu[1] < 0x50 else (pdu[1] >> 4) * 100 - 100 + (pdu[1] & 15)
    )
    length, at = read_uintvar(pdu, 2)
    end = at + length
    kind, at = _read_value(pdu, at)
    media_type = MEDIA_TYPES.get(kind[0]) or kind.decode("latin-1")
    headers = {}
    while at < end:
        name, at = _read_value(pdu, at)
        label = HEADERS.get(name[0], f"{name[0]:#x}") if name[0] >= 0x80 else name.decode("latin-1").lower()
        headers[label], at = _read_value(pdu, at)
    return Reply(status, media_type, headers, pdu[end:], len(pdu))


class WspSession:
    """One session with many requests. `sdu`: the largest reply, as the phone negotiates; none means 1400."""

    def __init__(self, host: str, port: int, *, agent: str, sdu: int | None = None) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect((host, port))
        self._socket.settimeout(PATIENCE)
        self._tid = 0
        self.sdu = sdu or 1400
        self.replies: list[Reply] = []
        # Client SDU size is capability 0 (WAP-230 table 37).
        asked = b"\x80" + uintvar(sdu) if sdu else b""
        capabilities = uintvar(len(asked)) + asked if asked else b""
        headers = b"".join(ACCEPT + kind for kind in (WMLC, WBMP, PLAIN))
        headers += USER_AGENT + agent.encode("ascii") + b"\0" if agent else b""
        answer = self._transact(
            bytes([CONNECT, 0x10])
            + uintvar(len(capabilities))
            + uintvar(len(headers))
            + capabilities
            + headers
        )
        assert answer[0] == CONNECT_REPLY, answer
        self._id = read_uintvar(answer, 1)[0]

    def __enter__(self) -> WspSession:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Class 0: nobody answers.
        self._socket.send(self._invoke(0, bytes([DISCONNECT]) + uintvar(self._id)))
        self._socket.close()

    def _invoke(self, transaction_class: int, pdu: bytes) -> bytes:
        self._tid += 1
        return b"\x0a" + struct.pack(">H", self._tid) + bytes([0x10 | transaction_class]) + pdu

    def _transact(self, pdu: bytes) -> bytes:
        """Send one request and put the segments of its answer together."""
        self._socket.send(self._invoke(2, pdu))
        tid = struct.pack(">H", self._tid)
        segments: dict[int, bytes] = {}
        while True:
            datagram = self._socket.recv(65536)
            kind = datagram[0] >> 3 & 15
            if struct.unpack(">H", datagram[1:3])[0] & 0x7FFF != self._tid:
                continue
            assert kind != ABORT, f"WTP abort, reason {datagram[3]:#x}"
            if kind == ACK and datagram[0] & 4:  # "is this transaction new?" (WAP-224 §9.5)
                self._socket.send(b"\x1c" + tid)
            elif kind == RESULT:
                segments[0] = datagram[3:]
                self._socket.send(b"\x18" + tid)
            elif kind == SEGMENTED_RESULT:
                segments[datagram[3]] = datagram[4:]
                self._socket.send(b"\x98" + tid + b"\x19" + datagram[3:4])
            if kind in (RESULT, SEGMENTED_RESULT) and datagram[0] & 2:
                return b"".join(segments[number] for number in sorted(segments))

    def get(self, url: str) -> Reply:
        return self._take(bytes([GET]) + uintvar(len(url)) + url.encode("ascii"))

    def post(self, url: str, body: bytes) -> Reply:
        return self._take(
            bytes([POST]) + uintvar(len(url)) + uintvar(len(FORM)) + url.encode("ascii") + FORM + body
        )

    def _take(self, pdu: bytes) -> Reply:
        reply = read_reply(self._transact(pdu))
        self.replies.append(reply)
        return reply


def transport(session: WspSession, decode: Callable[[bytes], str]) -> Transport:
    """Let a scripted phone speak through a session; `decode` turns a compiled deck back into WML.

    The phone's own Accept and User-Agent are those with which the session was opened.
    """

    def fetch(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        return answered(session.post(url, body) if method == "POST" else session.get(url), url, decode)

    return fetch


def answered(reply: Reply, url: str, decode: Callable[[bytes], str]) -> Answer:
    """Return a reply as a scripted phone takes it, a compiled deck as WML."""
    told = {"location": reply.headers.get("location", b"").decode("ascii")}
    if reply.media_type != WMLC_TYPE:
        return Answer(reply.status, {"content-type": reply.media_type, **told}, reply.body, url)
    deck = decode(reply.body).replace("?>", ' encoding="UTF-8"?>', 1).encode()
    told |= {"content-type": "text/vnd.wap.wml; charset=utf-8", "content-length": str(len(deck))}
    return Answer(reply.status, told, deck, url)
