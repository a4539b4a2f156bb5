"""forwarded: behind our proxies everybody has their own address, and nobody can invent one."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.forwarded import LONGEST, Client, client, parse_node

TRUSTED = [ip_network(text) for text in ("192.0.2.0/28", "2001:db8:f::/48")]
PROXY, OUTER, WAP = "192.0.2.1", "2001:db8:f::2", "192.0.2.3"
ANNA, FORGED = "198.51.100.7", "203.0.113.9"
NAMES = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-WAP-Network-Client-IP")


def ask(peer: str = PROXY, scheme: str = "http", **fields: str) -> Client:
    said = {name.lower().replace("_", "-"): value for name, value in fields.items()}
    return client(peer, scheme, lambda name: said.get(name.lower()), TRUSTED)


@pytest.mark.parametrize(
    ("value", "address"),
    [
        (f"for={ANNA}", ANNA),
        (f"For={ANNA};by=x;proto=http", ANNA),
        (f'for="{ANNA}:4711"', ANNA),
        (f"for={ANNA}:4711", ANNA),
        ('for="[2001:DB8:1::1]:80"', "2001:db8:1::1"),
        ("for=[2001:db8:1::1]", "2001:db8:1::1"),
        ('for="::ffff:198.51.100.7"', ANNA),
        (f"for={FORGED}, for={ANNA}", ANNA),
        (f'for="{FORGED}\\", for={FORGED}", for={ANNA}', ANNA),
        (f'for={FORGED};x="a,b", for={ANNA}', ANNA),
        (f'for={ANNA}, for="[{OUTER}]"', ANNA),
        (f'for={FORGED}, for={ANNA}, for="[{OUTER}]"', ANNA),
        (f"for=unknown, for={WAP}", WAP),
        ("for=unknown", PROXY),
        ("for=_hidden", PROXY),
        ("by=x", PROXY),
        ("", PROXY),
        # What does not follow the grammar is believed nowhere: an unclosed quote could hide what a proxy says.
        (f'for="{FORGED}, for={ANNA}', PROXY),
        (f"for={FORGED};for={FORGED}", PROXY),
        (f"{FORGED}", PROXY),
        (f"for = {FORGED}", PROXY),
        (f"for={FORGED} for={FORGED}", PROXY),
        ("," * (LONGEST + 1), PROXY),
    ],
)
def test_forwarded_is_read_from_the_right(value: str, address: str) -> None:
    assert ask(forwarded=value).address == address


@pytest.mark.parametrize(
    ("value", "address"),
    [
        (ANNA, ANNA),
        (f"{FORGED}, {ANNA}", ANNA),
        (f"{FORGED},{ANNA} , {OUTER}", ANNA),
        (f"{ANNA}, {OUTER}, {WAP}", ANNA),
        (f"{OUTER}, {WAP}", OUTER),
        (f"{ANNA}:4711", ANNA),
        ("2001:db8:1::1", "2001:db8:1::1"),
        ("[2001:db8:1::1]:80", "2001:db8:1::1"),
        (f"{FORGED}, unknown", PROXY),
        (f"{FORGED},", PROXY),
        (f"{FORGED}, {OUTER}, nonsense", PROXY),
        (f"{'x' * LONGEST}, {FORGED}", PROXY),
    ],
)
def test_x_forwarded_for_is_read_from_the_right(value: str, address: str) -> None:
    assert ask(x_forwarded_for=value).address == address


def test_a_wap_gateway_tells_its_phones_apart_alone_and_behind_a_proxy() -> None:
    assert ask(WAP, x_wap_network_client_ip="10.1.2.3").address == "10.1.2.3"
    assert ask(WAP, x_wap_network_client_ip=f"{FORGED}, 10.1.2.3").address == "10.1.2.3"
    assert ask(x_forwarded_for=WAP, x_wap_network_client_ip="10.1.2.3").address == "10.1.2.3"
    assert ask(forwarded=f"for={WAP}", x_wap_network_client_ip="10.1.2.3").address == "10.1.2.3"
    assert ask(x_forwarded_for=ANNA, x_wap_network_client_ip=FORGED).address == ANNA


def test_a_stranger_is_not_believed() -> None:
    for peer in (ANNA, "::1", "", "unix:", "192.0.2.16"):
        said = ask(peer, forwarded=f"for={FORGED};proto=https", x_forwarded_for=FORGED)
        assert said == Client(peer, "http")


def test_two_fields_that_disagree_are_both_forgeable() -> None:
    assert ask(forwarded=f"for={FORGED}", x_forwarded_for=ANNA).address == PROXY
    assert ask(forwarded=f"for={ANNA}", x_forwarded_for=f"{FORGED}, {ANNA}").address == ANNA


@pytest.mark.parametrize(
    ("fields", "scheme"),
    [
        ({"x_forwarded_proto": "https"}, "https"),
        ({"x_forwarded_proto": "HTTPS"}, "https"),
        ({"x_forwarded_proto": "https, http"}, "http"),
        ({"x_forwarded_proto": "gopher"}, "http"),
        ({"forwarded": f"for={ANNA};proto=https"}, "https"),
        ({"forwarded": f"for={FORGED};proto=https, for={ANNA}"}, "http"),
        ({"forwarded": f"for={ANNA};proto=http", "x_forwarded_proto": "https"}, "http"),
        ({"forwarded": f"for={ANNA}", "x_forwarded_proto": "https"}, "https"),
    ],
)
def test_the_scheme_is_what_the_nearest_proxy_says(fields: dict[str, str], scheme: str) -> None:
    assert ask(**fields).scheme == scheme


PIECES = st.sampled_from(
    [
        "for=",
        '"',
        "\\",
        ",",
        ";",
        "=",
        " ",
        "[",
        "]",
        ":",
        "proto=https",
        "unknown",
        ANNA,
        FORGED,
        PROXY,
        OUTER,
    ]
)
HOSTILE = st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=60)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, HOSTILE)))
def test_whatever_is_sent_somebody_asks(fields: dict[str, str]) -> None:
    found = client(PROXY, "http", fields.get, TRUSTED)
    assert parse_node(found.address) is not None
    assert found.scheme in ("http", "https")
    assert client(ANNA, "http", fields.get, TRUSTED) == Client(ANNA, "http")


@given(HOSTILE, st.sampled_from(["for={}", 'for="{}:80"', "for={};proto=https", "by=a;for={}"]))
def test_what_a_person_writes_left_of_the_proxy_makes_them_nobody_else(forged: str, written: str) -> None:
    found = ask(forwarded=f"{forged}, {written.format(ANNA)}")
    assert found.address in (ANNA, PROXY)


@given(HOSTILE, HOSTILE)
def test_a_person_is_nobody_else_behind_a_proxy_of_old_either(forged: str, other: str) -> None:
    found = ask(x_forwarded_for=f"{forged}, {ANNA}", x_wap_network_client_ip=other)
    assert found.address == ANNA
