"""device: what the headers say, and what they cannot say."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import device
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
from gateway.device.handsets import PROFILES, DeviceProfile, Traits

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
    [("1000", 904), ("1400", 1304), ("1048576", 1396), ("nonsense", 1396), ("3", 1396), ("", 1396)],
)
def test_the_sdu_only_ever_lowers_the_page(sdu: str, limit: int) -> None:
    headers = {"Accept": "text/vnd.wap.wml", "User-Agent": "Nokia7110/1.0", "X-Wap-Client-Sdu-Size": sdu}
    assert identify(headers).deck_limit == limit


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
