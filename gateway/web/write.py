"""Writing a mail that is no answer: an empty one, or one that a mail address in a message suggests.

Nothing here may send what the person has not seen, or lose what they typed: what a link suggests (RFC 6068) stands
in the fields, and what does not fit is said to be left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flask import Blueprint, Response, request

from gateway.message import mailto
from gateway.message.mailto import Mailto
from gateway.store.base import MailStore
from gateway.web import compose_page, desk, late, origin, writing
from gateway.web.desk import Desk, Target
from gateway.web.respond import respond
from gateway.web.visit import Visit, current

write = Blueprint("write", __name__)

#: How much of a suggestion is taken, tried from the first on: recipients, characters of subject and text.
_SHARES: Final = (
    (mailto.RECIPIENTS, mailto.SUBJECT, mailto.TEXT),
    (10, 100, 1000),
    (5, 60, 400),
    (2, 60, 200),
    (1, 40, 0),
)


@write.get("/c")
def new() -> Response:
    """Show an empty mail."""
    return writing.opened(current(), _empty())


@write.post("/c")
def send_new() -> Response:
    """Send it, or keep it."""
    return writing.posted(current(), _empty())


@write.get("/c<key:key>")
def suggested(key: str) -> Response:
    """Show the writing page with what a mailto: link suggests, or with the text that came back to it."""
    visit = current()
    target = _following(key)
    if request.args.get(late.FIELD):
        return writing.opened(visit, target)
    for suggestion, sentence in _shortened(visit, _suggestion(visit, key)):
        mail = Desk(target, origin.suggested(visit, suggestion)).begun()
        screen, whole = compose_page.shown(visit, desk.paper(visit, mail, sentence))
        if whole:
            break
    return respond(screen)


@write.post("/c<key:key>")
def send(key: str) -> Response:
    """Send the mail, or keep it."""
    return writing.posted(current(), _following(key))


def _empty() -> Target:
    return Target("write.new", {}, lambda visit, store: origin.new(visit))


def _following(key: str) -> Target:
    def load(visit: Visit, store: MailStore) -> origin.Origin:
        return origin.suggested(visit, Mailto())

    return Target("write.suggested", {"key": key}, load)


def _suggestion(visit: Visit, key: str) -> Mailto:
    found = visit.sessions.link(key)
    return mailto.parse(found.url) if found is not None else Mailto()


def _shortened(visit: Visit, suggestion: Mailto) -> Iterator[tuple[Mailto, str]]:
    """Yield as much as possible of a suggestion, then less and less, with a sentence about what is left out."""
    _ = visit.language.gettext
    for recipients, subject, text in _SHARES:
        cut = Mailto(suggestion.to[:recipients], suggestion.subject[:subject], suggestion.text[:text])
        yield cut, "" if cut == suggestion else _("Not all that the link suggests has room here.")
