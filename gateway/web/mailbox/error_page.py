"""The page of an error: its sentence, and every way onward: the same request, back, the inbox, folders, the menu.

Nothing here may ask a mail server, or lead only to the page that has just failed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from flask import Response, request
from werkzeug.exceptions import HTTPException

from gateway.errors import CannotDo, GatewayError, StoreError, StoreRefused, StoreUnreachable, UnsafeArgument
from gateway.markup.keys import BACK_KEY, KEYS
from gateway.markup.screen import Action, Life, Screen
from gateway.web.entry.sign_in import error_sentence
from gateway.web.mailbox.mailbox_list import back_action
from gateway.web.request import form_bodies
from gateway.web.request.fitted_list import first_fitting
from gateway.web.request.respond import respond, retry_later
from gateway.web.request.screens import FAILED, error_code, inbox_action, notice_screen
from gateway.web.request.visit import MENU, Visit, link, list_link, reload_link

log = logging.getLogger(__name__)

_INBOX, _FOLDERS = "mailbox.inbox", "folders.show"


def error_screen(
    visit: Visit, error: Exception, sentence: str, status: int, others: tuple[Action, ...]
) -> Screen:
    """Make the page; `others` are the only links for a person who is not signed in."""
    ways = _ways(visit) if visit.session is not None else others
    title, code = visit.language.gettext("Sorry"), error_code(visit)
    screen = notice_screen(visit, title, sentence, ways, life=Life.NEVER, status=status, code=code)
    again = _again(visit) if _may_pass(error) else None
    offered = [replace(screen, actions=(again, *ways))] if again is not None else []
    return first_fitting((*offered, screen), visit.fits)


def shown_after(visit: Visit, sentence: str, show: Callable[[], Response]) -> Response:
    """Show the page that follows an operation; if the mail server fails there, still say what was done."""
    try:
        return show()
    except (StoreUnreachable, StoreRefused) as error:
        log.warning("after an operation: %s: %s", type(error).__name__, error.detail)
        said = f"{sentence} {error_sentence(error, visit)}"
        return retry_later(respond(error_screen(visit, error, said, error.status, ())), error.retry_after)


def _may_pass(error: Exception) -> bool:
    """Return whether the same request may succeed later."""
    if not isinstance(error, GatewayError) or isinstance(error, (CannotDo, UnsafeArgument)):
        return False
    return error.status >= FAILED or isinstance(error, StoreError)


def _again(visit: Visit) -> Action | None:
    """Return the action that repeats the request; a form that was not processed carries everything typed."""
    again = Action(visit.language.gettext("Try again"), reload_link(), KEYS["Try again"])
    if request.method != "POST":
        return again
    fields = form_bodies.Fields()
    with suppress(GatewayError, HTTPException):
        fields = visit.form()
    again = replace(again, fields=fields.repost_fields())
    return again if again.fields else None


def _ways(visit: Visit) -> tuple[Action, ...]:
    """Return the links to other pages; the first is on the softkey."""
    _ = visit.language.gettext
    ways = [_way_back(visit)]
    if request.endpoint != _INBOX:
        ways.append(inbox_action(visit, "" if ways[0] else BACK_KEY))
    if request.endpoint != _FOLDERS and visit.signed_in.last_seen_can.folders:
        ways.append(Action(_("Folders"), list_link(_FOLDERS)))
    if request.endpoint != MENU:
        ways.append(Action(_("Menu"), link(MENU)))
    first, *more = (way for way in ways if way is not None)
    return replace(first, soft="accept"), *more


def _way_back(visit: Visit) -> Action | None:
    """Return the action to the page that probably led here: the message, or else its list."""
    values = request.view_args or {}
    number, uid = values.get("number"), values.get("uid")
    if not isinstance(number, int) or request.blueprint == "mailbox":
        return None
    known = visit.signed_in.mailboxes.find(number)
    if known is None:
        return None
    label = visit.language.gettext("Back")
    if uid and request.blueprint != "message":
        return Action(label, link("message.first", number=number, uid=uid), KEYS["Back"])
    return replace(back_action(visit, number, known[0]), label=label)
