"""A mail server that falls silent: it costs only its own people, who are told immediately; and nothing is sent twice.

Requests run in as many threads as the gateway has. How many of them a silent server holds is counted; how long others
wait is compared with the same requests on a quiet gateway.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from gateway.access.session import Session
from gateway.access.sessions import Sessions
from gateway.app import create_app
from gateway.config import Config, Server, Tls, Upstream
from gateway.errors import StoreBusy, StoreDown, StoreUnreachable, SubmissionDown, SubmissionUnreachable
from gateway.message.query import flag
from gateway.store.imap.connection import imap4
from gateway.store.pool import Pool
from gateway.submission import smtp_client
from gateway.upstreams import circuit, connecting, shares
from gateway.upstreams.bulkhead import Bulkhead
from tests import PATIENCE, rig
from tests.servers.scripted.mute import Mute

THREADS = 16
HALF = THREADS // 2
#: How much longer others may wait than on a quiet gateway a moment before, as a factor: usually it is one. Without
#: places for threads it is a hundred, and that in each of the tries that a busy machine gets.
ROOM, TRIES = 1.5, 8
BROWSER = {"User-Agent": "", "Accept": "text/html"}
MAIL = b"From: a@quiet.example\r\nSubject: x\r\n\r\nx\r\n"


class House:
    """A gateway for two domains, whose mail servers can fall silent, and the threads in which its requests run."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self.mute, self.quiet = stack.enter_context(Mute()), stack.enter_context(Mute())
        self.mute_smtp, self.quiet_smtp = (
            stack.enter_context(Mute(smtp=True)),
            stack.enter_context(Mute(smtp=True)),
        )
        upstreams = tuple(
            Upstream(
                (f"{name}.example",),
                rig.plain(imap),
                rig.plain(smtp, "smtp"),
            )
            for name, imap, smtp in (
                ("mute", self.mute, self.mute_smtp),
                ("quiet", self.quiet, self.quiet_smtp),
            )
        )
        config = Config(upstreams, threads=THREADS)
        state = stack.enter_context(rig.state(folder / "state.sqlite"))
        self.pool = Pool()
        stack.callback(self.pool.close)
        self.ahead = 0.0
        self.bulkhead = Bulkhead(THREADS, lambda: time.monotonic() + self.ahead)
        self.upstream = upstreams[0]
        self.sessions = Sessions(config, state, b"k" * 32, self.pool, bulkhead=self.bulkhead)
        self.app = create_app(config, sessions=self.sessions)
        self.threads = stack.enter_context(ThreadPoolExecutor(THREADS))

    def people(self, count: int, domain: str) -> list[Session]:
        return [self.enter(f"{n}@{domain}.example") for n in range(count)]

    def enter(self, address: str) -> Session:
        """Sign in with a browser that keeps its token in the address."""
        return self.sessions.open(
            address,
            "secret",
            device="plain",
            markup="xhtml",
            user_agent="",
            language="en",
            via="url",
            remote="192.0.2.1",
        )

    def page(self, session: Session) -> Future[TestResponse]:
        """Request a person's inbox as the HTTP server does: in a thread as soon as one is free."""
        return self.threads.submit(
            lambda: Client(self.app, use_cookies=False).get(f"/~{session.token}/i", headers=BROWSER)
        )

    def held(self) -> int:
        with self.bulkhead._changed:
            return self.bulkhead._shares.held(self.upstream)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """Wait for a silent server until the test has it hang up."""
    monkeypatch.setattr(imap4, "READ_SECONDS", PATIENCE)
    with ExitStack() as stack:
        yield House(stack, tmp_path)


def p95(house: House, people: list[Session], rounds: int = 40) -> float:
    """Have everybody read their inbox this often, page after page; return the seconds within which 95 % of pages
    came."""

    def read(session: Session) -> list[float]:
        taken = []
        for _ in range(rounds):
            begun = time.monotonic()
            answer = house.page(session).result(PATIENCE)
            taken.append(time.monotonic() - begun)
            assert answer.status_code == 200, answer.get_data()
        return taken

    with ThreadPoolExecutor(len(people)) as readers:
        taken = sorted(chain.from_iterable(readers.map(read, people)))
    return taken[int(len(taken) * 0.95)]


def wait_as_briefly_as(calm: float, house: House, people: list[Session]) -> bool:
    """Whether 95 % of pages come about as soon as they did when all was quiet."""
    return any(p95(house, people) <= ROOM * calm for _ in range(TRIES))


def settled(futures: list[Future[Any]], count: int) -> list[Future[Any]]:
    """Wait until this many have an answer, and return those."""
    while sum(future.done() for future in futures) < count:
        wait([future for future in futures if not future.done()], 30, "FIRST_COMPLETED")
    return [future for future in futures if future.done()]


def test_twenty_people_of_a_mute_server_cost_others_nothing(house: House) -> None:
    crowd, others = house.people(20, "mute"), house.people(3, "quiet")
    calm = p95(house, others)
    house.mute.silent.add(b"")
    waiting = [house.page(session) for session in crowd]
    refused = [future.result() for future in settled(waiting, 20 - HALF)]
    assert house.held() == HALF
    assert wait_as_briefly_as(calm, house, others)
    for answer in refused:
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "20"
        assert b"is busy. Try again in 20 seconds." in answer.data
        assert b">Try again<" in answer.data
    # Whoever asks in the meantime is answered immediately, and holds nothing.
    more = [house.page(session) for session in crowd]
    settled(more, 20)
    # During all that time none of the others has had an answer.
    assert house.held() == HALF
    assert sum(not future.done() for future in waiting) == HALF
    house.mute.silent.clear()
    house.mute.hang_up()
    wait(waiting)
    assert house.held() == 0


def test_one_person_with_many_searches_costs_nobody_else_anything(house: House) -> None:
    (one,) = house.people(1, "mute")
    readers = [*house.people(2, "quiet"), house.enter("neighbour@mute.example")]
    calm = p95(house, readers)
    house.mute.silent.add(b"SEARCH")

    def search() -> None:
        with one.store() as store:
            store.search(flag("unread"), ["INBOX"])

    searches = [house.threads.submit(search) for _ in range(24)]
    most = shares.RUNNING_PER_PERSON + shares.QUEUED_PER_PERSON
    refused = settled(searches, 24 - most)
    assert house.held() == most
    assert all(isinstance(future.exception(), StoreBusy) for future in refused)
    assert wait_as_briefly_as(calm, house, readers)
    assert sum(not future.done() for future in searches) == most
    house.mute.silent.clear()
    house.mute.hang_up()
    wait(searches)
    assert house.held() == 0


def test_a_circuit_opens_and_closes_by_one_probe(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    people = house.people(6, "mute")
    for session in people:
        house.pool.drop(session._row.digest)
    patience = imap4.GREETING_SECONDS
    monkeypatch.setattr(imap4, "GREETING_SECONDS", 0.2)
    monkeypatch.setattr(circuit, "OPEN_SECONDS", 3600.0)
    house.mute.silent.add(b"")
    connections = len(house.mute.ends)
    kinds = [_failure(house, session) for session in people]
    assert kinds == [StoreUnreachable] * circuit.FAILURES + [StoreDown] * (6 - circuit.FAILURES)
    assert len(house.mute.ends) == connections + circuit.FAILURES
    answer = house.page(people[0]).result()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "20")
    assert b"cannot be reached. Try again in 20 seconds." in answer.data
    # Signing in is refused as quickly; the address stays in the form.
    form = {"user": "7@mute.example", "password": "secret"}
    answer = Client(house.app).post("/m", data=form, headers=BROWSER)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "20")
    assert b"7@mute.example" in answer.data
    # A probe that fails keeps it open; one that is answered closes it.
    house.ahead += 3601
    assert [_failure(house, session) for session in people[:2]] == [StoreUnreachable, StoreDown]
    house.mute.silent.clear()
    monkeypatch.setattr(imap4, "GREETING_SECONDS", patience)
    house.ahead += 3601
    assert [_failure(house, session) for session in people] == [None] * 6
    assert len(house.mute.ends) == connections + circuit.FAILURES + 1 + 6


def _failure(house: House, session: Session) -> type[BaseException] | None:
    try:
        with session.store() as store:
            store.mailboxes()
    except StoreUnreachable as error:
        return type(error)
    return None


def test_an_open_circuit_for_sending_says_not_sent_and_nothing_was(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = house.people(5, "mute")
    patience = smtp_client.SmtpClient.patience
    monkeypatch.setattr(smtp_client.SmtpClient, "patience", 0.2)
    monkeypatch.setattr(circuit, "OPEN_SECONDS", 3600.0)
    house.mute_smtp.silent.add(b"")

    def kind(session: Session) -> type[BaseException] | None:
        try:
            session.submission.submit(["b@quiet.example"], MAIL)
        except SubmissionUnreachable as error:
            return type(error)
        return None

    kinds = [kind(session) for session in people]
    assert kinds == [SubmissionUnreachable] * circuit.FAILURES + [SubmissionDown] * 2
    assert len(house.mute_smtp.ends) == circuit.FAILURES
    # Reading goes on: the IMAP server has a circuit of its own.
    assert house.page(people[0]).result().status_code == 200
    house.mute_smtp.silent.clear()
    monkeypatch.setattr(smtp_client.SmtpClient, "patience", patience)
    house.ahead += 3601
    assert [kind(session) for session in people] == [None] * 5
    assert house.mute_smtp.taken == 5


def test_one_persons_failures_close_the_server_to_nobody(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = house.people(2, "mute")
    house.pool.drop(one._row.digest)
    monkeypatch.setattr(imap4, "READ_SECONDS", 0.1)
    house.mute.silent.add(b"LIST")
    assert [_failure(house, one) for _ in range(6)] == [StoreUnreachable] * 6
    house.mute.silent.clear()
    monkeypatch.setattr(imap4, "READ_SECONDS", PATIENCE)
    assert _failure(house, other) is None


def test_a_resolver_that_hangs_holds_no_more_than_a_silent_server(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, asked = threading.Event(), []

    def hanging(host: str, port: int) -> list[str]:
        asked.append(host)
        release.wait(PATIENCE)
        return ["127.0.0.1"]

    monkeypatch.setattr(connecting, "resolve", hanging)
    monkeypatch.setattr(connecting, "RESOLVE_SECONDS", 6.0)
    lost = Upstream(
        ("lost.example",),
        Server("imap", "mail.lost.example", 993, Tls.IMPLICIT),
        Server("smtp", "mail.lost.example", 465, Tls.IMPLICIT),
    )
    house.sessions._config = Config((*house.sessions._config.upstreams, lost), threads=THREADS)
    others = house.people(2, "quiet")

    def enter(n: int) -> None:
        house.enter(f"{n}@lost.example")

    crowd = [house.threads.submit(enter, n) for n in range(20)]
    settled(crowd, 20 - HALF)
    p95(house, others, 1)
    assert not all(future.done() for future in crowd)
    wait(crowd)
    kinds = {type(future.exception()) for future in crowd}
    assert kinds == {StoreBusy, StoreUnreachable}
    assert asked == ["mail.lost.example"], "one thread for a name, however many wait for it"
    release.set()


@pytest.mark.parametrize("method", ["get", "post"])
def test_what_is_asked_for_by_get_can_be_tried_again(house: House, method: str) -> None:
    (session,) = house.people(1, "mute")
    for n in range(circuit.FAILURES):
        with (
            pytest.raises(StoreUnreachable),
            house.bulkhead.admit(house.upstream, house.upstream.store, b"%d" % n),
        ):
            raise StoreUnreachable("timed out")
    number = session.mailboxes.number("INBOX", 7)
    path = {"get": f"/m{number}.11?c=abc&u=2", "post": f"/t{number}.11"}[method]
    client: Callable[..., Any] = getattr(Client(house.app), method)
    answer = client(f"/~{session.token}{path}", headers=BROWSER)
    assert answer.status_code == 503
    again = re.search(rb'href="([^"]*)"[^>]*>Try again<', answer.data)
    assert (again[1] if again else None) == {"get": b"m%d.11?u=2" % number, "post": None}[method]
