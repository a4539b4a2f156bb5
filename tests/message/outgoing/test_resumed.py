"""resumed: the typed part of a text that is kept and resumed is what was typed, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.message.mime import wire_format
from gateway.message.model import Address, Part
from gateway.message.outgoing import builder, resumed

WHEN = datetime(2025, 11, 3, 14, 5, tzinfo=UTC)
#: What makes a difference to flowed text, quotation and signatures, and letters of all sizes.
WORDS = st.lists(
    st.sampled_from(["word ", ">", "> ", "-- \n", "\n", "\n\n", " ", "ü", "字 ", "From ", "x" * 80])
).map("".join)


def kept(text: str) -> str:
    """Put a text into a mail and read it again."""
    octets = builder.compose(
        sender=Address("", "me@x.org"), to=[], text=text, date=WHEN, message_id="<1@x.org>"
    )
    parsed = wire_format.parse(octets)
    (part,) = resumed.plain_text_parts(parsed.message)
    return resumed.text_of(part, lambda start: parsed.octets(part.section, start))


def plain(text: str) -> str:
    return "".join(text.split())


@given(WORDS, WORDS, WORDS)
@example("Hi", "> -- \n> Bob", "Me\n-- \nMyself")
@example("", "", "Me")
@example("-- \nnot a signature", "On Monday, Bob wrote:\n> Hi", "")
def test_what_was_typed_is_known_again(typed: str, quoted: str, signature: str) -> None:
    written = resumed.note(quoted, signature)
    taken = resumed.split_text(kept(resumed.join_text(typed, quoted, signature)), written)
    assert plain(taken.typed) == plain(typed)
    assert plain(taken.quoted) == plain(quoted)
    assert plain(taken.signature) == plain(signature)


@given(WORDS)
@example("one two " * 40)
@example("a\n\n> " + "quoted " * 40 + "\n>> deeper\nb")
def test_paragraphs_stay_paragraphs(text: str) -> None:
    lines = [line.strip() for line in text.split("\n")]
    again = [line.strip() for line in kept(text).split("\n")]
    assert plain(kept(text)) == plain(text)
    if not any(line.startswith((">", "--")) for line in lines):
        while lines and not lines[-1]:
            lines.pop()
        assert again == (lines or [""])


@pytest.mark.parametrize("change", [("Bob wrote", "Rob wrote"), ("Hello", "Hello,"), ("\n-- \nMe", "")])
def test_what_another_program_changed_counts_as_typed(change: tuple[str, str]) -> None:
    quoted = "On Monday, Bob wrote:\n> Hello?"
    text = resumed.join_text("Hello", quoted, "Me")
    changed = text.replace(*change)
    assert resumed.split_text(text, resumed.note(quoted, "Me")) == ("Hello", quoted, "Me")
    assert resumed.split_text(changed, resumed.note(quoted, "Me")) == (changed.rstrip(), "", "")


@given(WORDS, st.text(max_size=40))
def test_a_note_that_is_none_takes_nothing_apart(text: str, written: str) -> None:
    assert plain(resumed.split_text(text, written).typed) == plain(text)


@given(WORDS, WORDS, WORDS)
def test_a_piece_that_comes_twice_is_there_once(before: str, piece: str, later: str) -> None:
    first = resumed.append_piece(before, piece)
    whole = resumed.append_piece(first, later)
    again = resumed.append_piece(resumed.visible_prefix(whole, resumed.visible_length(before)), piece)
    assert plain(again) == plain(first)


def test_pieces_go_on_in_the_same_line() -> None:
    assert resumed.append_piece("One,", "two.") == "One, two."
    assert resumed.append_piece("One,", "\ntwo.") == "One,\ntwo."
    assert resumed.append_piece("", "two. ") == "two."
    assert resumed.append_piece("One", " ") == "One"


def test_a_page_without_plain_text_has_no_prose() -> None:
    page = Part(
        "",
        "multipart/mixed",
        parts=(Part("1", "text/html"), Part("2", "text/plain", disposition="attachment")),
    )
    parsed = wire_format.parse(b"Subject: x\r\n\r\nHello")
    assert [part.section for part in resumed.plain_text_parts(parsed.message)] == ["1"]
    message = parsed.message
    assert resumed.plain_text_parts(type(message)(message.envelope, page)) == ()


def test_a_very_long_text_is_cut() -> None:
    assert len(kept("word " * 60_000)) <= resumed.LONGEST
