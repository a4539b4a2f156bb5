"""Searching: the form and the results, which are a list like any other.

Nothing here may search again to turn a page: results are saved with the account, encrypted, so that neither new mail
nor a restart shifts the pages. Words that cannot be parsed are named, and stay in the form.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from flask import Blueprint, Response, request

from gateway.access.idempotency import UNKNOWN, PostOutcome, do_once
from gateway.access.outcomes import SEARCH
from gateway.addresses import Origin
from gateway.device import WML
from gateway.errors import GatewayError, MailboxGone, SessionEnded
from gateway.markup.keys import KEYS
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen, shorten
from gateway.message import query as queries
from gateway.message.headers.header_fields import clean
from gateway.message.query import BadQuery
from gateway.store.base import INBOX, MessageRef
from gateway.web.entry.sign_in import error_sentence
from gateway.web.mailbox import search_history
from gateway.web.mailbox.message_rows import ListEntry, ListFrame, MessageRow, list_screen
from gateway.web.mailbox.search_history import SavedSearch
from gateway.web.mailbox.written_rows import WrittenRows
from gateway.web.request.field_forms import FormField, apply_once, form_screen
from gateway.web.request.fitted_list import first_fitting, fitted_rows
from gateway.web.request.mailbox_names import TITLE, title_of
from gateway.web.request.respond import respond
from gateway.web.request.visit import Visit, current, link, list_link

search = Blueprint("search", __name__)


def _(msgid: str) -> str:
    return msgid


HERE, EVERYWHERE = "here", "all"
#: Maximum characters of a query in a title, and in a link that repeats it.
_TITLE: Final = 24
#: Maximum characters of a query on a phone: they fit the smallest deck in any script, together with an error.
_ROOM: Final = 100
#: The form uses keys 1 to 3 for its fields and its button; favourites have the keys after it.
_FAVOURITE_KEYS: Final = "23456789"
#: Recent searches to show.
_RECENT: Final = 5
_GONE: Final = _("That search is no longer there. Search again.")
_SEARCH_KEPT: Final = _("Saved. You will find it on the Search page.")
_NO_ROOM: Final = _("You cannot save more searches. Remove one under Settings, Saved searches.")
_NOTHING: Final = _("Enter something to search for.")
_HELP: Final = "from: to: subject: text: before: since: larger: has:attachment is:unread"


@search.get("/q")
@search.get("/q.<int:number>")
def form(number: int | None = None) -> Response:
    """Show the search form; `s` names a search to fill in."""
    visit = current()
    known = request.args.get("s", "")
    find = (
        search_history.get(visit, int(known))
        if known.isascii() and known.isdigit() and len(known) < 10
        else None
    )
    words, where = (find.words, EVERYWHERE if not find.mailbox else HERE) if find else ("", "")
    return respond(_form(visit, number, words, where))


@search.post("/q")
@search.post("/q.<int:number>")
def run(number: int | None = None) -> Response:
    """Search and show the results, which a repeated request shows again."""
    visit = current()
    fields = visit.form()
    words, where = fields.get("q", "").strip()[: 2 * queries.LONGEST], fields.get("in", "")
    mailbox = "" if where == EVERYWHERE else _folder(visit, number)
    if not words:
        return _form_with_error(visit, number, words, where, _NOTHING)

    def look() -> PostOutcome:
        return {SEARCH: str(search_history.run_search(visit, words, mailbox).number)}

    try:
        search_history.parse_query(visit, words)
        outcome = do_once(visit.signed_in, visit.ticketed_post(fields), look)
        find = search_history.get(visit, int(outcome.get(SEARCH, "0")))
        if find is not None:
            return respond(_results(visit, find, 1), Life.NEVER)
    except BadQuery as error:
        return _form_with_error(visit, number, words, where, error.reason, error.piece)
    except (SessionEnded, MailboxGone):
        raise
    except GatewayError as error:
        return _form_with_error(visit, number, words, where, error_sentence(error, visit))
    return _form_with_error(visit, number, words, where, outcome.get(UNKNOWN, _GONE))


@search.get("/q<int:name>")
@search.get("/q<int:name>.<int:row>")
def results(name: int, row: int = 1, sentence: str = "") -> Response:
    """Show the results of a search, from a row on."""
    visit = current()
    find = search_history.get(visit, name)
    if find is None:
        return _form_with_error(visit, None, "", "", _GONE)
    return respond(_results(visit, find, row, sentence), Life.NEVER if sentence else None)


@search.get("/q<int:name>.r")
def repeat(name: int) -> Response:
    """Run a search again."""
    visit = current()
    find = search_history.get(visit, name)
    if find is None:
        return _form_with_error(visit, None, "", "", _GONE)
    return _search(visit, find.words, find.mailbox)


@search.get("/qf<int:name>")
def favourite(name: int) -> Response:
    """Run a favourite."""
    visit = current()
    kept = search_history.favourite(visit, name)
    if kept is None:
        return _form_with_error(visit, None, "", "", _GONE)
    return _search(visit, *kept)


@search.post("/q<int:name>.k")
def keep(name: int) -> Response:
    """Save a search as a favourite, once."""
    visit = current()
    find = search_history.get(visit, name)
    if find is None:
        return _form_with_error(visit, None, "", "", _GONE)
    kept = find
    sentence = apply_once(
        visit,
        visit.form(),
        lambda: _SEARCH_KEPT if search_history.keep(visit, kept) else _NO_ROOM,
        (_SEARCH_KEPT,),
    )
    return respond(_results(visit, find, 1, sentence), Life.NEVER)


def _search(visit: Visit, words: str, mailbox: str) -> Response:
    try:
        return respond(_results(visit, search_history.run_search(visit, words, mailbox), 1))
    except BadQuery as error:
        return _form_with_error(visit, None, words, "", error.reason, error.piece)
    except (SessionEnded, MailboxGone):
        raise
    except GatewayError as error:
        return _form_with_error(
            visit, None, words, EVERYWHERE if not mailbox else HERE, error_sentence(error, visit)
        )


# --- the form


def _folder(visit: Visit, number: int | None) -> str:
    """Return the name of the folder from which the form was opened; the inbox if there is none."""
    return INBOX if number is None else visit.mailbox(number)[0]


def _form_with_error(
    visit: Visit, number: int | None, words: str, where: str, reason: str, piece: str = ""
) -> Response:
    """Show the form again with what was typed, and with the error."""
    named = {"piece": shorten(clean(piece), _TITLE)}
    sentence = visit.language.gettext(reason) % named if piece else visit.language.gettext(reason)
    return respond(_form(visit, number, words, where, sentence), Life.NEVER)


def _form(visit: Visit, number: int | None, words: str, where: str, sentence: str = "") -> Screen:
    _ = visit.language.gettext
    here = title_of(visit, _folder(visit, number), TITLE)
    fields = (
        FormField("q", _("Words"), words, room=_ROOM if visit.device.markup == WML else queries.LONGEST),
        FormField(
            "in",
            _("In"),
            where if where == EVERYWHERE else HERE,
            ((HERE, here), (EVERYWHERE, _("All folders")))[: 2 if visit.signed_in.can.folders else 1],
        ),
    )
    screen = form_screen(
        visit,
        _("Search"),
        link("search.form", **({} if number is None else {"number": number})),
        fields,
        sentence,
    )
    screen = replace(screen, values={**screen.values, "button": _("Search")})
    menu = Action(
        _("Menu"), link("menu.show", **({} if number is None else {"number": number})), KEYS["Menu"]
    )
    return _fitted(visit, screen, [*_favourite_actions(visit), *_recent_actions(visit)], menu)


def _fitted(visit: Visit, screen: Screen, actions: Sequence[Action], menu: Action) -> Screen:
    """Add as many links as fit; what was typed has priority over hints, and hints over links."""

    def made(hints: tuple[str, ...]) -> Screen:
        hinted = replace(screen, values={**screen.values, "hints": hints})
        return fitted_rows(
            lambda count: replace(hinted, actions=(*actions[:count], menu)), visit.fits, len(actions), least=0
        )

    return first_fitting(map(made, ((_HELP,), ())), visit.fits)


def _favourite_actions(visit: Visit) -> Iterable[Action]:
    for index, (number, title) in enumerate(search_history.favourites(visit)):
        key = _FAVOURITE_KEYS[index : index + 1]
        yield Action(_displayed_words(visit, title), list_link("search.favourite", name=number), key)


def _recent_actions(visit: Visit) -> Iterable[Action]:
    for find in search_history.recent(visit)[:_RECENT]:
        yield Action(_displayed_words(visit, find.words), list_link("search.repeat", name=find.number))


def _displayed_words(visit: Visit, words: str) -> str:
    return shorten(fit(clean(words), visit.device), _TITLE).strip() or "-"


# --- the results


def _results(visit: Visit, find: SavedSearch, row: int, sentence: str = "") -> Screen:
    _ = visit.language.gettext
    refs, rows = find.refs, visit.device.rows
    first = max(1, min(row, len(refs)))
    visit.origin = Origin(find.number, first).encode()
    shown = refs[first - 1 : first - 1 + rows]
    with visit.signed_in.store() as store:
        summaries = store.summaries_of(shown)
        written: WrittenRows[MessageRow] = WrittenRows.of(store.cache)
    places = {summary.ref: first + shown.index(summary.ref) for summary in summaries}
    entries = [
        ListEntry(summary, folder="" if find.mailbox else title_of(visit, summary.ref.mailbox))
        for summary in summaries
    ]

    def next_page(count: int) -> str:
        after = places[summaries[count].ref] if count < len(summaries) else first + len(shown)
        return leading(after) if after <= len(refs) else ""

    def leading(row: int) -> str:
        at = {"row": row} if row > 1 else {}
        return list_link("search.results", name=find.number, **at)

    frame = ListFrame(
        title=_("Search: %(words)s") % {"words": _displayed_words(visit, find.words)},
        first=first,
        count=len(refs),
        next=next_page,
        prev=leading(max(1, first - rows)) if first > 1 else "",
        actions=_actions(visit, find, refs[0] if refs else None, first == 1),
        notes=_notes(visit, find) if first == 1 else (),
        empty=_("Nothing found."),
        hint=_("Try fewer words, or all folders."),
    )
    return list_screen(visit, entries, frame, sentence, written)


def _actions(visit: Visit, find: SavedSearch, newest: MessageRef | None, front: bool) -> tuple[Action, ...]:
    """Return the actions below the results."""
    _, session = visit.language.gettext, visit.signed_in
    here = {}
    if find.mailbox and newest is not None:
        here = {"number": session.mailboxes.number(newest.mailbox, newest.uidvalidity)}
    actions = [
        Action(_("Menu"), link("menu.show", **here), KEYS["Menu"], "options"),
        Action(_("Search again"), link("search.form", **here, s=find.number), KEYS["Search again"]),
    ]
    if front and not search_history.is_kept(visit, find):
        keep = link("search.keep", name=find.number)
        actions.append(Action(_("Save search"), keep, fields=(visit.ticket_field(),)))
    return tuple(actions)


def _notes(visit: Visit, find: SavedSearch) -> tuple[str, ...]:
    """Return sentences on what differs from the request."""
    _, number = visit.language.gettext, visit.language.number
    notes = []
    if find.count > len(find.refs):
        notes.append(_("The newest of %(count)s results.") % {"count": number(find.count)})
    if find.searched < find.total:
        of = {"searched": number(find.searched), "total": number(find.total)}
        notes.append(_("Only the newest %(searched)s of %(total)s messages were searched.") % of)
    if find.unsure:
        notes.append(_("This is a guess: the mail server cannot tell exactly."))
    if find.skipped:
        notes.append(
            visit.language.ngettext(
                "%(count)s folder could not be searched.",
                "%(count)s folders could not be searched.",
                find.skipped,
            )
            % {"count": number(find.skipped)}
        )
    return tuple(notes)
