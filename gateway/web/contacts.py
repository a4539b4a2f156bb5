"""The address book: a list to look in, one contact to write to or call, and the form that changes it.

Nothing here may change anything by GET, lead from an old page to somebody else, or lose what was typed when something
is wrong with it. On a WML phone, whose inputs have one line, the lines of a note are parted by a stroke.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

from flask import Blueprint, Response, request

from gateway import contacts as books
from gateway import markup, people
from gateway.device import WML
from gateway.errors import NotFound
from gateway.markup.message_pages import dialled
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen, Verbatim, shorten
from gateway.message import addresses, vcard
from gateway.message.headers import clean
from gateway.message.vcard import Card
from gateway.web import forms
from gateway.web.fields import SAVED, Field, form_screen, once
from gateway.web.message import Place, reference
from gateway.web.message import show as show_message
from gateway.web.respond import respond
from gateway.web.visit import Visit, current, link, list_link

contacts = Blueprint("contacts", __name__)

#: Rows of a page, so that each has a key; characters of a row; characters that are looked for.
ROWS: Final = 9
WIDTH: Final = 28
SOUGHT: Final = 40
#: Ways to reach a contact that have keys.
_WAYS: Final = 6
#: Between the lines of a note where an input has one line only.
_STROKE: Final = " / "


def _(msgid: str) -> str:
    return msgid


_DELETED: Final = _("Deleted.")
_ADDED: Final = _("Added.")
_KNOWN: Final = _("Already in the address book.")
_FULL: Final = _("There is no room for more. Remove one first.")
_NOBODY: Final = _("This message does not say whom it is from.")
#: Label of each field, characters that it takes, and on a WML phone: so that in any letters all comes back in a deck.
_FIELDS: Final = {
    "name": (_("Name"), vcard.NAME, 30),
    "mail": (_("Mail"), vcard.ENTRY * 2, 50),
    "phone": (_("Phone"), vcard.ENTRY, 25),
    "organisation": (_("Organisation"), vcard.NAME, 15),
    "note": (_("Note"), vcard.NOTE, 30),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One contact in the list."""

    key: str
    href: str
    label: str


# --- the list


@contacts.get("/t")
def listing() -> Response:
    """Show the address book, from a row on; or those in it whom some letters mean."""
    return show(current(), request.args.get("q", ""), request.args.get("i", 1, int))


@contacts.post("/t")
def look() -> Response:
    """Show whom the letters mean that were typed."""
    visit = current()
    return show(visit, clean(visit.form().get("q", ""))[:SOUGHT])


def show(visit: Visit, sought: str = "", first: int = 1, sentence: str = "") -> Response:
    """Show as many rows as a page holds, under a sentence about what happened before."""
    everybody = books.everybody(visit.signed_in)
    found = sorted(
        (
            (people.folded(name(card)), number)
            for number, card in everybody.items()
            if _is_meant(sought, card)
        ),
    )
    first = min(max(first, 1), max(len(found), 1))
    for rows in range(min(ROWS, visit.device.rows), 0, -1):
        numbers = [number for _folded, number in found[first - 1 : first - 1 + rows]]
        shown = [
            Row(str(key), link("contacts.one", number=number), _shown(visit, everybody[number]))
            for key, number in enumerate(numbers, 1)
        ]
        screen = _list_screen(visit, shown, sought, (first, len(found)), sentence)
        if markup.size(screen, visit.device) <= visit.device.deck_limit:
            break
    return respond(screen, Life.NEVER if sentence else None)


def _list_screen(
    visit: Visit, rows: Sequence[Row], sought: str, place: tuple[int, int], sentence: str
) -> Screen:
    _ = visit.language.gettext
    first, count = place
    query = {"q": sought} if sought else {}
    actions = []
    if first + len(rows) <= count:
        after = list_link("contacts.listing", i=first + len(rows), **query)
        actions.append(Action(_("Next"), after, "#", "accept"))
    if first > 1:
        before = list_link("contacts.listing", i=max(first - ROWS, 1), **query)
        actions.append(Action(_("Prev"), before, "*"))
    actions.append(Action(_("New"), link("contacts.new")))
    actions.append(Action(_("Import"), link("cards.bring")))
    if visit.device.markup != WML and count and not sought:
        actions.append(Action(_("Export"), link("cards.export")))
    actions.append(Action(_("Inbox"), list_link("mailbox.inbox"), "0"))
    number = visit.language.number
    said = _("%(first)s–%(last)s of %(count)s") % {
        "first": number(first),
        "last": number(first + len(rows) - 1),
        "count": number(count),
    }
    values = {
        "sentence": sentence,
        "range": said if count else _("Nobody here."),
        "rows": rows,
        "sought": Verbatim(sought),
        "target": link("contacts.look"),
        "room": SOUGHT,
        "fresh": visit.fresh(),
        "probe": forms.PROBE,
    }
    return Screen(
        "contacts",
        _("Contacts"),
        values,
        tuple(actions),
        life=Life.CHECK,
        words=_,
        language=visit.language.tag,
    )


def name(card: Card) -> str:
    """Name a contact by what there is of them."""
    return card.name or card.organisation or next(iter((*card.addresses, *card.phones)), "")


def _shown(visit: Visit, card: Card, width: int = WIDTH) -> str:
    return shorten(fit(clean(name(card)), visit.device), width) or "-"


def _is_meant(sought: str, card: Card) -> bool:
    return people.is_meant(sought, (card.name, card.organisation, *card.addresses, *card.phones))


# --- one contact


@contacts.get("/t<int:number>")
def one(number: int) -> Response:
    """Show a contact."""
    return show_one(current(), number)


def show_one(visit: Visit, number: int, sentence: str = "", *ways: Action) -> Response:
    """Show a contact under a sentence; `ways` come before the way back to the list."""
    _ = visit.language.gettext
    card = _card(visit, number)
    actions = [
        *_contacting(visit, card),
        Action(_("Edit"), link("contacts.edit", number=number), "7"),
        Action(_("Delete"), link("contacts.ask", number=number), "8"),
        *ways,
        Action(_("Contacts"), list_link("contacts.listing"), "9"),
        Action(_("Inbox"), list_link("mailbox.inbox"), "0"),
    ]
    only = card.addresses if len(card.addresses) == 1 else ()
    organisation = card.organisation if card.organisation != name(card) else ""
    lines = [line for line in (*only, organisation, *card.note.split("\n")) if line]
    screen = Screen(
        "contact",
        _shown(visit, card),
        {"sentence": sentence, "lines": [fit(line, visit.device) for line in lines]},
        tuple(actions),
        life=Life.NEVER if sentence else Life.CHECK,
        words=_,
        language=visit.language.tag,
    )
    return respond(screen)


def _card(visit: Visit, number: int) -> Card:
    """Return a contact. Raise NotFound for one that is not there any more."""
    card = books.everybody(visit.signed_in).get(number)
    if card is None:
        raise NotFound(f"contact {number}")
    return card


def _contacting(visit: Visit, card: Card) -> list[Action]:
    """Offer to write to each address, and to call each number: of both together as many as have keys."""
    _ = visit.language.gettext
    links = [(f"mailto:{quote(spec, safe='@')}", spec) for spec in card.addresses]
    if links:
        visit.signed_in.keep_links(links)
    found: list[Action] = []
    for url, spec in links:
        label = _("Write") if len(links) == 1 else fit(_("Write to %(who)s") % {"who": spec}, visit.device)
        href = link("write.suggested", key=visit.signed_in.link_id(url, spec))
        found.append(Action(label, href, *_key(found), short=_("Write")))
    for number in card.phones:
        label = fit(_("Call %(who)s") % {"who": number}, visit.device)
        href = dialled(f"tel:{number}", visit.device)
        if href:
            found.append(Action(label, href, *_key(found), short=_("Call")))
    return found


def _key(before: Sequence[Action]) -> tuple[str, str]:
    """Give the next action its key, while there are any, and the first the softkey."""
    return str(len(before) + 1) if len(before) < _WAYS else "", "" if before else "accept"


# --- changing it


@contacts.route("/tn", methods=["GET", "POST"])
def new() -> Response:
    """Write down somebody new."""
    return _edited(current(), 0, Card())


@contacts.route("/t<int:number>.e", methods=["GET", "POST"])
def edit(number: int) -> Response:
    """Change a contact."""
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

    sentence = once(visit, form.get("ticket", ""), keep)
    if not kept and made.addresses:  # a repeat of what was new
        kept = books.find(visit.signed_in, made.addresses[0])
    return show_one(visit, kept, sentence) if kept else show(visit, sentence=sentence)


def _values(visit: Visit, card: Card) -> dict[str, str]:
    """Say a contact as the form has it."""
    stroke = _STROKE if visit.device.markup == WML else "\n"
    return {
        "name": card.name,
        "mail": ", ".join(card.addresses),
        "phone": ", ".join(card.phones),
        "organisation": card.organisation,
        "note": card.note.replace("\n", stroke),
    }


def _read(visit: Visit, typed: dict[str, str]) -> tuple[Card, str]:
    """Read what was typed: a contact, or what is wrong with it."""
    _ = visit.language.gettext
    good, bad = addresses.typed(typed["mail"])
    if bad:
        return Card(), _("This is no mail address: %(text)s") % {"text": shorten(clean(bad[0]), WIDTH)}
    note = typed["note"].replace(_STROKE, "\n") if visit.device.markup == WML else typed["note"]
    named = typed["name"] or next((one.name for one in good if one.name), "")
    phones = typed["phone"].replace(";", ",").replace("\n", ",").split(",")
    specs = tuple(one.spec for one in good)
    card = vcard.tidy(Card(named, specs, tuple(phones), typed["organisation"], note))
    return card, "" if card else _("A mail address or a telephone number is needed.")


def _fitted(visit: Visit, number: int, card: Card, typed: dict[str, str], sentence: str) -> Screen:
    """Make the form, without the longest of what is kept already where there is no room: it stays as it is."""
    kept, shown = _values(visit, card), dict(typed)
    while True:
        screen = _form_screen(visit, number, shown, sentence)
        fits = markup.size(screen, visit.device) <= visit.device.deck_limit
        unchanged = [(len(text), key) for key, text in shown.items() if text and text == kept[key]]
        if fits or not unchanged:
            return screen
        del shown[max(unchanged)[1]]


def _form_screen(visit: Visit, number: int, typed: dict[str, str], sentence: str) -> Screen:
    _ = visit.language.gettext
    target = link("contacts.edit", number=number) if number else link("contacts.new")
    small = visit.device.markup == WML
    fields = []
    for key, text in typed.items():
        label, most, at_least = _FIELDS[key]
        room = max(at_least, len(text)) if small else most
        plain = key in ("mail", "phone")
        fields.append(Field(key, _(label), text, room=room, lines=key == "note", plain=plain))
    notes = [_("A stroke (/) begins a new line.")] if small and "/" in typed.get("note", "") else []
    back = link("contacts.one", number=number) if number else link("contacts.listing")
    screen = form_screen(visit, _("Contact"), target, fields, sentence, notes=notes)
    actions = (Action(_("Back"), back, "9"), Action(_("Inbox"), list_link("mailbox.inbox"), "0"))
    return replace(screen, actions=actions)


@contacts.get("/t<int:number>.x")
def ask(number: int) -> Response:
    """Ask before a contact is deleted."""
    visit = current()
    _ = visit.language.gettext
    values = {
        "sentence": _("Delete %(who)s?") % {"who": _shown(visit, _card(visit, number))},
        "lines": (),
        "answer": _("Delete"),
        "short": _("Delete"),
        "target": link("contacts.ask", number=number),
        "ticket": visit.signed_in.ticket(),
    }
    actions = (Action(_("Back"), link("contacts.one", number=number), "9"),)
    title = _("Delete")
    return respond(
        Screen("ask", title, values, actions, life=Life.NEVER, words=_, language=visit.language.tag)
    )


@contacts.post("/t<int:number>.x")
def delete(number: int) -> Response:
    """Delete a contact."""
    visit = current()

    def change() -> str:
        books.remove(visit.signed_in, number)
        return _DELETED

    return show(visit, sentence=once(visit, visit.form().get("ticket", ""), change))


# --- from a message


@contacts.get("/t<int:number>.<int:uid>")
def again(number: int, uid: int) -> Response:
    """Lead back to the message from an address that is only posted to: phones fetch it for their back key."""
    return show_message(Place(number, uid))


@contacts.post("/t<int:number>.<int:uid>")
def add_sender(number: int, uid: int) -> Response:
    """Write down whom a message is from."""
    visit = current()
    place = Place(number, uid)
    with visit.signed_in.store() as store:
        envelope = store.structure(reference(visit, place)).envelope
    card = next(
        (Card(one.name, (one.spec,)) for one in (*envelope.from_, *envelope.sender) if one.spec), Card()
    )
    card = vcard.tidy(card)
    sentence = once(visit, visit.form().get("ticket", ""), _adding(visit, card))
    kept = books.find(visit.signed_in, card.addresses[0]) if card else 0
    if not kept:
        return show_message(place, sentence)
    back = Action(visit.language.gettext("Message"), link("message.first", number=number, uid=uid))
    return show_one(visit, kept, sentence, back)


def _adding(visit: Visit, card: Card) -> Callable[[], str]:
    def add() -> str:
        new, left = books.add(visit.signed_in, [card])
        return _ADDED if new else _FULL if left else _KNOWN if card else _NOBODY

    return add
