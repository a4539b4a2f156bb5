"""Which list of a mailbox a person looks at: its order, its filter, one thread of it; and what of that is remembered.

Nothing here may fetch or show a list. A view and a place in it are short words in an address: `su` is by subject,
unread only; `10-4711` is the tenth line, which was UID 4711. The order is remembered for each mailbox; a filter is not,
since a mailbox that hides mail is taken for an empty one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gateway.errors import BadRequest
from gateway.message.query import Query, flag
from gateway.store.base import Order, Spot
from gateway.store.response import MAX_NUMBER
from gateway.web.visit import Visit


def _(msgid: str) -> str:
    return msgid


#: The kind in the account's memory under which an order is kept, by the mark of the mailbox's name.
SORT: Final = "sort"
#: Mailboxes whose order is remembered.
MOST_KEPT: Final = 200
#: Lines of a list, whatever an address says.
HIGHEST_RANK: Final = 10**8

UNREAD, FLAGGED, ALL = "u", "g", ""
#: Filter -> label, what it finds, and what a list that is filtered says.
FILTERS: Final = {
    ALL: (_("All"), Query(), ""),
    UNREAD: (_("Unread"), flag("unread"), _("unread only")),
    FLAGGED: (_("Flagged"), flag("flagged"), _("flagged only")),
}
#: Letter -> order, label, and what a list in this order says.
ORDERS: Final = {
    "a": (Order.ARRIVAL, _("Arrival"), ""),
    "d": (Order.DATE, _("Date"), _("by date")),
    "f": (Order.SENDER, _("Sender"), _("by sender")),
    "s": (Order.SUBJECT, _("Subject"), _("by subject")),
    "z": (Order.SIZE, _("Size"), _("by size")),
    "n": (Order.UNREAD, _("Unread first"), _("unread first")),
    "t": (Order.THREADS, _("Threads"), _("threads")),
}
_LETTERS: Final = {order: letter for letter, (order, _label, _note) in ORDERS.items()}

VIEW_PATTERN: Final = r"[adfsznt][ug]?(?:[1-9][0-9]{0,9})?"
SPOT_PATTERN: Final = r"[1-9][0-9]{0,8}-[0-9]{1,10}s?p?"
_VIEW: Final = re.compile(r"([adfsznt])([ug]?)([1-9][0-9]{0,9})?\Z", re.ASCII)
_SPOT: Final = re.compile(r"([1-9][0-9]{0,8})-([0-9]{1,10})(s?)(p?)\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class View:
    """An order, a filter, and of threads the one that holds the UID `thread`."""

    order: Order = Order.ARRIVAL
    filter: str = ALL
    thread: int = 0

    @classmethod
    def decode(cls, text: str) -> View:
        """Read a view out of an address. Raise BadRequest."""
        found = _VIEW.match(text)
        thread = int(found[3] or 0) if found else 0
        if not found or thread > MAX_NUMBER or (thread and found[1] != "t"):
            raise BadRequest("view")
        return cls(ORDERS[found[1]][0], found[2], thread)

    def encode(self) -> str:
        return _LETTERS[self.order] + self.filter + (str(self.thread) if self.thread else "")

    @property
    def is_plain(self) -> bool:
        """Tell whether this is the mailbox as it is: everything, by arrival."""
        return self.order is Order.ARRIVAL and not self.filter

    @property
    def query(self) -> Query:
        return FILTERS[self.filter][1]

    @property
    def notes(self) -> tuple[str, ...]:
        """Say, in msgids, how the list differs from the mailbox as it is."""
        order = _("one thread") if self.thread else ORDERS[_LETTERS[self.order]][2]
        return tuple(note for note in (order, FILTERS[self.filter][2]) if note)


def spot_of(text: str) -> Spot:
    """Read a place out of an address. Raise BadRequest."""
    found = _SPOT.match(text)
    if not found or int(found[2]) > MAX_NUMBER:
        raise BadRequest("place in a list")
    return Spot(min(int(found[1]), HIGHEST_RANK), int(found[2]), bool(found[4]), int(bool(found[3])))


def spelled(spot: Spot) -> str:
    """Write a place as it stands in an address."""
    return f"{spot.rank}-{spot.uid}{'s' * bool(spot.part)}{'p' * spot.before}"


def usual(visit: Visit, mailbox: str) -> View:
    """Return how a person looks at a mailbox: as they last chose there, else as their settings say."""
    memory = visit.signed_in.memory
    kept = memory.get(SORT, memory.mark(mailbox)) or {}
    known = {order.value: order for order in Order}
    return View(known.get(str(kept.get("order"))) or known.get(visit.profile.sort, Order.ARRIVAL))


def remember(visit: Visit, mailbox: str, order: Order) -> None:
    """Remember in which order a person looks at a mailbox."""
    memory = visit.signed_in.memory
    memory.put(SORT, memory.mark(mailbox), {"order": order.value}, MOST_KEPT)


def label(order: Order) -> str:
    """Name an order, as a msgid."""
    return ORDERS[_LETTERS[order]][1]
