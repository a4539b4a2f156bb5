"""Writing a mail that is no answer: begun by a mail address in a message.

Nothing here may send what the person has not seen, or lose what they typed: what a link suggests (RFC 6068) stands
in the fields, and what does not fit is said to be left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, Response

from gateway import markup
from gateway.errors import BadRequest
from gateway.markup.screen import Action, Life, Screen, Verbatim
from gateway.message import mailto
from gateway.message import reply as replies
from gateway.message.headers import clean
from gateway.web import forms, sending
from gateway.web.compose import NOT_SENT, room, told
from gateway.web.respond import respond
from gateway.web.visit import Visit, current, link, list_link

write = Blueprint("write", __name__)

#: How much of a suggestion is taken, tried from the first on: recipients, characters of subject and text.
_SHARES: Final = (
    (mailto.RECIPIENTS, mailto.SUBJECT, mailto.TEXT),
    (10, 100, 1000),
    (5, 60, 400),
    (2, 60, 200),
    (1, 40, 0),
)


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the fields."""

    to: str = ""
    subject: str = ""
    text: str = ""


@write.get("/c<key:key>")
def suggested(key: str) -> Response:
    """Show the writing page with what a mailto: link suggests."""
    visit = current()
    found = visit.sessions.link(key)
    suggestion = mailto.parse(found.url) if found is not None else mailto.Mailto()
    for typed, sentence in _shortened(visit, suggestion):
        screen = _screen(visit, key, typed, sentence)
        if markup.size(screen, visit.device) <= visit.device.deck_limit:
            break
    return respond(screen)


@write.post("/c<key:key>")
def send(key: str) -> Response:
    """Send the mail, once."""
    visit = current()
    session = visit.signed_in
    _ = visit.language.gettext
    form = visit.form()
    typed = Typed(*(form.get(name, "") for name in ("to", "subject", "text")))
    ticket = form.get("ticket", "")
    if session.check_ticket(ticket) is None:
        return respond(_screen(visit, key, typed, _(BadRequest.sentence)))
    to, wrong = replies.parse_addresses(typed.to)
    if wrong:
        return respond(
            _screen(visit, key, typed, _("This is no mail address: %(what)s") % {"what": clean(wrong[0])})
        )
    if not to:
        return respond(_screen(visit, key, typed, _("To whom?")))
    if not typed.text.strip() and not typed.subject.strip():
        return respond(_screen(visit, key, typed, _("There is no text yet.")))
    claim = session.claim(ticket)
    if claim.fresh:
        result = sending.mail(visit, to, typed.subject, typed.text)
        session.settle(ticket, result)
    else:
        result = sending.first_outcome(session, ticket, claim)
    if result["outcome"] == NOT_SENT:
        return respond(_screen(visit, key, typed, _("Not sent.") + " " + _(result["sentence"])))
    return told(visit, typed.text, result)


def _shortened(visit: Visit, suggestion: mailto.Mailto) -> Iterator[tuple[Typed, str]]:
    """Yield as much as possible of a suggestion, then less and less, with a sentence about what is left out."""
    _ = visit.language.gettext
    for recipients, subject, text in _SHARES:
        cut = mailto.Mailto(suggestion.to[:recipients], suggestion.subject[:subject], suggestion.text[:text])
        typed = Typed(", ".join(address.spec for address in cut.to), cut.subject, cut.text)
        yield typed, "" if cut == suggestion else _("Not all that the link suggests has room here.")


def _screen(visit: Visit, key: str, typed: Typed, sentence: str) -> Screen:
    _ = visit.language.gettext
    values = {
        "sentence": sentence,
        "to": Verbatim(typed.to),
        "subject": Verbatim(typed.subject),
        "text": Verbatim(typed.text),
        "target": link("write.suggested", key=key),
        "ticket": visit.signed_in.ticket(),
        "fresh": visit.fresh(),
        "probe": forms.PROBE,
        "room": max(room(visit), len(typed.text)),
    }
    actions = (Action(_("Inbox"), list_link("mailbox.inbox"), "0"),)
    return Screen(
        "write", _("Write"), values, actions, life=Life.PRIVATE, words=_, language=visit.language.tag
    )
