"""What the panel's screens share: the panel that they belong to, a page from a template, a line in the audit.

Nothing here may know any of the screens.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from flask import Response, current_app, g, redirect, request
from jinja2 import Environment
from werkzeug.wrappers import Response as AnyResponse

from gateway import __version__
from gateway.admin.admin_sessions import AdminSessions
from gateway.admin.gateway_process import GatewayProcess
from gateway.admin.monitoring.upstream_probes import UpstreamProbes
from gateway.state import AuditLine

log = logging.getLogger(__name__)

#: Key of the panel in its application's extensions.
PANEL: Final = "pocketpost.panel"
_COOKIE: Final = "pocketpost-admin"
#: Prefix of the cookie's name over TLS (RFC 6265bis §4.1.3).
_WHOLE_HOST: Final = "__Host-"
_PACKAGE: Final = Path(__file__).resolve().parent.parent
#: The templates are inside the package or beside it.
TEMPLATES: Final = tuple(folder / "templates_mobile" / "admin" for folder in (_PACKAGE, _PACKAGE.parent))
#: Rows of a list on one page, and the last row at which a page can start.
ROWS: Final = 50
MOST_ROWS: Final = 10**9
#: The screens of the menu: path and title.
MENU: Final = (
    ("/", "Overview"),
    ("/upstreams", "Upstreams"),
    ("/handhelds", "Handhelds"),
    ("/people", "People"),
    ("/sending", "Sending"),
    ("/slowed-down", "Slowed down"),
    ("/settings", "Settings"),
    ("/log", "Log"),
    ("/audit", "Audit"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pages:
    """What pages are made with: who may see them, and where the menu leads. `open`: endpoints that need no session."""

    sessions: AdminSessions
    templates: Environment
    menu: tuple[tuple[str, str], ...]
    open: frozenset[str]


@dataclass(frozen=True, slots=True)
class Panel(Pages):
    """What a request to the panel works with."""

    process: GatewayProcess
    probes: UpstreamProbes


def current_pages() -> Pages:
    """Return what this request's pages are made with."""
    pages: Pages = current_app.extensions[PANEL]
    return pages


def current_panel() -> Panel:
    """Return the panel of this request."""
    panel: Panel = current_app.extensions[PANEL]
    return panel


def cookie_name() -> str:
    """Return the name of the session's cookie, which over TLS differs from that over plain HTTP.

    Browsers do not let plain HTTP read or replace what TLS has set (RFC 6265bis §5.7): with one name for both, people
    who have signed in over TLS could not sign in without it.
    """
    return _WHOLE_HOST + _COOKIE if request.is_secure else _COOKIE


def set_cookie(response: AnyResponse, token: str) -> None:
    """Keep the session in the browser; without a token, end it there."""
    age = None if token else 0
    response.set_cookie(
        cookie_name(), token, age, path="/", httponly=True, samesite="Strict", secure=request.is_secure
    )


def page(template: str, status: int = 200, **values: Any) -> Response:
    """Return a page from its template; `title` is among its values."""
    pages = current_pages()
    session = g.get("admin_session")
    text = pages.templates.get_template(f"{template}.xml").render(
        values,
        menu=pages.menu if session else (),
        here=request.path,
        version=__version__,
        ticket=lambda: pages.sessions.ticket(session) if session else "",
    )
    return Response(text, status, content_type="text/html; charset=utf-8")


def ask(title: str, question: str, lines: Sequence[str], button: str, back: str) -> Response:
    """Return the page that asks before something is destroyed; its form is posted to the page's own address.

    `lines`: sentences on what will be lost; `button`: the label for yes; `back`: where no leads.
    """
    return page("ask", title=title, question=question, lines=lines, button=button, back=back)


def first_shown() -> int:
    """Return the first row to show of a list: the field `from` of the address."""
    given = request.args.get("from", "")
    return min(int(given), MOST_ROWS) if given.isascii() and given.isdecimal() and len(given) < 12 else 0


def done(path: str, action: str, subject: str = "") -> AnyResponse:
    """Record what was done, and redirect to the screen that shows it."""
    record(action, subject)
    return redirect(path, 303)


def record(action: str, subject: str = "") -> None:
    """Add a line to the audit, and to the log."""
    origin = request.remote_addr or ""
    log.info("panel: %s %s, from %s", action, subject, origin)
    current_panel().process.state.administration.record(AuditLine(time.time(), origin, action, subject))


def ago(seconds: float) -> str:
    """Return how long ago something was, in the largest unit that fits."""
    for name, length in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {name} ago"
    return f"{max(seconds, 0):.0f} s ago"
