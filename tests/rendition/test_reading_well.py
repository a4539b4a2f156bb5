"""What read badly on a small screen, found by reading pages as somebody with one would."""

from __future__ import annotations

import pytest

from gateway.device import by_name
from gateway.markup import wml, xhtml
from gateway.message.model import Envelope, Message
from gateway.pages.message_pages import message_layout
from gateway.rendition import Context
from gateway.rendition.blocks import Block, Kind, Position, Run, split
from tests.rendition.mails import html_of, leaf, mail, read, said, text_of


def _nowhere(_block: Block, _run: Run | None) -> str:
    return ""


def test_every_line_of_a_quotation_shows_that_it_is_one() -> None:
    block = Block(Kind.PARAGRAPH, (Run("When?\nAnd who?"),), quote=2)
    assert wml.block(block, _nowhere) == "<p>&gt;&gt; When?<br/>&gt;&gt; And who?</p>"
    assert xhtml.block(block, _nowhere).count("blockquote") == 4
    assert wml.block(Block(Kind.PARAGRAPH, (Run("a\nb"),)), _nowhere) == "<p>a<br/>b</p>"


def test_a_fold_of_deeper_and_shallower_quotations_stands_outside_of_all() -> None:
    text = ">> Who takes the minutes?\n>> Who sends them?\n> Emil does both,\n> mostly.\n\nFrom now on we rotate.\n"
    blocks = text_of(text, subject="Re: x")
    assert said(blocks) == ["fold [4 quoted lines]", "paragraph From now on we rotate."]
    assert blocks[0].quote == 0


def test_lists_within_lists_are_set_further_in() -> None:
    blocks = html_of("<ul><li>one<ul><li>two<ol><li>three<ul><li>four</ul></ol></ul></ul>")
    assert [wml.block(block, _nowhere).count("\u00a0") for block in blocks] == [0, 2, 4, 4]
    assert [xhtml.block(block, _nowhere).count("\u00a0") for block in blocks] == [0, 2, 4, 4]
    blocks = text_of("   1. First thing\n   2. Second thing\n        - of this\n")
    assert [wml.block(block, _nowhere).count("\u00a0") for block in blocks] == [0, 0, 4]


def test_boxes_of_tasks_tell_what_is_done() -> None:
    page = '<ul><li><input type="checkbox" checked disabled> this<li><input type=CHECKBOX> that<input type=text></ul>'
    assert said(html_of(page)) == ["item • [x] this", "item • [ ] that"]


def test_a_mailto_in_a_text_is_a_link_as_a_whole_and_shown_as_the_address() -> None:
    (block,) = text_of(
        "Write to <mailto:refund@shop.example?subject=Refund%20me&body=x>, or mailto:a@b.example?\n"
    )
    links = [(run.text, run.link) for run in block.runs if run.link]
    assert links == [
        ("refund@shop.example", "mailto:refund@shop.example?subject=Refund%20me&body=x"),
        ("a@b.example", "mailto:a@b.example"),
    ]
    assert block.text == "Write to <refund@shop.example>, or a@b.example?"
    (block,) = text_of("Is it a@b.example?really=no, he asked.\n")
    assert [run.link for run in block.runs if run.link] == ["mailto:a@b.example"]
    (block,) = text_of("<mailto:a@b.example?subject=x>\n", Context(fold=False))
    assert block.text == "<mailto:a@b.example?subject=x>"


@pytest.mark.parametrize("device", ["nokia7110", "xhtml"])
def test_a_page_ends_with_a_sentence_where_one_ends_nearby(device: str) -> None:
    long = "".join(
        f"In year {n} it rained a little on the old mill by the river, and then some more. "
        for n in range(900)
    )
    part, bodies = leaf("1", "text/plain", long.replace(". ", ". Yes. ", 40))
    found = mail((part, bodies))
    pages = list(message_layout(found[0], found[1], by_name(device)).all())
    assert len(pages) > 4
    ends = [page.blocks[-1].text[-1] for page in pages[:-1]]
    assert ends.count(".") >= 0.9 * len(ends)


def test_a_sentence_is_worth_a_sixteenth_of_a_page_even_in_a_short_paragraph() -> None:
    page = Block(Kind.PARAGRAPH, (Run("It rains. We walk on and on down to the mill"),))
    from gateway.rendition.blocks import split

    def room(head: Block) -> bool:
        return len(head.text) <= 40

    assert [half.text for half in split(page, room) or ()] == [
        "It rains. We walk on and on down to the",
        "mill",
    ]
    halves = split(page, room, spare=35)
    assert [half.text for half in halves or ()] == ["It rains.", "We walk on and on down to the mill"]


def test_words_of_no_size_by_a_style_sheet_are_dropped() -> None:
    sheet = (
        "<style>.z{font-size:0} #q{font-size:0px} .n{font-size:14px} @media print{.p{font-size:0}}</style>"
    )
    page = (
        sheet
        + "<p>Seen</p><p class=z>unseen<span class=n> seen again</span></p><p id=q>unseen too</p><p class=p>yes</p>"
    )
    assert said(html_of(page)) == ["paragraph Seen", "paragraph seen again", "paragraph yes"]


def test_a_blank_of_no_size_parts_words() -> None:
    size = "style='font-size:9px'"
    page = f"<div style='font-size:0'><b {size}>3 €</b><i>&nbsp;</i><b {size}>2 €</b></div>"
    assert said(html_of(page)) == ["paragraph 3 € 2 €"]


def test_a_picture_behind_a_link_is_one_beside_words() -> None:
    style = "display:block;width:65px;height:99px;background:url(lamp.jpg)"
    page = (
        "<p>Lamps<a href='https://e.example/x'><img src=greenLamps.gif></a>"
        f"<p><a href='https://f.example/' style='{style}'> </a>"
    )
    assert said(html_of(page)) == ["paragraph Lamps greenLamps", "paragraph Picture (f.example)"]


def test_a_sheet_that_sizes_by_more_than_names_hides_nothing_by_size() -> None:
    sheet = "<style>.wrap{font-size:0} td p{font-size:14px}</style>"
    page = sheet + "<table><tr><td class=wrap><p>Text that a rule of the sheet makes large</p></table>"
    assert said(html_of(page)) == ["paragraph Text that a rule of the sheet makes large"]


RULE = "_______________________________________________\n"


@pytest.mark.parametrize(
    "footer",
    [
        RULE
        + "Birds mailing list -- birds@lists.example\nTo unsubscribe send a mail\nhttps://lists.example/birds\n",
        (
            '-- \nYou received this message because you are subscribed to the Google Groups "birds" group.\nTo '
            "unsubscribe from this group, write to it.\nFor more options, visit https://groups.example\n"
        ),
    ],
)
def test_a_list_footer_is_called_so_from_wherever_it_is_read(footer: str) -> None:
    made = leaf("1", "text/plain", "A ring from Helgoland. Whom do I tell?\n\n" + footer)
    blocks = read(made)
    assert said(blocks) == ["paragraph A ring from Helgoland. Whom do I tell?", "fold [list footer]"]
    assert read(made, start=Position.decode(blocks[1].at.encode())) == blocks[1:]
    opened = Context(unfolded=frozenset({blocks[1].target}))
    whole = read(made, opened)
    assert len(whole) > 1
    for index in range(1, len(whole)):
        assert read(made, opened, Position.decode(whole[index].at.encode())) == whole[index:]
    assert not [line for line in said(read(made, Context(fold=False))) if "[" in line]


def test_a_signature_and_a_footer_are_two() -> None:
    text = (
        "Yes.\n\n-- \nDora\nMill Lane 1\nLittle Ouse\n" + RULE + "Birds mailing list\nbirds@lists.example\n"
    )
    assert said(text_of(text)) == ["paragraph Yes.", "fold [signature]", "fold [list footer]"]
    page = "<p>Yes.</p><div>-- <br>You received this message because you are subscribed to x.<br>Leave, y<br>z</div>"
    assert said(html_of(page)) == ["paragraph Yes.", "fold [list footer]"]
    assert said(html_of("<p>Yes.</p><div>-- <br>Dora<br>Mill Lane<br>Ouse</div>"))[-1] == "fold [signature]"


def test_an_envelope_without_anything_still_makes_a_page() -> None:
    part, bodies = leaf("1", "text/plain", "x")
    layout = message_layout(
        Message(Envelope(), part), lambda section, start: iter([bodies[section]]), by_name("xhtml")
    )
    assert len(list(layout.all())) == 1


@pytest.mark.parametrize("before", ["", "_____________\n"])
def test_an_original_with_nothing_above_it_is_read(before: str) -> None:
    header = "From: Anna Bell <anna@e.example>\nSent: Monday, 2 March 2026 10:00\nTo: Ben\nSubject: Lamps\n"
    made = leaf("1", "text/plain", f"{before}{header}\n" + "The lamps are green.\n\n" * 5)
    blocks = read(made, subject="Re: Lamps")
    assert Kind.FOLD not in {block.kind for block in blocks}
    for block in blocks:
        assert read(made, start=Position.decode(block.at.encode()), subject="Re: Lamps")[0] == block


def test_an_attribution_with_nothing_above_it_introduces_no_original() -> None:
    text = "On Sun, 21 Jul 2026 05:11:08 -0400\nAnna <anna@e.example> wrote:\n\nThe lamp mentioned above works again.\n"
    made = leaf("1", "text/plain", text)
    assert [block.quote for block in read(made, subject="Re: Lamps")] == [0, 0]
    made = leaf("1", "text/plain", "Yes!\n\n" + text)
    assert [block.quote for block in read(made, subject="Re: Lamps")] == [0, 0, 1]


def test_marks_are_counted_as_they_were_written() -> None:
    text = "> >From what I can tell after two days of it, the lamp is good, mostly\n> since it is green.\n\nYes.\n"
    assert [block.quote for block in text_of(text, Context(fold=False))] == [1, 0]
    assert [block.quote for block in text_of("> a\n> >From b\n> > c\n", Context(fold=False))] == [1, 2]
    assert [block.quote for block in text_of("||| =-=-=>>\nSpecial\n")] == [0]
    assert [block.quote for block in text_of("--]BY ANNA\n    Well.\n\n--]BY BEN\n--]AND CLARA\n")] == [
        1,
        0,
        1,
    ]


def test_a_box_drawn_around_a_sentence_is_whole() -> None:
    box = "# Lamps of every kind for    #\n# your house.                #\n#                            #\n"
    assert [block.kind for block in text_of(box)] == [Kind.PREFORMATTED]


def test_a_line_of_code_that_begins_a_page_keeps_its_indent() -> None:
    block = Block(Kind.PREFORMATTED, (Run("if (a) {\n" * 9 + "    b;\n" * 9),))
    halves = split(block, lambda head: len(head.text) < 86)
    assert halves is not None
    assert halves[1].text.startswith("    b;")


def test_signs_alone_do_not_end_a_page() -> None:
    block = Block(Kind.PARAGRAPH, (Run("-" * 24 + " Sponsor " + "-" * 24 + "\nLamps for everybody"),))
    assert split(block, lambda head: len(head.text) < 28, tear=False) is None


def test_a_name_behind_a_dash_is_no_item() -> None:
    assert said(text_of("Yes.\n\n- Anna Bell\n\nhttps://e.example/\n"))[1] == "paragraph - Anna Bell"
    assert said(text_of("- Lamps\n\n- Chairs of wood\n")) == ["item • Lamps", "item • Chairs of wood"]


@pytest.mark.parametrize(
    "below", ["", "P.S. See you.\n", "(Yes.)\n", "-- \nAnna\n", "> Are you?\n", "Anna <a@b.example>\n"]
)
def test_a_name_behind_a_dash_ends_a_letter(below: str) -> None:
    assert said(text_of(f"Yes.\n\n- Anna\n\n{below}"))[1] == "paragraph - Anna"


@pytest.mark.parametrize("between", ["\n", "\n\n"])
@pytest.mark.parametrize("below", ["\nThank you for it.\n", ".. and more!\n"])
def test_all_items_of_a_list_look_alike(between: str, below: str) -> None:
    blocks = said(text_of(f"We have:\n\n{between.join(('- Lamps', '- Desk Chairs', '- Big Beds'))}\n{below}"))
    assert blocks[1:4] == ["item • Lamps", "item • Desk Chairs", "item • Big Beds"]


def test_text_that_was_wrapped_twice_is_joined() -> None:
    text = (
        "As for what you asked about the house: there was a seminar last year in the full\n"
        "office where we all have\nlearned that it is possible to have lamps in it, but it is extremely\n"
        "difficult, and the pitfalls are\nhorrendous.\n"
    )
    (block,) = text_of(text)
    assert "\n" not in block.text
    items = (
        "Please bring what we need for the house, and do not forget the things which are here:\n"
        "some milk\na lamp\nthree chairs\n"
    )
    assert text_of(items)[0].text.endswith("\na lamp\nthree chairs")


def test_lines_of_one_log_stand_apart() -> None:
    lines = [
        "debug1: methods of authentication that can continue: publickey,password",
        "debug1: next method of authentication to try is publickey",
        "debug1: testing the key of the agent, which is of the type rsa and which has a",
    ]
    assert text_of("\n".join(lines))[0].text.split("\n") == lines


MARGIN = "<blockquote><p>{}</p></blockquote>"
LETTER = "<p>A letter that is much longer than what stands in its margins, since it goes on and on.</p>"


def test_blockquotes_side_by_side_are_margins() -> None:
    page = LETTER + MARGIN.format("One") + "\n" + MARGIN.format("Two") + LETTER
    assert [block.quote for block in html_of(page)] == [0, 0, 0, 0]
    apart = LETTER + MARGIN.format("One") + LETTER + MARGIN.format("Two")
    assert [block.quote for block in html_of(apart)] == [0, 1, 0, 1]


def test_a_list_in_a_blockquote_is_no_quotation() -> None:
    page = "<p>Do you want:<blockquote><ul><li>A lamp<li>A chair</ul></blockquote>" + LETTER
    assert said(html_of(page))[:3] == ["paragraph Do you want:", "item • A lamp", "item • A chair"]
    page = "<p>She said:<blockquote><p>We want:<ul><li>A lamp<li>A chair</ul></blockquote>" + LETTER
    assert [block.quote for block in html_of(page)] == [0, 1, 1, 1, 0]


def test_a_reply_quotes_below_an_attribution_or_says_that_it_cites() -> None:
    margin = MARGIN.format("1<p>2<p>3<p>4<p>5")
    assert Kind.FOLD not in {block.kind for block in html_of(LETTER + margin + LETTER, subject="Re: Lamps")}
    wrote = "<p>On 3 May 2002, Anna wrote:</p>"
    for quoted in (
        wrote + margin,
        wrote + MARGIN.format("One?") + "<p>Yes.</p>" + margin,
        margin.replace("<blockquote>", "<blockquote type=cite>"),
        margin.replace("<blockquote>", "<blockquote style='border-left: #000 2px solid'>"),
        margin.replace("1<p>", "-----Original Message-----<br>From: Anna<p>"),
    ):
        blocks = html_of(LETTER + quoted, subject="Re: Lamps")
        assert blocks[-1].kind is Kind.FOLD, said(blocks)


@pytest.mark.parametrize(
    ("border", "quoted"),
    [
        ("border-left:1px solid #ccc", True),
        ("border:none;border-left:solid blue 1.5pt;padding:0cm 0cm 0cm 4.0pt", True),
        ("border-left:2px solid rgb(0, 0, 0)!important;border-right:0px solid black", True),
        ("border-left-style:solid;border-left-width:0.5pt", True),
        # Newsletter editors give every box borders; a frame is around what it says.
        ("border-top:0px solid transparent;border-left:0px solid transparent", False),
        ("border-left:0 solid #000", False),
        ("border-left:10px solid transparent !important", False),
        ("border-left-style:solid;border-left-width:0px", False),
        ("border-left:1px solid #fd4f00;border-right:1px solid #fd4f00", False),
    ],
)
def test_a_bar_on_the_left_that_is_seen_marks_a_quotation_in_a_reply(border: str, quoted: bool) -> None:
    box = f"<div style='{border}'><p>1<p>2<p>3<p>4<p>5</div>"
    kinds = {block.kind for block in html_of(LETTER + box + LETTER, subject="Re: Lamps")}
    assert (Kind.FOLD in kinds) is quoted


def test_a_name_behind_a_dash_with_addresses_below_it_ends_a_letter() -> None:
    name = '- Anna "Ann" Bell\n  http://a.example/\n  anna@a.example\n'
    assert said(text_of(f"Yes.\n\n{name}\nhttp://list.example/\n"))[1] == (
        'paragraph - Anna "Ann" Bell\nhttp://a.example/\nanna@a.example'
    )
    lamps = "- Desk Lamps\n  http://a.example/lamps\n- Chairs\n  http://a.example/chairs\n"
    assert [block.kind for block in text_of(lamps)] == [Kind.ITEM, Kind.ITEM]


def test_base64_that_begins_with_zeros_folds() -> None:
    zeros, full = "A" * 76, "AILCuXrMPlf8AJesw+V/wWFcvWYfK/4LbxlZ6AdM2vlZXRvrlt2vj7zSRsrjYsTSaXUDztRq+0jF"
    blocks = text_of(f"Here it is:\n\n{zeros}\n{zeros}\n{full}\n{full}\n\nYours, Anna.\n")
    assert [block.kind for block in blocks] == [Kind.PARAGRAPH, Kind.FOLD, Kind.PARAGRAPH]
    digests = "\n".join("0123456789abcdef" * 4 for _ in range(5))
    assert [block.kind for block in text_of(f"Digests:\n\n{digests}\n")] == [Kind.PARAGRAPH] * 2


def test_letters_that_were_written_as_references_are_letters() -> None:
    assert (
        text_of("A pr&oacute;xima rua, Stra&szlig;e, &Uuml;ber.\n")[0].text == "A próxima rua, Straße, Über."
    )
    spoken = "Use &amp; and &lt;, see http://e.example/?a=1&copy=2 and &nbsp;."
    assert text_of(spoken)[0].text == spoken


def test_a_row_of_ellipses_is_a_rule() -> None:
    row = "…………………………………………………………………………….."
    for blocks in (text_of(f"One\n\n{row}\n\nTwo\n"), html_of(f"<p>One<p>{row}<p>Two")):
        assert [block.kind for block in blocks] == [Kind.PARAGRAPH, Kind.RULE, Kind.PARAGRAPH]
    assert said(text_of("One\n\n………\n\nTwo\n"))[1] == "paragraph ………"


def test_a_plus_with_an_angle_bracket_quotes_what_was_quoted() -> None:
    text = "  Anna> Yes.\n  Anna> Try again.\n\n  +> From: Bert\n  +> I did.\n\n  +> Twice.\n\nWell.\n"
    assert [block.quote > 0 for block in text_of(text, Context(fold=False))] == [True, True, True, False]


@pytest.mark.parametrize(
    "written", ["One</br>two", "One</BR >two", "One<br></br>two", "One<br clear=all> </br>two"]
)
def test_the_end_of_a_line_break_is_one(written: str) -> None:
    assert [block.text for block in html_of(f"<p>{written}")] == ["One\ntwo"]


def test_a_line_of_two_columns_is_not_joined_with_the_next() -> None:
    head = "A Publication of the House of Lamps             ISSN 1062-9424\nIn the 225th Issue of Lamps:\n"
    assert text_of(head)[0].text.count("\n") == 1
    prose = (
        "There was some lamp in the house which          somebody had left\nand it went out in the night.\n"
    )
    assert "\n" not in text_of(prose)[0].text


def test_who_wrote_a_verse_stands_below_it() -> None:
    verse = "it was the spring of hope, it was the winter of despair and of lamps,\nand we had nothing before us\n"
    assert text_of(f"{verse}---C Bell\n")[0].text.endswith("\n---C Bell")


def test_a_rule_that_was_wrapped_is_one() -> None:
    blocks = text_of("One\n\n" + "*" * 50 + "\n" + "*" * 9 + "\n\nTwo\n")
    assert [block.kind for block in blocks] == [Kind.PARAGRAPH, Kind.RULE, Kind.PARAGRAPH]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dear you,<br />\n<br />\nwe write &#9742;.<br />\nBye<br />\n", ["Dear you,", "we write ☎.\nBye"]),
        ("One.</br>\nTwo.</br>\n</br>\nThree.", ["One.\nTwo.", "Three."]),
        ('<p>Dear you,</p>\n<p><b>We</b> write.</p>\n', ["Dear you,", "We write."]),
        ('<!-- saved --><table><tr><td><a href="https://e.example/">Go</a></td></tr></table>\n', ["Go"]),
        # Text about elements is not a page.
        ("Use this:\n  one<br>\n  two<br>\n\nRegards,\nAnna\n", ["Use this:\none<br>\ntwo<br>", "Regards,\nAnna"]),
        ("<p> begins a paragraph.\nWe like it.\n", ["<p> begins a paragraph.\nWe like it."]),
        ("<snip>\nI <b>think</b> so.\n", ["<snip>\nI <b>think</b> so."]),
    ],
)  # fmt: skip
def test_a_text_of_elements_is_read_as_a_page(text: str, expected: list[str]) -> None:
    assert [block.text for block in text_of(text)] == expected


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<p>=====<br>To leave<br>click<br>=====</p><p>Bye", ["PARAGRAPH To leave\nclick", "RULE ", "PARAGRAPH Bye"]),
        ("<p>A<br><b>• • • • •<br>B</b><br>C", ["PARAGRAPH A", "RULE ", "PARAGRAPH B\nC"]),
        ("<p>A<br>.<br>.<br>.<br>.<br>.<br>B", ["PARAGRAPH A", "RULE ", "PARAGRAPH B"]),
        ("<p>A<br>______<br>B<br>_ _ _ _ _<br>C", ["PARAGRAPH A", "RULE ", "PARAGRAPH B", "RULE ", "PARAGRAPH C"]),
        ("<p>Name: ______<br>____<br>__init__", ["PARAGRAPH Name: ______\n____\n__init__"]),
        ("<p>A<br>.<br>.<br>B", ["PARAGRAPH A\n.\n.\nB"]),
        ("<p>A<br>...<br>B<br>-----&gt; C", ["PARAGRAPH A\n...\nB\n-----> C"]),
    ],
)  # fmt: skip
def test_a_line_drawn_in_a_paragraph_of_html_is_a_rule(page: str, expected: list[str]) -> None:
    assert [f"{block.kind.name} {block.text}" for block in html_of(page)] == expected


def test_headings_side_by_side_share_a_line() -> None:
    rows = "<tr><td><h3>Number</h3><td><h3>:</h3><td><h3>4711</h3><tr><td><h3>Plan:</h3><td><h3>Best</h3>"
    blocks = html_of(f"<table role=presentation><tr><td><h2>Details</h2>{rows}</table>")
    assert said(blocks) == ["heading Details", "heading Number: 4711", "heading Plan: Best"]
    apart = html_of("<table role=presentation><tr><td><h2>A</h2><td><p>B</p></table>")
    assert said(apart) == ["heading A", "paragraph B"]


def test_the_name_of_a_picture_is_not_said_before_the_title_below_it() -> None:
    picture = '<p><a href="https://e.example/1"><img src="1.jpg" alt="Keys to success" width=200></a>'
    title = '<p>1 May<h3><a href="https://e.example/1">Keys to success</a></h3>'
    assert said(html_of(picture + title)) == ["paragraph 1 May", "heading Keys to success"]
    other = html_of(picture + title.replace("/1", "/2"))
    assert said(other)[0] == "paragraph Keys to success"  # the only link to that place


def test_the_name_of_a_picture_is_not_said_after_the_title_above_it() -> None:
    title = "<h3>Keys to success</h3><p>Read more</p><p>Ask more</p>"
    picture = '<p><img src="1.jpg" alt="Keys to Success" width=200></p>'
    end = "<p>Try more</p>"
    texts = ["Keys to success", "Read more", "Ask more"]
    assert [block.text for block in html_of(title + picture + end)] == [*texts, "Try more"]
    linked = html_of(f'{title}<a href="https://e.example/1">{picture}</a>{end}')
    assert [block.text for block in linked] == [*texts, "Keys to Success", "Try more"]
    others = [
        title.replace("success", "the success of others"),  # says more
        title.replace("Keys to success", "Keys").replace("Read", "Keys to succeed"),
        title + "<p>And more</p>" * 9,  # far above
    ]
    for page in others:
        assert "Keys to Success" in [block.text for block in html_of(page + picture + end)]


def test_an_attribution_broken_before_its_address_is_one() -> None:
    text = "Yes.\n\nOn Mon, Apr 2, 2012 at 2:20 PM, Bob <\nbob@example.org> wrote:\n\n> Hi\n"
    assert [block.text for block in text_of(text, Context(fold=False))][1:] == [
        "On Mon, Apr 2, 2012 at 2:20 PM, Bob <bob@example.org> wrote:",
        "Hi",
    ]
    assert text_of("if a <\nb then\n")[0].text == "if a <\nb then"


def test_nested_commands_keep_their_lines() -> None:
    commands = (
        '    if "$h_mark:" is "" and\n       "${domain: $from}" is "example.org"\n    then\n'
        '      pipe "/usr/bin/inject -c ${user}/config"\n      finish\n    endif\n'
    )
    assert [(block.kind, block.text) for block in text_of("Write:\n\n" + commands)][1:] == [
        (Kind.PREFORMATTED, commands.removesuffix("\n"))
    ]
    prose = "  He paid $5 for it and she\n     paid nothing at all, which\n  was the end of it.\n"
    assert text_of(prose)[0].kind is Kind.PARAGRAPH


def test_what_stands_twice_is_a_link_once() -> None:
    text = "To: Bo <bo@e.example<mailto:Bo@e.example>>, see e.example<http://e.example/>, www.e.org<https://www.e.org>\n"
    block = text_of(text)[0]
    assert block.text == "To: Bo <bo@e.example>, see http://e.example/, https://www.e.org"
    assert [run.link for run in block.runs if run.link] == [
        "mailto:bo@e.example",
        "http://e.example/",
        "https://www.e.org",
    ]
    other = "The shop<http://e.example/>, e.example<http://f.example/>\n"
    assert text_of(other)[0].text == other.rstrip()


def test_what_was_left_over_of_deeply_quoted_lines_is_quoted() -> None:
    text = (
        " > >  > My biggest problem with it is that it will _always_ render\nthe HTML\n"
        " > >  > in messages that are only HTML (possible speed and/or this\nwish\n"
        " > >  > to see what else there is.\n\nSo it is.\n"
    )
    assert said(text_of(text, subject="Re: x")) == ["fold >[5 quoted lines]", "paragraph So it is."]
    answered = "> My biggest problem with it is that it will always render so\nnot here\n> in messages.\n"
    assert "paragraph not here" in said(text_of(answered, subject="Re: x"))


def test_a_sign_is_no_name_of_a_picture() -> None:
    assert said(html_of('<p><img src="1.png" alt="."><p>Text<p><img src="2.png" alt="🎉">')) == [
        "paragraph Text",
        "paragraph 🎉",
    ]


def test_values_in_a_column_are_fields() -> None:
    text = "Priority: normal\nDate:         Mon, 9 Sep\nTo:     Law of all\n<policy@e.example>\nMail:\ta@e.example\n"
    (block,) = text_of(text)
    assert block.kind is Kind.PARAGRAPH
    assert block.text.split("\n")[1:] == [
        "Date: Mon, 9 Sep",
        "To: Law of all",
        "<policy@e.example>",
        "Mail: a@e.example",
    ]
    table = "Name:    Number     Price\nLamp     2       20.00\n"
    assert text_of(table)[0].kind is Kind.PREFORMATTED


def test_what_stands_around_a_command_are_lines() -> None:
    text = (
        "anna@host:/tmp # apt-get update\nGet: http://e.example/redhat/8.0/en/os/i386 list [51.8kB]\n"
        "Fetched everything that there was in two seconds and a half\nanna@host:/tmp # ls\n"
    )
    assert text_of(text)[0].text.count("\n") == 3
    compiled = (
        "cc -std -D_INTRINSICS -o spamd/spamc -L/usr/local/lib -ldb -lm -liconv -lutil\n"
        "cc: Error: spamd/spamc.c, line 50: In this declaration, a name has no linkage and\nhas a declaration\n"
    )
    assert text_of(compiled)[0].text.split("\n")[1].startswith("cc: Error:")
    prose = "Write to anna@example.org, who knows all of this and\nmore than anybody else who was there at the time.\n"
    assert "\n" not in text_of(prose)[0].text


def test_a_line_between_a_title_and_its_address_is_a_subtitle() -> None:
    title = "    Unisys takes high and middle roads with its new series\n    Twin product streams\n"
    assert text_of(title + "        http://e.example/26205.html\n")[0].text.count("\n") == 2


@pytest.mark.parametrize("address", ["<bob@example.org>", "(bob@example.org)"])
def test_an_attribution_goes_on_with_its_address(address: str) -> None:
    text = f"Yes.\n\nOn July 19, 2022 at 3:36 PM, Bob\n{address} wrote:\n> Hi\n"
    assert text_of(text)[1].text == f"On July 19, 2022 at 3:36 PM, Bob {address} wrote:"


def test_signs_of_missing_fonts_are_left_out_or_known() -> None:
    assert said(html_of("<p><em>\ue740</em><p>Text")) == ["paragraph Text"]
    assert said(text_of("\uf0b7\tOne\n\uf0b7\tTwo\n")) == ["item • One", "item • Two"]
    assert said(html_of('<p><img src="1.png" alt="alt_text">Text')) == ["paragraph Text"]
