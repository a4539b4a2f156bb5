"""One message, page by page.

Nothing here may fetch more than the page needs; opening a page by GET marks the message \\Seen, HEAD does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, Response, current_app, request

from gateway.markup.layout import Layout, MessagePage, of_message
from gateway.markup.message_pages import message_screen, reading_context
from gateway.markup.screen import Action, Screen
from gateway.message.headers import clean
from gateway.message.mailto import unsubscribe
from gateway.message.model import Message
from gateway.rendition.blocks import Block, Kind, Position, Run
from gateway.store.base import SEEN, MailStore, MessageRef
from gateway.web import outward
from gateway.web.files import files, is_section, picture_lead
from gateway.web.mailbox import INBOX
from gateway.web.reading import remember
from gateway.web.respond import respond
from gateway.web.shelf import Key, Shelf
from gateway.web.signin import sign_out_action
from gateway.web.visit import Visit, current, link, list_link

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
    return _show(Place(number, uid, request.args.get("u", "")), None, 1)


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


def _show(place: Place, position: Position | None, number: int, before: bool = False) -> Response:
    visit = current()
    ref = reference(visit, place)
    with visit.signed_in.store() as store:
        found = store.structure(ref)
        layout = _layout(visit, store, ref, place, found)
        if before and position:
            shown = layout.page_before(position, number)
        else:
            totals, key = _totals(), _total_key(visit, ref, place)
            shown = layout.page(position, number, totals.get(key))
            if shown.total is not None and (shown.first or number > 1):
                totals.put(key, shown.total)
        if SEEN not in found.flags and request.method == "GET":
            store.flag([ref], [SEEN])
    if request.method == "GET" and not place.unfolded:
        remember(visit, place.number, place.uid, shown)
    return respond(layout.screen(shown))


def _totals() -> Shelf[int]:
    shelf: Shelf[int] = current_app.extensions.setdefault("pocketpost.totals", Shelf(TOTALS))
    return shelf


def _total_key(visit: Visit, ref: MessageRef, place: Place) -> Key:
    """Say all that the number of a message's pages depends on."""
    return (visit.signed_in.account, ref, visit.device, visit.language.tag, place.unfolded)


def _layout(visit: Visit, store: MailStore, ref: MessageRef, place: Place, found: Message) -> Layout:
    def octets(section: str, start: int) -> Iterator[bytes]:
        return store.octets(ref, section, start)

    def lead(block: Block, run: Run | None) -> str:
        if run is not None:
            return outward.lead(visit, block, run)
        if block.kind is Kind.FOLD:
            return link("message.page", **place.values(), page=1, position=block.at, u=block.target)
        if block.kind is Kind.PICTURE and is_section(block.target):
            return picture_lead(visit, place.values(), block.target)
        return ""

    def frame(shown: MessagePage) -> Screen:
        outward.keep(visit, shown.blocks)
        actions = _actions(visit, place, ref.mailbox, shown, found)
        return message_screen(found, shown, visit.device, visit.language, actions)

    unfolded = frozenset({place.unfolded} - {""})
    context = reading_context(visit.language, unfolded=unfolded, pictures=visit.device.pictures)
    return of_message(found, octets, visit.device, context, frame, lead)


def _actions(
    visit: Visit, place: Place, mailbox: str, shown: MessagePage, found: Message
) -> tuple[Action, ...]:
    _ = visit.language.gettext
    where, query = place.values(), place.query()
    actions = []
    if shown.next is not None:
        href = link("message.page", **where, page=shown.number + 1, position=shown.next, **query)
        actions.append(Action(_("Next"), href, "#", "accept"))
    if shown.start is not None:
        if shown.number <= 2:
            href = link("message.first", **where, **query)
        else:
            href = link("message.before", **where, page=shown.number - 1, position=shown.start, **query)
        actions.append(Action(_("Prev"), href, "*"))
    actions.append(
        Action(_("Reply"), link("compose.reply", **where), "1", "options" if shown.next else "accept")
    )
    if files(found):
        actions.append(Action(_("Attachments"), link("attachment.listing", **where), "2"))
    actions.append(Action(_("Details"), link("details.first", **where), "3"))
    if unsubscribe(found.headers):
        actions.append(Action(_("Unsubscribe"), link("unsubscribe.ask", **where), "4"))
    home = list_link("mailbox.inbox") if mailbox == INBOX else list_link("mailbox.box", number=place.number)
    actions.append(Action(_("Inbox") if mailbox == INBOX else clean(mailbox), home, "0"))
    actions.append(sign_out_action(visit, "9"))
    return tuple(actions)
