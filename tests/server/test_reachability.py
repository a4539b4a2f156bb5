"""Tests of `gateway.server.reachability`: who is sent how much by UDP."""

from __future__ import annotations

from gateway.server.reachability import (
    AMPLIFICATION,
    HOST_RATE,
    HOSTS,
    KNOWN_SECONDS,
    OVER_BUDGET,
    SLOT,
    UNPROVEN,
    Reachability,
)

HOST = "192.0.2.7"


def test_three_times_what_came_and_no_more() -> None:
    reach = Reachability((), b"k")
    assert not reach.may_send(HOST, 1, 0)
    reach.received(HOST, 10, 0)
    assert reach.may_send(HOST, 10 * AMPLIFICATION - 1, 0)
    assert not reach.may_send(HOST, 2, 0)
    assert reach.may_send(HOST, 1, 0)
    assert not reach.may_send(HOST, 1, 1e6)


def test_why_nothing_is_sent_is_told() -> None:
    refused: list[str] = []
    reach = Reachability((), b"k", refused.append)
    reach.may_send(HOST, 1, 0)
    reach.keep(HOST, 0)
    while reach.may_send(HOST, 1000, 0):
        pass
    assert refused == [UNPROVEN, OVER_BUDGET]


def test_a_token_makes_an_address_known_for_a_while() -> None:
    reach = Reachability((), b"k")
    token = reach.token(HOST, 0)
    assert not reach.take_token("192.0.2.8", token, 0)
    assert not reach.take_token(HOST, token[:-1] + "a2"[token.endswith("a")], 0)
    assert not reach.take_token(HOST, token, 2 * SLOT)
    assert reach.take_token(HOST, token, 2 * SLOT - 1)
    assert reach.is_known(HOST, 2 * SLOT - 1)
    assert reach.may_send(HOST, 5000, 2 * SLOT - 1)
    assert not reach.is_known(HOST, 2 * SLOT - 1 + KNOWN_SECONDS)
    assert Reachability((), b"other").token(HOST, 0) != token


def test_a_known_address_has_a_budget() -> None:
    reach = Reachability((), b"k")
    reach.keep(HOST, 0)
    sent = sum(1000 for _ in range(1000) if reach.may_send(HOST, 1000, 0))
    assert sent == HOST_RATE * 10
    assert reach.may_send(HOST, 1000, 1)


def test_trusted_networks_have_none() -> None:
    reach = Reachability(("192.0.2.0/24", "2001:db8::/32"), b"k")
    assert all(reach.may_send(HOST, 60_000, 0) for _ in range(1000))
    assert reach.is_known("2001:db8::1", 0)
    assert not reach.is_known("198.51.100.1", 0)


def test_what_is_remembered_is_bounded() -> None:
    reach = Reachability((), b"k")
    for number in range(HOSTS + 50):
        reach.received(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 10, 0)
    assert len(reach._hosts) == HOSTS
