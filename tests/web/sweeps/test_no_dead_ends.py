"""An error page is no dead end: it offers the request again, the way back, folders and the menu, whatever failed."""

from __future__ import annotations

import imaplib
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from gateway import errors
from gateway.access.session import Session
from gateway.store.imap.features import Feature
from gateway.store.imap.imap_store import ImapStore
from gateway.store.imap.selected import Selected
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.web.sweeps.everything import HANDHELDS, ME, Gateway, addresses, opened

#: What they are made from, if a sentence alone is not enough.
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "TooManyTries": (5,),
    "PartlyDone": ({}, errors.StoreRefused("no")),
    "RecipientsRefused": (("bob@example.org",),),
    "AddressNotSendable": (("bob@example.org",),),
    "MessageTooLarge": (1000,),
    "TooLargeHere": (1000,),
    "SenderRefusedThere": ("anna@example.org",),
    "SentTooMuch": (1_800_000_000.0,),
    "ServerAlert": ("Maintenance.",),
    "ServerClosed": ("Maintenance.",),
}
#: Those that end the session, and lead to the sign-in page.
ENDING = (errors.SessionEnded, errors.AuthenticationFailed)


def _kinds(kind: type[errors.GatewayError] = errors.GatewayError) -> Iterator[type[errors.GatewayError]]:
    yield kind
    for each in kind.__subclasses__():
        if each.__module__ == errors.__name__:
            yield from _kinds(each)


KINDS = [kind for kind in _kinds() if not issubclass(kind, ENDING)]


@pytest.fixture(scope="module")
def made(dovecot: Dovecot, _smtp: SmtpServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with opened(dovecot, _smtp, tmp_path_factory.mktemp("dead")) as found:
        yield found


def _fail(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def store(_session: Session) -> AbstractContextManager[Any]:
        raise error

    monkeypatch.setattr(Session, "store", store)


def _labels(body: bytes) -> list[str]:
    """Return the labels of links and buttons, including softkeys."""
    text = body.decode("utf-8", "replace")
    found = re.findall(r"<a [^>]*>(?:<[^>]*>)*([^<]*)|<input type=\"submit\"[^>]*value=\"([^\"]*)\"", text)
    found += [(label, "") for label in re.findall(r"<do [^>]*label=\"([^\"]*)\"", text)]
    return [re.sub(r"\A\s*\d+[.:]?\s*", "", label or other).strip() for label, other in found]


def _is_error(body: bytes) -> bool:
    return b"Sorry" in body


@pytest.mark.parametrize("markup", HANDHELDS)
def test_every_kind_of_error_leads_on(made: Gateway, monkeypatch: pytest.MonkeyPatch, markup: str) -> None:
    session = made.session(markup=markup)
    box = made.samples["numbers"]["INBOX"]
    for kind in KINDS:
        error = kind(*ARGUMENTS.get(kind.__name__, ()))
        with monkeypatch.context() as patch:
            _fail(patch, error)
            for path in ("/i", f"/m{box}.9", f"/r{box}.9", "/z"):
                body = made.ask("GET", path, session, markup).body
                assert _is_error(body), (kind, path)
                labels = _labels(body)
                assert "Menu" in labels, (kind, path, labels)
                assert ("Folders" in labels) == (path != "/z"), (kind, path, labels)
                assert ("Inbox" in labels) == (path != "/i"), (kind, path, labels)
                if isinstance(error, (errors.StoreRefused, errors.StoreUnreachable, errors.StateError)):
                    assert "Try again" in labels, (kind, path, labels)
                back = "Back" in labels[: labels.index("Menu")]  # a phone's own key for it is not a way on
                assert back == (path[:2] in ("/m", "/r")), (kind, path, labels)
                assert not _is_unfollowable(made, session, markup, body)


def _is_unfollowable(made: Gateway, session: Session, markup: str, body: bytes) -> bool:
    """Return whether a link on the page leads to no page at all."""
    hrefs = re.findall(r"<a [^>]*href=\"([^\"#]*)\"", body.decode())
    return not hrefs or any(href.startswith(("http", "/")) for href in hrefs)


@pytest.mark.parametrize("markup", HANDHELDS)
def test_every_screen_that_fails_leads_on(
    made: Gateway, monkeypatch: pytest.MonkeyPatch, markup: str
) -> None:
    session = made.session(markup=markup)
    _fail(monkeypatch, errors.StoreRefused("no"))
    failed = 0
    for endpoint, path in addresses(made, "GET"):
        if endpoint == "signin.sign_out":
            continue
        body = made.ask("GET", path, session, markup).body
        if not _is_error(body):
            continue
        failed += 1
        labels = _labels(body)
        assert "Try again" in labels or b"could not be understood" in body, (endpoint, labels)
        assert "Menu" in labels, (endpoint, labels)
        assert len(set(labels) - {"Try again", "Inbox"}) > 0, (endpoint, labels)
    assert failed > 25


def _drops(monkeypatch: pytest.MonkeyPatch, times: int) -> list[int]:
    """Have the server close the connection this many times; return the list of leases."""
    leases: list[int] = []
    lease = Session.store

    def store(session: Session) -> AbstractContextManager[Any]:
        leases.append(len(leases) + 1)
        if len(leases) <= times:
            error = errors.StoreUnreachable("the server closed the connection")
            error.dropped = True
            raise error
        return lease(session)

    monkeypatch.setattr(Session, "store", store)
    return leases


def test_a_connection_that_was_dropped_is_replaced_once(
    made: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = made.session()
    box = made.samples["numbers"]["INBOX"]
    for times, failed in ((1, False), (2, True)):
        with monkeypatch.context() as patch:
            leases = _drops(patch, times)
            assert _is_error(made.ask("GET", f"/m{box}.9", session).body) is failed
            assert len(leases) == 2
    with monkeypatch.context() as patch:
        leases = _drops(patch, 1)
        body = made.ask(
            "POST", "/q", session, form={"q": "lunch", "in": "all", "ticket": session.ticket()}
        ).body
        assert b"cannot be reached" in body
        assert len(leases) == 1


@pytest.mark.parametrize("markup", HANDHELDS)
def test_the_way_back_is_to_what_led_here(
    made: Gateway, monkeypatch: pytest.MonkeyPatch, markup: str
) -> None:
    session = made.session(markup=markup)
    box = made.samples["numbers"]["Private folder"]
    _fail(monkeypatch, errors.StoreRefused("no"))
    for path, back in ((f"/r{box}.1", f"m{box}.1"), (f"/m{box}.1", f"b{box}"), (f"/m{box}.1?l=u", f"b{box}")):
        body = made.ask("GET", path, session, markup).body.decode()
        found = re.search(r'href="([^"]*)"[^>]*>(?:<[^>]*>)*Back', body)
        assert found is not None, body
        assert found[1].startswith(back), (path, found[1])


@pytest.mark.parametrize("markup", HANDHELDS)
def test_a_view_that_fails_gives_way_to_the_order_of_arrival(
    made: Gateway, monkeypatch: pytest.MonkeyPatch, markup: str
) -> None:
    def failing(*_arguments: Any, **_more: Any) -> Any:
        raise errors.StoreRefused("NO [SERVERBUG] oh")

    session = made.session(markup=markup)
    box = made.samples["numbers"]["INBOX"]
    form = {"order": "size", "filter": "", "ticket": session.ticket()}
    assert b"by size" in made.ask("POST", f"/v{box}", session, markup, form=form).body
    assert b"by size" in made.ask("GET", f"/b{box}", session, markup).body
    said = b"could not show the list that way. Here it is in order of arrival."
    with monkeypatch.context() as patch:
        patch.setattr(ImapStore, "found", failing)
        another = made.session(markup=markup)
        for path in (f"/b{box}", "/i", "/i?f=unread", f"/b{box}.n", f"/b{box}.su"):
            body = made.ask("GET", path, another, markup).body
            assert said in body, path
            assert b"Lunch" in body, path
    assert b"by size" in made.ask("GET", f"/b{box}", session, markup).body
    form = {"order": "arrival", "filter": "", "ticket": session.ticket()}
    made.ask("POST", f"/v{box}", session, markup, form=form)


@pytest.mark.parametrize("markup", HANDHELDS)
def test_a_filter_that_is_not_applied_is_said(
    made: Gateway, monkeypatch: pytest.MonkeyPatch, markup: str
) -> None:
    searches = {Feature.SEARCH, Feature.EXTENDED_SEARCH, Feature.SEARCH_RANGES}
    offers = Selected._offers
    monkeypatch.setattr(Selected, "_offers", lambda self, one: one not in searches and offers(self, one))
    body = made.ask("GET", "/i?f=unread", made.session(markup=markup), markup).body
    assert b"all messages, since this mail server cannot search" in body
    assert b"unread only" not in body
    assert b"Lunch" in body


def test_a_folder_that_was_made_anew_meanwhile_has_changed(made: Gateway) -> None:
    session = made.session()
    box = made.samples["numbers"]["Private folder"]
    assert b"Lunch" in made.ask("GET", f"/m{box}.1", session).body
    aside = imaplib.IMAP4(made.dovecot.host, made.dovecot.ports["imap"])
    aside.login(ME, "secret")
    aside.delete('"Private folder"')
    aside.create('"Private folder"')
    aside.append('"Private folder"', "", None, b"Subject: Another\r\n\r\nAnother.\r\n")
    aside.logout()
    for path in (f"/m{box}.1", f"/h{box}.1"):
        body = made.ask("GET", path, session).body
        assert b"This folder has changed. Here is the current list." in body
        assert b"Another" in body
        assert b"Lunch" not in body
