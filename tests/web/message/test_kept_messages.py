"""A kept message is shown like one that is read again: walked randomly, with another mail program watching."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests import rig
from tests.devices.phones import in_process
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.web.acting import HANDHELDS, ME, PASSWORD, Side

STEPS = 40
#: What differs between two sessions, and between two pages of one.
OWN = re.compile(r"/~[\w-]{22}/|(?<=l/)[\w-]{11}|(?<=value=\")[\w-]{18}(?=\")|\bc=\w+|(?<=name=\"v)\w+")
LETTER = "".join(
    f'<p>Paragraph {n} of a <b>letter</b>, with <a href="https://example.org/{n}">a link</a>.</p>'
    for n in range(60)
)
QUOTED = "An answer.\r\n\r\nOn Monday Bob wrote:\r\n" + "".join(
    f"> Line {n} of what he wrote.\r\n" for n in range(40)
)


def _mail(subject: str, kind: str, body: str) -> bytes:
    return (
        f"From: Bob <bob@example.net>\r\nTo: {ME}\r\nSubject: {subject}\r\nDate: Tue, 3 Nov 2026 14:05:00 +0100\r\n"
        f"Message-ID: <{subject}@example.net>\r\nContent-Type: {kind}; charset=utf-8\r\n\r\n{body}\r\n"
    ).encode()


@pytest.fixture(params=HANDHELDS)
def pair(
    request: pytest.FixtureRequest, dovecot: Dovecot, smtp_server: SmtpServer, side: Side, tmp_path: Path
) -> Iterator[list[Any]]:
    """One person on two gateways: one that keeps what was read, and one that does not."""
    dovecot.deliver(ME, _mail("Quoted", "text/plain", QUOTED))
    dovecot.deliver(ME, _mail("Letter", "text/html", LETTER))
    with ExitStack() as stack:
        made = []
        for keeps in (True, False):
            config = rig.config(rig.upstream(dovecot, smtp_server), keep_read=keeps)
            app = stack.enter_context(rig.app(config, tmp_path / f"{keeps}.sqlite"))
            made.append(HANDHELDS[request.param](in_process(app)))
            made[-1].sign_in(ME, PASSWORD)
        yield made


def _shown(device: Any) -> str:
    return OWN.sub("", device.answer.body.decode())


@pytest.mark.parametrize("seed", range(2))
def test_random_walks(pair: list[Any], side: Side, seed: int) -> None:
    chance = random.Random(seed)
    subjects = ["Letter", "Quoted", "Number 12.", "Number 11."]
    for step in range(STEPS):
        assert _shown(pair[0]) == _shown(pair[1]), step
        if chance.random() < 0.15:
            side.store(chance.choice(subjects), chance.choice(["\\Flagged", "\\Seen", "\\Answered"]))
        known = pair[0].links
        choices = [label for label in known if label in ("Next", "Prev", "Inbox", "Refresh", *subjects)]
        choices += [
            label for label in known if "quoted lines" in label or any(name in label for name in subjects)
        ]
        label = chance.choice(choices)
        for device in pair:
            device.follow(label)


def test_a_message_that_was_deleted_elsewhere_is_not_shown(pair: list[Any], side: Side) -> None:
    for device in pair:
        device.follow("Letter").follow("Next")
    side.store("Letter", "\\Deleted", expunge=True)
    for device in pair:
        device.follow("Prev")
        assert device.title.startswith("Inbox")
        assert "Paragraph" not in device.text
