"""HTML: what can be seen becomes blocks; what cannot is gone; no word is lost and nothing raises."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.rendition import HTML_CAP, Context, Kind, Position, render, roles
from gateway.rendition.html import converter as html
from gateway.rendition.html.html_octets import UNSEEN_CAP, without_pictures
from gateway.rendition.html.paragraphs import PREFORMATTED
from tests import bounded
from tests.rendition.mails import html_of, leaf, mail, read, said, tree

FULL = Context(fold=False)


def text_of(html: str) -> str:
    return "\n".join(block.text for block in html_of(html, FULL) if block.kind is not Kind.NOTE)


def test_a_page_becomes_blocks() -> None:
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


def test_a_later_sheet_changes_what_the_same_attributes_say() -> None:
    paragraph = "<p class=c id=i bgcolor=white style='margin:0'>%s</p>"
    sheets = {"{display:none}": "One Three", "{font-size:0}": "One Three", "{color:#fff}": "One Two Three"}
    for rule, left in sheets.items():
        page = f"<style>.z{rule}</style>{paragraph % 'One'}<style>.c{rule}</style>{paragraph % 'Two'}<p>Three</p>"
        assert text_of(page).split() == left.split()


def test_an_element_means_the_same_wherever_it_stands() -> None:
    white, bold = "<td style='color:#fff'>%s</td>", "<span style='font-weight:bold'>%s</span>"
    page = f"<table><tr bgcolor=black>{white % 'Seen'}</tr><tr>{white % 'Unseen'}</tr></table>"
    assert text_of(page * 2).split() == ["Seen", "Seen"]
    (block,) = html_of(f"<p>{bold % 'one'} <i>{bold % 'two'}</i></p>", FULL)
    assert [(run.text, run.strong, run.emphasis) for run in block.runs if run.text.strip()] == [
        ("one", True, False),
        ("two", True, True),
    ]


def test_the_same_element_changes_each_style_around_it() -> None:
    page = "<h2>One</h2><ul><li>a<h2>Two</h2></ul><h3>Three</h3>"
    headings = [block for block in html_of(page, FULL) if block.kind is Kind.HEADING]
    assert [(block.text, block.indent, block.level) for block in headings] == [
        ("One", 0, 2),
        ("Two", 1, 2),
        ("Three", 0, 3),
    ]
    link = "<span style='color:red'><a href=https://example.org/x>one</a></span>"
    (block,) = html_of(f"<p>{link} <i>{link}</i></p>", FULL)
    assert [run.emphasis for run in block.runs if run.link] == [False, True]


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
        "<font color=white><a href='http://example.org' style='color:inherit'>X</a></font>",
        "<a href='http://example.org'><font color=white>X</font></a>",
        "<font color=white><a name=here>X</a></font>",
        "<table bgcolor=black><tr><td><font color=black>X</font></td></tr></table>",
        "<table bgcolor=black><span style='font-size:0;color:black'>X</span><tr><td></td></tr></table>",
        "<td bgcolor='#333333'><span style='color:rgb(51, 51, 51)'>X</span></td>",
        "<div style='background:#123456;color:#123457'>X</div>",
        "<div style='position:absolute;left:-9999px'>X</div>",
        "<div style='max-height:0'>X</div>",
        "<span style='color:#fefefe01'>X</span>",
        "<span style='color:#0000'>X</span>",
        "<p style='color:rgba(0,0,0,0)'>X</p>",
        "<p style='color:rgb(0 0 0 / 0%)'>X</p>",
        "<p style='color:hsla(120,100%,50%,0.01)'>X</p>",
        "<p style='color:transparent'>X</p>",
        "<div style='height:2px;max-height:2px;overflow-y:hidden'>X</div>",
        "<div style='height:1px;overflow:hidden'>X</div>",
        "<span style='display:inline-block;width:1px;overflow:hidden'>X</span>",
        "<div style='position:absolute;clip:rect(0,0,0,0)'>X</div>",
        "<div style='position:absolute; clip: rect(1px 1px 1px 1px)'>X</div>",
        "<div style='clip-path:inset(50%)'>X</div>",
        "<div style='clip-path: inset(0 100% 0 0)'>X</div>",
        "<div style='clip-path:circle(0)'>X</div>",
        "<div style='clip-path:polygon(0 0, 0 0, 0 0)'>X</div>",
        "<div style='transform:scale(0)'>X</div>",
        "<div style='transform: translate(3px) scaleX(0.001)'>X</div>",
        "<div style='opacity:0.01'>X</div>",
        "<div style='filter:alpha(opacity=0)'>X</div>",
        "<p style='text-indent:-9999px'>X</p>",
        "<p style='text-indent:100%;white-space:nowrap;overflow:hidden'>X</p>",
        "<p style='font-size:0.5px'>X</p>",
        "<p style='font-size:2px'>X</p>",
        "<style>.o{opacity:0}</style><p class=o>X</p>",
        "<div style='-webkit-transform:scale(0)'>X</div>",
        "<div style='content-visibility:hidden'>X</div>",
        "<p style='font-size:.1em'>X</p>",
        "<p style='color:hsl(0, 0%, 100%)'>X</p>",
        "<p style='text-indent:200%;overflow:hidden;white-space:nowrap'>X</p>",
        "<style>.c{color:#fefefe01}</style><p class=c>X</p>",
        "<style>.c{height:1px;overflow:hidden}</style><p class=c>X</p>",
        "<style>.a{color:red}</style><span class=b style='color:#fff'>X</span>",
        "<p>&#8203;&#8204;&#8205;&#847;&zwnj;&nbsp;</p>",
        "<math><semantics><annotation encoding=tex>X</annotation></semantics></math>",
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
        "<div style='color:rgba(255,255,255,.9)'>X</div>",
        "<div style='background:#16213e;color:#fff'><p style='background:rgba(255,255,255,0.1)'>X</p></div>",
        "<div style='background:#fff1;color:#fff'>X</div>",
        "<div style='background:teal;color:#fff'>X</div>",
        "<div style='background:hsl(210,50%,20%);color:#fff'>X</div>",
        "<p style='font-size:.8em'>X</p>",
        "<style>.c{color:transparent} p.c b{color:red}</style><p class=c><b>X</b></p>",
        "<style>.c{color:transparent} .c{color:#000}</style><p class=c>X</p>",
        "<div style='background:var(--dark);color:#fff'>X</div>",
        "<div style='background:linear-gradient(#000, #111);color:#fff'>X</div>",
        "<div style='background-image:url(x.png);color:#fff'>X</div>",
        "<font color=white><font color=teal>X</font></font>",
        "<font color=white><a href='http://example.org'>X</a></font>",
        "<div style='color:transparent'><a href='http://example.org'>X</a></div>",
        "<table bgcolor=black><font color=black>X</font><tr><td></td></tr></table>",
        "<table bgcolor=black><tr><td></td><font color=black>X</font></tr></table>",
        "<div style='color:#fff'><p style='color:slateblue'>X</p></div>",
        "<div style='color:transparent'><p style='color:#000'>X</p></div>",
        "<h1 style='color:transparent;-webkit-background-clip:text;background-image:url(x)'>X</h1>",
        "<h1 style='color:transparent;text-shadow:0 0 #000'>X</h1>",
        "<style>td p{color:#000}</style><table><tr><td style='color:#fff'><p>X</table>",
        "<style>.dark td{background:#000}</style><table class=dark><tr><td><font color=white>X</table>",
        "<style>body{background:#000}</style><p style='color:#fff'>X</p>",
        "<p>a</p><style>* {background:#000}</style><p style='color:#fff'>X</p>",
        "<style>@media screen{#d{background:#000}}</style><div id=d><font color=white>X</font></div>",
        "<style>td.a > div{font-size:13px}</style><table><tr><td style='font-size:0'><div>X</div></table>",
        "<table><tr><td style='height:1px;overflow:hidden'>X</table>",
        "<span style='height:1px;overflow:hidden'>X</span>",
        "<div style='height:1px;min-height:20px;overflow:hidden'>X</div>",
        "<div style='height:1em;overflow:hidden'>X</div>",
        "<div style='clip:rect(0,0,0,0)'>X</div>",
        "<div style='position:absolute;clip:rect(0,auto,20px,0)'>X</div>",
        "<div style='clip-path:inset(10% 0 10% 0)'>X</div>",
        "<div style='clip-path:polygon(0 0,100% 0,100% 100%)'>X</div>",
        "<div style='transform:scale(0.9)'>X</div>",
        "<div style='opacity:.5'>X</div>",
        "<div style='opacity:0;animation:in 1s forwards'>X</div>",
        "<p style='text-indent:-18pt'>X</p>",
        "<map name=m><p>X</p>",
        "<object data=x.swf><param name=a><p>X</p></object>",
        "<video><source src=a>X</video>",
        "<audio>X",
        "<canvas>X</canvas>",
        "<applet>X</applet>",
        "<embed src=x>X",
        "<frameset><noframes>X</noframes></frameset>",
        "<svg><title>no</title><g><text x=1>X</text></g></svg>",
        "<math><mi>X</mi></math>",
    ],
)
def test_what_can_be_seen_is_kept(shown: str) -> None:
    assert "X" in text_of(f"<p>before</p>{shown}<p>after</p>")


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<body bgcolor=black><p>a</p></body></html><font color=white>X</font>", "a\nX"),
        ("<body bgcolor=black><p>a</p></body></html><font color=black>X</font>", "a"),
        ("<table><tr><td>a</table><body text=red bgcolor='#000'><font color=white>X</font>", "a\nX"),
        ("<table><tr><td>a</table><BODY BgColor=black><font color=black>X</font>", "a"),
        ("<p>a<body style='background:url(x)'><p><font color=white>X</font>", "a\nX"),
        ("<p>a<body link=red><p><font color=white>X</font>", "a"),
    ],
)
def test_behind_the_whole_page_is_the_ground_of_its_body(page: str, text: str) -> None:
    assert text_of(page) == text


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
    assert said(html_of(html)) == ["paragraph Picture (example.org) B"]


def links_of(html: str) -> list[tuple[str, str]]:
    return [(run.text.strip(), run.link) for block in html_of(html, FULL) for run in block.runs if run.link]


ONE, TWO = "http://e.example/1", "http://e.example/2"


@pytest.mark.parametrize(
    ("page", "links"),
    [
        (
            f"<a href={ONE}><img src=a></a> <a href={TWO}><img src=b></a>",
            [("Picture (e.example)", ONE), ("2", TWO)],
        ),
        (
            f"<p><a href={ONE}><img src=a></a><p><a href={TWO}><img src=b></a>",
            [("Picture (e.example)", ONE), ("2", TWO)],
        ),
        (
            f"<p><a href={ONE}><img src=a></a><p>Lamps<p><a href={TWO}><img src=b></a>",
            [("Picture (e.example)", ONE), ("Picture 2", TWO)],
        ),
        (
            f"<a href={ONE}><img src=buy_now.gif></a> Lamps <a href={TWO}><img src=buy_now.gif></a>",
            [("buy now", ONE), ("buy now 2", TWO)],
        ),
        (f"<a href={ONE}><img src=a></a> <a href={ONE}><img src=b></a>", [("Picture (e.example)", ONE)]),
        (
            f"<a href={ONE}><img src=a></a> A <a href=http://f.example/><img src=b></a> <a href={TWO}><img src=c></a>",
            [
                ("Picture (e.example)", ONE),
                ("Picture 2 (f.example)", "http://f.example/"),
                ("Picture 3 (e.example)", TWO),
            ],
        ),
        (f"<a href={ONE}><img src=red_lamp.jpg></a> <a href={ONE}>Buy it</a>", [("Buy it", ONE)]),
        (
            f"<p>A <a href={ONE}><img src=a></a> B<p>C<p><a href={TWO}>Blue lamp</a> <a href={ONE}>Red lamp</a>",
            [("Blue lamp", TWO), ("Red lamp", ONE)],
        ),
        (
            f"<table><tr><td><a href={ONE}><img src=a></a><td><a href={TWO}><img src=b></a></table>",
            [("Picture (e.example)", ONE), ("2", TWO)],
        ),
        (f"<a href={ONE}><img src=a></a> <a href={ONE}>Red lamp</a>", [("Red lamp", ONE)]),
        (f"<a href={ONE}>Red lamp</a> <a href={ONE}><img src=a></a>", [("Red lamp", ONE)]),
        (f"<p><a href={ONE}><img src=a></a><p><a href={ONE}>Red lamp</a>", [("Red lamp", ONE)]),
        (f"<p><a href={ONE}>Red lamp</a><p><a href={ONE}><img src=a></a>", [("Red lamp", ONE)]),
        (
            f"<p><a href={ONE}>Red lamp</a><p><a href={TWO}><img src=a></a>",
            [("Red lamp", ONE), ("Picture (e.example)", TWO)],
        ),
        (
            f"<p><a href={ONE}><img src=a></a><hr><p>To unsubscribe, click <a href={ONE}>here.</a>",
            [("Picture (e.example)", ONE), ("here.", ONE)],
        ),
        (
            f"<p><a href={ONE}><img src=a></a><p>Dear Anna,<p>We have the lamp. Click <a href={ONE}>here.</a>",
            [("here.", ONE)],
        ),
        (
            f"<p>Lamps<p><a href={ONE}><img src=a></a><p>Red lamp, now 5 Euro. <a href={ONE}>Buy</a>",
            [("Buy", ONE)],
        ),
        (f"<p><a href={ONE}><img src=a></a> Red lamp, now 5 Euro. <a href={ONE}>Buy</a>", [("Buy", ONE)]),
    ],
)
def test_each_picture_that_leads_somewhere_else_is_a_link(page: str, links: list[tuple[str, str]]) -> None:
    assert links_of(page) == links


def test_areas_of_an_image_map_and_fallbacks_are_links() -> None:
    page = (
        "<img src=all.png usemap='#m' alt='Our offers'><map name=m><area href='https://e.example/shoes' alt=Shoes>"
        "<area href='https://e.example/hats' title=Hats><area href='https://f.example/x'><area alt=Nothing></map>"
        "<video><a href='https://e.example/film'>Watch</a></video>"
        "<svg><a xlink:href='https://e.example/plan'><text>Plan</text></a></svg>"
    )
    assert links_of(page) == [
        ("Shoes", "https://e.example/shoes"),
        ("Hats", "https://e.example/hats"),
        ("Picture (f.example)", "https://f.example/x"),
        ("Watch", "https://e.example/film"),
        ("Plan", "https://e.example/plan"),
    ]


def test_pictures_that_show_nothing_have_no_name() -> None:
    for picture in ("src=o.gif width=1", "src=x/blank.gif", "src=spacer2.png", "src=x/clear.gif height=9"):
        assert text_of(f"<p>Hi<a href={ONE}><img {picture}></a>") == "Hi"


def test_buttons_of_forms_lead_where_the_form_does() -> None:
    page = (
        "<form action='https://e.example/go'><input type=image src=b.png alt='Go on'><br>"
        "</form><form action='https://e.example/look'><input type=image src=look_here.gif></form>"
        "<form action='https://e.example/go'>"
        "<input type=submit value=Send></form>"
        "<form action='https://e.example/post' method=post><input type=submit value=Vote></form>"
        "<a href='https://e.example/buy'><input type=image alt='Buy now'></a><input type=text value=field>"
    )
    assert links_of(page) == [
        ("Go on", "https://e.example/go"),
        ("look here", "https://e.example/look"),
        ("Send", "https://e.example/go"),
        ("Buy now", "https://e.example/buy"),
    ]
    assert "Vote" in text_of(page)
    assert "field" not in text_of(page)


def test_formulas_and_drawings_keep_their_words_apart() -> None:
    formula = (
        "<math><mfrac><mrow><mn>1</mn><mo>+</mo><mi>x</mi></mrow><mn>2</mn></mfrac>"
        "<msup><mi>y</mi><mn>3</mn></msup></math>"
    )
    assert text_of(f"<p>It is {formula}.</p>") == "It is 1+x/2y^3."
    assert text_of(
        "<svg><text><tspan x=1 y=2>One</tspan><tspan x=1 dy=9>two</tspan></text><text>three</text></svg>"
    ) == ("One two\nthree")


@pytest.mark.parametrize(
    ("page", "blocks"),
    [
        (
            "<a href='http://e.example/w'><img alt=Wordle src=a></a><a href='http://e.example/w'>Wordle</a>",
            ["Wordle"],
        ),
        (
            "<img alt='Memory Foam' src=a><p><b>Memory Foam</b> that gives support</p>",
            ["Memory Foam that gives support"],
        ),
        (
            "<h2>The White Whale</h2><img alt='the white whale.' src=a><p>Chapter 1</p>",
            ["The White Whale", "Chapter 1"],
        ),
        ("<p>Nike <img alt=Nike src=a> shoes</p>", ["Nike shoes"]),
        ("<p><img alt=star src=a><img alt=star src=a><img alt=star src=a> of three</p>", ["star of three"]),
        ("<p>A cat <img alt='a dog' src=a> a cow</p>", ["A cat a dog a cow"]),
        ("<p>See <img alt=photo_12.jpg src=a><img alt='[cid:x@y]' src=a>below</p>", ["See below"]),
        (
            "<p>See<img alt=600x300 src=a><img alt='88 × 31' src=a></p><p><img alt=4x4 src=a></p>",
            ["See", "4x4"],
        ),
        ("<p>Bookshop</p><p><img alt=Book src=a></p>", ["Bookshop", "Book"]),
    ],
)
def test_the_name_of_a_picture_is_said_once(page: str, blocks: list[str]) -> None:
    assert [block.text for block in html_of(page)] == blocks


@pytest.mark.parametrize(
    ("page", "links"),
    [
        (
            "<p>See https://e.example/a?b=1, or www.e.example.",
            ["https://e.example/a?b=1", "http://www.e.example"],
        ),
        ("<td>Write to <b>anna@e.example</b>!", ["mailto:anna@e.example"]),
        ("<p><a href='https://f.example/'>https://e.example/</a>", ["https://f.example/"]),
        ("<p>anna@e.example@f.example", []),
        ("<p>https://e.example/on<b>ly</b>", []),
    ],
)
def test_urls_and_addresses_in_the_text_are_links(page: str, links: list[str]) -> None:
    for context in (FULL, Context()):
        assert [run.link for block in html_of(page, context) for run in block.runs if run.link] == links
    assert "e.example" in text_of(page)


@pytest.mark.parametrize(
    ("link", "name"),
    [
        ("href='https://www.e.example/offers/green-lamps.html'><img src=a>", "e.example/…/green-lamps.html"),
        ("href='https://www.e.example/offers'><img src=a>", "e.example/offers"),
        ("href='https://www.e.example/c/1234567'><img src=a>", "Picture (e.example)"),
        ("href='https://www.e.example/click?q=1'><img src=a>", "Picture (e.example)"),
        ("href='https://e.example/x'><img src=a alt=Image title='Green lamps'>", "Green lamps"),
        ("href='https://e.example/x' title='Green lamps'><img src=a alt=logo>", "Green lamps"),
        ("href='https://e.example/x' aria-label='Green lamps'><img src=a>", "Green lamps"),
        ("href='https://e.example/x'><img src='https://f.example/i/btn_unsubscribe.gif?v=2'>", "unsubscribe"),
        ("href='https://e.example/x'><img src=dot.gif width=9><img src=top_story2.jpg>", "top story"),
        ("href='https://e.example/x'><img src=Red%20lamp.png>", "Red lamp"),
        ("href='https://e.example/x'><img src=Facebook_logo_white.png>", "Facebook"),
        ("href='https://e.example/x'><img src=backHeader1.gif>", "Picture (e.example)"),
        ("href='https://e.example/x'><img src=top_left.gif>", "Picture (e.example)"),
        ("href='https://e.example/x'><img src=1692954363_IwohWult.png>", "Picture (e.example)"),
        (
            "href='https://e.example/x'><img src=949450ef-e41d-47d9-9eec-d5af0ef33fe7.png>",
            "Picture (e.example)",
        ),
        ("href='https://e.example/x'><img src=R8WVgRdC.png>", "Picture (e.example)"),
        ("href='https://e.example/x'><img src=lampandhouseandgardenmail.png>", "Picture (e.example)"),
        ("href='https://e.example/x'><img src=x.gif alt=10354>", "Picture (e.example)"),
        ("href='https://e.example/x'><img src=x.gif alt=illustr4>", "Picture (e.example)"),
        ("href='https://e.example/x'><img src=a alt=HMQB355IN8S94I8N8THTD1I5YX14LE>", "Picture (e.example)"),
        (
            "href='https://e.example/x'><img src=vnwyhj.png alt=https://f.example/vnwyhj.png>",
            "Picture (e.example)",
        ),
        ("href='https://e.example/PrivacyPolicy.jsp?siteId=159'><img src=a>", "e.example/…/PrivacyPolicy"),
        ("href='https://e.example/m/unsubscribe?u=1&k=2'><img src=a>", "e.example/…/unsubscribe"),
        ("href='https://e.example/pycub.php?u=1&k=2'><img src=a>", "Picture (e.example)"),
        ("href='https://e.example/x'><img src=fullpage.png>", "Picture (e.example)"),
        ("href='https://e.example/x'><img src=torICsI.png>", "Picture (e.example)"),
        ("href='https://e.example/x'><img src=https://i.imgur.com/lamp.png>", "Picture (e.example)"),
        ("href='https://e.example/x'><img src=//static.xx.fbcdn.net/lamp.png>", "Picture (e.example)"),
        ("href='https://e.example/x'><img src=https://e.example/i.imgur.com/greenLamps.png>", "greenLamps"),
        (
            "href='https://e.example/go?u=https%3A%2F%2Ff.example%2Fgreen-lamps'><img src=a>",
            "e.example/…/green-lamps",
        ),
        ("href='https://u3.ct.sendgrid.net/ls/click?upn=u1'><img src=a>", "Picture"),
        ("href='https://u3.ct.sendgrid.net/ss/c/u1.2'><img src=a>", "Picture"),
        ("href='https://e.example/order/006050777'><img src=a>", "e.example/…/order"),
        ("href='https://x.awstrack.me/L0/https:%2F%2Ff.example%2Flamps/1/2'><img src=a>", "f.example/lamps"),
        ("href='mailto:anna@e.example?subject=x'><img src=a>", "anna@e.example"),
        ("href='mailto:?subject=Green%20lamps&body=See%20here'><img src=a>", "Green lamps"),
        ("href='mailto:?body=See%20here'><img src=a>", "mailto:"),
        ("href='https://e.example/x'><img src=1x1.gif width=135 height=45>", "Picture (e.example)"),
    ],
)
def test_a_linked_picture_is_named_by_what_is_known_of_it(link: str, name: str) -> None:
    (run,) = (run for block in html_of(f"<a {link}</a>") for run in block.runs if run.link)
    assert run.text == name


def test_a_picture_of_which_nothing_is_known_is_called_so_in_the_language_of_the_person() -> None:
    page = "<a href='http://e.example/1'><img src=a></a>"
    german = Context(translate={"Picture": "Bild"}.__getitem__)
    assert said(html_of(page, german)) == ["paragraph Bild (e.example)"]


def test_the_name_of_a_picture_says_nothing_by_calling_itself_a_logo() -> None:
    page = f"<p><a href={ONE}><img alt='Lamp House logo' src=a></a><p><a href={ONE}>Lamp House</a>"
    assert links_of(page) == [("Lamp House", ONE)]
    assert text_of("<p><img alt='Picture of red lamp' src=a><p>Red lamp") == "Red lamp"
    assert text_of("<p><img alt='Logo' title='Logo' src=a><p>Red lamp") == "Red lamp"
    assert text_of("<p><img alt='Logo design' src=a><p>Red lamp") == "Logo design\nRed lamp"


def test_the_name_of_a_picture_is_not_repeated_at_the_end() -> None:
    logo = "<p><img alt='Lamp House' src=a>"
    assert text_of(f"{logo}<p>Hello{logo}<p>Yours") == "Lamp House\nHello\nYours"
    linked = f"<p><a href={TWO}><img alt='Lamp House' src=a></a>"
    assert [link for _text, link in links_of(f"{logo}<p>Hello{linked}")] == [TWO]
    yes = "<p><img alt=yes src=a>"
    assert text_of(f"{yes}<p>A{yes}<p>B") == "yes\nA\nyes\nB"


@pytest.mark.parametrize(
    ("page", "links"),
    [
        (f"<td><a href={ONE}>\n <table><tr><td> Pay now</table>\n</a> B", [("Pay now", ONE)]),
        (f"<p>Hi <a href={ONE}> <table><tr><td><b>Pay</b> now</table></a> B", [("Pay", ONE), ("now", ONE)]),
        (f"<a href={ONE}><fieldset>Pay now</fieldset></a> B", [("Pay now", ONE)]),
        (f"<a href={ONE}><table><tr><td><img src=red_lamp.png></table></a> B", [("red lamp", ONE)]),
        (f"<a href={ONE}><table><tr><td><a href={TWO}>Y</a><td>Z</table></a>", [("Y", TWO), ("Z", ONE)]),
        (f"<a href={ONE}></a> <table><tr><td>B</table>", []),
        (f"<a href={ONE}></a><p><table><tr><td>B</table>", []),
        (f"<a href={ONE}>A</a><table><tr><td>B</table>", [("A", ONE)]),
    ],
)
def test_a_table_in_a_link_is_a_link(page: str, links: list[tuple[str, str]]) -> None:
    assert links_of(page) == links


@pytest.mark.parametrize(
    "page",
    [
        f"<td style='font-size:0px'><a href={ONE}><img src=a width=600></a>",
        f"<p><a href={ONE}><div style='background:url(x.png);width:632px;height:99px;text-indent:-9999px'> </div></a>",
        f"<p><a href={ONE}><div style='background-image:url(x.png);height:99px'></div></a>",
        f"<p>Hi<a href={ONE}> <img src=a> </a>B",
    ],
)
def test_a_picture_is_seen_whatever_the_size_of_text_and_as_a_background_too(page: str) -> None:
    assert links_of(page) == [("Picture (e.example)", ONE)]


def test_a_background_without_height_is_no_picture() -> None:
    assert links_of(f"<p>A<a href={ONE}><div style='background:url(x.png)'></div></a>") == []
    assert links_of(f"<p><a href={ONE}><div style='background:url(x.png);height:99px'>Lamps</div></a>") == [
        ("Lamps", ONE)
    ]


@pytest.mark.parametrize(
    "style", ["display:none", "display:inline-block;width:0;overflow:hidden", "font-size:9px"]
)
def test_a_rule_for_a_tag_hides_what_is_in_it(style: str) -> None:
    sheet = f"u {{ {style} }} .shown {{ display: block }} p {{ display: none }}"
    page = f"<style>{sheet}</style>Le<u>filler</u>dg<u style='display:inline'>e</u>r<p>Yours"
    assert text_of(page).replace("\n", " ") == ("Lefillerdger Yours" if "font" in style else "Ledger Yours")


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>Hi<SELECT>A<option>B<option>C</select>D", "HiD"),
        ("<h2>Lamps<select>A<br>B</h2> <p>C</p> D</select> E<p>F", "Lamps E\nF"),
        ("<p>Hi<select>filler<h2>filler</h2><p>filler", "Hi"),
        ("<h2><select>A</h2><p>nothing else", "nothing else"),
    ],
)
def test_what_is_in_a_choice_is_not_read(page: str, text: str) -> None:
    assert text_of(page) == text


def test_what_is_for_browsers_without_frames_is_not_read_where_there_are_none() -> None:
    assert text_of("<noframes><xml><style></xml></noframes><p>Hello") == "Hello"


def test_tags_and_selectors_that_pad_words_are_gone() -> None:
    assert text_of("<p>Mi\U000e0139\U000e0139cr\U000e0061o") == "Micro"


def test_a_key_is_no_name_of_a_picture() -> None:
    assert text_of("<p>A<p><img src=x alt='Xwu_aVWvEzhB4vvkFNvc3yNzT0m-kljXQbYyq6pAyJICYo'>") == "A"
    assert text_of("<p>A<p><img src=x alt='Lamps-of-2023-and-2024-in-all-colours'>") != "A"


def test_a_selector_of_nothing_is_no_text() -> None:
    page = f"<p><a href={ONE}>Lamps</a><a href={TWO}>\ufe0e</a> <a href={TWO}>\u2754\ufe0f</a>"
    assert links_of(page) == [("Lamps", ONE), ("\u2754\ufe0f", TWO)]


@pytest.mark.parametrize("end", ["", "</pre>"])
def test_preformatted_texts_count_as_the_blocks_that_they_cost(end: str) -> None:
    page = f"<pre>x{end}"
    assert html.read(page * 4000, True, True, {})[1] is False
    drafts, full = html.read(page * html.BLOCKS_LIMIT, True, True, {})
    assert full
    assert 4000 < len(drafts) <= html.BLOCKS_LIMIT // (1 + PREFORMATTED) + 2


def test_breaks_that_wrap_prose_at_a_column_are_joined_and_no_others() -> None:
    prose = (
        "Let us assume that <b>every person has only</b> one address of mail,<br>\n"
        "that is five hundred million potential readers and growing! In <br>"
        "addition, letters are without question the most powerful means of<i><br>telling people</i> of lamps."
    )
    assert "\n" not in text_of(f"<p>{prose}")
    assert "  " not in text_of(f"<p>{prose}")
    apart = (
        "Lamp Master 2002 of the year - the best lamp that there ever was<br>"
        "Lamp Doctor 2002 of the year - the best lamp that there ever was<br>"
        "Lamp Viewer 2002 of the year - the best lamp that there ever was"
    )
    address = "Anna Vale<br>of the house with the many lamps behind the old mill<br>12345 Town"
    for page in (apart, address):
        assert text_of(f"<p>{page}").count("\n") == 2


def test_letters_in_fonts_of_drawings_are_what_they_draw() -> None:
    assert text_of(
        "<p>Yes <span style='font-family:Wingdings'>J</span> and <font face=Webdings>a</font>No cost"
    ) == ("Yes :-) and • No cost")
    assert text_of("<p style='font-family:Wingdings'>Words <font face=Arial>J</font>") == "Words J"


def test_a_link_that_is_a_drawing_is_named_like_that_of_a_picture() -> None:
    drawing = "<p><font face=Webdings><a href='http://example.org/house'>H</a></font>"
    assert text_of(drawing) == "example.org/house"
    assert text_of(f"{drawing}<p><a href='http://example.org/house'>The house</a>") == "The house"


def test_a_letter_in_blockquotes_is_no_quotation() -> None:
    letter = "<blockquote>A letter with a margin.</blockquote>"
    assert [block.quote for block in html_of(letter + "<p>Yours</p>")] == [0, 0]
    assert [
        block.quote for block in html_of(letter + "<p>He said that, and I have much to say about it.")
    ] == [
        1,
        0,
    ]


@pytest.mark.parametrize(
    ("cell", "quotes"),
    [
        ("<blockquote>Terms apply.</blockquote>", [0, 0, 0]),
        ("<p><blockquote><p>Terms<p>apply.</blockquote></p>", [0, 0, 0, 0]),
        ("<blockquote><table><tr><td>Terms<td>apply.</table></blockquote>", [0, 0, 0]),
        ("<blockquote>Terms <blockquote>apply.</blockquote></blockquote>", [0, 0, 0, 0]),
        # Quotations
        ("<blockquote>Terms apply.</blockquote>I agree.", [0, 1, 0, 0]),
        ("I read:<blockquote>Terms apply.</blockquote>", [0, 0, 1, 0]),
        ("I read:<tr><td><blockquote>Terms apply.</blockquote>", [0, 0, 1, 0]),
        ("<blockquote type=cite>Terms apply.</blockquote>", [0, 1, 0]),
    ],
)
def test_a_blockquote_that_fills_a_cell_is_a_margin(cell: str, quotes: list[int]) -> None:
    above = "<p>The lamp of the month, which shines all night, costs ten crowns."
    page = f"{above}<table role=presentation><tr><td>{cell}</table><p>Yours, Ann"
    assert [block.quote for block in html_of(page)] == quotes


def test_a_long_name_keeps_its_figures() -> None:
    row = "<tr><td>1.<td>Lamps that hang from the ceiling of a house (with oil)<td>2<td>84<td>9,082"
    assert text_of(f"<table role=presentation>{row}</table>") == (
        "1. Lamps that hang from the ceiling of a house (with oil) · 2 · 84 · 9,082"
    )


def test_joiners_inside_words_that_do_not_join_are_gone() -> None:
    assert text_of("<p>No&zwnj;. 1&zwnj;2&zwj;&zwnj;0 wa&zwj;p Ελ&zwnj;λ</p>") == "No. 120 wap Ελλ"
    assert (
        text_of("<p>می&zwnj;خواهم \U0001f468\u200d\U0001f469") == "می\u200cخواهم \U0001f468\u200d\U0001f469"
    )


def test_the_name_of_a_picture_takes_no_link_with_it() -> None:
    page = "<a href='http://e.example/1'><img alt='Red lamp' src=a></a><p>Red lamp</p>"
    assert links_of(page) == [("Red lamp", "http://e.example/1")]
    assert text_of(page) == "Red lamp"
    page = "<a href='http://e.example/1'><img alt=Buy src=a></a><p><a href='http://e.example/2'>Buy</a></p>"
    assert [link for _text, link in links_of(page)] == ["http://e.example/1", "http://e.example/2"]
    table = (
        "<table><tr><th>A<th>B<th>C</tr>"
        + "<tr><td>x<td><img alt=yes src=a><td><img alt=yes src=a></tr>" * 2
        + "</table>"
    )
    assert said(html_of(table)) == ["row A: x · B: yes · C: yes"] * 2


PREHEADER = "<div>Your bill of May is ready, and more…</div>"


@pytest.mark.parametrize(
    ("page", "first"),
    [
        (
            PREHEADER + "<p>Hello Bob,</p><p>your bill of May is ready, and more of it than ever.</p>",
            "Hello Bob,",
        ),
        (
            PREHEADER + "<h1>Your bill of May is ready and more</h1><p>Hello",
            "Your bill of May is ready and more",
        ),
        (PREHEADER + "<p>Hello Bob,</p><p>something else.</p>", "Your bill of May is ready, and more…"),
        ("<p>Row, row, row your boat</p><p>Row, row, row your boat</p>", "Row, row, row your boat"),
        ("<p>Hello Bob</p><p>Hello Bob, how are you?</p>", "Hello Bob"),
        (
            "<p><a href='http://a.example/'>See it in your browser</a></p><h1>See it in your browser</h1>",
            "See it in your browser",
        ),
    ],
)
def test_a_preheader_is_read_only_where_it_says_something(page: str, first: str) -> None:
    blocks = html_of(page)
    assert blocks[0].text == first
    assert [block.at.start for block in blocks] == list(range(len(blocks)))


def test_an_element_that_a_class_makes_a_block_stands_on_lines_of_its_own() -> None:
    sheet = "<style>.num{display:block}.lab{display:block}.in{display:block}</style>"
    page = (
        sheet
        + "<div><span class=num>9457</span><span class=lab>Happy</span> <i class=in style='display:inline'>ones</i>"
    )
    assert text_of(page) == "9457\nHappy\nones"
    assert text_of(sheet + "<p>a<i class=in style='display:inline'>b</i></p>") == "ab"


def test_pictures_of_the_mail_are_blocks_and_remote_ones_words() -> None:
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


def test_a_picture_of_the_mail_that_is_a_link_has_it_behind_it() -> None:
    page = "".join(
        f"<a href=https://e.example/{name}><img src=cid:a@b {alt}></a>"
        for name, alt in (("one", "alt=Sofa"), ("two", ""))
    )
    picture = leaf("2", "image/png", b"x", content_id="<a@b>")
    shown = read(tree("multipart/related", leaf("1", "text/html", page), picture))
    assert said(shown) == ["picture Picture", "paragraph Sofa", "picture Picture", "paragraph e.example/two"]
    assert [run.link for block in shown for run in block.runs if run.link] == [
        "https://e.example/one",
        "https://e.example/two",
    ]


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


FOOTER = "\n-----------------------------\nSponsored by: R&D <no@e.example>\nGet it now\n\nlast line\n"


@pytest.mark.parametrize(
    ("page", "blocks"),
    [
        (f"<html><p>Letter</p></html>{FOOTER}", ["Letter", "", *FOOTER.split("\n")[2:4], "last line"]),
        (f"<p>Letter</p><br>{FOOTER}", ["Letter", "", *FOOTER.split("\n")[2:4], "last line"]),
        ("<p>Letter</p>\nOne\nTwo\n", ["Letter", "One Two"]),
        ("<p>Letter</p>\n-- \nOne\nTwo\n", ["Letter", "One\nTwo"]),
        ("<p>Letter</p></html>\nOne\nTwo\n", ["Letter", "One\nTwo"]),
        ("<p>Letter</p></html>\n<p>One\nTwo\n", ["Letter", "One Two"]),
        ("<p>Letter</p><!-- One\nTwo\n", ["Letter"]),
        ("<frameset><frame src=a><noframes><body><p>A <b>page</b></body></noframes></frameset>", ["A page"]),
    ],
)
def test_text_that_is_appended_to_a_page_and_what_stands_for_frames(page: str, blocks: list[str]) -> None:
    assert "\n".join(block.text for block in html_of(page)) == "\n".join(blocks)


def test_line_ends_count_where_a_style_says_so() -> None:
    assert said(html_of("<div style='white-space:pre-wrap'>One\ntwo\n\nthree</div>")) == [
        "paragraph One\ntwo",
        "paragraph three",
    ]


@pytest.mark.parametrize(
    ("page", "kept"),
    [
        ("<style>.t, .u { white-space: pre-wrap }</style><div class=t><p>1 Road<br>\nTown\nLand</p></div>", True),
        ("<style>.t { white-space: nowrap }</style><div class=t>1 Road\nTown\nLand</div>", False),
        ("<style>.t { white-space: pre-wrap }</style><div>1 Road\nTown\nLand</div>", False),
        (("<style>.t { white-space: pre-wrap } .u { white-space: normal }</style>"
         "<div class=t><span class=u>1 Road\nTown\nLand</span></div>"), False),
        ("<style>.t p { white-space: pre-wrap }</style><div class=t><p>1 Road\nTown\nLand</p></div>", False),
    ],
)  # fmt: skip
def test_line_ends_count_where_a_style_sheet_says_so_of_a_class(page: str, kept: bool) -> None:
    assert [line for block in html_of(page) for line in block.text.split("\n")] == (
        ["1 Road", "Town", "Land"] if kept else ["1 Road Town Land"]
    )


@pytest.mark.parametrize("cell", ["{}", "<p>{}</p>", "<h3>{}</h3>", "<b>{}</b>"])
@pytest.mark.parametrize(
    "row", [("Name", ":", "Anna"), ("Name", ": Anna"), ("Name:", "Anna"), ("Name:", ":", "Anna")]
)
def test_a_colon_in_a_cell_stands_behind_the_name(cell: str, row: tuple[str, ...]) -> None:
    cells = "".join(f"<td>{cell.format(text)}</td>" for text in row)
    other = "".join(f"<td>{cell.format(text)}</td>" for text in ("Place", ":", "Rome")[: len(row)])
    assert html_of(f"<table><tr>{cells}</tr><tr>{other}</tr></table>")[0].text == "Name: Anna"


def test_headings_side_by_side_share_a_line_only_if_they_are_alike() -> None:
    page = "<table><tr><td><{}>Lamps</{}></td><td><h2>Chairs</h2></td></tr></table>"
    assert said(html_of(page.format("h2", "h2"))) == ["heading Lamps · Chairs"]
    assert said(html_of(page.format("h3", "h3"))) == ["heading Lamps", "heading Chairs"]
    assert said(html_of(page.format("p", "p"))) == ["paragraph Lamps", "heading Chairs"]


def test_a_part_that_is_too_long_is_cut_and_says_so() -> None:
    message, bodies = mail(leaf("1", "text/html", "<p>word word word</p>" * 60_000))
    blocks = list(render(message, Context(), bodies))
    assert blocks[-1].kind is Kind.NOTE
    assert blocks[-2].text.startswith("word")
    assert bodies.pulled <= HTML_CAP + 8192
    assert list(render(message, Context(), bodies, blocks[-1].at)) == [blocks[-1]]


def _read_to_the_end(html: str) -> bool:
    message, bodies = mail(leaf("1", "text/html", html + "<p>the end</p>"))
    return [block.text for block in render(message, FULL, bodies)][-1] == "the end"


@pytest.mark.parametrize(
    "filler",
    [
        "<img src='data:image/png;base64," + "A" * 2_000_000 + "'>",
        '<img alt="" src="data:image/jpeg;name=a.jpg;base64,' + "QUJD\r\n" * 200_000 + '">',
        "<img src=data:image/png;base64," + "A" * 900_000 + " alt=x>",
        "<div style=\"background:url( 'data:image/gif;base64," + "A" * 900_000 + "')\">x</div>",
        "<div style='display:none'>" + "filler " * 120_000 + "</div>",
        "<!-- " + "comment " * 100_000 + "-->",
        "<style>" + ".a{color:red}" * 60_000 + "</style>",
        "<span style='font-size:0'>" + "tiny " * 120_000 + "</span>",
    ],
)
def test_what_nobody_reads_uses_nothing_of_what_is_read(filler: str) -> None:
    assert _read_to_the_end("<p>" + "word " * 50_000 + filler + "<p>" + "word " * 40_000)


def test_what_nobody_reads_is_bounded_too() -> None:
    message, bodies = mail(leaf("1", "text/html", "<p>a<div hidden>" + "filler " * 2_000_000))
    list(render(message, FULL, bodies))
    assert bodies.pulled <= HTML_CAP + UNSEEN_CAP + 8192


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "<img src='data:image/png;base64,",
                "AAAA",
                "BBBB==",
                "'>",
                " alt=x",
                "word ",
                "=data:",
                ";base64,",
            ]
        ),
        max_size=12,
    ).map(lambda pieces: "".join(pieces).encode()),
    st.integers(1, 50),
)
def test_pictures_in_the_page_are_taken_out_however_it_comes(page: bytes, size: int) -> None:
    cut = [page[at : at + size] for at in range(0, len(page), size)]
    assert b"".join(without_pictures(iter(cut))) == b"".join(without_pictures(iter([page])))


def test_only_pictures_in_the_page_are_taken_out() -> None:
    page = b"<p>data:text/plain;base64,QUJD is text</p><img src='data:image/png;base64,QUJD' alt='A'>"
    assert b"".join(without_pictures(iter([page]))) == page.replace(b"QUJD'", b"'")


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


HOSTILE: dict[str, Callable[[], str]] = {
    "nested": lambda: "<div>" * 100_000 + "hello" + "</div>" * 100_000 + "<p>after",
    "nested tables": lambda: "<table><tr><td>a<td>" * 30_000 + "hello",
    "nested quotes": lambda: "<blockquote><ul><li>" * 40_000 + "hello",
    "attributes": lambda: "<p " + " ".join(f"a{n}=1" for n in range(100_000)) + ">hello",
    "styles": lambda: "".join(f'<p style="color:#{n:06x};a{n}:b">x' for n in range(30_000)) + "hello",
    "one style": lambda: '<p style="' + "a:b;" * 500_000 + '">hello',
    "a sheet": lambda: "<style>" + ".a{" * 500_000 + "}" * 400_000 + "</style>hello",
    "one line": lambda: "word " * 500_000 + "hello",
    "no blank": lambda: "x" * 3_000_000 + " hello",
    "joiners": lambda: "&zwj;" * 300_000 + "hello",
    "brackets": lambda: "<" * 1_000_000 + " hello",
    "links": lambda: '<a href="http://example.org/"><img src=a>' * 100_000 + "hello",
    "a wide table": lambda: "<table><tr>" + "<td rowspan=99 colspan=99>a" * 30_000 + "hello",
    "a long table": lambda: "<table>" + "<tr><td>a<td>b" * 30_000 + "<tr><td>hello</table>",
    "breaks": lambda: "<br>" * 300_000 + "hello",
    "entities": lambda: "&amp;" * 300_000 + "hello",
}


def _read(source: str) -> bool:
    """Say whether a text is read to its last word, or cut where there is too much of it."""
    drafts, full = html.read(source, True, True, {})
    segments = roles.segments(drafts, "1", True)
    return full or "hello" in "".join(segment.block.text for segment in segments[-4:])


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_html_is_read_in_bounded_time_and_memory(name: str) -> None:
    assert bounded.call(_read, HOSTILE[name]())


BOX = "style='display:inline-block'"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (f"<span {BOX}>One</span><span {BOX}>Two</span>", "One Two"),
        (f"<span {BOX}>One</span><span>Two</span>", "One Two"),
        (f"One<b {BOX}>Two</b>three", "One Two three"),
        (f"<span {BOX}>9</span><span {BOX}>Happy</span>", "9 Happy"),
        ("<style>.box{display:inline-block}</style><i class=box>One</i><i class=box>Two</i>", "One Two"),
        ("<span style='display:inline-flex'>One</span><span>Two</span>", "One Two"),
        (f"<span {BOX}>One </span><span {BOX}>Two</span>", "One Two"),
        (f"<span {BOX}>One</span><span {BOX}>.</span>", "One."),
        (f"(<span {BOX}>One</span>)", "(One)"),
        ("<span>H</span><span>ello</span>", "Hello"),
        ("".join(f"<span {BOX}>{letter}</span>" for letter in "Hello"), "Hello"),
        (f"<span {BOX}>H</span>ello", "Hello"),
        (f"<span {BOX}>你好</span><span {BOX}>世界</span>", "你好世界"),
        (f"<p>One</p><p><span {BOX}>Two</span></p>", "One\nTwo"),
    ],
)
def test_words_do_not_run_together_over_the_edge_of_a_box(html: str, text: str) -> None:
    assert text_of(html) == text


@pytest.mark.parametrize("name", ["ol", "b", "br"])
def test_elements_without_text_are_counted_too(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many more there are, none of them is read; and that is said."""
    monkeypatch.setattr(html, "ELEMENTS_LIMIT", 1000)
    shown = said(html_of("Hello" + f"<{name}>" * 4000 + "too far"))
    assert "too far" not in " ".join(shown)
    assert shown[0] == "paragraph Hello"
    assert (
        shown[-1] == "note Part 1 (text/html) has too many elements and is cut. The rest is in the original."
    )
    assert "too far" in " ".join(said(html_of("Hello" + f"<{name}>" * 900 + "too far")))


@pytest.mark.parametrize(
    ("lines", "joined"),
    [
        (
            ["If you wish, our firm can be", "of real use to you and yours", "and so it always was before."],
            True,
        ),
        (
            [
                "Result:",
                "$1,000 policy with small",
                "cash value. Anna used",
                "a life settlement and",
                "got it.",
            ],
            None,
        ),
        (["The lamp is green and small,", "of real use to you and me,", "and always was before it."], False),
        (["Anna Bell of this house", "anna.bell@example.org.uk", "www.example.org"], False),
        (["If you wish, our firm can be", "of use", "and so it always was before."], False),
        (
            ["If you wish, our firm can be", "Of real use to you and yours", "And so it always was before."],
            False,
        ),
        (["If you wish, our firm can be", "of real use to you and yours"], False),
    ],
)
def test_narrow_lines_of_prose_are_joined_if_they_are_full(lines: list[str], joined: bool | None) -> None:
    (block,) = html_of("<p>" + "<br>".join(lines))
    said = block.text.split("\n")
    assert said == (
        [" ".join(lines)] if joined else [lines[0], " ".join(lines[1:])] if joined is None else lines
    )


@pytest.mark.parametrize(
    ("links", "text"),
    [
        (["B", "oom"], "Boom"),
        (["Say B", "oom"], "Say Boom"),
        (["V", "<b>iew</b>"], "View"),
        (["É", "tude"], "Étude"),
        (["A", "B", "c"], "A Bc"),
        (["A", "B", "C"], "A B C"),
        (["a", "b"], "a b"),
        (["Home", "about"], "Home about"),
        (["TV", "guide"], "TV guide"),
    ],
)
def test_the_first_letter_of_a_word_may_be_a_link_of_its_own(links: list[str], text: str) -> None:
    page = "".join(f"<a href=http://e.example/{number}>{link}</a>" for number, link in enumerate(links))
    (block,) = html_of(f"<p>{page}")
    assert block.text == text
    assert len({run.link for run in block.runs} - {""}) == len(links)


@pytest.mark.parametrize(
    ("attributes", "text", "expected"),
    [
        ("", "One lamp of the many words that no person reads here", "One lamp of the many words that no …"),
        ("rows=3 cols=40", "One lamp of the many words that no person reads here", None),
        ("", "Type here.", None),
        ("readonly", "https://example.org/a-lamp-of-many-words-to-copy-and-paste", "example.org/…"),
    ],
)
def test_a_text_box_shows_what_fits_into_it(attributes: str, text: str, expected: str | None) -> None:
    blocks = html_of(f"<p>Yes.<textarea {attributes}>{text}</textarea>")
    assert [block.text for block in blocks[1:]] == [expected or text]


@pytest.mark.parametrize("heading", ["<h2>The lamp</h2>", "<p><b>The lamp</b></p>", "<p>The lamp</p>"])
def test_a_heading_below_the_first_picture_does_not_tell_it(heading: str) -> None:
    page = f"<p><a href={ONE}><img src=a></a>{heading}<p>To unsubscribe, click <a href={ONE}>here.</a>"
    assert html_of(page)[0].text == "Picture (e.example)"


@pytest.mark.parametrize(
    ("names", "values", "expected"),
    [
        ("Price:<br><b>Mail:</b>", "5<br>Anna", ["Price: 5\nMail: Anna"]),
        ("<p>Price:<p>Mail:", "<p>5<p>Anna", ["Price: 5\nMail: Anna"]),
        ("Price:<br>Mail:", "5<br>Anna<br>Bell", ["Price:\nMail:", "5\nAnna\nBell"]),
        ("Price<br>Mail", "5<br>Anna", ["Price\nMail", "5\nAnna"]),
        ("Price:", "5", ["Price: 5"]),
    ],
)
def test_names_and_values_side_by_side_are_lines(names: str, values: str, expected: list[str]) -> None:
    assert [
        block.text for block in html_of(f"<table><tr><td>{names}</td><td>{values}</td></tr></table>")
    ] == expected


def test_a_line_of_a_page_that_sendmail_cut_is_one() -> None:
    above = "<p>" + ("The lamp is green, and so it was. " * 40)[:984]
    (block,) = html_of(f"{above}gr!\r\n een. What a lamp!\r\n Yes!")
    assert block.text.endswith("green. What a lamp! Yes!")


@pytest.mark.parametrize(
    ("base", "href", "link"),
    [
        ("http://a.example/x/", "/y?a=1", "http://a.example/y?a=1"),
        ("http://a.example/x/", "z.html", "http://a.example/x/z.html"),
        ("https://a.example/", "http://b.example/", "http://b.example/"),
        ("http://a.example/", "#below", ""),
        ("http://a.example/", "javascript:x", ""),
        ("http://a.example/", "//[", ""),
        ("javascript:x", "/y", ""),
        ("/", "/y", ""),
    ],
)
def test_relative_links_are_those_of_the_base(base: str, href: str, link: str) -> None:
    late = "<base href='http://late.example/'>" if link else ""
    page = f"<html><head><base href='{base}'>{late}</head><body>"
    (block,) = html_of(f"{page}<p><a href='{href}'>Lamp</a> <map><area href='{href}' alt=Lamps></map>")
    assert {run.link for run in block.runs if run.text.strip()} == {link}
    assert block.text == ("Lamp Lamps" if link else "Lamp")


@pytest.mark.parametrize(
    ("size", "seen"),
    [
        ("0.0000000000097vw", False),
        (".01vh", False),
        ("0.05ex", False),
        ("5%", False),
        ("0.001in", False),
        ("90%", True),
        ("2vw", True),
        ("1.2ex", True),
        (".1in", True),
    ],
)
def test_letters_of_no_size_are_hidden_in_any_unit(size: str, seen: bool) -> None:
    (block,) = html_of(f"<p>La<span style='font-size:{size}'>xy</span>mp")
    assert block.text == ("Laxymp" if seen else "Lamp")
