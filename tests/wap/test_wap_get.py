"""Tests of `pocketpost wap get`: what it prints with our own bearer, with odd gateways, and for each PDU."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread

import pytest
from click.testing import CliRunner

from gateway.cli import main, wap_get
from gateway.config.hosts import host_port
from gateway.wap import wsp
from gateway.wap.wtp.wtp_pdus import (
    DIRECTION,
    Abort,
    Ack,
    Invoke,
    Nack,
    Provider,
    Result,
    Segment,
    WtpPdu,
    psn,
    write_pdu,
)
from tests.server.wap_phone import PICTURE, serving

ASKED = "http://127.0.0.1:8080"


def got(*arguments: str, status: int = 0) -> list[str]:
    """Run the command; return its lines, with session ids as 7."""
    done = CliRunner().invoke(main, ["wap", "get", *arguments])
    assert done.exit_code == status, done.output
    return re.sub(r"session \d+", "session 7", done.output).splitlines()


class TestAgainstOurBearer:
    def test_each_pdu_is_said_in_words_and_then_the_page(self) -> None:
        with serving() as (port, _):
            lines = got("--gateway", f"127.0.0.1:{port}", "--agent", "Nokia7110/1.0", f"{ASKED}/w")
        accepted = "".join(f"; Accept: {kind}" for kind in wap_get.ACCEPT.split(", "))
        assert lines[:-2] == [
            f"> Invoke 1 user_ack gtr ttr: Connect{accepted}; User-Agent: Nokia7110/1.0",
            lines[1],  # the size of the session's id varies
            "> Ack 1",
            "< ConnectReply session 7",
            f"> Invoke 2 user_ack gtr ttr: GET {ASKED}/w",
            "< Result 2 gtr ttr: 18 octets",
            "> Ack 2",
            "< Reply 200 application/vnd.wap.wmlc 14 octets",
            "> Invoke 3 gtr ttr: Disconnect",
            '<?xml version="1.0"?>',
        ]
        assert "<p>/w</p>" in lines[-1]

    def test_without_a_session(self) -> None:
        with serving() as (_, port):
            lines = got("--connectionless", "--gateway", f"127.0.0.1:{port}", f"{ASKED}/w")
        assert lines[0] == f"> GET {ASKED}/w; Accept: {wap_get.ACCEPT}; User-Agent: Pocketpost"
        assert lines[1] == "< Reply 200 application/vnd.wap.wmlc 14 octets"
        assert "<p>/w</p>" in lines[-1]

    @pytest.mark.parametrize("connectionless", [False, True])
    def test_a_form_is_posted(self, connectionless: bool) -> None:
        with serving() as ports:
            gateway = f"127.0.0.1:{ports[connectionless]}"
            asked = ["--connectionless"] * connectionless + ["--post", "text=ä&amp;b", "--gateway", gateway]
            lines = got(*asked, f"{ASKED}/w")
        assert [line for line in lines if "POST" in line and "13 octets" in line]
        assert "text=ä&amp;b" in lines[-1]

    def test_sizes_and_segments_are_said(self) -> None:
        with serving() as (port, _):
            gateway = ("--gateway", f"127.0.0.1:{port}")
            small = got(*gateway, "--sdu", "1000", f"{ASKED}/long")
            segments = got(*gateway, "--sdu", "0", "--sar", f"{ASKED}/picture")
        assert [line for line in small if line == "< ConnectReply session 7 CLIENT_SDU=1000"]
        assert "too large for your phone" in small[-1]
        packets = [line for line in segments if re.match(r"< Segment 2.*: packet \d+, \d+ octets$", line)]
        assert len(packets) == PICTURE // 1400
        assert [line for line in segments if re.match(r"> Ack 2: packet \d+$", line)]
        assert segments[-1] == f"({PICTURE} octets)"

    def test_where_a_redirect_leads_is_said(self) -> None:
        with serving() as (port, _):
            lines = got("--gateway", f"127.0.0.1:{port}", f"{ASKED}/go")
        assert [
            line
            for line in lines
            if f"Reply 302 text/vnd.wap.wml; charset=utf-8 0 octets; Location: {ASKED}/there" in line
        ]


@contextmanager
def answering(*answers: bytes) -> Iterator[str]:
    """Be a gateway that answers each datagram with the next of these; yield its address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))
        line.settimeout(10)

        def answer() -> None:
            with suppress(OSError):
                for each in answers:
                    line.sendto(each, line.recvfrom(65_536)[1])

        thread = Thread(target=answer)
        thread.start()
        yield host_port(*line.getsockname())
        thread.join()


def unit(reply: wsp.WspPdu) -> bytes:
    return wsp.write_unit(1, reply)


class TestErrors:
    def test_an_error_status_is_an_error(self) -> None:
        with answering(unit(wsp.Reply(404, "text/plain", (), b"Gone"))) as gateway:
            assert got("--connectionless", "--gateway", gateway, "/w", status=1)[-1] == "Gone"

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            (b"\1\4", "Error: what came is malformed: "),
            (unit(wsp.Disconnect(1)), "Error: that is no Reply"),
        ],
    )
    def test_what_is_no_reply_is_said(self, answer: bytes, said: str) -> None:
        with answering(answer) as gateway:
            lines = got("--connectionless", "--gateway", gateway, "/w", status=1)
        assert lines[-1].startswith(said)

    def test_a_deck_that_is_none_is_said(self) -> None:
        with answering(unit(wsp.Reply(200, "application/vnd.wap.wmlc", (), b"\xff"))) as gateway:
            assert got("--connectionless", "--gateway", gateway, "/w")[-1].startswith("(no WBXML: ")

    @pytest.mark.parametrize(
        ("abort", "said"),
        [
            (Abort(1 ^ DIRECTION, wsp.AbortReason.DISCONNECT, True), "DISCONNECT"),
            (Abort(1 ^ DIRECTION, Provider.CAPTEMPEXCEEDED), "CAPTEMPEXCEEDED"),
            (Abort(1 ^ DIRECTION, 0x99), "reason 0x99"),
        ],
    )
    def test_why_it_was_aborted_is_said(self, abort: Abort, said: str) -> None:
        with answering(write_pdu(abort)) as gateway:
            lines = got("--gateway", gateway, "/w", status=1)
        assert lines[-2:] == [f"< Abort 1: {said}", f"Error: aborted: {said}"]

    @pytest.mark.parametrize("more", [(), ("--connectionless",)])
    def test_silence_is_said(self, more: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(wap_get, "SECONDS", 0.1)
        with answering() as gateway:
            assert (
                got(*more, "--gateway", gateway, "/w", status=1)[-1] == "Error: there is no reply within 0 s"
            )

    @pytest.mark.parametrize(
        ("arguments", "status", "said"),
        [
            (("--gateway", "127.0.0.1:99999"), 1, "127.0.0.1:99999: HOST:PORT is needed"),
            (("--gateway", "::1"), 1, "::1: an IPv6 address stands in brackets"),
            (("--gateway", "127.0.0.1:1"), 1, "127.0.0.1 port 1: Connection refused"),
            (("--connectionless", "--sar"), 2, "--sdu and --sar belong to a session"),
        ],
    )
    def test_what_cannot_be_asked(self, arguments: tuple[str, ...], status: int, said: str) -> None:
        assert said in got(*arguments, "/w", status=status)[-1]


@pytest.mark.parametrize(
    ("pdu", "said"),
    [
        (Invoke(1, b"\xff", 1, new=True, rid=True), "Invoke 1 new gtr ttr rid: 1 octets"),
        (Result(1 | DIRECTION, b"ab", gtr=False, ttr=False), "Result 1: 2 octets"),
        (Segment(1, 3, b"ab", ttr=True), "Segment 1 ttr: packet 3, 2 octets"),
        (Ack(1, verify=True), "Ack 1 verify"),
        (Ack(1, tpis=(psn(5),)), "Ack 1: packet 5"),
        (Nack(1, (2, 4)), "Nack 1: packets [2, 4] missing"),
        (Nack(1), "Nack 1: the whole group missing"),
    ],
)
def test_pdus_in_words(pdu: WtpPdu, said: str) -> None:
    assert wap_get.transaction_words(pdu) == said


def test_capabilities_in_words() -> None:
    connect = wsp.Connect(((0, b"\x87\x68"), (2, b"\x20"), ("x-up", b"\1")))
    assert wap_get.words(connect) == "Connect CLIENT_SDU=1000 PROTOCOL_OPTIONS=20 x-up=01"
