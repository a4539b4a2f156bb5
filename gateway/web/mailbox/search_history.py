"""Search results and favourites, as small encrypted values in the account memory.

Nothing here may show anything, and only message numbers and search queries are stored. The number of a search is never
reused; favourites are run anew each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from gateway.account.profile import FAVOURITES
from gateway.addresses import Origin
from gateway.message.query import Query, parse
from gateway.store.base import MessageRef
from gateway.web.request.visit import Visit

#: Kinds in the account memory.
SEARCH: Final = "search"
_COUNTER: Final = "searches"
#: How many searches keep their results for turning pages.
MOST_KEPT: Final = 12
MOST_FAVOURITES: Final = 20
#: Prefix of a favourite's key in the memory; a number follows.
_PREFIX: Final = "f"


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """One search and its results. `mailbox` is "" for all mailboxes; the other fields are those of SearchResult."""

    number: int
    words: str
    mailbox: str
    refs: Sequence[MessageRef] = ()
    count: int = 0
    searched: int = 0
    total: int = 0
    unsure: bool = False
    skipped: int = 0


def run_search(visit: Visit, words: str, mailbox: str) -> SavedSearch:
    """Search and save the results. Raise BadQuery or a StoreError."""
    query = parse_query(visit, words)
    with visit.signed_in.store() as store:
        names = (
            [mailbox]
            if mailbox
            else [folder.name for folder in store.folders(all=True, counted=slice(0)) if folder.open]
        )
        hits = store.search(query, names)
    memory = visit.signed_in.memory
    same = (
        int(name)
        for name, value in memory.all(SEARCH).items()
        if _asked(value) == (words, mailbox) and name.isdigit()
    )
    number = next(same, 0) or _next_number(visit)
    found = SavedSearch(
        number,
        words,
        mailbox,
        hits.refs,
        hits.count,
        hits.searched,
        hits.total,
        hits.unsure,
        hits.skipped,
    )
    memory.put(SEARCH, str(number), _value(visit, found), MOST_KEPT)
    return found


def parse_query(visit: Visit, words: str) -> Query:
    """Parse a typed query. Raise BadQuery."""
    return parse(words, visit.now.astimezone(visit.language.zone).date())


def get(visit: Visit, number: int) -> SavedSearch | None:
    """Return the results of a search; None if they are no longer kept."""
    value = visit.signed_in.memory.get(SEARCH, str(number))
    return _find(visit, number, value) if value is not None else None


def recent(visit: Visit) -> list[SavedSearch]:
    """Return recent searches, newest first, without favourites."""
    kept = {_asked(value) for value in visit.signed_in.memory.all(FAVOURITES).values()}
    found = reversed(visit.signed_in.memory.all(SEARCH).items())
    return [
        SavedSearch(int(name), *_asked(value))
        for name, value in found
        if name.isdigit() and _asked(value) not in kept
    ]


def neighbour(visit: Visit, ref: MessageRef, older: bool) -> MessageRef | None:
    """Return the next (or previous) message in the search results from which a message was opened."""
    found = opened_from(visit)
    if found is None or ref not in found.refs:
        return None
    at = found.refs.index(ref) + (1 if older else -1)
    return found.refs[at] if 0 <= at < len(found.refs) else None


def opened_from(visit: Visit) -> SavedSearch | None:
    """Return the search from which a message was opened, None if it was opened elsewhere."""
    number = Origin.decode(visit.origin).search
    return get(visit, number) if number else None


# --- favourites


def favourites(visit: Visit) -> list[tuple[int, str]]:
    """Return the numbers and titles of the favourites, in order."""
    kept = visit.signed_in.memory.all(FAVOURITES)
    titles = (
        (_number(name), str(value.get("name") or value.get("query") or "?")) for name, value in kept.items()
    )
    return sorted((number, title) for number, title in titles if number)


def favourite(visit: Visit, number: int) -> tuple[str, str] | None:
    """Return the query and the mailbox of a favourite."""
    value = visit.signed_in.memory.get(FAVOURITES, f"{_PREFIX}{number}")
    return _asked(value) if value is not None else None


def keep(visit: Visit, found: SavedSearch) -> bool:
    """Save a search as a favourite unless it is one; return whether there was room."""
    memory = visit.signed_in.memory
    kept = memory.all(FAVOURITES)
    if any(_asked(value) == (found.words, found.mailbox) for value in kept.values()):
        return True
    if len(kept) >= MOST_FAVOURITES:
        return False
    number = max(map(_number, kept), default=0) + 1
    memory.put(FAVOURITES, f"{_PREFIX}{number}", {"name": "", "query": found.words, "mailbox": found.mailbox})
    return True


def is_kept(visit: Visit, found: SavedSearch) -> bool:
    """Return whether a search is a favourite."""
    kept = visit.signed_in.memory.all(FAVOURITES)
    return (found.words, found.mailbox) in map(_asked, kept.values())


# --- encoding


def _asked(value: dict[str, Any]) -> tuple[str, str]:
    return str(value.get("query") or ""), str(value.get("mailbox") or "")


def _number(name: str) -> int:
    digits = name.removeprefix(_PREFIX)
    return int(digits) if digits != name and digits.isascii() and digits.isdigit() else 0


def _next_number(visit: Visit) -> int:
    counted = visit.signed_in.memory.change(
        _COUNTER, "", lambda value: {"last": int((value or {}).get("last", 0)) + 1}
    )
    return int((counted or {})["last"])


def _value(visit: Visit, found: SavedSearch) -> dict[str, Any]:
    """Encode a search; consecutive messages of one mailbox are written together."""
    groups = groupby(found.refs, key=lambda ref: (ref.mailbox, ref.uidvalidity))
    return {
        "query": found.words,
        "mailbox": found.mailbox,
        "refs": [
            [visit.signed_in.mailboxes.number(*mailbox), [ref.uid for ref in refs]]
            for mailbox, refs in groups
        ],
        "numbers": [found.count, found.searched, found.total, int(found.unsure), found.skipped],
    }


def _find(visit: Visit, number: int, value: dict[str, Any]) -> SavedSearch:
    count, searched, total, unsure, skipped = value["numbers"]
    words, mailbox = _asked(value)
    refs = tuple(_refs(visit, value["refs"]))
    return SavedSearch(number, words, mailbox, refs, count, searched, total, bool(unsure), skipped)


def _refs(visit: Visit, groups: Iterable[tuple[int, list[int]]]) -> Iterable[MessageRef]:
    for number, uids in groups:
        mailbox = visit.signed_in.mailboxes.find(number)
        if mailbox is not None:
            yield from (MessageRef(*mailbox, uid) for uid in uids)
