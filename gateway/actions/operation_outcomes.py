"""The outcome of an operation: its encoding, its undo data, and its sentence.

Nothing here may query a server. An outcome is stored as nothing but ids and msgids (see `state.sending.tickets`), and
is all that is needed to undo the operation: where each message is now, or which ones were changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Final

from gateway.access.idempotency import UNDER_WAY, UNKNOWN
from gateway.access.mailbox_ids import MailboxIds
from gateway.actions.table import COPY, ERASE, OPERATIONS, UNDO
from gateway.language import Language
from gateway.message.model import MAX_UID, UID_DIGITS
from gateway.store.base import MessageRef

# An outcome has `do`: the operation; `of`: the number of messages; `count`: how many were changed; `why`: the reason if
# some were not; `next`: the UID after a single message; `ask`: nothing was done because it would be permanent; `parts`:
# one for each mailbox (OutcomePart as JSON).
#: The messages of one mailbox. `from`, `to`: the numbers of this mailbox, and of the one where they are now; `uids`:
#: those changed or moved; `new`: their UIDs in `to`, if all are known; `left`: the old messages still exist, flagged
#: \Deleted.
OutcomePart = Mapping[str, int | str]

#: Maximum number of messages in one operation.
MOST: Final = 5000
_RUN: Final = rf"\d{{1,{UID_DIGITS}}}(?:-\d{{1,{UID_DIGITS}}})?"
_SET: Final = re.compile(rf"{_RUN}(?:\.{_RUN})*", re.ASCII)


def _n(singular: str, plural: str) -> tuple[str, str]:
    return singular, plural


_MARKED: Final = _n("%(count)s message is marked as deleted.", "%(count)s messages are marked as deleted.")


def sentence(outcome: Mapping[str, str], language: Language, folder: str = "") -> str:
    """Return the sentence of an outcome; `folder` is the display name of the target mailbox."""
    _ = language.gettext
    if "do" not in outcome:
        return _(outcome.get(UNKNOWN, UNDER_WAY))
    operation, count, of = OPERATIONS[outcome["do"]], int(outcome["count"]), int(outcome["of"])
    why = _(outcome.get("why", "")) % {"alert": outcome.get("alert", "")}
    if not count:
        return why or _(UNDER_WAY)
    words = {"count": language.number(count), "all": language.number(of), "folder": folder}
    if count < of:
        return f"{_(operation.some) % words} {why}".strip()
    if any(part.get("left") and not part.get("to") for part in parts(outcome)):
        return language.ngettext(*_MARKED, count) % words
    return (_(operation.one) if of == 1 else language.ngettext(*operation.many, count)) % words


def destination(outcome: Mapping[str, str]) -> int | None:
    """Return the number of the mailbox that messages were moved to, or None."""
    return next((int(part["to"]) for part in parts(outcome) if "to" in part), None)


def can_undo(outcome: Mapping[str, str]) -> bool:
    """Return whether the outcome has enough data to undo the operation."""
    word = outcome.get("do", "")
    if word not in OPERATIONS or word in (ERASE, COPY, UNDO) or not int(outcome["count"]):
        return False
    told = [part for part in parts(outcome) if part["uids"]]
    return bool(told) and all(OPERATIONS[word].flag or part.get("left") or part.get("new") for part in told)


def parts(outcome: Mapping[str, str]) -> list[OutcomePart]:
    """Decode the parts of an outcome."""
    found: list[OutcomePart] = json.loads(outcome.get("parts", "[]"))
    return found


def refs(
    mailboxes: MailboxIds, part: OutcomePart, where: str = "from", which: str = "uids"
) -> list[MessageRef]:
    """Return the messages of a part: the old ones, or with "to" and "new" the new ones."""
    if not part.get(which):
        return []
    name, uidvalidity = mailboxes.mailbox(int(part[where]))
    return [MessageRef(name, uidvalidity, uid) for uid in decode_uids(str(part[which]))]


def encode_uids(uids: Iterable[int]) -> str:
    """Encode UIDs as a short word: 3.5-9.12."""
    runs: list[list[int]] = []
    for uid in sorted(set(uids)):
        if runs and runs[-1][1] == uid - 1:
            runs[-1][1] = uid
        else:
            runs.append([uid, uid])
    return ".".join(f"{a}" if a == b else f"{a}-{b}" for a, b in runs)


def decode_uids(text: str, most: int = MOST) -> list[int]:
    """Decode what `encode_uids` wrote; return an empty list for anything else, or for more than `most`."""
    found: list[int] = []
    for piece in text.split(".") if _SET.fullmatch(text) else ():
        low, _dash, high = piece.partition("-")
        first, last = int(low), int(high or low)
        if not 0 < first <= last <= MAX_UID or len(found) + last - first >= most:
            return []
        found.extend(range(first, last + 1))
    return found
