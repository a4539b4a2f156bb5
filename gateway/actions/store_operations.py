"""Operations on the messages of one mailbox, as commands to the mail server.

Nothing here may confuse two mailboxes, or report as done what the server has not confirmed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from gateway.actions.table import (
    ARCHIVE,
    COPY,
    DELETE,
    ERASE,
    JUNK,
    MOVE,
    NOT_JUNK,
    OPERATIONS,
    Operation,
    is_possible,
)
from gateway.errors import MessageGone, NotSupported, PartlyDone, StoreError, StoreRefused
from gateway.store.base import DELETED, INBOX, MailStore, MessageRef

#: Old reference -> new reference, None if that is unknown.
Done = Mapping[MessageRef, MessageRef | None]

#: Keywords that train filters (registered by RFC 9051 §2.3.2).
_JUNK_KEYWORD, _NOT_JUNK_KEYWORD = "$Junk", "$NotJunk"


@dataclass(frozen=True, slots=True)
class OperationResult:
    r"""The result for the messages of one mailbox.

    `to`: the mailbox where the messages of `done` are now. `left`: the originals still exist, flagged \Deleted.
    `changed`: those of `done` whose state was different before, where that matters. `ask`: nothing was done, since it
    would be permanent. `back`: they can be moved back, as far as known.
    """

    done: Done = field(default_factory=dict)
    why: StoreError | None = None
    to: str = ""
    left: bool = False
    changed: Sequence[MessageRef] | None = None
    ask: bool = False
    back: bool = True


def _flag(store: MailStore, refs: list[MessageRef], flag: str, present: bool) -> OperationResult:
    found = store.flags(refs)
    changed = [ref for ref in refs if ref in found and _has(found[ref], flag) is not present]
    if changed:
        if not store.keeps(changed[0], flag):  # the server may accept it anyway, and store nothing
            return OperationResult({}, StoreRefused(f"{flag} is not among PERMANENTFLAGS"))
        try:
            store.flag(changed, [flag], present)
        except MessageGone:
            found = {ref: flags for ref, flags in store.flags(refs).items() if ref in found}
            changed = [ref for ref in changed if ref in found]
    why = MessageGone("expunged meanwhile") if len(found) < len(refs) else None
    return OperationResult(dict.fromkeys(found), why, changed=changed)


def _has(flags: Iterable[str], flag: str) -> bool:
    return flag.lower() in {name.lower() for name in flags}


def _moved(store: MailStore, refs: list[MessageRef], target: str) -> OperationResult:
    if target == refs[0].mailbox:  # moving it would only change its UIDs
        return OperationResult(dict.fromkeys(refs), None, target, changed=())
    why: StoreError | None = None
    done: Done
    try:
        done = dict(zip(refs, store.move(refs, target), strict=True))
    except PartlyDone as error:
        done, why = error.done, error.why
    # Asked afterwards: more may be known by now about what a server can do.
    back = store.takes_back(refs[0].mailbox)
    return OperationResult(done, why, target, store.can.leaves_originals, back=back)


def _copied(store: MailStore, refs: list[MessageRef], target: str) -> OperationResult:
    try:
        places = store.copy(refs, target)
    except PartlyDone as error:
        return OperationResult(error.done, error.why, target)
    return OperationResult(dict(zip(refs, places, strict=True)), None, target)


def is_junk(store: MailStore, mailbox: str) -> bool:
    """Return whether a mailbox is the junk folder; if the server marks it, nothing else needs to be listed."""
    return store.special("junk") == mailbox


def _deleted(store: MailStore, refs: list[MessageRef], _target: str) -> OperationResult:
    r"""Move to Trash, or flag as \Deleted if there is none; ask first if that deletes permanently."""
    if not store.can.move:
        return OperationResult(changed=refs, ask=True)
    here = refs[0].mailbox
    # From the inbox only Trash is needed, which many servers find without listing all folders.
    known = store.roles() if here != INBOX else {"trash": store.special("trash")}
    trash = known.get("trash")
    if here in (trash, known.get("junk")):
        return OperationResult(changed=refs, ask=True)
    if trash is not None:
        return _moved(store, refs, trash)
    flags = store.flags(refs)
    if flags and all(_has(found, DELETED) for found in flags.values()):
        return OperationResult(changed=refs, ask=True)
    result = _flag(store, refs, DELETED, True)
    return OperationResult(result.done, result.why, left=True, changed=result.changed)


def _erased(store: MailStore, refs: list[MessageRef], _target: str) -> OperationResult:
    why: StoreError | None = None
    done: Done = dict.fromkeys(refs)
    try:
        store.delete(refs)
    except PartlyDone as error:
        done, why = error.done, error.why
    return OperationResult(done, why, left=not store.can.expunge)


def _archived(store: MailStore, refs: list[MessageRef], _target: str) -> OperationResult:
    return _moved(store, refs, store.special_or_new("archive"))


def _junked(store: MailStore, refs: list[MessageRef], _target: str) -> OperationResult:
    return _judged(store, refs, store.special_or_new("junk"), _JUNK_KEYWORD, _NOT_JUNK_KEYWORD)


def _cleared(store: MailStore, refs: list[MessageRef], _target: str) -> OperationResult:
    return _judged(store, refs, INBOX, _NOT_JUNK_KEYWORD, _JUNK_KEYWORD)


def _judged(
    store: MailStore, refs: list[MessageRef], target: str, keyword: str, against: str
) -> OperationResult:
    for name, present in ((keyword, True), (against, False)):
        if store.keeps(refs[0], name):
            with suppress(MessageGone):
                store.flag(refs, [name], present)
    return _moved(store, refs, target)


_EXECUTE: Final[Mapping[str, Callable[[MailStore, list[MessageRef], str], OperationResult]]] = {
    DELETE: _deleted,
    ERASE: _erased,
    MOVE: _moved,
    COPY: _copied,
    ARCHIVE: _archived,
    JUNK: _junked,
    NOT_JUNK: _cleared,
}


def apply(store: MailStore, word: str, refs: list[MessageRef], target: str) -> OperationResult:
    """Perform one operation on messages of one mailbox; the result includes refusals of the server."""
    operation = OPERATIONS[word]
    if not is_possible(word, store.can):
        return OperationResult(why=NotSupported(f"{word} is not possible here"))
    try:
        if operation.flag:
            return _flag(store, refs, operation.flag, operation.present)
        return _EXECUTE[word](store, refs, target)
    except StoreError as error:
        return OperationResult(why=error)


def revert(
    store: MailStore, operation: Operation, left: bool, old: list[MessageRef], new: list[MessageRef]
) -> OperationResult:
    """Revert an operation on the messages of one mailbox: `old` are their references before it, `new` after a move."""
    try:
        if operation.flag:
            return _flag(store, old, operation.flag, not operation.present)
        if left:
            result = _flag(store, old, DELETED, False)
            with suppress(StoreError):  # they are back, whatever happens to their copies
                store.delete(new)
            return result
        if operation in (OPERATIONS[JUNK], OPERATIONS[NOT_JUNK]):
            _forget_keywords(store, new)
        return _moved(store, new, old[0].mailbox)
    except StoreError as error:
        return OperationResult(why=error)


def _forget_keywords(store: MailStore, refs: list[MessageRef]) -> None:
    for keyword in (_JUNK_KEYWORD, _NOT_JUNK_KEYWORD):
        if refs and store.keeps(refs[0], keyword):
            with suppress(MessageGone):
                store.flag(refs, [keyword], False)
