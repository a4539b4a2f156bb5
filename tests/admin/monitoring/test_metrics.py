"""/metrics: what it says, who may read it, and that it is correct with several processes on one state."""

from __future__ import annotations

import builtins
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import Client

from gateway.admin.gateway_process import GatewayProcess
from gateway.admin.panel import create_panel
from gateway.errors import StoreUnreachable
from gateway.state import Counted
from gateway.upstreams.health import Contact
from tests import PATIENCE

WML = {"Accept": "text/vnd.wap.wml", "User-Agent": "Nokia7110/1.0"}
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]

#: Another process on the state of a configuration: it serves three pages, holds two connections, and waits.
ANOTHER = """
import sys
from collections import Counter
from pathlib import Path
from werkzeug.test import Client
from gateway.admin.gateway_process import GatewayProcess
from gateway.config import load

process = GatewayProcess(load(Path(sys.argv[1])))
for _ in range(3):
    Client(process).get("/", headers={"Accept": "text/vnd.wap.wml", "User-Agent": "Nokia7110/1.0"})
process.instruments._held = lambda: Counter(connections=2)
process.instruments.flush()
print("ready", flush=True)
sys.stdin.readline()
process.instruments._held = Counter
process.close()
"""


def scraped(process: GatewayProcess, **headers: str) -> Samples:
    answer = create_panel(process).test_client().get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def of(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((name, frozenset(labels.items())))


def test_all_that_is_counted_is_there(process: GatewayProcess) -> None:
    Client(process).get("/", headers=WML)
    upstream = process.config.upstreams[0]
    process.health.note(upstream.store, Contact(opening=0.02, seconds=0.3))
    process.health.note(upstream.smtp, Contact(error=StoreUnreachable("x"), seconds=1.0))
    process.state.counts.add(Counted.SENDS, "sent")
    process.state.counts.add(Counted.SIGN_INS, "refused")
    process.state.counts.add(Counted.WAP_REFUSED, "over budget")
    process.instruments.hold(lambda: Counter(wap_sessions=2, wap_transactions=1))
    samples = scraped(process)
    store, smtp = upstream.store.url, upstream.smtp.url
    screen = {"screen": "signin.front", "markup": "wml"}
    assert of(samples, "pocketpost_request_seconds_count", **screen) == 1
    assert of(samples, "pocketpost_request_seconds_bucket", **screen, le="+Inf") == 1
    assert 0 < (of(samples, "pocketpost_request_seconds_sum", **screen) or 0) < 25
    assert of(samples, "pocketpost_pages_total", device="nokia7110", markup="wml") == 1
    assert of(samples, "pocketpost_sends_total", outcome="sent") == 1
    assert of(samples, "pocketpost_sign_ins_total", outcome="refused") == 1
    assert of(samples, "pocketpost_upstream_connect_seconds_bucket", server=store, le="0.01") == 0
    assert of(samples, "pocketpost_upstream_connect_seconds_bucket", server=store, le="0.025") == 1
    assert of(samples, "pocketpost_upstream_seconds_sum", server=store) == pytest.approx(0.3)
    assert of(samples, "pocketpost_upstream_errors_total", server=smtp, error="StoreUnreachable") == 1
    assert (
        of(samples, "pocketpost_upstream_up", server=store),
        of(samples, "pocketpost_upstream_up", server=smtp),
    ) == (1, 0)
    assert of(samples, "pocketpost_wap_refused_total", reason="over budget") == 1
    assert of(samples, "pocketpost_wap_sessions") == 2
    assert of(samples, "pocketpost_wap_transactions") == 1
    assert of(samples, "pocketpost_pool_connections") == 0
    assert of(samples, "pocketpost_confined_workers") == 0
    assert of(samples, "pocketpost_sessions") == 0


def test_two_processes_on_one_state_are_summed_whichever_is_asked(process: GatewayProcess) -> None:
    labels = {"device": "nokia7110", "markup": "wml"}
    for _ in range(2):
        Client(process).get("/", headers=WML)
    with subprocess.Popen(
        [sys.executable, "-c", ANOTHER, str(process.file)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3],
    ) as other:  # fmt: skip
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        together = scraped(process)
        assert of(together, "pocketpost_pages_total", **labels) == 5
        assert of(together, "pocketpost_pool_connections") == 2
        other.communicate("\n", timeout=PATIENCE)
    assert other.returncode == 0
    afterwards = scraped(process)
    assert of(afterwards, "pocketpost_pages_total", **labels) == 5
    assert of(afterwards, "pocketpost_pool_connections") == 0


def test_what_a_dead_process_held_is_forgotten_and_what_it_counted_is_not(process: GatewayProcess) -> None:
    process.state.gauges.report("dead", {"connections": 7}, 1_000.0)
    assert of(scraped(process), "pocketpost_pool_connections") == 0


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("192.0.2.7", {}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "192.0.2.7"}, 403),
        ("127.0.0.1", {"Forwarded": "for=192.0.2.7"}, 403),
    ],
)
def test_without_a_token_metrics_are_for_this_machine_only(
    process: GatewayProcess, address: str, headers: dict[str, str], status: int
) -> None:
    client = create_panel(process).test_client()
    answer = client.get("/metrics", headers=headers, environ_overrides={"REMOTE_ADDR": address})
    assert answer.status_code == status
    assert ("pocketpost_pages" in answer.text) is (status == 200)


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ("Bearer right token", 200),
        ("Bearer wrong", 401),
        ("right token", 401),
        ("", 401),
        ("Bearer \xff", 401),
    ],
)
def test_with_a_token_it_is_needed_from_anywhere(process: GatewayProcess, given: str, status: int) -> None:
    process.apply(replace(process.config, metrics_token="right token"))
    client = create_panel(process).test_client()
    for address in ("127.0.0.1", "192.0.2.7"):
        answer = client.get(
            "/metrics", headers={"Authorization": given}, environ_overrides={"REMOTE_ADDR": address}
        )
        assert answer.status_code == status
        assert ("WWW-Authenticate" in answer.headers) is (status == 401)


def test_without_the_library_the_page_names_the_extra(
    process: GatewayProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def missing(name: str, *values: Any, **names: Any) -> Any:
        if name.startswith("prometheus_client"):
            raise ModuleNotFoundError(name=name)
        return real(name, *values, **names)

    monkeypatch.setattr(builtins, "__import__", missing)
    answer = create_panel(process).test_client().get("/metrics")
    assert answer.status_code == 404
    assert "pocketpost[metrics]" in answer.text


def test_nothing_of_a_person_and_nothing_a_stranger_sent_is_a_label(process: GatewayProcess) -> None:
    client = Client(process)
    client.get("/~" + "A" * 43 + "/secret-path", headers={"User-Agent": "Evil/1 anna@example.org"})
    client.post(
        "/m", data={"user": "anna@example.org", "password": "hunter2"}, headers={"User-Agent": "Evil/1"}
    )
    text = create_panel(process).test_client().get("/metrics").text
    assert "pocketpost_pages_total" in text
    for word in ("anna", "hunter2", "Evil", "secret-path", "AAAA"):
        assert word not in text


def test_strangers_cannot_make_labels_without_end(process: GatewayProcess) -> None:
    client = Client(process)
    for n in range(60):
        client.get(f"/path{n}", headers={"User-Agent": f"Agent{n}", "Accept": f"text/x{n}"})
    samples = scraped(process)
    requests = {labels for name, labels in samples if name == "pocketpost_request_seconds_count"}
    assert len(requests) <= 2


def test_the_documentation_has_every_metric_with_its_labels(process: GatewayProcess) -> None:
    process.health.note(process.config.upstreams[0].store, Contact(opening=0.1))
    process.health.note(process.config.upstreams[0].smtp, Contact(error=StoreUnreachable("x")))
    for what in (Counted.SENDS, Counted.SIGN_INS, Counted.WAP_REFUSED):
        process.state.counts.add(what, "sent")
    Client(process).get("/", headers=WML)
    text = create_panel(process).test_client().get("/metrics").text
    made = {
        family.name: {label for sample in family.samples for label in sample.labels} - {"le"}
        for family in text_string_to_metric_families(text)
    }
    page = (Path(__file__).parents[3] / "docs" / "monitoring.md").read_text("utf-8")
    table = re.findall(r"^\| `(pocketpost\w*)` \|([a-z, ]*)\|", page, re.MULTILINE)
    assert {name: {*labels.replace(",", " ").split()} for name, labels in table} == made
