"""logins: one person is one account in every spelling that a mail server treats as the same."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.logins import account_key, canonical, counting_key
from gateway.config import Config, Server, Tls, Upstream
from gateway.errors import AuthenticationFailed, TooManyTries
from tests.access.test_session import PASSWORD, House, house, server

__all__ = ["house"]
UMLAUT = "jürgen@bücher.example"


def upstream(**more: Any) -> Upstream:
    return Upstream(("example.org", "xn--bcher-kva.example"), server("imap"), server("smtp"), **more)


SAME = [
    ("anna@example.org", "Anna@example.org"),
    ("anna@example.org", "ANNA@EXAMPLE.ORG"),
    ("anna@example.org", "anna@example.org."),
    ("anna@example.org", "anna @example.org"),
    ("anna@example.org", "anna@ example.org"),
    ("anna@example.org", "\u3000anna@example.org"),
    ("anna@example.org", "ａｎｎａ@example.org"),
    ("anna@example.org", "ＡＮＮＡ@ｅｘａｍｐｌｅ．ｏｒｇ"),
    ("anna@example.org", "anna@example。org"),
    (UMLAUT, "JÜRGEN@xn--bcher-kva.example"),
    (UMLAUT, "jürgen@BÜCHER.example"),
    (UMLAUT, "jürgen@XN--BCHER-KVA.Example"),
    (UMLAUT, unicodedata.normalize("NFD", UMLAUT)),
    ("ｱﾝﾅ@example.org", "アンナ@example.org"),
]
OTHERS = [
    ("anna@example.org", "anna@bücher.example"),
    ("anna@example.org", "ann@example.org"),
    ("+491@example.org", "+492@example.org"),
    # Not the same mailbox on every server, so never the same contacts; but their wrong passwords count together.
    ("anna@example.org", "an.na@example.org"),
    ("anna@example.org", "anna+x@example.org"),
    ("strasse@example.org", "straße@example.org"),
    ("anna@example.org", "ánna@example.org"),
    ("anna@example.org", "an na@example.org"),
    ("fisch@example.org", "ﬁsch@example.org"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_login(one: str, other: str) -> None:
    for key in (account_key, counting_key):
        assert key(upstream(), one) == key(upstream(), other)


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_what_may_be_two_people_is_two_accounts(one: str, other: str) -> None:
    assert account_key(upstream(), one) != account_key(upstream(), other)


@pytest.mark.parametrize(("one", "other"), OTHERS[3:])
def test_what_a_server_may_take_for_the_same_is_counted_together(one: str, other: str) -> None:
    assert counting_key(upstream(), one) == counting_key(upstream(), other)
    local = upstream(login="local-part")
    assert counting_key(local, one) == counting_key(local, other)


@pytest.mark.parametrize(("one", "other"), OTHERS[:3])
def test_other_people_are_not_counted_together(one: str, other: str) -> None:
    assert counting_key(upstream(), one) != counting_key(upstream(), other)


def test_two_mailboxes_told_apart_by_case_are_kept_apart_if_the_upstream_says_so() -> None:
    apart = upstream(case_sensitive_logins=True)
    for key in (account_key, counting_key):
        assert key(apart, "Anna@example.org") != key(apart, "anna@example.org")
        assert key(apart, "Anna@EXAMPLE.org.") == key(apart, "Anna@example.org")
        assert key(apart, UMLAUT) == key(apart, unicodedata.normalize("NFD", UMLAUT))


def test_the_server_belongs_to_the_account_and_where_it_knows_no_domains_they_do_not() -> None:
    local = upstream(login="local-part")
    assert account_key(local, "Anna@example.org") == account_key(local, "anna@bücher.example")
    other = Upstream(("example.org",), Server("imap", "other.example", 993, Tls.IMPLICIT), server("smtp"))
    assert account_key(other, "anna@example.org") != account_key(upstream(), "anna@example.org")


@given(st.text(max_size=40), st.booleans())
def test_the_one_spelling_is_its_own(local: str, apart: bool) -> None:
    rule = upstream(case_sensitive_logins=apart)
    once = canonical(rule, f"{local}@example.org")
    assert canonical(rule, once) == once
    assert counting_key(rule, once) == counting_key(rule, f"{local}@example.org")


@given(st.text(max_size=40))
def test_case_never_makes_another_person_of_somebody(local: str) -> None:
    typed = f"{local}@example.org"
    assert account_key(upstream(), typed.lower()) == account_key(upstream(), typed)
    assert counting_key(upstream(), typed.lower()) == counting_key(upstream(), typed)


SPELLINGS = [
    "anna",
    "an.na",
    "anna+x",
    "Anna",
    "aNNA",
    "ANNA",
    " anna",
    "ａｎｎａ",
    "Ａnna",
    "ánna",
    "anna\u200b",
    "a n n a",
]
DOMAINS = [
    " example.org",
    "example.org",
    "Example.org",
    "EXAMPLE.ORG",
    "example.org.",
    "ｅxample.org",
    "example。org",
    "exAmple.Org",
]


def test_a_guesser_gains_nothing_by_spelling(house: House) -> None:
    tried = 0
    for number in range(120):
        local, domain = SPELLINGS[number % len(SPELLINGS)], DOMAINS[number // len(SPELLINGS) % len(DOMAINS)]
        try:
            house.open(f"{local}@{domain}", f"wrong {number}")
        except AuthenticationFailed:
            tried += 1
        except TooManyTries:
            pass
    passwords = [password for _, _, password in house.connects]
    assert tried == len(set(passwords)) <= 6
    # As typed, and in lower case if that is different.
    assert max(map(passwords.count, passwords)) <= 2


def test_a_blank_that_a_keypad_puts_after_a_sign_is_nobodys(house: House) -> None:
    assert house.open("anna@ example.org").address == "anna@example.org"


def test_a_login_goes_to_the_server_as_it_was_typed(house: House) -> None:
    house.passwords["Anna@example.org"] = PASSWORD
    session = house.open("Anna@Example.org")
    assert house.connects[-1][1] == session.address == "Anna@example.org"
    assert session.account == house.open("anna@example.org").account


def test_case_sensitive_logins_are_two_accounts(house: House) -> None:
    house.restart(
        Config(
            upstreams=(
                Upstream(("example.org",), server("imap"), server("smtp"), case_sensitive_logins=True),
            )
        )
    )
    house.passwords["Anna@example.org"] = PASSWORD
    assert house.open("Anna@example.org").account != house.open("anna@example.org").account
