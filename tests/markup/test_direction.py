"""Right to left: a class in XHTML, marks in WML, and nothing if a text runs the other way."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import markup
from gateway.device import Device, by_name
from gateway.markup.direction import CLASS, END, MARK, marked, right_to_left
from gateway.markup.screen import Screen
from gateway.markup.style_sheet import STYLE_SHEET
from gateway.message.mime import wire_format
from gateway.pages.message_pages import message_pages
from gateway.rendition.blocks import Block, Kind, Run
from tests.devices.checks import check_deck, check_page
from tests.rendition.hostile import mail

HEBREW, ARABIC = "שלום עולם. (123)", "مرحبا، كيف الحال؟"
WML, XHTML = by_name("wml"), by_name("xhtml")


def say(item: Block, device: object = XHTML) -> str:
    return str(markup.block(item, device, lambda _block, _run: ""))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", [HEBREW, ARABIC, "12:30 שלום", '("שלום") and Latin', "\u07ca\u07de", "\ufb2a"]
)
def test_the_first_strong_character_decides(text: str) -> None:
    assert right_to_left(text)
    assert not right_to_left("Latin first " + text)


@pytest.mark.parametrize("text", ["", "plain", "Grüße да 漢字", "12:30 (!)"])
def test_most_texts_run_left_to_right(text: str) -> None:
    assert not right_to_left(text)
    assert marked(text) == text


@pytest.mark.parametrize(
    ("kind", "element"),
    [(Kind.PARAGRAPH, "p"), (Kind.HEADING, "h2"), (Kind.PREFORMATTED, "pre"), (Kind.ROW, "p")],
)
def test_a_block_of_xhtml_has_the_class(kind: Kind, element: str) -> None:
    assert say(Block(kind, (Run(HEBREW),), level=1)).startswith(f'<{element} class="{CLASS}">')
    assert say(Block(kind, (Run("Latin"), Run(HEBREW)), level=1)).startswith(f"<{element}>")


def test_quotation_and_bullet_stay_where_they_are() -> None:
    assert say(Block(Kind.PARAGRAPH, (Run(HEBREW),), quote=1)).startswith(f'<blockquote><p class="{CLASS}">')
    quoted = say(Block(Kind.PARAGRAPH, (Run(f"{HEBREW}\n{ARABIC}"),), quote=1), WML)
    assert quoted == f"<p>&gt; {HEBREW}{MARK}<br/>&gt; {ARABIC}{MARK}</p>"


def test_lines_of_wml_are_marked_where_punctuation_would_go_astray() -> None:
    item = Block(Kind.PARAGRAPH, (Run('"שלום"\nשני 2\n'), Run("סוף.", strong=True)))
    assert say(item, WML) == f"<p>{MARK}&quot;שלום&quot;{MARK}<br/>שני 2<br/><b>סוף.{MARK}</b></p>"
    assert MARK not in say(item)
    latin = by_name("nokia3330")
    assert MARK not in say(item, latin) or latin.charset == "utf-8"


@given(st.text(st.sampled_from("אب a1.(\n")))
def test_marks_change_nothing_else(text: str) -> None:
    assert marked(text).replace(MARK, "") == text


def test_a_page_is_valid_and_says_the_direction_of_its_subject() -> None:
    body = f"<p>{HEBREW}</p><blockquote type=cite><h1>{ARABIC}</h1></blockquote><p>Latin"
    octets = mail(body, header=f"From: a@example.org\nSubject: {HEBREW}\n")
    found = wire_format.parse(octets)
    (page,) = message_pages(found.message, found.octets, XHTML)
    check_page(page.octets, 10_000)
    said = page.octets.decode()
    assert re.findall(f'<(h1|h2|p) class="{CLASS}">', said) == ["h1", "p", "h2"]
    assert b".r{direction:rtl}" in STYLE_SHEET


def written(screen: Screen, device: Device) -> str:
    octets, _content_type = markup.encode(screen, device)
    (check_deck if device is WML else check_page)(octets, 10_000)
    return octets.decode()


def listed(row: dict[str, object], device: Device, title: str = HEBREW) -> str:
    """Write a list of one message."""
    values = {"sentence": "", "notes": (), "hint": "", "range": "1"}
    rows = (markup.piece("mailbox_row", device, str, row=row),)
    return written(Screen("mailbox", title, {**values, "rows": rows}), device)


def test_a_subject_in_a_list_is_set_apart_from_what_is_beside_it() -> None:
    row = {
        "href": "m1.1", "key": "1", "who": "Bob", "subject": HEBREW, "date": "12:30", "folder": ARABIC, "messages": "",
        **dict.fromkeys(("unseen", "flagged", "attached", "deleted"), False),
    }  # fmt: skip
    page = listed(row, XHTML)
    assert f'<br/><span class="{CLASS}">{HEBREW}</span></a>' in page
    assert f'[<span class="{CLASS}">{ARABIC}</span>]' in page
    assert f'<h1 class="{CLASS}">{HEBREW} <span class="d">1</span></h1>' in page
    assert b"span.r{unicode-bidi:" in STYLE_SHEET
    assert f">Bob: {HEBREW}{MARK}{END}</a> 12:30" in listed(row, WML)
    assert f'class="{CLASS}"' not in listed(row | {"subject": "Lamp", "folder": ""}, XHTML, "x")


def test_names_of_folders_are_set_apart() -> None:
    row = {"heading": "", "indent": "-", "href": "b1", "key": "1", "unseen": 2, "name": HEBREW}
    screen = Screen("folders", "Folders", {"sentence": "", "range": "1", "rows": (row,)})
    assert f'<span class="{CLASS}">{HEBREW}</span> (2)' in written(screen, XHTML)
    assert f"{HEBREW}{MARK}{END} (2)" in written(screen, WML)


@pytest.mark.parametrize(("value", "way"), [(HEBREW, True), ("Latin", False), ("", False)])
def test_what_is_typed_has_its_direction(value: str, way: bool) -> None:
    field = {
        "name": "text", "label": "Text", "value": value, "options": (), "key": "1", "address": False, "wrong": False,
    }  # fmt: skip
    values = {
        "inputs": (field, field | {"name": "subject", "key": "2"}), "lines": (), "hidden": (), "buttons": (),
        "area": (20, 4),
        **dict.fromkeys(("sentence", "target", "tail", "probe", "ticket", "keep"), ""),
    }  # fmt: skip
    page = written(Screen("compose", "Reply", values), XHTML)
    found = re.findall(r'<(textarea|input) (?:type="text" )?[^>]* class="r"', page)
    assert found == (["textarea", "input"] if way else [])
    assert b"unicode-bidi:plaintext" in STYLE_SHEET  # while it is typed, too


@pytest.mark.parametrize("name", ["notice", "ask"])
def test_a_line_by_itself_has_its_direction(name: str) -> None:
    values = {
        "sentence": HEBREW,
        "lines": (ARABIC, "Latin"),
        "target": "",
        "answer": "",
        "ticket": "",
        "short": "",
    }
    page = written(Screen(name, "More", values), XHTML)
    assert re.findall(r"<p( class=.r.)?>([^<]*)</p>", page) == [
        (f' class="{CLASS}"', HEBREW), (f' class="{CLASS}"', ARABIC), ("", "Latin"),
    ]  # fmt: skip
