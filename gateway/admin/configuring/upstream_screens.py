"""The screen *Upstreams*: the mail servers, each of which can be added, found, tested, edited and removed.

Nothing here may save a password that was typed for a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from gateway.admin.checks.findings import ReportLine
from gateway.admin.configuring import upstream_tests
from gateway.admin.configuring.file_edits import ConfigFile
from gateway.admin.configuring.option_fields import OptionForm
from gateway.admin.configuring.saving import (
    CHANGED,
    folder_of_file,
    named,
    refusal,
    save_form,
    unusable,
    write,
)
from gateway.admin.panel_pages import current_panel, page
from gateway.config import Upstream
from gateway.config.editing import OptionEdit
from gateway.config.option_values import ANY_DOMAIN, domains_in_words
from gateway.config.options import SECTIONS, options_of
from gateway.config.toml_lines import KeyPath
from gateway.config.writing import is_writable
from gateway.errors import ConfigChanged, ConfigError

upstream_screens = Blueprint("upstream_screens", __name__, url_prefix="/upstreams")

(_SECTION,) = (section for section in SECTIONS if section.name == "upstream")
OPTIONS: Final = options_of(_SECTION)
_NEW: Final = "/upstreams/add"


@upstream_screens.get("")
def show() -> Response:
    """Show all upstreams, and a form to search for another one."""
    process, problem = current_panel().process, ""
    upstreams: tuple[Upstream, ...] = ()
    try:
        upstreams = ConfigFile.read(process.file).config.upstreams
    except ConfigError as error:
        problem = error.detail
    return page(
        "upstreams",
        title="Upstreams",
        upstreams=upstreams,
        edit=_edit,
        problem=problem,
        writable=process.file is None or is_writable(process.file),
        waiting=named(process.waiting),
    )


@upstream_screens.post("/find")
def find() -> Response:
    """Search for the servers of a mail address, and fill a form with them."""
    file, address = ConfigFile.read(current_panel().process.file), request.form.get("address", "").strip()
    lines, found = upstream_tests.found_for(request.form, file.path.parent)
    text = (
        "" if "smtp" in found else "No pair of servers was found: ask the provider, and fill in what it says."
    )
    form = OptionForm.of_table(OPTIONS, file.path.parent, found)
    return _page(_NEW, form, file.version, text, lines=lines, address=address)


@upstream_screens.get("/add")
def new() -> Response:
    """Show an empty form."""
    file = ConfigFile.read(current_panel().process.file)
    return _page(_NEW, OptionForm.of_table(OPTIONS, file.path.parent, {}), file.version)


@upstream_screens.post("/add")
def add() -> Response:
    """Test or save a new upstream."""
    return _posted(None)


@upstream_screens.get("/edit")
def form() -> Response:
    """Show the options of an upstream."""
    file = ConfigFile.read(current_panel().process.file)
    domain = request.args.get("domain", "")
    table = file.table(("upstream", _number(file, domain)))
    return _page(_edit(domain), OptionForm.of_table(OPTIONS, file.path.parent, table), file.version)


@upstream_screens.post("/edit")
def save() -> Response:
    """Test or save an upstream."""
    return _posted(request.args.get("domain", ""))


@upstream_screens.get("/remove")
def ask() -> Response:
    """Say what ends when an upstream is removed."""
    file = ConfigFile.read(current_panel().process.file)
    return _asked(file, request.args.get("domain", ""))


@upstream_screens.post("/remove")
def remove() -> Response:
    """Remove an upstream."""
    domain, file = request.args.get("domain", ""), ConfigFile.read(current_panel().process.file)
    path = ("upstream", _number(file, domain))
    if why := refusal():
        return _asked(file, domain, *why)
    if file.version != request.form.get("version", ""):
        return _asked(file, domain, "The file was changed meanwhile; nothing was removed. Look again.", 409)
    try:
        after = file.after([OptionEdit(path, None)])
        upstream = file.config.upstreams[path[1]]
        return write(
            file, after, path, action="upstream removed", subject=domain, back="/upstreams",
            then=lambda: _ended(upstream),
        )  # fmt: skip
    except ConfigChanged:
        return _asked(file, domain, CHANGED, 409)
    except ConfigError as error:
        return _asked(file, domain, error.detail, 422)


def _posted(domain: str | None) -> Response:
    """Do what the button says with the upstream of this domain, or with a new one."""
    typed = OptionForm.of_request(OPTIONS, folder_of_file(), request.form)
    action = _NEW if domain is None else _edit(domain)
    lines: list[ReportLine] = []

    def again(problem: str, status: int, version: str) -> Response:
        return _page(action, typed, version, problem, status, lines, request.form.get("address", ""))

    try:
        file = ConfigFile.read(current_panel().process.file)
        path: KeyPath = ("upstream", len(file.config.upstreams) if domain is None else _number(file, domain))
    except ConfigError as error:
        return again(unusable(error), 409, request.form.get("version", ""))
    except NotFound:
        action = _NEW
        return again(_GONE, 409, file.version)
    changes = [OptionEdit(path, {**typed.values()})] if domain is None else typed.changes(path)
    if request.form.get("do") == upstream_tests.TEST:
        problem = _tested(file, typed, path, changes, lines)
        return again(problem, 422 if problem else 200, request.form.get("version", ""))
    said = {"subject": " ".join(typed.typed["domains"].split()), "back": "/upstreams"}
    return save_form(typed, path, changes, again, action="upstream saved", **said)


_GONE: Final = (
    "This upstream is not in the file any more. Nothing was written. What you typed is still here, and would be saved "
    "as a new one."
)


def _tested(
    file: ConfigFile, typed: OptionForm, path: KeyPath, changes: list[OptionEdit], lines: list[ReportLine]
) -> str:
    """Test what was typed; add the result to `lines`, or return why it cannot be tested."""
    if typed.problems:
        return "Nothing was tested: see what is said beside the fields."
    try:
        config = file.after(changes).config
    except ConfigError as error:
        return typed.blame(error, path) or "Nothing was tested: see what is said beside the fields."
    upstream = config.upstreams[int(path[1])]
    address, password = (request.form.get(name, "") for name in ("address", "mail_password"))
    trusted = upstream in current_panel().process.config.upstreams
    lines += upstream_tests.findings(config, upstream, address.strip(), password, trusted)
    return ""


def _ended(upstream: Upstream) -> str:
    """End the sessions of an upstream; return a sentence with their number."""
    ended = current_panel().process.end_sessions_of(upstream)
    return f"Sessions that were ended: {ended}."


def _number(file: ConfigFile, domain: str) -> int:
    """Return the index of the upstream with this domain. Raise NotFound."""
    for number, upstream in enumerate(file.config.upstreams):
        if domain in upstream.domains:
            return number
    raise NotFound


def _edit(domain: str, what: str = "edit") -> str:
    return f"/upstreams/{what}?domain={quote(domain)}"


def _page(
    action: str,
    form: OptionForm,
    version: str,
    problem: str = "",
    status: int = 200,
    lines: list[ReportLine] | None = None,
    address: str = "",
) -> Response:
    domains = domains_in_words(form.typed["domains"].split() or [request.args.get("domain", "")])
    title = "New upstream" if action == _NEW else f"Upstream for {domains}"
    return page(
        "upstream", status, title=title, action=action, form=form, version_of_file=version, problem=problem,
        lines=lines or [], address=address,
    )  # fmt: skip


def _asked(file: ConfigFile, domain: str, problem: str = "", status: int = 200) -> Response:
    upstream = file.config.upstreams[_number(file, domain)]
    return page(
        "remove_upstream",
        status,
        title=f"Remove the upstream for {domains_in_words(upstream.domains)}?",
        upstream=upstream,
        action=_edit(domain, "remove"),
        version_of_file=file.version,
        problem=problem,
        **_ending(file, upstream),
    )


def _ending(file: ConfigFile, upstream: Upstream) -> Mapping[str, Any]:
    """Return what ends when an upstream is removed."""
    process = current_panel().process
    others = [each for each in file.config.upstreams if each != upstream]
    sessions, accounts = process.sessions_of(upstream)
    rest = ANY_DOMAIN not in upstream.domains and any(ANY_DOMAIN in each.domains for each in others)
    return {"last": not others, "rest": rest, "sessions": sessions, "accounts": accounts}
