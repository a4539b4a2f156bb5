"""vCards in and out of the address book: pasted or uploaded, and to be saved.

Nothing here may take a file of strangers' making for more than what `message.vcard` reads in it, or add anybody twice.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response

from gateway import contacts as books
from gateway.device import WML
from gateway.errors import BadRequest
from gateway.markup.screen import Action, Life, Screen, Verbatim
from gateway.message import filenames, vcard
from gateway.message.headers import clean
from gateway.web import forms
from gateway.web.contacts import show
from gateway.web.forms import Fields
from gateway.web.respond import dress, respond
from gateway.web.visit import Visit, current, link, list_link

cards = Blueprint("cards", __name__)

#: Characters of the text on a WML phone: in any letters they come back in one deck.
_ROOM: Final = 200


@cards.get("/ti")
def bring() -> Response:
    """Ask for vCards."""
    return respond(_screen(current(), "", ""), Life.PRIVATE)


@cards.post("/ti")
def read() -> Response:
    """Add those of whom there are vCards, once."""
    visit = current()
    _ = visit.language.gettext
    form = visit.form()
    text, session = form.get("text", ""), visit.signed_in
    ticket = form.get("ticket", "")
    if session.check_ticket(ticket) is None:
        return respond(_screen(visit, text, _(BadRequest.sentence)), Life.NEVER)
    large = [*form.too_large, *(file.filename for file in form.files if len(file.octets) > vcard.FILE_LIMIT)]
    if large:
        sentence = _("This file is too large: %(name)s") % {"name": clean(large[0])}
        return respond(_screen(visit, text, sentence), Life.NEVER)
    found, others, beyond = _found(form)
    if not found and not others:
        return respond(_screen(visit, text, _("There are no contacts in this.")), Life.NEVER)
    claim = session.claim(ticket)
    outcome = claim.outcome or {}
    if claim.fresh:
        new, left = books.add(session, found)
        outcome = {
            "new": str(new),
            "left": str(left + beyond),
            "rest": str(len(found) - new - left),
            "others": str(others),
        }
        session.settle(ticket, outcome)
    return show(visit, sentence=_said(visit, outcome))


def _found(form: Fields) -> tuple[list[vcard.Card], int, int]:
    """Read all that was brought; what was pasted is UTF-8 by now."""
    found: list[vcard.Card] = []
    others = beyond = 0
    for octets in (form.get("text", "").encode("utf-8", "replace"), *(file.octets for file in form.files)):
        some, rest, more = vcard.parse(octets)
        found += some
        others += rest
        beyond += more
    return found, others, beyond


def _said(visit: Visit, outcome: dict[str, str]) -> str:
    """Say how many were added, and what became of the others."""
    _, number, ngettext = visit.language.gettext, visit.language.number, visit.language.ngettext
    new, left, rest, others = (int(outcome.get(name, 0)) for name in ("new", "left", "rest", "others"))
    said = [ngettext("%(count)s contact added.", "%(count)s contacts added.", new) % {"count": number(new)}]
    if rest:
        said.append(_("Known before: %(count)s.") % {"count": number(rest)})
    if others:
        said.append(_("Without address and number: %(count)s.") % {"count": number(others)})
    if left:
        said.append(_("No room for: %(count)s.") % {"count": number(left)})
    return " ".join(said)


def _screen(visit: Visit, text: str, sentence: str) -> Screen:
    _ = visit.language.gettext
    values = {
        "sentence": sentence,
        "text": Verbatim(text),
        "target": link("cards.read"),
        "ticket": visit.signed_in.ticket(),
        "fresh": visit.fresh(),
        "probe": forms.PROBE,
        "room": _ROOM,
        "upload": visit.device.markup != WML and visit.config.upload_limit > 0,
    }
    actions = (
        Action(_("Contacts"), list_link("contacts.listing"), "9"),
        Action(_("Inbox"), list_link("mailbox.inbox"), "0"),
    )
    return Screen(
        "import", _("Import"), values, actions, life=Life.PRIVATE, words=_, language=visit.language.tag
    )


@cards.get("/t.vcf")
def export() -> Response:
    """Give the address book as a file."""
    visit = current()
    octets = vcard.write(list(books.everybody(visit.signed_in).values()))
    response = dress(Response(octets, content_type="text/vcard; charset=utf-8"))
    name = f"{clean(visit.language.gettext('Contacts'))}.vcf"
    response.headers["Content-Disposition"] = filenames.disposition(name)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = Life.NEVER.value
    return response
