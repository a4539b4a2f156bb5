"""A signed-in connection and the mailbox that is selected on it: what every room of the store builds on.

Nothing here may know what a command is for. Responses are applied in the order in which they came: an EXPUNGE
renumbers all that came before it (RFC 9051 §7.5.1). A message's mailbox is the right one only with its UIDVALIDITY
(RFC 9051 §2.3.1.1). Standard: RFC 9051 §6.3.2 (SELECT), §7.1 (response codes).
"""

from __future__ import annotations

from contextlib import suppress

from gateway.errors import MailboxGone, StoreError, StoreRefused
from gateway.store import response
from gateway.store.base import MessageRef
from gateway.store.exchange import READ_SECONDS, Exchange, Traffic, refusal
from gateway.store.opening import mailbox_argument
from gateway.store.response import Malformed, Reply
from gateway.store.rows import Row

# Seconds that a connection may rest before it must answer a NOOP, and seconds for that answer.
REST_SECONDS, LIVENESS_SECONDS = 60.0, 5.0


class Selected:
    """A signed-in connection that remembers which mailbox is selected and how many messages that has."""

    def __init__(self, exchange: Exchange, capabilities: frozenset[str], utf8: bool = False) -> None:
        self._exchange = exchange
        self._capabilities = capabilities
        self._utf8 = utf8
        self._selected: str | None = None
        self._uidvalidity = 0
        self._exists = 0
        self._permanent: frozenset[str] | None = None  # None: not told

    @property
    def capabilities(self) -> frozenset[str]:
        return self._capabilities

    @property
    def traffic(self) -> Traffic:
        """What this connection has cost so far."""
        return self._exchange.traffic

    @property
    def broken(self) -> bool:
        """Tell whether the conversation ended, so that this connection is of no use any more."""
        return self._exchange.broken

    def is_usable(self, idle: float) -> bool:
        """Tell whether a connection that rested for `idle` seconds still answers; free of cost while it is fresh."""
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
        """End the connection; any number of times."""
        if not self.broken:
            self._exchange.close()

    # --- what is selected ---

    def enter(self, ref: MessageRef) -> None:
        """Have the mailbox of a message selected as it is now, and be sure that it is the same one."""
        self._enter_anew(ref.mailbox)
        self._check(ref)

    def _select(self, mailbox: str, then: bytes | None = None, rows: dict[int, Row] | None = None) -> Reply:
        """Select a mailbox and run one more command in the same round trip; return the last reply."""
        command = b"SELECT " + self._argument(mailbox)
        self._selected = None
        replies = self._exchange.run(command) if then is None else self._exchange.run(command, then)
        selected = replies[0]
        if not selected.ok:
            plain_no = selected.status.kind == "NO" and not selected.status.code
            raise refusal(selected, MailboxGone if plain_no else StoreRefused)
        self._uidvalidity, self._exists, self._permanent = 0, 0, None
        for reply in replies:
            self._note(reply, rows)
        self._selected = mailbox
        return replies[-1]

    def _argument(self, mailbox: str) -> bytes:
        """Write a mailbox name as this connection spells it."""
        return mailbox_argument(mailbox, self._utf8)

    def _enter(self, ref: MessageRef) -> None:
        """Have the mailbox of a message selected, and be sure that it is the same one."""
        if self._selected != ref.mailbox:
            self._select(ref.mailbox)
        self._check(ref)

    def _enter_anew(self, mailbox: str) -> None:
        """Have a mailbox selected as it is now, with all that others have changed (RFC 2180 §4).

        QUIRK: Dovecot does nothing for a NOOP that has other commands behind it.
        """
        if self._selected != mailbox:
            self._select(mailbox)
            return
        (news,) = self._run(b"NOOP")
        if not news.ok:
            self._selected = None
            raise refusal(news, MailboxGone)

    def _check(self, ref: MessageRef) -> None:
        if self._uidvalidity != ref.uidvalidity:
            raise MailboxGone(f"UIDVALIDITY is {self._uidvalidity} now")

    def _run(self, *commands: bytes, rows: dict[int, Row] | None = None) -> list[Reply]:
        """Run commands, follow what they tell about the selected mailbox, and collect FETCH responses in `rows`."""
        if not commands:
            return []
        replies = self._exchange.run(*commands)
        for reply in sorted(replies, key=lambda reply: reply.finished):
            self._note(reply, rows)
        return replies

    def _note(self, reply: Reply, rows: dict[int, Row] | None = None) -> None:
        """Apply untagged responses in their order: an EXPUNGE renumbers all that came before it."""
        rows = {} if rows is None else rows
        for line in reply.untagged:
            if line.kind == "EXISTS":
                self._exists = line.number
            elif line.kind == "EXPUNGE":
                self._exists = max(0, self._exists - 1)
                moved = {n - (n > line.number): row for n, row in rows.items() if n != line.number}
                rows.clear()
                rows.update(moved)
            elif line.kind == "FETCH":
                with suppress(Malformed):
                    rows.setdefault(line.number, {}).update(line.items())
            elif line.kind == "OK" and line.status.code == "UIDVALIDITY":
                self._uidvalidity = response.numeral(line.status.argument) or 0
            elif line.kind == "OK" and line.status.code == "PERMANENTFLAGS":
                self._permanent = frozenset(
                    line.status.argument.decode("ascii", "replace").strip("()").split()
                )
