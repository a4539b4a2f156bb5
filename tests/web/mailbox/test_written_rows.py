"""Kept rows are those that would be written now, and no more of them than there is room for."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from gateway.markup.screen import Screen
from gateway.message.model import Envelope
from gateway.store.base import MessageRef, Summary
from gateway.store.session_cache import MOST as ROOM
from gateway.store.session_cache import SessionCache
from gateway.web.mailbox.written_rows import LONGEST, MOST, MOST_PAGES, MOST_SCREENS, WrittenRows


def summary(uid: int) -> Summary:
    return Summary(MessageRef("INBOX", 1, uid), uid, Envelope())


def test_what_is_known_is_asked_once_and_another_reader_knows_nothing() -> None:
    kept: WrittenRows[int] = WrittenRows.of(SessionCache())
    one, asked = summary(1), []

    def texts(each: Summary) -> tuple[str, str, str]:
        asked.append(each)
        return "who", "subject", str(len(asked))

    kept.begin("reader")
    assert kept.texts(one, texts) == kept.texts(one, texts) == ("who", "subject", "1")
    assert kept.texts(summary(1), texts)[2] == "2"  # the same message, read anew
    assert kept.markup("row", lambda: Markup("a")) == kept.markup("row", lambda: Markup("b")) == "a"
    assert kept.markup("other", lambda: Markup("b")) == "b"
    kept.begin("reader")
    assert kept.markup("row", lambda: Markup("b")) == "a"
    kept.begin("another")
    assert kept.markup("row", lambda: Markup("b")) == "b"
    assert kept.texts(one, texts)[2] == "3"


def test_what_is_kept_is_bounded() -> None:
    cache = SessionCache()
    kept: WrittenRows[int] = WrittenRows.of(cache)
    assert WrittenRows.of(cache) is kept
    for uid in range(3 * MOST):
        kept.texts(summary(uid), lambda each: ("", "", ""))
        kept.markup(uid, lambda: Markup("x"))
        assert max(len(kept._texts), len(kept._markup)) <= MOST
    kept.markup("long", lambda: Markup("x" * (LONGEST + 1)))
    assert "long" not in kept._markup
    cache.put("newsletters", "", ROOM)
    assert WrittenRows.of(cache) is not kept


def test_a_page_made_of_the_same_is_kept_with_its_screens() -> None:
    kept: WrittenRows[int] = WrittenRows.of(SessionCache())
    kept.begin("reader")
    page = kept.page("/i", ("inbox", [1]), lambda: [1])
    assert kept.page("/i", ("inbox", [1]), lambda: [2]) is page
    assert kept.page("/b1", ("inbox", [1]), lambda: [3]).rows == [3]
    assert page.marked_up((9, 1), lambda: [Markup("a")]) == page.marked_up((9, 1), list) == ["a"]
    assert page.marked_up((8, 1), lambda: [Markup("b")]) == ["b"]
    shown = page.screen((9, 1), Screen("mailbox", "Inbox", {"rows": ["a"]}))
    assert page.screen((9, 1), Screen("mailbox", "Inbox", {"rows": ["a"]})) is shown
    assert page.screen((8, 1), Screen("mailbox", "Inbox", {"rows": ["a"]})) is not shown
    assert page.screen((9, 1), Screen("mailbox", "Inbox (1)", {"rows": ["a"]})).title == "Inbox (1)"
    assert (
        page.screen((9, 1), Screen("mailbox", "Inbox (1)", {"rows": ["a"]}, language="de")).language == "de"
    )
    assert kept.page("/i", ("inbox", [1, 2]), lambda: [2]).rows == [2]
    kept.begin("another")
    assert kept.page("/i", ("inbox", [1, 2]), lambda: [4]).rows == [4]


def test_pages_are_few() -> None:
    kept: WrittenRows[int] = WrittenRows()
    for number in range(3 * MOST_PAGES):
        page = kept.page(number, number, list)
        for width in range(3 * MOST_SCREENS):
            page.marked_up((width, 1), list)
            page.screen((width, 1), Screen("mailbox", str(width)))
            assert max(len(page.markup), len(page.screens)) <= MOST_SCREENS
        assert len(kept._pages) <= MOST_PAGES


@pytest.mark.parametrize("value", [None, "what somebody else keeps"])
def test_it_begins_empty(value: object) -> None:
    cache = SessionCache()
    cache.put("written rows", value, 1)
    assert WrittenRows.of(cache).markup("row", lambda: Markup("a")) == "a"
