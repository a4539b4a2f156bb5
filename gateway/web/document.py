"""A file that came with a message, page by page.

Nothing here may read a stranger's document itself: that is done in `confined`, and ended a few pages further on.
Text, web pages, invitations and contacts are read as the same thing in a mail is; text is fetched no further than
the page needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from flask import Blueprint, Response, current_app, request

from gateway import confined
from gateway.markup import Lead
from gateway.markup.layout import Layout, MessagePage, of_message
from gateway.markup.message_pages import reading_context
from gateway.markup.screen import Action, Life, Screen
from gateway.message.model import Envelope, Message, Part
from gateway.rendition import documents
from gateway.rendition.blocks import Block, Position, Run
from gateway.rendition.documents import DocumentError
from gateway.rendition.documents.bounds import UNKNOWN
from gateway.store.base import MailStore, MessageRef
from gateway.web import files, outward
from gateway.web.files import File, Place, View
from gateway.web.reread import Kept, Rereader, shelf
from gateway.web.respond import respond
from gateway.web.shelf import Key, Shelf
from gateway.web.visit import Visit, current, link

document = Blueprint("document", __name__)

#: Pages counted ahead at most: counting costs the time of reading.
COUNTED: Final = 6
#: Blocks before a position in which the page before it is looked for, and leaves where the position begins one.
BLOCKS_BACK: Final = 400
LEAVES_BACK: Final = 3
#: What has pages of its own.
_ELSEWHERE: Final = frozenset({View.PICTURE, View.MESSAGE, View.CONTENTS})


@document.get("/d<int:number>.<int:uid>.<sec:section>")
def first(number: int, uid: int, section: str) -> Response:
    """Show a file from its beginning."""
    return _show(Place.asked(number, uid, section), None, 1)


@document.get("/d<int:number>.<int:uid>.<int:page>.<at:position>")
def page(number: int, uid: int, page: int, position: Position) -> Response:
    """Show a file from a position, or with ?b the page before it."""
    return _show(Place.asked(number, uid, position.section), position, page)


def _show(place: Place, position: Position | None, number: int) -> Response:
    visit = current()
    ref = files.reference(visit, place)
    with visit.signed_in.store() as store:
        part = files.find(store.structure(ref), place.section)
        try:
            if not place.way and files.view_of(part) is View.NONE:
                raise DocumentError(UNKNOWN)
            if not place.way and files.view_of(part) is View.READ:
                return respond(_paged(_streamed(visit, place, part, store, ref), position, number))
            kept = _shelf().get(_key(visit, ref, place))
            octets = b"" if kept else files.fetch(store, ref, part)
        except DocumentError as error:
            return respond(failure(visit, place, part, error))
    try:
        if kept:
            part = kept.part
            layout = _document(visit, place, part, _key(visit, ref, place), lambda: files.whole(visit, place))
            return respond(_paged(layout, position, number))
        file = files.opened(part, octets, place.way)
        part = file.part
        if files.view_of(part, file.octets) in _ELSEWHERE:
            return respond(_elsewhere(visit, place, file))
        return respond(_paged(_layout(visit, place, file, _key(visit, ref, place)), position, number))
    except DocumentError as error:
        return respond(failure(visit, place, part, error))


def _paged(layout: Layout, position: Position | None, number: int) -> Screen:
    if position is not None and "b" in request.args:
        return layout.screen(layout.page_before(position, number))
    return layout.screen(layout.page(position, number))


def _streamed(visit: Visit, place: Place, part: Part, store: MailStore, ref: MessageRef) -> Layout:
    """Lay out a part that is read like the text of a mail, from the server as it is needed."""

    def octets(section: str, start: int) -> Iterator[bytes]:
        return store.octets(ref, section, start)

    frame, lead = _Frame(visit, place, part), _lead(visit)
    context = reading_context(visit.language, fold=False)
    return of_message(_alone(place, part, files.kind_of(part)), octets, visit.device, context, frame, lead)


def _shelf() -> Shelf[Kept]:
    found: Shelf[Kept] = current_app.extensions.setdefault("pocketpost.documents", shelf())
    return found


def _key(visit: Visit, ref: MessageRef, place: Place) -> Key:
    """Name a document as one account reads it."""
    return (visit.signed_in.account, ref, place.section, place.way, visit.language.tag)


def _layout(visit: Visit, place: Place, file: File, key: Key) -> Layout:
    """Lay out a file that is there as a whole; raise DocumentError for one that is no document."""
    view = files.view_of(file.part, file.octets)
    frame, lead = _Frame(visit, place, file.part), _lead(visit)
    if view is View.READ:

        def octets(_section: str, start: int) -> Iterator[bytes]:
            yield file.octets[start:]

        mail = _alone(place, file.part, files.kind_of(file.part, file.octets))
        context = reading_context(visit.language, fold=False)
        return of_message(mail, octets, visit.device, context, frame, lead)
    if view is not View.DOCUMENT:
        raise DocumentError(UNKNOWN)
    return _document(visit, place, file.part, key, lambda: file)


def _document(visit: Visit, place: Place, part: Part, key: Key, file: Callable[[], File]) -> Layout:
    """Lay out a document, which is read in a child, and no further than it was not read before."""

    def read(at: Position) -> Iterator[Block]:
        opened = file()
        return confined.document(
            opened.octets, opened.part.media_type, opened.part.filename, visit.language.tag, at=at
        )

    def blocks(start: Position | None) -> Iterator[Block]:
        reader = Rereader(_shelf(), key, part, read, visit.language.gettext)
        return reader.blocks(start or Position(place.section))

    frame, lead = _Frame(visit, place, part), _lead(visit)
    return Layout(blocks, visit.device, frame, lead, earlier=_earlier, ahead=COUNTED)


def _alone(place: Place, part: Part, kind: str) -> Message:
    """Make a message that is nothing but this part."""
    root = replace(
        part,
        section=place.section,
        media_type=kind,
        disposition="",
        disposition_parameters={},
        parts=(),
        envelope=None,
    )
    return Message(Envelope(), root, octets=part.octets)


def _earlier(start: Position) -> Position | None:
    """Go back far enough to meet the page before."""
    return documents.earlier(start, BLOCKS_BACK, LEAVES_BACK)


def _lead(visit: Visit) -> Lead:
    def lead(block: Block, run: Run | None) -> str:
        return outward.lead(visit, block, run) if run is not None else ""

    return lead


class _Frame:
    """Makes the screen around a page of a file."""

    def __init__(self, visit: Visit, place: Place, part: Part) -> None:
        self._visit, self._place, self._part = visit, place, part

    def __call__(self, shown: MessagePage) -> Screen:
        outward.keep(self._visit, shown.blocks)
        pages = "" if shown.total == 1 else f"{shown.number}/{shown.total or '…'}"
        turns = _turns(self._visit, self._place, shown)
        return file_screen(self._visit, self._place, self._part, turns, pages, shown.first, body=shown.body)


def _turns(visit: Visit, place: Place, shown: MessagePage) -> tuple[Action, ...]:
    say = visit.language.gettext
    where = {**place.message, **place.query}
    actions = []
    if shown.next is not None:
        href = link("document.page", **where, page=shown.number + 1, position=shown.next)
        actions.append(Action(say("Next"), href, "#", "accept"))
    if shown.start is not None:
        before = link("document.page", **where, page=shown.number - 1, position=shown.start, b=1)
        actions.append(
            Action(say("Prev"), place.link("document.first") if shown.number <= 2 else before, "*")
        )
    return tuple(actions)


def file_screen(
    visit: Visit,
    place: Place,
    part: Part,
    turns: tuple[Action, ...] = (),
    pages: str = "",
    first: bool = True,
    offer: Action | None = None,
    **values: object,
) -> Screen:
    """Make a screen about one file; `offer` stands in place of the link to the original."""
    said = {"sentence": "", "body": (), "first": first, "pages": pages}
    said["what"] = files.description(visit, part)
    actions = (*turns, offer or files.original(visit, place), *files.ways_on(visit, place))
    return Screen(
        "document",
        files.title_of(visit, part),
        {**said, **values},
        actions,
        life=Life.PRIVATE,
        words=visit.language.gettext,
        language=visit.language.tag,
    )


def _elsewhere(visit: Visit, place: Place, file: File) -> Screen:
    """Lead to the page for what a file turned out to be."""
    href = files.to_look_at(place, file.part, file.octets)
    open_it = Action(visit.language.gettext("Open"), href, "#", "accept")
    return file_screen(visit, place, file.part, (open_it,))


def failure(visit: Visit, place: Place, part: Part, error: DocumentError) -> Screen:
    """Say why a file cannot be shown, and offer the original."""
    return file_screen(visit, place, part, sentence=visit.language.gettext(error.sentence))
