"""message_ids: finding by Message-ID what was just put there, and nothing that is marked as deleted."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import Server, Tls
from gateway.errors import MailboxGone, StoreRefused, UnsafeArgument
from gateway.store import imap
from gateway.store.base import DELETED, SEEN
from gateway.store.imap import ImapStore
from tests.servers.dovecot import Dovecot
from tests.store.script import CAPABILITY, GREETING, SELECTED, SIGNED_IN, Script

_names = itertools.count()


@pytest.fixture
def store(dovecot: Dovecot) -> Iterator[ImapStore]:
    user = dovecot.user(f"finder{next(_names)}")
    server = Server("imap", dovecot.host, dovecot.ports["imap"], Tls.STARTTLS, dovecot.ca_file)
    opened = imap.connect(server, user, "secret")
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
        ImapStore.find_id(object(), "Drafts", text + bad)  # type: ignore[arg-type]
    with pytest.raises(UnsafeArgument):
        ImapStore.find_id(object(), "Drafts", "")  # type: ignore[arg-type]


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
        store = imap.connect(Server("imap", script.host, script.port, Tls.NONE), "anna", "secret")
        found = store.find_id("Drafts", "<a@example.net>")
        assert (found.uid if found else None) == uid
        store.close()


def test_a_server_that_does_not_search(store: ImapStore) -> None:
    steps = [CAPABILITY, SIGNED_IN, SELECTED, (b"SEARCH", b"{tag} NO not today\r\n")]
    with Script(GREETING, steps) as script:
        store = imap.connect(Server("imap", script.host, script.port, Tls.NONE), "anna", "secret")
        with pytest.raises(StoreRefused):
            store.find_id("Drafts", "<a@example.net>")
        store.close()
