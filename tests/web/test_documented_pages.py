"""docs/pages.md names every address that exists, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, MapAdapter

from gateway.app import create_app
from gateway.config import Config

PAGE = Path(__file__).parents[2] / "docs" / "pages.md"
#: What Flask adds by itself.
FOREIGN = {"static"}


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> Map:
    folder = tmp_path_factory.mktemp("app")
    return create_app(Config((), state=folder / "state.sqlite", secret=folder / "secret")).url_map


def documented() -> list[str]:
    """Read the addresses of the table; `.e` after `/x3.77.d` represents `/x3.77.e`."""
    section = PAGE.read_text("utf-8").partition("## Addresses")[2].partition("\n## ")[0]
    found: list[str] = []
    for row in (line for line in section.splitlines() if line.startswith("| `/")):
        for address in re.findall(r"`(/[^` ]*|\.[a-z])`", row):
            whole = address if address[0] == "/" else found[-1].rpartition(".")[0] + address
            found.append(whole.partition("?")[0])
    return found


def endpoints(adapter: MapAdapter, address: str) -> set[str]:
    found = set()
    for method in ("GET", "POST"):
        try:
            found.add(adapter.match(address, method)[0])
        except (MethodNotAllowed, NotFound):
            continue
    return found


def test_every_documented_address_leads_somewhere(routes: Map) -> None:
    adapter = routes.bind("phone.example.net")
    assert [address for address in documented() if not endpoints(adapter, address)] == []


def test_every_route_is_documented(routes: Map) -> None:
    adapter = routes.bind("phone.example.net")
    shown = {endpoint for address in documented() for endpoint in endpoints(adapter, address)}
    assert {rule.endpoint for rule in routes.iter_rules()} - FOREIGN - shown == set()
