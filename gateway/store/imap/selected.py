"""A signed-in connection and its selected mailbox: the base of all parts of the store.

Nothing here may know what a command is for. Responses are applied in the order of arrival: an EXPUNGE renumbers
everything before it (RFC 9051 §7.5.1). A message's mailbox is the right one only with its UIDVALIDITY (RFC 9051
§2.3.1.1). Standard: RFC 9051 §6.3.2 (SELECT), §7.1 (response codes).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar, cast

from gateway.errors import (
    MailboxClosed,
    MailboxGone,
    NotAllowed,
    NotSupported,
    StoreError,
    StoreRefused,
    StoreUnreachable,
)
from gateway.store.abilities import Can
from gateway.store.base import MailStore, MessageRef, StoredNotes
from gateway.store.imap import response
from gateway.store.imap.connection.imap4 import READ_SECONDS, Traffic
from gateway.store.imap.exchange import Exchange, refusal
from gateway.store.imap.features import (
    Feature,
    Refusals,
    abilities,
    announced_abilities,
    is_announced,
    refused,
)
from gateway.store.imap.fetched import LIST_ITEMS, PLAIN_LIST_ITEMS, FetchItems, is_whole, messages, uid_of
from gateway.store.imap.known_rows import KnownRows
from gateway.store.imap.opening import mailbox_argument
from gateway.store.imap.response import CommandResponse, ImapSyntaxError, Untagged
from gateway.store.imap.search import criteria
from gateway.store.session_cache import SessionCache

T = TypeVar("T")

# Seconds that a connection may be idle before it must answer a NOOP, and seconds for that answer.
REST_SECONDS, LIVENESS_SECONDS = 60.0, 5.0


class Selected:
    """A signed-in connection that remembers which mailbox is selected and how many messages it has."""

    def __init__(
        self,
        exchange: Exchange,
        capabilities: frozenset[str],
        utf8: bool = False,
        refusals: Refusals | None = None,
    ) -> None:
        exchange.know(capabilities, signed_in=True)
        self._exchange = exchange
        self._connect: Callable[[], MailStore] | None = None
        self._capabilities = capabilities
        self._refusals = refusals if refusals is not None else Refusals()
        self._utf8 = utf8
        self._selected: str | None = None
        self._uidvalidity = 0
        self._exists = 0
        self._permanent: frozenset[str] | None = None  # None: not reported
        #: Mailboxes that were found to show messages of others.
        self._virtual: set[str] = set()
        #: Mailboxes without mod-sequences of their own; and whether others have them (None: unknown).
        self._modless: set[str] = set()
        self._known_rows = KnownRows()
        self.cache = SessionCache()
        self._modseqs: bool | None = None

    @property
    def capabilities(self) -> frozenset[str]:
        return self._capabilities

    @property
    def traffic(self) -> Traffic:
        """The traffic of this connection so far."""
        return self._exchange.traffic

    @property
    def broken(self) -> bool:
        """Whether the conversation has failed, so that this connection is useless."""
        return self._exchange.broken

    def is_usable(self, idle: float) -> bool:
        """Return whether a connection still answers after `idle` seconds; without traffic while it is fresh."""
        if self.broken:
            return False
        if idle <= REST_SECONDS and self._exchange.is_quiet():
            return True
        try:
            self._exchange.wait_at_most(LIVENESS_SECONDS)
            (reply,) = self._run(b"NOOP")
            self._exchange.wait_at_most(READ_SECONDS)
        except (StoreError, OSError):
            return False
        return reply.ok

    def close(self) -> None:
        """Close the connection; may be called any number of times."""
        self.cache.clear()
        if not self.broken:
            self._exchange.close()

    # --- what the server can do ---

    @property
    def can(self) -> Can:
        """What this store can do: what the server announces and has not refused."""
        if self._refusals.are_none:
            return announced_abilities(self._capabilities)
        return abilities(self._offers)

    def _offers(self, feature: Feature) -> bool:
        """Return whether the server announces a feature and has not refused it recently."""
        return is_announced(feature, self._capabilities) and feature not in self._refusals

    def _best(self, *ways: tuple[Feature | None, Callable[[], T]]) -> T:
        """Take the first way whose feature the server offers; None is what every server can do.

        A way raises NotSupported if the server refuses its feature. That is believed, and remembered, once a later way
        works: then it was not due to the mailbox.
        """
        refused: list[tuple[Feature, NotSupported]] = []
        for feature, way in ways:
            if feature is not None and not self._offers(feature):
                continue
            try:
                result = way()
            except NotSupported as error:
                if feature is None:
                    raise
                refused.append((feature, error))
                continue
            except StoreUnreachable:
                if feature is not None:
                    self._refusals.doubt(feature)
                raise
            for each, why in refused:
                self._refusals.add(each, why.for_anyone)
            return result
        raise refused[-1][1] if refused else NotSupported("nothing of this is offered")

    def _resume(self, error: StoreUnreachable) -> None:
        """Continue with a new connection if this one was dropped; otherwise raise the error.

        Only for requests that may be repeated.
        """
        if self._connect is None or not error.dropped:
            raise error
        self._selected = None
        self._exchange = cast(Selected, self._connect())._exchange

    @contextmanager
    def lent(self, connect: Callable[[], MailStore], notes: StoredNotes | None = None) -> Iterator[None]:
        """Provide a way to reconnect within the block; notes are kept by the IMAP server."""
        self._connect = connect
        try:
            yield
        finally:
            self._connect = None

    # --- what is selected ---

    def enter(self, ref: MessageRef) -> None:
        """Select the mailbox of a message in its current state, and check its UIDVALIDITY."""
        self._enter_anew(ref.mailbox)
        self._check(ref)

    def _select(self, mailbox: str, *then: bytes) -> list[CommandResponse]:
        """Select a mailbox and run more commands in the same round trip; return the replies to those.

        Without EXISTS, which is mandatory (RFC 9051 §6.3.2), ask again: otherwise the mailbox would seem to be empty.
        """
        self._selected = None
        self._known_rows.leave()
        for _try in range(2):
            selected, *replies = self._together((b"SELECT " + self._argument(mailbox), *then))
            told = any(line.kind == "EXISTS" for line in selected.untagged)
            if told or not selected.ok:
                break
        if not selected.ok:
            raise self._unopened(selected, mailbox)
        self._uidvalidity, self._exists, self._permanent = 0, 0, None
        for reply in (selected, *replies):
            self._note(reply)
        if not told:
            self._exists = self._asked_exists(mailbox)
        if any(line.kind == "OK" and line.status.code == "NOMODSEQ" for line in selected.untagged):
            self._modless.add(mailbox)
        elif "CONDSTORE" in self._capabilities:
            self._modseqs = True
        self._selected = mailbox
        return replies

    def _asked_exists(self, mailbox: str) -> int:
        """Ask how many messages there are: by STATUS, or by fetching the number of the last one.

        QUIRK: a server that does not send EXISTS, or a proxy in front of it that drops it as unsolicited.
        """
        replies = self._one_by_one((b"STATUS " + self._argument(mailbox) + b" (MESSAGES)", b"FETCH * (UID)"))
        numbers = [line.number for line in replies[1].untagged if line.kind == "FETCH"]
        told = messages(replies)
        if told is None and not numbers:
            raise StoreRefused("SELECT without EXISTS")
        return max(told or 0, *numbers, 0)

    def _unopened(self, reply: CommandResponse, mailbox: str) -> StoreError:
        """Return why a mailbox was not selected: a NO without a code may mean that it is gone, or forbidden."""
        error = refusal(reply, StoreRefused)
        if isinstance(error, NotAllowed):
            return MailboxClosed(error.detail)
        if type(error) is StoreRefused and reply.status.kind == "NO" and not reply.status.code:
            (listed,) = self._exchange.run(b'LIST "" ' + self._argument(mailbox))
            there = any(line.kind == "LIST" and _can_be_open(line) for line in listed.untagged)
            return MailboxClosed(error.detail) if there else MailboxGone(error.detail)
        return error

    def _argument(self, mailbox: str) -> bytes:
        """Write a mailbox name in this connection's encoding."""
        return mailbox_argument(mailbox, self._utf8)

    def _enter(self, ref: MessageRef) -> None:
        """Select the mailbox of a message, and check its UIDVALIDITY."""
        if self._selected != ref.mailbox:
            self._select(ref.mailbox)
        self._check(ref)

    def _enter_anew(self, mailbox: str) -> None:
        """Select a mailbox in its current state, with everything that others have changed (RFC 2180 §4).

        QUIRK: Dovecot does nothing for a NOOP that other commands follow.
        """
        if self._selected != mailbox:
            self._select(mailbox)
            return
        (news,) = self._run(b"NOOP")
        if not news.ok:
            self._selected = None
            raise refusal(news, MailboxGone)

    def _ref(self, row: FetchItems) -> MessageRef:
        return MessageRef(self._selected or "", self._uidvalidity, uid_of(row))

    def _check(self, ref: MessageRef) -> None:
        if self._uidvalidity != ref.uidvalidity:
            raise MailboxGone(f"UIDVALIDITY is {self._uidvalidity} now")

    def _run(self, *commands: bytes, rows: dict[int, FetchItems] | None = None) -> list[CommandResponse]:
        """Run commands, apply what they report about the selected mailbox, and collect FETCH responses in `rows`."""
        if not commands:
            return []
        replies = self._together(commands)
        for reply in sorted(replies, key=lambda reply: reply.finished):
            self._note(reply, rows)
        return replies

    def _asked(self, command: bytes, rows: dict[int, FetchItems] | None = None) -> CommandResponse:
        """Run one command as `_run` does, and raise unless it is OK: NotSupported if it was refused as such."""
        (reply,) = self._run(command, rows=rows)
        if not reply.ok:
            raise refused(reply)
        return reply

    def _through(self, method: Callable[..., Any], *args: object) -> Any:
        """Run a method of imapclient, apply what it reports as `_run` does, and raise unless it is OK."""
        result, reply = self._exchange.attempt(method, *args)
        self._note(reply)
        if not reply.ok:
            raise refusal(reply)
        return result

    def _together(self, commands: Sequence[bytes]) -> list[CommandResponse]:
        """Run commands in one round trip, or one by one on a server that does not understand several in one write."""
        if len(commands) < 2:
            return self._exchange.run(*commands)
        if not self._offers(Feature.PIPELINING):
            return self._one_by_one(commands)
        ended = self._exchange.traffic.commands
        try:
            replies = self._exchange.run(*commands)
        except StoreUnreachable:
            if self._exchange.traffic.commands > ended + 1:
                # It answered the first command, but not those that came with it.
                self._refusals.doubt(Feature.PIPELINING)
            raise
        if replies[0].ok and all(reply.status.kind == "BAD" for reply in replies[1:]):
            # A BAD means that nothing was done. If a command works alone, the command was not the reason.
            alone = self._one_by_one(commands[1:], 1)
            if any(reply.status.kind != "BAD" for reply in alone):
                self._refusals.add(Feature.PIPELINING, for_anyone=True)
            return [replies[0], *alone]
        return replies

    def _one_by_one(self, commands: Sequence[bytes], first: int = 0) -> list[CommandResponse]:
        replies = (self._exchange.run(command)[0] for command in commands)
        return [replace(reply, finished=at) for at, reply in enumerate(replies, first)]

    def _complete(
        self,
        found: dict[int, FetchItems],
        missing: Callable[[], Sequence[int]],
        first: CommandResponse,
        fetch: bytes = b"FETCH",
    ) -> None:
        """Ask again for the rows that are `missing`, each by itself, with fewer and fewer items.

        One message that the server cannot describe loses its own row, never the others. `first`: the reply to the FETCH
        of all; `fetch`: the command, which shows the kind of number.
        """
        if not missing():
            return
        gone: set[int] = set()
        self._ask_plainly(found, missing, fetch, first)
        for items in self._items[1:]:
            numbers = [n for n in missing() if n not in gone]
            replies = self._run(*(b"%b %d (%b)" % (fetch, n, items) for n in numbers), rows=found)
            if fetch != b"FETCH":  # for a UID that is gone the answer is just OK (RFC 9051 §6.4.9)
                silent = (
                    reply.ok and all(line.kind != "FETCH" for line in reply.untagged) for reply in replies
                )
                gone.update(n for n, nothing in zip(numbers, silent, strict=True) if nothing)
        if fetch == b"FETCH":
            self._name(found, [n for n in missing() if not uid_of(found.get(n, {}))])

    @property
    def _items(self) -> tuple[bytes, ...]:
        """The items of a row: everything, and what is requested instead if a server cannot describe a message."""
        return LIST_ITEMS if self._offers(Feature.HEADER_GROUPS) else PLAIN_LIST_ITEMS

    def _ask_plainly(
        self,
        found: dict[int, FetchItems],
        missing: Callable[[], Sequence[int]],
        fetch: bytes,
        first: CommandResponse,
    ) -> None:
        """If the FETCH of all rows was refused as such, ask in the plain way; if that works, remember it."""
        error = None if first.ok or any(map(is_whole, found.values())) else refused(first)
        numbers = missing()
        if numbers and isinstance(error, NotSupported) and self._offers(Feature.HEADER_GROUPS):
            self._run(b"%b %b (%b)" % (fetch, response.number_set(numbers), PLAIN_LIST_ITEMS[0]), rows=found)
            if len(missing()) < len(numbers):
                self._refusals.add(Feature.HEADER_GROUPS, error.for_anyone)

    def _name(self, found: dict[int, FetchItems], numbers: Sequence[int]) -> None:
        """Find the UIDs of messages without a FETCH of them: UIDs ascend with the numbers (RFC 9051 §2.3.1.1).

        QUIRK: the results of searches that were sent together could not be told apart.
        """
        for some in (numbers, *([n] for n in numbers)) if numbers else ():
            (reply,) = self._run(b"UID SEARCH " + response.number_set(some))
            uids = sorted(set(criteria.numbers(reply)))
            if len(uids) == len(some):
                for n, uid in zip(some, uids, strict=True):
                    found.setdefault(n, {})[b"UID"] = uid
                if some is numbers:
                    return

    def _note(self, reply: CommandResponse, rows: dict[int, FetchItems] | None = None) -> None:
        """Apply untagged responses in their order: an EXPUNGE renumbers everything before it."""
        rows = {} if rows is None else rows
        for line in reply.untagged:
            if line.kind == "EXISTS":
                self._exists = line.number
            elif line.kind == "EXPUNGE" and 0 < line.number <= self._exists:  # QUIRK: or one that never was
                self._exists = max(0, self._exists - 1)
                self._known_rows.expunge(line.number)
                moved = {n - (n > line.number): row for n, row in rows.items() if n != line.number}
                rows.clear()
                rows.update(moved)
            elif line.kind == "FETCH":
                try:
                    row = self._known_rows.items(line)
                except ImapSyntaxError:
                    continue
                rows.setdefault(line.number, {}).update(row)
            elif line.kind == "OK" and line.status.code == "UIDVALIDITY":
                self._uidvalidity = response.numeral(line.status.argument) or 0
            elif line.kind == "OK" and line.status.code == "PERMANENTFLAGS":
                self._permanent = frozenset(
                    line.status.argument.decode("ascii", "replace").strip("()").split()
                )


def _can_be_open(line: Untagged) -> bool:
    """Return whether a LIST response is about a mailbox that can have messages."""
    return not any(name in line.pieces[0].lower() for name in (b"\\noselect", b"\\nonexistent"))
