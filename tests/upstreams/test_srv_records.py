"""srv_records: a service's hosts in their order, whatever a name server says; against a real one on loopback."""

from __future__ import annotations

import pytest

from gateway.upstreams import srv_records
from gateway.upstreams.srv_records import ServiceHost, ServiceRecords
from tests.servers.names import name_server

SERVICE = "_imaps._tcp"


def look_up(*records: str, spoil: bytes = b"") -> ServiceRecords:
    with name_server({"_imaps._tcp.example.org": records}, spoil=spoil) as resolver:
        return srv_records.look_up(SERVICE, "example.org", resolver)


def test_hosts_stand_by_priority_and_weight() -> None:
    found = look_up(
        "20 1 993 c.example.", "10 1 993 b.example.", "10 9 1993 a.Example.", "10 9 1993 a.example."
    )
    expected = (ServiceHost("a.example", 1993), ServiceHost("b.example", 993), ServiceHost("c.example", 993))
    assert found == ServiceRecords(expected)


def test_a_domain_may_say_that_it_has_none() -> None:
    assert look_up("0 0 0 .") == ServiceRecords(refused=True)


@pytest.mark.parametrize(
    "record", ["0 0 0 a.example.", r"0 0 1 a\000b.example.", r"0 0 1 a\032b.example.", "0 0 1 a-.example."]
)
def test_what_is_no_host_is_left_out(record: str) -> None:
    assert look_up(record, "1 1 993 b.example.") == ServiceRecords((ServiceHost("b.example", 993),))


def test_no_answer_is_no_hosts() -> None:
    with name_server({}) as resolver:
        assert srv_records.look_up(SERVICE, "example.org", resolver) == ServiceRecords()
        assert srv_records.look_up(SERVICE, "a" * 70 + ".example", resolver) == ServiceRecords()
    assert look_up() == ServiceRecords()
    assert len(look_up(*(f"1 1 {port} a.example." for port in range(1, 20))).hosts) == srv_records.MOST


def test_what_is_no_answer_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(srv_records, "SECONDS", 0.2)
    found = look_up("1 1 993 b.example.", spoil=b"\0\1\2")
    assert (found.hosts, bool(found.failure)) == ((), True)
