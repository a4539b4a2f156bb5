"""What goes along with a draft out of the mailbox: a message as it is, or a file of it, chosen from lists.

Nothing here may send through the handheld what it attaches, change an octet of it, or attach it twice because a request
came twice: each row is a ticket of its own. What cannot be had leaves the draft as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from flask import Blueprint, Response, request

from gateway import markup
from gateway.errors import BadRequest, GatewayError, MailboxGone, MessageGone, MessageTooLarge
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen, shorten
from gateway.message.headers import clean
from gateway.message.model import Message
from gateway.store.base import INBOX, Listing, MessageRef, Window
from gateway.web import assembly, desk, enclosing, files, origin
from gateway.web.desk import Desk
from gateway.web.lists import Entry, Frame, list_screen
from gateway.web.message import Place, reference
from gateway.web.naming import title_of
from gateway.web.origin import Enclosure
from gateway.web.respond import respond
from gateway.web.signin import sentence_of
from gateway.web.targets import chooser, resolve, targets
from gateway.web.visit import Visit, current, link, list_link

picking = Blueprint("picking", __name__)

#: Parts of a message on a page: as many as there are keys.
ROWS: Final = 9
#: Characters of a name in a row: the first of them with which the page fits.
_WIDTHS: Final = (60, 40, 28, 20, 14)
#: Characters of a subject above the rows, and of a name in a sentence.
_SUBJECT: Final = 60
_NAMED: Final = 30


# --- which message


@picking.get("/c<int:number>.<int:uid>.m")
@picking.get("/c<int:number>.<int:uid>.m<int:box>")
@picking.get("/c<int:number>.<int:uid>.m<int:box>.<int:top>")
def messages(number: int, uid: int, box: int | None = None, top: int | None = None) -> Response:
    """List the messages of the inbox, or of a mailbox, from a sequence number downwards."""
    visit = current()
    name = INBOX if box is None else visit.mailbox(box)[0]
    return _messages(visit, Place(number, uid), name, top)


@picking.get("/c<int:number>.<int:uid>.z")
def folders(number: int, uid: int) -> Response:
    """Show the folders to choose from; `f` is the mark of the one that was chosen."""
    visit, draft = current(), Place(number, uid)
    chosen = request.args.get("f", "")
    with visit.signed_in.store() as store:
        name = resolve(visit, store, chosen) if chosen else None
        found = targets(visit, store) if name is None else []
    if name is not None:
        return _messages(visit, draft, name)

    def row(mark: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        return list_link("picking.folders", **draft.values(), f=mark), ()

    def turn(at: int) -> str:
        return link("picking.folders", **draft.values(), i=at)

    _ = visit.language.gettext
    sentence = _("That folder is not there any more.") if chosen else _("From my mail")
    back = Action(_("Back"), list_link("picking.messages", **draft.values()), "0")
    first = request.args.get("i", 0, int)
    return respond(chooser(visit, _("Folders"), found, first, row, turn, back, sentence))


def _messages(visit: Visit, draft: Place, name: str, top: int | None = None, sentence: str = "") -> Response:
    with visit.signed_in.store() as store:
        listing = store.summaries(name, Window(visit.device.rows, top))
    _ = visit.language.gettext
    box = visit.signed_in.mailbox_number(listing.mailbox, listing.uidvalidity)
    from_top = {"t": listing.top} if listing.top < listing.exists else {}
    entries = [
        Entry(one, link("picking.parts", **draft.values(), box=box, message=one.ref.uid, **from_top))
        for one in listing.summaries
    ]

    def onward(shown: int) -> str:
        last = listing.summaries[min(shown, len(entries)) - 1].sequence if entries and shown else 0
        return _list(draft, box, last - 1) if last > 1 else ""

    frame = Frame(
        title=_("From my mail"),
        first=listing.exists - listing.top + 1,
        count=listing.exists,
        next=onward,
        prev=_newer(visit, draft, box, listing),
        ways=(
            Action(_("Folders"), link("picking.folders", **draft.values())),
            Action(_("Back"), link("drafts.attach", **draft.values()), "0"),
        ),
        remarks=(title_of(visit, listing.mailbox),),
        empty=_("No messages here."),
    )
    return respond(list_screen(visit, entries, frame, sentence), Life.NEVER if sentence else None)


def _newer(visit: Visit, draft: Place, box: int, listing: Listing) -> str:
    """Lead to the page above a window, if there is one."""
    if not 0 < listing.top < listing.exists:
        return ""
    above = listing.top + visit.device.rows
    return _list(draft, box, above if above < listing.exists else 0)


def _list(draft: Place, box: int, top: int = 0) -> str:
    return list_link("picking.messages", **draft.values(), box=box, **({"top": top} if top else {}))


# --- what of it


@picking.get("/c<int:number>.<int:uid>.p<int:box>.<int:message>")
def parts(number: int, uid: int, box: int, message: int) -> Response:
    """Show what of a message can go along, from row `i` on; `t` says where the list was."""
    visit, draft, place = current(), Place(number, uid), Place(box, message)
    try:
        ref = reference(visit, place)
        with visit.signed_in.store() as store:
            found = store.structure(ref)
    except (MailboxGone, MessageGone) as error:
        return _messages(visit, draft, INBOX, sentence=sentence_of(error, visit))
    offered = _offered(ref, found)
    first = request.args.get("i", 0, int)
    first = first if 0 <= first < len(offered) else 0
    most = min(ROWS, len(offered) - first)
    for width, rows in [
        *((width, most) for width in _WIDTHS),
        *((_WIDTHS[-1], n) for n in range(most, 0, -1)),
    ]:
        shown = offered[first : first + rows]
        onward = first + rows if first + rows < len(offered) else 0
        actions = (*_rows(visit, draft, place, shown, width), *_ways(visit, draft, place, first, onward))
        screen = _screen(visit, found, actions)
        if markup.size(screen, visit.device) <= visit.device.deck_limit:
            break
    return respond(screen)


def _offered(ref: MessageRef, found: Message) -> Sequence[Enclosure]:
    """Name what of a message can go along: itself, then its files."""
    return (origin.entire(ref, found), *origin.enclosures(ref, found))


def _section(one: Enclosure) -> str:
    return one.part.section if one.part is not None else ""


def _rows(visit: Visit, draft: Place, place: Place, shown: Sequence[Enclosure], width: int) -> list[Action]:
    """Offer each with a ticket of its own, so that several go along even by way of the back key."""
    href = link("picking.attach", **draft.values(), box=place.number, message=place.uid)
    actions = []
    for key, one in enumerate(shown, 1):
        if one.part is None:
            name, size = visit.language.gettext("Whole message"), files.size_words(visit, one.octets)
        else:
            name = shorten(fit(files.name_of(visit, one.part), visit.device), width)
            size = files.size_words(visit, files.size_of(one.part))
        fields = (("s", _section(one)), ("keep", visit.signed_in.ticket()))
        actions.append(Action(f"{name} ({size})", href, str(key), fields=fields))
    return actions


def _ways(visit: Visit, draft: Place, place: Place, first: int, onward: int) -> list[Action]:
    _ = visit.language.gettext
    top = max(0, request.args.get("t", 0, int))
    from_top = {"t": top} if top else {}

    def here(at: int) -> str:
        row = {"i": at} if at else {}
        return link("picking.parts", **draft.values(), box=place.number, message=place.uid, **from_top, **row)

    ways = [Action(_("Next"), here(onward), "#")] if onward else []
    ways += [Action(_("Prev"), here(max(0, first - ROWS)), "*")] if first else []
    return [*ways, Action(_("Back"), _list(draft, place.number, top), "0")]


def _screen(visit: Visit, found: Message, actions: Sequence[Action]) -> Screen:
    _ = visit.language.gettext
    subject = fit(clean(found.envelope.subject) or _("(no subject)"), visit.device)
    values = {"sentence": shorten(subject, _SUBJECT), "lines": ()}
    return Screen(
        "notice",
        _("Attach"),
        values,
        tuple(actions),
        life=Life.NEVER,
        words=_,
        language=visit.language.tag,
    )


@picking.post("/c<int:number>.<int:uid>.p<int:box>.<int:message>")
def attach(number: int, uid: int, box: int, message: int) -> Response:
    """Attach what was chosen, once, and show the mail again; what cannot be had is told, and nothing is changed."""
    visit = current()
    form, _ = visit.form(), visit.language.gettext
    mail = enclosing.loaded(visit, desk.resume(number, uid))
    if visit.signed_in.check_ticket(form.get("keep", "")) is None:
        return enclosing.page(visit, mail, _(BadRequest.sentence))
    chosen: list[str] = []

    def add() -> Desk:
        one = _chosen(visit, Place(box, message), form.get("s", ""))
        chosen.append(one.name)
        going = (*mail.origin.enclosures, one)
        if assembly.octets_of(going) > assembly.room(visit):
            raise MessageTooLarge(assembly.room(visit), f"{assembly.octets_of(going)} octets")
        return desk.save(visit, replace(mail, origin=replace(mail.origin, enclosures=going)))

    try:
        mail = desk.once(visit, mail, form, add)
    except MessageTooLarge:
        return enclosing.page(visit, mail, enclosing.refused(visit, chosen))
    except GatewayError as error:
        return enclosing.page(visit, mail, _("Not saved.") + " " + sentence_of(error, visit))
    names = [shorten(clean(name), _NAMED) or _("File") for name in chosen]  # a repeat has none
    return desk.page(visit, mail, f"{_('Attached')}: {names[0]}" if names else "")


def _chosen(visit: Visit, place: Place, section: str) -> Enclosure:
    """Find what was chosen as it is now. Raise MessageGone."""
    ref = reference(visit, place)
    with visit.signed_in.store() as store:
        offered = _offered(ref, store.structure(ref))
    one = next((one for one in offered if _section(one) == section), None)
    if one is None:
        raise MessageGone(f"no such part: {len(section)} characters")
    return one
