"""The pages of an attached file.

Nothing here may parse an untrusted document: `confined` does, and is stopped a few pages ahead of the reader. Text,
HTML, calendar and contact files are rendered like the same kinds of body parts; text is fetched only as far as the
page needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from flask import Blueprint, Response, current_app

from gateway import confined
from gateway.markup import LinkResolver
from gateway.markup.keys import KEYS
from gateway.markup.screen import Action, Life, Screen, with_own_keys
from gateway.message.media_types import Look
from gateway.message.model import Envelope, Message, Part
from gateway.pages.layout import Layout, MessagePage, of_message
from gateway.pages.message_pages import reading_context
from gateway.rendition import documents
from gateway.rendition.blocks import Block, Position, Run
from gateway.rendition.documents import DocumentError
from gateway.rendition.documents.bounds import UNKNOWN
from gateway.store.base import MailStore, MessageRef
from gateway.web.attachments import file_links
from gateway.web.attachments.document_cache import CachedBlocks, CachedReader, new_cache
from gateway.web.attachments.file_links import File, FileAddress
from gateway.web.attachments.result_cache import CacheKey, ResultCache
from gateway.web.request import mail_links
from gateway.web.request.respond import respond
from gateway.web.request.screens import make_screen, paging_actions
from gateway.web.request.visit import Visit, current, link

document = Blueprint("document", __name__)

#: Maximum number of pages to count ahead: counting takes as long as reading.
COUNTED: Final = 6
#: How many blocks before a position to search for the previous page, and how many leaf parts in a position's section.
BLOCKS_BACK: Final = 400
LEAVES_BACK: Final = 3
#: Kinds of files that other screens show.
_OTHER_PAGES: Final = frozenset({Look.PICTURE, Look.MESSAGE, Look.CONTENTS})


@document.get("/d<int:number>.<int:uid>.<sec:section>")
def first(number: int, uid: int, section: str) -> Response:
    """Show a file from its beginning."""
    return _show(FileAddress.from_request(number, uid, section), None, 1)


@document.get("/d<int:number>.<int:uid>.<int:page>.<at:position>")
def page(number: int, uid: int, page: int, position: Position) -> Response:
    """Show a file from a position, or with ?b the page before it."""
    return _show(FileAddress.from_request(number, uid, position.section), position, page)


def _show(address: FileAddress, position: Position | None, number: int) -> Response:
    visit = current()
    ref = file_links.reference(visit, address)
    with visit.signed_in.store() as store:
        part = file_links.find(store.structure(ref), address.section)
        try:
            if not address.nesting and file_links.look_of(part) is None:
                raise DocumentError(UNKNOWN)
            if not address.nesting and file_links.look_of(part) is Look.READ:
                return respond(
                    mail_links.page_screen(
                        visit, _streamed(visit, address, part, store, ref), position, number
                    )
                )
            kept = _cache().get(_key(visit, ref, address))
            octets = b"" if kept else file_links.fetch(store, ref, part)
        except DocumentError as error:
            return respond(failure(visit, address, part, error))
    try:
        if kept:
            part = kept.part
            layout = _document(
                visit, address, part, _key(visit, ref, address), lambda: file_links.fetch_file(visit, address)
            )
            return respond(mail_links.page_screen(visit, layout, position, number))
        file = file_links.open_nested(part, octets, address.nesting)
        part = file.part
        if file_links.look_of(part, file.octets) in _OTHER_PAGES:
            return respond(_other_page(visit, address, file))
        return respond(
            mail_links.page_screen(
                visit, _layout(visit, address, file, _key(visit, ref, address)), position, number
            )
        )
    except DocumentError as error:
        return respond(failure(visit, address, part, error))


def _streamed(visit: Visit, address: FileAddress, part: Part, store: MailStore, ref: MessageRef) -> Layout:
    """Lay out a text part, fetched from the server as needed."""

    def octets(section: str, start: int) -> Iterator[bytes]:
        return store.octets(ref, section, start)

    frame, link_target = _Frame(visit, address, part), _link_targets(visit)
    context = reading_context(visit.language, fold=False)
    return of_message(
        _single_part_message(address, part, file_links.kind_of(part)),
        octets,
        visit.device,
        context,
        frame,
        link_target,
    )


def _cache() -> ResultCache[CachedBlocks]:
    found: ResultCache[CachedBlocks] = current_app.extensions.setdefault("pocketpost.documents", new_cache())
    return found


def _key(visit: Visit, ref: MessageRef, address: FileAddress) -> CacheKey:
    """Return the cache key of a document for one account."""
    return (visit.signed_in.account, ref, address.section, address.nesting, visit.language.tag)


def _layout(visit: Visit, address: FileAddress, file: File, key: CacheKey) -> Layout:
    """Lay out a file that has been fetched as a whole. Raise DocumentError if it is not a document."""
    view = file_links.look_of(file.part, file.octets)
    frame, link_target = _Frame(visit, address, file.part), _link_targets(visit)
    if view is Look.READ:

        def octets(_section: str, start: int) -> Iterator[bytes]:
            yield file.octets[start:]

        mail = _single_part_message(address, file.part, file_links.kind_of(file.part, file.octets))
        context = reading_context(visit.language, fold=False)
        return of_message(mail, octets, visit.device, context, frame, link_target)
    if view is not Look.DOCUMENT:
        raise DocumentError(UNKNOWN)
    return _document(visit, address, file.part, key, lambda: file)


def _document(
    visit: Visit, address: FileAddress, part: Part, key: CacheKey, file: Callable[[], File]
) -> Layout:
    """Lay out a document that a child process reads, unless its blocks are cached."""

    def read(at: Position) -> Iterator[Block]:
        opened = file()
        return confined.document(
            opened.octets, opened.part.media_type, opened.part.filename, visit.language.tag, at=at
        )

    def blocks(start: Position | None) -> Iterator[Block]:
        reader = CachedReader(_cache(), key, part, read, visit.language.gettext)
        return reader.blocks(start or Position(address.section))

    frame, link_target = _Frame(visit, address, part), _link_targets(visit)
    return Layout(
        blocks,
        visit.device,
        frame,
        link_target,
        earlier=_earlier,
        ahead=COUNTED,
        section=address.section,
        even=True,
    )


def _single_part_message(address: FileAddress, part: Part, kind: str) -> Message:
    """Make a message that consists of this part alone."""
    root = replace(
        part,
        section=address.section,
        media_type=kind,
        disposition="",
        disposition_parameters={},
        parts=(),
        envelope=None,
    )
    return Message(Envelope(), root, octets=part.octets)


def _earlier(start: Position) -> Position | None:
    """Return a position far enough back to include the previous page."""
    return documents.earlier(start, BLOCKS_BACK, LEAVES_BACK)


def _link_targets(visit: Visit) -> LinkResolver:
    mail_target = mail_links.link_targets(visit)

    def link_target(block: Block, run: Run | None) -> str:
        return mail_target(run) if run is not None else ""

    return link_target


class _Frame:
    """Makes the screen around a page of a file."""

    def __init__(self, visit: Visit, address: FileAddress, part: Part) -> None:
        self._visit, self._address, self._part = visit, address, part

    def __call__(self, shown: MessagePage) -> Screen:
        pages = "" if shown.total == 1 else f"{shown.number}/{shown.total or '…'}"
        turns = _page_links(self._visit, self._address, shown)
        return file_screen(self._visit, self._address, self._part, turns, pages, shown.first, body=shown.body)


def _page_links(visit: Visit, address: FileAddress, shown: MessagePage) -> tuple[Action, ...]:
    where = {**address.message, **address.query}
    next_page = before = ""
    if shown.next is not None:
        next_page = link("document.page", **where, page=shown.number + 1, position=shown.next)
    if shown.start is not None and shown.number <= 2:
        before = address.link("document.first")
    elif shown.start is not None:
        before = link("document.page", **where, page=shown.number - 1, position=shown.start, b=1)
    return paging_actions(visit, next_page, before)


def file_screen(
    visit: Visit,
    address: FileAddress,
    part: Part,
    turns: tuple[Action, ...] = (),
    pages: str = "",
    first: bool = True,
    offer: Action | None = None,
    **values: object,
) -> Screen:
    """Make a screen for one file; `offer` replaces the link to the original."""
    common = {"sentence": "", "body": "", "first": first, "pages": pages}
    common["what"] = file_links.description(visit, part)
    actions = (*turns, offer or file_links.original(visit, address), *file_links.navigation(visit, address))
    title = file_links.title_of(visit, part)
    return make_screen(
        visit, "document", title, {**common, **values}, with_own_keys(actions), life=Life.PRIVATE
    )


def _other_page(visit: Visit, address: FileAddress, file: File) -> Screen:
    """Return the screen that links to the right page for a file of this kind."""
    href = file_links.view_link(address, file.part, file.octets)
    open_it = Action(visit.language.gettext("Open"), href, KEYS["Open"], "accept")
    return file_screen(visit, address, file.part, (open_it,))


def failure(visit: Visit, address: FileAddress, part: Part, error: DocumentError) -> Screen:
    """Make the screen that says why a file cannot be shown and offers the original."""
    return file_screen(visit, address, part, sentence=visit.language.gettext(error.sentence))
