"""Which messages a person has opened here: POP3 has no flags, so the gateway remembers.

Nothing here may fail a request: what cannot be read or written counts as not opened. Only UIDs are kept, of messages
that still exist.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from gateway.message.model import MAX_UID
from gateway.state import optional
from gateway.store.base import StoredNotes

#: The kind of note.
KIND: Final = "seen"
#: Messages that are remembered: those opened last.
MOST_SEEN: Final = 10_000
_OCTETS: Final = MAX_UID.bit_length() // 8


class SeenMarks:
    """The marks of one person, read once and written whenever something changes."""

    def __init__(self, notes: StoredNotes | None = None) -> None:
        self._notes = notes
        self._uids: dict[int, None] | None = None

    def __contains__(self, uid: int) -> bool:
        return uid in self._known()

    def _known(self) -> dict[int, None]:
        if self._uids is None:
            self._uids = {}
            if self._notes is not None:
                with optional("which messages were opened"):
                    self._uids = _unpacked(self._notes.get(KIND))
        return self._uids

    def put(self, uids: Collection[int], seen: bool, there: Sequence[int] = ()) -> None:
        """Mark messages as seen or unseen. `there`: the UIDs of all messages, if they are known."""

        def changed(value: dict[str, Any] | None) -> dict[str, Any] | None:
            kept: Iterable[int] = _unpacked(value)
            present = frozenset(there)
            found = [uid for uid in kept if uid not in uids and (not present or uid in present)]
            found += uids if seen else ()
            self._uids = dict.fromkeys(found[-MOST_SEEN:])
            return _packed(self._uids) if self._uids else None

        if all((uid in self) is seen for uid in uids):
            return
        if self._notes is None:
            changed(_packed(self._known()))
            return
        with optional("which messages were opened"):
            self._notes.change(KIND, "", changed)


def _packed(uids: Iterable[int]) -> dict[str, Any]:
    octets = b"".join(uid.to_bytes(_OCTETS, "big") for uid in uids)
    return {"uids": base64.b64encode(octets).decode("ascii")}


def _unpacked(value: dict[str, Any] | None) -> dict[int, None]:
    """Read a note, in the order in which it was written; empty if it is not one."""
    try:
        octets = base64.b64decode(str((value or {}).get("uids", "")))
    except ValueError:
        return {}
    found = (int.from_bytes(octets[at : at + _OCTETS], "big") for at in range(0, len(octets), _OCTETS))
    return dict.fromkeys(found)
