"""A deck as XHTML: it has what a WAP browser shows, but not what it does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway.admin.handhelds import deck_view

DECK = """<?xml version="1.0"?>
<!DOCTYPE wml PUBLIC "-//WAPFORUM//DTD WML 1.1//EN" "http://www.wapforum.org/DTD/wml_1.1.xml">
<wml><head><meta name="x" content="y"/></head><card id="c" title="Costs $$5">
<do type="accept" label="Send"><go href="c" method="post"><postfield name="a" value="$(v1)"/></go></do>
<do type="options" label="Menu"><go href="k?x=1&amp;y=2"/></do>
<do type="prev" label="Back"><prev/></do>
<p>Hello <b>you</b> &amp; <i>me</i>, $$9<br/><a href="m1.2" accesskey="1">One</a> tail</p>
<p><anchor>Delete<go href="d" method="post"/></anchor> <anchor>Look<go href="l"/></anchor></p>
<p>To <input name="v1" value="a@b" format="*m"/> <input name="v2" type="password"/></p>
<p><select name="v3" multiple="true"><option value="1">First</option><option value="2">Second</option></select></p>
<p><img src="i.wbmp" alt="A ship"/><unknown>shown <u>all the same</u></unknown></p>
</card></wml>"""


def shown(deck: str) -> etree._Element:
    return deck_view.view(deck.encode())


def test_text_and_emphasis_are_kept() -> None:
    text = " ".join("".join(shown(DECK).itertext()).split())
    assert "Costs $5" in text
    assert "Hello you & me, $9" in text
    assert "One tail" in text
    assert "shown all the same" in text
    assert [node.text for node in shown(DECK).iter("b", "i", "u")] == ["you", "me", "all the same"]


def test_links_by_get_work_and_others_are_shown_only() -> None:
    view = shown(DECK)
    assert [(link.text, link.get("href")) for link in view.iter("a")] == [
        ("One", "m1.2"),
        ("Look", "l"),
        ("Menu", "k?x=1&y=2"),
    ]
    assert [node.text for node in view.iter("span")] == ["Delete", "Send", "Back"]
    assert not [*view.iter("go", "do", "postfield", "anchor", "card", "form")]


def test_fields_are_shown_and_cannot_be_used() -> None:
    fields = [*shown(DECK).iter("input", "select")]
    assert [field.get("disabled") for field in fields] == ["disabled"] * 3
    assert [field.get("type") for field in fields] == ["text", "password", None]
    assert [option.text for option in shown(DECK).iter("option")] == ["First", "Second"]


def test_pictures_have_their_text() -> None:
    (picture,) = shown(DECK).iter("img")
    assert (picture.get("src"), picture.get("alt")) == ("i.wbmp", "A ship")


@pytest.mark.parametrize("wrong", ["script", "iframe", "object", "style", "onevent", "form"])
def test_no_element_of_html_passes_by_its_name(wrong: str) -> None:
    view = shown(f'<wml><card><p><{wrong} onclick="x()" src="y">inside</{wrong}></p></card></wml>')
    assert not [*view.iter(wrong)]
    assert not [node for node in view.iter() if node.get("onclick")]


def test_a_link_that_is_a_program_is_a_matter_of_the_policy_and_not_of_an_attribute() -> None:
    view = shown('<wml><card><p><a href="javascript:x()" onclick="x()">go</a></p></card></wml>')
    (link,) = view.iter("a")
    assert set(link.attrib) == {"href"}


def test_deep_nesting_ends() -> None:
    deck = "<wml><card>" + "<b>" * 500 + "x" + "</b>" * 500 + "</card></wml>"
    assert len([*shown(deck).iter("b")]) <= deck_view.DEEPEST + 1


@given(st.text(alphabet="<>/ab \"'=&;p", max_size=200))
def test_whatever_stands_in_a_deck_it_is_shown_or_refused(inside: str) -> None:
    try:
        view = deck_view.view(f"<wml><card>{inside}</card></wml>".encode())
    except (ValueError, etree.XMLSyntaxError):
        return
    assert view.tag == "div"
    assert not [*view.iter("script")]
