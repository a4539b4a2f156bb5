"""Accounts of earlier versions, which treated every spelling as another account, become one when their owner signs
in."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from gateway.access import logins
from gateway.access.session import Session
from gateway.access.sessions import Sessions
from gateway.account import address_book, merging, people, profile
from gateway.account.export import everything
from gateway.config import Config, Upstream
from gateway.message.vcard import Card
from gateway.sealed.memory import merged
from gateway.sealed.send_journal import JournalEntry, SendingNotes
from gateway.sealed.vault import TicketedPost
from gateway.state import ReadingPosition, Stage, StateError
from gateway.state.people.account_merge import _renumbered
from gateway.state.storage.metadata import METADATA
from tests.access.test_session import CONFIG, PASSWORD, SECRET, House, server
from tests.postbox import act

NOW, OLD = "anna@example.org", "Anna@example.org"
WHO = {NOW: "n", OLD: "o"}
TICKETS = {NOW: "ticket of now", OLD: "ticket of before"}


class Anna(House):
    """A current gateway, and what it finds from earlier versions."""

    def joined(self, config: Config, secret: bytes = SECRET) -> Sessions:
        self.passwords |= {OLD: PASSWORD, "ANNA@example.org": PASSWORD}
        return Sessions(
            config, self.state, secret, self.pool, self.connect, self.submit, lambda: self.now, merging.merge
        )

    @contextmanager
    def before(self) -> Iterator[None]:
        """Be an earlier version."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(logins, "account_key", logins.key_as_typed)
            yield

    def session_before(self, address: str) -> Session:
        with self.before():
            return self.open(address)

    def accounts(self) -> int:
        with self.state.database.reading() as connection:
            return int(connection.execute(text("SELECT count(*) FROM accounts")).scalar_one())


@pytest.fixture
def anna(tmp_path: Path) -> Iterator[Anna]:
    made = Anna(tmp_path / "state.sqlite")
    yield made
    made.state.close()


def claimed(sending: TicketedPost, now: float) -> JournalEntry:
    return JournalEntry(sending.key, sending.mark, Stage.CLAIMED, now)


def fill(anna: Anna, session: Session) -> None:
    """Leave something in every table that belongs to an account, and in every kind of memory."""
    who = WHO[session.address]
    session.state.settings.put(session.account, session.device, {"lines": who, f"only {who}": "1"})
    folders = ["INBOX", f"Only {who}", *(("Sent", "Trash") if who == "n" else ("Trash", "Sent"))]
    for folder in folders:
        number = session.mailboxes.number(folder, 1)
        session.state.reading.remember(session.account, number, 7, ReadingPosition(folder, 1), anna.now)
    memory = session.memory
    address_book.add(session, [Card("Bob", ("bob@example.org",)), Card(who, (f"{who}@example.com",))])
    memory.put(
        people.KIND, "", {"people": [["bob@example.org", "", 1, 2, 3], [f"{who}@example.com", who, 1, 0, 1]]}
    )
    memory.put(
        profile.KIND,
        "",
        {
            f"{who}": who,
            "timezone": f"zone of {who}",
            "start": f"{profile.FAVOURITE}f1",
            "identities": [{"name": who, "address": f"{who}@example.com"}],
            "quick": [{"id": 8, "text": f"says {who}", "used": 1}],
        },
    )
    memory.put(profile.FAVOURITES, "f1", {"name": "", "query": who, "mailbox": ""})
    memory.put("sort", memory.mark("INBOX"), {"order": "date"})
    memory.put("sort", memory.mark(f"Only {who}"), {"order": who})
    memory.put("search", "3", {"query": who})
    memory.put("searches", "", {"last": 3 if who == "n" else 9})
    ticket = TICKETS[session.address]
    for content in (b"the same", b"something else"):
        _, entry = session.journal.claim(claimed(act(ticket, content), anna.now))
        notes = SendingNotes(message_id=f"<{who}@example.org>")
        session.journal.write(JournalEntry(entry.key, entry.act, Stage.DONE, entry.at, True, notes))
    assert anna.state.submissions.count(session.account, 1, 100, anna.now) is None
    other = anna.session_before(session.address)
    other.close()  # leaves a row in `ended`
    assert anna.sessions.saved_forms.keep(other.token, "/c", {"text": f"typed by {who}"})


def holders(connection: Connection, number: int) -> set[str]:
    """Name the tables that contain something of an account."""
    return {
        table.name
        for table in METADATA.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name == "accounts"
        and connection.execute(table.select().where(key.parent == number)).first() is not None
    }


def test_everything_of_both_is_one_persons(anna: Anna) -> None:
    now, before = anna.open(NOW), anna.session_before(OLD)
    assert now.account != before.account
    for session in (now, before):
        fill(anna, session)
    with anna.state.database.reading() as connection:
        everywhere = {
            table.name
            for table in METADATA.sorted_tables
            if any(key.column.table.name == "accounts" for key in table.foreign_keys)
        }
        assert holders(connection, now.account) == holders(connection, before.account) == everywhere
    one = anna.open(OLD)
    with anna.state.database.reading() as connection:
        assert holders(connection, one.account) == everywhere
        assert holders(connection, now.account) == holders(connection, before.account) == set()
    assert anna.accounts() == 1
    for session in (now, before):
        assert anna.sessions.resume(session.token, None).account == one.account
    assert anna.open(NOW).account == anna.open("ANNA@example.org").account == one.account
    assert one.state.settings.all(one.account, one.device) == {"lines": "n", "only n": "1", "only o": "1"}


def test_what_was_sealed_for_either_opens(anna: Anna) -> None:
    for session in (anna.open(NOW), anna.session_before(OLD)):
        fill(anna, session)
    one = anna.open(OLD)
    assert [card.name for card in address_book.contacts(one).values()] == ["Bob", "n", "o"]
    found = {one.spec: one for one in people.complete(one, "n")} | {
        one.spec: one for one in (*people.complete(one, "o"), *people.complete(one, "b"))
    }
    assert set(found) == {"n@example.com", "o@example.com", "bob@example.org"}
    kept = one.memory.get(profile.KIND)
    assert kept is not None
    assert (kept["n"], kept["o"], kept["timezone"], kept["start"]) == ("n", "o", "zone of n", "favourite.f1")
    assert [row["address"] for row in kept["identities"]] == ["n@example.com", "o@example.com"]
    assert [(row["id"], row["text"]) for row in kept["quick"]] == [(8, "says n"), (9, "says o")]
    queries = {name: value["query"] for name, value in one.memory.all(profile.FAVOURITES).items()}
    assert queries == {"f1": "n", "f2": "o"}
    mark = one.memory.mark
    assert {name: value["order"] for name, value in one.memory.all("sort").items()} == {
        mark("INBOX"): "date", mark("Only n"): "n", mark("Only o"): "o",
    }  # fmt: skip
    assert one.memory.all("search") == {}  # a number that meant two searches means none
    assert one.memory.get("searches") == {"last": 9}
    notes = {entry["message_id"] for entry in one.journal.everything()}
    assert notes == {"<n@example.org>", "<o@example.org>"}
    for ticket in TICKETS.values():
        for content in (b"the same", b"something else"):
            fresh, entry = one.journal.claim(claimed(act(ticket, content), anna.now))
            assert (fresh, entry.readable, entry.stage) == (False, True, Stage.DONE)


def test_a_favourite_that_is_called_otherwise_stays_the_start_page() -> None:
    first: Any = {profile.FAVOURITES: {"f1": {"query": "x"}}, profile.KIND: {"": {"name": "x"}}}
    second: Any = {profile.FAVOURITES: {"f1": {"query": "y"}}, profile.KIND: {"": {"start": "favourite.f1"}}}
    made = merging.merge(first, second)
    assert made[profile.FAVOURITES] == {"f1": {"query": "x"}, "f2": {"query": "y"}}
    assert made[profile.KIND][""]["start"] == "favourite.f2"


def test_an_old_page_leads_where_it_was_made_for_or_nowhere(anna: Anna) -> None:
    now, before = anna.open(NOW), anna.session_before(OLD)
    meant: dict[int, set[tuple[str, int]]] = {}
    for session in (now, before):
        fill(anna, session)
        for number in range(1, 6):
            found = session.mailboxes.find(number)
            if found:
                meant.setdefault(number, set()).add(found)
    assert any(len(places) > 1 for places in meant.values())
    one = anna.open(OLD)
    for number, places in meant.items():
        assert {one.mailboxes.find(number)} in ([places] if len(places) == 1 else []) or one.mailboxes.find(
            number
        ) is None
    assert one.mailboxes.find(one.mailboxes.number("INBOX", 1)) == ("INBOX", 1)
    assert one.mailboxes.number("New", 1) not in meant
    for folder in ("INBOX", "Only n", "Only o", "Sent", "Trash"):
        assert one.state.reading.positions(one.account, one.mailboxes.number(folder, 1), [7]) == {
            7: ReadingPosition(folder, 1)
        }


NUMBERED = st.dictionaries(
    st.tuples(st.sampled_from([b"INBOX", b"Sent", b"Trash", b"X"]), st.integers(1, 2)),
    st.integers(1, 9),
    max_size=6,
).filter(lambda numbers: len(set(numbers.values())) == len(numbers))


@given(NUMBERED, NUMBERED)
def test_no_number_means_two_things(
    first: dict[tuple[bytes, int], int], second: dict[tuple[bytes, int], int]
) -> None:
    fixed = _renumbered(first, second)
    assert fixed.keys() == first.keys() | second.keys()
    assert len(set(fixed.values())) == len(fixed)
    highest = max([*first.values(), *second.values()], default=0)
    assert max(fixed.values(), default=0) >= highest
    for numbers in (first, second):
        meanings = {number: mailbox for mailbox, number in numbers.items()}
        for mailbox, number in fixed.items():
            assert meanings.get(number, mailbox) == mailbox


def test_the_only_account_keeps_its_number_and_all_it_has(anna: Anna) -> None:
    before = anna.session_before(OLD)
    fill(anna, before)
    former = everything(before)
    one = anna.open(OLD)
    assert one.account == before.account == anna.open(NOW).account
    assert anna.accounts() == 1
    tables = everything(one).pop("tables")
    assert former.pop("tables")["mailboxes"] == tables["mailboxes"]
    assert {**everything(one), "tables": 0, "address": OLD} == {**former, "tables": 0}


def test_many_sign_ins_at_once_unite_once(anna: Anna) -> None:
    for session in (anna.open(NOW), anna.session_before(OLD)):
        fill(anna, session)
    with ThreadPoolExecutor(8) as threads:
        accounts = set(threads.map(lambda number: anna.open((OLD, NOW)[number % 2]).account, range(24)))
    assert anna.open(NOW).account == anna.open(OLD).account == max(accounts)
    assert anna.accounts() == 1
    assert [card.name for card in address_book.contacts(anna.open(NOW)).values()] == ["Bob", "n", "o"]


@pytest.mark.parametrize("under_way", [NOW, OLD])
def test_while_a_mail_is_being_sent_nothing_is_united(anna: Anna, under_way: str) -> None:
    sessions = {NOW: anna.open(NOW), OLD: anna.session_before(OLD)}
    journal = sessions[under_way].journal
    mail = act(TICKETS[under_way])
    with journal.locked(mail):
        _, entry = journal.claim(claimed(mail, anna.now))
        journal.write(replace(entry, stage=Stage.SUBMITTING))
        meanwhile = anna.open(OLD)
        journal.write(replace(entry, stage=Stage.ACCEPTED))
        assert meanwhile.account == sessions[OLD].account
    one = anna.open(OLD)
    assert anna.accounts() == 1
    [own] = one.journal.everything()
    assert own["stage"] == "accepted"
    assert anna.sessions.resume(meanwhile.token, None).account == one.account


def test_what_is_put_down_for_an_account_that_is_gone_is_an_error(anna: Anna) -> None:
    anna.open(NOW)
    before = anna.session_before(OLD)
    _, entry = before.journal.claim(claimed(act(TICKETS[OLD]), anna.now))
    anna.open(OLD)
    with pytest.raises(StateError):
        before.journal.write(replace(entry, stage=Stage.SUBMITTING))


def test_a_wrong_password_unites_nothing(anna: Anna) -> None:
    anna.open(NOW), anna.session_before(OLD)
    for address in (NOW, OLD):
        with pytest.raises(Exception, match="LOGIN failed"):
            anna.open(address, "wrong")
    assert anna.accounts() == 2


def test_kept_texts_come_back_under_either_spelling(anna: Anna) -> None:
    anna.open(NOW)
    before = anna.session_before(OLD)
    before.close()
    assert anna.sessions.saved_forms.keep(before.token, "/c", {"text": "Dear Bob"})
    one = anna.open(OLD)
    assert one.saved_forms.adopt(before.token, one.token, one.account) == 1
    assert [text.fields["text"] for text in one.saved_forms.all(one.token, one.account)] == ["Dear Bob"]


def test_two_people_are_not_united_where_case_matters(anna: Anna) -> None:
    first, second = anna.open(NOW), anna.session_before(OLD)
    upstream = Upstream(("example.org",), server("imap"), server("smtp"), case_sensitive_logins=True)
    anna.restart(Config(upstreams=(upstream,)))
    assert anna.open(OLD).account == second.account != first.account == anna.open(NOW).account


def test_notes_that_another_secret_sealed_still_count(anna: Anna) -> None:
    anna.restart(secret=bytes(32))
    for session in (anna.open(NOW), anna.session_before(OLD)):
        session.journal.claim(claimed(act(TICKETS[session.address]), anna.now))
        session.memory.put("kind", "name", {"x": 1})
    anna.restart(CONFIG)
    one = anna.open(OLD)
    assert one.memory.everything() == {}
    for ticket in TICKETS.values():
        assert not one.journal.claim(claimed(act(ticket), anna.now))[0]


VALUES = st.dictionaries(st.sampled_from("abc"), st.integers(0, 3), min_size=1)
MEMORIES = st.dictionaries(
    st.sampled_from(["kind", "other"]), st.dictionaries(st.sampled_from(["", "1", "2.7", "mark"]), VALUES)
)


@given(MEMORIES, MEMORIES)
def test_nothing_is_lost_but_numbers_of_two_meanings(first: Any, second: Any) -> None:
    made = merged(first, second)
    for kind in first.keys() | second.keys():
        mine, other = first.get(kind, {}), second.get(kind, {})
        for name in mine.keys() | other.keys():
            value = mine.get(name, other.get(name))
            if name in mine and name in other and mine[name] != other[name] and name[:1].isdigit():
                value = None
            assert made[kind].get(name) == value
