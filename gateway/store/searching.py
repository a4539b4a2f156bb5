"""Searching one mailbox or all of them: the part of the store that looks into mail it has not been shown.

Nothing here may take long, whatever is searched: the newest messages are looked at first, a stretch of each mailbox at
a time, until enough is found or time is up; Hits says how far that was. Mailboxes are opened for reading only.
Standard: RFC 9051 §6.4.4 (SEARCH, BADCHARSET), §6.3.3 (EXAMINE); RFC 7377 (MULTISEARCH); RFC 4731 (ESEARCH).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from gateway.errors import CannotSearch, StoreRefused
from gateway.message.query import Query
from gateway.store import criteria, response
from gateway.store.base import MOST_HITS, Hits, MessageRef
from gateway.store.criteria import Spoken
from gateway.store.exchange import refusal
from gateway.store.finding import Finding
from gateway.store.opening import mailbox_name
from gateway.store.response import Malformed, Reply, number, octets

#: Messages that one write has searched: where their bodies must be read, and where an index will do. Even a server
#: without an index reads a thousand bodies a second.
DEEP_STRETCH: Final = 5_000
FLAT_STRETCH: Final = 50_000
#: Seconds after which no further stretch is begun.
SECONDS: Final = 15.0
#: Mailboxes that are searched at most.
MOST_MAILBOXES: Final = 200
#: Messages whose dates are asked for to put what several mailboxes hold in one order; at least so many of each.
MOST_DATED: Final = 1_000
LEAST_DATED: Final = 20
#: Ways of saying a query that are tried: in UTF-8, in a charset of the server's, in ASCII.
MOST_CHARSETS: Final = 3
#: Numbers in one command: servers take lines of 8,000 octets (RFC 9051 §4.1).
NUMBERS_IN_A_COMMAND: Final = 600

_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Place:
    """One mailbox: how many messages it has, up to which number it is not searched yet, and what was found."""

    name: str
    total: int
    left: int
    uidvalidity: int = 0
    uids: list[int] = field(default_factory=list)
    closed: bool = False


@dataclass(frozen=True, slots=True)
class _Stretch:
    place: _Place
    low: int
    high: int

    @property
    def range(self) -> bytes:
        """Say which messages, and nothing of all. QUIRK: pymap 0.36 takes the numbers in UID SEARCH for UIDs."""
        whole = self.low == 1 and self.high == self.place.total
        return b"" if whole else b"%d:%d " % (self.low, self.high)


class Searching(Finding):
    """Searches mailboxes."""

    def search(self, query: Query, mailboxes: Sequence[str], seconds: float = SECONDS) -> Hits:
        """Search mailboxes, the newest messages first, within a bounded time."""
        until = time.monotonic() + seconds
        names = list(dict.fromkeys(mailboxes))
        said = (query, criteria.UTF_8)
        try:
            places = self._places(query, names[:MOST_MAILBOXES])
            for batch in _batches(places, DEEP_STRETCH if criteria.is_deep(query) else FLAT_STRETCH):
                said = self._look(batch, query, said)
                if sum(len(place.uids) for place in places) >= MOST_HITS or time.monotonic() >= until:
                    break
            refs = self._merged([place for place in places if place.uids])
        finally:
            if len(names) > 1:
                self._selected = None
        closed = [place for place in places if place.closed]
        if closed and len(closed) == len(names):
            raise StoreRefused("no mailbox could be searched")
        total = sum(place.total for place in places if not place.closed)
        return Hits(
            refs=tuple(refs),
            count=sum(len(place.uids) for place in places),
            searched=total - sum(place.left for place in places if not place.closed),
            total=total,
            unsure=query.is_approximate or said[0] != query,
            skipped=len(closed) + max(0, len(names) - MOST_MAILBOXES),
        )

    # --- where ---

    def _places(self, query: Query, names: Sequence[str]) -> list[_Place]:
        """Learn how much there is to search in each mailbox."""
        if len(names) == 1:
            self._freshen(names[0])
            return [_Place(names[0], self._exists, self._exists, self._uidvalidity)]
        self._selected = None
        names = self._holding(query, names)
        asked = [b"STATUS " + self._argument(name) + b" (MESSAGES)" for name in names]
        places = []
        for name, reply in zip(names, self._run(*asked), strict=True):
            total = next((n for line in reply.untagged if (n := _messages(line)) is not None), 0)
            places.append(_Place(name, total, total, closed=not reply.ok))
        return places

    def _holding(self, query: Query, names: Sequence[str]) -> Sequence[str]:
        """Leave out the mailboxes of which the server says at once that nothing is found in them (MULTISEARCH)."""
        if not self._has("MULTISEARCH") or criteria.needs_charset(query) or criteria.is_deep(query):
            return names
        listed = b" ".join(self._argument(name) for name in names)
        asked = criteria.join(
            b"ESEARCH IN (mailboxes (" + listed + b")) RETURN (COUNT) ", criteria.keys(query)
        )
        (reply,) = self._speak([asked])
        if not reply.ok:
            return names
        return [name for name in names if name in self._counted(reply)]

    def _counted(self, reply: Reply) -> set[str]:
        found: set[str] = set()
        for line in reply.untagged:
            if line.kind == "ESEARCH":
                with suppress(Malformed):
                    named = next((v for v in line.values() if isinstance(v, tuple)), ())
                    pairs = zip(named[::2], named[1::2], strict=False)
                    found.update(
                        mailbox_name(octets(value), self._utf8)
                        for name, value in pairs
                        if octets(name).upper() == b"MAILBOX"
                    )
        return found

    # --- what ---

    def _look(self, batch: Sequence[_Stretch], query: Query, said: tuple[Query, str]) -> tuple[Query, str]:
        """Search some stretches, said as before or as the server wants it; and return how it was said."""
        for _attempt in range(MOST_CHARSETS):
            offered = self._look_once(batch, *said)
            if offered is None:
                return said
            # What it has refused although it offers it, it is not offered again.
            said = criteria.within(query, offered if said[0] == query and said[1] == criteria.UTF_8 else ())
        raise CannotSearch("every charset refused")

    def _look_once(self, batch: Sequence[_Stretch], query: Query, charset: str) -> tuple[str, ...] | None:
        """Search some stretches in one write; or return which charsets there are, where ours is none of them."""
        keys = criteria.keys(query, charset, self._utf8)
        said = criteria.needs_charset(query) and not self._utf8
        how = (b"RETURN (ALL) " if self._has("ESEARCH", "IMAP4REV2") else b"") + (
            b"CHARSET %b " % charset.upper().encode("ascii") if said else b""
        )
        commands: list[Spoken] = []
        for stretch in batch:
            if stretch.place.name != self._selected:
                commands.append((b"EXAMINE " + self._argument(stretch.place.name),))
            commands.append(criteria.join(b"UID SEARCH " + how + stretch.range, keys))
        replies = iter(self._speak(commands))
        for stretch in batch:
            place = stretch.place
            opened = next(replies) if place.name != self._selected else None
            reply = next(replies)
            offered = criteria.charsets(reply)
            if offered is not None:
                return offered
            if opened is not None:
                place.uidvalidity = _uidvalidity(opened) or place.uidvalidity
            if reply.ok and (opened is None or opened.ok):
                place.uids += sorted(set(criteria.numbers(reply)), reverse=True)
                place.left = stretch.low - 1
            elif opened is None:
                raise refusal(reply)
            else:
                place.closed = True
        return None

    # --- in which order ---

    def _merged(self, places: Sequence[_Place]) -> Iterable[MessageRef]:
        """Put what several mailboxes hold in one order, the newest first."""
        if len(places) < 2:
            return [ref for place in places for ref in _refs(place, MOST_HITS)]
        each = max(LEAST_DATED, MOST_DATED // len(places))
        commands: list[bytes] = []
        wanted = [(place, _refs(place, min(each, NUMBERS_IN_A_COMMAND))) for place in places]
        for place, refs in wanted:
            uids = response.number_set(ref.uid for ref in refs)
            commands += [
                b"EXAMINE " + self._argument(place.name),
                b"UID FETCH " + uids + b" (UID INTERNALDATE)",
            ]
        self._selected = None
        replies = self._run(*commands)
        dated: list[tuple[datetime, MessageRef]] = []
        for (_place, refs), reply in zip(wanted, replies[1::2], strict=True):
            dates = dict(_dates(reply))
            dated += [(dates.get(ref.uid, _LONG_AGO), ref) for ref in refs]
        dated.sort(key=lambda pair: pair[0], reverse=True)
        return [ref for _date, ref in dated[:MOST_HITS]]


def _batches(places: Sequence[_Place], size: int) -> Iterator[list[_Stretch]]:
    """Cut mailboxes into stretches, the newest of each first, and pack what is `size` messages together."""
    while waiting := [place for place in places if place.left and not place.closed]:
        batch: list[_Stretch] = []
        room = size
        for place in waiting:
            low = max(1, place.left - size + 1)
            if batch and place.left - low + 1 > room:
                yield batch
                batch, room = [], size
            batch.append(_Stretch(place, low, place.left))
            room -= place.left - low + 1
        yield batch


def _refs(place: _Place, most: int) -> list[MessageRef]:
    return [MessageRef(place.name, place.uidvalidity, uid) for uid in place.uids[:most]]


def _messages(line: response.Untagged) -> int | None:
    if line.kind == "STATUS":
        with suppress(Malformed):
            return number(line.items().get(b"MESSAGES"))
    return None


def _uidvalidity(reply: Reply) -> int | None:
    for line in reply.untagged:
        if line.kind == "OK" and line.status.code == "UIDVALIDITY":
            return response.numeral(line.status.argument)
    return None


def _dates(reply: Reply) -> Iterator[tuple[int, datetime]]:
    for line in reply.untagged:
        if line.kind == "FETCH":
            with suppress(Malformed):
                row = line.items()
                when = response.moment(row.get(b"INTERNALDATE"))
                if when is not None:
                    yield number(row.get(b"UID")), when
