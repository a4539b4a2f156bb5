"""Replying to a message and forwarding it.

Nothing here may process what was typed: `compose_actions` does that for all compose pages.
"""

from __future__ import annotations

from flask import Blueprint, Response

from gateway.composing import basis
from gateway.composing.basis import Basis
from gateway.store.base import MailStore
from gateway.web.compose import compose_actions
from gateway.web.compose.draft import ComposePage
from gateway.web.request.mail_author import author
from gateway.web.request.visit import Visit, current

compose = Blueprint("compose", __name__)


@compose.get("/r<int:number>.<int:uid>")
@compose.get("/r<int:number>.<int:uid>.<any(a,l):variant>")
def reply(number: int, uid: int, variant: str = "") -> Response:
    """Show the compose page of a reply: to the sender, to all (a), or to the list (l)."""
    return compose_actions.show_page(current(), reply_page(number, uid, variant))


@compose.post("/r<int:number>.<int:uid>")
@compose.post("/r<int:number>.<int:uid>.<any(a,l):variant>")
def send_reply(number: int, uid: int, variant: str = "") -> Response:
    """Send a reply, or save it."""
    return compose_actions.submit(current(), reply_page(number, uid, variant))


@compose.get("/f<int:number>.<int:uid>")
@compose.get("/f<int:number>.<int:uid>.<any(a,r):variant>")
def forward(number: int, uid: int, variant: str = "") -> Response:
    """Show the compose page of a forwarded message: as text, as an attachment (a), or redirected (r)."""
    return compose_actions.show_page(current(), _forward_page(number, uid, variant))


@compose.post("/f<int:number>.<int:uid>")
@compose.post("/f<int:number>.<int:uid>.<any(a,r):variant>")
def send_forward(number: int, uid: int, variant: str = "") -> Response:
    """Forward a message, or save what was typed."""
    return compose_actions.submit(current(), _forward_page(number, uid, variant))


def reply_page(number: int, uid: int, variant: str = "") -> ComposePage:
    """Return the compose page of a reply."""

    def load(visit: Visit, store: MailStore) -> Basis:
        return basis.reply(author(visit), store, number, uid, variant)

    return ComposePage("compose.reply", _values(number, uid, variant), load)


def _forward_page(number: int, uid: int, variant: str) -> ComposePage:
    def load(visit: Visit, store: MailStore) -> Basis:
        return basis.forward(author(visit), store, number, uid, variant)

    return ComposePage("compose.forward", _values(number, uid, variant), load)


def _values(number: int, uid: int, variant: str) -> dict[str, object]:
    return {"number": number, "uid": uid} | ({"variant": variant} if variant else {})
