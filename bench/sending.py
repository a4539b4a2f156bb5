"""What sending a mail costs: the form's answer, beside handing the same mail to the same servers without any care.

Nothing here may judge a figure. Pages only read; a sending also writes: journal, draft, copy, `\\Answered`.
"""

from __future__ import annotations

import imaplib
import re
import smtplib
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from statistics import mean, median
from typing import Any

from bench import clocks
from bench.gateway import InProcess, Request
from bench.measure import Setting, handheld
from tests.servers.dovecot import PASSWORD
from tests.servers.smtp import SmtpServer

#: Mails that are sent before any is measured, and the most that are measured.
WARM, MOST = 2, 30
#: The recipient.
TO = "friend@example.net"
_TICKET = re.compile(rb"name=\"ticket\" value=\"([\w-]+)\"")
_POSTED = re.compile(rb"(?<=ticket=)[\w-]+")
_TEXT = b"What one writes on twelve keys is short."


@dataclass(frozen=True, slots=True)
class Sent:
    """The cost of sending one mail: medians in milliseconds, CPU mean in milliseconds, counts.

    `synced`: transactions that waited for the disk. None: cannot be seen from outside the gateway.
    """

    gateway: str
    markup: str
    ms: float
    floor_ms: float
    cpu_ms: float
    round_trips: int | None
    synced: int | None


def measure(setting: Setting, smtp: SmtpServer, rounds: int) -> Sent:
    """Send mails alternately through the gateway and directly to its servers."""
    form, answer = _requests(setting)
    client, gateway = setting.gateway.client(), setting.gateway
    floor = _Floor(setting, smtp)
    taken: list[tuple[float, float, float]] = []
    trips = synced = None
    try:
        for _ in range(WARM + min(rounds, MOST)):
            ticket = _TICKET.search(client.fetch(form))
            assert ticket, "a form without a ticket"
            request = replace(answer, body=_POSTED.sub(ticket[1], answer.body))
            before = (gateway.traffic()[0], gateway.synced) if isinstance(gateway, InProcess) else (0, 0)
            begun, cpu = time.perf_counter(), _cpu(gateway)
            told = client.fetch(request)
            ms, cpu_ms = (time.perf_counter() - begun) * 1000, (_cpu(gateway) - cpu) * 1000
            assert b"Sent to " in told, told
            if isinstance(gateway, InProcess):
                trips, synced = gateway.traffic()[0] - before[0], gateway.synced - before[1]
            taken.append((ms, cpu_ms, floor.send() * 1000))
    finally:
        floor.close()
        client.close()
    ms_, cpu_, floor_ = zip(*taken[WARM:], strict=True)
    return Sent(gateway.name, setting.markup, median(ms_), median(floor_), mean(cpu_), trips, synced)


def _cpu(gateway: Any) -> float:
    """Read the gateway's CPU clock; in process, its thread's, since the SMTP server runs in another one."""
    return time.thread_time() if isinstance(gateway, InProcess) else clocks.cpu(gateway.pids)


def _requests(setting: Setting) -> tuple[Request, Request]:
    """Send once as a handheld, and return how the form was fetched and how it was posted."""
    device = handheld(setting)
    headers = {"Accept": device.accept, "User-Agent": device.agent}
    if setting.markup == "xhtml":
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in device.jar.items())
    device.follow("Menu").follow("Write")
    form = Request(device.url, headers)
    device.fill("to", TO).fill("subject", "Bench").fill("text", _TEXT.decode()).press("Send")
    url, body, *kind = device.posted
    headers = {**headers, "Content-Type": kind[0] if kind else "application/x-www-form-urlencoded"}
    return form, Request(url, headers, body)


class _Floor:
    """Handing in a mail, and putting its copy into Sent over an open connection."""

    def __init__(self, setting: Setting, smtp: SmtpServer) -> None:
        self._smtp, self._user = smtp, setting.user
        self._tls = ssl.create_default_context(cafile=str(smtp.ca_file))
        self._imap = imaplib.IMAP4(setting.server.host, setting.server.ports["imap"])
        self._imap.login(setting.user, PASSWORD)

    def send(self) -> float:
        """Send one mail; return the seconds it took."""
        octets = b"From: %s\r\nTo: %s\r\nSubject: Bench\r\n\r\n%s\r\n" % (
            self._user.encode(),
            TO.encode(),
            _TEXT,
        )
        begun = time.perf_counter()
        with smtplib.SMTP(self._smtp.host, self._smtp.port, "bench.example") as out:
            out.starttls(context=self._tls)
            out.login(self._user, PASSWORD)
            out.sendmail(self._user, [TO], octets)
        self._imap.append("Sent", r"(\Seen)", "", octets)
        return time.perf_counter() - begun

    def close(self) -> None:
        """Hang up."""
        with suppress(OSError, imaplib.IMAP4.error):
            self._imap.logout()
