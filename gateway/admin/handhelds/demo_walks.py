"""The screens that the preview offers, and how each is reached in the demo's mailbox: one walk for each.

A walk begins in the mailbox as the demo has it and ends on its screen. Links and keys are named as on English pages.
tests/admin/handhelds/test_demo_walks.py ensures that no screen of either markup is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.admin.handhelds.demo_past import broken_link, died_while_sending
from gateway.admin.handhelds.demo_walker import Past, Walker


@dataclass(frozen=True, slots=True)
class Open:
    """Open an address within the session; with a leading /, outside it."""

    address: str

    def take(self, walker: Walker) -> None:
        """Take this step."""
        walker.fetch(self.address)


@dataclass(frozen=True, slots=True)
class Follow:
    """Follow the first link with these words; in a list, also on its later pages."""

    words: str

    def take(self, walker: Walker) -> None:
        """Take this step."""
        walker.follow(self.words)


@dataclass(frozen=True, slots=True)
class Press:
    """Press a key that posts a form. `label`: as in XHTML and in WML, separated by | if they differ."""

    label: str
    fields: Mapping[str, str] = field(default_factory=dict)

    def take(self, walker: Walker) -> None:
        """Take this step."""
        walker.press(self.label.split("|"), self.fields)


@dataclass(frozen=True, slots=True)
class Back:
    """Press the back key this many times: pages come from the handheld's memory."""

    count: int

    def take(self, walker: Walker) -> None:
        """Take this step."""
        walker.back(self.count)


@dataclass(frozen=True, slots=True)
class After:
    """Open the screen that shows something that has happened."""

    past: Past

    def take(self, walker: Walker) -> None:
        """Take this step."""
        walker.fetch(walker.arrange(self.past))


WalkStep = Open | Follow | Press | Back | After


@dataclass(frozen=True, slots=True)
class Walk:
    """The way to one screen. `name`: in lists and addresses."""

    name: str
    steps: Sequence[WalkStep]


def _typed(**fields: str) -> dict[str, str]:
    return fields


_LUNCH: Final = (Open("i"), Follow("Lunch"))
_MENU: Final = (Open("i"), Follow("Menu"))
_TICK: Final = (*_MENU, Follow("Select"))
_INVITED: Final = (Open("i"), Follow("Lantern"), Follow("Accept or"))
_BOAT: Final = (Open("i"), Follow("Where the"), Follow("Attachments"))
_LISTED: Final = (Open("i"), Follow("[small"), Follow("Unsubscribe"))
_TO_BOB: Final = _typed(to="bob@pocketpost.example", subject="The boat", text="See you there.")
_TO_NOBODY: Final = _TO_BOB | _typed(to="bob@pocketpost.example, nobody@pocketpost.example")
_SIGN_IN: Final = _typed(user="alice@pocketpost.example", password="tap")  # noqa: S106
_CAROL: Final = _SIGN_IN | _typed(user="carol@harbour.example")  # her mailbox, over POP3, has no folders
_MISTYPED: Final = _SIGN_IN | _typed(password="tip")  # noqa: S106
_SIGN_OUT: Final = (Open("k"), Follow("Sign out"))
_SEARCHED: Final = (Open("q"), Press("Search", _typed(q="from:bob")))
_FAVOURITE: Final = (*_SEARCHED, Press("Save search"), Open("sf"), Follow("from:bob"))
_ALICE: Final = _typed(name="Alice", address="alice@pocketpost.example")
_CHANGE: Final = (Open("z"), Follow("Change folders"))
_AS_FILE: Final = (
    *(Open("i"), Follow("Where the"), Follow("More"), Follow("More"), Follow("Forward as file")),
    *(
        Press("Send", _typed(to="alice@pocketpost.example")),
        Open("i"),
        Follow("Fwd: Where"),
        Follow("Attachments"),
    ),
)
_DRAFT: Final = (Open("c"), Press("Attach", _typed(subject="Begun")))
_NEW_CONTACT: Final = (Open("tn"), Press("Save", _typed(name="Carol", mail="carol@harbour.example")))
_NEW_FOLDER: Final = (Open("zn"), Press("Create", _typed(name="Sails")))
_LATE: Final = (Open("c"), *_SIGN_OUT, Back(2), Press("Send", _TO_BOB))

#: Walks, grouped by what a person does there.
GROUPS: Final[tuple[tuple[str, tuple[Walk, ...]], ...]] = (
    (
        "Signing in and out",
        (
            Walk("Sign in", (Open("/"),)),
            Walk("Sign in: refused", (Open("/"), Press("Sign in", _MISTYPED))),
            Walk("Sign in: session ended", (*_SIGN_OUT, Open("i"))),
            Walk("Sign in: text kept", _LATE),
            Walk("Your text", (*_LATE, Press("Sign in", _SIGN_IN))),
            Walk("Your mail", (After(died_while_sending),)),
            Walk("Sign out: asked first", (Open("bye"),)),
            Walk("Signed out", _SIGN_OUT),
        ),
    ),
    (
        "Lists",
        (
            Walk("Inbox", (Open("i"),)),
            Walk("Inbox: next page", (Open("i"), Follow("Next"))),
            Walk("Menu", (Open("k"),)),
            Walk("Folders", (Open("z"),)),
            Walk("A folder's list", (Open("z"), Follow("Archive"))),
            Walk("Drafts", (Open("z"), Follow("Drafts"))),
            Walk("Drafts: none", (Open("/"), Press("Sign in", _CAROL), Open("bd"))),
            Walk("View", (*_MENU, Follow("View"))),
            Walk("View: flagged only", (*_MENU, Follow("View"), Press("Show", _typed(filter="g")))),
            Walk("View: refused", (*_MENU, Follow("View"), Press("Show", _typed(page="x")))),
            Walk("Search", (Open("q"),)),
            Walk("Search: results", _SEARCHED),
            Walk("Search: nothing found", (Open("q"), Press("Search", _typed(q="zebra")))),
            Walk("Search: refused", (Open("q"), Press("Search"))),
            Walk("Search: saved", (*_SEARCHED, Press("Save search"))),
        ),
    ),
    (
        "Several messages",
        (
            Walk("Select", _TICK),
            Walk("Select: nothing ticked", (*_TICK, Press("Unread|OK", _typed(do="unread")))),
            Walk("Select: done", (*_TICK, Press("Unread|OK", _typed(do="unread", all="p")))),
            Walk("Select: asked first", (*_TICK, Press("Delete|OK", _typed(do="delete", all="f")))),
            Walk("Select: folders", (*_TICK, Press("Move|OK", _typed(do="move", all="p")))),
        ),
    ),
    (
        "Messages",
        (
            Walk("Message", _LUNCH),
            Walk("Message: next page", (Open("i"), Follow("Letter from"), Follow("Next"))),
            Walk("More", (*_LUNCH, Follow("More"))),
            Walk("More: rarer actions", (*_LUNCH, Follow("More"), Follow("More"))),
            Walk("Details", (*_LUNCH, Follow("More"), Follow("Details"))),
            Walk("Link", (Open("i"), Follow("Your order"), Follow("parcel"))),
            Walk("Link: broken", (After(broken_link),)),
            Walk("Link: not known", (Open("l/AAAAAAAAAAA"),)),
            Walk("Move: folders", (*_LUNCH, Follow("More"), Follow("Move"))),
            Walk("Moved", (*_LUNCH, Follow("More"), Follow("Move"), Press("Boat"))),
            Walk("Flagged", (*_LUNCH, Follow("More"), Press("Flag"))),
            Walk("Archived", (*_LUNCH, Press("Archive"))),
            Walk("Deleted", (*_LUNCH, Press("Delete"))),
            Walk("Undone", (*_LUNCH, Press("Delete"), Press("Undo"))),
            Walk(
                "Delete for good: asked first",
                (Open("z"), Follow("Trash"), Follow("Timetable"), Press("Delete")),
            ),
            Walk("Invitation", _INVITED),
            Walk("Invitation: answered", (*_INVITED, Press("Accept"))),
            Walk("Unsubscribe: asked first", _LISTED),
            Walk("Unsubscribed", (*_LISTED, Press("Unsubscribe"))),
            Walk("Message: not there any more", (Open("m1.999999"),)),
            Walk("Message: no older one", (Open("i"), Follow("Winter"), Follow("Next message"))),
            Walk("Error", (Open("x"),)),
        ),
    ),
    (
        "Attachments",
        (
            Walk("Attachments", _BOAT),
            Walk("Picture", (*_BOAT, Follow("pumpkin"))),
            Walk("Document", (Open("i"), Follow("Your tic"), Follow("Attachments"))),
            Walk("Message inside", (*_AS_FILE, Follow("Where"))),
            Walk("Contents of a file", (*_AS_FILE, Follow("Where"), Follow("Attachments"))),
        ),
    ),
    (
        "Writing",
        (
            Walk("Write", (Open("c"),)),
            Walk("Write: refused", (Open("c"), Press("Send", _typed(to="nobody", text="Hello.")))),
            Walk("Write: more fields", (Open("c"), Press("More fields"))),
            Walk("Write: discarding", (Open("c"), Press("Discard", _TO_BOB))),
            Walk("Write: saved", (Open("c"), Press("Save", _TO_BOB))),
            Walk("Sent", (Open("c"), Press("Send", _TO_BOB))),
            Walk("Sent: not to all", (Open("c"), Press("Send", _TO_NOBODY))),
            Walk("Reply", (*_LUNCH, Follow("Reply"))),
            Walk("Reply: to all", (Open("i"), Follow("Lantern"), Follow("Reply all"))),
            Walk("Reply: sent", (*_LUNCH, Follow("Reply"), Press("Send", _typed(text="Yes.")))),
            Walk("Forward", (*_LUNCH, Follow("Forward"))),
            Walk("Suggested mail", (*_NEW_CONTACT, Follow("Write"))),
            Walk("Draft", (Open("z"), Follow("Drafts"), Follow("The light"))),
            Walk("Attach", _DRAFT),
            Walk("Attach: from my mail", (*_DRAFT, Follow("From my mail"))),
            Walk("Attach: folders", (*_DRAFT, Follow("From my mail"), Follow("Folders"))),
            Walk("Attach: which part", (*_DRAFT, Follow("From my mail"), Follow("Where the"))),
            Walk(
                "Attach: attached",
                (*_DRAFT, Follow("From my mail"), Follow("Where the"), Press("Whole message")),
            ),
            Walk("Quick replies", (*_LUNCH, Follow("Quick reply"))),
            Walk("Quick reply", (*_LUNCH, Follow("Quick reply"), Follow("Edit first"), Follow("Yes"))),
        ),
    ),
    (
        "Folders",
        (
            Walk("All folders", (Open("z"), Follow("All folders"))),
            Walk("Change folders", (Open("z"), Follow("Change folders"))),
            Walk("One folder", (*_CHANGE, Follow("Boat"))),
            Walk("New folder", (Open("zn"),)),
            Walk("New folder: refused", (Open("zn"), Press("Create"))),
            Walk("New folder: made", _NEW_FOLDER),
            Walk("Rename", (*_CHANGE, Follow("Boat"), Follow("Rename"))),
            Walk(
                "Renamed", (*_CHANGE, Follow("Boat"), Follow("Rename"), Press("Rename", _typed(name="Oars")))
            ),
            Walk("Delete a folder: asked first", (*_NEW_FOLDER, Follow("Delete"))),
            Walk("Empty a folder: asked first", (*_CHANGE, Follow("Trash"), Follow("Empty"))),
            Walk("Emptied", (*_CHANGE, Follow("Trash"), Follow("Empty"), Press("Empty"))),
            Walk("Unsubscribed from a folder", (*_CHANGE, Follow("Boat"), Press("Unsubscribe"))),
        ),
    ),
    (
        "Contacts",
        (
            Walk("Contacts", (Open("t"),)),
            Walk("Contacts: found", (*_NEW_CONTACT, Open("t"), Press("Search", _typed(q="car")))),
            Walk("New contact", (Open("tn"),)),
            Walk("New contact: refused", (Open("tn"), Press("Save", _typed(name="Carol")))),
            Walk("Contact", _NEW_CONTACT),
            Walk("Contact: edited", (*_NEW_CONTACT, Follow("Edit"))),
            Walk("Delete a contact: asked first", (*_NEW_CONTACT, Follow("Delete"))),
            Walk("Contact deleted", (*_NEW_CONTACT, Follow("Delete"), Press("Delete"))),
            Walk("Sender added", (*_LUNCH, Follow("More"), Follow("More"), Press("Add sender"))),
            Walk("Import", (Open("ti"),)),
            Walk("Import: nothing in it", (Open("ti"), Press("Import", _typed(text="x")))),
        ),
    ),
    (
        "Settings",
        (
            Walk("Settings", (Open("s"),)),
            Walk("This device", (Open("sd"),)),
            Walk("This device: saved", (Open("sd"), Press("Save"))),
            Walk("Name and addresses", (Open("sm"),)),
            Walk("Name and address", (Open("sm0"),)),
            Walk("Name and address: refused", (Open("sm0"), Press("Save", _typed(address="x")))),
            Walk("Name and address: saved", (Open("sm0"), Press("Save", _ALICE))),
            Walk(
                "Name and address: removed",
                (Open("sm0"), Press("Save", _ALICE), Open("sm1"), Press("Remove")),
            ),
            Walk("Signature", (Open("sg0"),)),
            Walk("Signature: saved", (Open("sg0"), Press("Save", _typed(signature="Alice")))),
            Walk("Quick replies: settings", (Open("sq"),)),
            Walk("Quick reply: text", (Open("sq1"),)),
            Walk("Quick reply: saved", (Open("sq1"), Press("Save", _typed(quick="Certainly.")))),
            Walk("Quick reply: removed", (Open("sq1"), Press("Remove"))),
            Walk("Reading and writing", (Open("sr"),)),
            Walk("Reading and writing: saved", (Open("sr"), Press("Save"))),
            Walk("Time zone", (Open("sz"),)),
            Walk("Time zone: find a town", (Open("sz0"),)),
            Walk("Time zone: towns found", (Open("sz0"), Press("Find", _typed(find="oslo")))),
            Walk("Time zone: saved", (Open("sz"), Press("Save"))),
            Walk("Language", (Open("sl"),)),
            Walk("Language: saved", (Open("sl"), Press("Save", _typed(language="de")))),
            Walk("Saved searches", (Open("sf"),)),
            Walk("Saved search", _FAVOURITE),
            Walk(
                "Saved search: saved",
                (*_FAVOURITE, Press("Save")),
            ),
            Walk(
                "Saved search: removed",
                (*_FAVOURITE, Press("Remove")),
            ),
            Walk("Saved search: results", (*_SEARCHED, Press("Save search"), Open("qf1"))),
            Walk("My data", (Open("sk"),)),
            Walk("My data: shown", (Open("skp"),)),
            Walk("My data: asked first", (Open("skx"),)),
            Walk("My data: deleted", (Open("skx"), Press("Delete my data"))),
        ),
    ),
)

#: All walks by name.
WALKS: Final[Mapping[str, Walk]] = {walk.name: walk for _group, walks in GROUPS for walk in walks}
