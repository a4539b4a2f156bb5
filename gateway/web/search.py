"""Searching: a form, and what was found, which is a list like any other.

Nothing here may search twice for one page turned: what a search has found is kept for the account, sealed, so that
neither new mail nor a restart shifts its pages. What cannot be understood is named, and stays in the form.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from flask import Blueprint, Response, request

from gateway import markup
from gateway.device import WML
from gateway.errors import BadRequest, GatewayError, MailboxGone, SessionEnded
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen, shorten
from gateway.message import query as queries
from gateway.message.headers import clean
from gateway.message.query import BadQuery
from gateway.store.base import INBOX, MessageRef
from gateway.web import finds
from gateway.web.fields import Field, form_screen, once
from gateway.web.finds import Find
from gateway.web.lists import Entry, Frame, list_screen
from gateway.web.naming import title_of
from gateway.web.respond import respond
from gateway.web.signin import sentence_of
from gateway.web.visit import Visit, current, link, list_link

search = Blueprint("search", __name__)


def _(msgid: str) -> str:
    return msgid


HERE, EVERYWHERE = "here", "all"
#: Characters of a query in a title, and in a link that repeats it.
_TITLE: Final = 24
#: Characters that a phone may type: in any script they come back in the smallest deck, with what is wrong with them.
_ROOM: Final = 100
#: The form has keys 1 to 3 for its fields and its button; favourites have the next.
_FAVOURITE_KEYS: Final = "456789"
#: Searches of before that are shown.
_RECENT: Final = 5
_GONE: Final = _("That search is not kept any more.")
_KEPT: Final = _("Kept under Search.")
_FULL: Final = _("There is no room for more favourites.")
_NOTHING: Final = _("Type what to look for.")
_HELP: Final = "from: to: subject: text: before: since: larger: has:attachment is:unread"


@search.get("/q")
@search.get("/q.<int:number>")
def form(number: int | None = None) -> Response:
    """Ask what to look for; `s` names a search whose words stand there already."""
    visit = current()
    known = request.args.get("s", "")
    find = finds.get(visit, int(known)) if known.isascii() and known.isdigit() and len(known) < 10 else None
    words, where = (find.words, EVERYWHERE if not find.mailbox else HERE) if find else ("", "")
    return respond(_form(visit, number, words, where))


@search.post("/q")
@search.post("/q.<int:number>")
def run(number: int | None = None) -> Response:
    """Search, and show what was found; a repeat shows the same."""
    visit = current()
    fields, session = visit.form(), visit.signed_in
    words, where = fields.get("q", "").strip()[: 2 * queries.LONGEST], fields.get("in", "")
    mailbox = "" if where == EVERYWHERE else _folder(visit, number)
    ticket = fields.get("ticket", "")
    if session.check_ticket(ticket) is None:
        return _again(visit, number, words, where, BadRequest.sentence)
    if not words:
        return _again(visit, number, words, where, _NOTHING)
    claim = session.claim(ticket)
    found = (claim.outcome or {}).get("search", "0")
    if found != "0":
        return results(int(found))
    # The first request has found nothing yet, or could not: looking once more changes nothing.
    try:
        find = finds.find(visit, words, mailbox)
        found = str(find.number)
        return respond(_results(visit, find, 1), Life.NEVER)
    except BadQuery as error:
        return _again(visit, number, words, where, error.reason, error.piece)
    except (SessionEnded, MailboxGone):
        raise
    except GatewayError as error:
        return _again(visit, number, words, where, sentence_of(error, visit))
    finally:
        if found != "0":
            session.settle(ticket, {"search": found})


@search.get("/q<int:name>")
@search.get("/q<int:name>.<int:row>")
def results(name: int, row: int = 1, sentence: str = "") -> Response:
    """Show what a search has found, from a row on."""
    visit = current()
    find = finds.get(visit, name)
    if find is None:
        return _again(visit, None, "", "", _GONE)
    return respond(_results(visit, find, row, sentence), Life.NEVER if sentence else None)


@search.get("/q<int:name>.r")
def repeat(name: int) -> Response:
    """Search for the same once more."""
    visit = current()
    find = finds.get(visit, name)
    if find is None:
        return _again(visit, None, "", "", _GONE)
    return _search(visit, find.words, find.mailbox)


@search.get("/qf<int:name>")
def favourite(name: int) -> Response:
    """Search for what was kept."""
    visit = current()
    kept = finds.favourite(visit, name)
    if kept is None:
        return _again(visit, None, "", "", _GONE)
    return _search(visit, *kept)


@search.post("/q<int:name>.k")
def keep(name: int) -> Response:
    """Keep a search as a favourite; once, however often it is asked for."""
    visit = current()
    find = finds.get(visit, name)
    if visit.signed_in.check_ticket(ticket := visit.form().get("ticket", "")) is None:
        raise BadRequest("ticket")
    if find is None:
        return _again(visit, None, "", "", _GONE)
    kept = find
    sentence = once(visit, ticket, lambda: _KEPT if finds.keep(visit, kept) else _FULL)
    return respond(_results(visit, find, 1, sentence), Life.NEVER)


def _search(visit: Visit, words: str, mailbox: str) -> Response:
    try:
        return respond(_results(visit, finds.find(visit, words, mailbox), 1))
    except BadQuery as error:
        return _again(visit, None, words, "", error.reason, error.piece)
    except (SessionEnded, MailboxGone):
        raise
    except GatewayError as error:
        return _again(visit, None, words, EVERYWHERE if not mailbox else HERE, sentence_of(error, visit))


# --- the form


def _folder(visit: Visit, number: int | None) -> str:
    """Name the folder from which the form was opened; the inbox where there is none."""
    return INBOX if number is None else visit.mailbox(number)[0]


def _again(
    visit: Visit, number: int | None, words: str, where: str, reason: str, piece: str = ""
) -> Response:
    """Show the form once more with what was typed, and say what is wrong with it."""
    named = {"piece": shorten(clean(piece), _TITLE)}
    sentence = visit.language.gettext(reason) % named if piece else visit.language.gettext(reason)
    return respond(_form(visit, number, words, where, sentence), Life.NEVER)


def _form(visit: Visit, number: int | None, words: str, where: str, sentence: str = "") -> Screen:
    _ = visit.language.gettext
    here = shorten(title_of(visit, _folder(visit, number)), _TITLE)
    fields = (
        Field("q", _("Words"), words, room=_ROOM if visit.device.markup == WML else queries.LONGEST),
        Field(
            "in",
            _("In"),
            where if where == EVERYWHERE else HERE,
            ((HERE, here), (EVERYWHERE, _("All folders"))),
        ),
    )
    screen = form_screen(
        visit,
        _("Search"),
        link("search.form", **({} if number is None else {"number": number})),
        fields,
        sentence,
    )
    screen = replace(screen, values={**screen.values, "button": _("Search"), "hints": (_HELP,)})
    menu = Action(_("Menu"), link("menu.show", **({} if number is None else {"number": number})), "0")
    return _fitted(visit, screen, [*_kept(visit), *_recent(visit)], menu)


def _fitted(visit: Visit, screen: Screen, ways: Sequence[Action], menu: Action) -> Screen:
    """Put on as many ways as there is room for; what was typed goes before the hints, these before the ways."""
    for values in (screen.values, {**screen.values, "hints": ()}):
        for count in range(len(ways), -1, -1):
            made = replace(screen, values=values, actions=(*ways[:count], menu))
            if markup.size(made, visit.device) <= visit.device.deck_limit:
                return made
    return made


def _kept(visit: Visit) -> Iterable[Action]:
    for index, (number, title) in enumerate(finds.favourites(visit)):
        key = _FAVOURITE_KEYS[index : index + 1]
        yield Action(_said(visit, title), list_link("search.favourite", name=number), key)


def _recent(visit: Visit) -> Iterable[Action]:
    for find in finds.recent(visit)[:_RECENT]:
        yield Action(_said(visit, find.words), list_link("search.repeat", name=find.number))


def _said(visit: Visit, words: str) -> str:
    return shorten(fit(clean(words), visit.device), _TITLE).strip() or "-"


# --- what was found


def _results(visit: Visit, find: Find, row: int, sentence: str = "") -> Screen:
    _ = visit.language.gettext
    refs, rows = find.refs, visit.device.rows
    first = max(1, min(row, len(refs)))
    visit.origin = f"q{find.number}" + (f".{first}" if first > 1 else "")
    shown = refs[first - 1 : first - 1 + rows]
    with visit.signed_in.store() as store:
        summaries = store.summaries_of(shown)
    places = {summary.ref: first + shown.index(summary.ref) for summary in summaries}
    entries = [
        Entry(summary, place="" if find.mailbox else title_of(visit, summary.ref.mailbox))
        for summary in summaries
    ]

    def onward(count: int) -> str:
        after = places[summaries[count].ref] if count < len(summaries) else first + len(shown)
        return leading(after) if after <= len(refs) else ""

    def leading(row: int) -> str:
        at = {"row": row} if row > 1 else {}
        return list_link("search.results", name=find.number, **at)

    frame = Frame(
        title=_("Search: %(words)s") % {"words": _said(visit, find.words)},
        first=first,
        count=len(refs),
        next=onward,
        prev=leading(max(1, first - rows)) if first > 1 else "",
        ways=_ways(visit, find, refs[0] if refs else None, first == 1),
        notes=_notes(visit, find) if first == 1 else (),
        empty=_("Nothing found."),
    )
    return list_screen(visit, entries, frame, sentence)


def _ways(visit: Visit, find: Find, newest: MessageRef | None, front: bool) -> tuple[Action, ...]:
    """Lead away from what was found."""
    _, session = visit.language.gettext, visit.signed_in
    here = {}
    if find.mailbox and newest is not None:
        here = {"number": session.mailbox_number(newest.mailbox, newest.uidvalidity)}
    ways = [
        Action(_("Menu"), link("menu.show", **here), "0", "options"),
        Action(_("Search"), link("search.form", **here, s=find.number)),
    ]
    if front and not finds.is_kept(visit, find):
        ticket = ("ticket", session.ticket())
        ways.append(Action(_("Keep search"), link("search.keep", name=find.number), fields=(ticket,)))
    return tuple(ways)


def _notes(visit: Visit, find: Find) -> tuple[str, ...]:
    """Say what is not quite as it was asked for."""
    _, number = visit.language.gettext, visit.language.number
    notes = []
    if find.count > len(find.refs):
        notes.append(_("The newest of %(count)s found.") % {"count": number(find.count)})
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
