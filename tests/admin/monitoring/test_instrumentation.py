"""What is counted in a running gateway, what that costs, and that it contains nothing about a person."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import pytest
from werkzeug.test import Client

from gateway.admin.gateway_process import GatewayProcess
from gateway.admin.monitoring import instrumentation
from gateway.errors import (
    AccountLocked,
    AuthenticationFailed,
    StateFull,
    StoreUnreachable,
    TooManyTries,
    UnknownDomain,
)
from gateway.state import Counted
from gateway.state.watching.counts import CountKey
from gateway.state.watching.handhelds_seen import MOST

AGENT = "Nokia7110/1.0 (05.01)"
WML = {"Accept": "text/vnd.wap.wml", "User-Agent": AGENT}
#: Calls of Python functions that counting may add to a request; opening the sign-in page takes some thousands.
CALLS = 60


def of_kind(process: GatewayProcess, what: Counted) -> dict[CountKey, float]:
    return {key[1:]: value for key, value in process.state.counts.totals().items() if key[0] == what.key}


def test_requests_are_counted_by_screen_and_markup_and_pages_by_device(process: GatewayProcess) -> None:
    client = Client(process)
    for _ in range(3):
        client.get("/", headers=WML)
    client.get("/m", headers={"User-Agent": "Lynx/2.9"})
    client.get("/nowhere", headers=WML)
    client.get("/robots.txt", headers=WML)
    times = of_kind(process, Counted.REQUEST_TIMES)
    screens = {(screen, markup) for screen, markup, _bucket in times}
    assert screens >= {
        ("signin.front", "wml"),
        ("signin.xhtml", "xhtml"),
        ("none", "wml"),
        ("plain.robots", "wml"),
    }
    assert sum(value for key, value in times.items() if key[:2] == ("signin.front", "wml")) == 3
    assert of_kind(process, Counted.PAGES) == {("nokia7110", "wml"): 3, ("textbrowser", "xhtml"): 1}


def test_the_times_of_a_histogram_are_summed(process: GatewayProcess) -> None:
    counts = process.state.counts
    for seconds in (0.005, 0.006, 30.0):
        counts.time(Counted.CONNECT_TIMES, seconds, "imap://a:1")
    assert of_kind(process, Counted.CONNECT_TIMES) == {
        ("imap://a:1", "0.005"): 1,
        ("imap://a:1", "0.01"): 1,
        ("imap://a:1", "inf"): 1,
    }
    assert counts.totals()[("connect_times_seconds", "imap://a:1")] == pytest.approx(30.011)


def test_handhelds_are_noted_without_whose_they_are(process: GatewayProcess) -> None:
    client = Client(process)
    for _ in range(2):
        client.get("/", headers={**WML, "User-Agent": AGENT + " SN352000012345678 anna@example.org"})
    assert process.state.handhelds.all() == []
    process.instruments.flush()
    (seen,) = process.state.handhelds.all()
    assert (seen.agent, seen.markup, seen.device, seen.budget, seen.known, seen.pages) == (
        AGENT + " SN... ...",
        "wml",
        "nokia7110",
        1396,
        False,
        2,
    )


def test_a_page_costs_few_calls_and_no_write(
    process: GatewayProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, calls = Client(process), 0
    client.get("/", headers=WML)

    def count(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    def asked() -> int:
        nonlocal calls
        calls = 0
        sys.setprofile(count)
        try:
            client.get("/", headers=WML)
        finally:
            sys.setprofile(None)
        return calls

    writes: list[object] = []
    writing = process.state.database.writing
    monkeypatch.setattr(
        process.state.database,
        "writing",
        lambda *values, **names: writes.append(1) or writing(*values, **names),
    )
    counted = asked()
    process.app.after_request_funcs[None].remove(process.instruments._answered)
    bare = asked()
    assert 0 < counted - bare <= CALLS
    assert writes == []


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "signed in"),
        (AuthenticationFailed("x"), "refused"),
        (TooManyTries(9), "slowed down"),
        (UnknownDomain("x"), "unknown domain"),
        (AccountLocked("x"), "locked"),
        (StoreUnreachable("x"), "server failed"),
        (RuntimeError("x"), "failed here"),
    ],
)
def test_sign_ins_are_counted_by_outcome(
    process: GatewayProcess, monkeypatch: pytest.MonkeyPatch, error: Exception | None, outcome: str
) -> None:
    def opened(*_values: Any, **_names: Any) -> None:
        if error is not None:
            raise error

    monkeypatch.setattr(instrumentation.Sessions, "open", opened)
    sessions = process.app.extensions["pocketpost.sessions"]
    if error is None:
        sessions.open("anna@example.org", "secret")
    else:
        with pytest.raises(type(error)):
            sessions.open("anna@example.org", "secret")
    assert of_kind(process, Counted.SIGN_INS) == {(outcome,): 1}


def test_what_mail_servers_did_is_counted(process: GatewayProcess) -> None:
    client = Client(process)
    form = {"user": "anna@example.org", "password": "secret"}
    client.post("/m", data=form, headers={"User-Agent": "Lynx/2.9"})
    server = process.config.upstreams[0].store.url
    assert of_kind(process, Counted.UPSTREAM_ERRORS) == {(server, "StoreUnreachable"): 1}
    assert sum(of_kind(process, Counted.UPSTREAM_TIMES).values()) == 1
    assert of_kind(process, Counted.SIGN_INS) == {("server failed",): 1}
    assert process.health.of(process.config.upstreams[0].store).up is False
    assert not any(
        "anna" in part or "secret" in part for key in process.state.counts.totals() for part in key
    )


def test_counts_survive_a_restart_a_new_configuration_and_a_state_that_was_full(
    process: GatewayProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_values: Any, **_names: Any) -> None:
        raise StateFull("full")

    client = Client(process)
    client.get("/", headers=WML)
    with monkeypatch.context() as patch:
        patch.setattr(process.state.database, "writing", full)
        process.instruments.flush()
    process.apply(process.config)
    client.get("/", headers=WML)
    process.instruments.flush()
    process.instruments.flush()
    assert of_kind(process, Counted.PAGES) == {("nokia7110", "wml"): 2}
    (seen,) = process.state.handhelds.all()
    assert seen.pages == 2


def test_days_are_told_apart_for_a_month_and_totals_never_go_down(process: GatewayProcess) -> None:
    counts, day = process.state.counts, 86_400.0
    for n in range(100):
        counts.add(Counted.SENDS, "sent")
        counts.flush((20_000 + n) * day)
    assert of_kind(process, Counted.SENDS) == {("sent",): 100}
    since = counts.totals(20_098 * day)
    assert since[("sends", "sent")] == 2
    with process.state.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT count(*) FROM counts").scalar_one()
    assert rows == 32


def test_strangers_handhelds_crowd_out_nobodys(process: GatewayProcess) -> None:
    table = process.state.handhelds
    table.note("mine", "wml", "wml", 1396, True, 1.0)
    for n in range(3 * MOST[False]):
        table.note(f"bot {n}", "wml", "wml", 1396, False, 2.0 + n)
    table.flush()
    found = table.all()
    assert len(found) == MOST[False] + 1
    assert any(one.agent == "mine" for one in found)
    assert any(one.agent == "bot 299" for one in found)
    for known in (True, False):
        table.note("bot 299", "wml", "nokia7110", 1396, known, 9999.0)
        table.flush()
    (again,) = (one for one in table.all() if one.agent == "bot 299")
    assert (again.known, again.pages, again.device) == (True, 3, "nokia7110")
