"""One folder: its page, changes to it, and the pages that ask before something is deleted.

Nothing here may change a folder by GET, or delete more than the confirmed number of messages: if new ones have arrived
since, delete asks again, and empty leaves them alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from flask import Blueprint, Response, request

from gateway.access.idempotency import UNKNOWN, PostOutcome, do_once
from gateway.access.outcomes import COUNT, NUMBER, RESULT, SENTENCE, ResultCode
from gateway.errors import BadRequest, GatewayError, MailboxGone, NotFound, StoreError
from gateway.markup.screen import Life
from gateway.store.base import PERSONAL, Folder, MailStore
from gateway.web.entry.sign_in import error_sentence
from gateway.web.folders import folder_forms, folder_names
from gateway.web.folders.folder_forms import DELETE, EMPTY, NEW, RENAME, SUBSCRIBE, number_of
from gateway.web.folders.folder_list import show_list
from gateway.web.message import folder_choice
from gateway.web.message.message_screen import MessageAddress
from gateway.web.message.more_actions import FOR, choose_response
from gateway.web.request.respond import respond
from gateway.web.request.visit import Visit, current

folder = Blueprint("folder", __name__)


def _(msgid: str) -> str:
    return msgid


_SENTENCES: Final[Mapping[str, str]] = {
    ResultCode.CREATED: _("Created."),
    ResultCode.RENAMED: _("Renamed."),
    ResultCode.DELETED: _("Deleted."),
    ResultCode.SUBSCRIBED: _("Subscribed."),
    ResultCode.UNSUBSCRIBED: _("Unsubscribed."),
}


#: A message and an operation, as `more_actions` writes them.
_PURPOSE: Final = re.compile(r"(\d{1,9})\.(\d{1,10})\.([mc])", re.ASCII)


@folder.get("/z<int:number>")
def show(number: int) -> Response:
    """Show one folder."""
    return _page(number)


@folder.get("/zn")
def new() -> Response:
    """Ask for the name of a new top-level folder."""
    visit = current()
    return respond(folder_forms.name_screen(visit, None, NEW))


@folder.get("/z<int:number>.<any(n,r):what>")
def name(number: int, what: str) -> Response:
    """Ask for the name of a new subfolder, or a new name of this folder."""
    visit = current()
    with visit.signed_in.store() as store:
        found = _find(visit, store, number)
    return respond(folder_forms.name_screen(visit, found, what, found.path[-1] if what == RENAME else ""))


@folder.get("/z<int:number>.<any(d,e):what>")
def ask(number: int, what: str) -> Response:
    """Ask whether to delete a folder, or everything in it."""
    visit = current()
    with visit.signed_in.store() as store:
        found = _find(visit, store, number)
        certain = store.can.expunge
    return respond(folder_forms.question(visit, found, what, certain))


@folder.post("/zn", endpoint="make")
@folder.post("/z<int:number>.<any(n,r,d,e,s):what>")
def change(number: int = 0, what: str = NEW) -> Response:
    """Change a folder, once."""
    visit = current()
    form = visit.form()
    changes: dict[str, Callable[[MailStore, Folder | None], PostOutcome]] = {
        NEW: lambda store, found: _create(visit, store, found, form.get("name", "")),
        RENAME: lambda store, found: _rename(visit, store, _certain(found), form.get("name", "")),
        DELETE: lambda store, found: _delete(store, _certain(found), request.args.get("n", -1, int)),
        EMPTY: lambda store, found: _empty(
            visit, store, _certain(found), number, request.args.get("u", 0, int)
        ),
        SUBSCRIBE: lambda store, found: _subscribe(store, _certain(found), form.get("yes", "") == "1"),
    }
    try:
        outcome = do_once(
            visit.signed_in, visit.ticketed_post(form), lambda: _perform(visit, number, changes[what])
        )
    except BadRequest as error:
        outcome = _refused(error_sentence(error, visit))
    if outcome.get(RESULT) == ResultCode.CREATED and (purpose := _purpose()):
        return _offered(visit, int(outcome[NUMBER]), *purpose)
    return _outcome_response(visit, number, what, outcome, form.get("name", ""))


def _purpose() -> tuple[MessageAddress, str] | None:
    """Return the message for which a folder is made, and whether to move or copy it; None if there is no message."""
    found = _PURPOSE.fullmatch(request.args.get(FOR, ""))
    return (MessageAddress(int(found[1]), int(found[2])), found[3]) if found else None


def _offered(visit: Visit, number: int, message: MessageAddress, letter: str) -> Response:
    """Show the folders to move a message to, the new one first."""
    folder_choice.remember(visit, visit.mailbox(number)[0])
    return choose_response(
        visit, message, letter, sentence=visit.language.gettext(_SENTENCES[ResultCode.CREATED])
    )


# --- performing


def _perform(
    visit: Visit, number: int, change: Callable[[MailStore, Folder | None], PostOutcome]
) -> PostOutcome:
    """Perform a change and return its outcome, which includes refusals."""
    try:
        with visit.signed_in.store() as store:
            return change(store, _find(visit, store, number) if number else None)
    except folder_names.NameRefused as error:
        return _refused(error_sentence(error, visit) % {"sign": error.sign})
    except GatewayError as error:
        return _refused(error_sentence(error, visit))


def _refused(sentence: str) -> PostOutcome:
    return {RESULT: ResultCode.REFUSED, SENTENCE: sentence}


def _certain(found: Folder | None) -> Folder:
    if found is None:
        raise NotFound
    return found


def _create(visit: Visit, store: MailStore, parent: Folder | None, typed: str) -> PostOutcome:
    everything = store.folders(all=True, counted=slice(0))
    # QUIRK: GNU imap4d lists INBOX without a separator, since it can have no children.
    beside = [parent] if parent else [each for each in everything if each.namespace == PERSONAL]
    separator = next((each.mailbox.delimiter for each in beside if each.mailbox.delimiter), "")
    leaf = folder_names.validated(typed, separator)
    path = (*(parent.path if parent else ()), leaf)
    folder_names.must_be_free(everything, parent.namespace if parent else PERSONAL, path)
    whole = (
        store.create(parent.name + parent.mailbox.delimiter + leaf, whole=True)
        if parent
        else store.create(leaf)
    )
    return {RESULT: ResultCode.CREATED, NUMBER: str(number_of(visit, store.folder(whole)))}


def _rename(visit: Visit, store: MailStore, found: Folder, typed: str) -> PostOutcome:
    leaf = folder_names.validated(typed, found.mailbox.delimiter)
    above, delimiter, _name = found.name.rpartition(found.mailbox.delimiter or "\0")
    renamed = above + delimiter + leaf
    if renamed != found.name:
        everything = store.folders(all=True, counted=slice(0))
        folder_names.must_be_free(everything, found.namespace, (*found.path[:-1], leaf))
        store.rename(found.name, renamed)
    return {RESULT: ResultCode.RENAMED, NUMBER: str(number_of(visit, store.folder(renamed)))}


def _delete(store: MailStore, found: Folder, most: int) -> PostOutcome:
    if (found.total or 0) > most:
        return {RESULT: ResultCode.GROWN}
    store.remove(found.name)
    return {RESULT: ResultCode.DELETED}


def _empty(visit: Visit, store: MailStore, found: Folder, number: int, below: int) -> PostOutcome:
    done = store.empty(found.name, visit.mailbox(number)[1], below)
    how = ResultCode.EMPTIED if done.gone == done.marked else ResultCode.MARKED
    return {RESULT: how, NUMBER: str(number), COUNT: str(done.marked)}


def _subscribe(store: MailStore, found: Folder, yes: bool) -> PostOutcome:
    store.subscribe(found.name, yes)
    return {RESULT: ResultCode.SUBSCRIBED if yes else ResultCode.UNSUBSCRIBED}


def _find(visit: Visit, store: MailStore, number: int) -> Folder:
    return store.folder(visit.mailbox(number)[0])


# --- responding


def _outcome_response(visit: Visit, number: int, what: str, outcome: PostOutcome, typed: str) -> Response:
    """Show the outcome of a change on the page that comes next."""
    _ = visit.language.gettext
    result = outcome.get(RESULT, "")
    if result == ResultCode.GROWN:
        return ask(number, what)
    if result == ResultCode.REFUSED and what in (NEW, RENAME):
        found = _find_or_none(visit, number) if number else None
        screen = folder_forms.name_screen(visit, found, what, typed, outcome[SENTENCE], number)
        return respond(screen, Life.NEVER)
    if result in (ResultCode.EMPTIED, ResultCode.MARKED):
        count = int(outcome[COUNT])
        sentence = (
            visit.language.ngettext("%(count)s message deleted.", "%(count)s messages deleted.", count)
            if result == ResultCode.EMPTIED
            else visit.language.ngettext(
                "%(count)s message is marked as deleted.", "%(count)s messages are marked as deleted.", count
            )
        ) % {"count": visit.language.number(count)}
    else:
        sentence = outcome.get(SENTENCE) or _(outcome.get(UNKNOWN) or _SENTENCES[result])
    shown = int(outcome.get(NUMBER, number))
    return _page(shown, sentence) if shown and result != ResultCode.DELETED else show_list(sentence=sentence)


def _find_or_none(visit: Visit, number: int) -> Folder | None:
    """Find a folder for its form, which needs little of it; None if the server cannot be asked at the moment."""
    try:
        with visit.signed_in.store() as store:
            return _find(visit, store, number)
    except MailboxGone:
        raise
    except StoreError:
        return None


def _page(number: int, sentence: str = "") -> Response:
    """Show one folder, or the list if the folder no longer exists."""
    visit = current()
    try:
        with visit.signed_in.store() as store:
            found = _find(visit, store, number)
    except MailboxGone as error:
        return show_list(sentence=sentence or error_sentence(error, visit))
    return respond(folder_forms.folder_screen(visit, found, sentence))
