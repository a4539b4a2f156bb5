"""Actions on one message other than reading it, and moving to its neighbours without a list.

Nothing here may change anything by GET. Operations are posted with a ticket; the response is the page that comes next
(after a removed message, the list, or the next older one), with a status sentence and an undo action.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from flask import Blueprint, Response

from gateway.access.idempotency import PostOutcome
from gateway.actions import execution
from gateway.actions.table import COPY, ERASE, MOVE, OPERATIONS, UNREAD
from gateway.addresses import Origin
from gateway.errors import GatewayError
from gateway.markup.screen import Screen, StatusMessage
from gateway.message.model import MAX_NUMBER
from gateway.store.base import MailStore, MessageRef
from gateway.web.mailbox.error_page import shown_after
from gateway.web.mailbox.message_rows import subject_of
from gateway.web.mailbox.origin_list import ListPage, next_message, show_list
from gateway.web.mailbox.ways_back import ways_back
from gateway.web.message.folder_choice import remember, resolve
from gateway.web.message.message_screen import MessageAddress, reference
from gateway.web.message.message_screen import show as show_message
from gateway.web.message.more_actions import (
    LETTER,
    LETTERS,
    NEWER,
    NEXT_UNREAD,
    OLDER,
    choose_response,
)
from gateway.web.message.undo import show_if_exists, status_message
from gateway.web.request.preferences import AFTER, NEXT, choice
from gateway.web.request.respond import respond
from gateway.web.request.screens import question_screen
from gateway.web.request.visit import Visit, current, link

message_actions = Blueprint("message_actions", __name__)


def _(msgid: str) -> str:
    return msgid


_NONE: Final = {
    OLDER: _("There is no older message."),
    NEWER: _("There is no newer message."),
    NEXT_UNREAD: _("There is no unread message."),
}


@message_actions.get("/x<int:number>.<int:uid>.<any(d,e,j,n,u,f,g,r,a):letter>")
def return_to_message(number: int, uid: int, letter: str) -> Response:
    """Redirect an address that only accepts POST to the message: phones request it when going back."""
    return show_message(MessageAddress(number, uid))


@message_actions.get("/j<int:number>.<int:uid>.<any(o,n,u):which>")
def neighbour(number: int, uid: int, which: str) -> Response:
    """Show the previous or next message, or the next unread one."""
    visit = current()
    ref = reference(visit, MessageAddress(number, uid))
    with visit.signed_in.store() as store:
        found = (
            _next_unread(store, ref)
            if which == NEXT_UNREAD
            else _next_in_list(visit, store, number, ref, which == OLDER)
        )
    if found is None:
        return show_list(visit, ListPage(number, visit.origin), visit.language.gettext(_NONE[which]))
    ref, visit.origin = found if isinstance(found, tuple) else (found, visit.origin)
    return show_message(MessageAddress(*visit.signed_in.mailboxes.code(ref)))


def _next_in_list(
    visit: Visit, store: MailStore, number: int, ref: MessageRef, older: bool = True
) -> tuple[MessageRef, str] | None:
    """Return the next message in the list that the message was opened from, with the origin of its page."""
    if Origin.decode(visit.origin).is_found:
        with suppress(LookupError):
            return next_message(visit, store, ListPage(number, visit.origin), ref, older)
    found = store.neighbour(ref, older=older)
    return (found, visit.origin) if found is not None else None


def _next_unread(store: MailStore, ref: MessageRef) -> MessageRef | None:
    """Return the next unread message, or else the newest one."""
    above = MessageRef(ref.mailbox, ref.uidvalidity, MAX_NUMBER)  # no UID is above it
    return store.neighbour(ref, older=True, unread=True) or store.neighbour(above, older=True, unread=True)


# --- performing


@message_actions.post("/x<int:number>.<int:uid>.<any(d,e,m,c,j,n,u,f,g,r,a):letter>")
def submit(number: int, uid: int, letter: str) -> Response:
    """Perform one operation on a message, once, and show what comes next."""
    visit = current()
    address, word, form = MessageAddress(number, uid), LETTERS[letter], visit.form()
    ref = reference(visit, address)
    target = ""
    if word in (MOVE, COPY):
        with visit.signed_in.store() as store:
            target = resolve(visit, store, form.get("to", "")) or ""
        if not target:
            sentence = visit.language.gettext("That folder no longer exists.")
            return choose_response(visit, address, letter, sentence=sentence)

    away, subject = OPERATIONS[word].away, ""
    goes_on, found = choice(visit.settings, AFTER) == NEXT, Origin.decode(visit.origin).is_found

    def perform() -> PostOutcome:
        nonlocal subject
        after = None
        if away:  # it will no longer be there
            with suppress(GatewayError), visit.signed_in.store() as store:
                rows = store.summaries_of([ref])
                subject = subject_of(visit, rows[0]) if rows else ""
                after = _next_in_list(visit, store, number, ref) if goes_on and found else None
        outcome = execution.perform(visit.signed_in, word, [ref], target, neighbour=goes_on and not found)
        if after is not None:
            box = visit.signed_in.mailboxes.number(after[0].mailbox, after[0].uidvalidity)
            outcome |= {"next": str(after[0].uid), "box": str(box), "origin": after[1]}
        if target and int(outcome["count"]):
            remember(visit, target)
        return outcome

    post = visit.ticketed_post(form)
    outcome = execution.run_once(visit.signed_in, post, perform, lambda: subject)
    if outcome.get("ask"):
        return respond(_question(visit, address))
    sentence = status_message(visit, post.name, outcome, subject)
    return shown_after(visit, sentence, lambda: _next_page(visit, address, outcome, sentence))


def _next_page(
    visit: Visit, address: MessageAddress, outcome: PostOutcome, sentence: StatusMessage
) -> Response:
    """Show what comes after an operation: the next message, this one, or the list."""
    word = outcome.get("do", "")
    done = int(outcome.get("count", "0")) > 0
    list_page = ListPage(address.number, visit.origin)
    after = None
    if done and word in OPERATIONS and OPERATIONS[word].away:
        if "next" in outcome:
            visit.origin = outcome.get("origin", visit.origin)
            address = MessageAddress(int(outcome.get("box", address.number)), int(outcome["next"]))
            # The person did not ask for it, so it does not count as read.
            after = show_if_exists(address, sentence, seen=False)
    elif done and word != UNREAD:
        # The status sentence's own actions use the same keys.
        after = show_if_exists(address, StatusMessage(sentence, good=sentence.good))
    return after or show_list(visit, list_page, sentence)


def _question(visit: Visit, address: MessageAddress) -> Screen:
    _ = visit.language.gettext
    target = link("message_actions.submit", **address.values(), letter=LETTER[ERASE])
    return question_screen(
        visit,
        _("Delete"),
        _("Delete this message for good?"),
        target,
        ways_back(visit, address.number, address.uid),
    )
