"""One folder: what is in it and what can be done with it, and the pages that ask before something is deleted.

Nothing here may change a folder by GET, or delete more than the page that asked has counted: what has come in
since then is asked about anew (delete), or left alone (empty).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask import Blueprint, Response, request

from gateway.errors import BadRequest, GatewayError, MailboxGone, NotFound, StoreError
from gateway.markup.screen import Life
from gateway.store.base import PERSONAL, Folder, MailStore
from gateway.web import folder_names, folder_screens
from gateway.web.folder_screens import DELETE, EMPTY, NEW, RENAME, SUBSCRIBE, number_of
from gateway.web.folders import show_list
from gateway.web.respond import respond
from gateway.web.signin import sentence_of
from gateway.web.visit import Visit, current

folder = Blueprint("folder", __name__)

#: What a ticket has come to. Names are not kept with it, only numbers.
_CREATED, _RENAMED, _DELETED, _EMPTIED, _MARKED = "created", "renamed", "deleted", "emptied", "marked"
_SUBSCRIBED, _UNSUBSCRIBED, _REFUSED, _GROWN = "subscribed", "unsubscribed", "refused", "grown"
Outcome = dict[str, str]


def _(msgid: str) -> str:
    return msgid


_SAID: Final = {
    _CREATED: _("Created."),
    _RENAMED: _("Renamed."),
    _DELETED: _("Deleted."),
    _SUBSCRIBED: _("Subscribed."),
    _UNSUBSCRIBED: _("Not subscribed any more."),
    "": _("Under way. Look again in a moment."),
}


@folder.get("/z<int:number>")
def show(number: int) -> Response:
    """Show one folder."""
    return _page(number)


@folder.get("/zn")
def new() -> Response:
    """Ask for the name of a folder at the top."""
    visit = current()
    return respond(folder_screens.form(visit, None, NEW))


@folder.get("/z<int:number>.<any(n,r):what>")
def name(number: int, what: str) -> Response:
    """Ask for a folder's name, new or another."""
    visit = current()
    with visit.signed_in.store() as store:
        found = _find(visit, store, number)
    return respond(folder_screens.form(visit, found, what, found.path[-1] if what == RENAME else ""))


@folder.get("/z<int:number>.<any(d,e):what>")
def ask(number: int, what: str) -> Response:
    """Ask whether a folder, or all that is in it, is to be deleted."""
    visit = current()
    with visit.signed_in.store() as store:
        found = _find(visit, store, number)
        certain = bool({"UIDPLUS", "IMAP4REV2"} & store.capabilities)
    return respond(folder_screens.question(visit, found, what, certain))


@folder.post("/zn", endpoint="make")
@folder.post("/z<int:number>.<any(n,r,d,e,s):what>")
def change(number: int = 0, what: str = NEW) -> Response:
    """Change a folder, once."""
    visit = current()
    form = visit.form()
    acts: dict[str, Callable[[MailStore, Folder | None], Outcome]] = {
        NEW: lambda store, found: _create(visit, store, found, form.get("name", "")),
        RENAME: lambda store, found: _rename(visit, store, _certain(found), form.get("name", "")),
        DELETE: lambda store, found: _delete(store, _certain(found), request.args.get("n", -1, int)),
        EMPTY: lambda store, found: _empty(
            visit, store, _certain(found), number, request.args.get("u", 0, int)
        ),
        SUBSCRIBE: lambda store, found: _subscribe(store, _certain(found), form.get("yes", "") == "1"),
    }
    outcome = _once(visit, form.get("ticket", ""), number, acts[what])
    return _told(visit, number, what, outcome, form.get("name", ""))


# --- acting


def _once(
    visit: Visit, ticket: str, number: int, act: Callable[[MailStore, Folder | None], Outcome]
) -> Outcome:
    """Act for a ticket's first request; a repeat is told what that came to."""
    session = visit.signed_in
    if session.check_ticket(ticket) is None:
        return _refused(visit.language.gettext(BadRequest.sentence))
    claim = session.claim(ticket)
    if not claim.fresh:
        return claim.outcome or {"outcome": ""}
    try:
        with session.store() as store:
            outcome = act(store, _find(visit, store, number) if number else None)
    except folder_names.NameRefused as error:
        outcome = _refused(sentence_of(error, visit) % {"sign": error.sign})
    except GatewayError as error:
        outcome = _refused(sentence_of(error, visit))
    session.settle(ticket, outcome)
    return outcome


def _refused(sentence: str) -> Outcome:
    return {"outcome": _REFUSED, "sentence": sentence}


def _certain(found: Folder | None) -> Folder:
    if found is None:
        raise NotFound
    return found


def _create(visit: Visit, store: MailStore, parent: Folder | None, typed: str) -> Outcome:
    everything = store.folders(all=True, counted=slice(0))
    near = parent or next((each for each in everything if each.role == "inbox"), None)
    leaf = folder_names.checked(typed, near.mailbox.delimiter if near else "")
    path = (*(parent.path if parent else ()), leaf)
    folder_names.must_be_free(everything, parent.namespace if parent else PERSONAL, path)
    whole = store.create(parent.name + parent.mailbox.delimiter + leaf if parent else leaf)
    return {"outcome": _CREATED, "number": str(number_of(visit, store.folder(whole)))}


def _rename(visit: Visit, store: MailStore, found: Folder, typed: str) -> Outcome:
    leaf = folder_names.checked(typed, found.mailbox.delimiter)
    renamed = found.name.removesuffix(found.path[-1]) + leaf
    if renamed != found.name:
        everything = store.folders(all=True, counted=slice(0))
        folder_names.must_be_free(everything, found.namespace, (*found.path[:-1], leaf))
        store.rename(found.name, renamed)
    return {"outcome": _RENAMED, "number": str(number_of(visit, store.folder(renamed)))}


def _delete(store: MailStore, found: Folder, most: int) -> Outcome:
    if (found.total or 0) > most:
        return {"outcome": _GROWN}
    store.remove(found.name)
    return {"outcome": _DELETED}


def _empty(visit: Visit, store: MailStore, found: Folder, number: int, below: int) -> Outcome:
    done = store.empty(found.name, visit.mailbox(number)[1], below)
    how = _EMPTIED if done.gone == done.marked else _MARKED
    return {"outcome": how, "number": str(number), "count": str(done.marked)}


def _subscribe(store: MailStore, found: Folder, yes: bool) -> Outcome:
    store.subscribe(found.name, yes)
    return {"outcome": _SUBSCRIBED if yes else _UNSUBSCRIBED}


def _find(visit: Visit, store: MailStore, number: int) -> Folder:
    return store.folder(visit.mailbox(number)[0])


# --- showing


def _told(visit: Visit, number: int, what: str, outcome: Outcome, typed: str) -> Response:
    """Say what became of a change, on the page that comes next."""
    _ = visit.language.gettext
    said = outcome["outcome"]
    if said == _GROWN:
        return ask(number, what)
    if said == _REFUSED and what in (NEW, RENAME):
        found = _again(visit, number) if number else None
        screen = folder_screens.form(visit, found, what, typed, outcome["sentence"], number)
        return respond(screen, Life.NEVER)
    if said in (_EMPTIED, _MARKED):
        count = int(outcome["count"])
        sentence = (
            visit.language.ngettext("%(count)s message deleted.", "%(count)s messages deleted.", count)
            if said == _EMPTIED
            else visit.language.ngettext(
                "%(count)s message is marked as deleted.", "%(count)s messages are marked as deleted.", count
            )
        ) % {"count": visit.language.number(count)}
    else:
        sentence = outcome.get("sentence") or _(_SAID[said])
    shown = int(outcome.get("number", number))
    return _page(shown, sentence) if shown and said != _DELETED else show_list(sentence=sentence)


def _again(visit: Visit, number: int) -> Folder | None:
    """Find a folder for its form, which needs little of it: None where it cannot be asked about just now."""
    try:
        with visit.signed_in.store() as store:
            return _find(visit, store, number)
    except MailboxGone:
        raise
    except StoreError:
        return None


def _page(number: int, sentence: str = "") -> Response:
    """Show one folder, or the list where there is no such folder any more."""
    visit = current()
    try:
        with visit.signed_in.store() as store:
            found = _find(visit, store, number)
    except MailboxGone as error:
        return show_list(sentence=sentence or sentence_of(error, visit))
    return respond(folder_screens.own_screen(visit, found, sentence))
