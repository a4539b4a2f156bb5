"""Lists that the server sorts, filters and threads; searches; their costs; and servers that can do less."""

from __future__ import annotations

import imaplib
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import Server, Tls
from gateway.errors import CannotSearch, MailboxGone, StoreError
from gateway.message.query import Query, Term, flag, parse
from gateway.store.abilities import Order
from gateway.store.base import SEEN, FoundList, ListPosition, MailStore, MessageRef
from gateway.store.imap import imap_store
from gateway.store.imap.connection.imap4 import Traffic
from gateway.store.imap.imap_store import ImapStore
from gateway.store.imap.known_rows import KnownRows
from gateway.store.imap.response import CommandResponse, Status, Untagged
from gateway.store.imap.search import criteria
from gateway.store.imap.search.finding import NEWEST
from tests import rig
from tests.matrix import one_of
from tests.servers import maildir
from tests.servers.dovecot import Dovecot
from tests.store.script import CAPABILITY, GREETING, Script, Step

_names = count(1)
ALL = Query()
UNREAD = flag("unread")
TODAY = date(2026, 3, 31)


def mail(n: int, subject: str = "", sender: str = "", more: str = "", body: str = "text") -> bytes:
    sender, subject = sender or f"S{n:04} <s{n:04}@example.org>", subject or f"n{n:04}"
    return (
        f"From: {sender}\r\nTo: me@example.net\r\nSubject: {subject}\r\n"
        f"Date: Tue, 3 Nov 2026 {n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02} +0100\r\n"
        f"Message-ID: <{n}@example.org>\r\n{more}\r\n{body}\r\n"
    ).encode()


@pytest.fixture
def user(dovecot: Dovecot) -> str:
    return dovecot.user(f"finder{next(_names)}")


Open = Callable[..., ImapStore]


@pytest.fixture
def open_store(dovecot: Dovecot, user: str) -> Iterator[Open]:
    stores: list[ImapStore] = []
    server = rig.imap(dovecot)

    def opened(*hidden: str, who: str = "") -> ImapStore:
        stores.append(imap_store.connect(server, who or user, "secret"))
        stores[-1]._capabilities = frozenset(
            name for name in stores[-1].capabilities if not name.startswith(hidden or ("\0",))
        )
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def store(open_store: Open) -> ImapStore:
    return open_store()


@pytest.fixture
def aside(dovecot: Dovecot, user: str) -> Iterator[imaplib.IMAP4]:
    """Another mail program with the same mailbox open."""
    client = imaplib.IMAP4(dovecot.host, dovecot.ports["imap"])
    client.login(user, "secret")
    client.select("INBOX")
    yield client
    client.logout()


def spent(store: ImapStore, action: Callable[[], object]) -> Traffic:
    before = Traffic(*(getattr(store.traffic, name) for name in Traffic.__slots__))
    action()
    return Traffic(*(getattr(store.traffic, name) - getattr(before, name) for name in Traffic.__slots__))


def uids(found: FoundList) -> list[int]:
    return [line.summary.ref.uid for line in found.lines]


def walk(store: ImapStore, query: Query, order: Order, rows: int = 9) -> list[int]:
    """Turn all pages forward, and check that turning back shows the same."""
    pages = [store.found("INBOX", query, order, rows=rows)]
    while pages[-1].beyond:
        pages.append(store.found("INBOX", query, order, pages[-1].beyond, rows))
        assert pages[-1].rank == pages[-2].rank + len(pages[-2].lines)
    for earlier, later in pairwise(pages):
        first = later.lines[0].position
        back = store.found("INBOX", query, order, ListPosition(first.rank, first.uid, True, first.part), rows)
        assert uids(back) == uids(earlier)
    assert len({page.count for page in pages}) == 1
    return [uid for page in pages for uid in uids(page)]


#: What is hidden from us -> how the server then lists.
SERVERS = {
    "stretches": (),
    "no stretches of SORT": ("ESORT",),
    "no stretches": ("ESORT", "CONTEXT", "PARTIAL"),
    "plain": ("ESORT", "CONTEXT", "PARTIAL", "ESEARCH", "SORT=DISPLAY"),
}


@pytest.mark.parametrize("hidden", SERVERS.values(), ids=SERVERS)
def test_every_order_from_the_first_page_to_the_last(
    dovecot: Dovecot, user: str, open_store: Open, hidden: Sequence[str]
) -> None:
    order_of = [(n * 7) % 31 for n in range(1, 31)]  # UID n has subject order_of[n - 1]
    maildir.write(dovecot.maildir(user), [mail(k, more="X: " + "x" * k + "\r\n") for k in order_of[:20]])
    maildir.write(dovecot.maildir(user), [mail(k, more="X: " + "x" * k + "\r\n") for k in order_of[20:]], "S")
    store = open_store(*hidden)
    by_key = [uid for _k, uid in sorted(zip(order_of, range(1, 31), strict=True))]
    assert walk(store, ALL, Order.SUBJECT) == by_key
    assert walk(store, ALL, Order.SENDER) == by_key
    assert walk(store, ALL, Order.DATE) == by_key[::-1]
    assert walk(store, ALL, Order.SIZE) == by_key[::-1]
    assert walk(store, ALL, Order.ARRIVAL) == list(range(30, 0, -1))
    # Messages of the same second are in the order of their numbers.
    assert walk(store, ALL, Order.RECEIVED) == list(range(30, 0, -1))
    assert walk(store, UNREAD, Order.ARRIVAL) == list(range(20, 0, -1))
    assert walk(store, ALL, Order.UNREAD) == [*range(20, 0, -1), *range(30, 20, -1)]
    assert walk(store, UNREAD, Order.SUBJECT) == [uid for uid in by_key if uid <= 20]
    assert walk(store, ALL, Order.ARRIVAL, rows=100) == list(range(30, 0, -1))
    assert store.found("INBOX", flag("flagged"), Order.ARRIVAL).lines == ()


def test_it_is_a_mail_store(store: ImapStore) -> None:
    seam: MailStore = store
    assert seam.can.orders == frozenset(Order)


def test_a_server_without_sort_and_thread_lists_by_arrival(
    dovecot: Dovecot, user: str, open_store: Open
) -> None:
    maildir.fill(dovecot.maildir(user), 3)
    store = open_store("SORT", "THREAD")
    assert store.can.orders == {Order.ARRIVAL, Order.UNREAD}
    for order in (Order.SENDER, Order.THREADS):
        found = store.found("INBOX", ALL, order)
        assert (found.order, uids(found)) == (Order.ARRIVAL, [3, 2, 1])


@pytest.mark.parametrize("ranges", [True, False])
def test_what_was_moved_away_and_back_stands_where_it_was_received(
    dovecot: Dovecot, user: str, open_store: Open, aside: imaplib.IMAP4, ranges: bool
) -> None:
    for n in range(1, 31):
        aside.append("INBOX", "", imaplib.Time2Internaldate(1_790_000_000 + 60 * n), mail(n))
    store = open_store(*(() if ranges else ("ESORT",)))
    first = store.found("INBOX", ALL, Order.RECEIVED).lines[0].summary.ref
    for uid, new in ((28, 31), (3, 32), (17, 33)):
        (there,) = store.move([MessageRef("INBOX", first.uidvalidity, uid)], "Trash")
        assert there is not None
        (back,) = store.move([there], "INBOX")
        assert back == MessageRef("INBOX", first.uidvalidity, new)
    by_number = [33, 32, 31, *(uid for uid in range(30, 0, -1) if uid not in (28, 3, 17))]
    by_date = [{28: 31, 3: 32, 17: 33}.get(uid, uid) for uid in range(30, 0, -1)]
    assert walk(store, ALL, Order.ARRIVAL) == by_number
    assert walk(store, ALL, Order.RECEIVED) == (by_date if ranges else by_number)
    assert store.can.received is ranges
    # New mail and reading while pages are turned shift nothing, and a place is found by its UID.
    page = store.found("INBOX", ALL, Order.RECEIVED, rows=5)
    dovecot.deliver(user, mail(99))
    assert page.beyond is not None
    below = store.found("INBOX", ALL, Order.RECEIVED, page.beyond, rows=5)
    assert uids(below) == (by_date if ranges else by_number)[5:10]
    at = store.found("INBOX", ALL, Order.RECEIVED, ListPosition(1, 33), rows=3)
    assert uids(at)[0] == 33
    if ranges:
        assert uids(at) == [33, 16, 15]


def test_an_empty_mailbox(store: ImapStore) -> None:
    for order in Order:
        found = store.found("INBOX", ALL, order)
        assert (found.count, found.rank, found.lines, found.beyond) == (0, 0, (), None)


def test_counts_and_a_jump(dovecot: Dovecot, user: str, store: ImapStore) -> None:
    maildir.fill(dovecot.maildir(user), 100)
    found = store.found("INBOX", UNREAD, Order.ARRIVAL, rows=4)
    assert (found.exists, found.unseen, found.count, found.rank, found.newest) == (100, 10, 10, 1, 0)
    for order in (Order.ARRIVAL, Order.SUBJECT):
        assert store.found("INBOX", UNREAD, order, ListPosition(5), 4).rank == 5
        assert store.found("INBOX", UNREAD, order, ListPosition(9), 4).rank == 9
        last = store.found("INBOX", UNREAD, order, ListPosition(999), 4)
        assert (last.rank, len(last.lines), last.beyond) == (9, 2, None)


@pytest.mark.parametrize("hidden", SERVERS.values(), ids=SERVERS)
@pytest.mark.parametrize("order", [Order.ARRIVAL, Order.SUBJECT, Order.UNREAD])
def test_new_mail_does_not_shift_the_pages(
    dovecot: Dovecot, user: str, open_store: Open, hidden: Sequence[str], order: Order
) -> None:
    maildir.write(dovecot.maildir(user), [mail(n) for n in range(100, 130)])
    store = open_store(*hidden)
    first = store.found("INBOX", ALL, order)
    assert first.beyond
    second = store.found("INBOX", ALL, order, first.beyond)
    maildir.write(dovecot.maildir(user), [mail(n) for n in range(50, 60)])
    again = store.found("INBOX", ALL, order, first.beyond)
    assert uids(again) == uids(second)
    assert (again.count, again.rank) == (40, 20)
    place = again.lines[0].position
    assert uids(
        store.found("INBOX", ALL, order, ListPosition(place.rank, place.uid, True, place.part))
    ) == uids(first)


@pytest.mark.parametrize("hidden", SERVERS.values(), ids=SERVERS)
@pytest.mark.parametrize("order", [Order.ARRIVAL, Order.SUBJECT, Order.UNREAD])
def test_reading_does_not_skip_what_is_unread(
    dovecot: Dovecot, user: str, open_store: Open, aside: imaplib.IMAP4, hidden: Sequence[str], order: Order
) -> None:
    maildir.write(dovecot.maildir(user), [mail(n) for n in range(30)])
    store = open_store(*hidden)
    query = ALL if order is Order.UNREAD else UNREAD
    first = store.found("INBOX", query, order)
    assert first.beyond
    second = uids(store.found("INBOX", query, order, first.beyond))
    aside.select("INBOX")
    for uid in uids(first):
        aside.uid("STORE", str(uid), "+FLAGS", "\\Seen")
    read = store.found("INBOX", query, order, first.beyond)
    assert uids(read) == second
    assert read.rank == 1


def test_a_place_that_is_expunged_is_where_it_was(
    dovecot: Dovecot, user: str, store: ImapStore, aside: imaplib.IMAP4
) -> None:
    maildir.write(dovecot.maildir(user), [mail(n) for n in range(30)])
    place = {order: store.found("INBOX", ALL, order).beyond for order in (Order.ARRIVAL, Order.SUBJECT)}
    after = {
        order: uids(store.found("INBOX", ALL, order, position or ListPosition()))[1:]
        for order, position in place.items()
    }
    aside.select("INBOX")
    for position in place.values():
        assert position
        aside.uid("STORE", str(position.uid), "+FLAGS", "\\Deleted")
    aside.expunge()
    for order, position in place.items():
        assert position
        assert uids(store.found("INBOX", ALL, order, position))[:8] == after[order]


def test_a_mailbox_that_is_gone_is_said_so(store: ImapStore) -> None:
    with pytest.raises(MailboxGone):
        store.found("Nowhere", ALL, Order.SUBJECT)


# Threads


def answer(n: int, to: int) -> bytes:
    return mail(n, "Re: talk", more=f"References: <{to}@example.org>\r\nIn-Reply-To: <{to}@example.org>\r\n")


def test_threads_are_one_line_each_with_the_newest_on_top(
    dovecot: Dovecot, user: str, store: ImapStore
) -> None:
    maildir.write(dovecot.maildir(user), [mail(1, "talk"), mail(2, "alone"), mail(3, "other")], "S")
    maildir.write(dovecot.maildir(user), [answer(4, 1)])
    maildir.write(dovecot.maildir(user), [answer(5, 4)], "S")
    found = store.found("INBOX", ALL, Order.THREADS)
    assert [(line.summary.ref.uid, line.messages, SEEN in line.summary.flags) for line in found.lines] == [
        (5, 3, False),
        (3, 1, True),
        (2, 1, True),
    ]
    assert (found.count, found.newest, found.unseen) == (3, 0, 1)
    inside = store.found("INBOX", ALL, Order.THREADS, thread=4)
    assert [(line.summary.ref.uid, line.messages) for line in inside.lines] == [(5, 1), (4, 1), (1, 1)]
    assert SEEN in inside.lines[0].summary.flags
    assert store.found("INBOX", ALL, Order.THREADS, thread=99).lines == ()
    unread = store.found("INBOX", UNREAD, Order.THREADS)
    assert [(line.summary.ref.uid, line.messages) for line in unread.lines] == [(4, 1)]


def test_a_thread_that_grows_keeps_its_page(dovecot: Dovecot, user: str, store: ImapStore) -> None:
    maildir.write(dovecot.maildir(user), [mail(n, f"topic {n}") for n in range(1, 31)])
    first = store.found("INBOX", ALL, Order.THREADS)
    assert first.beyond
    assert first.beyond.uid == 21
    maildir.write(dovecot.maildir(user), [mail(40, "new"), answer(41, 30)])
    again = store.found("INBOX", ALL, Order.THREADS, first.beyond)
    assert (uids(again)[0], again.rank) == (21, 11)
    assert walk(store, ALL, Order.THREADS)[:3] == [32, 31, 29]


def test_threads_are_of_the_newest_thousand(dovecot: Dovecot, user: str, store: ImapStore) -> None:
    maildir.fill(dovecot.maildir(user), NEWEST + 200)
    found = store.found("INBOX", ALL, Order.THREADS)
    assert found.newest == NEWEST
    assert uids(found)[0] == NEWEST + 200
    assert (
        max(line.messages for line in found.lines) > 1
    )  # files under two names are two messages with one id
    assert NEWEST // 2 <= found.count < NEWEST


def _reply(kind: str, *pieces: bytes) -> CommandResponse:
    return CommandResponse(Status("OK"), [Untagged(kind, 0, pieces)])


def test_a_deep_thread_is_flat() -> None:
    deep = b"".join(b"(%d (%d)" % (n, n + 10_000) for n in range(1, 5000)) + b")" * 4999
    (thread,) = criteria.threads(_reply("THREAD", deep))
    assert len(thread) == 9998


@given(st.binary(max_size=60) | st.from_regex(rb"\A[() 0-9]*\Z"))
def test_any_thread_answer_is_read(octets: bytes) -> None:
    for thread in criteria.threads(_reply("THREAD", octets)):
        assert thread
        assert all(0 < uid <= 0xFFFFFFFF for uid in thread)


@given(
    st.binary(max_size=60)
    | st.from_regex(rb"\A(?:\(TAG \"a\"\) )?(?:UID )?(?:PARTIAL|ALL|COUNT) [() 0-9:,*]*\Z")
)
def test_any_search_answer_is_read_within_bounds(octets: bytes) -> None:
    for kind in ("ESEARCH", "SEARCH", "SORT"):
        reply = _reply(kind, octets)
        criteria.esearch(reply)
        for found in (criteria.partial(reply), criteria.numbers(reply)):
            assert len(found) <= criteria.MOST_NUMBERS


def test_a_set_as_large_as_numbers_go_is_cut() -> None:
    assert len(criteria.expanded(b"1:4294967295,7")) == criteria.MOST_NUMBERS
    assert criteria.expanded(b"9,1:3,5") == [9, 1, 2, 3, 5]
    assert criteria.expanded(None) == []
    assert criteria.expanded(7) == [7]


# What it costs


@pytest.fixture(scope="module")
def large(dovecot: Dovecot) -> dict[int, str]:
    users = {size: dovecot.user(f"large{size}@example.net") for size in (100, 100_000)}
    for size, name in users.items():
        maildir.fill(dovecot.maildir(name), size)
    return users


VIEWS = [
    *((order, ALL) for order in Order if order is not Order.THREADS),
    (Order.ARRIVAL, UNREAD),
    (Order.SUBJECT, UNREAD),
    (Order.ARRIVAL, flag("flagged")),
]


@pytest.mark.usefixtures("patient")
@pytest.mark.long(together=True)
@pytest.mark.parametrize(
    "view", one_of(VIEWS, (Order.ARRIVAL, ALL), (Order.UNREAD, ALL), (Order.SUBJECT, UNREAD))
)
def test_the_last_page_of_100_000_costs_what_the_first_of_100_does(
    large: dict[int, str], open_store: Open, view: tuple[Order, Query]
) -> None:
    order, query = view
    costs: dict[str, list[Traffic]] = {"first": [], "last": []}
    for name in large.values():
        store = open_store(who=name)
        store.found("INBOX", query, order)
        for where, position in (("first", ListPosition()), ("last", ListPosition(10**6))):
            store._known_rows = KnownRows()  # for known ones only flags are fetched
            costs[where].append(
                spent(store, lambda store=store, at=position: store.found("INBOX", query, order, at, 10))
            )
    for small, great in costs.values():
        assert small.round_trips == great.round_trips <= 4
        # Numbers are longer there, and that is all.
        octets = small.octets_in + small.octets_out
        assert abs(great.octets_in + great.octets_out - octets) <= 0.06 * octets + 100
        assert great.octets_in < 12_000


@pytest.mark.usefixtures("patient")
def test_threads_cost_what_a_thousand_messages_do(large: dict[int, str], open_store: Open) -> None:
    store = open_store(who=large[100_000])
    store.found("INBOX", ALL, Order.THREADS)
    cost = spent(store, lambda: store.found("INBOX", ALL, Order.THREADS))
    assert cost.round_trips == 3
    assert cost.octets_in < 25_000


# Searching


def search(store: ImapStore, typed: str, *mailboxes: str) -> list[tuple[str, int]]:
    hits = store.search(parse(typed, TODAY), mailboxes or ("INBOX",))
    return [(ref.mailbox, ref.uid) for ref in hits.refs]


@pytest.fixture
def library(dovecot: Dovecot, user: str) -> None:
    attached = 'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="x"\r\n'
    parts = "--x\r\n\r\nsee the file\r\n--x\r\nContent-Type: application/pdf\r\n\r\nx\r\n--x--"
    eight = (
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
    )
    maildir.write(
        dovecot.maildir(user),
        [
            mail(1, "A lamp", "Bob B <bob@example.org>", eight, "Grüße aus Köln"),
            mail(2, "=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Ann <ann@example.org>", "Cc: dora@example.net\r\n"),
            mail(3, "two words", "Bob B <bob@example.org>", attached, parts),
            mail(4, "words two", "Дора <dora@example.org>", eight, "да"),
        ],
        "S",
    )
    maildir.write(dovecot.maildir(user), [mail(5, 'a "quoted\\" lamp', "bob@example.org", body="x" * 5000)])


@pytest.mark.parametrize("hidden", [(), ("LITERAL",), ("ESEARCH", "LITERAL")], ids=["all", "asked", "plain"])
@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("lamp", [5, 1]),
        ("LAMP bob", [5, 1]),
        ("from:bob", [5, 3, 1]),
        ("from:bob -lamp", [3]),
        ('"two words"', [3]),
        ("two words", [4, 3]),
        ("Grüße", [2, 1]),
        ("subject:Grüße", [2]),
        ("-Grüße", [5, 4, 3]),
        ("да", [4]),
        ("Grüße -subject:Grüße köln", [1]),
        ("to:dora", [2]),
        ("to:me@example.net", [5, 4, 3, 2, 1]),
        ("text:application/pdf", [3]),
        ("has:attachment", [3]),
        ("-has:attachment larger:4k", [5]),
        ("smaller:4k is:unread", []),
        ("is:unread", [5]),
        ("is:read from:bob", [3, 1]),
        ("since:2024-10-01", [5, 4, 3, 2, 1]),
        ("before:2024-10-01", []),
        ("'", []),
        ("quoted\\", [5]),
        ("", [5, 4, 3, 2, 1]),
    ],
)
def test_what_is_found(
    library: None, open_store: Open, hidden: Sequence[str], typed: str, wanted: list[int]
) -> None:
    assert search(open_store(*hidden), typed) == [("INBOX", uid) for uid in wanted]


def test_a_search_says_how_far_it_went(dovecot: Dovecot, user: str, store: ImapStore) -> None:
    maildir.fill(dovecot.maildir(user), 700)
    hits = store.search(parse("small", TODAY), ["INBOX"])
    assert (len(hits.refs), hits.count, hits.searched, hits.total) == (500, 700, 700, 700)
    assert hits.refs[0].uid == 700
    assert not hits.unsure
    assert store.search(parse("small has:attachment", TODAY), ["INBOX"]).unsure


def test_a_search_stops_when_time_is_up(
    dovecot: Dovecot, user: str, store: ImapStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    maildir.fill(dovecot.maildir(user), 30)
    maildir.fill(dovecot.maildir(user, "Sent"), 3)
    monkeypatch.setattr("gateway.store.imap.search.searching.DEEP_STRETCH", 10)
    hits = store.search(parse("small", TODAY), ["INBOX"], seconds=0)
    assert ([ref.uid for ref in hits.refs], hits.searched, hits.total) == ([*range(30, 20, -1)], 10, 30)
    hits = store.search(parse("small", TODAY), ["Sent", "INBOX"], seconds=0)
    assert ({ref.mailbox for ref in hits.refs}, hits.searched, hits.total) == ({"Sent"}, 3, 33)
    hits = store.search(parse("small", TODAY), ["Sent", "INBOX"])
    # What is in Sent is also in the inbox.
    assert (hits.count, hits.searched, len(hits.refs)) == (30, 33, 30)


@pytest.mark.parametrize("hidden", [(), ("LITERAL", "ESEARCH")], ids=["all", "plain"])
def test_all_mailboxes_are_one_list_by_date(
    dovecot: Dovecot, user: str, open_store: Open, hidden: Sequence[str]
) -> None:
    for second, (name, n) in enumerate([("Räume", 1), ("INBOX", 2), ("Sent", 3), ("INBOX", 4), ("Räume", 5)]):
        path = dovecot.maildir(user, "R&AOQ-ume" if name == "Räume" else name)
        maildir.write(path, [mail(n, "lämp" if n != 3 else "lamp", body="lämp")], first_second=second)
        for file in (path / "cur").glob(f"{second}.*"):  # Dovecot: INTERNALDATE is the time of the file
            os.utime(file, (1_730_000_000 + second,) * 2)
    store = open_store(*hidden)
    names = ["INBOX", "Drafts", "Sent", "Räume", "Nowhere", "INBOX"]
    hits = store.search(parse("lamp", TODAY), names)
    assert [(ref.mailbox, ref.uid) for ref in hits.refs] == [("Sent", 1)]
    assert hits.skipped == 1
    found = search(store, "from:example.org", *names)
    assert found == [("Räume", 2), ("INBOX", 2), ("Sent", 1), ("INBOX", 1), ("Räume", 1)]
    assert store.found("INBOX", ALL, Order.ARRIVAL).count == 2  # and the connection knows where it is
    store.flag([MessageRef("INBOX", store.found("INBOX", ALL, Order.ARRIVAL).uidvalidity, 1)], [SEEN])
    with pytest.raises(StoreError):
        store.search(parse("lamp", TODAY), ["Nowhere", "Neither"])


def test_summaries_of_messages_in_several_mailboxes(dovecot: Dovecot, user: str, store: ImapStore) -> None:
    maildir.fill(dovecot.maildir(user), 5)
    maildir.fill(dovecot.maildir(user, "Sent"), 5)
    inbox = store.found("INBOX", ALL, Order.ARRIVAL)
    sent = store.found("Sent", ALL, Order.ARRIVAL)
    refs = [
        MessageRef("Sent", sent.uidvalidity, 2),
        MessageRef("INBOX", inbox.uidvalidity, 5),
        MessageRef("INBOX", inbox.uidvalidity, 99),
        MessageRef("INBOX", inbox.uidvalidity + 1, 4),
        MessageRef("Gone", 1, 1),
        MessageRef("Sent", sent.uidvalidity, 4),
    ]
    assert [s.ref for s in store.summaries_of(refs)] == [refs[0], refs[1], refs[5]]
    one = [MessageRef("INBOX", inbox.uidvalidity, uid) for uid in (3, 1, 2)]
    store.summaries_of(one)
    assert spent(store, lambda: store.summaries_of(one)).round_trips == 1
    assert [s.ref.uid for s in store.summaries_of(one)] == [3, 1, 2]
    assert store.summaries_of([]) == ()


# Servers unlike any Dovecot


def scripted(script: Script, *capabilities: str) -> ImapStore:
    store = imap_store.connect(
        Server("imap", script.host, script.port, Tls.NONE, insecure=True), "me", "secret"
    )
    store._capabilities = frozenset({"IMAP4REV1", *capabilities})
    return store


def signed_in(*steps: Step) -> Script:
    return Script(
        GREETING, [CAPABILITY, (b"AUTHENTICATE", b"{tag} OK [CAPABILITY IMAP4rev1] hi\r\n"), *steps]
    )


SELECTED: Step = (
    b"SELECT",
    b"* 30 EXISTS\r\n* OK [UIDVALIDITY 7] fine\r\n{tag} OK [READ-WRITE] selected\r\n",
)
ROW = b'* %d FETCH (UID %d FLAGS () RFC822.SIZE 9 BODY[HEADER.FIELDS (DATE FROM SUBJECT)]<0> "")\r\n'


def test_a_server_that_names_context_sort_is_asked_for_stretches() -> None:
    with signed_in(
        SELECTED,
        (
            b"UID SORT RETURN (PARTIAL 1:3 COUNT) (REVERSE SIZE) UTF-8 ALL",
            b'* ESEARCH (TAG "x") UID COUNT 30 PARTIAL (1:3 9,2,4)\r\n{tag} OK\r\n',
        ),
        (b"UID FETCH 2,9", ROW % (2, 2) + ROW % (9, 9) + b"{tag} OK\r\n"),
        (b"STATUS", b"* STATUS INBOX (UNSEEN 5)\r\n{tag} OK\r\n"),
    ) as script:
        store = scripted(script, "SORT", "CONTEXT=SORT")
        found = store.found("INBOX", ALL, Order.SIZE, rows=2)
        store.close()
    assert (uids(found), found.count, found.unseen, found.beyond) == ([9, 2], 30, 5, ListPosition(3, 4))


def test_a_server_that_refuses_stretches_after_all_sorts_the_newest() -> None:
    with signed_in(
        SELECTED,
        (b"UID SORT RETURN", b"{tag} BAD what?\r\n"),
        (b"UID SORT (SUBJECT REVERSE DATE) UTF-8 1:* ALL", b"* SORT 9 2 4\r\n{tag} OK\r\n"),
        (b"UID FETCH 2,9", ROW % (2, 2) + ROW % (9, 9) + b"{tag} OK\r\n"),
        (b"STATUS", b"{tag} NO\r\n"),
        (b"NOOP", b"{tag} OK\r\n"),
        (b"UID SORT (SUBJECT REVERSE DATE) UTF-8 1:* ALL", b"* SORT 4\r\n{tag} OK\r\n"),
        (b"UID FETCH 4", ROW % (4, 4) + b"{tag} OK\r\n"),
        (b"STATUS", b"{tag} NO\r\n"),
    ) as script:
        store = scripted(script, "SORT", "ESORT", "CONTEXT=SEARCH")
        found = store.found("INBOX", ALL, Order.SUBJECT, rows=2)
        assert uids(store.found("INBOX", ALL, Order.SUBJECT, rows=2)) == [4]  # and is not asked again
        store.close()
    assert (uids(found), found.count, found.order) == ([9, 2], 3, Order.SUBJECT)


def test_partial_of_rfc_9394_is_enough_for_filters() -> None:
    with signed_in(
        SELECTED,
        (b"UID SEARCH RETURN (COUNT) UNSEEN", b'* ESEARCH (TAG "x") UID COUNT 4\r\n{tag} OK\r\n'),
        (
            b"UID SEARCH RETURN (PARTIAL 2:4) UNSEEN",
            b'* ESEARCH (TAG "x") UID PARTIAL (2:4 5:6,9)\r\n{tag} OK\r\n',
        ),
        (b"UID FETCH 6,9", ROW % (6, 6) + ROW % (9, 9) + b"{tag} OK\r\n"),
        (b"STATUS", b"{tag} NO\r\n"),
    ) as script:
        store = scripted(script, "ESEARCH", "PARTIAL")
        found = store.found("INBOX", UNREAD, Order.ARRIVAL, rows=2)
        store.close()
    assert (uids(found), found.beyond) == ([9, 6], ListPosition(3, 5))


def test_bad_charset_is_said_in_one_that_the_server_offers() -> None:
    with signed_in(
        SELECTED,
        (
            b"UID SEARCH CHARSET UTF-8 SUBJECT {7}",
            b"{tag} NO [BADCHARSET (US-ASCII KOI8-R ISO-8859-1)] no\r\n",
        ),
        (b"UID SEARCH CHARSET ISO-8859-1 SUBJECT {5}", b"+ go on\r\n"),
        ("Grüße".encode("latin-1"), b"* SEARCH 9 2\r\np5 OK done\r\n"),
    ) as script:
        store = scripted(script)
        hits = store.search(parse("subject:Grüße", TODAY), ["INBOX"])
        store.close()
    assert ([ref.uid for ref in hits.refs], hits.unsure) == ([9, 2], False)


def test_what_no_charset_can_say_is_left_out_and_said_so() -> None:
    with signed_in(
        SELECTED,
        (b"CHARSET UTF-8", b"{tag} NO [BADCHARSET] no\r\n"),
        (b'UID SEARCH SUBJECT "lamp"', b"* SEARCH 9 2\r\n{tag} OK done\r\n"),
        (b"NOOP", b"{tag} OK\r\n"),
        (b"CHARSET UTF-8", b"{tag} NO [BADCHARSET] no\r\n"),
    ) as script:
        store = scripted(script)
        hits = store.search(parse("subject:lamp -да", TODAY), ["INBOX"])
        with pytest.raises(CannotSearch):
            store.search(parse("да", TODAY), ["INBOX"])
        store.close()
    assert ([ref.uid for ref in hits.refs], hits.unsure) == ([9, 2], True)


def test_a_server_that_refuses_every_charset_is_asked_three_times() -> None:
    refusing = (b"UID SEARCH", b"{tag} NO [BADCHARSET (KOI8-R)] no\r\n")
    with signed_in(SELECTED, refusing, refusing, refusing) as script:
        store = scripted(script)
        with pytest.raises(CannotSearch):
            store.search(parse("lamp да", TODAY), ["INBOX"])
        store.close()


def test_multisearch_names_the_mailboxes_that_are_worth_opening() -> None:
    with signed_in(
        (
            b'ESEARCH IN (mailboxes ("INBOX" "Sent" "R&AOQ-ume")) RETURN (COUNT) SUBJECT "lamp"',
            b'* ESEARCH (TAG "p3" MAILBOX "R&AOQ-ume" UIDVALIDITY 5) UID COUNT 2\r\n{tag} OK\r\n',
        ),
        (b'STATUS "R&AOQ-ume" (MESSAGES)', b'* STATUS "R&AOQ-ume" (MESSAGES 8)\r\n{tag} OK\r\n'),
        (b'EXAMINE "R&AOQ-ume"', b"* 8 EXISTS\r\n* OK [UIDVALIDITY 5] x\r\n{tag} OK\r\n"),
        (b'UID SEARCH RETURN (ALL) SUBJECT "lamp"', b'* ESEARCH (TAG "p6") UID ALL 3,7\r\n{tag} OK\r\n'),
    ) as script:
        store = scripted(script, "MULTISEARCH", "ESEARCH")
        hits = store.search(parse("subject:lamp", TODAY), ["INBOX", "Sent", "Räume"])
        store.close()
    assert hits.refs == (MessageRef("Räume", 5, 7), MessageRef("Räume", 5, 3))


def test_answers_of_searches_that_ran_at_once_are_told_apart() -> None:
    both = b'* ESEARCH (TAG "p4") UID COUNT 4\r\n* ESEARCH (TAG "p5") UID COUNT 9\r\np5 OK\r\np4 OK\r\n'
    rows = [ROW % (n, n) for n in (1, 2)]
    with signed_in(
        SELECTED,
        (b"UID SEARCH RETURN (COUNT) UNSEEN", b"* OK wait\r\n"),
        (b"UID SEARCH RETURN (COUNT) SEEN", both),
        (
            b"UID SEARCH RETURN (PARTIAL 2:4) UNSEEN",
            b'* ESEARCH (TAG "p6") UID PARTIAL (2:4 1:3)\r\n{tag} OK\r\n',
        ),
        (b"UID FETCH", b"".join(rows) + b"{tag} OK\r\n"),
        (b"STATUS", b"{tag} NO\r\n"),
        (b"UID FETCH 3", b"{tag} OK\r\n"),
    ) as script:
        store = scripted(script, "ESEARCH", "CONTEXT=SEARCH")
        found = store.found("INBOX", ALL, Order.UNREAD, rows=2)
        store.close()
    assert (found.count, found.rank, found.beyond) == (13, 1, ListPosition(3, 1))


def test_utf8_accept_needs_no_charset() -> None:
    assert criteria.keys(parse("subject:Grüße", TODAY), utf8=True) == ('SUBJECT "Grüße"'.encode(),)
    assert criteria.keys(parse("subject:Grüße x", TODAY)) == (
        b"SUBJECT ",
        "Grüße".encode(),
        b' OR FROM "x" OR TO "x" OR CC "x" OR SUBJECT "x" BODY "x"',
    )


@pytest.mark.parametrize(
    ("typed", "offered", "said", "charset"),
    [
        ("Grüße", ("KOI8-R", "ISO-8859-1"), "Grüße", "ISO-8859-1"),
        ("да", ("nonsense", "KOI8-R"), "да", "KOI8-R"),
        ("Straßenbahn lamp", (), "enbahn lamp", "ascii"),
        ("да lamp -ß", (), "lamp", "ascii"),
    ],
)
def test_a_query_within_a_charset(typed: str, offered: tuple[str, ...], said: str, charset: str) -> None:
    assert criteria.in_charset(parse(typed, TODAY), offered) == (parse(said, TODAY), charset)


def test_letters_that_the_server_cannot_say_are_an_error() -> None:
    with pytest.raises(CannotSearch):
        criteria.in_charset(parse("да is:unread", TODAY), ())


@given(st.text().filter(lambda text: not set(text) & set("\0\r\n")), st.booleans())
def test_no_text_breaks_out_of_its_string(text: str, utf8: bool) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    spoken = criteria.keys(Query((Term("subject", text),)), utf8=utf8)
    if len(spoken) == 3:
        assert spoken == (b"SUBJECT ", text.encode(), b"")
    else:
        quoted = spoken[0].removeprefix(b"SUBJECT ")
        inner = quoted[1:-1].replace(b"\\\\", b"").replace(b'\\"', b"")
        assert quoted[:1] == quoted[-1:] == b'"'
        assert b'"' not in inner
        assert b"\\" not in inner
