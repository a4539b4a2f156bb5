"""The list of a message's attachments, and of what is inside one of them.

Nothing here may fetch a file in order to list it, unless the list is inside. A list's address holds the ordinal of
its first row, and every page of it as many rows as the device takes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from flask import Blueprint, Response, request

from gateway import markup
from gateway.errors import NotFound
from gateway.markup.screen import Action, Life, Screen, shorten
from gateway.message.model import Part
from gateway.rendition.documents import DocumentError
from gateway.web import files, inside
from gateway.web.document import failure
from gateway.web.files import Place
from gateway.web.respond import respond
from gateway.web.visit import Visit, current, link, list_link

attachment = Blueprint("attachment", __name__)

#: Rows of a page: what is left of nine keys beside those of the actions below.
ROWS: Final = 7
#: Characters of a name in a row, tried from the left until the page fits.
_WIDTHS: Final = (100, 60, 40, 30, 24, 18, 14, 10, 8)


@dataclass(frozen=True, slots=True)
class Row:
    """One file in a list, in the person's words."""

    href: str
    key: str
    name: str
    what: str
    original: str


#: A file, and where it is to be found.
Item = tuple[Part, Place]


@attachment.get("/a<int:number>.<int:uid>")
def listing(number: int, uid: int) -> Response:
    """List the attachments of a message."""
    visit = current()
    place = Place(number, uid)
    with visit.signed_in.store() as store:
        found = store.structure(files.reference(visit, place))
    _ = visit.language.gettext
    items = [(part, replace(place, section=part.section)) for part in files.files(found)]
    ways = (
        Action(_("Message"), link("message.first", **place.message), "9"),
        Action(_("Inbox"), list_link("mailbox.inbox"), "0"),
    )
    return respond(_fitting(visit, items, _("Attachments"), "", ways, _here(place)))


@attachment.get("/a<int:number>.<int:uid>.<sec:section>")
def contents(number: int, uid: int, section: str) -> Response:
    """List what is inside an attachment: an archive, a winmail.dat, a message."""
    visit = current()
    place = Place.asked(number, uid, section)
    ref = files.reference(visit, place)
    with visit.signed_in.store() as store:
        message = store.structure(ref)
        part = files.find(message, section)
        is_open = not place.way and files.is_open(part)
        try:
            octets = b"" if is_open else files.fetch(store, ref, part)
        except DocumentError as error:
            return respond(failure(visit, place, part, error))
    if is_open:
        listed = files.files(files.embedded(part, message))
        items = [(inner, replace(place, section=inner.section)) for inner in listed]
    else:
        try:
            file = files.opened(part, octets, place.way)
            part = file.part
            found = inside.entries(files.kind_of(part, file.octets), file.octets)
        except DocumentError as error:
            return respond(failure(visit, place, part, error))
        items = [(inner, place.below(index)) for index, inner in enumerate(found)]
    ways = _ways(visit, place)
    return respond(
        _fitting(
            visit, items, files.title_of(visit, part), files.description(visit, part), ways, _here(place)
        )
    )


def _ways(visit: Visit, place: Place) -> tuple[Action, ...]:
    """Lead on under the keys that the rows leave; the file itself is offered in the list that it stands in."""
    keys = iter("89")
    ways = files.ways_on(visit, place)
    return tuple(way if way.key == "0" else replace(way, key=next(keys)) for way in ways)


def _here(place: Place) -> Callable[[int], str]:
    """Lead to a page of this list by its first row."""

    def href(first: int) -> str:
        values: dict[str, object] = {"i": first} if first else {}
        if place.section:
            return place.link("attachment.contents", **values)
        return link("attachment.listing", **place.message, **values)

    return href


def _fitting(
    visit: Visit,
    items: Sequence[Item],
    title: str,
    what: str,
    ways: tuple[Action, ...],
    here: Callable[[int], str],
) -> Screen:
    """Make the screen with as long names, then as many rows, as the device's page takes."""
    first = _first(len(items))
    rows = [_row(visit, index, *item) for index, item in enumerate(items[first : first + ROWS])]
    narrow = rows
    while True:
        for width in _WIDTHS:
            narrow = [replace(row, name=shorten(row.name, width)) for row in rows]
            screen = _screen(visit, narrow, first, len(items), title, what, ways, here)
            if markup.size(screen, visit.device) <= visit.device.deck_limit:
                return screen
        if len(rows) <= 1:
            return screen
        rows.pop()


def _first(count: int) -> int:
    asked = request.args.get("i", "0")
    if not (asked.isascii() and asked.isdigit() and len(asked) <= 5):
        raise NotFound("row of a list")
    return min(int(asked), max(count - 1, 0))


def _row(visit: Visit, index: int, part: Part, place: Place) -> Row:
    return Row(
        href=files.to_look_at(place, part),
        key=str(index + 1),
        name=files.name_of(visit, part),
        what=files.description(visit, part),
        original=place.link("download.original"),
    )


def _screen(
    visit: Visit,
    rows: Sequence[Row],
    first: int,
    count: int,
    title: str,
    what: str,
    ways: tuple[Action, ...],
    here: Callable[[int], str],
) -> Screen:
    _ = visit.language.gettext
    actions = []
    last = first + len(rows)
    if last < count:
        actions.append(Action(_("Next"), here(last), "#", "accept"))
    if first:
        actions.append(Action(_("Prev"), here(max(first - ROWS, 0)), "*"))
    number = visit.language.number
    among = _("%(first)s–%(last)s of %(count)s") % {
        "first": number(first + 1),
        "last": number(last),
        "count": number(count),
    }
    lines = [what] if what else []
    lines += [_("There are none.")] if not count else [among] if len(rows) < count else []
    values = {"rows": rows, "lines": lines}
    return Screen(
        "attachments",
        title,
        values,
        (*actions, *ways),
        life=Life.PRIVATE,
        words=_,
        language=visit.language.tag,
    )
