"""Undoing operations on messages, and the page that follows.

Nothing here may undo anything except an operation named by a ticket of this session, or undo it twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flask import Blueprint, Response

from gateway.access.idempotency import PostOutcome, outcome_of
from gateway.actions import execution, operation_outcomes
from gateway.actions.operation_outcomes import OutcomePart
from gateway.actions.table import UNREAD
from gateway.addresses import ListPositionCode, Origin
from gateway.errors import BadRequest, MailboxGone, MessageGone
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, StatusMessage, shorten
from gateway.store.abilities import Order
from gateway.web.mailbox import list_views
from gateway.web.mailbox.origin_list import ListPage, show_list
from gateway.web.message.message_screen import MessageAddress
from gateway.web.message.message_screen import show as show_message
from gateway.web.request.mailbox_names import title_of
from gateway.web.request.visit import Visit, current, link

undo = Blueprint("undo", __name__)


def _n(singular: str, plural: str) -> tuple[str, str]:
    return singular, plural


#: Maximum characters of the subject in a status message.
_TITLE: Final = 40
_ON_TOP: Final = _n("It is at the top of the list now.", "They are at the top of the list now.")


@undo.post("/xu")
def submit() -> Response:
    """Undo an operation, once."""
    visit = current()
    form = visit.form()
    before = outcome_named(visit, form.get("of", ""))
    session = visit.signed_in
    if not operation_outcomes.can_undo(before):
        raise BadRequest("nothing that can be undone")
    outcome = execution.run_once(session, visit.ticketed_post(form), lambda: execution.undo(session, before))
    session.memory.remove(execution.LAST)
    sentence = outcome_sentence(visit, outcome)
    found = [part for part in operation_outcomes.parts(outcome) if part["uids"]]
    if not found:
        parts = operation_outcomes.parts(before)
        return show_list(visit, ListPage(int(parts[0]["from"])), sentence)
    side = "to" if found[0].get("new") else "from"
    number = int(found[0][side])
    uids = operation_outcomes.decode_uids(str(found[0]["new" if side == "to" else "uids"]))
    list_page = ListPage(number, before.get("origin", ""), int(before.get("top", "0")))
    if side == "to":
        sentence, list_page = _put_back(visit, found, uids, list_page, sentence)
    if len(found) == len(uids) == 1 and before["of"] == "1" and before["do"] != UNREAD:
        visit.origin = list_page.origin
        with_message = show_if_exists(MessageAddress(number, uids[0]), sentence)
        if with_message is not None:
            return with_message
    return show_list(visit, list_page, sentence)


def _put_back(
    visit: Visit, parts: Sequence[OutcomePart], uids: Sequence[int], list_page: ListPage, sentence: str
) -> tuple[str, ListPage]:
    """Show mail that was moved back where it was in the usual list, or say that it is at the top."""
    names = [visit.mailbox(int(part["to"]))[0] for part in parts if part.get("new")]
    for name in names:
        list_views.remember_put_back(visit, name)
    view = list_views.usual_view(visit, names[0])
    if list_page.origin or not uids:
        return sentence, list_page
    if view.is_plain:
        on_top = visit.language.ngettext(*_ON_TOP, len(uids))
        return f"{sentence} {on_top}", list_page
    if view.order is not Order.RECEIVED or (len(uids) > 1 and not list_page.top):
        return sentence, list_page
    # The newest of them had, and has again, the highest UID.
    at = Origin(view=view.code, position=ListPositionCode(uid=max(uids)))
    return sentence, ListPage(list_page.number, at.encode())


def outcome_named(visit: Visit, name: str) -> PostOutcome:
    """Return the outcome of the request with this ticket name. Raise BadRequest if this session has none."""
    outcome = outcome_of(visit.signed_in, name)
    if outcome is None:
        raise BadRequest("a name of nothing that was done")
    return outcome


def outcome_sentence(visit: Visit, outcome: PostOutcome) -> str:
    """Return the sentence that describes an outcome."""
    number = operation_outcomes.destination(outcome)
    folder = title_of(visit, visit.mailbox(number)[0]) if number is not None else ""
    return operation_outcomes.sentence(outcome, visit.language, folder)


def status_message(visit: Visit, name: str, outcome: PostOutcome, subject: str = "") -> StatusMessage:
    """Return the status message of an outcome, with the subject of its message and the action to undo it."""
    possible = visit.signed_in.can.undo and operation_outcomes.can_undo(outcome)
    way_back = undo_action(visit, name) if possible else None
    sentence = outcome_sentence(visit, outcome)
    done = int(outcome.get("count", "0")) > 0
    if done and (subject := subject or execution.subject_of(visit.signed_in, name)):
        words = {"done": sentence.rstrip("."), "subject": shorten(fit(subject, visit.device), _TITLE)}
        sentence = visit.language.gettext("%(done)s: %(subject)s") % words
    return StatusMessage(sentence, way_back, good=done)


def undo_action(visit: Visit, name: str, key: str = "") -> Action:
    """Return the action that undoes the request with this name."""
    label = visit.language.gettext("Undo")
    fields = (("of", name), visit.ticket_field())
    return Action(label, link("undo.submit"), key, fields=fields)


def show_if_exists(address: MessageAddress, sentence: str, seen: bool = True) -> Response | None:
    """Show a message under a sentence; return None if it does not exist."""
    try:
        return show_message(address, sentence, seen)
    except (MailboxGone, MessageGone):
        return None
