"""The list of a message's attachments, or of the files inside one of them.

Nothing here may fetch a file in order to list it, unless the list is inside the file. The address of a page holds the
index of its first row; each page has as many rows as fit the device.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from flask import Blueprint, Response, request

from gateway.errors import NotFound
from gateway.markup.screen import Action, Life, Screen, shorten
from gateway.message.model import Bound, Message, Part
from gateway.rendition import notes
from gateway.rendition.documents import DocumentError
from gateway.web.attachments import containers, file_links
from gateway.web.attachments.document_pages import failure
from gateway.web.attachments.file_links import FileAddress
from gateway.web.mailbox.ways_back import ways_back
from gateway.web.request.fitted_list import first_fitting, fitted_list
from gateway.web.request.respond import respond
from gateway.web.request.screens import make_screen, paging_actions, range_words
from gateway.web.request.visit import Visit, current, link

attachment = Blueprint("attachment", __name__)


def _(msgid: str) -> str:
    return msgid


_NONE: Final = _("No attachments.")
#: Rows per page: one per number key.
ROWS: Final = 9
#: Maximum characters of a file name in a row, tried in this order until the page fits.
_WIDTHS: Final = (100, 60, 40, 30, 24, 18, 14, 10, 8)


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """One file in a list, in the person's language."""

    href: str
    key: str
    name: str
    description: str
    original: str


#: A file and its address.
ListedFile = tuple[Part, FileAddress]


@attachment.get("/a<int:number>.<int:uid>")
def listing(number: int, uid: int) -> Response:
    """List the attachments of a message."""
    visit = current()
    address = FileAddress(number, uid)
    with visit.signed_in.store() as store:
        found = store.structure(file_links.reference(visit, address))
    items = [(part, replace(address, section=part.section)) for part in file_links.files(found)]
    actions = ways_back(visit, number, uid)
    what = "" if items else _nothing(visit, found)
    return respond(
        _fitting_screen(
            visit, items, visit.language.gettext("Attachments"), what, actions, _page_link(address)
        )
    )


@attachment.get("/a<int:number>.<int:uid>.<sec:section>")
def contents(number: int, uid: int, section: str) -> Response:
    """List the contents of an attachment: an archive, a winmail.dat or a message."""
    visit = current()
    address = FileAddress.from_request(number, uid, section)
    ref = file_links.reference(visit, address)
    with visit.signed_in.store() as store:
        message = store.structure(ref)
        part = file_links.find(message, section)
        is_open = not address.nesting and file_links.is_parsed(part)
        try:
            octets = b"" if is_open else file_links.fetch(store, ref, part)
        except DocumentError as error:
            return respond(failure(visit, address, part, error))
    if is_open:
        embedded = file_links.embedded(part, message)
        items = [(one, replace(address, section=one.section)) for one in file_links.files(embedded)]
        nothing = _nothing(visit, embedded)
    else:
        try:
            file = file_links.open_nested(part, octets, address.nesting)
            part = file.part
            found = containers.list_files(file_links.kind_of(part, file.octets), file.octets)
        except DocumentError as error:
            return respond(failure(visit, address, part, error))
        items = [(inner, address.child(index)) for index, inner in enumerate(found)]
        nothing = visit.language.gettext(_NONE)
    actions = file_links.navigation(visit, address)
    return respond(
        _fitting_screen(
            visit,
            items,
            file_links.title_of(visit, part),
            " ".join((file_links.description(visit, part), *([] if items else [nothing]))),
            actions,
            _page_link(address),
        )
    )


def _nothing(visit: Visit, message: Message) -> str:
    """Say why a list is empty: there is nothing, or the contents are not known."""
    unseen = (gap for gap in notes.gaps(message) if gap.bound is not Bound.HEADER)
    say = visit.language.gettext
    return next((notes.gap(say, gap) for gap in unseen), say(_NONE))


def _page_link(address: FileAddress) -> Callable[[int], str]:
    """Return a function that links to a page of this list by the index of its first row."""

    def href(first: int) -> str:
        values: dict[str, object] = {"i": first} if first else {}
        if address.section:
            return address.link("attachment.contents", **values)
        return link("attachment.listing", **address.message, **values)

    return href


def _fitting_screen(
    visit: Visit,
    items: Sequence[ListedFile],
    title: str,
    what: str,
    actions: tuple[Action, ...],
    page_link: Callable[[int], str],
) -> Screen:
    """Make the screen with the longest names, then the most rows, that fit the device."""
    first = _first_row(len(items))
    rows = [_row(visit, index, *item) for index, item in enumerate(items[first : first + ROWS])]

    def screen(width: int, count: int) -> Screen:
        narrow = [replace(row, name=shorten(row.name, width)) for row in rows[:count]]
        return _screen(visit, narrow, first, len(items), title, what, actions, page_link)

    counts = range(max(len(rows), 1), 0, -1)
    pages = (fitted_list(screen, visit.fits, _WIDTHS, count, least=count) for count in counts)
    return first_fitting(pages, visit.fits)


def _first_row(count: int) -> int:
    asked = request.args.get("i", "0")
    if not (asked.isascii() and asked.isdigit() and len(asked) <= 5):
        raise NotFound("row of a list")
    return min(int(asked), max(count - 1, 0))


def _row(visit: Visit, index: int, part: Part, address: FileAddress) -> AttachmentRow:
    return AttachmentRow(
        href=file_links.view_link(address, part),
        key=str(index + 1),
        name=file_links.name_of(visit, part),
        description=file_links.description(visit, part),
        original=address.link("download.original"),
    )


def _screen(
    visit: Visit,
    rows: Sequence[AttachmentRow],
    first: int,
    count: int,
    title: str,
    what: str,
    actions: tuple[Action, ...],
    page_link: Callable[[int], str],
) -> Screen:
    last = first + len(rows)
    turns = paging_actions(
        visit, page_link(last) if last < count else "", page_link(max(first - ROWS, 0)) if first else ""
    )
    lines = [what] if what else []
    if len(rows) < count:
        lines.append(range_words(visit, first + 1, last, count))
    values = {"rows": rows, "lines": lines}
    taken = {row.key for row in rows}
    others = [replace(one, key="") if one.key in taken else one for one in actions]
    return make_screen(visit, "attachments", title, values, (*turns, *others), life=Life.PRIVATE)
