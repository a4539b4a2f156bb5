"""Lists in every order, filtered, in threads, and their pages: walked by strict handhelds against Dovecot."""

from __future__ import annotations

import imaplib
import random
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from gateway.addresses import FILTERS, ORDERS, ListPositionCode, ViewCode
from gateway.config import Server
from gateway.store.base import ListPosition
from gateway.store.imap import imap_store
from gateway.wap import wbxml
from gateway.web.mailbox import list_views
from tests import rig
from tests.devices.checks import check_deck, check_page
from tests.devices.phones import WmlPhone, XhtmlBrowser, in_process
from tests.matrix import by_turns, one_of
from tests.servers import maildir
from tests.servers.dovecot import Dovecot
from tests.store.imap.search.test_finding import answer, mail
from tests.walks.test_walk import _anew

ORIGIN = "http://pp.example:8080"


class House:
    """The app in front of Dovecot, which counts its traffic; `hidden`: capabilities that it must not see."""

    def __init__(self, dovecot: Dovecot, path: Path) -> None:
        self.dovecot = dovecot
        self.closing = ExitStack()
        self.hidden: tuple[str, ...] = ("\0",)
        self.stores: list[imap_store.ImapStore] = []
        config = rig.config(rig.upstream(dovecot))
        self.transport = in_process(self.closing.enter_context(rig.app(config, path, connect=self.connect)))

    def connect(self, server: Server, user: str, password: str) -> imap_store.ImapStore:
        store = imap_store.connect(server, user, password)
        store._capabilities = frozenset(c for c in store.capabilities if not c.startswith(self.hidden))
        self.stores.append(store)
        return store

    @property
    def traffic(self) -> tuple[int, int]:
        """Round trips and octets until now."""
        found = [store.traffic for store in self.stores]
        return sum(t.round_trips for t in found), sum(t.octets_in + t.octets_out for t in found)

    def phone(self, **more: Any) -> WmlPhone:
        return WmlPhone(ORIGIN, self.transport, check_deck=check_deck, **more)

    def narrow(self) -> WmlPhone:
        return self.phone(limit=996, headers={"X-WAP-Client-SDU-Size": "1000"})

    def browser(self) -> XhtmlBrowser:
        return XhtmlBrowser(ORIGIN, self.transport, check_page=check_page)

    def plain_browser(self) -> XhtmlBrowser:
        agent, accept = "Lynx/2.9", "text/html, */*;q=0.01"
        return XhtmlBrowser(
            ORIGIN, self.transport, check_page=check_page, cookies=False, agent=agent, accept=accept
        )


@pytest.fixture
def house(dovecot: Dovecot, tmp_path: Path) -> Iterator[House]:
    made = House(dovecot, tmp_path / "state.sqlite")
    yield made
    made.closing.close()


HANDHELDS = ("phone", "narrow", "browser", "plain_browser")


@pytest.fixture(params=one_of(HANDHELDS, "narrow", "browser"))
def handheld(request: pytest.FixtureRequest, house: House) -> Any:
    return getattr(house, request.param)()


def rows(device: Any) -> list[str]:
    """The subjects of a page, as far as they are shown."""
    return [label.partition(": ")[2] for label in device.links if ": " in label]


def root(device: Any) -> str:
    """Return the beginning of every address in this session."""
    token = re.search(r"/~[A-Za-z0-9_-]{22}", device.url)
    return ORIGIN + (token[0] if token else "")


def to_view(device: Any) -> Any:
    return device.follow("Menu").follow("View")


def look(device: Any, order: str = "arrival", only: str = "", page: str = "") -> Any:
    """Choose a view from a list."""
    to_view(device)
    device.fill("order", order).fill("filter", only).fill("page", page)
    return device.press("Show")


def turned(device: Any) -> list[list[str]]:
    """Turn pages to the last one and back; return what was on each."""
    pages = [rows(device)]
    while "Next" in device.links:
        device.follow("Next")
        pages.append(rows(device))
    for page in reversed(pages[:-1]):
        device.follow("Prev")
        assert rows(device)[: len(page)] == page
    assert "Prev" not in device.links
    return pages


def whole(device: Any) -> list[str]:
    return [row for page in turned(device) for row in page]


KEYS = [(n * 7) % 31 for n in range(1, 31)]


@pytest.fixture
def me(dovecot: Dovecot) -> str:
    """Somebody with thirty messages: the last ten are read, every third has a flag."""
    name = "lister@example.net"
    _anew(dovecot, name)
    for n, key in enumerate(KEYS, 1):
        flags = "F" * (n % 3 == 0) + "S" * (n > 20)
        dovecot.deliver(
            name,
            mail(key, f"n{key:02}", f"S{key:02} <s@example.org>", "X: " + "x" * key + "\r\n"),
            flags=flags,
        )
    return name


ARRIVED = [f"n{key:02}" for key in reversed(KEYS)]
SORTED = sorted(ARRIVED)


def test_every_order_in_pages(house: House, handheld: Any, me: str) -> None:
    device = handheld.sign_in(me, "secret")
    assert whole(device) == ARRIVED
    for order, note, expected in (
        ("subject", "by subject", SORTED),
        ("sender", "by sender", SORTED),
        ("date", "by date", SORTED[::-1]),
        ("size", "by size", SORTED[::-1]),
        ("unread", "unread first", ARRIVED[10:] + ARRIVED[:10]),
        ("arrival", "of 30", ARRIVED),
    ):
        look(device, order)
        assert re.search(r"(^|\) )1–\d+ of 30", device.text, re.MULTILINE), device.text
        assert note in device.text
        assert whole(device) == expected


def test_a_list_shows_only_what_its_filter_lets_through(house: House, handheld: Any, me: str) -> None:
    device = handheld.sign_in(me, "secret")
    look(device, only="u")
    assert "of 20, unread only" in device.text
    assert whole(device) == ARRIVED[10:]
    look(device, "subject", "g")
    assert "of 10, by subject, flagged only" in device.text
    assert whole(device) == [row for row in SORTED if KEYS.index(int(row[1:])) % 3 == 2]
    device.fetch("GET", root(device) + "/i?f=unread")
    assert "of 20, unread only" in device.text
    assert rows(device) == ARRIVED[10:][: len(rows(device))]


def test_the_order_is_remembered_and_the_filter_is_not(house: House, handheld: Any, me: str) -> None:
    device = handheld.sign_in(me, "secret")
    look(device, "subject", "u")
    device.follow("Menu").follow("Inbox")
    assert "by subject" in device.text
    assert "unread only" not in device.text
    assert rows(device)[0] == SORTED[0]
    to_view(device)
    held = "subject"
    assert f'value="{held}"' in device.answer.body.decode()
    again = house.browser().sign_in(me, "secret")
    assert rows(again)[0] == SORTED[0]
    look(again, "arrival").follow("Next").follow("Prev")
    assert rows(again)[0] == ARRIVED[0]
    device.follow("Back")
    assert rows(device)[0] == ARRIVED[0]


@pytest.mark.parametrize("handheld", one_of(HANDHELDS[:3], "narrow", "browser"), indirect=True)
def test_reading_on_in_the_unread_ones_skips_nothing(house: House, handheld: Any, me: str) -> None:
    device = handheld.sign_in(me, "secret")
    look(device, only="u")
    first, onward = rows(device), device.links["Next"]
    page = device.url
    for row in first:
        device.follow(row).follow("Inbox")
        assert row not in rows(device)
    # Next on the old page continues where that page ended, and so does whoever comes back.
    device.fetch("GET", urljoin(page, onward))
    assert rows(device)[0] == ARRIVED[10:][len(first)]
    device.follow("Menu").follow("Back")
    assert whole(device) == ARRIVED[10:][len(first) :]


def test_a_message_leads_back_to_the_page_it_was_opened_from(house: House, handheld: Any, me: str) -> None:
    device = handheld.sign_in(me, "secret")
    look(device, "subject").follow("Next")
    page, shown = device.url.partition("?")[0], rows(device)
    device.follow(shown[1])
    assert "text" in device.text
    device.follow("Inbox")
    assert rows(device) == shown
    assert device.url.partition("?")[0] == page


def test_jump_to_a_page(house: House, handheld: Any, me: str) -> None:
    device = handheld.sign_in(me, "secret")
    for order, expected in (
        ("arrival", ARRIVED),
        ("subject", SORTED),
        ("unread", ARRIVED[10:] + ARRIVED[:10]),
    ):
        size = 20 if "Lynx" in getattr(device, "agent", "") else 9
        look(device, order, page="2")
        assert f"{size + 1}–" in device.text
        assert rows(device)[0] == expected[size]
        look(device, order, page="9999")
        last = 29 // size * size
        assert f"{last + 1}–" in device.text
        assert rows(device)[0] == expected[last]
    for wrong in ("x", "0", "-1", "²"):
        look(device, page=wrong)
        assert "Enter a page number" in device.text
        device.follow("Back")


def test_a_repeated_choice_shows_the_same(house: House, handheld: Any, me: str) -> None:
    device = handheld.sign_in(me, "secret")
    look(device, "subject", page="2")
    shown, posted = rows(device), device.posted
    look(device, "size")
    device.fetch("POST", *posted)
    assert rows(device) == shown
    device.follow("Menu").follow("Inbox")
    assert "by size" in device.text
    device.fetch("POST", posted[0], re.sub(rb"ticket=[^&]*", b"ticket=" + b"A" * 18, posted[1]))
    assert "could not be understood" in device.text


def test_new_mail_does_not_shift_a_page(house: House, handheld: Any, me: str, dovecot: Dovecot) -> None:
    device = handheld.sign_in(me, "secret")
    look(device, "subject").follow("Next")
    shown = rows(device)
    for n in range(3):
        dovecot.deliver(me, mail(n, f"a{n}"))
    device.fetch("GET", device.url)
    assert rows(device) == shown
    device.follow("Prev")
    assert rows(device)[0] == "n00" or rows(device)[0] < shown[0]


def test_a_list_by_thread_keeps_answers_together(house: House, handheld: Any, dovecot: Dovecot) -> None:
    me = "talker@example.net"
    _anew(dovecot, me)
    for octets in (mail(1, "talk"), mail(2, "alone"), mail(3, "other")):
        dovecot.deliver(me, octets, flags="S")
    dovecot.deliver(me, answer(4, 1))
    dovecot.deliver(me, answer(5, 4), flags="S")
    device = handheld.sign_in(me, "secret")
    look(device, "threads")
    assert rows(device) == ["Re: talk", "other", "alone"]
    assert "1–3 of 3, threads" in device.text
    assert "* " in device.text or "unread" in device.text
    assert "(3)" in device.text
    device.follow("Re: talk")
    assert "1–3 of 3, one thread" in device.text
    thread = device.url.partition("?")[0]
    assert [label for label in device.links if ": " in label][-1].endswith("talk")
    device.follow("S0001: talk")
    assert "text" in device.text
    device.follow("Inbox")
    assert device.url.partition("?")[0] == thread
    device.follow("Threads")
    device.follow("alone")
    assert "text" in device.text


def test_a_server_that_cannot_sort_says_so(house: House, handheld: Any, me: str) -> None:
    house.hidden = ("SORT", "THREAD")
    device = handheld.sign_in(me, "secret")
    to_view(device)
    assert "cannot sort" in device.text
    body = device.answer.body.decode()
    assert 'value="subject"' not in body
    assert 'value="threads"' not in body
    assert 'value="unread"' in body
    device.follow("Back")
    device.fetch("GET", root(device) + "/b1.s")
    assert "by arrival, since this mail server cannot sort that way" in device.text
    assert rows(device) == ARRIVED[: len(rows(device))]


def test_a_server_that_cannot_tell_stretches_says_of_how_many(
    house: House, handheld: Any, me: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.store.imap.search.finding.NEWEST", 25)
    house.hidden = ("ESORT", "CONTEXT", "PARTIAL")
    device = handheld.sign_in(me, "secret")
    look(device, "subject")
    assert "of 25, by subject, among the newest 25" in device.text
    assert whole(device) == sorted(ARRIVED[:25])


@pytest.mark.parametrize(
    "bad", ["b1.x", "b1.s.0-1", "b1.s4", "b1.t99999999999", "b1.s.1-9999999999999999", "b1.s.1-1q"]
)
def test_addresses_of_nothing(house: House, me: str, bad: str) -> None:
    device = house.browser().sign_in(me, "secret")
    device.fetch("GET", f"{ORIGIN}/{bad}")
    assert device.answer.status == 404


def test_a_place_before_the_uidvalidity_changed_is_a_fresh_list(
    house: House, me: str, dovecot: Dovecot
) -> None:
    device = house.browser().sign_in(me, "secret")
    look(device, "subject").follow("Next")
    page = device.url
    for file in dovecot.maildir(me).glob("dovecot*"):
        file.unlink()
    list_ = dovecot.maildir(me) / "dovecot-uidlist"
    list_.write_text("3 V77 N1\n")
    house.stores[0].close()
    device.fetch("GET", page)
    assert "changed" in device.text


def test_no_list_of_a_mailbox_that_has_nothing(house: House, handheld: Any, dovecot: Dovecot) -> None:
    me = "nothing@example.net"
    _anew(dovecot, me)
    device = handheld.sign_in(me, "secret")
    for order in ("subject", "unread", "threads", "arrival"):
        look(device, order, page="3")
        assert "No messages here." in device.text


@pytest.mark.parametrize("sdu", ["300", "3"])
def test_a_list_has_a_row_however_small_the_sdu(house: House, me: str, sdu: str) -> None:
    """A Motorola Timeport negotiates 3 octets and takes 1350."""
    device = house.phone(limit=1396, headers={"X-WAP-Client-SDU-Size": sdu}).sign_in(me, "secret")
    (first,) = rows(device)
    device.follow("Next")
    (second,) = rows(device)
    assert first != second


def test_nine_rows_are_a_small_deck(house: House, me: str) -> None:
    device = house.phone().sign_in(me, "secret")
    assert len(rows(device)) == 9
    assert len(wbxml.encode(device.answer.body.decode())) <= 900


@pytest.mark.parametrize(
    ("agent", "letters", "title", "begins"),
    [
        ("Nokia6230/2.0", "s", r"1–9/\d+$", "3 Nov S24"),
        ("KAIOS/2.5", None, r"1–9 of \d+$", "S24 3 Nov"),
        ("Kindle/3.0", "x", r"1–20 of \d+$", "S24 3 Nov"),
    ],
)
def test_letters_and_lines_are_of_the_screens_size(
    house: House, me: str, agent: str, letters: str | None, title: str, begins: str
) -> None:
    device = XhtmlBrowser(ORIGIN, house.transport, check_page=check_page, agent=agent)
    device.sign_in(me, "secret")
    assert device.page.find("body").get("class") == letters
    assert re.search(title, "".join(device.page.find(".//h1").itertext()))
    row = " ".join("".join(device.page.find(".//ul/li/a").itertext()).split())
    assert begins in row, f"a line that is cut keeps its date: {row}"


def test_keys_of_a_list(house: House, me: str) -> None:
    device = house.browser().sign_in(me, "secret")
    look(device, "subject").follow("Next")
    keys = device.keys
    assert [keys[str(n)].partition(": ")[2] for n in range(1, 10)] == SORTED[9:18]
    assert (keys["#"], keys["*"], keys["0"]) == ("Next", "Prev", "Menu")


@pytest.fixture(scope="module")
def large(dovecot: Dovecot) -> dict[int, str]:
    users = {size: f"heap{size}@example.net" for size in (100, 100_000)}
    for size, name in users.items():
        _anew(dovecot, name)
        maildir.fill(dovecot.maildir(name), size)
    return users


@pytest.mark.usefixtures("patient")
@pytest.mark.long(together=True)
@pytest.mark.parametrize(
    ("order", "only"), by_turns(["arrival", "date", "subject", "sender", "unread", "size"], ["", "u"])
)
def test_first_and_last_page_of_100_000_cost_what_those_of_100_do(
    house: House, large: dict[int, str], order: str, only: str
) -> None:
    costs: dict[str, list[tuple[int, int]]] = {"1": [], "99999": []}
    for name in large.values():
        for page, spent in costs.items():
            device = house.browser()  # for rows that this session has shown, only flags would be fetched
            device.sign_in(name, "secret")
            look(device, order, only)
            to_view(device)
            device.fill("order", order).fill("filter", only).fill("page", page)
            trips, octets = house.traffic
            device.press("Show")
            spent.append((house.traffic[0] - trips, house.traffic[1] - octets))
            assert rows(device)
    for (trips, octets), (trips_of_many, octets_of_many) in costs.values():
        assert trips == trips_of_many <= 4
        # Numbers are longer there; and the last page of 10 unread ones has one row, that of 10,000 has the same.
        assert abs(octets_of_many - octets) <= 0.06 * octets + 120


def changed(chance: random.Random, device: Any, number: int, dovecot: Dovecot, name: str) -> None:
    """Do what changes a list: here or elsewhere."""
    opened = [label for label in device.links if ": " in label or "\u2013" in label]
    match chance.choice(("deliver", "read", "flag", "delete", "language", "nothing", "nothing")):
        case "deliver":
            dovecot.deliver(name, mail(number, f"new {number}", body="long text " * 900))
        case "read" if opened:  # half-read messages are linked where reading stopped
            device.follow(chance.choice(opened))
            if "Next" in device.links:
                device.follow("Next")
        case "flag":
            _stored(
                dovecot, name, chance.randint(1, 9), chance.choice(("+FLAGS", "-FLAGS")), "(\\Flagged \\Seen)"
            )
        case "delete":
            _stored(dovecot, name, chance.randint(1, 9), "+FLAGS", "\\Deleted")
        case "language" if isinstance(device, XhtmlBrowser):
            device.fetch("GET", root(device) + "/sl")
            device.fill("language", chance.choice(("de", "en")))
            device.press("Save" if b"Save" in device.answer.body else "Speichern")


def _stored(dovecot: Dovecot, name: str, number: int, how: str, flags: str) -> None:
    with imaplib.IMAP4(dovecot.host, dovecot.ports["imap"]) as side:
        side.login(name, "secret")
        side.select("INBOX")
        side.store(str(number), how, flags)
        side.expunge()


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kind", HANDHELDS)
def test_a_list_that_was_shown_before_is_what_a_new_session_shows(
    house: House, me: str, dovecot: Dovecot, kind: str, seed: int
) -> None:
    chance = random.Random(seed)
    device = getattr(house, kind)().sign_in(me, "secret")
    ways = ["/i", "/b1", "/b1.20", "/b1.s", "/b1.u", "/i?f=unread", "/b1.t"]
    for number in range(100, 120):
        changed(chance, device, number, dovecot, me)
        way = chance.choice(ways)
        fresh = getattr(house, kind)().sign_in(me, "secret")
        for _ in range(2):  # twice: the server reports what is new after what there was
            device.fetch("GET", root(device) + way)
        fresh.fetch("GET", root(fresh) + way)
        # The addresses of lists are new in each second on phones that keep every page.
        assert re.sub(rb"c=[0-9a-z]+", b"", device.answer.body) == re.sub(
            rb"c=[0-9a-z]+", b"", fresh.answer.body
        )


def test_the_newest_mail_is_two_presses_from_the_sign_in(house: House, me: str) -> None:
    device = house.browser().sign_in(me, "secret")
    assert device.keys["1"].endswith(ARRIVED[0])


def test_a_mail_of_ones_own_says_to_whom_it_went(house: House, handheld: Any, dovecot: Dovecot) -> None:
    me = "sender@example.net"
    _anew(dovecot, me)
    mine = "Me <sender@example.net>"
    dovecot.deliver(me, mail(1, "to myself", mine).replace(b"To: me@", b"To: sender@"))
    dovecot.deliver(
        me, mail(2, "to bob", mine).replace(b"To: me@example.net", b"To: Bob $ Co <bob@example.net>")
    )
    device = handheld.sign_in(me, "secret")
    who = [label.removeprefix("* ").partition(": ")[0] for label in device.links if ": " in label]
    assert who == ["To Bob…" if isinstance(device, WmlPhone) else "To Bob $ Co", "Me"]


def test_a_view_is_what_its_address_says() -> None:
    assert set(list_views.ORDERS) == set(ORDERS)
    assert set(list_views.FILTERS) == {"", *FILTERS}
    for text in ("a", "su", "ng", "t4711", "tu12"):
        assert list_views.ListView.of(ViewCode.decode(text)).code.encode() == text
    for text in ("1-0", "10-4711", "10-4711s", "9-7p", "9-7sp"):
        assert list_views.position_code(ListPosition(*ListPositionCode.decode(text))).encode() == text
