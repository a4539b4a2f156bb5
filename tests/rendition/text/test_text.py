"""Plain text: paragraphs, lists and quotations, read alike from every position, and no further than needed."""

from __future__ import annotations

import base64
import quopri
from itertools import islice

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.pages import pagination
from gateway.rendition import Accept, Context, Kind, Position, earlier, render, split
from gateway.rendition.blocks import Block
from gateway.rendition.fold import FOLD_PIECE, FOLD_REACH, FOLD_SKIP, FOLD_WORK
from gateway.rendition.rendering import EMPTY_LIMIT
from gateway.rendition.segments import BLOCK_LIMIT
from gateway.rendition.text.plain_text import BLANK_LIMIT
from tests.rendition.mails import PIECE, Bodies, leaf, mail, said, text_of

FULL = Context(fold=False)


def test_wrapped_lines_become_a_paragraph_and_short_ones_stay() -> None:
    text = (
        "Dear Anna,\n\n"
        "thank you for the parcel, which arrived this morning in good order. We\n"
        "opened it at once, and the children have not stopped playing with the\n"
        "train since.\n\n"
        "Main Street 5\n1234 Town\nLand\n"
    )
    assert said(text_of(text)) == [
        "paragraph Dear Anna,",
        (
            "paragraph thank you for the parcel, which arrived this morning in good order. We opened it at once, and "
            "the children have not stopped playing with the train since."
        ),
        "paragraph Main Street 5\n1234 Town\nLand",
    ]


def test_flowed_text_with_and_without_delsp() -> None:
    text = "One \ntwo \nthree.\nFour.\n>> quoted \n>> on\n  stuffed\n"
    assert said(text_of(text, FULL, format="flowed")) == [
        "paragraph One two three.\nFour.",
        "paragraph >>quoted on",
        "paragraph stuffed",
    ]
    assert said(text_of("本日は \n晴天 \nなり\n", FULL, format="Flowed", delsp="Yes")) == [
        "paragraph 本日は晴天なり"
    ]


def test_lists_keep_numbers_and_join_their_wrapped_lines() -> None:
    text = (
        "To do:\n- bread\n- milk, of which there should be enough in the house until the end of\n"
        "  the week\n* eggs\n1. first\n2) second\n(3) third\n"
    )
    assert said(text_of(text)) == [
        "paragraph To do:",
        "item • bread",
        "item • milk, of which there should be enough in the house until the end of the week",
        "item • eggs",
        "item 1. first",
        "item 2) second",
        "item (3) third",
    ]


def test_a_date_inside_a_paragraph_is_no_item() -> None:
    text = (
        "We should like to invite you to the meeting of our association on Monday,\n"
        "3. November, at eight o'clock.\n"
    )
    assert len(text_of(text)) == 1


def test_columns_stay_as_they_are() -> None:
    text = "Item      Price\nLamp      20 EUR\nChair     75 EUR\n\nRegards\n"
    blocks = text_of(text)
    assert [block.kind for block in blocks] == [Kind.PREFORMATTED, Kind.PARAGRAPH]
    assert blocks[0].text == text.partition("\n\n")[0]


def test_a_line_of_signs_is_a_rule() -> None:
    assert [block.kind for block in text_of("a\n-----------\nb\n* * * * * *\nc\n")] == [
        Kind.PARAGRAPH,
        Kind.RULE,
        Kind.PARAGRAPH,
        Kind.RULE,
        Kind.PARAGRAPH,
    ]


def test_urls_and_addresses_become_links() -> None:
    (block,) = text_of("See (http://example.org/a_(b)), www.example.com. Or mail to anna.b@example.org!")
    assert [(run.text, run.link) for run in block.runs if run.link] == [
        ("http://example.org/a_(b)", "http://example.org/a_(b)"),
        ("www.example.com", "http://www.example.com"),
        ("anna.b@example.org", "mailto:anna.b@example.org"),
    ]


def test_a_long_url_is_shown_short_unless_all_is_to_be_seen() -> None:
    url = "https://www.example.org/" + "x" * 400
    (block,) = text_of(f"Look: {url}")
    assert (block.text, block.runs[-1].link) == ("Look: example.org/…", url)
    assert text_of(f"Look: {url}", FULL)[0].text == f"Look: {url}"


@pytest.mark.parametrize("hidden", ["\x00", "\x1b", "\u202e", "\u2066", "\u200b", "\xad", "\ufeff"])
def test_what_cannot_be_seen_is_removed(hidden: str) -> None:
    assert said(text_of(f"ab{hidden}cd")) == ["paragraph abcd"]


def test_a_first_page_of_a_huge_text_pulls_little() -> None:
    line = "All work and no play makes Jack a dull boy, and that is the whole story.\n"
    for text, further in (
        (line * 140_000, 0),
        ("word " * 2_000_000, 0),
        (("> " + line) * 140_000, 0),
        (
            "Hi.\n\n" + ("> " + line) * 140_000,
            FOLD_SKIP + FOLD_REACH,
        ),  # the end of the quotation is searched for
    ):
        message, bodies = mail(leaf("1", "text/plain", text))
        shown = list(islice(render(message, Context(), bodies), 3))
        assert len(shown) == 3
        assert bodies.pulled <= 64 * 1024 + 3 * BLOCK_LIMIT + further
        assert all(len(block.text) <= 2 * BLOCK_LIMIT for block in shown)


PASSED_OVER = {
    "blank lines": "x\n" + "\n" * 19_000,
    "blank lines of a quotation": "> x\n" + ">\n" * 19_000,
    "delimiters": "x\n" + "-- \n" * 19_000,
    "signed text": "x\n" + "-----BEGIN PGP SIGNED MESSAGE-----\n" * 9_000,
    "quotations": "x\n" + "> y\n" * 8_000,
    "one quotation": "> y\n",
    "what cannot be seen": "x\n" + "\u200b" * 30_000 + "\n",
    "ciphertext": "x\n-----BEGIN PGP MESSAGE-----\n"
    + f"{'A' * 40}\n" * 15_000
    + "-----END PGP MESSAGE-----\n",
}


@pytest.mark.parametrize("unit", PASSED_OVER.values(), ids=PASSED_OVER)
def test_what_is_passed_over_for_a_page_is_bounded_in_all(unit: str) -> None:
    """However often it comes, in lines and in octets, between words that are shown."""
    text = "Hello\n\n" + unit * (3_000_000 // len(unit))
    message, bodies = mail(leaf("1", "text/plain", text))
    shown = list(islice(render(message, Context(), bodies), 30))
    assert bodies.pulled <= EMPTY_LIMIT + 64 * 1024
    lines = text.encode()[: bodies.pulled - PIECE].count(b"\n")
    assert lines <= BLANK_LIMIT + FOLD_WORK + len(shown) * FOLD_PIECE


def test_a_page_in_the_middle_reads_nothing_before_it() -> None:
    text = "".join(f"Paragraph number {number} of this long text.\n\n" for number in range(20_000))
    message, bodies = mail(leaf("1", "text/plain", text))
    far = next(islice(render(message, Context(), bodies), 10_000, None))
    bodies.pulled = 0
    again = next(render(message, Context(), bodies, far.at))
    assert again == far
    assert bodies.pulled <= 2 * PIECE
    assert bodies.calls[-1] == ("1", far.at.start)


LINES = st.lists(
    st.sampled_from(
        [
            "",
            "Short line",
            "This line is as long as lines are that were wrapped by a mail program",
            "> quoted by somebody in a former message which is rather long to be sure",
            ">> deeper",
            "> ",
            "- item one",
            "2. item two",
            "-- ",
            "On Monday, Anna wrote:",
            "-----Original Message-----",
            "From: Anna",
            "Sent: Monday",
            "Subject: Lamp",
            "a    b    c",
            "aaa   bbb   ccc",
            "=====================",
            "flows to the next one ",
            "http://example.org/" + "y" * 80,
            "On Tue, 3 Nov 2026 at 09:00, Anna <anna@example.org> wrote:",
            ">From here",
            ">>From there",
            "| barred",
            "|",
            "> | both",
            ">>> RCPT To:<anna@example.org>",
            "Received: from mx.example.org",
            "Message-ID: <1@example.org>",
            "    id 4711; for all of us",
            "-----BEGIN PGP SIGNED MESSAGE-----",
            "Hash: SHA512",
            "- -- ",
            "- - dashed",
            "-----BEGIN PGP SIGNATURE-----",
            "iQEzBAEBCAAdFiEEabcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKL",
            "-----END PGP SIGNATURE-----",
            "-----BEGIN PGP MESSAGE-----",
            "+added(line)",
            " context(line);",
            "@@ -1,2 +3,4 @@",
            "Total: 120.00 EUR",
            "https://www.example.org/a-long-way/to-the-lamps/and-to-the-chairs/",
            "of-all-kinds/1234",
            "[cid:image001.png]",
            "many words " * 250,
            "漢字" * 900,
            "> " + "quoted words " * 200,
        ]
    ),
    max_size=40,
).map("\n".join)


def pages_of(blocks: list[Block] | object, room: int = 300) -> list[list[Block]]:
    def fits(items: list[Block]) -> bool:
        return sum(len(item.text) + 10 for item in items) <= room

    def halves(item: Block, _page: list[Block], accept: Accept) -> tuple[Block, Block] | None:
        return split(item, accept)

    pages = pagination.paginate_to_the_end(blocks, fits, halves, lambda item: item.kind is Kind.HEADING)  # type: ignore[arg-type]
    return [page for page, _last in pages]


@settings(max_examples=150, deadline=None)
@given(LINES, st.booleans(), st.sampled_from(["", "Re: Lamp", "Fwd: Lamp"]), st.booleans())
@example("> \n>> deeper\nShort line", False, "", False)
@example(">> " + "quoted words " * 22 + "\n>>From there\n\nShort line", False, "", False)
def test_reading_from_any_page_gives_the_same_pages(
    text: str, fold: bool, subject: str, flowed: bool
) -> None:
    made = leaf("1", "text/plain", text, parameters={"format": "flowed"} if flowed else {})
    message, bodies = mail(made, subject)
    context = Context(fold=fold)
    pages = pages_of(render(message, context, bodies))
    for number, laid in enumerate(pages):
        start = Position.decode(laid[0].at.encode())
        again = pages_of(render(message, context, bodies, start))
        assert again == pages[number:]


@settings(max_examples=150, deadline=None)
@given(LINES)
def test_no_word_is_lost(text: str) -> None:
    text = text.replace("[cid:image001.png]", "").replace("- - d", "- d")
    words = [word for word in text.replace(">", " ").split() if any(sign.isalnum() for sign in word)]
    blocks = [block for block in text_of(text, FULL) if block.kind is not Kind.NOTE]
    shown = " ".join(f"{block.marker} {block.text}" for block in blocks).replace(">", " ").split()
    shown = [word for word in shown if any(sign.isalnum() for sign in word)]
    assert "".join(shown) == "".join(words)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(0, 255), max_size=400).map(bytes),
    st.sampled_from(["utf-8", "utf-16", "iso-2022-jp", "nonsense", ""]),
)
def test_no_octets_of_a_text_raise(octets: bytes, charset: str) -> None:
    for parameters in ({}, {"format": "flowed", "delsp": "yes"}):
        assert text_of(octets, charset=charset, **parameters)  # at least that there is no text


@pytest.mark.parametrize("encoding", ["8bit", "base64", "quoted-printable"])
@pytest.mark.parametrize("shape", ["lines", "one line"])
def test_paging_back_in_a_large_text(encoding: str, shape: str) -> None:
    sentence = "Grüße aus Köln, heute ist der Tag {} und es geht uns gut."
    lines = [sentence.format(number) for number in range(6000)]
    text = ("\n\n" if shape == "lines" else " ").join(lines)
    octets = text.encode()
    if encoding == "base64":
        octets = base64.encodebytes(octets)
    elif encoding == "quoted-printable":
        octets = quopri.encodestring(octets)
    message, bodies = mail(leaf("1", "text/plain", octets, encoding=encoding))
    far = next(islice(render(message, Context(), bodies), 5000 if shape == "lines" else 80, None))
    bodies.pulled = 0
    back = earlier(message, bodies, far.at, 5000)
    assert back is not None
    assert far.at.start - 5000 <= back.start + 2500 <= far.at.start
    assert bodies.pulled <= 8 * PIECE
    between = []
    for block in render(message, Context(), bodies, Position.decode(back.encode())):
        if block.at.start >= far.at.start:
            break
        between.append(block.text)
    assert "�" not in "".join(between)
    assert " ".join(between)[:400] in text.replace("\n\n", " ")


def test_paging_back_near_the_beginning_begins_there() -> None:
    message, bodies = mail(leaf("1", "text/plain", "a\n\nb\n\nc\n"))
    last = list(render(message, Context(), bodies))[-1]
    assert earlier(message, bodies, last.at) is None


def test_endless_empty_lines_are_not_read_to_their_end() -> None:
    message, bodies = mail(leaf("1", "text/plain", "Hello\n" + "\n" * 5_000_000 + "there\n"))
    shown = list(render(message, Context(), bodies))
    assert said(shown) == [
        "paragraph Hello",
        "note The rest of part 1 (text/plain), after many empty lines, was left out.",
    ]
    assert bodies.pulled <= 64 * 1024
    assert list(render(message, Context(), bodies, shown[1].at)) == shown[1:]
    assert said(text_of("Hello\n" + " \n" * 9_000 + "there\n")) == ["paragraph Hello", "paragraph there"]


def test_a_long_quoted_line_is_quoted_to_its_end() -> None:
    blocks = text_of(f"Answer.\n\n>> {'quoted words ' * 1000}\nAnswer.\n", FULL)
    assert [block.quote for block in blocks] == [0, *[2] * (len(blocks) - 2), 0]
    assert len(blocks) > 4


def test_errors_of_the_store_pass_through() -> None:
    class Broken(Bodies):
        def __call__(self, section: str, start: int):  # type: ignore[no-untyped-def]
            raise ConnectionError

    message, _bodies = mail(leaf("1", "text/plain", "a"))
    with pytest.raises(ConnectionError):
        list(render(message, Context(), Broken({})))
