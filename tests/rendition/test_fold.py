"""Folding: quotations, signatures and notices fold; an answer between them never does; what is folded opens."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.rendition import Context, Kind, Position, render
from gateway.rendition.text import quoting
from tests.rendition.mails import html_of, leaf, mail, said, text_of

QUOTED = "".join(f"> quoted line number {number}\n" for number in range(6))


def test_a_quotation_folds_and_an_answer_between_stays() -> None:
    text = f"Hello,\n\nOn Monday, Anna wrote:\n{QUOTED}\nYes, at eight.\n{QUOTED}> more\n\nNo.\n"
    assert said(text_of(text)) == [
        "paragraph Hello,",
        "paragraph On Monday, Anna wrote:",
        "fold [6 quoted lines]",
        "paragraph Yes, at eight.",
        "fold [7 quoted lines]",
        "paragraph No.",
    ]


def test_a_short_quotation_is_shown() -> None:
    assert said(text_of("> Lamp or\n> candle?\n\nLamp.\n")) == [
        "paragraph >Lamp or\ncandle?",
        "paragraph Lamp.",
    ]


def test_a_message_that_is_all_quotation_is_shown() -> None:
    assert said(text_of(QUOTED))[0].startswith("paragraph >quoted line number 0")
    assert len(text_of(f"Anna wrote:\n\n{QUOTED}")) == 2


def test_a_fold_opens_in_place_and_paging_goes_on_inside() -> None:
    text = f"Hello,\n\n{QUOTED}>\n{QUOTED}\nBye.\n\n{QUOTED}\nEnd.\n"
    message, bodies = mail(leaf("1", "text/plain", text))
    fold = list(render(message, Context(), bodies))[1]
    assert (fold.kind, fold.target) == (Kind.FOLD, fold.at.encode())
    opened = list(render(message, Context(unfolded=frozenset({fold.target})), bodies))
    assert [block.kind.name for block in opened] == ["PARAGRAPH"] * 4 + ["FOLD", "PARAGRAPH"]
    inside = Position.decode(opened[2].at.encode())
    assert list(render(message, Context(), bodies, inside)) == opened[2:]


def test_everything_is_shown_when_folding_is_off() -> None:
    text = f"Hello,\n\n{QUOTED}\n-- \nAnna\nMain Street\n5678 Town\n"
    assert [block.kind for block in text_of(text, Context(fold=False))] == [Kind.PARAGRAPH] * 3


def test_signatures_fold_from_three_lines_on() -> None:
    assert said(text_of("Hello.\n\n-- \nAnna Example\nMain Street 5\n1234 Town\n"))[1:] == [
        "fold [signature]"
    ]
    assert said(text_of("Hello.\n\n-- \nAnna\n"))[1:] == ["paragraph Anna"]
    long = "Hello.\n\n-- \n" + "".join(f"Line {number}\n" for number in range(30))
    assert "Line 29" in said(text_of(long))[-1]


def test_legal_notices_fold() -> None:
    notice = (
        "This e-mail and any attachments are confidential and intended solely for the addressee. If you have\n"
        "received this message in error, please notify the sender and delete it. Thank you.\n"
    )
    assert said(text_of(f"The lamp is confidential.\n\n{notice}")) == [
        "paragraph The lamp is confidential.",
        "fold [legal notice]",
    ]


def test_notes_are_translated() -> None:
    context = Context(
        translate=lambda msgid: {"[signature]": "[Unterschrift]"}.get(msgid, msgid),
        ngettext=lambda one, many, number: "[%(number)d zitierte Zeilen]",
    )
    text = f"Hello.\n\n{QUOTED}\n-- \nAnna\nStreet\nTown\n"
    assert said(text_of(text, context))[1:] == ["fold [6 zitierte Zeilen]", "fold [Unterschrift]"]


OUTLOOK_TEXT = (
    "Yes, please.\n\n-----Original Message-----\nFrom: Anna Example\nSent: Monday, 3 November 2025 14:05\n"
    "To: Bert\nSubject: Lamp\n\nDear Bert,\n\nshall I buy it?\n\nAnna\n"
)


def test_an_unmarked_original_folds_in_an_answer_but_not_when_forwarded() -> None:
    assert [block.kind for block in text_of(OUTLOOK_TEXT, subject="RE: Lamp")] == [Kind.PARAGRAPH, Kind.FOLD]
    for subject in ("FW: Lamp", "Re: Fwd", ""):
        folded = any(block.kind is Kind.FOLD for block in text_of(OUTLOOK_TEXT, subject=subject))
        assert folded == subject.startswith("Re")
    without_marker = OUTLOOK_TEXT.replace("-----Original Message-----\n", "")
    assert [block.kind for block in text_of(without_marker, subject="RE: Lamp")] == [
        Kind.PARAGRAPH,
        Kind.FOLD,
    ]


GMAIL = """<div dir="ltr">Yes, at eight.<div><br></div><div>-- <br><div class="gmail_signature"><p>Bert Example</p>
<p>Main Street 5</p><p>1234 Town</p></div></div></div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">
On Mon, 3 Nov 2025 at 14:05, Anna &lt;<a href="mailto:a@example.org">a@example.org</a>&gt; wrote:<br></div>
<blockquote class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px #ccc solid;padding-left:1ex"><p>Dear Bert,</p>
<p>shall we meet?</p><p>When?</p><p>Where?</p></blockquote></div>"""

OUTLOOK = """<html xmlns:o="urn:schemas-microsoft-com:office:office"><head>
<style><!-- p.MsoNormal {margin:0cm} --></style></head>
<body lang=EN-GB><div class=WordSection1><p class=MsoNormal>Yes, please.<o:p></o:p></p>
<p class=MsoNormal><o:p>&nbsp;</o:p></p>
<div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p class=MsoNormal><b>From:</b> Anna
&lt;a@example.org&gt; <br>
<b>Sent:</b> Monday, 3 November 2025 14:05<br><b>To:</b> Bert<br>
<b>Subject:</b> Lamp<o:p></o:p></p></div>
<p class=MsoNormal>Dear Bert,<o:p></o:p></p><p class=MsoNormal>shall I buy it?</p></div></body></html>"""

APPLE = """<html><body style="word-wrap: break-word; -webkit-nbsp-mode: space;"><div>First: yes.</div><div><br
class="Apple-interchange-newline"><blockquote type="cite"><div>On 3 Nov 2025, at 14:05, Anna wrote:</div><br><div>
<div>One?</div><div>Two?</div><div>Three?</div><div>Four?</div></div></blockquote></div><div>And an answer below.</div>
<blockquote type="cite"><div>a</div><div>b</div><div>c</div><div>d</div></blockquote></body></html>"""

YAHOO = """<div>Yes.</div><div id="yahoo_quoted_123" class="yahoo_quoted"><div>On Monday, Anna wrote:</div>
<div>a</div><div>b</div><div>c</div></div>"""


@pytest.mark.parametrize(
    ("html", "lines"),
    [
        (
            GMAIL,
            [
                "paragraph Yes, at eight.",
                "fold [signature]",
                "paragraph On Mon, 3 Nov 2025 at 14:05, Anna <a@example.org> wrote:",
                "fold [4 quoted lines]",
            ],
        ),
        (OUTLOOK, ["paragraph Yes, please.", "fold [6 quoted lines]"]),
        (
            APPLE,
            [
                "paragraph First: yes.",
                "fold [5 quoted lines]",
                "paragraph And an answer below.",
                "fold [4 quoted lines]",
            ],
        ),
        (YAHOO, ["paragraph Yes.", "fold [4 quoted lines]"]),
    ],
)
def test_chains_of_mail_programs(html: str, lines: list[str]) -> None:
    assert said(html_of(html, subject="Re: Lamp")) == lines


def test_a_forwarded_outlook_message_is_shown() -> None:
    assert said(html_of(OUTLOOK, subject="FW: Lamp"))[-1] == "paragraph shall I buy it?"


def test_a_quotation_in_a_newsletter_is_shown() -> None:
    html = "<p>Readers say:</p><blockquote><p>Fine.</p><p>Good.</p><p>Nice.</p><p>Well.</p></blockquote>"
    assert [block.quote for block in html_of(html)] == [0, 1, 1, 1, 1]


def test_a_fold_in_html_opens_and_paging_goes_on_inside() -> None:
    message, bodies = mail(leaf("1", "text/html", GMAIL), "Re: Lamp")
    folds = {block.target for block in render(message, Context(), bodies) if block.kind is Kind.FOLD}
    opened = list(render(message, Context(unfolded=frozenset(folds)), bodies))
    assert [block.text for block in opened[-4:]] == ["Dear Bert,", "shall we meet?", "When?", "Where?"]
    for number, block in enumerate(opened):
        context = Context(unfolded=frozenset(folds))
        assert list(render(message, context, bodies, Position.decode(block.at.encode()))) == opened[number:]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(["> q", "> q\n> q\n> q\n> q", "answer", "-- ", "", "On Monday, Anna wrote:"]),
        max_size=25,
    )
)
def test_no_unquoted_line_before_a_signature_is_ever_folded(parts: list[str]) -> None:
    text = "\n".join(parts)
    shown = "\n".join(block.text for block in text_of(text))
    body = text.partition("\n-- \n")[0]
    assert shown.count("answer") >= body.count("answer") - (1 if body.startswith("-- ") else 0) * body.count(
        "answer"
    )


@given(st.from_regex(quoting._LEGAL).filter(lambda text: "İ" not in text))
def test_a_word_of_legal_notices_has_its_beginning(text: str) -> None:
    """What is_legal looks for first is in everything that it looks for then; only with İ does no case folding give an
    i."""
    assert any(beginning in text.casefold() for beginning in quoting._LEGAL_BEGINNINGS)
