"""The application: config, state, pool, sessions and screens joined into a WSGI app.

Nothing here may decide what users see, except in the one error handler: it turns every GatewayError into a small page
with actions, and everything else into one sentence and a log entry.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, Request, Response, current_app, g, request
from werkzeug.exceptions import HTTPException

from gateway import language
from gateway.access.sessions import Sessions
from gateway.account.merging import merge
from gateway.addresses import split_root
from gateway.config import Config
from gateway.device import Override
from gateway.errors import (
    CannotDo,
    ConfigError,
    GatewayError,
    MailboxGone,
    MessageGone,
    SessionEnded,
    StateError,
    StoreUnreachable,
)
from gateway.markup.screen import Action, Life
from gateway.outbound import Outbound
from gateway.sealed.vault import server_secret
from gateway.state import State
from gateway.store.pool import Pool
from gateway.upstreams import deadline
from gateway.web.attachments.attachment_list import attachment
from gateway.web.attachments.document_pages import document
from gateway.web.attachments.download import download
from gateway.web.attachments.nested_messages import nested
from gateway.web.attachments.picture_page import picture
from gateway.web.compose.attach_mail import attach_mail
from gateway.web.compose.new_mail import write
from gateway.web.compose.quick_replies import quick
from gateway.web.compose.reopened_drafts import drafts
from gateway.web.compose.reply_and_forward import compose
from gateway.web.compose.unsent_texts import unsent
from gateway.web.contacts.contact_pages import contacts
from gateway.web.contacts.vcard_files import vcards
from gateway.web.entry import restored_forms
from gateway.web.entry.sign_in import error_sentence, signin, signin_screen
from gateway.web.entry.well_known import plain
from gateway.web.folders.folder_list import folders
from gateway.web.folders.folder_page import folder
from gateway.web.mailbox.error_page import error_screen
from gateway.web.mailbox.mailbox_list import INBOX, mailbox, show
from gateway.web.mailbox.menu import menu
from gateway.web.mailbox.saved_searches import favourites
from gateway.web.mailbox.search import search
from gateway.web.mailbox.unseen_outcomes import outcomes
from gateway.web.mailbox.view_choices import view
from gateway.web.message.bulk_actions import bulk
from gateway.web.message.details import details
from gateway.web.message.invitation_page import invitation
from gateway.web.message.link_page import links
from gateway.web.message.message_actions import message_actions
from gateway.web.message.message_screen import message
from gateway.web.message.more_actions import more
from gateway.web.message.undo import undo
from gateway.web.message.unsubscribe import EXTENSION as WAY_OUT
from gateway.web.message.unsubscribe import unsubscribe
from gateway.web.request import cookies
from gateway.web.request import visit as visits
from gateway.web.request.respond import redirect_to, respond, retry_later, secure
from gateway.web.request.screens import inbox_action
from gateway.web.request.url_converters import CONVERTERS
from gateway.web.settings.identities import identities_pages
from gateway.web.settings.settings_pages import settings
from gateway.web.settings.stored_data import stored_data
from gateway.web.settings.time_zone import zone

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = logging.getLogger(__name__)

#: The most octets of a form without files; nothing typed on a handheld is larger.
LARGEST_FORM: Final = 256 * 1024
#: Endpoints that need no session; on any other the user is asked to sign in first.
OPEN: Final = frozenset({
    "signin.front", "signin.wml", "signin.xhtml", "signin.submit_wml", "signin.submit_xhtml", "signin.sign_out",
    "links.page", "plain.robots", "plain.favicon", "plain.style_sheet",
})  # fmt: skip
#: Screens (blueprints or endpoints) and what a mail store must be able to do for them: fields of its `can`.
NEEDS: Final = {
    "search": "search", "favourites": "search", "folders": "folders", "folder": "folders",
    "attach_mail.folders": "folders", "bulk": "change", "more.choose": "move", "undo": "undo",
    "attach_mail": "append", "drafts.files": "append",
}  # fmt: skip
#: Key of the path of `[http] url` in the app's configuration.
PREFIX: Final = "POCKETPOST_PREFIX"
#: Key of the sessions in the app's extensions, for shutting it down.
SESSIONS: Final = "pocketpost.sessions"


class TokenMiddleware:
    """Moves the path of `[http] url` and the session's token from PATH_INFO to SCRIPT_NAME, for url_for."""

    def __init__(self, app: Callable[..., Iterable[bytes]], prefix: str) -> None:
        self._app, self._prefix = app, prefix

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        root, token, environ["PATH_INFO"] = split_root(environ.get("PATH_INFO", ""), self._prefix)
        environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + root
        if token:
            environ[visits.TOKEN_KEY] = token
        with deadline.within(deadline.REQUEST_SECONDS):  # streaming a long body has its own deadline
            return self._app(environ, start_response)


def is_signed_in(app: Flask, environ: WSGIEnvironment) -> bool:
    """Return whether a request is from a signed-in user, going by its header alone."""
    _, token, _ = split_root(environ.get("PATH_INFO", ""), app.config[PREFIX])
    tokens = [token] if token else visits.any_tokens(Request(environ))
    sessions: Sessions = app.extensions[SESSIONS]
    return any(map(sessions.knows, tokens))


def client_address(config: Config, environ: WSGIEnvironment) -> str:
    """Return the client address of a request, going by its header alone."""
    return visits.client_of(config, Request(environ)).address


_SCREENS: Final = (
    *(
        signin,
        mailbox,
        view,
        search,
        menu,
        folders,
        folder,
        message,
        more,
        message_actions,
        undo,
        bulk,
        details,
    ),
    *(compose, drafts, attach_mail, quick, unsent, invitation),
    *(settings, identities_pages, zone, favourites, stored_data, contacts, vcards),
    *(restored_forms.restored_forms, links, write, unsubscribe, outcomes),
    *(attachment, document, nested, picture, download, plain),
)


def create_app(
    config: Config,
    *,
    state: State | None = None,
    sessions: Sessions | None = None,
    outbound: Outbound | None = None,
) -> Flask:
    """Create the application; `state`, `sessions` and `outbound` are made from the config unless given."""
    language.load()
    app = Flask("gateway", static_folder=None, template_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_FORM
    app.config[PREFIX] = config.path
    app.url_map.converters.update(CONVERTERS)
    app.extensions[WAY_OUT] = (outbound or Outbound()) if config.outbound else None
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # which would redirect to whatever Host says
    if sessions is None:
        state = state or State.open(config.state)
        sessions = Sessions(config, state, server_secret(config.secret), Pool(), merge=merge)
    joined = app.extensions[SESSIONS] = sessions
    overrides = tuple(map(Override.of, config.handhelds))
    app.before_request(partial(_begin, config, joined, overrides))
    app.after_request(partial(secure, config))
    app.after_request(cookies.renew)
    for blueprint in _SCREENS:
        app.register_blueprint(blueprint)
    app.register_error_handler(Exception, _failed)
    _require_free_path(app, config.path)
    app.wsgi_app = TokenMiddleware(app.wsgi_app, config.path)  # type: ignore[method-assign]
    return app


def _begin(config: Config, sessions: Sessions, overrides: Sequence[Override]) -> Response | None:
    """Begin the visit, and go no further if the page is not for this person."""
    visit = visits.begin(config, sessions, overrides)
    asked = visits.this_request()
    if not asked.environ["PATH_INFO"] and asked.method in ("GET", "HEAD"):
        return redirect_to("/", asked.script_root)  # links are relative to the path with its slash
    if visit.session is None and asked.endpoint is not None and asked.endpoint not in OPEN:
        raise SessionEnded
    need = NEEDS.get(asked.endpoint or "") or NEEDS.get(asked.blueprint or "")
    if visit.session is not None and need and not getattr(visit.session.can, need):
        raise CannotDo(need)
    return None


def _require_free_path(app: Flask, path: str) -> None:
    """Raise ConfigError if one of our addresses begins with the path of `[http] url`.

    A proxy that removes the path could not be distinguished from one that does not.
    """
    if path and any(f"{rule.rule}/".startswith(f"{path}/") for rule in app.url_map.iter_rules()):
        raise ConfigError(f"[http] url: {path} is an address of the gateway's own; take another path")


def close(app: Flask) -> None:
    """Close the sessions, and with them the connections to mail servers."""
    app.extensions[SESSIONS].close()


def _failed(error: Exception) -> Response:
    """Turn any error into a page that says what to do next."""
    if "visit" not in g:  # identifying the user failed
        log.error("unexpected error before %s", request.endpoint, exc_info=error)
        return Response(GatewayError.sentence, 500, content_type="text/plain; charset=us-ascii")
    if request.method == "GET" and isinstance(error, StoreUnreachable) and error.dropped and "again" not in g:
        # Servers close the connection when a mailbox was deleted elsewhere, or when they are restarted. Looking again
        # does no harm.
        g.again = True
        return _looked_again()
    visit = visits.current()
    if isinstance(error, SessionEnded):
        return _session_ended(error, visit)
    if isinstance(error, (MailboxGone, MessageGone)) and visit.session is not None:
        return _list_again(error)
    sentence, status = _error_sentence(error, visit)
    _ = visit.language.gettext
    seconds = error.retry_after if isinstance(error, GatewayError) else 0
    if isinstance(error, StateError) and visit.session is None and visits.token_of(visit.config, request):
        home = inbox_action(visit, soft="accept")
    else:
        home = Action(_("Sign in"), visits.sessionless_link(""), "0", "accept")
    return retry_later(respond(error_screen(visit, error, sentence, status, (home,))), seconds)


def _looked_again() -> Response:
    """Run the view of this request once more, on a new connection."""
    view: Callable[..., Any] = current_app.view_functions[str(request.endpoint)]
    try:
        return current_app.make_response(view(**(request.view_args or {})))
    except Exception as error:
        return _failed(error)


def _session_ended(error: SessionEnded, visit: visits.Visit) -> Response:
    """Ask to sign in again; the page keeps the old token, which opens the form that was saved, now or earlier."""
    sentence = error_sentence(error, visit) if request.environ.get(visits.TOKEN_KEY) else ""
    token = visits.token_of(visit.config, request)
    posted = request.method == "POST"
    saved, carried = restored_forms.save(visit) if posted else (False, "")
    if saved := saved or restored_forms.are_kept(visit, token):
        sentence = restored_forms.signed_out_sentence(visit)
    kept = token if posted or saved else ""
    # The cookie stays: a media player or a scanner that uses a browser's cookies under its own name signs nobody out.
    screen = signin_screen(visit, sentence, status=error.status, kept=kept, carried=carried)
    return cookies.probe(respond(screen, Life.NEVER))


def _error_sentence(error: Exception, visit: visits.Visit) -> tuple[str, int]:
    """Return the sentence of an error in the user's language, and its status; log the details."""
    _ = visit.language.gettext
    if isinstance(error, GatewayError):
        log.warning("%s: %s", type(error).__name__, error.detail)
        return error_sentence(error, visit), error.status
    if isinstance(error, HTTPException):
        found = error.code != 404
        sentence = (
            _("That could not be understood. Go back and try again.") if found else _("Page not found.")
        )
        return sentence, error.code or 500
    log.error("unexpected error in %s", request.endpoint, exc_info=error)
    return _(GatewayError.sentence), 500


def _list_again(error: GatewayError) -> Response:
    """Show the list again under the sentence of the error: the requested mailbox, or else the inbox."""
    visit = visits.current()
    number = (request.view_args or {}).get("number")
    known = visit.signed_in.mailboxes.find(number) if isinstance(number, int) else None
    names = (known[0], INBOX) if known is not None else (INBOX,)
    for name in names:
        try:
            return show(name, None, error_sentence(error, visit))
        except MailboxGone:
            continue
        except GatewayError as next_error:
            return _failed(next_error)
    return _failed(GatewayError(error.detail))
