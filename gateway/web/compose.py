"""Answering and forwarding a message.

Nothing here may decide what becomes of what is typed: `writing` does, for every page on which a mail is written.
"""

from __future__ import annotations

from flask import Blueprint, Response

from gateway.store.base import MailStore
from gateway.web import origin, writing
from gateway.web.desk import Target
from gateway.web.message import Place
from gateway.web.origin import Origin
from gateway.web.visit import Visit, current

compose = Blueprint("compose", __name__)


@compose.get("/r<int:number>.<int:uid>")
@compose.get("/r<int:number>.<int:uid>.<any(a,l):variant>")
def reply(number: int, uid: int, variant: str = "") -> Response:
    """Show the page on which an answer is typed: to who wrote, to all (a), to the list (l)."""
    return writing.opened(current(), answer(number, uid, variant))


@compose.post("/r<int:number>.<int:uid>")
@compose.post("/r<int:number>.<int:uid>.<any(a,l):variant>")
def send(number: int, uid: int, variant: str = "") -> Response:
    """Send an answer, or keep it."""
    return writing.posted(current(), answer(number, uid, variant))


@compose.get("/f<int:number>.<int:uid>")
@compose.get("/f<int:number>.<int:uid>.<any(a,r):variant>")
def forward(number: int, uid: int, variant: str = "") -> Response:
    """Show the page on which a message is forwarded: as text, as an attachment (a), untouched (r)."""
    return writing.opened(current(), _forwarding(number, uid, variant))


@compose.post("/f<int:number>.<int:uid>")
@compose.post("/f<int:number>.<int:uid>.<any(a,r):variant>")
def pass_on(number: int, uid: int, variant: str = "") -> Response:
    """Forward a message, or keep what was typed."""
    return writing.posted(current(), _forwarding(number, uid, variant))


def answer(number: int, uid: int, variant: str = "") -> Target:
    """Name the page of an answer."""

    def load(visit: Visit, store: MailStore) -> Origin:
        return origin.reply(visit, store, Place(number, uid), variant)

    return Target("compose.reply", _values(number, uid, variant), load)


def _forwarding(number: int, uid: int, variant: str) -> Target:
    def load(visit: Visit, store: MailStore) -> Origin:
        return origin.forward(visit, store, Place(number, uid), variant)

    return Target("compose.forward", _values(number, uid, variant), load)


def _values(number: int, uid: int, variant: str) -> dict[str, object]:
    return {"number": number, "uid": uid} | ({"variant": variant} if variant else {})
