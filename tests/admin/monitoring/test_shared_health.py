"""What processes on one state tell each other about the mail servers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.admin.monitoring.shared_health import SharedHealth
from gateway.config import Server, Tls
from gateway.errors import StateFull, StoreUnreachable
from gateway.state import State
from gateway.state.watching.server_health import KEPT_SECONDS, MOST
from gateway.upstreams.health import Contact, Health, HealthRecords

NOW = 1_000_000.0
SECRET = b"s" * 32
IMAP = Server("imap", "mail.example.org", 993, Tls.IMPLICIT)
DOWN = Contact(error=StoreUnreachable("no room for anna@example.org"))


class Process:
    """One process: what it has seen, and its view of the state."""

    def __init__(self, state: State, secret: bytes = SECRET) -> None:
        self.records = HealthRecords(clock=lambda: self.now)
        self.shared = SharedHealth(self.records, state, secret)
        self.now = NOW

    def saw(self, contact: Contact, at: float, server: Server = IMAP) -> None:
        self.now = at
        self.records.note(server, contact)
        self.shared.tell(at)

    def health(self) -> Health:
        return self.shared.hear([IMAP], self.now)[IMAP]


@pytest.fixture
def two(tmp_path: Path) -> tuple[Process, Process]:
    return Process(State.open(tmp_path / "state")), Process(State.open(tmp_path / "state"))


def test_each_knows_what_the_other_has_seen_and_the_last_who_saw_a_server_is_right(
    two: tuple[Process, Process],
) -> None:
    one, other = two
    one.saw(Contact(opening=0.02), NOW)
    other.saw(DOWN, NOW + 1)
    for process in two:
        known = process.health()
        assert (known.up, known.since, known.seen, known.opening) == (False, NOW + 1, NOW + 1, 0.02)
        assert known.error == "no room for anna@example.org"
    one.saw(Contact(), NOW + 2)
    assert other.health().up is True
    other.saw(Contact(), NOW + 3)
    assert one.health().since == NOW + 2


def test_rows_are_encrypted_and_under_another_secret_nothing_is_known(tmp_path: Path) -> None:
    with State.open(tmp_path / "state") as state:
        Process(state).saw(DOWN, NOW)
        assert Process(state).health().up is False
        assert Process(state, b"t" * 32).health() == Health()
    assert b"example" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_another_way_to_trust_a_server_is_another_server(two: tuple[Process, Process]) -> None:
    two[0].saw(DOWN, NOW, replace(IMAP, insecure=True))
    assert two[1].health() == Health()


def test_what_could_not_be_written_is_written_later(
    two: tuple[Process, Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_values: object) -> None:
        raise StateFull("full")

    one, other = two
    with monkeypatch.context() as patch:
        patch.setattr(one.shared._table, "change", full)
        with pytest.raises(StateFull):
            one.saw(DOWN, NOW)
    assert other.health() == Health()
    one.shared.tell(NOW)
    assert other.health().up is False


def test_rows_are_few_and_old_ones_go(tmp_path: Path) -> None:
    with State.open(tmp_path / "state") as state:
        for number in range(2):
            process = Process(state)
            for port in range(1, MOST // 2 + 3):
                process.records.note(replace(IMAP, host=f"mail{number}.example.org", port=port), DOWN)
            process.shared.tell(NOW)

        def rows() -> int:
            with state.database.reading() as connection:
                return int(connection.exec_driver_sql("SELECT count(*) FROM server_health").scalar_one())

        assert rows() == MOST
        later = Process(state)
        later.now = process.now + KEPT_SECONDS
        assert later.health() == Health()
        later.saw(DOWN, later.now)
        assert rows() == 1
