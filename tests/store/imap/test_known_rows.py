"""Rows that were read before are the rows that a fresh connection reads, whatever was done to the mailbox in
between."""

from __future__ import annotations

import imaplib
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from gateway.message.query import Query, flag
from gateway.store.abilities import Order
from gateway.store.base import FLAGGED, SEEN, Listing, MessageRef, Window
from gateway.store.imap import fetched, imap_store, known_rows
from gateway.store.imap.fetched import FetchItems
from gateway.store.imap.imap_store import ImapStore
from gateway.store.imap.known_rows import LEAST, LONGEST, MOST, MOST_BRIEF, MOST_NUMBERED, KnownRows
from gateway.store.imap.response import Untagged
from tests import rig
from tests.servers.dovecot import Dovecot
from tests.store.imap.test_imap import MIXED

_names = count(1)
STEPS = 40


@pytest.fixture
def user(dovecot: Dovecot) -> str:
    found = dovecot.user(f"rows{next(_names)}")
    for number in range(12):
        dovecot.deliver(found, mail(number))
    return found


def mail(number: int) -> bytes:
    plain = (
        f"From: Zoë <z{number}@example.org>\r\nSubject: =?utf-8?q?N=C3=BA?= {number}\r\n\r\ntext\r\n".encode()
    )
    return MIXED if number % 3 == 0 else plain


@pytest.fixture
def opened(dovecot: Dovecot, user: str) -> Iterator[Callable[[], ImapStore]]:
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(imap_store.connect(rig.imap(dovecot), user, "secret")))


def act(chance: random.Random, dovecot: Dovecot, user: str, side: imaplib.IMAP4, number: int) -> None:
    """Do to the mailbox what another program may do."""
    side.noop()
    uids = side.uid("SEARCH", "ALL")[1][0].split()
    uid = chance.choice(uids).decode() if uids else "1"
    match chance.choice(("deliver", "flag", "unflag", "keyword", "delete", "move", "nothing", "anew")):
        case "deliver":
            dovecot.deliver(user, mail(number))
        case "flag":
            side.uid("STORE", uid, "+FLAGS", chance.choice(("\\Seen", "\\Flagged", "\\Answered")))
        case "unflag":
            side.uid("STORE", uid, "-FLAGS", "(\\Seen \\Flagged)")
        case "keyword":
            side.uid("STORE", uid, "+FLAGS", "$Forwarded")
        case "delete":
            side.uid("STORE", uid, "+FLAGS", "\\Deleted")
            side.expunge()
        case "move":
            side.uid("COPY", uid, "INBOX")
        case "anew" if number % 4 == 0:
            for name in ("Aside", "INBOX"):
                side.create(name)
            side.uid("COPY", uid, "Aside")


@pytest.fixture
def side(dovecot: Dovecot, user: str) -> Iterator[imaplib.IMAP4]:
    found = imaplib.IMAP4(dovecot.host, dovecot.ports["imap"])
    found.login(user, "secret")
    found.select("INBOX")
    yield found
    found.logout()


def looks(chance: random.Random) -> Callable[[ImapStore], object]:
    """Choose what a person looks at: a window, a list by subject, unread mail, or the results of a search."""
    window = Window(rows=chance.choice((3, 5, 9)), top=chance.choice((None, 4, 8)))
    order = chance.choice((Order.SUBJECT, Order.SIZE, Order.ARRIVAL))
    asked = chance.choice((Query(), flag("unread")))
    return chance.choice((
        lambda store: store.summaries("INBOX", window),
        lambda store: store.summaries(chance.choice(("INBOX", "Aside")), window),
        lambda store: store.found("INBOX", asked, order, rows=4),
        lambda store: store.summaries_of(store.search(asked, ["INBOX"]).refs),
    ))  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_known_rows_are_the_fresh_ones_on_any_walk(
    dovecot: Dovecot,
    user: str,
    side: imaplib.IMAP4,
    opened: Callable[[], ImapStore],
    seed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # In some walks there is room for only two rows, or numbers of three.
    monkeypatch.setattr(known_rows, "MOST_NUMBERED", chance_of(seed, 3, MOST_NUMBERED))
    monkeypatch.setattr(known_rows, "MOST_BRIEF", chance_of(seed, 3, MOST_BRIEF))
    chance, knowing = random.Random(seed), opened()
    knowing._known_rows = KnownRows(chance_of(seed, 2 * LEAST, MOST))
    side.create("Aside")
    for number in range(STEPS):
        act(chance, dovecot, user, side, number)
        look, state = looks(chance), chance.getstate()
        with closing(opened()) as fresh:
            expected = look(fresh)
        for _again in range(3):  # the last of them is made of answers that were there before
            chance.setstate(state)
            assert look(knowing) == expected


def chance_of(seed: int, few: int, many: int) -> int:
    return few if seed % 2 else many


def test_the_same_answers_are_not_read_again(
    dovecot: Dovecot,
    user: str,
    side: imaplib.IMAP4,
    opened: Callable[[], ImapStore],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store, made = opened(), []
    complete = store._completed

    def completed(*args: Any) -> Listing:
        made.append(args)
        return complete(*args)

    monkeypatch.setattr(store, "_completed", completed)
    pages = [Window(rows=3), Window(rows=3, top=4)]
    expected = [store.summaries("INBOX", page) for page in pages]
    for _twice in range(2):  # of flags alone from the second time on
        assert [store.summaries("INBOX", page) for page in pages] == expected
    assert len(made) == 4
    side.store("2", "+FLAGS", "\\Flagged")
    assert FLAGGED in store.summaries("INBOX", pages[1]).summaries[-1].flags
    side.store("2", "-FLAGS", "\\Flagged")
    assert [store.summaries("INBOX", page) for page in pages] == expected
    dovecot.deliver(user, b"Subject: new\r\n\r\n")
    assert store.summaries("INBOX", pages[0]).exists == expected[0].exists + 1


def test_of_a_known_row_only_flags_travel(
    dovecot: Dovecot, user: str, side: imaplib.IMAP4, opened: Callable[[], ImapStore]
) -> None:
    store, window = opened(), Window(rows=9)
    first = store.summaries("INBOX", window)
    before = store.traffic.octets_in
    assert store.summaries("INBOX", window) == first
    assert store.traffic.octets_in - before < 90 * 9
    side.store("12", "+FLAGS", "\\Seen")
    side.store("4", "+FLAGS", "\\Deleted")
    side.expunge()
    store.summaries("INBOX", window)  # learns of the change
    before = store.traffic.octets_in, store.traffic.round_trips
    again = store.summaries("INBOX", window)
    assert SEEN in again.summaries[0].flags
    assert store.traffic.octets_in - before[0] < 90 * 9
    assert store.traffic.round_trips - before[1] == 1
    dovecot.deliver(user, mail(1))
    before = store.traffic.octets_in, store.traffic.round_trips
    assert store.summaries("INBOX", window).exists == 12
    assert store.traffic.octets_in - before[0] < 90 * 9 + 1000
    assert store.traffic.round_trips - before[1] == 2


def test_a_row_is_read_once(opened: Callable[[], ImapStore], monkeypatch: pytest.MonkeyPatch) -> None:
    store, read = opened(), []
    described = fetched.described
    monkeypatch.setattr(fetched, "described", lambda row: read.append(row) or described(row))
    for _ in range(3):
        store.summaries("INBOX", Window(rows=9))
    assert len(read) == 9


HEADER = b"BODY[HEADER.FIELDS (SUBJECT)]"
DATE = b" 1-Jan-2026 00:00:00 +0000"


def whole(uid: int, size: int = 9, header: int = 100) -> FetchItems:
    text = b"Subject: %d\r\n" % uid + b"X" * header
    plain = (b"TEXT", b"PLAIN", None, None, None, b"7BIT", 1, 1)
    given: FetchItems = {b"UID": uid, b"FLAGS": (), b"RFC822.SIZE": size, b"INTERNALDATE": DATE, HEADER: text}
    return {**given, b"BODYSTRUCTURE": plain}


def brief(uid: int, size: int = 9, flags: tuple[bytes, ...] = ()) -> FetchItems:
    return {b"UID": uid, b"FLAGS": flags, b"RFC822.SIZE": size}


def ref(uid: int) -> MessageRef:
    return MessageRef("INBOX", 1, uid)


def test_what_is_held_is_bounded_and_the_oldest_go_first() -> None:
    known = KnownRows()
    for uid in range(1, 2000):
        known.summaries([(ref(uid), uid, whole(uid))])
        assert known._held <= MOST
    assert known.knows(ref(1999))
    assert not known.knows(ref(1))
    assert known._held == sum(each.weight for each in known._known.values())
    known.summaries([(ref(3000), 3000, whole(3000, header=LONGEST))])
    assert not known.knows(ref(3000))
    for number in range(2000):
        text = b" (UID %d FLAGS () RFC822.SIZE 9)" % number
        known.items(Untagged("FETCH", number, (text,)))
        known.number(number, number)
    assert len(known._brief) <= MOST_BRIEF
    assert len(known._uids) <= MOST_NUMBERED


def test_a_new_row_takes_nothing_that_the_same_page_needs() -> None:
    known = KnownRows(most=2 * LEAST)
    first = known.summaries([(ref(1), 1, whole(1))])
    page = [(ref(uid), uid, whole(uid)) for uid in range(2, 9)]
    assert known.summaries([*page, (ref(1), 1, brief(1))])[-1] == first[0]


def test_a_message_that_is_not_what_it_was_is_fetched_again() -> None:
    known = KnownRows()
    known.summaries([(ref(1), 1, whole(1)), (ref(6), 6, whole(6))])
    rows = {1: brief(1), 2: whole(2), 3: brief(3), 4: {b"FLAGS": ()}, 6: {b"UID": 6, b"RFC822.SIZE": 9}}
    assert known.drop_unknown(rows, lambda row: ref(fetched.uid_of(row))) == [3, 6]
    assert list(rows) == [1, 2]
    rows = {1: brief(1, size=10)}
    assert known.drop_unknown(rows, lambda row: ref(fetched.uid_of(row))) == [1]


@pytest.mark.parametrize("lacking", [b"BODYSTRUCTURE", b"INTERNALDATE", b"FLAGS", HEADER])
def test_a_row_that_lacks_something_is_fetched_again(lacking: bytes) -> None:
    known = KnownRows()
    known.summaries([(ref(1), 1, {name: value for name, value in whole(1).items() if name != lacking})])
    assert not known.knows(ref(1))


def test_a_changed_flag_is_another_row() -> None:
    known = KnownRows()
    (first,) = known.summaries([(ref(1), 1, whole(1))])
    (same,) = known.summaries([(ref(1), 1, brief(1))])
    (seen,) = known.summaries([(ref(1), 2, brief(1, flags=(b"\\seen", b"\\Recent")))])
    assert same is first
    assert seen == replace(first, sequence=2, flags=frozenset({SEEN}))
