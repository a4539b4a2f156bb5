"""The beginning of a connection: TLS verified, credentials safe, refusals distinguished; scripted and real servers."""

from __future__ import annotations

import base64
import dataclasses
import ssl
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import errors
from gateway.config import Server, Tls
from gateway.errors import StoreError, StoreTLSError, StoreUnreachable, UnsafeArgument
from gateway.store.imap import imap_store, opening
from gateway.upstreams import tls
from tests import PATIENCE, rig
from tests.servers.certs import Authority
from tests.servers.dovecot import Dovecot
from tests.store.script import CAPABILITY, GREETING, Script, Step


def scripted(script: Script) -> Server:
    return rig.plain(script)


@pytest.mark.parametrize("kind", list(Tls))
def test_signs_in_over_each_kind_of_connection(dovecot: Dovecot, kind: Tls) -> None:
    store = imap_store.connect(rig.imap(dovecot, kind), dovecot.user("kinds"), "secret")
    assert "IMAP4REV1" in store.capabilities
    assert "INBOX" in {mailbox.name for mailbox in store.mailboxes()}
    store.close()
    store.close()


@pytest.mark.parametrize("kind", [Tls.STARTTLS, Tls.IMPLICIT])
def test_a_certificate_for_another_name_is_refused_in_words(dovecot: Dovecot, kind: Tls) -> None:
    wrong = dataclasses.replace(rig.imap(dovecot, kind), host=dovecot.misnamed_host)
    with pytest.raises(StoreTLSError) as caught:
        imap_store.connect(wrong, dovecot.user("misnamed"), "secret")
    assert "certificate verify failed" in caught.value.detail
    assert "127.0.0.2" in caught.value.detail


@pytest.mark.parametrize("kind", [Tls.STARTTLS, Tls.IMPLICIT])
def test_a_certificate_of_an_unknown_authority_is_refused(dovecot: Dovecot, kind: Tls) -> None:
    unknown = dataclasses.replace(rig.imap(dovecot, kind), ca_file=None)
    with pytest.raises(StoreTLSError, match="certificate verify failed"):
        imap_store.connect(unknown, "a", "secret")


def test_insecure_takes_any_certificate(dovecot: Dovecot) -> None:
    lax = dataclasses.replace(rig.imap(dovecot), ca_file=None, insecure=True, host=dovecot.misnamed_host)
    with closing(imap_store.connect(lax, dovecot.user("lax"), "secret")) as store:
        assert "INBOX" in {mailbox.name for mailbox in store.mailboxes()}


def test_an_expired_certificate_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("old", "127.0.0.1", life=timedelta(days=-1))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.cert, pair.key)
    script = Script(b"", [])
    listener = script._listener

    def shake_hands() -> None:
        connection, _ = listener.accept()
        with connection:
            try:
                context.wrap_socket(connection, server_side=True).close()
            except OSError:
                pass

    thread = threading.Thread(target=shake_hands)
    thread.start()
    try:
        with pytest.raises(StoreTLSError, match="certificate has expired"):
            imap_store.connect(
                Server("imap", "127.0.0.1", script.port, Tls.IMPLICIT, authority.ca_file), "a", "secret"
            )
    finally:
        thread.join(PATIENCE)
        listener.close()


def test_tls_on_a_plain_port_says_so(dovecot: Dovecot) -> None:
    confused = dataclasses.replace(rig.imap(dovecot), tls=Tls.IMPLICIT)
    with pytest.raises(StoreTLSError, match="does not speak TLS on this port"):
        imap_store.connect(confused, "a", "secret")


def test_plain_text_never_leaves_this_machine() -> None:
    with pytest.raises(StoreTLSError, match="insecure"):
        imap_store.connect(Server("imap", "192.0.2.1", 143, Tls.NONE), "a", "secret")


def test_one_context_serves_all_connections_of_one_trust(dovecot: Dovecot) -> None:
    first = tls.context(rig.imap(dovecot))
    assert tls.context(rig.imap(dovecot, Tls.IMPLICIT)) is first
    assert tls.context(dataclasses.replace(rig.imap(dovecot), insecure=True)) is not first
    assert first.verify_mode is ssl.CERT_REQUIRED
    assert first.check_hostname


def test_a_port_where_nobody_listens_is_unreachable() -> None:
    with pytest.raises(StoreUnreachable, match="refused"):
        imap_store.connect(rig.nowhere(), "a", "secret")


def test_passwords_of_all_kinds(dovecot: Dovecot) -> None:
    kinds = ("pässwörd €", "日本 secret", 'quo"te\\slash', " blanks ", "{5}", "(*)", "a&b=c+d%20")
    passwords = {f"kind{n}": password for n, password in enumerate(kinds)}
    dovecot.users(passwords)
    for user, password in passwords.items():
        with closing(imap_store.connect(rig.imap(dovecot), user, password)) as store:
            assert "INBOX" in {mailbox.name for mailbox in store.mailboxes()}


def test_a_wrong_password(dovecot: Dovecot) -> None:
    with pytest.raises(errors.AuthenticationFailed) as caught:
        imap_store.connect(rig.imap(dovecot), dovecot.user("wrong"), "not the password")
    assert "not the password" not in caught.value.detail


@pytest.mark.parametrize("text", ["a\r\nb LOGOUT", "a\nb", "a\0b", "a\rb"])
def test_credentials_that_would_end_the_line_are_refused_unsent(text: str) -> None:
    # Nobody listens there: the refusal comes before a connection.
    nowhere = rig.nowhere()
    for user, password in ((text, "secret"), ("user", text)):
        with pytest.raises(UnsafeArgument):
            imap_store.connect(nowhere, user, password)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"{tag} NO [AUTHENTICATIONFAILED] wrong\r\n", errors.AuthenticationFailed),
        (b"{tag} NO wrong\r\n", errors.AuthenticationFailed),
        (b"{tag} NO [EXPIRED] change it\r\n", errors.CredentialExpired),
        (b"{tag} NO [PRIVACYREQUIRED] use TLS\r\n", errors.StoreTLSError),
        (b"{tag} NO [UNAVAILABLE] later\r\n", errors.StoreUnreachable),
        (b"{tag} NO [INUSE] later\r\n", errors.StoreUnreachable),
        (b"{tag} NO [LIMIT] too many connections\r\n", errors.StoreUnreachable),
        (b"{tag} NO [SERVERBUG] oh\r\n", errors.StoreUnreachable),
        (b"{tag} NO [CAPABILITY IMAP4rev1] wrong\r\n", errors.AuthenticationFailed),
        (b"{tag} BAD what\r\n", errors.StoreRefused),
        (b"{tag} MAYBE\r\n", errors.StoreUnreachable),
        (b"+ \r\n+ \r\n", errors.StoreUnreachable),
        (b"{tag} NO [ALERT] read this\r\n", errors.ServerAlert),
        (b"* NO [ALERT] read this\r\n{tag} NO wrong\r\n", errors.ServerAlert),
        (b"* BYE [ALERT] read this\r\n", errors.ServerAlert),
        (b"* BYE full house\r\n", errors.StoreUnreachable),
        (b"rubbish\r\n", errors.StoreUnreachable),
        (b"{tag} OK cut", errors.StoreUnreachable),
        (b"", errors.StoreUnreachable),
    ],
)
def test_each_answer_to_a_sign_in_has_its_error(answer: bytes, expected: type[StoreError]) -> None:
    steps: list[Step] = [CAPABILITY, (b"AUTHENTICATE", answer)]
    with Script(GREETING, steps, hang_up=True) as script, pytest.raises(StoreError) as caught:
        imap_store.connect(scripted(script), "user", "secret")
    assert type(caught.value) is expected
    if isinstance(caught.value, errors.ServerAlert):
        assert caught.value.alert == "read this"


@pytest.mark.parametrize("code", [b"", b"[ALERT] ", b"[EXPIRED] "])
def test_a_server_that_repeats_the_credentials_is_not_quoted(code: bytes) -> None:
    blob = base64.b64encode(b"\0user\0hunter2")
    for echo in (b"hunter2", blob):
        steps: list[Step] = [CAPABILITY, (b"AUTHENTICATE", b"{tag} NO " + code + b"bad " + echo + b"\r\n")]
        with Script(GREETING, steps) as script, pytest.raises(StoreError) as caught:
            imap_store.connect(scripted(script), "user", "hunter2")
        shown = f"{caught.value} {caught.value.detail} {getattr(caught.value, 'alert', '')}"
        assert "hunter2" not in shown
        assert blob.decode() not in shown


@pytest.mark.parametrize(
    ("greeting", "expected"),
    [
        (b"* BYE [ALERT] closed for the night\r\n", errors.ServerClosed),
        (b"* BYE too many connections\r\n", errors.StoreUnreachable),
        (b"* BYE\r\n", errors.StoreUnreachable),
        (b"* PREAUTH welcome\r\n", errors.StoreRefused),
        (b"220 smtp.example ESMTP\r\n", errors.StoreUnreachable),
        (b"* LIST () x y\r\n", errors.StoreUnreachable),
        (b"* OK {99999999999999999999}\r\n", errors.StoreUnreachable),
        (b"* OK {9999999999}\r\n", errors.AnswerTooLong),
        (b"* OK [CAPABILITY \xff\xfe] hi\r\np1 NO no PLAIN, no LOGIN\r\n", errors.AuthenticationFailed),
        (b"", errors.StoreUnreachable),
    ],
)
def test_greetings_that_are_none(greeting: bytes, expected: type[StoreError]) -> None:
    steps: list[Step] = [] if greeting else [(b"", b"")]
    with Script(greeting or b"\r\n", steps, hang_up=True) as script, pytest.raises(StoreError) as caught:
        imap_store.connect(scripted(script), "user", "secret")
    assert type(caught.value) is expected


def test_starttls_that_is_not_offered_sends_no_password() -> None:
    with Script(GREETING, [CAPABILITY]) as script:
        stripped = dataclasses.replace(scripted(script), tls=Tls.STARTTLS)
        with pytest.raises(StoreTLSError, match="does not offer STARTTLS"):
            imap_store.connect(stripped, "user", "hunter2")
    assert not any(b"LOGIN" in line or b"AUTHENTICATE" in line for line in script.lines)


def test_login_where_plain_is_not_offered() -> None:
    capability = (b"CAPABILITY", b"* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n")
    steps = [capability, (b"LOGIN", b"{tag} OK in\r\n"), capability]
    with Script(b"* OK hi\r\n", steps) as script:
        imap_store.connect(scripted(script), 'us"er', "pass\\word").close()
    assert any(b'LOGIN "us\\"er" "pass\\\\word"' in line for line in script.lines)


def test_plain_in_two_steps_where_there_is_no_sasl_ir() -> None:
    capability = (b"CAPABILITY", b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n{tag} OK done\r\n")
    steps: list[Step] = [
        capability,
        (b"AUTHENTICATE PLAIN\r\n", b"+ \r\n"),
        (b"AHVzZXIAc2VjcmV0", b"p2 OK\r\n"),
    ]
    with Script(b"* OK hi\r\n", [*steps, capability]) as script:
        imap_store.connect(scripted(script), "user", "secret").close()
    assert any(line.startswith(b"AHVzZXIAc2VjcmV0") for line in script.lines)


def test_login_that_is_disabled_sends_no_password() -> None:
    capability = (b"CAPABILITY", b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n{tag} OK done\r\n")
    with Script(b"* OK hi\r\n", [capability]) as script, pytest.raises(errors.PasswordsNotTaken):
        imap_store.connect(scripted(script), "user", "hunter2")
    assert not any(b"hunter2" in line for line in script.lines)


def test_probe_tells_all_that_a_server_shows(dovecot: Dovecot) -> None:
    for kind in (Tls.STARTTLS, Tls.IMPLICIT):
        seen = imap_store.probe(rig.imap(dovecot, kind))
        assert seen.failure is None
        assert seen.addresses == ("127.0.0.1",)
        assert seen.connected
        assert seen.tls_version in ("TLSv1.2", "TLSv1.3")
        assert seen.certificate.issuer == "Pocketpost test authority"
        assert "localhost" in seen.certificate.names
        assert seen.certificate.expires is not None
        assert timedelta() < seen.certificate.expires - datetime.now(UTC) < timedelta(days=2)
        assert "Dovecot" in seen.greeting
        assert "IMAP4REV1" in seen.capabilities
        assert "PLAIN" in seen.mechanisms


def test_probe_says_where_it_ended(dovecot: Dovecot) -> None:
    wrong = imap_store.probe(dataclasses.replace(rig.imap(dovecot), host=dovecot.misnamed_host))
    assert isinstance(wrong.failure, StoreTLSError)
    assert wrong.addresses == ("127.0.0.2",)
    nobody = imap_store.probe(rig.nowhere())
    assert isinstance(nobody.failure, StoreUnreachable)
    nowhere = imap_store.probe(Server("imap", "nowhere.invalid", 143, Tls.STARTTLS))
    assert isinstance(nowhere.failure, StoreUnreachable)
    assert "cannot be resolved" in nowhere.failure.detail


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("Entwürfe", b'"Entw&APw-rfe"'),
        ("a&b", b'"a&-b"'),
        ('q"\\', b'"q\\"\\\\"'),
        ("日本語", b'"&ZeVnLIqe-"'),
    ],
)
def test_mailbox_names(name: str, wire: bytes) -> None:
    assert opening.mailbox_argument(name) == wire
    assert opening.mailbox_name(wire[1:-1].replace(b"\\", b"") if '"' not in name else name.encode()) == name


@given(st.text(max_size=40))
def test_a_mailbox_name_survives_the_wire_or_is_refused(name: str) -> None:
    try:
        written = opening.mailbox_argument(name)
    except UnsafeArgument:
        return
    assert not {0, 10, 13} & set(written)
    assert written.isascii()


@given(st.binary(max_size=40))
def test_any_octets_are_a_name(octets: bytes) -> None:
    assert isinstance(opening.mailbox_name(octets), str)
