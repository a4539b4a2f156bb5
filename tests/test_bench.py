"""The benchmark itself: every row is there, and a list costs the same in a mailbox of any size.

Counts only: what takes how long is told by `make bench`, not by tests.
"""

from __future__ import annotations

from itertools import product

import pytest

from bench import report
from bench.measure import PAGES, Row
from bench.suite import arguments, run
from tests.servers import dovecot

SMALL, LARGE = 100, 3000
MARKUPS = ("wml", "xhtml")
#: Growth from the small mailbox to the large one: longer numbers, nothing else.
GROWTH = 1.1


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    if not dovecot.installed():
        pytest.skip("NOT TESTED: dovecot is not installed (see tests/debian-packages.txt)")
    words = ["--sizes", str(SMALL), str(LARGE), "--rounds", "2", "--clients", "2", "--seconds", "0.05"]
    return run(arguments(words))


def test_every_row_is_there(rows: list[Row]) -> None:
    found = [(row.gateway, row.messages, row.markup, row.page) for row in rows]
    wanted = set(product(("in process", "served"), (SMALL, LARGE), MARKUPS, PAGES))
    assert set(found) == wanted
    assert len(found) == len(wanted)
    for row in rows:
        figures = (
            row.ms,
            row.floor_ms,
            row.cpu_ms,
            row.round_trips,
            row.octets_out,
            row.octets_in,
            row.octets,
        )
        assert all(figure > 0 for figure in figures), row
        assert row.dovecot_ms >= 0
        assert (row.rate is not None and row.rate > 0) == (row.gateway == "served"), row


def test_the_report_names_every_row(rows: list[Row]) -> None:
    text = report.tables(rows)
    for heading in ("In process", "Served", f"Growth from {SMALL} to {LARGE:,} messages"):
        assert f"### {heading}\n" in text
    for row in rows:
        assert f"| {row.messages:,} | {row.markup} | {row.page} | {row.ms:.2f} |" in text
    assert text.count("\n| in process |") == text.count("\n| served |") == len(MARKUPS) * len(PAGES)


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
    assert large.octets_in / small.octets_in <= GROWTH
    assert large.octets_out / small.octets_out <= GROWTH
    if page.startswith("list"):
        assert large.round_trips == 1
