"""One account's entries in the send journal, and the outcome of each.

Nothing here may act on a mailbox or a server, or store text of a mail. What has to be found again or reported
(the Message-ID, the place of the copy, the refused addresses) is encrypted under the server secret and the
account's number: if the secret is changed, only the stage of each sending is left.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, fields, replace
from hashlib import sha256
from typing import Any, Final, Literal

from gateway.sealed import vault
from gateway.sealed.vault import TicketedPost
from gateway.state import JournalRow, Stage, State
from gateway.store.base import MessageRef

_PURPOSE: Final = b"journal"

OutcomeKind = Literal["sent", "not sent", "uncertain", "sending", "asked"]
SENT: Final = "sent"
NOT_SENT: Final = "not sent"
UNCERTAIN: Final = "uncertain"
SENDING: Final = "sending"
#: Nothing was done: another mail was sent with the same ticket, and only the person knows whether this is a
#: second one.
ASKED: Final = "asked"

#: Why a recipient did not get a mail, by the fields of outcomes and notes.
UNSENT: Final = ("refused", "later", "too_large", "doubtful")

#: How many sendings are searched for a name.
MANY: Final = 1000
#: Octets that distinguish an account's sendings in our pages.
_NAME: Final = 6


def name(key: bytes, act: bytes) -> str:
    """Return the name of a sending in our pages."""
    return (act or key)[:_NAME].hex()


def mark_of(message_id: str) -> str:
    """Return the mark of a message in the drafts and sendings that continue it."""
    return sha256(message_id.encode("utf-8", "surrogatepass")).hexdigest()[: 2 * _NAME] if message_id else ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a sending, in msgids and addresses.

    `sentence` (with `alert` in it, or the time of `until`, in seconds since the epoch) says why it was not sent;
    `sender` is the address that the server refused. Of the recipients, `refused` were not accepted, `later` not yet,
    for `too_large` the message is too large for their mailbox, and for `doubtful` it is unknown. `filed`: its one copy
    is in the sent mailbox; None if unknown. `kept`: a copy is in Drafts, at `draft` if that is known; None if unknown.
    `to_self`: it was also sent to its writer. `keeps`: the mailbox has Drafts and Sent. `recipients` and `at` (seconds
    since the epoch) identify the mail to the person, `name` to `acknowledge`. `begun`: its ticket was claimed; if not,
    the same request sends it. `noted`: the journal has its Message-ID. ASKED is about the mail sent before, whose
    outcome is `first`.
    """

    kind: OutcomeKind
    sentence: str = ""
    alert: str = ""
    until: float = 0.0
    sender: str = ""
    refused: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    too_large: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    filed: bool | None = False
    kept: bool | None = False
    draft: MessageRef | None = None
    answered: bool = False
    recipients: tuple[str, ...] = ()
    at: float = 0.0
    name: str = ""
    first: OutcomeKind = SENT
    to_self: bool = False
    begun: bool = True
    noted: bool = False
    keeps: bool = True

    @property
    def is_partial(self) -> bool:
        """Whether there are recipients that did not get it, or perhaps not."""
        return any(getattr(self, name) for name in UNSENT)


@dataclass(frozen=True, slots=True)
class SendingNotes:
    """What it takes to finish a sending: how to find its copy, which message it answers, which draft it came from.

    `accepted`: recipients that have it while others are still to be tried; `refused` to `doubtful` as in an outcome.
    `resumed`: it came from a page of Drafts, whether or not the draft could be read. `form`: the digest of the saved
    form that it was typed on, "" for none. `copy_to`: the writer's own address, if they get the mail too. `in_sent`:
    our copy in Sent, if the provider may put one beside it. `after`: marks of the sendings that it continues.
    """

    message_id: str = ""
    recipients: tuple[str, ...] = ()
    kept: MessageRef | None = None
    answered: MessageRef | None = None
    flag: str = ""
    draft: MessageRef | None = None
    accepted: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    too_large: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    resumed: bool = False
    form: str = ""
    copy_to: str = ""
    in_sent: MessageRef | None = None
    after: tuple[str, ...] = ()
    outcome: Outcome | None = None

    @property
    def addressed(self) -> frozenset[str]:
        """The recipients, without the writer's own copy."""
        return frozenset(self.recipients) - {self.copy_to}

    def unsent(self) -> dict[str, Any]:
        """Return the recipients that did not get it, or perhaps not, by reason."""
        return {name: getattr(self, name) for name in UNSENT}


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One sending. `act`: the mark of its post; `at`: when claimed, in seconds since the epoch; `told`: reported.

    `readable`: the notes could be decrypted, which fails if the server secret has changed. `kind`, the outcome, is
    known even then.
    """

    key: bytes
    act: bytes
    stage: Stage
    at: float
    told: bool = False
    notes: SendingNotes = SendingNotes()
    readable: bool = True
    kind: str = ""

    @property
    def name(self) -> str:
        """The name of this sending in our pages."""
        return name(self.key, self.act)

    @property
    def marks(self) -> frozenset[str]:
        """What the pages and drafts that continue this sending say."""
        return frozenset(filter(None, (self.name, mark_of(self.notes.message_id))))


class Journal:
    """One account's journal; cheap to make, and stateless."""

    __slots__ = ("_account", "_seal", "_session", "_table")

    def __init__(self, state: State, account: int, session: int, secret: bytes) -> None:
        self._table, self._account, self._session = state.journal, account, session
        self._seal = vault.Seal(str(account), secret, _PURPOSE)

    def locked(self, sending: TicketedPost | JournalEntry) -> AbstractContextManager[bool]:
        """Lock the sending of a ticket; False if another request holds the lock."""
        return self._table.locked(sending.key)

    def new_entry(self, post: TicketedPost, now: float, resumed: bool, form: str = "") -> JournalEntry:
        """Make the entry of a sending that has not begun, without writing it."""
        return JournalEntry(
            post.key, post.mark, Stage.CLAIMED, now, notes=SendingNotes(resumed=resumed, form=form)
        )

    def claim(self, entry: JournalEntry) -> tuple[bool, JournalEntry]:
        """Begin a sending, synced to disk; False and the existing entry if it has begun. Raise SessionEnded."""
        found = self._table.claim(self._account, self._session, self._row(entry))
        return (True, entry) if found is None else (False, self._entry(found))

    def of(self, post: TicketedPost) -> tuple[JournalEntry | None, tuple[JournalEntry, ...]]:
        """Return a post's own sending, None if it has not begun, and all others of its ticket, the oldest first.

        A sending from before marks were recorded counts as a repeat of any post of its ticket.
        """
        entries = tuple(map(self._entry, self._table.of(self._account, post.key)))
        own = next((entry for entry in entries if entry.act in (post.mark, b"")), None)
        return own, tuple(entry for entry in entries if entry is not own)

    def draft(self, post: TicketedPost) -> MessageRef | None:
        """Return the draft left by the last posting of the same ticket that was not sent."""
        own, others = self.of(post)
        left = (one.notes.outcome for one in (*((own,) if own is not None else ()), *reversed(others)))
        return next(
            (one.draft for one in left if one is not None and one.kind == NOT_SENT and one.draft), None
        )

    def write(self, entry: JournalEntry) -> JournalEntry:
        """Record the stage of a sending, synced to disk."""
        self._table.write(self._account, self._row(entry))
        return entry

    def correct(self, outcome: Outcome) -> None:
        """Replace the recorded outcome of a sending with a better one."""
        for entry in self.open(MANY):
            if entry.name == outcome.name and entry.notes.outcome is not None:
                self.write(replace(entry, notes=replace(entry.notes, outcome=outcome, kept=outcome.draft)))

    def again(self, entry: JournalEntry) -> JournalEntry | None:
        """Read the current entry."""
        rows = self._table.of(self._account, entry.key)
        return next((self._entry(row) for row in rows if row.act == entry.act), None)

    def open(self, most: int) -> Iterator[JournalEntry]:
        """Yield the sendings to be finished or reported, the oldest first."""
        return map(self._entry, self._table.open(self._account, most))

    def is_sent(self, sending: str) -> bool:
        """Return whether the sending with this name is known to have been accepted."""
        entries = (
            self._entry(row) for row in self._table.all(self._account) if name(row.key, row.act) == sending
        )
        return any(entry.kind == SENT or entry.stage is Stage.ACCEPTED for entry in entries)

    def ask(self, post: TicketedPost) -> bool:
        """Have a sending reported (again) at the next sign-in; False if there is none, or if its text may be lost."""
        entry, _others = self.of(post)
        if entry is None:
            return False
        with self.locked(entry) as alone:
            entry = self.again(entry) or entry
        kept = entry.notes.outcome is not None and entry.notes.outcome.kept
        stopped = alone and entry.stage is Stage.CLAIMED  # so it is not sent, and perhaps not in Drafts
        if stopped or (entry.kind == NOT_SENT and not kept):
            return False
        self._table.ask(self._account, self._row(entry))
        return True

    def tell(self, names: Container[str]) -> None:
        """Record that the outcomes of the sendings with these names were reported."""
        rows = self._table.open(self._account, MANY)
        self._table.tell(self._account, [row for row in rows if name(row.key, row.act) in names])

    def of_texts(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return what identifies the saved forms that were sent, and those that may have been.

        That is the digest of the form that was sent, and the name of the sending whose text was saved after it.
        """
        sent: set[str] = set()
        doubtful: set[str] = set()
        for entry in map(self._entry, self._table.all(self._account)):
            if entry.kind == SENT or entry.stage is Stage.ACCEPTED:
                sent |= {entry.notes.form, entry.name}
            elif entry.kind == UNCERTAIN or (not entry.kind and entry.stage is not Stage.CLAIMED):
                doubtful |= {entry.notes.form, entry.name}
        return frozenset(sent - {""}), frozenset(doubtful - {""})

    def successors(self, entry: JournalEntry, copies: Container[MessageRef]) -> Iterator[JournalEntry]:
        """Yield the sendings of the same mail since, the oldest first.

        They were begun from its page, or from its copy (one of `copies` in Drafts), or are the same message.
        """
        for other in map(self._entry, self._table.all(self._account)):
            notes, same = other.notes, other.notes.message_id == entry.notes.message_id != ""
            if (
                not entry.marks.isdisjoint(notes.after)
                or (notes.draft is not None and notes.draft in copies)
                or (same and other.at > entry.at)
            ):
                yield other

    def is_posted_again(self, entry: JournalEntry) -> bool:
        """Return whether the ticket of a sending that does not know its message was posted again."""
        rows = self._table.of(self._account, entry.key) if not entry.notes.message_id else ()
        # Of two in one instant, either may be the later one.
        return any(row.act != entry.act and row.at >= entry.at for row in rows)

    def everything(self) -> list[dict[str, Any]]:
        """Return all stored data about sendings, as JSON values, the oldest first."""
        entries = map(self._entry, self._table.all(self._account))
        return [
            {"stage": one.stage.value, "at": one.at, "told": one.told, **asdict(one.notes)} for one in entries
        ]

    def _row(self, entry: JournalEntry) -> JournalRow:
        octets = json.dumps(asdict(entry.notes), separators=(",", ":")).encode("ascii")
        sealed = self._seal.close(octets, entry.key + entry.act)
        kind = entry.notes.outcome.kind if entry.notes.outcome is not None else entry.kind
        return JournalRow(entry.key, entry.act, entry.stage, entry.told, entry.at, sealed, kind)

    def _entry(self, row: JournalRow) -> JournalEntry:
        return _opened(row, self._seal)


def opened(row: JournalRow, account: int, secret: bytes) -> JournalEntry:
    """Return the entry of an account's row, for those who read the journal of all accounts."""
    return _opened(row, vault.Seal(str(account), secret, _PURPOSE))


def reencrypted(
    rows: Mapping[int, Mapping[tuple[bytes, bytes], bytes]], into: int, secret: bytes
) -> dict[tuple[bytes, bytes], bytes]:
    """Encrypt the notes of several accounts for one; undecryptable ones stay as they are, since their rows count."""
    new = vault.Seal(str(into), secret, _PURPOSE)
    found = {}
    for account, notes in rows.items():
        old = vault.Seal(str(account), secret, _PURPOSE)
        for (key, act), sealed in notes.items():
            plain = old.open(sealed, key + act)
            found[key, act] = new.close(plain, key + act) if plain is not None else sealed
    return found


def _opened(row: JournalRow, seal: vault.Seal) -> JournalEntry:
    octets = seal.open(row.sealed, row.key + row.act)
    notes = _notes(json.loads(octets)) if octets is not None else SendingNotes()
    kind = row.kind or (notes.outcome.kind if notes.outcome is not None else "")
    return JournalEntry(row.key, row.act, row.stage, row.at, row.told, notes, octets is not None, kind)


def _notes(values: Mapping[str, Any]) -> SendingNotes:
    known = _known(SendingNotes, values)
    outcome = known.pop("outcome", None)
    notes = SendingNotes(**_typed(known))
    return replace(notes, outcome=Outcome(**_typed(_known(Outcome, outcome)))) if outcome else notes


def _known(kind: type[SendingNotes | Outcome], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that this version knows: another version may have written more."""
    return {field.name: values[field.name] for field in fields(kind) if field.name in values}


def _typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Restore tuples and objects from JSON's lists and objects."""
    made: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            value = MessageRef(**value)
        made[name] = tuple(value) if isinstance(value, list) else value
    return made
