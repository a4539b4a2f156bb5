"""Mail restored by Undo is where it was, on servers that sort; on others the page says where it is."""

from __future__ import annotations

import imaplib
import re
from typing import Any

from tests.web.acting import ME, PASSWORD, Side, Upstreams, mail

COUNT = 30


def _received_hourly(side: Side) -> None:
    """Make a mailbox of messages that came an hour apart: Number 1 to 30."""
    side.client.select("INBOX")
    side.client.store("1:*", "+FLAGS", "\\Deleted")
    side.client.expunge()
    for number in range(1, COUNT + 1):
        side.client.append(
            "INBOX", "", imaplib.Time2Internaldate(1_790_000_000 + 3600 * number), mail(number)
        )


def _rows(device: Any) -> list[int]:
    found = (re.search(r"Number (\d+)\.", label) for label in device.links)
    return [int(match[1]) for match in found if match]


def _all_rows(device: Any) -> list[int]:
    """Turn the pages of the inbox from the first to the last."""
    device.fetch("GET", device.inbox)
    rows = _rows(device)
    while "Next" in device.links:
        device.follow("Next")
        rows += _rows(device)
    return rows


def _second_page(device: Any, side: Side) -> list[int]:
    _received_hourly(side)
    device.sign_in(ME, PASSWORD)
    device.inbox = device.url
    device.follow("Next")
    return _rows(device)


def test_a_message_put_back_stands_where_it_stood(device: Any, side: Side) -> None:
    number = _second_page(device, side)[2]
    device.follow(next(label for label in device.links if f"Number {number}." in label))
    device.press("Delete").press("Undo")
    assert "Undone." in device.text
    assert "top of the list" not in device.text
    assert f"This is message {number}." in device.text
    device.follow("Next message")
    assert f"This is message {number - 1}." in device.text
    device.follow("More").follow("More")
    device.follow("Newer message")
    assert f"This is message {number}." in device.text
    device.follow("More").follow("More")
    device.follow("Newer message")
    assert f"This is message {number + 1}." in device.text
    device.fetch("GET", device.inbox)
    device.follow("Next")
    device.follow(next(label for label in device.links if f"Number {number}." in label))
    device.follow("Next message")
    assert f"This is message {number - 1}." in device.text
    assert _all_rows(device) == list(range(COUNT, 0, -1))


def test_several_stand_where_they_stood(device: Any, side: Side) -> None:
    _second_page(device, side)
    for number in (29, 3, 17):
        while number not in _rows(device):
            device.follow("Next" if number < min(_rows(device)) else "Prev")
        device.follow(next(label for label in device.links if f"Number {number}." in label))
        device.press("Delete").press("Undo")
        device.fetch("GET", device.inbox)
    assert _all_rows(device) == list(range(COUNT, 0, -1))
    # The order that a person chose is what it was, and stays that way.
    device.fetch("GET", device.inbox)
    device.follow("Menu").follow("View")
    assert device.answer.body.decode().count("Arrival") == 1


def test_a_server_that_cannot_sort_has_it_on_top(device: Any, side: Side, upstreams: Upstreams) -> None:
    upstreams.hidden = frozenset({"SORT"})
    number = _second_page(device, side)[2]
    device.follow(next(label for label in device.links if f"Number {number}." in label))
    device.press("Delete").press("Undo")
    assert "Undone. It is at the top of the list now." in device.text
    rest = [n for n in range(COUNT, 0, -1) if n != number]
    assert _all_rows(device) == [number, *rest]


def test_what_was_only_marked_has_not_moved(device: Any, side: Side, upstreams: Upstreams) -> None:
    upstreams.hidden = frozenset({"SORT"})
    number = _second_page(device, side)[2]
    device.follow(next(label for label in device.links if f"Number {number}." in label))
    device.follow("More").press("Unread").press("Undo")
    assert "Undone." in device.text
    assert "top of the list" not in device.text
    assert _all_rows(device) == list(range(COUNT, 0, -1))
