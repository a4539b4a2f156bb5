"""Going on with a draft, and making a new mail of an old one; files that go along with it.

Nothing here may send anything: a draft is opened, and `writing` does the rest.
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from gateway.web import desk, enclosing, writing
from gateway.web.visit import current

drafts = Blueprint("drafts", __name__)


@drafts.get("/c<int:number>.<int:uid>")
def resume(number: int, uid: int) -> Response:
    """Open a draft, or any other message as a new mail."""
    return writing.opened(current(), desk.resume(number, uid))


@drafts.post("/c<int:number>.<int:uid>")
def go_on(number: int, uid: int) -> Response:
    """Send a draft, or keep what is new in it."""
    return writing.posted(current(), desk.resume(number, uid))


@drafts.get("/c<int:number>.<int:uid>.a")
def attach(number: int, uid: int) -> Response:
    """Show the files that go along with a draft."""
    return enclosing.opened(current(), desk.resume(number, uid), request.args.get("i", 0, int))


@drafts.post("/c<int:number>.<int:uid>.a")
def attached(number: int, uid: int) -> Response:
    """Attach what is uploaded, or take something out again."""
    return enclosing.posted(current(), desk.resume(number, uid))
