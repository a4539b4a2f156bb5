"""Overrides on the panel: from a handheld that was seen to what it gets, written into the file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lxml import etree
from werkzeug.test import Client

from gateway.admin.gateway_process import GatewayProcess
from gateway.admin.handhelds.seen_screens import pattern_of
from gateway.admin.monitoring.instrumentation import CountedSessions
from gateway.config import load
from gateway.device import Override
from gateway.device.agents import cleaned
from gateway.errors import AuthenticationFailed
from tests.admin.conftest import PASSWORD, XHTML, Administrator, parsed, text_of
from tests.admin.signed_in import sign_in

AGENT = "Nokia3410/1.0 (05.06) [en]"
WML = {"Accept": "text/vnd.wap.wml", "User-Agent": AGENT}


def fields(page: etree._Element) -> dict[str, str]:
    """Return the fields of the form that saves on a page."""
    (form,) = page.xpath("//h:form[contains(@action, '/tables/')]", namespaces=XHTML)
    found = {}
    for field in form.xpath(".//*[@name]"):
        selected = field.xpath("string(h:option[@selected]/@value)", namespaces=XHTML)
        text = (field.text or "").strip() if field.tag.endswith("textarea") else field.get("value", selected)
        found[field.get("name")] = text
    return found


def sent(administrator: Administrator, path: str, status: int = 200, **changes: str) -> etree._Element:
    """Open a form, and post it with some fields changed."""
    typed = {**fields(administrator.get(path)), "password": PASSWORD, **changes}
    answer = administrator.client.post(path, data=typed)
    assert answer.status_code == status, answer.text
    return parsed(answer.data)


@pytest.fixture
def file(process: GatewayProcess) -> Path:
    assert process.file is not None
    return process.file


def test_a_handheld_that_was_seen_is_overridden_at_once(
    process: GatewayProcess, administrator: Administrator, file: Path
) -> None:
    client = Client(process)
    assert b"<wml>" in client.get("/", headers=WML).data
    (path,) = administrator.get("/handhelds").xpath("//h:td[@data-of='Override']/h:a/@href", namespaces=XHTML)
    assert fields(administrator.get(path))["pattern"] == "Nokia3410/1.0 (05.06) [[]en]"
    page = sent(
        administrator, path, profile="nokia6230", markup="xhtml", page="3000", screen="120x100",
        images="image/gif\nimage/png", cookies="false",
    )  # fmt: skip
    assert "Saved" in text_of(page)
    assert Override.of(load(file).handhelds[0]) == Override(
        pattern="Nokia3410/1.0 (05.06) [[]en]",
        profile="nokia6230",
        markup="xhtml",
        page=3000,
        screen=(120, 100),
        images=("image/gif", "image/png"),
        cookies=False,
    )
    assert b"<wml>" not in client.get("/", headers=WML).data
    assert "profile = nokia6230, markup = xhtml" in text_of(administrator.get("/handhelds"))


def test_an_override_is_edited_and_removed(
    process: GatewayProcess, administrator: Administrator, file: Path
) -> None:
    tables = '\n[[handheld]]\npattern = "A*"\n\n# mine\n[[handheld]]\npattern = "B*"\ndeck = 900\n'
    file.write_text(file.read_text() + tables)
    process.reload()
    page = administrator.get("/handhelds")
    edit, remove = page.xpath(
        "//h:td[@data-of='Change'][preceding::h:th[1]='A*']/h:a/@href", namespaces=XHTML
    )
    other = page.xpath("//h:td[@data-of='Change']/h:a/@href", namespaces=XHTML)[2]
    assert fields(administrator.get(edit))["pattern"] == "A*"
    assert fields(administrator.get(other))["deck"] == "900"
    sent(administrator, other, deck="1000", rows="5")
    assert [*map(dict, process.config.handhelds)] == [
        {"pattern": "A*"},
        {"pattern": "B*", "deck": 1000, "rows": 5},
    ]
    assert "# mine" in file.read_text()
    sent(administrator, remove)
    assert [one["pattern"] for one in process.config.handhelds] == ["B*"]


@pytest.mark.parametrize(("path", "chosen"), [("/", False), ("/w", True)])
def test_an_override_of_markup_holds_for_who_is_signed_in_unless_they_chose_theirs(
    process: GatewayProcess,
    administrator: Administrator,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    chosen: bool,
) -> None:
    client = Client(process)
    page = client.get(path, headers=WML).text
    found = re.search(r'<go href="(w[^"]*)" method="post"', page)
    assert found, page
    told: list[bool] = []

    def refuse(_self: object, *_who: str, chosen: bool, **_more: object) -> None:
        told.append(chosen)
        raise AuthenticationFailed("wrong")

    with monkeypatch.context() as patch:
        patch.setattr(CountedSessions, "open", refuse)
        again = client.post(f"/{found[1]}", data={"user": "anna", "password": "x"}, headers=WML).text
    assert told == [chosen]
    assert f'"{found[1]}"' in again, "a mistyped password is not a choice"
    session = sign_in(process, "anna@example.org", user_agent=AGENT, chosen=chosen)
    settings = f"/~{session.token}/s"
    assert b"<wml>" in client.get(settings, headers=WML).data
    sent(administrator, "/settings/tables/handheld/0", pattern="Nokia3410*", markup="xhtml")
    assert (b"<wml>" in client.get(settings, headers=WML).data) is chosen


@pytest.mark.parametrize(
    ("field", "typed", "problem"),
    [
        ("pattern", "", "is needed"),
        ("profile", "nokia3310", 'one of "nokia7110"'),
        ("deck", "599", "a whole number from 600 to 100000"),
        ("deck", "many", "a whole number"),
        ("screen", "wide", "width and height in pixels"),
        ("images", "image/svg+xml", 'one of "image/vnd.wap.wbmp"'),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    administrator: Administrator, file: Path, field: str, typed: str, problem: str
) -> None:
    before = file.read_bytes()
    page = sent(
        administrator, "/settings/tables/handheld/0", 422, **{"pattern": "x*", "deck": "700", field: typed}
    )
    (said,) = page.xpath(f"//h:p[@id='f-{field}-problem']/text()", namespaces=XHTML)
    assert problem in said
    assert fields(page)[field] == typed
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    "agent",
    [AGENT, "x [en] * ? y", "Vodafone/1.0/SN352000012345678 z", "a" * 500, "<b>\r\nx\x00", ""],
)
def test_a_pattern_that_is_offered_matches_its_agent(agent: str) -> None:
    assert Override(pattern=pattern_of(cleaned(agent))).matches(" ".join(agent.replace("\x00", " ").split()))
