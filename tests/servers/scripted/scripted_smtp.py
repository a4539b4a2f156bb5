"""A submission server by script: what it answers to each command, and what it accepted nevertheless.

Nothing here may know the product. `answers` has replies by the verb of the command, by "rcpt ADDRESS", "greeting" or
"end"; b"" hangs up instead. `room`: recipients of one transaction, after which `full` is the reply.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.servers.scripted.peer import Caller, Peer

CAPABILITIES = (b"x.test", b"8BITMIME", b"SIZE 1000000", b"AUTH PLAIN LOGIN")


def ehlo(*lines: bytes) -> bytes:
    """Write a reply to EHLO."""
    return b"\r\n".join([*(b"250-" + line for line in lines[:-1]), b"250 " + lines[-1]])


@dataclass
class Taken:
    """One message that was accepted."""

    recipients: list[str]
    octets: bytes


@dataclass
class ScriptedSmtp:
    """The script; it may be changed between two connections."""

    answers: Mapping[str, bytes] = field(default_factory=dict)
    room: int = 1_000
    full: bytes = b"452 4.5.3 Error: too many recipients"
    #: Ends that break off: the number of a message, from 0 -> whether it is accepted before that.
    cut: dict[int, bool] = field(default_factory=dict)
    taken: list[Taken] = field(default_factory=list)
    #: All lines of the last connection.
    heard: list[bytes] = field(default_factory=list)

    def peer(self) -> Peer:
        """Return the server."""
        return Peer(self)

    def __call__(self, caller: Caller) -> None:
        self.heard = caller.heard
        caller.say(self.answers.get("greeting", b"220 x.test"))
        recipients: list[str] = []
        while True:
            line = caller.hear()
            verb = line.split(b" ")[0].decode("latin-1").lower()
            if verb == "mail":
                recipients = []
            said = self._rcpt(line, recipients) if verb == "rcpt" else self._answer_to(verb)
            if not said:
                return
            caller.say(said)
            if verb == "data" and said.startswith(b"354") and not self._data(caller, recipients):
                return
            if verb == "quit":
                return

    def _answer_to(self, verb: str) -> bytes:
        usual = {"ehlo": ehlo(*CAPABILITIES), "auth": b"235 in", "data": b"354 go"}
        return self.answers.get(verb, usual.get(verb, b"250 OK"))

    def _rcpt(self, line: bytes, recipients: list[str]) -> bytes:
        spec = line.partition(b"<")[2].rpartition(b">")[0].decode()
        said = self.answers.get(f"rcpt {spec}", self.answers.get("rcpt", b"250 OK"))
        if said.startswith(b"2") and len(recipients) >= self.room:
            return self.full
        recipients.extend([spec] if said.startswith(b"2") else ())
        return said

    def _data(self, caller: Caller, recipients: list[str]) -> bool:
        lines = []
        while (line := caller.hear()) != b".":
            lines.append(line.removeprefix(b"."))
        number = len(self.taken)
        said = self.answers.get(f"end {number}", self.answers.get("end", b"250 taken"))
        if said.startswith(b"2") and self.cut.get(number, True):
            self.taken.append(Taken(list(recipients), b"\r\n".join([*lines, b""])))
        if not said or number in self.cut:
            return False
        caller.say(said)
        return True


def everybody(taken: Iterable[Taken]) -> list[str]:
    """Return all recipients of all messages, in order."""
    return sorted(spec for one in taken for spec in one.recipients)
