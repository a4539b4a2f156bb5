"""Virtual mailboxes, which show messages of others: what is moved out of them cannot be moved back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from gateway.errors import StoreError
from gateway.store.base import Window
from gateway.store.imap import imap_store
from gateway.store.imap.imap_store import ImapStore
from tests import rig
from tests.servers import dovecot as dovecots
from tests.servers.dovecot import NAMESPACES, Dovecot

#: No special use says what they are.
VIRTUAL = (
    NAMESPACES
    + """
namespace views {{
  prefix = Views/
  separator = /
  location = virtual:%h/views
}}
"""
)
MAIL = b"From: a@example.org\r\nSubject: here\r\n\r\nthere\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecots.running(VIRTUAL, "mail_plugins = $mail_plugins virtual\n") as made:
        yield made


def _store(server: Dovecot, user: str) -> ImapStore:
    return imap_store.connect(rig.imap(server), user, "secret")


def test_nothing_can_be_moved_back_into_a_virtual_mailbox(server: Dovecot) -> None:
    user = server.user("viewer")
    view = server.home(user) / "views" / "Everything"
    view.mkdir(parents=True)
    (view / "dovecot-virtual").write_text("INBOX\n  all\n")
    for _ in range(3):
        server.deliver(user, MAIL)
    with closing(_store(server, user)) as store:
        first = store.summaries("Views/Everything", Window(9)).summaries[0].ref
        (moved,) = store.move([first], "Trash")
        assert not store.takes_back("Views/Everything")
        assert moved is not None
        with pytest.raises(StoreError):
            store.move([moved], "Views/Everything")
        # An ordinary mailbox is not asked about twice, and the answer is the same after the other.
        before = store.traffic.round_trips
        assert store.takes_back("INBOX")
        assert store.takes_back("Trash")
        assert store.traffic.round_trips == before
    with closing(_store(server, user)) as store:
        second = store.summaries("INBOX", Window(9)).summaries[0].ref
        store.move([second], "Trash")
        assert store.takes_back("INBOX")


def test_a_server_without_mod_sequences_takes_all_back() -> None:
    """Such as one that keeps no index."""
    space = NAMESPACES.replace("{special}", "  location = maildir:~/Maildir:INDEX=MEMORY\n{special}")
    with dovecots.running(space) as server:
        user = server.user("forgetful")
        server.deliver(user, MAIL, "Junk")
        with closing(_store(server, user)) as store:
            ref = store.summaries("Junk", Window(9)).summaries[0].ref
            (moved,) = store.move([ref], "Trash")
            assert store.takes_back("Junk")
            assert moved is not None
            assert store.move([moved], "Junk")


def test_a_mailbox_that_can_never_be_copied_to_takes_nothing_back(server: Dovecot) -> None:
    user = server.user("refused")
    (server.home(user) / "views" / "All").mkdir(parents=True)
    (server.home(user) / "views" / "All" / "dovecot-virtual").write_text("INBOX\n  all\n")
    server.deliver(user, MAIL)
    with closing(_store(server, user)) as store:
        ref = store.summaries("INBOX", Window(9)).summaries[0].ref
        assert store.takes_back("Views/All")  # nothing is known about it yet
        with pytest.raises(StoreError):
            store.move([ref], "Views/All")
        assert not store.takes_back("Views/All")
