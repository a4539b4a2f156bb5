"""Answering an invitation: the page first shows who will be told, and one key sends the answer, once.

Nothing here may record an answer that was not sent. RFC 5546 §3.2.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from flask import Blueprint, Response

from gateway.account import invitations_seen
from gateway.composing import invitation_reply
from gateway.composing.author import Author
from gateway.errors import BadRequest, NotFound
from gateway.markup.keys import KEYS
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, StatusMessage, shorten
from gateway.message.headers.header_fields import clean, safe_spec
from gateway.sending import outbox
from gateway.store.base import MailStore
from gateway.web.entry import mail_outcomes, own_copies
from gateway.web.mailbox.ways_back import ways_back
from gateway.web.message import invitation_state
from gateway.web.message.invitation_state import InvitationState
from gateway.web.message.message_screen import MessageAddress, reference, show
from gateway.web.request.form_bodies import TICKET, Fields
from gateway.web.request.mail_author import author
from gateway.web.request.respond import respond
from gateway.web.request.screens import notice_screen
from gateway.web.request.visit import Visit, current, link

invitation = Blueprint("invitation", __name__)

ANSWER: Final = "answer"
#: Characters of the event's name, and of the organizer's.
_NAME: Final = 60


def _(msgid: str) -> str:
    return msgid


#: PARTSTAT -> label; the key is its place in this table.
_LABELS: Final = {"ACCEPTED": _("Accept"), "TENTATIVE": _("Maybe"), "DECLINED": _("Decline")}


@invitation.get("/v<int:number>.<int:uid>")
def ask(number: int, uid: int) -> Response:
    """Show the possible answers, and who gets the answer."""
    visit = current()
    address = MessageAddress(number, uid)
    return _question(visit, address, _state(visit, address))


@invitation.post("/v<int:number>.<int:uid>")
def submit(number: int, uid: int) -> Response:
    """Send an answer, once, and show the invitation again."""
    visit = current()
    address, form = MessageAddress(number, uid), visit.form()
    answer, post = form.get(ANSWER, ""), visit.ticketed_post(form)
    state = _state(visit, address)
    if own_copies.is_wanted(form):
        return _copy(visit, address, state, form)
    if answer not in _LABELS:
        raise BadRequest("no such answer")
    if state is None or not state.open:
        return _question(visit, address, state)
    outcome, first = invitation_reply.send(author(visit), post, number, uid, state.invitation, answer)
    said = mail_outcomes.outcome_sentences(visit, outcome, (state.invitation.organizer,))
    if outcome.kind == outbox.SENT:
        event, sequence = state.invitation.event, state.invitation.sequence
        if first:  # a repeat may come after another answer
            invitations_seen.record_answer(visit.signed_in, event, sequence, answer)
    target = link("invitation.submit", **address.values())
    if copying := own_copies.offer(visit, outcome, target, {ANSWER: answer}, post.ticket):
        return _notice(visit, address, said, copying)
    if outcome.kind == outbox.SENT:
        return show(address, StatusMessage(" ".join(said)))
    if outcome.kind == outbox.SENDING:
        return _notice(visit, address, said)
    return _question(visit, address, state, said)


def _copy(visit: Visit, address: MessageAddress, state: InvitationState | None, form: Fields) -> Response:
    """Send oneself a copy of an answer."""

    def make(author: Author, store: MailStore, fields: Mapping[str, str], page: str) -> outbox.Mail:
        if state is None:
            raise NotFound("the invitation")
        return invitation_reply.make(
            author, store, address.number, address.uid, state.invitation, fields[ANSWER], page
        )

    outcome = own_copies.send(visit, form, make)
    return _notice(visit, address, mail_outcomes.outcome_sentences(visit, outcome))


def _state(visit: Visit, address: MessageAddress) -> InvitationState | None:
    ref = reference(visit, address)
    with visit.signed_in.store() as store:
        return invitation_state.read(visit, store, ref, store.structure(ref))


def _question(
    visit: Visit, address: MessageAddress, state: InvitationState | None, said: Sequence[str] = ()
) -> Response:
    """Ask for an answer, below the outcome of an earlier one; say why if nothing can be answered."""
    _ = visit.language.gettext
    if state is None or not state.open:
        why = state.sentence(visit) if state is not None else ""
        return _notice(visit, address, [why or _("This message contains no invitation to answer.")])
    name = shorten(fit(state.invitation.name or _("(no subject)"), visit.device), _NAME)
    organizer = state.invitation.organizer
    who = (
        f"{clean(organizer.name)} <{safe_spec(organizer.spec)}>"
        if organizer.name
        else safe_spec(organizer.spec)
    )
    lines = [name, state.sentence(visit), _("Your answer goes to %(who)s.") % {"who": fit(who, visit.device)}]
    return _notice(visit, address, [*said, *filter(None, lines)], open_=True)


def _notice(
    visit: Visit,
    address: MessageAddress,
    lines: Sequence[str],
    more: Sequence[Action] = (),
    open_: bool = False,
) -> Response:
    _ = visit.language.gettext
    where = address.values()
    actions = list(more)
    if open_:
        ticket = visit.signed_in.ticket()
        for answer, label in _LABELS.items():
            fields = ((ANSWER, answer), (TICKET, ticket))
            actions.append(Action(_(label), link("invitation.submit", **where), KEYS[label], fields=fields))
        actions.append(Action(_("Quick reply"), link("quick.listing", **where), KEYS["Quick reply"]))
    actions += ways_back(visit, address.number, address.uid)
    return respond(notice_screen(visit, _("Invitation"), lines[0], actions, lines[1:], life=Life.NEVER))
