"""Writing a new mail, empty or suggested by a mail address in a message.

Nothing here may send what the person has not seen, or lose what they typed: what a link suggests (RFC 6068) is filled
in, and the page says if some of it does not fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flask import Blueprint, Response, request

from gateway.composing import basis
from gateway.message.headers import mailto
from gateway.message.headers.mailto import Mailto
from gateway.store.base import MailStore
from gateway.web.compose import compose_actions, compose_fitting, draft
from gateway.web.compose.draft import ComposePage, Composition
from gateway.web.entry import restored_forms
from gateway.web.request.mail_author import author
from gateway.web.request.respond import respond
from gateway.web.request.visit import Visit, current

write = Blueprint("write", __name__)

#: How much of a suggestion to use, tried in this order: recipients, characters of subject and of text.
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
    return compose_actions.show_page(current(), _empty_page())


@write.post("/c")
def send_new() -> Response:
    """Send the mail, or save it."""
    return compose_actions.submit(current(), _empty_page())


@write.get("/c<key:key>")
def suggested(key: str) -> Response:
    """Show the compose page with what a mailto: link suggests, or with a restored form."""
    visit = current()
    target = _suggested_page(key)
    if request.args.get(restored_forms.FIELD):
        return compose_actions.show_page(visit, target)
    for suggestion, sentence in _shortened(visit, _suggestion(visit, key)):
        mail = Composition(target, basis.suggested(author(visit), suggestion)).initial()
        screen, complete = compose_fitting.fitting_screen(visit, draft.make_form(visit, mail, sentence))
        if complete:
            break
    return respond(screen)


@write.post("/c<key:key>")
def send(key: str) -> Response:
    """Send the mail, or save it."""
    return compose_actions.submit(current(), _suggested_page(key))


def _empty_page() -> ComposePage:
    return ComposePage("write.new", {}, lambda visit, store: basis.new(author(visit)))


def _suggested_page(key: str) -> ComposePage:
    def load(visit: Visit, store: MailStore) -> basis.Basis:
        return basis.suggested(author(visit), Mailto())

    return ComposePage("write.suggested", {"key": key}, load)


def _suggestion(visit: Visit, key: str) -> Mailto:
    found = visit.sessions.links.find(key)
    return mailto.parse(found.url) if found is not None else Mailto()


def _shortened(visit: Visit, suggestion: Mailto) -> Iterator[tuple[Mailto, str]]:
    """Yield the suggestion, then shorter and shorter versions, each with a sentence if something is left out."""
    _ = visit.language.gettext
    for recipients, subject, text in _SHARES:
        cut = Mailto(suggestion.to[:recipients], suggestion.subject[:subject], suggestion.text[:text])
        yield (
            cut,
            "" if cut == suggestion else _("There is not enough room for everything the link suggests."),
        )
