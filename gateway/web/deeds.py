"""What can be done to messages, as a table, and what it came to, in a person's words.

Nothing here may do anything. What a deed came to is kept in ids and msgids alone (see `state.tickets`), and is all that
is needed to take it back: where each message is now, or which ones were changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.store.base import DELETED, FLAGGED, SEEN, MessageRef
from gateway.web.naming import title_of
from gateway.web.visit import Visit

#: What a deed came to: `do` the deed, `of` so many messages `count`, `why` not the others, `next` UID after the one,
#: `ask` where nothing was done since it would be for good, and `parts` of each mailbox (Part as JSON).
Outcome = dict[str, str]
#: The messages of one mailbox: `from` there, the `uids` that were changed or moved; `to` there, with `new` UIDs if they
#: are all known; `left` where the old ones are still there, flagged \Deleted. Mailboxes are short ids.
Part = Mapping[str, int | str]

#: Messages that one deed is done to at most.
MOST: Final = 5000
_SET: Final = re.compile(r"\d{1,10}(?:-\d{1,10})?(?:\.\d{1,10}(?:-\d{1,10})?)*", re.ASCII)
_HIGHEST: Final = 0xFFFFFFFF


def _(msgid: str) -> str:
    return msgid


def _n(singular: str, plural: str) -> tuple[str, str]:
    return singular, plural


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that can be done. `one`, `many` and `some` say it of one message, of all, and of some of them.

    `away`: the messages are not where they were afterwards. `flag`: it is setting this one, or else clearing it.
    """

    label: str
    one: str
    many: tuple[str, str]
    some: str
    away: bool = False
    flag: str = ""
    present: bool = True


DELETE, ERASE, MOVE, COPY, JUNK, FINE = "delete", "erase", "move", "copy", "junk", "fine"
READ, UNREAD, FLAG, UNFLAG, RESTORE, UNDO = "read", "unread", "flag", "unflag", "restore", "undo"

DEEDS: Final[Mapping[str, Deed]] = {
    DELETE: Deed(
        _("Delete"),
        _("Deleted."),
        _n("%(count)s message deleted.", "%(count)s messages deleted."),
        _("%(count)s of %(all)s deleted."),
        away=True,
    ),
    ERASE: Deed(
        _("Delete"),
        _("Deleted for good."),
        _n("%(count)s message deleted for good.", "%(count)s messages deleted for good."),
        _("%(count)s of %(all)s deleted for good."),
        away=True,
    ),
    MOVE: Deed(
        _("Move"),
        _("Moved to %(folder)s."),
        _n("%(count)s message moved to %(folder)s.", "%(count)s messages moved to %(folder)s."),
        _("%(count)s of %(all)s moved to %(folder)s."),
        away=True,
    ),
    COPY: Deed(
        _("Copy"),
        _("Copied to %(folder)s."),
        _n("%(count)s message copied to %(folder)s.", "%(count)s messages copied to %(folder)s."),
        _("%(count)s of %(all)s copied to %(folder)s."),
    ),
    JUNK: Deed(
        _("Junk"),
        _("Moved to %(folder)s."),
        _n("%(count)s message moved to %(folder)s.", "%(count)s messages moved to %(folder)s."),
        _("%(count)s of %(all)s moved to %(folder)s."),
        away=True,
    ),
    FINE: Deed(
        _("Not junk"),
        _("Moved to %(folder)s."),
        _n("%(count)s message moved to %(folder)s.", "%(count)s messages moved to %(folder)s."),
        _("%(count)s of %(all)s moved to %(folder)s."),
        away=True,
    ),
    READ: Deed(
        _("Read"),
        _("Marked as read."),
        _n("%(count)s message marked as read.", "%(count)s messages marked as read."),
        _("%(count)s of %(all)s marked as read."),
        flag=SEEN,
    ),
    UNREAD: Deed(
        _("Unread"),
        _("Marked as unread."),
        _n("%(count)s message marked as unread.", "%(count)s messages marked as unread."),
        _("%(count)s of %(all)s marked as unread."),
        flag=SEEN,
        present=False,
    ),
    FLAG: Deed(
        _("Flag"),
        _("Flagged."),
        _n("%(count)s message flagged.", "%(count)s messages flagged."),
        _("%(count)s of %(all)s flagged."),
        flag=FLAGGED,
    ),
    UNFLAG: Deed(
        _("Unflag"),
        _("Not flagged any more."),
        _n("%(count)s message not flagged any more.", "%(count)s messages not flagged any more."),
        _("%(count)s of %(all)s not flagged any more."),
        flag=FLAGGED,
        present=False,
    ),
    RESTORE: Deed(
        _("Restore"),
        _("Not deleted any more."),
        _n("%(count)s message not deleted any more.", "%(count)s messages not deleted any more."),
        _("%(count)s of %(all)s not deleted any more."),
        flag=DELETED,
        present=False,
    ),
    UNDO: Deed(
        _("Undo"),
        _("Undone."),
        _n("%(count)s message is as it was.", "%(count)s messages are as they were."),
        _("%(count)s of %(all)s are as they were."),
    ),
}

_MARKED: Final = _n("%(count)s message is marked as deleted.", "%(count)s messages are marked as deleted.")
_UNDER_WAY: Final = _("Under way. Look again in a moment.")


def say(visit: Visit, outcome: Mapping[str, str]) -> str:
    """Say what a deed came to."""
    _ = visit.language.gettext
    if "do" not in outcome:
        return _(_UNDER_WAY)
    deed, count, of = DEEDS[outcome["do"]], int(outcome["count"]), int(outcome["of"])
    why = _(outcome.get("why", "")) % {"alert": outcome.get("alert", "")}
    if not count:
        return why or _(_UNDER_WAY)
    words = {
        "count": visit.language.number(count),
        "all": visit.language.number(of),
        "folder": _folder(visit, outcome),
    }
    if count < of:
        return f"{_(deed.some) % words} {why}".strip()
    if any(part.get("left") and not part.get("to") for part in parts(outcome)):
        return visit.language.ngettext(*_MARKED, count) % words
    return (_(deed.one) if of == 1 else visit.language.ngettext(*deed.many, count)) % words


def _folder(visit: Visit, outcome: Mapping[str, str]) -> str:
    """Name the folder that messages went to."""
    numbers = [int(part["to"]) for part in parts(outcome) if "to" in part]
    return title_of(visit, visit.mailbox(numbers[0])[0]) if numbers else ""


def can_undo(outcome: Mapping[str, str]) -> bool:
    """Tell whether enough is known to take a deed back."""
    word = outcome.get("do", "")
    if word not in DEEDS or word in (ERASE, COPY, UNDO) or not int(outcome["count"]):
        return False
    told = [part for part in parts(outcome) if part["uids"]]
    return bool(told) and all(DEEDS[word].flag or part.get("left") or part.get("new") for part in told)


def parts(outcome: Mapping[str, str]) -> list[Part]:
    """Read the parts of an outcome."""
    found: list[Part] = json.loads(outcome.get("parts", "[]"))
    return found


def refs(visit: Visit, part: Part, where: str = "from", which: str = "uids") -> list[MessageRef]:
    """Name the messages of a part: as they were, or by "to" and "new" as they are now."""
    if not part.get(which):
        return []
    name, uidvalidity = visit.mailbox(int(part[where]))
    return [MessageRef(name, uidvalidity, uid) for uid in parted(str(part[which]))]


def joined(uids: Iterable[int]) -> str:
    """Write UIDs in one short word: 3.5-9.12."""
    runs: list[list[int]] = []
    for uid in sorted(set(uids)):
        if runs and runs[-1][1] == uid - 1:
            runs[-1][1] = uid
        else:
            runs.append([uid, uid])
    return ".".join(f"{a}" if a == b else f"{a}-{b}" for a, b in runs)


def parted(text: str, most: int = MOST) -> list[int]:
    """Read what `joined` wrote; of a text that is nothing of the kind, or names more than `most`, nothing."""
    found: list[int] = []
    for piece in text.split(".") if _SET.fullmatch(text) else ():
        low, _dash, high = piece.partition("-")
        first, last = int(low), int(high or low)
        if not 0 < first <= last <= _HIGHEST or len(found) + last - first >= most:
            return []
        found.extend(range(first, last + 1))
    return found
