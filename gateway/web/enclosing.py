"""Files that go along with a draft: what there is, taken out again, and sent up from the handheld's own storage.

Nothing here may attach the same file twice because a request came twice, or lose the mail because a file is too large.
What comes out of the mailbox instead is chosen elsewhere (`picking`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from flask import Response

from gateway import markup
from gateway.device import WML
from gateway.errors import BadRequest, GatewayError
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen, shorten
from gateway.message import outgoing
from gateway.message.headers import clean
from gateway.web import assembly, desk
from gateway.web.compose_page import LEAVE, TEXT
from gateway.web.desk import Desk, Target
from gateway.web.files import size_words
from gateway.web.forms import Fields
from gateway.web.mailbox import INBOX, show
from gateway.web.origin import Enclosure
from gateway.web.respond import respond
from gateway.web.signin import sentence_of
from gateway.web.visit import Visit, link, list_link

#: What a button's name begins with that takes a file out: the part's section and size follow.
REMOVE: Final = "remove."
#: Files of one form; one upload of a handheld takes long enough.
INPUTS: Final = 2
#: Rows of a page.
ROWS: Final = 9
#: Characters of a name: the first of them with which the page fits.
_WIDTHS: Final = (60, 40, 25, 14)
#: Characters of a name in a sentence.
_NAMED: Final = 30


@dataclass(frozen=True, slots=True)
class Row:
    """One file that goes along; `mark` names it in the form."""

    name: str
    size: str
    mark: str


def page(visit: Visit, mail: Desk, sentence: str = "", first: int = 0) -> Response:
    """Show what goes along, from a row on, and the ways to more; with as long names and as many rows as fit."""
    _ = visit.language.gettext
    going = mail.origin.enclosures
    first = first if 0 <= first < len(going) else 0
    rows = [
        Row(fit(clean(one.name) or _("File"), visit.device), size_words(visit, one.octets), _mark(one))
        for one in going[first : first + ROWS]
    ]
    room = size_words(visit, _room(visit))
    counts = [(width, len(rows)) for width in _WIDTHS]
    counts += [(_WIDTHS[-1], count) for count in range(len(rows) - 1, 0, -1)]
    for width, count in counts:
        narrow = [replace(row, name=shorten(row.name, width)) for row in rows[:count]]
        screen = _screen(visit, mail, sentence, narrow, first, room)
        if markup.size(screen, visit.device) <= visit.device.deck_limit:
            break
    return respond(screen)


def _screen(visit: Visit, mail: Desk, sentence: str, rows: Sequence[Row], first: int, room: str) -> Screen:
    _ = visit.language.gettext
    small = visit.device.markup == WML
    where = mail.target.values
    here, ticket = link("drafts.attach", **where), visit.signed_in.ticket()
    ways = [
        Action(
            _("From my mail"),
            list_link("picking.messages", **where),
            "1" if small else "5",
            "accept",
            short=_("Find"),
        )
    ]
    if first + len(rows) < len(mail.origin.enclosures):
        ways.append(Action(_("Next"), link("drafts.attach", **where, i=first + len(rows)), "#"))
    if first:
        ways.append(Action(_("Prev"), link("drafts.attach", **where, i=max(0, first - ROWS)), "*"))
    if small:
        for word, label, key in ((TEXT, _("Text"), "4"), (LEAVE, _("Inbox"), "0")):
            ways.append(Action(label, here, key, fields=(("do", word), ("keep", ticket))))
    values = {
        "sentence": sentence,
        "rows": rows,
        "remove": REMOVE,
        "inputs": range(1, INPUTS + 1) if visit.config.upload_limit else (),
        "limit": room,
        "target": here,
        "keep": ticket,
    }
    return Screen(
        "attach", _("Attach"), values, tuple(ways), life=Life.NEVER, words=_, language=visit.language.tag
    )


def _mark(one: Enclosure) -> str:
    """Name a file of a draft so that, in a page that is out of date, it is not taken for another one."""
    return f"{one.part.section}-{one.octets}" if one.part is not None else ""


def _room(visit: Visit) -> int:
    """Say how many octets of files fit into a mail, as this device sends them."""
    room = assembly.plain(assembly.room(visit))
    if visit.device.markup == WML or not visit.config.upload_limit:
        return room
    return min(room, visit.config.upload_limit)


def opened(visit: Visit, target: Target, first: int = 0) -> Response:
    """Show what goes along with a draft."""
    return page(visit, loaded(visit, target), first=first)


def loaded(visit: Visit, target: Target) -> Desk:
    """Find a draft as it is now. Raise MessageGone."""
    with visit.signed_in.store() as store:
        return Desk(target, target.load(visit, store)).begun()


def posted(visit: Visit, target: Target) -> Response:
    """Attach what is sent up, take out what is not wanted, or go on."""
    form = visit.form()
    mail = loaded(visit, target)
    pressed = next((name[3:] for name in form if name.startswith("do.")), form.get("do", ""))
    if pressed == TEXT:
        return desk.page(visit, mail)
    if pressed == LEAVE:
        return show(INBOX, None, visit.language.gettext("Saved in Drafts."))
    if visit.signed_in.check_ticket(form.get("keep", "")) is None:
        return page(visit, mail, visit.language.gettext(BadRequest.sentence))
    try:
        if pressed.startswith(REMOVE):
            return page(visit, _without(visit, mail, form, pressed.removeprefix(REMOVE)))
        return _attached(visit, mail, form)
    except GatewayError as error:
        return page(visit, mail, visit.language.gettext("Not saved.") + " " + sentence_of(error, visit))


def _without(visit: Visit, mail: Desk, form: Fields, mark: str) -> Desk:
    """Take one file out."""

    def change() -> Desk:
        sections = frozenset(
            one.part.section for one in mail.origin.enclosures if one.part is not None and _mark(one) == mark
        )
        return desk.save(visit, mail, without=sections) if sections else mail

    return desk.once(visit, mail, form, change)


def _attached(visit: Visit, mail: Desk, form: Fields) -> Response:
    _ = visit.language.gettext
    added = [outgoing.Attached(one.filename, one.media_type, one.octets) for one in form.files]
    too_large = list(form.too_large)
    if added and assembly.octets_of(mail.origin.enclosures, added) > assembly.room(visit):
        too_large += [one.filename for one in added]
        added = []
    if added:
        mail = desk.once(visit, mail, form, lambda: desk.save(visit, mail, added))
    if too_large:
        return page(visit, mail, refused(visit, too_large))
    return page(visit, mail, "" if added else _("No file was chosen."))


def refused(visit: Visit, names: Iterable[str]) -> str:
    """Say that files were too large, and how much there is room for."""
    said = {
        "files": ", ".join(shorten(fit(clean(name), visit.device), _NAMED) for name in names),
        "size": size_words(visit, _room(visit)),
    }
    return visit.language.gettext("Too large, so not attached: %(files)s. There is room for %(size)s.") % said
