"""profile: what a person has chosen, as whom they may send, and their quick replies by use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.session import Session
from gateway.account import profile as profiles
from gateway.account.profile import Identity, profile
from gateway.config import Upstream
from gateway.errors import SenderRefused
from tests.access.test_session import ANNA, CONFIG, NOKIA, House, server


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "state.sqlite")
    yield made
    made.state.close()


@pytest.fixture
def session(house: House) -> Session:
    return house.open()


def _ruled(house: House, rule: str, *domains: str) -> Session:
    """Sign in where the upstream has this rule for From."""
    upstream = Upstream(domains or ("example.org",), server("imap"), server("smtp"), from_addresses=rule)
    house.restart(replace(CONFIG, upstreams=(upstream,)))
    return house.open()


def test_who_has_chosen_nothing_is_known_by_their_address(session: Session) -> None:
    mine = profile(session)
    assert mine.identities == (Identity(address=ANNA),)
    assert (mine.name, mine.signature, mine.timezone, mine.language) == ("", "", "", "")
    assert (mine.start, mine.quoting, mine.sort) == ("inbox", True, "arrival")
    assert [one.text for one in mine.quick] == list(profiles.STANDARD)


def test_choices_hold_on_every_device_and_after_a_restart(house: House, session: Session) -> None:
    profiles.choose(
        session, timezone="Asia/Tokyo", language="pt-BR", start="favourite.3", quoting=False, sort="size"
    )
    profiles.choose(session, sort="date")
    house.restart()
    other = profile(house.open(device="kaios", markup="xhtml"))
    assert (other.timezone, other.language, other.start) == ("Asia/Tokyo", "pt-BR", "favourite.3")
    assert (other.quoting, other.sort) == (False, "date")
    assert other.zone("UTC").key == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("timezone", "Moon/Crater"),
        ("timezone", "../../etc/passwd"),
        ("start", "favourite.a b"),
        ("start", "elsewhere"),
        ("sort", "colour"),
    ],
)
def test_what_is_no_choice_is_as_good_as_none(session: Session, key: str, value: str) -> None:
    before = profile(session)
    profiles.choose(session, **{key: value})
    assert profile(session) == before


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "text", "used", "name", "address", "reply_to", "signature"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
_KEYS = st.sampled_from(["identities", "quick", "timezone", "language", "start", "quoting", "sort"])


class _Kept:
    """A session whose memory may contain anything at all."""

    address = ANNA

    def __init__(self, kept: dict[str, Any] | None) -> None:
        self.memory = self.submission = self
        self._kept = kept

    def get(self, kind: str) -> dict[str, Any] | None:
        return self._kept

    def allows_from(self, address: str) -> bool:
        return True


@given(st.none() | st.dictionaries(_KEYS, _JSON))
def test_whatever_is_kept_a_profile_is_made_of_it(kept: dict[str, Any] | None) -> None:
    found = profile(_Kept(kept))  # type: ignore[arg-type]
    assert found.identities
    assert found.identities[0].address
    assert found.sort in profiles.SORTS
    assert found.zone("UTC").key
    assert len(found.quick_in(str.upper)) == len(found.quick)


# Whom a person may send as


@pytest.mark.parametrize(
    ("rule", "address", "yes"),
    [
        ("login", "Anna@Example.org", True),
        ("login", "info@example.org", False),
        ("login", "anna@example.com", False),
        ("domain", "info@EXAMPLE.org", True),
        ("domain", "info@example.org.evil.example", False),
        ("domain", "info@example.com", False),
        ("domain", "@example.org", False),
        ("domain", "example.org", False),
        ("any", "me@elsewhere.example", True),
        ("any", "nonsense", False),
        ("any", "me@no domain", False),
    ],
)
def test_the_rule_says_whom_a_person_may_send_as(house: House, rule: str, address: str, yes: bool) -> None:
    session = _ruled(house, rule)
    assert profiles.may_send_from(session, address) is yes
    if yes:
        session.submission.submit(["b@example.net"], b"", address)
        assert house.submitted[-1][3] == address
    else:
        with pytest.raises(SenderRefused):
            session.submission.submit(["b@example.net"], b"", address)
        assert house.submitted == []


def test_any_domain_means_the_own_one(house: House) -> None:
    session = _ruled(house, "domain", "*")
    assert profiles.may_send_from(session, "info@example.org")
    assert not profiles.may_send_from(session, "info@example.com")


def test_without_a_word_the_sender_is_the_address_signed_in_with(house: House, session: Session) -> None:
    session.submission.submit(["b@example.net"], b"x")
    assert house.submitted[-1][3] == ANNA


def test_identities_that_the_rule_no_longer_allows_do_not_count(house: House) -> None:
    session = _ruled(house, "domain")
    profiles.keep_identity(session, 0, Identity("Anna", ANNA, signature="-- A"))
    assert profiles.keep_identity(session, 1, Identity("Office", "info@example.org", "reply@example.org"))
    mine = profile(session)
    assert [one.name for one in mine.identities] == ["Anna", "Office"]
    assert (mine.name, mine.signature) == ("Anna", "-- A")
    assert mine.identity("INFO@example.org").reply_to == "reply@example.org"
    assert mine.identity("who@example.org").name == "Anna"
    assert profiles.own_addresses(session, mine) == {ANNA, "info@example.org"}
    stricter = _ruled(house, "login")
    assert [one.name for one in profile(stricter).identities] == ["Anna"]
    # What the administrator forbids today is still there when it is allowed again.
    assert len(profile(_ruled(house, "domain")).identities) == 2


def test_identities_are_changed_removed_and_few(house: House) -> None:
    session = _ruled(house, "any")
    for number in range(1, profiles.MOST_IDENTITIES):
        assert profiles.keep_identity(session, 99, Identity(address=f"a{number}@example.com"))
    assert not profiles.keep_identity(session, 99, Identity(address="more@example.com"))
    profiles.keep_identity(session, 1, Identity("New", "new@example.com"))
    profiles.remove_identity(session, 0)
    assert [one.address for one in profile(session).identities][:2] == ["new@example.com", "a2@example.com"]
    for _ in range(profiles.MOST_IDENTITIES):
        profiles.remove_identity(session, 0)
    assert profile(session).identities == (Identity(address=ANNA),)


# Quick replies


def test_quick_replies_stand_by_use(session: Session) -> None:
    first, second, third = (one.id for one in profile(session).quick[:3])
    for quick in (third, second, third):
        profiles.count_quick_reply(session, quick)
    assert [one.id for one in profile(session).quick[:3]] == [third, second, first]
    assert [one.used for one in profile(session).quick[:3]] == [2, 1, 0]
    profiles.count_quick_reply(session, 999)  # removed in the meantime
    assert sum(one.used for one in profile(session).quick) == 3


def test_a_standard_reply_follows_the_language_until_it_is_changed(session: Session) -> None:
    first = profile(session).quick[0]
    assert profile(session).quick_in(lambda text: f"[{text}]")[0].text == "[Yes.]"
    profiles.count_quick_reply(session, first.id)
    assert profile(session).quick_in(lambda text: f"[{text}]")[0].text == "[Yes.]"
    profiles.keep_quick(session, "Yep", first.id)
    changed = profile(session).quick_in(lambda text: f"[{text}]")
    assert changed[0] == profiles.QuickReply(first.id, "Yep", 1)
    assert changed[1].text == "[No.]"


def test_quick_replies_are_added_and_removed(session: Session) -> None:
    for one in profile(session).quick:
        profiles.remove_quick(session, one.id)
    assert profile(session).quick == ()  # and the standard ones do not come back
    assert profiles.keep_quick(session, "x" * 500)
    [one] = profile(session).quick
    assert len(one.text) == profiles.LONGEST_QUICK
    assert one.id > len(profiles.STANDARD)
    for number in range(profiles.MOST_QUICK - 1):
        assert profiles.keep_quick(session, f"text {number}")
    assert not profiles.keep_quick(session, "one too many")
    assert len({one.id for one in profile(session).quick}) == profiles.MOST_QUICK


def test_the_profile_is_sealed(house: House, session: Session, tmp_path: Path) -> None:
    profiles.keep_identity(session, 0, Identity("Anna Unmistakable", ANNA))
    for file in tmp_path.iterdir():
        assert b"Unmistakable" not in file.read_bytes()
    assert profile(house.sessions.resume(session.token, NOKIA)).name == "Anna Unmistakable"
