"""Mailbox names as servers have them: sent back octet by octet, and readable; and LIST as it comes."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.errors import UnsafeArgument
from gateway.store import mailbox_tree, raw_names
from gateway.store.base import Folder, MessageRef, Window
from gateway.store.imap.fetched import flags_of
from gateway.store.imap.opening import mailbox_argument, mailbox_name
from gateway.store.imap.response import parse
from tests.store.imap.folders.test_folders import PLAIN_LSUB, by_name, counts, scripted
from tests.store.script import SELECTED, Step

BARE, EIGHT_BIT = b"Tom & Jerry", "Größe".encode()
MAIL = b"Subject: x\r\n\r\n.\r\n"


@given(st.one_of(st.binary(), st.text('&-A,+ é/\\"').map(str.encode)), st.booleans())
@example(b"&APY-&AN8-", False)  # one sequence would do
@example(b"&AGE-", False)  # an "a" needs none
@example("\U0010f041".encode(), True)
def test_every_name_is_sent_back_as_it_came(octets: bytes, utf8: bool) -> None:
    name = mailbox_name(octets, utf8)
    name.encode()  # it can be stored as text
    if {0, 10, 13} & set(octets):
        with pytest.raises(UnsafeArgument):
            mailbox_argument(name, utf8)
    else:
        assert parse([mailbox_argument(name, utf8)]) == (octets,)


@pytest.mark.parametrize(
    ("octets", "readable"),
    [
        (BARE, "Tom & Jerry"),
        (EIGHT_BIT, "Größe"),
        (b"&AOQ", "&AOQ"),
        (b"A & B/Gr&APYA3w-e", "A & B/Größe"),
        (b"a &- b", "a & b"),
        (b"\xff", "\N{REPLACEMENT CHARACTER}"),
        ("\U0010f041".encode(), "\U0010f041"),
    ],
)
def test_names_are_readable(octets: bytes, readable: str) -> None:
    assert raw_names.readable(mailbox_name(octets)) == readable


def test_a_valid_name_has_no_raw_octets() -> None:
    assert not raw_names.is_raw(mailbox_name(b"Gr&APYA3w-e"))
    assert not raw_names.is_raw(mailbox_name(EIGHT_BIT, utf8=True))


@pytest.mark.parametrize("octets", [BARE, EIGHT_BIT])
def test_a_folder_with_such_a_name_is_listed_opened_renamed_and_left(octets: bytes) -> None:
    rows: Step = (b"LIST", b'* LIST () "/" INBOX\r\n* LIST () "/" "' + octets + b'"\r\n{tag} OK\r\n')
    steps: tuple[Step, ...] = (
        rows,
        PLAIN_LSUB,
        counts(b'"' + octets + b'"', 3, 1),
        (b'SELECT "' + octets + b'"', SELECTED[1].replace(b"2 EXISTS", b"0 EXISTS")),
        (b'STATUS "' + octets + b'" (MESSAGES UNSEEN)', b"{tag} OK\r\n"),
        (b'CREATE "' + octets + b'/Gr&APYA3w-e"', b"{tag} OK\r\n"),
        (b"SUBSCRIBE", b"{tag} OK\r\n"),
    )
    with scripted(b"", *steps) as (store, _script):
        found: Folder = store.folders(all=True, counted=slice(1, 2))[1]
        assert (found.path, found.unseen) == ((octets.decode(),), 1)
        assert store.summaries(found.name, Window(9)).mailbox == found.name
        assert store.create(f"{found.name}/Größe", whole=True) == f"{found.name}/Größe"
    assert mailbox_name(octets + b"/Gr&APYA3w-e") == f"{found.name}/Größe"


def test_special_folders_are_found_by_raw_names() -> None:
    sent = "Отправленные".encode()
    with scripted(b"", (b"LIST", b'* LIST () "/" "' + sent + b'"\r\n{tag} OK\r\n')) as (store, _script):
        assert mailbox_argument(store.roles()["sent"]) == b'"' + sent + b'"'


# --- LIST as it comes


@pytest.mark.parametrize("delimiter", ["/", ".", "\\", "^"])
def test_every_separator(delimiter: str) -> None:
    quoted = delimiter.replace("\\", "\\\\").encode()
    row = b'* LIST () "%b" "a%bb%bSent Items"\r\n' % (quoted, quoted, quoted)
    with scripted(b"", (b"LIST", row + b"{tag} OK\r\n"), PLAIN_LSUB) as (store, _script):
        (folder,) = store.folders(all=True, counted=slice(0))
    assert (folder.path, folder.role) == (("a", "b", "Sent Items"), "")
    assert mailbox_argument(folder.name) == b'"a%bb%bSent Items"' % (quoted, quoted)


def test_names_in_literals_and_with_escapes() -> None:
    rows = (
        b'* LIST () "/" {7}\r\na "b" c\r\n* LIST (\\HasNoChildren) "/" "a \\"q\\" \\\\ z"\r\n'
        b"* LIST () NIL atom\r\n* LIST () / {0}\r\n\r\n{tag} OK\r\n"
    )
    with scripted(b"", (b"LIST", rows), PLAIN_LSUB) as (store, _script):
        names = {folder.name for folder in store.folders(all=True, counted=slice(0))}
    assert names == {'a "b" c', 'a "q" \\ z', "atom"}


def test_a_mailbox_that_is_listed_twice_is_one() -> None:
    rows = (
        b'* LIST (\\Noselect \\HasChildren) "/" Out\r\n* LIST (\\Sent) "/" Out\r\n* LIST () "/" INBOX\r\n'
        b'* LIST (\\NoSelect) "/" Up\r\n* LIST (\\NOSELECT) "/" Up\r\n* LIST () "/" Up/Down\r\n'
        b'* LIST (\\HasNoChildren) "/" inbox\r\n{tag} OK\r\n'
    )
    with scripted(b"", (b"LIST", rows), PLAIN_LSUB) as (store, _script):
        folders = by_name(store.folders(all=True, counted=slice(0)))
    assert folders.keys() == {"INBOX", "Out", "Up", "Up/Down"}
    assert (folders["Out"].open, folders["Out"].role, folders["Out"].children) == (True, "sent", True)
    assert not folders["Up"].open


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("INBOX.Größe", ("Größe",)),
        ("Inbox/a/b", ("a", "b")),
        ("INBOX\\a\\b.c", ("a", "b.c")),
        ("INBOX.", ("INBOX.",)),
        ("Größe/2024", ("Größe/2024",)),
        ("INBOXES", ("INBOXES",)),
    ],
)
def test_the_path_of_a_bare_name(name: str, path: tuple[str, ...]) -> None:
    assert mailbox_tree.path_of(name) == path


# --- what was just stored


@pytest.mark.parametrize(("noticed", "selects"), [(b"", 2), (b"* 3 EXISTS\r\n", 1)])
def test_a_uid_is_used_only_in_a_mailbox_that_knows_it(noticed: bytes, selects: int) -> None:
    """QUIRK: Courier's selected mailbox does not know a message that was just appended to it."""
    steps: list[Step] = [
        SELECTED,
        (b"STATUS", b"{tag} OK\r\n"),
        (b"APPEND", noticed + b"{tag} OK [APPENDUID 7 29] done\r\n"),
        *([SELECTED] if selects == 2 else []),
        (b"UID STORE 29", b"* 3 FETCH (UID 29 FLAGS (\\SEEN \\draft $Own))\r\n{tag} OK\r\n"),
        (
            b"UID FETCH 29 (UID FLAGS)",
            b"* 3 FETCH (UID 29 FLAGS (\\SEEN \\draft \\recent $Own))\r\n{tag} OK\r\n",
        ),
    ]
    with scripted(b"UIDPLUS LITERAL+", *steps) as (store, script):
        store._select("INBOX")
        store._run(b'STATUS "INBOX" (UNSEEN)')
        ref = store.append("INBOX", MAIL)
        assert ref == MessageRef("INBOX", 7, 29)
        store.flag([ref], ["\\Seen"])
        (reply,) = store._run(b"UID FETCH 29 (UID FLAGS)")
        assert flags_of(reply.untagged[0].items()) == {"\\Seen", "\\Draft", "$Own"}
    assert b"".join(script.lines).count(b"SELECT") == selects
