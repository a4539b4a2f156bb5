"""The person's identities: names and addresses, signatures; and quick replies.

Nothing here may change anything by GET, accept an address that the upstream's rule forbids, or lose what was typed if
it has an error. On a WML phone, whose inputs have one line, the lines of a signature are separated by a slash.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from flask import Blueprint, Response

from gateway.account import profile as profiles
from gateway.account.profile import LONGEST_ADDRESS, LONGEST_NAME, LONGEST_QUICK, LONGEST_SIGNATURE, Identity
from gateway.device import WML
from gateway.errors import NotFound, SenderRefused
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen, shorten
from gateway.message.headers import address_lists
from gateway.message.headers.header_fields import clean
from gateway.web.request.field_forms import (
    SAVED,
    SLASH_NOTE,
    FormField,
    apply_once,
    form_screen,
    remove_action,
    remove_once,
    shown_in,
    typed_in,
)
from gateway.web.request.form_bodies import Fields
from gateway.web.request.respond import respond
from gateway.web.request.screens import notice_screen, settings_actions
from gateway.web.request.visit import Visit, current, link

identities_pages = Blueprint("identities", __name__)


def _(msgid: str) -> str:
    return msgid


#: Rows per page, on keys 1 to 8; 9 adds a new one.
ROWS: Final = 8
#: Maximum characters of a row.
WIDTH: Final = 28
#: Maximum characters of an invalid address in an error.
_LONGEST_SHOWN: Final = 30
_FULL: Final = _("The list is full. Remove one first.")
_NO_ADDRESS: Final = _("Not a valid mail address: %(text)s")


# Names and addresses.


@identities_pages.get("/sm")
def identities() -> Response:
    """List the person's identities."""
    return _identities(current(), "")


@identities_pages.route("/sm<int:number>", methods=["GET", "POST"])
def identity(number: int) -> Response:
    """Show and edit one identity; number 0 is a new one."""
    visit = current()
    form = visit.posted()
    held = _identity(visit, number)
    if form is None:
        return respond(_identity_screen(visit, number, held, ""))
    typed = replace(
        held,
        name=clean(form.get("name", ""))[:LONGEST_NAME],
        address=form.get("address", "").strip(),
        reply_to=form.get("reply_to", "").strip(),
    )
    wrong = _problem(visit, typed)
    if wrong:
        return respond(_identity_screen(visit, number, typed, wrong), Life.NEVER)
    return _save_identity(visit, form, number, typed)


@identities_pages.route("/sg<int:number>", methods=["GET", "POST"])
def signature(number: int) -> Response:
    """Show and edit the signature of an identity."""
    visit = current()
    form = visit.posted()
    held = _identity(visit, number)
    if form is not None:
        text = typed_in(visit.device.markup, form.get("signature", ""))
        return _save_identity(visit, form, number, replace(held, signature=text[:LONGEST_SIGNATURE].strip()))
    _ = visit.language.gettext
    shown = shown_in(visit.device.markup, held.signature)
    notes = [_(SLASH_NOTE)] if visit.device.markup == WML else []
    field = FormField("signature", _("Signature"), shown, room=LONGEST_SIGNATURE, lines=True)
    target = link("identities.signature", number=number)
    return respond(form_screen(visit, _("Signature"), target, [field], notes=notes), Life.PRIVATE)


@identities_pages.post("/sm<int:number>.x")
def remove_identity(number: int) -> Response:
    """Delete an identity."""
    visit = current()
    _identity(visit, number)
    sentence = remove_once(visit, lambda: profiles.remove_identity(visit.signed_in, number - 1))
    return _identities(visit, sentence)


def _identity(visit: Visit, number: int) -> Identity:
    """Return the identity with a number. Raise NotFound."""
    if number == 0:
        return Identity(visit.profile.name, visit.signed_in.address)
    held = profiles.all_identities(visit.signed_in)
    if number > len(held):
        raise NotFound(f"identity {number}")
    return held[number - 1]


def _problem(visit: Visit, typed: Identity) -> str:
    """Return what is wrong with an identity, '' for nothing."""
    _ = visit.language.gettext
    for text in (typed.address, *filter(None, (typed.reply_to,))):
        if not address_lists.valid(text) or len(text.encode()) > LONGEST_ADDRESS:
            return _(_NO_ADDRESS) % {"text": shorten(clean(text), _LONGEST_SHOWN)}
    return "" if profiles.may_send_from(visit.signed_in, typed.address) else _(SenderRefused.sentence)


def _save_identity(visit: Visit, form: Fields, number: int, typed: Identity) -> Response:
    index = number - 1 if number else profiles.MOST_IDENTITIES

    def keep() -> str:
        return SAVED if profiles.keep_identity(visit.signed_in, index, typed) else _FULL

    return _identities(visit, apply_once(visit, form, keep))


def _identities(visit: Visit, sentence: str) -> Response:
    _ = visit.language.gettext
    rows = [
        (
            f"{one.name} <{one.address}>" if one.name else one.address,
            link("identities.identity", number=number),
        )
        for number, one in enumerate(profiles.all_identities(visit.signed_in), 1)
    ]
    return _list(visit, _("Name and addresses"), rows, link("identities.identity", number=0), sentence)


def _identity_screen(visit: Visit, number: int, shown: Identity, sentence: str) -> Screen:
    _ = visit.language.gettext
    fields = [
        FormField("name", _("Name"), shown.name, room=LONGEST_NAME),
        FormField("address", _("Mail address"), shown.address, room=LONGEST_ADDRESS, plain=True),
        FormField("reply_to", _("Reply to"), shown.reply_to, room=LONGEST_ADDRESS, plain=True),
    ]
    actions = []
    if number:
        actions.append(Action(_("Signature"), link("identities.signature", number=number), "5"))
    if number and len(visit.profile.identities) > 1:
        actions.append(remove_action(visit, link("identities.remove_identity", number=number)))
    target = link("identities.identity", number=number)
    return form_screen(visit, _("Name and address"), target, fields, sentence, actions=actions)


# Quick replies.


@identities_pages.get("/sq")
@identities_pages.get("/sq.<int:page>")
def quick(page: int = 1) -> Response:
    """List the quick replies, most used first."""
    return _quick(current(), "", page)


@identities_pages.route("/sq<int:number>", methods=["GET", "POST"])
def quick_reply(number: int) -> Response:
    """Show and edit a quick reply; number 0 is a new one."""
    visit = current()
    _ = visit.language.gettext
    form = visit.posted()
    held = next((one.text for one in visit.quick if one.id == number), "")
    if number and not held:
        raise NotFound(f"quick reply {number}")
    if form is not None and (text := clean(form.get("quick", ""))):

        def keep() -> str:
            return SAVED if profiles.keep_quick(visit.signed_in, text, number) else _FULL

        return _quick(visit, apply_once(visit, form, keep))
    field = FormField("quick", _("Text"), held, room=LONGEST_QUICK)
    actions = [remove_action(visit, link("identities.remove_quick", number=number))] if number else []
    sentence = "" if form is None else _("Type a text first.")
    target = link("identities.quick_reply", number=number)
    return respond(
        form_screen(visit, _("Quick reply"), target, [field], sentence, actions=actions), Life.PRIVATE
    )


@identities_pages.post("/sq<int:number>.x")
def remove_quick(number: int) -> Response:
    """Delete a quick reply."""
    visit = current()
    return _quick(visit, remove_once(visit, lambda: profiles.remove_quick(visit.signed_in, number)))


def _quick(visit: Visit, sentence: str, page: int = 1) -> Response:
    _ = visit.language.gettext
    replies = visit.quick
    page = min(max(page, 1), max(-(-len(replies) // ROWS), 1))
    rows = [
        (one.text, link("identities.quick_reply", number=one.id))
        for one in replies[(page - 1) * ROWS : page * ROWS]
    ]
    turns = []
    if page * ROWS < len(replies):
        turns.append(Action(_("Next"), link("identities.quick", page=page + 1), "#", "accept"))
    if page > 1:
        turns.append(Action(_("Prev"), link("identities.quick", page=page - 1)))
    empty = "" if rows else _("No quick replies yet. Add the sentences that you often reply with.")
    title, new = _("Quick replies"), link("identities.quick_reply", number=0)
    return _list(visit, title, rows, new, sentence, turns, empty)


# Lists.


def _list(
    visit: Visit,
    title: str,
    rows: list[tuple[str, str]],
    new: str,
    sentence: str,
    turns: list[Action] | None = None,
    empty: str = "",
) -> Response:
    """Show rows of text, each linked to its form, and a link to a new one; `empty` says what may be added."""
    actions = [
        Action(shorten(fit(text, visit.device), WIDTH).strip() or "-", href, str(key) if key <= ROWS else "")
        for key, (text, href) in enumerate(rows, 1)
    ]
    add = Action(visit.language.gettext("Add"), new, "9")
    actions = [*actions, *(turns or ()), add, *settings_actions(visit)]
    lines = [empty] if empty else []
    return respond(
        notice_screen(visit, title, sentence, actions, lines), Life.NEVER if sentence else Life.CHECK
    )
