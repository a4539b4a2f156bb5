"""Replacements for Sent and Drafts where a mailbox keeps neither: a copy to oneself, and a text kept for a day.

Nothing here may say that a text is kept if it is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from flask import Blueprint, Response, request

from gateway.account import profile as profiles
from gateway.composing import assembly, typed_mail
from gateway.composing.author import Author
from gateway.composing.typed_mail import TypedMail
from gateway.markup.screen import Action
from gateway.sending import outbox
from gateway.sending.outbox import Outcome
from gateway.state import optional
from gateway.store.base import MailStore
from gateway.web.compose import compose_form, send_screens
from gateway.web.compose.draft import RESUME, ComposePage, Composition
from gateway.web.entry import own_copies, restored_forms
from gateway.web.mailbox.mailbox_list import INBOX, show
from gateway.web.request.field_forms import apply_once
from gateway.web.request.form_bodies import AFTER, KEPT, Fields
from gateway.web.request.visit import Visit, current, link

unsent = Blueprint("unsent_texts", __name__)


def _(msgid: str) -> str:
    return msgid


_DELETED: Final = _("Deleted.")


def remember_choice(visit: Visit, mail: Composition) -> None:
    """Remember the answer to the question of `compose_form.asks_for_copy`."""
    choice = mail.typed.copy_to_self
    if choice in ("yes", "no") and compose_form.asks_for_copy(visit, mail.basis):
        with optional("whether copies are wanted"):
            profiles.choose(visit.signed_in, copy_to_self=choice)


def offer_copy(visit: Visit, mail: Composition, outcome: Outcome) -> tuple[Action, ...]:
    """Offer to send oneself a copy of what was sent, if there is none."""
    target = link(mail.target.endpoint, **mail.target.values)
    return own_copies.offer(visit, outcome, target, _typed(mail.typed), mail.page)


def send_copy(visit: Visit, target: ComposePage, form: Fields) -> Response:
    """Send oneself a copy of what was sent, once per ticket."""

    def make(author: Author, store: MailStore, fields: Mapping[str, str], page: str) -> outbox.Mail:
        mail = Composition(target, target.load(visit, store), typed_mail.read(fields), page=page)
        return assembly.for_sending(author, store, mail.basis, mail.content(visit), page)

    return send_screens.outcome_response(visit, own_copies.send(visit, form, make), "", None)


def keep_text(visit: Visit, mail: Composition) -> Composition:
    """Keep for a day a text that no mailbox keeps; its page deletes it once it is sent."""
    if mail.basis.redirected is not None:
        return mail
    restored_forms.forget(visit, {KEPT: mail.restored_form})
    return replace(mail, restored_form=_keep(visit, mail))


def _keep(visit: Visit, mail: Composition, doubt: str = "") -> str:
    fields = {AFTER: " ".join(mail.basis.after), restored_forms.DOUBT: doubt}
    fields = {name: value for name, value in fields.items() if value}
    return restored_forms.keep(visit, _path(mail), _typed(mail.typed) | fields)


def continued(mail: Composition, outcome: Outcome) -> Composition:
    """Return an unsent mail as its next page has it: it continues this sending, if that had begun."""
    if not outcome.begun:
        return replace(mail, ticket=mail.page)
    if (
        outcome.noted and outcome.draft is not None
    ):  # its page is that of the copy, which identifies the sending
        return mail
    return replace(mail, basis=replace(mail.basis, after=(*mail.basis.after, outcome.name)))


def keep_unsent(visit: Visit, mail: Composition, outcome: Outcome) -> Composition:
    """Keep the text of a mail that was not sent, see `keep_text`; its later outcome is shown in its place.

    If Drafts cannot be reached, perhaps no mailbox keeps the text; a mail that was resumed from there has its draft.
    """
    return keep_text(visit, mail) if not outcome.kept and mail.target.endpoint != RESUME else mail


def keep_doubtful(visit: Visit, mail: Composition, outcome: Outcome) -> bool:
    """Keep the text of a mail that may have been sent, for a day or until that is known; return whether it is kept.

    A copy in Drafts, or the draft that was resumed, keeps it too.
    """
    alone = not outcome.kept and mail.target.endpoint != RESUME and mail.basis.redirected is None
    if outcome.kind != outbox.UNCERTAIN or not alone or not outcome.name:
        return False
    return bool(_keep(visit, continued(mail, outcome), outcome.name))


def ask_to_discard(visit: Visit, mail: Composition) -> Response | None:
    """Ask whether to delete a text, which is kept for a day until then; None if it cannot be kept."""
    kept = keep_text(visit, mail)
    if not kept.restored_form:
        return None
    there = link(mail.target.endpoint, **mail.target.values, **{KEPT: kept.restored_form})
    target = link("unsent_texts.discard", **{KEPT: kept.restored_form})
    return send_screens.ask_to_discard(visit, there, target)


@unsent.post("/kept")
def discard() -> Response:
    """Delete a text that is kept for a day."""
    visit = current()

    def change() -> str:
        text = restored_forms.find(visit, request.args.get(KEPT, ""))
        if text is not None:
            visit.signed_in.saved_forms.forget(visit.signed_in.token, text.name)
        return _DELETED

    return show(INBOX, None, apply_once(visit, visit.form(), change, good=(_DELETED,)))


def _path(mail: Composition) -> str:
    return "/" + link(mail.target.endpoint, **mail.target.values).partition("?")[0].rpartition("/")[2]


def _typed(mail: TypedMail) -> dict[str, str]:
    """Return a mail as the fields of a form in which it was typed."""
    people = {field: text for field in typed_mail.PEOPLE if (text := mail.typed(field)) is not None}
    heads = {"subject": mail.subject, "from": mail.sender}
    return people | {name: text for name, text in heads.items() if text is not None} | {"text": mail.piece}
