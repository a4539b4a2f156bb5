"""The overview, and the health checks beside it."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from threading import Thread

import pytest

from gateway.admin.gateway_process import GatewayProcess
from gateway.admin.panel import create_panel
from gateway.config import load
from gateway.errors import StateFull, StoreUnreachable
from gateway.server.reachability import OVER_BUDGET
from gateway.state import Counted
from gateway.upstreams.health import Contact
from tests import PATIENCE
from tests.admin.conftest import XHTML, Administrator, text_of


@contextmanager
def greeting(line: bytes) -> Iterator[int]:
    """A server that greets, and says goodbye."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        stopped = False

        def serve() -> None:
            while not stopped:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    continue
                with peer, suppress(OSError):
                    peer.settimeout(PATIENCE)
                    peer.sendall(line)
                    while octets := peer.recv(1000):
                        peer.sendall(b"* BYE\r\n" + octets.split()[0] + b" OK done\r\n")

        thread = Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        stopped = True
        thread.join()


def test_a_server_that_is_down_is_said_with_its_error_and_since_when(administrator: Administrator) -> None:
    page = administrator.get("/")
    text = text_of(page)
    assert "imap://127.0.0.1:1, for example.org, is down: 127.0.0.1:1: Connection refused" in text
    assert "smtp://127.0.0.1:2, for example.org, is down: " in text
    assert text.count("Down since 20") == 2
    assert "seen 0 s ago" in text
    assert page.xpath("//h:li[@class='bad']", namespaces=XHTML)


def test_a_server_that_answers_is_up_and_its_opening_is_timed(
    process: GatewayProcess, administrator: Administrator
) -> None:
    with greeting(b"* OK [CAPABILITY IMAP4rev1] ready\r\n") as port:
        file = process.file
        assert file is not None
        file.write_text(file.read_text().replace("imap://127.0.0.1:1", f"imap://127.0.0.1:{port}"))
        process.reload()
        text = text_of(administrator.get("/"))
    assert "Up since 20" in text
    assert " ms " in text


def test_what_runs_is_said(process: GatewayProcess, administrator: Administrator) -> None:
    text = text_of(administrator.get("/"))
    for name in ("OpenSSL", "flask", "CPython", "cryptography", "Running since", str(process.file)):
        assert name in text


def test_sends_and_sign_ins_are_counted_by_outcome(
    process: GatewayProcess, administrator: Administrator
) -> None:
    counts = process.state.counts
    for outcome in ("sent", "sent", "not sent"):
        counts.add(Counted.SENDS, outcome)
    counts.flush(1_000_000.0)
    counts.add(Counted.SENDS, "sent")
    rows = {
        row.xpath("string(h:th)", namespaces=XHTML): row.xpath("h:td/text()", namespaces=XHTML)
        for row in administrator.get("/").xpath("//h:tr[h:td]", namespaces=XHTML)
    }
    assert rows["sent"] == ["1", "3", "3"]
    assert rows["not sent"] == ["0", "1", "1"]


def test_since_start_counts_what_all_processes_did_since_and_nothing_before(process: GatewayProcess) -> None:
    process.state.counts.add(Counted.SENDS, "sent")
    process.state.counts.flush(time.time())
    assert process.file is not None
    late = GatewayProcess(load(process.file), process.file)
    try:
        for state in (process.state, process.state, late.state):
            state.counts.add(Counted.SENDS, "sent")
            state.counts.flush(time.time())
        page = Administrator(create_panel(late).test_client()).get("/")
        row = page.xpath("//h:tr[h:th='sent']/h:td/text()", namespaces=XHTML)
        assert row == ["4", "3", "4"]
    finally:
        late.close()


def test_wap_phones_are_told_of_where_they_are_served(
    process: GatewayProcess, administrator: Administrator
) -> None:
    assert "WAP" not in text_of(administrator.get("/"))
    process.apply(replace(process.config, wap_listen="127.0.0.1"))
    # Another process has the phones, and reports what it holds.
    process.state.gauges.report("phones", {"wap_sessions": 12, "wap_transactions": 3}, time.time())
    process.state.counts.add(Counted.WAP_REFUSED, OVER_BUDGET)
    process.state.counts.flush(time.time())
    text = text_of(administrator.get("/"))
    assert "Sessions of WAP phones 12 Their transactions under way 3" in text
    assert f"Datagrams not sent to WAP phones Reason Today Since start Ever {OVER_BUDGET} 1 1 1" in text


def test_what_cannot_be_written_is_said_and_not_ready(
    process: GatewayProcess, administrator: Administrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise StateFull("state: database or disk is full")

    monkeypatch.setattr(process.state.database, "require_writable", full)
    assert "The state cannot be written: state: database or disk is full" in text_of(administrator.get("/"))
    answer = administrator.client.get("/health/ready")
    assert (answer.status_code, json.loads(answer.data)["state"]) == (503, "not writable")


def test_the_process_is_live_and_ready_until_every_store_is_known_to_be_down(process: GatewayProcess) -> None:
    client = create_panel(process).test_client()
    live = client.get("/health/live")
    assert (live.status_code, live.mimetype, live.json) == (200, "application/json", {"status": "live"})
    ready = client.get("/health/ready")
    assert (ready.status_code, ready.json["stores"]) == (200, {"up": 0, "down": 0, "unknown": 1})
    upstream = process.config.upstreams[0]
    process.health.note(upstream.smtp, Contact(error=StoreUnreachable("x")))
    assert client.get("/health/ready").status_code == 200
    process.health.note(upstream.store, Contact(error=StoreUnreachable("x: timed out")))
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json) == (
        503,
        {"status": "not ready", "state": "writable", "stores": {"up": 0, "down": 1, "unknown": 0}},
    )
    process.health.note(upstream.store, Contact())
    assert client.get("/health/ready").status_code == 200


def test_health_checks_name_nobody_and_write_rarely(
    process: GatewayProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, writes = create_panel(process).test_client(), []
    monkeypatch.setattr(process.state.database, "require_writable", lambda: writes.append(1))
    answers = [client.get("/health/ready").text for _ in range(20)]
    assert len(writes) == 1
    assert not any("127.0.0.1" in text or "example" in text for text in answers)
