"""Bulk actions: ticking messages of a list and applying one operation to all of them.

Nothing here may identify messages by row: ticked messages are posted as UIDs. If all messages of a list are meant, they
are counted and confirmed first, and exactly those are changed, even if more have arrived since. Between the pages of
one operation the messages are kept in the outcome of the first request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from flask import Blueprint, Response, request

from gateway.access.idempotency import PostOutcome
from gateway.actions import execution, operation_outcomes
from gateway.actions.operation_outcomes import MOST
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
    READ,
    UNFLAG,
    UNREAD,
    is_possible,
)
from gateway.errors import BadRequest
from gateway.markup.keys import MAIN_KEY
from gateway.markup.screen import Action, Life, Screen
from gateway.message.model import UID_DIGITS
from gateway.store.base import MailStore, MessageRef
from gateway.web.mailbox.error_page import shown_after
from gateway.web.mailbox.origin_list import TOP, ListPage, all_messages, list_rows, show_list
from gateway.web.message.folder_choice import chooser_screen, remember, resolve, targets
from gateway.web.message.tick_page import FOUND, PAGE, back_action, decode_refs, encode_refs, tick_screen
from gateway.web.message.undo import outcome_named, status_message
from gateway.web.request.form_bodies import TICKED, Fields
from gateway.web.request.respond import respond
from gateway.web.request.screens import notice_screen
from gateway.web.request.visit import Visit, current, link

bulk = Blueprint("bulk", __name__)

#: The operations offered for several messages, in this order.
OFFERED: Final = (DELETE, ARCHIVE, MOVE, READ, UNREAD, FLAG, UNFLAG, JUNK, COPY)
#: The operation in the outcome of a request that only selected messages.
_CHOSEN: Final = "chosen"
_VALUE: Final = re.compile(rf"(?:(\d{{1,9}})\.)?(\d{{1,{UID_DIGITS}}})", re.ASCII)


def _(msgid: str) -> str:
    return msgid


def _n(singular: str, plural: str) -> tuple[str, str]:
    return singular, plural


#: Operation -> the question before it is applied to all messages of a list.
_QUESTIONS: Final = {
    DELETE: _n("Delete %(count)s message?", "Delete %(count)s messages?"),
    ERASE: _n("Delete %(count)s message for good?", "Delete %(count)s messages for good?"),
    MOVE: _n("Move %(count)s message?", "Move %(count)s messages?"),
    ARCHIVE: _n("Archive %(count)s message?", "Archive %(count)s messages?"),
    COPY: _n("Copy %(count)s message?", "Copy %(count)s messages?"),
    READ: _n("Mark %(count)s message as read?", "Mark %(count)s messages as read?"),
    UNREAD: _n("Mark %(count)s message as unread?", "Mark %(count)s messages as unread?"),
    FLAG: _n("Flag %(count)s message?", "Flag %(count)s messages?"),
    UNFLAG: _n("Unflag %(count)s message?", "Unflag %(count)s messages?"),
    JUNK: _n("Move %(count)s message to junk?", "Move %(count)s messages to junk?"),
    NOT_JUNK: _n("Move %(count)s message out of junk?", "Move %(count)s messages out of junk?"),
}


# --- ticking


@bulk.get("/x")
@bulk.get("/x<int:number>")
def tick(number: int | None = None) -> Response:
    """Show the rows of a list with boxes to tick."""
    visit = current()
    if "of" in request.args:
        return _choose_folder(visit, number, request.args["of"], request.args.get("f", 0, int))
    return _tick(visit, _list_page(visit, number))


@bulk.get("/xb")
@bulk.get("/x<int:number>b")
def return_to_list(number: int | None = None) -> Response:
    """Show the list again."""
    return show_list(current(), _list_page(current(), number))


def _list_page(visit: Visit, number: int | None, before: Mapping[str, str] | None = None) -> ListPage:
    """Return the list that the operation is about: from its earlier page, or from the address."""
    if before:
        return ListPage(number, before.get("origin", ""), int(before.get("top", "0")))
    return ListPage(number, visit.origin, max(0, request.args.get(TOP, 0, int)))


def _tick(visit: Visit, list_page: ListPage, sentence: str = "") -> Response:
    with visit.signed_in.store() as store:
        found = list_rows(visit, store, list_page)
        can = store.can
        junk = (
            can.move and list_page.number is not None and is_junk(store, visit.mailbox(list_page.number)[0])
        )
    if list_page.number is not None and found.summaries:  # its UIDVALIDITY may have changed since
        ref = found.summaries[0].ref
        list_page = replace(list_page, number=visit.signed_in.mailboxes.number(ref.mailbox, ref.uidvalidity))
    possible = [word for word in OFFERED if is_possible(word, can)]
    words = [NOT_JUNK if junk and word == JUNK else word for word in possible]
    return respond(tick_screen(visit, list_page, found, words, sentence), Life.NEVER if sentence else None)


def _link(number: int | None, **values: object) -> str:
    return link("bulk.tick", **({} if number is None else {"number": number}), **values)


# --- performing


@bulk.post("/x")
@bulk.post("/x<int:number>")
def submit(number: int | None = None) -> Response:
    """Perform one operation on the chosen messages, once, and show the list again; ask first if needed."""
    visit = current()
    form = visit.form()
    word = form.pressed_button()
    before = outcome_named(visit, form["of"]) if "of" in form else {}
    if word not in OFFERED and not (word == NOT_JUNK or (word == ERASE and before)):
        raise BadRequest("no such operation")
    list_page = _list_page(visit, number, before)
    if before:
        wanted = _kept_refs(visit, before)
    else:
        with visit.signed_in.store() as store:
            wanted = _posted_refs(visit, store, list_page, form)
    if not wanted:
        return _tick(visit, list_page, visit.language.gettext("No message is selected."))
    if not before and (form.get("all") == FOUND or word in (MOVE, COPY)):
        return _ask_first(visit, list_page, form, word, wanted)
    return _perform_now(visit, list_page, form, word, wanted)


def _perform_now(
    visit: Visit, list_page: ListPage, form: Fields, word: str, wanted: Sequence[MessageRef]
) -> Response:
    target = ""
    if word in (MOVE, COPY):
        with visit.signed_in.store() as store:
            target = resolve(visit, store, form.get("to", "")) or ""
        if not target:
            return _choose_folder(visit, list_page.number, form.get("of", ""), 0)

    def perform() -> PostOutcome:
        outcome = execution.perform(visit.signed_in, word, wanted, target)
        if target and int(outcome["count"]):
            remember(visit, target)
        return outcome | {"origin": list_page.origin, "top": str(list_page.top)}

    post = visit.ticketed_post(form)
    outcome = execution.run_once(visit.signed_in, post, perform)
    if outcome.get("ask"):
        return respond(_question(visit, list_page, post.name, ERASE, len(wanted)))
    sentence = status_message(visit, post.name, outcome)
    return shown_after(visit, sentence, lambda: show_list(visit, list_page, sentence))


def _ask_first(
    visit: Visit, list_page: ListPage, form: Fields, word: str, wanted: Sequence[MessageRef]
) -> Response:
    """Keep the chosen messages, and ask for a folder or for confirmation."""

    def keep() -> PostOutcome:
        pieces = (piece.partition(":") for piece in encode_refs(visit, wanted))
        parts = [{"from": int(own), "uids": uids} for own, _colon, uids in pieces]
        list_of = {"origin": list_page.origin, "top": str(list_page.top)}
        return {"do": _CHOSEN, "word": word, "parts": json.dumps(parts)} | list_of

    post = visit.ticketed_post(form)
    outcome = execution.run_once(visit.signed_in, post, keep)
    if outcome.get("do") != _CHOSEN:  # the first request is still in progress
        return show_list(visit, list_page, status_message(visit, post.name, outcome))
    if word in (MOVE, COPY):
        return _choose_folder(visit, list_page.number, post.name, 0)
    return respond(_question(visit, list_page, post.name, word, len(_kept_refs(visit, outcome))))


def _posted_refs(visit: Visit, store: MailStore, list_page: ListPage, form: Fields) -> list[MessageRef]:
    """Return the messages that a form refers to."""
    if form.get("all") == FOUND:
        return list(all_messages(visit, store, list_page, MOST))
    if form.get("all") == PAGE:
        return decode_refs(visit, form.get("page", ""))
    pairs = [_VALUE.fullmatch(value) for value in form.getlist(TICKED)]
    found = [(int(pair[1]) if pair[1] else list_page.number, int(pair[2])) for pair in pairs if pair]
    return [MessageRef(*visit.mailbox(own), uid) for own, uid in found if own is not None]


def _kept_refs(visit: Visit, before: PostOutcome) -> list[MessageRef]:
    """Return the messages that an earlier page of this operation referred to."""
    if before.get("do") != _CHOSEN and not before.get("ask"):
        return []
    return [
        ref
        for part in operation_outcomes.parts(before)
        for ref in operation_outcomes.refs(visit.signed_in.mailboxes, part)
    ]


# --- asking


def _question(visit: Visit, list_page: ListPage, name: str, word: str, count: int) -> Screen:
    """Ask for confirmation, with the number of messages."""
    _ = visit.language.gettext
    words = {"count": visit.language.number(count)}
    lines = [_("No more than %(count)s at a time.") % words] if count == MOST else []
    fields = (("of", name), ("do", word), visit.ticket_field())
    yes = Action(
        _(OPERATIONS[word].label), _link(list_page.number), MAIN_KEY, "accept", short=_("Yes"), fields=fields
    )
    sentence = visit.language.ngettext(*_QUESTIONS[word], count) % words
    actions = (yes, back_action(visit, list_page))
    return notice_screen(visit, _(OPERATIONS[word].label), sentence, actions, lines, life=Life.NEVER)


def _choose_folder(visit: Visit, number: int | None, name: str, first: int) -> Response:
    """Show the folders to choose from."""
    _ = visit.language.gettext
    before = outcome_named(visit, name)
    word = before.get("word", "")
    wanted = _kept_refs(visit, before)
    if word not in (MOVE, COPY) or not wanted:
        raise BadRequest("nothing was chosen to be moved")
    mailboxes = {ref.mailbox for ref in wanted}
    with visit.signed_in.store() as store:
        found = targets(visit, store, mailboxes if len(mailboxes) == 1 else ())

    def row(mark: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        fields = (("of", name), ("do", word), ("to", mark), visit.ticket_field())
        return _link(number), fields

    def turn(at: int) -> str:
        return _link(number, of=name, f=at)

    words = {"count": visit.language.number(len(wanted))}
    sentence = visit.language.ngettext(*_QUESTIONS[word], len(wanted)) % words
    title = _(OPERATIONS[word].label)
    home = back_action(visit, _list_page(visit, number, before))
    return respond(chooser_screen(visit, title, found, first, row, turn, (home,), sentence))
