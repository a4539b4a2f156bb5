"""Resuming drafts, starting a new mail from an old one, and attaching files to drafts.

Nothing here may send anything: `compose_actions` does.
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from gateway.web.compose import attach_files, compose_actions, draft
from gateway.web.request.visit import current

drafts = Blueprint("drafts", __name__)


@drafts.get("/c<int:number>.<int:uid>")
def resume(number: int, uid: int) -> Response:
    """Open a draft, or any other message as a new mail."""
    return compose_actions.show_page(current(), draft.resume_page(number, uid))


@drafts.post("/c<int:number>.<int:uid>")
def submit(number: int, uid: int) -> Response:
    """Send a draft, or save the changes."""
    return compose_actions.submit(current(), draft.resume_page(number, uid))


@drafts.get("/c<int:number>.<int:uid>.a")
def files(number: int, uid: int) -> Response:
    """Show the files attached to a draft."""
    return attach_files.show_page(current(), draft.resume_page(number, uid), request.args.get("i", 0, int))


@drafts.post("/c<int:number>.<int:uid>.a")
def submit_files(number: int, uid: int) -> Response:
    """Attach uploaded files, or remove one."""
    return attach_files.submit(current(), draft.resume_page(number, uid))
