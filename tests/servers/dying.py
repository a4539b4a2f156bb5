"""Workers of the gateway that die where they are told to: each job is a process of its own, ended by os._exit.

Nothing here may be visible to the product: the points are calls to its interfaces (journal, IMAP store, SMTP), wrapped
in the process that is to die. `Dying` is the test's end; run as a program this is a server with one thread, which forks
for each job, since that takes milliseconds and a new interpreter half a second.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from typing import Any

from gateway import submission
from gateway.sending import outbox
from gateway.state import JournalRow
from gateway.state.sending.journal import JournalTable
from gateway.store.imap.imap_store import ImapStore
from tests import PATIENCE, postbox
from tests.postbox import Letter, Wiring

KILLED = 9  # exit status of a worker that died where it was told to

#: The steps of a sending, in order: a worker can die before and after each. `note` records the Message-ID.
STEPS = (
    "claim",
    "make",
    "note",
    "append",
    "submitting",
    "smtp",
    "accepted",
    "undraft",
    "move",
    "answer",
    "remove",
    "done",
)
#: Between two transactions of one mail, which most mails do not have.
SETTLED = "before settled", "after settled"
POINTS = tuple(f"{side} {step}" for step in STEPS for side in ("before", "after"))


class _Deadly:
    """Counts calls and ends the process at one of them."""

    def __init__(self, point: str) -> None:
        self._point = point
        self._seen: Counter[str] = Counter()

    def wrap(self, name: Callable[..., str], function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            step = name(*args, **kwargs)
            self.reach(f"before {step}")
            result = function(*args, **kwargs)
            self.reach(f"after {step}")
            return result

        return called

    def reach(self, point: str) -> None:
        if point == self._point:
            os._exit(KILLED)

    def arm(self) -> None:
        """Wrap the interfaces; this process is about to end anyway."""
        for owner, method, name in (
            (JournalTable, "claim", lambda *args: "claim"),
            (JournalTable, "write", self._stage),
            (ImapStore, "append", lambda *args, **kwargs: "append"),
            (ImapStore, "flag", lambda store, refs, flags, present=True: "answer" if present else "undraft"),
            (ImapStore, "move", lambda *args: "move"),
            (ImapStore, "delete", lambda *args: "remove"),
        ):
            setattr(owner, method, self.wrap(name, getattr(owner, method)))  # type: ignore[arg-type]

    def _stage(self, table: JournalTable, account: int, row: JournalRow) -> str:
        stage = "note" if row.stage.value == "claimed" else row.stage.value
        self._seen[stage] += 1
        return "settled" if stage == "submitting" and self._seen[stage] > 1 else stage


def _work(job: dict[str, Any]) -> dict[str, Any]:
    """Be a worker that gets one request: send with a ticket."""
    deadly = _Deadly(job["point"])
    deadly.arm()
    letter = Letter.from_json(job["letter"])
    wiring = Wiring(**job["wiring"])
    with postbox.worker(wiring, deadly.wrap(lambda *args: "smtp", submission.submit)) as sessions:
        session = sessions.resume(job["token"], None)
        make = deadly.wrap(lambda store: "make", letter.mail)
        return asdict(outbox.send(session, postbox.act(job["ticket"]), make, letter.when))


def _serve() -> None:
    for line in sys.stdin:
        job = json.loads(line)
        answer = Path(job["answer"])
        child = os.fork()
        if child == 0:
            status = 1
            try:
                answer.write_text(json.dumps(_work(job)))
                status = 0
            except BaseException:
                answer.write_text(json.dumps({"error": traceback.format_exc()}))
            finally:
                os._exit(status)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


class Dying:
    """The test's end of the server; one job at a time."""

    def __init__(self, folder: Path) -> None:
        self._answer = folder / "answer.json"
        self._lock = Lock()
        self._closing = ExitStack()

    def __enter__(self) -> Dying:
        self._process = self._closing.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "tests.servers.dying"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=Path(__file__).parents[2],
            )
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._closing.close()

    def send(
        self, wiring: Wiring, token: str, ticket: str, letter: Letter, point: str
    ) -> dict[str, Any] | None:
        """Have a worker send a letter; None if it died at the point, else the outcome."""
        job = {
            "wiring": asdict(wiring),
            "token": token,
            "ticket": ticket,
            "letter": letter.as_json(),
            "point": point,
            "answer": str(self._answer),
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps(job) + "\n")
            self._process.stdin.flush()
            status = int(self._process.stdout.readline())
            if status == KILLED:
                return None
            answer: dict[str, Any] = json.loads(self._answer.read_text())
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer


if __name__ == "__main__":
    _serve()
