"""Taking back what was done to messages: the way there, and the page that follows.

Nothing here may take back but by the ticket of what was done, or take the same back twice.
"""

from __future__ import annotations

from flask import Blueprint, Response

from gateway.errors import BadRequest, MailboxGone, MessageGone
from gateway.markup.screen import Action, Said
from gateway.web import deeds, doing
from gateway.web.deeds import UNREAD, Outcome
from gateway.web.message import Place
from gateway.web.message import show as show_message
from gateway.web.places import Here, show_list
from gateway.web.visit import Visit, current, link

undo = Blueprint("undo", __name__)


@undo.post("/xu")
def take_back() -> Response:
    """Take back what was done, once."""
    visit = current()
    form = visit.form()
    before = done_before(visit, form.get("of", ""))
    if not deeds.can_undo(before):
        raise BadRequest("nothing that can be taken back")
    _ticket, outcome = doing.once(visit, form, lambda: doing.take_back(visit, before))
    visit.signed_in.memory.remove(doing.LAST)
    sentence = deeds.say(visit, outcome)
    found = [part for part in deeds.parts(outcome) if part["uids"]]
    if not found:
        parts = deeds.parts(before)
        return show_list(visit, Here(int(parts[0]["from"])), sentence)
    here = "to" if found[0].get("new") else "from"
    number = int(found[0][here])
    uids = deeds.parted(str(found[0]["new" if here == "to" else "uids"]))
    if len(found) == len(uids) == 1 and before["of"] == "1" and before["do"] != UNREAD:
        with_message = if_there(Place(number, uids[0]), sentence)
        if with_message is not None:
            return with_message
    return show_list(visit, Here(number, before.get("origin", ""), int(before.get("top", "0"))), sentence)


def done_before(visit: Visit, ticket: str) -> Outcome:
    """Return what a ticket has come to; nothing for one with which nothing was done."""
    session = visit.signed_in
    if session.check_ticket(ticket) is None:
        raise BadRequest("a ticket that is not of this session")
    claim = session.claim(ticket)
    if claim.fresh:  # nobody has used it, and nobody shall any more
        session.settle(ticket, {})
    return claim.outcome or {}


def said(visit: Visit, ticket: str, outcome: Outcome) -> Said:
    """Say what was done, with the way to take it back."""
    return Said(deeds.say(visit, outcome), offer(visit, ticket) if deeds.can_undo(outcome) else None)


def offer(visit: Visit, ticket: str, key: str = "") -> Action:
    """Offer to take back what was done with a ticket."""
    label = visit.language.gettext("Undo")
    fields = (("of", ticket), ("ticket", visit.signed_in.ticket()))
    return Action(label, link("undo.take_back"), key, fields=fields)


def if_there(place: Place, sentence: str) -> Response | None:
    """Show a message under a sentence; None where it is not there."""
    try:
        return show_message(place, sentence)
    except (MailboxGone, MessageGone):
        return None
