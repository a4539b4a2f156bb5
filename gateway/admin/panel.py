"""The panel as a Flask application: its screens, who may see them, and what every response contains.

Nothing here may be reached through the handhelds' listener: this is a separate application. Every screen except the
sign-in needs a session, and every post a ticket of that session, so that no other site can post a form (CSRF) and no
post counts twice. It is XHTML without scripts, in English.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, g, redirect, request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from gateway.admin.admin_sessions import AdminSessions
from gateway.admin.configuring.settings_screens import settings_screens
from gateway.admin.configuring.table_screens import table_screens
from gateway.admin.configuring.upstream_screens import upstream_screens
from gateway.admin.gateway_process import GatewayProcess
from gateway.admin.handhelds.demo_gateway import DemoGateway
from gateway.admin.handhelds.preview_screens import DEMO, preview
from gateway.admin.handhelds.seen_screens import seen_screens
from gateway.admin.monitoring.health_checks import health_checks
from gateway.admin.monitoring.log_screen import log_screen
from gateway.admin.monitoring.metrics import metrics
from gateway.admin.monitoring.overview import overview
from gateway.admin.monitoring.upstream_probes import UpstreamProbes
from gateway.admin.panel_pages import (
    MENU,
    PANEL,
    TEMPLATES,
    Pages,
    Panel,
    ago,
    cookie_name,
    current_pages,
    page,
)
from gateway.admin.panel_sign_in import admin_sign_in
from gateway.admin.people.audit_screen import audit
from gateway.admin.people.people_screen import people
from gateway.admin.people.sending_screen import sending
from gateway.admin.people.slowed_down_screen import slowed_down
from gateway.config import Config
from gateway.config.option_values import domains_in_words
from gateway.errors import GatewayError
from gateway.markup.environment import allowed
from gateway.server.listeners import Listener, Site

log = logging.getLogger(__name__)

#: Maximum octets of a form; the largest is the whole configuration file.
LARGEST_FORM: Final = 512 * 1024
THREADS: Final = 4
CONNECTIONS: Final = 32
#: Endpoints that need no session.
OPEN: Final = frozenset(
    {"admin_sign_in.form", "admin_sign_in.enter", "style", "health.live", "health.ready", "metrics.show"}
)
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; frame-src 'self'; "
    "img-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_SCREENS: Final = (
    *(admin_sign_in, overview, upstream_screens, people, sending, slowed_down),
    *(settings_screens, table_screens, audit),
    *(seen_screens, preview, log_screen, health_checks, metrics),
)


def create_panel(process: GatewayProcess) -> Flask:
    """Create the panel of a running gateway."""
    sessions = AdminSessions(process.state.administration)
    probes = UpstreamProbes(process.health)
    app = application(Panel(sessions, environment(), MENU, OPEN, process, probes), _SCREENS)
    app.extensions[DEMO] = DemoGateway(lambda: process.config.handhelds)
    process.on_close(app.extensions[DEMO].close)
    return app


def application(pages: Pages, screens: Iterable[Blueprint]) -> Flask:
    """Create an application with these screens, whose requests are admitted like the panel's."""
    app = Flask("gateway.admin", static_folder=None, template_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = LARGEST_FORM
    app.extensions[PANEL] = pages
    app.before_request(_admit)
    app.after_request(_dressed)
    app.register_error_handler(Exception, _failed)
    for blueprint in screens:
        app.register_blueprint(blueprint)
    app.add_url_rule("/style.css", "style", _style)
    return app


def panel_listener(config: Config) -> Listener:
    """Return the panel's listener."""
    return Listener.parse(config.admin_listen, config.admin_cert, config.admin_key)


def site(process: GatewayProcess) -> Site:
    """Return the panel with its listener and a few threads of its own, so that handhelds cannot keep it waiting."""
    listener = panel_listener(process.config)
    return Site(create_panel(process), (listener,), THREADS, connections=CONNECTIONS)


def environment() -> Environment:
    """Return the templates of all screens."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=_printable,
    )
    made.filters["time"] = lambda at: time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at))
    made.filters["ago"] = ago
    made.filters["domains"] = domains_in_words
    return made


def _printable(value: object) -> object:
    """Remove what XML 1.0 does not allow, whoever typed it."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else allowed(value)


def _admit() -> AnyResponse | None:
    """Identify the session; refuse a post from elsewhere or without a ticket."""
    pages = current_pages()
    token = request.cookies.get(cookie_name(), "")
    g.admin_session = pages.sessions.find(token) if token else None
    if request.method == "POST" and _from_elsewhere():
        return page(
            "notice", 403, title="Refused", text="This form was sent by another site. Nothing was done."
        )
    if request.endpoint in pages.open or request.endpoint is None:
        return None
    if g.admin_session is None:
        return redirect("/sign-in", 303)
    if request.method == "POST" and not pages.sessions.spend(g.admin_session, request.form.get("ticket", "")):
        text = "This form was sent before, or its page is too old. Nothing was done now; look before you repeat it."
        return page("notice", 409, title="Not done", text=text)
    return None


def _from_elsewhere() -> bool:
    """Return whether the browser says that a form is from another site (Fetch Metadata; RFC 6454 §7)."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = request.headers.get("Origin", "")
    return origin not in ("", "null") and urlsplit(origin).netloc != request.host


def _dressed(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response


def _failed(error: Exception) -> AnyResponse:
    """Turn any error into a page that says what it was."""
    if isinstance(error, HTTPException) and error.code is not None:
        text = "There is no such page." if error.code == 404 else (error.description or "")
        return page("notice", error.code, title=error.name.capitalize(), text=text)
    if isinstance(error, GatewayError):
        log.warning("%s: %s", type(error).__name__, error.detail)
        return page("notice", error.status, title="Not done", text=error.detail or error.sentence)
    log.error("unexpected error in %s", request.endpoint, exc_info=error)
    return page("notice", 500, title="Error", text="This is a fault of the panel; the log has the details.")


def _style() -> Response:
    text = current_pages().templates.get_template("style.css").render()
    return Response(text, content_type="text/css; charset=utf-8", headers={"Cache-Control": "max-age=3600"})
