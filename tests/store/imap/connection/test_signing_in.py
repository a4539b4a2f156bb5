"""Signing in as servers of all kinds require it: mechanisms, what each refusal means, lower case, ID; scripted."""

from __future__ import annotations

import base64
import hmac

import pytest

from gateway import errors
from gateway.errors import StoreError
from gateway.store.base import Window
from gateway.store.imap import imap_store, opening
from gateway.store.imap.connection import signing_in
from gateway.store.imap.response import CommandResponse, Status
from tests import rig
from tests.store.script import SELECTED, Script, Step

OK = b"{tag} OK [CAPABILITY IMAP4rev1] in\r\n"
WRONG = b"{tag} NO [AUTHENTICATIONFAILED] wrong\r\n"


def greeting(capabilities: bytes) -> bytes:
    return b"* OK [CAPABILITY IMAP4rev1 " + capabilities + b"] hi\r\n"


def sign_in(
    capabilities: bytes, *steps: Step, user: str = "user", password: str = "secret"
) -> tuple[StoreError | None, list[bytes]]:
    """Sign in by a script; return the result and what the server heard."""
    failure = None
    with Script(greeting(capabilities), steps) as script:
        try:
            imap_store.connect(rig.plain(script), user, password).close()
        except StoreError as error:
            failure = error
    return failure, [line for line in script.lines if line and b"LOGOUT" not in line]


def in_base64(text: str | bytes) -> bytes:
    return base64.b64encode(text.encode() if isinstance(text, str) else text)


# --- which mechanism


@pytest.mark.parametrize(
    ("capabilities", "first", "second"),
    [
        (b"AUTH=PLAIN SASL-IR", b"AUTHENTICATE PLAIN " + in_base64("\0user\0secret"), b"LOGIN"),
        (b"AUTH=LOGIN", b"LOGIN", b"AUTHENTICATE LOGIN"),
        (b"AUTH=CRAM-MD5", b"LOGIN", b"AUTHENTICATE CRAM-MD5"),
    ],
)
@pytest.mark.parametrize(
    "refusal",
    [
        b"BAD command unknown",
        b"NO [CANNOT] not so",
        b"NO Unsupported authentication mechanism",
        b"NO Unknown SASL mechanism",
        b"NO unrecognized authentication type",
        b"NO authentication mechanism is not supported",
        b"NO [CAPABILITY IMAP4rev1] this command is disabled",
    ],
)
def test_another_mechanism_where_the_first_is_not_known(
    capabilities: bytes, first: bytes, second: bytes, refusal: bytes
) -> None:
    failure, lines = sign_in(capabilities, (first, b"{tag} " + refusal + b"\r\n"), (second, OK))
    assert failure is None
    assert len(lines) == 2


@pytest.mark.parametrize(
    "refusal",
    [
        b"NO [AUTHENTICATIONFAILED] unsupported mechanism or wrong password",
        b"NO LOGIN failed",
        b"NO wrong",
        b"NO unknown user or login",
        b"NO Login unknown",
        b"NO Invalid login or password",
        b"NO authentication failed, account disabled",
        b"NO [ALERT] Invalid credentials (Failure)",
        b"BAD [AUTHENTICATIONFAILED] wrong",
    ],
)
def test_a_wrong_password_is_offered_once(refusal: bytes) -> None:
    failure, lines = sign_in(b"AUTH=PLAIN AUTH=LOGIN SASL-IR", (b"AUTH", b"{tag} " + refusal + b"\r\n"))
    assert failure is not None
    assert len(lines) == 1


def test_two_tries_and_no_more() -> None:
    bad = b"{tag} BAD what\r\n"
    failure, lines = sign_in(
        b"AUTH=PLAIN AUTH=LOGIN AUTH=CRAM-MD5 SASL-IR", (b"AUTHENTICATE", bad), (b"LOGIN", bad)
    )
    assert type(failure) is errors.StoreRefused
    assert len(lines) == 2


def test_a_server_without_any_mechanism_that_it_knows_calls_no_password_wrong() -> None:
    no = b"{tag} NO unsupported authentication mechanism\r\n"
    failure, _ = sign_in(b"AUTH=PLAIN LOGINDISABLED SASL-IR", (b"AUTHENTICATE", no))
    assert type(failure) is errors.PasswordsNotTaken


def test_the_mechanism_that_works_is_remembered_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    capabilities = frozenset({"AUTH=PLAIN", "SASL-IR"})
    refused: signing_in.Refused = {}

    def order() -> list[str]:
        return signing_in._mechanisms(capabilities, True, refused)

    assert order() == ["PLAIN", "LOGIN command"]
    with Script(greeting(b"AUTH=PLAIN SASL-IR"), [(b"AUTH", b"{tag} BAD\r\n"), (b"LOGIN", OK)]) as script:
        exchange, announced, _ = opening.open_exchange(rig.plain(script))
        signing_in.sign_in(exchange, announced, "user", "secret", refused)
        exchange.close()
    assert order() == ["LOGIN command", "PLAIN"]
    monkeypatch.setattr(signing_in, "REMEMBERED_SECONDS", 0.0)
    assert order() == ["PLAIN", "LOGIN command"]
    server = rig.plain(script)
    assert opening.refused_by(server) is opening.refused_by(server)


def test_cram_md5_shows_no_password() -> None:
    digest = hmac.new(b"secret", b"<1@x>", "md5").hexdigest()
    failure, lines = sign_in(
        b"AUTH=CRAM-MD5 LOGINDISABLED",
        (b"AUTHENTICATE CRAM-MD5", b"+ " + in_base64("<1@x>") + b"\r\n"),
        (in_base64(f"user {digest}"), OK.replace(b"{tag}", b"p1")),
    )
    assert failure is None
    assert len(lines) == 2


def test_sasl_login_answers_what_it_is_asked() -> None:
    failure, lines = sign_in(
        b"AUTH=LOGIN LOGINDISABLED",
        (b"AUTHENTICATE LOGIN", b"+ VXNlcm5hbWU6\r\n"),
        (in_base64("DOM\\usér"), b"+ UGFzc3dvcmQ6\r\n"),
        (in_base64("secret"), OK.replace(b"{tag}", b"p1")),
        user="DOM\\usér",
    )
    assert failure is None
    assert len(lines) == 3


@pytest.mark.parametrize("challenge", [b"+\r\n", b"+ \r\n", b"+ %%%\r\n"])
def test_challenges_without_end_are_cancelled(challenge: bytes) -> None:
    answers: list[Step] = [(b"AUTHENTICATE", challenge), (in_base64("\0user\0secret"), challenge)]
    failure, lines = sign_in(b"AUTH=PLAIN LOGINDISABLED", *answers, (b"*", b"p1 BAD cancelled\r\n"))
    assert type(failure) is errors.StoreRefused
    assert lines[-1] == b"*\r\n"


@pytest.mark.parametrize("user", ["web12p3", "DOM\\user", 'a"b\\', "user with blanks"])
def test_a_login_that_is_no_address_goes_as_a_quoted_string(user: str) -> None:
    quoted = user.replace("\\", "\\\\").replace('"', '\\"')
    _, lines = sign_in(b"", (b"LOGIN", OK), user=user, password='p\\"w')
    assert lines == [b'p1 LOGIN "%b" "p\\\\\\"w"\r\n' % quoted.encode()]


def test_letters_beyond_ascii_go_to_login_as_literals() -> None:
    failure, lines = sign_in(b"LITERAL+", (b"secr\xc3\xa9t", OK.replace(b"{tag}", b"p1")), password="secrét")
    assert failure is None
    assert b"".join(lines) == b"p1 LOGIN {4+}\r\nuser {7+}\r\nsecr\xc3\xa9t\r\n"


# --- what a refusal means


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        (b"AUTH=XOAUTH2", errors.OAuthOnly),
        (b"AUTH=OAUTHBEARER AUTH=XOAUTH2 SASL-IR LOGINDISABLED", errors.OAuthOnly),
        (b"LOGINDISABLED", errors.PasswordsNotTaken),
        (b"LOGINDISABLED AUTH=GSSAPI", errors.PasswordsNotTaken),
    ],
)
def test_where_no_password_is_taken_none_is_sent(capabilities: bytes, expected: type[StoreError]) -> None:
    failure, lines = sign_in(capabilities)
    assert type(failure) is expected
    assert lines == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            b"{tag} NO [ALERT] Application-specific password required: https://support.example (Failure)",
            errors.AppPasswordNeeded,
        ),
        (b"{tag} NO [AUTHENTICATIONFAILED] use an app password", errors.AppPasswordNeeded),
        (b"* NO [WEBALERT https://x] Web login required.\r\n{tag} NO x", errors.AppPasswordNeeded),
        (b"{tag} NO AUTHENTICATE failed: BasicAuthBlocked", errors.OAuthOnly),
        (b"{tag} NO basic authentication is disabled", errors.OAuthOnly),
        (b"{tag} BAD User is authenticated but not connected.", errors.NoMailbox),
        (b"{tag} NO [ALERT] Your account is locked", errors.ServerAlert),
        (b"{tag} NO [AUTHENTICATIONFAILED] Invalid credentials", errors.AuthenticationFailed),
    ],
)
def test_each_refusal_has_its_sentence(answer: bytes, expected: type[StoreError]) -> None:
    failure, _ = sign_in(b"AUTH=PLAIN SASL-IR LOGINDISABLED", (b"AUTHENTICATE", answer + b"\r\n"))
    assert type(failure) is expected
    assert "secret" not in failure.detail


def test_signed_in_to_no_mailbox_is_no_wrong_password() -> None:
    """Microsoft accepts the password, and refuses whatever comes after it."""
    no = b"{tag} BAD User is authenticated but not connected.\r\n"
    steps: list[Step] = [(b"AUTHENTICATE", OK), (b"SELECT", no)]
    with Script(greeting(b"AUTH=PLAIN SASL-IR"), steps) as script:
        store = imap_store.connect(rig.plain(script), "user", "secret")
        with pytest.raises(errors.NoMailbox):
            store.summaries("INBOX", Window(9))
        store.close()


def test_a_server_that_hangs_up_on_the_second_try_is_quoted_for_the_first() -> None:
    failure, _ = sign_in(b"AUTH=PLAIN SASL-IR", (b"AUTHENTICATE", b"{tag} BAD what\r\n"), (b"LOGIN", b""))
    assert type(failure) is errors.StoreRefused


# --- what the server can do


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (b"* CAPABILITY IMAP4rev1 MOVE\r\n{tag} OK in\r\n", {"IMAP4REV1", "MOVE"}),
        (b"{tag} OK in\r\np2 BAD not now\r\n", {"IMAP4REV1", "AUTH=PLAIN", "SASL-IR"}),
    ],
)
def test_capabilities_are_taken_as_they_are_told(answers: bytes, expected: set[str]) -> None:
    with Script(greeting(b"AUTH=PLAIN SASL-IR"), [(b"AUTHENTICATE", answers)]) as script:
        store = imap_store.connect(rig.plain(script), "user", "secret")
        assert store.capabilities == expected
        store.close()
    asked = [line for line in script.lines if b"CAPABILITY" in line]
    assert len(asked) == (b"p2" in answers)


def test_blank_lines_before_the_greeting() -> None:
    steps: list[Step] = [(b"AUTHENTICATE", b"{tag} OK [CAPABILITY IMAP4rev1] in\r\n")]
    with Script(b"\r\n\r\n" + greeting(b"AUTH=PLAIN SASL-IR"), steps) as script:
        imap_store.connect(rig.plain(script), "user", "secret").close()
    assert any(b"AUTHENTICATE" in line for line in script.lines)


# --- ID


@pytest.mark.parametrize(("before", "after"), [(b" ID", b""), (b"", b" ID"), (b" ID", b" ID")])
def test_who_we_are_is_said_before_a_mailbox_is_opened(before: bytes, after: bytes) -> None:
    signed_in = b"{tag} OK [CAPABILITY IMAP4rev1" + after + b"] in\r\n"
    fetch = b"* STATUS INBOX (UNSEEN 0)\r\np5 OK\r\n* 2 FETCH (UID 12 RFC822.SIZE 9)\r\np4 OK\r\n"
    steps: list[Step] = [
        (b"AUTHENTICATE", signed_in),
        (b"ID", b'* ID ("name" "x")\r\n{tag} NO\r\n'),
        SELECTED,
        (b"STATUS", fetch),
    ]
    with Script(greeting(b"AUTH=PLAIN SASL-IR" + before), steps) as script:
        store = imap_store.connect(rig.plain(script), "user", "secret")
        trips = store.traffic.round_trips
        assert store.summaries("INBOX", Window(1)).exists == 2
        assert store.traffic.round_trips - trips == 2
        store.close()
    assert script.lines[1].startswith(b'p2 ID ("name" "Pocketpost" "version" "')
    assert b"SELECT" in script.lines[2]


@pytest.mark.parametrize("host", sorted(signing_in._PASSWORDS_DOUBTFUL))
def test_a_refusal_that_means_nothing_is_not_called_a_wrong_password(host: str) -> None:
    """It counts as one nevertheless: nobody may guess passwords there."""
    reply = CommandResponse(Status("NO", text="LOGIN failed."))
    error = signing_in._judged(reply, 1, host.upper())
    assert type(error) is errors.PasswordsDoubtful
    assert isinstance(error, errors.AuthenticationFailed)
    assert type(signing_in._judged(reply, 1, "imap.example.org")) is errors.AuthenticationFailed
    expired = CommandResponse(Status("NO", "EXPIRED"))
    assert type(signing_in._judged(expired, 1, host)) is errors.CredentialExpired
