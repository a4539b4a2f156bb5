"""The actions of a compose page: send, add more, save, show other fields, attach, leave.

Nothing here may lose what was typed: if an action fails, the page comes back with all of it, and a person who leaves
through a link of ours finds the mail in Drafts, or is told that it is not saved, where nothing can be. The outbox sends
once for each ticket; saving has its own ticket.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Final

from flask import Response

from gateway.account import people
from gateway.actions.table import DELETE
from gateway.composing import assembly, basis, typed_mail
from gateway.composing.basis import Basis
from gateway.composing.typed_mail import MailContent, TypedMail, UnresolvedRecipient
from gateway.errors import (
    BadRequest,
    GatewayError,
    MailboxGone,
    MessageGone,
    NobodyToSendTo,
    NotFound,
    StateError,
    StoreError,
)
from gateway.markup.screen import StatusMessage
from gateway.message.headers.header_fields import clean
from gateway.message.outgoing import resumed
from gateway.sending import filing, outbox
from gateway.store.base import ANSWERED, MailStore
from gateway.web.compose import attach_files, compose_form, draft, send_screens, unsent_texts
from gateway.web.compose.compose_form import ATTACH, DISCARD, FIELDS, LEAVE, MORE, SAVE, SEND, TEXT
from gateway.web.compose.draft import ComposePage, Composition
from gateway.web.entry import mail_outcomes, own_copies, restored_forms
from gateway.web.entry.sign_in import error_sentence
from gateway.web.message.more_actions import LETTER
from gateway.web.request.form_bodies import AFTER, KEEP, TICKET, Fields
from gateway.web.request.mail_author import author
from gateway.web.request.visit import Visit, link

log = logging.getLogger(__name__)


def show_page(visit: Visit, target: ComposePage) -> Response:
    """Show a compose page in its initial state, or with the form that was restored after signing in."""
    came_back = restored_forms.requested(visit)
    with visit.signed_in.store() as store:
        mail = Composition(target, target.load(visit, store))
    if came_back is None:
        return draft.page(visit, mail.initial(), _first_sentence(visit, mail.basis))
    mail = replace(
        mail,
        basis=_continuing(mail.basis, came_back.fields),
        typed=typed_mail.read(came_back.fields),
        restored_form=came_back.code,
    )
    return draft.page(visit, mail, names=tuple(came_back.fields))


def _first_sentence(visit: Visit, initial: Basis) -> str:
    """Say who is left out of a reply, or what is dropped when another program's draft is saved here."""
    _ = visit.language.gettext
    if compose_form.asks_for_copy(visit, initial):
        return _("This mailbox keeps no drafts and no sent mail.")
    if initial.left_out:
        return _("Left out: %(who)s") % {"who": ", ".join(initial.left_out)}
    lost = (*([_("formatting")] if initial.formatted else ()), *initial.lost)
    sentence = _("Saving or sending this draft from here drops: %(what)s")
    return sentence % {"what": ", ".join(lost)} if lost else ""


def submit(visit: Visit, target: ComposePage) -> Response:
    """Perform the action of the button that was pressed."""
    form = visit.form()
    action = requested_action(form)
    if action == own_copies.COPY:
        return unsent_texts.send_copy(visit, target, form)
    mail, missing = _load(visit, target, form)
    if action == SEND:
        return _send(visit, mail, form, missing)
    try:
        # Only this piece of a text that was typed in pieces is left, and the person must be told.
        if missing is not None and (typed_mail.read(form).saved_length or not _is_gone(missing)):
            raise missing
        return _ACTIONS[action](visit, mail, form)
    except GatewayError as error:
        log.info("not saved: %s: %s", type(error).__name__, error.detail)
        if draft.may_be_saved(error) and visit.signed_in.check_ticket(mail.page) is not None:
            mail = replace(mail, ticket=mail.page)  # what is sent from this page continues that copy
        return draft.page(visit, mail, draft.not_saved_sentence(visit, error), form)


def requested_action(form: Fields) -> str:
    """Return the button that was pressed: Send if the form names none, Save if it names an unknown one."""
    pressed = form.pressed_button() or SEND
    return pressed if pressed in _ACTIONS or pressed in (SEND, own_copies.COPY) else SAVE


def _load(visit: Visit, target: ComposePage, form: Fields) -> tuple[Composition, GatewayError | None]:
    """Load what the mail is based on; if that fails, what was typed becomes a new mail."""
    typed, kept, page = (
        typed_mail.read(form),
        form.get(restored_forms.FIELD, ""),
        form.get(TICKET) or form.get(KEEP, ""),
    )
    try:
        with visit.signed_in.store() as store:
            return Composition(
                target, _continuing(target.load(visit, store), form), typed, kept, page=page
            ), None
    except (StoreError, NotFound) as error:
        alone = _continuing(basis.new(author(visit)), form)
        if _is_gone(error):
            new = ComposePage("write.new", {}, lambda visit, store: basis.new(author(visit)))
            typed = replace(typed, saved_length=0)
            return Composition(new, alone, typed, kept, page=page, gone=target), error
        shown = tuple(name for name in compose_form.ORDER if name in form)
        return Composition(target, replace(alone, fields=shown), typed, kept, True, page), error


def _continuing(initial: Basis, form: Mapping[str, str]) -> Basis:
    """Return what a mail is based on, including the sendings that its page, or a draft, says it continues."""
    after = dict.fromkeys((*initial.after, *form.get(AFTER, "").split()))
    return replace(initial, after=tuple(after))


def _is_gone(error: GatewayError) -> bool:
    return isinstance(error, (MailboxGone, MessageGone))


def _send(visit: Visit, mail: Composition, form: Fields, missing: GatewayError | None) -> Response:
    content = mail.content(visit)
    if missing is None:
        sentence, unresolved = _problem(visit, mail, content)
        if sentence:
            return draft.page(visit, mail, sentence, form, unresolved)
        with suppress(StateError, StoreError):  # then an older draft stays
            mail = draft.continue_draft(visit, mail, visit.ticketed_post(form))

    made: list[outbox.Mail] = []

    def make(store: MailStore) -> outbox.Mail:
        if missing is not None:  # unless it has been sent already, and only the response was lost
            raise missing
        made.append(
            assembly.for_sending(
                author(visit), store, mail.basis, content, mail.page, mail.typed.copy_to_self
            )
        )
        return made[0]

    try:
        resumed = mail.target.endpoint == draft.RESUME
        restored = restored_forms.digest(visit, form)
        outcome = outbox.send(visit.signed_in, visit.ticketed_post(form), make, visit.now, resumed, restored)
    except BadRequest as error:
        return draft.page(visit, mail, error_sentence(error, visit), form)
    if outcome.kind == outbox.NOT_SENT:
        return _not_sent(visit, mail, outcome, form)
    if outcome.kind == outbox.ASKED:
        return draft.page(visit, mail, mail_outcomes.outcome_text(visit, outcome), form)
    kept = unsent_texts.keep_doubtful(visit, mail, outcome)
    # Otherwise the outcome of the text is still unknown, or it is kept nowhere else.
    if outcome.kind == outbox.SENT or outcome.kept or kept:
        restored_forms.forget(visit, form)
    if outcome.kind == outbox.SENT and made:  # a repeat of the request is not counted again
        people.record_people(visit.signed_in, content.recipients, wrote=True)
        unsent_texts.remember_choice(visit, mail)
    copying = unsent_texts.offer_copy(visit, mail, outcome)
    return send_screens.outcome_response(visit, outcome, content.text, mail, copying, kept)


def _problem(
    visit: Visit, mail: Composition, content: MailContent
) -> tuple[str, tuple[UnresolvedRecipient, ...]]:
    """Return what keeps a mail from being sent, "" for nothing."""
    _ = visit.language.gettext
    unresolved = typed_mail.unresolved_recipients(content, partial(people.complete, visit.signed_in))
    if unresolved:
        first = next((one for one in unresolved if not one.choices), None)
        if first is not None:
            return _("Not a valid mail address: %(text)s") % {"text": clean(first.piece)}, unresolved
        return _("Choose the right person, then send."), unresolved
    if not content.recipients:
        return _(NobodyToSendTo.sentence), ()
    if not content.text.strip() and _needs_text(mail.basis, content):
        return _("Type a text first."), ()
    return "", ()


def _needs_text(initial: Basis, content: MailContent) -> bool:
    """Return whether a mail without a text is empty: a file counts as content, and a subject does except in a reply."""
    answers = initial.original is not None and initial.original.flag == ANSWERED
    return initial.redirected is None and not initial.enclosures and (answers or not content.subject.strip())


def _not_sent(visit: Visit, mail: Composition, outcome: outbox.Outcome, form: Fields) -> Response:
    """Show the mail again, from Drafts if it was saved there."""
    noted, mail = mail.basis.after, unsent_texts.continued(mail, outcome)
    if mail.basis.redirected is not None:
        return draft.page(visit, mail, _discard_copy(visit, outcome), form)
    if outcome.draft is not None:
        if outcome.kept:  # two copies of one text would be continued separately
            restored_forms.forget(visit, form)
        mail = draft.based_on_draft(visit, mail, outcome.draft)
        mail = replace(
            mail, basis=replace(mail.basis, noted=noted)
        )  # the copy was made before this sending ended
    elif (
        there := draft.save_if_too_large(visit, mail, mail_outcomes.outcome_text(visit, outcome), form)
    ) is not mail:
        mail, outcome = there, outbox.record_draft(visit.signed_in, outcome, there.basis.draft)
    else:
        mail = unsent_texts.keep_unsent(visit, mail, outcome)
    return draft.page(visit, mail, mail_outcomes.outcome_text(visit, outcome), form)


def _discard_copy(visit: Visit, outcome: outbox.Outcome) -> str:
    """Remove the copy of a redirected message from Drafts: the original is in the mailbox anyway."""
    try:
        with visit.signed_in.store() as store:
            filing.remove(store, outcome.draft)
    except GatewayError as error:
        log.info("a copy stays in Drafts: %s", type(error).__name__)
        return mail_outcomes.outcome_text(visit, outcome)
    return mail_outcomes.outcome_text(visit, outcome, of_copy=outcome.draft is None)


def _more(visit: Visit, mail: Composition, form: Fields) -> Response:
    """Save the text so far, and show an empty field for more."""
    if draft.is_changed(visit, mail):
        mail = draft.save_once(visit, mail, form)
    if mail.basis.text.strip():
        mail = replace(mail, typed=TypedMail(saved_length=resumed.visible_length(mail.basis.text)))
    return draft.page(visit, mail, names=form)


def _save(visit: Visit, mail: Composition, form: Fields) -> Response:
    mail = draft.save_once(visit, mail, form)
    return draft.page(visit, mail, StatusMessage(visit.language.gettext("Saved in Drafts.")), form)


def _fields(visit: Visit, mail: Composition, form: Fields) -> Response:
    """Show the rarely needed fields."""
    if draft.is_changed(visit, mail) and not _fits(visit, mail):
        mail = draft.save_once(visit, mail, form)
    return draft.page(visit, mail, names=compose_form.HEADS)


def _fits(visit: Visit, mail: Composition) -> bool:
    """Return whether the page with all fields has room for everything typed."""
    names = compose_form.input_names(visit, mail.basis, compose_form.HEADS)
    return "text" in names or mail.content(visit).text == mail.basis.text


def _text(visit: Visit, mail: Composition, form: Fields) -> Response:
    """Return from the other fields to the text."""
    if draft.is_changed(visit, mail):
        mail = draft.save_once(visit, mail, form)
    return draft.page(visit, mail)


def _leave(visit: Visit, mail: Composition, form: Fields) -> Response:
    """Go back to where the mail was begun; unfinished mail is in Drafts."""
    if mail.basis.redirected is not None or not draft.is_changed(visit, mail):
        return send_screens.page_after(visit, mail, "")
    _ = visit.language.gettext
    if visit.signed_in.last_seen_can.append:
        mail = draft.save_once(visit, mail, form)
        return send_screens.page_after(visit, mail, StatusMessage(_("Saved in Drafts.")))
    if unsent_texts.keep_text(visit, mail).restored_form:
        sentence = StatusMessage(_("Your text is kept for a day, under Menu."))
        return send_screens.page_after(visit, mail, sentence)
    return send_screens.page_after(visit, mail, _("Not saved."))


def _discard(visit: Visit, mail: Composition, form: Fields) -> Response:
    """Ask whether to delete the mail, which is saved until then; the deletion can be undone."""
    _, changed = visit.language.gettext, draft.is_changed(visit, mail)
    if not visit.signed_in.last_seen_can.append:
        asked = unsent_texts.ask_to_discard(visit, mail) if changed else None
        return asked or send_screens.page_after(visit, mail, "")
    if changed:
        mail = draft.save_once(visit, mail, form)
    if mail.basis.draft is None:  # there is nothing to discard, or it is not known where it was saved
        return send_screens.page_after(visit, mail, StatusMessage(_("Saved in Drafts.")) if changed else "")
    where = mail.target.values
    target = link("message_actions.submit", **where, letter=LETTER[DELETE])
    return send_screens.ask_to_discard(visit, link(draft.RESUME, **where), target)


def _attach(visit: Visit, mail: Composition, form: Fields) -> Response:
    if mail.basis.draft is None or draft.is_changed(visit, mail):
        mail = draft.save_once(visit, mail, form)
    if mail.basis.draft is None:
        return draft.page(visit, mail, visit.language.gettext("Look in Drafts for a copy."), form)
    return attach_files.page(visit, mail)


_ACTIONS: Final[dict[str, Callable[[Visit, Composition, Fields], Response]]] = {
    MORE: _more,
    SAVE: _save,
    FIELDS: _fields,
    TEXT: _text,
    LEAVE: _leave,
    DISCARD: _discard,
    ATTACH: _attach,
}
