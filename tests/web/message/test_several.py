"""Ticking several messages and acting on them, on both handhelds, checked from outside over IMAP."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

import pytest

from gateway.store.imap import moving
from gateway.store.imap.moving import BatchResult, Moving
from gateway.web.message import tick_page
from tests.devices.phones import WmlPhone
from tests.servers.dovecot import Dovecot
from tests.web.acting import COUNT, ME, PASSWORD, Side, Upstreams, buttons

TICKED, PAGE, FOUND = "Selected", "All on this page", "All 12"
ALL = frozenset(f"Number {n}." for n in range(1, COUNT + 1))


def selecting(device: Any) -> Any:
    device.sign_in(ME, PASSWORD).follow("Menu").follow("Select")
    assert device.title == "Select: Inbox"
    return device


def act(device: Any, what: str, scope: str = TICKED) -> Any:
    """Choose which messages are meant, and press what is to be done."""
    value = {TICKED: tick_page.TICKED, PAGE: tick_page.PAGE, FOUND: tick_page.FOUND}[scope]
    assert scope in device.answer.body.decode()
    if isinstance(device, WmlPhone):
        words = {o.text: o.get("value") for o in device.card.iter("option")}
        return device.fill("all", value).fill("do", words[what]).press("OK")
    return device.fill("all", value).press(what)


def named(*numbers: int) -> set[str]:
    return {f"Number {n}." for n in numbers}


def test_the_rows_are_those_of_the_list(device: Any, side: Side) -> None:
    device.sign_in(ME, PASSWORD)
    rows = [label for label in device.links if "Number" in label]
    device.follow("Menu").follow("Select")
    for row in rows:
        assert row.partition(": ")[2] in device.text
    assert f"1–{len(rows)} of 12" in device.text
    device.follow("Back").follow("Next")
    rows = [label for label in device.links if "Number" in label]
    device.follow("Menu").follow("Select")
    for row in rows:
        assert row.partition(": ")[2] in device.text
    assert "–12 of 12" in device.text
    device.follow("Back")
    assert [label for label in device.links if "Number" in label] == rows


def test_delete_and_undo(device: Any, side: Side) -> None:
    device.sign_in(ME, PASSWORD)
    device.visited.clear()
    act(device.follow("Menu").follow("Select").tick("Number 12.", "Number 9.", "Number 7."), "Delete")
    assert len(device.visited) == 3
    assert "3 messages deleted." in device.text
    assert device.title.startswith("Inbox")
    assert set(side.flags("Trash")) == named(12, 9, 7)
    assert set(side.flags()) == ALL - named(12, 9, 7)
    assert "\\Deleted" in side.flags()["Number 2."]
    device.fetch("POST", *device.posted)
    assert "3 messages deleted." in device.text
    assert set(side.flags()) == ALL - named(12, 9, 7)
    device.press("Undo")
    assert "Undone: 3 messages." in device.text
    assert set(side.flags()) == ALL
    assert side.flags("Trash") == {}


@pytest.mark.parametrize("hidden", [["MOVE"], ["UIDPLUS"], ["MOVE", "UIDPLUS"]], ids=" ".join)
def test_delete_and_undo_on_poorer_servers(
    device: Any,
    side: Side,
    upstreams: Upstreams,
    hidden: list[str],
) -> None:
    upstreams.hidden = frozenset(hidden)
    act(selecting(device).tick("Number 12.", "Number 9.", "Number 7."), "Delete")
    assert "3 messages deleted." in device.text
    assert set(side.flags("Trash")) == named(12, 9, 7)
    device.press("Undo")
    found = side.flags()
    assert set(found) == ALL
    assert [subject for subject, flags in found.items() if "\\Deleted" in flags] == ["Number 2."]


def test_nothing_ticked_is_said(device: Any, side: Side) -> None:
    act(selecting(device), "Delete")
    assert "No message is selected." in device.text
    assert set(side.flags()) == ALL
    act(device.tick("Number 12."), "Delete")
    assert "Deleted." in device.text
    assert set(side.flags("Trash")) == named(12)


def test_flags_are_undone_only_where_they_were_set(device: Any, side: Side) -> None:
    side.store("Number 12.", "\\Seen")
    act(selecting(device).tick("Number 12.", "Number 11."), "Read")
    assert "2 messages marked as read." in device.text
    assert {s for s, flags in side.flags().items() if "\\Seen" in flags} == named(11, 12)
    device.press("Undo")
    assert {s for s, flags in side.flags().items() if "\\Seen" in flags} == named(12)
    act(device.follow("Menu").follow("Select").tick("Number 12."), "Unread")
    assert "\\Seen" not in side.flags()["Number 12."]
    act(device.follow("Menu").follow("Select").tick("Number 12.", "Number 10."), "Flag")
    assert {s for s, flags in side.flags().items() if "\\Flagged" in flags} == named(10, 12)


def test_all_on_this_page(device: Any, side: Side) -> None:
    selecting(device)
    shown = {name for name in ALL if name in device.text}
    assert named(12, 11, 10, 9) <= shown != ALL
    act(device, "Flag", PAGE)
    assert {s for s, flags in side.flags().items() if "\\Flagged" in flags} == shown


def test_all_found_is_asked_first_with_its_count(device: Any, side: Side, dovecot: Dovecot) -> None:
    act(selecting(device), "Delete", FOUND)
    # What another program has flagged \Deleted is not counted: it is as good as gone.
    assert "Delete 11 messages?" in device.text
    assert set(side.flags()) == ALL
    dovecot.deliver(ME, b"From: new@example.net\r\nSubject: Number 13.\r\n\r\nThis is message 13.\r\n")
    device.press("Delete")
    assert "11 messages deleted." in device.text
    assert set(side.flags()) == named(2, 13)
    assert len(side.flags("Trash")) == 11
    device.press("Undo")
    assert set(side.flags()) == ALL | named(13)


def test_move_to_a_folder(device: Any, side: Side) -> None:
    for number in range(1, 12):
        side.name("create", f"Box{number:02}")
        side.name("subscribe", f"Box{number:02}")
    act(selecting(device).tick("Number 12.", "Number 9."), "Move")
    assert "Move 2 messages?" in device.text
    while "Box11" not in buttons(device):
        device.follow("Next")
    device.press("Box11")
    assert "2 messages moved to Box11." in device.text
    assert set(side.flags("Box11")) == named(12, 9)
    act(device.follow("Menu").follow("Select").tick("Number 11.", "Number 10."), "Copy")
    device.press("Box11")
    assert "2 messages copied to Box11." in device.text
    assert set(side.flags("Box11")) == named(12, 9, 11, 10)
    assert set(side.flags()) == ALL - named(12, 9)


def test_what_is_in_trash_is_deleted_for_good_after_a_question(device: Any, side: Side) -> None:
    act(selecting(device).tick("Number 12.", "Number 9.", "Number 7."), "Delete")
    device.follow("Menu").follow("Folders").follow("Trash").follow("Menu").follow("Select")
    act(device.tick("Number 12.", "Number 9."), "Delete")
    assert "Delete 2 messages for good?" in device.text
    assert set(side.flags("Trash")) == named(12, 9, 7)
    device.press("Delete")
    assert "2 messages deleted for good." in device.text
    assert set(side.flags("Trash")) == named(7)
    assert "Trash" in device.title


def test_junk_and_not_junk(device: Any, side: Side) -> None:
    act(selecting(device).tick("Number 12.", "Number 9."), "Junk")
    assert set(side.flags("Junk")) == named(12, 9)
    device.follow("Menu").follow("Folders").follow("Junk").follow("Menu").follow("Select")
    act(device.tick("Number 9."), "Not junk")
    assert set(side.flags("Junk")) == named(12)


def test_what_is_gone_meanwhile_is_told(device: Any, side: Side) -> None:
    selecting(device).tick("Number 12.", "Number 9.", "Number 7.")
    side.store("Number 9.", "\\Deleted", expunge=True)
    act(device, "Delete")
    assert "2 of 3 deleted." in device.text
    assert "no longer there" in device.text
    assert set(side.flags("Trash")) == named(12, 7)
    device.press("Undo")
    assert set(side.flags()) == ALL - named(9)


def test_another_uidvalidity_ends_in_a_fresh_list(device: Any, side: Side, dovecot: Dovecot) -> None:
    selecting(device).tick("Number 12.", "Number 9.")
    (dovecot.maildir(ME) / "dovecot-uidlist").unlink()
    for path in dovecot.maildir(ME).glob("dovecot.index*"):
        path.unlink()
    act(device, "Delete")
    assert "This folder has changed. Here is the current list." in device.text
    assert set(side.flags()) == ALL
    assert side.flags("Trash") == {}


def test_the_rows_of_a_filtered_list_and_of_a_search(device: Any, side: Side) -> None:
    for number in (11, 7, 3):
        side.store(f"Number {number}.", "\\Flagged")
    device.sign_in(ME, PASSWORD)
    device.fetch("GET", urljoin(device.url, "i?f=flagged"))
    device.follow("Menu").follow("Select")
    for number in range(1, COUNT + 1):
        assert (f"Number {number}." in device.text) == (number in (11, 7, 3))
    act(device.tick("Number 11."), "Unflag")
    assert "Number 11." not in " ".join(device.links)
    assert {s for s, flags in side.flags().items() if "\\Flagged" in flags} == named(7, 3)
    device.follow("Menu").follow("Search").fill("q", "subject:Number before:2027-01-01").fill(
        "in", "all"
    ).press("Search")
    device.follow("Menu").follow("Select")
    act(device, "Flag", FOUND)
    assert "Flag 12 messages?" in device.text
    device.press("Flag")
    assert all("\\Flagged" in flags for flags in side.flags().values())


@pytest.mark.parametrize(
    "body",
    [
        b"do=delete&u=77;x;-1;99999999999;3.5.7&ticket=%s",
        b"do=erase&u=1&ticket=%s",
        b"do=delete&all=p&page=1:0-4294967295&ticket=%s",
        b"do=delete&all=p&page=9999:1&ticket=%s",
        b"do=nonsense&u=1&ticket=%s",
        b"do=move&of=AAAAAAAAAAAAAAAAAA&to=x&ticket=%s",
        b"u=1",
        b"",
    ],
)
def test_a_form_that_is_none_of_ours_changes_nothing(device: Any, side: Side, body: bytes) -> None:
    selecting(device)
    source = device.answer.body.decode()
    ticket = source.partition('name="ticket" value="')[2][:18]
    device.fetch("POST", device.url, body.replace(b"%s", ticket.encode()))
    assert set(side.flags()) == ALL
    assert side.flags("Trash") == {}


def test_a_connection_that_breaks_off_in_the_middle_leaves_the_truth(
    device: Any, side: Side, upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three in three pieces; the server hangs up before the second."""
    monkeypatch.setattr(moving, "AT_A_TIME", 1)
    honest, calls = Moving._move, []

    def cut(self: Moving, mailbox: str, uids: list[int]) -> BatchResult:
        calls.append(uids)
        if len(calls) == 2:
            self._exchange.close()
        return honest(self, mailbox, uids)

    monkeypatch.setattr(Moving, "_move", cut)
    act(selecting(device).tick("Number 12.", "Number 9.", "Number 7."), "Delete")
    assert "1 of 3 deleted." in device.text
    assert "It is not certain what was done." in device.text
    assert set(side.flags("Trash")) == named(7)
    device.press("Undo")
    assert set(side.flags()) == ALL
