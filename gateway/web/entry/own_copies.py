"""A copy to oneself of a sent mail that is in no mailbox, offered on the page that says so.

Nothing here may send a copy twice for one ticket, or to anyone but its writer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from gateway.composing import assembly
from gateway.composing.author import Author
from gateway.errors import NotFound
from gateway.markup.screen import Action
from gateway.sending import outbox
from gateway.sending.outbox import Mail, Outcome
from gateway.store.base import MailStore
from gateway.web.entry import restored_forms
from gateway.web.request.form_bodies import KEPT, Fields
from gateway.web.request.mail_author import author
from gateway.web.request.visit import Visit

#: The button.
COPY: Final = "copy"
#: The field with the time of the sending, in seconds since the epoch: the copy has the same date.
_AT: Final = "at"

#: Makes the mail again: for its author, from the fields that `offer` kept and the ticket that it was sent with.
Make = Callable[[Author, MailStore, Mapping[str, str], str], Mail]


def is_missing(outcome: Outcome) -> bool:
    """Return whether a mail was sent, or may have been, and nobody and no mailbox keeps it for its writer."""
    gone = outcome.kind in (outbox.SENT, outbox.UNCERTAIN)
    return gone and outcome.filed is False and outcome.kept is False and not outcome.to_self


def offer(
    visit: Visit, outcome: Outcome, target: str, fields: Mapping[str, str], ticket: str, key: str = "2"
) -> tuple[Action, ...]:
    """Offer to send oneself a copy of what was sent with a ticket, if there is none.

    `target`: the address at which `send` is called; `fields`: what the mail is made of, kept for a day.
    """
    if not is_missing(outcome):
        return ()
    path = "/" + target.partition("?")[0].rpartition("/")[2]
    name = restored_forms.keep_sent(visit, path, {**fields, _AT: str(outcome.at)}, ticket)
    if not name:
        return ()
    posted = (visit.ticket_field(), ("do", COPY), (KEPT, name))
    return (Action(visit.language.gettext("Send me a copy"), target, key, fields=posted),)


def is_wanted(form: Fields) -> bool:
    """Return whether a form asks for a copy."""
    return form.pressed_button() == COPY


def send(visit: Visit, form: Fields, make: Make) -> Outcome:
    """Send oneself a copy of what was sent, once per ticket."""
    sent = restored_forms.find_sent(visit, form.get(KEPT, ""))

    def copy(store: MailStore) -> Mail:
        if sent is None:
            raise NotFound("what was sent")
        when = datetime.fromtimestamp(float(sent.fields[_AT]), UTC)
        writer = replace(author(visit), now=when)
        return assembly.copy_only(writer, make(writer, store, sent.fields, sent.fields[restored_forms.SENT]))

    return outbox.send(visit.signed_in, visit.ticketed_post(form), copy, visit.now)
