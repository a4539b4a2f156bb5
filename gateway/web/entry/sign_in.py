"""The sign-in screen, and signing out.

Nothing here may keep a password longer than the request, or send it back: after a wrong one the form comes back with
only the address.
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
from gateway.markup.keys import BACK_KEY
from gateway.markup.screen import Action, Life, Screen, StatusMessage, Verbatim, shorten
from gateway.message.headers.header_fields import clean
from gateway.sending import outbox
from gateway.web.entry import restored_forms
from gateway.web.entry.start_page import start_target as start_page
from gateway.web.request import cookies, form_bodies
from gateway.web.request.respond import redirect_to, respond, retry_later
from gateway.web.request.screens import FAILED, error_code, make_screen, notice_screen, sign_out_action
from gateway.web.request.visit import (
    UNASKED,
    Visit,
    asked_for_markup,
    current,
    link,
    sessionless_link,
    token_of,
)

signin = Blueprint("signin", __name__)

#: Octets of an address as typed; RFC 5321 §4.5.3.1.3 allows 254.
LONGEST_ADDRESS = 254
LONGEST_PASSWORD = 1024
#: Maximum characters of a token in the form.
LONGEST_TOKEN = 64
#: Maximum wait that is given in seconds; a longer one is given in minutes.
LONGEST_SECONDS = 99
#: Characters of the service's name, which is the page's title.
_LONGEST_SERVICE = 30
#: The button that makes this device forget the address.
_FORGET = "forget"


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
    if form.pressed_button() == _FORGET:
        return _forget(visit, form)
    user = form.get("user", "").strip()[:LONGEST_ADDRESS]
    kept, carried = _unsent(form)
    try:
        address = visit.config.complete_address(user)
        cookie = cookies.come_back()
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
                remembered=cookies.device_tokens(),
                chosen=asked_for_markup(),
            )
    except GatewayError as error:
        code = error_code(visit) if error.status >= FAILED else ""
        sentence = error_sentence(error, visit)
        screen = signin_screen(
            visit, sentence, user, kept=kept, carried=carried, status=error.status, code=code
        )
        return retry_later(respond(screen, Life.NEVER), error.retry_after)
    restored_forms.take_over(session, kept or token_of(visit.config, request), carried)
    start = (
        "restored_forms.show" if restored_forms.all_saved(session) else start_page(session, profile(session))
    )
    if outbox.has_pending(session):  # that page links to the saved forms or the inbox
        start = "outcomes.show"
    if cookie:
        return cookies.keep_session(redirect_to(start, visit.config.path), session)
    return redirect_to(start, visit.config.path + session_root(session.token))


@signin.get("/bye")
def sign_out() -> Response:
    """End the session; ask first without the ticket that our own links carry."""
    visit = current()
    if visit.session is None:
        return cookies.probe(respond(signin_screen(visit, ""), Life.NEVER))
    _ = visit.language.gettext
    if request.method != "GET" or visit.session.check_ticket(request.args.get("t", "")) is None:
        actions = (sign_out_action(visit, "1"), Action(_("Inbox"), link("mailbox.inbox"), BACK_KEY))
        return respond(notice_screen(visit, _("Sign out"), _("Sign out now?"), actions, life=Life.NEVER))
    kept = visit.session.token if restored_forms.all_saved(visit.session) else ""
    visit.session.close()
    visit.session = None
    sentence = restored_forms.signed_out_sentence(visit) if kept else _("You are signed out.")
    screen = signin_screen(visit, StatusMessage(sentence), "", kept=kept)
    return cookies.forget_session(respond(screen, Life.NEVER), kept)


def _show() -> Response:
    visit = current()
    if visit.session is not None:
        return redirect_to(start_page(visit.session, visit.profile), request.script_root)
    return cookies.probe(respond(signin_screen(visit, "")))


def _unsent(form: form_bodies.Fields) -> tuple[str, str]:
    """Return the page's unsent texts: the token that gives access to saved ones, and one that it carries."""
    return form.get("kept", ""), form.get(restored_forms.CARRIED, "")


def _forget(visit: Visit, form: form_bodies.Fields) -> Response:
    """Forget the address on this device; the unsent texts of the page stay."""
    sentence = visit.language.gettext("This device no longer remembers your address.")
    kept, carried = _unsent(form)
    screen = signin_screen(visit, StatusMessage(sentence), "", kept=kept, carried=carried)
    return cookies.forget_address(respond(screen, Life.NEVER))


def signin_screen(
    visit: Visit,
    sentence: str,
    user: str | None = None,
    *,
    kept: str = "",
    carried: str = "",
    status: int = 200,
    code: str = "",
) -> Screen:
    """Make the sign-in page; `sentence` says what happened, `kept` is the token that gives access to saved forms.

    `user`: the address as typed; None: the one that this device remembers. `carried`: a typed form that is saved
    nowhere else; `code`: as `error_code` returns it.
    """
    _ = visit.language.gettext
    is_wml = visit.device.markup == WML
    hidden = (("kept", kept[:LONGEST_TOKEN]), (restored_forms.CARRIED, carried))
    other = ("m", _("Full pages (XHTML)")) if is_wml else ("w", _("WAP pages (WML)"))
    values = {
        "sentence": sentence,
        "code": code,
        "user": Verbatim(cookies.address()[:LONGEST_ADDRESS] if user is None else user),
        "remembered": user != "" and bool(cookies.address()),
        "hidden": [(name, Verbatim(text)) for name, text in hidden if text],
        "target": sessionless_link("w" if is_wml else "m") + ("" if asked_for_markup() else f"?{UNASKED}=1"),
        "fresh": visit.variable_prefix(),
        "probe": form_bodies.PROBE,
    }
    actions = (Action(other[1], sessionless_link(other[0])),)
    return make_screen(
        visit,
        "signin",
        shorten(visit.config.service, _LONGEST_SERVICE),
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
    """Return a sentence that says when to try again: never too early, and as a time of day if the wait is long."""
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
