"""A fault at each command of a POP3 conversation: always a page that says what is true and leads on, never a false
word.

While the server is at fault, the list is shown, a message read and one deleted; then the server is well again.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from gateway.access.session import Session
from gateway.access.sessions import Sessions
from gateway.app import create_app
from gateway.store.base import MessageRef, Window
from gateway.store.pop3 import connection, visiting
from tests import PATIENCE, rig
from tests.devices.phones import Answer, in_process
from tests.servers.scripted.rude_pop3 import RudePop3
from tests.web.sweeps.everything import HANDHELDS, ORIGIN

COMMANDS = (b"GREETING", b"CAPA", b"USER", b"PASS", b"LIST", b"UIDL", b"TOP", b"RETR", b"DELE", b"QUIT")
FAULTS = {
    "refused": b"-ERR no\r\n",
    "refused without a word": b"-ERR\r\n",
    "refused for now": b"-ERR [SYS/TEMP] later\r\n",
    "in use": b"-ERR [IN-USE] x\r\n",
    "hung up": None,
    "nothing but a line end": b"\r\n",
    "octets": b"\x00\xff\xfe * OK\r\n",
    "no end": b"+OK",
    "one line for many": b"+OK\r\n",
    "one line too many": b"+OK\r\n.\r\n+OK what?\r\n",
    "an empty answer": b"+OK\r\n.\r\n",
    "lines of nothing": b"+OK\r\n\r\n\r\n \r\nx\r\n.\r\n",
}
MAILS = [
    b"From: Ann <ann@example.org>\r\nSubject: Number %d\r\n\r\nWords of %d.\r\n" % (n, n) for n in range(1, 4)
]


class Walk:
    """One session's requests."""

    def __init__(self, app: Flask, session: Session) -> None:
        self._transport, self._session = in_process(app), session

    def get(self, path: str) -> Answer:
        return self._transport("GET", f"{ORIGIN}/~{self._session.token}{path}", HANDHELDS["xhtml"], b"")

    def post(self, path: str) -> Answer:
        headers = HANDHELDS["xhtml"] | {"Content-Type": "application/x-www-form-urlencoded"}
        body = f"ticket={self._session.ticket()}".encode()
        return self._transport("POST", f"{ORIGIN}/~{self._session.token}{path}", headers, body)


def _signed_in(sessions: Sessions) -> Session:
    return sessions.open(
        "me@example.net", "secret", device="", markup="xhtml", language="en", via="url",
        user_agent=HANDHELDS["xhtml"]["User-Agent"], remote="192.0.2.1",
    )  # fmt: skip


def _refs(session: Session) -> list[MessageRef]:
    with session.store() as store:
        return [row.ref for row in store.summaries("INBOX", Window(9)).summaries]


def _is_well_said(answer: Answer) -> bool:
    return answer.status != 500 and answer.body.count(b"<a ") + answer.body.count(b"<form") >= 1


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_said(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "READ_SECONDS", PATIENCE)
    monkeypatch.setattr(connection, "FAREWELL_SECONDS", 0.1)
    monkeypatch.setattr(visiting, "LOCKED_SECONDS", ())
    with RudePop3(MAILS) as server:
        served = rig.config(rig.upstream(rig.plain(server, "pop3")))
        with rig.sessions(served, tmp_path / "s.sqlite") as sessions:
            app = create_app(served, sessions=sessions)
            for command in COMMANDS:
                server.mails = list(MAILS)
                sessions._resources.bulkhead._circuits.clear()
                _walk(server, app, _signed_in(sessions), command, FAULTS[fault], monkeypatch)


def _walk(
    server: RudePop3,
    app: Flask,
    session: Session,
    command: bytes,
    fault: bytes | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refs = _refs(session)
    box = session.mailboxes.number("INBOX", refs[0].uidvalidity)
    walk = Walk(app, session)
    server.quirks[command] = fault
    with monkeypatch.context() as impatient:  # an honest answer has the time that it needs
        impatient.setattr(connection, "READ_SECONDS", 0.3)
        pages = [walk.get("/i"), walk.get(f"/m{box}.{refs[1].uid}"), walk.post(f"/x{box}.{refs[2].uid}.e")]
    del server.quirks[command]
    for page in pages:
        assert _is_well_said(page), (command, page.status, page.body)
    said, there = pages[2].body, MAILS[0] in server.mails
    if b"Deleted for good" in said and there:  # a server that takes DELE and does nothing is found out later
        assert command == b"DELE"
        assert b"1 message is back that the mail server said it had deleted" in walk.get("/i").body
    assert there or b"Deleted for good" in said or b"not certain" in said, (command, said)
    if command not in (b"USER", b"PASS"):  # a refusal of those ends the session
        _recovers(walk, server, command)


def _recovers(walk: Walk, server: RudePop3, command: bytes) -> None:
    """A server that is well again is believed to be; one that hung up may first be left alone for a while."""
    body = walk.get("/i").body
    left = len(server.mails)
    assert (
        f"of {left}".encode() in body
        or b"Number 3" in body
        or b"20 seconds" in body
        or b"try again later" in body
    ), (
        command,
        body,
    )


def test_what_was_done_is_said_if_the_next_page_fails(tmp_path: Path) -> None:
    with RudePop3(MAILS) as server:
        served = rig.config(rig.upstream(rig.plain(server, "pop3")))
        with rig.sessions(served, tmp_path / "s.sqlite") as sessions:
            session = _signed_in(sessions)
            refs = _refs(session)
            walk = Walk(create_app(served, sessions=sessions), session)
            server.quirks[b"RETR"] = server.quirks[b"TOP"] = b"-ERR [SYS/TEMP] disk\r\n"
            box = session.mailboxes.number("INBOX", refs[0].uidvalidity)
            body = walk.post(f"/x{box}.{refs[0].uid}.e").body
            assert b"Deleted for good" in body
            assert len(server.mails) == 2
