"""The line above a message, and the names of what is attached."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.device import by_name
from gateway.language import Language
from gateway.message.model import Address, Envelope, Message, Part
from gateway.pages import message_heads
from gateway.pages.message_heads import Head

PHONE, WAP, KINDLE = by_name("xhtml"), by_name("nokia7110"), by_name("kindle")
ME = frozenset({"me@example.org"})
SATURDAY = datetime(2026, 11, 28, 16, 37, tzinfo=UTC)
MONDAY = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)


def _to(*specs: str) -> Envelope:
    return Envelope(
        to=tuple(Address("", spec) for spec in specs[:1]), cc=tuple(Address("", s) for s in specs[1:])
    )


@pytest.mark.parametrize(
    ("specs", "said"),
    [
        (("me@example.org",), ""),
        ((), ""),
        (("ME@example.org", "a@example.org", "b@example.org", "c@example.org"), "to me +3"),
        (("a@example.org", "me@example.org"), "to me +1"),
        (("list@example.org",), "to list@example.org"),
        (("list@example.org", "a@example.org"), "to list@example.org +1"),
    ],
)
def test_it_says_to_whom_unless_to_its_reader_alone(specs: tuple[str, ...], said: str) -> None:
    assert message_heads.to_whom(_to(*specs), PHONE, Language(), ME) == said


def test_nothing_is_said_where_the_reader_is_not_known() -> None:
    assert message_heads.to_whom(_to("a@example.org"), PHONE, Language(), ()) == ""


def test_a_date_is_short_on_small_screens_and_in_full_on_wide_ones() -> None:
    mail = Message(Envelope(date=SATURDAY), Part("1", "text/plain"))
    assert message_heads.when(mail, PHONE, Language(), MONDAY) == "Sat 16:37"
    assert message_heads.when(mail, KINDLE, Language(), MONDAY) == "Sat 28 Nov 2026 16:37"
    assert message_heads.when(mail, PHONE, Language(), None) == "Sat 28 Nov 2026 16:37"
    old = Message(Envelope(date=SATURDAY.replace(month=3)), Part("1", "text/plain"))
    assert message_heads.when(old, PHONE, Language(), MONDAY) == "28 Mar 16:37"
    older = Message(Envelope(date=SATURDAY.replace(year=2019)), Part("1", "text/plain"))
    assert message_heads.when(older, PHONE, Language(), MONDAY) == "Nov 2019"


def _file(name: str, kind: str) -> Part:
    return Part("2", kind, disposition="attachment", disposition_parameters={"filename": name})


def test_files_are_named_with_their_kind() -> None:
    files = [_file("minutes.pdf", "application/pdf"), _file("", "image/jpeg")]
    assert message_heads.attached(files, PHONE, Language()) == "minutes.pdf (PDF), Picture"
    assert message_heads.attached(files * 3, PHONE, Language()).endswith("minutes.pdf (PDF) +3")
    assert message_heads.attached(files, WAP, Language()) == "minutes.pdf +1"
    assert message_heads.attached([], PHONE, Language()) == ""


def test_a_long_name_keeps_its_ending_in_one_line() -> None:
    said = message_heads.attached([_file("minutes of the meeting.docx", "")], WAP, Language())
    assert said.endswith("….docx")
    assert len(said) < WAP.columns


def _lines_above_the_text(head: Head, columns: int) -> int:
    """Count as on a phone that wraps between words."""
    above = (head.subject, head.line, head.attached)
    return sum(len(textwrap.wrap(text, columns)) for text in above)


@pytest.mark.parametrize(
    "subject", ["Hi", "Re: Regatta: who steers?", "November at the Harbour Library: one ghost"]
)
@pytest.mark.parametrize("to", ["", "to me +3", "to list@example.org +12"])
@pytest.mark.parametrize("attached", ["", "minutes.pdf +1"])
@pytest.mark.parametrize("pages", ["", "1/7"])
def test_the_first_screen_of_a_7110_shows_text(subject: str, to: str, attached: str, pages: str) -> None:
    others = "+3" if to == "to me +3" else ""
    head = Head(subject, "Anna Karenina", "Sat 16:37", to, attached, pages, others)
    fitted = message_heads.on_first_screen(head, WAP)
    assert _lines_above_the_text(fitted, WAP.columns) < WAP.lines == 4
    assert fitted.subject.startswith(subject[:10])
    assert fitted.line.startswith("Sat 16:37"), "who it is from is the title"
    assert (fitted.attached, fitted.pages) == (attached, pages)
    assert ("+3" in fitted.line) is bool(others and not (attached and pages))


def test_how_many_got_it_besides_is_said_in_a_word_where_a_line_is_short() -> None:
    assert message_heads.others_too(_to("ME@example.org", "a@example.org"), Language(), ME) == "+1"
    assert message_heads.others_too(_to("list@example.org", "a@example.org"), Language(), ME) == ""
    head = Head("Invitation: Lantern walk", "Nora", "Mon 08:17", "to me +1", "", "", "+1")
    fitted = message_heads.on_first_screen(head, WAP)
    assert (fitted.subject, fitted.line) == ("Invitation: Lantern walk", "Mon 08:17, +1")


def test_what_has_room_stays() -> None:
    head = Head("Re: Regatta: who steers?", "Anna", "Sat 16:37", "to me +3", "", "")
    assert message_heads.on_first_screen(head, by_name("wml5000")) == replace(head, who="")
    assert message_heads.on_first_screen(head, PHONE) == head


def test_who_it_is_from_is_said_where_the_title_does_not_say_it_in_full() -> None:
    head = Head("Hi", "Anna", "Sat 16:37", "", "", "")
    assert message_heads.on_first_screen(head, by_name("upbrowser4")).who == "Anna"
    long = replace(head, who="Anna Arkadyevna Karenina")
    assert message_heads.on_first_screen(long, WAP).who == "Anna Arkadyevna Karenina"
