"""Slowed down: who must wait after failed sign-ins, and letting them continue at once."""

from __future__ import annotations

import time

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from gateway.admin.panel_pages import ROWS, ask, current_panel, first_shown, page, record
from gateway.admin.people.listed_records import the_account
from gateway.admin.records import sign_in_limits

slowed_down = Blueprint("slowed_down", __name__)


@slowed_down.get("/slowed-down")
def show() -> Response:
    """List the limits that are in force."""
    first = first_shown()
    found, rest = sign_in_limits.page(current_panel().process.state, time.time(), ROWS, first)
    return page("slowed_down", title="Slowed down", limits=found, first=first, next=rest)


@slowed_down.post("/slowed-down")
def clear_account() -> AnyResponse:
    """Clear all limits of an account."""
    key = the_account(request.form.get("account", "").strip()).row.key
    sign_in_limits.clear_account(current_panel().process.state, key, record)
    return redirect("/slowed-down", 303)


@slowed_down.get("/slowed-down/<key>")
def ask_clear(key: str) -> Response:
    """Ask whether to clear one limit."""
    lines = ("Whoever waits because of it can try at once; new failures count from the beginning.",)
    return ask("Clear a limit", "Clear this limit on sign-ins?", lines, "Clear it", "/slowed-down")


@slowed_down.post("/slowed-down/<key>")
def clear(key: str) -> AnyResponse:
    """Clear one limit."""
    sign_in_limits.clear(current_panel().process.state, key, record)
    return redirect("/slowed-down", 303)
