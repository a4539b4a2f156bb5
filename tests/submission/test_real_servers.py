"""Postfix with Dovecot's SASL, and Exim: each mail from the gateway arrives once, and refusals are reported
correctly."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import submission
from gateway.access.session import Session
from gateway.config import Server, Tls
from gateway.errors import (
    ContentRefused,
    GatewayRefused,
    SignedNotSendable,
    SubmissionAuthenticationFailed,
    SubmissionDeferred,
)
from gateway.sending import outbox
from gateway.submission import smtp_session
from gateway.upstreams import sasl
from tests import PATIENCE
from tests.postbox import NOW, Letter, Wiring, act, signed_in, worker
from tests.servers import free_ports, unpacked
from tests.servers.dovecot import Dovecot, installed
from tests.servers.submission_servers import SASL, Exim, Postfix, SubmissionServer

PEOPLE = [f"{name}@example.net" for name in ("anna", "ben", "cleo", "dan", "eve")]
ANNA, BEN, *_ = PEOPLE
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def mailboxes() -> Iterator[tuple[Dovecot, int]]:
    """A Dovecot that vouches for people on a port."""
    if not installed():
        pytest.skip("NOT TESTED: dovecot is not installed (see tests/debian-packages.txt)")
    (sasl,) = free_ports(1)
    server = Dovecot(more=SASL.format(port=sasl))
    try:
        server.start()
        server.users(dict.fromkeys(PEOPLE, "secret"))
        yield server, sasl
    finally:
        server.close()


@pytest.fixture(scope="module", params=[Postfix, Exim], ids=["Postfix", "Exim"])
def real(request: pytest.FixtureRequest, mailboxes: tuple[Dovecot, int]) -> Iterator[SubmissionServer]:
    if why := unpacked.lacking(request.param.package):
        pytest.skip(f"NOT TESTED: {why}")
    server = request.param(*mailboxes)
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="module")
def session(
    real: SubmissionServer, mailboxes: tuple[Dovecot, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Session]:
    store = mailboxes[0]
    state = tmp_path_factory.mktemp("real") / "state.sqlite"
    wiring = Wiring(str(state), store.ports["imap"], real.port, str(store.ca_file), str(real.ca_file))
    with worker(wiring) as sessions:
        yield signed_in(sessions, ANNA)


def submit(
    real: SubmissionServer, octets: bytes, port: int = 0, password: str = "secret", helo: str = ""
) -> None:
    server = Server("smtp", real.host, port or real.port, Tls.STARTTLS, real.ca_file, helo=helo)
    submission.submit(server, ANNA, password, ANNA, [BEN], octets)


def send(session: Session, *to: str, sender: str = ANNA, text: str = "Hello.") -> tuple[Letter, list[str]]:
    letter = Letter(f"real {next(_numbers)} {time.monotonic()}", sender, to, text=text)
    outcome = outbox.send(session, act(session.ticket()), letter.mail, NOW)
    return letter, [msgid % values if values else msgid for msgid, values in outbox.sentences(outcome)]


def arrived(store: Dovecot, user: str, subject: str, wanted: int = 1) -> list[bytes]:
    """Return a user's mails with a subject, as they were delivered, once there are as many as wanted."""
    until = time.monotonic() + PATIENCE
    while True:
        files = [file for name in ("new", "cur") for file in Path(store.maildir(user), name).glob("*")]
        found = [
            octets for file in files if f"Subject: {subject}\n".encode() in (octets := file.read_bytes())
        ]
        if len(found) >= wanted or time.monotonic() > until:
            return found
        time.sleep(0.05)


def test_everybody_gets_it_once_though_three_at_once_are_taken(
    session: Session, mailboxes: tuple[Dovecot, int]
) -> None:
    letter, said = send(session, *PEOPLE)
    assert said == ["Sent."]
    for user in PEOPLE:
        (octets,) = arrived(mailboxes[0], user, letter.subject)
        assert b"hidden@example.net" not in octets  # Letter has it in Bcc
    time.sleep(0.2)
    assert [len(arrived(mailboxes[0], user, letter.subject)) for user in PEOPLE] == [1] * len(PEOPLE)


@pytest.mark.parametrize(
    ("to", "line"),
    [
        ("nobody@example.net", "Refused, so not sent to: nobody@example.net"),
        ("grey@example.net", "The mail server asks you to wait. Not sent yet to: grey@example.net"),
    ],
)
def test_one_of_two_is_not_accepted(session: Session, to: str, line: str) -> None:
    assert send(session, to, BEN)[1] == ["Sent.", line, "It was sent to the others."]


def test_nobody_is_accepted(session: Session) -> None:
    assert send(session, "grey@example.net")[1][:2] == [
        "Not sent.",
        "The mail server asks you to wait. Not sent yet to: grey@example.net",
    ]


def test_the_size_is_the_servers(session: Session) -> None:
    text = "x" * 70 + "\r\n"
    assert send(session, BEN, text=text * 4000)[1][1] == "The message is too large for the mail server."


@pytest.mark.parametrize("sender", [BEN, "verify@example.net"])
def test_somebody_elses_address_is_the_senders(
    real: SubmissionServer, session: Session, sender: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(session.submission), "allows_from", lambda *_: True)
    _, said = send(session, BEN, sender=sender)
    assert said[:2] == ["Not sent.", f"The mail server does not let you send from {sender}."]


def test_a_wrong_password(real: SubmissionServer) -> None:
    with pytest.raises(SubmissionAuthenticationFailed):
        submit(real, b"Subject: x\r\n\r\nx\r\n", password="wr0ng")


@pytest.mark.parametrize("real", [Exim], indirect=True)
@pytest.mark.parametrize("mechanism", [sasl.PLAIN, sasl.LOGIN, sasl.CRAM_MD5])
def test_each_mechanism(real: SubmissionServer, mechanism: str, monkeypatch: pytest.MonkeyPatch) -> None:
    only = {mechanism: smtp_session._MECHANISMS[mechanism]}
    monkeypatch.setattr(smtp_session, "_MECHANISMS", only)
    submit(real, b"Subject: x\r\n\r\nx\r\n")
    with pytest.raises(SubmissionAuthenticationFailed):
        submit(real, b"Subject: x\r\n\r\nx\r\n", password="wr0ng")


@pytest.mark.parametrize("real", [Postfix], indirect=True)
def test_a_name_in_ehlo_that_is_not_taken(real: SubmissionServer) -> None:
    with pytest.raises(GatewayRefused, match="RCPT: 504"):
        submit(real, b"Subject: x\r\n\r\nx\r\n", helo="pocket")
    submit(real, b"Subject: x\r\n\r\nx\r\n", helo="m.example.org")


@pytest.mark.parametrize("real", [Exim], indirect=True)
def test_what_is_called_spam_is_of_the_content(real: SubmissionServer) -> None:
    with pytest.raises(ContentRefused):
        submit(real, b"Subject: GTUBE\r\n\r\nx\r\n")


@pytest.mark.parametrize("real", [Postfix], indirect=True)
def test_where_seven_bits_are_taken_and_few_mails(
    real: SubmissionServer, mailboxes: tuple[Dovecot, int]
) -> None:
    eight = (
        b"Subject: seven\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9fe an alle im Land\r\n"
    )
    submit(real, eight, real.seven)
    (octets,) = arrived(mailboxes[0], BEN, "seven")
    assert b"Gr=C3=BC=C3=9Fe an alle im Land" in octets
    part = eight.partition(b"1.0\r\n")[2]
    signed = (
        b"Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n" + part + b"--s\r\n\r\nx\r\n--s--\r\n"
    )
    with pytest.raises(SignedNotSendable):
        submit(real, signed, real.seven)
    for _ in range(2):
        submit(real, eight, real.seven)
    with pytest.raises(SubmissionDeferred):  # 450 4.7.1 Error: too much mail
        submit(real, eight, real.seven)
