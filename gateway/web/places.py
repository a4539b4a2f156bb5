"""The list that a person came from: its rows once more, all that it finds, and the page itself under a sentence.

Nothing here may make another list of it than it was: where it came from is a short word in the address (see `visit`),
which names a view of a mailbox with a place in it, or a search with a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Response

from gateway.errors import BadRequest
from gateway.store.base import FIRST, Listing, MailStore, MessageRef, Order, Spot, Summary, Window
from gateway.web import finds, search, views
from gateway.web.mailbox import show, show_view
from gateway.web.views import View, spelled
from gateway.web.visit import ORIGIN, Visit

#: Searches have this letter in front of their number.
_SEARCH = "q"
#: The argument of an address that names the sequence number at which a page of a mailbox begins.
TOP = "top"


@dataclass(frozen=True, slots=True)
class Here:
    """A page of a list: of mailbox `number` (None: of none alone), from sequence number `top`, or by its `origin`."""

    number: int | None
    origin: str = ""
    top: int = 0

    @property
    def arguments(self) -> dict[str, object]:
        """Say it in an address."""
        own: dict[str, object] = {} if self.number is None else {"number": self.number}
        return own | ({ORIGIN: self.origin} if self.origin else {}) | ({TOP: self.top} if self.top else {})

    def parted(self) -> tuple[str, str]:
        kind, _dot, place = self.origin.partition(".")
        return kind, place


@dataclass(frozen=True, slots=True)
class Stretch:
    """The rows of a page of a list. `first`: rank of the first; `count`: of the whole list.

    `after`: where a page would begin with the second row, the third …, and with what follows the last one. `all`: that
    which the list finds can be told as a whole.
    """

    summaries: tuple[Summary, ...]
    first: int
    count: int
    after: Sequence[str]
    all: bool = True


def stretch(visit: Visit, store: MailStore, here: Here) -> Stretch:
    """Fetch a page of a list once more. Raise MailboxGone."""
    number, (kind, place) = here.number, here.parted()
    rows = visit.device.rows
    if kind.startswith(_SEARCH):
        return _searched(visit, store, int(kind[1:]), int(place or "1"), rows)
    if number is None:
        raise BadRequest("a list of which mailbox")
    name = visit.mailbox(number)[0]
    if here.top:
        return _arrived(store.summaries(name, Window(rows, here.top)))
    view = View.decode(kind) if kind else views.usual(visit, name)
    spot = views.spot_of(place) if place else FIRST
    if view.is_plain and spot == FIRST:
        return _arrived(store.summaries(name, Window(rows)))
    found = store.found(name, view.query, view.order, spot, rows, view.thread)
    beyond = found.beyond
    spots = [line.spot for line in found.lines[1:]] + ([beyond] if beyond else [])
    after = [f"{view.encode()}.{spelled(at)}" for at in spots]
    summaries = tuple(line.summary for line in found.lines)
    return Stretch(summaries, max(1, found.rank), found.count, after, all=not view.thread)


def _searched(visit: Visit, store: MailStore, number: int, first: int, rows: int) -> Stretch:
    refs = _find(visit, number)
    shown = refs[first - 1 : first - 1 + rows]
    summaries = store.summaries_of(shown)
    at = [first + shown.index(summary.ref) for summary in summaries[1:]]
    at += [first + len(shown)] if first + len(shown) <= len(refs) else []
    return Stretch(summaries, first, len(refs), [f"{_SEARCH}{number}.{row}" for row in at])


def _arrived(listing: Listing) -> Stretch:
    summaries = listing.summaries
    first = listing.exists - listing.top + 1
    # A rank is enough to begin a page; whose it was is known for those that are shown.
    ranks = [Spot(first + at, row.ref.uid) for at, row in enumerate(summaries[1:], 1)]
    ranks += [Spot(first + len(summaries))] if first + len(summaries) <= listing.exists else []
    after = [f"{View().encode()}.{spelled(spot)}" for spot in ranks]
    return Stretch(summaries, first, listing.exists, after)


def following(visit: Visit, store: MailStore, here: Here, ref: MessageRef) -> tuple[MessageRef, str] | None:
    """Name the message after one of a list, with the origin under which the list shows it; None at the list's end.

    Raise LookupError for a message that is not where it was in the list.
    """
    kind, _place = here.parted()
    if not kind.startswith(_SEARCH) and View.decode(kind).filter == views.UNREAD:
        # What was opened is not among the unread ones any more.
        found = store.neighbour(ref, older=True, unread=True)
        return (found, here.origin) if found is not None else None
    shown = stretch(visit, store, here)
    refs = [summary.ref for summary in shown.summaries]
    if ref not in refs:
        raise LookupError
    at = refs.index(ref) + 1
    if at < len(refs):
        return refs[at], here.origin
    if len(shown.after) < len(refs):
        return None
    more = stretch(visit, store, Here(here.number, shown.after[-1]))
    return (more.summaries[0].ref, shown.after[-1]) if more.summaries else None


def everything(visit: Visit, store: MailStore, here: Here, most: int) -> tuple[MessageRef, ...]:
    """Name all that a list finds, the newest `most` of it."""
    number, (kind, _place) = here.number, here.parted()
    if kind.startswith(_SEARCH):
        return _find(visit, int(kind[1:]))[:most]
    if number is None:
        raise BadRequest("a list of which mailbox")
    name = visit.mailbox(number)[0]
    view = View.decode(kind) if kind else View()
    if view.filter:
        return store.search(view.query, [name]).refs[:most]
    return store.newest(name, most)


def _find(visit: Visit, number: int) -> tuple[MessageRef, ...]:
    find = finds.get(visit, number)
    if find is None:
        raise BadRequest("a search that is not kept any more")
    return tuple(find.refs)


def show_list(visit: Visit, here: Here, sentence: str = "") -> Response:
    """Show a page of a list under a sentence."""
    number, (kind, place) = here.number, here.parted()
    if kind.startswith(_SEARCH):
        return search.results(int(kind[1:]), int(place or "1"), sentence)
    if number is None:
        raise BadRequest("a list of which mailbox")
    name = visit.mailbox(number)[0]
    if not kind:
        return show(name, here.top or None, sentence)
    view = View.decode(kind)
    if view == View(Order.ARRIVAL) and not place:
        return show_view(visit, name, view, sentence=sentence)
    return show_view(visit, name, view, views.spot_of(place) if place else FIRST, sentence=sentence)
