"""The pages of a message inside a message: forwarded as an attachment, or stored in an archive.

Nothing here may answer or flag anything: embedded messages are read-only. The address of a page has a position in the
inner message, and in ?s the section of the part that holds it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from flask import Blueprint, Response, request

from gateway.errors import BadRequest
from gateway.markup.screen import Action, Screen
from gateway.message.model import Message
from gateway.pages.layout import Layout, MessagePage, of_message
from gateway.pages.message_pages import MessageFrame, reading_context
from gateway.rendition.blocks import Block, Kind, Position, Run
from gateway.rendition.documents import DocumentError
from gateway.rendition.wholes import ReadSection
from gateway.web.attachments import containers, file_links
from gateway.web.attachments.document_pages import failure
from gateway.web.attachments.file_links import FileAddress
from gateway.web.request import mail_links
from gateway.web.request.respond import respond
from gateway.web.request.screens import paging_actions, with_style
from gateway.web.request.visit import Visit, current, link

nested = Blueprint("nested", __name__)


@nested.get("/n<int:number>.<int:uid>.<sec:section>")
def first(number: int, uid: int, section: str) -> Response:
    """Show an embedded message from its beginning."""
    return _show(FileAddress.from_request(number, uid, section), None, 1)


@nested.get("/n<int:number>.<int:uid>.<int:page>.<at:position>")
def page(number: int, uid: int, page: int, position: Position) -> Response:
    """Show an embedded message from a position, or with ?b the page before it."""
    section = request.args.get("s", "")
    if not file_links.is_section(section):
        raise BadRequest("section of a message")
    return _show(FileAddress.from_request(number, uid, section), position, page)


def _show(address: FileAddress, position: Position | None, number: int) -> Response:
    visit = current()
    ref = file_links.reference(visit, address)
    with visit.signed_in.store() as store:
        found = store.structure(ref)
        part = file_links.find(found, address.section)
        if not address.nesting and file_links.is_parsed(part):

            def octets(section: str, start: int) -> Iterator[bytes]:
                return store.octets(ref, section, start)

            layout = _layout(visit, address, file_links.embedded(part, found), octets, True)
            return respond(mail_links.page_screen(visit, layout, position, number))
        try:
            fetched = file_links.fetch(store, ref, part)
        except DocumentError as error:
            return respond(failure(visit, address, part, error))
    try:
        file = file_links.open_nested(part, fetched, address.nesting)
        message, wire = containers.parse_message(file.octets)
    except DocumentError as error:
        return respond(failure(visit, address, part, error))
    return respond(
        mail_links.page_screen(visit, _layout(visit, address, message, wire.octets, False), position, number)
    )


def _layout(
    visit: Visit, address: FileAddress, message: Message, octets: ReadSection, in_store: bool
) -> Layout:
    unfolded = request.args.get("u", "")
    where = {**address.message, **address.query, "s": address.section}
    if unfolded:
        where["u"] = unfolded

    mail_target = mail_links.link_targets(visit)

    def link_target(block: Block, run: Run | None) -> str:
        if run is not None:
            return mail_target(run)
        if block.kind is Kind.FOLD:
            return link("nested.page", **{**where, "u": block.target}, page=1, position=block.at)
        if in_store and file_links.is_section(block.target):
            if block.kind is Kind.PICTURE:
                return file_links.picture_link(visit, address.message, block.target)
            if block.kind is Kind.NOTE:
                return link("download.original", **address.message, section=block.target)
        return ""

    def frame(shown: MessagePage) -> Screen:
        actions = (
            *_page_links(visit, where, address, shown),
            *_navigation(visit, address, bool(attached)),
        )
        return with_style(around.screen(shown, actions))

    attached = file_links.files(message)
    around = MessageFrame(message, visit.device, visit.language, now=visit.now, files=attached)
    opened = frozenset({unfolded} - {""})
    context = reading_context(visit.language, unfolded=opened)
    return of_message(message, octets, visit.device, context, frame, link_target)


def _page_links(
    visit: Visit, where: dict[str, object], address: FileAddress, shown: MessagePage
) -> tuple[Action, ...]:
    next_page = before = ""
    if shown.next is not None:
        next_page = link("nested.page", **where, page=shown.number + 1, position=shown.next)
    if shown.start is not None and shown.number <= 2:
        before = address.link("nested.first", **({"u": where["u"]} if "u" in where else {}))
    elif shown.start is not None:
        before = link("nested.page", **where, page=shown.number - 1, position=shown.start, b=1)
    return paging_actions(visit, next_page, before)


def _navigation(visit: Visit, address: FileAddress, attached: bool) -> tuple[Action, ...]:
    """Return the actions below the text, with a link to its attachments if it has any."""
    up, *others = file_links.navigation(visit, address)
    if attached:
        up = replace(up, href=address.link("attachment.contents"))
    return (file_links.original(visit, address), up, *others)
