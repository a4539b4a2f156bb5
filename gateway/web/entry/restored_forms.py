"""Forms that were posted after their session had ended, or could not be saved anywhere: kept for a day, and restored.

Nothing here may send or change anything by itself: a restored form appears on the page where it was filled in.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from flask import Blueprint, Response, request

from gateway.access.session import Session
from gateway.addresses import relative
from gateway.device import XHTML
from gateway.errors import BadRequest
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, shorten
from gateway.message.headers.header_fields import clean
from gateway.sealed import send_journal
from gateway.sealed.saved_forms import SavedForm, code_of
from gateway.state import BUSY_SECONDS, optional
from gateway.web.request.form_bodies import AFTER, KEPT, PAGE_FIELDS, Fields
from gateway.web.request.respond import respond
from gateway.web.request.screens import inbox_action, notice_screen
from gateway.web.request.visit import Visit, current, token_of

restored_forms = Blueprint("restored_forms", __name__)

#: The query and form field that names a restored form.
FIELD: Final = KEPT
#: The field with the ticket that a form was sent with.
SENT: Final = "sent"
#: The field with the name of the sending that may have sent it.
DOUBT: Final = "doubt"
#: Fields that the person types; a form without any of them is not worth saving.
_TYPED: Final = ("text", "to", "cc", "bcc", "subject")
#: The most mails of a session that copies can be made of: half of what is kept (`posted_forms.MOST`).
MOST_SENT: Final = 4
#: Characters by which people recognise their text.
_PREVIEW: Final = 60


#: The field of the sign-in page that holds a typed form which is saved nowhere.
CARRIED: Final = "carried"


def save(visit: Visit) -> tuple[bool, str]:
    """Save the posted form if it was typed; return whether it is saved, and what the sign-in page carries of it.

    It is saved under the token of a session that has ended. If it came without a token, the page carries it, where
    pages have room for it.
    """
    form = Fields()
    with suppress(BadRequest):
        form = visit.form()
    fields = {name: value for name, value in form.items() if name not in PAGE_FIELDS and name != "password"}
    if not any(fields.get(name, "").strip() for name in _TYPED):
        return False, ""
    post, token = visit.ticketed_post(form), token_of(visit.config, request)
    # An earlier request may have begun to send it.
    fields[AFTER] = f"{fields.get(AFTER, '')} {send_journal.name(post.key, post.mark)}".strip()
    with optional("a text that came too late", BUSY_SECONDS):
        # A repeat: the outcome of that mail is shown after sign-in, and the text is not sent again.
        if visit.sessions.was_begun(token, post):
            return False, ""
        if visit.sessions.saved_forms.keep(token, request.path, fields):
            return True, ""
    carried = ""
    if visit.device.markup == XHTML and request.endpoint is not None:
        carried = visit.sessions.saved_forms.carried(post, request.path, fields)
    return bool(carried), carried


def take_over(session: Session, token: str, carried: str) -> None:
    """Move into a new session what is saved under an earlier one's token, and what the sign-in page has carried."""
    with optional("texts of an earlier session", BUSY_SECONDS):
        session.saved_forms.adopt(token, session.token, session.account)
        arrived = session.saved_forms.arrived(carried)
        if arrived is not None and not session.journal.ask(arrived[0]):
            session.saved_forms.put(session.token, session.account, *arrived[1:])


def keep(visit: Visit, path: str, fields: Mapping[str, str]) -> str:
    """Keep for a day what was typed and no mailbox keeps; return its name, "" if it is not kept."""
    typed = {name: value for name, value in fields.items() if name not in PAGE_FIELDS}
    session, name = visit.signed_in, None
    with optional("a text that is not sent", BUSY_SECONDS):
        name = session.saved_forms.put(session.token, session.account, path, typed)
    return code_of(name) if name is not None else ""


def keep_sent(visit: Visit, path: str, fields: Mapping[str, str], ticket: str) -> str:
    """Keep what a copy is made of, as `keep` does; `ticket`: what it was sent with. It displaces no unsent text."""
    with optional("what was sent before", BUSY_SECONDS):
        for older in _all_sent(visit.signed_in)[MOST_SENT - 1 :]:
            visit.signed_in.saved_forms.forget(visit.signed_in.token, older.name)
    return keep(visit, path, {**fields, SENT: ticket})


def find_sent(visit: Visit, name: str) -> SavedForm | None:
    """Find a sent mail, to make a copy of it."""
    return next((text for text in _all_sent(visit.signed_in) if text.code == name), None)


def _all_sent(session: Session) -> tuple[SavedForm, ...]:
    kept = session.saved_forms.all(session.token, session.account)
    return tuple(text for text in kept if SENT in text.fields)


@restored_forms.get("/kept")
def show() -> Response:
    """Show the saved forms, each with a link to the page where it was filled in."""
    visit = current()
    _ = visit.language.gettext
    kept, doubtful = _by_certainty(visit.signed_in)
    mixed = 0 < len(doubtful) < len(kept)
    actions = [
        Action(
            _label(visit, text, perhaps_sent=mixed and text in doubtful),
            relative(f"{request.script_root}{text.path}?{FIELD}={text.code}", request_path()),
            str(number),
            "" if number > 1 else "accept",
            _("Continue"),
        )
        for number, text in enumerate(kept, 1)
    ]
    actions.append(inbox_action(visit))
    sentence = _("This was not sent. Continue with it?") if kept else _("There are no unsent texts.")
    if kept and not mixed and doubtful:
        sentence = _("It is not certain whether this was sent. Continue with it?")
    return respond(notice_screen(visit, _("Your text"), sentence, actions, life=Life.NEVER))


def request_path() -> str:
    """Return the absolute path of this request."""
    return request.script_root + request.path


def all_saved(session: Session) -> tuple[SavedForm, ...]:
    """Return what was typed and is kept nowhere else: newest first, with texts that may have been sent at the end.

    A text that has been sent since is left out, even if it could not be deleted then.
    """
    return _by_certainty(session)[0]


def _by_certainty(session: Session) -> tuple[tuple[SavedForm, ...], tuple[SavedForm, ...]]:
    """Return `all_saved`, and those of its texts that may have been sent."""
    texts = session.saved_forms.all(session.token, session.account)
    kept = [text for text in texts if SENT not in text.fields]
    sent, doubtful = session.journal.of_texts() if kept else (frozenset[str](), frozenset[str]())
    kept = [text for text in kept if sent.isdisjoint((text.digest, text.fields.get(DOUBT, "")))]
    unsure = [text for text in kept if not (sent | doubtful).isdisjoint(_sendings(text))]
    return (*(text for text in kept if text not in unsure), *unsure), tuple(unsure)


def _sendings(text: SavedForm) -> tuple[str, ...]:
    """Return the names of the sendings that have begun with a text."""
    return text.digest, text.fields.get(DOUBT, ""), *text.fields.get(AFTER, "").split()


def requested(visit: Visit) -> SavedForm | None:
    """Return the form that this page was opened with, or that its own form names; None if there is none."""
    name = request.args.get(FIELD, "")
    return find(visit, name) if name else None


def find(visit: Visit, name: str) -> SavedForm | None:
    """Find a saved form by the name that pages use for it."""
    return next((text for text in all_saved(visit.signed_in) if text.code == name), None)


def digest(visit: Visit, form: Mapping[str, str]) -> str:
    """Return the digest of the saved form that came with a form, "" if there is none."""
    text = find(visit, form[FIELD]) if form.get(FIELD) else None
    return text.digest if text is not None else ""


def forget(visit: Visit, form: Mapping[str, str]) -> None:
    """Delete the saved form that came with a form, now that its text is sent or saved."""
    text = find(visit, form[FIELD]) if form.get(FIELD) else None
    if text is not None:
        with optional("a text that came back stays"):
            visit.signed_in.saved_forms.forget(visit.signed_in.token, text.name)


def are_kept(visit: Visit, token: str) -> bool:
    """Return whether a token gives access to unsent texts after sign-in; False if that is not known."""
    kept: tuple[SavedForm, ...] = ()
    with optional("whether a text is kept"):
        kept = visit.sessions.saved_forms.all(token, None) if token else ()
    return any(SENT not in text.fields for text in kept)


def signed_out_sentence(visit: Visit) -> str:
    """Say that the session has ended but the texts are kept."""
    return visit.language.gettext("You have been signed out. Your text is kept: sign in to continue.")


def _label(visit: Visit, text: SavedForm, perhaps_sent: bool) -> str:
    _ = visit.language.gettext
    preview = shorten(fit(_preview(text), visit.device) or _("(no text)"), _PREVIEW)
    return _("Perhaps sent: %(text)s") % {"text": preview} if perhaps_sent else preview


def _preview(text: SavedForm) -> str:
    typed = (clean(text.fields.get(name, "")) for name in _TYPED)
    return next((words for words in typed if words), "")
