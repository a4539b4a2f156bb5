"""The first run: pages on loopback that write the first configuration, found from a mail address and tested.

Nothing here may be reached from another machine, or by anyone who has not seen the code in the terminal. The file is
the commented sample with the values that were typed; nothing is written until it is saved.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, abort, current_app, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from gateway.admin.checks.findings import ReportLine
from gateway.admin.configuring import upstream_tests
from gateway.admin.configuring.file_edits import ConfigFile
from gateway.admin.configuring.one_time_code import CodeSessions, OneTimeCode
from gateway.admin.configuring.option_fields import OptionForm
from gateway.admin.panel import application, environment, panel_listener
from gateway.admin.panel_pages import Pages, current_pages, page, set_cookie
from gateway.config import Config, writing
from gateway.config.editing import OptionEdit
from gateway.config.hosts import host_port, is_loopback
from gateway.config.option_kinds import Option
from gateway.config.options import OPTIONS, default
from gateway.config.reference import sample
from gateway.errors import ConfigError, ConfigNotWritten
from gateway.sealed import admin_password
from gateway.server.listeners import Listener, listeners, require_free
from gateway.state import AuditLine, State

log = logging.getLogger(__name__)

first_run = Blueprint("first_run", __name__)

_EXTENSION: Final = "pocketpost.first-run"
_OPEN: Final = frozenset({"first_run.ask_code", "first_run.enter", "style"})
#: What must be known about an upstream before the first mail is read; the rest can wait for the panel.
_NAMES: Final = (
    "domains", "imap", "pop3", "smtp", "ca_file", "insecure", "login", "imap_login", "pop3_login", "smtp_login",
)  # fmt: skip
_BESIDE: Final = "Nothing was done: see what is said beside the fields."
#: Where phones on the same network reach the gateway.
LISTEN: Final = "0.0.0.0:8080"
_ANYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104
#: An address in no network (RFC 5737): nothing is sent there, but the route to it starts at our own address.
_ELSEWHERE: Final = ("192.0.2.1", 9)


class FirstRun:
    """The writing of one configuration, to `file`; `finished` is called when the gateway can start, or never can."""

    def __init__(self, file: Path, listener: Listener, finished: Callable[[], None]) -> None:
        self.file, self.listener, self.finished = file, listener, finished
        self.code = OneTimeCode()
        self.saved = False

    def application(self) -> Flask:
        """Create the application with its pages."""
        app = application(Pages(CodeSessions(self.code), environment(), (), _OPEN), (first_run,))
        app.extensions[_EXTENSION] = self
        return app


def _current() -> FirstRun:
    run: FirstRun = current_app.extensions[_EXTENSION]
    return run


@first_run.before_app_request
def _refuse_other_names() -> None:
    """Refuse a request for a name other than loopback's: a site may point its own name here (DNS rebinding)."""
    if not is_loopback(urlsplit(f"//{request.host}").hostname or ""):
        abort(403, "This page is for this machine only.")


@first_run.get("/sign-in")
def ask_code() -> Response:
    """Ask for the code."""
    return page("code", title="First run", problem="")


@first_run.post("/sign-in")
def enter() -> AnyResponse:
    """Compare the code."""
    token = current_pages().sessions.open(request.form.get("code", ""), request.remote_addr or "")
    if token is None:
        log.warning("first run: a wrong code, from %s", request.remote_addr)
        spent = _current().code.is_spent
        if spent and not _is_in_use():
            _current().finished()
        text = (
            "This code does not count any more; look at the terminal." if spent else "This is not the code."
        )
        return page("code", 403, title="First run", problem=text)
    response = redirect("/", 303)
    set_cookie(response, token)
    return response


def _is_in_use() -> bool:
    """Return whether somebody has entered the correct code."""
    return bool(current_pages().sessions.count())


@first_run.get("/")
def ask_address() -> Response:
    """Ask for a mail address."""
    return page("first_address", title="Your mail", file=_current().file)


@first_run.post("/find")
def find() -> Response:
    """Search for the servers of the address."""
    run, address = _current(), request.form.get("address", "").strip()
    lines, found = upstream_tests.found_for(request.form, run.file.parent)
    upstream = OptionForm.of_table(_options("upstream", *_NAMES), run.file.parent, found)
    listen = OptionForm.of_table(_options("http", "listen"), run.file.parent, {"listen": LISTEN})
    text = (
        ""
        if "smtp" in found
        else "No pair of servers was found: ask your provider, and fill in what it says."
    )
    return _page(upstream, listen, text, lines=lines, address=address)


@first_run.post("/save")
def save() -> Response:
    """Test the servers, or write the configuration and start the gateway."""
    run, folder = _current(), _current().file.parent
    upstream = OptionForm.of_request(_options("upstream", *_NAMES), folder, request.form)
    listen = OptionForm.of_request(_options("http", "listen"), folder, request.form)
    if upstream.problems or listen.problems:
        return _page(upstream, listen, _BESIDE, 422)
    try:
        changes = [*upstream.changes(("upstream", 0)), *listen.changes(("http",)), *_panel_elsewhere()]
        file = ConfigFile(run.file, sample().encode()).after(changes)
    except ConfigError as error:
        rest = upstream.blame(error, ("upstream", 0)) and listen.blame(error, ("http",))
        return _page(upstream, listen, rest or _BESIDE, 422)
    if request.form.get("do") == upstream_tests.TEST:
        return _page(upstream, listen, lines=_tested(file.config))
    if problem := _password_problem() or _address_problem(file.config, listen):
        return _page(upstream, listen, problem, 422)
    try:
        _write(file)
    except ConfigNotWritten as error:
        return page(
            "by_hand", title="To be written by hand", problem=error.detail, file=str(file.path), difference="",
            table=file.text, running=False, back="/",
        )  # fmt: skip
    except ConfigError as error:
        return _page(upstream, listen, error.detail, 422)
    run.saved = True
    run.finished()
    return page(
        "first_done",
        title="The gateway starts now",
        file=str(file.path),
        address=phone_address(file.config),
        panel=panel_listener(file.config).url,
    )


def _options(section: str, *names: str) -> tuple[Option, ...]:
    return tuple(option for option in OPTIONS if option.section == section and option.name in names)


def _page(
    upstream: OptionForm,
    listen: OptionForm,
    problem: str = "",
    status: int = 200,
    lines: list[ReportLine] | None = None,
    address: str | None = None,
) -> Response:
    address = request.form.get("address", "") if address is None else address
    values: dict[str, Any] = {"upstream": upstream, "listen": listen, "shortest": admin_password.SHORTEST}
    return page(
        "first_servers",
        status,
        title="Servers",
        problem=problem,
        lines=lines or [],
        address=address,
        **values,
    )


def _tested(config: Config) -> list[ReportLine]:
    address, password = (request.form.get(name, "") for name in ("address", "mail_password"))
    if not password:
        address = ""
    return upstream_tests.findings(config, config.upstreams[0], address.strip(), password, True)


def _password_problem() -> str:
    password, again = request.form.get("password", ""), request.form.get("again", "")
    if len(password) < admin_password.SHORTEST:
        return (
            f"The panel's password needs {admin_password.SHORTEST} characters or more. Nothing was written."
        )
    if len(password) > admin_password.LONGEST:
        return f"The panel's password may have {admin_password.LONGEST} characters. Nothing was written."
    return "" if password == again else "The two passwords of the panel differ. Nothing was written."


def _address_problem(config: Config, form: OptionForm) -> str:
    """Return why the gateway could not listen, before anything is written."""
    try:
        for listener in (*listeners(config), panel_listener(config)):
            if listener != _current().listener:
                require_free(listener)
    except ConfigError as error:
        form.problems["listen"] = error.detail
        return _BESIDE
    return ""


def _panel_elsewhere() -> list[OptionEdit]:
    """Return the change that keeps the panel at the address of these pages, if that is not its usual one."""
    here = host_port(_current().listener.host, _current().listener.port)
    return [OptionEdit(("admin", "listen"), here)] if here != default("admin", "listen") else []


def _write(file: ConfigFile) -> None:
    """Write the file, and the panel's password into the state. Raise ConfigError."""
    phc = admin_password.hashed(request.form["password"])
    with State.open(file.config.state) as state:
        writing.create(file.path, file.octets)
        state.administration.set_password_hash(phc)
        origin = request.remote_addr or ""
        state.administration.record(
            AuditLine(time.time(), origin, "first configuration saved", str(file.path))
        )


def phone_address(config: Config) -> str:
    """Return the address that people type into a phone."""
    if config.url:
        return f"{config.url}/"
    plain = listeners(config)[0]
    host = _own_address() if plain.host in _ANYWHERE else plain.host
    return f"http://{host_port(host, plain.port)}/"


def _own_address() -> str:
    """Return this machine's address in its network, or its name if there is no network."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.connect(_ELSEWHERE)
        return str(way.getsockname()[0])
    return socket.gethostname()
