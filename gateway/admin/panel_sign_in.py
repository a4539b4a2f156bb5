"""Signing in to the panel, and out."""

from __future__ import annotations

from flask import Blueprint, g, redirect, request
from werkzeug.wrappers import Response

from gateway.admin.panel_pages import cookie_name, current_panel, page, record, set_cookie
from gateway.errors import AdminBusy, TooManyTries

admin_sign_in = Blueprint("admin_sign_in", __name__)


@admin_sign_in.get("/admin")
def front() -> Response:
    """Redirect to the first screen: people look for it here."""
    return redirect("/", 303)


@admin_sign_in.get("/sign-in")
def form() -> Response:
    """Ask for the password."""
    return redirect("/", 303) if g.admin_session else _form()


@admin_sign_in.post("/sign-in")
def enter() -> Response:
    """Check the password."""
    origin = request.remote_addr or ""
    try:
        token = current_panel().sessions.open(request.form.get("password", ""), origin)
    except TooManyTries as error:
        return _form(
            f"Too many wrong passwords. Please wait {error.seconds} seconds; nothing was compared.", 429
        )
    except AdminBusy as error:
        return _form(error.sentence, error.status)
    if token is None:
        return _form("This password is wrong.", 403)
    record("signed in")
    response = redirect("/", 303)
    set_cookie(response, token)
    return response


@admin_sign_in.post("/sign-out")
def leave() -> Response:
    """End this session."""
    current_panel().sessions.end(request.cookies.get(cookie_name(), ""))
    record("signed out")
    response = redirect("/sign-in", 303)
    set_cookie(response, "")
    return response


def _form(problem: str = "", status: int = 200) -> Response:
    return page("sign_in", status, title="Sign in", problem=problem)
