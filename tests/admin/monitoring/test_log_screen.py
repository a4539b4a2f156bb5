"""The log on the panel: the newest lines as the log has them, filtered, limited, and never as markup."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator

import pytest

from gateway.admin.monitoring import log_screen
from gateway.admin.monitoring.log_screen import SHOWN
from gateway.admin.monitoring.newest_lines import LONGEST, MOST, NewestLines
from gateway.server.log_lines import TextFormatter
from tests import PATIENCE
from tests.admin.conftest import XHTML, Administrator, text_of


@pytest.fixture
def logger(monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    """A logger like the root of a gateway, with its handler, whose lines the screen shows."""
    made, lines = logging.Logger("test"), NewestLines()
    handler = logging.StreamHandler()
    handler.setStream(open("/dev/null", "w"))  # noqa: SIM115
    handler.setFormatter(logging.Formatter("%(levelname)s formatted: %(message)s"))
    made.addHandler(handler)
    lines.follow(made)
    monkeypatch.setattr(log_screen, "LINES", lines)
    yield made
    handler.stream.close()


def lines_of(administrator: Administrator, query: str = "") -> list[str]:
    return administrator.get(f"/log{query}").xpath("//h:pre/text()", namespaces=XHTML)


def test_lines_are_those_of_the_log_newest_first(
    administrator: Administrator, logger: logging.Logger
) -> None:
    logger.info("one")
    logger.error("two")
    assert lines_of(administrator) == ["ERROR formatted: two", "INFO formatted: one"]


def test_lines_are_in_the_form_that_the_log_has_by_then(
    administrator: Administrator, logger: logging.Logger
) -> None:
    logger.error("one")
    logger.handlers[0].setFormatter(logging.Formatter("another form: %(message)s"))
    logger.error("two")
    assert lines_of(administrator) == ["another form: two", "ERROR formatted: one"]


def test_lines_are_filtered_by_level_and_text(administrator: Administrator, logger: logging.Logger) -> None:
    for level, text in ((20, "Anna signs in"), (30, "slow server"), (40, "server down")):
        logger.log(level, text)
    assert len(lines_of(administrator, "?level=warnings")) == 2
    assert lines_of(administrator, "?level=errors") == ["ERROR formatted: server down"]
    assert lines_of(administrator, "?text=SERVER&level=all") == [
        "ERROR formatted: server down",
        "WARNING formatted: slow server",
    ]
    assert lines_of(administrator, "?level=nonsense&text=anna") == ["INFO formatted: Anna signs in"]
    assert "There are no such lines." in text_of(administrator.get("/log?text=nothing"))


def test_lines_are_bounded_in_number_and_length(administrator: Administrator, logger: logging.Logger) -> None:
    for number in range(MOST + 10):
        logger.info("line %d", number)
    logger.info("x" * 100_000)
    found = lines_of(administrator)
    assert len(found) == SHOWN
    assert len(found[0]) == LONGEST
    assert lines_of(administrator, "?text=line+10") != []
    assert "line 9" not in {line.rpartition(": ")[2] for line in lines_of(administrator, "?text=line+9")}


@pytest.mark.parametrize(
    "hostile", ["<script>x</script>", "]]>", "\x00\x1b[31m\r", "\u202etxt", "\ud800", "\ufffe"]
)
def test_whatever_is_in_a_line_or_a_filter_the_page_is_sound(
    administrator: Administrator, logger: logging.Logger, hostile: str
) -> None:
    logger.warning("said %s", hostile)
    page = administrator.get("/log")
    assert not page.xpath("//h:script", namespaces=XHTML)
    assert len(lines_of(administrator)) == 1
    answer = administrator.client.get("/log", query_string={"text": hostile.encode("utf-8", "surrogatepass")})
    assert answer.status_code == 200


def test_a_line_that_cannot_be_made_stops_nothing(
    logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    lines = NewestLines()
    lines.emit(logging.LogRecord("x", 20, "f", 1, "%d", ("no number",), None))
    lines.emit(logging.LogRecord("x", 20, "f", 1, "well", (), None))
    assert [line.text for line in lines.newest()] == ["well"]


def test_a_log_is_followed_once(logger: logging.Logger) -> None:
    lines = NewestLines()
    lines.follow(logger)
    lines.follow(logger)
    logger.info("one")
    assert [line.text for line in lines.newest()] == ["INFO formatted: one"]


def test_no_line_has_a_token_or_an_address(
    administrator: Administrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    logger, lines, handler = logging.Logger("gateway"), NewestLines(), logging.NullHandler()
    handler.setFormatter(TextFormatter())
    logger.addHandler(handler)
    lines.follow(logger)
    monkeypatch.setattr(log_screen, "LINES", lines)
    logger.warning("GET /~%s/m1.2 for anna@example.org", "A" * 22)
    (line,) = lines_of(administrator)
    assert "AAAA" not in line
    assert "anna@" not in line
    assert "/m1.2" in line


def test_the_lines_of_other_processes_are_there_too(
    administrator: Administrator, logger: logging.Logger
) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    other = NewestLines()
    other.setFormatter(logging.Formatter("%(levelname)s of another: %(message)s"))
    other.send_to(theirs)
    log_screen.LINES.take_from(ours)
    longest = "\U0001f980" * LONGEST
    for text in ("one", longest):
        other.emit(logging.LogRecord("test", logging.WARNING, "", 0, text, None, None))
    end = time.monotonic() + PATIENCE
    while len(found := lines_of(administrator)) < 2 and time.monotonic() < end:
        time.sleep(0.01)
    assert found[-1] == "WARNING of another: one"
    assert longest.startswith(found[0].removeprefix("WARNING of another: "))
    theirs.close()
    other.emit(logging.LogRecord("test", logging.WARNING, "", 0, "nobody listens", None, None))
    ours.shutdown(socket.SHUT_RDWR)
    ours.close()
