"""When the mail server cannot do what was asked: nothing is reported as done, and what was typed is on the page.

How each failure occurs on the wire is tested with the store; here it is what every screen makes of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import errors
from gateway.access import idempotency
from gateway.store.imap.imap_store import ImapStore
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.web.sweeps.everything import FORM, HANDHELDS, Gateway, changed, opened, unread

FAILURES = (
    errors.OverQuota("full"),
    errors.StoreRefused("NO [NOPERM]"),
    errors.ServerAlert("Maintenance."),
    errors.StoreUnreachable("closed"),
)
#: What a page that is told by a failure asks of the server; looking stays possible, or fails with the rest.
DOING = (
    "move",
    "copy",
    "delete",
    "flag",
    "append",
    "create",
    "rename",
    "remove",
    "subscribe",
    "empty",
    "search",
)
LOOKING = ("folder", "folders", "summaries", "structure", "envelope", "found", "mailboxes")
#: Path, what is typed there, and what else is posted. {box}: the inbox; {own}: a folder; {trash}: Trash.
REQUESTS: tuple[tuple[str, dict[str, str], dict[str, str]], ...] = (
    ("/zn", {"name": "Hapax"}, {}),
    ("/z{own}.n", {"name": "Hapax"}, {}),
    ("/z{own}.r", {"name": "Hapax"}, {}),
    ("/z{own}.d?n=99", {}, {}),
    ("/z{own}.s", {}, {"yes": "1"}),
    ("/z{trash}.e?u=99", {}, {}),
    ("/q", {"q": "hapax"}, {"in": "all"}),
    ("/q.{box}", {"q": "hapax"}, {"in": "here"}),
    ("/x{box}.5.d", {}, {}),
    ("/x{box}.5.f", {}, {}),
    ("/x{box}.5.j", {}, {}),
    ("/x{box}", {}, {"u": "7;8", "do": "delete"}),
    ("/c", {"text": "hapax", "subject": "hapax"}, {"to": "bob@example.org", "do": "save"}),
    ("/c", {"text": "hapax", "subject": "hapax"}, {"to": "bob@example.org", "do": "leave"}),
    ("/r{box}.5", {"text": "hapax"}, {"do": "more"}),
    ("/r{box}.5", {"text": "hapax"}, {"do": "leave"}),
)
#: What is reported when something was done.
DONE = (
    "Created.",
    "Renamed.",
    "Deleted.",
    "Deleted: ",
    "Subscribed.",
    "deleted.",
    "Flagged.",
    "Moved to",
    "Saved",
    "Nothing found",
)


@pytest.fixture
def gateway(dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> Iterator[Gateway]:
    with opened(dovecot, smtp_server, tmp_path) as made:
        yield made


def _fail(monkeypatch: pytest.MonkeyPatch, error: Exception, names: tuple[str, ...]) -> None:
    def refused(*_arguments: Any, **_more: Any) -> Any:
        raise error

    for name in names:
        if hasattr(ImapStore, name):
            monkeypatch.setattr(ImapStore, name, refused)


@pytest.mark.parametrize("looking", [True, False], ids=["looking works", "nothing works"])
@pytest.mark.parametrize("markup", HANDHELDS)
@pytest.mark.parametrize("failure", FAILURES, ids=lambda error: type(error).__name__)
def test_nothing_is_lost_and_nothing_untrue_is_said(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, failure: errors.StoreError, markup: str, looking: bool
) -> None:
    numbers = gateway.samples["numbers"]
    boxes = {"box": numbers["INBOX"], "own": numbers["Private folder"], "trash": numbers["Trash"]}
    session = gateway.session(markup=markup)
    with session.store() as store:
        store.folders(all=True)
    before = unread(gateway.look())
    _fail(monkeypatch, failure, DOING if looking else DOING + LOOKING)
    faults = []
    for path, typed, more in REQUESTS:
        path = path.format(**boxes)
        ticket = session.ticket()
        for again in ("", " again"):
            form = {**typed, **more, "ticket": ticket, "keep": ticket}
            body = gateway.ask("POST", path, session, markup, form).body.decode()
            if any(word not in body for word in typed.values()):
                faults.append(f"{path}{again}: {typed} is lost")
            if any(f">{word}" in body for word in DONE):
                faults.append(f"{path}{again}: said to be done")
    assert not faults, "\n".join(faults)
    assert changed(before, unread(gateway.look()), {"tickets", "memories"}) == []


@pytest.mark.parametrize("markup", HANDHELDS)
@pytest.mark.parametrize("multipart", [True, False])
def test_more_than_anybody_types_is_said_to_be_too_long(
    gateway: Gateway, multipart: bool, markup: str
) -> None:
    session, ended = gateway.session(markup=markup), gateway.session(markup=markup)
    ended.close()
    form = FORM | {"text": "x" * 1_000_000}
    for path in ("/c", "/tn", "/ti"):
        body = gateway.ask("POST", path, session, markup, form, multipart).body
        assert b"That is too long. Shorten it and try again." in body
        # Nothing of that size is kept for somebody who has been signed out.
        assert b"Please sign in again." in gateway.ask("POST", path, ended, markup, form, multipart).body


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "Still working on it."), (400, "This may or may not have been done.")]
)
def test_a_repeat_of_what_has_died_is_not_said_to_be_saved(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, seconds: int, said: str
) -> None:
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 0.0)
    session = gateway.session()
    form = FORM | {"quick": "Hapax.", "ticket": session.ticket()}
    assert b"Saved." in gateway.ask("POST", "/sq0", session, form=form).body
    with session.state.database.writing() as connection:  # as if it had died before
        connection.exec_driver_sql("UPDATE tickets SET outcome = NULL, claimed = claimed - ?", (seconds,))
    body = gateway.ask("POST", "/sq0", session, form=form).body
    assert b"Saved." not in body
    assert said.encode() in body
