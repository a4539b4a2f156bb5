"""Kept rows are those that would be written now, and no more of them than there is room for."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from gateway.message.model import Envelope
from gateway.store.base import MessageRef, Summary
from gateway.store.session_cache import MOST as ROOM
from gateway.store.session_cache import SessionCache
from gateway.web.mailbox.written_rows import LONGEST, MOST, WrittenRows


def summary(uid: int) -> Summary:
    return Summary(MessageRef("INBOX", 1, uid), uid, Envelope())


def test_what_is_known_is_asked_once_and_another_reader_knows_nothing() -> None:
    kept, one, asked = WrittenRows.of(SessionCache()), summary(1), []

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
    kept = WrittenRows.of(cache)
    assert WrittenRows.of(cache) is kept
    for uid in range(3 * MOST):
        kept.texts(summary(uid), lambda each: ("", "", ""))
        kept.markup(uid, lambda: Markup("x"))
        assert max(len(kept._texts), len(kept._markup)) <= MOST
    kept.markup("long", lambda: Markup("x" * (LONGEST + 1)))
    assert "long" not in kept._markup
    cache.put("newsletters", "", ROOM)
    assert WrittenRows.of(cache) is not kept


@pytest.mark.parametrize("value", [None, "what somebody else keeps"])
def test_it_begins_empty(value: object) -> None:
    cache = SessionCache()
    cache.put("written rows", value, 1)
    assert WrittenRows.of(cache).markup("row", lambda: Markup("a")) == "a"
