"""The mail store on a real Dovecot: lists, messages, flags, mailboxes, and what another client does in between."""

from __future__ import annotations

import imaplib
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from gateway.config import Tls
from gateway.errors import MailboxGone, MessageGone, StoreError, StoreRefused, UnsafeArgument
from gateway.message.mime.wire_format import parse
from gateway.message.model import HEADER_FIELDS, Gap, Message
from gateway.store.base import ANSWERED, FLAGGED, SEEN, MailStore, MessageRef, Window
from gateway.store.imap import beginnings, imap_store
from gateway.store.imap.beginnings import FIRST_PIECE
from gateway.store.imap.connection.imap4 import Traffic
from gateway.store.imap.imap_store import ImapStore
from gateway.store.imap.reading import LARGEST_PIECE
from gateway.store.session_cache import SessionCache
from tests import rig
from tests.servers import maildir
from tests.servers.dovecot import Dovecot
from tests.store.script import CAPABILITY, GREETING, SELECTED, SIGNED_IN, Script

_names = count(1)
PLAIN = b"From: a@example.org\r\nSubject: plain\r\n\r\nplain text\r\n"
MIXED = (
    b"From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\r\n"
    b"To: me@example.net, you@example.net\r\n"
    b"Cc: them@example.net\r\n"
    b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
    b"Date: Mon, 4 Nov 2024 10:00:00 +0100\r\n"
    b"Message-ID: <one@example.org>\r\n"
    b"In-Reply-To: <zero@example.org>\r\n"
    b"References: <a@b> <zero@example.org>\r\n"
    b"List-Unsubscribe: <https://example.org/u>\r\n"
    b"MIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n'
    b"--x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    b"Sch=C3=B6n.\r\n"
    b'--x\r\nContent-Type: application/pdf; name="a.pdf"\r\nContent-Disposition: attachment\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n--x--\r\n"
)


@pytest.fixture
def user(dovecot: Dovecot) -> str:
    return dovecot.user(f"reader{next(_names)}")


Open = Callable[[], ImapStore]


@pytest.fixture
def open_store(dovecot: Dovecot, user: str) -> Iterator[Open]:
    stores: list[ImapStore] = []
    server = rig.imap(dovecot)

    def opened() -> ImapStore:
        stores.append(imap_store.connect(server, user, "secret"))
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
    yield client
    client.logout()


def spent(store: ImapStore, action: Callable[[], object]) -> Traffic:
    """Return what an action cost."""
    before = Traffic(*(getattr(store.traffic, name) for name in Traffic.__slots__))
    action()
    return Traffic(*(getattr(store.traffic, name) - getattr(before, name) for name in Traffic.__slots__))


def test_it_is_a_mail_store(store: ImapStore) -> None:
    seam: MailStore = store
    assert seam.can.sort


# --- lists


def test_an_empty_mailbox(store: ImapStore) -> None:
    for _ in range(2):
        listing = store.summaries("INBOX", Window(9))
        assert (listing.exists, listing.unseen, listing.top, listing.summaries) == (0, 0, 0, ())


@pytest.mark.parametrize(
    ("top", "first", "last"),
    [
        (None, 30, 22),
        (30, 30, 22),
        (21, 21, 13),
        (5, 5, 1),
        (1, 1, 1),
        (0, 1, 1),
        (-4, 1, 1),
        (10**6, 30, 22),
    ],
)
def test_a_window_is_clamped(
    dovecot: Dovecot, user: str, store: ImapStore, top: int | None, first: int, last: int
) -> None:
    maildir.fill(dovecot.maildir(user), 30)
    for _ in range(2):  # cold, then warm
        listing = store.summaries("INBOX", Window(9, top))
        assert (listing.exists, listing.unseen, listing.top) == (30, 3, first)
        assert [row.sequence for row in listing.summaries] == list(range(first, last - 1, -1))
        assert [row.ref.uid for row in listing.summaries] == list(range(first, last - 1, -1))


def test_a_row_says_what_a_list_shows(dovecot: Dovecot, user: str, store: ImapStore) -> None:
    dovecot.deliver(user, PLAIN, flags="S")
    dovecot.deliver(user, MIXED)
    mixed, plain = store.summaries("INBOX", Window(9)).summaries
    assert mixed.envelope.subject == "Grüße"
    assert mixed.envelope.from_[0].label == "Jürgen"
    assert [address.spec for address in mixed.envelope.to] == ["me@example.net", "you@example.net"]
    assert mixed.envelope.date == datetime(2024, 11, 4, 9, tzinfo=UTC)
    assert mixed.attached
    assert mixed.octets == len(MIXED)
    assert mixed.flags == frozenset()
    assert mixed.received is not None
    assert mixed.received.tzinfo is not None
    assert plain.flags == {SEEN}
    assert not plain.attached
    assert plain.envelope.date is None


@pytest.mark.parametrize(
    ("header", "subject"),
    [
        ("Subject: Grüße roh\r\n".encode(), "Grüße roh"),
        (b"Date: the day after never\r\nSubject: odd date\r\n", "odd date"),
        (b"Date: Mon, 99 Foo 2024 99:99:99 +9999\r\nSubject: odd date\r\n", "odd date"),
        (b"From: (((((\r\nTo: ;;;,,,\r\nSubject: addresses\r\n", "addresses"),
        (b"X: y\r\n", ""),
        (b'Subject: "NIL" {5} \\ ("\r\n', '"NIL" {5} \\ ("'),
    ],
)
def test_ugly_headers_are_rows_like_others(
    dovecot: Dovecot, user: str, store: ImapStore, header: bytes, subject: str
) -> None:
    dovecot.deliver(user, header + b"\r\nbody\r\n")
    (row,) = store.summaries("INBOX", Window(9)).summaries
    assert row.envelope.subject == subject
    assert store.structure(row.ref).envelope.subject == subject


def test_a_thousand_recipients_do_not_weigh_on_a_list(dovecot: Dovecot, user: str, store: ImapStore) -> None:
    crowd = b",\r\n ".join(b"Person %d <person%d@example.org>" % (n, n) for n in range(3000))
    dovecot.deliver(user, b"To: " + crowd + b"\r\nSubject: to all\r\nFrom: a@example.org\r\n\r\nhi\r\n")
    store.summaries("INBOX", Window(9))
    cost = spent(store, lambda: store.summaries("INBOX", Window(9)))
    assert cost.octets_in < 3000
    (row,) = store.summaries("INBOX", Window(9)).summaries
    assert (row.envelope.subject, row.envelope.from_[0].spec) == ("to all", "a@example.org")
    message = store.structure(row.ref)
    assert message.envelope.subject == "to all"
    assert [defect.names for defect in message.defects if isinstance(defect, Gap)] == ["To, Cc, Bcc"]


def test_lists_cost_the_same_whatever_the_mailbox_holds(dovecot: Dovecot) -> None:
    costs: dict[int, list[Traffic]] = {}
    server = rig.imap(dovecot, Tls.NONE)
    for size in (100, 20_000):
        user = dovecot.user(f"size{size}")
        maildir.fill(dovecot.maildir(user), size)
        with closing(imap_store.connect(server, user, "secret")) as store:
            windows = [Window(9), Window(9), Window(9, 91), Window(9, size // 2), Window(9, 9)]
            costs[size] = []
            for window in windows:
                costs[size].append(spent(store, lambda window=window: store.summaries("INBOX", window)))  # type: ignore[misc]
            newest = store.summaries("INBOX", Window(1)).summaries[0].ref
            costs[size].append(spent(store, lambda ref=newest: store.structure(ref)))  # type: ignore[misc]
        shutil.rmtree(dovecot.home(user))
    for small, big in zip(costs[100], costs[20_000], strict=True):
        assert (small.round_trips, small.commands) == (big.round_trips, big.commands)
        assert big.octets_in < small.octets_in * 1.15
    assert [cost.round_trips for cost in costs[20_000]] == [2, 1, 1, 1, 1, 1]


# --- what others do meanwhile


def test_new_mail_is_on_the_next_list(dovecot: Dovecot, user: str, store: ImapStore) -> None:
    maildir.fill(dovecot.maildir(user), 20)
    store.summaries("INBOX", Window(9))
    for n in range(12):  # more than a window
        dovecot.deliver(user, b"Subject: new %d\r\n\r\nx\r\n" % n)
    listing = store.summaries("INBOX", Window(9))
    assert (listing.exists, listing.unseen, listing.top) == (32, 14, 32)
    assert [row.envelope.subject for row in listing.summaries] == [f"new {n}" for n in range(11, 2, -1)]


@pytest.mark.parametrize("gone", [[1], [30], [22, 25, 30], list(range(1, 31)), list(range(20, 31)), [5, 28]])
@pytest.mark.parametrize("top", [None, 30, 10])
def test_expunged_by_another_client_between_two_lists(
    dovecot: Dovecot, user: str, store: ImapStore, aside: imaplib.IMAP4, gone: list[int], top: int | None
) -> None:
    maildir.fill(dovecot.maildir(user), 30)
    store.summaries("INBOX", Window(9, top))
    aside.select("INBOX")
    aside.uid("STORE", ",".join(map(str, gone)), "+FLAGS", "(\\Deleted)")
    aside.expunge()
    left = [uid for uid in range(1, 31) if uid not in gone]
    listing = store.summaries("INBOX", Window(9, top))
    assert listing.exists == len(left)
    first = len(left) if top is None else min(top, len(left))
    expected = list(reversed(left[max(0, first - 9) : first]))
    assert [row.ref.uid for row in listing.summaries] == expected
    assert [left[row.sequence - 1] for row in listing.summaries] == expected
    # Each row is the message that it claims to be: with its own subject, not a neighbour's.
    for row in listing.summaries:
        assert row.envelope.subject.startswith(f"Message number {row.ref.uid}:")


def test_flags_set_by_another_client_are_on_the_next_list(
    dovecot: Dovecot, user: str, store: ImapStore, aside: imaplib.IMAP4
) -> None:
    maildir.fill(dovecot.maildir(user), 10, seen=False)
    assert store.summaries("INBOX", Window(9)).unseen == 10
    aside.select("INBOX")
    aside.uid("STORE", "4,8", "+FLAGS", "(\\Seen \\Flagged)")
    listing = store.summaries("INBOX", Window(9))
    assert listing.unseen == 8
    assert {row.ref.uid for row in listing.summaries if row.flags == {SEEN, FLAGGED}} == {4, 8}


def test_an_expunged_message_is_gone(
    dovecot: Dovecot, user: str, store: ImapStore, aside: imaplib.IMAP4
) -> None:
    maildir.fill(dovecot.maildir(user), 5)
    refs = [row.ref for row in store.summaries("INBOX", Window(9)).summaries]
    aside.select("INBOX")
    aside.uid("STORE", "3", "+FLAGS", "(\\Deleted)")
    aside.expunge()
    ref = next(ref for ref in refs if ref.uid == 3)
    store.summaries("INBOX", Window(9))
    for action in (
        lambda: store.structure(ref),
        lambda: list(store.octets(ref, "1")),
        lambda: store.flag([ref], [SEEN]),
    ):
        with pytest.raises(MessageGone):
            action()
    store.flag([other for other in refs if other.uid == 4], [FLAGGED])
    with pytest.raises(MessageGone):
        store.flag(refs, [ANSWERED])  # the four others are flagged nevertheless
    assert all(ANSWERED in row.flags for row in store.summaries("INBOX", Window(9)).summaries)


def test_another_uidvalidity_touches_no_message(
    dovecot: Dovecot, user: str, store: ImapStore, open_store: Open, aside: imaplib.IMAP4
) -> None:
    aside.create("Box")
    dovecot.deliver(user, PLAIN, "Box")
    ref = store.summaries("Box", Window(9)).summaries[0].ref
    assert store.structure(ref).envelope.subject == "plain"
    store.summaries("INBOX", Window(9))
    aside.delete("Box")
    time.sleep(1.1)  # UIDVALIDITY counts seconds
    aside.create("Box")
    dovecot.deliver(user, MIXED, "Box")
    for fresh in (store, open_store()):
        for action in (
            lambda store=fresh: store.structure(ref),  # type: ignore[misc]
            lambda store=fresh: list(store.octets(ref, "1")),  # type: ignore[misc]
            lambda store=fresh: store.flag([ref], [FLAGGED]),  # type: ignore[misc]
        ):
            with pytest.raises(MailboxGone):
                action()
    (row,) = store.summaries("Box", Window(9)).summaries
    assert row.ref.uid == ref.uid
    assert row.flags == frozenset()


def test_a_mailbox_deleted_while_it_is_open(
    dovecot: Dovecot, user: str, store: ImapStore, open_store: Open, aside: imaplib.IMAP4
) -> None:
    aside.create("Box")
    dovecot.deliver(user, PLAIN, "Box")
    store.summaries("Box", Window(9))
    aside.delete("Box")
    # Dovecot may hang up: then the pool makes a new connection, and that one finds nothing.
    with pytest.raises(StoreError):
        store.summaries("Box", Window(9))
    with pytest.raises(MailboxGone):
        open_store().summaries("Box", Window(9))


def test_no_such_mailbox_leaves_the_connection_fit(dovecot: Dovecot, user: str, store: ImapStore) -> None:
    dovecot.deliver(user, PLAIN)
    ref = store.summaries("INBOX", Window(9)).summaries[0].ref
    for action in (
        lambda: store.summaries("Nowhere", Window(9)),
        lambda: store.structure(MessageRef("Nowhere", 1, 1)),
        lambda: store.append("Nowhere", PLAIN),
    ):
        with pytest.raises(MailboxGone):
            action()
    assert not store.broken
    assert store.structure(ref).envelope.subject == "plain"


# --- one message


def test_a_message_over_imap_has_the_header_of_the_message_itself(
    dovecot: Dovecot, user: str, store: ImapStore
) -> None:
    """What is read of a header is fetched, and nothing else may be requested."""
    fields = "".join(f"{name}: value of {name}\r\n" for name in HEADER_FIELDS)
    octets = f"From: a@example.org\r\n{fields}X-Other: not asked for\r\n\r\nwords\r\n".encode()
    dovecot.deliver(user, octets)
    message = store.structure(store.summaries("INBOX", Window(9)).summaries[0].ref)
    assert message.headers == parse(octets).message.headers
    assert {name: message.header(name) for name in HEADER_FIELDS} == {
        name: f"value of {name}" for name in HEADER_FIELDS
    }
    with pytest.raises(KeyError):
        message.header("x-other")


@pytest.mark.parametrize("more", ["", "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n"])
def test_a_header_that_ends_with_a_line_of_blanks(
    dovecot: Dovecot, user: str, open_store: Open, more: str
) -> None:
    """To the server it continues to the first empty line; the text is all of it, as in a file."""
    text = b"The first paragraph\r\nhas two lines.\r\n\r\n" + b"The second is long. " * 2000 + b"\r\n"
    octets = f"From: a@example.org\r\nSubject: early\r\n{more} \r\n".encode() + text
    dovecot.deliver(user, PLAIN)
    dovecot.deliver(user, octets)
    store = open_store()
    early, plain = [row.ref for row in store.summaries("INBOX", Window(9)).summaries]
    message = store.structure(early)
    assert message.envelope.subject == "early"
    assert (message.root.section, message.root.octets) == ("1", len(text))
    assert b"".join(store.octets(early, "1")) == text == b"".join(parse(octets).octets("1"))
    assert b"".join(store.octets(early, "1", 21)) == text[21:]
    assert b"".join(store.octets(early, "")) == octets
    assert b"".join(store.octets(plain, "1")) == b"plain text\r\n"


def test_a_folded_field_does_not_end_a_header(dovecot: Dovecot, user: str, open_store: Open) -> None:
    dovecot.deliver(
        user, b"From: a@example.org\r\nSubject: plain\r\n \r\n folded\r\nTo: b@example.org\r\n\r\ntext\r\n"
    )
    store = open_store()
    (row,) = store.summaries("INBOX", Window(9)).summaries
    message = store.structure(row.ref)
    assert message.root.octets == len(b"text\r\n")
    assert b"".join(store.octets(row.ref, "1")) == b"text\r\n"


def test_the_structure_of_a_message(dovecot: Dovecot, user: str, store: ImapStore) -> None:
    dovecot.deliver(user, MIXED, flags="F")
    ref = store.summaries("INBOX", Window(9)).summaries[0].ref
    message = store.structure(ref)
    assert message.envelope.subject == "Grüße"
    assert [address.spec for address in message.envelope.cc] == ["them@example.net"]
    assert message.envelope.in_reply_to == "<zero@example.org>"
    assert message.headers["references"] == "<a@b> <zero@example.org>"
    assert message.headers["list-unsubscribe"] == "<https://example.org/u>"
    assert [(part.section, part.media_type) for part in message.root.walk()] == [
        ("", "multipart/mixed"),
        ("1", "text/plain"),
        ("2", "application/pdf"),
    ]
    assert message.flags == {FLAGGED}
    assert message.octets == len(MIXED)
    assert message.defects == ()


def test_opening_costs_one_round_trip_even_when_cold(
    dovecot: Dovecot, user: str, store: ImapStore, open_store: Open
) -> None:
    dovecot.deliver(user, MIXED)
    ref = store.summaries("INBOX", Window(9)).summaries[0].ref
    for reader in (store, open_store()):
        assert spent(reader, lambda reader=reader: reader.structure(ref)).round_trips == 1  # type: ignore[misc]
    cold = open_store()
    assert spent(cold, lambda: list(cold.octets(ref, "1"))).round_trips == 1


def both_forms(html: int) -> bytes:
    """Write a newsletter with so many octets of HTML."""
    parts = b"".join(
        b"--b\r\nContent-Type: text/%b\r\n\r\n%b\r\n" % (kind, body)
        for kind, body in (
            (b"plain", b"See the page.\r\n"),
            (b"html", b"<p>What it says</p>\r\n" * (html // 21)),
        )
    )
    return b"Subject: news\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n" + parts + b"--b--\r\n"


@pytest.mark.parametrize(
    ("octets", "sections", "trips", "unlisted"),
    [
        (PLAIN, ["1"], 1, 2),
        (MIXED, ["1"], 1, 2),
        (b"Subject: long\r\n\r\n" + b"line of it\r\n" * 3000, ["1"], 3, 4),
        (both_forms(50_000), ["1", "2"], 1, 2),
        (both_forms(beginnings.MOST + 50), ["1", "2"], 5, 6),
    ],
)
def test_the_texts_of_a_message_come_with_its_structure_or_together_after_it(
    dovecot: Dovecot,
    user: str,
    store: ImapStore,
    open_store: Open,
    octets: bytes,
    sections: list[str],
    trips: int,
    unlisted: int,
) -> None:
    dovecot.deliver(user, octets)
    ref = store.summaries("INBOX", Window(9)).summaries[0].ref

    def read(reader: ImapStore) -> tuple[Message, list[bytes]]:
        return reader.structure(ref), [b"".join(reader.octets(ref, section)) for section in sections]

    fresh = open_store()
    begun = fresh.traffic.round_trips
    found = read(fresh)
    assert fresh.traffic.round_trips - begun == unlisted
    cost = spent(store, lambda: read(store))
    assert cost.round_trips == trips
    assert cost.octets_in < len(octets) + 2500
    store.cache.clear()
    assert read(store) == found
    assert read(store) == found  # and when it was opened before


def test_what_came_ahead_is_used_once_and_by_nobody_else(
    dovecot: Dovecot, user: str, store: ImapStore, aside: imaplib.IMAP4
) -> None:
    dovecot.deliver(user, PLAIN)
    ref = store.summaries("INBOX", Window(9)).summaries[0].ref
    with store.lent(lambda: store):
        store.structure(ref)
        first = spent(store, lambda: list(store.octets(ref, "1")))
        assert spent(store, lambda: list(store.octets(ref, "1", 2))).round_trips == 1
        assert (first.round_trips, spent(store, lambda: list(store.octets(ref, "1"))).round_trips) == (0, 1)
        store.cache.clear()
        store.structure(ref)
    assert spent(store, lambda: list(store.octets(ref, "1"))).round_trips == 1


def test_a_message_that_was_opened_before_is_asked_for_its_flags_only(
    dovecot: Dovecot, user: str, store: ImapStore, aside: imaplib.IMAP4
) -> None:
    dovecot.deliver(user, MIXED)
    dovecot.deliver(user, MIXED)
    ref, other = (row.ref for row in store.summaries("INBOX", Window(9)).summaries)
    first = store.structure(ref)
    cost = spent(store, lambda: store.structure(ref))
    assert cost.round_trips == 1
    assert cost.octets_in < 100
    aside.select("INBOX")
    aside.uid("STORE", str(ref.uid), "+FLAGS", r"(\Flagged)")
    assert store.structure(ref) == replace(first, flags=first.flags | {FLAGGED})
    assert spent(store, lambda: list(store.octets(ref, "1"))).round_trips == 1
    aside.uid("STORE", str(ref.uid), "+FLAGS", r"(\Deleted)")
    aside.expunge()
    with pytest.raises(MessageGone):
        store.structure(ref)
    assert store.structure(other).flags == frozenset()


def test_what_a_connection_keeps_is_bounded_and_goes_with_it(store: ImapStore) -> None:
    cache = SessionCache(100)
    for number in range(5):
        cache.put(number, str(number), 30)
        cache.get(0)
    assert [cache.get(number) for number in range(5)] == ["0", None, None, "3", "4"]
    cache.put(3, "large", 101)
    assert cache.get(3) is None
    cache.put(5, "as large as that", 100)
    assert [cache.get(number) for number in (0, 4, 5)] == [None, None, "as large as that"]
    store.cache.put("key", "value", 1)
    store.close()
    assert store.cache.get("key") is None


def test_octets_come_as_they_are_pulled(dovecot: Dovecot, user: str, store: ImapStore) -> None:
    body = b"".join(b"line %06d of a long text, eight bit \xe9\r\n" % n for n in range(5000))
    dovecot.deliver(user, b"Subject: long\r\n\r\n" + body)
    ref = store.summaries("INBOX", Window(9)).summaries[0].ref
    pieces = store.octets(ref, "1")
    cost = spent(store, lambda: next(pieces))
    assert cost.round_trips == 1
    assert cost.octets_in < FIRST_PIECE + 300  # and the structure, which was unknown
    store.summaries("Sent", Window(9))  # something else in between
    rest = list(pieces)
    assert max(map(len, rest)) == LARGEST_PIECE
    assert b"".join(store.octets(ref, "1")) == body
    assert b"".join(store.octets(ref, "TEXT", 100)) == body[100:]
    assert b"".join(store.octets(ref, "")) == b"Subject: long\r\n\r\n" + body
    assert b"".join(store.octets(ref, "HEADER")) == b"Subject: long\r\n\r\n"
    assert list(store.octets(ref, "1", len(body))) == []
    assert list(store.octets(ref, "1", len(body) + 5)) == []
    assert SEEN not in store.summaries("INBOX", Window(9)).summaries[0].flags


@pytest.mark.parametrize("size", [0, 1, FIRST_PIECE - 1, FIRST_PIECE, FIRST_PIECE + 1, FIRST_PIECE * 3])
def test_a_body_of_just_this_size(dovecot: Dovecot, user: str, store: ImapStore, size: int) -> None:
    dovecot.deliver(user, b"Subject: x\r\n\r\n" + b"x" * size)
    ref = store.summaries("INBOX", Window(9)).summaries[0].ref
    assert b"".join(store.octets(ref, "1")) == b"x" * size


def test_a_section_that_is_not_there(dovecot: Dovecot, user: str, store: ImapStore) -> None:
    dovecot.deliver(user, PLAIN)
    ref = store.summaries("INBOX", Window(9)).summaries[0].ref
    assert list(store.octets(ref, "7.3")) == []


# --- flags


def test_flags_are_what_others_see(
    dovecot: Dovecot, user: str, store: ImapStore, aside: imaplib.IMAP4
) -> None:
    maildir.fill(dovecot.maildir(user), 3, seen=False)
    refs = [row.ref for row in store.summaries("INBOX", Window(9)).summaries]
    store.flag(refs[:2], [SEEN, "$Forwarded"])
    store.flag(refs[:2], [SEEN])  # already there
    store.flag([], [SEEN])
    store.flag([refs[0]], [SEEN], present=False)
    aside.select("INBOX", readonly=True)
    _, answer = aside.uid("FETCH", "1:*", "(FLAGS)")
    flags = [sorted(imaplib.ParseFlags(line)) for line in answer if isinstance(line, bytes)]
    assert [[f for f in found if f != b"\\Recent"] for found in flags] == [
        [],
        [b"$Forwarded", b"\\Seen"],
        [b"$Forwarded"],
    ]


def test_thousands_of_flags_at_once(dovecot: Dovecot, user: str, store: ImapStore) -> None:
    maildir.fill(dovecot.maildir(user), 3000, seen=False)
    listing = store.summaries("INBOX", Window(1))
    refs = [MessageRef("INBOX", listing.uidvalidity, uid) for uid in range(1, 3001, 2)]
    store.flag(refs, [SEEN])
    assert store.summaries("INBOX", Window(1)).unseen == 1500


def test_flags_for_two_mailboxes_are_refused(store: ImapStore) -> None:
    with pytest.raises(UnsafeArgument):
        store.flag([MessageRef("INBOX", 1, 1), MessageRef("Sent", 1, 1)], [SEEN])


# --- mailboxes


@pytest.mark.parametrize(
    "name", ["Entwürfe", "日本語", "a & b", 'quo"te', "back\\slash", "{5}", "a*b%c", "Ünter/Örd"]
)
def test_mailboxes_of_any_name(store: ImapStore, aside: imaplib.IMAP4, name: str) -> None:
    store.create(name)
    store.create(name)
    ref = store.append(name, PLAIN)
    assert ref is not None
    assert name in {mailbox.name for mailbox in store.mailboxes()}
    assert store.structure(ref).envelope.subject == "plain"
    assert store.summaries(name, Window(9)).exists == 1
    _, subscribed = aside.lsub()
    assert len([line for line in subscribed if line]) > 4


def test_append_says_where(store: ImapStore, aside: imaplib.IMAP4) -> None:
    when = datetime(2024, 3, 1, 12, tzinfo=UTC) - timedelta(days=3)
    ref = store.append("Sent", MIXED, [SEEN, "$Forwarded"], when)
    assert ref is not None
    (row,) = store.summaries("Sent", Window(9)).summaries
    assert row.ref == ref
    assert row.flags == {SEEN, "$Forwarded"}
    assert row.received == when
    assert b"".join(store.octets(ref, "")) == MIXED


def test_append_to_the_open_mailbox_is_on_the_next_list(store: ImapStore) -> None:
    store.summaries("Sent", Window(9))
    for n in range(3):
        ref = store.append("Sent", PLAIN + b"." * 20_000)
        listing = store.summaries("Sent", Window(9))
        assert (listing.exists, listing.summaries[0].ref) == (n + 1, ref)


def test_special_use_goes_before_names(store: ImapStore) -> None:
    store.create("Gesendet")
    assert store.special("sent") == "Sent"
    assert store.special("archive") is None
    store.create("archivio")
    assert store.special("archive") == "archivio"
    assert store.special_or_new("archive") == "archivio"
    store.named = {"sent": "gesendet"}
    assert store.special("sent") == "Gesendet"
    assert store.roles()["sent"] == "Gesendet"


def test_a_mailbox_that_cannot_be_made(store: ImapStore) -> None:
    with pytest.raises(StoreRefused):
        store.create("a//b")
    assert not store.broken


# --- injection


@pytest.mark.parametrize("bad", ["\r\n", "\n", "\r", "\0"])
def test_no_argument_ends_its_command(dovecot: Dovecot, user: str, store: ImapStore, bad: str) -> None:
    dovecot.deliver(user, PLAIN)
    listing = store.summaries("INBOX", Window(9))
    ref = listing.summaries[0].ref
    evil = f"x{bad}p99 STORE 1 +FLAGS (\\Deleted){bad}"
    before = store.traffic.commands
    for action in (
        lambda: store.summaries(evil, Window(9)),
        lambda: store.structure(MessageRef(evil, ref.uidvalidity, ref.uid)),
        lambda: list(store.octets(MessageRef(evil, ref.uidvalidity, ref.uid), "1")),
        lambda: list(store.octets(ref, evil)),
        lambda: list(store.octets(ref, "1" + bad)),
        lambda: store.flag([ref], [evil]),
        lambda: store.flag([MessageRef(evil, ref.uidvalidity, ref.uid)], [SEEN]),
        lambda: store.append(evil, PLAIN),
        lambda: store.append("Sent", PLAIN, [evil]),
        lambda: store.create(evil),
    ):
        with pytest.raises(UnsafeArgument):
            action()
    assert store.traffic.commands == before
    assert store.summaries("INBOX", Window(9)) == listing


@pytest.mark.parametrize(
    "section", ["1]", "1.", "0", "1.0", "1 2", "TEXT.1", "1<0.5>", "../1", "HEADER.FIELDS (X)", "١"]
)
def test_sections_that_are_none(store: ImapStore, section: str) -> None:
    with pytest.raises(UnsafeArgument):
        store.octets(MessageRef("INBOX", 1, 1), section)


def test_a_message_with_nul_is_not_appended(store: ImapStore) -> None:
    with pytest.raises(UnsafeArgument):
        store.append("Sent", b"Subject: x\r\n\r\na\0b")


# --- servers that are no Dovecot


def test_a_server_that_cannot_tell_a_structure() -> None:
    """One unparsable row does not lose the list: it is requested again, plainly."""
    header = b"Subject: hello\r\n\r\n"
    row = b"* %d FETCH (UID %d RFC822.SIZE 9 FLAGS () BODYSTRUCTURE %b BODY[HEADER.FIELDS (SUBJECT)]<0> {%d}\r\n%b)\r\n"
    good = b'("text" "plain" NIL NIL NIL "7bit" 1 1)'
    first = row % (1, 11, good, len(header), header) + row % (2, 12, b"((((", len(header), header)
    plain = b"* 2 FETCH (UID 12 RFC822.SIZE 9 FLAGS () BODY[HEADER.FIELDS (SUBJECT)]<0> {%d}\r\n%b)\r\n" % (
        len(header),
        header,
    )
    steps = [
        CAPABILITY,
        SIGNED_IN,
        SELECTED,
        (b"FETCH 1:2", first + b"{tag} OK done\r\n"),
        (b"STATUS", b"* STATUS INBOX (UNSEEN 2)\r\n{tag} OK done\r\n"),
        (b"FETCH 2 ", b"{tag} NO cannot tell\r\n"),
        (b"FETCH 2 ", plain + b"{tag} OK done\r\n"),
    ]
    with Script(GREETING, steps) as script, closing(connected(script)) as store:
        listing = store.summaries("INBOX", Window(9))
    assert [(row.ref.uid, row.envelope.subject) for row in listing.summaries] == [
        (12, "hello"),
        (11, "hello"),
    ]
    assert not any(b"BODYSTRUCTURE" in line for line in script.lines[-2:])


def test_answers_in_another_order_than_asked() -> None:
    """RFC 9051 §5.5: STATUS may end before the FETCH that precedes it."""
    steps = [
        CAPABILITY,
        SIGNED_IN,
        SELECTED,
        (b"FETCH", b"* STATUS INBOX (UNSEEN 2)\r\np5 OK done\r\n"),
        (
            b"STATUS",
            b"* 1 FETCH (UID 11 RFC822.SIZE 9)\r\n* 2 FETCH (UID 12 RFC822.SIZE 9)\r\np4 OK done\r\n",
        ),
    ]
    with Script(GREETING, steps) as script, closing(connected(script)) as store:
        listing = store.summaries("INBOX", Window(9))
    assert listing.unseen == 2
    assert [row.ref.uid for row in listing.summaries] == [12, 11]


@pytest.mark.parametrize(
    "answer",
    [
        b"* 1 FETCH (UID 11 X {999999999}\r\n",
        b"* " + b"9" * 6000 + b" EXISTS\r\n",
        b"nonsense\r\n",
        b"{tag}x OK done\r\n",
        b"* 1 FETCH (UID 11 X {50}\r\nshort",
        b"* BYE out of order\r\n",
    ],
)
def test_what_breaks_a_conversation_breaks_the_connection(answer: bytes) -> None:
    steps = [CAPABILITY, SIGNED_IN, SELECTED, (b"FETCH", answer)]
    with Script(GREETING, steps, hang_up=True) as script, closing(connected(script)) as store:
        with pytest.raises(StoreError):
            store.summaries("INBOX", Window(9))
        assert store.broken
        with pytest.raises(StoreError):
            store.mailboxes()


def connected(script: Script) -> ImapStore:
    return imap_store.connect(rig.plain(script), "user", "secret")
