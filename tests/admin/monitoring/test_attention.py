"""What the overview says needs attention, and where it can be fixed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.admin.monitoring.attention import SENDING, SETTINGS, UPSTREAMS, Facts, OwnCertificate, notices
from gateway.config import Config, Server, Tls, Upstream
from gateway.upstreams.certificates import PeerCertificate
from gateway.upstreams.health import Health

NOW = datetime(2026, 11, 29, tzinfo=UTC)
IMAP = Server("imap", "mail.example.org", 993, Tls.IMPLICIT)
SMTP = Server("smtp", "mail.example.org", 465, Tls.IMPLICIT)
CONFIG = Config((Upstream(("example.org", "example.net"), IMAP, SMTP),))
WELL = Facts(CONFIG, NOW)


def until(days: float) -> PeerCertificate:
    return PeerCertificate(expires=NOW + timedelta(days=days))


def test_a_gateway_that_is_well_needs_no_attention() -> None:
    up = Health(True, 1.0, 2.0, 0.01, "an error of yesterday", 1.0)
    facts = replace(
        WELL,
        health={IMAP: up, SMTP: Health()},
        certificates={IMAP: until(22), SMTP: PeerCertificate()},
        own=[OwnCertificate("the listener", until(90))],
        sends={"sent": 5, "not sent": 1},
    )
    assert notices(facts) == []


@pytest.mark.parametrize(
    ("facts", "words", "path", "urgent"),
    [
        (
            replace(WELL, health={IMAP: Health(False, error="mail.example.org:993: timed out")}),
            "imaps://mail.example.org:993, for example.org, example.net, is down: mail.example.org:993: timed out",
            UPSTREAMS,
            True,
        ),
        (replace(WELL, certificates={SMTP: until(20.5)}), "2026-12-19, 20 more days", UPSTREAMS, False),
        (
            replace(WELL, certificates={SMTP: until(-1)}),
            "smtps://mail.example.org:465 expired",
            UPSTREAMS,
            True,
        ),
        (
            replace(WELL, own=[OwnCertificate("the panel", until(1))]),
            "of the panel is valid until",
            SETTINGS,
            False,
        ),
        (
            replace(WELL, own=[OwnCertificate("the panel", PeerCertificate(), "no such file")]),
            "the panel cannot be used: no such file",
            SETTINGS,
            True,
        ),
        (replace(WELL, unwritable="state: disk full"), "cannot be written: state: disk full", SETTINGS, True),
        (replace(WELL, secret_mode=0o640), "chmod 600", SETTINGS, True),
        (replace(WELL, free=99_000_000, size=100_000_000), "99 MB are left", SETTINGS, True),
        (replace(WELL, free=900_000_000, size=100_000_000_000), "900 MB are left", SETTINGS, True),
        (replace(WELL, waiting=["[http] threads"]), "stay in use of: [http] threads.", SETTINGS, False),
        (replace(WELL, sends={"uncertain": 1}), "whether 1 mail of", SENDING, False),
        (replace(WELL, sends={"uncertain": 2}), "whether 2 mails of", SENDING, False),
        (replace(WELL, config=replace(CONFIG, listen="0.0.0.0:80")), "Plain HTTP is open", SETTINGS, False),
        (
            replace(WELL, config=Config((replace(CONFIG.upstreams[0], smtp=replace(SMTP, insecure=True)),))),
            "insecure = true for example.org",
            UPSTREAMS,
            False,
        ),
    ],
)
def test_what_needs_attention_is_said(facts: Facts, words: str, path: str, urgent: bool) -> None:
    (notice,) = notices(facts)
    assert words in notice.text
    assert (notice.path, notice.urgent) == (path, urgent)


def test_a_small_disk_with_room_is_none_that_is_full() -> None:
    assert notices(replace(WELL, free=150_000_000, size=1_000_000_000)) == []


def test_what_is_urgent_stands_first() -> None:
    facts = replace(
        WELL, sends={"uncertain": 1}, certificates={IMAP: until(3), SMTP: until(-3)}, secret_mode=0o644
    )
    assert [notice.urgent for notice in notices(facts)] == [True, True, False, False]
    assert str(Path(facts.config.secret)) in notices(facts)[0].text
