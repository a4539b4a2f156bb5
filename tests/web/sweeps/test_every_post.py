"""Every address there is, from the outside: what is posted without a ticket of the session changes nothing, nor does
a second request, nor any GET; who is not signed in is asked to sign in, and numbers of others lead nowhere.

The addresses come from the app itself, so a new screen is checked here without being named; only one whose POST has no
effect has to be.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.matrix import one_of
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.web.sweeps.everything import (
    FORM,
    HANDHELDS,
    MARK,
    OTHER,
    Gateway,
    addresses,
    changed,
    form_of,
    opened,
    posts,
    unread,
)

#: What requires nobody to be signed in.
OPEN = {
    "signin.front", "signin.wml", "signin.xhtml", "signin.submit_wml", "signin.submit_xhtml", "signin.sign_out",
    "links.page", "plain.robots", "plain.favicon", "plain.style_sheet",
}  # fmt: skip
#: What is posted there is only read.
HARMLESS = {
    "contacts.find", "zone.find", "signin.submit_wml", "signin.submit_xhtml", "outcomes.acknowledge",
    "unsent_texts.discard",  # here no text is kept
}  # fmt: skip


@pytest.fixture
def gateway(dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> Iterator[Gateway]:
    with opened(dovecot, smtp_server, tmp_path) as made:
        yield made


@pytest.mark.parametrize("markup", one_of(HANDHELDS, "wml"))
def test_nothing_changes_without_a_ticket_of_the_session(gateway: Gateway, markup: str) -> None:
    session, another, stranger = gateway.session(markup=markup), gateway.session(), gateway.session(OTHER)
    gateway.samples["of"] = gateway.done(session, f"/x{gateway.samples['numbers']['INBOX']}.2.f")
    good = session.ticket()
    forged = ("", another.ticket(), stranger.ticket(), ("B" if good[0] == "A" else "A") + good[1:], "x" * 18,
              "\u00e9" * 18, good + "\n", good.lower(), "0" * 5000, "\x00")  # fmt: skip
    before = gateway.look()
    faults = []
    for endpoint, path, multipart in posts(gateway):
        for ticket in forged:
            form = form_of(gateway, endpoint, path, ticket)
            if not ticket:
                del form["ticket"], form["keep"]
            answer = gateway.ask("POST", path, session, markup, form, multipart)
            if answer.status >= 500:
                faults.append(f"{path} {ticket[:20]!r}: {answer.status}")
        found = changed(unread(before), unread(after := gateway.look()))
        if found:
            faults.append(f"{path}: {found}")
            print(path, [(before[c], after[c]) for c in found if "table" not in c])
            before = after
    assert not faults, "\n".join(faults)


def test_a_second_request_changes_nothing_and_the_first_does(gateway: Gateway) -> None:
    faults, moved = [], set()
    tried = sorted(posts(gateway), key=lambda post: post[0] == "folder.change")
    for endpoint, path, multipart in tried:
        if endpoint == "stored_data.delete" or endpoint.startswith("signin"):
            continue
        session = gateway.session()
        box = gateway.samples["numbers"]["INBOX"]
        if endpoint == "undo.submit":
            gateway.samples["of"] = gateway.done(session, f"/x{box}.1.j")
        form = form_of(gateway, endpoint, path, session.ticket())
        before = gateway.look()
        first = gateway.ask("POST", path, session, form=form, multipart=multipart)
        once = gateway.look()
        if changed(before, once, {"tickets"}):
            moved.add(endpoint)
        second = gateway.ask("POST", path, session, form=form, multipart=multipart)
        found = changed(once, gateway.look())
        if found:
            faults.append(f"{path}: {found}")
        if max(first.status, second.status) >= 500:
            faults.append(f"{path}: {first.status}, {second.status}")
    assert not faults, "\n".join(faults)
    able = {endpoint for endpoint, _path, _multi in tried} - HARMLESS - {"stored_data.delete"}
    assert able - moved == set(), "these requests were to change something"


def test_no_get_changes_anything(gateway: Gateway) -> None:
    session = gateway.session()
    faults = []
    for _endpoint, path in addresses(gateway, "GET"):
        if path in ("/bye",):
            continue
        before = gateway.look()
        answer = gateway.ask("GET", path, session)
        if answer.status >= 500:
            faults.append(f"{path}: {answer.status}")
        found = changed(unread(before), unread(gateway.look()), {"reading", "memories"})
        if found:
            faults.append(f"{path}: {found}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("markup", HANDHELDS)
def test_whoever_is_not_signed_in_is_asked_to_sign_in(gateway: Gateway, markup: str) -> None:
    ended = gateway.session(markup=markup)
    ticket = ended.ticket()
    ended.close()
    before = gateway.look()
    gateway.samples["of"] = ticket
    for session in (None, ended):
        for method in ("GET", "POST"):
            for endpoint, path in addresses(gateway, method):
                if endpoint in OPEN:
                    continue
                form = form_of(gateway, endpoint, path, ticket) if method == "POST" else None
                answer = gateway.ask(method, path, session, markup, form)
                assert b"password" in answer.body, (method, path, answer.status)
                assert MARK.encode() not in answer.body, (method, path)
                assert answer.status == (200 if markup == "wml" else 403), (method, path, answer.status)
    assert changed(before, gateway.look(), {"kept"}) == []


@pytest.mark.parametrize("markup", HANDHELDS)
def test_numbers_of_somebody_else_lead_nowhere(gateway: Gateway, markup: str) -> None:
    mine, theirs = gateway.session(markup=markup), gateway.session(OTHER, markup)
    gateway.samples["of"] = gateway.done(mine, f"/x{gateway.samples['numbers']['INBOX']}.5.f")
    before = gateway.look()
    for method in ("GET", "POST"):
        for endpoint, path in addresses(gateway, method):
            if endpoint in (
                "links.page",
                "write.suggested",
                "write.send",
                "stored_data.delete",
                "signin.sign_out",
            ):
                continue  # a link's id is all that is needed, and nobody can guess it
            form = form_of(gateway, endpoint, path, theirs.ticket()) if method == "POST" else None
            answer = gateway.ask(method, path, theirs, markup, form)
            assert MARK.encode() not in answer.body, (method, path)
            assert answer.status < 500, (method, path)
    after = gateway.look()
    mailboxes = {name: after[name] for name in before if not name.startswith("table") and name != "sent"}
    assert mailboxes == {name: before[name] for name in mailboxes}
    assert mine.memory.get("contacts")
    assert mine.memory.get("favourite", "f1")


HUGE = (
    "0",
    "-1",
    str(2**31),
    str(2**32),
    str(2**63),
    str(2**64),
    "9" * 30,
    "9" * 5000,
    "\u0663",
    "1e3",
    "%00",
)


@pytest.mark.parametrize("number", HUGE, ids=lambda text: text[:12])
def test_no_number_in_an_address_is_too_much(gateway: Gateway, number: str) -> None:
    session = gateway.session()
    for method in ("GET", "POST"):
        for endpoint, path in addresses(gateway, method):
            if endpoint.startswith("signin"):
                continue
            for odd in {
                re.sub(r"\d+", number, path),
                re.sub(r"\d+\Z", number, path),
                re.sub(r"\d+", number, path, count=1),
            }:
                form = {"ticket": session.ticket()} if method == "POST" else None
                if odd != path:
                    answer = gateway.ask(method, odd, session, form=form)
                    assert answer.status < 500, (method, odd[:80], answer.status)


def test_logs_tell_nothing_of_anybody(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    """No token, password, address, word of mail or word that was searched for, at any level."""
    caplog.set_level(logging.DEBUG)
    session = gateway.session()
    gateway.samples["of"] = session.ticket()
    for method in ("GET", "POST"):
        for endpoint, path in addresses(gateway, method):
            if endpoint not in OPEN and endpoint != "stored_data.delete":
                form = form_of(gateway, endpoint, path, session.ticket()) | {
                    "find": "Fresh",
                    "q": f"{MARK} before:Fresh",
                }
                gateway.ask(method, path, session, form=form if method == "POST" else None)
    gateway.smtp.refuse = {"bob@example.org": "550 5.1.1 <bob@example.org> is unknown"}
    for ticket in (session.ticket(), session.ticket()[::-1]):
        gateway.ask("POST", "/c", session, form=FORM | {"ticket": ticket})
    # The test's own SMTP server logs what it gets.
    said = "\n".join(each.getMessage() for each in caplog.records if each.name != "mail.log")
    assert "BadRequest" in said
    told = [
        word for word in (MARK, session.token, "Fresh", "secret", "@example", "Certainly") if word in said
    ]
    assert not told, [line for line in said.splitlines() if any(word in line for word in told)]
