"""Answering a message.

Nothing here may lose typed text: whatever fails, it stands on the next page. What was asked once is done once:
the page's ticket decides, and a repeat is told the first outcome.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from flask import Blueprint, Response

from gateway import markup
from gateway.errors import BadRequest, GatewayError, SubmissionUncertain
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen, Verbatim, shorten
from gateway.message import outgoing
from gateway.message import reply as replies
from gateway.message.headers import clean, safe_label
from gateway.message.model import Address, Message
from gateway.store.base import ANSWERED, MailStore, MessageRef
from gateway.web import forms, sending
from gateway.web.message import Place, reference
from gateway.web.respond import respond
from gateway.web.signin import sentence_of
from gateway.web.visit import Visit, current, link, list_link

compose = Blueprint("compose", __name__)

#: Characters of a subject or an address list on the compose page, tried from the left until the page fits: what
#: was typed and comes back goes before them. With none left, WML also does without the link that its softkey repeats.
_WIDTHS: Final = (60, 40, 25, 12, 0)
#: For decks from so many octets on: characters of a WML input that come back with the rest of the page, if each
#: takes two octets. A phone that sends up 1,400 octets has room for fewer of those anyway.
_INPUTS: Final = ((5000, 1500), (1300, 500), (0, 280))
#: Outcomes as the ticket remembers them.
SENT, NOT_SENT, UNCERTAIN = "sent", "not sent", "uncertain"


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer in the making."""

    to: tuple[Address, ...]
    subject: str
    text: str = ""


@compose.get("/r<int:number>.<int:uid>")
def reply(number: int, uid: int) -> Response:
    """Show the page on which an answer is typed."""
    visit = current()
    place = Place(number, uid)
    with visit.signed_in.store() as store:
        found = store.structure(reference(visit, place))
    return respond(form_screen(visit, place, _draft(visit, found), ""))


@compose.post("/r<int:number>.<int:uid>")
def send(number: int, uid: int) -> Response:
    """Send the answer, once."""
    visit = current()
    place = Place(number, uid)
    form = visit.form()
    text = form.get("text", "")
    session = visit.signed_in
    ticket = form.get("ticket", "")
    if session.check_ticket(ticket) is None:
        return _again(visit, place, text, visit.language.gettext(BadRequest.sentence))
    if not text.strip():
        return _again(visit, place, text, visit.language.gettext("There is no text yet."))
    outcome = session.claim(ticket)
    if outcome.fresh:
        result = _send(visit, place, text)
        session.settle(ticket, result)
    else:
        result = sending.first_outcome(session, ticket, outcome)
    return _told(visit, place, text, result)


def _send(visit: Visit, place: Place, text: str) -> dict[str, str]:
    """Compose, submit and file; return the outcome, which never holds text."""
    session = visit.signed_in
    ref = reference(visit, place)
    try:
        with session.store() as store:
            found = store.structure(ref)
            octets = _compose(visit, store, ref, found, text)
            recipients = [address.spec for address in _draft(visit, found).to]
            receipt = session.submit(recipients, octets)
            filed = sending.file(session, store, octets, visit.now)
            answered = sending.mark(store, ref, ANSWERED)
    except SubmissionUncertain as error:
        return {"outcome": UNCERTAIN, "sentence": error.sentence}
    except GatewayError as error:
        return {"outcome": NOT_SENT, "sentence": sentence_of(error, visit)}
    return {
        "outcome": SENT,
        "refused": ", ".join(receipt.refused),
        "filed": "yes" if filed else "",
        "answered": "yes" if answered else "",
    }


def _draft(visit: Visit, found: Message, text: str = "") -> Draft:
    to, _cc = replies.reply_recipients(found, {visit.signed_in.address.lower()})
    return Draft(tuple(to), replies.reply_subject(found.envelope.subject), text)


def _compose(visit: Visit, store: MailStore, ref: MessageRef, found: Message, text: str) -> bytes:
    draft = _draft(visit, found, text)
    address = visit.signed_in.address
    quoted = sending.quotation(visit, store, ref, found)
    return outgoing.compose(
        sender=Address("", address),
        to=list(draft.to),
        cc=[],
        subject=draft.subject,
        text=f"{text.rstrip()}\n\n{quoted}" if quoted else text,
        in_reply_to=found.envelope.message_id,
        references=replies.references(found),
        date=visit.now.astimezone(visit.language.zone),
        message_id=outgoing.new_message_id(address.rpartition("@")[2], sending.unique()),
    )


def _again(visit: Visit, place: Place, text: str, sentence: str) -> Response:
    """Show the compose page again with the text still in it."""
    try:
        with visit.signed_in.store() as store:
            draft = _draft(visit, store.structure(reference(visit, place)))
    except GatewayError:
        draft = Draft((), "")
    return respond(form_screen(visit, place, draft, sentence, text), Life.PRIVATE)


def _told(visit: Visit, place: Place, text: str, result: dict[str, str]) -> Response:
    """Tell the person the truth about what happened to their answer."""
    _ = visit.language.gettext
    if result["outcome"] == NOT_SENT:
        return _again(visit, place, text, _("Not sent.") + " " + result["sentence"])
    back = Action(_("Back"), link("message.first", number=place.number, uid=place.uid), "1")
    return told(visit, text, result, back)


def told(visit: Visit, text: str, result: dict[str, str], *ways: Action) -> Response:
    """Say what became of a mail that was sent or may have been; its text stays in sight unless it was."""
    _ = visit.language.gettext
    outcome = result["outcome"]
    lines = []
    if outcome == SENT:
        sentence = _("Sent.")
        if result.get("refused"):
            lines.append(_("Refused, so not sent to: %(who)s") % {"who": clean(result["refused"])})
        if not result.get("filed"):
            lines.append(_("No copy could be kept in Sent."))
    elif outcome == UNCERTAIN:
        sentence = _(result["sentence"])
        lines.append(text)
    else:
        sentence = _("Sending. Look again in a moment.")
        lines.append(text)
    actions = (Action(_("Inbox"), list_link("mailbox.inbox"), "0", "accept"), *ways)
    values = {"sentence": sentence, "lines": lines}
    return respond(
        Screen("notice", sentence, values, actions, life=Life.NEVER, words=_, language=visit.language.tag)
    )


def room(visit: Visit) -> int:
    """Return the characters of an input that can come back in a deck."""
    return next(characters for octets, characters in _INPUTS if visit.device.deck_limit >= octets)


def form_screen(visit: Visit, place: Place, draft: Draft, sentence: str, text: str = "") -> Screen:
    """Make the compose page."""
    _ = visit.language.gettext
    to = ", ".join(safe_label(address) for address in draft.to)
    values = {
        "sentence": sentence,
        "text": Verbatim(text),
        "target": link("compose.reply", number=place.number, uid=place.uid),
        "ticket": visit.signed_in.ticket(),
        "fresh": visit.fresh(),
        "probe": forms.PROBE,
        "room": room(visit),
    }
    actions = (
        Action(_("Back"), link("message.first", number=place.number, uid=place.uid), "3"),
        Action(_("Inbox"), list_link("mailbox.inbox"), "0"),
    )
    screen = Screen(
        "compose", _("Reply"), values, actions, life=Life.PRIVATE, words=_, language=visit.language.tag
    )
    to, subject = fit(to, visit.device), fit(clean(draft.subject), visit.device)
    for width in _WIDTHS:
        short = (
            {"to": shorten(to, width), "subject": shorten(subject, width)}
            if width
            else {"to": "", "subject": ""}
        )
        screen = replace(screen, values={**values, **short, "tight": not width})
        if markup.size(screen, visit.device) <= visit.device.deck_limit:
            break
    return screen
