"""Quick replies: the person's own sentences, most used first; one key sends the chosen one.

Nothing here may send before the whole sentence and its recipient have been shown: the recipient is above the sentences,
and a sentence that does not fit its row is shown on a page of its own first. All rows of a page share a ticket, so
whoever presses two of them is asked before the second is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from flask import Blueprint, Response, request

from gateway.account import people
from gateway.account.profile import QuickReply, count_quick_reply
from gateway.composing import assembly, basis, typed_mail
from gateway.composing.basis import Basis
from gateway.composing.typed_mail import TypedMail
from gateway.errors import GatewayError, NobodyToSendTo, NotFound
from gateway.markup.keys import BACK_KEY
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen, shorten
from gateway.message.headers.header_fields import clean
from gateway.sending import outbox
from gateway.store.base import MailStore
from gateway.web.compose import compose_form, draft, send_screens, unsent_texts
from gateway.web.compose.draft import Composition
from gateway.web.compose.reply_and_forward import reply_page
from gateway.web.entry import mail_outcomes
from gateway.web.message.message_screen import MessageAddress
from gateway.web.request.fitted_list import fitted_rows, row_within
from gateway.web.request.form_bodies import TICKET
from gateway.web.request.mail_author import author
from gateway.web.request.respond import respond
from gateway.web.request.screens import notice_screen, paging_actions
from gateway.web.request.visit import Visit, current, link

quick = Blueprint("quick", __name__)

#: Sentences per page (one per number key), and maximum characters of each.
ROWS: Final = 9
_WIDTH: Final = 40
#: Maximum characters of the recipient, and of the subject.
_WHO: Final = 60


@quick.get("/y<int:number>.<int:uid>")
def listing(number: int, uid: int) -> Response:
    """List the sentences, most used first: each sends itself."""
    return _listed(current(), number, uid, edited=False)


@quick.get("/y<int:number>.<int:uid>.e")
def to_edit(number: int, uid: int) -> Response:
    """List the sentences for one to be edited before it is sent."""
    return _listed(current(), number, uid, edited=True)


def _listed(visit: Visit, number: int, uid: int, *, edited: bool) -> Response:
    address = MessageAddress(number, uid)
    with visit.signed_in.store() as store:
        reply = basis.reply(author(visit), store, number, uid)
    sentences = visit.quick
    first = row_within(request.args.get("i", 0, type=int), len(sentences))
    shown = sentences[first : first + ROWS] if _reaches_somebody(reply) else ()
    ticket = visit.ticket_field()

    def screen(count: int) -> Screen:
        rows = [
            _row(visit, address, one, str(key), () if edited else (ticket,))
            for key, one in enumerate(shown[:count], 1)
        ]
        more = first + count if shown and first + count < len(sentences) else 0
        return _listing(visit, address, reply, rows, (first, more, edited))

    return respond(fitted_rows(screen, visit.fits, len(shown)))


def _row(
    visit: Visit, address: MessageAddress, one: QuickReply, key: str, posted: tuple[tuple[str, str], ...]
) -> Action:
    """Return the row of a sentence, which sends it if `posted` has a ticket and all of it is shown."""
    whole = fit(clean(one.text), visit.device)
    fields = posted if len(whole) <= _WIDTH else ()
    return Action(
        shorten(whole, _WIDTH), link("quick.one", **address.values(), quick=one.id), key, fields=fields
    )


def _listing(
    visit: Visit, address: MessageAddress, reply: Basis, rows: Sequence[Action], place: tuple[int, int, bool]
) -> Screen:
    """Make the list; `place`: its first row, that of the next page if there is one, and whether it is for editing."""
    _ = visit.language.gettext
    first, more, edited = place

    def at(row: int, e: bool = edited) -> str:
        endpoint = "quick.to_edit" if e else "quick.listing"
        return link(endpoint, **address.values(), **({"i": row} if row else {}))

    actions = [
        *rows,
        *paging_actions(visit, at(more) if more else "", at(max(0, first - ROWS)) if first else "", ""),
    ]
    if rows and not edited:
        actions.append(Action(_("Edit first"), at(first, True)))
    actions.append(Action(_("Back"), link("message.first", **address.values()), BACK_KEY))
    if not visit.quick:
        return notice_screen(
            visit,
            _("Quick reply"),
            _("No quick replies yet. Add some under Settings."),
            actions,
        )
    if not rows:
        return notice_screen(visit, _("Quick reply"), _(NobodyToSendTo.sentence), actions)
    who = visit.language.before(_("To"), compose_form.people_line(visit, reply.to, _WHO))
    said = _("Choose one to edit:") if edited else _("One press sends it:")
    return notice_screen(visit, _("Quick reply"), who, actions, (said,), life=Life.PRIVATE)


def _reaches_somebody(reply: Basis) -> bool:
    return bool(typed_mail.mail_content(TypedMail(), reply, ()).recipients)


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
    session, target = visit.signed_in, reply_page(number, uid)
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
        return _not_sent(visit, MessageAddress(number, uid), outcome, made)
    if outcome.kind == outbox.SENT and made:  # a repeated request is not another use
        count_quick_reply(session, chosen.id)
        people.record_people(session, made[0].content(visit).recipients, wrote=True)
    if not made and outcome.kind == outbox.SENT:  # a repeated request
        with suppress(GatewayError), session.store() as store:
            compose(store)
    copying = unsent_texts.offer_copy(visit, made[0], outcome) if made else ()
    return send_screens.outcome_response(visit, outcome, chosen.text, made[0] if made else None, copying)


def _not_sent(
    visit: Visit, address: MessageAddress, outcome: outbox.Outcome, made: list[Composition]
) -> Response:
    """Show the reply again, from Drafts if it was saved there, or else only the outcome."""
    sentence = mail_outcomes.outcome_text(visit, outcome)
    if not made:
        return send_screens.notice(visit, sentence, (), *send_screens.navigation(visit, address))
    mail = unsent_texts.continued(made[0], outcome) if outcome.kind == outbox.NOT_SENT else made[0]
    if outcome.draft is not None:
        mail = draft.based_on_draft(visit, mail, outcome.draft)
    elif outcome.kind == outbox.NOT_SENT:
        mail = unsent_texts.keep_unsent(visit, mail, outcome)
    return draft.page(visit, mail, sentence)


def _chosen(visit: Visit, quick: int) -> QuickReply:
    found = next((one for one in visit.quick if one.id == quick), None)
    if found is None:
        raise NotFound("quick reply")
    return found


def _screen(visit: Visit, address: MessageAddress, chosen: QuickReply, reply: Basis) -> Screen:
    _ = visit.language.gettext
    target = link("quick.one", **address.values(), quick=chosen.id)
    ticket = visit.ticket_field()
    lines = [
        visit.language.before(_("To"), compose_form.people_line(visit, reply.to, _WHO)),
        shorten(fit(clean(reply.subject), visit.device), _WHO),
    ]
    actions = [
        Action(_("Send"), target, "1", "accept", fields=(ticket,)),
        Action(_("Edit"), target, "5", fields=(ticket, ("do", "edit"))),
        Action(_("Back"), link("quick.listing", **address.values()), BACK_KEY),
    ]
    if not _reaches_somebody(reply):
        actions, lines = actions[1:], [_(NobodyToSendTo.sentence)]
    sentence = clean(chosen.text)
    return notice_screen(visit, _("Quick reply"), sentence, actions, lines, life=Life.PRIVATE)
