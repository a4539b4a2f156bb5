"""The benchmark itself: every row is there, and a list costs the same in a mailbox of any size.

Only counts: how long something takes is measured by `make bench`, not by tests.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from itertools import product
from pathlib import Path

import pytest

from bench import flood, phones, report, stages
from bench.measure import PAGES, Row
from bench.suite import Figures, arguments, run
from gateway.server.workers import cores
from tests.servers import dovecot
from tests.servers.smtp import SmtpServer

pytestmark = pytest.mark.long

SMALL, LARGE = 100, 3000
MARKUPS = ("wml", "xhtml")
#: Growth from the small mailbox to the large one: longer numbers, nothing else.
GROWTH = 1.1
#: The same for commands: UIDs that are not consecutive are written one by one.
SPELLED = 1.2
#: Octets of a flag that only the first of several connections sees (RFC 3501 §2.3.2).
RECENT = len(" \\Recent")
#: Writes of the journal that a sending waits for.
SYNCED = 5


@pytest.fixture(scope="module")
def figures() -> Figures:
    if not dovecot.installed():
        pytest.skip("NOT TESTED: dovecot is not installed (see tests/debian-packages.txt)")
    words = ["--sizes", str(SMALL), str(LARGE), "--rounds", "1", "--clients", "2", "--seconds", "0.05"]
    words += ["--people", "1", "3", "--phones", "0"]
    return run(arguments(words))


@pytest.fixture(scope="module")
def rows(figures: Figures) -> list[Row]:
    return figures[0]


def test_every_row_is_there(rows: list[Row]) -> None:
    found = [(row.gateway, row.messages, row.markup, row.page) for row in rows]
    wanted = set(product(("in process", "served"), (SMALL, LARGE), MARKUPS, PAGES))
    assert set(found) == wanted
    assert len(found) == len(wanted)
    for row in rows:
        upstream = (row.round_trips, row.octets_out, row.octets_in)
        assert min(row.ms, row.floor_ms, row.cpu_ms, row.octets) > 0, row
        # What is written first needs nothing from the mailbox.
        assert (min(upstream) > 0) if row.page != "writing a mail" else (max(upstream) == 0), row
        assert row.dovecot_ms >= 0
        assert (row.rate is not None and row.rate > 0) == (row.gateway == "served"), row


def test_the_report_names_every_row(rows: list[Row]) -> None:
    text = report.tables(rows)
    for heading in ("In process", "Served", f"Growth from {SMALL} to {LARGE:,} messages"):
        assert f"### {heading}\n" in text
    for row in rows:
        assert f"| {row.messages:,} | {row.markup} | {row.page} | {row.ms:.2f} |" in text
    assert text.count("\n| in process |") == text.count("\n| served |") == len(MARKUPS) * len(PAGES)


def test_first_openings_are_measured_by_one_person_and_by_many(figures: Figures) -> None:
    found = [(one.gateway, one.people, one.markup, one.page) for one in figures.opened]
    pages = ("text message", "HTML newsletter")
    wanted = [("in process", 1, *each) for each in product(MARKUPS, pages)]
    wanted += [("served", people, *each) for people in (1, 3) for each in product(MARKUPS, pages)]
    assert found == wanted
    assert all(min(one.rate, one.cpu_ms) > 0 for one in figures.opened)
    assert report.openings(figures.opened).count("\n| served |") == 8


def test_rendering_is_measured_by_stage_without_any_server(figures: Figures) -> None:
    calls = {(row.message, row.stage): row.calls for row in figures.stages}
    assert len(calls) == len(figures.stages) == len(stages.MESSAGES) * (2 + len(stages.DEVICES))
    again = {(row.message, row.stage): row.calls for row in stages.measure(1)}
    assert calls == pytest.approx(again, rel=0.01)
    assert report.stages(figures.stages).count("| rendering alone |") == len(calls)


def test_start_and_memory_are_those_of_all_processes(figures: Figures) -> None:
    assert figures.footprint is not None
    assert figures.footprint.start_seconds > 0
    assert len(figures.footprint.workers_mb) == (cores() if cores() > 1 else 0)
    assert all(each > 1 for each in (figures.footprint.parent_mb, *figures.footprint.workers_mb))
    assert "to the first answer" in report.footprint(figures.footprint)


def test_sending_costs_as_much_as_it_is_said_to(figures: Figures) -> None:
    sent = figures[1]
    assert {(one.gateway, one.markup) for one in sent} == set(product(("in process", "served"), MARKUPS))
    assert all(min(one.ms, one.floor_ms, one.cpu_ms) > 0 for one in sent)
    seen = [one for one in sent if one.gateway == "in process"]
    # docs/sending.md: steps 1, 2, 4, 6 and 10 wait for the disk, and nothing else does.
    assert [one.synced for one in seen] == [SYNCED] * len(MARKUPS)
    assert report.sendings(sent).count("| a mail sent |") == len(sent)


@pytest.mark.parametrize("markup", MARKUPS)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_costs_the_same_upstream_in_a_mailbox_of_any_size(
    rows: list[Row], markup: str, page: str
) -> None:
    small, large = (
        next(row for row in rows if (row.messages, row.markup, row.page) == (size, markup, page))
        for size in (SMALL, LARGE)
    )
    assert large.round_trips == small.round_trips
    assert large.octets_in <= small.octets_in * GROWTH + RECENT
    assert large.octets_out <= small.octets_out * SPELLED
    if page in ("list", "list, next page", "search results", "1,000 folders"):
        assert large.round_trips == 1


def test_phones_are_measured_on_both_ways(tmp_path: Path) -> None:
    if not dovecot.installed() or phones.missing():
        pytest.skip(f"NOT TESTED: dovecot, {phones.missing()} not installed (see tests/debian-packages.txt)")
    with ExitStack() as stack:
        server = stack.enter_context(closing(dovecot.Dovecot()))
        server.start()
        smtp = SmtpServer(tmp_path).start()
        stack.callback(smtp.stop)
        loads, waited, idle = phones.measure(server, smtp, 1, 2, {2: 4}, {2: 4}, 3)
    assert [(each.way, each.phones, each.connected) for each in loads] == [
        ("Pocketpost", 2, True), ("Kannel and HTTP", 2, True),
        ("Pocketpost", 2, False), ("Kannel and HTTP", 2, False),
    ]  # fmt: skip
    assert all(each.rate > 0 and each.cpu_ms > 0 for each in loads)
    assert [each.sessions for each in idle] == [3]
    assert len(report.phones(loads, waited, idle).splitlines()) == 17


def test_a_flood_is_measured_at_each_rate(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if not dovecot.installed():
        pytest.skip("NOT TESTED: dovecot not installed (see tests/debian-packages.txt)")
    monkeypatch.setattr(flood, "SLICE", 0.2)
    monkeypatch.setattr(flood, "SECONDS", 0.2)
    assert flood.main(["--rates", "1000", "0", "--datagrams", "1"]) == 0
    _, _, slow, quick = capsys.readouterr().out.splitlines()
    assert slow.startswith("| 1,000 |")
    assert quick.startswith("| all it can |")
    for row in (slow, quick):
        assert int(row.split(" | ")[2].replace(",", "")) > 0, "none was sent"
        assert row.count("→") == 3
