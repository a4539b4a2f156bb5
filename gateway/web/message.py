"""One message, page by page.

Nothing here may fetch more than the page needs, or change anything but \\Seen: showing a page sets it, HEAD does not.
What can be done from here is posted elsewhere (`act`), whose answer may be the page of the next message.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, Response, current_app, request

from gateway import people
from gateway.markup.layout import Layout, MessagePage, of_message
from gateway.markup.message_pages import message_screen, reading_actions, reading_context
from gateway.markup.screen import Life, Screen
from gateway.message.mailto import unsubscribe
from gateway.message.model import Message
from gateway.rendition.blocks import Block, Kind, Position, Run
from gateway.store.base import DRAFT, SEEN, MailStore, MessageRef
from gateway.web import outward
from gateway.web.files import files, is_section, picture_lead
from gateway.web.mailbox import back_action
from gateway.web.reading import remember
from gateway.web.respond import respond
from gateway.web.shelf import Key, Shelf
from gateway.web.visit import Visit, current, link

message = Blueprint("message", __name__)

#: Messages whose number of pages is remembered in a process: counting them costs more than showing one.
TOTALS = 2000


@dataclass(frozen=True, slots=True)
class Place:
    """The message that a screen is about, and what it is opened with."""

    number: int
    uid: int
    unfolded: str = ""

    def values(self) -> dict[str, object]:
        return {"number": self.number, "uid": self.uid}

    def query(self) -> dict[str, object]:
        return {"u": self.unfolded} if self.unfolded else {}


@message.get("/m<int:number>.<int:uid>")
def first(number: int, uid: int) -> Response:
    """Show a message from its beginning."""
    return show(Place(number, uid, request.args.get("u", "")))


@message.get("/m<int:number>.<int:uid>.<int:page>.<at:position>")
def page(number: int, uid: int, page: int, position: Position) -> Response:
    """Show a message from a position; `page` is the number the reader has counted."""
    return _show(Place(number, uid, request.args.get("u", "")), position, page)


@message.get("/e<int:number>.<int:uid>.<int:page>.<at:position>")
def before(number: int, uid: int, page: int, position: Position) -> Response:
    """Show the page before the one at a position."""
    return _show(Place(number, uid, request.args.get("u", "")), position, page, before=True)


def reference(visit: Visit, place: Place) -> MessageRef:
    """Resolve the short id of a mailbox, and name the message for good."""
    name, uidvalidity = visit.mailbox(place.number)
    return MessageRef(name, uidvalidity, place.uid)


def show(place: Place, sentence: str = "") -> Response:
    """Show a message from its beginning, under a sentence about what was done before."""
    return _show(place, None, 1, sentence=sentence)


def _show(
    place: Place, position: Position | None, number: int, before: bool = False, sentence: str = ""
) -> Response:
    visit = current()
    ref = reference(visit, place)
    with visit.signed_in.store() as store:
        found = store.structure(ref)
        layout = _layout(visit, store, ref, place, found, sentence)
        if before and position:
            shown = layout.page_before(position, number)
        else:
            totals, key = _totals(), _total_key(visit, ref, place)
            shown = layout.page(position, number, totals.get(key))
            # What stands above the text changes where its pages end.
            if shown.total is not None and (shown.first or number > 1) and not sentence:
                totals.put(key, shown.total)
        if SEEN not in found.flags and request.method != "HEAD":
            store.flag([ref], [SEEN])
    if request.method != "HEAD" and position is None:
        people.opened(visit.signed_in, found)
    if request.method != "HEAD" and not place.unfolded:
        remember(visit, place.number, place.uid, shown)
    return respond(layout.screen(shown), Life.NEVER if sentence else None)


def _totals() -> Shelf[int]:
    shelf: Shelf[int] = current_app.extensions.setdefault("pocketpost.totals", Shelf(TOTALS))
    return shelf


def _total_key(visit: Visit, ref: MessageRef, place: Place) -> Key:
    """Say all that the number of a message's pages depends on."""
    return (visit.signed_in.account, ref, visit.device, visit.language.tag, place.unfolded)


def _layout(
    visit: Visit, store: MailStore, ref: MessageRef, place: Place, found: Message, sentence: str
) -> Layout:
    def octets(section: str, start: int) -> Iterator[bytes]:
        return store.octets(ref, section, start)

    def lead(block: Block, run: Run | None) -> str:
        if run is not None:
            return outward.lead(visit, block, run)
        if block.kind is Kind.FOLD:
            return link("message.page", **place.values(), page=1, position=block.at, u=block.target)
        if block.kind is Kind.PICTURE and is_section(block.target):
            return picture_lead(visit, place.values(), block.target)
        if block.kind is Kind.NOTE and is_section(block.target):
            return link("download.original", **place.values(), section=block.target)
        return ""

    def frame(shown: MessagePage) -> Screen:
        outward.keep(visit, shown.blocks)
        ways = {**around, **_turns(place, shown)}
        actions = reading_actions(visit.language.gettext, visit.device, shown, ways, ticket)
        return message_screen(found, shown, visit.device, visit.language, actions, sentence)

    around = _ways(visit, place, ref.mailbox, found)
    ticket = visit.signed_in.ticket()
    unfolded = frozenset({place.unfolded} - {""})
    context = reading_context(visit.language, unfolded=unfolded)
    return of_message(found, octets, visit.device, context, frame, lead)


def _turns(place: Place, shown: MessagePage) -> dict[str, str]:
    """Say where turning a page leads; "" is what there is nothing of."""
    where, query = place.values(), place.query()
    before = after = ""
    if shown.next is not None:
        after = link("message.page", **where, page=shown.number + 1, position=shown.next, **query)
    if shown.start is not None and shown.number <= 2:
        before = link("message.first", **where, **query)
    elif shown.start is not None:
        before = link("message.before", **where, page=shown.number - 1, position=shown.start, **query)
    return {"next": after, "prev": before}


def _ways(visit: Visit, place: Place, mailbox: str, found: Message) -> dict[str, str]:
    """Say where the actions of every page lead; "" is what there is nothing of."""
    where = place.values()
    back = back_action(visit, place.number, mailbox)
    drafted = DRAFT in found.flags
    return {
        "edit": link("drafts.resume", **where) if drafted else "",
        "reply": "" if drafted else link("compose.reply", **where),
        "attachments": link("attachment.listing", **where) if files(found) else "",
        "details": link("details.first", **where),
        "unsubscribe": link("unsubscribe.ask", **where) if unsubscribe(found.headers) else "",
        "quick": "" if drafted else link("quick.listing", **where),
        "older": link("act.neighbour", **where, which="o"),
        "delete": link("act.do", **where, letter="d"),
        "more": link("more.show", **where),
        "home": back.href,
        "title": back.label,
    }
