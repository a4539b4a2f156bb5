"""Tests of `gateway.wap.push` and `pocketpost wap push`: what phones get, as other programs read it."""

from __future__ import annotations

import re
import socket
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from gateway import cli
from gateway.wap import push, wbxml
from tests import PATIENCE
from tests.wap import oracles

URL = "http://www.example.com/m?a=1&b=2"
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


class TestDocuments:
    def test_indication(self) -> None:
        content = push.indication(URL, "2 new <mails> & more", si_id="7@x", created=NOON, expires=NOON)
        assert wbxml.decode(content).endswith(
            '<si><indication href="http://www.example.com/m?a=1&amp;b=2" si-id="7@x" created="2026-11-30T12:00:00Z" '
            'action="signal-medium" si-expires="2026-11-30T12:00:00Z">2 new &lt;mails&gt; &amp; more</indication></si>'
        )

    def test_loading(self) -> None:
        content = push.loading(URL, action="cache")
        assert wbxml.decode(content).endswith(
            '<sl href="http://www.example.com/m?a=1&amp;b=2" action="cache"/>'
        )

    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
    def test_any_text_is_pushed_without_a_table_or_refused(self, text: str) -> None:
        try:
            content = push.indication(URL, text + " new new new new new new new new")
        except push.PushError:
            assert re.search("[\0-\x1f\ufffe\uffff]", text)
            return
        assert content[3] == 0

    def test_what_no_phone_knows_is_refused(self) -> None:
        with pytest.raises(push.PushError, match="signal-loud"):
            push.indication(URL, "x", action="signal-loud")
        with pytest.raises(push.PushError, match="delete"):
            push.loading(URL, action="delete")


class TestPdu:
    def test_octets(self) -> None:
        assert push.pdu(push.PushContentType.INDICATION, b"x", 9) == b"\x09\x06\x04\x03\xae\x81\xeax"

    @oracles.needs_tshark
    @pytest.mark.parametrize(
        ("kind", "media_type"),
        [(push.PushContentType.INDICATION, "sic"), (push.PushContentType.LOADING, "slc")],
    )
    def test_tshark_reads_it(self, kind: push.PushContentType, media_type: str) -> None:
        content = (
            push.indication(URL, "new") if kind is push.PushContentType.INDICATION else push.loading(URL)
        )
        tree = oracles.tshark_datagrams(
            [push.pdu(kind, content, 9)], push.SENDER_PORT, "wsp", "wbxml", target=push.PUSH_PORT
        )
        assert "PDU Type: Push (0x06)" in tree
        assert f"application/vnd.wap.{media_type}" in tree
        assert "charset=UTF-8" in tree
        assert "example" in tree
        assert "Malformed" not in tree


class TestShortMessages:
    def test_one(self) -> None:
        (segment,) = push.short_messages(b"x" * 133, 7)
        assert segment.header == bytes.fromhex("0605040b8423f0")
        assert len(segment.header + segment.payload) == 140

    @given(st.binary(max_size=1000), st.integers(0, 255))
    def test_many(self, octets: bytes, reference: int) -> None:
        segments = push.short_messages(octets, reference)
        assert b"".join(segment.payload for segment in segments) == octets
        for number, segment in enumerate(segments, 1):
            assert len(segment.header + segment.payload) <= 140
            assert segment.header[0] == len(segment.header) - 1
            if len(segments) > 1:
                assert segment.header[1:6] == bytes([0, 3, reference, len(segments), number])
            assert segment.header.endswith(bytes.fromhex("05040b8423f0"))

    def test_too_many(self) -> None:
        assert len(push.short_messages(b"x" * 128 * 255, 1)) == 255
        with pytest.raises(push.PushError):
            push.short_messages(b"x" * (128 * 255 + 1), 1)


class TestCommand:
    @staticmethod
    def run(*arguments: str, fails: int = 0) -> str:
        said = CliRunner().invoke(cli.main, ["wap", "push", *arguments])
        assert said.exit_code == fails, said.output
        return said.output

    def test_by_udp(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            phone.bind(("127.0.0.1", 0))
            phone.settimeout(PATIENCE)
            to = f"127.0.0.1:{phone.getsockname()[1]}"
            said = self.run("--to", to, "--id", "7", "--hours", "2", URL, "2 new mails")
            octets = phone.recv(2000)
            assert said == f"{len(octets)} octets sent to {to}\n"
            assert octets[1:7] == b"\x06\x04\x03\xae\x81\xea"
            assert ">2 new mails<" in wbxml.decode(octets[7:])
            self.run("--to", to, URL)
            assert 'action="execute-low"' in wbxml.decode(phone.recv(2000)[7:])

    def test_by_short_messages(self) -> None:
        lines = self.run("--sms", URL, "mail " * 60).splitlines()
        assert len(lines) == 3
        payloads = b"".join(bytes.fromhex(line.split()[1]) for line in lines)
        assert "mail mail" in wbxml.decode(payloads[7:])

    @pytest.mark.parametrize(
        ("arguments", "status"),
        [
            ([URL], 2),
            (["--sms", "--to", "127.0.0.1", URL], 2),
            (["--sms", "--id", "7", URL], 2),
            (["--sms", "--action", "shout", URL, "x"], 1),
            (["--to", "a b", URL, "x"], 1),
            (["--to", "127.0.0.1:0", URL, "x"], 1),
        ],
    )
    def test_what_cannot_be(self, arguments: list[str], status: int) -> None:
        assert "Error" in self.run(*arguments, fails=status)
