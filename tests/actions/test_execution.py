"""actions: what is requested from the mail server, and what is reported; with a mail server made of a dictionary."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from gateway.access.session import Session
from gateway.actions.execution import perform, run_once, subject_of, undo
from gateway.actions.operation_outcomes import can_undo
from gateway.actions.store_operations import OperationResult, apply, revert
from gateway.actions.table import (
    DELETE,
    ERASE,
    FLAG,
    JUNK,
    MOVE,
    NOT_JUNK,
    OPERATIONS,
    READ,
    UNDO,
    UNREAD,
    is_possible,
)
from gateway.errors import MessageGone, StoreError, StoreRefused, StoreUnreachable
from gateway.store.abilities import EVERY_ABILITY
from gateway.store.base import DELETED, SEEN, MailStore, MessageRef
from tests.access.test_session import House
from tests.postbox import act

ONE, TWO = MessageRef("INBOX", 1, 1), MessageRef("INBOX", 1, 2)
ELSEWHERE = MessageRef("Work", 1, 1)


class Store:
    """Keeps flags; `refusals`: what it says to a mailbox's flags."""

    can = EVERY_ABILITY

    def __init__(self, *mailboxes: str, **refusals: StoreError) -> None:
        self.names, self.refusals = mailboxes, refusals
        self.kept: dict[MessageRef, set[str]] = {ONE: set(), TWO: set(), ELSEWHERE: set()}
        self.moved: list[tuple[list[MessageRef], str]] = []
        self.created: list[str] = []
        self.deleted: list[MessageRef] = []

    def roles(self) -> dict[str, str]:
        return {"junk" if name in ("Junk", "Spam") else name.lower(): name for name in self.names}

    def special(self, role: str) -> str | None:
        return self.roles().get(role)

    def special_or_new(self, role: str) -> str:
        return self.special(role) or self.create(role.capitalize())

    def create(self, name: str) -> str:
        self.created.append(name)
        return name

    def enter(self, ref: MessageRef) -> None:
        pass

    def flags(self, refs: list[MessageRef]) -> dict[MessageRef, set[str]]:
        return {ref: set(self.kept[ref]) for ref in refs if ref in self.kept}

    def keeps(self, ref: MessageRef, flag: str) -> bool:
        return True

    def flag(self, refs: list[MessageRef], flags: list[str], present: bool = True) -> None:
        if refs[0].mailbox in self.refusals:
            raise self.refusals[refs[0].mailbox]
        for ref in refs:
            kept = self.kept.setdefault(ref, set())
            self.kept[ref] = kept | set(flags) if present else kept - set(flags)

    def move(self, refs: list[MessageRef], target: str) -> list[MessageRef]:
        self.moved.append((refs, target))
        return [MessageRef(target, 1, 70 + ref.uid) for ref in refs]

    def copy(self, refs: list[MessageRef], target: str) -> list[MessageRef]:
        return [MessageRef(target, 1, 70 + ref.uid) for ref in refs]

    def delete(self, refs: list[MessageRef]) -> None:
        self.deleted.extend(refs)
        if refs[0].mailbox in self.refusals:
            raise self.refusals[refs[0].mailbox]

    def neighbour(self, ref: MessageRef, older: bool) -> MessageRef | None:
        return replace(ref, uid=ref.uid - 1 if older else ref.uid + 1)

    def takes_back(self, mailbox: str) -> bool:
        return mailbox != "Starred"


class Numbers:
    """A mailbox's number is the length of its name."""

    def number(self, name: str, uidvalidity: int) -> int:
        return len(name)

    def mailbox(self, number: int) -> tuple[str, int]:
        return {5: "INBOX", 4: "Work"}[number], 1


class Account:
    """Lends one store after the other."""

    def __init__(self, *stores: Store) -> None:
        self.stores, self.mailboxes = list(stores), Numbers()

    @contextmanager
    def store(self) -> Iterator[Store]:
        yield self.stores.pop(0)


class Dead(Store):
    def enter(self, ref: MessageRef) -> None:
        raise StoreUnreachable("closed by the server meanwhile")


def done(
    *stores: Store, refs: tuple[MessageRef, ...] = (ONE,), word: str = READ, neighbour: bool = False
) -> dict[str, Any]:
    return perform(cast(Session, Account(*stores)), word, refs, neighbour=neighbour)


def the_part(outcome: dict[str, Any]) -> dict[str, Any]:
    (part,) = json.loads(outcome["parts"])
    return part  # type: ignore[no-any-return]


def deleted(store: Store, *refs: MessageRef) -> Any:
    return apply(cast(MailStore, store), DELETE, list(refs), "")


def test_where_there_is_no_trash_the_second_deletion_is_asked_about_and_the_first_is_not() -> None:
    store = Store("INBOX")
    first = deleted(store, ONE)
    assert (first.ask, first.left, list(first.changed)) == (False, True, [ONE])
    both = deleted(store, ONE, TWO)
    assert (both.ask, list(both.done), list(both.changed)) == (False, [ONE, TWO], [TWO])
    again = deleted(store, ONE, TWO)
    assert (again.ask, dict(again.done)) == (True, {})
    assert store.kept[ONE] == {DELETED}


@pytest.mark.parametrize("here", ["Trash", "Junk"])
def test_what_is_deleted_from_trash_or_junk_is_asked_about(here: str) -> None:
    store = Store("INBOX", "Trash", "Junk")
    assert deleted(store, MessageRef(here, 1, 1)).ask
    assert store.moved == []
    assert not deleted(store, ONE).ask
    assert store.moved == [([ONE], "Trash")]


@pytest.mark.parametrize("name", ["Junk", "Spam"])
def test_junk_is_marked_and_goes_to_the_mailbox_for_it_made_if_there_is_none(name: str) -> None:
    store = Store("INBOX", *([name] if name == "Spam" else []))
    store.kept[ONE] = {"$NotJunk"}
    apply(cast(MailStore, store), JUNK, [ONE], "")
    assert (store.kept[ONE], store.moved) == ({"$Junk"}, [([ONE], name)])
    assert store.created == ([] if name == "Spam" else [name])


def test_a_connection_that_was_dead_before_anything_was_asked_is_no_harm() -> None:
    store = Store("INBOX")
    assert done(Dead(), store)["count"] == "1"
    assert store.kept[ONE] == {SEEN}


def test_two_dead_connections_are_told() -> None:
    outcome = done(Dead(), Dead(), Store("INBOX"))
    assert (outcome["count"], outcome["why"]) == ("0", StoreUnreachable.sentence)


def test_the_first_reason_is_told_and_the_other_mailboxes_are_tried_all_the_same() -> None:
    first, second = StoreRefused("one"), StoreRefused("two")
    first.sentence = "the first reason"
    store = Store(INBOX=first, Work=second)
    outcome = done(store, refs=(ELSEWHERE, ONE))
    assert (outcome["count"], outcome["why"], len(json.loads(outcome["parts"]))) == ("0", first.sentence, 2)


def test_a_connection_that_breaks_off_in_the_middle_ends_it_and_nothing_is_certain() -> None:
    store = Store(INBOX=StoreUnreachable("reset"))
    outcome = done(store, refs=(ONE, ELSEWHERE))
    assert (outcome["count"], store.kept[ELSEWHERE]) == ("0", set())
    assert "not certain" in outcome["why"]


@pytest.mark.parametrize(("mailbox", "offered"), [("Work", True), ("Starred", False)])
def test_undo_is_not_offered_for_what_was_in_a_virtual_mailbox(mailbox: str, offered: bool) -> None:
    store = Store("Trash")
    ref = MessageRef(mailbox, 1, 1)
    result = apply(cast(MailStore, store), DELETE, [ref], "")
    assert (list(result.done), result.to) == ([ref], "Trash")
    outcome = perform(cast(Session, Account(Store("Trash"))), DELETE, [ref, replace(ref, uid=2)], "")
    assert outcome["count"] == "2"
    assert can_undo(outcome) is offered


def applied(store: Store, word: str, *refs: MessageRef, target: str = "") -> OperationResult:
    return apply(cast(MailStore, store), word, list(refs), target)


def test_what_is_in_the_target_already_is_not_moved() -> None:
    store = Store("INBOX")
    result = applied(store, MOVE, ONE, target="INBOX")
    assert (list(result.done), result.to, result.changed, store.moved) == ([ONE], "INBOX", (), [])


class Expunging(Store):
    """Loses a message as soon as one of its flags is to be changed."""

    def flag(self, refs: list[MessageRef], flags: list[str], present: bool = True) -> None:
        if self.kept.pop(TWO, None) is None:
            return super().flag(refs, flags, present)
        super().flag([ref for ref in refs if ref != TWO], flags, present)
        raise MessageGone("expunged meanwhile")


def test_a_flag_is_said_to_be_set_of_what_is_there_alone() -> None:
    there = applied(Store(), READ, ONE, TWO)
    assert (list(there.done), there.changed, there.why) == ([ONE, TWO], [ONE, TWO], None)
    before = applied(Store(), READ, ONE, replace(TWO, uid=9))
    assert (list(before.done), before.changed, type(before.why)) == ([ONE], [ONE], MessageGone)
    meanwhile = applied(Expunging(), READ, ONE, TWO)
    assert (list(meanwhile.done), meanwhile.changed, type(meanwhile.why)) == ([ONE], [ONE], MessageGone)


def test_flags_are_compared_without_regard_to_case() -> None:
    store = Store()
    store.kept[ONE] = {SEEN.upper()}
    assert applied(store, READ, ONE).changed == []
    assert applied(store, UNREAD, ONE).changed == [ONE]


@pytest.mark.parametrize("word", [JUNK, NOT_JUNK])
def test_what_is_expunged_before_its_keyword_is_changed_is_no_reason_to_stop(word: str) -> None:
    store = Expunging("Junk")
    result = applied(store, word, replace(ONE, mailbox="Other"), TWO)
    assert (result.why, len(store.moved)) == (None, 1)


@pytest.mark.parametrize("word", [JUNK, NOT_JUNK])
def test_undo_of_junk_removes_its_keywords(word: str) -> None:
    there = MessageRef("Junk", 1, 71)
    store = Store()
    store.kept[there] = {"$Junk", "$NotJunk", SEEN}
    revert(cast(MailStore, store), OPERATIONS[word], False, [ONE], [there])
    assert (store.kept[there], store.moved) == ({SEEN}, [([there], "INBOX")])


@pytest.mark.parametrize("word", [JUNK, NOT_JUNK])
def test_what_is_expunged_before_its_keyword_is_forgotten_is_no_reason_to_stop(word: str) -> None:
    store, there = Expunging(), [MessageRef("Other", 1, 71), TWO]
    result = revert(cast(MailStore, store), OPERATIONS[word], False, [ONE, ELSEWHERE], there)
    assert (result.why, store.moved) == (None, [(there, "INBOX")])


@pytest.mark.parametrize("word", sorted(OPERATIONS.keys() - {UNDO}))
def test_an_operation_is_away_if_it_takes_messages_out_of_their_mailbox(word: str) -> None:
    store = Store("Trash", "Archive", "Junk")
    result = applied(store, word, ELSEWHERE, target="Else")
    assert list(result.done) == [ELSEWHERE]
    assert OPERATIONS[word].away is bool(store.moved or store.deleted)


def test_undo_of_a_deletion_that_left_the_originals_holds_though_their_copies_stay() -> None:
    store = Store(Trash=StoreRefused("no"))
    store.kept[ONE] = {DELETED}
    result = revert(cast(MailStore, store), OPERATIONS[DELETE], True, [ONE], [MessageRef("Trash", 1, 71)])
    assert (list(result.done), result.why, store.kept[ONE]) == ([ONE], None, set())
    assert store.deleted == [MessageRef("Trash", 1, 71)]


def test_nothing_is_deleted_unasked_where_nothing_can_be_moved() -> None:
    store = Store("INBOX", "Trash")
    store.can = replace(EVERY_ABILITY, move=False)
    assert deleted(store, ONE).ask
    assert store.moved == []


def test_what_is_gone_is_not_asked_about() -> None:
    result = deleted(Store("INBOX"), replace(ONE, uid=9))
    assert (result.ask, dict(result.done), type(result.why)) == (False, {}, MessageGone)


@pytest.mark.parametrize("expunge", [True, False])
def test_what_is_deleted_for_good_is_left_only_where_nothing_can_be_expunged(expunge: bool) -> None:
    store = Store("INBOX")
    store.can = replace(EVERY_ABILITY, expunge=expunge)
    result = applied(store, ERASE, ONE)
    assert (list(result.done), result.left, store.deleted) == ([ONE], not expunge, [ONE])


@pytest.mark.parametrize(
    ("word", "needs"),
    [(READ, {"seen"}), (FLAG, {"flag"}), (DELETE, {"delete"}), (UNDO, {"undo"}), (MOVE, {"move", "folders"})],
)
def test_each_operation_needs_its_own_ability(word: str, needs: set[str]) -> None:
    """With all others, but not this one, it is impossible; without any other it is possible."""
    names = ("seen", "flag", "delete", "undo", "move", "folders")
    for name in needs:
        assert not is_possible(word, replace(EVERY_ABILITY, **{name: False}))
    assert is_possible(word, replace(EVERY_ABILITY, **{name: name in needs for name in names}))


def test_the_older_message_comes_after_a_single_one_that_is_gone() -> None:
    assert done(Store("Trash"), refs=(TWO,), word=DELETE, neighbour=True)["next"] == "1"
    for word, refs, store in (
        (READ, (TWO,), Store("Trash")),
        (DELETE, (ONE, TWO), Store("Trash")),
        (DELETE, (replace(ONE, mailbox="Trash"),), Store("Trash")),  # asked about, so it exists
    ):
        assert "next" not in done(store, refs=refs, word=word, neighbour=True)
    assert "next" not in done(Store("Trash"), refs=(TWO,), word=DELETE)


def test_what_would_be_permanent_is_asked_about_alone_and_stays_among_others() -> None:
    there = MessageRef("Trash", 1, 1)
    alone = done(Store("Trash"), refs=(there,), word=DELETE)
    assert (alone["ask"], alone["count"], "why" in alone) == ("yes", "0", False)
    among = done(Store("Trash"), refs=(there, ONE), word=DELETE)
    assert ("ask" in among, among["count"], among["why"]) == (
        False,
        "1",
        "Messages in Trash or Junk stay there.",
    )


def test_undone_is_what_was_changed_and_where_it_is_now() -> None:
    store = Store()
    store.kept[ONE] = {SEEN}
    assert the_part(done(store, refs=(ONE, TWO)))["uids"] == "2"
    assert the_part(done(Store(), word=DELETE)) == {"from": 5, "uids": "1", "left": 1}
    assert the_part(done(Store("Trash"), word=DELETE)) == {"from": 5, "uids": "1", "to": 5, "new": "71"}


class Forgetful(Store):
    """Does not say where the first of several messages went."""

    def move(self, refs: list[MessageRef], target: str) -> list[Any]:
        return [None, *super().move(refs, target)[1:]]


def test_new_uids_are_known_of_all_or_none() -> None:
    assert the_part(done(Forgetful("Trash"), refs=(ONE, TWO), word=DELETE))["new"] == ""


def test_undo_leaves_alone_what_the_operation_did_not_change() -> None:
    store = Store()
    store.kept[ONE] = {SEEN}
    before = done(store, refs=(ONE, TWO, ELSEWHERE))
    store.kept[ELSEWHERE].clear()  # read by the operation, and unread since
    outcome = undo(cast(Session, Account(store)), before)
    assert (outcome["of"], store.kept[ONE], store.kept[TWO]) == ("2", {SEEN}, set())
    nothing = {**before, "parts": json.dumps([{"from": 4, "uids": ""}, {"from": 5, "uids": "2"}])}
    assert undo(cast(Session, Account(store)), nothing)["of"] == "1"


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    house = House(tmp_path / "state.sqlite")
    yield house.open()
    house.state.close()


@pytest.mark.parametrize(
    ("count", "subject", "kept"),
    [("0", "", False), ("0", "Hello", True), ("1", "", True), ("1", "Hello", True)],
)
def test_the_last_operation_is_remembered_by_its_name(
    session: Session, count: str, subject: str, kept: bool
) -> None:
    """One that can be undone, or was about a message with a subject."""
    posted = act(session.ticket())
    outcome = done(Store()) | {"count": count}
    assert run_once(session, posted, lambda: outcome, lambda: subject) == outcome
    assert (session.memory.get("undo") is not None) is kept
    assert subject_of(session, posted.name) == subject
    assert subject_of(session, "another") == ""
