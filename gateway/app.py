"""The one place where the parts are joined: config, state, pool, sessions and screens into a WSGI app.

Nothing here may decide what a person sees, but for the one error handler: it turns every GatewayError into a
small page with a way on, and everything else into one sentence and a line in the log.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from gateway.config import Config
from gateway.errors import GatewayError, MailboxGone, MessageGone, SessionEnded
from gateway.markup.screen import Action, Life, Screen
from gateway.outbound import Outbound
from gateway.session import Sessions
from gateway.state import State
from gateway.store.pool import Pool
from gateway.vault import server_secret
from gateway.web import late as lates
from gateway.web import visit as visits
from gateway.web.act import act
from gateway.web.attachment import attachment
from gateway.web.cards import cards
from gateway.web.compose import compose
from gateway.web.contacts import contacts
from gateway.web.converters import (
    KeyConverter,
    PositionConverter,
    SectionConverter,
    SpotConverter,
    ViewConverter,
)
from gateway.web.details import details
from gateway.web.document import document
from gateway.web.download import download
from gateway.web.drafts import drafts
from gateway.web.favourites import favourites
from gateway.web.folder import folder
from gateway.web.folders import folders
from gateway.web.holdings import holdings
from gateway.web.links import links
from gateway.web.mailbox import INBOX, mailbox, show
from gateway.web.menu import menu
from gateway.web.message import message
from gateway.web.mine import mine
from gateway.web.more import more
from gateway.web.nested import nested
from gateway.web.outcomes import outcomes
from gateway.web.picking import picking
from gateway.web.picture import picture
from gateway.web.plain import plain
from gateway.web.quick import quick
from gateway.web.respond import forget_session, respond
from gateway.web.search import search
from gateway.web.settings import settings
from gateway.web.several import several
from gateway.web.signin import sentence_of, signin, signin_screen
from gateway.web.undo import undo
from gateway.web.unsubscribe import EXTENSION as WAY_OUT
from gateway.web.unsubscribe import unsubscribe
from gateway.web.view import view
from gateway.web.write import write
from gateway.web.zone import zone

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = logging.getLogger(__name__)

#: Octets of a form; nothing that a person types on a handheld is larger.
LARGEST_FORM: Final = 256 * 1024
#: Screens for which nobody has to be signed in; who asks for another one is asked to sign in before anything is done.
OPEN: Final = frozenset({
    "signin.front", "signin.wml", "signin.xhtml", "signin.enter_wml", "signin.enter_xhtml", "signin.leave",
    "links.page", "plain.robots", "plain.favicon",
})  # fmt: skip
_TOKEN: Final = re.compile(r"/~([A-Za-z0-9_-]{16,64})(?=/|\Z)")


class TokenPath:
    """Move the session's token from PATH_INFO to SCRIPT_NAME, so that url_for carries it by itself."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        match = _TOKEN.match(environ.get("PATH_INFO", ""))
        if match:
            environ[visits.TOKEN_KEY] = match[1]
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + match[0]
            environ["PATH_INFO"] = environ["PATH_INFO"][match.end() :] or "/"
        return self._app(environ, start_response)


def create_app(
    config: Config,
    *,
    state: State | None = None,
    sessions: Sessions | None = None,
    outbound: Outbound | None = None,
) -> Flask:
    """Join everything; `state`, `sessions` and `outbound` are made from the config unless given."""
    app = Flask("gateway", static_folder=None, template_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_FORM
    app.url_map.converters["at"] = PositionConverter
    app.url_map.converters["sec"] = SectionConverter
    app.url_map.converters["key"] = KeyConverter
    app.url_map.converters["view"] = ViewConverter
    app.url_map.converters["spot"] = SpotConverter
    app.extensions[WAY_OUT] = (outbound or Outbound()) if config.outbound else None
    app.url_map.strict_slashes = False
    if sessions is None:
        state = state or State.open(config.state)
        sessions = Sessions(config, state, server_secret(config.secret), Pool())
    joined = sessions

    @app.before_request
    def begin() -> None:
        visit = visits.begin(config, joined)
        if visit.session is None and request.endpoint is not None and request.endpoint not in OPEN:
            raise SessionEnded

    screens = (
        signin,
        mailbox,
        view,
        search,
        menu,
        folders,
        folder,
        message,
        more,
        act,
        undo,
        several,
        details,
    )
    writing = (compose, drafts, picking, quick)
    person = (settings, mine, zone, favourites, holdings, contacts, cards)
    away = (lates.late, links, write, unsubscribe, outcomes)
    files = (attachment, document, nested, picture, download, plain)
    for blueprint in (*screens, *writing, *person, *away, *files):
        app.register_blueprint(blueprint)
    app.register_error_handler(Exception, _failed)
    app.wsgi_app = TokenPath(app.wsgi_app)  # type: ignore[method-assign]
    return app


def _failed(error: Exception) -> Response:
    """Turn any error into a page that says what to do next."""
    if "visit" not in g:  # what failed is finding out who asks
        log.error("unexpected error before %s", request.endpoint, exc_info=error)
        return Response(GatewayError.sentence, 500, content_type="text/plain; charset=us-ascii")
    visit = visits.current()
    if isinstance(error, SessionEnded):
        return _ended(error, visit)
    if isinstance(error, (MailboxGone, MessageGone)) and visit.session is not None:
        return _fresh_list(error)
    sentence, status = _said(error, visit)
    _ = visit.language.gettext
    home = (
        Action(_("Inbox"), visits.list_link("mailbox.inbox"), "0", "accept")
        if visit.session is not None
        else Action(_("Sign in"), visits.outside(""), "0", "accept")
    )
    values: dict[str, Any] = {"sentence": sentence, "lines": ()}
    screen = Screen(
        "notice",
        _("Sorry"),
        values,
        (home,),
        life=Life.NEVER,
        status=status,
        words=_,
        language=visit.language.tag,
    )
    return respond(screen)


def _ended(error: SessionEnded, visit: visits.Visit) -> Response:
    """Ask to sign in again; what was typed meanwhile is kept."""
    if request.method == "POST" and lates.keep(visit):
        sentence = visit.language.gettext("You were signed out. Your text is kept: sign in to go on.")
        screen = signin_screen(visit, sentence, status=error.status, kept=lates.brought_token())
        return respond(screen, Life.NEVER)  # an old cookie stays: it opens what is kept
    sentence = sentence_of(error, visit) if request.environ.get(visits.TOKEN_KEY) else ""
    return forget_session(respond(signin_screen(visit, sentence, status=error.status), Life.NEVER))


def _said(error: Exception, visit: visits.Visit) -> tuple[str, int]:
    """Say an error to the person, and by its status; the log has the rest."""
    _ = visit.language.gettext
    if isinstance(error, GatewayError):
        log.warning("%s: %s", type(error).__name__, error.detail)
        return sentence_of(error, visit), error.status
    if isinstance(error, HTTPException):
        found = error.code != 404
        sentence = _("That request could not be understood.") if found else _("There is no such page.")
        return sentence, error.code or 500
    log.error("unexpected error in %s", request.endpoint, exc_info=error)
    return _(GatewayError.sentence), 500


def _fresh_list(error: GatewayError) -> Response:
    """Show the list anew under the sentence that says why: of the mailbox asked for, or else the inbox."""
    visit = visits.current()
    number = (request.view_args or {}).get("number")
    known = visit.signed_in.mailbox(number) if isinstance(number, int) else None
    names = (known[0], INBOX) if known is not None else (INBOX,)
    for name in names:
        try:
            return show(name, None, sentence_of(error, visit))
        except MailboxGone:
            continue
        except GatewayError as next_error:
            return _failed(next_error)
    return _failed(GatewayError(error.detail))
