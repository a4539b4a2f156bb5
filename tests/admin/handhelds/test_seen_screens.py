"""The list of handhelds: what was seen, what is overridden, and that nothing in a user agent becomes markup."""

from __future__ import annotations

from dataclasses import replace

import pytest
from werkzeug.test import Client

from gateway.admin.gateway_process import GatewayProcess
from tests.admin.conftest import XHTML, Administrator, text_of

WML = {"Accept": "text/vnd.wap.wml", "User-Agent": "Nokia3410/1.0 (05.06)"}


def rows(administrator: Administrator) -> list[list[str]]:
    page = administrator.get("/handhelds")
    found = page.xpath("//h:table[h:caption='Seen']/h:tr[h:td]", namespaces=XHTML)
    return [[" ".join("".join(cell.itertext()).split()) for cell in row] for row in found]


def test_a_handheld_is_there_at_once_with_markup_budget_and_count(
    process: GatewayProcess, administrator: Administrator
) -> None:
    client = Client(process)
    for _ in range(2):
        client.get("/", headers=WML)
    (row,) = rows(administrator)
    assert row[:5] == ["Nokia3410/1.0 (05.06)", "WML", "wml", "1,396", "2, nobody signed in"]
    assert row[5].endswith("s ago")


def test_an_override_holds_from_the_next_page_on_without_a_restart(
    process: GatewayProcess, administrator: Administrator
) -> None:
    client = Client(process)
    client.get("/", headers=WML)
    override = {"pattern": "Nokia3410/*", "profile": "nokia3330", "deck": 2000, "screen": (96, 65)}
    process.apply(replace(process.config, handhelds=(override,)))
    client.get("/", headers=WML)
    (row,) = rows(administrator)
    assert row[2:5] == ["nokia3330, overridden by Nokia3410/*", "2,000", "2, nobody signed in"]
    assert "profile = nokia3330, deck = 2000, screen = 96x65" in text_of(administrator.get("/handhelds"))


def test_an_override_of_the_markup_goes_before_what_a_handheld_accepts(process: GatewayProcess) -> None:
    client = Client(process)
    process.apply(replace(process.config, handhelds=({"pattern": "Nokia3410/*", "markup": "xhtml"},)))
    assert b"<wml>" not in client.get("/", headers=WML).data
    assert b"<wml>" in client.get("/w", headers=WML).data
    assert b"<wml>" in client.get("/", headers={**WML, "User-Agent": "other"}).data


@pytest.mark.parametrize(
    "agent", ["<script>x</script>", '"><h1>x', "]]>&amp;&#0;", "\u202e", "x" * 4000, "%00%0d%0a"]
)
def test_nothing_in_a_user_agent_becomes_markup(
    process: GatewayProcess, administrator: Administrator, agent: str
) -> None:
    Client(process).get("/", headers={**WML, "User-Agent": agent.encode().decode("latin-1")})
    page = administrator.get("/handhelds")
    assert not page.xpath("//h:script", namespaces=XHTML)
    assert len(page.xpath("//h:h1", namespaces=XHTML)) == 1
    assert len(rows(administrator)) == 1


def test_the_link_to_a_preview_names_the_handheld(
    process: GatewayProcess, administrator: Administrator
) -> None:
    Client(process).get("/", headers=WML)
    (link,) = administrator.get("/handhelds").xpath("//h:td[@data-of='Preview']/h:a/@href", namespaces=XHTML)
    assert link == "/handhelds/preview?agent=Nokia3410/1.0%20%2805.06%29&markup=wml&profile=wml"
