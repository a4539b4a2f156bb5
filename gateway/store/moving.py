"""Messages on their way to another mailbox, or out of all: the part of the mail store that moves, copies and deletes.

Nothing here may expunge a message that it was not given: EXPUNGE and CLOSE, which take whatever another program has
flagged \\Deleted, are never sent. Without UIDPLUS what was copied away stays behind, flagged \\Deleted, for whoever
cleans up. Nothing is removed before the server has said that the copy is there, and whatever comes in between, what
was done until then is told (PartlyDone).
Standard: RFC 6851 (MOVE), with §3.3 for servers that lack it; RFC 4315 (UIDPLUS); RFC 9051 §6.4.7 (COPY).
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
    PartlyDone,
    StoreError,
    TargetGone,
    UnsafeArgument,
)
from gateway.store import response
from gateway.store.base import DELETED, MessageRef
from gateway.store.exchange import refusal
from gateway.store.response import Malformed, Reply, Untagged, number
from gateway.store.rows import Row, flags_of
from gateway.store.selected import Selected

# Messages in one command: a server that is cut off in the middle leaves at most so many in doubt, and their numbers
# stay below the 8,000 octets that a command line may have (RFC 9051 §4.1).
AT_A_TIME = 500

# Times that a command is given when others expunge messages of it at the same moment.
TRIES = 3

# What became of messages, by UID: where each is now, None where the server does not say.
Places = dict[int, MessageRef | None]

_SET = re.compile(rb"\d{1,10}(?::\d{1,10})?(?:,\d{1,10}(?::\d{1,10})?)*\Z")


class Step(NamedTuple):
    """What one command came to: messages that are done, and why the others are not."""

    done: Places
    failed: StoreError | None = None


class Moving(Selected):
    """Moves, copies and deletes messages of one mailbox at a time."""

    def move(self, refs: Iterable[MessageRef], mailbox: str) -> tuple[MessageRef | None, ...]:
        """Move messages and say where each is now, None where the server does not tell.

        Raise MessageGone when none of them is there, TargetGone when there is no such mailbox, PartlyDone when only
        some were moved. On a server without MOVE and UIDPLUS the originals stay, flagged \\Deleted.
        """
        act = self._move if self._offers("MOVE") else self._copy_away
        return self._all(refs, lambda uids: self._told(mailbox, uids, act))

    def copy(self, refs: Iterable[MessageRef], mailbox: str) -> tuple[MessageRef | None, ...]:
        """Copy messages and say where each copy is; errors as `move` raises them."""
        return self._all(refs, lambda uids: self._told(mailbox, uids, self._copy))

    def delete(self, refs: Iterable[MessageRef]) -> None:
        """Delete messages for good, or flag them \\Deleted where only they could not be expunged (no UIDPLUS).

        Raise MessageGone when none of them is there, PartlyDone when only some were deleted.
        """
        self._all(refs, self._expunge)

    def flags(self, refs: Iterable[MessageRef]) -> dict[MessageRef, frozenset[str]]:
        """Fetch the flags of messages of one mailbox as they are now; those that are gone are not among them."""
        wanted = _of_one_mailbox(refs)
        if not wanted:
            return {}
        self.enter(wanted[0])
        found: dict[int, frozenset[str]] = {}
        uids = sorted({ref.uid for ref in wanted})
        for at in range(0, len(uids), AT_A_TIME):
            asked = response.number_set(uids[at : at + AT_A_TIME])
            (reply,) = self._run(b"UID FETCH " + asked + b" (UID FLAGS)")
            found |= {number(row.get(b"UID")): flags_of(row) for row in _rows(reply.untagged)}
        return {ref: found[ref.uid] for ref in wanted if ref.uid in found}

    def keeps(self, ref: MessageRef, flag: str) -> bool:
        """Tell whether the mailbox of a message keeps this flag for good (PERMANENTFLAGS, RFC 9051 §7.1)."""
        self._enter(ref)
        if self._permanent is None:  # not told: all that there is, and no new words
            return flag.startswith("\\")
        permanent = {name.lower() for name in self._permanent}
        return flag.lower() in permanent or (not flag.startswith("\\") and "\\*" in permanent)

    @property
    def leaves_originals(self) -> bool:
        """Tell whether what is moved stays behind flagged \\Deleted, since this server has no better way."""
        return not self._offers("MOVE") and not self._offers("UIDPLUS")

    def _offers(self, name: str) -> bool:
        return bool({name, "IMAP4REV2"} & self._capabilities)

    # --- in pieces ---

    def _all(
        self, refs: Iterable[MessageRef], act: Callable[[list[int]], Step]
    ) -> tuple[MessageRef | None, ...]:
        """Act on messages a piece at a time, and tell what was done when something comes in between."""
        wanted = _of_one_mailbox(refs)
        if not wanted:
            return ()
        self.enter(wanted[0])
        done: Places = {}
        failed: StoreError | None = None
        uids = sorted({ref.uid for ref in wanted})
        for at in range(0, len(uids), AT_A_TIME):
            try:
                step = act(uids[at : at + AT_A_TIME])
            except StoreError as error:
                step = Step({}, error)
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

    def _told(self, mailbox: str, uids: list[int], act: Callable[[str, list[int]], Step]) -> Step:
        """Act, and where the server does not say what the messages are called now, find out by what it counts."""
        before = None if self._offers("UIDPLUS") else self._next(mailbox)
        step = act(mailbox, uids)
        lost = sorted(uid for uid, ref in step.done.items() if ref is None)
        if before is None or not lost or step.failed is not None:
            return step
        with suppress(StoreError):
            after = self._next(mailbox) or before
            # As many numbers given out as messages were moved: nobody else has put anything there meanwhile.
            if (after.uidvalidity, after.uid - before.uid) == (before.uidvalidity, len(lost)):
                new = zip(lost, range(before.uid, after.uid), strict=True)
                step.done.update({uid: MessageRef(mailbox, before.uidvalidity, at) for uid, at in new})
        return step

    def _next(self, mailbox: str) -> MessageRef | None:
        """Ask which UID a mailbox will give next."""
        (reply,) = self._run(b"STATUS " + self._argument(mailbox) + b" (UIDNEXT UIDVALIDITY)")
        for line in reply.untagged:
            if line.kind == "STATUS":
                with suppress(Malformed):
                    items = line.items()
                    uidnext, uidvalidity = number(items.get(b"UIDNEXT")), number(items.get(b"UIDVALIDITY"))
                    return MessageRef(mailbox, uidvalidity, uidnext) if uidnext and uidvalidity else None
        return None

    # --- single commands ---

    def _move(self, mailbox: str, uids: list[int]) -> Step:
        there, (reply,) = self._act(uids, b"UID MOVE %b " + self._argument(mailbox))
        places = _placed(reply, mailbox, uids)
        if not places and (reply.ok or not self._offers("UIDPLUS")):
            places = dict.fromkeys(there - self._present(uids))
        # RFC 6851 §4.3: some may have been moved although the command failed.
        return Step(places, None if reply.ok or not there else _refused(reply))

    def _copy(self, mailbox: str, uids: list[int]) -> Step:
        there, (reply,) = self._act(uids, b"UID COPY %b " + self._argument(mailbox))
        if not reply.ok:  # nothing was copied then (RFC 9051 §6.4.7)
            return Step({}, _refused(reply) if there else None)
        return Step(_placed(reply, mailbox, uids) or dict.fromkeys(there))

    def _copy_away(self, mailbox: str, uids: list[int]) -> Step:
        """Copy, and only then remove from here what was copied."""
        step = self._copy(mailbox, uids)
        if not step.done or step.failed is not None:
            return step
        removed = self._expunge(sorted(step.done))
        return Step({}, NotRemoved(removed.failed.detail)) if removed.failed is not None else step

    def _expunge(self, uids: list[int]) -> Step:
        commands = [b"UID STORE %b +FLAGS.SILENT " + response.flag_list([DELETED])]
        if self._offers("UIDPLUS"):
            commands.append(b"UID EXPUNGE %b")
        there, replies = self._act(uids, *commands)
        refused = next((reply for reply in replies if not reply.ok), None)
        if refused is None or not there:
            return Step(dict.fromkeys(there))
        return Step(dict.fromkeys(there - self._present(uids)), _refused(refused))

    def _act(self, uids: list[int], *commands: bytes) -> tuple[set[int], list[Reply]]:
        """Run commands on messages in one round trip, and say which of them were there just before."""
        for _try in range(TRIES):
            numbers = response.number_set(uids)
            asked = (
                b"UID FETCH " + numbers + b" (UID)",
                *(line.replace(b"%b", numbers, 1) for line in commands),
            )
            replies = self._run(*asked)
            # QUIRK: Dovecot may end commands that came together in any order, so what is told may stand anywhere.
            told = [line for reply in replies for line in reply.untagged]
            there = _uids(told) & set(uids)
            if not any(reply.status.code == "EXPUNGEISSUED" for reply in replies):
                break
            # Somebody else has just expunged one of them, so nothing was done: once more with the others.
            uids = sorted(there & self._present(uids)) or uids
        return there, [Reply(reply.status, told) for reply in replies[1:]]

    def _present(self, uids: Iterable[int]) -> set[int]:
        (reply,) = self._run(b"UID FETCH " + response.number_set(uids) + b" (UID)")
        return _uids(reply.untagged)


def _refused(reply: Reply) -> StoreError:
    error = refusal(reply)
    return TargetGone(error.detail) if isinstance(error, MailboxGone) else error


def _of_one_mailbox(refs: Iterable[MessageRef]) -> list[MessageRef]:
    wanted = list(refs)
    if len({(ref.mailbox, ref.uidvalidity) for ref in wanted}) > 1:
        raise UnsafeArgument("messages of one mailbox expected")
    return wanted


def _rows(lines: Iterable[Untagged]) -> Iterator[Row]:
    """Yield the items of FETCH responses."""
    for line in lines:
        if line.kind == "FETCH":
            with suppress(Malformed):
                yield line.items()


def _uids(lines: Iterable[Untagged]) -> set[int]:
    """Collect the UIDs of FETCH responses."""
    return {number(row.get(b"UID")) for row in _rows(lines)} - {0}


def _placed(reply: Reply, mailbox: str, uids: Iterable[int]) -> Places:
    """Read where messages are now: COPYUID stands in the last word, or for MOVE before it (RFC 6851 §4.3)."""
    wanted = set(uids)
    places: Places = {}
    for status in (*(line.status for line in reply.untagged if line.kind == "OK"), reply.status):
        if status.code == "COPYUID":
            uidvalidity, pairs = copied(status.argument, AT_A_TIME)
            news = {old: MessageRef(mailbox, uidvalidity, new) for old, new in pairs.items() if old in wanted}
            places.update(news)
    return places


def copied(argument: bytes, most: int) -> tuple[int, Mapping[int, int]]:
    """Read a COPYUID (RFC 4315 §3) into UIDVALIDITY and old UID -> new; nothing where it makes no sense."""
    words = argument.split()
    uidvalidity = response.numeral(words[0]) if len(words) == 3 else None
    if not uidvalidity:
        return 0, {}
    old, new = (list(_numbers(word, most)) for word in words[1:])
    return (uidvalidity, dict(zip(old, new, strict=True))) if len(old) == len(new) else (0, {})


def _numbers(text: bytes, most: int) -> Iterator[int]:
    """Yield the numbers of a set in its order; none of a set that is no set or has more than `most`."""
    found: list[int] = []
    for piece in text.split(b",") if _SET.match(text) else ():
        ends = [response.numeral(end) for end in piece.split(b":")]
        low, high = min(end or 0 for end in ends), max(end or 0 for end in ends)
        if not low or len(found) + high - low >= most:
            return
        found.extend(range(low, high + 1))
    yield from found


__all__ = ["AT_A_TIME", "Moving", "copied"]
