"""What can be done on a page on which a mail is written: send, add more, save, open fields, attach, leave.

Nothing here may lose what was typed. Whatever cannot be done, the page comes back with all of it, and who leaves by a
way of ours finds the mail in Drafts. Sending is the outbox's, once for each ticket; saving has a ticket of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from flask import Response

from gateway import filing, outbox
from gateway.errors import (
    BadRequest,
    GatewayError,
    MailboxGone,
    MessageGone,
    NobodyToSendTo,
    NotFound,
    StoreError,
)
from gateway.message import resumed
from gateway.message.headers import clean
from gateway.store.base import ANSWERED, MailStore
from gateway.web import assembly, compose_page, desk, enclosing, late, letter, origin, sending
from gateway.web.compose_page import ATTACH, FIELDS, LEAVE, MORE, SAVE, SEND, TEXT
from gateway.web.desk import Desk, Target
from gateway.web.letter import Content, Doubt, Letter
from gateway.web.mailbox import INBOX, show
from gateway.web.origin import Origin
from gateway.web.signin import sentence_of
from gateway.web.visit import Visit

log = logging.getLogger(__name__)


def opened(visit: Visit, target: Target) -> Response:
    """Show a page as it is at first, or with the text that came back to it after signing in."""
    came_back = late.asked(visit)
    with visit.signed_in.store() as store:
        mail = Desk(target, target.load(visit, store))
    if came_back is None:
        return desk.page(visit, mail.begun())
    mail = replace(mail, typed=letter.read(came_back.fields), kept=came_back.name.hex())
    return desk.page(visit, mail, names=tuple(came_back.fields))


def posted(visit: Visit, target: Target) -> Response:
    """Do what the pressed button says."""
    form = visit.form()
    does = action(form)
    session = visit.signed_in
    mail, missing = _desk(visit, target, form)
    ticket = form.get("ticket", "") if does == SEND else _keep(form)
    if session.check_ticket(ticket) is None:
        return desk.page(visit, mail, visit.language.gettext(BadRequest.sentence), form)
    if does == SEND:
        return _send(visit, mail, form, missing)
    try:
        # Of a text that came in pieces only this one is left, which must be said.
        if missing is not None and (letter.read(form).begun or not _is_gone(missing)):
            raise missing
        return _DEEDS[does](visit, mail, form)
    except GatewayError as error:
        log.info("not saved: %s: %s", type(error).__name__, error.detail)
        sentence = visit.language.gettext("Not saved.") + " " + sentence_of(error, visit)
        return desk.page(visit, mail, sentence, form)


def _keep(form: Mapping[str, str]) -> str:
    return form.get("keep") or form.get("ticket", "")


def action(form: Mapping[str, str]) -> str:
    """Name the button that was pressed: Send where a form does not say, and Save where it says what we do not have."""
    pressed = next((name[3:] for name in form if name.startswith("do.")), form.get("do", SEND))
    return pressed if pressed in _DEEDS or pressed == SEND else SAVE


def _desk(visit: Visit, target: Target, form: Mapping[str, str]) -> tuple[Desk, GatewayError | None]:
    """Find what a page began with; where that cannot be had, what was typed stands alone, as a new mail."""
    typed, kept = letter.read(form), form.get(late.FIELD, "")
    try:
        with visit.signed_in.store() as store:
            return Desk(target, target.load(visit, store), typed, kept), None
    except (StoreError, NotFound) as error:
        alone = origin.new(visit)
        if _is_gone(error):
            target = Target("write.new", {}, lambda visit, store: origin.new(visit))
            return Desk(target, alone, replace(typed, begun=0), kept), error
        shown = tuple(name for name in compose_page.ORDER if name in form)
        return Desk(target, replace(alone, fields=shown), typed, kept, lost=True), error


def _is_gone(error: GatewayError) -> bool:
    return isinstance(error, (MailboxGone, MessageGone))


def _send(visit: Visit, mail: Desk, form: Mapping[str, str], missing: GatewayError | None) -> Response:
    content = mail.content(visit)
    if missing is None:
        sentence, doubts = _wrong(visit, mail, content)
        if sentence:
            return desk.page(visit, mail, sentence, form, doubts)

    made: list[outbox.Mail] = []

    def make(store: MailStore) -> outbox.Mail:
        if missing is not None:  # unless the same was sent before, and only the answer was lost
            raise missing
        made.append(assembly.finished(visit, store, mail.origin, content))
        return made[0]

    outcome = outbox.send(visit.signed_in, form.get("ticket", ""), make, visit.now)
    if outcome.kind == outbox.NOT_SENT:
        return _not_sent(visit, mail, outcome, form)
    late.forget(visit, form)
    if outcome.kind == outbox.SENT and made:  # a repeat of the request writes to nobody again
        sending.met(visit, content.everybody)
    about = mail.origin.about
    return sending.told(visit, outcome, content.text, about.place if about is not None else None)


def _wrong(visit: Visit, mail: Desk, content: Content) -> tuple[str, tuple[Doubt, ...]]:
    """Say what keeps a mail from being sent; "" for nothing."""
    _ = visit.language.gettext
    doubts = letter.doubts(content, sending.completer(visit))
    if doubts:
        first = next((one for one in doubts if not one.choices), None)
        if first is not None:
            return _("This is no mail address: %(what)s") % {"what": clean(first.piece)}, doubts
        return _("Choose who is meant, then send."), doubts
    if not content.everybody:
        return _(NobodyToSendTo.sentence), ()
    if not content.text.strip() and _needs_text(mail.origin, content):
        return _("There is no text yet."), ()
    return "", ()


def _needs_text(begun: Origin, content: Content) -> bool:
    """Say whether a mail says nothing without a text: a subject or a file says something, in an answer less."""
    answers = begun.about is not None and begun.about.flag == ANSWERED
    return begun.whole is None and not begun.enclosures and (answers or not content.subject.strip())


def _not_sent(visit: Visit, mail: Desk, outcome: outbox.Outcome, form: Mapping[str, str]) -> Response:
    """Show the mail again, from Drafts where it is kept there."""
    if mail.origin.whole is not None:
        return desk.page(visit, mail, _taken_back(visit, outcome), form)
    if outcome.draft is not None:
        mail = desk.moved(visit, mail, outcome.draft)
    return desk.page(visit, mail, sending.spoken(visit, outcome), form)


def _taken_back(visit: Visit, outcome: outbox.Outcome) -> str:
    """Take the copy of what was to be redirected out of Drafts: it is in the mailbox anyway."""
    try:
        with visit.signed_in.store() as store:
            filing.remove(store, outcome.draft)
    except GatewayError as error:
        log.info("a copy stays in Drafts: %s", type(error).__name__)
        return sending.spoken(visit, outcome)
    return sending.spoken(visit, outcome, of_copy=outcome.draft is None)


def _more(visit: Visit, mail: Desk, form: Mapping[str, str]) -> Response:
    """Keep what there is, and show an empty field for more."""
    if desk.changed(visit, mail):
        mail = desk.once(visit, mail, form)
    if mail.origin.text.strip():
        mail = replace(mail, typed=Letter(begun=resumed.weight(mail.origin.text)))
    return desk.page(visit, mail, names=form)


def _save(visit: Visit, mail: Desk, form: Mapping[str, str]) -> Response:
    mail = desk.once(visit, mail, form)
    return desk.page(visit, mail, visit.language.gettext("Saved in Drafts."), form)


def _fields(visit: Visit, mail: Desk, form: Mapping[str, str]) -> Response:
    """Show the fields that are seldom needed."""
    if desk.changed(visit, mail) and not _fits(visit, mail):
        mail = desk.once(visit, mail, form)
    return desk.page(visit, mail, names=compose_page.HEADS)


def _fits(visit: Visit, mail: Desk) -> bool:
    """Say whether the page with all fields has one for all that was typed."""
    names = compose_page.opened(visit, mail.origin, compose_page.HEADS)
    return "text" in names or mail.content(visit).text == mail.origin.text


def _text(visit: Visit, mail: Desk, form: Mapping[str, str]) -> Response:
    """Go back from the other fields to the text."""
    if desk.changed(visit, mail):
        mail = desk.once(visit, mail, form)
    return desk.page(visit, mail)


def _leave(visit: Visit, mail: Desk, form: Mapping[str, str]) -> Response:
    """Go to the inbox; what was begun is in Drafts."""
    if mail.origin.whole is not None or not desk.changed(visit, mail):
        return show(INBOX, None)
    desk.once(visit, mail, form)
    return show(INBOX, None, visit.language.gettext("Saved in Drafts."))


def _attach(visit: Visit, mail: Desk, form: Mapping[str, str]) -> Response:
    if mail.origin.draft is None or desk.changed(visit, mail):
        mail = desk.once(visit, mail, form)
    if mail.origin.draft is None:
        return desk.page(visit, mail, visit.language.gettext("Not saved."), form)
    return enclosing.page(visit, mail)


_DEEDS: Final[dict[str, Callable[[Visit, Desk, Mapping[str, str]], Response]]] = {
    MORE: _more,
    SAVE: _save,
    FIELDS: _fields,
    TEXT: _text,
    LEAVE: _leave,
    ATTACH: _attach,
}
