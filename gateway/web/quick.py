"""Quick replies: a person's own sentences, the most used first; one key chooses, one sends.

Nothing here may send before the whole sentence and its recipient have been seen.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request

from gateway import outbox
from gateway.errors import BadRequest, NobodyToSendTo, NotFound
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen, shorten
from gateway.message.headers import clean, safe_label
from gateway.profile import Quick, used
from gateway.store.base import MailStore
from gateway.web import assembly, desk, letter, origin, sending
from gateway.web.compose import answer
from gateway.web.desk import Desk
from gateway.web.letter import Letter
from gateway.web.message import Place
from gateway.web.origin import Origin
from gateway.web.respond import respond
from gateway.web.visit import Visit, current, link, list_link

quick = Blueprint("quick", __name__)

#: Sentences of one page: as many as there are keys; and characters of one in a list.
ROWS: Final = 9
_WIDTH: Final = 40
#: Characters of who gets it, and of what it answers.
_WHO: Final = 60


@quick.get("/y<int:number>.<int:uid>")
def listing(number: int, uid: int) -> Response:
    """Show the sentences, the most used first."""
    visit = current()
    _ = visit.language.gettext
    place = Place(number, uid)
    sentences = visit.profile.quick
    first = request.args.get("i", 0, type=int)
    first = first if 0 <= first < max(len(sentences), 1) else 0
    actions = [
        Action(
            shorten(fit(clean(one.text), visit.device), _WIDTH),
            link("quick.one", **place.values(), quick=one.id),
            str(key),
        )
        for key, one in enumerate(sentences[first : first + ROWS], 1)
    ]
    if first + ROWS < len(sentences):
        actions.append(Action(_("Next"), link("quick.listing", **place.values(), i=first + ROWS), "#"))
    if first:
        back = {"i": first - ROWS} if first > ROWS else {}
        actions.append(Action(_("Prev"), link("quick.listing", **place.values(), **back), "*"))
    actions.append(Action(_("Back"), link("message.first", **place.values()), "0"))
    sentence = (
        _("Answer with:")
        if sentences
        else _("You have no quick replies. Settings is where they are written.")
    )
    values = {"sentence": sentence, "lines": ()}
    return respond(
        Screen(
            "notice",
            _("Quick reply"),
            values,
            tuple(actions),
            life=Life.CHECK,
            words=_,
            language=visit.language.tag,
        )
    )


@quick.get("/y<int:number>.<int:uid>.<int:quick>")
def one(number: int, uid: int, quick: int) -> Response:
    """Show a sentence in full, and who would get it."""
    visit = current()
    place = Place(number, uid)
    chosen = _chosen(visit, quick)
    with visit.signed_in.store() as store:
        begun = origin.reply(visit, store, place)
    return respond(_screen(visit, place, chosen, begun))


@quick.post("/y<int:number>.<int:uid>.<int:quick>")
def send(number: int, uid: int, quick: int) -> Response:
    """Send the sentence, once, or go on writing with it."""
    visit = current()
    form = visit.form()
    chosen = _chosen(visit, quick)
    session = visit.signed_in
    ticket = form.get("ticket", "")
    if session.check_ticket(ticket) is None:
        raise BadRequest("a ticket that is not of this session")
    place = Place(number, uid)
    target = answer(number, uid)
    made: list[Desk] = []

    def begun(store: MailStore) -> Desk:
        mail = Desk(target, target.load(visit, store), Letter(piece=chosen.text))
        made.append(mail)
        return mail

    if "do.edit" in form or form.get("do") == "edit":
        with session.store() as store:
            mail = begun(store)
        return desk.page(visit, mail)
    outcome = outbox.send(
        session,
        ticket,
        lambda store: assembly.finished(visit, store, (mail := begun(store)).origin, mail.content(visit)),
        visit.now,
    )
    if outcome.kind == outbox.NOT_SENT:
        return _not_sent(visit, place, outcome, made)
    if outcome.kind == outbox.SENT and made:  # a repeat of the request is no second use
        used(session, chosen.id)
        sending.met(visit, made[0].content(visit).everybody)
    return sending.told(visit, outcome, chosen.text, place)


def _not_sent(visit: Visit, place: Place, outcome: outbox.Outcome, made: list[Desk]) -> Response:
    """Show the answer as it is in Drafts, or say only what happened."""
    sentence = sending.spoken(visit, outcome)
    if not made:
        return sending.notice(visit, sentence, (), *sending.ways_on(visit, place))
    mail = desk.moved(visit, made[0], outcome.draft) if outcome.draft is not None else made[0]
    return desk.page(visit, mail, sentence)


def _chosen(visit: Visit, quick: int) -> Quick:
    found = next((one for one in visit.profile.quick if one.id == quick), None)
    if found is None:
        raise NotFound("quick reply")
    return found


def _screen(visit: Visit, place: Place, chosen: Quick, begun: Origin) -> Screen:
    _ = visit.language.gettext
    session = visit.signed_in
    target = link("quick.one", **place.values(), quick=chosen.id)
    ticket = ("ticket", session.ticket())
    to = ", ".join(safe_label(one) for one in begun.to)
    lines = [
        f"{_('To')}: {shorten(fit(to, visit.device), _WHO)}",
        shorten(fit(clean(begun.subject), visit.device), _WHO),
    ]
    actions = [
        Action(_("Send"), target, "1", "accept", fields=(ticket,)),
        Action(_("Edit"), target, "2", fields=(ticket, ("do", "edit"))),
        Action(_("Back"), link("quick.listing", **place.values()), "3"),
        Action(_("Inbox"), list_link("mailbox.inbox"), "0"),
    ]
    if not letter.content(Letter(), begun, ()).everybody:
        actions, lines = actions[1:], [_(NobodyToSendTo.sentence)]
    values = {"sentence": clean(chosen.text), "lines": lines}
    return Screen(
        "notice",
        _("Quick reply"),
        values,
        tuple(actions),
        life=Life.PRIVATE,
        words=_,
        language=visit.language.tag,
    )
