"""repertoire: what each device's charset lacks, written differently, and measured as it is sent."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import markup
from gateway.device import ASCII, LATIN_1, UTF_8, WML, WML_COMPILED, XHTML, Device, by_name
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen, Verbatim
from gateway.rendition.blocks import Block, Kind, Run
from gateway.wap import wbxml
from tests.wap import oracles

PHONE = by_name("nokia7110", WML)
LATIN = replace(PHONE, charset=LATIN_1)
TYPEWRITER = replace(PHONE, charset=ASCII)
BROWSER = by_name("kaios", XHTML)
SMALL = replace(BROWSER, charset=LATIN_1)


@pytest.mark.parametrize(
    ("text", "latin", "ascii_"),
    [
        ("“Hi”, he said – ‘so’…", "\"Hi\", he said - 'so'...", "\"Hi\", he said - 'so'..."),
        ("Grüße, naïve café", "Grüße, naïve café", "Grusse, naive cafe"),
        ("5 € → ½ • ™", "5 EUR -> ½ * (TM)", "5 EUR -> 1/2 * (TM)"),
        ("1½ or 1⅓", "1½ or 1 1/3", "1 1/2 or 1 1/3"),
        ("20\u00a0°C «so»", "20\u00a0°C «so»", '20 degC "so"'),
        ("┌──┐ │x│ █", "+--+ |x| #", "+--+ |x| #"),
        ("Привет", "Privet", "Privet"),
        ("Καλημέρα", "Kalimera", "Kalimera"),
        ("Zażółć gęślą jaźń", "Zazólc gesla jazn", "Zazolc gesla jazn"),
        ("e\u0301te\u0301", "été", "ete"),
        ("¿Qué?", "¿Qué?", "Que?"),
        ("M\U000e0139\U000e0139ic\U000e0041", "Mic", "Mic"),
        ("👍🏽 🙂 ❤️ 🎉", "[thumbs up] :) <3 [party popper]", "[thumbs up] :) <3 [party popper]"),
        ("👨‍👩‍👧 🤷🏽‍♀️ 🇩🇪 1️⃣", "[man, woman, girl] [shrug] [DE] [1]", "[man, woman, girl] [shrug] [DE] [1]"),
        ("𝐁𝐢𝐠 \ue000①", "Big (1)", "Big (1)"),
    ],
)
def test_what_a_charset_lacks_is_said_otherwise(text: str, latin: str, ascii_: str) -> None:
    assert fit(text, LATIN) == latin
    assert fit(text, SMALL) == latin
    assert fit(text, TYPEWRITER) == ascii_


def test_phones_with_utf_8_are_spared_pictures_only() -> None:
    assert fit("“Привет” → 会議 👍 ✔️ 𠮷 e\u0301", PHONE) == "“Привет” → 会議 [thumbs up] v Kichi é"
    assert fit("क्\u200dष", PHONE) == "क्\u200dष"


def test_browsers_with_utf_8_and_plain_texts_are_left_alone() -> None:
    text = "“Привет” 👍🏽 e\u0301"
    assert fit(text, BROWSER) is text
    assert fit("𝗬𝗼𝘂𝗿 𝟐 𝐥amps", BROWSER) == "Your 2 lamps"  # the letters of mathematics are in no phone's font
    for device in (BROWSER, PHONE):
        assert fit("ᴜᴡ ᴘᴏꜱᴛ, the sound ɪ", device).startswith("UW POST, the sound ")
    for device in (PHONE, LATIN, TYPEWRITER):
        assert fit("plain $ <text>?", device) == "plain $ <text>?"


@pytest.mark.parametrize(
    "device", [PHONE, LATIN, TYPEWRITER, SMALL], ids=["utf-8", "latin", "ascii", "xhtml"]
)
@given(text=st.text(st.characters(exclude_categories=("Cs",)), max_size=40))
def test_everything_is_in_the_charset_and_no_question_is_raised(device: Device, text: str) -> None:
    said = fit(text, device)
    said.encode(device.charset)
    assert "\ufffd" not in said
    if not re.search("[?\u037e؟⁇⁈⁉‽？﹖❓❔⸮]", text) and text.isalpha():
        assert "?" not in said
    if device.charset != UTF_8:
        assert fit(said, device) == said


def test_surrogates_do_not_raise() -> None:
    for device in (PHONE, LATIN, TYPEWRITER):
        assert fit("a\ud83d b\udc4d \ud800é", device).startswith("a")


def _screen(text: str, href: str = "i") -> Screen:
    values = {"sentence": text, "lines": (text,)}
    return Screen("notice", text, values, (Action("Zurück…", href, "0"),))


@pytest.mark.parametrize("device", [PHONE, LATIN, TYPEWRITER, BROWSER, SMALL])
def test_a_screen_is_declared_fitted_and_weighed_alike(device: Device) -> None:
    screen = _screen("Grüße “5 €” 👍 Привет", "http://я.example/")
    octets, content_type = markup.encode(screen, device)
    declared = re.match(rb'<\?xml version="1.0" encoding="([A-Z0-9-]+)"\?>', octets)
    assert declared is not None
    assert content_type == f"{device.content_type}; charset={declared[1].decode().lower()}"
    said = octets.decode(device.charset)
    assert "&#" not in said.replace("&#1103;.example", "")
    assert fit("Grüße “5 €” 👍 Привет", device).replace('"', "&quot;") in said
    if device.markup == XHTML:
        assert markup.size(screen, device) == len(octets)
    else:
        assert markup.size(screen, device) == wbxml.deck_bound(octets.decode(device.charset))


@pytest.mark.parametrize("device", [LATIN, TYPEWRITER, SMALL])
def test_blocks_are_fitted_but_not_where_they_lead(device: Device) -> None:
    item = Block(Kind.ITEM, (Run("„Так“ ", link="http://münchen.example/я"),), marker="•")
    said = str(markup.block(item, device, lambda block, run: run.link if run else ""))
    assert '"Tak"' in said.replace("&quot;", '"')
    assert "* " in said
    assert 'href="http://münchen.example/я"' in said


def test_what_a_form_brings_back_stays_as_it_is() -> None:
    screen = _screen("x")
    values = dict(screen.values) | {"sentence": Verbatim("é€д")}
    octets, _type = markup.encode(replace(screen, values=values), LATIN)
    assert "é&#8364;&#1076;".encode("latin-1") in octets


@pytest.mark.parametrize(("device", "charset"), [(PHONE, 106), (LATIN, 4), (TYPEWRITER, 3)])
def test_a_compiled_deck_names_its_charset(device: Device, charset: int) -> None:
    direct = replace(device, content_type=WML_COMPILED)
    octets, _type = markup.encode(_screen("Grüße “5 €” 👍"), direct)
    assert octets[2] == charset
    assert fit("Grüße “5 €” 👍", device) in html.unescape(wbxml.decode(octets))
    assert len(octets) == markup.size(_screen("Grüße “5 €” 👍"), direct)


@given(st.lists(st.sampled_from(["größere", "Bäume", "für", "“Gärten”", "5 €", "👍", "Привет"]), max_size=60))
@settings(deadline=None, max_examples=25)
def test_a_deck_that_we_compile_is_no_larger_than_for_others(words: list[str]) -> None:
    for device in (PHONE, LATIN, TYPEWRITER):
        direct = replace(device, content_type=WML_COMPILED)
        screen = _screen(" ".join(words))
        assert (
            len(markup.encode(screen, direct)[0])
            == markup.size(screen, direct)
            <= markup.size(screen, device)
        )


def test_a_smaller_deck_is_looked_for_where_it_pays() -> None:
    sentence = ", ".join(f"message {number} of the harbour" for number in range(9))
    screen, direct = _screen(sentence), replace(PHONE, content_type=WML_COMPILED)
    plain = markup.encode(screen, direct)[0]
    assert len(plain) > len(markup.encode(replace(screen, life=Life.PRIVATE), direct)[0])
    assert len(plain) > len(markup.encode(screen, replace(direct, deck_limit=len(plain) - 1))[0])
    assert len(plain) == len(markup.encode(screen, replace(direct, deck_limit=len(plain)))[0])


@oracles.needs_kannel
@given(st.lists(st.sampled_from(["größere", "Bäume", "für", "“Gärten”", "5 €", "👍", "Привет"]), max_size=60))
@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
def test_kannel_makes_no_more_of_a_latin_deck_than_was_weighed(words: list[str]) -> None:
    for device in (LATIN, TYPEWRITER):
        screen = _screen(" ".join(words))
        octets, _type = markup.encode(screen, device)
        size = oracles.kannel_size(octets, device.charset)
        assert size is not None
        assert size <= markup.size(screen, device)


def test_a_small_deck_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the sign-in page: the search would take more time than everything else."""

    def searched(*arguments: object) -> None:
        raise AssertionError("searched")

    screen, direct = _screen("harbour, harbour"), replace(PHONE, content_type=WML_COMPILED)
    monkeypatch.setattr("gateway.wap.wbxml.string_table.choose", searched)
    assert len(markup.encode(replace(screen, life=Life.PRIVATE), direct)[0]) < 512
