"""Optional features of IMAP servers: which capabilities announce them, and which are refused all the same.

Nothing here may do I/O. What a server refuses is remembered for the connection, and for a while for others: for
everybody on the server if it did not know the command (BAD), for this person if it said NO, since that may be due to
their mailbox or to what they typed. Standard: RFC 9051 §7.1 (NO, BAD), RFC 5530 (CANNOT, CLIENTBUG); the RFC of each
feature is named where it is used.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from enum import Enum, auto
from functools import lru_cache, partial
from threading import Lock
from typing import Final

from gateway.errors import NotSupported, StoreError, StoreRefused
from gateway.store.abilities import Can
from gateway.store.imap.exchange import refusal
from gateway.store.imap.response import CommandResponse

#: Seconds for which a refusal is believed, and for which a feature is avoided after the connection broke at it twice.
REFUSED_SECONDS: Final = 3600.0
DOUBTED_SECONDS: Final = 300.0
#: The most refusals that are remembered, of all servers and people together.
MOST_REMEMBERED: Final = 10_000
#: Codes of a NO that concern the command itself; others concern the data, the person or the moment.
_OF_THE_COMMAND: Final = frozenset({"", "BADCHARSET", "CANNOT", "CLIENTBUG"})


class Feature(Enum):
    """A feature that some servers lack."""

    SEARCH = auto()
    EXTENDED_SEARCH = auto()
    SEARCH_RANGES = auto()
    SEARCH_CHARSET = auto()
    HEADER_GROUPS = auto()
    MULTI_SEARCH = auto()
    SORT = auto()
    SORT_RANGES = auto()
    THREAD = auto()
    MOVE = auto()
    EXPUNGE_ALONE = auto()
    PIPELINING = auto()
    EXTENDED_LIST = auto()
    LIST_STATUS = auto()
    LIST_USES = auto()


#: Feature -> sets of capabilities, any of which announces it; a feature that is not here is part of IMAP4rev1.
_ANNOUNCED: Final[dict[Feature, tuple[frozenset[str], ...]]] = {
    feature: tuple(frozenset(names.split()) for names in sets)
    for feature, sets in {
        Feature.EXTENDED_SEARCH: ("ESEARCH", "IMAP4REV2"),
        Feature.SEARCH_RANGES: ("CONTEXT=SEARCH", "PARTIAL"),
        Feature.MULTI_SEARCH: ("MULTISEARCH",),
        Feature.SORT: ("SORT",),
        # QUIRK: Dovecot 2.3 returns ranges of SORT too, but announces only CONTEXT=SEARCH and ESORT.
        Feature.SORT_RANGES: ("SORT CONTEXT=SORT", "SORT CONTEXT=SEARCH ESORT"),
        Feature.THREAD: ("THREAD=REFERENCES", "THREAD=REFS", "THREAD=ORDEREDSUBJECT"),
        Feature.MOVE: ("MOVE", "IMAP4REV2"),
        Feature.EXPUNGE_ALONE: ("UIDPLUS", "IMAP4REV2"),
        Feature.EXTENDED_LIST: ("LIST-EXTENDED", "IMAP4REV2"),
        Feature.LIST_STATUS: ("LIST-EXTENDED LIST-STATUS", "IMAP4REV2"),
        Feature.LIST_USES: ("LIST-EXTENDED SPECIAL-USE", "IMAP4REV2"),
    }.items()
}

#: Features that may break a connection, and whose plain alternative shows the same, or reports what it does not show.
_DOUBTFUL: Final = frozenset({
    Feature.SORT, Feature.SORT_RANGES, Feature.THREAD, Feature.SEARCH_RANGES, Feature.EXTENDED_SEARCH,
    Feature.PIPELINING,
})  # fmt: skip


def is_announced(feature: Feature, capabilities: frozenset[str]) -> bool:
    """Return whether a server with these capabilities announces a feature."""
    sets = _ANNOUNCED.get(feature)
    return sets is None or any(names <= capabilities for names in sets)


@lru_cache(maxsize=64)
def announced_abilities(capabilities: frozenset[str]) -> Can:
    """Return what a store can do according to what its server announces."""
    return abilities(partial(is_announced, capabilities=capabilities))


def abilities(offers: Callable[[Feature], bool]) -> Can:
    """Return what a store can do with the features that its server offers."""
    return Can(
        seen=True,
        flag=True,
        move=True,
        delete=True,
        folders=True,
        search=offers(Feature.SEARCH),
        sort=offers(Feature.SORT),
        received=offers(Feature.SORT_RANGES),
        thread=offers(Feature.THREAD),
        undo=True,
        expunge=offers(Feature.EXPUNGE_ALONE),
        move_at_once=offers(Feature.MOVE),
        append=True,
    )


def refused(reply: CommandResponse, otherwise: type[StoreError] = StoreRefused) -> StoreError:
    """Make the error for a command that was not OK: NotSupported if the server refuses the command as such."""
    error = refusal(reply, otherwise)
    if type(error) is StoreRefused and reply.status.code in _OF_THE_COMMAND:
        unsupported = NotSupported(error.detail)
        unsupported.for_anyone = reply.status.kind == "BAD"
        return unsupported
    return error


class Refusals:
    """The features that a server refuses to one connection; refusals by a `server` or to a `person` outlive it."""

    def __init__(
        self, server: Hashable = None, person: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._owners: tuple[Hashable, ...] = (server, (server, person)) if server is not None else ()
        self._clock = clock
        self._here: set[Feature] = set()

    @property
    def are_none(self) -> bool:
        """Whether nothing is refused to anybody, which is nearly always the case."""
        return not self._here and _MEMORY.is_empty

    def __contains__(self, feature: Feature) -> bool:
        if feature in self._here or _MEMORY.is_empty:
            return feature in self._here
        return any(_MEMORY.knows((owner, feature), self._clock()) for owner in self._owners)

    def add(self, feature: Feature, for_anyone: bool = False) -> None:
        """Remember a refusal; `for_anyone`: it does not depend on the person."""
        self._here.add(feature)
        for owner in self._owners[0 if for_anyone else 1 :]:
            _MEMORY.keep((owner, feature), self._clock() + REFUSED_SECONDS)

    def doubt(self, feature: Feature) -> None:
        """Avoid a feature for this person for a while if the connection breaks at it for the second time."""
        until = self._clock() + DOUBTED_SECONDS
        for owner in self._owners[1:] if feature in _DOUBTFUL else ():
            again = _MEMORY.knows((owner, feature, "broke"), self._clock())
            _MEMORY.keep((owner, feature) if again else (owner, feature, "broke"), until)


class _Memory:
    """Until when which features are refused; thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._until: OrderedDict[Hashable, float] = OrderedDict()

    @property
    def is_empty(self) -> bool:
        return not self._until

    def knows(self, key: Hashable, now: float) -> bool:
        with self._lock:
            return self._until.get(key, now) > now

    def keep(self, key: Hashable, until: float) -> None:
        with self._lock:
            self._until[key] = max(until, self._until.pop(key, until))
            if len(self._until) > MOST_REMEMBERED:
                self._until.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._until.clear()


_MEMORY: Final = _Memory()


def forget() -> None:
    """Forget all refusals, by all servers."""
    _MEMORY.clear()
