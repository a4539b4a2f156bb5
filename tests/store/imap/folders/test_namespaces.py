"""Namespaces and special folders: a person's own are never where others read, whatever the server's layout."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.actions import store_operations
from gateway.actions.table import JUNK
from gateway.config.options import OPTIONS
from gateway.language.languages import LANGUAGES, Language
from gateway.sending import filing
from gateway.store import mailbox_tree
from gateway.store.base import OTHERS, PERSONAL, SHARED, Mailbox, Window
from gateway.store.mailbox_tree import ROLES, FoundBy, Namespace, SpecialMailbox
from gateway.store.special_names import NAMES, fold
from tests.servers import dovecot as dovecots
from tests.servers import maildir
from tests.servers.dovecot import Dovecot
from tests.store.imap.folders.test_folders import (
    PLAIN_LSUB,
    aside_on,
    by_name,
    scripted,
    spent,
    store_on,
    there,
)
from tests.store.script import Step

_names = count(1)
MAIL = b"From: a@example.org\r\nMessage-ID: <one@example.org>\r\nSubject: plain\r\n\r\nplain text\r\n"

#: Cyrus's default: everything of one's own below INBOX, the mailboxes for everybody without a prefix.
CYRUS = dovecots.NAMESPACE % (".", "INBOX.") + dovecots.PUBLIC
CYRUS_SPACES = (Namespace("INBOX.", "."), Namespace("user.", ".", OTHERS), Namespace("", ".", SHARED))


@pytest.fixture(scope="module")
def cyrus() -> Iterator[Dovecot]:
    with dovecots.running(CYRUS) as server:
        maildir.fill(server.base / "public" / ".Bulletins", 2)
        yield server


def test_what_is_sent_never_lies_among_the_mailboxes_for_all(cyrus: Dovecot) -> None:
    """They are writable here: what has no prefix would be created there, and read by everybody."""
    name = cyrus.user(f"own{next(_names)}")
    with closing(store_on(cyrus, name)) as store, aside_on(cyrus, name) as aside:
        before = there(aside)
        kept = filing.keep(store, MAIL, "<one@example.org>", datetime.now(UTC))
        assert kept is not None
        assert kept.mailbox == "INBOX.Drafts"
        assert filing.file(store, "<one@example.org>", kept)
        assert filing.find(store, filing.SENT, "<one@example.org>") is not None
        (row,) = store.summaries("INBOX.Sent", Window(9)).summaries
        assert store_operations.apply(store, JUNK, [row.ref], "").to == "INBOX.Junk"
        assert store.create("Neu") == "INBOX.Neu"
        assert there(aside) - before == {"INBOX.Drafts", "INBOX.Sent", "INBOX.Junk", "INBOX.Neu"}
    assert sorted(path.name for path in (cyrus.base / "public").glob(".*")) == [".Bulletins"]


def test_mailboxes_for_all_without_a_prefix_are_shared_and_the_inbox_is_not(cyrus: Dovecot) -> None:
    name = cyrus.user(f"own{next(_names)}")
    with closing(store_on(cyrus, name)) as store:
        store.create("Größe")
        folders = [(folder.namespace, folder.path, folder.role) for folder in store.folders(all=True)]
        assert folders == [
            (PERSONAL, ("INBOX",), "inbox"),
            (PERSONAL, ("Größe",), ""),
            (SHARED, ("Bulletins",), ""),
        ]
        # One below a mailbox for everybody is created where it was requested.
        assert store.create("Bulletins.Below", whole=True) == "Bulletins.Below"
        store.remove("Bulletins.Below")


def test_names_for_all_have_no_role_though_they_are_usual_or_marked() -> None:
    namespace: Step = (
        b"NAMESPACE",
        b'* NAMESPACE (("INBOX." ".")) (("user." ".")) (("" "."))\r\n{tag} OK\r\n',
    )
    marked = (
        b"LIST (SPECIAL-USE)",
        b'* LIST (\\Sent) "." Sent\r\n* LIST (\\Sent) "." user.bob.Sent\r\n{tag} OK\r\n',
    )
    rows = b'* LIST () "." INBOX\r\n* LIST (\\Sent) "." Sent\r\n* LIST () "." Drafts\r\n{tag} OK\r\n'
    everything = (b'LIST "" "*"', rows)
    created = ((b'CREATE "INBOX.Sent"', b"{tag} OK\r\n"), (b"SUBSCRIBE", b"{tag} OK\r\n"))
    steps = (namespace, marked, everything, *created, everything)
    with scripted(b"NAMESPACE LIST-EXTENDED SPECIAL-USE", *steps) as (store, _script):
        cost = spent(store, lambda: store.special_or_new("sent"))
        assert cost.round_trips == 3
        assert store.roles() == {"inbox": "INBOX"}


def test_namespaces_are_learned_in_the_round_trip_of_the_list() -> None:
    namespace = (b"NAMESPACE", b'* NAMESPACE (("" "/")) NIL NIL\r\n{tag} OK\r\n')
    marked = (b"LIST (SPECIAL-USE)", b'* LIST (\\Sent) "/" Out\r\n{tag} OK\r\n')
    with scripted(b"NAMESPACE LIST-EXTENDED SPECIAL-USE", namespace, *[marked] * 3) as (store, _script):
        for commands in (2, 1):
            cost = spent(store, lambda: store.special("sent"))
            assert (cost.round_trips, cost.commands) == (1, commands)
        assert store.special("sent") == "Out"


def test_a_server_without_namespaces_that_has_all_below_the_inbox() -> None:
    rows = b'* LIST () "." INBOX\r\n* LIST () "." INBOX.Work\r\n{tag} OK\r\n'
    steps = (
        (b"LIST", rows),
        (b'CREATE "INBOX.Drafts"', b"{tag} OK\r\n"),
        (b"SUBSCRIBE", b"{tag} OK\r\n"),
        (b"LIST", rows),
        PLAIN_LSUB,
    )
    with scripted(b"", *steps) as (store, _script):
        assert store.special_or_new("drafts") == "INBOX.Drafts"
        assert by_name(store.folders(all=True, counted=slice(0)))["INBOX.Work"].path == ("Work",)


def test_special_use_in_a_list_that_is_refused_is_not_asked_for_again() -> None:
    refused = (b"LIST", b"{tag} BAD what\r\n")
    plain = (b"LIST", b'* LIST () "/" INBOX\r\n* LIST (\\SENT) "/" Out\r\n{tag} OK\r\n')
    with scripted(b"LIST-EXTENDED SPECIAL-USE", refused, plain, plain) as (store, script):
        assert store.special("sent") == "Out"
        assert store.mailboxes()[1].name == "Out"
    assert b"".join(script.lines).count(b"SPECIAL-USE") == 2  # both in the one that was refused


def test_virtual_mailboxes_are_known_once_a_list_has_marked_them() -> None:
    rows = (
        b'* LIST () "/" INBOX\r\n* LIST (\\HasNoChildren \\All) "/" "[Gmail]/Alle"\r\n'
        b'* LIST (\\flagged) "/" Stars\r\n* LIST (\\Important) "/" Vip\r\n* LIST (\\Trash) "/" Bin\r\n{tag} OK\r\n'
    )
    with scripted(b"SPECIAL-USE", (b"LIST", rows)) as (store, _script):
        assert store.takes_back("Stars")
        assert store.roles()["trash"] == "Bin"

        def takers() -> list[str]:
            names = ("INBOX", "[Gmail]/Alle", "Stars", "Vip", "Bin", "Mine")
            return [name for name in names if store.takes_back(name)]

        assert takers() == ["INBOX", "Bin", "Mine"]
        assert spent(store, takers).commands == 0


# --- placing


@pytest.mark.parametrize(
    ("name", "prefix", "owner"),
    [
        ("INBOX", "", PERSONAL),
        ("inbox", "", PERSONAL),
        ("INBOX.Sent", "INBOX.", PERSONAL),
        ("Inbox.Sent", "INBOX.", PERSONAL),
        ("user.bob", "user.", OTHERS),
        ("users", "", SHARED),
        ("INBOX2", "", SHARED),
    ],
)
def test_the_longest_prefix_wins_and_the_inbox_is_ones_own(name: str, prefix: str, owner: str) -> None:
    for spaces in (CYRUS_SPACES, CYRUS_SPACES[::-1]):
        found = mailbox_tree.space_with(name, spaces)
        assert (found.prefix, found.owner) == (prefix, owner)


def test_what_is_below_the_inbox_is_not_everybodys_though_no_prefix_says_so() -> None:
    spaces = (Namespace("", "/", SHARED), Namespace("mail/", "/"))
    assert mailbox_tree.space_with("INBOX/Sent", spaces).owner == PERSONAL
    assert (
        mailbox_tree.space_with("INBOX.Sent", spaces).owner == SHARED
    )  # a name at the top: "/" is the separator
    assert roles([*own("Sent"), Mailbox("INBOX/Sent")], *spaces)["sent"].name == "INBOX/Sent"


@pytest.mark.parametrize(
    ("spaces", "expected"),
    [
        (CYRUS_SPACES, "INBOX.Sent"),
        ((Namespace("", "/", SHARED), Namespace("", "/")), "Sent"),
        ((Namespace("", "/", SHARED),), "INBOX/Sent"),
        ((Namespace("", "/", OTHERS),), "INBOX/Sent"),
        ((Namespace("#news.", ".", SHARED),), "Sent"),
        ((), "Sent"),
        ((Namespace("mail/", "/"), Namespace("", "/", SHARED)), "mail/Sent"),
    ],
)
def test_what_has_no_prefix_gets_the_personal_one(spaces: tuple[Namespace, ...], expected: str) -> None:
    assert mailbox_tree.whole_name("Sent", spaces) == expected
    placed = mailbox_tree.space_with(expected, spaces)
    assert placed.owner == PERSONAL


@given(
    st.lists(
        st.builds(
            Namespace,
            st.sampled_from(["", "INBOX.", "user.", "#shared.", "INBOX.shared."]),
            st.just("."),
            st.sampled_from([PERSONAL, OTHERS, SHARED]),
        ),
        max_size=4,
        unique_by=lambda space: space.prefix,
    ),
    st.text("aINBOXuser", min_size=1, max_size=6),
)
def test_no_new_folder_is_anybody_elses(spaces: list[Namespace], leaf: str) -> None:
    assert mailbox_tree.space_with(
        mailbox_tree.whole_name(leaf, spaces), spaces
    ).owner == PERSONAL or not any(space.owner == PERSONAL for space in spaces)


# --- special folders by name


def own(*names: str, delimiter: str = "/") -> list[Mailbox]:
    return [Mailbox(name, delimiter) for name in ("INBOX", *names)]


def roles(mailboxes: list[Mailbox], *spaces: Namespace, **named: str) -> dict[str, SpecialMailbox]:
    found = mailbox_tree.special(mailboxes, spaces or mailbox_tree.ONE_NAMESPACE, named)
    assert found.pop("inbox").name == "INBOX"
    return found


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Sent Items", "sent"),
        ("SENT", "sent"),
        ("Deleted Items", "trash"),
        ("Junk E-Mail", "junk"),
        ("Gesendete Elemente", "sent"),
        ("Gelöschte Elemente", "trash"),
        (unicodedata.normalize("NFD", "GELÖSCHTE ELEMENTE"), "trash"),
        ("Posta inviata", "sent"),
        ("Éléments envoyés", "sent"),
        (unicodedata.normalize("NFD", "Éléments supprimés"), "trash"),
        ("Отправленные", "sent"),
        ("Удалённые", "trash"),
        ("已发送", "sent"),
        ("已删除", "trash"),
        ("送信済みアイテム", "sent"),
        ("보낸 편지함", "sent"),
        ("GÖNDERİLMİŞ ÖĞELER", "sent"),
        ("Sent_Items", "sent"),
    ],
)
@pytest.mark.parametrize(
    "where", ["{}", "INBOX/{}", "INBOX.{}", "INBOX\\{}", "[Gmail]/{}", "[Google Mail]/{}"]
)
def test_special_folders_are_found_by_the_names_of_providers(name: str, role: str, where: str) -> None:
    whole = where.format(name)
    delimiter = where[-3] if len(where) > 2 else "/"
    assert roles(own(whole, delimiter=delimiter)) == {role: SpecialMailbox(whole, FoundBy.BY_NAME)}
    prefixed = Namespace(f"INBOX{delimiter}", delimiter)
    assert roles(own(whole, delimiter=delimiter), prefixed) == {role: SpecialMailbox(whole, FoundBy.BY_NAME)}
    assert mailbox_tree.role_of(whole) == role


def test_only_at_the_top() -> None:
    assert roles(own("Kunden/Sent", "INBOX/Kunden/Entwürfe", "Sent/2024")) == {}


def test_no_name_is_that_of_two_roles_and_none_stands_twice() -> None:
    folded = Counter(fold(name) for row in NAMES.values() for name in row)
    assert [name for name, times in folded.items() if times > 1] == []
    assert NAMES.keys() == set(ROLES) - {"inbox"}
    assert {"sent", "drafts"} <= NAMES.keys()


def test_the_words_of_our_languages_are_among_the_names() -> None:
    """A folder that a person named as the gateway would is that one."""
    labels = {"drafts": "Drafts", "sent": "Sent", "trash": "Trash", "junk": "Junk", "archive": "Archive"}
    for tag in LANGUAGES:
        for role, label in labels.items():
            assert mailbox_tree.role_of(Language(tag).gettext(label)) == role, (tag, label)


def test_the_option_names_every_role() -> None:
    (option,) = (option for option in OPTIONS if option.name == "special")
    assert set(option.choices) == NAMES.keys()


def test_an_attribute_wins_over_a_name_and_the_administrator_over_both() -> None:
    mailboxes = [*own("Sent", "Out"), Mailbox("Elsewhere", "/", frozenset({"\\SENT"}))]
    assert roles(mailboxes) == {"sent": SpecialMailbox("Elsewhere", FoundBy.MARKED)}
    assert roles(mailboxes, sent="out") == {"sent": SpecialMailbox("Out", FoundBy.NAMED)}
    assert roles(mailboxes, sent="Missing") == {"sent": SpecialMailbox("Elsewhere", FoundBy.MARKED)}


def test_a_named_folder_is_a_path_on_any_server() -> None:
    dots = own("INBOX.Mail.Ausgang", delimiter=".")
    space = Namespace("INBOX.", ".")
    assert roles(dots, space, sent="Mail/Ausgang")["sent"].name == "INBOX.Mail.Ausgang"
    assert mailbox_tree.name_for("sent", {"sent": "Mail/Ausgang"}, (space,)) == "INBOX.Mail.Ausgang"
    assert mailbox_tree.name_for("sent", {}, (space,)) == "INBOX.Sent"


@given(st.permutations(["Gesendet", "Sent", "Sent Items", "INBOX/Sent", "Out", "Elsewhere"]))
def test_of_several_it_is_always_the_same(names: list[str]) -> None:
    assert roles(own(*names))["sent"].name == "Sent"
    marked = [Mailbox(name, "/", frozenset({"\\Sent"})) for name in names if name != "Sent"]
    assert roles([*own("Sent"), *marked])["sent"].name == "INBOX/Sent"


def test_one_mailbox_has_one_role() -> None:
    both = Mailbox("Out", "/", frozenset({"\\Sent", "\\Archive"}))
    assert roles([*own(), both]) == {"sent": SpecialMailbox("Out", FoundBy.MARKED)}


def test_a_folder_that_holds_no_messages_has_no_role() -> None:
    assert roles([*own(), Mailbox("Sent", "/", frozenset({"\\NoSelect"}))]) == {}
