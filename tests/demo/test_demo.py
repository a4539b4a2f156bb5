"""`gateway.demo`: the sample, the servers, their repairs, and everything together as a person starts it."""

from __future__ import annotations

import email
import email.policy
import imaplib
import os
import poplib
import re
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

pytest.importorskip("pymap", reason="the demo extra is not installed")
pytest.importorskip("aiosmtpd", reason="the demo extra is not installed")

from imapclient import IMAPClient
from imapclient.response_parser import parse_fetch_response
from pymap.mime import MessageContent

from gateway.cli import wap_beside
from gateway.demo import repairs
from gateway.demo.sample import (
    ALICE,
    BOB,
    CAROL,
    FRESH,
    MAILBOXES,
    MESSAGES,
    PASSWORD,
    PASSWORDS,
    POP3_PASSWORDS,
    sample,
)
from gateway.demo.search_text import contains_text
from gateway.demo.servers import Servers, Stored
from gateway.demo.structure import envelope, find, structure
from gateway.server.listeners import Listener
from tests import PATIENCE

NOW = datetime(2030, 2, 3, 4, 5, 6, tzinfo=UTC)


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with Servers(PASSWORDS, MAILBOXES, POP3_PASSWORDS) as running:
        for address in MESSAGES:
            running.fill(address, sample(address, NOW))
        yield running


@pytest.fixture
def alice(servers: Servers) -> Iterator[IMAPClient]:
    with IMAPClient("127.0.0.1", servers.imap_port, ssl=False, timeout=PATIENCE) as client:
        client.login(ALICE, PASSWORD)
        client.normalise_times = False
        yield client


@pytest.fixture
def submission(servers: Servers) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP("127.0.0.1", servers.smtp_port, timeout=PATIENCE) as client:
        client.login(ALICE, PASSWORD)
        yield client


# --- the sample


def test_every_file_has_a_place_and_every_place_a_file() -> None:
    there = {path.name for path in files("gateway.demo").joinpath("data").iterdir()}
    assert there == {f"{place.file}.eml" for places in MESSAGES.values() for place in places}


def test_the_sample_looks_alive() -> None:
    inbox = [each for each in sample(ALICE, NOW) if each.mailbox == "INBOX"]
    assert len(inbox) >= 20
    dates = [each.received for each in inbox]
    assert dates == sorted(dates)
    assert dates[-1] == NOW - FRESH
    assert dates[0] > NOW - timedelta(days=14)
    flags = [flag for each in inbox for flag in each.flags]
    assert {"\\Seen", "\\Answered", "\\Flagged"} <= set(flags)
    assert flags.count("\\Seen") < len(inbox)


def test_every_message_is_clean_and_says_its_date() -> None:
    for address in MESSAGES:
        for each in sample(address, NOW):
            message = email.message_from_bytes(each.octets, policy=email.policy.default)
            assert message["date"].datetime == each.received
            assert b"\n" not in each.octets.replace(b"\r\n", b"")
            for part in message.walk():
                assert not part.defects
                if part.get_content_maintype() == "text":
                    part.get_content().encode("utf-8")  # charset and encoding are right


def test_the_invitation_is_in_the_future_at_a_plain_time() -> None:
    (invitation,) = [each for each in sample(BOB, NOW) if b"text/calendar" in each.octets]
    start = re.search(rb"DTSTART:(\w+)", invitation.octets)
    assert start
    when = datetime.strptime(start[1].decode(), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert when > NOW
    assert (when.minute % 30, when.second) == (0, 0)


# --- POP3


@contextmanager
def carol(servers: Servers) -> Iterator[poplib.POP3]:
    client = poplib.POP3("127.0.0.1", servers.pop3_port, timeout=PATIENCE)
    client.user(CAROL)
    client.pass_(PASSWORD)
    yield client
    with suppress(poplib.error_proto, AttributeError):  # it may have been closed by the test
        client.quit()


def test_a_maildrop_is_what_its_owner_left_there(servers: Servers) -> None:
    there = [each.octets for each in sample(CAROL, NOW)]
    with carol(servers) as client:
        assert {"UIDL", "TOP", "PIPELINING"} <= set(client.capa())
        assert client.stat() == (len(there), sum(map(len, there)))
        for number, octets in enumerate(there, 1):
            assert b"\r\n".join(client.retr(number)[1]) + b"\r\n" == octets
            header = octets.partition(b"\r\n\r\n")[0]
            assert b"\r\n".join(client.top(number, 0)[1]).rstrip() == header
        unique = [line.split()[1] for line in client.uidl()[1]]
        assert len(set(unique)) == len(there)
        client.dele(1)
        assert len(client.list()[1]) == len(there) - 1
        client.close()  # without QUIT nothing is deleted
    with carol(servers) as client:
        client.dele(2)
        client.rset()
        client.dele(1)
        assert client.uidl(2).split()[2] == unique[1]
    with carol(servers) as client:
        assert [line.split()[1] for line in client.uidl()[1]] == unique[1:]


def test_a_maildrop_is_for_one_at_a_time(servers: Servers) -> None:
    with carol(servers):
        second = poplib.POP3("127.0.0.1", servers.pop3_port, timeout=PATIENCE)
        second.user(CAROL)
        with pytest.raises(poplib.error_proto) as refused:
            second.pass_(PASSWORD)
        assert b"IN-USE" in refused.value.args[0]  # not `match`: poplib's errors are octets
        for wrong in ("NOOP", "LIST", "RETR 1", "x" * 5000, "PASS", "DELE \u00e4"):
            with pytest.raises(poplib.error_proto):
                second._shortcmd(wrong)
        second.quit()
    with carol(servers) as client:
        for wrong in ("RETR 99", "RETR x", "TOP", "DELE 0", "UIDL 77", "USER a", ""):
            with pytest.raises(poplib.error_proto):
                client._shortcmd(wrong)


# --- IMAP


def children(body: Any) -> list[Any]:
    """List the parts of a multipart; imapclient gathers them in a list, but not below message/rfc822."""
    return list(
        body[0] if isinstance(body[0], list) else takewhile(lambda each: isinstance(each, tuple), body)
    )


def leaves(body: Any, section: str = "") -> Iterator[tuple[str, Any]]:
    """Number the leaves of an imapclient BODYSTRUCTURE (RFC 9051 §6.4.5.1)."""
    if parts := children(body):
        for number, child in enumerate(parts, 1):
            yield from leaves(child, f"{section}.{number}".lstrip("."))
        return
    section = section or "1"
    yield section, body
    if (body[0].lower(), body[1].lower()) == (b"message", b"rfc822"):
        yield from leaves(body[8], section if children(body[8]) else f"{section}.1")


def test_sizes_are_those_of_what_is_fetched(alice: IMAPClient) -> None:
    alice.select_folder("INBOX", readonly=True)
    seen = 0
    for uid, row in alice.fetch(alice.search(), ["BODYSTRUCTURE", "BODY.PEEK[]", "RFC822.SIZE"]).items():
        assert row[b"RFC822.SIZE"] == len(row[b"BODY[]"])
        for section, body in leaves(row[b"BODYSTRUCTURE"]):
            name = f"BODY[{section}]".encode()
            octets = alice.fetch([uid], [f"BODY.PEEK[{section}]"])[uid][name]
            assert body[6] == len(octets), (section, body)
            assert octets in row[b"BODY[]"]
            seen += 1
    assert seen > 30


def test_sections_below_an_enclosed_message(alice: IMAPClient) -> None:
    alice.select_folder("INBOX", readonly=True)
    (uid,) = alice.search(["SUBJECT", "Fwd:"])
    row = alice.fetch(
        [uid], ["BODYSTRUCTURE", "BODY.PEEK[2.1]", "BODY.PEEK[2.2.MIME]", "BODY.PEEK[2.HEADER]"]
    )[uid]
    sections = [section for section, _ in leaves(row[b"BODYSTRUCTURE"])]
    assert sections == ["1", "2", "2.1", "2.2"]
    assert b"Buxtehude" in row[b"BODY[2.1]"]
    assert row[b"BODY[2.2.MIME]"].startswith(b"Content-Type: text/html")
    assert b"Subject: Orgelkonzert" in row[b"BODY[2.HEADER]"]
    assert row[b"BODYSTRUCTURE"][0][1][7][1] == b"Orgelkonzert: we need a page turner"


def test_partial_fetch(alice: IMAPClient) -> None:
    alice.select_folder("INBOX", readonly=True)
    (uid,) = alice.search(["SUBJECT", "Letter from the island"])
    whole = alice.fetch([uid], ["BODY.PEEK[1]"])[uid][b"BODY[1]"]
    row = alice.fetch([uid], ["BODY.PEEK[1]<100.50>"])[uid]
    assert row[b"BODY[1]<100>"] == whole[100:150]
    assert alice.fetch([uid], ["BODY.PEEK[1]<999999.50>"])[uid][b"BODY[1]<999999>"] == b""


def test_envelope_and_disposition_are_as_other_servers_write_them(alice: IMAPClient) -> None:
    alice.select_folder("INBOX", readonly=True)
    (uid,) = alice.search(["FROM", "ilse"])
    row = alice.fetch([uid], ["ENVELOPE", "INTERNALDATE"])[uid]
    assert row[b"ENVELOPE"].subject.startswith(b"=?iso-8859-1?")
    assert row[b"ENVELOPE"].from_[0].host == b"dorfpost.example"
    assert row[b"INTERNALDATE"] == row[b"ENVELOPE"].date
    (uid,) = alice.search(["SUBJECT", "Your ticket"])
    ticket = alice.fetch([uid], ["BODYSTRUCTURE"])[uid][b"BODYSTRUCTURE"][0][1]
    assert (b"attachment", (b"filename", b"ticket-5521-7.pdf")) in ticket


def test_a_part_without_a_header_has_none(servers: Servers, alice: IMAPClient) -> None:
    octets = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nplain\r\n--x--\r\n"
    servers.fill(ALICE, [Stored("Junk", octets, NOW)])
    alice.select_folder("Junk")
    uid = max(alice.search())
    row = alice.fetch([uid], ["BODY.PEEK[1.MIME]", "BODY.PEEK[1]"])[uid]
    assert (row[b"BODY[1.MIME]"], row[b"BODY[1]"]) == (b"", b"plain\r\n")


def test_the_greeting_needs_no_name_service(alice: IMAPClient) -> None:
    assert alice.welcome.endswith(b"Pocketpost demo")


def test_folders_say_what_they_are_for(alice: IMAPClient) -> None:
    uses = {name: {flag.lower() for flag in flags} for flags, _, name in alice.list_folders()}
    assert uses.keys() == {"INBOX", *MAILBOXES}
    for name in MAILBOXES:
        assert (f"\\{name}".lower().encode() in uses[name]) == (name in repairs.SPECIAL_USE)
    assert set(repairs.SPECIAL_USE) < set(MAILBOXES)
    assert alice.has_capability("SPECIAL-USE")


def test_append_keeps_keywords_and_has_a_date(alice: IMAPClient) -> None:
    alice.append("Drafts", b"Subject: x\r\n\r\n", ["\\Draft", "$Forwarded"])
    alice.select_folder("Drafts")
    uid = max(alice.search(["SINCE", "01-Jan-2020"]))
    alice.add_flags([uid], ["$MDNSent"])
    row = alice.fetch([uid], ["FLAGS", "INTERNALDATE", "BODY.PEEK[TEXT]"])[uid]
    assert {b"\\Draft", b"$Forwarded", b"$MDNSent"} <= set(row[b"FLAGS"])
    assert row[b"INTERNALDATE"].utcoffset() is not None
    assert row[b"BODY[TEXT]"] == b""


UGLY = [
    b"",
    b"\r\n",
    b"no header at all",
    b"Date: yesterday\r\nFrom: <a@\r\nTo: \"\r\nSubject: =?utf-7?q?+2AA-?=\r\n\r\nx",
    b"Message-ID: <\r\nFrom: =?utf-8?q?=0D=0A?= <a@b>\r\nTo: a@[\r\n\r\nx",
    b"Subject: caf\xe9 \x00 \xff\r\nFrom: \xe9 <a@b>\r\n\r\n\xff",
    b"Content-Type: multipart/mixed; boundary=x\r\n\r\nno part",
    b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n--x\r\nplain\r\n--x\r\n\r\n--x--\r\n",
    b"Content-Type: message/rfc822\r\n\r\nContent-Type: message/rfc822\r\n\r\nSubject: y\r\n\r\nz",
    b"Content-Type: ;;;\r\nContent-Disposition: ;\r\nContent-Transfer-Encoding:\r\n\r\nx",
    b"Content-Disposition: attachment; filename*0*=utf-8''a%20; filename*1=\"b\\\"c\"\r\n\r\nx",
    b"To: " + b"(" * 3000 + b"\r\n\r\nx",
]  # fmt: skip


@pytest.mark.parametrize("octets", UGLY)
def test_ugly_mail_keeps_the_connection(servers: Servers, alice: IMAPClient, octets: bytes) -> None:
    servers.fill(ALICE, [Stored("Junk", octets, NOW)])
    alice.select_folder("Junk")
    uid = max(alice.search())
    row = alice.fetch([uid], ["ENVELOPE", "BODYSTRUCTURE", "BODY.PEEK[]", "BODY.PEEK[1]"])[uid]
    assert row[b"BODY[]"] == octets
    for section, body in leaves(row[b"BODYSTRUCTURE"]):
        assert len(alice.fetch([uid], [f"BODY.PEEK[{section}]"])[uid][f"BODY[{section}]".encode()]) == body[6]
    assert uid not in alice.search(["TEXT", "nobody wrote this"])
    alice.noop()


@pytest.mark.parametrize(
    ("criteria", "subject"),
    [(["SUBJECT", "ålesund"], b"Guest"), (["TEXT", "øYEN"], b"Guest"), (["BODY", "CAFE"], b"Lunch")],
)
def test_what_is_searched_is_what_a_person_reads(
    alice: IMAPClient, criteria: list[str], subject: bytes
) -> None:
    alice.select_folder("INBOX" if subject == b"Lunch" else "Boat/Ålesund")
    (uid,) = alice.search(criteria, charset="UTF-8")
    assert subject in alice.fetch([uid], ["ENVELOPE"])[uid][b"ENVELOPE"].subject


FIELDS = st.sampled_from(
    [
        b"From: ", b"To: ", b"Subject: ", b"Date: ", b"Content-Type: multipart/mixed; boundary=b\r\n",
        b"Content-Type: message/rfc822\r\n", b"Content-Type: ", b"Content-Disposition: ", b"\r\n", b"\r\n--b\r\n",
        b"\r\n--b--\r\n", b"a <a@b>, ", b'"', b"\\", b"(", b"; name*=", b"=?utf-8?q?=C3=A4?=", b"\n", b"\r",
    ]
)  # fmt: skip


# Not st.binary: hypothesis then compares octets with numbers, which `python -bb` forbids.
OCTETS = st.text(st.characters(max_codepoint=255), max_size=20).map(lambda text: text.encode("latin-1"))


@given(st.lists(FIELDS | OCTETS, max_size=30).map(b"".join))
@example(b"From: \rContent-Type: message/rfc822\r\n")
def test_any_octets_give_a_structure_that_clients_can_read(octets: bytes) -> None:
    repairs.apply()
    message = MessageContent.parse(octets)
    answer = b"1 (ENVELOPE %b BODYSTRUCTURE %b)" % (bytes(envelope(message)), bytes(structure(message, True)))
    assert not contains_text(message, "nobody wrote this")
    row = parse_fetch_response(list(literals(answer)), normalise_times=False)[1]
    for section, body in leaves(row[b"BODYSTRUCTURE"]):
        part = find(message, [int(number) for number in section.split(".")])
        assert len(bytes(part.body)) == body[6]


def literals(answer: bytes) -> Iterator[Any]:
    """Cut an answer at its literals, as imaplib passes it to imapclient."""
    start = 0
    for found in re.finditer(rb"\{(\d+)\}\r\n", answer):
        if found.start() >= start:
            end = found.end() + int(found[1])
            yield answer[start : found.end() - 2], answer[found.end() : end]
            start = end
    yield answer[start:]


# --- SMTP


def test_an_answer_arrives_with_its_trace(servers: Servers, submission: smtplib.SMTP) -> None:
    text = f"From: {ALICE}\r\nTo: {BOB}\r\nSubject: unique-17\r\n\r\n.dot\r\n"
    assert submission.sendmail(ALICE, [BOB.upper(), "someone@else.example"], text.encode()) == {}
    with IMAPClient("127.0.0.1", servers.imap_port, ssl=False, timeout=PATIENCE) as bob:
        bob.login(BOB, PASSWORD)
        bob.select_folder("INBOX")
        (uid,) = bob.search(["SUBJECT", "unique-17"])
        row = bob.fetch([uid], ["FLAGS", "BODY.PEEK[]"])[uid]
    assert b"\\Seen" not in row[b"FLAGS"]
    assert row[b"BODY[]"].startswith(f"Return-Path: <{ALICE}>\r\nReceived: by".encode())
    assert row[b"BODY[]"].endswith(text.encode())


@pytest.mark.parametrize(
    ("sender", "recipient", "code"),
    [(ALICE, "nobody@pocketpost.example", 550), (ALICE, "x@gmail.com", 550), (BOB, BOB, 553)],
)
def test_what_is_refused(submission: smtplib.SMTP, sender: str, recipient: str, code: int) -> None:
    with pytest.raises(smtplib.SMTPException) as caught:
        submission.sendmail(sender, [recipient], b"Subject: x\r\n\r\n")
    assert str(code) in str(caught.value)


def test_submission_wants_a_password(servers: Servers) -> None:
    with smtplib.SMTP("127.0.0.1", servers.smtp_port, timeout=PATIENCE) as client:
        client.ehlo()
        assert client.esmtp_features["auth"].split() == ["LOGIN", "PLAIN"]
        assert int(client.esmtp_features["size"]) > 1_000_000
        assert client.mail(ALICE)[0] == 530
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login(ALICE, "wrong")
    with imaplib.IMAP4("127.0.0.1", servers.imap_port, timeout=PATIENCE) as imap:
        assert imap.xatom("LOGIN", ALICE, "wrong")[0] == "NO"


def test_servers_stop_with_connections_open() -> None:
    with Servers({ALICE: "x"}, ()) as servers:
        idle = socket.create_connection(("127.0.0.1", servers.imap_port), timeout=PATIENCE)
        assert idle.recv(100).startswith(b"* OK")
    with idle:
        idle.settimeout(PATIENCE)
        while idle.recv(100):
            pass
    assert not servers._thread.is_alive()


# --- the whole


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_starts_serves_and_leaves_nothing(tmp_path: Path, how: signal.Signals) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    child = subprocess.Popen(
        [sys.executable, "-bb", "-W", "error", "-m", "gateway", "demo", "--listen", f"127.0.0.1:{port}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    try:
        assert child.stdout is not None
        said = {}
        while "Stop" not in said:
            line = child.stdout.readline()
            assert line, child.communicate()[1]
            word, _, rest = line.partition(" ")
            said[word] = rest.strip()
        walk(port, said)
        assert list(tmp_path.iterdir())
        child.send_signal(how)
        out, err = child.communicate(timeout=PATIENCE)
    finally:
        child.kill()
        child.communicate()
    assert (child.returncode, out, err) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
    assert tempfile.gettempdir() != str(tmp_path)


def walk(port: int, said: dict[str, str]) -> None:
    """Do what the printed lines promise."""
    assert said["Address"] == f"http://127.0.0.1:{port}/"
    assert {"User", "Browser", "Terminal", "Phone"} <= said.keys()
    with urllib.request.urlopen(said["Address"], timeout=PATIENCE) as page:
        assert page.status == 200
        assert b"Sign in" in page.read()
    imap, smtp = re.findall(r"127\.0\.0\.1:(\d+)", said["Servers"])
    text = f"From: {ALICE}\r\nTo: {BOB}\r\nSubject: over the side\r\n\r\nx\r\n".encode()
    with smtplib.SMTP("127.0.0.1", int(smtp), timeout=PATIENCE) as client:
        client.login(ALICE, said["Password"])
        client.sendmail(ALICE, [BOB], text)
    with IMAPClient("127.0.0.1", int(imap), ssl=False, timeout=PATIENCE) as bob:
        bob.login(BOB, said["Password"])
        bob.select_folder("INBOX")
        assert len(bob.search(["SUBJECT", "over the side"])) == 1


def test_demos_at_other_ports_leave_the_usual_ports_of_wap_alone() -> None:
    """Two that start at the same time would both find them free, and one of them would end."""
    found = wap_beside(Listener.parse("127.0.0.1:8099"))
    assert found is not None
    assert found[0] == "127.0.0.1"
    assert not {9200, 9201} & set(found[1:])
