"""Submission: signed in, sent whole or not at all, and the truth about it; on a real server and on bad ones."""

from __future__ import annotations

import base64
import dataclasses
import smtplib
import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import submission
from gateway.config import Server, Tls
from gateway.errors import (
    AddressNotSendable,
    MessageNotSendable,
    MessageTooLarge,
    RecipientsRefused,
    SignedNotSendable,
    SubmissionAuthenticationFailed,
    SubmissionDeferred,
    SubmissionError,
    SubmissionPasswordsNotTaken,
    SubmissionTLSError,
    SubmissionUncertain,
    SubmissionUnreachable,
    UnsafeArgument,
)
from gateway.submission import Receipt, mail_transaction, smtp_client, smtp_session
from tests import rig
from tests.servers import free_ports
from tests.servers.certs import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.scripted.peer import Caller, Peer
from tests.servers.smtp import SmtpServer

USER, PASSWORD, SENDER, READER = "anna@example.org", "secret", "anna@example.org", "ben@example.org"
MAIL = b"From: anna@example.org\r\nSubject: x\r\n\r\nHello\r\n"

# --- a real server


@pytest.fixture
def server(smtp_server: SmtpServer) -> Server:
    return rig.smtp(smtp_server)


def send(server: Server, *recipients: str, octets: bytes = MAIL, password: str = PASSWORD) -> Receipt:
    return submission.submit(server, USER, password, SENDER, recipients or (READER,), octets)


def test_a_message_arrives_in_a_mailbox(server: Server, smtp_server: SmtpServer, dovecot: Dovecot) -> None:
    dovecot.user(READER)
    assert send(server) == Receipt((READER,))
    (accepted,) = smtp_server.accepted
    assert (accepted.sender, accepted.recipients, accepted.octets) == (SENDER, (READER,), MAIL)
    (file,) = (dovecot.maildir(READER) / "cur").iterdir()
    assert file.read_bytes() == MAIL


def test_a_recipient_named_twice_gets_one_copy(server: Server, smtp_server: SmtpServer) -> None:
    send(server, READER, "x@example.net", READER)
    assert smtp_server.accepted[0].recipients == (READER, "x@example.net")


@pytest.mark.parametrize("password", ["pässwörd €", "日本", " ", "a" * 200])
@pytest.mark.parametrize("exclude", [(), ("PLAIN",)])
def test_passwords_of_all_kinds_by_plain_and_by_login(
    server: Server, smtp_server: SmtpServer, password: str, exclude: tuple[str, ...]
) -> None:
    smtp_server.exclude = exclude
    smtp_server.passwords[USER] = password
    try:
        send(server, password=password)
        submission.sign_in(server, USER, password)
        assert len(smtp_server.accepted) == 1
        with pytest.raises(SubmissionAuthenticationFailed) as caught:
            send(server, password="wr0ng")
        assert "wr0ng" not in caught.value.detail
    finally:
        del smtp_server.passwords[USER]


def test_a_wrong_password_sends_nothing(server: Server, smtp_server: SmtpServer) -> None:
    for attempt in (
        lambda: send(server, password="wrong"),
        lambda: submission.sign_in(server, USER, "wrong"),
    ):
        with pytest.raises(SubmissionAuthenticationFailed):
            attempt()
    assert smtp_server.accepted == []


def test_an_unknown_authority_and_a_wrong_name(server: Server) -> None:
    with pytest.raises(SubmissionTLSError, match="certificate verify failed"):
        send(dataclasses.replace(server, ca_file=None))
    with pytest.raises(SubmissionTLSError, match=r"ca_file .* cannot be used"):
        send(dataclasses.replace(server, ca_file=Path("/nonexistent/ca.pem")))
    send(dataclasses.replace(server, ca_file=None, insecure=True))


def test_some_refused_is_sent_to_the_others(server: Server, smtp_server: SmtpServer) -> None:
    smtp_server.refuse = {"no@example.net": "550 5.1.1 no such\x1bperson", "later@example.net": "451 later"}
    receipt = send(server, "no@example.net", READER, "later@example.net")
    assert smtp_server.accepted[0].recipients == (READER,)
    assert receipt.accepted == (READER,)
    assert receipt.refused == {"no@example.net": "550 5.1.1 no such person"}
    assert receipt.later == {"later@example.net": "451 later"}


def test_all_refused_is_sent_to_nobody(server: Server, smtp_server: SmtpServer) -> None:
    smtp_server.refuse = {READER: "550 no"}
    with pytest.raises(RecipientsRefused) as caught:
        send(server)
    assert caught.value.refused == (READER,)
    assert smtp_server.accepted == []
    with pytest.raises(RecipientsRefused):
        submission.submit(server, USER, PASSWORD, SENDER, [], MAIL)


def test_a_message_beyond_size_is_not_begun(server: Server, smtp_server: SmtpServer) -> None:
    smtp_server.size = 2000
    line = b"x" * 38 + b"\r\n"
    send(server, octets=line * 50)
    with pytest.raises(MessageTooLarge) as caught:
        send(server, octets=line * 50 + b"x")
    assert caught.value.limit == 2000
    assert len(smtp_server.accepted) == 1


def test_the_size_that_counts_is_the_size_on_the_wire(server: Server, smtp_server: SmtpServer) -> None:
    smtp_server.size = 1000
    with pytest.raises(MessageTooLarge):
        send(server, octets=MAIL + b"\n" * 600)
    assert smtp_server.accepted == []


@pytest.mark.parametrize(
    ("written", "arrived"),
    [
        (b".\r\n..\r\n.a\r\n", b".\r\n..\r\n.a\r\n"),
        (b"no end", b"no end\r\n"),
        (b"a\nb\n", b"a\r\nb\r\n"),
        (b"a\rb\r\r\n", b"a\r\nb\r\n\r\n"),
        (b"a\n.\nQUIT\n", b"a\r\n.\r\nQUIT\r\n"),
        (b"a\r.\r\nMAIL FROM:<x@y>\r\n", b"a\r\n.\r\nMAIL FROM:<x@y>\r\n"),
        (b"", b""),
    ],
)
def test_dots_and_line_ends(server: Server, smtp_server: SmtpServer, written: bytes, arrived: bytes) -> None:
    send(server, octets=MAIL + written)
    assert [accepted.octets for accepted in smtp_server.accepted] == [MAIL + arrived]


def test_eight_bits_are_announced(server: Server, smtp_server: SmtpServer) -> None:
    send(server, octets=MAIL)
    send(server, octets=MAIL + "Grüße\r\n".encode())
    plain, eight = smtp_server.accepted
    assert "BODY=8BITMIME" not in plain.options
    assert "BODY=8BITMIME" in eight.options
    assert eight.octets.endswith("Grüße\r\n".encode())


def test_an_address_beyond_ascii_needs_smtputf8(server: Server, smtp_server: SmtpServer) -> None:
    send(server, "jürgen@bücher.example")
    assert smtp_server.accepted[0].recipients == ("jürgen@bücher.example",)
    assert "SMTPUTF8" in smtp_server.accepted[0].options
    smtp_server.utf8 = False
    with pytest.raises(AddressNotSendable, match="SMTPUTF8") as caught:
        send(server, "bob@example.org", "jürgen@bücher.example")
    assert caught.value.refused == ("jürgen@bücher.example",)
    assert len(smtp_server.accepted) == 1


@pytest.mark.parametrize("utf8", [True, False])
def test_a_domain_beyond_ascii_is_written_in_ascii(
    server: Server, smtp_server: SmtpServer, utf8: bool
) -> None:
    smtp_server.utf8 = utf8
    smtp_server.refuse = {"no@xn--bcher-kva.example": "550 no"}
    receipt = send(server, "joe@bücher.example", "no@bücher.example")
    assert smtp_server.accepted[0].recipients == ("joe@xn--bcher-kva.example",)
    assert "SMTPUTF8" not in smtp_server.accepted[0].options
    assert list(receipt.refused) == ["no@bücher.example"]


def test_a_header_beyond_ascii_is_announced(server: Server, smtp_server: SmtpServer) -> None:
    send(server, octets="Reply-To: ü@b.example\r\n".encode() + MAIL)
    send(server, octets=b"Subject: \xfc\r\n" + MAIL)
    assert ["SMTPUTF8" in sent.options for sent in smtp_server.accepted] == [True, False]


@pytest.mark.parametrize(
    ("drop", "expected", "accepted"),
    [
        ("before data", SubmissionUnreachable, 0),
        ("before accept", SubmissionUncertain, 0),
        ("after accept", SubmissionUncertain, 1),
    ],
)
def test_a_break_is_told_as_it_was(
    server: Server, smtp_server: SmtpServer, drop: str, expected: type[SubmissionError], accepted: int
) -> None:
    smtp_server.drop = drop
    with pytest.raises(SubmissionError) as caught:
        send(server)
    assert type(caught.value) is expected
    assert len(smtp_server.accepted) == accepted


@pytest.mark.parametrize(
    "spec",
    [
        "a@b>\r\nRCPT TO:<c@d",
        "a@b\nDATA",
        "a@b\0",
        "a b@c",
        "<a@b>",
        "a@b> SIZE=1",
        "nobody",
        "@b",
        "a@",
        "",
        "a\u2028@b\x85",
        "\ud800@b",
        "a@\udfff",
    ],
)
def test_addresses_that_would_be_commands_never_leave(spec: str) -> None:
    nowhere = rig.nowhere("smtp")
    with pytest.raises(UnsafeArgument):
        submission.submit(nowhere, USER, PASSWORD, spec, [READER], MAIL)
    with pytest.raises(UnsafeArgument):
        submission.submit(nowhere, USER, PASSWORD, SENDER, [READER, spec], MAIL)


@pytest.mark.parametrize("text", ["a\0b", "a\rb", "a\nb", "\ud800"])
def test_credentials_and_messages_that_cannot_be_sent(text: str) -> None:
    nowhere = rig.nowhere("smtp")
    for user, password in ((text, PASSWORD), (USER, text)):
        with pytest.raises(UnsafeArgument):
            submission.submit(nowhere, user, password, SENDER, [READER], MAIL)
        with pytest.raises(UnsafeArgument):
            submission.sign_in(nowhere, user, password)
    with pytest.raises(UnsafeArgument):
        submission.submit(nowhere, USER, PASSWORD, SENDER, [READER], MAIL + b"\0")


def test_a_probe_tells_what_a_server_announces(server: Server) -> None:
    seen = submission.probe(server)
    assert seen.failure is None
    assert (seen.addresses, seen.connected, seen.size_limit) == (("127.0.0.1",), True, 1_000_000)
    assert seen.tls_version in ("TLSv1.2", "TLSv1.3")
    assert seen.certificate.issuer == "Pocketpost test authority"
    assert set(seen.mechanisms) >= {"PLAIN", "LOGIN"}
    assert {"8BITMIME", "SIZE", "SMTPUTF8"} <= set(seen.capabilities)
    assert seen.greeting == "smtp.test"


def test_probe_says_where_it_ended(server: Server) -> None:
    assert isinstance(submission.probe(dataclasses.replace(server, ca_file=None)).failure, SubmissionTLSError)
    nobody = dataclasses.replace(server, port=free_ports(1)[0])
    assert isinstance(submission.probe(nobody).failure, SubmissionUnreachable)
    for host in ("nowhere.invalid", "a" * 70 + ".example"):
        failure = submission.probe(dataclasses.replace(server, host=host)).failure
        assert isinstance(failure, SubmissionUnreachable)
        with pytest.raises(SubmissionUnreachable):
            submission.sign_in(dataclasses.replace(server, host=host), USER, PASSWORD)


# --- servers as they should not be

HELLO = (b"250-bad.test", b"250-8BITMIME", b"250-SIZE 1000", b"250 AUTH PLAIN LOGIN")


def plain(peer: Peer, kind: Tls = Tls.NONE, ca_file: Path | None = None) -> Server:
    return Server("smtp", peer.host, peer.port, kind, ca_file)


def scripted(**answers: bytes) -> Callable[[Caller], None]:
    """Serve with one word per command: say nothing for b"", and hang up."""

    def serve(caller: Caller) -> None:
        caller.say(answers.get("greeting", b"220 bad.test"))
        while True:
            verb = caller.hear().split(b" ")[0].decode("latin-1").lower()
            default = {"ehlo": b"\r\n".join(HELLO), "auth": b"235 in", "data": b"354 go"}.get(verb, b"250 OK")
            answer = answers.get(verb, default)
            if not answer:
                return
            caller.say(answer)
            if verb == "quit":
                return
            if verb == "data" and answer.startswith(b"354"):
                while caller.hear() != b".":
                    pass
                if not answers.get("end", b"250 taken"):
                    return
                caller.say(answers.get("end", b"250 taken"))

    return serve


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"greeting": b"421 too busy"}, SubmissionUnreachable),
        ({"greeting": b"* OK imap.test ready"}, SubmissionUnreachable),
        ({"greeting": b"220-never ending\r\n" * 9000}, SubmissionUnreachable),
        ({"greeting": b"220 " + b"x" * 100_000}, SubmissionUnreachable),
        ({"ehlo": b""}, SubmissionUnreachable),
        (
            {"ehlo": b"502 what", "helo": b"250 hi"},
            SubmissionPasswordsNotTaken,
        ),  # without AUTH nothing is sent
        ({"ehlo": b"250 no extensions"}, SubmissionPasswordsNotTaken),
        ({"auth": b"334 more"}, SubmissionPasswordsNotTaken),
        ({"auth": b"hello"}, SubmissionUnreachable),
        ({"mail": b""}, SubmissionUnreachable),
        ({"rcpt": b""}, SubmissionUnreachable),
        ({"end": b"354 more"}, SubmissionUncertain),
        ({"end": b"rubbish"}, SubmissionUncertain),
        ({"end": b"250-cut"}, SubmissionUncertain),
    ],
)
def test_each_answer_has_its_error(
    answers: dict[str, bytes], expected: type[SubmissionError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_transaction, "DATA_REPLY_SECONDS", 5.0)
    monkeypatch.setattr(smtp_client.SmtpClient, "patience", 5.0)
    with Peer(scripted(**answers)) as peer, pytest.raises(SubmissionError) as caught:
        send(plain(peer))
    assert type(caught.value) is expected


def test_what_a_server_says_at_last_may_be_any_yes() -> None:
    with Peer(scripted(end=b"200 fine", quit=b"")) as peer:
        assert send(plain(peer)) == Receipt((READER,))


EIGHT = (
    b"From: anna@example.org\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    b"Gr\xc3\xbc\xc3\x9fe an alle im Land\r\n"
)


def test_where_only_seven_bits_are_taken_the_mail_is_put_into_seven() -> None:
    with Peer(scripted(ehlo=b"250-x\r\n250 AUTH PLAIN")) as peer:
        send(plain(peer), octets=EIGHT)
        assert b"Gr=C3=BC=C3=9Fe an alle im Land" in peer.heard
        assert b"Content-Transfer-Encoding: quoted-printable" in peer.heard
        assert b"MAIL FROM:<anna@example.org>" in peer.heard
        many = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n\xe4\r\n" * 1100
        with pytest.raises(MessageNotSendable):
            send(plain(peer), octets=many)
        assert peer.heard.count(b"DATA") == 1


def test_where_only_seven_bits_are_taken_a_signature_is_not_broken() -> None:
    signed = (
        b"Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n"
        + EIGHT
        + b"--s\r\nContent-Type: application/pgp-signature\r\n\r\nsig\r\n--s--\r\n"
    )
    with Peer(scripted(ehlo=b"250-x\r\n250 AUTH PLAIN")) as peer, pytest.raises(SignedNotSendable):
        send(plain(peer), octets=signed)
    assert not any(line.startswith(b"MAIL") for line in peer.heard)


def test_where_auth_is_not_offered_no_password_is_sent() -> None:
    with (
        Peer(scripted(ehlo=b"250 bad.test")) as peer,
        pytest.raises(SubmissionPasswordsNotTaken, match="AUTH"),
    ):
        send(plain(peer))
    assert not any(line.upper().startswith((b"AUTH", b"MAIL")) for line in peer.heard)


def test_the_gateway_says_who_it_is_by_its_name_or_its_address() -> None:
    with Peer(scripted()) as peer:
        send(plain(peer))
        send(dataclasses.replace(plain(peer), helo="m.example.org"))
    assert socket.gethostname().encode() not in b"".join(peer.heard)
    assert [line for line in peer.heard if line.startswith(b"ehlo")] == [
        b"ehlo [127.0.0.1]",
        b"ehlo m.example.org",
    ]


def test_an_address_of_ipv6_is_a_literal_of_its_own() -> None:
    if not socket.has_ipv6:
        pytest.skip("NOT TESTED: no IPv6")
    listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    with listener, socket.create_connection(("::1", listener.getsockname()[1])) as sock:
        assert smtp_session._address_literal(sock) == "[IPv6:::1]"


def test_a_port_where_nobody_listens_is_unreachable() -> None:
    with pytest.raises(SubmissionUnreachable, match="refused"):
        send(rig.nowhere("smtp"))


def test_an_address_is_sent_as_it_is_written() -> None:
    """The address parser of smtplib would make "x" of the first, and omit the comment of the second."""
    specs = [
        "x,y@example.org",
        "eve(anna@example.org)@example.net",
        '"quoted"@example.org',
        "a@b@example.org",
    ]
    with Peer(scripted()) as peer:
        send(plain(peer), *specs)
    assert [line for line in peer.heard if line.startswith(b"RCPT")] == [
        f"RCPT TO:<{spec}>".encode() for spec in specs
    ]


def test_the_password_is_in_no_error_even_when_the_server_repeats_it() -> None:
    secret = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode())
    with Peer(scripted(auth=b"535 " + secret)) as peer, pytest.raises(SubmissionError) as caught:
        send(plain(peer))
    assert secret.decode() not in f"{caught.value} {caught.value.detail}"


def test_a_break_in_the_middle_of_the_data_is_clear() -> None:
    def serve(caller: Caller) -> None:
        caller.say(b"220 x")
        for answer in (b"\r\n".join((HELLO[0], HELLO[3])), b"235 in", b"250 a", b"250 b", b"354 go"):
            caller.hear()
            caller.say(answer)
        caller.hear()
        # With octets unread, closing resets: the client's send fails while it still has most of them.
        caller.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    big = MAIL + b"x" * 78 + b"\r\n"
    with Peer(serve) as peer, pytest.raises(SubmissionUnreachable, match="during DATA"):
        send(plain(peer), octets=big + (b"y" * 78 + b"\r\n") * 100_000)


def test_size_is_read_whatever_stands_there() -> None:
    for size, expected in (
        (b"", None),
        (b" 0", None),
        (b" 77", 77),
        (b" \xb2", None),
        (b" " + b"9" * 5000, None),
    ):
        with Peer(scripted(ehlo=b"250-x\r\n250-SIZE" + size + b"\r\n250 AUTH PLAIN")) as peer:
            seen = submission.probe(plain(peer))
        assert (seen.failure, seen.size_limit) == (None, expected)


def test_plain_text_never_leaves_this_machine() -> None:
    far = Server("smtp", "192.0.2.1", 587, Tls.NONE)
    with pytest.raises(SubmissionTLSError):
        send(far)
    assert isinstance(submission.probe(far).failure, SubmissionTLSError)


# --- TLS


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


def to_tls(caller: Caller, *more: bytes) -> None:
    """Greet, offer STARTTLS and agree to it."""
    caller.say(b"220 x")
    caller.hear()
    caller.say(b"250-x", b"250 STARTTLS")
    caller.hear()
    caller.say(b"220 go", *more)


@pytest.mark.parametrize("kind", [Tls.STARTTLS, Tls.IMPLICIT])
@pytest.mark.parametrize(
    ("names", "days", "said"),
    [(("127.0.0.1",), 1, ""), (("mail.example",), 1, "not valid for"), (("127.0.0.1",), -1, "has expired")],
)
def test_a_certificate_must_vouch_for_the_server(
    authority: Authority, kind: Tls, names: tuple[str, ...], days: int, said: str
) -> None:
    pair = authority.issue("x", *names, life=timedelta(days=days))

    def serve(caller: Caller) -> None:
        if kind is Tls.STARTTLS:
            to_tls(caller)
        caller.protect(pair)
        if kind is Tls.IMPLICIT:
            caller.say(b"220 x")
        caller.hear()
        caller.say(*HELLO)
        caller.hear()
        caller.say(b"235 in")

    with Peer(serve) as peer:
        server = plain(peer, kind, authority.ca_file)
        if not said:
            submission.sign_in(server, USER, PASSWORD)
            return
        with pytest.raises(SubmissionTLSError, match=said):
            submission.sign_in(server, USER, PASSWORD)
    assert not any(line.upper().startswith(b"AUTH") for line in peer.heard)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(b"454 later", SubmissionDeferred), (b"501 no", SubmissionTLSError), (b"", SubmissionUnreachable)],
)
def test_starttls_refused(answer: bytes, expected: type[SubmissionError]) -> None:
    serve = scripted(ehlo=b"250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN", starttls=answer)
    with Peer(serve) as peer, pytest.raises(SubmissionError) as caught:
        send(plain(peer, Tls.STARTTLS))
    assert type(caught.value) is expected
    assert not any(line.startswith((b"AUTH", b"MAIL")) for line in peer.heard)


def test_starttls_that_is_not_offered_sends_no_password() -> None:
    with Peer(scripted()) as peer, pytest.raises(SubmissionTLSError, match="STARTTLS is not offered"):
        send(plain(peer, Tls.STARTTLS))
    assert not any(line.startswith((b"AUTH", b"MAIL")) for line in peer.heard)


def test_what_comes_in_plain_text_behind_starttls_is_refused(authority: Authority) -> None:
    pair = authority.issue("injected", "127.0.0.1")

    def serve(caller: Caller) -> None:
        to_tls(caller, b"250-evil", b"250 AUTH LOGIN")
        caller.protect(pair)
        caller.hear()
        caller.say(*HELLO)
        caller.hear()

    with Peer(serve) as peer, pytest.raises(SubmissionTLSError, match="plain text"):
        send(plain(peer, Tls.STARTTLS, authority.ca_file))
    assert not any(line.startswith((b"AUTH", b"MAIL")) for line in peer.heard)


def test_a_plain_server_on_a_tls_port_is_said_to_be_one() -> None:
    with Peer(scripted()) as peer, pytest.raises(SubmissionTLSError, match="does not speak TLS on this port"):
        send(plain(peer, Tls.IMPLICIT))


def test_a_handshake_that_breaks_is_no_question_of_trust() -> None:
    with Peer(lambda caller: None) as peer, pytest.raises(SubmissionUnreachable):
        send(plain(peer, Tls.IMPLICIT))


# --- anything at all


@given(st.lists(st.binary(max_size=40), max_size=8), st.booleans())
def test_any_octets_of_a_server_are_an_error_of_ours(lines: list[bytes], numbered: bool) -> None:
    ours, theirs = socket.socketpair()
    prefix = b"250 " if numbered else b""
    with ours, theirs:
        theirs.sendall(b"".join(prefix + line + b"\r\n" for line in lines))
        theirs.shutdown(socket.SHUT_WR)
        smtp = smtp_client.SmtpClient()
        smtp.sock = ours
        try:
            for _ in lines:
                code, _text = smtp.getreply()
                assert 200 <= code < 600
            smtp.ehlo()
            smtp_session.authenticate(smtp, b"u", b"p")
            mail_transaction.transact(smtp, SENDER, [READER], MAIL, lambda _: None)
        except (SubmissionError, smtplib.SMTPException):
            pass
        smtp.close()
