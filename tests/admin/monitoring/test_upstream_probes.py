"""Probes of quiet servers: when it is their turn, at most once a minute, and never for long."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event

import pytest

from gateway.admin.monitoring import upstream_probes
from gateway.admin.monitoring.upstream_probes import (
    AT_ONCE,
    CERTIFICATE_SECONDS,
    REST_SECONDS,
    UpstreamProbes,
)
from gateway.config import Server, Tls
from gateway.errors import StoreUnreachable
from gateway.upstreams.certificates import PeerCertificate
from gateway.upstreams.health import Contact, HealthRecords
from gateway.upstreams.tls import ProbeResult

PLAIN = Server("imap", "127.0.0.1", 143, Tls.NONE)
SECURE = Server("imap", "mail.example", 993, Tls.IMPLICIT)
SHOWN = PeerCertificate(expires=datetime(2030, 1, 1, tzinfo=UTC))
SECONDS = 20.0


class Scene:
    """Servers that are probed only on paper."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.looks: Counter[Server] = Counter()
        self.failure: StoreUnreachable | None = None
        self.records = HealthRecords(clock=lambda: self.now)
        self.probes = UpstreamProbes(self.records, self.probe, lambda: self.now)

    def probe(self, server: Server) -> ProbeResult:
        self.looks[server] += 1
        shown = SHOWN if server.tls is not Tls.NONE else PeerCertificate()
        return ProbeResult(failure=self.failure, certificate=shown)

    def look(self, *servers: Server) -> None:
        self.probes.look(servers, SECONDS)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_server_that_nobody_has_asked_is_looked_at_once_a_minute(scene: Scene) -> None:
    for _ in range(5):
        scene.look(PLAIN)
    assert scene.looks[PLAIN] == 1
    assert scene.records.of(PLAIN).up is True
    scene.now += REST_SECONDS
    scene.look(PLAIN)
    assert scene.looks[PLAIN] == 2


def test_a_server_that_requests_have_seen_is_left_alone(scene: Scene) -> None:
    scene.records.note(PLAIN, Contact())
    scene.now += REST_SECONDS - 1
    scene.look(PLAIN)
    assert not scene.looks
    scene.now += 1
    scene.look(PLAIN)
    assert scene.looks[PLAIN] == 1


def test_a_busy_servers_certificate_is_looked_at_all_the_same_but_rarely(scene: Scene) -> None:
    for _ in range(5):
        scene.records.note(SECURE, Contact())
        scene.look(SECURE)
        scene.now += REST_SECONDS
    assert scene.looks[SECURE] == 1
    assert scene.probes.certificate(SECURE) == SHOWN
    scene.now += CERTIFICATE_SECONDS
    scene.records.note(SECURE, Contact())
    scene.look(SECURE)
    assert scene.looks[SECURE] == 2


def test_a_server_that_is_down_is_seen_up_again_without_a_person(scene: Scene) -> None:
    scene.failure = StoreUnreachable("127.0.0.1:143: timed out")
    scene.look(PLAIN)
    assert (scene.records.of(PLAIN).up, scene.records.of(PLAIN).error) == (False, "127.0.0.1:143: timed out")
    scene.failure = None
    scene.now += REST_SECONDS
    scene.look(PLAIN)
    assert scene.records.of(PLAIN).up is True


def test_a_mute_server_keeps_nobody_waiting_and_gets_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, looks = Event(), Counter[Server]()

    def mute(server: Server) -> ProbeResult:
        looks[server] += 1
        answers.wait(SECONDS)
        return ProbeResult()

    probes = UpstreamProbes(HealthRecords(), mute)
    servers = [replace(PLAIN, port=port) for port in range(1, 3 * AT_ONCE)]
    for _ in range(3):
        probes.look(servers, 0.01)
    assert sum(looks.values()) <= AT_ONCE
    answers.set()
    probes.look(servers, SECONDS)
    assert set(looks.values()) == {1}
    assert len(looks) == len(servers)


def test_a_look_that_fails_in_itself_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Counter[Server]()

    def broken(server: Server) -> ProbeResult:
        looks[server] += 1
        if server is PLAIN:
            raise RuntimeError("a fault")
        return ProbeResult()

    records = HealthRecords()
    probes = UpstreamProbes(records, broken)
    for _ in range(3):
        probes.look([PLAIN, SECURE], SECONDS)
    assert looks[PLAIN] == 1
    assert (records.of(PLAIN).up, records.of(SECURE).up) == (None, True)
    assert probes._threads == 0


def test_real_servers_are_probed_by_their_protocol() -> None:
    for protocol in ("imap", "pop3", "smtp"):
        server = Server(protocol, "127.0.0.1", 1, Tls.NONE)
        assert "refused" in upstream_probes.probe(server).failure.detail.lower()
