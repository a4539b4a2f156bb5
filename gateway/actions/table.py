"""The table of operations on messages: their labels, and the sentences about them.

Nothing here may perform anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.store.abilities import Can
from gateway.store.base import DELETED, FLAGGED, SEEN


def _(msgid: str) -> str:
    return msgid


def _n(singular: str, plural: str) -> tuple[str, str]:
    return singular, plural


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation; `one`, `many`, `some`: the sentences for one message, for all, for some of them.

    `away`: it removes messages from their mailbox. `flag`: it sets this flag, or clears it if not `present`.
    """

    label: str
    one: str
    many: tuple[str, str]
    some: str
    away: bool = False
    flag: str = ""
    present: bool = True


DELETE, ERASE, MOVE, COPY, JUNK, NOT_JUNK = "delete", "erase", "move", "copy", "junk", "fine"
ARCHIVE = "archive"
READ, UNREAD, FLAG, UNFLAG, RESTORE, UNDO = "read", "unread", "flag", "unflag", "restore", "undo"

OPERATIONS: Final[Mapping[str, Operation]] = {
    DELETE: Operation(
        _("Delete"),
        _("Deleted."),
        _n("%(count)s message deleted.", "%(count)s messages deleted."),
        _("%(count)s of %(all)s deleted."),
        away=True,
    ),
    ERASE: Operation(
        _("Delete"),
        _("Deleted for good."),
        _n("%(count)s message deleted for good.", "%(count)s messages deleted for good."),
        _("%(count)s of %(all)s deleted for good."),
        away=True,
    ),
    MOVE: Operation(
        _("Move"),
        _("Moved to %(folder)s."),
        _n("%(count)s message moved to %(folder)s.", "%(count)s messages moved to %(folder)s."),
        _("%(count)s of %(all)s moved to %(folder)s."),
        away=True,
    ),
    ARCHIVE: Operation(
        _("Archive"),
        _("Archived."),
        _n("%(count)s message archived.", "%(count)s messages archived."),
        _("%(count)s of %(all)s archived."),
        away=True,
    ),
    COPY: Operation(
        _("Copy"),
        _("Copied to %(folder)s."),
        _n("%(count)s message copied to %(folder)s.", "%(count)s messages copied to %(folder)s."),
        _("%(count)s of %(all)s copied to %(folder)s."),
    ),
    JUNK: Operation(
        _("Junk"),
        _("Moved to %(folder)s."),
        _n("%(count)s message moved to %(folder)s.", "%(count)s messages moved to %(folder)s."),
        _("%(count)s of %(all)s moved to %(folder)s."),
        away=True,
    ),
    NOT_JUNK: Operation(
        _("Not junk"),
        _("Moved to %(folder)s."),
        _n("%(count)s message moved to %(folder)s.", "%(count)s messages moved to %(folder)s."),
        _("%(count)s of %(all)s moved to %(folder)s."),
        away=True,
    ),
    READ: Operation(
        _("Read"),
        _("Marked as read."),
        _n("%(count)s message marked as read.", "%(count)s messages marked as read."),
        _("%(count)s of %(all)s marked as read."),
        flag=SEEN,
    ),
    UNREAD: Operation(
        _("Unread"),
        _("Marked as unread."),
        _n("%(count)s message marked as unread.", "%(count)s messages marked as unread."),
        _("%(count)s of %(all)s marked as unread."),
        flag=SEEN,
        present=False,
    ),
    FLAG: Operation(
        _("Flag"),
        _("Flagged."),
        _n("%(count)s message flagged.", "%(count)s messages flagged."),
        _("%(count)s of %(all)s flagged."),
        flag=FLAGGED,
    ),
    UNFLAG: Operation(
        _("Unflag"),
        _("Unflagged."),
        _n("%(count)s message unflagged.", "%(count)s messages unflagged."),
        _("%(count)s of %(all)s unflagged."),
        flag=FLAGGED,
        present=False,
    ),
    RESTORE: Operation(
        _("Restore"),
        _("Restored."),
        _n("%(count)s message restored.", "%(count)s messages restored."),
        _("%(count)s of %(all)s restored."),
        flag=DELETED,
        present=False,
    ),
    UNDO: Operation(
        _("Undo"),
        _("Undone."),
        _n("Undone: %(count)s message.", "Undone: %(count)s messages."),
        _("%(count)s of %(all)s undone."),
    ),
}


def is_possible(word: str, can: Can) -> bool:
    """Return whether a mail store can perform an operation."""
    if OPERATIONS[word].flag:
        return can.seen if OPERATIONS[word].flag == SEEN else can.flag
    if word in (DELETE, ERASE):
        return can.delete
    return can.undo if word == UNDO else can.move and can.folders
