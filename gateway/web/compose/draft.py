"""A mail being written: what it is based on, what was typed, its page, and its copy in Drafts.

Nothing here may send, or lose what was typed: what does not fit on a page is saved first, a repeated request saves
once, and each page makes one draft, however often it is edited.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from flask import Response

from gateway.access import outcomes
from gateway.access.idempotency import UNKNOWN, OutcomeUnknown, PostOutcome, do_once
from gateway.composing import drafts, typed_mail
from gateway.composing.basis import Basis
from gateway.composing.typed_mail import MailContent, TypedMail, UnresolvedRecipient
from gateway.errors import GatewayError, MailboxGone, MessageGone, StateError, StoreUnreachable
from gateway.markup.screen import Life
from gateway.message.outgoing import builder
from gateway.sealed.vault import TicketedPost
from gateway.store.base import MailStore, MessageRef
from gateway.web.compose import compose_fitting, compose_form
from gateway.web.compose.compose_form import ComposeForm
from gateway.web.entry import restored_forms
from gateway.web.entry.sign_in import error_sentence
from gateway.web.request.form_bodies import KEEP, TICKET, Fields
from gateway.web.request.mail_author import author
from gateway.web.request.respond import respond
from gateway.web.request.visit import Visit

log = logging.getLogger(__name__)

#: Endpoint of the compose page of a message in Drafts.
RESUME: Final = "drafts.resume"
Load = Callable[[Visit, MailStore], Basis]


@dataclass(frozen=True, slots=True)
class ComposePage:
    """A compose page: its endpoint, and how to load what the mail is based on."""

    endpoint: str
    values: Mapping[str, object]
    load: Load


@dataclass(frozen=True, slots=True)
class Composition:
    """A mail being written: its page, what it is based on, what was typed.

    `restored_form`: its name. `lost`: what it is based on cannot be loaded at the moment. `page`: the ticket of the
    page that it was posted from, which identifies a copy in Drafts. `ticket`: the same if that ticket was not used: the
    next page carries it again, so that repeating either request does not send twice. `gone`: the compose page that it
    was posted to, if what that page is based on no longer exists.
    """

    target: ComposePage
    basis: Basis
    typed: TypedMail = field(default_factory=TypedMail)
    restored_form: str = ""
    lost: bool = False
    page: str = ""
    ticket: str = ""
    gone: ComposePage | None = None

    def content(self, visit: Visit) -> MailContent:
        """Return the mail as it would be sent now."""
        return typed_mail.mail_content(self.typed, self.basis, visit.profile.identities)

    def initial(self) -> Composition:
        """Return this composition as it was before anything was typed."""
        return replace(self, typed=TypedMail(piece=self.basis.text))


def resume_page(number: int, uid: int) -> ComposePage:
    """Return the compose page of a draft, following it to its newest version."""

    def load(visit: Visit, store: MailStore) -> Basis:
        return drafts.resume(author(visit), store, number, uid)

    return ComposePage(RESUME, {"number": number, "uid": uid}, load)


# --- pages ---


def page(
    visit: Visit,
    mail: Composition,
    sentence: str = "",
    names: Collection[str] = (),
    unresolved: tuple[UnresolvedRecipient, ...] = (),
) -> Response:
    """Show a mail in its current state; save it first if it does not fit on the page. `names`: inputs to show."""
    screen, complete = compose_fitting.fitting_screen(
        visit, make_form(visit, mail, sentence, names, unresolved)
    )
    saved = mail if complete else _save_what_has_no_room(visit, mail)
    if saved is not mail:
        screen, _complete = compose_fitting.fitting_screen(
            visit, make_form(visit, saved, sentence, names, unresolved)
        )
    return respond(screen, Life.PRIVATE)


def save_if_too_large(visit: Visit, mail: Composition, sentence: str, names: Collection[str]) -> Composition:
    """Save a mail that does not fit on its page and return it based on that draft; unchanged if saving fails."""
    _screen, complete = compose_fitting.fitting_screen(visit, make_form(visit, mail, sentence, names))
    return mail if complete else _save_what_has_no_room(visit, mail)


def _save_what_has_no_room(visit: Visit, mail: Composition) -> Composition:
    if mail.lost or mail.basis.redirected is not None:  # a redirected message has no draft
        return mail
    if not visit.signed_in.last_seen_can.append:
        return mail
    try:
        return save(visit, mail)
    except GatewayError as error:
        log.warning("what has no room could not be saved: %s: %s", type(error).__name__, error.detail)
        return mail


def make_form(
    visit: Visit,
    mail: Composition,
    sentence: str = "",
    names: Collection[str] = (),
    unresolved: tuple[UnresolvedRecipient, ...] = (),
) -> ComposeForm:
    """Return the form that shows a mail."""
    typed = {name: text for name in typed_mail.PEOPLE if (text := mail.typed.typed(name)) is not None}
    return ComposeForm(
        (mail.target.endpoint, mail.target.values),
        mail.basis,
        mail.content(visit),
        compose_form.input_names(visit, mail.basis, names),
        typed,
        mail.typed.piece,
        mail.typed.saved_length,
        unresolved,
        sentence,
        mail.restored_form,
        mail.ticket,
        mail.typed.copy_to_self,
    )


# --- saving ---


def save(
    visit: Visit,
    mail: Composition,
    added: Iterable[builder.Attached] = (),
    without: frozenset[str] = frozenset(),
) -> Composition:
    """Replace the mail's copy in Drafts and return the mail based on it. Raise GatewayError."""
    kept = drafts.save(author(visit), mail.basis, mail.content(visit), mail.page, added, without)
    return mail if kept is mail.basis else _with_basis(visit, mail, kept)


def based_on_draft(visit: Visit, mail: Composition, ref: MessageRef) -> Composition:
    """Return the mail based on the message in Drafts that holds all that was typed."""
    return _with_basis(
        visit, mail, drafts.based_on_draft(visit.signed_in, mail.basis, mail.content(visit), ref)
    )


def _with_basis(visit: Visit, mail: Composition, kept: Basis) -> Composition:
    assert kept.draft is not None
    page = resume_page(*visit.signed_in.mailboxes.code(kept.draft))
    return Composition(page, kept, TypedMail(piece=kept.text), ticket=mail.ticket)


def save_once(
    visit: Visit, mail: Composition, form: Fields, change: Callable[[], Composition] | None = None
) -> Composition:
    """Save, or change and save, once: a repeat finds what the first request saved. Raise GatewayError."""
    session = visit.signed_in
    post = visit.ticketed_post(form, KEEP if form.get(KEEP) else TICKET)
    made: list[Composition] = []

    def do() -> PostOutcome:
        made.append(change() if change is not None else save(visit, continue_draft(visit, mail, post)))
        saved = made[0].basis.draft
        return {outcomes.DRAFT: session.mailboxes.code(saved).encode() if saved is not None else ""}

    try:
        outcome = do_once(session, post, do)
    except StateError as error:  # a draft saved from this page is known by its Message-ID
        log.warning("saved without a claim: %s: %s", type(error).__name__, error.detail)
        outcome = do()
    if UNKNOWN in outcome:
        raise OutcomeUnknown(outcome[UNKNOWN])
    restored_forms.forget(visit, form)
    if made:
        return replace(made[0], restored_form="")
    saved = _load_saved(visit, drafts.draft_location(outcome)) or mail
    # A draft does not say whom it quotes; the message that it answers does.
    if saved.basis.quoted == "" and mail.basis.quoted:
        saved = replace(saved, basis=replace(saved.basis, quoted=mail.basis.quoted))
    return replace(saved, restored_form="")


def _load_saved(visit: Visit, address: tuple[int, int] | None) -> Composition | None:
    """Load a saved draft in its current state; None if its location is not known."""
    if address is None:
        return None
    target = resume_page(*address)
    with visit.signed_in.store() as store:
        return Composition(target, target.load(visit, store)).initial()


def continue_draft(visit: Visit, mail: Composition, post: TicketedPost) -> Composition:
    """Return the mail as typed, based on the draft that this page made earlier if that still exists."""
    if mail.basis.draft is not None or mail.basis.redirected is not None:
        return mail
    try:
        there = _load_saved(visit, drafts.last_saved(visit.signed_in, post))
    except (MailboxGone, MessageGone):  # sent or deleted
        return mail
    if there is None:
        return mail
    found = there.basis
    kept = replace(mail.basis, draft=found.draft, replaced=found.replaced, mark=found.mark)
    after = (*mail.basis.after, *found.after)
    kept = replace(kept, after=after, noted=found.noted, enclosures=found.enclosures)
    return replace(mail, target=there.target, basis=kept)


def not_saved_sentence(visit: Visit, error: GatewayError) -> str:
    """Return a sentence that says why a mail is not saved, or that this is not known."""
    _ = visit.language.gettext
    reason = error_sentence(error, visit)
    if isinstance(error, OutcomeUnknown):
        return reason
    unseen = may_be_saved(error) and visit.signed_in.last_seen_can.append
    return f"{reason} {_('Look in Drafts for a copy.')}" if unseen else f"{_('Not saved.')} {reason}"


def may_be_saved(error: GatewayError) -> bool:
    """Return whether a copy may be in Drafts despite the error: of this request, or of one whose response was lost."""
    return isinstance(error, (StoreUnreachable, StateError, OutcomeUnknown))


def is_changed(visit: Visit, mail: Composition) -> bool:
    """Return whether there is anything to save."""
    return typed_mail.is_changed(mail.content(visit), mail.initial().content(visit))
