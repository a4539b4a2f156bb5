"""Quick replies: the person's own sentences, most used first; one key chooses, one sends.

Nothing here may send before the whole sentence and its recipient have been shown.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from flask import Blueprint, Response, request

from gateway.account import people
from gateway.account.profile import QuickReply, count_quick_reply
from gateway.composing import assembly, basis, typed_mail
from gateway.composing.basis import Basis
from gateway.composing.typed_mail import TypedMail
from gateway.errors import NobodyToSendTo, NotFound
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen, shorten
from gateway.message.headers.header_fields import clean
from gateway.sending import outbox
from gateway.store.base import MailStore
from gateway.web.compose import compose_form, draft, send_screens, unsent_texts
from gateway.web.compose.draft import Composition
from gateway.web.compose.reply_and_forward import reply_page
from gateway.web.entry import mail_outcomes, own_copies
from gateway.web.message.message_screen import MessageAddress
from gateway.web.request.fitted_list import row_within
from gateway.web.request.form_bodies import TICKET
from gateway.web.request.mail_author import author
from gateway.web.request.respond import respond
from gateway.web.request.screens import inbox_action, notice_screen, paging_actions
from gateway.web.request.visit import Visit, current, link

quick = Blueprint("quick", __name__)

#: Sentences per page (one per number key), and maximum characters of each.
ROWS: Final = 9
_WIDTH: Final = 40
#: Maximum characters of the recipient, and of the subject.
_WHO: Final = 60


@quick.get("/y<int:number>.<int:uid>")
def listing(number: int, uid: int) -> Response:
    """List the sentences, most used first."""
    visit = current()
    _ = visit.language.gettext
    address = MessageAddress(number, uid)
    sentences = visit.profile.quick
    first = row_within(request.args.get("i", 0, type=int), len(sentences))
    actions = [
        Action(
            shorten(fit(clean(one.text), visit.device), _WIDTH),
            link("quick.one", **address.values(), quick=one.id),
            str(key),
        )
        for key, one in enumerate(sentences[first : first + ROWS], 1)
    ]

    def at(row: int) -> str:
        return link("quick.listing", **address.values(), **({"i": row} if row else {}))

    next_page = at(first + ROWS) if first + ROWS < len(sentences) else ""
    actions += paging_actions(visit, next_page, at(max(0, first - ROWS)) if first else "", soft="")
    actions.append(Action(_("Back"), link("message.first", **address.values()), "0"))
    sentence = (
        _("Answer with:")
        if sentences
        else _("You have no quick replies. Settings is where they are written.")
    )
    return respond(notice_screen(visit, _("Quick reply"), sentence, actions))


@quick.get("/y<int:number>.<int:uid>.<int:quick>")
def one(number: int, uid: int, quick: int) -> Response:
    """Show a sentence in full, and its recipient."""
    visit = current()
    address = MessageAddress(number, uid)
    chosen = _chosen(visit, quick)
    with visit.signed_in.store() as store:
        reply = basis.reply(author(visit), store, number, uid)
    return respond(_screen(visit, address, chosen, reply))


@quick.post("/y<int:number>.<int:uid>.<int:quick>")
def send(number: int, uid: int, quick: int) -> Response:
    """Send the sentence, once, or edit it on the compose page."""
    visit = current()
    form = visit.form()
    chosen = _chosen(visit, quick)
    session = visit.signed_in
    address = MessageAddress(number, uid)
    target = reply_page(number, uid)
    made: list[Composition] = []

    def compose(store: MailStore) -> Composition:
        mail = Composition(
            target, target.load(visit, store), TypedMail(piece=chosen.text), page=form.get(TICKET, "")
        )
        made.append(mail)
        return mail

    if form.pressed_button() == "edit":
        with session.store() as store:
            mail = compose(store)
        return draft.page(visit, mail)
    outcome = outbox.send(
        session,
        visit.ticketed_post(form),
        lambda store: assembly.for_sending(
            author(visit), store, (mail := compose(store)).basis, mail.content(visit), form.get(TICKET, "")
        ),
        visit.now,
    )
    if outcome.kind == outbox.ASKED:
        with session.store() as store:
            compose(store)
    if outcome.kind in (outbox.NOT_SENT, outbox.ASKED):
        return _not_sent(visit, address, outcome, made)
    if outcome.kind == outbox.SENT and made:  # a repeated request is not another use
        count_quick_reply(session, chosen.id)
        people.record_people(session, made[0].content(visit).recipients, wrote=True)
    if not made and own_copies.is_missing(outcome):  # a repeated request
        with session.store() as store:
            compose(store)
    copying = unsent_texts.offer_copy(visit, made[0], outcome) if made else ()
    return send_screens.outcome_response(visit, outcome, chosen.text, address, copying)


def _not_sent(
    visit: Visit, address: MessageAddress, outcome: outbox.Outcome, made: list[Composition]
) -> Response:
    """Show the reply again, from Drafts if it was saved there, or else only the outcome."""
    sentence = mail_outcomes.outcome_text(visit, outcome)
    if not made:
        return send_screens.notice(visit, sentence, (), *send_screens.navigation(visit, address))
    mail = made[0] if outcome.begun else replace(made[0], ticket=made[0].page)
    if outcome.draft is not None:
        mail = draft.based_on_draft(visit, mail, outcome.draft)
    elif outcome.kind == outbox.NOT_SENT:
        mail = unsent_texts.keep_unsent(visit, mail, outcome)
    return draft.page(visit, mail, sentence)


def _chosen(visit: Visit, quick: int) -> QuickReply:
    found = next((one for one in visit.profile.quick if one.id == quick), None)
    if found is None:
        raise NotFound("quick reply")
    return found


def _screen(visit: Visit, address: MessageAddress, chosen: QuickReply, reply: Basis) -> Screen:
    _ = visit.language.gettext
    target = link("quick.one", **address.values(), quick=chosen.id)
    ticket = visit.ticket_field()
    lines = [
        f"{_('To')}: {compose_form.people_line(visit, reply.to, _WHO)}",
        shorten(fit(clean(reply.subject), visit.device), _WHO),
    ]
    actions = [
        Action(_("Send"), target, "1", "accept", fields=(ticket,)),
        Action(_("Edit"), target, "2", fields=(ticket, ("do", "edit"))),
        Action(_("Back"), link("quick.listing", **address.values()), "3"),
        inbox_action(visit),
    ]
    if not typed_mail.mail_content(TypedMail(), reply, ()).recipients:
        actions, lines = actions[1:], [_(NobodyToSendTo.sentence)]
    sentence = clean(chosen.text)
    return notice_screen(visit, _("Quick reply"), sentence, actions, lines, life=Life.PRIVATE)
