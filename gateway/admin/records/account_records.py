"""Accounts and sessions: listed, ended, locked, forgotten; for the panel and for the shell.

Nothing here may reveal a password or read a mail, and nothing may be changed without a line in the audit. An account is
named by its hash, and by its address only if the administrator types it or has switched `show_addresses` on.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from gateway.access import logins
from gateway.access.log_context import HASH_DIGITS, account_hash
from gateway.config import Config
from gateway.errors import BadRequest, NotFound
from gateway.sealed import account_address
from gateway.state import AccountFilter, AccountRow, SessionRow, State

_HASH: Final = re.compile(rf"[0-9a-f]{{{HASH_DIGITS}}}")
#: Characters of an address that an administrator types.
LONGEST_ADDRESS: Final = 254
#: The highest number that a session can have.
MOST_NUMBER: Final = 2**63 - 1

#: What an account has, by table, as administrators read it. What expires within a day is left out.
STORED: Final = {
    "sessions": "Sessions",
    "settings": "Settings of devices",
    "memories": "Profile, people, address book, searches",
    "reading": "Reading positions",
    "mailboxes": "Folders, as short numbers",
    "kept": "Texts typed in sessions that have ended",
    "journal": "Records of what was sent, and what was uncertain",
    "devices": "Known devices and networks, which need not wait after wrong passwords",
}


def is_hash(who: str) -> bool:
    """Return whether a text has the form of an account's hash."""
    return _HASH.fullmatch(who) is not None


@dataclass(frozen=True, slots=True)
class Account:
    """An account as administrators see it; `address` is "" unless they want to see addresses."""

    row: AccountRow
    address: str = ""

    @property
    def hash(self) -> str:
        """The short form of its key."""
        return account_hash(self.row.key)


@dataclass(frozen=True, slots=True)
class AccountRecords:
    """The accounts of one state file.

    `record` is told what was done, as action and subject, for the audit. `drop` closes the connections of a session, by
    its digest: the running gateway has some, the shell has none.
    """

    config: Config
    state: State
    secret: Callable[[], bytes] = field(repr=False)
    record: Callable[[str, str], None]
    drop: Callable[[bytes], None] = lambda digest: None
    clock: Callable[[], float] = time.time

    def page(self, which: AccountFilter = AccountFilter.ALL, most: int = 50, first: int = 0) -> list[Account]:
        """Return accounts, the last used first, from number `first` on."""
        rows = self.state.accounts.page(self.clock(), which, most, first)
        return [self._seen(row) for row in rows]

    def find(self, who: str) -> list[Account]:
        """Return the account with this hash, or with this address in any spelling.

        There are two if earlier versions had a separate account for this spelling. Raise NotFound, BadRequest if the
        text is neither, or UnknownDomain.
        """
        who = who.strip()
        prefixes = (bytes.fromhex(who),) if is_hash(who) else self._keys(who)
        rows = [row for prefix in prefixes for row in self.state.accounts.find(prefix, self.clock())]
        if not rows:
            raise NotFound("No such account has signed in here, or everything of it was deleted.")
        return [self._seen(row) for row in rows]

    def sessions(
        self, account: Account | None = None, most: int = 50, first: int = 0
    ) -> list[tuple[str, SessionRow]]:
        """Return living sessions with the hashes of their accounts, of one account or of all, the last used first."""
        number = account.row.id if account is not None else None
        rows = self.state.sessions.page(self.clock(), number, most, first)
        keys = self.state.accounts.keys({row.account for row in rows})
        return [(account_hash(keys.get(row.account, b"")), row) for row in rows]

    def stored(self, account: Account) -> list[str]:
        """Return what is stored about an account, in words."""
        counts = self.state.accounts.counts(account.row.id)
        return [f"{words}: {counts[table]}" for table, words in STORED.items() if table in counts]

    def what_goes(self, account: Account) -> list[str]:
        """Return what is deleted when an account is forgotten, and what stays, in words."""
        stays = ["Mail on the mail server is not touched."]
        if account.row.locked is not None:
            stays.append("The account stays locked.")
        return [*self.stored(account), *stays]

    # --- what changes something ---

    def end_session(self, number: int, account: Account | None = None) -> str:
        """End one session, of this account if one is given; return the hash of its account. Raise NotFound."""
        row = self.state.sessions.find(number) if number <= MOST_NUMBER else None
        if row is None or (account is not None and row.account != account.row.id):
            raise NotFound("There is no such session, or it has ended already.")
        whose = account_hash(self.state.accounts.keys([row.account]).get(row.account, b""))
        self._drop(self.state.sessions.end(number))
        self.record("session ended", f"{whose}, on {row.device}")
        return whose

    def end_all(self, account: Account) -> int:
        """End all sessions of an account; return how many."""
        ended = self.state.sessions.end(account=account.row.id)
        self._drop(ended)
        self.record("sessions ended", f"{account.hash}: {len(ended)}")
        return len(ended)

    def end_everybodys(self) -> int:
        """End all sessions; return how many."""
        ended = self.state.sessions.end()
        self._drop(ended)
        self.record("sessions of everybody ended", str(len(ended)))
        return len(ended)

    def lock(self, account: Account) -> int:
        """End the sessions of an account and let nobody sign in to it; return how many sessions were ended."""
        ended = self.state.accounts.lock(account.row.id, self.clock())
        self._drop(ended)
        self.record("account locked", f"{account.hash}, sessions ended: {len(ended)}")
        return len(ended)

    def introduce(self, address: str) -> list[Account]:
        """Return the account of a whole address, created if it is new. Raise BadRequest or UnknownDomain."""
        if "@" not in address:
            raise BadRequest("Nobody has signed in by this name: give the whole address.")
        self.state.accounts.id_for(self._keys(address)[0])
        return self.find(address)

    def unlock(self, account: Account) -> None:
        """Let people sign in to an account again."""
        self.state.accounts.unlock(account.row.id)
        self.record("account unlocked", account.hash)

    def forget(self, account: Account) -> None:
        """Delete everything that is stored about an account, as its owner can; a locked one stays locked."""
        self._drop(self.state.accounts.forget(account.row.id))
        self.state.mailboxes.forget(account.row.id)
        self.record("account forgotten", account.hash)

    def _keys(self, address: str) -> tuple[bytes, ...]:
        """Return the key of an address, and the one under which earlier versions had its spelling, if different."""
        address = self.config.complete_address(address)
        if (
            len(address) > LONGEST_ADDRESS
            or not address.isprintable()
            or not address.rpartition("@")[0].strip()
        ):
            raise BadRequest("Neither the hash of an account nor an address.")
        upstream = self.config.upstream_for(address)
        keys = logins.account_key(upstream, address), logins.key_as_typed(upstream, address)
        return tuple(dict.fromkeys(keys))

    def _seen(self, row: AccountRow) -> Account:
        if not self.config.admin_show_addresses or row.address is None:
            return Account(row)
        return Account(row, account_address.opened(row.address, row.key, self.secret()))

    def _drop(self, digests: tuple[bytes, ...]) -> None:
        for digest in digests:
            self.drop(digest)
