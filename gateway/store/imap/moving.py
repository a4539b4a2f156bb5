"""The part of the store that flags, moves, copies and deletes messages.

Nothing here may expunge a message that it was not given: EXPUNGE and CLOSE, which remove whatever another program has
flagged \\Deleted, are never sent. Without UIDPLUS the originals stay behind, flagged \\Deleted, to be cleaned up by
other programs. Nothing is removed before the server has confirmed the copy, and if something fails midway, what had
been done until then is reported (PartlyDone).

Standard: RFC 6851 (MOVE), with §3.3 for servers that lack it; RFC 4315 (UIDPLUS); RFC 9051 §6.4.7 (COPY); RFC 7162.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

from gateway.errors import (
    MailboxGone,
    MessageGone,
    NotRemoved,
    NotSupported,
    PartlyDone,
    StoreError,
    TargetGone,
    UnsafeArgument,
)
from gateway.store.base import DELETED, INBOX, MessageRef
from gateway.store.imap import response
from gateway.store.imap.exchange import refusal
from gateway.store.imap.features import Feature, refused
from gateway.store.imap.fetched import counted, flags_of, rows_of
from gateway.store.imap.response import CommandResponse, Untagged, number
from gateway.store.imap.selected import Selected

# Messages in one command: if the connection breaks, at most this many are in doubt, and their numbers stay below the
# 8,000 octets of a command line (RFC 9051 §4.1).
AT_A_TIME = 500

# Attempts at a command while other clients expunge some of its messages at the same moment.
TRIES = 3

# New refs by old UID, None if the server does not report them.
NewRefs = dict[int, MessageRef | None]

_SET = re.compile(rb"\d{1,10}(?::\d{1,10})?(?:,\d{1,10}(?::\d{1,10})?)*\Z")


class BatchResult(NamedTuple):
    """The result of one command: messages that are done, and why the others are not."""

    done: NewRefs
    failed: StoreError | None = None


class Moving(Selected):
    """Flags, moves, copies and deletes messages of one mailbox at a time."""

    def move(self, refs: Iterable[MessageRef], mailbox: str) -> tuple[MessageRef | None, ...]:
        """Move messages and return their new refs, None if the server does not report them.

        Raise MessageGone if none of them is there, TargetGone if there is no such mailbox, PartlyDone if only
        some were moved. On a server without MOVE and UIDPLUS the originals stay, flagged \\Deleted.
        """

        def act(target: str, uids: list[int]) -> BatchResult:
            return self._best(
                (Feature.MOVE, lambda: self._move(target, uids)),
                (None, lambda: _unless_failed(self._copy_away(target, uids))),
            )

        return self._all(refs, lambda uids: self._told(mailbox, uids, act))

    def copy(self, refs: Iterable[MessageRef], mailbox: str) -> tuple[MessageRef | None, ...]:
        """Copy messages and return the refs of the copies; errors as in `move`."""
        return self._all(refs, lambda uids: self._told(mailbox, uids, self._copy))

    def delete(self, refs: Iterable[MessageRef]) -> None:
        """Delete messages permanently, or flag them \\Deleted if they could not be expunged alone (no UIDPLUS).

        Raise MessageGone if none of them is there, PartlyDone if only some were deleted.
        """
        self._all(refs, self._expunge)

    def flag(self, refs: Iterable[MessageRef], flags: Iterable[str], present: bool = True) -> None:
        """Add or remove flags; MessageGone if one of the messages is gone, after the others were flagged."""
        wanted = _of_one_mailbox(refs)
        names = response.flag_list(flags)
        if not wanted:
            return
        self._enter(wanted[0])
        sign = b" +FLAGS " if present else b" -FLAGS "
        uids = sorted({ref.uid for ref in wanted})
        answered: set[int] = set()
        failed: CommandResponse | None = None
        for at in range(0, len(uids), AT_A_TIME):
            (reply,) = self._run(
                b"UID STORE " + response.number_set(uids[at : at + AT_A_TIME]) + sign + names
            )
            answered |= _uids(reply.untagged)
            failed = failed if reply.ok or reply.status.code == "EXPUNGEISSUED" else reply
        # A server need not repeat flags that were already set.
        quiet = [uid for uid in uids if uid not in answered]
        batches = (quiet[at : at + AT_A_TIME] for at in range(0, len(quiet), AT_A_TIME))
        if not all(self._present(some).issuperset(some) for some in batches):
            raise MessageGone("expunged meanwhile")
        if failed is not None:
            raise refusal(failed)

    def flags(self, refs: Iterable[MessageRef]) -> dict[MessageRef, frozenset[str]]:
        """Fetch the current flags of messages of one mailbox; those that are gone are left out."""
        wanted = _of_one_mailbox(refs)
        if not wanted:
            return {}
        self.enter(wanted[0])
        found: dict[int, frozenset[str]] = {}
        uids = sorted({ref.uid for ref in wanted})
        for at in range(0, len(uids), AT_A_TIME):
            asked = response.number_set(uids[at : at + AT_A_TIME])
            (reply,) = self._run(b"UID FETCH " + asked + b" (UID FLAGS)")
            found |= {number(row.get(b"UID")): flags_of(row) for row in rows_of(reply.untagged)}
        return {ref: found[ref.uid] for ref in wanted if ref.uid in found}

    def keeps(self, ref: MessageRef, flag: str) -> bool:
        """Return whether the mailbox of a message stores this flag permanently (PERMANENTFLAGS, RFC 9051 §7.1)."""
        self._enter(ref)
        if self._permanent is None:  # not reported: all existing flags, and no new keywords
            return flag.startswith("\\")
        permanent = {name.lower() for name in self._permanent}
        if permanent == {"\\*"}:  # QUIRK: go-imap lists no system flag, and keeps them all
            return True
        return flag.lower() in permanent or (not flag.startswith("\\") and "\\*" in permanent)

    def takes_back(self, mailbox: str) -> bool:
        """Return whether messages moved out of a mailbox can be moved back, as far as the server has shown.

        A virtual mailbox cannot be recognized by its name. It has no mod-sequences, which it could not keep (RFC 7162
        §3.1.2.2), on a server where others have them; or a list has marked it, or it refused a copy permanently.
        """
        if mailbox == INBOX or mailbox not in self._virtual | self._modless:
            return True
        if mailbox not in self._virtual and self._modseqs is None:
            self._modseqs = False
            with suppress(StoreError):
                self._select(INBOX)  # which shows whether it has any
        return mailbox not in self._virtual and not self._modseqs

    # --- in batches ---

    def _all(
        self, refs: Iterable[MessageRef], act: Callable[[list[int]], BatchResult]
    ) -> tuple[MessageRef | None, ...]:
        """Act on messages in batches, and report what was done if something fails midway."""
        wanted = _of_one_mailbox(refs)
        if not wanted:
            return ()
        self.enter(wanted[0])
        done: NewRefs = {}
        failed: StoreError | None = None
        uids = sorted({ref.uid for ref in wanted})
        for at in range(0, len(uids), AT_A_TIME):
            try:
                step = act(uids[at : at + AT_A_TIME])
            except StoreError as error:
                step = BatchResult({}, error)
            done |= step.done
            failed = step.failed
            if failed is not None:
                break
        if failed is None and any(ref.uid not in done for ref in wanted):
            failed = MessageGone("expunged meanwhile")
        if failed is not None:
            there = {ref: done[ref.uid] for ref in wanted if ref.uid in done}
            raise PartlyDone(there, failed) if there else failed
        return tuple(done[ref.uid] for ref in wanted)

    def _told(
        self, mailbox: str, uids: list[int], act: Callable[[str, list[int]], BatchResult]
    ) -> BatchResult:
        """Act, and if the server does not report the new UIDs, derive them from UIDNEXT."""
        before = None if self._offers(Feature.EXPUNGE_ALONE) else self._next(mailbox)
        step = act(mailbox, uids)
        lost = sorted(uid for uid, ref in step.done.items() if ref is None)
        if before is None or not lost or step.failed is not None:
            return step
        with suppress(StoreError):
            after = self._next(mailbox) or before
            # As many UIDs were assigned as messages were moved: nobody else has added anything in the meantime.
            if (after.uidvalidity, after.uid - before.uid) == (before.uidvalidity, len(lost)):
                new = zip(lost, range(before.uid, after.uid), strict=True)
                step.done.update({uid: MessageRef(mailbox, before.uidvalidity, at) for uid, at in new})
        return step

    def _next(self, mailbox: str) -> MessageRef | None:
        """Return the UIDNEXT of a mailbox."""
        replies = self._run(b"STATUS " + self._argument(mailbox) + b" (UIDNEXT UIDVALIDITY)")
        uidnext, uidvalidity = counted(replies, b"UIDNEXT"), counted(replies, b"UIDVALIDITY")
        return MessageRef(mailbox, uidvalidity, uidnext) if uidnext and uidvalidity else None

    # --- single commands ---

    def _move(self, mailbox: str, uids: list[int]) -> BatchResult:
        there, (reply,) = self._act(uids, b"UID MOVE %b " + self._argument(mailbox))
        places = _placed(reply, mailbox, uids)
        if not places and (reply.ok or not self._offers(Feature.EXPUNGE_ALONE)):
            places = dict.fromkeys(there - self._present(uids))
        if not reply.ok and there and not places:
            self._raise_if_unsupported(reply)
        # RFC 6851 §4.3: some may have been moved although the command failed.
        return BatchResult(places, None if reply.ok or not there else _refused(reply))

    def _copy(self, mailbox: str, uids: list[int]) -> BatchResult:
        there, (reply,) = self._act(uids, b"UID COPY %b " + self._argument(mailbox))
        if reply.status.code == "CANNOT" and mailbox != INBOX:
            self._virtual.add(mailbox)
        if not reply.ok:  # nothing was copied then (RFC 9051 §6.4.7)
            return BatchResult({}, _refused(reply) if there else None)
        return BatchResult(_placed(reply, mailbox, uids) or dict.fromkeys(there))

    def _copy_away(self, mailbox: str, uids: list[int]) -> BatchResult:
        """Copy, and only then remove the copied messages from here."""
        step = self._copy(mailbox, uids)
        if not step.done or step.failed is not None:
            return step
        removed = self._expunge(sorted(step.done))
        return BatchResult({}, NotRemoved(removed.failed.detail)) if removed.failed is not None else step

    def _expunge(self, uids: list[int]) -> BatchResult:
        mark = b"UID STORE %b +FLAGS.SILENT " + response.flag_list([DELETED])
        return self._best(
            (Feature.EXPUNGE_ALONE, lambda: self._removed(uids, mark, b"UID EXPUNGE %b")),
            (None, lambda: self._removed(uids, mark)),
        )

    def _removed(self, uids: list[int], *commands: bytes) -> BatchResult:
        there, replies = self._act(uids, *commands)
        if replies[0].ok and there:
            self._raise_if_unsupported(replies[-1])
        failed = next((reply for reply in replies if not reply.ok), None)
        if failed is None or not there:
            return BatchResult(dict.fromkeys(there))
        return BatchResult(dict.fromkeys(there - self._present(uids)), _refused(failed))

    @staticmethod
    def _raise_if_unsupported(reply: CommandResponse) -> None:
        error = None if reply.ok else refused(reply)
        if isinstance(error, NotSupported):
            raise error

    def _act(self, uids: list[int], *commands: bytes) -> tuple[set[int], list[CommandResponse]]:
        """Run commands on messages in one round trip, and return which of them were there just before."""
        for _try in range(TRIES):
            numbers = response.number_set(uids)
            asked = (
                b"UID FETCH " + numbers + b" (UID)",
                *(line.replace(b"%b", numbers, 1) for line in commands),
            )
            replies = self._run(*asked)
            # QUIRK: Dovecot may end commands that were sent together in any order, so a response may be in any reply.
            told = [line for reply in replies for line in reply.untagged]
            there = _uids(told) & set(uids)
            if not any(reply.status.code == "EXPUNGEISSUED" for reply in replies):
                break
            # Another client has just expunged one of them, so nothing was done: try again with the others.
            uids = sorted(there & self._present(uids)) or uids
        return there, [CommandResponse(reply.status, told) for reply in replies[1:]]

    def _present(self, uids: Iterable[int]) -> set[int]:
        (reply,) = self._run(b"UID FETCH " + response.number_set(uids) + b" (UID)")
        return _uids(reply.untagged)


def _unless_failed(step: BatchResult) -> BatchResult:
    if step.failed is not None and not step.done:
        raise step.failed
    return step


def _refused(reply: CommandResponse) -> StoreError:
    error = refused(reply)
    return TargetGone(error.detail) if isinstance(error, MailboxGone) else error


def _of_one_mailbox(refs: Iterable[MessageRef]) -> list[MessageRef]:
    wanted = list(refs)
    if len({(ref.mailbox, ref.uidvalidity) for ref in wanted}) > 1:
        raise UnsafeArgument("messages of one mailbox expected")
    return wanted


def _uids(lines: Iterable[Untagged]) -> set[int]:
    """Collect the UIDs of FETCH responses."""
    return {number(row.get(b"UID")) for row in rows_of(lines)} - {0}


def _placed(reply: CommandResponse, mailbox: str, uids: Iterable[int]) -> NewRefs:
    """Read the new refs: COPYUID is in the tagged response, or for MOVE before it (RFC 6851 §4.3)."""
    wanted = set(uids)
    places: NewRefs = {}
    for status in (*(line.status for line in reply.untagged if line.kind == "OK"), reply.status):
        if status.code == "COPYUID":
            uidvalidity, pairs = copied(status.argument, AT_A_TIME)
            news = {old: MessageRef(mailbox, uidvalidity, new) for old, new in pairs.items() if old in wanted}
            places.update(news)
    return places


def copied(argument: bytes, most: int) -> tuple[int, Mapping[int, int]]:
    """Read a COPYUID (RFC 4315 §3) into UIDVALIDITY and old UID -> new; nothing if it is invalid."""
    words = argument.split()
    uidvalidity = response.numeral(words[0]) if len(words) == 3 else None
    if not uidvalidity:
        return 0, {}
    old, new = (list(_numbers(word, most)) for word in words[1:])
    return (uidvalidity, dict(zip(old, new, strict=True))) if len(old) == len(new) else (0, {})


def _numbers(text: bytes, most: int) -> Iterator[int]:
    """Yield the numbers of a set in its order; nothing of an invalid set or one with more than `most`."""
    found: list[int] = []
    for piece in text.split(b",") if _SET.match(text) else ():
        ends = [response.numeral(end) for end in piece.split(b":")]
        low, high = min(end or 0 for end in ends), max(end or 0 for end in ends)
        if not low or len(found) + high - low >= most:
            return
        found.extend(range(low, high + 1))
    yield from found


__all__ = ["AT_A_TIME", "Moving", "copied"]
