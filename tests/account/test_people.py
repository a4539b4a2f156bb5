"""people and contacts: who was met, whom a few letters mean, and who is in the address book."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.session import Session
from gateway.account import address_book, people, profile
from gateway.account.people import Person
from gateway.account.profile import Identity
from gateway.message.model import Address, Envelope, Message, Part
from gateway.message.vcard import Card
from gateway.sealed.memory import Memory
from gateway.store.session_cache import SessionCache
from tests import bounded
from tests.access.test_session import ANNA, PASSWORD, House

DAY = 86400.0
NOW = 20_000 * DAY


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "state.sqlite")
    yield made
    made.state.close()


@pytest.fixture
def session(house: House) -> Session:
    return house.open()


def wrote(session: Session, *specs: str, now: float = NOW) -> None:
    people.record_people(session, [Address("", spec) for spec in specs], wrote=True, now=now)


def heard(session: Session, name: str, spec: str, now: float = NOW) -> None:
    people.record_people(session, [Address(name, spec)], wrote=False, now=now)


def meant(session: Session, prefix: str, most: int = 5, now: float = NOW) -> list[str]:
    return [one.spec for one in people.complete(session, prefix, most, now)]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("j", True),
        ("JÖ", True),
        ("jorg", True),
        ("mul", True),
        ("muller jo", True),
        ("Jörg Müll", True),
        ("j.mu", True),
        ("j.mueller@ex", True),
        ("mueller", True),
        ("exam", True),
        ("example.n", True),
        ("örg", False),
        ("jorg mei", False),
        ("", False),
        ("   ", False),
        ("j" * 200, False),
    ],
)
def test_by_the_first_letters_of_any_word(session: Session, typed: str, found: bool) -> None:
    heard(session, "Jörg Müller", "j.mueller@example.net")
    assert meant(session, typed) == (["j.mueller@example.net"] if found else [])


def test_letters_without_accents_stand_for_those_with(session: Session) -> None:
    heard(session, "Łukasz Straße Øst", "x@y.org")
    assert all(meant(session, typed) for typed in ("luk", "ŁUK", "strasse", "ost", "øs"))


def test_who_is_used_most_comes_first_and_at_most_five(session: Session) -> None:
    for number in range(7):
        wrote(session, *[f"a{index}@x.org" for index in range(number, 7)])
    assert meant(session, "a") == [f"a{index}@x.org" for index in (6, 5, 4, 3, 2)]
    assert meant(session, "a", most=2) == ["a6@x.org", "a5@x.org"]


def test_to_write_says_more_than_to_hear_and_long_ago_says_less(session: Session) -> None:
    wrote(session, "written@x.org")
    for day in range(2):
        heard(session, "", "heard@x.org", NOW + day * DAY)
    assert meant(session, "x.org", now=NOW + DAY) == ["written@x.org", "heard@x.org"]
    for day in range(4):
        wrote(session, "once@x.org", now=NOW - (400 - day) * DAY)
    assert meant(session, "x.org")[2] == "once@x.org"


def test_the_address_book_is_asked_too_and_first_at_equal_use(session: Session) -> None:
    address_book.add(session, [Card("Zoe", ("zoe@x.org", "z2@x.org")), Card("Al", ("al@x.org",))])
    assert meant(session, "x.org") == ["al@x.org", "z2@x.org", "zoe@x.org"]
    heard(session, "Bee", "bee@x.org")
    wrote(session, "al@x.org")
    heard(session, "someone else", "ZOE@x.org")
    assert meant(session, "x.org") == ["al@x.org", "zoe@x.org", "bee@x.org", "z2@x.org"]
    assert people.complete(session, "zoe@", now=NOW) == [Address("Zoe", "zoe@x.org")]


def test_own_addresses_robots_and_nonsense_are_nobody(session: Session) -> None:
    profile.keep_identity(session, 0, Identity("Anna", ANNA))
    wrote(session, ANNA.upper(), "nonsense", "x" * 130 + "@x.org")
    for spec in (
        "no-reply@x.org",
        "donotreply@x.org",
        "MAILER-DAEMON@x.org",
        "bounces@x.org",
        "do-not-reply@x.org",
    ):
        heard(session, "", spec)
    assert session.memory.get(people.KIND) is None
    wrote(session, "noreply@x.org")
    assert meant(session, "nor") == ["noreply@x.org"]


def test_a_name_is_given_by_who_is_written_to_and_never_an_address(session: Session) -> None:
    heard(session, "boss@bank.org", "a@x.org")
    assert people.complete(session, "a", now=NOW) == [Address("", "a@x.org")]
    heard(session, "Al\r\n ", "a@x.org")
    heard(session, "Somebody Else", "a@x.org", NOW + DAY)
    assert people.complete(session, "a", now=NOW) == [Address("Al", "a@x.org")]
    people.record_people(session, [Address("Albert", "A@x.org")], wrote=True, now=NOW)
    assert people.complete(session, "a", now=NOW) == [Address("Albert", "a@x.org")]


def test_opening_mails_writes_once_a_day_for_each(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[str] = []
    change = Memory.change

    def counted(self: Memory, kind: str, *more: object) -> object:
        writes.append(kind)
        return change(self, kind, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(Memory, "change", counted)
    for _ in range(9):
        heard(session, "Al", "a@x.org")
    assert writes == [people.KIND]
    people.record_people(
        session, [Address("", f"{number}@x.org") for number in range(20)], wrote=True, now=NOW
    )
    heard(session, "Al", "a@x.org", NOW + DAY)
    assert len(writes) == 3


@pytest.mark.parametrize(
    ("said", "counted"),
    [
        ({}, True),
        (
            {"list-unsubscribe": "<https://x.org>", "list-post": "<mailto:l@x.org>", "precedence": "list"},
            True,
        ),
        ({"auto-submitted": "No"}, True),
        ({"list-unsubscribe": "<https://x.org>"}, False),
        ({"auto-submitted": "auto-replied"}, False),
        ({"precedence": "bulk"}, False),
    ],
)
def test_machines_are_not_met(session: Session, said: dict[str, str], counted: bool) -> None:
    envelope = Envelope(from_=(Address("Al", "al@x.org"), Address("", "other@x.org")))
    people.record_sender(session, Message(envelope, Part("1", "text/plain"), headers=said), SessionCache())
    assert meant(session, "x.org") == (["al@x.org"] if counted else [])


def test_a_sender_who_was_counted_is_not_looked_up_again(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    get = Memory.get

    def counted(memory: Memory, kind: str, name: str = "") -> dict[str, Any] | None:
        read.append(kind)
        return get(memory, kind, name)

    monkeypatch.setattr(Memory, "get", counted)
    mail = Message(Envelope(from_=(Address("Al", "al@x.org"),)), Part("1", "text/plain"))
    cache = SessionCache()
    for _opening in range(4):
        people.record_sender(session, mail, cache)
    assert read.count(people.KIND) == 2  # to count them, and to find that they are counted
    session.memory.remove(people.KIND)  # by another device
    people.record_sender(session, mail, cache)
    assert meant(session, "x.org", now=time.time()) == ["al@x.org"]


def test_ones_own_mail_is_never_counted(session: Session) -> None:
    mail = Message(Envelope(from_=(Address("Anna", ANNA),)), Part("1", "text/plain"))
    cache = SessionCache()
    for _opening in range(3):
        people.record_sender(session, mail, cache)
        assert session.memory.get(people.KIND) is None


def test_the_least_used_go(session: Session) -> None:
    for start in range(0, 2400, 400):
        wrote(
            session,
            *[f"p{number}@x.org" for number in range(start, start + 400)],
            now=NOW + start * DAY / 400,
        )
    kept = session.memory.get(people.KIND)
    assert kept is not None
    assert len(kept["people"]) == people.MOST
    assert meant(session, "p2399", now=NOW) == ["p2399@x.org"]
    assert meant(session, "p0@", now=NOW) == []


def test_long_names_in_long_letters_find_room(session: Session) -> None:
    found = [Address("Ж" * 60, f"ж{'ж' * 60}{number}@x.org") for number in range(2000)]
    people.record_people(session, found, wrote=True, now=NOW)
    kept = session.memory.get(people.KIND)
    assert kept is not None
    assert 200 < len(kept["people"]) < 2000


def test_what_was_damaged_is_as_good_as_not_there(session: Session) -> None:
    session.memory.put(
        people.KIND, "", {"people": [["a@x.org"], 7, ["b@x.org", "B", 1, 2, 3], ["c", "C", 1, "2", 3]]}
    )
    assert meant(session, "b") == ["b@x.org"]
    session.memory.put(people.KIND, "", {"people": 5})
    session.memory.put(
        address_book.KIND, "", {"cards": {"x": {}, "3": 4, "5": {"name": 7, "addresses": ["d@x.org"]}}}
    )
    assert address_book.contacts(session) == {5: Card("", ("d@x.org",))}
    wrote(session, "e@x.org")
    assert meant(session, "x.org") == ["e@x.org", "d@x.org"]


def test_accounts_know_nothing_of_each_other(house: House, session: Session, tmp_path: Path) -> None:
    house.passwords["ben@example.org"] = PASSWORD
    wrote(session, "a@x.org")
    address_book.keep(session, 0, Card("B", ("b@x.org",)))
    other = house.open("ben@example.org")
    assert meant(other, "x.org") == []
    files = [file.read_bytes() for file in tmp_path.iterdir() if file.is_file()]
    assert any(b"contacts" in octets for octets in files)
    assert not any(b"x.org" in octets for octets in files)


@given(
    st.lists(st.builds(Person, st.just("a@b"), written=st.integers(0, 99), day=st.integers(0, 30_000))),
    st.integers(0, 30_000),
)
def test_weights_are_numbers(found: list[Person], today: int) -> None:
    assert all(0 <= one.weight(today) <= 3 * 9999 for one in found)


def _with_two_thousand_people(path: Path) -> None:
    """Answer twenty questions, and open a hundred mails."""
    house = House(path)
    session = house.open()
    found = [Address(f"Person Number{n}", f"person.{n}@example{n % 50}.org") for n in range(2000)]
    people.record_people(session, found, True, NOW)
    address_book.add(session, [Card(f"Contact {n}", (f"c{n}@x.org",)) for n in range(1000)])
    for _ in range(20):
        assert len(people.complete(session, "person n", 5, NOW)) == 5
    for _ in range(100):
        heard(session, "Person Number7", "person.7@example7.org")
    house.state.close()


def test_two_thousand_people_are_no_burden(tmp_path: Path) -> None:
    bounded.call(_with_two_thousand_people, tmp_path / "state.sqlite")


# --- the address book


def test_a_contact_keeps_its_number(session: Session) -> None:
    first = address_book.keep(session, 0, Card("A", ("a@x.org",)))
    second = address_book.keep(session, 0, Card("B", (), ("1",)))
    assert address_book.keep(session, first, Card("A2", ("a@x.org",))) == first
    assert address_book.contacts(session) == {first: Card("A2", ("a@x.org",)), second: Card("B", (), ("1",))}
    address_book.remove(session, second)
    address_book.remove(session, 99)
    assert address_book.keep(session, 0, Card("C", ("c@x.org",))) not in (first, second)
    assert (address_book.find(session, "C@X.org"), address_book.find(session, "no@x.org")) == (3, 0)


def test_whom_one_has_is_not_added_again(session: Session) -> None:
    cards = [
        Card("A", ("a@x.org",)),
        Card("A", ("A@x.org", "b@x.org")),
        Card("T", (), ("1",)),
        Card("nobody"),
    ]
    assert address_book.add(session, cards) == (2, 0)
    assert address_book.add(session, [*cards, Card("C", ("c@x.org",))]) == (1, 0)
    assert len(address_book.contacts(session)) == 3


def test_there_is_an_end_to_it(session: Session) -> None:
    assert address_book.add(session, [Card("", (f"a{n}@x.org",)) for n in range(1005)]) == (1000, 5)
    assert address_book.keep(session, 0, Card("A", ("x@x.org",))) == 0
    assert address_book.keep(session, 7, Card("A", ("x@x.org",))) == 7
    for number in range(1, 5):
        address_book.remove(session, number)
    assert address_book.keep(session, 0, Card("A", ("y@x.org",))) == 1001


def test_long_notes_find_no_room_but_do_no_harm(session: Session) -> None:
    kept, left = address_book.add(
        session, [Card("Ж" * 60, (f"a{n}@x.org",), note="Ж" * 200) for n in range(400)]
    )
    assert kept + left == 400
    assert 0 < kept < 200
    assert len(address_book.contacts(session)) == kept
    before = time.process_time()
    assert address_book.keep(session, 0, Card("Ж" * 60, ("z@x.org",), note="Ж" * 200)) == 0
    assert time.process_time() - before < 60


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5)), max_size=12))
def test_numbers_are_never_given_twice(steps: list[tuple[str, int]]) -> None:
    value: dict[str, object] | None = None

    class Kept:
        def get(self, kind: str) -> object:
            return value

        def change(self, kind: str, name: str, update: object) -> None:
            nonlocal value
            value = update(value)  # type: ignore[operator]

    class One:
        memory = Kept()

    session: Session = One()  # type: ignore[assignment]
    given_out: set[int] = set()
    for step, number in steps:
        if step == "a":
            new = address_book.keep(session, 0, Card("x", ("a@b.c",)))
            assert new not in given_out
            given_out.add(new)
        elif step == "b":
            address_book.remove(session, number)
        elif number in address_book.contacts(session):
            assert address_book.keep(session, number, Card("y", ("d@b.c",))) == number
