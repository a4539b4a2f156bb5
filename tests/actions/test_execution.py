"""actions: what is asked of the mail server, and what is said of it; with a mail server made of a dictionary."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import pytest

from gateway.access.session import Session
from gateway.actions.execution import perform
from gateway.actions.operation_outcomes import can_undo
from gateway.actions.store_operations import apply
from gateway.actions.table import DELETE, JUNK, READ
from gateway.errors import StoreError, StoreRefused, StoreUnreachable
from gateway.store.abilities import EVERY_ABILITY
from gateway.store.base import DELETED, SEEN, MailStore, MessageRef

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
            self.kept[ref] = self.kept[ref] | set(flags) if present else self.kept[ref] - set(flags)

    def move(self, refs: list[MessageRef], target: str) -> list[MessageRef]:
        self.moved.append((refs, target))
        return [MessageRef(target, 1, 70 + ref.uid) for ref in refs]

    def takes_back(self, mailbox: str) -> bool:
        return mailbox != "Starred"


class Numbers:
    def number(self, name: str, uidvalidity: int) -> int:
        return len(name)


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


def done(*stores: Store, refs: tuple[MessageRef, ...] = (ONE,), word: str = READ) -> dict[str, Any]:
    return perform(cast(Session, Account(*stores)), word, refs)


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
