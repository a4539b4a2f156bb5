"""message_ids: finding by Message-ID what was just stored, and nothing that is marked as deleted."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import MailboxGone, StoreRefused, UnsafeArgument
from gateway.store.base import DELETED, SEEN, MessageRef
from gateway.store.imap import imap_store
from gateway.store.imap.features import Feature
from gateway.store.imap.imap_store import ImapStore
from gateway.store.imap.message_ids import NEWEST
from tests import rig
from tests.servers.dovecot import Dovecot
from tests.store.script import CAPABILITY, GREETING, SELECTED, SIGNED_IN, Script

_names = itertools.count()


@pytest.fixture
def store(dovecot: Dovecot) -> Iterator[ImapStore]:
    user = dovecot.user(f"finder{next(_names)}")
    server = rig.imap(dovecot)
    opened = imap_store.connect(server, user, "secret")
    yield opened
    opened.close()


def mail(message_id: str, field: str = "Message-ID") -> bytes:
    return f"Subject: x\r\n{field}: {message_id}\r\n\r\n.\r\n".encode()


def test_what_was_just_put_there_is_found_at_once(store: ImapStore) -> None:
    assert store.find_id("Drafts", "<a@example.net>") is None
    for number in range(50):  # the mailbox stays selected all the time
        message_id = f"<n{number}@example.net>"
        ref = store.append("Drafts", mail(message_id))
        assert store.find_id("Drafts", message_id) == ref


def test_the_newest_of_several_is_found(store: ImapStore) -> None:
    store.append("Drafts", mail("<a@example.net>"))
    ref = store.append("Drafts", mail("<a@example.net>"))
    store.append("Drafts", mail("<b@example.net>"))
    assert store.find_id("Drafts", "<a@example.net>") == ref


def test_what_was_sent_on_is_found_by_either(store: ImapStore) -> None:
    octets = mail("<second@example.net>", "Resent-Message-ID")[:-5] + mail("<first@example.net>")
    ref = store.append("Drafts", octets)
    assert store.find_id("Drafts", "<second@example.net>") == ref
    assert store.find_id("Drafts", "<first@example.net>") == ref


def test_what_is_marked_as_deleted_is_not(store: ImapStore) -> None:
    ref = store.append("Drafts", mail("<a@example.net>"), (SEEN,))
    assert ref is not None
    store.flag([ref], [DELETED])
    assert store.find_id("Drafts", "<a@example.net>") is None


def test_a_mailbox_that_is_not_there(store: ImapStore) -> None:
    with pytest.raises(MailboxGone):
        store.find_id("Nowhere", "<a@example.net>")


@given(st.text(max_size=20), st.sampled_from("\r\n\0é\ud800"))
def test_no_message_id_ends_a_command(text: str, bad: str) -> None:
    with pytest.raises(UnsafeArgument):
        ImapStore.copies(object(), "Drafts", text + bad)  # type: ignore[arg-type]
    with pytest.raises(UnsafeArgument):
        ImapStore.copies(object(), "Drafts", "")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "uid"),
    [
        (b"* SEARCH 4 9 7\r\n{tag} OK done\r\n", 9),
        (b"* SEARCH\r\n{tag} OK done\r\n", None),
        (b"{tag} OK done\r\n", None),
        (b"* SEARCH x 99999999999999 -3 0\r\n{tag} OK done\r\n", None),
    ],
)
def test_answers_of_any_server(answer: bytes, uid: int | None) -> None:
    with Script(GREETING, [CAPABILITY, SIGNED_IN, SELECTED, (b"SEARCH", answer)]) as script:
        store = imap_store.connect(rig.plain(script), "anna", "secret")
        found = store.find_id("Drafts", "<a@example.net>")
        assert (found.uid if found else None) == uid
        store.close()


def row(number: int, uid: int, header: bytes, flags: bytes = b"") -> bytes:
    return b"* %d FETCH (UID %d FLAGS (%b) BODY[HEADER.FIELDS (MESSAGE-ID)]<0> {%d}\r\n%b)\r\n" % (
        number, uid, flags, len(header), header,
    )  # fmt: skip


@pytest.mark.parametrize("how", [b"BAD what?", b"NO not supported", b"NO [CANNOT] no"])
def test_a_server_that_does_not_search(how: bytes) -> None:
    header = b"Message-ID:\r\n <a@example.net>\r\n\r\n"
    rows = row(1, 4, header) + row(2, 9, header, b"\\deleted") + row(3, 11, b"\r\n")
    full = (SELECTED[0], SELECTED[1].replace(b"* 2 EXISTS", b"* 300 EXISTS"))
    refused = (b"SEARCH", b"{tag} " + how + b"\r\n")
    steps = [CAPABILITY, SIGNED_IN, full, refused, *([refused] if how.startswith(b"BAD") else [])]
    steps += [(b"FETCH 101:300 ", rows + b"{tag} OK done\r\n")]
    with Script(GREETING, steps) as script:
        store = imap_store.connect(rig.plain(script), "anna", "secret")
        assert store.find_id("Drafts", "<A@example.net>") == MessageRef("Drafts", 7, 4)
        assert store.can.search  # it may be this key only
        store.close()
    assert b"BODY.PEEK[HEADER.FIELDS (MESSAGE-ID RESENT-MESSAGE-ID)]<0.1024>" in b"".join(script.lines)


def test_a_server_that_neither_searches_nor_cuts_header_fields() -> None:
    header = b"Message-ID: <a@example.net>\r\n\r\n"
    bad = b"{tag} BAD what\r\n"
    steps = [CAPABILITY, SIGNED_IN, SELECTED, (b"SEARCH", bad), (b"SEARCH", bad), (b"]<0.", bad)]
    steps += [(b"FETCH 1:2 ", row(1, 4, header).replace(b"]<0>", b"]") + b"{tag} OK done\r\n")]
    with Script(GREETING, steps) as script:
        store = imap_store.connect(rig.plain(script), "anna", "secret")
        assert store.find_id("Drafts", "<a@example.net>") == MessageRef("Drafts", 7, 4)
        assert not store._offers(Feature.HEADER_GROUPS)
        store.close()


@pytest.mark.parametrize("how", [b"NO [SERVERBUG] oh", b"NO [INUSE] locked"])
def test_a_search_that_fails_this_once_is_an_error(how: bytes) -> None:
    with Script(
        GREETING, [CAPABILITY, SIGNED_IN, SELECTED, (b"SEARCH", b"{tag} " + how + b"\r\n")]
    ) as script:
        store = imap_store.connect(rig.plain(script), "anna", "secret")
        with pytest.raises(StoreRefused):
            store.find_id("Drafts", "<a@example.net>")
        store.close()


def test_a_server_that_tells_nothing_at_all() -> None:
    no = b"{tag} NO no\r\n"
    with Script(
        GREETING, [CAPABILITY, SIGNED_IN, SELECTED, (b"SEARCH", no), *[(b"FETCH", no)] * 2]
    ) as script:
        store = imap_store.connect(rig.plain(script), "anna", "secret")
        with pytest.raises(StoreRefused):  # not "it is not there", or a second copy would be made
            store.find_id("Drafts", "<a@example.net>")
        store.close()


def test_a_real_server_that_is_not_asked_to_search(store: ImapStore) -> None:
    refs = [store.append("Drafts", mail(f"<n{number}@example.net>")) for number in range(NEWEST + 1)]
    store._refusals.add(Feature.SEARCH)
    before = store.traffic.commands
    assert store.find_id("Drafts", "<n7@example.net>") == refs[7]
    assert store.traffic.commands - before == 2
    assert store.find_id("Drafts", "<n0@example.net>") is None  # one too old
    assert store.find_by_field("Drafts", "Subject", "x") == refs[-1]
