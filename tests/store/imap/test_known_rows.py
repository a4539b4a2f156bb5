"""Rows that were read before are the rows that a fresh connection reads, whatever was done to the mailbox meanwhile."""

from __future__ import annotations

import imaplib
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import count

import pytest

from gateway.store.base import Window
from gateway.store.imap import fetched, imap_store
from gateway.store.imap.imap_store import ImapStore
from gateway.store.imap.known_rows import LONGEST, MOST, KnownRows
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
    """Do to the mailbox what another program does."""
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


@pytest.mark.parametrize("seed", range(3))
def test_known_rows_are_the_fresh_ones_on_any_walk(
    dovecot: Dovecot, user: str, opened: Callable[[], ImapStore], seed: int
) -> None:
    chance, knowing = random.Random(seed), opened()
    side = imaplib.IMAP4(dovecot.host, dovecot.ports["imap"])
    side.login(user, "secret")
    side.select("INBOX")
    for number in range(STEPS):
        act(chance, dovecot, user, side, number)
        window = Window(rows=chance.choice((3, 5, 9)), top=chance.choice((None, 4, 8)))
        with closing(opened()) as fresh:
            assert knowing.summaries("INBOX", window) == fresh.summaries("INBOX", window)
    side.logout()


def test_a_row_is_read_once(opened: Callable[[], ImapStore], monkeypatch: pytest.MonkeyPatch) -> None:
    store, read = opened(), []
    described = fetched.described
    monkeypatch.setattr(fetched, "described", lambda row: read.append(row) or described(row))
    for _ in range(3):
        store.summaries("INBOX", Window(rows=9))
    assert len(read) == 7  # of nine rows, three have the same header and structure


def line(number: int, size: int = 400) -> Untagged:
    header = b"Subject: %d\r\n" % number + b"X" * size
    text = b" (UID %d FLAGS () RFC822.SIZE 9 BODY[HEADER.FIELDS (SUBJECT)] {%d}" % (number, len(header))
    return Untagged("FETCH", number, (text, header, b")"))


def test_what_is_held_is_bounded_and_the_oldest_go_first() -> None:
    known = KnownRows()
    first = known.items(line(1))
    for number in range(2, 2000):
        known.items(line(number))
        assert known._held <= MOST
    assert known.items(line(1999)) is known.items(line(1999))
    assert known.items(line(1)) is not first
    assert known._held == sum(size for _, size in known._rows.values())
    before = known._held
    known.items(line(3000, LONGEST))
    assert known._held == before
    assert len(known._described) <= len(known._rows)


def test_a_changed_flag_is_another_row() -> None:
    known = KnownRows()
    row = known.items(line(1))
    text, *rest = line(1).pieces
    seen = known.items(Untagged("FETCH", 1, (text.replace(b"FLAGS ()", b"FLAGS (\\Seen)"), *rest)))
    assert fetched.flags_of(row) == frozenset()
    assert fetched.flags_of(seen) == {"\\Seen"}
