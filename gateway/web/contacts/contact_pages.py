"""The address book: a list that can be searched, a page per contact, and the form that edits it.

Nothing here may change anything by GET, act on another contact because a page is outdated, or lose what was typed if it
has an error. On a WML phone, whose inputs have one line, the lines of a note are separated by a slash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

from flask import Blueprint, Response, request

from gateway.account import address_book as books
from gateway.account import people
from gateway.device import WML
from gateway.errors import NotFound
from gateway.markup.keys import BACK_KEY, KEYS
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen, Verbatim, shorten
from gateway.message import vcard
from gateway.message.headers import address_lists
from gateway.message.headers.header_fields import clean
from gateway.message.vcard import Card
from gateway.pages.message_pages import dial_link
from gateway.web.mailbox.ways_back import message_action
from gateway.web.message.message_screen import MessageAddress, reference
from gateway.web.message.message_screen import show as show_message
from gateway.web.request import form_bodies
from gateway.web.request.field_forms import (
    SAVED,
    SLASH_NOTE,
    FormField,
    apply_once,
    form_screen,
    shown_in,
    typed_in,
)
from gateway.web.request.fitted_list import first_fitting, fitted_rows
from gateway.web.request.mail_links import keep_links, link_id
from gateway.web.request.respond import respond
from gateway.web.request.screens import (
    make_screen,
    paging_actions,
    question_screen,
    range_words,
)
from gateway.web.request.visit import Visit, current, link, list_link

contacts = Blueprint("contacts", __name__)

#: Rows per page, so that each has a key; maximum characters of a row, and of a search.
ROWS: Final = 9
WIDTH: Final = 28
SOUGHT: Final = 40


def _(msgid: str) -> str:
    return msgid


_DELETED: Final = _("Deleted.")
_ADDED: Final = _("Added.")
_KNOWN: Final = _("Already in the address book.")
_FULL: Final = _("No room for more. Remove one first.")
_NOBODY: Final = _("This message does not say who it is from.")
#: Label of each field, and its maximum characters on other devices and on a WML phone, where they fit a deck in any
#: script.
_FIELDS: Final = {
    "name": (_("Name"), vcard.NAME, 30),
    "mail": (_("Mail"), vcard.ENTRY * 2, 50),
    "phone": (_("Phone"), vcard.ENTRY, 25),
    "organisation": (_("Organisation"), vcard.NAME, 15),
    "note": (_("Note"), vcard.NOTE, 30),
}


@dataclass(frozen=True, slots=True)
class ContactRow:
    """One contact in the list."""

    key: str
    href: str
    label: str


# --- the list


@contacts.get("/t")
def listing() -> Response:
    """Show the address book from a row on, or the contacts that match a search."""
    return show(current(), request.args.get("q", ""), request.args.get("i", 1, int))


@contacts.post("/t")
def find() -> Response:
    """Show the contacts that match what was typed."""
    visit = current()
    return show(visit, clean(visit.form().get("q", ""))[:SOUGHT])


def show(visit: Visit, sought: str = "", first: int = 1, sentence: str = "") -> Response:
    """Show as many rows as fit a page, under a sentence about the previous request."""
    everybody = books.contacts(visit.signed_in)
    found = sorted(
        ((people.fold(name(card)), number) for number, card in everybody.items() if _matches(sought, card)),
    )
    first = min(max(first, 1), max(len(found), 1))
    numbers = [number for _folded, number in found[first - 1 : first - 1 + min(ROWS, visit.device.rows)]]
    rows = [
        ContactRow(str(key), link("contacts.one", number=number), _shown(visit, everybody[number]))
        for key, number in enumerate(numbers, 1)
    ]

    def screen(count: int) -> Screen:
        return _list_screen(visit, rows[:count], sought, (first, len(found)), sentence)

    fitted = fitted_rows(screen, visit.fits, len(rows))
    return respond(fitted, Life.NEVER if sentence else None)


def _list_screen(
    visit: Visit, rows: Sequence[ContactRow], sought: str, place: tuple[int, int], sentence: str
) -> Screen:
    _ = visit.language.gettext
    first, count = place
    query = {"q": sought} if sought else {}

    def at(row: int) -> str:
        return list_link("contacts.listing", i=row, **query)

    after = first + len(rows)
    next_page, before = at(after) if after <= count else "", at(max(first - ROWS, 1)) if first > 1 else ""
    actions = [*paging_actions(visit, next_page, before)]
    actions.append(Action(_("New"), link("contacts.new")))
    actions.append(Action(_("Import"), link("vcards.import_form")))
    if visit.device.markup != WML and count and not sought:
        actions.append(Action(_("Export"), link("vcards.export")))
    actions.append(Action(_("Menu"), link("menu.show"), KEYS["Menu"], "options"))
    values = {
        "sentence": sentence,
        "range": range_words(visit, first, after - 1, count, whole="") if count else _nobody(visit, sought),
        "rows": rows,
        "sought": Verbatim(sought),
        "target": link("contacts.find"),
        "room": SOUGHT,
        "fresh": visit.variable_prefix(),
        "probe": form_bodies.PROBE,
    }
    return make_screen(visit, "contacts", _("Contacts"), values, actions)


def _nobody(visit: Visit, sought: str) -> str:
    """Say that there is nobody, and what can be done."""
    _ = visit.language.gettext
    hint = _("Try other letters.") if sought else _("New adds somebody, Import reads vCards.")
    return f"{_('No contacts here.')} {hint}"


def name(card: Card) -> str:
    """Return the name of a contact, or whatever else identifies them."""
    return card.name or card.organisation or next(iter((*card.addresses, *card.phones)), "")


def _shown(visit: Visit, card: Card, width: int = WIDTH) -> str:
    return shorten(fit(clean(name(card)), visit.device), width) or "-"


def _matches(sought: str, card: Card) -> bool:
    return people.matches(sought, (card.name, card.organisation, *card.addresses, *card.phones))


# --- one contact


@contacts.get("/t<int:number>")
def one(number: int) -> Response:
    """Show a contact."""
    return show_one(current(), number)


def show_one(visit: Visit, number: int, sentence: str = "", *more: Action) -> Response:
    """Show a contact under a sentence."""
    _ = visit.language.gettext
    card = _card(visit, number)
    actions = [
        *_contact_actions(visit, card),
        Action(_("Edit"), link("contacts.edit", number=number), KEYS["Edit"]),
        Action(_("Delete"), link("contacts.ask", number=number), KEYS["Delete"]),
        *more,
        _back_to_list(visit),
    ]
    only = card.addresses if len(card.addresses) == 1 else ()
    organisation = card.organisation if card.organisation != name(card) else ""
    lines = [line for line in (*only, organisation, *card.note.split("\n")) if line]
    values = {"sentence": sentence, "lines": [fit(line, visit.device) for line in lines]}
    life = Life.NEVER if sentence else Life.CHECK
    return respond(make_screen(visit, "contact", _shown(visit, card), values, actions, life=life))


def _back_to_list(visit: Visit) -> Action:
    return Action(visit.language.gettext("Contacts"), list_link("contacts.listing"), BACK_KEY)


def _card(visit: Visit, number: int) -> Card:
    """Return a contact. Raise NotFound if it no longer exists."""
    card = books.contacts(visit.signed_in).get(number)
    if card is None:
        raise NotFound(f"contact {number}")
    return card


def _contact_actions(visit: Visit, card: Card) -> list[Action]:
    """Return actions that write to each address and call each number, as many as have keys."""
    _ = visit.language.gettext
    links = [(f"mailto:{quote(spec, safe='@')}", spec) for spec in card.addresses]
    if links:
        keep_links(visit, links)
    found: list[Action] = []
    for url, spec in links:
        label = _("Write") if len(links) == 1 else fit(_("Write to %(who)s") % {"who": spec}, visit.device)
        href = link("write.suggested", key=link_id(visit, url, spec))
        found.append(Action(label, href, *_key(found, "Write"), short=_("Write")))
    for number in card.phones:
        label = fit(_("Call %(who)s") % {"who": number}, visit.device)
        href = dial_link(f"tel:{number}", visit.device)
        if href:
            found.append(Action(label, href, *_key(found, "Call"), short=_("Call")))
    return found


def _key(before: Sequence[Action], label: str) -> tuple[str, str]:
    """Return key and softkey of the next action: the first of each kind has a key, the very first the softkey."""
    taken = any(one.key == KEYS[label] for one in before)
    return "" if taken else KEYS[label], "" if before else "accept"


# --- editing


@contacts.route("/tn", methods=["GET", "POST"])
def new() -> Response:
    """Add a contact."""
    return _edited(current(), 0, Card())


@contacts.route("/t<int:number>.e", methods=["GET", "POST"])
def edit(number: int) -> Response:
    """Edit a contact."""
    visit = current()
    return _edited(visit, number, _card(visit, number))


def _edited(visit: Visit, number: int, card: Card) -> Response:
    form = visit.posted()
    if form is None:
        return respond(_fitted(visit, number, card, _values(visit, card), ""), Life.PRIVATE)
    typed = {key: form.get(key, value) for key, value in _values(visit, card).items()}
    made, wrong = _read(visit, typed)
    if wrong:
        return respond(_fitted(visit, number, card, typed, wrong), Life.NEVER)
    kept = number

    def keep() -> str:
        nonlocal kept
        kept = books.keep(visit.signed_in, number, made)
        return SAVED if kept else _FULL

    sentence = apply_once(visit, form, keep)
    if not kept and made.addresses:  # a repeat of a new one
        kept = books.find(visit.signed_in, made.addresses[0])
    return show_one(visit, kept, sentence) if kept else show(visit, sentence=sentence)


def _values(visit: Visit, card: Card) -> dict[str, str]:
    """Return a contact as values of the form."""
    return {
        "name": card.name,
        "mail": ", ".join(card.addresses),
        "phone": ", ".join(card.phones),
        "organisation": card.organisation,
        "note": shown_in(visit.device.markup, card.note),
    }


def _read(visit: Visit, typed: dict[str, str]) -> tuple[Card, str]:
    """Parse what was typed; return a contact, and what is wrong with it."""
    _ = visit.language.gettext
    good, bad = address_lists.parse_typed(typed["mail"])
    if bad:
        return Card(), _("Not a valid mail address: %(text)s") % {"text": shorten(clean(bad[0]), WIDTH)}
    note = typed_in(visit.device.markup, typed["note"])
    named = typed["name"] or next((one.name for one in good if one.name), "")
    phones = typed["phone"].replace(";", ",").replace("\n", ",").split(",")
    specs = tuple(one.spec for one in good)
    card = vcard.normalized(Card(named, specs, tuple(phones), typed["organisation"], note))
    return card, "" if card else _("Enter a mail address or a phone number.")


def _fitted(visit: Visit, number: int, card: Card, typed: dict[str, str], sentence: str) -> Screen:
    """Make the form; if it does not fit, omit the longest values, saved ones first; omitted ones stay unchanged."""
    kept, shown = _values(visit, card), dict(typed)
    # Retyping one value is better than retyping all: a page that is too large shows nothing.
    saved = {key: text == kept[key] for key, text in typed.items()}
    omitted = sorted(
        (saved[key], len(text), key) for key, text in typed.items() if text and (saved[key] or key != "mail")
    )

    def screens() -> Iterator[Screen]:
        yield _form_screen(visit, number, shown, sentence)
        while omitted:
            del shown[omitted.pop()[2]]
            yield _form_screen(visit, number, shown, sentence)

    return first_fitting(screens(), visit.fits)


def _form_screen(visit: Visit, number: int, typed: dict[str, str], sentence: str) -> Screen:
    _ = visit.language.gettext
    target = link("contacts.edit", number=number) if number else link("contacts.new")
    small = visit.device.markup == WML
    fields = []
    for key, text in typed.items():
        label, most, at_least = _FIELDS[key]
        room = max(at_least, len(text)) if small else most
        plain = key in ("mail", "phone")
        fields.append(FormField(key, _(label), text, room=room, lines=key == "note", plain=plain))
    notes = [_(SLASH_NOTE)] if small and "/" in typed.get("note", "") else []
    back = link("contacts.one", number=number) if number else link("contacts.listing")
    screen = form_screen(visit, _("Contact"), target, fields, sentence, notes=notes)
    return replace(screen, actions=(Action(_("Back"), back, KEYS["Back"]),))


@contacts.get("/t<int:number>.x")
def ask(number: int) -> Response:
    """Ask before a contact is deleted."""
    visit = current()
    _ = visit.language.gettext
    sentence = _("Delete %(who)s?") % {"who": _shown(visit, _card(visit, number))}
    target = link("contacts.ask", number=number)
    actions = (Action(_("Back"), link("contacts.one", number=number), KEYS["Back"]),)
    return respond(question_screen(visit, _("Delete"), sentence, target, actions, short=_("Delete")))


@contacts.post("/t<int:number>.x")
def delete(number: int) -> Response:
    """Delete a contact."""
    visit = current()

    def change() -> str:
        books.remove(visit.signed_in, number)
        return _DELETED

    return show(visit, sentence=apply_once(visit, visit.form(), change))


# --- adding from a message


@contacts.get("/t<int:number>.<int:uid>")
def return_to_message(number: int, uid: int) -> Response:
    """Redirect an address that only accepts POST to the message: phones request it when going back."""
    return show_message(MessageAddress(number, uid))


@contacts.post("/t<int:number>.<int:uid>")
def add_sender(number: int, uid: int) -> Response:
    """Add the sender of a message."""
    visit = current()
    place = MessageAddress(number, uid)
    with visit.signed_in.store() as store:
        envelope = store.structure(reference(visit, place)).envelope
    card = next(
        (Card(one.name, (one.spec,)) for one in (*envelope.from_, *envelope.sender) if one.spec), Card()
    )
    card = vcard.normalized(card)
    sentence = apply_once(visit, visit.form(), _adding(visit, card))
    kept = books.find(visit.signed_in, card.addresses[0]) if card else 0
    if not kept:
        return show_message(place, sentence)
    return show_one(visit, kept, sentence, message_action(visit, number, uid))


def _adding(visit: Visit, card: Card) -> Callable[[], str]:
    def add() -> str:
        new, left = books.add(visit.signed_in, [card])
        return _ADDED if new else _FULL if left else _KNOWN if card else _NOBODY

    return add
