"""One account's sendings as the journal has them, and what becomes of each.

Nothing here may act on a mailbox or a server, or keep text of a mail. What must be found again or told (the
Message-ID, where the copy lies, which addresses were refused) is sealed under the server secret and the account's
number: whoever changes the secret learns only how far each sending had come.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final, Literal

from gateway import vault
from gateway.state import JournalRow, Stage, State
from gateway.store.base import MessageRef

_PURPOSE: Final = b"journal"

Kind = Literal["sent", "not sent", "uncertain", "sending"]
SENT: Final = "sent"
NOT_SENT: Final = "not sent"
UNCERTAIN: Final = "uncertain"
SENDING: Final = "sending"

#: Sendings that are looked through for a name.
MANY: Final = 1000
#: Octets of a key by which an account's sendings are told apart in a page of ours.
_NAME: Final = 6


def name(key: bytes) -> str:
    """Name a sending in a page of ours."""
    return key[:_NAME].hex()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mail, in msgids and addresses.

    `sentence` (with `alert` in it) says why it was not sent. `refused`: the recipients that the server did not take,
    while it took the others. `filed`: its one copy is where sent mail is. `kept`: a copy is in Drafts, at `draft`
    where that is known; None when one could not look. `recipients` and `at` (seconds since the epoch) say which mail
    this is about, `name` says it to `acknowledge`.
    """

    kind: Kind
    sentence: str = ""
    alert: str = ""
    refused: tuple[str, ...] = ()
    filed: bool = False
    kept: bool | None = False
    draft: MessageRef | None = None
    answered: bool = False
    recipients: tuple[str, ...] = ()
    at: float = 0.0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Notes:
    """What finishing a sending takes: how to find its copy, what its answer flags, which draft it came from."""

    message_id: str = ""
    recipients: tuple[str, ...] = ()
    kept: MessageRef | None = None
    answered: MessageRef | None = None
    flag: str = ""
    draft: MessageRef | None = None
    refused: tuple[str, ...] = ()
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One sending. `at`: when it was claimed, in seconds since the epoch; `told`: the person need not hear of it.

    `readable`: the notes are those that were written; not so when the server secret was changed since.
    """

    key: bytes
    stage: Stage
    at: float
    told: bool = False
    notes: Notes = Notes()
    readable: bool = True


class Journal:
    """One account's journal; cheap to make, and without state of its own."""

    __slots__ = ("_account", "_seal", "_session", "_table")

    def __init__(self, state: State, account: int, session: int, secret: bytes) -> None:
        self._table, self._account, self._session = state.journal, account, session
        self._seal = vault.Seal(str(account), secret, _PURPOSE)

    def at_work(self, ticket: str) -> AbstractContextManager[bool]:
        """Be the only one at work on a ticket's sending; False while somebody else is."""
        return self._table.at_work(vault.digest(ticket))

    def at_work_on(self, entry: Entry) -> AbstractContextManager[bool]:
        """Be the only one at work on a sending; False while somebody else is."""
        return self._table.at_work(entry.key)

    def claim(self, ticket: str, now: float) -> tuple[bool, Entry]:
        """Begin a ticket's sending, on the disk; False with what there is if it has begun. Raise SessionEnded."""
        entry = Entry(vault.digest(ticket), Stage.CLAIMED, now)
        found = self._table.claim(self._account, self._session, self._row(entry))
        return (True, entry) if found is None else (False, self._entry(found))

    def write(self, entry: Entry) -> Entry:
        """Put down how far a sending has come, on the disk."""
        self._table.write(self._account, self._row(entry))
        return entry

    def again(self, entry: Entry) -> Entry | None:
        """Read an entry as it stands now."""
        row = self._table.get(self._account, entry.key)
        return self._entry(row) if row is not None else None

    def open(self, most: int) -> Iterator[Entry]:
        """Yield what is to be finished or told, the oldest first."""
        return map(self._entry, self._table.open(self._account, most))

    def ask(self, ticket: str) -> bool:
        """Have a sending told (again) at the next sign-in; False if there is none, or if its text is lost."""
        row = self._table.get(self._account, vault.digest(ticket))
        outcome = self._entry(row).notes.outcome if row is not None else None
        lost = outcome is not None and outcome.kind == NOT_SENT and outcome.kept is False
        return row is not None and not lost and self._table.ask(self._account, row.key)

    def tell(self, names: Container[str]) -> None:
        """Remember that the person has heard what became of the sendings with these names."""
        rows = self._table.open(self._account, MANY)
        self._table.tell(self._account, [row.key for row in rows if name(row.key) in names])

    def everything(self) -> list[dict[str, Any]]:
        """Return all that is kept of sendings, as JSON has it, the oldest first."""
        entries = map(self._entry, self._table.all(self._account))
        return [
            {"stage": one.stage.value, "at": one.at, "told": one.told, **asdict(one.notes)} for one in entries
        ]

    def _row(self, entry: Entry) -> JournalRow:
        octets = json.dumps(asdict(entry.notes), separators=(",", ":")).encode("ascii")
        return JournalRow(entry.key, entry.stage, entry.told, entry.at, self._seal.close(octets, entry.key))

    def _entry(self, row: JournalRow) -> Entry:
        octets = self._seal.open(row.sealed, row.key)
        notes = _notes(json.loads(octets)) if octets is not None else Notes()
        return Entry(row.key, row.stage, row.at, row.told, notes, octets is not None)


def _notes(values: Mapping[str, Any]) -> Notes:
    known = {field.name: values[field.name] for field in fields(Notes) if field.name in values}
    outcome = known.pop("outcome", None)
    notes = Notes(**_typed(known))
    return replace(notes, outcome=Outcome(**_typed(outcome))) if outcome else notes


def _typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Make of JSON's lists and objects what they were."""
    made: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            value = MessageRef(**value)
        made[name] = tuple(value) if isinstance(value, list) else value
    return made
