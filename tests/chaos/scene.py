"""One run: all servers, all people, all weather, for a limited time; the result is for the judge.

Nothing here may decide what is true: mails are collected with what the SMTP server, the mailboxes and the journal have.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench.clocks import family
from tests import postbox
from tests.chaos import sentences
from tests.chaos.judge import Mail, Told
from tests.chaos.line import Line
from tests.chaos.people import PASSWORD, Person
from tests.chaos.servers import MARK, Gate, MoodySmtp, StateFolder
from tests.chaos.weather import IMAP, POP3, SMTP, Climate, Weather
from tests.devices.phones import XhtmlBrowser
from tests.language import collect
from tests.servers.dovecot import Dovecot
from tests.servers.scripted.cutting import Cutting

DOMAINS: Final = ("a.test", "b.test", "pop3.test")
#: The domain whose people read by POP3: they have neither Sent nor Drafts.
POP3_DOMAIN: Final = DOMAINS[2]
GATES: Final = ("one", "two")
#: Mails that one person writes, approximately, and the least number of people.
EACH, LEAST = 25, 12
#: Seconds in which both processes must answer at first.
START_SECONDS: Final = 60.0
#: The part of the time after which no mail is begun; the rest is for what is told at the end.
WRITING: Final = 0.75
#: The least seconds for that: nothing fails then, but connections that were mute must time out first.
LEAST_SETTLING: Final = 60.0

_CONFIG: Final = """\
[http]
listen = "127.0.0.1:{port}"

[state]
database = "{folder}/state.sqlite"
secret = "{folder}/server.secret"
"""
_UPSTREAM: Final = """
[[upstream]]
domains = ["{domain}"]
{protocol} = "{protocol}://127.0.0.1:{store}"
smtp = "smtp://127.0.0.1:{smtp}"
"""
_LETTER: Final = """\
From: Somebody <{mark}@far.test>
To: {address}
Subject: about {mark}
Message-ID: <{mark}@far.test>
Date: {date}
MIME-Version: 1.0
Content-Type: text/plain

A question.
"""


@dataclass
class Run:
    """The result of a run. `figures`: how much there was of everything, in words, for the table."""

    mails: list[Mail] = field(default_factory=list)
    nameless: dict[str, list[Told]] = field(default_factory=dict)
    figures: dict[str, str] = field(default_factory=dict)
    logs: list[str] = field(default_factory=list)


class Scene:
    """All servers of one run; also what people need from their place."""

    def __init__(self, dovecot: Dovecot, folder: Path, seed: int, climate: Climate) -> None:
        self.dovecot, self.folder = dovecot, folder
        self.weather = Weather(seed, climate)
        self.smtp = MoodySmtp(folder, self.weather.dice("smtp moods"))
        unsaid = sentences.missing(msgid for _context, msgid in collect.collect().entries)
        self.asks_again = not any(sentences.QUESTION in said for said in unsaid)
        self.gates: list[Gate] = []
        self.lines: list[Cutting] = []

    @contextmanager
    def open(self) -> Iterator[None]:
        """Start everything; what was started is ended."""
        with ExitStack() as stack:
            self.smtp.start()
            stack.callback(self.smtp.stop)
            upstreams = "".join(self._upstream(stack, domain) for domain in DOMAINS)
            self.state = StateFolder(
                self.folder / "state",
                lambda: [pid for gate in self.gates if gate.pid for pid in family(gate.pid)],
            )
            stack.callback(self.state.close)
            for name in GATES:
                self.gates.append(Gate(self.folder, name, partial(self._config, upstreams)))
                stack.callback(self.gates[-1].stop)
                self.gates[-1].start()
            self.until_all_answer()
            stack.callback(self.weather.end)
            yield

    def _config(self, upstreams: str, port: int) -> str:
        return _CONFIG.format(port=port, folder=self.state.path) + upstreams

    def _upstream(self, stack: ExitStack, domain: str) -> str:
        climate, weather = self.weather.climate, self.weather
        protocol, within = ("pop3", POP3) if domain == POP3_DOMAIN else ("imap", IMAP)
        store = weather.cuts(f"{protocol} {domain}", climate.cut_store, within)
        smtp = weather.cuts(f"smtp {domain}", climate.cut_smtp, SMTP)
        lines = [
            stack.enter_context(Cutting(port, plan))
            for port, plan in ((self.dovecot.ports[protocol], store), (self.smtp.port, smtp))
        ]
        self.lines += lines
        return _UPSTREAM.format(domain=domain, protocol=protocol, store=lines[0].port, smtp=lines[1].port)

    def until_all_answer(self) -> None:
        """Wait for every process of the gateway."""
        for gate in self.gates:
            self._until_it_answers(gate)

    def _until_it_answers(self, gate: Gate) -> None:
        line = self._good_line(gate)
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            try:
                line("GET", "http://pocketpost/robots.txt", {}, b"")
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise RuntimeError(f"the gateway does not answer: {gate.log[-2000:]}")

    def _good_line(self, *gates: Gate) -> Line:
        return Line([gate.port for gate in gates], self.weather.dice("good line"), lambda: 0)

    # --- for people ---

    def copies(self, address: str, mark: str) -> tuple[int, int]:
        """Count the copies of a mail in Drafts and in Sent, from the files on disk."""
        wanted = f"{mark}@far.test".encode()
        found = [0, 0]
        for number, mailbox in enumerate(("Drafts", "Sent")):
            for path in self.dovecot.maildir(address, mailbox).glob("*/*:2,*"):
                if "T" in path.name.rpartition(",")[2]:
                    continue
                try:
                    found[number] += wanted in path.read_bytes()
                except FileNotFoundError:  # moved in the meantime
                    return self.copies(address, mark)
        return found[0], found[1]

    def letter_for(self, address: str, mark: str) -> None:
        """Deliver a letter that can be answered."""
        date = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())
        text = _LETTER.format(mark=mark, address=address, date=date).replace("\n", "\r\n")
        self.dovecot.deliver(address, text.encode())

    def people(self, mails: int) -> list[Person]:
        """Make the people who write this many mails."""
        count = max(LEAST, mails // EACH)
        made = []
        for number in range(count):
            address = f"p{number}@{DOMAINS[number % len(DOMAINS)]}"
            self.dovecot.user(address)
            marks = [f"m{mark}" for mark in range(number, mails, count)]
            dice = self.weather.dice(f"person {number}")
            line = Line([gate.port for gate in self.gates], dice, self._cut)
            made.append(Person(number, address, marks, self, line, dice))
        return made

    def _cut(self) -> int:
        return 0 if self.weather.is_over else self.weather.climate.cut_http

    # --- what came out ---

    def journal(self, address: str) -> list[tuple[str, str]]:
        """Read mark and outcome of each sending that the gateway has noted for an account."""
        line = self._good_line(*self.gates)
        browser = XhtmlBrowser("http://pocketpost", line, cookies=False, agent="Lynx/2.9")
        browser.sign_in(address, PASSWORD)
        token = browser.url.partition("/~")[2].partition("/")[0]
        answer = line("GET", f"http://pocketpost/~{token}/skd", {"User-Agent": "Lynx/2.9"}, b"")
        found = []
        for row in json.loads(answer.body)["sendings"]:
            marks = MARK.findall(" ".join(row["recipients"]))
            found += [(mark, (row["outcome"] or {}).get("kind", row["stage"])) for mark in marks]
        return found

    def collect(self, people: Sequence[Person]) -> Run:
        """Combine what was told and what happened."""
        run = Run()
        for person in people:
            boxes = [
                postbox.look(self.dovecot.ports["imap"], person.address, name) for name in ("Drafts", "Sent")
            ]
            noted = self.journal(person.address)
            for mail in person.diary.mails.values():
                mail.accepted = list(self.smtp.taken.get(mail.mark, ()))
                mail.addressed = self.smtp.addressed.get(mail.mark)
                mail.copied = list(self.smtp.copied.get(mail.mark, ()))
                mail.drafts, mail.sent = (_count(box, mail.mark) for box in boxes)
                mail.journal = [kind for mark, kind in noted if mark == mail.mark]
                run.mails.append(mail)
            run.nameless[person.address] = list(person.diary.nameless.values())
        return run


def _count(box: postbox.Box, mark: str) -> int:
    return sum(count for subject, count in box.subjects.items() if MARK.findall(subject) == [mark])


def perform(
    dovecot: Dovecot,
    folder: Path,
    seed: int,
    mails: int,
    pace: float,
    seconds: float,
    climate: Climate,
    back: bool = False,
) -> Run:
    """Have mails written over `pace` seconds, longer if something delays people, and return the result.

    All of it takes at most `seconds`. `back`: other mails on pages that have sent one, whatever is asked then.
    """
    began = time.monotonic()
    scene = Scene(dovecot, folder, seed, climate)
    with scene.open():
        scene.asks_again = scene.asks_again or back
        people = scene.people(mails)
        scene.weather.begin(scene.gates, scene.state, scene.state.path / "state.sqlite", scene.lines)
        times = time.monotonic(), pace, began + seconds * WRITING
        _at_once([partial(person.write_all, *times) for person in people])
        scene.weather.end()
        scene.smtp.calm = True
        scene.until_all_answer()
        end = max(began + seconds, time.monotonic() + LEAST_SETTLING)
        _at_once([partial(person.settle, end) for person in people])
        run = scene.collect(people)
        run.figures = _figures(scene, people, run, began, mails)
        run.logs = [gate.log for gate in scene.gates]
    return run


def _at_once(tasks: Sequence[Callable[[], Any]]) -> None:
    with ThreadPoolExecutor(len(tasks)) as threads:
        for future in [threads.submit(task) for task in tasks]:
            future.result()


def _figures(scene: Scene, people: Sequence[Person], run: Run, began: float, mails: int) -> dict[str, str]:
    counts, seconds = scene.weather.counts, scene.weather.seconds
    lines = [person.line for person in people]
    return {
        "seconds": f"{time.monotonic() - began:.0f}",
        "sendings": f"{sum(bool(mail.pressed) for mail in run.mails):,} (asked for {mails:,})",
        "people": f"{len(people)}, and {len(scene.gates)} processes",
        "requests": f"{sum(line.requests for line in lines):,}",
        "kills": f"{sum(gate.kills for gate in scene.gates):,}",
        "cuts of phones' lines": f"{sum(line.cuts for line in lines):,}",
        "cuts of upstream lines": f"{sum(line.cuts for line in scene.lines):,}",
        "repeats": f"{sum(person.repeats for person in people):,}",
        "refused or dropped by SMTP": f"{scene.smtp.moods:,}",
        "state full": f"{counts['full']} times, {seconds['full']:.0f} s ({scene.state.words})",
        "state locked": f"{counts['locked']} times, {seconds['locked']:.0f} s",
        "upstream mute": f"{counts['mute']} times, {seconds['mute']:.0f} s",
        "other mails on a sent page": f"{sum(bool(mail.after) for mail in run.mails):,}",
    }
