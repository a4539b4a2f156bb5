"""Import and export of vCards: pasted, uploaded, downloaded.

Nothing here may trust a file beyond what `message.vcard` reads in it, or add anyone twice.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response

from gateway.access.idempotency import UNKNOWN, PostOutcome, do_once
from gateway.account import address_book as books
from gateway.device import WML
from gateway.errors import BadRequest
from gateway.markup.keys import BACK_KEY
from gateway.markup.screen import Action, Life, Screen, Verbatim
from gateway.message import vcard
from gateway.message.headers import filenames
from gateway.message.headers.header_fields import clean
from gateway.web.contacts.contact_pages import show
from gateway.web.request import form_bodies
from gateway.web.request.form_bodies import Fields
from gateway.web.request.respond import add_headers, respond
from gateway.web.request.screens import make_screen
from gateway.web.request.visit import Visit, current, link, list_link

vcards = Blueprint("vcards", __name__)

#: Maximum characters of the text on a WML phone: they fit one deck in any script.
_ROOM: Final = 200


@vcards.get("/ti")
def import_form() -> Response:
    """Ask for vCards."""
    return respond(_screen(current(), "", ""), Life.PRIVATE)


@vcards.post("/ti")
def import_vcards() -> Response:
    """Add the contacts of the vCards, once."""
    visit = current()
    _ = visit.language.gettext
    form = visit.form()
    text = form.get("text", "")
    large = [*form.too_large, *(file.filename for file in form.files if len(file.octets) > vcard.FILE_LIMIT)]
    if large:
        sentence = _("This file is too large: %(name)s") % {"name": clean(large[0])}
        return respond(_screen(visit, text, sentence), Life.NEVER)
    found, others, beyond = _parse_all(form)
    if not found and not others:
        return respond(_screen(visit, text, _("No contacts found in this.")), Life.NEVER)

    def add() -> PostOutcome:
        new, left = books.add(visit.signed_in, found)
        rest = len(found) - new - left
        return {"new": str(new), "left": str(left + beyond), "rest": str(rest), "others": str(others)}

    try:
        outcome = do_once(visit.signed_in, visit.ticketed_post(form), add)
    except BadRequest as error:
        return respond(_screen(visit, text, _(error.sentence)), Life.NEVER)
    return show(visit, sentence=_outcome_sentence(visit, outcome))


def _parse_all(form: Fields) -> tuple[list[vcard.Card], int, int]:
    """Parse everything that was posted; pasted text has become UTF-8."""
    found: list[vcard.Card] = []
    others = beyond = 0
    for octets in (form.get("text", "").encode("utf-8", "replace"), *(file.octets for file in form.files)):
        some, rest, more = vcard.parse(octets)
        found += some
        others += rest
        beyond += more
    return found, others, beyond


def _outcome_sentence(visit: Visit, outcome: PostOutcome) -> str:
    """Return sentences that say how many were added, and why others were not."""
    if UNKNOWN in outcome:
        return visit.language.gettext(outcome[UNKNOWN])
    _, number, ngettext = visit.language.gettext, visit.language.number, visit.language.ngettext
    new, left, rest, others = (int(outcome.get(name, 0)) for name in ("new", "left", "rest", "others"))
    sentences = [
        ngettext("%(count)s contact added.", "%(count)s contacts added.", new) % {"count": number(new)}
    ]
    if rest:
        sentences.append(_("Already there: %(count)s.") % {"count": number(rest)})
    if others:
        sentences.append(_("Without an address or number: %(count)s.") % {"count": number(others)})
    if left:
        sentences.append(_("No room for: %(count)s.") % {"count": number(left)})
    return " ".join(sentences)


def _screen(visit: Visit, text: str, sentence: str) -> Screen:
    _ = visit.language.gettext
    values = {
        "sentence": sentence,
        "text": Verbatim(text),
        "target": link("vcards.import_vcards"),
        "ticket": visit.signed_in.ticket(),
        "fresh": visit.variable_prefix(),
        "probe": form_bodies.PROBE,
        "room": _ROOM,
        "upload": visit.device.markup != WML and visit.config.upload_limit > 0,
    }
    actions = (Action(_("Contacts"), list_link("contacts.listing"), BACK_KEY),)
    return make_screen(visit, "import", _("Import"), values, actions, life=Life.PRIVATE)


@vcards.get("/t.vcf")
def export() -> Response:
    """Download the address book."""
    visit = current()
    octets = vcard.write(list(books.contacts(visit.signed_in).values()))
    response = add_headers(Response(octets, content_type="text/vcard; charset=utf-8"))
    name = f"{clean(visit.language.gettext('Contacts'))}.vcf"
    response.headers["Content-Disposition"] = filenames.disposition(name)
    response.headers["Cache-Control"] = Life.NEVER.value
    return response
