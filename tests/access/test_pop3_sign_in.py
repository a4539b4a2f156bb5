"""Signing in by POP3 has the same limits as by IMAP: the throttle, the circuit, the end of a session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway import errors
from gateway.access.session import Session
from gateway.access.sessions import Sessions
from gateway.store.base import SEEN, Window
from gateway.store.pop3 import visiting
from tests import rig
from tests.servers.scripted.rude_pop3 import RudePop3

MAILS = [b"Subject: %d\r\n\r\nx\r\n" % n for n in range(3)]
IN_USE = b"-ERR [IN-USE] locked\r\n"
WRONG = b"-ERR [AUTH] wrong\r\n"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visiting, "LOCKED_SECONDS", ())


@contextmanager
def opened(server: RudePop3, path: Path) -> Iterator[Sessions]:
    with rig.sessions(rig.config(rig.upstream(rig.plain(server, "pop3"))), path / "s.sqlite") as sessions:
        yield sessions


def sign_in(sessions: Sessions, password: str = "secret") -> Session:
    return sessions.open(
        "me@example.net", password, device="", markup="wml", user_agent="A/1", language="en", via="url",
        remote="192.0.2.1",
    )  # fmt: skip


def outcome(sessions: Sessions, **more: Any) -> str:
    try:
        sign_in(sessions, **more)
    except errors.GatewayError as error:
        return type(error).__name__
    return "signed in"


def test_a_locked_maildrop_is_no_guess_and_no_failure_of_the_server(tmp_path: Path) -> None:
    with RudePop3(MAILS, {b"PASS": IN_USE}) as server, opened(server, tmp_path) as sessions:
        assert {outcome(sessions) for _ in range(15)} == {"MaildropLocked"}
        del server.quirks[b"PASS"]
        assert outcome(sessions) == "signed in"


def test_guesses_are_throttled(tmp_path: Path) -> None:
    with RudePop3(MAILS, {b"PASS": WRONG}) as server, opened(server, tmp_path) as sessions:
        outcomes = [outcome(sessions, password=f"guess {n}") for n in range(30)]
        assert outcomes[0] == "AuthenticationFailed"
        assert outcomes[-1] == "TooManyTries"
        offered = sum(line.startswith(b"PASS") for line in server.heard)
        assert offered == outcomes.count("AuthenticationFailed")


def test_a_server_that_hangs_up_is_left_alone_for_a_while(tmp_path: Path) -> None:
    with RudePop3(MAILS, {b"CAPA": None}) as server, opened(server, tmp_path) as sessions:
        assert [outcome(sessions) for _ in range(5)] == ["StoreUnreachable"] * 3 + ["StoreDown"] * 2


def test_a_session_ends_when_its_password_is_refused(tmp_path: Path) -> None:
    with RudePop3(MAILS) as server, opened(server, tmp_path) as sessions:
        session = sign_in(sessions)
        server.quirks[b"PASS"] = WRONG
        with pytest.raises(errors.SessionEnded), session.store() as store:
            store.summaries("INBOX", Window(9))
        with pytest.raises(errors.SessionEnded):
            sessions.resume(session.token, "A/1")


def test_what_was_opened_is_one_persons_on_all_devices_and_sealed(tmp_path: Path) -> None:
    with RudePop3(MAILS) as server, opened(server, tmp_path) as sessions:
        one, other = sign_in(sessions), sign_in(sessions)
        with one.store() as store:
            ref = store.summaries("INBOX", Window(9)).summaries[0].ref
            store.flag([ref], [SEEN])
        with other.store() as store:
            assert store.structure(ref).flags == {SEEN}
        assert other.memory.everything()["seen"]
        assert b"uids" not in (tmp_path / "s.sqlite").read_bytes()
        other.memory.forget()
        with one.store() as store:
            assert store.structure(ref).flags == frozenset()


def test_reading_needs_no_writable_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: Any, **_more: Any) -> Any:
        raise errors.StateFull("no room")

    with RudePop3(MAILS) as server, opened(server, tmp_path) as sessions:
        session = sign_in(sessions)
        monkeypatch.setattr("gateway.state.people.memories.Memories.change", full)
        monkeypatch.setattr("gateway.state.people.memories.Memories.get", full)
        with session.store() as store:
            ref = store.summaries("INBOX", Window(9)).summaries[0].ref
            store.flag([ref], [SEEN])
            assert b"".join(store.octets(ref, "1")) == b"x\r\n"
