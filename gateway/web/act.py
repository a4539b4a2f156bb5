"""What can be done with one message besides reading it, and going on from it without a list.

Nothing here may change anything by GET. What a person asks for is posted with a ticket; the answer is the page that
comes next (after a message that has gone, the next older one), with a sentence and the way to take it back.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from flask import Blueprint, Response

from gateway.errors import GatewayError
from gateway.markup.screen import Life, Said, Screen
from gateway.store.base import MailStore, MessageRef
from gateway.web import doing
from gateway.web.deeds import (
    COPY,
    DEEDS,
    ERASE,
    MOVE,
    UNREAD,
    Outcome,
)
from gateway.web.message import Place, reference
from gateway.web.message import show as show_message
from gateway.web.more import LETTER, LETTERS, NEWER, NEXT_UNREAD, OLDER, back, choices
from gateway.web.places import Here, following, show_list
from gateway.web.respond import respond
from gateway.web.targets import remember, resolve
from gateway.web.undo import if_there, said
from gateway.web.visit import Visit, current, link

act = Blueprint("act", __name__)

#: A UID above all others.
_ABOVE: Final = 0xFFFFFFFF


def _(msgid: str) -> str:
    return msgid


_NONE: Final = {
    OLDER: _("There is no older message."),
    NEWER: _("There is no newer message."),
    NEXT_UNREAD: _("There is no unread message."),
}


@act.get("/x<int:number>.<int:uid>.<any(d,e,j,n,u,f,g,r):letter>")
def again(number: int, uid: int, letter: str) -> Response:
    """Lead back to the message from an address that is only posted to: phones fetch it for their back key."""
    return show_message(Place(number, uid))


@act.get("/j<int:number>.<int:uid>.<any(o,n,u):which>")
def neighbour(number: int, uid: int, which: str) -> Response:
    """Show the message before or after, or the next unread one."""
    visit = current()
    ref = reference(visit, Place(number, uid))
    with visit.signed_in.store() as store:
        found = _after(visit, store, number, ref) if which == OLDER else _nearest(store, ref, which)
    if found is None:
        return show_list(visit, Here(number, visit.origin), visit.language.gettext(_NONE[which]))
    ref, visit.origin = found if isinstance(found, tuple) else (found, visit.origin)
    return show_message(Place(visit.signed_in.mailbox_number(ref.mailbox, ref.uidvalidity), ref.uid))


def _after(visit: Visit, store: MailStore, number: int, ref: MessageRef) -> tuple[MessageRef, str] | None:
    """Name the message after one, in the list that it was opened from, with the list's place there."""
    if visit.origin:
        with suppress(LookupError):
            return following(visit, store, Here(number, visit.origin), ref)
    found = store.neighbour(ref, older=True)
    return (found, visit.origin) if found is not None else None


def _nearest(store: MailStore, ref: MessageRef, which: str) -> MessageRef | None:
    found = store.neighbour(ref, older=which == NEXT_UNREAD, unread=which == NEXT_UNREAD)
    if found is None and which == NEXT_UNREAD:  # from the newest on again
        above = MessageRef(ref.mailbox, ref.uidvalidity, _ABOVE)
        found = store.neighbour(above, older=True, unread=True)
    return found


# --- doing it


@act.post("/x<int:number>.<int:uid>.<any(d,e,m,c,j,n,u,f,g,r):letter>")
def do(number: int, uid: int, letter: str) -> Response:
    """Do one thing to a message, once, and show what comes next."""
    visit = current()
    place, word, form = Place(number, uid), LETTERS[letter], visit.form()
    ref = reference(visit, place)
    target = ""
    if word in (MOVE, COPY):
        with visit.signed_in.store() as store:
            target = resolve(visit, store, form.get("to", "")) or ""
        if not target:
            sentence = visit.language.gettext("That folder is not there any more.")
            return choices(visit, place, letter, sentence=sentence)

    def perform() -> Outcome:
        after = None
        if visit.origin and DEEDS[word].away:  # in that list it will not be any more
            with suppress(GatewayError), visit.signed_in.store() as store:
                after = _after(visit, store, number, ref)
        outcome = doing.perform(visit, word, [ref], target)
        if visit.origin:
            outcome.pop("next", None)
        if after is not None:
            box = visit.signed_in.mailbox_number(after[0].mailbox, after[0].uidvalidity)
            outcome |= {"next": str(after[0].uid), "box": str(box), "origin": after[1]}
        if target and int(outcome["count"]):
            remember(visit, target)
        return outcome

    ticket, outcome = doing.once(visit, form, perform)
    if outcome.get("ask"):
        return respond(_question(visit, place))
    return _next(visit, place, outcome, said(visit, ticket, outcome))


def _next(visit: Visit, place: Place, outcome: Outcome, sentence: Said) -> Response:
    """Show what comes after a deed: the next message, this one, or the list."""
    word = outcome.get("do", "")
    done = int(outcome.get("count", "0")) > 0
    here = Here(place.number, visit.origin)
    after = None
    if done and word in DEEDS and DEEDS[word].away:
        if "next" in outcome:
            visit.origin = outcome.get("origin", visit.origin)
            after = if_there(Place(int(outcome.get("box", place.number)), int(outcome["next"])), sentence)
    elif done and word != UNREAD:
        after = if_there(place, Said(sentence))  # what is said of this message is turned by the same keys
    return after or show_list(visit, here, sentence)


def _question(visit: Visit, place: Place) -> Screen:
    _ = visit.language.gettext
    values = {
        "sentence": _("Delete this message for good?"),
        "lines": (),
        "answer": _("Delete"),
        "short": _("Yes"),
        "target": link("act.do", **place.values(), letter=LETTER[ERASE]),
        "ticket": visit.signed_in.ticket(),
    }
    return Screen(
        "ask",
        _("Delete"),
        values,
        (back(visit, place),),
        life=Life.NEVER,
        words=_,
        language=visit.language.tag,
    )
