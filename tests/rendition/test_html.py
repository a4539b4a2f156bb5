"""HTML: what can be seen becomes blocks; what cannot is gone; no word is lost and nothing raises."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.rendition import HTML_CAP, Context, Kind, Position, render
from tests.rendition.mails import html_of, leaf, mail, said

FULL = Context(fold=False)


def text_of(html: str) -> str:
    return "\n".join(block.text for block in html_of(html, FULL) if block.kind is not Kind.NOTE)


def test_blocks() -> None:
    html = """
      <html><head><title>no</title><style>p{color:red}</style></head><body>
      <h1>News &amp; views</h1><p>One<br>two</p><p>Three <b>bold</b> and <i>slanted</i>
      <a href="https://example.org/x">linked</a>.</p><hr><hr><ol start=3><li>c<li>d<ul><li>e</ul></ol>
      <ol reversed type=I><li>x</li><li>y</li></ol><dl><dt>Term</dt><dd>Meaning</dd></dl></body></html>"""
    blocks = html_of(html)
    assert said(blocks) == [
        "heading News & views",
        "paragraph One\ntwo",
        "paragraph Three bold and slanted linked.",
        "rule",
        "item 3. c",
        "item 4. d",
        "item • e",
        "item II. x",
        "item I. y",
        "paragraph Term",
        "paragraph Meaning",
    ]
    assert [block.indent for block in blocks[4:]] == [0, 0, 1, 0, 0, 0, 1]
    runs = {run.text: run for run in blocks[2].runs}
    assert runs["bold"].strong
    assert runs["slanted"].emphasis
    assert runs["linked"].link == "https://example.org/x"


def test_positions_are_ordinals_and_reading_begins_at_any() -> None:
    html = "".join(f"<p>Paragraph {number}</p>" for number in range(20))
    message, bodies = mail(leaf("2.1", "text/html", html))
    blocks = list(render(message, FULL, bodies))
    assert [block.at for block in blocks] == [Position("2.1", number) for number in range(20)]
    for number, block in enumerate(blocks):
        assert list(render(message, FULL, bodies, block.at)) == blocks[number:]
    assert next(render(message, FULL, bodies, Position("2.1", 3, "", 10))).text == "3"


NEWSLETTER = """<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1">
<html xmlns="http://www.w3.org/1999/xhtml"><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8">
<!--[if mso]><xml><o:OfficeDocumentSettings/></xml><p>only Outlook</p><![endif]-->
<style type="text/css">@import url(x.css); .wide { width:600px } .mobile-only { display:none }
@media (max-width:480px) { .mobile-only { display:block !important } .desktop { display:none !important } }
/* .desktop { display:none } */ </style></head>
<body style="margin:0" bgcolor="#f0f0f0">
<div style="display:none;font-size:1px;color:#f0f0f0;max-height:0;overflow:hidden">Preview words you never see
&#847; &#847; &zwnj; &nbsp;</div>
<span style="display:none !important;visibility:hidden;opacity:0">hidden again</span>
<table width="100%" cellpadding="0" cellspacing="0" role="presentation"><tr><td align="center" style="font-size:0">
 <table class="wide"><tbody><tr><td style="font-size:14px;padding:20px">
   <a href="https://shop.example/"><img src="https://cdn.example/logo.png" width="200" height="50" alt="Lamp Shop"></a>
 </td></tr><tr><td height="20">&nbsp;</td></tr>
 <tr><td class="desktop" style="font-size:16px"><h2>Autumn lamps</h2><p>Light for the   dark
   season.</p><div class="mobile-only">for phones alone</div>
   <table><tr><td bgcolor="#c00"><a href="https://shop.example/buy?utm=1"
     style="color:#ffffff;mso-hide:all">Buy now</a></td></tr></table></td></tr>
 <tr><td style="font-size:12px"><table><tr><td><a href="https://shop.example/1">Desk</a></td>
   <td><a href="https://shop.example/2">Floor</a></td><td><a href="https://shop.example/3">Wall</a></td></tr></table>
 </td></tr>
 <tr><td style="font-size:11px;color:#999"><a href="https://shop.example/unsubscribe">Unsubscribe</a>
   <img src="https://track.example/o.gif" width="1" height="1" alt="pixel"><font color="#F0F0F0">salt words</font>
   <span style="color:#f0f0f0">on grey</span></td></tr></tbody></table>
</td></tr></table></body></html>"""


def test_a_newsletter_of_nested_tables() -> None:
    assert said(html_of(NEWSLETTER)) == [
        "paragraph Lamp Shop",
        "heading Autumn lamps",
        "paragraph Light for the dark season.",
        "paragraph Buy now",
        "paragraph Desk · Floor · Wall",
        "paragraph Unsubscribe",
    ]


@pytest.mark.parametrize(
    "hidden",
    [
        "<div style='display:none'>X</div>",
        "<div style='DISPLAY : NONE ;'>X</div>",
        "<span style='visibility:hidden'>X</span>",
        "<span style='font-size:0px'>X</span>",
        "<span style='font-size:1px'>X</span>",
        "<span style='font:0/0 a'>X</span>",
        "<div style='max-height:0;overflow:hidden'>X</div>",
        "<div style='height:0px;overflow:hidden'>X</div>",
        "<div style='opacity:0'>X</div>",
        "<div hidden>X</div>",
        "<span style='color:#fff'>X</span>",
        "<font color=white>X</font>",
        "<td bgcolor='#333333'><span style='color:rgb(51, 51, 51)'>X</span></td>",
        "<div style='background:#123456;color:#123457'>X</div>",
        "<div style='position:absolute;left:-9999px'>X</div>",
        "<script>X</script>",
        "<style>.h{display:none}</style><p class='a h'>X</p>",
        "<style>p.h, #i {display: none !important}</style><p id=i>X</p>",
        "<!-- X --><!--[if gte mso 9]>X<![endif]-->",
        "<iframe src='http://example.org'>X</iframe>",
        "<img src=x width=1 height=1 alt=X><img style='width:1px' alt=X><img src=spacer.gif alt=spacer>",
    ],
)
def test_what_cannot_be_seen_is_dropped(hidden: str) -> None:
    assert text_of(f"<p>before</p>{hidden}<p>after</p>") == "before\nafter"


@pytest.mark.parametrize(
    "shown",
    [
        "<div style='font-size:0'><span style='font-size:14px'>X</span></div>",
        "<div style='background:#000;color:#fff'>X</div>",
        "<table><tr><td background='x.png'><font color=white>X</font></td></tr></table>",
        "<div style='background:#fff url(x.png)'><font color=white>X</font></div>",
        "<style>.dark{background:#000}</style><p class=dark><font color=white>X</font></p>",
        "<style>@media print{.h{display:none}} .h{color:red}</style><p class=h>X</p>",
        "<style>.h{display:none}</style><p class=h style='display:block'>X</p>",
        "<a href='http://example.org' style='mso-hide:all'>X</a>",
        "<![if !mso]>X<![endif]>",
        "<noscript>X</noscript>",
        "<div style='max-height:0'>X</div>",
    ],
)
def test_what_can_be_seen_is_kept(shown: str) -> None:
    assert "X" in text_of(f"<p>before</p>{shown}<p>after</p>")


@pytest.mark.parametrize(
    ("href", "link"),
    [
        ("http://example.org/a b", "http://example.org/ab"),
        (" HTTPS://example.org", "https://example.org"),
        ("mailto:a@example.org?subject=x", "mailto:a@example.org?subject=x"),
        ("tel:+49 30 123", "tel:+4930123"),
        ("java\tscript:alert(1)", ""),
        ("&#106;avascript:alert(1)", ""),
        ("\x01javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("vbscript:x", ""),
        ("/relative", ""),
        ("//example.org", ""),
        ("http:example.org", ""),
        ("file:///etc/passwd", ""),
        ("http://" + "x" * 5000, ""),
    ],
)
def test_only_allowed_schemes_are_linked(href: str, link: str) -> None:
    (block,) = html_of(f'<a href="{href}">go</a>')
    assert (block.text, block.runs[0].link) == ("go", link)


def test_a_long_url_as_text_is_shown_short_and_leads_where_it_did() -> None:
    url = "https://www.example.org/" + "x" * 300
    (block,) = html_of(f'<p>See <a href="{url}">{url}</a></p>')
    assert (block.text, block.runs[1].link) == ("See example.org/…", url)


def test_a_linked_picture_without_words_says_where_it_leads() -> None:
    html = '<a href="https://www.example.org/x"><img src=a></a> <a href="https://b.example/"><img alt="B" src=b></a>'
    assert said(html_of(html)) == ["paragraph example.org B"]


def test_pictures_of_the_mail_are_blocks_and_remote_ones_words() -> None:
    from tests.rendition.mails import read, tree

    made = tree(
        "multipart/related",
        leaf(
            "1",
            "text/html",
            '<p>See<img src="cid:a@b" alt="A cat">there<img src="http://x/y.png" alt="a dog"></p>',
        ),
        leaf("2", "image/png", b"x", content_id="<a@b>"),
    )
    shown = read(made)
    assert said(shown) == ["paragraph See", "picture A cat", "paragraph there a dog"]
    assert shown[1].target == "2"
    assert said(read(made, Context(pictures=False))) == ["paragraph See A cat there a dog"]


DATA = """<table><tr><th>Item</th><th>&nbsp;</th><th>Price</th></tr>
<tr><td>Lamp</td><td></td><td>20 €</td></tr><tr><td>Desk <b>chair</b></td><td> </td><td>75 €</td></tr>
<tr><td colspan=2>Total</td><td>95 €</td></tr></table>"""


@pytest.mark.parametrize(
    ("html", "rows"),
    [
        (
            DATA,
            [
                "row Item: Lamp · Price: 20 €",
                "row Item: Desk chair · Price: 75 €",
                "row Total · Price: 95 €",
            ],
        ),
        (
            "<table><tr><td><b>Day</b></td><td><b>High</b></td></tr><tr><td>Mon</td><td>20</td></tr></table>",
            ["row Day: Mon · High: 20"],
        ),
        (
            "<table><tr><th>Order</th><td>1234</td></tr><tr><th>Date:</th><td>Monday</td></tr></table>",
            ["row Order: 1234", "row Date: Monday"],
        ),
        (
            (
                "<table><tr><th></th><th>Mon</th><th>Tue</th></tr><tr><th>Rome</th><td>20</td><td>21</td></tr>"
                "<tr><th>Oslo</th><td>9</td><td>8</td></tr></table>"
            ),
            ["row Rome · Mon: 20 · Tue: 21", "row Oslo · Mon: 9 · Tue: 8"],
        ),
        (
            "<table><tr><td>Subtotal</td><td>20 €</td></tr><tr><td>Shipping</td><td>5 €</td></tr></table>",
            ["row Subtotal · 20 €", "row Shipping · 5 €"],
        ),
        (
            "<table><tr><th>A</th><th>B</th></tr><tr><td rowspan=2>1</td><td>2</td></tr><tr><td>3</td></tr></table>",
            ["row A: 1 · B: 2", "row B: 3"],
        ),
    ],
)
def test_tables_of_data_become_rows(html: str, rows: list[str]) -> None:
    assert said(html_of(f"<p>x</p>{html}"))[1:] == rows


def test_layout_made_of_header_cells_is_no_data() -> None:
    html = (
        "<table><tr><th class='small-12'><table><tr><th><p>First column of some length.</p></th></tr></table></th>"
        "<th><table><tr><th><p>Second column which is long, too, and so on.</p></th></tr></table></th></tr></table>"
    )
    assert said(html_of(html)) == [
        "paragraph First column of some length.",
        "paragraph Second column which is long, too, and so on.",
    ]


def test_preformatted_text_is_read_as_text() -> None:
    html = "<pre>Hello,\n\n&gt; quoted\n\nItem      Price\nLamp      20\n</pre>"
    assert said(html_of(html, FULL)) == [
        "paragraph Hello,",
        "paragraph >quoted",
        "preformatted Item      Price\nLamp      20",
    ]


def test_line_ends_count_where_a_style_says_so() -> None:
    assert said(html_of("<div style='white-space:pre-wrap'>One\ntwo\n\nthree</div>")) == [
        "paragraph One\ntwo",
        "paragraph three",
    ]


def test_a_part_that_is_too_long_is_cut_and_says_so() -> None:
    message, bodies = mail(leaf("1", "text/html", "<p>word word word</p>" * 60_000))
    blocks = list(render(message, Context(), bodies))
    assert blocks[-1].kind is Kind.NOTE
    assert blocks[-2].text.startswith("word")
    assert bodies.pulled <= HTML_CAP + 8192
    assert list(render(message, Context(), bodies, blocks[-1].at)) == [blocks[-1]]


WORD = st.sampled_from(["one", "two", "Grüße", "今日", "&amp;", "a&nbsp;b", "9", "&#8204;", "&bogus;"])
TAG = st.sampled_from(
    [
        "p",
        "div",
        "b",
        "i",
        "table",
        "tr",
        "td",
        "th",
        "tbody",
        "ul",
        "ol",
        "li",
        "blockquote",
        "a",
        "pre",
        "h1",
        "h6",
        "span",
        "font",
        "center",
        "br",
        "hr",
        "img",
        "dl",
        "dt",
        "dd",
        "code",
        "o:p",
        "section",
        "form",
        "button",
        "caption",
    ]
)
SOUP = st.lists(
    st.one_of(
        WORD.map(lambda word: f" {word} "),
        TAG.map(lambda tag: f"<{tag}>"),
        TAG.map(lambda tag: f"</{tag}>"),
        st.sampled_from(
            [
                "<a href='http://example.org/'>",
                "<td colspan=3 rowspan=2>",
                "<li value=7>",
                "<ol type=a start=9>",
                "<",
                ">",
                "<![if !mso]>",
                "<p style='color:red;font-size:12px'>",
                "<div class=gmail_quote>",
                "<blockquote type=cite>",
            ]
        ),
    ),
    max_size=60,
).map("".join)


@settings(max_examples=400, deadline=None)
@given(SOUP)
def test_tag_soup_loses_no_words_and_keeps_their_order(soup: str) -> None:
    words = re.findall(r"one|two|Grüße|今日|9", re.sub(r"<[a-z/!][^<>]*>", " ", soup))
    blocks = [block for block in html_of(soup, FULL) if block.kind is not Kind.NOTE]
    shown = re.findall(r"one|two|Grüße|今日|9", "\n".join(block.text for block in blocks))
    if any(block.kind is Kind.ROW for block in blocks):
        assert set(words) <= set(shown)  # headers are said again in every row
    else:
        assert shown == words


@settings(max_examples=300, deadline=None)
@given(
    st.text(st.sampled_from("<>/='\"&;#!-[]ax \n\x00\x0b\ud800\u202e"), max_size=200) | st.text(max_size=200)
)
def test_nothing_raises_and_nothing_unseen_comes_out(html: str) -> None:
    for block in html_of(html.encode("utf-8", "surrogatepass")):
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]", block.text)


HOSTILE = {
    "nested": "'<div>' * 100_000 + 'hello' + '</div>' * 100_000 + '<p>after'",
    "nested tables": "'<table><tr><td>a<td>' * 30_000 + 'hello'",
    "nested quotes": "'<blockquote><ul><li>' * 40_000 + 'hello'",
    "attributes": "'<p ' + ' '.join(f'a{n}=1' for n in range(100_000)) + '>hello'",
    "styles": "''.join(f'<p style=\"color:#{n:06x};a{n}:b\">x' for n in range(30_000)) + 'hello'",
    "one style": "'<p style=\"' + 'a:b;' * 500_000 + '\">hello'",
    "a sheet": "'<style>' + '.a{' * 500_000 + '}' * 400_000 + '</style>hello'",
    "one line": "'word ' * 500_000 + 'hello'",
    "no blank": "'x' * 3_000_000 + ' hello'",
    "joiners": "'&zwj;' * 300_000 + 'hello'",
    "brackets": "'<' * 1_000_000 + ' hello'",
    "links": "'<a href=\"http://example.org/\"><img src=a>' * 100_000 + 'hello'",
    "a wide table": "'<table><tr>' + '<td rowspan=99 colspan=99>a' * 30_000 + 'hello'",
    "a long table": "'<table>' + '<tr><td>a<td>b' * 30_000 + '<tr><td>hello</table>'",
    "breaks": "'<br>' * 300_000 + 'hello'",
    "entities": "'&amp;' * 300_000 + 'hello'",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_html_is_read_in_bounded_time_and_memory(name: str) -> None:
    program = f"""
        import resource
        from gateway.rendition import html, roles
        source = {HOSTILE[name]}
        resource.setrlimit(resource.RLIMIT_CPU, (3, 3))
        used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 200 * 2**20,) * 2)
        drafts, full = html.read(source, True, True, {{}})
        segments = roles.segments(drafts, '1', True)
        assert full or 'hello' in ''.join(segment.block.text for segment in segments[-4:])
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
