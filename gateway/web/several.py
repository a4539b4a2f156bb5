"""Ticking several messages of a list, and doing one thing to all of them.

Nothing here may go by a row's place: what is ticked comes back as UIDs. What is not ticked one by one (all that a list
finds) is counted and asked about first, and what was counted is what is done, whatever has come since. Between the
pages of one deed the messages are kept under the ticket of the first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from flask import Blueprint, Response, request

from gateway.errors import BadRequest
from gateway.markup.screen import Action, Life, Screen
from gateway.store.base import MailStore, MessageRef
from gateway.web import deeds, doing
from gateway.web.deeds import (
    COPY,
    DEEDS,
    DELETE,
    ERASE,
    FINE,
    FLAG,
    JUNK,
    MOST,
    MOVE,
    READ,
    UNFLAG,
    UNREAD,
    Outcome,
)
from gateway.web.forms import Fields
from gateway.web.places import TOP, Here, everything, show_list, stretch
from gateway.web.respond import respond
from gateway.web.targets import chooser, remember, resolve, targets
from gateway.web.ticks import FOUND, PAGE, back, of_sets, sets, tick_screen
from gateway.web.undo import done_before, said
from gateway.web.visit import Visit, current, link

several = Blueprint("several", __name__)

#: What is offered for several messages, in this order.
OFFERED: Final = (DELETE, MOVE, READ, UNREAD, FLAG, UNFLAG, JUNK, COPY)
#: What is remembered under a ticket for the page that follows.
_CHOSEN: Final = "chosen"
_VALUE: Final = re.compile(r"(?:(\d{1,9})\.)?(\d{1,10})", re.ASCII)


def _(msgid: str) -> str:
    return msgid


def _n(singular: str, plural: str) -> tuple[str, str]:
    return singular, plural


#: Word -> what is asked before it is done to all that a list finds.
_QUESTIONS: Final = {
    DELETE: _n("Delete %(count)s message?", "Delete %(count)s messages?"),
    ERASE: _n("Delete %(count)s message for good?", "Delete %(count)s messages for good?"),
    MOVE: _n("Move %(count)s message?", "Move %(count)s messages?"),
    COPY: _n("Copy %(count)s message?", "Copy %(count)s messages?"),
    READ: _n("Mark %(count)s message as read?", "Mark %(count)s messages as read?"),
    UNREAD: _n("Mark %(count)s message as unread?", "Mark %(count)s messages as unread?"),
    FLAG: _n("Flag %(count)s message?", "Flag %(count)s messages?"),
    UNFLAG: _n("Unflag %(count)s message?", "Unflag %(count)s messages?"),
    JUNK: _n("Move %(count)s message to junk?", "Move %(count)s messages to junk?"),
    FINE: _n("Move %(count)s message out of junk?", "Move %(count)s messages out of junk?"),
}


# --- ticking


@several.get("/x")
@several.get("/x<int:number>")
def tick(number: int | None = None) -> Response:
    """Show the rows of a list with boxes to tick."""
    visit = current()
    if "of" in request.args:
        return _choose(visit, number, request.args["of"], request.args.get("f", 0, int))
    return _tick(visit, _here(visit, number))


@several.get("/xb")
@several.get("/x<int:number>b")
def leave(number: int | None = None) -> Response:
    """Show the list again."""
    return show_list(current(), _here(current(), number))


def _here(visit: Visit, number: int | None, before: Mapping[str, str] | None = None) -> Here:
    """Say which list it is about: that of an earlier page of this deed, or of the address."""
    if before:
        return Here(number, before.get("origin", ""), int(before.get("top", "0")))
    return Here(number, visit.origin, max(0, request.args.get(TOP, 0, int)))


def _tick(visit: Visit, here: Here, sentence: str = "") -> Response:
    with visit.signed_in.store() as store:
        found = stretch(visit, store, here)
        junk = here.number is not None and doing.is_junk(store, visit.mailbox(here.number)[0])
    if here.number is not None and found.summaries:  # its UIDVALIDITY may be another one by now
        ref = found.summaries[0].ref
        here = replace(here, number=visit.signed_in.mailbox_number(ref.mailbox, ref.uidvalidity))
    words = [FINE if junk and word == JUNK else word for word in OFFERED]
    return respond(tick_screen(visit, here, found, words, sentence), Life.NEVER if sentence else None)


def _link(number: int | None, **values: object) -> str:
    return link("several.tick", **({} if number is None else {"number": number}), **values)


# --- doing


@several.post("/x")
@several.post("/x<int:number>")
def do(number: int | None = None) -> Response:
    """Do one thing to all that is meant, once, and show the list again; what is not certain is asked first."""
    visit = current()
    form = visit.form()
    word = next((name[3:] for name in form if name.startswith("do.")), form.get("do", ""))
    before = done_before(visit, form["of"]) if "of" in form else {}
    if word not in OFFERED and not (word == FINE or (word == ERASE and before)):
        raise BadRequest("no such deed")
    here = _here(visit, number, before)
    if before:
        wanted = _kept(visit, before)
    else:
        with visit.signed_in.store() as store:
            wanted = _meant(visit, store, here, form)
    if not wanted:
        return _tick(visit, here, visit.language.gettext("Nothing is ticked."))
    if not before and (form.get("all") == FOUND or word in (MOVE, COPY)):
        return _later(visit, here, form, word, wanted)
    return _now(visit, here, form, word, wanted)


def _now(
    visit: Visit, here: Here, form: Mapping[str, str], word: str, wanted: Sequence[MessageRef]
) -> Response:
    target = ""
    if word in (MOVE, COPY):
        with visit.signed_in.store() as store:
            target = resolve(visit, store, form.get("to", "")) or ""
        if not target:
            return _choose(visit, here.number, form.get("of", ""), 0)

    def perform() -> Outcome:
        outcome = doing.perform(visit, word, wanted, target)
        if target and int(outcome["count"]):
            remember(visit, target)
        return outcome | {"origin": here.origin, "top": str(here.top)}

    ticket, outcome = doing.once(visit, form, perform)
    if outcome.get("ask"):
        return respond(_question(visit, here, ticket, ERASE, len(wanted)))
    return show_list(visit, here, said(visit, ticket, outcome))


def _later(
    visit: Visit, here: Here, form: Mapping[str, str], word: str, wanted: Sequence[MessageRef]
) -> Response:
    """Keep what is meant under the form's ticket, and ask for what is still to be known."""

    def keep() -> Outcome:
        pieces = (piece.partition(":") for piece in sets(visit, wanted))
        parts = [{"from": int(own), "uids": uids} for own, _colon, uids in pieces]
        list_of = {"origin": here.origin, "top": str(here.top)}
        return {"do": _CHOSEN, "word": word, "parts": json.dumps(parts)} | list_of

    ticket, outcome = doing.once(visit, form, keep)
    if outcome.get("do") != _CHOSEN:
        raise BadRequest("this ticket was for something else")
    if word in (MOVE, COPY):
        return _choose(visit, here.number, ticket, 0)
    return respond(_question(visit, here, ticket, word, len(wanted)))


def _meant(visit: Visit, store: MailStore, here: Here, form: Fields) -> list[MessageRef]:
    """Name the messages that a form means."""
    if form.get("all") == FOUND:
        return list(everything(visit, store, here, MOST))
    if form.get("all") == PAGE:
        return of_sets(visit, form.get("page", ""))
    pairs = [_VALUE.fullmatch(value) for value in form.every("u")]
    found = [(int(pair[1]) if pair[1] else here.number, int(pair[2])) for pair in pairs if pair]
    return [MessageRef(*visit.mailbox(own), uid) for own, uid in found if own is not None]


def _kept(visit: Visit, before: Outcome) -> list[MessageRef]:
    """Name the messages that an earlier page of this deed was about."""
    if before.get("do") != _CHOSEN and not before.get("ask"):
        return []
    return [ref for part in deeds.parts(before) for ref in deeds.refs(visit, part)]


# --- asking


def _question(visit: Visit, here: Here, ticket: str, word: str, count: int) -> Screen:
    """Ask before it is done, with the count."""
    _ = visit.language.gettext
    words = {"count": visit.language.number(count)}
    lines = [_("No more than %(count)s at a time.") % words] if count == MOST else []
    fields = (("of", ticket), ("do", word), ("ticket", visit.signed_in.ticket()))
    yes = Action(_(DEEDS[word].label), _link(here.number), "1", "accept", short=_("Yes"), fields=fields)
    values = {"sentence": visit.language.ngettext(*_QUESTIONS[word], count) % words, "lines": lines}
    return Screen(
        "notice",
        _(DEEDS[word].label),
        values,
        (yes, back(visit, here)),
        life=Life.NEVER,
        words=_,
        language=visit.language.tag,
    )


def _choose(visit: Visit, number: int | None, ticket: str, first: int) -> Response:
    """Show the folders that they can go to."""
    _ = visit.language.gettext
    before = done_before(visit, ticket)
    word = before.get("word", "")
    wanted = _kept(visit, before)
    if word not in (MOVE, COPY) or not wanted:
        raise BadRequest("nothing was chosen to be moved")
    mailboxes = {ref.mailbox for ref in wanted}
    with visit.signed_in.store() as store:
        found = targets(visit, store, mailboxes if len(mailboxes) == 1 else ())

    def row(mark: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        fields = (("of", ticket), ("do", word), ("to", mark), ("ticket", visit.signed_in.ticket()))
        return _link(number), fields

    def turn(at: int) -> str:
        return _link(number, of=ticket, f=at)

    words = {"count": visit.language.number(len(wanted))}
    sentence = visit.language.ngettext(*_QUESTIONS[word], len(wanted)) % words
    title = _(DEEDS[word].label)
    home = back(visit, _here(visit, number, before))
    return respond(chooser(visit, title, found, first, row, turn, home, sentence))
