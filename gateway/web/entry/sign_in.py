"""The sign-in screen, and signing out.

Nothing here may keep a password longer than the request, or send it back: after a wrong one the form comes back with
the address only.
"""

from __future__ import annotations

import math
from datetime import timedelta

from flask import Blueprint, Response, request

from gateway.access.sign_in_log import failures_logged
from gateway.account.profile import profile
from gateway.addresses import session_root
from gateway.device import WML
from gateway.errors import GatewayError, RecipientsRefused, SenderRefusedThere, ServerAlert, TooManyTries
from gateway.markup.screen import Action, Life, Screen, Verbatim
from gateway.message.headers.header_fields import clean
from gateway.sending import outbox
from gateway.state import BUSY_SECONDS, optional
from gateway.web.entry import restored_forms
from gateway.web.entry.start_page import start_target as start_page
from gateway.web.request import form_bodies
from gateway.web.request.respond import (
    forget_session,
    keep_session,
    probe_cookies,
    redirect_to,
    respond,
    retry_later,
)
from gateway.web.request.screens import FAILED, error_code, make_screen, notice_screen, sign_out_action
from gateway.web.request.visit import (
    DEVICE_COOKIE,
    PROBE_COOKIE,
    SESSION_COOKIE,
    Visit,
    current,
    link,
    sessionless_link,
)

signin = Blueprint("signin", __name__)

#: Octets of an address as typed; RFC 5321 §4.5.3.1.3 allows 254.
LONGEST_ADDRESS = 254
LONGEST_PASSWORD = 1024
#: Maximum characters of a token in the form.
LONGEST_TOKEN = 64
#: A longer wait in seconds is given in minutes.
LONGEST_SECONDS = 99


@signin.get("/")
def front() -> Response:
    """Show the sign-in page, or the inbox if the person is signed in."""
    return _show()


@signin.get("/w")
def wml() -> Response:
    """Show the sign-in page as WML, regardless of Accept."""
    return _show()


@signin.get("/m")
def xhtml() -> Response:
    """Show the sign-in page as XHTML, regardless of Accept."""
    return _show()


@signin.post("/w", endpoint="submit_wml")
@signin.post("/m", endpoint="submit_xhtml")
def submit() -> Response:
    """Sign in, and redirect to the start page."""
    visit = current()
    form = visit.form()
    user = form.get("user", "").strip()[:LONGEST_ADDRESS]
    try:
        address = visit.config.complete_address(user)
        cookie = visit.device.cookies and request.cookies.get(PROBE_COOKIE) == "1"
        with failures_logged(visit.client.address):
            session = visit.sessions.open(
                address,
                form.get("password", "")[:LONGEST_PASSWORD],
                device=visit.device.name,
                markup=visit.device.markup,
                user_agent=request.headers.get("User-Agent", ""),
                language=visit.language.tag,
                via="cookie" if cookie else "url",
                remote=visit.client.address,
                remembered=request.cookies.get(DEVICE_COOKIE, ""),
            )
    except GatewayError as error:
        sentence, kept = error_sentence(error, visit), form.get("kept", "")
        code = error_code(visit) if error.status >= FAILED else ""
        screen = signin_screen(visit, sentence, user, error.status, kept, code)
        return retry_later(respond(screen, Life.NEVER), error.retry_after)
    with optional("texts of an earlier session", BUSY_SECONDS):
        token = form.get("kept") or request.cookies.get(SESSION_COOKIE, "")
        session.saved_forms.adopt(token, session.token, session.account)
    start = (
        "restored_forms.show" if restored_forms.all_saved(session) else start_page(session, profile(session))
    )
    if outbox.has_pending(session):  # that page links to the saved forms or the inbox
        start = "outcomes.show"
    if cookie:
        return keep_session(redirect_to(start, visit.config.path), session.token, session.remembered)
    return redirect_to(start, visit.config.path + session_root(session.token))


@signin.get("/bye")
def sign_out() -> Response:
    """End the session; ask first without the ticket that our own links carry."""
    visit = current()
    if visit.session is None:
        return respond(signin_screen(visit, ""), Life.NEVER)
    _ = visit.language.gettext
    if request.method != "GET" or visit.session.check_ticket(request.args.get("t", "")) is None:
        actions = (sign_out_action(visit, "1"), Action(_("Inbox"), link("mailbox.inbox"), "0"))
        return respond(notice_screen(visit, _("Sign out"), _("End this session?"), actions, life=Life.NEVER))
    kept = visit.session.token if restored_forms.all_saved(visit.session) else ""
    visit.session.close()
    visit.session = None
    sentence = restored_forms.signed_out_sentence(visit) if kept else _("You are signed out.")
    return forget_session(respond(signin_screen(visit, sentence, kept=kept), Life.NEVER), kept)


def _show() -> Response:
    visit = current()
    if visit.session is not None:
        return redirect_to(start_page(visit.session, visit.profile), request.script_root)
    return probe_cookies(respond(signin_screen(visit, "")))


def signin_screen(
    visit: Visit, sentence: str, user: str = "", status: int = 200, kept: str = "", code: str = ""
) -> Screen:
    """Make the sign-in page; `sentence` is the previous error, `kept` the token that opens saved forms.

    `code`: as `error_code` returns it.
    """
    _ = visit.language.gettext
    is_wml = visit.device.markup == WML
    other = ("m", _("Full pages (XHTML)")) if is_wml else ("w", _("WAP pages (WML)"))
    values = {
        "sentence": sentence,
        "code": code,
        "user": Verbatim(user),
        "kept": Verbatim(kept[:LONGEST_TOKEN]),
        "target": sessionless_link("w" if is_wml else "m"),
        "fresh": visit.variable_prefix(),
        "probe": form_bodies.PROBE,
    }
    actions = (Action(other[1], sessionless_link(other[0]), "4"),)
    return make_screen(
        visit,
        "signin",
        _("Sign in"),
        values,
        actions,
        life=Life.PRIVATE,
        status=status,
        forget=bool(sentence),
    )


def error_sentence(error: GatewayError, visit: Visit) -> str:
    """Return an error in the person's language."""
    text = visit.language.gettext(error.sentence)
    if isinstance(error, RecipientsRefused) and (who := (*error.refused, *error.later, *error.too_large)):
        return f"{text} ({clean(', '.join(who))})"
    if isinstance(error, SenderRefusedThere):
        return text % {"sender": clean(error.sender)}
    if isinstance(error, TooManyTries):
        return f"{text} {_retry_sentence(error.seconds, visit)}"
    return text % {"alert": error.alert} if isinstance(error, ServerAlert) else text


def _retry_sentence(seconds: int, visit: Visit) -> str:
    """Return a sentence that says when to try again: never too early, and as a time of day if that is long."""
    ngettext, number = visit.language.ngettext, visit.language.number
    if seconds <= LONGEST_SECONDS:
        text = ngettext("Try again in %(number)s second.", "Try again in %(number)s seconds.", seconds)
        return text % {"number": number(seconds)}
    minutes = math.ceil(seconds / 60)
    turn = (visit.now + timedelta(seconds=seconds + 59)).astimezone(visit.language.zone)
    text = ngettext(
        "Try again in %(number)s minute, at %(time)s.",
        "Try again in %(number)s minutes, at %(time)s.",
        minutes,
    )
    return text % {"number": number(minutes), "time": f"{turn:%H:%M}"}


__all__ = ["error_sentence", "signin", "signin_screen"]
