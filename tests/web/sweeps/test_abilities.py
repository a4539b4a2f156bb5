"""A mail store that can do less: no screen offers what it cannot do, and no screen knows why it cannot."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from lxml import etree
from werkzeug.exceptions import HTTPException

import gateway
from gateway.app import NEEDS
from gateway.store.abilities import EVERY_ABILITY, Can, Order
from gateway.store.imap.selected import Selected
from tests.devices.phones import Answer
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.web.sweeps.everything import HANDHELDS, ORIGIN, Gateway, addresses, opened

#: Screens and posts about more than reading in the order of arrival.
OF_MORE = set(NEEDS) | {"message_actions.submit"}
#: Choices in forms that are about that.
FIELDS = {"order", "filter", "sort", "in"}
#: Capabilities of IMAP servers that decide what a person can do.
CAPABILITIES = {
    "SORT", "UIDPLUS", "MOVE", "ESEARCH", "IMAP4REV1", "IMAP4REV2", "SPECIAL-USE", "LIST-STATUS", "LIST-EXTENDED",
    "QUOTA", "NAMESPACE", "UTF8=ACCEPT", "CONTEXT=SEARCH", "CONTEXT=SORT", "MULTISEARCH", "THREAD=REFERENCES",
    "THREAD=REFS", "THREAD=ORDEREDSUBJECT", "SORT=DISPLAY", "CONDSTORE", "UNSELECT", "IDLE",
}  # fmt: skip
#: What is above the store, but is a server, or shows what a server announces.
OTHERS = ("store", "demo", "admin")


@pytest.fixture(scope="module")
def made(dovecot: Dovecot, _smtp: SmtpServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with opened(dovecot, _smtp, tmp_path_factory.mktemp("abilities")) as found:
        yield found


def _endpoint(made: Gateway, url: str, method: str) -> str:
    path = urlsplit(url).path
    path = "/" + path.split("/", 2)[2] if path.startswith("/~") and path.count("/") > 1 else path
    with suppress(HTTPException):
        return str(made.app.url_map.bind("pp.example").match(path, method=method)[0])
    return ""


def _offered(made: Gateway, path: str, answer: Answer) -> set[str]:
    """Collect everything that a page offers and not every store can do: endpoints and fields."""
    targets = set()
    fields = set()
    for element in etree.fromstring(answer.body).iter(etree.Element):
        fields.add(element.get("name"))
        href = element.get("href") or element.get("action")
        if href is not None:
            method = "POST" if element.get("method", "").lower() == "post" else "GET"
            targets.add(_endpoint(made, urljoin(ORIGIN + path, href), method))
    found = {target for target in targets if target in OF_MORE or target.partition(".")[0] in OF_MORE}
    return found | {f"field {name}" for name in FIELDS & fields}


def _is_page(answer: Answer) -> bool:
    return answer.media_type in {"text/vnd.wap.wml", "application/xhtml+xml", "text/html"} and bool(
        answer.body
    )


@pytest.mark.parametrize("markup", HANDHELDS)
def test_nothing_is_offered_that_the_store_cannot_do(
    made: Gateway, monkeypatch: pytest.MonkeyPatch, markup: str
) -> None:
    offered: set[str] = set()
    session = made.session(markup=markup)
    box, uid = made.samples["numbers"]["INBOX"], 11 + list(HANDHELDS).index(markup)
    made.done(session, f"/x{box}.{uid}.f")  # something that can be undone
    for can in (EVERY_ABILITY, Can()):
        monkeypatch.setattr(Selected, "can", property(lambda _self, can=can: can))
        made.sessions._resources.abilities.clear()
        pages = 0
        for endpoint, path in addresses(made, "GET"):
            if endpoint == "signin.sign_out":
                continue
            path = f"/~{session.token}{path}"
            answer = made.ask("GET", path, None, markup)
            if not _is_page(answer):
                continue
            pages += 1
            found = _offered(made, path, answer)
            if can.search:
                offered |= found
                continue
            assert not found, (endpoint, path, found)
            if endpoint in NEEDS or endpoint.partition(".")[0] in NEEDS:
                assert b"Your mail server cannot do that." in answer.body, endpoint
        assert pages > 60
    # For a store that can, every one of these is offered somewhere.
    blueprints = {each.partition(".")[0] for each in offered} | offered
    assert blueprints >= OF_MORE | {f"field {name}" for name in FIELDS}


def test_what_is_posted_all_the_same_is_not_done(made: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    box = made.samples["numbers"]["INBOX"]
    before = made.look()["INBOX"]
    monkeypatch.setattr(Selected, "can", property(lambda _self: Can()))
    session = made.session()
    for letter in "dejnfgu":
        made.ask("POST", f"/x{box}.9.{letter}", session, form={"ticket": session.ticket()})
    answer = made.ask("GET", f"/m{box}.9", session)
    assert b"Delete" not in answer.body
    assert made.look()["INBOX"] == before  # not even marked as read


def test_orders_follow_from_what_a_store_can_do() -> None:
    assert Can().orders == {Order.ARRIVAL}
    assert Can(search=True).orders == {Order.ARRIVAL, Order.UNREAD}
    assert EVERY_ABILITY.orders == frozenset(Order)
    assert Can().leaves_originals
    assert not Can(expunge=True).leaves_originals
    assert {getattr(EVERY_ABILITY, field.name) for field in dataclasses.fields(Can)} == {True}
    for need in NEEDS.values():
        assert getattr(Can(), need) is False


def test_no_capability_is_named_above_the_store() -> None:
    root = Path(gateway.__file__).parent
    named = []
    for file in sorted(root.rglob("*.py")):
        if file.relative_to(root).parts[0] in OTHERS:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in CAPABILITIES:
                named.append(f"{file.relative_to(root)}:{node.lineno} {node.value}")
    assert not named
