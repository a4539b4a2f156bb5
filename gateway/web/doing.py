"""Doing to messages what was asked, each thing once for a ticket, and taking it back.

Nothing here may act on a message that is not named for good (a stale one ends in a sentence), raise what the mail
server says instead of telling it, or take anything back that was not changed before.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from gateway.errors import (
    BadRequest,
    MessageGone,
    PartlyDone,
    ServerAlert,
    StoreError,
    StoreRefused,
    StoreUnreachable,
)
from gateway.store import tree
from gateway.store.base import DELETED, INBOX, MailStore, MessageRef
from gateway.web import deeds, sending
from gateway.web.deeds import COPY, DEEDS, DELETE, ERASE, FINE, JUNK, MOVE, UNDO, Deed, Outcome, Part, joined
from gateway.web.visit import Visit


def _(msgid: str) -> str:
    return msgid


#: What became of messages: where each is now, None where that is not known.
Done = Mapping[MessageRef, MessageRef | None]

#: The kind of thing under which the last deed that can be taken back is remembered: `of` its ticket.
LAST: Final = "undo"
#: The name of the folder that is made for junk where there is none; for Trash none is: what is deleted is flagged so.
JUNK_NAME: Final = "Junk"
#: Keywords by which filters learn (registered by RFC 9051 §2.3.2).
_IS_JUNK, _NOT_JUNK = "$Junk", "$NotJunk"
_STAYS: Final = _("What is in Trash or Junk stays there.")
#: What a connection that broke off in the middle leaves behind.
_UNCERTAIN: Final = _("The connection to the mail server broke off. It is not certain what was done.")


@dataclass(frozen=True, slots=True)
class Result:
    """What became of the messages of one mailbox.

    `to`: the mailbox where those of `done` are now. `left`: they are where they were too, flagged \\Deleted.
    `changed`: of `done` those that were not so before, where that matters. `ask`: nothing was done, since it would be
    for good.
    """

    done: Done = field(default_factory=dict)
    why: StoreError | None = None
    to: str = ""
    left: bool = False
    changed: Sequence[MessageRef] | None = None
    ask: bool = False


def once(visit: Visit, form: Mapping[str, str], act: Callable[[], Outcome]) -> tuple[str, Outcome]:
    """Act for the first request with a form's ticket, and tell a repeat what the first one came to."""
    session, ticket = visit.signed_in, form.get("ticket", "")
    if session.check_ticket(ticket) is None:
        raise BadRequest("a ticket that is not of this session")
    claim = session.claim(ticket)
    if not claim.fresh:
        return ticket, sending.first_outcome(session, ticket, claim)
    outcome = act()
    session.settle(ticket, outcome)
    if deeds.can_undo(outcome):
        session.memory.put(LAST, "", {"of": ticket})
    return ticket, outcome


@contextmanager
def _lent(visit: Visit, ref: MessageRef) -> Iterator[MailStore]:
    """Lend the mail store with the mailbox of a message at hand.

    A connection that turns out to be dead before anything was asked of it is no harm: there is another one.
    """
    for last in (False, True):
        with visit.signed_in.store() as store:
            try:
                store.enter(ref)
            except StoreUnreachable:
                if last:
                    raise
                continue
            yield store
            return


# --- doing


def perform(visit: Visit, word: str, refs: Iterable[MessageRef], target: str = "") -> Outcome:
    """Do it, and return what it came to; what the mail server refuses is part of that, never raised."""
    wanted = sorted(set(refs), key=lambda ref: (ref.mailbox, ref.uidvalidity, ref.uid))
    outcome: Outcome = {"do": word, "of": str(len(wanted)), "count": "0"}
    parts: list[Part] = []
    count, asks = 0, False
    try:
        with _lent(visit, wanted[0]) as store:
            for _mailbox, group in groupby(wanted, key=lambda ref: (ref.mailbox, ref.uidvalidity)):
                some = list(group)
                result = _result(store, word, some, target)
                count += len(result.done)
                parts.append(_part(visit, some[0], result))
                asks = asks or result.ask
                _reason(outcome, result.why, begun=True)
                if isinstance(result.why, StoreUnreachable):
                    break
            if len(wanted) == 1 and DEEDS[word].away and count:
                after = store.neighbour(wanted[0], older=True)
                outcome |= {"next": str(after.uid)} if after is not None else {}
    except StoreError as error:
        _reason(outcome, error)
    if asks:
        outcome |= {"why": _STAYS} if count else {"ask": "yes"}
    return outcome | {"count": str(count), "parts": json.dumps(parts)}


def _result(store: MailStore, word: str, refs: list[MessageRef], target: str) -> Result:
    deed = DEEDS[word]
    try:
        if deed.flag:
            return _flag(store, refs, deed.flag, deed.present)
        return _DOING[word](store, refs, target)
    except StoreError as error:
        return Result(why=error)


def _reason(outcome: Outcome, why: StoreError | None, begun: bool = False) -> None:
    """Keep the first reason for which not all was done, as a msgid; an ALERT in the server's words."""
    if why is not None and "why" not in outcome:
        outcome["why"] = _UNCERTAIN if begun and isinstance(why, StoreUnreachable) else why.sentence
        if isinstance(why, ServerAlert):
            outcome["alert"] = why.alert


def _part(visit: Visit, first: MessageRef, result: Result) -> Part:
    session = visit.signed_in
    new = [ref for ref in result.done.values() if ref is not None]
    old = result.done if result.changed is None else result.changed
    part: dict[str, int | str] = {
        "from": session.mailbox_number(first.mailbox, first.uidvalidity),
        "uids": joined(ref.uid for ref in old),
    }
    if result.to:
        # Without a UIDVALIDITY the number stands for the name alone.
        part["to"] = session.mailbox_number(result.to, new[0].uidvalidity if new else 0)
        part["new"] = joined(ref.uid for ref in new) if len(new) == len(result.done) else ""
    return part | ({"left": 1} if result.left else {})


def _flag(store: MailStore, refs: list[MessageRef], flag: str, present: bool) -> Result:
    found = store.flags(refs)
    changed = [ref for ref in refs if ref in found and _has(found[ref], flag) is not present]
    if changed:
        if not store.keeps(changed[0], flag):  # it may take the command all the same, and keep nothing
            return Result({}, StoreRefused(f"{flag} is not among PERMANENTFLAGS"))
        try:
            store.flag(changed, [flag], present)
        except MessageGone:
            found = {ref: flags for ref, flags in store.flags(refs).items() if ref in found}
            changed = [ref for ref in changed if ref in found]
    why = MessageGone("expunged meanwhile") if len(found) < len(refs) else None
    return Result(dict.fromkeys(found), why, changed=changed)


def _has(flags: Iterable[str], flag: str) -> bool:
    return flag.lower() in {name.lower() for name in flags}


def _moved(store: MailStore, refs: list[MessageRef], target: str) -> Result:
    left = store.leaves_originals
    try:
        places = store.move(refs, target)
    except PartlyDone as error:
        return Result(error.done, error.why, target, left)
    return Result(dict(zip(refs, places, strict=True)), None, target, left)


def _copied(store: MailStore, refs: list[MessageRef], target: str) -> Result:
    try:
        places = store.copy(refs, target)
    except PartlyDone as error:
        return Result(error.done, error.why, target)
    return Result(dict(zip(refs, places, strict=True)), None, target)


def roles(store: MailStore) -> dict[str, str]:
    """Say which mailbox is for what."""
    found = tree.tree(store.mailboxes(), frozenset(), tree.ONE_NAMESPACE)
    return {folder.role: folder.name for folder in found if folder.role}


def is_junk(store: MailStore, mailbox: str) -> bool:
    """Say whether a mailbox is the one for junk; where the server marks it, nothing else needs to be listed."""
    attribute, names = next((attribute, names) for role, attribute, names in tree.ROLES if role == "junk")
    return store.special(attribute, names) == mailbox


def _deleted(store: MailStore, refs: list[MessageRef], _target: str) -> Result:
    """Move to Trash, or flag what has no Trash to go to; what is as good as deleted is asked about."""
    known = roles(store)
    here, trash = refs[0].mailbox, known.get("trash")
    if here in (trash, known.get("junk")):
        return Result(changed=refs, ask=True)
    if trash is not None:
        return _moved(store, refs, trash)
    flags = store.flags(refs)
    if flags and all(_has(found, DELETED) for found in flags.values()):
        return Result(changed=refs, ask=True)
    result = _flag(store, refs, DELETED, True)
    return Result(result.done, result.why, left=True, changed=result.changed)


def _erased(store: MailStore, refs: list[MessageRef], _target: str) -> Result:
    left = not {"UIDPLUS", "IMAP4REV2"} & store.capabilities
    try:
        store.delete(refs)
    except PartlyDone as error:
        return Result(error.done, error.why, left=left)
    return Result(dict.fromkeys(refs), left=left)


def _junked(store: MailStore, refs: list[MessageRef], _target: str) -> Result:
    return _judged(store, refs, roles(store).get("junk") or store.create(JUNK_NAME), _IS_JUNK, _NOT_JUNK)


def _cleared(store: MailStore, refs: list[MessageRef], _target: str) -> Result:
    return _judged(store, refs, INBOX, _NOT_JUNK, _IS_JUNK)


def _judged(store: MailStore, refs: list[MessageRef], target: str, keyword: str, against: str) -> Result:
    for name, present in ((keyword, True), (against, False)):
        if store.keeps(refs[0], name):
            with suppress(MessageGone):
                store.flag(refs, [name], present)
    return _moved(store, refs, target)


_DOING: Final[Mapping[str, Callable[[MailStore, list[MessageRef], str], Result]]] = {
    DELETE: _deleted,
    ERASE: _erased,
    MOVE: _moved,
    COPY: _copied,
    JUNK: _junked,
    FINE: _cleared,
}


# --- taking back


def take_back(visit: Visit, before: Mapping[str, str]) -> Outcome:
    """Put back all that a deed has changed, and nothing else; return what that came to."""
    deed, parts = DEEDS[before["do"]], []
    count = of = 0
    outcome: Outcome = {"do": UNDO}
    try:
        groups = [(part, deeds.refs(visit, part)) for part in deeds.parts(before) if part["uids"]]
        with _lent(visit, groups[0][1][0]) as store:
            for part, old in groups:
                of += len(old)
                result = _back(store, deed, bool(part.get("left")), old, deeds.refs(visit, part, "to", "new"))
                count += len(result.done)
                parts.append(_part(visit, old[0], result))
                _reason(outcome, result.why, begun=True)
    except StoreError as error:
        _reason(outcome, error)
    return outcome | {"of": str(of), "count": str(count), "parts": json.dumps(parts)}


def _back(store: MailStore, deed: Deed, left: bool, old: list[MessageRef], new: list[MessageRef]) -> Result:
    """Put back the messages of one mailbox: `old` they were, `new` they are if they were moved."""
    try:
        if deed.flag:
            return _flag(store, old, deed.flag, not deed.present)
        if left:
            result = _flag(store, old, DELETED, False)
            with suppress(StoreError):  # they are back, whatever becomes of their copies
                store.delete(new)
            return result
        if deed in (DEEDS[JUNK], DEEDS[FINE]):
            _forget_keywords(store, new)
        return _moved(store, new, old[0].mailbox)
    except StoreError as error:
        return Result(why=error)


def _forget_keywords(store: MailStore, refs: list[MessageRef]) -> None:
    for keyword in (_IS_JUNK, _NOT_JUNK):
        if refs and store.keeps(refs[0], keyword):
            with suppress(MessageGone):
                store.flag(refs, [keyword], False)
