"""device: what the headers say, and what they cannot say."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import device
from gateway.config.options import SECTIONS, options_of
from gateway.device import (
    HTML,
    WML,
    WML_COMPILED,
    WML_TEXT,
    XHTML,
    XHTML_WAP,
    XHTML_XML,
    identification,
    identify,
)
from gateway.device.agents import LONGEST, cleaned
from gateway.device.handsets import PROFILES, DeviceProfile, Traits
from gateway.device.overrides import Override

KANNEL = "*/*, text/vnd.wap.wml, text/vnd.wap.wmlscript"
W3M = "text/html, text/*;q=0.5, image/*, application/*"
LYNX = "text/html, text/plain, text/sgml, text/css, */*;q=0.01"


@pytest.mark.parametrize(
    ("accept", "markup", "content_type"),
    [
        (KANNEL, WML, WML_TEXT),
        ("text/vnd.wap.wml;q=0.1, */*", WML, WML_TEXT),
        ("text/vnd.wap.wml, text/html", XHTML, HTML),
        ("text/vnd.wap.wml, text/html;q=0.9", WML, WML_TEXT),
        ("text/vnd.wap.wml;q=0.3, application/xhtml+xml;q=0.4", XHTML, XHTML_XML),
        ("text/vnd.wap.wml;q=0, */*", XHTML, HTML),
        ("application/vnd.wap.wmlc", WML, WML_COMPILED),
        ("application/vnd.wap.wmlc, text/vnd.wap.wml", WML, WML_TEXT),
        ("application/vnd.wap.xhtml+xml, text/vnd.wap.wml;q=0.9", XHTML, XHTML_WAP),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", XHTML, XHTML_XML),
        (W3M, XHTML, HTML),
        (LYNX, XHTML, HTML),
        ("*/*", XHTML, HTML),
        ("", XHTML, HTML),
    ],
)
def test_accept_chooses_markup_and_type(accept: str, markup: str, content_type: str) -> None:
    found = identify({"Accept": accept})
    assert (found.markup, found.content_type) == (markup, content_type)


@pytest.mark.parametrize(
    ("agent", "name", "limit"),
    [
        ("Nokia7110/1.0 (04.84)", "nokia7110", 1396),
        ("EricssonT68/R101", "ericssont68", 3000),
        ("Mozilla/4.0 UP.Browser/3.02", "upbrowser3", 1492),
        ("Unheard-of/9", "wml", 1396),
        ("", "wml", 1396),
    ],
)
def test_user_agent_sets_the_deck_of_a_wap_phone(agent: str, name: str, limit: int) -> None:
    found = identify({"Accept": "text/vnd.wap.wml", "User-Agent": agent})
    assert (found.name, found.deck_limit, found.wml_version) == (name, limit, "1.1")


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_a_device_has_every_trait_of_its_row(profile: DeviceProfile) -> None:
    traits = [trait.name for trait in fields(Traits)]
    found = device.by_name(profile.name, XHTML)
    assert [getattr(found, name) for name in traits] == [getattr(profile, name) for name in traits]


def test_a_quirk_of_a_handset_is_one_of_the_device() -> None:
    quirky = replace(PROFILES[0], caches_regardless=not PROFILES[0].caches_regardless, rows=4)
    found = identification._device(quirky, WML, WML_TEXT)
    assert (found.caches_regardless, found.rows) == (quirky.caches_regardless, 4)


def test_a_phone_that_speaks_more_is_told_more() -> None:
    assert identify({"Accept": "text/vnd.wap.wml", "User-Agent": "Nokia6230/2.0"}).wml_version == "1.3"
    assert not device.by_name("nokia7110").accesskeys
    assert device.by_name("nokia6230", WML).accesskeys


@pytest.mark.parametrize(
    ("sdu", "limit"),
    # Whatever is offered is believed, except 0, which means no limit.
    [
        ("1000", 904), ("1400", 1304), ("1048576", 1396), ("nonsense", 1396), ("", 1396),
        ("695", 599), ("300", 204), ("97", 1), ("96", 1), ("3", 1), ("0", 1396),
    ],
)  # fmt: skip
def test_the_sdu_only_ever_lowers_the_page(sdu: str, limit: int) -> None:
    headers = {"Accept": "text/vnd.wap.wml", "User-Agent": "Nokia7110/1.0", "X-Wap-Client-Sdu-Size": sdu}
    assert identify(headers).deck_limit == limit


@pytest.mark.parametrize(
    "through", [{"Via": "WAP/1.1 vm (Kannel/1.4.5)"}, {"Via": "1.1 wap.example.net"}, {"X-Wap-Gateway": "x"}]
)
def test_what_came_through_a_wap_gateway_is_compiled_unless_text_is_preferred(
    through: dict[str, str],
) -> None:
    both = "application/vnd.wap.wmlc, text/vnd.wap.wml"
    assert identify({"Accept": both}).content_type == WML_TEXT
    assert identify({"Accept": both, "Via": "1.1 swap.example.net"}).content_type == WML_TEXT
    assert identify({"Accept": both, **through}).content_type == WML_COMPILED
    assert identify({"Accept": f"{both};q=0.9"}).content_type == WML_COMPILED
    for accept in ("application/vnd.wap.wmlc;q=0.9, text/vnd.wap.wml", KANNEL):
        assert identify({"Accept": accept, **through}).content_type == WML_TEXT


def test_a_choice_of_markup_holds_whatever_accept_says() -> None:
    assert identify({"Accept": "text/html"}, WML).content_type == WML_TEXT
    assert identify({"Accept": "text/vnd.wap.wml", "User-Agent": "Nokia7110/1.0"}, XHTML).content_type == HTML
    assert identify({"Accept": "text/html"}, WML, "ericssont68").deck_limit == 3000


def test_every_profile_can_be_named_in_both_markups() -> None:
    assert len(device.names()) >= 6
    for name in device.names():
        for markup in (WML, XHTML):
            found = device.by_name(name, markup)
            assert (found.name, found.markup) == (name, markup)
            assert found.deck_limit >= 1000


def test_no_wml_phone_is_given_cookies() -> None:
    assert not any(device.by_name(name, WML).cookies for name in device.names())


@given(st.text(max_size=300), st.text(max_size=60), st.text(max_size=12))
def test_no_header_raises(accept: str, agent: str, sdu: str) -> None:
    found = identify({"Accept": accept, "User-Agent": agent, "X-Wap-Client-Sdu-Size": sdu})
    assert found.markup in (WML, XHTML)
    assert found.deck_limit > 0


@pytest.mark.parametrize(
    ("accepted", "charset"),
    [
        ("", "utf-8"),
        ("ISO-8859-1, UTF-8;q=0.8, ISO-10646-UCS-2;q=0.6", "utf-8"),
        ("iso-8859-1, *;q=0.1", "utf-8"),
        ("iso-8859-1", "iso-8859-1"),
        ("windows-1252;q=0.5, utf-8;q=0", "iso-8859-1"),
        ("*, utf-8;q=0", "iso-8859-1"),
        ("us-ascii", "us-ascii"),
        ("koi8-r, us-ascii;q=0.2", "us-ascii"),
        ("iso-8859-1;q=0, utf-8;q=0", "us-ascii"),
        ("utf-8;q=x, iso-8859-1;q=0.1", "iso-8859-1"),
    ],
)
def test_the_charset_is_the_best_that_is_accepted(accepted: str, charset: str) -> None:
    for accept in ("text/vnd.wap.wml", "text/html"):
        assert identify({"Accept": accept, "Accept-Charset": accepted}).charset == charset


# --- overrides


def test_the_options_of_an_override_are_its_fields_and_name_the_rows_of_the_table() -> None:
    (section,) = (section for section in SECTIONS if section.name == "handheld")
    options = {option.name: option for option in options_of(section)}
    assert tuple(options) == tuple(field.name for field in fields(Override))
    assert options["profile"].choices == device.names()
    assert options["markup"].choices == (WML, XHTML)
    columns = {field.name for field in fields(DeviceProfile)}
    assert set(options) - columns == {"pattern", "profile", "images"}
    assert columns - set(options) == {"name", "agent"}


@pytest.mark.parametrize(
    ("pattern", "agent", "matches"),
    [
        ("Nokia3410/*", "Nokia3410/1.0 (05.06)", True),
        ("nokia3410/*", "NOKIA3410/1.0", True),
        ("Nokia3410", "Nokia3410/1.0", False),
        ("*(05.06)", "Nokia3410/1.0 (05.06)", True),
        ("Nokia34?0*", "Nokia3430/2", True),
        ("Nokia34[13]0*", "Nokia3420/2", False),
        ("*", "", True),
        ("*", "two\nlines", True),
        ("a.c", "abc", False),
    ],
)
def test_a_pattern_is_a_glob_for_the_whole_user_agent(pattern: str, agent: str, matches: bool) -> None:
    assert Override(pattern=pattern).matches(agent) is matches


@given(st.text(alphabet="ab*?", max_size=30), st.text(alphabet="ab", max_size=2000))
def test_any_pattern_is_compared_with_any_agent(pattern: str, agent: str) -> None:
    assert Override(pattern=pattern).matches(agent) in (True, False)


def test_a_pattern_of_many_stars_takes_no_longer_than_one_of_few() -> None:
    assert not Override(pattern="*a" * 60 + "*b").matches("a" * 1000)


def test_the_first_override_that_matches_goes_before_the_table_and_the_headers() -> None:
    overrides = [
        Override(pattern="Nokia6230*", profile="nokia7110", markup=WML, deck=900, screen=(84, 48), rows=3),
        Override(pattern="*", deck=700),
    ]
    headers = {"User-Agent": "Nokia6230/2.0", "Accept": "text/html, image/png"}
    found = identify(headers, overrides=overrides)
    assert (found.name, found.markup, found.deck_limit, found.screen, found.rows) == (
        "nokia7110", WML, 900, (84, 48), 3,
    )  # fmt: skip
    assert found.caches_regardless
    assert identify({**headers, "User-Agent": "other"}, WML, overrides=overrides).deck_limit == 700
    assert identify({**headers, "User-Agent": "other"}, overrides=overrides) == identify(
        {**headers, "User-Agent": "other"}
    )


def test_a_persons_markup_goes_before_an_override_whose_budgets_still_hold() -> None:
    override = Override(pattern="*", markup=WML, page=2600, deck=900, images=("image/gif",))
    found = identify({"Accept": "text/html"}, XHTML, "kaios", [override])
    assert (found.name, found.markup, found.deck_limit, found.images) == (
        "kaios",
        XHTML,
        2600,
        ("image/gif",),
    )


def test_an_sdu_lowers_what_an_override_sets() -> None:
    headers = {"X-Wap-Client-Sdu-Size": "1400", "User-Agent": "x"}
    assert identify(headers, WML, overrides=[Override(pattern="*", deck=9000)]).deck_limit == 1400 - 96


def test_the_same_headers_are_read_once_and_long_ones_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    accept = identification._accept
    monkeypatch.setattr(identification, "_accept", lambda value: read.append(value) or accept(value))
    for agent, times in (("once/1", 1), ("o" * identification.LONGEST_REMEMBERED, 3)):
        read.clear()
        headers = {"User-Agent": agent, "Accept": f"text/html;x={times}"}
        assert len({identify({**headers, "Cookie": str(n)}) for n in range(3)}) == 1
        assert read.count(headers["Accept"]) == times


# --- user agents that are shown to an administrator


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        ("Nokia7110/1.0 (05.01)", "Nokia7110/1.0 (05.01)"),
        ("Mozilla/5.0 (X11; rv:109.0) Gecko/20100101 Firefox/115.0",) * 2,
        ("Vodafone/1.0/V802SE/SEJ001/SN352000012345678 Browser/SEMC", "Vodafone/1.0/V802SE/SEJ001/SN... Browser/SEMC"),
        ("DoCoMo/2.0 N902i(c100;serNMZTE1234567890;icc8981100000123456789F)", "DoCoMo/2.0 N902i(c100;ser...;icc...)"),
        ("x (+anna@example.org) y", "x (...) y"),
        ("UP.Link 352000012345678 x 35-200001-234567-8", "UP.Link ... x ..."),
        ("LYF/F90M/LYF-F90M-000-02-31-131117; rv:48.0", "LYF/F90M/LYF-F90M-000-02-31-131117; rv:48.0"),
        ("a\r\nSet-Cookie:\tb\x00", "a Set-Cookie: b"),
        ("x" * 5000, "x" * LONGEST + "..."),
        ("", ""),
    ],
)  # fmt: skip
def test_what_is_shown_of_a_user_agent(agent: str, shown: str) -> None:
    assert cleaned(agent) == shown


@given(st.text(max_size=2000))
def test_any_user_agent_is_printable_and_short(agent: str) -> None:
    shown = cleaned(agent)
    assert shown.isprintable()
    assert len(shown) <= LONGEST + 3
