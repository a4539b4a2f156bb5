"""Fuzzes the PDUs of WAP and what reads them: `python -m tests.fuzz.wap wtp|wsp|headers|endpoint|initiator|push`.

What can be read can be written, and is read back unchanged; the only errors are WTPError, WSPError and PushError, as
each decoder says. The endpoint and the initiator accept anything, end by themselves and leave nothing behind.
libFuzzer's options may follow.
options may follow.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Final

#: Timers that may run until everything is over.
PATIENCE: Final = 3000


def wtp(data: bytes) -> None:
    """Read a datagram's PDUs."""
    from gateway.wap.wtp import wtp_pdus

    for octets in wtp_pdus.separate(data):
        try:
            pdu = wtp_pdus.read_pdu(octets)
        except wtp_pdus.WTPError:
            continue
        assert wtp_pdus.read_pdu(wtp_pdus.write_pdu(pdu)) == pdu, pdu


def _check_offset(offset: int, data: bytes) -> None:
    assert 0 <= offset <= len(data), offset


def wsp(data: bytes) -> None:
    """Read a PDU of WSP. Values that are read may be written in another form, but never fail to be written."""
    from gateway.wap import wsp

    try:
        pdu = wsp.read_pdu(data)
    except wsp.WSPError as error:
        _check_offset(error.offset, data)
        return
    written = wsp.write_pdu(pdu)
    again = wsp.write_pdu(wsp.read_pdu(written))
    assert wsp.write_pdu(wsp.read_pdu(again)) == again, (pdu, written)


def headers(data: bytes) -> None:
    """Read headers, of two encoding versions."""
    from gateway.wap.wsp import headers
    from gateway.wap.wsp.octets import WSPError

    try:
        found = headers.read_headers(data)
    except WSPError as error:
        _check_offset(error.offset, data)
        return
    for version in ((1, 1), (1, 5)):
        again = headers.read_headers(headers.write_headers(found, version))
        settled = headers.read_headers(headers.write_headers(again, version))
        assert headers.read_headers(headers.write_headers(settled, version)) == settled, (found, version)


def _pieces(data: bytes) -> list[tuple[int, bytes]]:
    """Cut octets into datagrams, each after an octet that says how and one that has its length."""
    found = []
    while len(data) > 2:
        how, length = data[0], data[1]
        found.append((how, data[2 : 2 + length]))
        data = data[2 + length :]
    return found


def endpoint(data: bytes) -> None:
    """Send datagrams from two phones to both ports, and answer what they ask for."""
    from gateway.wap import wsp
    from gateway.wap.endpoint import Endpoint
    from gateway.wap.quadruplet import Quadruplet
    from gateway.wap.requests import TooLarge, WapRequest
    from gateway.wap.wtp import wtp_pdus

    phones = Endpoint(count(1))
    now = 0.0
    for how, datagram in _pieces(data):
        peer = Quadruplet("192.0.2.7", how & 1, 9200 + (how >> 1 & 1))
        now += (how >> 3) / 2
        phones.handle_timer(now)
        phones.receive_datagram(datagram, peer, now)
        while (event := phones.next_event()) is not None:
            if isinstance(event, WapRequest) and not how & 4:
                try:
                    phones.reply(event.id, wsp.Reply(200, "text/plain", event.headers, bytes(1000)), now)
                except TooLarge:
                    phones.reply(event.id, wsp.Reply(413), now)
        for to, sent in phones.datagrams_to_send(now):
            if to.local_port == 9201:
                assert [wtp_pdus.read_pdu(each) for each in wtp_pdus.separate(sent)], sent
    _wait(phones.get_timer, phones.handle_timer, now, until=now + 1000)
    if not phones._requests._pending:
        assert not phones.transactions
    assert not phones._held


def initiator(data: bytes) -> None:
    """Send datagrams to a phone that is waiting for two answers."""
    from gateway.wap import wsp
    from gateway.wap.initiator import Initiator

    phone = Initiator(sar=bool(data) and bool(data[0] & 1))
    now = 0.0
    tids = {
        phone.invoke(wsp.write_pdu(wsp.Connect()), now),
        phone.invoke(wsp.write_pdu(wsp.Method("POST", "/", (), "text/plain", bytes(4000))), now),
    }
    answered: list[int] = []
    for how, datagram in _pieces(data):
        now += (how >> 3) / 2
        phone.handle_timer(now)
        phone.receive_datagram(datagram, now)
    _wait(phone.get_timer, phone.handle_timer, now, until=now + 5000)
    while (answer := phone.next_event()) is not None:
        answered.append(answer.tid)
    assert sorted(answered) == sorted(tids), answered
    assert phone.get_timer() is None


def _wait(
    timer: Callable[[], float | None], handle: Callable[[float], None], now: float, until: float
) -> None:
    """Let time pass until nothing is due."""
    for _ in range(PATIENCE):
        due = timer()
        if due is None or due > until:
            return
        now = max(now, due)
        handle(now)
    raise AssertionError("it does not end")


def push(data: bytes) -> None:
    """Push any text and URL, as datagram and as short messages."""
    from gateway.wap import push, wsp

    text = data.decode("utf-8", "replace")
    url, _, rest = text.partition("\n")
    for kind in push.PushContentType:
        try:
            loads = kind is push.PushContentType.LOADING
            content = push.loading(url) if loads else push.indication(url, rest, si_id=rest[:9])
        except push.PushError:
            continue
        pdu = push.pdu(kind, content, 1)
        _, read = wsp.read_unit(pdu)
        assert isinstance(read, wsp.Push)
        assert read.body == content
        try:
            segments = push.short_messages(pdu, 7)
        except push.PushError:
            assert len(pdu) > 30_000
            continue
        assert b"".join(each.payload for each in segments) == pdu
        assert all(len(each.header + each.payload) <= 140 for each in segments)


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    "wtp": wtp, "wsp": wsp, "headers": headers, "endpoint": endpoint, "initiator": initiator, "push": push,
}  # fmt: skip


def samples(target: str) -> list[bytes]:
    """Return the samples with which fuzzing begins."""
    from gateway.wap.wtp.wtp_pdus import Ack, Invoke, Nack, Result, Segment, psn, write_pdu
    from tests.wap import packets
    from tests.wap.mutants import ORIGINALS

    def piece(how: int, datagram: bytes) -> bytes:
        return bytes((how, min(255, len(datagram)))) + datagram[:255]

    if target == "wsp":
        pdus = [packets.MXP600_CONNECT[4:], packets.SIEMENS_SX1_GET, packets.TIMEPORT_GET]
        pdus.append(b"\x40\1/\x8d" + b"8" * 73 + b"\0")
        return [*pdus, packets.NOKIA_7110_GET[1:], b"\x60\1/\x03\x83\x81\xeaq=1", b"\x04\x20\x01\x94xy"]
    if target == "headers":
        controls = b"\x86" + b" \x03" * 3 + b"A \x03A\0\x86" + b" \x03\xa0" * 2 + b"A\0"
        quotes = b'\x80\x09\xbbq\0""""\x82\0'
        return [
            packets.MXP600_HEADERS,
            packets.NOKIA_7110_GET[31:],
            packets.SIEMENS_S35_GET[21:],
            controls,
            quotes,
        ]
    if target == "push":
        return [b"http://www.example.com/a\nmail", "https://x.org/\nöß \0&<".encode()]
    if target == "endpoint":
        both = b"".join(piece(how, data) for how, data in enumerate(ORIGINALS))
        held = [write_pdu(Invoke(64, b"\x40\1/", 1)), write_pdu(Invoke(9, b"\t1\t", 2))]
        held_at_zero = b"\0" + b"".join(bytes((len(pdu),)) + pdu for pdu in held)
        one = piece(2, packets.NOKIA_7210_BOTH) + piece(2, write_pdu(Ack(2)))
        return [one, both[:480], both[480:960], piece(2, held_at_zero)]
    if target == "initiator":
        answers = [
            Ack(0x8002, tpis=(psn(0),)), Ack(0x8001, True), Result(0x8001, b"\x02\1\0\0"), Nack(0x8002, (1,)),
            Result(0x8002, b"\x04\x20\x01\x83", ttr=False), Segment(0x8002, 1, b"x", True, ttr=True),
        ]  # fmt: skip
        return [b"".join(piece(2, write_pdu(pdu)) for pdu in answers)]
    return [*ORIGINALS, write_pdu(Invoke(1, b"x", tpis=((2, b"\1\2\3"), (7, b"long enough"))))]


def main() -> None:
    """Run Atheris."""
    atheris = import_module("atheris")
    name, *options = sys.argv[1:]
    with atheris.instrument_imports(include=["gateway.wap"], exclude=["gateway.wap.wbxml"]):
        for module in ("endpoint", "initiator", "push"):
            import_module(f"gateway.wap.{module}")
    with tempfile.TemporaryDirectory() as folder:
        for number, sample in enumerate(samples(name)):
            Path(folder, str(number)).write_bytes(sample)
        atheris.Setup([sys.argv[0], "-max_len=500", *options, folder], TARGETS[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
