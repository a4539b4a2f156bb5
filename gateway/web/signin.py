"""The sign-in screen, and signing out.

Nothing here may keep a password longer than the request, or send it back: a wrong one is asked for again with
the address kept.
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from gateway import outbox
from gateway.device import WML
from gateway.errors import GatewayError, RecipientsRefused, ServerAlert
from gateway.markup.screen import Action, Life, Screen, Verbatim
from gateway.message.headers import clean
from gateway.profile import profile
from gateway.web import forms
from gateway.web.respond import forget_session, go, keep_session, probe_cookies, respond
from gateway.web.start import start as start_page
from gateway.web.visit import PROBE_COOKIE, SESSION_COOKIE, Visit, current, link, outside

signin = Blueprint("signin", __name__)

#: Octets of an address as typed; RFC 5321 §4.5.3.1.3 allows 254.
LONGEST_ADDRESS = 254
LONGEST_PASSWORD = 1024
#: Characters of a token that a form of ours brings back.
LONGEST_TOKEN = 64


@signin.get("/")
def front() -> Response:
    """Show the sign-in page, or the inbox to who is signed in."""
    return _show()


@signin.get("/w")
def wml() -> Response:
    """Show the sign-in page as WML, whatever the browser says."""
    return _show()


@signin.get("/m")
def xhtml() -> Response:
    """Show the sign-in page as XHTML, whatever the browser says."""
    return _show()


@signin.post("/w", endpoint="enter_wml")
@signin.post("/m", endpoint="enter_xhtml")
def enter() -> Response:
    """Sign in, and send the person on to the inbox."""
    visit = current()
    form = visit.form()
    user = form.get("user", "").strip()[:LONGEST_ADDRESS]
    try:
        address = visit.config.complete_address(user)
        cookie = visit.device.cookies and request.cookies.get(PROBE_COOKIE) == "1"
        session = visit.sessions.open(
            address,
            form.get("password", "")[:LONGEST_PASSWORD],
            device=visit.device.name,
            markup=visit.device.markup,
            user_agent=request.headers.get("User-Agent", ""),
            language=visit.language.tag,
            via="cookie" if cookie else "url",
            remote=request.remote_addr or "",
        )
    except GatewayError as error:
        screen = signin_screen(visit, sentence_of(error, visit), user, error.status, form.get("kept", ""))
        return respond(screen, Life.NEVER)
    session.adopt_kept(form.get("kept") or request.cookies.get(SESSION_COOKIE, ""))
    start = "late.show" if session.kept() else start_page(session, profile(session))
    if outbox.waiting(session):  # that page leads on to what is kept, or to the inbox
        start = "outcomes.show"
    if cookie:
        secure = request.is_secure or visit.config.url.startswith("https://")
        return keep_session(go(start, ""), session.token, secure)
    return go(start, f"/~{session.token}")


@signin.get("/bye")
def leave() -> Response:
    """End the session; without the ticket, which a link of ours carries, ask first."""
    visit = current()
    if visit.session is None:
        return forget_session(respond(signin_screen(visit, ""), Life.NEVER))
    _ = visit.language.gettext
    if request.method != "GET" or visit.session.check_ticket(request.args.get("t", "")) is None:
        question = Screen(
            "notice",
            _("Sign out"),
            {"sentence": _("End this session?"), "lines": ()},
            (sign_out_action(visit, "1"), Action(_("Inbox"), link("mailbox.inbox"), "0")),
            words=_,
            life=Life.NEVER,
        )
        return respond(question)
    visit.session.close()
    visit.session = None
    return forget_session(respond(signin_screen(visit, _("You are signed out.")), Life.NEVER))


def sign_out_action(visit: Visit, key: str) -> Action:
    """Offer to sign out, with the ticket that makes the link one of ours."""
    label = visit.language.gettext("Sign out")
    return Action(label, link("signin.leave", t=visit.signed_in.ticket()), key)


def _show() -> Response:
    visit = current()
    if visit.session is not None:
        return go(start_page(visit.session, visit.profile), request.script_root)
    return probe_cookies(respond(signin_screen(visit, "")))


def signin_screen(visit: Visit, sentence: str, user: str = "", status: int = 200, kept: str = "") -> Screen:
    """Make the sign-in page; `sentence` says what went wrong before, `kept` is the token that opens a kept text."""
    _ = visit.language.gettext
    is_wml = visit.device.markup == WML
    other = ("m", _("Full pages (XHTML)")) if is_wml else ("w", _("WAP pages (WML)"))
    return Screen(
        "signin",
        _("Sign in"),
        {
            "sentence": sentence,
            "user": Verbatim(user),
            "kept": Verbatim(kept[:LONGEST_TOKEN]),
            "target": outside("w" if is_wml else "m"),
            "fresh": visit.fresh(),
            "probe": forms.PROBE,
        },
        (Action(other[1], outside(other[0]), "4"),),
        forget=bool(sentence),
        life=Life.PRIVATE,
        status=status,
        words=_,
        language=visit.language.tag,
    )


def sentence_of(error: GatewayError, visit: Visit) -> str:
    """Say an error to the person, in their language."""
    text = visit.language.gettext(error.sentence)
    if isinstance(error, RecipientsRefused) and error.refused:
        return f"{text} ({clean(', '.join(error.refused))})"
    return text % {"alert": error.alert} if isinstance(error, ServerAlert) else text


__all__ = ["sentence_of", "sign_out_action", "signin", "signin_screen"]
