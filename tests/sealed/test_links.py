"""links: short ids that lead somewhere without revealing anything, in `gateway.sealed.link_ids` and its table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import SessionEnded
from gateway.sealed import vault
from gateway.sealed.link_ids import LONGEST_TEXT, Link, LinkIds
from gateway.state import State
from gateway.state.people import link_rows as table
from gateway.state.storage.database import Database
from tests import rig

SECRET = bytes(range(32))
TOKEN = "A" * 22
LINK = Link("https://example.com/ä?b", "A lamp", "nokia7110", "wml", "de")


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with rig.state(tmp_path / "state.sqlite") as opened:
        yield opened


@pytest.fixture
def ids(state: State, clock: Clock) -> LinkIds:
    return LinkIds(state, SECRET, clock)


def test_what_is_kept_is_found_by_its_id_alone(ids: LinkIds, tmp_path: Path, clock: Clock) -> None:
    key = ids.id(LINK, TOKEN)
    assert vault.is_link_id(key)
    assert ids.find(key) is None
    ids.keep({key: LINK})
    with State.open(tmp_path / "state.sqlite") as other:
        assert LinkIds(other, SECRET, clock).find(key) == LINK
        assert LinkIds(other, b"another secret" * 3, clock).find(key) is None


def test_an_id_depends_on_everything(ids: LinkIds, state: State, clock: Clock) -> None:
    others = [
        Link(*("x" if n == index else value for n, value in enumerate(LINK_FIELDS)))
        for index in range(len(LINK_FIELDS))
    ]
    found = {ids.id(link, TOKEN) for link in (LINK, *others)}
    found |= {ids.id(LINK, "B" * 22), LinkIds(state, b"s" * 32, clock).id(LINK, TOKEN)}
    assert len(found) == len(LINK_FIELDS) + 3
    assert ids.id(LINK, TOKEN) == ids.id(LINK, TOKEN)


def test_a_session_s_key_is_derived_once_for_all_links_of_a_page(
    ids: LinkIds, state: State, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    links = [Link(f"https://example.com/{number}", "", "", "", "") for number in range(9)]
    tokens = ("A" * 22, "B" * 22, "A" * 22)
    expected = [LinkIds(state, SECRET, clock).id(link, token) for token in tokens for link in links]
    derive, derived = vault.link_key, list[str]()

    def noted(token: str, secret: bytes) -> bytes:
        derived.append(token)
        return derive(token, secret)

    monkeypatch.setattr(vault, "link_key", noted)
    assert [ids.id(link, token) for token in tokens for link in links] == expected
    assert derived == list(tokens)


LINK_FIELDS = (LINK.url, LINK.text, LINK.device, LINK.markup, LINK.language)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(), st.text())
def test_any_link_can_be_kept(ids: LinkIds, url: str, text: str) -> None:
    link = Link(url, text, "", "wml", "en")
    key = ids.id(link, TOKEN)
    ids.keep({key: link})
    found = ids.find(key)
    assert found is not None
    assert (found.url, found.text) == (url, text[:LONGEST_TEXT])


@pytest.mark.parametrize("key", ["", "A" * 10, "A" * 12, "../../../et", "AAAAAAAAAA\n", "ÄAAAAAAAAAA"])
def test_what_is_no_id_is_not_looked_up(ids: LinkIds, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Database, "reading", None)
    assert ids.find(key) is None


def test_what_was_sealed_for_one_purpose_opens_for_no_other() -> None:
    sealed = vault.seal(b"x", TOKEN, SECRET, 1, b"link")
    assert vault.unseal(sealed, TOKEN, SECRET, 1, b"link") == b"x"
    for row, purpose in ((1, b"credential"), (2, b"link")):
        with pytest.raises(SessionEnded):
            vault.unseal(sealed, TOKEN, SECRET, row, purpose)


# The table


def test_links_are_written_once_and_again_when_half_their_life_is_over(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.links.keep({b"a": b"1", b"b": b"2"}, 0.0)
    fresh = table.Links(state.database)
    for links in (state.links, fresh):
        assert links.missing([b"a", b"b", b"c"], table.RENEWED - 1) == {b"c"}
        assert links.missing([b"a"], table.RENEWED) == {b"a"}
    state.links.keep({b"a": b"3"}, table.RENEWED)
    assert state.links.get(b"a", table.LIFETIME + 1) == b"3"
    assert state.links.get(b"b", table.LIFETIME - 1) == b"2"
    assert state.links.get(b"b", table.LIFETIME) is None
    monkeypatch.setattr(Database, "reading", None)
    monkeypatch.setattr(Database, "writing", None)
    assert state.links.missing([b"a"], table.RENEWED) == set()
    state.links.keep({}, 0.0)


def test_expired_links_are_removed(state: State) -> None:
    state.links.keep({b"a": b"1"}, 0.0)
    state.links.keep({b"b": b"2"}, 5.0)
    state.links.purge(table.LIFETIME)
    assert state.links.get(b"a", 0.0) is None
    assert state.links.get(b"b", 0.0) == b"2"


def test_the_cache_is_bounded(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "CACHED", 3)
    state.links.keep({b"%d" % n: b"x" for n in range(9)}, 0.0)
    assert len(state.links._expiries) == 3
    assert state.links.missing([b"%d" % n for n in range(9)], 0.0) == set()
    assert len(state.links._expiries) == 3
