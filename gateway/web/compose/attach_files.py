"""The files attached to a draft: list, remove, and upload from the handheld.

Nothing here may attach a file twice because a request was repeated, or lose the mail because a file is too large.
`attach_mail` attaches what is already in the mailbox.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from flask import Response

from gateway.composing import assembly
from gateway.composing.mailbox_parts import Enclosure
from gateway.device import WML
from gateway.errors import GatewayError
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen, StatusMessage, shorten
from gateway.message.headers.header_fields import clean
from gateway.message.outgoing import builder
from gateway.web.compose import draft, send_screens
from gateway.web.compose.compose_form import ATTACH, BUTTONS, LEAVE, TEXT, Button
from gateway.web.compose.draft import ComposePage, Composition
from gateway.web.request.fitted_list import fitted_list, row_within
from gateway.web.request.form_bodies import KEEP, Fields
from gateway.web.request.mail_author import author
from gateway.web.request.respond import respond
from gateway.web.request.screens import make_screen, paging_actions
from gateway.web.request.visit import Visit, link, list_link

#: Prefix of the name of a button that removes a file; the part's section and size follow.
REMOVE: Final = "remove."
#: File inputs per form; one upload already takes a handheld long enough.
INPUTS: Final = 2
#: Rows per page.
ROWS: Final = 9
#: Maximum characters of a name in a row; the first that fits is used.
_WIDTHS: Final = (60, 40, 25, 14)
#: Maximum characters of a name in a sentence.
_NAMED: Final = 30


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """One attached file; `mark` identifies it in the form."""

    name: str
    size: str
    mark: str


def page(visit: Visit, mail: Composition, sentence: str = "", first: int = 0) -> Response:
    """Show the attachments from a row on, with the longest names and the most rows that fit."""
    _ = visit.language.gettext
    going = mail.basis.enclosures
    first = row_within(first, len(going))
    rows = [
        AttachedFile(
            fit(clean(one.name) or _("File"), visit.device), visit.language.size(one.octets), _mark(one)
        )
        for one in going[first : first + ROWS]
    ]
    room = visit.language.size(_room(visit))

    def screen(width: int, count: int) -> Screen:
        narrow = [replace(row, name=shorten(row.name, width)) for row in rows[:count]]
        return _screen(visit, mail, sentence, narrow, first, room)

    return respond(fitted_list(screen, visit.fits, _WIDTHS, len(rows)))


def _screen(
    visit: Visit, mail: Composition, sentence: str, rows: Sequence[AttachedFile], first: int, room: str
) -> Screen:
    _ = visit.language.gettext
    small = visit.device.markup == WML
    where = mail.target.values
    target, ticket = link("drafts.files", **where), visit.signed_in.ticket()
    uploads = not small and visit.config.upload_limit
    buttons = [
        Button(name, _(BUTTONS[name][0]), BUTTONS[name][1])
        for name in (*((ATTACH,) if uploads else ()), TEXT, LEAVE)
    ]
    actions = [
        Action(_("From my mail"), list_link("attach_mail.messages", **where), "6", "accept", short=_("Find"))
    ]
    after, next_page, before = first + len(rows), "", ""
    if after < len(mail.basis.enclosures):
        next_page = link("drafts.files", **where, i=after)
    if first:
        before = link("drafts.files", **where, i=max(0, first - ROWS))
    actions += paging_actions(visit, next_page, before, soft="")
    if small:
        for one in buttons:
            actions.append(Action(one.label, target, one.key, fields=(("do", one.action), ("keep", ticket))))
    values = {
        "sentence": sentence,
        "rows": rows,
        "remove": REMOVE,
        "inputs": range(1, INPUTS + 1) if visit.config.upload_limit else (),
        "limit": room,
        "buttons": buttons,
        "target": target,
        "keep": ticket,
    }
    return make_screen(visit, "attach", _("Attach"), values, actions, life=Life.NEVER)


def _mark(one: Enclosure) -> str:
    """Identify a file of a draft so that an outdated page cannot refer to another one."""
    return f"{one.part.section}-{one.octets}" if one.part is not None else ""


def _room(visit: Visit) -> int:
    """Return how many octets of files fit into a mail when they are uploaded from this device."""
    room = assembly.decoded_size(assembly.available_octets(author(visit)))
    if visit.device.markup == WML or not visit.config.upload_limit:
        return room
    return min(room, visit.config.upload_limit)


def show_page(visit: Visit, target: ComposePage, first: int = 0) -> Response:
    """Show the attachments of a draft."""
    return page(visit, load_draft(visit, target), first=first)


def load_draft(visit: Visit, target: ComposePage) -> Composition:
    """Load a draft in its current state. Raise MessageGone."""
    with visit.signed_in.store() as store:
        return Composition(target, target.load(visit, store)).initial()


def submit(visit: Visit, target: ComposePage) -> Response:
    """Attach uploaded files, remove a file, or continue."""
    form = visit.form()
    mail = replace(load_draft(visit, target), page=form.get(KEEP, ""))
    pressed = form.pressed_button()
    if pressed == TEXT:
        return draft.page(visit, mail)
    if pressed == LEAVE:
        return send_screens.page_after(visit, mail, StatusMessage(visit.language.gettext("Saved in Drafts.")))
    try:
        if pressed.startswith(REMOVE):
            return page(visit, _remove(visit, mail, form, pressed.removeprefix(REMOVE)))
        return _attach(visit, mail, form)
    except GatewayError as error:
        return page(visit, mail, draft.not_saved_sentence(visit, error))


def _remove(visit: Visit, mail: Composition, form: Fields, mark: str) -> Composition:
    """Remove one file."""

    def change() -> Composition:
        sections = frozenset(
            one.part.section for one in mail.basis.enclosures if one.part is not None and _mark(one) == mark
        )
        return draft.save(visit, mail, without=sections) if sections else mail

    return draft.save_once(visit, mail, form, change)


def _attach(visit: Visit, mail: Composition, form: Fields) -> Response:
    _ = visit.language.gettext
    added = [builder.Attached(one.filename, one.media_type, one.octets) for one in form.files]
    too_large = list(form.too_large)
    if added and assembly.encoded_size(mail.basis.enclosures, added) > assembly.available_octets(
        author(visit)
    ):
        too_large += [one.filename for one in added]
        added = []
    if added:
        mail = draft.save_once(visit, mail, form, lambda: draft.save(visit, mail, added))
    if too_large:
        return page(visit, mail, too_large_sentence(visit, too_large))
    return page(visit, mail, "" if added else _("No file was chosen."))


def too_large_sentence(visit: Visit, names: Iterable[str]) -> str:
    """Return a sentence that names files that were too large, with the limit and whose it is."""
    _ = visit.language.gettext
    values = {
        "files": ", ".join(shorten(fit(clean(name), visit.device), _NAMED) for name in names),
        "size": visit.language.size(_room(visit)),
    }
    whose = (
        _("This gateway sets that limit.")
        if assembly.is_gateway_limit(author(visit))
        or _room(visit) < assembly.decoded_size(assembly.available_octets(author(visit)))
        else _("Your mail server sets that limit.")
    )
    return _("Too large, so not attached: %(files)s. There is room for %(size)s.") % values + " " + whose
