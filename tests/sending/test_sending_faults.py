"""Sends by the hundred on bad links: posts that come twice, late or cut, mail servers that hang up, workers that die.

What must be true, whatever happens: no recipient and no Sent mailbox has a mail twice; what a person is told is true;
and they are told about a mail that did not arrive, at the latest when they sign in again. The faults follow only from
SEED; which of them meet which thread depends on the machine.
"""

from __future__ import annotations

import json
import random
import shutil
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from gateway.access.session import Session
from gateway.access.sessions import Sessions
from gateway.errors import GatewayError, StateLocked, StoreUnreachable
from gateway.sealed import vault
from gateway.sending import outbox
from gateway.sending.outbox import NOT_SENT, SENT, UNCERTAIN
from gateway.store.base import DRAFT, MessageRef
from tests import PATIENCE, postbox, rig
from tests.devices.checks import check_page
from tests.devices.phones import Answer, XhtmlBrowser, over_http
from tests.postbox import NOW, Letter, Wiring, look, signed_in, worker
from tests.servers.dovecot import Dovecot
from tests.servers.dying import POINTS, Dying
from tests.servers.scripted.cutting import NEVER, Cut, Cutting
from tests.servers.smtp import PlainSmtp, SmtpServer

SEED = 20261103
PEOPLE = 8
#: Letters, and workers that die at each point while they are sent.
FEW, MANY = (240, 2), (1000, 6)
#: Posts of one person that are in progress at the same time.
THUMBS = 2
#: Of a hundred connections, how many are cut.
CUT_HTTP, CUT_SMTP = 30, 25
#: How often a person tries again before they give up.
TRIES = 6
#: How often somebody who is told to try again later signs in, and the seconds in between.
SIGN_INS, PAUSE = 60, 0.5


class Faults:
    """Returns where each connection is cut, from one seed; nowhere once it is `over`."""

    def __init__(self, name: str, percent: int, up: int, down: int) -> None:
        self._random, self._lock = random.Random(f"{SEED} {name}"), threading.Lock()
        self._percent, self._up, self._down = percent, up, down
        self.over = False

    def __call__(self) -> Cut:
        with self._lock:
            bad, way, part = (self._random.random() for _ in range(3))
        if self.over or bad * 100 >= self._percent:
            return NEVER
        return Cut(up=int(self._up * part)) if way < 0.5 else Cut(down=int(self._down * part))


@dataclass
class Case:
    """One letter, and what its writer was told about it; `begun`: the gateway has claimed its ticket."""

    letter: Letter
    ticket: str
    point: str = ""
    stubborn: bool = True
    told: list[str] = field(default_factory=list)
    answered: bool = False


class Quiet(WSGIRequestHandler):
    def log(self, *args: Any) -> None:
        pass


def application(sessions: Sessions) -> Any:
    """Be the gateway's way to the outbox, without its screens: a post is a ticket and a letter."""

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        octets = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        try:
            post = json.loads(octets)
            session = sessions.resume(post["token"], None)
            letter = Letter.from_json(post["letter"])
            answer = outbox.send(session, postbox.act(post["ticket"]), letter.mail, letter.when).kind
        except (ValueError, GatewayError) as error:
            answer = f"error {type(error).__name__}"
        body = json.dumps({"kind": answer}).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    return app


def post(port: int, case: Case, token: str) -> str:
    """Post as a phone does, over a line that may be cut; "" for no answer, or half of one."""
    body = json.dumps({"token": token, "ticket": case.ticket, "letter": case.letter.as_json()}).encode()
    head = f"POST / HTTP/1.0\r\nContent-Length: {len(body)}\r\nContent-Type: text/plain\r\n\r\n".encode()
    answer = b""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), PATIENCE) as sock:
        sock.sendall(head + body)
        while piece := sock.recv(4096):
            answer += piece
    try:
        return str(json.loads(answer.partition(b"\r\n\r\n")[2])["kind"])
    except ValueError:
        return ""


@dataclass
class Scene:
    """All servers, with faults in between."""

    wiring: Wiring
    direct: Wiring
    smtp: PlainSmtp
    sessions: Sessions
    dying: list[Dying]
    port: int
    faults: list[Faults]


@contextmanager
def scene(dovecot: Dovecot, folder: Path) -> Iterator[Scene]:
    with ExitStack() as stack:
        smtp = PlainSmtp(folder).start()
        stack.callback(smtp.stop)
        # Octets: a little more than a whole post, a whole submission, and some twenty sends over one connection.
        faults = [
            Faults("http", CUT_HTTP, 450, 200),
            Faults("smtp", CUT_SMTP, 360, 230),
            Faults("imap", 100, 10_000, 17_000),
        ]
        smtp_proxy = stack.enter_context(Cutting(smtp.port, faults[1]))
        imap_proxy = stack.enter_context(Cutting(dovecot.ports["imap"], faults[2]))
        direct = Wiring(str(folder / "state.sqlite"), dovecot.ports["imap"], smtp.port)
        wiring = replace(direct, imap_port=imap_proxy.port, smtp_port=smtp_proxy.port)
        sessions = stack.enter_context(worker(wiring))
        server = stack.enter_context(serving(application(sessions)))
        http_proxy = stack.enter_context(Cutting(server.server_port, faults[0]))
        dying = [stack.enter_context(Dying(_made(folder / f"dying{n}"))) for n in range(2)]
        yield Scene(wiring, direct, smtp, sessions, dying, http_proxy.port, faults)


@contextmanager
def serving(app: Any) -> Iterator[BaseWSGIServer]:
    """Serve an app over HTTP on loopback, each request in a thread of its own."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join(PATIENCE)
        server.server_close()


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def persevering(sessions: Sessions, address: str) -> Session:
    """Sign in, as often as it takes."""
    for _ in range(50):
        with suppress(GatewayError):
            return signed_in(sessions, address)
    raise AssertionError("nobody can sign in")


class Person:
    """Somebody with a bad line, who writes letters, in any order, some of them twice."""

    def __init__(self, number: int, scene: Scene, letters: int, points: list[str]) -> None:
        self.address = f"faulty{number}@example.net"
        self._scene, self._number = scene, number
        self._random = random.Random(f"{SEED} person {number}")
        self.session = persevering(scene.sessions, self.address)
        self.cases = [self._case(n, points) for n in range(letters)]

    def _case(self, number: int, points: list[str]) -> Case:
        """Plan a letter: the last ones meet a worker that dies."""
        subject = f"letter {self._number}-{number}"
        letter = Letter(subject, self.address, (f"reader{number}@example.net",), second=number)
        point = points[number] if number < len(points) else ""
        if "remove" in point or "answer" in point:
            letter = replace(letter, draft=self._append("Drafts"), answered=self._append("INBOX"))
        return Case(letter, self.session.ticket(), point, self._random.random() < 0.5)

    def _append(self, mailbox: str) -> MessageRef:
        for _ in range(50):
            with suppress(GatewayError), self.session.store() as store:
                ref = store.append(
                    mailbox, b"Subject: other\r\n\r\n.\r\n", (DRAFT,) if mailbox == "Drafts" else ()
                )
                assert ref is not None
                return ref
        raise AssertionError("nothing can be stored")

    def posts(self) -> list[Case]:
        """Return the order in which this person's posts arrive, with repeats, and late ones after later letters."""
        arrivals = []
        for number in range(len(self.cases)):
            for copy in range(self._random.choice((1, 1, 2, 3))):
                arrivals.append(
                    (number + copy * self._random.uniform(0, 4) + self._random.uniform(0, 2), number)
                )
        return [self.cases[number] for _at, number in sorted(arrivals)]

    def write(self) -> None:
        """Send everything; a stubborn person asks again until there is an answer."""
        with ThreadPoolExecutor(THUMBS) as thumbs:
            list(thumbs.map(self._once, self.posts()))
            again = [case for case in self.cases if case.stubborn and not case.answered]
            list(thumbs.map(self._persist, again))

    def _once(self, case: Case) -> None:
        if case.point and not case.told:
            case.told.append("died")
            worker = self._scene.dying[self._number % len(self._scene.dying)]
            outcome = worker.send(
                self._scene.direct, self.session.token, case.ticket, case.letter, case.point
            )
            if outcome is not None:  # a repeat was there before
                self._hears(case, outcome["kind"])
            return
        self._hears(case, post(self._scene.port, case, self.session.token))

    def _persist(self, case: Case) -> None:
        for _ in range(TRIES):
            if case.answered:
                return
            self._once(case)

    @staticmethod
    def _hears(case: Case, kind: str) -> None:
        case.told.append(kind or "nothing")
        case.answered = case.answered or kind in (SENT, NOT_SENT, UNCERTAIN)

    def sign_in_again(self) -> None:
        """Hear at a new sign-in, with another worker, what there is to hear."""
        with worker(self._scene.direct) as sessions:
            session = self._let_in(sessions)
            for _ in range(MANY[0] // outbox.AT_ONCE):
                with suppress(StateLocked):  # "Try again": eight people write at once, in eight workers
                    if self._hear_news(session):
                        continue
                    if not outbox.has_pending(session):
                        return
                time.sleep(PAUSE)  # busy, or away for a while

    def _hear_news(self, session: Session) -> bool:
        """Hear what there is to hear; return whether there may be more."""
        news = outbox.recover(session, NOW)
        for outcome in news:
            # By its time, since for one that was only claimed not even the recipients are known.
            case = self.cases[round(outcome.at - NOW.timestamp())]
            assert outcome.recipients in ((), case.letter.to)
            case.told.append(outcome.kind)
        outbox.acknowledge(session, [outcome.name for outcome in news])
        return bool(news)

    def _let_in(self, sessions: Sessions) -> Session:
        """Sign in; if told to try again later, do so."""
        for _try in range(SIGN_INS):
            try:
                return signed_in(sessions, self.address)
            except GatewayError as error:
                if not error.retry_after and not isinstance(error, StoreUnreachable):
                    raise
                time.sleep(PAUSE)
        return signed_in(sessions, self.address)

    def judge(self) -> Iterator[str]:
        """Compare what was told with what happened; yield what is wrong."""
        arrived = postbox.subjects([accepted.octets for accepted in self._scene.smtp.accepted])
        sent, drafts = (
            look(self._scene.direct.imap_port, self.address, name).subjects for name in ("Sent", "Drafts")
        )
        table = self._scene.sessions._state.journal
        for case in self.cases:
            subject, told = case.letter.subject, set(case.told)
            begun = bool(table.of(self.session.account, vault.digest(case.ticket)))
            counts = arrived[subject], sent[subject], drafts[subject]
            wrong = {
                "arrived twice": arrived[subject] > 1,
                "two copies": sent[subject] + drafts[subject] > 1,
                "called sent, and is not": SENT in told and counts != (1, 1, 0),
                "called not sent, and was": NOT_SENT in told and counts[:2] != (0, 0),
                "lost, and nobody was told": begun
                and not arrived[subject]
                and not told & {NOT_SENT, UNCERTAIN},
                "no copy in Sent, and nobody was told": counts[:2] == (1, 0) and UNCERTAIN not in told,
                "stubborn, and never told": case.stubborn and not told & {SENT, NOT_SENT, UNCERTAIN},
                "arrived without a claim": arrived[subject] and not begun,
            }
            yield from (f"{subject}: {what}: {counts} {case}" for what, is_so in wrong.items() if is_so)


@pytest.mark.long
@pytest.mark.parametrize(("letters", "killed"), [FEW, pytest.param(*MANY, marks=pytest.mark.matrix)])
def test_sends_on_bad_links(dovecot: Dovecot, tmp_path: Path, letters: int, killed: int) -> None:
    for number in range(PEOPLE):
        shutil.rmtree(dovecot.home(f"faulty{number}@example.net"), ignore_errors=True)
        dovecot.user(f"faulty{number}@example.net")
    points = [*POINTS] * killed
    with scene(dovecot, tmp_path) as stage:
        people = [
            Person(number, stage, letters // PEOPLE, points[number::PEOPLE]) for number in range(PEOPLE)
        ]
        with ThreadPoolExecutor(2 * PEOPLE) as threads:
            writing = [threads.submit(person.write) for person in people]
            # Some sign in elsewhere while their letters are in progress.
            looking = [threads.submit(person.sign_in_again) for person in people[::2]]
            for future in (*writing, *looking):
                future.result()
        for faults in stage.faults:
            faults.over = True
        for person in people:
            person.sign_in_again()
            assert not outbox.has_pending(person.session)
        wrong = [line for person in people for line in person.judge()]
        arrived = postbox.subjects([accepted.octets for accepted in stage.smtp.accepted])
        cases = [case for person in people for case in person.cases]
        told = Counter("/".join(sorted(set(case.told))) for case in cases)
        summary = f"seed {SEED}: {len(cases)} letters, {len(stage.smtp.accepted)} arrived; told: {dict(told)}"
        print(summary)
        assert not wrong, "\n".join([summary, f"{len(wrong)} wrong:", *wrong[:20]])
    # The faults did occur: none of this is true on a day without them.
    assert len(cases) == letters
    assert sum(case.point != "" for case in cases) == len(points)
    assert {NOT_SENT, SENT, UNCERTAIN} <= {kind for case in cases for kind in case.told}
    assert any(UNCERTAIN in case.told and case.letter.subject in arrived for case in cases)
    assert sum("nothing" in case.told for case in cases) > letters // 10


class BadLine:
    """A browser's line: what sends a mail goes up three times at once, over connections that may be cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.answers = 0

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if method != "POST" or b"do.send" not in body:
            return over_http(method, url, headers, body)
        with ThreadPoolExecutor(3) as threads:
            bad = url.replace(str(urlsplit(url).port), str(self._port))
            tries = [threads.submit(self._try, method, bad, headers, body) for _ in range(3)]
            self.answers += sum(future.result() for future in tries)
        return over_http(method, url, headers, body)  # the person presses once more, on a good line

    @staticmethod
    def _try(*request: Any) -> bool:
        try:
            return b"Sent to" in over_http(*request).body
        except (OSError, HTTPException):
            return False


def test_the_page_itself_sends_once_on_a_bad_line(
    dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path
) -> None:
    me, mails = "badline@example.net", 30
    shutil.rmtree(dovecot.home(me), ignore_errors=True)
    for user in (me, "bob@example.net"):
        dovecot.user(user)
    with rig.gateway(tmp_path, dovecot, smtp_server) as app, ExitStack() as stack:
        server = stack.enter_context(serving(app))
        proxy = stack.enter_context(Cutting(server.server_port, Faults("page", 70, 2_000, 3_000)))
        line = BadLine(proxy.port)
        origin = f"http://127.0.0.1:{server.server_port}"
        browser = XhtmlBrowser(origin, line, check_page=check_page, cookies=False, agent="Lynx/2.9")
        browser.sign_in(me, "secret")
        inbox = browser.url
        for number in range(mails):
            browser.open(urlsplit(inbox).path.removesuffix("i") + "c")
            browser.fill("to", "bob@example.net").fill("subject", f"page {number}").fill("text", "Hello.")
            browser.press("Send")
            assert "Sent to" in browser.text
    expected = Counter(f"page {number}" for number in range(mails))
    assert postbox.subjects([accepted.octets for accepted in smtp_server.accepted]) == expected
    assert look(dovecot.ports["imap"], me, "Sent").subjects == expected
    assert not look(dovecot.ports["imap"], me, "Drafts").subjects
    assert proxy.cuts > mails // 2
    assert line.answers > mails // 2
