"""The tree of mailboxes: on Dovecot in several layouts, and with peers that lack what Dovecot has."""

from __future__ import annotations

import imaplib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imapclient.imap_utf7 import encode

from gateway.errors import (
    MailboxExists,
    MailboxGone,
    MailboxHasChildren,
    OverQuota,
    StoreRefused,
    UnsafeArgument,
)
from gateway.store import mailbox_tree
from gateway.store.base import Emptied, Folder, Mailbox, MailStore, Quota, Window
from gateway.store.imap import imap_store
from gateway.store.imap.connection.imap4 import Traffic
from gateway.store.imap.imap_store import ImapStore
from gateway.store.imap.opening import mailbox_argument, mailbox_name
from gateway.store.imap.response import parse
from tests import rig
from tests.servers import dovecot as dovecots
from tests.servers import maildir
from tests.servers.dovecot import Dovecot
from tests.store.script import CAPABILITY, GREETING, SELECTED, Script, Step

_names = count(1)
MAIL = b"From: a@example.org\r\nSubject: plain\r\n\r\nplain text\r\n"

QUOTA = """
mail_plugins = $mail_plugins quota
protocol imap {{
  mail_plugins = $mail_plugins quota imap_quota
}}
plugin {{
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:storage=20K
}}
"""


@pytest.fixture(scope="module")
def courier() -> Iterator[Dovecot]:
    """A server with Courier's layout: "." between names, everything below INBOX, and mailboxes for everybody."""
    with dovecots.running(dovecots.COURIER) as server:
        yield server


def store_on(server: Dovecot, user: str) -> ImapStore:
    known = rig.imap(server)
    return imap_store.connect(known, user, "secret")


@contextmanager
def aside_on(server: Dovecot, user: str) -> Iterator[imaplib.IMAP4]:
    client = imaplib.IMAP4(server.host, server.ports["imap"])
    client.login(user, "secret")
    yield client
    client.logout()


@pytest.fixture
def user(dovecot: Dovecot) -> str:
    return dovecot.user(f"keeper{next(_names)}")


@pytest.fixture
def store(dovecot: Dovecot, user: str) -> Iterator[ImapStore]:
    with closing(store_on(dovecot, user)) as opened:
        yield opened


@pytest.fixture
def aside(dovecot: Dovecot, user: str) -> Iterator[imaplib.IMAP4]:
    with aside_on(dovecot, user) as client:
        yield client


def utf7(name: str) -> str:
    return '"' + encode(name).decode() + '"'


def made(aside: imaplib.IMAP4, *names: str, subscribe: bool = True) -> None:
    for name in names:
        assert aside.create(utf7(name))[0] == "OK", name
        if subscribe:
            aside.subscribe(utf7(name))


def there(aside: imaplib.IMAP4) -> set[str]:
    """Name all mailboxes, as another client sees them."""
    rows = aside.list()[1]
    return {mailbox_name(row.split(b' "', 1)[1].split(b'" ', 1)[1].strip(b'"')) for row in rows}


def subscribed(aside: imaplib.IMAP4) -> set[str]:
    rows = [row for row in aside.lsub()[1] if row]
    return {mailbox_name(row.split(b' "', 1)[1].split(b'" ', 1)[1].strip(b'"')) for row in rows}


def spent(store: ImapStore, action: Callable[[], object]) -> Traffic:
    before = [getattr(store.traffic, name) for name in Traffic.__slots__]
    action()
    return Traffic(*(getattr(store.traffic, n) - b for n, b in zip(Traffic.__slots__, before, strict=True)))


def paths(folders: Sequence[Folder]) -> list[str]:
    return ["/".join(folder.path) for folder in folders]


def by_name(folders: Sequence[Folder]) -> dict[str, Folder]:
    return {folder.name: folder for folder in folders}


# --- the tree, on Dovecot


def test_it_is_a_mail_store(store: ImapStore) -> None:
    seam: MailStore = store
    assert seam.folder("INBOX").role == "inbox"


def test_special_ones_come_first_and_the_rest_by_name(store: ImapStore, aside: imaplib.IMAP4) -> None:
    made(aside, "Zoo", "Rechnungen", "Rechnungen/Größe", "rechnungen-alt", "Archive", "Ärger")
    folders = store.folders()
    assert [folder.role for folder in folders[:6]] == ["inbox", "drafts", "sent", "trash", "junk", "archive"]
    assert paths(folders[6:]) == ["Rechnungen", "Rechnungen/Größe", "rechnungen-alt", "Zoo", "Ärger"]
    assert all(folder.subscribed for folder in folders[1:])
    assert [folder.children for folder in folders[6:]] == [True, False, False, False, False]


def test_all_counts_come_in_one_round_trip_cold_and_warm(
    dovecot: Dovecot, user: str, store: ImapStore, aside: imaplib.IMAP4
) -> None:
    made(aside, *(f"Box {n}" for n in range(30)))
    dovecot.deliver(user, MAIL, "Box 7")
    dovecot.deliver(user, MAIL, "Box 7", "S")
    dovecot.deliver(user, MAIL)
    for _ in range(2):
        assert spent(store, store.folders).round_trips == 1
    found = by_name(store.folders())
    assert (found["Box 7"].total, found["Box 7"].unseen) == (2, 1)
    assert (found["INBOX"].total, found["INBOX"].unseen) == (1, 1)
    assert (found["Box 8"].total, found["Box 8"].unseen) == (0, 0)
    listing = store.summaries("Box 7", Window(9))
    assert found["Box 7"].uidvalidity == listing.uidvalidity
    assert found["Box 7"].uidnext == max(s.ref.uid for s in listing.summaries) + 1


def test_one_folder_with_its_counts_is_one_round_trip(
    dovecot: Dovecot, user: str, store: ImapStore, aside: imaplib.IMAP4
) -> None:
    made(aside, "Größe", "Größe/Mehr")
    dovecot.deliver(user, MAIL, "Gr&APYA3w-e")
    assert spent(store, lambda: store.folder("Größe")).round_trips == 1
    folder = store.folder("Größe")
    assert (folder.total, folder.unseen, folder.children, folder.role) == (1, 1, True, "")
    with pytest.raises(MailboxGone):
        store.folder("Nowhere")


def test_only_subscribed_ones_and_those_with_a_role_unless_all_are_wanted(
    store: ImapStore, aside: imaplib.IMAP4
) -> None:
    made(aside, "Seen")
    made(aside, "Unseen", subscribe=False)
    made(aside, "Archive", subscribe=False)
    assert {"Seen", "Archive"} <= by_name(store.folders()).keys()
    assert "Unseen" not in by_name(store.folders())
    everything = by_name(store.folders(all=True))
    assert not everything["Unseen"].subscribed
    assert not everything["Archive"].subscribed


def test_who_subscribes_nothing_sees_everything(store: ImapStore, aside: imaplib.IMAP4) -> None:
    made(aside, "One", "Two", subscribe=False)
    assert {"One", "Two"} <= by_name(store.folders()).keys()


def test_parents_that_hold_no_messages_are_shown_but_not_open(store: ImapStore, aside: imaplib.IMAP4) -> None:
    made(aside, "Kunden/Nord")
    found = by_name(store.folders(all=True))
    assert (found["Kunden"].open, found["Kunden"].children) == (False, True)
    assert found["Kunden"].total is None
    assert found["Kunden/Nord"].open


def test_a_subscription_without_a_mailbox_is_not_shown(store: ImapStore, aside: imaplib.IMAP4) -> None:
    made(aside, "Gone", "Here")
    aside.delete("Gone")
    assert "Gone" in subscribed(aside)
    assert "Gone" not in by_name(store.folders())


def test_a_thousand_folders_are_one_list(dovecot: Dovecot, user: str, store: ImapStore) -> None:
    root = dovecot.maildir(user)
    for n in range(1000):
        maildir.write(root / f".Box {n:04}", [])
    store.folders(all=True)
    cost = spent(store, lambda: store.folders(all=True))
    assert (cost.round_trips, cost.commands) == (1, 1)
    assert cost.octets_in < 250_000
    assert len(store.folders(all=True)) == 1005


# --- other layouts


def test_a_prefix_and_dots(courier: Dovecot) -> None:
    name = courier.user(f"dotted{next(_names)}")
    with closing(store_on(courier, name)) as store, aside_on(courier, name) as aside:
        made(aside, "INBOX.Work", "INBOX.Work.Größe")
        folders = store.folders()
        assert [folder.role for folder in folders[:5]] == ["inbox", "drafts", "sent", "trash", "junk"]
        assert paths(folders[5:]) == ["Work", "Work/Größe"]
        assert by_name(folders)["INBOX.Work.Größe"].mailbox.delimiter == "."
        assert store.create("New") == "INBOX.New"
        assert store.create("INBOX.New.Below") == "INBOX.New.Below"
        assert {"INBOX.New", "INBOX.New.Below"} <= there(aside) & subscribed(aside)
        store.rename("INBOX.Work", "INBOX.Werk")
        assert {"INBOX.Werk", "INBOX.Werk.Größe"} <= there(aside) & subscribed(aside)
        assert not {"INBOX.Work", "INBOX.Work.Größe"} & (there(aside) | subscribed(aside))


def test_shared_ones_stand_under_a_heading_of_their_own(courier: Dovecot) -> None:
    name = courier.user(f"sharer{next(_names)}")
    public = courier.base / "public"
    if not (public / ".News").exists():
        maildir.fill(public / ".News", 2)
        maildir.fill(public / ".News.Local", 1)
    with closing(store_on(courier, name)) as store:
        folders = store.folders(all=True)
        assert [folder.namespace for folder in folders[-2:]] == ["shared", "shared"]
        assert paths(folders[-2:]) == ["News", "News/Local"]
        assert folders[-2].total == 2
        assert spent(store, lambda: store.folders(all=True)).round_trips == 1


# --- peers with less


STATUS = b"(MESSAGES UNSEEN UIDNEXT UIDVALIDITY)"


def signed_in(capabilities: bytes) -> Step:
    return (b"AUTHENTICATE", b"{tag} OK [CAPABILITY IMAP4rev1 " + capabilities + b"] welcome\r\n")


@contextmanager
def scripted(capabilities: bytes, *steps: Step) -> Iterator[tuple[ImapStore, Script]]:
    with Script(GREETING, [CAPABILITY, signed_in(capabilities), *steps]) as script:
        server = rig.plain(script)
        with closing(imap_store.connect(server, "u", "p")) as store:
            yield store, script


def counts(name: bytes, total: int, unseen: int) -> Step:
    said = b"* STATUS %b (MESSAGES %d UNSEEN %d UIDNEXT 9 UIDVALIDITY 4)\r\n{tag} OK\r\n"
    return (b"STATUS " + name, said % (name, total, unseen))


PLAIN_LIST: Step = (
    b"LIST",
    (
        b'* LIST () "/" INBOX\r\n* LIST (\\Noselect) "/" "a"\r\n* LIST () "/" "a/b"\r\n'
        b'* LIST () "/" "Sent Items"\r\n* LIST () "/" "z"\r\n{tag} OK\r\n'
    ),
)
PLAIN_LSUB: Step = (b"LSUB", b'* LSUB () "/" INBOX\r\n* LSUB () "/" "a/b"\r\n{tag} OK\r\n')


def test_without_list_status_only_what_is_shown_is_counted_in_a_second_write() -> None:
    inbox, ab = counts(b'"INBOX"', 5, 2), counts(b'"a/b"', 3, 1)
    with scripted(b"", PLAIN_LIST, PLAIN_LSUB, inbox, ab) as (store, script):
        before = store.traffic.round_trips, store.traffic.commands
        folders = store.folders(counted=slice(0, 3, 2))
        assert (store.traffic.round_trips - before[0], store.traffic.commands - before[1]) == (2, 4)
    said = b"".join(script.lines)
    assert b"RETURN" not in said
    assert said.count(b"STATUS") == 2
    assert [(f.name, f.unseen) for f in folders] == [("INBOX", 2), ("Sent Items", None), ("a/b", 1)]
    assert folders[1].role == "sent"


def test_one_folder_without_extensions_is_one_round_trip() -> None:
    with scripted(b"", PLAIN_LIST, PLAIN_LSUB, counts(b'"z"', 3, 1)) as (store, _script):
        folder = store.folder("z")
        assert store.traffic.round_trips == 3
    assert (folder.total, folder.unseen, folder.uidvalidity, folder.uidnext, folder.subscribed) == (
        3,
        1,
        4,
        9,
        False,
    )


def test_at_most_a_hundred_are_counted_at_once() -> None:
    lines = b"".join(b'* LIST () "/" b%d\r\n' % n for n in range(150))
    steps = [counts(b'"', 1, 0) for _ in range(100)]
    with scripted(b"", (b"LIST", lines + b"{tag} OK\r\n"), PLAIN_LSUB, *steps) as (store, script):
        assert len(store.folders(all=True)) == 150
    assert b"".join(script.lines).count(b"STATUS") == 100


def test_a_server_that_does_not_know_what_it_offers_is_asked_plainly() -> None:
    offers = b"LIST-EXTENDED LIST-STATUS SPECIAL-USE"
    refused = (b"LIST", b"{tag} BAD what\r\n")
    with scripted(offers, refused, PLAIN_LIST, PLAIN_LSUB, counts(b'"INBOX"', 1, 1)) as (store, _script):
        assert store.folders(counted=slice(1))[0].unseen == 1
        assert store.traffic.round_trips == 5


NAMESPACE: Step = (
    b"NAMESPACE",
    b'* NAMESPACE (("INBOX." ".")) (("user." ".")) (("#shared." "." "X" ("Y")))\r\n{tag} OK\r\n',
)


def test_namespaces_that_a_star_does_not_reach_are_asked_for_by_name() -> None:
    """So does Courier; it is learned once."""
    first = (b'LIST "" "*"', b'* LIST () "." INBOX\r\n* LIST () "." INBOX.a\r\n{tag} OK\r\n')
    more = (b'LIST "" "user.*"', b'* LIST (\\Noselect) "." user\r\n* LIST () "." user.bob\r\n{tag} OK\r\n')
    last = (b'LIST "" "#shared.*"', b'* LIST () "." "#shared.news"\r\n{tag} OK\r\n')
    nothing = (b"LSUB", b"{tag} OK\r\n")
    again = (first, nothing, more, nothing, last, nothing)
    steps = (NAMESPACE, first, nothing, more, nothing, last, nothing, *again)
    with scripted(b"NAMESPACE", *steps) as (store, _script):
        cost = spent(store, lambda: store.folders(counted=slice(0)))
        assert cost.round_trips == 2
        before = store.traffic.round_trips
        folders = store.folders(counted=slice(0))
        assert store.traffic.round_trips == before + 1
    assert [(folder.namespace, folder.path) for folder in folders] == [
        ("personal", ("INBOX",)),
        ("personal", ("a",)),
        ("others", ("bob",)),
        ("shared", ("news",)),
    ]


def test_a_server_without_any_separator() -> None:
    rows = b'* LIST () NIL INBOX\r\n* LIST () NIL "a/b.c"\r\n{tag} OK\r\n'
    with scripted(b"", (b"LIST", rows), PLAIN_LSUB) as (store, _script):
        folders = store.folders(all=True, counted=slice(0))
    assert [folder.path for folder in folders] == [("INBOX",), ("a/b.c",)]
    assert folders[1].mailbox.delimiter == ""


def test_what_is_not_there_is_shown_only_above_what_is() -> None:
    rows = (
        b'* LIST () "/" INBOX\r\n* LIST (\\NonExistent \\Subscribed) "/" "gone"\r\n'
        b'* LIST (\\NonExistent) "/" "up"\r\n* LIST (\\Subscribed) "/" "up/down"\r\n{tag} OK\r\n'
    )
    with scripted(b"LIST-EXTENDED", (b"LIST", rows)) as (store, script):
        folders = store.folders(all=True, counted=slice(0))
    assert [(folder.name, folder.open) for folder in folders] == [
        ("INBOX", True),
        ("up", False),
        ("up/down", True),
    ]
    assert b'LIST "" "*" RETURN (SUBSCRIBED)' in b"".join(script.lines)


def test_an_inbox_in_other_letters_is_the_inbox() -> None:
    rows = b'* LIST () "/" Inbox\r\n* LIST (\\JUNK) "/" "Bulk"\r\n{tag} OK\r\n'
    status = (b"STATUS", b'* STATUS "Inbox" (MESSAGES 3 UNSEEN 1 UIDNEXT 9 UIDVALIDITY 4)\r\n{tag} OK\r\n')
    with scripted(b"", (b"LIST", rows), PLAIN_LSUB, status) as (store, _script):
        inbox, junk = store.folders(counted=slice(1))
    assert (inbox.name, inbox.role, inbox.unseen) == ("INBOX", "inbox", 1)
    assert junk.role == "junk"


def test_lines_that_are_no_grammar_are_passed_over() -> None:
    rows = (
        b'* LIST nonsense\r\n* LIST () "/"\r\n* STATUS INBOX\r\n* STATUS\r\n* NAMESPACE (\r\n'
        b'* LIST () "/" INBOX\r\n{tag} OK\r\n'
    )
    with scripted(b"", (b"LIST", rows), PLAIN_LSUB) as (store, _script):
        assert [folder.name for folder in store.folders(counted=slice(0))] == ["INBOX"]


# --- names on the wire


GROESSE = "Rechnungen/Größe"


def test_with_utf8_accept_names_go_as_they_are() -> None:
    enabled = (b"ENABLE UTF8=ACCEPT", b"* ENABLED UTF8=ACCEPT\r\n{tag} OK\r\n")
    name = GROESSE.encode()
    rows = b'* LIST () "/" INBOX\r\n* LIST () "/" "%b"\r\n* LIST () "/" "a &- b"\r\n{tag} OK\r\n' % name
    steps = (
        enabled,
        (b"LIST", rows),
        PLAIN_LSUB,
        counts(b'"' + name + b'"', 2, 1),
        (b'UNSUBSCRIBE "' + name + b'"', b"{tag} OK\r\n"),
    )
    with scripted(b"ENABLE UTF8=ACCEPT", *steps) as (store, script):
        folders = by_name(store.folders(all=True, counted=slice(2, 3)))
        assert folders.keys() == {"INBOX", GROESSE, "a &- b"}
        assert folders[GROESSE].unseen == 1
        store.subscribe(GROESSE, False)
    assert b"&APY" not in b"".join(script.lines)


def test_a_server_that_does_not_enable_utf8_gets_modified_utf7() -> None:
    not_enabled = (b"ENABLE", b"* ENABLED\r\n{tag} OK\r\n")
    with scripted(b"ENABLE UTF8=ACCEPT", not_enabled, (b"SUBSCRIBE", b"{tag} OK\r\n")) as (store, script):
        store.subscribe(GROESSE)
    assert b'"Rechnungen/Gr&APYA3w-e"' in b"".join(script.lines)


def test_a_server_of_imap4rev2_alone_has_names_in_utf8() -> None:
    signed = (b"AUTHENTICATE", b"{tag} OK [CAPABILITY IMAP4rev2] welcome\r\n")
    steps = [CAPABILITY, signed, (b"SUBSCRIBE", b"{tag} OK\r\n")]
    with Script(GREETING, steps) as script, closing(imap_store.connect(rig.plain(script), "u", "p")) as store:
        store.subscribe(GROESSE)
    said = b"".join(script.lines)
    assert b'SUBSCRIBE "' + GROESSE.encode() + b'"' in said
    assert b"ENABLE" not in said


# Private-use characters represent octets that are not a valid name (`raw_names`).
@given(st.text(st.characters(exclude_categories=["Cs", "Co"], exclude_characters="\0\r\n")), st.booleans())
def test_names_come_back_as_they_went(name: str, utf8: bool) -> None:
    (said,) = parse([mailbox_argument(name, utf8)])
    assert isinstance(said, bytes)
    assert mailbox_name(said, utf8) == name
    assert utf8 or said.isascii()


@given(st.binary(), st.booleans())
def test_no_name_is_too_ugly_to_be_read(octets: bytes, utf8: bool) -> None:
    assert isinstance(mailbox_name(octets, utf8), str)


@given(
    st.lists(
        st.builds(
            Mailbox,
            st.text("aB/.#é", min_size=1, max_size=6),
            st.sampled_from(["/", ".", ""]),
            st.frozensets(st.sampled_from(["\\Noselect", "\\NonExistent", "\\Sent", "\\HasChildren"])),
        ),
        max_size=12,
        unique_by=lambda mailbox: mailbox.name,
    )
)
def test_every_mailbox_that_holds_messages_is_in_the_tree_once(mailboxes: list[Mailbox]) -> None:
    spaces = (
        mailbox_tree.Namespace("", "/"),
        mailbox_tree.Namespace("a/", "/", "others"),
        mailbox_tree.Namespace("#", "", "shared"),
    )
    folders = mailbox_tree.tree(mailboxes, frozenset(), spaces)
    names = [folder.name for folder in folders]
    assert len(names) == len(set(names))
    assert {mailbox.name for mailbox in mailboxes if mailbox_tree.is_open(mailbox)} <= set(names)
    assert all(all(folder.path) for folder in folders)
    roles = [folder.role for folder in folders if folder.role]
    assert len(roles) == len(set(roles))


# --- changes


def test_create_rename_subscribe_and_remove(store: ImapStore, aside: imaplib.IMAP4) -> None:
    assert store.create("Rechnungen") == "Rechnungen"
    assert store.create(GROESSE) == GROESSE
    assert {"Rechnungen", GROESSE} <= there(aside) & subscribed(aside)
    store.subscribe("Rechnungen", False)
    assert "Rechnungen" not in subscribed(aside)
    store.rename("Rechnungen", "Belege & Co")
    assert {"Belege & Co", "Belege & Co/Größe"} <= there(aside)
    assert "Belege & Co/Größe" in subscribed(aside)
    assert not {GROESSE, "Belege & Co"} & subscribed(aside)
    with pytest.raises(MailboxHasChildren):
        store.remove("Belege & Co")
    store.summaries("Belege & Co/Größe", Window(9))
    store.remove("Belege & Co/Größe")
    store.remove("Belege & Co")
    assert not {name for name in there(aside) | subscribed(aside) if "Belege" in name}
    with pytest.raises(MailboxGone):
        store.remove("Belege & Co")


def test_a_name_that_is_taken_is_said(store: ImapStore, aside: imaplib.IMAP4) -> None:
    made(aside, "One", "Two")
    with pytest.raises(MailboxExists):
        store.rename("One", "Two")
    assert {"One", "Two"} <= there(aside) & subscribed(aside)


@pytest.mark.parametrize("mailbox", ["INBOX", "inbox", "Sent", "Trash"])
def test_what_has_a_role_is_neither_renamed_nor_deleted(
    dovecot: Dovecot, user: str, store: ImapStore, aside: imaplib.IMAP4, mailbox: str
) -> None:
    dovecot.deliver(user, MAIL)
    before = there(aside)
    with pytest.raises((StoreRefused, MailboxGone)):
        store.rename(mailbox, "Elsewhere")
    with pytest.raises((StoreRefused, MailboxGone)):
        store.remove(mailbox)
    assert there(aside) == before
    assert store.folder("INBOX").total == 1


@pytest.mark.parametrize("bad", ["a\r\nb", "a\0", "a\n"])
def test_no_name_ends_its_command(store: ImapStore, bad: str) -> None:
    for act in (
        store.create,
        store.remove,
        store.subscribe,
        lambda bad: store.rename("INBOX/x", bad),
        store.folder,
    ):
        with pytest.raises((UnsafeArgument, MailboxGone)):
            act(bad)


# --- emptying


def uids(aside: imaplib.IMAP4, mailbox: str) -> list[int]:
    aside.select(mailbox, readonly=True)
    found = [int(word) for word in aside.uid("SEARCH", "ALL")[1][0].split()]
    aside.close()
    return found


def test_only_what_was_counted_is_deleted_and_nothing_elsewhere(
    dovecot: Dovecot, user: str, store: ImapStore, aside: imaplib.IMAP4
) -> None:
    for mailbox in ("Trash", "Junk", "INBOX"):
        for _ in range(3):
            dovecot.deliver(user, MAIL, mailbox, "T" if mailbox == "INBOX" else "")
    counted = store.folder("Trash")
    assert counted.total == 3
    dovecot.deliver(user, MAIL, "Trash", "T")
    done = store.empty("Trash", counted.uidvalidity, counted.uidnext)
    assert (done.marked, done.gone) == (3, 3)
    assert uids(aside, "Trash") == [4]
    assert len(uids(aside, "Junk")) == len(uids(aside, "INBOX")) == 3
    assert store.empty("Trash", counted.uidvalidity, counted.uidnext).gone == 0


@pytest.mark.parametrize("mailbox", ["INBOX", "Sent", "Drafts", "Mine"])
def test_nothing_but_trash_and_junk_is_emptied(
    dovecot: Dovecot, user: str, store: ImapStore, aside: imaplib.IMAP4, mailbox: str
) -> None:
    made(aside, "Mine")
    dovecot.deliver(user, MAIL, mailbox)
    known = store.folder(mailbox)
    with pytest.raises(StoreRefused):
        store.empty(mailbox, known.uidvalidity, known.uidnext)
    assert len(uids(aside, mailbox)) == 1


def test_a_trash_that_was_made_anew_is_not_emptied(
    dovecot: Dovecot, user: str, store: ImapStore, aside: imaplib.IMAP4
) -> None:
    dovecot.deliver(user, MAIL, "Trash")
    known = store.folder("Trash")
    with pytest.raises(MailboxGone):
        store.empty("Trash", known.uidvalidity + 1, known.uidnext)
    assert len(uids(aside, "Trash")) == 1


def test_without_uidplus_messages_stay_flagged_and_no_expunge_is_said() -> None:
    rows = b'* LIST () "/" INBOX\r\n* LIST () "/" Trash\r\n{tag} OK\r\n'
    steps = (
        (b"LIST", rows),
        PLAIN_LSUB,
        counts(b'"Trash"', 2, 0),
        SELECTED,
        (b"UID SEARCH UID 1:8", b"* SEARCH 3 5\r\n{tag} OK\r\n"),
        (b"UID STORE 1:8 +FLAGS.SILENT (\\Deleted)", b"{tag} OK\r\n"),
    )
    with scripted(b"", *steps) as (store, script):
        done = store.empty("Trash", 7, 9)
    assert (done.marked, done.gone) == (2, 0)
    assert b"EXPUNGE" not in b"".join(script.lines)
    assert b"CLOSE" not in b"".join(script.lines)


@pytest.mark.parametrize("how", [b"BAD what?", b"NO [CANNOT] no"])
def test_a_server_that_does_not_search_is_emptied_all_the_same(how: bytes) -> None:
    rows = b'* LIST () "/" INBOX\r\n* LIST () "/" Trash\r\n{tag} OK\r\n'
    steps = (
        (b"LIST", rows),
        PLAIN_LSUB,
        counts(b'"Trash"', 2, 0),
        SELECTED,
        (b"UID SEARCH UID 1:8", b"{tag} " + how + b"\r\n"),
        (b"UID FETCH 9:* (UID)", b"* 2 FETCH (UID 12)\r\n{tag} OK\r\n"),
        (b"UID STORE 1:8 +FLAGS.SILENT (\\Deleted)", b"{tag} OK\r\n"),
    )
    with scripted(b"", *steps) as (store, _script):
        assert store.empty("Trash", 7, 9) == Emptied(1, 0)


# --- room


def test_the_room_left_is_told() -> None:
    with dovecots.running(more=QUOTA) as server:
        name = server.user("full")
        with closing(store_on(server, name)) as store:
            assert store.quota() == Quota(0, 20 * 1024)
            store.append("Sent", MAIL + b"x" * 5000)
            assert store.quota() == Quota(5 * 1024, 20 * 1024)
            with pytest.raises(OverQuota):
                store.append("Sent", MAIL + b"x" * 20000)


def test_a_server_without_quota_is_not_asked(store: ImapStore) -> None:
    assert spent(store, store.quota).commands == 0
    assert store.quota() is None


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (b'* QUOTA "" (STORAGE 10 512)\r\n', Quota(10240, 524288)),
        (
            b'* QUOTA "a" (STORAGE 10 512)\r\n* QUOTA "b" (MESSAGE 5 6 STORAGE 400 512)\r\n',
            Quota(409600, 524288),
        ),
        (b'* QUOTA "" (MESSAGE 1 2)\r\n', None),
        (b'* QUOTA "" ()\r\n', None),
        (b"* QUOTA\r\n* QUOTA (\r\n* QUOTA x (STORAGE 1)\r\n", None),
        (b'* QUOTA "" (STORAGE 10 0)\r\n', None),
    ],
)
def test_of_several_limits_the_nearest_counts(lines: bytes, expected: Quota | None) -> None:
    with scripted(b"QUOTA", (b"GETQUOTAROOT", lines + b"{tag} OK\r\n")) as (store, _script):
        assert store.quota() == expected
