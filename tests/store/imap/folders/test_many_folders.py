"""Thousands of folders: filing and answering mail needs none of them, and a list of them costs little."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from gateway.errors import MailboxGone
from gateway.store.base import Mailbox
from gateway.store.imap import imap_store, listed, opening
from gateway.store.imap.imap_store import ImapStore
from gateway.store.imap.listed import ListedMailboxes
from gateway.store.imap.response import Untagged
from gateway.store.mailbox_tree import Namespace, tree
from gateway.upstreams.wire import Ledger
from tests import bounded, rig
from tests.servers.scripted.peer import Caller, Peer

MEGABYTE = 1024 * 1024
#: Those that come after all others.
LAST = (b"INBOX", b"Trash", b"Entw&APw-rfe", b"Kunden/Zuletzt", b"Kunden/Zuletzt/Alt")
ROW = b'* %b (\\HasNoChildren%b) "/" "%b"\r\n'
COUNTS = b'* STATUS "%b" (MESSAGES 3 UNSEEN 1 UIDNEXT 900 UIDVALIDITY 7000)\r\n'


def _serve(caller: Caller, many: int, extended: bool) -> None:
    """Be a server with many mailboxes."""
    names = [b"Kunden/Nummer %d/Rechnungen" % n for n in range(many)]
    names += LAST
    caller.say(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hello")
    can = b"NAMESPACE" + (b" LIST-EXTENDED LIST-STATUS" if extended else b"")
    while words := caller.hear().split(b" ", 2):
        tag, verb, rest = (*words, b"", b"")[:3]
        if verb == b"AUTHENTICATE":
            caller.say(tag + b" OK [CAPABILITY IMAP4rev1 %b] in" % can)
            continue
        if verb == b"NAMESPACE":
            caller.say(b'* NAMESPACE (("" "/")) NIL NIL')
        if verb in (b"LIST", b"LSUB"):
            wanted = re.compile(re.escape(rest.split(b'"')[3]).replace(rb"\*", b".*") + rb"\Z")
            mark = b" \\Subscribed" if b"SUBSCRIBED" in rest else b""
            rows = [ROW % (verb, mark, name) for name in names if wanted.match(name)]
            counted = [COUNTS % name if b"STATUS (" in rest else b"" for name in names]
            for at in range(0, len(rows), 5000):
                pairs = zip(rows[at : at + 5000], counted[at : at + 5000], strict=False)
                caller.sock.sendall(b"".join(octets for pair in pairs for octets in pair))
        if verb == b"STATUS":
            caller.sock.sendall(COUNTS % rest.split(b'"')[1])
        caller.say(tag + b" OK done")


@contextmanager
def served(many: int, extended: bool = False) -> Iterator[ImapStore]:
    with (
        Peer(lambda caller: _serve(caller, many, extended)) as peer,
        closing(imap_store.connect(rig.plain(peer), "user", "secret")) as store,
    ):
        yield store


@pytest.mark.parametrize("extended", [False, True])
def test_what_is_filed_finds_its_folder_behind_any_number_of_others(
    monkeypatch: pytest.MonkeyPatch, extended: bool
) -> None:
    monkeypatch.setattr(opening, "MAX_LISTS", 40_000)
    monkeypatch.setattr(opening, "_LEDGERS", {})  # another server may have had this port before
    with served(300, extended) as store:
        assert store.special("trash") == "Trash"
        assert store.special_or_new("drafts") == "Entwürfe"
        found = store.folders(all=True, counted=slice(2))
        assert not found.whole
        assert {"INBOX", "Trash", "Entwürfe"} < {folder.name for folder in found}
        assert [folder.total for folder in found[:2]] == [3, 3]
        last = store.folder("Kunden/Zuletzt")
        assert (last.path, last.children, last.subscribed) == (("Kunden", "Zuletzt"), True, True)
        with pytest.raises(MailboxGone):
            store.folder("Kunden/Keiner")
        store.remove("Kunden/Zuletzt/Alt")


@pytest.mark.parametrize("extended", [False, True])
def test_more_counts_than_are_kept_are_asked_for_as_they_are_shown(
    monkeypatch: pytest.MonkeyPatch, extended: bool
) -> None:
    monkeypatch.setattr(listed, "MOST_COUNTED", 20)
    with served(60, extended) as store:
        found = store.folders(all=True, counted=slice(50, 59))
        assert found.whole
        assert [folder.total for folder in found[50:59]] == [3] * 9


def test_no_room_at_the_server_of_others_is_no_error() -> None:
    ledger = Ledger(10_000)
    found = ListedMailboxes(ledger, wanted=lambda mailbox: mailbox.name == "Trash")
    for number in range(50):
        assert found.take(Untagged("LIST", pieces=(b'() "/" "box %d"' % number,)))
    assert found.take(Untagged("LIST", pieces=(b'() "/" Trash',)))
    assert not found.whole
    assert "Trash" in found.mailboxes
    assert 5 < len(found.mailboxes) < 25
    del found
    ledger.take(10_000)  # all of it was given back


@pytest.mark.parametrize(
    "name", [b"x" * 3000, b"a/" * 900 + b"z", b"&" * 1999, b"", "\N{SNOWMAN}".encode() * 500]
)
def test_a_name_of_any_length_costs_little(name: bytes) -> None:
    found = ListedMailboxes(Ledger(MEGABYTE))
    found.take(Untagged("LIST", pieces=(b'() "/" {%d}' % len(name), name)))
    found.take(Untagged("LIST", pieces=(b'() "/" INBOX',)))
    assert 1 <= len(tree(found.mailboxes.values(), frozenset(), (Namespace("", "/"),))) <= 2


@pytest.mark.parametrize(
    "row",
    [b'NIL "/" Trash', b'\\Trash "/" Trash', b'() "/" {5}', b'() NIL "Trash"', b'("\\X" {) "/" Trash (a b)'],
)
def test_a_row_that_is_odd_is_that_of_a_folder_all_the_same(row: bytes) -> None:
    found = ListedMailboxes(Ledger(MEGABYTE))
    assert found.take(Untagged("LIST", pieces=(row, b"Trash", b"")[: 3 if row.endswith(b"}") else 1]))
    assert list(found.mailboxes) == ["Trash"]


def test_a_parent_that_is_not_listed_hides_no_children() -> None:
    names = ("a", "a/b/c", "d/e/f", "d")
    folders = tree([Mailbox(name) for name in names], frozenset(), (Namespace("", "/"),))
    assert [(folder.name, folder.children) for folder in folders] == [
        ("a", True), ("a/b/c", False), ("d", True), ("d/e/f", False)
    ]  # fmt: skip


def _cost(many: int, extended: bool) -> tuple[int, bool, int]:
    """List many mailboxes; return how many there were, whether all, and the memory that it took."""

    def peak() -> int:
        status = Path("/proc/self/status").read_text()
        return int(re.findall(r"VmHWM:\s*(\d+)", status)[0]) * 1024

    with served(many, extended) as store:
        store.special("trash")
        Path("/proc/self/clear_refs").write_text("5")
        before = peak()
        found = store.folders(all=True, counted=slice(9))
        return len(found), found.whole, peak() - before


@pytest.mark.long
@pytest.mark.parametrize("extended", [False, True])
def test_twenty_thousand_folders_are_listed_in_little_memory(extended: bool) -> None:
    count, whole, cost = bounded.call(_cost, 20_000, extended)
    assert (count, whole) == (20_000 + len(LAST), True)
    assert cost < 28 * MEGABYTE
