"""What a text costs grows no faster than the text: calls are counted, while each family doubles and doubles again.

Nothing here may look at a clock. What is counted are calls, including those into C; what happens within one is the
business of `test_hostile_messages`, whose children are ended by the kernel.
"""

from __future__ import annotations

import cProfile
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import markup
from gateway.device import by_name
from gateway.language import Language
from gateway.markup.screen import Screen
from gateway.message.mime import wire_format
from gateway.pages.layout import STEP, Layout, MessagePage
from gateway.pages.message_pages import message_layout, reading_context
from gateway.rendition.alternatives import says_more
from gateway.rendition.blocks import Block, Kind, Position, Run
from gateway.rendition.rendering import render
from tests.rendition.growth import HTML, MARKDOWN, PLAIN, Family, counted, repeated
from tests.rendition.hostile import mail

DEVICES: Final = ("nokia7110", "xhtml")
#: Octets of the smallest text of a family, and of one whose pages are counted.
SMALL: Final = 3_000
LARGE: Final = 120_000
#: What twice the octets may cost, and calls that may be added once.
DOUBLE: Final = 2.3
ONCE: Final = 2_000
#: The most calls per octet, in reading; and for a page with those that are counted after it.
EACH: Final = 90
PAGE: Final = 1_500_000

#: Calls for a page before another, without reading.
BACK: Final = 3_000_000
#: Calls for a page with as many links as are read from any part.
LINKS: Final = 2_700_000


def calls(work: Callable[[], object]) -> int:
    profile = cProfile.Profile(subcalls=False)
    profile.runcall(work)
    return sum(entry.callcount for entry in profile.getstats())


def layout(text: str, kind: str, device: str) -> Layout:
    found = wire_format.parse(mail(text, kind + "; charset=utf-8"))
    return message_layout(found.message, found.octets, by_name(device))


def read(text: str, kind: str) -> Callable[[], object]:
    found = wire_format.parse(mail(text, kind + "; charset=utf-8"))
    return lambda: deque(render(found.message, reading_context(Language()), found.octets), maxlen=0)


def assert_linear(family: Family, kind: str) -> None:
    """Fail if reading a text costs more than in proportion to its length."""
    small, great = (calls(read(family(SMALL << power), kind)) for power in (0, 2))
    assert great <= DOUBLE * (DOUBLE * small + ONCE) + ONCE, (small, great)  # doubled twice
    assert great <= EACH * (SMALL << 2), great


FAMILIES: Final = [
    (f"{kind}: {name}", kind, family)
    for kind, families in (("text/html", HTML), ("text/markdown", MARKDOWN), ("text/plain", PLAIN))
    for name, family in families.items()
]


@pytest.mark.parametrize(
    ("kind", "family"),
    [
        pytest.param(*row, id=name, marks=[pytest.mark.matrix] if number % 3 else [])
        for number, (name, *row) in enumerate(FAMILIES)
    ],
)
def test_twice_the_text_costs_twice_at_most(kind: str, family: Family) -> None:
    assert_linear(family, kind)


FRAGMENTS: Final = (
    "<a href='http://a.example/'>", "</a>", "<b>", "</b>", "<i>", "</i>", "<p>", "</p>", "<table>", "</table>", "<tr>", "<td>",
    "</td>", "<ul>", "<li>", "</ul>", "<blockquote>", "</blockquote>", "<pre>", "</pre>", "<br>", "<span style='color:red'>",
    "</span>", "<font color=red>", "<svg>", "</svg>", "<!--", "-->", "&amp;", "word ", "x", "\n", "<h1>", "<div>", "</div>",
    "> ", "* ", "`", "\\", "[a](http://b) ", "|", "-- \n", "http://a.example/ ", "a@b.example ",
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=8).map("".join),
    st.sampled_from(("text/html", "text/markdown", "text/plain")),
)
def test_twice_of_any_fragments_costs_twice_at_most(pattern: str, kind: str) -> None:
    assert_linear(repeated(pattern), kind)


PAGED: Final[dict[str, tuple[str, Family]]] = {
    "links that touch": ("text/html", HTML["links that touch"]),
    "links in bold": ("text/html", HTML["links in bold"]),
    "bits of b": ("text/html", HTML["bits of b"]),
    "line ends": ("text/html", HTML["line ends in text"]),
    "emphasis in Markdown": ("text/markdown", MARKDOWN["'*a* '"]),
}


@pytest.mark.parametrize("name", PAGED)
def test_a_page_and_the_number_of_pages_cost_no_more_whatever_stands_on_them(name: str) -> None:
    kind, family = PAGED[name]
    device = DEVICES[0]
    text = family(LARGE)
    layout("x", "text/html", device).page()  # what is made only once
    found = calls(lambda: layout(text, kind, device).page()) - calls(read(text, kind))
    assert found <= PAGE


#: Calls for a page of a long text, and for one whose following pages were counted before.
LONG: Final = 90_000
COUNTED: Final = 90_000


@pytest.mark.parametrize("device", DEVICES)
def test_a_page_of_a_long_text_costs_little_more_than_that_page(device: str) -> None:
    text = "".join(
        f"Line {n} of a long text that somebody wrote, and says so at some length.\n\n" for n in range(16_000)
    )
    layout("x", "text/plain", device).page()
    lay = layout(text, "text/plain", device)
    found: list[MessagePage] = []
    assert calls(lambda: found.append(lay.page())) <= LONG
    (page,) = found
    assert page.total is None
    assert page.least == 1 + 1 + STEP
    for _ in range(5):
        assert calls(lambda page=page: found.append(lay.page(page.next, page.number + 1, page.known))) <= LONG
        page = found[-1]
    assert page.least > page.number


@pytest.mark.parametrize("device", DEVICES)
def test_pages_are_counted_once_in_steps(device: str) -> None:
    """What was counted ahead is not counted again until somebody gets there."""
    text = "".join(
        f"<p>Paragraph {n} of a long page, with <a href='http://a.example/{n}'>a link</a>.</p>"
        for n in range(6_000)
    )
    lay = layout(text, "text/html", device)
    page = lay.page()
    assert page.total is None
    assert page.least > 10
    reading = calls(read(text, "text/html"))
    later: list[MessagePage] = []
    assert calls(lambda: later.append(lay.page(page.next, 2, page.known))) <= reading + COUNTED
    assert later[0].total is None
    assert later[0].known == page.known
    again = lay.page(page.next, page.least, page.known)
    assert again.least > page.least


def _deep(text: str, kind: str) -> Position:
    """Return a position far from the beginning of a text."""
    found = wire_format.parse(mail(text, kind + "; charset=utf-8"))
    blocks = list(render(found.message, reading_context(Language()), found.octets))
    block = blocks[len(blocks) * 3 // 4]
    return replace(block.at, skip=block.at.skip + len(block.text) // 2)


@pytest.mark.parametrize("name", ["links that touch", "bits of b"])
def test_the_page_before_costs_no_more_however_much_lies_before_that(name: str) -> None:
    kind, family = PAGED[name]
    text = family(2 * LARGE)
    start = _deep(text, kind)
    layout("x", "text/html", DEVICES[0]).page()
    lay = layout(text, kind, DEVICES[0])
    found = calls(lambda: lay.page_before(start, 99)) - calls(read(text, kind))
    assert found <= BACK


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ["paragraphs", "links that touch"])
def test_the_page_before_ends_where_it_was_come_from(name: str, device: str) -> None:
    """Paging to it from afar finds pages that follow each other without a gap."""
    kind, family = PAGED.get(
        name, ("text/html", counted("<p>Paragraph #, of some words, and of some more.</p>"))
    )
    text = family(2 * LARGE)
    start = _deep(text, kind)
    lay = layout(text, kind, device)
    for _ in range(2):
        found = lay.page_before(start, 99, total=1000)
        assert found.start is not None
        assert found.next is not None
        assert (found.start.start, found.start.skip) < (start.start, start.skip)
        assert (found.next.start, found.next.skip) >= (start.start, start.skip)
        again = layout(text, kind, device).page(found.start, 98, total=1000)
        assert (again.body, again.next) == (found.body, found.next)
        start = found.start


def test_thirty_thousand_links_in_a_paragraph() -> None:
    """Reading and the first page together, with the pages that are counted after it: some 0.2 s."""
    text = "<p>" + "".join(f"<a href='http://a.example/{n}'>word</a> " for n in range(30_000))
    for device in DEVICES:
        layout("x", "text/html", device).page()
        assert calls(lambda device=device: layout(text, "text/html", device).page()) <= LINKS


def test_a_link_is_asked_for_once_whatever_its_parts_look_like() -> None:
    asked: list[tuple[str, str]] = []

    def lead(block: Block, run: Run | None) -> str:
        assert run is not None
        asked.append((run.link, run.text))
        return "l/x"

    runs = [
        Run("a", link="http://a"),
        Run("b", strong=True, link="http://a"),
        Run(" "),
        Run("c", link="http://b"),
    ]
    for device in DEVICES:
        asked.clear()
        markup.block(Block(Kind.PARAGRAPH, tuple(runs)), by_name(device), lead)
        assert asked == [("http://a", "ab"), ("http://b", "c")]


def test_a_page_asks_for_a_link_once_however_often_it_is_weighed() -> None:
    """In the gateway, each is a MAC."""
    asked: list[tuple[str, str]] = []

    def lead(_block: Block, run: Run | None) -> str:
        assert run is not None
        asked.append((run.link, run.text))
        return "l/x"

    device = by_name(DEVICES[0])
    runs = tuple(Run(f"word{n}", link=f"http://a/{n}") for n in range(300))
    block = Block(Kind.PARAGRAPH, runs)

    def frame(_page: MessagePage) -> Screen:
        return Screen("notice", "x", {"sentence": "x", "lines": ()}, ())

    Layout(lambda _start: iter([block]), device, frame, lead).page()
    assert len(asked) >= 100
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("family", HTML.values(), ids=HTML)
def test_two_forms_are_compared_in_proportion_to_their_length(family: Family) -> None:
    found = [
        calls(lambda size=SMALL << power: says_more(family(size), "words " * size)) for power in range(3)
    ]
    assert found[1] <= DOUBLE * found[0] + ONCE, found
    assert found[2] <= DOUBLE * found[1] + ONCE, found
