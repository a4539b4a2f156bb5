"""Moving, copying and deleting: on Dovecot with capabilities hidden, and with servers that are rude about it.

A message that another program has flagged \\Deleted is in the mailbox throughout, and is never expunged.
"""

from __future__ import annotations

import imaplib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import (
    MailboxGone,
    MessageGone,
    NotRemoved,
    PartlyDone,
    StoreError,
    StoreRefused,
    StoreUnreachable,
    TargetGone,
    UnsafeArgument,
)
from gateway.store.base import FLAGGED, SEEN, MessageRef, Window
from gateway.store.imap import imap_store, moving, neighbours
from gateway.store.imap.imap_store import ImapStore
from gateway.store.imap.moving import AT_A_TIME, copied
from tests import rig
from tests.servers import maildir
from tests.servers.dovecot import Dovecot
from tests.store.script import CAPABILITY, GREETING, SELECTED, Script

_names = count(1)
#: Capabilities for MOVE and its helpers, as servers have them: all, without MOVE, without either.
KINDS: Mapping[str, frozenset[str]] = {
    "everything": frozenset(),
    "no MOVE": frozenset({"MOVE"}),
    "no UIDPLUS": frozenset({"UIDPLUS"}),
    "neither": frozenset({"MOVE", "UIDPLUS"}),
}


@pytest.fixture
def user(dovecot: Dovecot) -> str:
    name = dovecot.user(f"mover{next(_names)}")
    maildir.fill(dovecot.maildir(name), 12, seen=False)
    return name


@pytest.fixture
def aside(dovecot: Dovecot, user: str) -> Iterator[imaplib.IMAP4]:
    """Another mail program; it has flagged message 2 \\Deleted and may change its mind."""
    client = imaplib.IMAP4(dovecot.host, dovecot.ports["imap"])
    client.login(user, "secret")
    client.select("INBOX")
    client.store("2", "+FLAGS", "\\Deleted")
    yield client
    client.logout()


@pytest.fixture(params=KINDS)
def hidden(request: pytest.FixtureRequest) -> frozenset[str]:
    return KINDS[request.param]


@pytest.fixture
def open_store(dovecot: Dovecot, user: str) -> Iterator[Callable[..., ImapStore]]:
    stores: list[ImapStore] = []
    server = rig.imap(dovecot)

    def opened(hidden: frozenset[str] = frozenset()) -> ImapStore:
        stores.append(imap_store.connect(server, user, "secret"))
        assert {"MOVE", "UIDPLUS", "ESEARCH"} <= stores[-1].capabilities
        stores[-1]._capabilities -= hidden
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


def refs(store: ImapStore, mailbox: str = "INBOX") -> dict[int, MessageRef]:
    listing = store.summaries(mailbox, Window(100))
    return {row.ref.uid: row.ref for row in listing.summaries}


def seen_aside(aside: imaplib.IMAP4, mailbox: str = "INBOX") -> dict[str, str]:
    """Subject number -> flags, as the other program sees it."""
    found: dict[str, str] = {}
    if aside.select(mailbox)[1] == [b"0"]:
        return found
    for item in aside.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]:
        if isinstance(item, tuple):
            number = item[1].split(b"number ")[1].split(b":")[0].decode()
            assert number not in found, "twice"
            found[number] = item[0].split(b"FLAGS (")[1].split(b")")[0].decode()
    return found


def test_moving_says_where_and_expunges_nothing_else(
    open_store: Callable[..., ImapStore], aside: imaplib.IMAP4, hidden: frozenset[str]
) -> None:
    store = open_store(hidden)
    inbox = refs(store)
    store.flag([inbox[7]], [SEEN])
    moved = store.move([inbox[7], inbox[5]], "Trash")
    there, left = seen_aside(aside, "Trash"), seen_aside(aside)
    assert set(there) == {"5", "7"}
    assert "\\Seen" in there["7"]
    assert "\\Seen" not in there["5"]
    assert "\\Deleted" in left["2"], "what another program has flagged is its own affair"
    if {"MOVE", "UIDPLUS"} <= hidden:
        assert store.can.leaves_originals
        assert "\\Deleted" in left["5"]
        assert "\\Deleted" in left["7"]
        assert len(left) == 12
    else:
        assert not store.can.leaves_originals
        assert set(left) == {str(n) for n in range(1, 13)} - {"5", "7"}
    # Where each is now: from COPYUID, or from the numbers that the mailbox has assigned.
    for ref, number in zip(moved, ("7", "5"), strict=True):
        assert ref is not None
        assert ref.mailbox == "Trash"
        assert f"number {number}:" in store.structure(ref).envelope.subject
    back = store.move([ref for ref in moved if ref], "INBOX")
    assert [ref.mailbox for ref in back if ref] == ["INBOX", "INBOX"]
    if not store.can.leaves_originals:
        assert seen_aside(aside, "Trash") == {}
        assert len(seen_aside(aside)) == 12


def test_copying_leaves_everything(
    open_store: Callable[..., ImapStore], aside: imaplib.IMAP4, hidden: frozenset[str]
) -> None:
    store = open_store(hidden)
    inbox = refs(store)
    (copy,) = store.copy([inbox[4]], "Drafts")
    assert copy is not None
    assert store.structure(copy).envelope.subject.startswith("Message number 4")
    assert set(seen_aside(aside, "Drafts")) == {"4"}
    assert len(seen_aside(aside)) == 12


def test_deleting_takes_what_was_meant_and_nothing_else(
    open_store: Callable[..., ImapStore], aside: imaplib.IMAP4, hidden: frozenset[str]
) -> None:
    store = open_store(hidden)
    inbox = refs(store)
    store.delete([inbox[3], inbox[12]])
    left = seen_aside(aside)
    assert "\\Deleted" in left["2"]
    if "UIDPLUS" in hidden:
        assert len(left) == 12
        assert all("\\Deleted" in left[number] for number in ("3", "12"))
    else:
        assert set(left) == {str(n) for n in range(1, 13)} - {"3", "12"}
    assert sum("\\Deleted" in flags for flags in left.values()) == (3 if "UIDPLUS" in hidden else 1)


def test_what_others_expunged_meanwhile_is_told(
    open_store: Callable[..., ImapStore], aside: imaplib.IMAP4, hidden: frozenset[str]
) -> None:
    store = open_store(hidden)
    inbox = refs(store)
    aside.uid("STORE", "5,6", "+FLAGS", "\\Deleted")
    aside.uid("EXPUNGE", "5,6")
    with pytest.raises(PartlyDone) as caught:
        store.move([inbox[5], inbox[8]], "Trash")
    assert set(caught.value.done) == {inbox[8]}
    assert isinstance(caught.value.why, MessageGone)
    assert set(seen_aside(aside, "Trash")) == {"8"}
    for act in (lambda: store.move([inbox[6]], "Trash"), lambda: store.copy([inbox[6]], "Trash")):
        with pytest.raises(MessageGone):
            act()
    with pytest.raises(MessageGone):
        store.delete([inbox[6]])
    with pytest.raises(PartlyDone):
        store.delete([inbox[6], inbox[9]])
    assert "\\Deleted" in seen_aside(aside)["2"]
    assert set(seen_aside(aside, "Trash")) == {"8"}


def test_a_mailbox_that_is_not_there_takes_nothing(
    open_store: Callable[..., ImapStore], aside: imaplib.IMAP4, hidden: frozenset[str]
) -> None:
    store = open_store(hidden)
    inbox = refs(store)
    for act in (store.move, store.copy):
        with pytest.raises(TargetGone):
            act([inbox[5]], "Nowhere")
    assert len(seen_aside(aside)) == 12
    assert "\\Deleted" not in seen_aside(aside)["5"]


def test_another_uidvalidity_moves_nothing(
    open_store: Callable[..., ImapStore], aside: imaplib.IMAP4, hidden: frozenset[str]
) -> None:
    store = open_store(hidden)
    ref = refs(store)[5]
    wrong = MessageRef(ref.mailbox, ref.uidvalidity + 1, ref.uid)
    for act in (lambda: store.move([wrong], "Trash"), lambda: store.copy([wrong], "Trash")):
        with pytest.raises(MailboxGone) as caught:
            act()
        assert not isinstance(caught.value, TargetGone)
    with pytest.raises(MailboxGone):
        store.delete([wrong])
    with pytest.raises(MailboxGone):
        store.neighbour(wrong, older=True)
    left = seen_aside(aside)
    assert len(left) == 12
    assert "\\Deleted" not in left["5"]


def test_many_messages_are_moved_in_pieces_and_in_order(
    open_store: Callable[..., ImapStore],
    aside: imaplib.IMAP4,
    hidden: frozenset[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(moving, "AT_A_TIME", 3)
    store = open_store(hidden)
    inbox = refs(store)
    moved = store.move([inbox[uid] for uid in (9, 3, 12, 5, 7, 1, 4)], "Trash")
    assert [ref and store.structure(ref).envelope.subject.split(":")[0].split()[-1] for ref in moved] == [
        "9", "3", "12", "5", "7", "1", "4",
    ]  # fmt: skip
    assert set(seen_aside(aside, "Trash")) == {"9", "3", "12", "5", "7", "1", "4"}
    assert "\\Deleted" in seen_aside(aside)["2"]


def test_nothing_to_do_costs_nothing(open_store: Callable[..., ImapStore]) -> None:
    store = open_store()
    trips = store.traffic.round_trips
    assert store.move([], "Trash") == store.copy([], "Trash") == ()
    store.delete([])
    assert store.traffic.round_trips == trips


def test_arguments_are_refused(open_store: Callable[..., ImapStore]) -> None:
    store = open_store()
    ref = refs(store)[1]
    for name in ("Trash\r\np9 EXPUNGE", "a\0b", "a\nb"):
        with pytest.raises(UnsafeArgument):
            store.move([ref], name)
    with pytest.raises(UnsafeArgument):
        store.move([ref, MessageRef("Drafts", 1, 1)], "Trash")
    assert not store.broken


def test_each_operation_costs_two_round_trips(open_store: Callable[..., ImapStore]) -> None:
    store = open_store()
    inbox = refs(store)
    for act in (
        lambda: store.move([inbox[3]], "Trash"),
        lambda: store.copy([inbox[4]], "Trash"),
        lambda: store.delete([inbox[4]]),
        lambda: store.neighbour(inbox[5], older=True),
    ):
        before = store.traffic.round_trips
        act()
        assert store.traffic.round_trips - before == 2


# --- neighbours


@pytest.fixture(params=[frozenset(), frozenset({"ESEARCH"})], ids=["ESEARCH", "plain SEARCH"])
def searching(request: pytest.FixtureRequest, open_store: Callable[..., ImapStore]) -> ImapStore:
    return open_store(request.param)


@pytest.mark.parametrize("near", [1, 2, 256])
def test_the_next_message_is_the_neighbour_in_the_order(
    searching: ImapStore, aside: imaplib.IMAP4, near: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "NEAR", near)
    inbox = refs(searching)
    for older, order in ((True, [*range(12, 0, -1)]), (False, [*range(1, 13)])):
        for at, after in zip(order, [*order[1:], 0], strict=True):
            after = {True: 1, False: 3}[older] if after == 2 else after  # 2 is flagged \Deleted
            found = searching.neighbour(inbox[at], older=older)
            assert (found.uid if found else 0) == after, (at, older)
    searching.flag([ref for uid, ref in inbox.items() if uid not in (4, 9)], [SEEN])
    assert searching.neighbour(inbox[12], older=True, unread=True) == inbox[9]
    assert searching.neighbour(inbox[9], older=True, unread=True) == inbox[4]
    assert searching.neighbour(inbox[4], older=True, unread=True) is None
    assert searching.neighbour(inbox[1], older=False, unread=True) == inbox[4]


def test_a_neighbour_of_what_is_gone(searching: ImapStore, aside: imaplib.IMAP4) -> None:
    inbox = refs(searching)
    searching.move([inbox[6]], "Trash")
    assert searching.neighbour(inbox[6], older=True) == inbox[5]
    assert searching.neighbour(inbox[6], older=False) == inbox[7]
    aside.uid("STORE", "1:12", "+FLAGS", "\\Deleted")
    assert searching.neighbour(inbox[6], older=True) is None
    assert searching.neighbour(MessageRef("INBOX", inbox[6].uidvalidity, 1), older=True) is None
    top = MessageRef("INBOX", inbox[6].uidvalidity, 0xFFFFFFFF)
    assert searching.neighbour(top, older=False) is None


def test_a_neighbour_that_has_just_come(searching: ImapStore, dovecot: Dovecot, user: str) -> None:
    newest = refs(searching)[12]
    assert searching.neighbour(newest, older=False) is None
    dovecot.deliver(user, b"Subject: news\r\n\r\nhello\r\n")
    found = searching.neighbour(newest, older=False)
    assert found is not None
    assert found.uid == 13


def test_the_newest_messages_are_those_that_came_last(
    open_store: Callable[..., ImapStore], aside: imaplib.IMAP4, dovecot: Dovecot, user: str
) -> None:
    store = open_store()
    assert [ref.uid for ref in store.newest("INBOX", 100)] == [1, *range(3, 13)]
    dovecot.deliver(user, b"Subject: news\r\n\r\nhello\r\n")
    assert [ref.uid for ref in store.newest("INBOX", 3)] == [11, 12, 13]
    assert store.newest("Drafts", 3) == ()
    with pytest.raises(MailboxGone):
        store.newest("Nowhere", 3)


# --- rude servers

REFS = [MessageRef("INBOX", 7, uid) for uid in (5, 6)]
THERE = b"* 1 FETCH (UID 5)\r\n* 2 FETCH (UID 6)\r\n"


def scripted(
    capabilities: bytes,
    *steps: tuple[bytes, bytes],
    act: Callable[[ImapStore], object],
    hang_up: bool = False,
) -> tuple[object, list[bytes]]:
    """Act on a server that says these things; return the result and what the server heard."""
    signed_in = (b"AUTHENTICATE", b"{tag} OK [CAPABILITY IMAP4rev1 " + capabilities + b"] welcome\r\n")
    script = Script(GREETING, (CAPABILITY, signed_in, SELECTED, *steps), hang_up)
    with script:
        server = rig.plain(script)
        with closing(imap_store.connect(server, "user", "secret")) as store:
            result: object
            try:
                result = act(store)
            except StoreError as error:
                result = error
    return result, script.lines


def move(store: ImapStore) -> object:
    return store.move(REFS, "Trash")


FETCH = (b"FETCH", THERE + b"{tag} OK\r\n")
GONE = (b"FETCH", b"{tag} OK\r\n")


def test_a_copy_that_fails_removes_nothing() -> None:
    result, lines = scripted(b"UIDPLUS", FETCH, (b"COPY", b"{tag} NO [OVERQUOTA] full\r\n"), act=move)
    assert isinstance(result, StoreRefused)
    assert not any(word in line for line in lines for word in (b"STORE", b"EXPUNGE"))


def test_only_what_was_copied_is_removed() -> None:
    """The server says that it has copied message 5, and nothing about message 6."""
    copy = (b"COPY", b"{tag} OK [COPYUID 9 5 77] done\r\n")
    steps = (copy, (b"FETCH", b"* 1 FETCH (UID 5)\r\n{tag} OK\r\n"), (b"STORE", b"{tag} OK\r\n"))
    result, lines = scripted(
        b"UIDPLUS", FETCH, *steps, (b"EXPUNGE", b"* 1 EXPUNGE\r\n{tag} OK\r\n"), act=move
    )
    assert isinstance(result, PartlyDone)
    assert result.done == {REFS[0]: MessageRef("Trash", 9, 77)}
    assert [line.split(b" ", 1)[1] for line in lines if b"STORE" in line or b"EXPUNGE" in line] == [
        b"UID STORE 5 +FLAGS.SILENT (\\Deleted)\r\n",
        b"UID EXPUNGE 5\r\n",
    ]


def test_a_copy_that_cannot_be_removed_here_is_told() -> None:
    copy = (b"COPY", b"{tag} OK [COPYUID 9 5:6 77:78] done\r\n")
    refused = ((b"STORE", b"{tag} NO read-only\r\n"), (b"EXPUNGE", b"{tag} NO read-only\r\n"), FETCH)
    result, _ = scripted(b"UIDPLUS", FETCH, copy, FETCH, *refused, act=move)
    assert isinstance(result, NotRemoved)


def test_a_move_that_fails_in_the_middle_tells_how_far_it_came() -> None:
    """RFC 6851 §4.3: the untagged COPYUID names what was moved before the NO."""
    moved = b"* OK [COPYUID 9 5 77] partly\r\n* 1 EXPUNGE\r\n{tag} NO [OVERQUOTA] full\r\n"
    result, _ = scripted(b"MOVE UIDPLUS", FETCH, (b"MOVE", moved), act=move)
    assert isinstance(result, PartlyDone)
    assert result.done == {REFS[0]: MessageRef("Trash", 9, 77)}
    assert isinstance(result.why, StoreRefused)


def test_a_server_that_hangs_up_in_a_later_piece_leaves_the_first_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(moving, "AT_A_TIME", 1)
    first = (b"MOVE", b"* OK [COPYUID 9 5 77] fine\r\n* 1 EXPUNGE\r\n{tag} OK\r\n")
    result, _ = scripted(b"MOVE UIDPLUS", FETCH, first, (b"FETCH", b""), act=move)
    assert isinstance(result, PartlyDone)
    assert list(result.done) == [REFS[0]]
    assert isinstance(result.why, StoreUnreachable)


def test_where_somebody_else_put_a_message_at_the_same_time_no_place_is_guessed() -> None:
    before = (b"STATUS", b"* STATUS Trash (UIDNEXT 40 UIDVALIDITY 9)\r\n{tag} OK\r\n")
    after = (b"STATUS", b"* STATUS Trash (UIDNEXT 43 UIDVALIDITY 9)\r\n{tag} OK\r\n")
    steps = (before, FETCH, (b"MOVE", b"* 1 EXPUNGE\r\n* 1 EXPUNGE\r\n{tag} OK\r\n"), GONE)
    assert scripted(b"MOVE", *steps, after, act=move)[0] == (None, None)
    fitting = (after[0], after[1].replace(b"43", b"42"))
    places = (MessageRef("Trash", 9, 40), MessageRef("Trash", 9, 41))
    assert scripted(b"MOVE", *steps, fitting, act=move)[0] == places
    renewed = (fitting[0], fitting[1].replace(b"UIDVALIDITY 9", b"UIDVALIDITY 8"))
    assert scripted(b"MOVE", *steps, renewed, act=move)[0] == (None, None)


@pytest.mark.parametrize(
    "code", [b"COPYUID 9 1:4294967295 1:4294967295", b"COPYUID 9 5 77:78", b"COPYUID x", b"COPYUID 0 5:6 7:8"]
)
def test_a_nonsensical_copyuid_is_no_place(code: bytes) -> None:
    result, _ = scripted(
        b"MOVE UIDPLUS", FETCH, (b"MOVE", b"{tag} OK [" + code + b"] ok\r\n"), GONE, act=move
    )
    assert result == (None, None)


def test_a_copyuid_of_messages_that_were_not_meant_is_ignored() -> None:
    moved = b"* OK [COPYUID 9 1,5,6 70,77,78] ok\r\n{tag} OK\r\n"
    result, _ = scripted(b"MOVE UIDPLUS", FETCH, (b"MOVE", moved), act=move)
    assert result == (MessageRef("Trash", 9, 77), MessageRef("Trash", 9, 78))


def test_never_a_bare_expunge() -> None:
    """Nothing in the whole store sends EXPUNGE or CLOSE by itself."""
    from pathlib import Path

    source = "".join(path.read_text() for path in Path(moving.__file__).parent.glob("*.py"))
    assert 'b"EXPUNGE' not in source
    assert 'b"CLOSE' not in source


# --- COPYUID


@given(st.binary(max_size=60))
def test_any_octets_make_no_error(argument: bytes) -> None:
    uidvalidity, pairs = copied(argument, AT_A_TIME)
    assert bool(pairs) <= bool(uidvalidity)


@given(
    st.lists(st.integers(1, 0xFFFFFFFF), min_size=1, max_size=50, unique=True),
    st.integers(1, 0xFFFFFFFF - 50),
)
def test_a_copyuid_is_read_in_its_order(old: list[int], first: int) -> None:
    argument = b"7 %b %d:%d" % (b",".join(b"%d" % uid for uid in old), first, first + len(old) - 1)
    assert copied(argument, 50) == (7, {uid: first + at for at, uid in enumerate(old)})
    assert copied(argument, len(old) - 1)[1] == {}


def test_a_command_that_met_an_expunge_is_given_once_more_with_the_rest() -> None:
    gone = (b"MOVE", b"{tag} NO [EXPUNGEISSUED] some are gone\r\n")
    left = (b"FETCH", b"* 1 FETCH (UID 6)\r\n{tag} OK\r\n")
    moved = (b"MOVE", b"* OK [COPYUID 9 6 78] ok\r\n{tag} OK\r\n")
    result, lines = scripted(b"MOVE UIDPLUS", FETCH, gone, left, left, moved, act=move)
    assert isinstance(result, PartlyDone)
    assert result.done == {REFS[1]: MessageRef("Trash", 9, 78)}
    assert isinstance(result.why, MessageGone)
    assert [line.split(b" ", 1)[1] for line in lines if b"MOVE" in line] == [
        b'UID MOVE 5:6 "Trash"\r\n',
        b'UID MOVE 6 "Trash"\r\n',
    ]


def test_flags_and_keywords(open_store: Callable[..., ImapStore], aside: imaplib.IMAP4) -> None:
    store = open_store()
    inbox = refs(store)
    store.flag([inbox[4]], [SEEN])
    aside.uid("STORE", "5", "+FLAGS", "\\Flagged")
    assert store.flags([inbox[4], inbox[5], MessageRef("INBOX", inbox[4].uidvalidity, 99)]) == {
        inbox[4]: frozenset({SEEN}),
        inbox[5]: frozenset({"\\Flagged"}),
    }
    assert store.keeps(inbox[4], SEEN)
    assert store.keeps(inbox[4], "$Junk")


@pytest.mark.parametrize(
    ("told", "keeps", "flagged"),
    [
        (b"(\\Seen \\Flagged \\*)", True, True),
        (b"(\\Seen \\*)", True, False),
        (b"(\\Seen $junk)", True, False),
        (b"(\\Seen)", False, False),
        (b"()", False, False),
        (b"(\\*)", True, True),
    ],
)
def test_a_flag_is_kept_only_where_the_mailbox_says_so(told: bytes, keeps: bool, flagged: bool) -> None:
    """QUIRK: go-imap lists none of the flags that it keeps, only that there may be new keywords."""
    selected = (b"SELECT", SELECTED[1].replace(b"{tag}", b"* OK [PERMANENTFLAGS " + told + b"] so\r\n{tag}"))
    script = Script(
        GREETING, (CAPABILITY, (b"AUTHENTICATE", b"{tag} OK [CAPABILITY IMAP4rev1] hi\r\n"), selected)
    )
    with script:
        server = rig.plain(script)
        with closing(imap_store.connect(server, "user", "secret")) as store:
            assert store.keeps(REFS[0], "$Junk") is keeps
            assert store.keeps(REFS[0], FLAGGED) is flagged


def test_a_copyuid_of_others_removes_none_of_them() -> None:
    """A server that names more than was requested must not make us delete that."""
    copy = (b"COPY", b"{tag} OK [COPYUID 9 1,5,6 70,77,78] done\r\n")
    steps = (copy, FETCH, (b"STORE", b"{tag} OK\r\n"), (b"EXPUNGE", b"{tag} OK\r\n"))
    result, lines = scripted(b"UIDPLUS", FETCH, *steps, act=move)
    assert result == (MessageRef("Trash", 9, 77), MessageRef("Trash", 9, 78))
    assert [line.split(b" ", 1)[1] for line in lines if b"EXPUNGE" in line] == [b"UID EXPUNGE 5:6\r\n"]
