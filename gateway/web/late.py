"""What was posted to a session that had ended: kept, and given back after signing in.

Nothing here may send or change anything by itself: a text comes back on the page that it was typed on.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from flask import Blueprint, Response, request

from gateway.errors import BadRequest
from gateway.kept import KeptText
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen, shorten
from gateway.message.headers import clean
from gateway.web.respond import respond
from gateway.web.visit import SESSION_COOKIE, TOKEN_KEY, Visit, current, list_link, relative

late = Blueprint("late", __name__)

#: Query field and form field that name a text that has come back.
FIELD: Final = "kept"
#: What a person types; a form with nothing of it is not worth keeping.
_TYPED: Final = ("text", "to", "cc", "bcc", "subject")
#: What belongs to the page that was posted from, and to no other.
_OF_THE_PAGE: Final = ("ticket", "password", "_probe", "_charset_", FIELD)
#: Characters by which a person knows their text again.
_GLIMPSE: Final = 60


def brought_token() -> str:
    """Return the token that this request brought, whatever it is worth."""
    return request.environ.get(TOKEN_KEY) or request.cookies.get(SESSION_COOKIE, "")


def keep(visit: Visit) -> bool:
    """Keep what this request posts, if somebody typed it in a session that has ended; say whether it is kept."""
    fields: dict[str, str] = {}
    ticket = ""
    with suppress(BadRequest):
        form = visit.form()
        ticket = form.get("ticket", "")
        fields = {name: value for name, value in form.items() if name not in _OF_THE_PAGE}
    if not any(fields.get(name, "").strip() for name in _TYPED):
        return False
    if visit.sessions.was_begun(brought_token(), ticket):
        return False  # a repeat: what became of the mail is told after signing in, and the text is not sent again
    return visit.sessions.keep(brought_token(), request.path, fields)


@late.get("/kept")
def show() -> Response:
    """Show what is kept, each with the way to the page that it was typed on."""
    visit = current()
    _ = visit.language.gettext
    kept = visit.signed_in.kept()
    actions = [
        Action(
            shorten(fit(_glimpse(text), visit.device) or _("(no text)"), _GLIMPSE),
            relative(f"{request.script_root}{text.path}?{FIELD}={text.name.hex()}", here()),
            str(number),
            "" if number > 1 else "accept",
            _("Go on"),
        )
        for number, text in enumerate(kept, 1)
    ]
    actions.append(Action(_("Inbox"), list_link("mailbox.inbox"), "0"))
    sentence = (
        _("This was not sent when you were signed out. Go on with it?") if kept else _("Nothing is kept.")
    )
    values = {"sentence": sentence, "lines": ()}
    return respond(
        Screen(
            "notice",
            _("Your text"),
            values,
            tuple(actions),
            life=Life.NEVER,
            words=_,
            language=visit.language.tag,
        )
    )


def here() -> str:
    """Return the absolute path of this request."""
    return request.script_root + request.path


def asked(visit: Visit) -> KeptText | None:
    """Return the text that this page was opened with, or that its form names; None for none."""
    name = request.args.get(FIELD, "")
    return find(visit, name) if name else None


def find(visit: Visit, name: str) -> KeptText | None:
    """Find a text by the name in a page of ours."""
    return next((text for text in visit.signed_in.kept() if text.name.hex() == name), None)


def forget(visit: Visit, form: Mapping[str, str]) -> None:
    """Forget the text that a form came back with, now that it is sent or saved."""
    text = find(visit, form[FIELD]) if form.get(FIELD) else None
    if text is not None:
        visit.signed_in.forget_kept(text)


def _glimpse(text: KeptText) -> str:
    typed = (clean(text.fields.get(name, "")) for name in _TYPED)
    return next((words for words in typed if words), "")
