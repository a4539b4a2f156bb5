"""Blocks in both markups: everything escaped, nothing of the sender's as markup."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway import markup
from gateway.device import WML, XHTML, by_name
from gateway.markup import wml, xhtml
from gateway.markup.scale import WmlScale, XhtmlScale
from gateway.rendition.blocks import Block, Kind, Run

PHONE = by_name("nokia7110", WML)
BROWSER = by_name("xhtml", XHTML)
NASTY = 'a<b> & "c" $d $$ $(e) \x00\x0b\ud800 ü 😀\nz'


def lead(block: Block, run: Run | None) -> str:
    return run.link if run is not None else "m1.2?u=" + block.target


def _text(fragment: str) -> str:
    root = etree.fromstring(f"<x>{fragment}</x>".encode())
    for br in root.iter("br"):
        br.tail = "\n" + (br.tail or "")
    return "".join(root.itertext())


def test_wml_doubles_dollars_and_escapes() -> None:
    said = wml.block(Block(Kind.PARAGRAPH, (Run(NASTY),)), lead)
    assert said == "<p>a&lt;b&gt; &amp; &quot;c&quot; $$d $$$$ $$(e)  ü 😀<br/>z</p>"


def test_xhtml_keeps_dollars_and_escapes() -> None:
    said = xhtml.block(Block(Kind.PARAGRAPH, (Run(NASTY),)), lead)
    assert said == "<p>a&lt;b&gt; &amp; &quot;c&quot; $d $$ $(e)  ü 😀<br/>z</p>"


def test_every_kind_has_its_form() -> None:
    run = (Run("x", strong=True, link="http://a/?b=1&c=$2"),)
    said = {kind: wml.block(Block(kind, run, target="t"), lead) for kind in Kind}
    link = '<a href="http://a/?b=1&amp;c=$$2">x</a>'
    assert said[Kind.HEADING] == f"<p><b>{link}</b></p>"
    assert said[Kind.PARAGRAPH] == f"<p><b>{link}</b></p>"
    assert said[Kind.FOLD] == '<p><a href="m1.2?u=t">x</a></p>'
    assert said[Kind.PICTURE] == '<p><a href="m1.2?u=t">[x]</a></p>'
    assert xhtml.block(Block(Kind.HEADING, (Run("h"),), level=1), lead) == "<h2>h</h2>"
    assert xhtml.block(Block(Kind.ITEM, (Run("h"),), marker="3."), lead) == "<p>3. h</p>"
    quoted = Block(Kind.PARAGRAPH, (Run("h"),), quote=2)
    assert wml.block(quoted, lead) == "<p>&gt;&gt; h</p>"
    assert xhtml.block(quoted, lead) == "<blockquote><blockquote><p>h</p></blockquote></blockquote>"


def test_a_picture_stands_among_the_words_where_it_can() -> None:
    picture = Block(Kind.PICTURE, (Run('a "cat"'),), target="2")

    def shown(block: Block, run: Run | None) -> str:
        return markup.PictureLink("p1.2.2", "g1.2.2?m=1")

    said = '<p><a href="p1.2.2"><img src="g1.2.2?m=1" alt="a &quot;cat&quot;"/></a></p>'
    assert xhtml.block(picture, shown) == said
    assert wml.block(picture, shown) == '<p><a href="p1.2.2">[a &quot;cat&quot;]</a></p>'


def test_blanks_count_in_preformatted_text() -> None:
    said = wml.block(Block(Kind.PREFORMATTED, (Run("a   b\n c"),)), lead)
    assert said == "<p>a\u00a0\u00a0\u00a0b<br/>\u00a0c</p>"


_RUNS = st.lists(
    st.builds(
        Run,
        text=st.text(st.characters(blacklist_categories=()), max_size=30),
        strong=st.booleans(),
        emphasis=st.booleans(),
        code=st.booleans(),
        link=st.sampled_from(["", 'http://x/"><script>', "mailto:a@b?x=$y"]),
    ),
    min_size=1,
    max_size=4,
).map(tuple)


@given(
    st.builds(
        Block, st.sampled_from(Kind), _RUNS, quote=st.integers(0, 3), marker=st.sampled_from(["", "1."])
    )
)
def test_any_block_is_well_formed_and_measured_in_both_markups(block: Block) -> None:
    wml, xhtml = WmlScale(), XhtmlScale(BROWSER.charset)
    for device in (PHONE, BROWSER):
        said = markup.block(block, device, lead)
        assert "<script" not in said
        assert _text(said) is not None
        assert (
            wml.room([wml.piece(said)], 100_000) >= 0
            if device is PHONE
            else xhtml.room([xhtml.piece(said)], 100_000) >= 0
        )
