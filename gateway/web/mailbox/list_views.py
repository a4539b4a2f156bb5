"""Views of a mailbox: order, filter, or one thread; and the order remembered for each mailbox.

Nothing here may fetch or show a list; `addresses` encodes a view. A filter is not remembered, since a mailbox that
hides mail would be mistaken for an empty one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.addresses import ListPositionCode, ViewCode
from gateway.message.query import Query, flag
from gateway.state import optional
from gateway.store.abilities import Order
from gateway.store.base import ListPosition
from gateway.web.request.visit import Visit


def _(msgid: str) -> str:
    return msgid


#: The kind under which the account memory keeps an order, by the mark of the mailbox name.
SORT: Final = "sort"
#: Maximum number of mailboxes whose order is remembered.
MOST_KEPT: Final = 200
#: The kind under which the account memory keeps, by the same mark, until when a mailbox counts as having mail that was
#: put back; and for how many seconds: by then later mail covers it.
PUT_BACK: Final = "back"
_A_DAY: Final = 86_400.0
PUT_BACK_SECONDS: Final = 7 * _A_DAY

UNREAD, FLAGGED, ALL = "u", "g", ""
#: Filter -> label, query, and the note on a filtered list.
FILTERS: Final = {
    ALL: (_("All"), Query(), ""),
    UNREAD: (_("Unread"), flag("unread"), _("unread only")),
    FLAGGED: (_("Flagged"), flag("flagged"), _("flagged only")),
}
#: Letter -> order, label, and the note on a list in this order.
ORDERS: Final = {
    "a": (Order.ARRIVAL, _("Arrival"), ""),
    "d": (Order.DATE, _("Date"), _("by date")),
    "f": (Order.SENDER, _("Sender"), _("by sender")),
    "s": (Order.SUBJECT, _("Subject"), _("by subject")),
    "z": (Order.SIZE, _("Size"), _("by size")),
    "n": (Order.UNREAD, _("Unread first"), _("unread first")),
    "t": (Order.THREADS, _("Threads"), _("threads")),
    "r": (Order.RECEIVED, _("Arrival"), ""),
}
#: The orders that people choose from, with their labels.
CHOICES: Final = tuple(
    (order, label) for order, label, _note in ORDERS.values() if order is not Order.RECEIVED
)
_LETTERS: Final = {order: letter for letter, (order, _label, _note) in ORDERS.items()}


@dataclass(frozen=True, slots=True)
class ListView:
    """An order, a filter, and optionally the UID of a message whose thread is shown."""

    order: Order = Order.ARRIVAL
    filter: str = ALL
    thread: int = 0

    @classmethod
    def of(cls, code: ViewCode) -> ListView:
        """Decode the view in an address."""
        return cls(ORDERS[code.order][0], code.filter, code.thread)

    @property
    def code(self) -> ViewCode:
        """The view encoded for an address."""
        return ViewCode(_LETTERS[self.order], self.filter, self.thread)

    @property
    def is_plain(self) -> bool:
        """Whether the view shows the whole mailbox by arrival."""
        return self.order is Order.ARRIVAL and not self.filter

    @property
    def query(self) -> Query:
        return FILTERS[self.filter][1]

    @property
    def notes(self) -> tuple[str, ...]:
        """The msgids of notes on how the list differs from the whole mailbox by arrival."""
        order = _("one thread") if self.thread else ORDERS[_LETTERS[self.order]][2]
        return tuple(note for note in (order, FILTERS[self.filter][2]) if note)


def position_code(position: ListPosition) -> ListPositionCode:
    """Encode a list position for an address."""
    return ListPositionCode(position.rank, position.uid, position.before, position.part)


def usual_view(visit: Visit, mailbox: str) -> ListView:
    """Return the usual view of a mailbox, in the order chosen for it."""
    return exact_view(visit, mailbox, ListView(usual_order(visit, mailbox)))


def usual_order(visit: Visit, mailbox: str) -> Order:
    """Return the order of a mailbox: the one last chosen for it, or else the one in the settings."""
    memory = visit.signed_in.memory
    kept = memory.get(SORT, memory.mark(mailbox)) or {}
    known = {order.value: order for order, _label in CHOICES}
    return known.get(str(kept.get("order"))) or known.get(visit.profile.sort, Order.ARRIVAL)


def exact_view(visit: Visit, mailbox: str, view: ListView) -> ListView:
    """Return a view in which mail that was put back is where it was before: by arrival, for a while, if possible.

    Moving it back gave it the highest number of all. Sorting costs two more round trips, so it is done only where, and
    while, that matters.
    """
    session = visit.signed_in
    if not view.is_plain or Order.RECEIVED not in session.last_seen_can.orders:
        return view
    kept = session.memory.get(PUT_BACK, session.memory.mark(mailbox)) or {}
    return ListView(Order.RECEIVED) if session.now() < kept.get("until", 0) else view


def remember_put_back(visit: Visit, mailbox: str) -> None:
    """Remember that mail was put back into a mailbox; a repeat within a day changes nothing."""
    session = visit.signed_in
    memory, until = session.memory, session.now() + PUT_BACK_SECONDS
    with optional("where mail was put back"):
        kept = memory.get(PUT_BACK, memory.mark(mailbox)) or {}
        if kept.get("until", 0) < until - _A_DAY:
            memory.put(PUT_BACK, memory.mark(mailbox), {"until": until}, MOST_KEPT)


def remember_order(visit: Visit, mailbox: str, order: Order) -> None:
    """Remember the order chosen for a mailbox."""
    memory = visit.signed_in.memory
    memory.put(SORT, memory.mark(mailbox), {"order": order.value}, MOST_KEPT)
