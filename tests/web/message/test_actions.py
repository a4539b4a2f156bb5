"""What can be done with one message, on both handhelds: checked from outside over IMAP, with the presses counted.

Another mail program has flagged one message \\Deleted in every mailbox of these walks: it stays to the end.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin

import pytest

from tests.servers.dovecot import Dovecot
from tests.web.acting import COUNT, ME, PASSWORD, Side, Upstreams, buttons, going_on, opened


def test_delete_is_one_press_and_the_list_says_what_went(device: Any, side: Side) -> None:
    opened(device, 7).press("Delete")
    assert len(device.visited) == 1
    assert "Deleted: Number 7." in device.text
    assert device.title.startswith("Inbox")
    assert "Number 7." not in side.flags()
    assert set(side.flags("Trash")) == {"Number 7."}
    assert "\\Seen" not in side.flags()["Number 6."]
    device.fetch("POST", *device.posted)  # a phone that sends it again
    assert "Deleted: Number 7." in device.text
    assert set(side.flags("Trash")) == {"Number 7."}


def test_delete_leads_to_the_next_message_for_those_who_chose_so(device: Any, side: Side) -> None:
    going_on(opened(device, 7)).press("Delete")
    assert "Deleted: Number 7." in device.text
    assert "This is message 6." in device.text
    assert "\\Seen" not in side.flags()["Number 6."], "nobody has asked for it"
    device.press("Delete").press("Delete")
    assert "This is message 4." in device.text
    assert set(side.flags("Trash")) == {"Number 7.", "Number 6.", "Number 5."}
    assert "\\Deleted" in side.flags()["Number 2."]
    assert len(side.flags()) == COUNT - 3


def test_archive_makes_its_folder_and_is_undone(device: Any, side: Side) -> None:
    opened(device, 7).press("Archive")
    assert "Archived: Number 7." in device.text
    assert device.title.startswith("Inbox")
    assert set(side.flags("Archive")) == {"Number 7."}
    device.press("Undo")
    assert "This is message 7." in device.text
    assert side.flags("Archive") == {}
    device.press("Archive").follow("Menu").follow("Folders").follow("Archive").follow("Number 7.")
    assert "Archive" not in buttons(device)


def test_deleting_is_undone_once(device: Any, side: Side) -> None:
    opened(device, 7).press("Delete").press("Undo")
    assert "Undone." in device.text
    assert "This is message 7." in device.text
    assert side.flags("Trash") == {}
    assert len(side.flags()) == COUNT
    device.fetch("POST", *device.posted)  # a phone that sends it again
    assert "Undone." in device.text
    assert len(side.flags()) == COUNT


def test_delete_asks_first_where_it_is_for_good(device: Any, side: Side) -> None:
    opened(device, 7).press("Delete")
    trash = side.flags("Trash")
    device.follow("Menu").follow("Folders").follow("Trash").follow("Number 7.")
    device.press("Delete")
    assert "Delete this message for good?" in device.text
    assert side.flags("Trash").keys() == trash.keys()
    device.follow("Message")
    assert "This is message 7." in device.text
    device.press("Delete").press("Delete")
    assert "Deleted for good: Number 7." in device.text
    assert "Undo" not in device.text
    assert side.flags("Trash") == {}


def test_a_message_without_a_trash_is_flagged_deleted_and_can_be_restored(
    device: Any, side: Side, upstreams: Upstreams
) -> None:
    upstreams.without = frozenset({"Trash"})
    opened(device, 7).press("Delete")
    assert "marked as deleted: Number 7." in device.text
    assert "\\Deleted" in side.flags()["Number 7."]
    device.press("Undo")
    assert "This is message 7." in device.text
    assert "\\Deleted" not in side.flags()["Number 7."]
    more = urljoin(device.url, device.links["More"])
    device.press("Delete").fetch("GET", more)
    device.press("Restore")
    assert "Restored." in device.text
    assert "\\Deleted" not in side.flags()["Number 7."]
    assert len(side.flags()) == COUNT


@pytest.mark.parametrize(
    "hidden", [["MOVE"], ["UIDPLUS"], ["MOVE", "UIDPLUS"], ["MOVE", "UIDPLUS", "ESEARCH"]], ids=" ".join
)
def test_delete_and_undo_on_poorer_servers(
    device: Any, side: Side, upstreams: Upstreams, hidden: list[str]
) -> None:
    upstreams.hidden = frozenset(hidden)
    opened(device, 7).press("Delete")
    assert "Deleted: Number 7." in device.text
    assert set(side.flags("Trash")) == {"Number 7."}
    assert "\\Deleted" in side.flags()["Number 2."]
    device.press("Undo")
    assert "Undone." in device.text
    assert "\\Deleted" not in side.flags()["Number 7."]
    assert "\\Deleted" in side.flags()["Number 2."]
    assert len(side.flags()) == COUNT
    trash = side.flags("Trash")
    assert all("\\Deleted" in flags for flags in trash.values())
    assert bool(trash) == ({"MOVE", "UIDPLUS"} <= set(hidden))


def test_the_last_one_deleted_ends_in_the_list(device: Any, side: Side) -> None:
    going_on(opened(device, 1)).press("Delete")
    assert device.title.startswith("Inbox")
    assert "Deleted: Number 1." in device.text
    device.press("Undo")
    assert "This is message 1." in device.text


def test_flag_and_unflag(device: Any, side: Side) -> None:
    opened(device, 7).follow("More").press("Flag")
    assert "Flagged." in device.text
    assert "This is message 7." in device.text
    assert len(device.visited) == 2
    assert "\\Flagged" in side.flags()["Number 7."]
    device.follow("More").press("Unflag")
    assert "\\Flagged" not in side.flags()["Number 7."]


def test_unread_stays_unread(device: Any, side: Side) -> None:
    opened(device, 7).follow("More").press("Unread")
    assert "Marked as unread." in device.text
    assert device.title.startswith("Inbox")
    assert "\\Seen" not in side.flags()["Number 7."]
    device.press("Undo")
    assert "\\Seen" in side.flags()["Number 7."]


def test_move_and_copy(device: Any, side: Side) -> None:
    for number in range(1, 12):
        side.name("create", f"Box&AOk-{number:02}")
        side.name("subscribe", f"Box&AOk-{number:02}")
    opened(device, 7).follow("More").follow("Move")
    assert "Inbox" not in buttons(device)
    while "Next" in device.links and "Boxé09" not in buttons(device):
        device.follow("Next")
    device.press("Boxé09")
    assert "Moved to Boxé09: Number 7." in device.text
    device.follow("Number 6.")
    assert set(side.flags("Box&AOk-09")) == {"Number 7."}
    assert "Number 7." not in side.flags()
    # The folder used last comes first.
    device.follow("More").follow("Copy")
    assert buttons(device)[0] == "Boxé09"
    device.press("Boxé09")
    assert "Copied to Boxé09." in device.text
    assert "This is message 6." in device.text
    assert set(side.flags("Box&AOk-09")) == {"Number 6.", "Number 7."}
    assert "Number 6." in side.flags()
    assert len(side.flags()) == COUNT - 1


def test_junk_and_not_junk(device: Any, side: Side) -> None:
    opened(device, 7).follow("More").press("Junk")
    assert "Moved to Junk: Number 7." in device.text
    assert "$Junk" in side.flags("Junk")["Number 7."]
    assert "Number 7." not in side.flags()
    device.press("Undo")
    assert "$Junk" not in side.flags()["Number 7."]
    device.follow("More").press("Junk")
    device.follow("Menu").follow("Folders").follow("Junk").follow("Number 7.")
    device.follow("More").press("Not junk")
    assert "Moved to Inbox: Number 7." in device.text
    assert "$NotJunk" in side.flags()["Number 7."]
    assert "$Junk" not in side.flags()["Number 7."].split()
    assert side.flags("Junk") == {}


def test_neighbours_and_next_unread(device: Any, side: Side) -> None:
    opened(device, 7).follow("Next message")
    assert "This is message 6." in device.text
    device.follow("More").follow("More").follow("Newer message")
    assert "This is message 7." in device.text
    for number in range(1, COUNT + 1):
        if number not in (2, 4, 11):
            side.store(f"Number {number}.", "\\Seen")
    for number in (4, 11):  # from the newest on again
        device.follow("More").follow("More").follow("Next unread")
        assert f"This is message {number}." in device.text
    device.follow("More").follow("More").follow("Next unread")
    assert "There is no unread message." in device.text
    device.follow("Number 12.").follow("More").follow("More").follow("Newer message")
    assert "There is no newer message." in device.text


def test_undo_is_still_there_on_the_more_page(device: Any, side: Side) -> None:
    opened(device, 7).press("Delete").follow("Number 6.").follow("More").follow("More").press("Undo")
    assert "This is message 7." in device.text
    assert len(side.flags()) == COUNT


@pytest.mark.parametrize("what", ["Delete", "Flag", "Junk"])
def test_a_repeat_does_nothing_twice(device: Any, side: Side, what: str) -> None:
    opened(device, 7)
    if what != "Delete":
        device.follow("More")
    device.press(what)
    first = device.text
    folders = {name: side.flags(name).keys() for name in ("INBOX", "Trash", "Junk")}
    for _time in range(2):
        device.fetch("POST", *device.posted)
        assert device.text == first
    assert folders == {name: side.flags(name).keys() for name in folders}


def test_what_was_expunged_meanwhile_ends_in_a_sentence_and_a_list(device: Any, side: Side) -> None:
    opened(device, 7)
    more = urljoin(device.url, device.links["More"])
    side.store("Number 7.", "\\Deleted", expunge=True)
    before = side.flags()
    device.press("Delete")
    assert "no longer there" in device.text
    assert device.title.startswith("Inbox")
    assert "Undo" not in device.text
    assert side.flags() == before
    assert side.flags("Trash") == {}
    device.fetch("GET", more)
    assert "no longer there" in device.text
    for letter in "efgujnr":
        device.fetch("POST", f"{more}.{letter}", f"ticket={_ticket(device)}".encode())
        assert device.title.startswith("Inbox") or "could not" in device.text
        assert side.flags() == before, letter


def _ticket(device: Any) -> str:
    return "A" * 18


def test_another_uidvalidity_ends_in_a_fresh_list(device: Any, side: Side, dovecot: Dovecot) -> None:
    opened(device, 7)
    more = urljoin(device.url, device.links["More"])
    (dovecot.maildir(ME) / "dovecot-uidlist").unlink()
    for path in dovecot.maildir(ME).glob("dovecot.index*"):
        path.unlink()
    device.press("Delete")
    assert "This folder has changed. Here is the current list." in device.text
    assert "Number 12." in " ".join(device.links)
    assert len(side.flags()) == COUNT
    assert side.flags("Trash") == {}
    device.fetch("GET", more)
    assert "This folder has changed. Here is the current list." in device.text


def test_a_ticket_of_another_session_does_nothing(device: Any, side: Side) -> None:
    opened(device, 7)
    device.fetch("POST", urljoin(device.url, device.links["More"]) + ".d", b"ticket=AAAAAAAAAAAAAAAAAA")
    assert "could not be understood" in device.text
    assert len(side.flags()) == COUNT


def test_next_and_delete_go_on_in_the_list_that_was_opened(device: Any, side: Side) -> None:
    for number in (11, 7, 3, 1):
        side.store(f"Number {number}.", "\\Flagged")
    device.sign_in(ME, PASSWORD)
    going_on(device).fetch("GET", urljoin(device.url, "i?f=flagged"))
    device.follow("Number 11.").follow("Next message")
    assert "This is message 7." in device.text
    device.press("Delete")
    assert "This is message 3." in device.text
    device.follow("Next message")
    assert "This is message 1." in device.text
    device.press("Delete")
    assert "Deleted: Number 1." in device.text
    left = [label.strip("!* ") for label in device.links if "Number" in label]
    assert left == ["Bob: Number 11.", "Bob: Number 3."]
    assert set(side.flags("Trash")) == {"Number 7.", "Number 1."}


def test_unread_ones_are_read_one_after_the_other(device: Any, side: Side) -> None:
    for number in range(1, COUNT + 1):
        if number not in (11, 7, 3):
            side.store(f"Number {number}.", "\\Seen")
    device.sign_in(ME, PASSWORD)
    going_on(device).fetch("GET", urljoin(device.url, "i?f=unread"))
    device.follow("Number 11.").follow("Next message")
    assert "This is message 7." in device.text
    device.press("Delete")
    assert "This is message 3." in device.text
    device.follow("Next message")
    assert "There is no older message." in device.text


def test_next_message_in_what_was_found_even_over_pages(device: Any, side: Side) -> None:
    going_on(device.sign_in(ME, PASSWORD)).follow("Search").fill("q", "subject:Number").fill("in", "all")
    device.press("Search").follow("Number 4.").follow("Next message")
    assert "This is message 3." in device.text
    device.press("Delete")  # the last row of the page: the next page has the next one
    assert "This is message 2." in device.text
    device.follow("Next message")
    assert "This is message 1." in device.text
    device.follow("More").follow("More").follow("Newer message")
    assert "This is message 2." in device.text
    device.follow("More").follow("More").follow("Newer message")
    assert "This is message 4." in device.text
    device.follow("Next message").follow("Next message")
    assert "This is message 1." in device.text
    device.follow("Results")
    assert "Number 1." in " ".join(device.links)
    assert "Number 4." not in " ".join(device.links)


def test_what_is_flagged_deleted_says_so_in_the_list(device: Any, side: Side) -> None:
    device.sign_in(ME, PASSWORD).follow("Next")
    assert re.search(r"Number 2\. 3 Nov \(deleted\)|3 Nov \(deleted\)\nNumber 2\.", device.text)
    assert device.text.count("(deleted)") == 1
