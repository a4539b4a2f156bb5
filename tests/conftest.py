"""Real servers for the whole run: one Dovecot, one SMTP submission server in front of its mailboxes."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

import hypothesis
import pytest
from sqlalchemy import Engine
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from gateway.state.storage import database
from gateway.store.imap import features, opening, selected
from gateway.store.imap.connection import imap4
from gateway.store.pop3 import entering
from gateway.submission import smtp_session
from gateway.upstreams import deadline
from hatch_build import compile_catalogues
from tests import PATIENCE
from tests.servers import dovecot as dovecots
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer

#: New objects after which the garbage collector runs; the interpreter's own 700 cost a twentieth of all tests.
GARBAGE = 20000


@pytest.fixture(autouse=True)
def nothing_is_remembered_of_servers() -> None:
    """Forget what servers refused or announced: another scripted server may have the same port."""
    features.forget()
    opening._REFUSED.clear()
    entering._ONE_BY_ONE.clear()
    smtp_session.SIZES.clear()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a server that takes long on a busy machine as much time as the test has."""
    for module in (imap4, selected):
        monkeypatch.setattr(module, "READ_SECONDS", PATIENCE)
    monkeypatch.setattr(imap4, "ANSWER_SECONDS", PATIENCE)
    monkeypatch.setattr(deadline, "REQUEST_SECONDS", PATIENCE)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "long(together): takes more than ten seconds, or all tests of the module do; begun first. "
        "`together`: so do its cases, which share what takes long",
    )
    config.addinivalue_line(
        "markers", "matrix: a further server or client; `make matrix` runs it, `make test` one of its kind"
    )
    _compile_each_rule_once()
    _compile_each_statement_once()
    if dovecots.memory_is_roomy():  # there nothing waits for a disk
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(dovecots.MEMORY))
    # hypothesis keeps drawn bytes and integers in one table, where b"" meets 0: that comparison is not ours (-bb).
    config.addinivalue_line(
        "filterwarnings", "ignore:Comparison between bytes and int:BytesWarning:hypothesis"
    )
    if not hasattr(config, "workerinput"):  # once, not in every process of pytest-xdist
        compile_catalogues()


def _compile_each_rule_once() -> None:
    """Share what the rules of an app are compiled to among all apps of a process.

    Thousands of apps are made here, all with the same rules, and compiling them is nearly all the work of making one.
    """
    compiled: dict[tuple[object, ...], dict[str, Any]] = {}
    compile_rule = Rule.compile
    made = ("_parts", "_trace", "_converters", "arguments", "_build", "_build_unknown")

    def once(rule: Rule) -> None:
        key = rule.rule, rule.subdomain, rule.merge_slashes, repr(rule.defaults), *rule.map.converters.items()
        if key not in compiled:
            compile_rule(rule)
            compiled[key] = {name: getattr(rule, name) for name in made}
        vars(rule).update(compiled[key])

    Rule.compile = once  # type: ignore[assignment, method-assign]


def _compile_each_statement_once() -> None:
    """Share compiled SQL among all databases of a process: it depends on nothing in which they differ."""
    make_engine, compiled = database._engine, LRUCache[Any, Any](1000)

    def engine(*args: Any, **kwargs: Any) -> Engine:
        made = make_engine(*args, **kwargs)
        made.update_execution_options(compiled_cache=compiled)
        return made

    database._engine = engine
    SQLiteDialect_pysqlite.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]
    SQLiteDialect_pysqlite.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what was measured: figures, which no test judges."""
    for report in terminalreporter.stats.get("passed", []):
        for name, text in report.user_properties:
            if name == "measured":
                terminalreporter.write_line(f"MEASURED {text}")


def pytest_xdist_auto_num_workers() -> int:
    """Run three tests for each core: long ones, which all workers begin with, mostly wait for a server or a browser."""
    return 3 * len(os.sched_getaffinity(0))


@pytest.hookimpl(trylast=True)  # after -m and -k: what runs is divided
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Divide the long tests among the workers, which begin with them: none is left for the end.

    Each worker gets an equal share of the list, in its order, and afterwards takes tests from the ends of the others'
    shares; the list is cut here where pytest-xdist cuts it, or what belongs together would be separated. The tests of a
    module that is marked as a whole share something that takes long, and stay together; so do the cases of a test that
    says so.
    """
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    long: dict[str, list[pytest.Item]] = {}
    for item in items:
        for node, mark in item.iter_markers_with_node("long"):
            name = node.nodeid.partition("[")[0] if mark.kwargs.get("together") else node.nodeid
            long.setdefault(name, []).append(item)
            break
    others = iter([item for item in items if not item.get_closest_marker("long")])
    dealt: list[pytest.Item] = []
    for n in range(workers):
        share = (len(items) - len(dealt)) // (workers - n)
        first = [*chain(*list(long.values())[n::workers])]
        dealt += [*first, *islice(others, max(share - len(first), 0))]
    items[:] = [*dealt, *others]


def pytest_collection_finish() -> None:
    """Have the garbage collector run rarely, and never examine what lasts until the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE, 20, 20)


# Machines are slow at times; what must be fast is limited by RLIMIT_CPU where it matters.
hypothesis.settings.register_profile(
    "pocketpost", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("pocketpost")


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """A running Dovecot; tests that need it are skipped by name if it is not installed."""
    with dovecots.running() as server:
        yield server


@pytest.fixture(scope="session")
def _smtp(dovecot: Dovecot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmtpServer]:
    server = SmtpServer(tmp_path_factory.mktemp("smtp"), dovecot.deliver).start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def smtp_server(_smtp: SmtpServer) -> SmtpServer:
    """An SMTP server that demands STARTTLS and AUTH; each test begins with it free of faults."""
    _smtp.reset()
    return _smtp
