"""The log's lines: one record is one line, whatever is in it, and nothing secret is."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access import log_context, logins
from gateway.errors import StoreRefused
from gateway.sealed import vault
from gateway.server.log_lines import JsonFormatter, TextFormatter, cut
from tests import rig

HEAD = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARNING (?:-|[2-9a-z]{7}) (?:-|[0-9a-f]{12}) gateway\.x: "
)
#: What breaks a line, moves the cursor, or changes the direction of what follows.
EVIL = "\r\n\v\f\x1b[2J\x1b]0;x\x07\x85\u2028\u2029\u202e\u2066\x00\x7f\x9b\ud800"
TEXTS = st.text(st.characters() | st.sampled_from(EVIL))


def record(
    message: str, *args: object, error: BaseException | None = None, **fields: Any
) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error is not None else None
    made = logging.LogRecord("gateway.x", logging.WARNING, __file__, 1, message, args, info)
    setattr(made, log_context.FIELDS, fields)
    return made


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause
    except BaseException as caught:
        return caught


@given(TEXTS, TEXTS, TEXTS)
def test_whatever_a_stranger_says_stays_within_its_line(message: str, value: str, detail: str) -> None:
    error = raised(StoreRefused(detail))
    made = record("%s", message, error=error, agent=value)
    lines = TextFormatter().format(made).split("\n")
    assert len(lines) == 3  # the message, the exception, its one frame
    for line in lines:
        assert HEAD.match(line), line
        assert line.isprintable()
    (line,) = JsonFormatter().format(made).splitlines()
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["logger"] == "gateway.x"


@given(TEXTS, TEXTS)
def test_no_value_forges_another(path: str, agent: str) -> None:
    line = TextFormatter().format(record("answered", path=path, status=200, agent=agent))
    value = r'(?:"[^"]*"|[\w./:+~-]+)'
    assert re.fullmatch(rf"{HEAD.pattern}answered path={value} status=200 agent={value}", line), line


@given(
    st.sampled_from(["/~{}", "/~{}/m3.77", "/mail/~{}/i", "GET /~{} HTTP/1.1", "http://h/~{}?x=1", "'/~{}'"]),
    TEXTS,
)
def test_tokens_are_removed_wherever_they_stand(where: str, before: str) -> None:
    token = vault.new_token()
    made = record(
        "%s",
        before + where.format(token),
        error=raised(StoreRefused(where.format(token))),
        path=where.format(token),
    )
    for line in (TextFormatter().format(made), JsonFormatter().format(made)):
        assert token not in line
        assert token[3:] not in line


def test_ids_of_links_and_addresses_are_removed() -> None:
    assert cut("/l/aB3-_xYz901") == "/l/..."
    assert cut("/caB3-_xYz901") == "/c..."
    assert cut("/c3.77.a") == "/c3.77.a"
    assert cut("550 <anna.b+c@example.org> is unknown") == "550 <...@example.org> is unknown"
    assert cut('"an na"@example.org, o\'x=y@example.org') == "...@example.org, ...@example.org"


def test_a_long_text_costs_in_proportion() -> None:
    began = time.process_time()
    for text in ("a" * 300_000, '"' * 300_000, '"a' * 150_000, "~" * 300_000):
        assert len(cut(text)) < 1100
    assert time.process_time() - began < 10  # seconds of CPU; a scan from each character on takes minutes


def test_what_was_typed_is_left_out_of_what_a_server_said() -> None:
    with log_context.request():
        log_context.leave_out(["Meet me at noon", "noon", "to", " secret "])
        made = record(
            "StoreRefused: %s", "NO: Meet me at noon (noon), to secret", error=raised(StoreRefused("noon"))
        )
        line, _, told = TextFormatter().format(made).partition("\n")
        assert line.endswith("StoreRefused: NO: ... (...), to ...")
        assert "noon" not in told
        # Nobody can remove the words of a line by typing them.
        log_context.leave_out(["sign-in failed", "192.0.2.7"])
        line = TextFormatter().format(record("sign-in failed", client="192.0.2.7"))
        assert line.endswith("sign-in failed client=192.0.2.7")


def test_a_record_whose_values_do_not_fit_is_a_line_all_the_same() -> None:
    assert TextFormatter().format(record("%d", "words")).endswith(" gateway.x: %d (without its values)")


STARTED = """
import logging, sys, threading
from gateway.config import Config
from gateway.server import log_lines
for times in (1, 2):
    log_lines.start(Config((), log_format="json"))
    log_lines.configure(Config((), log_level="error", log_requests={requests}))
logging.getLogger("gateway.web").warning("too low")
logging.getLogger("gateway.web").error("high enough")
logging.getLogger(log_lines.REQUESTS).info("answered")
logging.getLogger("library").info("a library's")
thread = threading.Thread(target=lambda: int("typed"))
thread.start()
thread.join()
raise KeyError("typed")
"""


@pytest.mark.parametrize("requests", [False, True])
def test_the_options_decide_what_is_written_and_nothing_goes_past_the_form(requests: bool) -> None:
    code = STARTED.format(requests=requests)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    said = [re.sub(r"^\S+Z (\w+) - - ", r"\1 ", line) for line in done.stderr.splitlines()]
    lines = [line for line in said if "|   " not in line]
    asked = ["INFO gateway.request: answered"] if requests else []
    form = "CRITICAL gateway.server.log_lines: "
    uncaught = [
        f"{form}{words}"
        for name in ("ValueError", "KeyError")
        for words in (f"not caught: {name}", f"| {name}")
    ]
    assert lines == ["ERROR gateway.web: high enough", *asked, *uncaught]


def test_an_exception_is_named_with_its_frames_and_not_with_what_it_quotes() -> None:
    error = raised(ValueError("typed words"), raised(KeyError("more words")))
    lines = TextFormatter().format(record("unexpected", error=error)).split("\n")
    said = [HEAD.sub("", line) for line in lines]
    assert said[:2] == ["unexpected", "| ValueError"]
    assert re.fullmatch(r"\|   tests/server/test_log_lines\.py:\d+ raised", said[2])
    assert said[3] == "| KeyError"
    assert "words" not in "".join(lines)
    told = TextFormatter().format(record("unexpected", error=raised(TypeError("f() takes no arguments"))))
    assert "| TypeError: f() takes no arguments" in told


def test_json_has_time_level_request_account_and_values() -> None:
    with log_context.request() as entry:
        log_context.note_account(logins.account_key(rig.upstream(rig.plain(_Nowhere())), "anna@example.net"))
        line = json.loads(JsonFormatter().format(record("said %d", 5, status=200)))
    assert line.pop("time").endswith("Z")
    assert re.fullmatch("[0-9a-f]{12}", line["account"])
    assert line == {
        "level": "WARNING", "request": entry.id, "account": line["account"], "logger": "gateway.x",
        "message": "said 5", "status": 200,
    }  # fmt: skip


class _Nowhere:
    host, port = "127.0.0.1", 1


def test_a_request_has_one_id_for_all_its_parts() -> None:
    assert log_context.current().id == ""
    with log_context.request() as entry:
        assert log_context.current() is entry
        assert re.fullmatch(f"[{log_context.ALPHABET}]{{{log_context.ID_LENGTH}}}", entry.id)
    assert log_context.current().id == ""


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_times_are_of_greenwich(formatter: logging.Formatter) -> None:
    made = record("x")
    made.created = 1_795_979_690.25
    assert "2026-11-29T19:14:50.250Z" in formatter.format(made)
