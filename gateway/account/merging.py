"""Merges the memories of two accounts of one person.

Nothing here may read or write: the contents of two memories come in, one goes out, and the first takes precedence where
only one value can stay. The owner of each kind knows how to merge two values of it; other kinds are taken unchanged.
"""

from __future__ import annotations

from typing import Final

from gateway.account import address_book, people, profile
from gateway.account.profile import FAVOURITE, FAVOURITES
from gateway.sealed import memory
from gateway.sealed.memory import Contents

#: Kinds of which an account has only one value, and the function that merges two.
_WHOLE: Final = {
    address_book.KIND: address_book.merged,
    people.KIND: people.merged,
    profile.KIND: profile.merged,
}


def merge(first: Contents, second: Contents) -> Contents:
    """Return the merged contents of two memories."""
    second = _apart(first, second)
    found = memory.merged(first, second)
    for kind, united in _WHOLE.items():
        if "" in first.get(kind, {}) and "" in second.get(kind, {}):
            found[kind][""] = united(first[kind][""], second[kind][""])
    return found


def _apart(first: Contents, second: Contents) -> Contents:
    """Renumber those of the second memory's favourites whose numbers the first one uses."""
    taken = first.get(FAVOURITES, {})
    number = max(
        (int(name[1:]) for name in {**taken, **second.get(FAVOURITES, {})} if name[1:].isdecimal()), default=0
    )
    names = {}
    for name, value in second.get(FAVOURITES, {}).items():
        if taken.get(name, value) != value:
            number += 1
            names[name] = f"{name[0]}{number}"
    renamed = {
        **second,
        FAVOURITES: {names.get(name, name): value for name, value in second.get(FAVOURITES, {}).items()},
    }
    own = second.get(profile.KIND, {}).get("")
    if own is not None:
        start = str(own.get("start", ""))
        chosen = names.get(start.removeprefix(FAVOURITE)) if start.startswith(FAVOURITE) else None
        renamed[profile.KIND] = {"": own | ({"start": FAVOURITE + chosen} if chosen else {})}
    return renamed
