"""The short ids of one account's mailboxes, as used in addresses, notes and outcomes.

Nothing here may resolve an id to the wrong mailbox, or accept one that was never given out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from gateway.addresses import MessageCode
from gateway.errors import MailboxGone, StoreError
from gateway.state.people.mailbox_numbers import Mailboxes, is_temporary
from gateway.store.base import MailStore, MessageRef


class MailboxIds:
    """The mailbox ids of one account, for the length of a request."""

    __slots__ = ("_account", "_table", "_unlisted")

    def __init__(self, table: Mailboxes, account: int) -> None:
        self._table, self._account = table, account
        self._unlisted: StoreError | None = None

    def number(self, name: str, uidvalidity: int) -> int:
        """Return the short id of a mailbox."""
        return self._table.number(self._account, name, uidvalidity)

    def code(self, ref: MessageRef) -> MessageCode:
        """Return a message by the short id of its mailbox."""
        return MessageCode(self.number(ref.mailbox, ref.uidvalidity), ref.uid)

    def find(self, number: int) -> tuple[str, int] | None:
        """Return the name and UIDVALIDITY for a short id, None if it is unknown."""
        return self._table.lookup(self._account, number)

    def mailbox(self, number: int) -> tuple[str, int]:
        """Return the name and UIDVALIDITY for a short id.

        Raise MailboxGone for an unknown id, or the StoreError that kept `resolve_temporary` from looking it
        up.
        """
        found = self.find(number)
        if found is None:
            raise self._unlisted or MailboxGone(f"mailbox number {number}")
        return found

    def message(self, number: int, uid: int) -> MessageRef:
        """Return the permanent reference of a message in the mailbox with this short id."""
        return MessageRef(*self.mailbox(number), uid)

    def resolve_temporary(
        self, numbers: Iterable[int], store: Callable[[], AbstractContextManager[MailStore]]
    ) -> None:
        """Look up numbers that another process gave out without storing them, among all mailboxes.

        A StoreError is kept for `mailbox`, which raises it if such a number is asked for.
        """
        try:
            for number in numbers:
                if is_temporary(number) and self.find(number) is None:
                    with store() as leased:
                        found = leased.folders(all=True)
                    names = [(one.name, uidvalidity) for one in found for uidvalidity in (one.uidvalidity, 0)]
                    self._table.resolve_temporary(self._account, number, names)
        except StoreError as error:
            self._unlisted = error
