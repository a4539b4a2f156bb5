"""The list from which a page was opened: its rows, all its messages, and the page itself under a sentence.

Nothing here may show a list other than the original one: a short code in the address (see `visit`) names a view of a
mailbox with a position in it, or a search with a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask import Response

from gateway.addresses import Origin
from gateway.errors import BadRequest
from gateway.store.base import FIRST, Listing, ListPosition, MailStore, MessageRef, Summary, Window
from gateway.web.mailbox import list_views, search, search_history
from gateway.web.mailbox.list_views import ListView, position_code
from gateway.web.mailbox.mailbox_list import show, show_view
from gateway.web.request.visit import ORIGIN, Visit

#: The query parameter with the sequence number at which a page of a mailbox starts.
TOP = "top"


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of a list: mailbox `number` (None: several), from sequence number `top`, or as its `origin` says."""

    number: int | None
    origin: str = ""
    top: int = 0

    @property
    def arguments(self) -> dict[str, object]:
        """The page as parameters of an address."""
        own: dict[str, object] = {} if self.number is None else {"number": self.number}
        return own | ({ORIGIN: self.origin} if self.origin else {}) | ({TOP: self.top} if self.top else {})

    @property
    def list(self) -> Origin:
        """The decoded origin. Raise BadRequest if it is invalid."""
        return Origin.decode(self.origin)


@dataclass(frozen=True, slots=True)
class ListRows:
    """The rows of a page of a list. `first`: rank of the first; `count`: of the whole list.

    `after`: the origins of pages that start with the second row, the third …, and after the last one; `before`: of the
    page that ends before the first row, "" at the beginning. `all`: all messages of the list can be named.
    """

    summaries: tuple[Summary, ...]
    first: int
    count: int
    after: Sequence[str]
    before: str = ""
    all: bool = True


def list_rows(visit: Visit, store: MailStore, list_page: ListPage) -> ListRows:
    """Fetch the rows of a page of a list again. Raise MailboxGone."""
    number, origin = list_page.number, list_page.list
    rows = visit.device.rows
    if origin.search:
        return _search_rows(visit, store, origin, rows)
    if number is None:
        raise BadRequest("a list of which mailbox")
    name = visit.mailbox(number)[0]
    if top := list_page.top or origin.top:
        return _rows_by_arrival(store.summaries(name, Window(rows, top)))
    view = ListView.of(origin.view) if origin.view else list_views.usual_view(visit, name)
    position = ListPosition(*origin.position) if origin.position else FIRST
    if view.is_plain and position == FIRST:
        return _rows_by_arrival(store.summaries(name, Window(rows)))
    found = store.found(name, view.query, view.order, position, rows, view.thread)
    beyond = found.beyond
    positions = [line.position for line in found.lines[1:]] + ([beyond] if beyond else [])
    after = [_position_origin(view, at) for at in positions]
    summaries = tuple(line.summary for line in found.lines)
    before = _before(view, found.lines[0].position) if found.rank > 1 else ""
    return ListRows(summaries, max(1, found.rank), found.count, after, before, all=not view.thread)


def _before(view: ListView, position: ListPosition) -> str:
    return _position_origin(view, replace(position, before=True))


def _position_origin(view: ListView, position: ListPosition) -> str:
    return Origin(view=view.code, position=position_code(position)).encode()


def _search_rows(visit: Visit, store: MailStore, origin: Origin, rows: int) -> ListRows:
    refs, first = _search_refs(visit, origin.search), origin.row
    shown = refs[first - 1 : first - 1 + rows]
    summaries = store.summaries_of(shown)
    at = [first + shown.index(summary.ref) for summary in summaries[1:]]
    at += [first + len(shown)] if first + len(shown) <= len(refs) else []
    before = origin._replace(row=max(1, first - rows)).encode() if first > 1 else ""
    return ListRows(summaries, first, len(refs), [origin._replace(row=row).encode() for row in at], before)


def _rows_by_arrival(listing: Listing) -> ListRows:
    summaries = listing.summaries
    first = listing.exists - listing.top + 1
    # A rank is enough to start a page; the UIDs of the shown messages are also known.
    ranks = [ListPosition(first + at, row.ref.uid) for at, row in enumerate(summaries[1:], 1)]
    ranks += [ListPosition(first + len(summaries))] if first + len(summaries) <= listing.exists else []
    after = [_position_origin(ListView(), position) for position in ranks]
    top = ListPosition(first, summaries[0].ref.uid) if summaries and first > 1 else None
    return ListRows(summaries, first, listing.exists, after, _before(ListView(), top) if top else "")


def next_message(
    visit: Visit, store: MailStore, list_page: ListPage, ref: MessageRef, older: bool = True
) -> tuple[MessageRef, str] | None:
    """Return the next (or previous) message of a list, and the origin of the page that shows it; None at its end.

    Raise LookupError if the message is not where it was in the list.
    """
    view = list_page.list.view
    if view and view.filter == list_views.UNREAD:
        # A message that was opened is no longer unread.
        found = store.neighbour(ref, older=older, unread=True)
        return (found, list_page.origin) if found is not None else None
    shown = list_rows(visit, store, list_page)
    refs = [summary.ref for summary in shown.summaries]
    if ref not in refs:
        raise LookupError
    at = refs.index(ref) + (1 if older else -1)
    if 0 <= at < len(refs):
        return refs[at], list_page.origin
    turned = shown.before
    if older:
        turned = shown.after[-1] if len(shown.after) == len(refs) else ""
    more = list_rows(visit, store, ListPage(list_page.number, turned)).summaries if turned else ()
    return (more[0 if older else -1].ref, turned) if more else None


def all_messages(visit: Visit, store: MailStore, list_page: ListPage, most: int) -> tuple[MessageRef, ...]:
    """Return all messages of a list, the newest `most` of them."""
    number, origin = list_page.number, list_page.list
    if origin.search:
        return _search_refs(visit, origin.search)[:most]
    if number is None:
        raise BadRequest("a list of which mailbox")
    name = visit.mailbox(number)[0]
    view = ListView.of(origin.view) if origin.view else ListView()
    if view.filter:
        return store.search(view.query, [name]).refs[:most]
    return store.newest(name, most)


def _search_refs(visit: Visit, number: int) -> tuple[MessageRef, ...]:
    find = search_history.get(visit, number)
    if find is None:
        raise BadRequest("a search that is not kept any more")
    return tuple(find.refs)


def show_list(visit: Visit, list_page: ListPage, sentence: str = "") -> Response:
    """Show a page of a list under a sentence."""
    number, origin = list_page.number, list_page.list
    if origin.search:
        return search.results(origin.search, origin.row, sentence)
    if number is None:
        raise BadRequest("a list of which mailbox")
    name = visit.mailbox(number)[0]
    if origin.view is None:
        return show(name, list_page.top or origin.top or None, sentence)
    position = ListPosition(*origin.position) if origin.position else FIRST
    return show_view(visit, name, ListView.of(origin.view), position, sentence=sentence)
