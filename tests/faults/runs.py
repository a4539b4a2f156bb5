"""One run: a gateway, a mailbox of its own, a fault at one response; and what is wrong with the result.

Nothing here may know how the gateway works: it is judged by its page, by its log, and by the files of the mailbox.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final
from unittest import mock

from gateway.access import idempotency
from gateway.access.session import Session
from gateway.access.sessions import Sessions
from gateway.app import create_app
from gateway.sending import outbox
from gateway.submission.mail_transaction import Receipt
from gateway.upstreams import wire
from gateway.upstreams.bulkhead import Bulkhead
from tests import PATIENCE, rig
from tests.devices.phones import Answer, in_process
from tests.faults.quirks import QUIRKS, Quirk
from tests.faults.table import ACTIONS, FAULTS, WORDS, Action
from tests.servers.dovecot import Dovecot
from tests.servers.scripted.twisting import End, Twisting
from tests.web.sweeps.everything import HANDHELDS, ORIGIN

#: Messages in the inbox.
COUNT: Final = 5
#: Seconds that a server with a fault may be silent. A client is already waiting when the fault comes, so this counts
#: from the beginning; whatever counts as silent on a busy machine must do no harm either.
SILENCE: Final = 0.3
#: Seconds for a server to end what it was doing when its client left.
SETTLED: Final = 0.5
#: Where a message is that is flagged \\Deleted.
MARKED: Final = "INBOX, deleted"
#: A server without quirks.
_NONE: Final = Quirk()
#: How often the same page is requested after a fault.
AGAIN: Final = 2


@dataclass
class Verdict:
    """What happened in one run, and what was wrong with it."""

    action: str
    fault: str
    at: int
    response: bytes = b""
    #: Responses to the first request.
    count: int = 0
    pages: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        said = " | ".join(re.sub(r"<[^>]*>|\s+", " ", page)[-300:] for page in self.pages)
        return f"{self.action}, {self.fault} at {self.at} {self.response[:60]!r}: {'; '.join(self.wrong)}\n    {said}"


class Stage:
    """A gateway behind a proxy in front of a Dovecot, for any number of runs."""

    def __init__(self, dovecot: Dovecot, sessions: Sessions, proxy: Twisting, served: Any) -> None:
        self.dovecot, self.sessions, self.proxy = dovecot, sessions, proxy
        self.ask = in_process(create_app(served, sessions=sessions))
        self.sent: list[tuple[tuple[str, ...], bytes]] = []
        self.errors: list[str] = []
        self.seen: list[bytes] = []
        self._fault, self._at = "", -1
        #: The permanent quirk, and the tags of commands that it refuses.
        self._quirk = _NONE
        self._refused: set[bytes] = set()
        self._users = count()
        self._template = self._made()
        proxy.answer, proxy.ask = self.answer, self.pass_on

    def answer(self, response: bytes) -> bytes | End:
        """Pass a response on, or what becomes of it."""
        self.seen.append(response)
        tag = response.partition(b" ")[0]
        if tag in self._refused:
            self._refused.remove(tag)
            return tag + b" " + self._quirk.said + b"\r\n"
        if self._quirk is not _NONE:
            return self._quirk.change(response)
        if len(self.seen) - 1 == self._at:
            return FAULTS[self._fault](response)
        return response

    @property
    def faulty(self) -> bool:
        """Whether there is a fault in the current request."""
        return self._fault in FAULTS

    def pass_on(self, command: bytes) -> bytes:
        """Pass a command on, or one that does nothing in its place."""
        tag, _, said = command.partition(b" ")
        if self._quirk.refuses and re.match(self._quirk.refuses, said, re.DOTALL) and b"{" not in said:
            self._refused.add(tag)
            return tag + b" NOOP\r\n"
        return command

    def arm(self, fault: str, at: int) -> None:
        """Count responses from here on, and inject a fault at one of them."""
        self.seen, self._at = [], at
        self._fault, self._quirk = fault, QUIRKS.get(fault, _NONE)

    def _made(self) -> Path:
        """Make the mailboxes, of which each run has a copy."""
        name = "faults-template@example.net"
        shutil.rmtree(self.dovecot.home(name), ignore_errors=True)
        self.dovecot.user(name)
        for number in range(1, COUNT + 1):
            self.dovecot.deliver(name, _mail(number))
        with self._signed_in(name).store() as store:
            self.uidvalidity = store.folder("INBOX").uidvalidity
            for folder in store.folders(all=True):
                store.folder(folder.name)
        return self.dovecot.home(name)

    def user(self) -> str:
        """Give a new user a copy of the mailboxes."""
        name = f"faults{next(self._users)}@example.net"
        home, owner = self.dovecot.home(name), self._template.stat()
        shutil.copytree(self._template, home)
        for folder, _, files in os.walk(home):
            for each in (folder, *(os.path.join(folder, file) for file in files)):
                os.chown(each, owner.st_uid, owner.st_gid)
        return name

    def _signed_in(self, name: str) -> Session:
        return self.sessions.open(
            name, "secret", device="", markup="xhtml", user_agent="", language="en", via="url", remote="192.0.2.1"
        )  # fmt: skip

    def submit(self, *arguments: Any) -> Receipt:
        """Accept a mail for sending."""
        *_, recipients, octets, _settled = arguments
        self.sent.append((tuple(recipients), octets))
        return Receipt()

    def run(self, action: str, fault: str, at: int, markup: str = "xhtml") -> Verdict:
        """Do a thing with a fault at one response, look, do it again without the fault, and look."""
        what = ACTIONS[action]
        verdict = Verdict(action, fault, at)
        name = self.user()
        session = self._signed_in(name)
        path = what.path.format(box=session.mailboxes.number("INBOX", self.uidvalidity))
        ticket = session.ticket()
        form = {**what.form, "ticket": ticket, "keep": ticket} if what.form or what.method == "POST" else {}
        self.sent.clear()
        self.errors.clear()
        if what.cold or fault in QUIRKS:
            self.sessions._resources.pool.drop(session._row.digest)
        try:
            self.arm(fault, at)
            verdict.pages.append(self._page(verdict, session, what, path, form, markup))
            verdict.count = len(self.seen)
            verdict.response = self.seen[at] if 0 <= at < len(self.seen) else b""
            self.arm("", -1)
            self._judge(verdict, what, name)
            if fault in QUIRKS:  # what it said may live on in a connection, but not forever
                self.sessions._resources.pool.drop(session._row.digest)
            for _ in range(AGAIN):
                verdict.pages.append(self._page(verdict, session, what, path, form, markup))
            self._judge(verdict, what, name)
            inbox = self._page(verdict, session, ACTIONS["list"], path="/i", form={}, markup=markup)
            shown = sum(f"Number {number}" in inbox for number in range(1, COUNT + 1))
            here = sum(box.startswith("INBOX") for box, _ in _look(self.dovecot.home(name)))
            if shown != here and "Please sign in again." not in inbox:
                verdict.wrong.append(f"{shown} of {here} messages are listed afterwards")
        finally:
            session.close()
            shutil.rmtree(self.dovecot.home(name), ignore_errors=True)
        verdict.wrong += [f"logged: {error}" for error in self.errors]
        return verdict

    def _page(
        self, verdict: Verdict, session: Session, what: Action, path: str, form: dict[str, str], markup: str
    ) -> str:
        headers = HANDHELDS[markup] | (
            {"Content-Type": "application/x-www-form-urlencoded"} if what.method == "POST" else {}
        )
        body = "&".join(f"{name}={value.replace(' ', '+')}" for name, value in form.items()).encode()
        answer: Answer = self.ask(what.method, f"{ORIGIN}/~{session.token}{path}", headers, body)
        text = answer.body.decode()
        if answer.status == 500 or "Something went wrong here" in text:
            verdict.wrong.append(f"status {answer.status}")
        if not re.search("href=|<input", text):
            verdict.wrong.append("no way on")
        return text

    def _judge(self, verdict: Verdict, what: Action, name: str) -> None:
        """Compare what was reported with the mailbox; a second time after a while, for what was in progress."""
        page = verdict.pages[-1]
        found = self._wrong(verdict.action, what, name, page)
        if found:
            time.sleep(SETTLED)
            found = self._wrong(verdict.action, what, name, page)
        verdict.wrong += found

    def _wrong(self, action: str, what: Action, name: str, page: str) -> list[str]:
        there = Counter(_look(self.dovecot.home(name)))
        wrong = [f"{each} {number} times" for each, number in there.items() if number > 1]
        places = {mark: _undeleted([box for box, subject in there if subject == mark]) for _, mark in there}
        said = bool(what.done and re.search(what.done, page))
        for number in range(1, COUNT + 1):
            boxes = places.get(f"Number {number}", [])
            moved = action == "move" and number == 3
            if boxes not in ([["INBOX"], ["Trash"], [MARKED]] if moved else [["INBOX"]]):
                wrong.append(f"Number {number} is in {boxes}")
        if action == "move" and said and places.get("Number 3") == ["INBOX"]:
            wrong.append("said to be deleted")
        if action == "move" and (places.get("Number 3") == [MARKED]) != ("marked as deleted" in page):
            wrong.append("marked as deleted, or not, and not said so")
        copies = sorted(_undeleted([box for box, subject in there if not subject.startswith("Number")]))
        if action not in ("save", "reply") and copies:
            wrong.append(f"new mail in {copies}")
        if action == "save" and copies not in ([["Drafts"]] if said else [[], ["Drafts"]]):
            wrong.append(f"drafts in {copies}, {'' if said else 'not '}said to be saved")
        if action == "reply":
            if len(self.sent) > 1 or (said and not self.sent):
                wrong.append(f"sent {len(self.sent)} times, {'' if said else 'not '}said to be sent")
            if "Not sent." in page and self.sent:
                wrong.append("said not to be sent")
            if any(to != ("ann3@example.org",) or WORDS.encode() not in octets for to, octets in self.sent):
                wrong.append(f"sent to {[to for to, _ in self.sent]}")
            if len(copies) > 1 or copies not in ([], ["Drafts"], ["Sent"]):
                wrong.append(f"copies in {copies}")
        elif self.sent:
            wrong.append("something was sent")
        return wrong


def _mail(number: int) -> bytes:
    return (
        f"From: Ann <ann{number}@example.org>\r\nTo: me@example.net\r\nSubject: Number {number}\r\n"
        f"Message-ID: <{number}@example.org>\r\nDate: Tue, 3 Nov 2026 14:{number:02}:00 +0100\r\n"
        f"\r\nThese are the words of number {number}.\r\n"
    ).encode()


def _look(home: Path) -> list[tuple[str, str]]:
    """Return mailbox and subject of each message."""
    found = []
    for folder in ("cur", "new"):
        for path in home.glob(f"Maildir/**/{folder}/*"):
            with suppress(FileNotFoundError):  # renamed by a flag in the meantime
                subject = re.search(rb"(?m)^Subject: (.*?)\r?$", path.read_bytes())
                box = path.parent.parent.name.removeprefix(".")
                box = "INBOX" if box == "Maildir" else box
                box += ", deleted" if "T" in path.name.partition(":2,")[2] else ""
                found.append((box, subject[1].decode() if subject else ""))
    return found


def _undeleted(boxes: list[str]) -> list[str]:
    """Leave out originals that are flagged \\Deleted beside a copy: that is all a server without UIDPLUS allows."""
    return [box for box in boxes if not box.endswith(", deleted")] or boxes


class _Errors(logging.Handler):
    """Collects what is logged as our own fault."""

    def __init__(self, found: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._found = found

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self._found.append(f"{record.getMessage()}: {error!r}")


@contextmanager
def stage(dovecot: Dovecot, folder: Path) -> Iterator[Stage]:
    """Set everything up."""
    stages: list[Stage] = []

    def silence(_: wire.Wire) -> float:
        return SILENCE if stages and stages[0].faulty else PATIENCE

    with (
        Twisting(dovecot.ports["imap"]) as proxy,
        mock.patch.object(wire.Wire, "silence", property(silence, lambda _, seconds: None), create=True),
        # Nothing is in progress from one request to the next: no repeat need wait for another.
        mock.patch.object(idempotency, "WAIT_SECONDS", 0.0),
        mock.patch.object(outbox, "WAIT_SECONDS", 0.0),
    ):
        served = rig.config(rig.upstream(rig.plain(proxy)))
        ticks = count(0, 3600)  # no circuit stays open from one check to the next
        with rig.sessions(
            served,
            folder / "state.sqlite",
            submit=lambda *arguments: stages[0].submit(*arguments),
            bulkhead=Bulkhead(8, lambda: float(next(ticks))),
        ) as sessions:
            made = Stage(dovecot, sessions, proxy, served)
            stages.append(made)
            handler = _Errors(made.errors)
            logging.getLogger("gateway").addHandler(handler)
            try:
                yield made
            finally:
                logging.getLogger("gateway").removeHandler(handler)


def responses(made: Stage, action: str) -> int:
    """Return how many responses an action gets without a fault."""
    verdict = made.run(action, "", -1)
    assert not verdict.wrong, str(verdict)
    assert re.search(ACTIONS[action].done, verdict.pages[0]), str(verdict)
    return verdict.count
