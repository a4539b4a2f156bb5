"""A message inside a message, page by page: forwarded as an attachment, or lying in an archive as a file.

Nothing here may answer or mark anything: what is inside is only read. A page's address has a position in the inner
message, and in ?s the part that the message is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from flask import Blueprint, Response, request

from gateway.errors import BadRequest
from gateway.markup.layout import Layout, MessagePage, Octets, of_message
from gateway.markup.message_pages import message_screen, reading_context
from gateway.markup.screen import Action, Screen
from gateway.message.model import Message
from gateway.rendition.blocks import Block, Kind, Position, Run
from gateway.rendition.documents import DocumentError
from gateway.web import files, inside, outward
from gateway.web.document import failure
from gateway.web.files import Place
from gateway.web.respond import respond
from gateway.web.visit import Visit, current, link

nested = Blueprint("nested", __name__)


@nested.get("/n<int:number>.<int:uid>.<sec:section>")
def first(number: int, uid: int, section: str) -> Response:
    """Show a message inside a message from its beginning."""
    return _show(Place.asked(number, uid, section), None, 1)


@nested.get("/n<int:number>.<int:uid>.<int:page>.<at:position>")
def page(number: int, uid: int, page: int, position: Position) -> Response:
    """Show it from a position, or with ?b the page before it."""
    section = request.args.get("s", "")
    if not files.is_section(section):
        raise BadRequest("section of a message")
    return _show(Place.asked(number, uid, section), position, page)


def _show(place: Place, position: Position | None, number: int) -> Response:
    visit = current()
    ref = files.reference(visit, place)
    with visit.signed_in.store() as store:
        found = store.structure(ref)
        part = files.find(found, place.section)
        if not place.way and files.is_open(part):

            def octets(section: str, start: int) -> Iterator[bytes]:
                return store.octets(ref, section, start)

            layout = _layout(visit, place, files.embedded(part, found), octets, True)
            return respond(_paged(layout, position, number))
        try:
            fetched = files.fetch(store, ref, part)
        except DocumentError as error:
            return respond(failure(visit, place, part, error))
    try:
        file = files.opened(part, fetched, place.way)
    except DocumentError as error:
        return respond(failure(visit, place, part, error))
    message, wire = inside.message(file.octets)
    return respond(_paged(_layout(visit, place, message, wire.octets, False), position, number))


def _paged(layout: Layout, position: Position | None, number: int) -> Screen:
    if position is not None and "b" in request.args:
        return layout.screen(layout.page_before(position, number))
    return layout.screen(layout.page(position, number))


def _layout(visit: Visit, place: Place, message: Message, octets: Octets, in_store: bool) -> Layout:
    unfolded = request.args.get("u", "")
    where = {**place.message, **place.query, "s": place.section}
    if unfolded:
        where["u"] = unfolded

    def lead(block: Block, run: Run | None) -> str:
        if run is not None:
            return outward.lead(visit, block, run)
        if block.kind is Kind.FOLD:
            return link("nested.page", **{**where, "u": block.target}, page=1, position=block.at)
        if in_store and files.is_section(block.target):
            if block.kind is Kind.PICTURE:
                return files.picture_lead(visit, place.message, block.target)
            if block.kind is Kind.NOTE:
                return link("download.original", **place.message, section=block.target)
        return ""

    def frame(shown: MessagePage) -> Screen:
        outward.keep(visit, shown.blocks)
        actions = (*_turns(visit, where, place, shown), *_ways(visit, place, bool(files.files(message))))
        return message_screen(message, shown, visit.device, visit.language, actions)

    opened = frozenset({unfolded} - {""})
    context = reading_context(visit.language, unfolded=opened)
    return of_message(message, octets, visit.device, context, frame, lead)


def _turns(visit: Visit, where: dict[str, object], place: Place, shown: MessagePage) -> tuple[Action, ...]:
    say = visit.language.gettext
    actions = []
    if shown.next is not None:
        href = link("nested.page", **where, page=shown.number + 1, position=shown.next)
        actions.append(Action(say("Next"), href, "#", "accept"))
    if shown.start is not None:
        before = link("nested.page", **where, page=shown.number - 1, position=shown.start, b=1)
        if shown.number <= 2:
            before = place.link("nested.first", **({"u": where["u"]} if "u" in where else {}))
        actions.append(Action(say("Prev"), before, "*"))
    return tuple(actions)


def _ways(visit: Visit, place: Place, attached: bool) -> tuple[Action, ...]:
    """Lead to its own attachments where it has some."""
    up, *others = files.ways_on(visit, place)
    if attached:
        up = replace(up, href=place.link("attachment.contents"))
    return (files.original(visit, place), up, *others)
