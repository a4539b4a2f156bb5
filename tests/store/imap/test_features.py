"""What a server announces but refuses: the plain way is taken, and the refusal is remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date

import pytest

from gateway.errors import (
    CannotSearchAtAll,
    MailboxClosed,
    MailboxGone,
    NotSupported,
    OverQuota,
    StoreError,
    StoreRefused,
    StoreUnreachable,
)
from gateway.message.query import Query, flag, parse
from gateway.store.abilities import Order
from gateway.store.base import MessageRef, Window
from gateway.store.imap import features, imap_store
from gateway.store.imap.features import DOUBTED_SECONDS, REFUSED_SECONDS, Feature, Refusals
from gateway.store.imap.imap_store import ImapStore
from gateway.store.imap.response import CommandResponse, Status
from tests import rig
from tests.servers.dovecot import Dovecot
from tests.servers.scripted.peer import Caller, Peer

TODAY = date(2026, 3, 31)
ALL, UNREAD = Query(), flag("unread")
REF = MessageRef("INBOX", 7, 12)
#: UIDs 11 to 15; 12 and 14 are unread.
UIDS, SEEN = range(11, 16), {11, 13, 15}


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> Iterator[None]:
    features.forget()
    yield
    features.forget()


class Server:
    """A small IMAP server with one mailbox; `refuses`: how each line that contains some octets is answered."""

    def __init__(self, capabilities: bytes, refuses: dict[bytes, bytes]) -> None:
        self.capabilities, self.refuses = capabilities, refuses
        self.lines: list[bytes] = []

    def serve(self, caller: Caller) -> None:
        caller.say(b"* OK [CAPABILITY IMAP4rev1 LITERAL+] hi")
        while line := caller.hear():
            if line.rstrip().endswith(b"+}"):
                line = line.rstrip()[:-2] + caller.hear()
            tag, _, command = line.partition(b" ")
            self.lines.append(command)
            caller.say(*self._answer(tag, command))

    def _answer(self, tag: bytes, command: bytes) -> list[bytes]:
        for part, answer in self.refuses.items():
            if part in command:
                return [tag + b" " + answer]
        word = b" ".join(command.split()[:2]).upper()
        done = tag + b" OK done"
        if command.startswith((b"LOGIN", b"AUTH")):
            return [tag + b" OK [CAPABILITY IMAP4rev1 LITERAL+ " + self.capabilities + b"] in"]
        if command.startswith((b"SELECT", b"EXAMINE")):
            return [b"* 5 EXISTS", b"* OK [UIDVALIDITY 7] x", done]
        if command.startswith(b"STATUS"):
            return [b"* STATUS INBOX (UNSEEN 2 MESSAGES 5)", done]
        if b"SEARCH" in word or b"SORT" in word:
            return [*self._found(word, command), done]
        if b"FETCH" in command:
            return [*map(self._row, _asked(command)), done]
        return [done]

    def _found(self, word: bytes, command: bytes) -> list[bytes]:
        uids = [uid for uid in UIDS if not (b"UNSEEN" in command and uid in SEEN)]
        if b"RETURN" in command:
            return [b"* ESEARCH UID ALL " + b",".join(b"%d" % uid for uid in uids)]
        return [b"* " + word.split()[-1] + b" " + b" ".join(b"%d" % uid for uid in uids)]

    @staticmethod
    def _row(uid: int) -> bytes:
        flags = b"\\Seen" if uid in SEEN else b""
        return b'* %d FETCH (UID %d FLAGS (%s) RFC822.SIZE 9 BODY[HEADER.FIELDS (DATE FROM SUBJECT)]<0> "")' % (
            uid - 10, uid, flags,
        )  # fmt: skip


def _asked(command: bytes) -> list[int]:
    """Read which messages are to be fetched."""
    words = command.split()
    offset = 0 if words[0] == b"UID" else UIDS[0] - 1
    found: set[int] = set()
    for run in words[1 + (offset == 0)].split(b","):
        low, _, high = run.partition(b":")
        found |= {uid for uid in UIDS if int(low) <= uid - offset <= int(high or low)}
    return sorted(found)


Opened = tuple[Server, Callable[..., ImapStore]]


@contextmanager
def opened(capabilities: bytes, **refuses: bytes) -> Iterator[Opened]:
    """Start a server that refuses commands with these words: the keywords have _ for a space."""
    server = Server(capabilities, {name.replace("_", " ").encode(): how for name, how in refuses.items()})
    peer = Peer(server.serve)
    with peer:
        yield server, lambda user="user": imap_store.connect(rig.plain(peer), user, "secret")


def uids(store: ImapStore, query: Query, order: Order) -> tuple[Order, bool, list[int]]:
    found = store.found("INBOX", query, order)
    return found.order, found.filtered, [line.summary.ref.uid for line in found.lines]


EVERYTHING = b"SORT ESORT CONTEXT=SEARCH ESEARCH THREAD=REFS MOVE UIDPLUS"
NEWEST_FIRST = [15, 14, 13, 12, 11]


@pytest.mark.parametrize("how", [b"BAD what?", b"NO not supported", b"NO [CANNOT] no"])
@pytest.mark.parametrize("order", [Order.SUBJECT, Order.THREADS])
def test_a_list_that_cannot_be_sorted_stands_by_arrival(order: Order, how: bytes) -> None:
    refuses = {"UID_SORT": how, "UID_THREAD": how, "PARTIAL": how, "COUNT": how}
    with opened(EVERYTHING, **refuses) as (server, connect), closing(connect()) as store:
        assert order in store.can.orders
        assert uids(store, ALL, order) == (Order.ARRIVAL, True, NEWEST_FIRST)
        assert order not in store.can.orders
        before = len(server.lines)
        assert uids(store, UNREAD, order) == (Order.ARRIVAL, True, [14, 12])
        assert not [line for line in server.lines[before:] if b"SORT" in line or b"THREAD" in line]


@pytest.mark.parametrize("how", [b"NO [SERVERBUG] oh", b"NO [UNAVAILABLE] later", b"NO [INUSE] locked"])
def test_a_failure_that_is_not_of_the_feature_is_no_refusal(how: bytes) -> None:
    with opened(EVERYTHING, UID_SORT=how) as (_server, connect), closing(connect()) as store:
        with pytest.raises(StoreError):
            store.found("INBOX", ALL, Order.SUBJECT)
        assert Order.SUBJECT in store.can.orders


def test_a_refusal_is_remembered_for_other_connections() -> None:
    with opened(b"SORT ESEARCH", UID_SORT=b"BAD what?") as (server, connect):
        with closing(connect()) as store:
            uids(store, ALL, Order.SUBJECT)
        assert sum(b"SORT" in line for line in server.lines) == 1
        with closing(connect("somebody else")) as store:
            assert not store.can.sort
            assert uids(store, ALL, Order.SUBJECT) == (Order.ARRIVAL, True, NEWEST_FIRST)
        assert sum(b"SORT" in line for line in server.lines) == 1


def test_a_no_is_remembered_for_one_person_only_and_all_for_a_while() -> None:
    now = 100.0
    mine = Refusals("server", "me", lambda: now)
    mine.add(Feature.SORT)
    mine.add(Feature.MOVE, for_anyone=True)
    again, other = Refusals("server", "me", lambda: now), Refusals("server", "you", lambda: now)
    assert Feature.SORT in again
    assert Feature.MOVE in again
    assert Feature.SORT not in other
    assert Feature.MOVE in other
    assert Feature.MOVE not in Refusals("another server", "me", lambda: now)
    now += REFUSED_SECONDS + 1
    assert Feature.MOVE not in other
    assert Feature.MOVE in mine  # as long as the connection lives


def test_where_the_connection_breaks_twice_is_avoided_for_a_while() -> None:
    now = 100.0
    mine = Refusals("server", "me", lambda: now)
    mine.doubt(Feature.SORT)
    assert Feature.SORT not in Refusals("server", "me", lambda: now)
    mine.doubt(Feature.SORT)
    mine.doubt(Feature.MOVE)
    mine.doubt(Feature.MOVE)
    assert Feature.SORT in Refusals("server", "me", lambda: now)
    assert Feature.SORT not in Refusals("server", "you", lambda: now)
    assert Feature.MOVE not in mine
    now += DOUBTED_SECONDS + 1
    assert Feature.SORT not in Refusals("server", "me", lambda: now)


def test_the_memory_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "MOST_REMEMBERED", 3)
    for number in range(9):
        Refusals("server", f"p{number}").add(Feature.SORT)
    assert [Feature.SORT in Refusals("server", f"p{number}") for number in (0, 5, 6, 8)] == [
        False,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize("how", [b"BAD what?", b"NO cannot"])
def test_a_filter_on_a_server_that_does_not_search_shows_everything(how: bytes) -> None:
    with opened(EVERYTHING, SEARCH=how) as (_server, connect), closing(connect()) as store:
        assert uids(store, UNREAD, Order.ARRIVAL) == (Order.ARRIVAL, False, NEWEST_FIRST)
        assert uids(store, ALL, Order.UNREAD) == (Order.ARRIVAL, True, NEWEST_FIRST)
        assert not store.can.search
        page = store.found("INBOX", UNREAD, Order.ARRIVAL, rows=2)
        assert [line.summary.ref.uid for line in page.lines] == [15, 14]
        assert page.beyond is not None
        below = store.found("INBOX", UNREAD, Order.ARRIVAL, page.beyond, rows=2)
        assert [line.summary.ref.uid for line in below.lines] == [13, 12]
        # Its neighbours are found by fetching their flags.
        assert store.neighbour(REF, older=True) == MessageRef("INBOX", 7, 11)
        assert store.neighbour(REF, older=False) == MessageRef("INBOX", 7, 13)
        assert store.neighbour(REF, older=False, unread=True) == MessageRef("INBOX", 7, 14)
        assert store.neighbour(MessageRef("INBOX", 7, 11), older=True) is None


def test_extended_search_that_is_refused_is_plain_search() -> None:
    with opened(EVERYTHING, RETURN=b"BAD what?") as (_server, connect), closing(connect()) as store:
        assert uids(store, UNREAD, Order.ARRIVAL) == (Order.ARRIVAL, True, [14, 12])
        assert [ref.uid for ref in store.search(parse("from:ann", TODAY), ["INBOX"]).refs] == NEWEST_FIRST
        assert store.neighbour(REF, older=True) == MessageRef("INBOX", 7, 11)
        assert store.can.search


@pytest.mark.parametrize("how", [b"BAD charset", b"NO I cannot", b"NO [BADCHARSET] no"])
def test_a_charset_that_is_refused_without_a_word_of_it(how: bytes) -> None:
    with opened(EVERYTHING, CHARSET=how) as (_server, connect), closing(connect()) as store:
        found = store.search(parse("from:Müller", TODAY), ["INBOX"])
        assert [ref.uid for ref in found.refs] == NEWEST_FIRST
        assert found.unsure
        assert store.can.search


def test_a_server_that_never_searches_is_told_from_one_that_does_not_like_the_words() -> None:
    with opened(EVERYTHING, SEARCH=b"BAD never") as (_server, connect), closing(connect()) as store:
        with pytest.raises(CannotSearchAtAll):
            store.search(parse("from:ann", TODAY), ["INBOX"])
        assert not store.can.search
    with opened(EVERYTHING, FROM=b"BAD words") as (_server, connect), closing(connect()) as store:
        with pytest.raises(NotSupported):
            store.search(parse("from:ann", TODAY), ["INBOX"])
        assert store.can.search


def test_a_move_that_is_refused_is_a_copy_and_a_deletion() -> None:
    with opened(EVERYTHING, UID_MOVE=b"BAD what?") as (server, connect), closing(connect()) as store:
        assert store.move([REF], "Trash") == (None,)
        assert [line.split()[1] for line in server.lines if line.startswith(b"UID") and b"FETCH" not in line] == [
            b"MOVE", b"MOVE", b"COPY", b"STORE", b"EXPUNGE",
        ]  # fmt: skip
        # The second time it was alone: the reason might have been several commands in one write.
        assert not store.can.move_at_once
        store.move([REF], "Trash")
        assert sum(b"UID MOVE" in line for line in server.lines) == 2


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (b"NO [OVERQUOTA] full", OverQuota),
        (b"NO not to there", StoreRefused),
        (b"NO [SERVERBUG] oh", StoreRefused),
    ],
)
def test_a_move_that_fails_for_its_target_is_no_refusal_of_move(
    how: bytes, expected: type[StoreError]
) -> None:
    with opened(EVERYTHING, Trash=how) as (server, connect), closing(connect()) as store:
        with pytest.raises(expected):
            store.move([REF], "Trash")
        assert store.can.move_at_once
        assert not any(b"EXPUNGE" in line for line in server.lines)


def test_expunging_alone_that_is_refused_leaves_the_original_marked() -> None:
    with opened(b"UIDPLUS", UID_EXPUNGE=b"BAD what?") as (_server, connect), closing(connect()) as store:
        store.delete([REF])
        assert not store.can.expunge
        assert store.can.leaves_originals


def test_commands_one_by_one_where_several_at_once_are_too_many() -> None:
    class OneLine(Server):
        """Understands only the first line of what arrives together."""

        def serve(self, caller: Caller) -> None:
            caller.say(b"* OK [CAPABILITY IMAP4rev1] hi")
            while octets := caller.sock.recv(65536):
                first, *more = octets.splitlines()
                tag, _, command = first.partition(b" ")
                self.lines.append(command)
                answers = self._answer(tag, command)
                answers += [line.split()[0] + b" BAD one at a time" for line in more]
                caller.say(*answers)

    server = OneLine(b"", {})
    with Peer(server.serve) as peer, closing(imap_store.connect(rig.plain(peer), "user", "secret")) as store:
        assert [row.ref.uid for row in store.summaries("INBOX", Window(9)).summaries] == NEWEST_FIRST
        before = len(server.lines)
        assert [row.ref.uid for row in store.summaries("INBOX", Window(9)).summaries] == NEWEST_FIRST
        assert len(server.lines) - before == 3  # each command once


def test_a_mailbox_that_may_not_be_opened_is_told_from_one_that_is_gone() -> None:
    class Listing(Server):
        def _answer(self, tag: bytes, command: bytes) -> list[bytes]:
            if command.startswith(b'LIST "" "There"'):
                return [b'* LIST () "/" There', tag + b" OK"]
            return super()._answer(tag, command)

    server = Listing(b"", {b"SELECT": b"NO Permission denied"})
    with Peer(server.serve) as peer, closing(imap_store.connect(rig.plain(peer), "user", "secret")) as store:
        for name, expected in (("There", MailboxClosed), ("Nowhere", MailboxGone)):
            with pytest.raises(StoreError) as caught:
                store.summaries(name, Window(9))
            assert type(caught.value) is expected
        server.refuses = {b"SELECT": b"NO [NOPERM] Permission denied"}
        with pytest.raises(MailboxClosed):
            store.summaries("There", Window(9))


@pytest.mark.parametrize(
    ("kind", "code", "expected"),
    [
        ("BAD", "", NotSupported), ("NO", "", NotSupported), ("NO", "CANNOT", NotSupported),
        ("NO", "OVERQUOTA", OverQuota), ("NO", "UNAVAILABLE", StoreUnreachable), ("NO", "LIMIT", StoreRefused),
    ],
)  # fmt: skip
def test_what_is_a_refusal_of_a_command(kind: str, code: str, expected: type[StoreError]) -> None:
    error = features.refused(CommandResponse(Status(kind, code)))
    assert type(error) is expected
    assert getattr(error, "for_anyone", False) is (kind == "BAD")


@pytest.mark.parametrize(("name", "item"), [(b"X-GM-EXT-1", b"X-GM-MSGID"), (b"OBJECTID", b"EMAILID")])
def test_a_message_under_several_labels_is_one_hit(name: bytes, item: bytes) -> None:
    class Labels(Server):
        def _answer(self, tag: bytes, command: bytes) -> list[bytes]:
            if command.startswith((b"EXAMINE", b"SELECT")):
                self.named = command.split()[1]
            if b"INTERNALDATE" not in command:
                return super()._answer(tag, command)
            assert command.endswith(b"(UID FLAGS INTERNALDATE " + item + b")")
            # UID 11 of either mailbox is the same message.
            first = 0 if self.named == b'"INBOX"' else 900
            rows = [(uid, uid - 10 if uid == UIDS[0] else first + uid) for uid in _asked(command)]
            known = b'* %d FETCH (UID %d INTERNALDATE "11-Mar-2026 10:00:%02d +0000" %b %b)'
            as_id = (lambda n: b"%d" % n) if item == b"X-GM-MSGID" else (lambda n: b"(M%d)" % n)
            return [*(known % (uid - 10, uid, uid, item, as_id(n)) for uid, n in rows), tag + b" OK"]

    server = Labels(b"ESEARCH " + name, {})
    with Peer(server.serve) as peer, closing(imap_store.connect(rig.plain(peer), "user", "secret")) as store:
        found = store.search(parse("from:ann", TODAY), ["INBOX", "Label"])
    assert [(ref.mailbox, ref.uid) for ref in found.refs if ref.uid == UIDS[0]] == [("INBOX", UIDS[0])]
    assert len(found.refs) == found.count == 9


def test_copies_of_a_message_are_one_hit_and_what_only_looks_alike_is_not(dovecot: Dovecot) -> None:
    user = dovecot.user("twice@example.net")
    mail = b"From: ann@example.org\r\nMessage-ID: <%s@x>\r\nSubject: %s\r\n\r\ntext\r\n"
    dovecot.deliver(user, mail % (b"1", b"same"))
    dovecot.deliver(user, mail % (b"1", b"same"), "Trash")
    dovecot.deliver(user, mail % (b"1", b"longer than the other"), "Sent")
    dovecot.deliver(user, b"From: ann@example.org\r\nSubject: none\r\n\r\ntext\r\n", "Sent")
    dovecot.deliver(user, b"From: ann@example.org\r\nSubject: none\r\n\r\ntext\r\n", "Junk")
    with closing(imap_store.connect(rig.imap(dovecot), user, "secret")) as store:
        found = store.search(parse("from:ann", TODAY), ["INBOX", "Trash", "Sent", "Junk"])
    assert sorted(ref.mailbox for ref in found.refs) == ["INBOX", "Junk", "Sent", "Sent"]
    assert found.count == 4


def test_a_list_of_folders_that_cannot_say_more_is_plain_and_stays_so() -> None:
    with opened(b"LIST-EXTENDED LIST-STATUS SPECIAL-USE", RETURN=b"BAD what?") as (server, connect):
        for _person in range(2):
            with closing(connect()) as store:
                store.folders()
        assert sum(b"RETURN" in line for line in server.lines) == 1
        assert sum(line.startswith(b"LSUB") for line in server.lines) == 2


MAIL = b"From: ann@example.org\r\nMessage-ID: <%d@x>\r\nSubject: n%d\r\n\r\ntext\r\n"


@pytest.fixture(scope="module")
def bare() -> Iterator[Dovecot]:
    """A real server with nothing but IMAP4rev1."""
    server = Dovecot(more="protocol imap {{\n  imap_capability = IMAP4rev1 LITERAL+\n}}\n")
    server.start()
    yield server
    server.close()


def test_a_bare_server_can_do_all_that_it_can(bare: Dovecot) -> None:
    user = bare.user("bare@example.net")
    for number in range(1, 13):
        bare.deliver(user, MAIL % (number, number))
    with closing(imap_store.connect(rig.imap(bare), user, "secret")) as store:
        assert store.can.orders == {Order.ARRIVAL, Order.UNREAD}
        can = store.can
        assert (can.search, can.sort, can.thread, can.expunge, can.move_at_once) == (
            True,
            False,
            False,
            False,
            False,
        )
        assert store.can.leaves_originals
        order, filtered, found = uids(store, UNREAD, Order.SUBJECT)
        assert (order, filtered, found) == (Order.ARRIVAL, True, list(range(12, 3, -1)))
        ref = store.summaries("INBOX", Window(9)).summaries[0].ref
        assert store.neighbour(ref, older=True) == MessageRef("INBOX", ref.uidvalidity, 11)
        (there,) = store.move([ref], "Trash")
        assert there is not None
        assert "\\Deleted" in store.flags([ref])[ref]
        assert [
            hit.mailbox for hit in store.search(parse("subject:n12", TODAY), ["INBOX", "Trash"]).refs
        ] == ["Trash"]
        assert {folder.role for folder in store.folders(all=True)} >= {
            "inbox",
            "sent",
            "drafts",
            "trash",
            "junk",
        }
