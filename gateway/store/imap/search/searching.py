"""The part of the store that searches one mailbox or all of them.

Nothing here may take long, whatever is searched: the newest messages are searched first, a range of each mailbox at a
time, until there are enough hits or time is up; SearchResult says how far the search got. Mailboxes are opened
read-only.

Standard: RFC 9051 §6.4.4 (SEARCH, BADCHARSET), §6.3.3 (EXAMINE); RFC 7377 (MULTISEARCH); RFC 4731 (ESEARCH);
RFC 8474 (EMAILID); https://developers.google.com/workspace/gmail/imap/imap-extensions (X-GM-MSGID).
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from gateway.errors import CannotSearch, CannotSearchAtAll, NotSupported, StoreRefused
from gateway.message.query import Query
from gateway.store.base import DELETED, MOST_HITS, MessageRef, SearchResult
from gateway.store.imap import response
from gateway.store.imap.features import Feature, refused
from gateway.store.imap.fetched import FetchItems, flags_of, messages, rows_of
from gateway.store.imap.opening import mailbox_name
from gateway.store.imap.response import CommandResponse, ImapSyntaxError, number, octets
from gateway.store.imap.search import criteria
from gateway.store.imap.search.criteria import CommandParts
from gateway.store.imap.search.finding import Finding

#: Messages searched by one write: if bodies have to be read, and if an index is enough. Even a server without an index
#: reads a thousand bodies a second.
DEEP_STRETCH: Final = 5_000
FLAT_STRETCH: Final = 50_000
#: Seconds after which no further range is begun; the current one ends within the request's deadline.
SECONDS: Final = 10.0
#: The most mailboxes that are searched.
MOST_MAILBOXES: Final = 200
#: Messages whose dates are fetched to merge the hits of several mailboxes; at least this many of each.
MOST_DATED: Final = 1_000
LEAST_DATED: Final = 20
#: Forms of a query that are tried: in UTF-8, in a charset of the server's, in ASCII.
MOST_CHARSETS: Final = 3
#: Numbers in one command: servers accept lines of 8,000 octets (RFC 9051 §4.1).
NUMBERS_IN_A_COMMAND: Final = 600

#: Octets of a Message-ID field that are compared.
MESSAGE_ID_OCTETS: Final = 1024

_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Place:
    """One mailbox: how many messages it has, the number up to which it is still to be searched, and what was found."""

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
        """Return the search key of a range; empty for everything.

        QUIRK: pymap 0.36 takes the numbers in UID SEARCH for UIDs.
        """
        whole = self.low == 1 and self.high == self.place.total
        return b"" if whole else b"%d:%d " % (self.low, self.high)


class Searching(Finding):
    """Searches mailboxes."""

    def search(self, query: Query, mailboxes: Sequence[str], seconds: float = SECONDS) -> SearchResult:
        """Search mailboxes, the newest messages first, in bounded time."""
        until = time.monotonic() + seconds
        names = list(dict.fromkeys(mailboxes))
        said = self._first_form(query)
        try:
            places = self._places(query, names[:MOST_MAILBOXES])
            for batch in _batches(places, DEEP_STRETCH if criteria.is_deep(query) else FLAT_STRETCH):
                said = self._look(batch, query, said)
                if sum(len(place.uids) for place in places) >= MOST_HITS or time.monotonic() >= until:
                    break
            refs, twice = self._merged([place for place in places if place.uids])
        finally:
            if len(names) > 1:
                self._selected = None
        closed = [place for place in places if place.closed]
        if closed and len(closed) == len(names):
            raise StoreRefused("no mailbox could be searched")
        total = sum(place.total for place in places if not place.closed)
        return SearchResult(
            refs=tuple(refs),
            count=sum(len(place.uids) for place in places) - twice,
            searched=total - sum(place.left for place in places if not place.closed),
            total=total,
            unsure=query.is_approximate or said[0] != query,
            skipped=len(closed) + max(0, len(names) - MOST_MAILBOXES),
        )

    # --- mailboxes ---

    def _places(self, query: Query, names: Sequence[str]) -> list[_Place]:
        """Learn how much there is to search in each mailbox."""
        if len(names) == 1:
            self._enter_anew(names[0])
            return [_Place(names[0], self._exists, self._exists, self._uidvalidity)]
        self._selected = None
        names = self._holding(query, names)
        asked = [b"STATUS " + self._argument(name) + b" (MESSAGES)" for name in names]
        places = []
        for name, reply in zip(names, self._run(*asked), strict=True):
            total = messages([reply]) or 0
            places.append(_Place(name, total, total, closed=not reply.ok))
        return places

    def _holding(self, query: Query, names: Sequence[str]) -> Sequence[str]:
        """Drop the mailboxes in which the server immediately finds nothing (MULTISEARCH)."""
        if not self._offers(Feature.MULTI_SEARCH) or criteria.needs_charset(query) or criteria.is_deep(query):
            return names
        listed = b" ".join(self._argument(name) for name in names)
        asked = criteria.join(
            b"ESEARCH IN (mailboxes (" + listed + b")) RETURN (COUNT) ", criteria.keys(query)
        )
        (reply,) = self._speak([asked])
        if not reply.ok:
            if isinstance(error := refused(reply), NotSupported):
                self._refusals.add(Feature.MULTI_SEARCH, error.for_anyone)
            return names
        return [name for name in names if name in self._counted(reply)]

    def _counted(self, reply: CommandResponse) -> set[str]:
        found: set[str] = set()
        for line in reply.untagged:
            if line.kind == "ESEARCH":
                with suppress(ImapSyntaxError):
                    named = next((v for v in line.values() if isinstance(v, tuple)), ())
                    pairs = zip(named[::2], named[1::2], strict=False)
                    found.update(
                        mailbox_name(octets(value), self._utf8)
                        for name, value in pairs
                        if octets(name).upper() == b"MAILBOX"
                    )
        return found

    # --- queries ---

    def _first_form(self, query: Query) -> tuple[Query, str]:
        """Return the query in the charset to begin with."""
        if criteria.needs_charset(query) and not self._utf8 and not self._offers(Feature.SEARCH_CHARSET):
            return criteria.in_charset(query, ())
        return query, criteria.UTF_8

    def _look(self, batch: Sequence[_Stretch], query: Query, said: tuple[Query, str]) -> tuple[Query, str]:
        """Search some ranges, with the query in its last form or another that the server accepts; return that form."""
        for _attempt in range(MOST_CHARSETS):
            offered = self._look_in(batch, *said)
            if offered is None:
                return said
            # A charset that it announced but refused is not tried again.
            said = criteria.in_charset(
                query, offered if said[0] == query and said[1] == criteria.UTF_8 else ()
            )
        raise CannotSearch("every charset refused")

    def _look_in(self, batch: Sequence[_Stretch], query: Query, charset: str) -> tuple[str, ...] | None:
        """Search some ranges; if our charset is refused, return the server's charsets."""
        try:
            return self._best(
                (Feature.EXTENDED_SEARCH, lambda: self._look_once(batch, query, charset, extended=True)),
                (Feature.SEARCH, lambda: self._look_once(batch, query, charset, extended=False)),
            )
        except NotSupported as error:
            if not criteria.needs_charset(query) or self._utf8:
                self._doubt_search(error)
                raise
            # It may be the charset, though the server does not say so.
            self._refusals.add(Feature.SEARCH_CHARSET)
            return ()

    def _doubt_search(self, error: NotSupported) -> None:
        """Find out whether the server refuses to search at all, or only what a person typed."""
        (reply,) = self._run(b"UID SEARCH ALL")
        if not reply.ok and isinstance(refused(reply), NotSupported):
            self._refusals.add(Feature.SEARCH, error.for_anyone)
            raise CannotSearchAtAll(error.detail)

    def _look_once(
        self, batch: Sequence[_Stretch], query: Query, charset: str, extended: bool
    ) -> tuple[str, ...] | None:
        """Search some ranges in one write; if our charset is refused, return the server's charsets."""
        keys = criteria.keys(query, charset, self._utf8)
        said = criteria.needs_charset(query) and not self._utf8
        how = (b"RETURN (ALL) " if extended else b"") + (
            b"CHARSET %b " % charset.upper().encode("ascii") if said else b""
        )
        commands: list[CommandParts] = []
        for stretch in batch:
            if stretch.place.name != self._selected:
                commands.append((b"EXAMINE " + self._argument(stretch.place.name),))
            commands.append(criteria.join(b"UID SEARCH " + how + stretch.range, keys))
        replies = iter(self._speak(commands))
        found = [
            (
                stretch.place,
                stretch.low,
                next(replies) if stretch.place.name != self._selected else None,
                next(replies),
            )
            for stretch in batch
        ]
        for *_where, reply in found:
            offered = criteria.charsets(reply)
            if offered is not None:
                return offered
        errors = [
            None if reply.ok else refused(reply)
            for *_where, opened, reply in found
            if not opened or opened.ok
        ]
        if errors and all(isinstance(error, NotSupported) for error in errors):
            raise next(error for error in errors if error)
        for place, low, opened, reply in found:
            _take(place, low, opened, reply)
        return None

    # --- order ---

    def _merged(self, places: Sequence[_Place]) -> tuple[list[MessageRef], int]:
        """Merge the hits of several mailboxes, newest first, and return how many were found twice.

        A message that is in several mailboxes, such as under several labels at Gmail, is one hit: the first.
        """
        if len(places) < 2:
            return [ref for place in places for ref in _refs(place, MOST_HITS)], 0
        each = max(LEAST_DATED, MOST_DATED // len(places))
        wanted = [(place, _refs(place, min(each, NUMBERS_IN_A_COMMAND))) for place in places]
        replies = self._best(
            (Feature.HEADER_GROUPS, lambda: self._dated(wanted, b"<0.%d>" % MESSAGE_ID_OCTETS)),
            (None, lambda: self._dated(wanted, b"")),
        )
        hits: list[tuple[MessageRef, FetchItems]] = []
        for (_place, refs), reply in zip(wanted, replies, strict=True):
            rows = {number(row.get(b"UID")): row for row in rows_of(reply.untagged)}
            hits += [(ref, rows.get(ref.uid, {})) for ref in refs]
        once = _once(hits)
        once.sort(key=lambda hit: response.moment(hit[1].get(b"INTERNALDATE")) or _LONG_AGO, reverse=True)
        return [ref for ref, _row in once[:MOST_HITS]], len(hits) - len(once)

    def _dated(self, wanted: Sequence[tuple[_Place, list[MessageRef]]], cut: bytes) -> list[CommandResponse]:
        """Fetch what orders and identifies messages; `cut`: how long a header field is."""
        commands: list[bytes] = []
        for place, refs in wanted:
            uids = response.number_set(ref.uid for ref in refs)
            items = b" (UID FLAGS INTERNALDATE " + self._identity(cut) + b")"
            commands += [b"EXAMINE " + self._argument(place.name), b"UID FETCH " + uids + items]
        self._selected = None
        replies = self._run(*commands)[1::2]
        error = None if any(reply.ok for reply in replies) else refused(replies[0])
        if cut and isinstance(error, NotSupported):
            raise error
        return replies  # even without dates the hits are listed

    def _identity(self, cut: bytes) -> bytes:
        """The items that show whether two messages are the same: an id of the server's, or what is as good as that."""
        if "X-GM-EXT-1" in self._capabilities:
            return b"X-GM-MSGID"
        if "OBJECTID" in self._capabilities:
            return b"EMAILID"
        return b"RFC822.SIZE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]" + cut


def _once(hits: Sequence[tuple[MessageRef, FetchItems]]) -> list[tuple[MessageRef, FetchItems]]:
    """Keep one hit for each message that is in several mailboxes: the first, or the first that is not deleted."""
    kept: dict[Hashable, tuple[MessageRef, FetchItems]] = {}
    for ref, row in hits:
        same = _identity(row)
        key = same if same is not None else ref
        before, found = kept.get(key, (ref, row))
        if before.mailbox == ref.mailbox and before != ref:
            key = ref  # twice in one mailbox counts twice
        elif before != ref and not (DELETED in flags_of(found) and DELETED not in flags_of(row)):
            continue
        kept[key] = (ref, row)
    return list(kept.values())


def _identity(row: FetchItems) -> Hashable:
    """Return what two copies of a message have in common; None if nothing identifies them."""
    for name in (b"X-GM-MSGID", b"EMAILID"):
        if row.get(name) is not None:
            return name, row[name]
    header = next((octets(value) for name, value in row.items() if name.startswith(b"BODY[")), b"")
    message_id = header.partition(b":")[2].strip()
    return (message_id, number(row.get(b"RFC822.SIZE"))) if message_id else None


def _batches(places: Sequence[_Place], size: int) -> Iterator[list[_Stretch]]:
    """Split mailboxes into ranges, newest first, and group them to `size` messages."""
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


def _take(place: _Place, low: int, opened: CommandResponse | None, reply: CommandResponse) -> None:
    """Store what was found in a mailbox, down to a UID; a mailbox that could not be opened is closed."""
    if opened is not None:
        place.uidvalidity = _uidvalidity(opened) or place.uidvalidity
    if reply.ok and (opened is None or opened.ok):
        place.uids += sorted(set(criteria.numbers(reply)), reverse=True)
        place.left = low - 1
    elif opened is None:
        raise refused(reply)
    else:
        place.closed = True


def _uidvalidity(reply: CommandResponse) -> int | None:
    for line in reply.untagged:
        if line.kind == "OK" and line.status.code == "UIDVALIDITY":
            return response.numeral(line.status.argument)
    return None
