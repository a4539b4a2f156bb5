"""More actions on one message: two pages of links and buttons, and the folders to choose from.

Nothing here may change anything: buttons post to `message_actions`.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request

from gateway.access.idempotency import outcome_of
from gateway.actions import execution
from gateway.actions.operation_outcomes import can_undo
from gateway.actions.store_operations import is_junk
from gateway.actions.table import (
    ARCHIVE,
    COPY,
    DELETE,
    ERASE,
    FLAG,
    JUNK,
    MOVE,
    NOT_JUNK,
    OPERATIONS,
    RESTORE,
    UNFLAG,
    UNREAD,
    is_possible,
)
from gateway.markup.keys import KEYS
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, shorten
from gateway.message.headers.header_fields import clean
from gateway.message.model import Message
from gateway.message.outgoing.reply import list_recipients
from gateway.store.base import DELETED, FLAGGED
from gateway.web.mailbox.reading_progress import positions
from gateway.web.mailbox.ways_back import ways_back
from gateway.web.message import undo as undoing
from gateway.web.message.folder_choice import chooser_screen, targets
from gateway.web.message.message_screen import MessageAddress, reference
from gateway.web.request.respond import respond
from gateway.web.request.screens import notice_screen
from gateway.web.request.visit import Visit, current, link

more = Blueprint("more", __name__)

#: Letter at the end of an address -> operation; GET on it shows the page that leads there.
LETTERS: Final = {
    "d": DELETE, "e": ERASE, "m": MOVE, "c": COPY, "j": JUNK, "n": NOT_JUNK,
    "u": UNREAD, "f": FLAG, "g": UNFLAG, "r": RESTORE, "a": ARCHIVE,
}  # fmt: skip
LETTER: Final = {word: letter for letter, word in LETTERS.items()}
#: The query parameter of the form for a new folder: the message that is to go there, and whether to move or copy it.
FOR: Final = "for"
#: Neighbours: older, newer, next unread.
OLDER, NEWER, NEXT_UNREAD = "o", "n", "u"


def _(msgid: str) -> str:
    return msgid


@more.get("/x<int:number>.<int:uid>")
def show(number: int, uid: int) -> Response:
    """Show more actions on a message."""
    visit = current()
    address = MessageAddress(number, uid)
    with visit.signed_in.store() as store:
        found = store.structure(reference(visit, address))
        junk = store.can.move and is_junk(store, visit.mailbox(number)[0])
    _ = visit.language.gettext
    flags = {flag.lower() for flag in found.flags}
    partly_read = bool(positions(visit, number, (uid,)))
    operations = (
        UNFLAG if FLAGGED.lower() in flags else FLAG,
        RESTORE if DELETED.lower() in flags else UNREAD,
        MOVE,
        COPY,
        NOT_JUNK if junk else JUNK,
    )
    can = visit.signed_in.can
    actions = (
        *(_operation(visit, address, word) for word in operations if is_possible(word, can)),
        Action(_("Details"), link("details.first", **address.values()), KEYS["Details"]),
        Action(_("More"), link("more.rare", **address.values()), KEYS["More"]),
        *([_first_page(visit, address)] if partly_read else ()),
        *ways_back(visit, number, uid),
    )
    return respond(notice_screen(visit, _("More"), _subject(visit, found), actions))


@more.get("/x<int:number>.<int:uid>.2")
def rare(number: int, uid: int) -> Response:
    """Show the rarely used actions on a message."""
    visit = current()
    address = MessageAddress(number, uid)
    with visit.signed_in.store() as store:
        found = store.structure(reference(visit, address))
    _ = visit.language.gettext
    last = visit.signed_in.memory.get(execution.LAST)
    before = str(last["of"]) if last else ""
    where = address.values()
    actions = []
    if list_recipients(found):
        actions.append(
            Action(_("Reply to list"), link("compose.reply", **where, variant="l"), KEYS["Reply to list"])
        )
    actions.append(
        Action(_("Forward as file"), link("compose.forward", **where, variant="a"), KEYS["Forward as file"])
    )
    actions.append(Action(_("Redirect"), link("compose.forward", **where, variant="r"), KEYS["Redirect"]))
    actions.append(Action(_("Edit as new"), link("drafts.resume", **where), KEYS["Edit as new"]))
    fields = (visit.ticket_field(),)
    add_sender = link("contacts.add_sender", **where)
    actions.append(Action(_("Add sender"), add_sender, KEYS["Add sender"], fields=fields))
    newer = link("message_actions.neighbour", **where, which=NEWER)
    actions.append(Action(_("Newer message"), newer, KEYS["Newer message"]))
    if visit.signed_in.can.seen:
        unread = link("message_actions.neighbour", **where, which=NEXT_UNREAD)
        actions.append(Action(_("Next unread"), unread, KEYS["Next unread"]))
    if visit.signed_in.can.undo and can_undo(outcome_of(visit.signed_in, before) or {}):
        actions.append(undoing.undo_action(visit, before, KEYS["Undo"]))
    actions += ways_back(visit, number, uid)
    return respond(notice_screen(visit, _("More"), _subject(visit, found), actions))


@more.get("/x<int:number>.<int:uid>.<any(m,c):letter>")
def choose(number: int, uid: int, letter: str) -> Response:
    """Show the folders to which a message can be moved or copied."""
    return choose_response(current(), MessageAddress(number, uid), letter, request.args.get("f", 0, int))


def choose_response(
    visit: Visit, address: MessageAddress, letter: str, first: int = 0, sentence: str = ""
) -> Response:
    """Show a page of the folders, under a sentence if the chosen one is gone."""
    reference(visit, address)
    with visit.signed_in.store() as store:
        found = targets(visit, store, {visit.mailbox(address.number)[0]})

    def row(mark: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        fields = (("to", mark), visit.ticket_field())
        return link("message_actions.submit", **address.values(), letter=letter), fields

    def turn(at: int) -> str:
        return link("more.choose", **address.values(), letter=letter, f=at)

    title = visit.language.gettext(OPERATIONS[LETTERS[letter]].label)
    new = link("folder.new", **{FOR: f"{address.number}.{address.uid}.{letter}"})
    ways = (Action(visit.language.gettext("New folder"), new), *ways_back(visit, address.number, address.uid))
    return respond(chooser_screen(visit, title, found, first, row, turn, ways, sentence))


def _first_page(visit: Visit, address: MessageAddress) -> Action:
    label = visit.language.gettext("First page")
    return Action(label, link("message.first", **address.values()), KEYS["First page"])


def _operation(visit: Visit, address: MessageAddress, word: str) -> Action:
    """Return the action that performs an operation on a message, or chooses a folder for it."""
    label, key = visit.language.gettext(OPERATIONS[word].label), KEYS[OPERATIONS[word].label]
    if word in (MOVE, COPY):
        return Action(label, link("more.choose", **address.values(), letter=LETTER[word]), key)
    href = link("message_actions.submit", **address.values(), letter=LETTER[word])
    return Action(label, href, key, fields=(visit.ticket_field(),))


def _subject(visit: Visit, found: Message) -> str:
    subject = clean(found.envelope.subject) or visit.language.gettext("(no subject)")
    return shorten(fit(subject, visit.device), 2 * visit.device.columns)
