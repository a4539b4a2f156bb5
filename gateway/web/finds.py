"""What searches have found, and which searches are kept: small sealed things in the account's memory.

Nothing here may show anything, and nothing is kept but numbers of messages and the words that were searched for. A
search has a number that is never given to another one; favourites are searched for anew each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from gateway.message.query import parse
from gateway.profile import FAVOURITES
from gateway.store.base import MessageRef
from gateway.web.visit import Visit

#: Kinds in the account's memory.
SEARCH: Final = "search"
_COUNTER: Final = "searches"
#: Searches that are kept for their pages to be turned.
MOST_KEPT: Final = 12
MOST_FAVOURITES: Final = 20
#: A favourite's name in the memory begins so; a number follows.
_PREFIX: Final = "f"


@dataclass(frozen=True, slots=True)
class Find:
    """One search and what it came to. `mailbox` is "" for all of them; the rest is as in Hits."""

    number: int
    words: str
    mailbox: str
    refs: Sequence[MessageRef] = ()
    count: int = 0
    searched: int = 0
    total: int = 0
    unsure: bool = False
    skipped: int = 0


def find(visit: Visit, words: str, mailbox: str) -> Find:
    """Search, and keep what was found. Raise BadQuery or a StoreError."""
    query = parse(words, visit.now.astimezone(visit.language.zone).date())
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
    found = Find(
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


def get(visit: Visit, number: int) -> Find | None:
    """Return what a search has found; None when that is not kept any more."""
    value = visit.signed_in.memory.get(SEARCH, str(number))
    return _find(visit, number, value) if value is not None else None


def recent(visit: Visit) -> list[Find]:
    """Return the searches of before, the newest first, without those that are favourites."""
    kept = {_asked(value) for value in visit.signed_in.memory.all(FAVOURITES).values()}
    found = reversed(visit.signed_in.memory.all(SEARCH).items())
    return [
        Find(int(name), *_asked(value))
        for name, value in found
        if name.isdigit() and _asked(value) not in kept
    ]


def beside(visit: Visit, ref: MessageRef, older: bool) -> MessageRef | None:
    """Name what stands after (else before) a message that was opened from what a search has found."""
    found = opened_from(visit)
    if found is None or ref not in found.refs:
        return None
    at = found.refs.index(ref) + (1 if older else -1)
    return found.refs[at] if 0 <= at < len(found.refs) else None


def opened_from(visit: Visit) -> Find | None:
    """Return the search from which a message was opened, if it was one."""
    number = visit.origin.partition(".")[0].removeprefix("q")
    return get(visit, int(number)) if visit.origin.startswith("q") else None


# --- favourites


def favourites(visit: Visit) -> list[tuple[int, str]]:
    """Return the numbers and the titles of the favourites, the first one first."""
    kept = visit.signed_in.memory.all(FAVOURITES)
    titles = (
        (_number(name), str(value.get("name") or value.get("query") or "?")) for name, value in kept.items()
    )
    return sorted((number, title) for number, title in titles if number)


def favourite(visit: Visit, number: int) -> tuple[str, str] | None:
    """Return the words and the mailbox of a favourite."""
    value = visit.signed_in.memory.get(FAVOURITES, f"{_PREFIX}{number}")
    return _asked(value) if value is not None else None


def keep(visit: Visit, found: Find) -> bool:
    """Make a search a favourite, unless it is one; say whether there was room."""
    memory = visit.signed_in.memory
    kept = memory.all(FAVOURITES)
    if any(_asked(value) == (found.words, found.mailbox) for value in kept.values()):
        return True
    if len(kept) >= MOST_FAVOURITES:
        return False
    number = max(map(_number, kept), default=0) + 1
    memory.put(FAVOURITES, f"{_PREFIX}{number}", {"name": "", "query": found.words, "mailbox": found.mailbox})
    return True


def is_kept(visit: Visit, found: Find) -> bool:
    """Tell whether a search is a favourite."""
    kept = visit.signed_in.memory.all(FAVOURITES)
    return (found.words, found.mailbox) in map(_asked, kept.values())


# --- as it is kept


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


def _value(visit: Visit, found: Find) -> dict[str, Any]:
    """Write a search; messages of one mailbox that stand together are written together."""
    groups = groupby(found.refs, key=lambda ref: (ref.mailbox, ref.uidvalidity))
    return {
        "query": found.words,
        "mailbox": found.mailbox,
        "refs": [
            [visit.signed_in.mailbox_number(*mailbox), [ref.uid for ref in refs]] for mailbox, refs in groups
        ],
        "numbers": [found.count, found.searched, found.total, int(found.unsure), found.skipped],
    }


def _find(visit: Visit, number: int, value: dict[str, Any]) -> Find:
    count, searched, total, unsure, skipped = value["numbers"]
    words, mailbox = _asked(value)
    refs = tuple(_refs(visit, value["refs"]))
    return Find(number, words, mailbox, refs, count, searched, total, bool(unsure), skipped)


def _refs(visit: Visit, groups: Iterable[tuple[int, list[int]]]) -> Iterable[MessageRef]:
    for number, uids in groups:
        mailbox = visit.signed_in.mailbox(number)
        if mailbox is not None:
            yield from (MessageRef(*mailbox, uid) for uid in uids)
