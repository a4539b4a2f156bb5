"""What else can be done with one message: a page of ways on, a second one of what is seldom done, and the folders.

Nothing here may change anything: what is pressed is posted to `act`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flask import Blueprint, Response, current_app, request

from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen, shorten
from gateway.message.headers import clean
from gateway.message.model import Message
from gateway.message.reply import list_recipients
from gateway.store.base import DELETED, FLAGGED
from gateway.web import doing
from gateway.web import undo as undoing
from gateway.web.deeds import COPY, DEEDS, DELETE, ERASE, FINE, FLAG, JUNK, MOVE, RESTORE, UNFLAG, UNREAD
from gateway.web.message import Place, reference
from gateway.web.reading import resume_link
from gateway.web.respond import respond
from gateway.web.signin import sign_out_action
from gateway.web.targets import chooser, targets
from gateway.web.visit import ORIGIN, Visit, current, link, relative

more = Blueprint("more", __name__)

#: What a letter at the end of an address does; what it shows by GET is the page that leads there.
LETTERS: Final = {
    "d": DELETE, "e": ERASE, "m": MOVE, "c": COPY, "j": JUNK, "n": FINE,
    "u": UNREAD, "f": FLAG, "g": UNFLAG, "r": RESTORE,
}  # fmt: skip
LETTER: Final = {word: letter for letter, word in LETTERS.items()}
#: Where to go on: older, newer, the next unread one.
OLDER, NEWER, NEXT_UNREAD = "o", "n", "u"


def _(msgid: str) -> str:
    return msgid


#: Ways on for which other screens are joined, by the path of each: label, path, key. On the first page, on the second.
_WRITING: Final = ((_("Reply all"), "r{}.a", "1"), (_("Forward"), "f{}", "2"))
TO_LIST: Final = (_("Reply to list"), "r{}.l", "1")
_MORE_WRITING: Final = (
    TO_LIST,
    (_("Forward as file"), "f{}.a", "2"),
    (_("Redirect"), "f{}.r", "3"),
    (_("Edit as new"), "c{}", "4"),
)


@more.get("/x<int:number>.<int:uid>")
def show(number: int, uid: int) -> Response:
    """Show what else can be done with a message."""
    visit = current()
    place = Place(number, uid)
    with visit.signed_in.store() as store:
        found = store.structure(reference(visit, place))
        junk = doing.is_junk(store, visit.mailbox(number)[0])
    _ = visit.language.gettext
    flags = {flag.lower() for flag in found.flags}
    begun = bool(visit.signed_in.stops(number, (uid,)))
    actions = (
        *_joined(visit, place, _WRITING),
        deed(visit, place, UNFLAG if FLAGGED.lower() in flags else FLAG, "3"),
        deed(visit, place, RESTORE if DELETED.lower() in flags else UNREAD, "4"),
        Action(_("Move"), link("more.choose", **place.values(), letter="m"), "5"),
        Action(_("Copy"), link("more.choose", **place.values(), letter="c"), "6"),
        deed(visit, place, FINE if junk else JUNK, "7"),
        Action(_("More"), link("more.rest", **place.values()), "8"),
        Action(_("Details"), link("details.first", **place.values()), "9"),
        *([Action(_("First page"), link("message.first", **place.values()), "*")] if begun else ()),
        back(visit, place),
    )
    return respond(_page(visit, _("More"), _subject(visit, found), actions))


@more.get("/x<int:number>.<int:uid>.2")
def rest(number: int, uid: int) -> Response:
    """Show what is seldom done with a message."""
    visit = current()
    place = Place(number, uid)
    with visit.signed_in.store() as store:
        found = store.structure(reference(visit, place))
    _ = visit.language.gettext
    last = visit.signed_in.memory.get(doing.LAST)
    ticket = str(last["of"]) if last else ""
    ways = [way for way in _MORE_WRITING if way is not TO_LIST or list_recipients(found)]
    actions = [*_joined(visit, place, ways)]
    if "contacts.add_sender" in current_app.view_functions:
        fields = (("ticket", visit.signed_in.ticket()),)
        there = link("contacts.add_sender", **place.values())
        actions.append(Action(_("Add sender"), there, "5", fields=fields))
    actions.append(Action(_("Newer message"), link("act.neighbour", **place.values(), which=NEWER), "6"))
    actions.append(Action(_("Next unread"), link("act.neighbour", **place.values(), which=NEXT_UNREAD), "7"))
    if visit.signed_in.check_ticket(ticket) is not None:
        actions.append(undoing.offer(visit, ticket, "8"))
    actions.append(sign_out_action(visit, "9"))
    actions.append(Action(_("Back"), link("more.show", **place.values()), "0"))
    return respond(_page(visit, _("More"), _subject(visit, found), actions))


@more.get("/x<int:number>.<int:uid>.<any(m,c):letter>")
def choose(number: int, uid: int, letter: str) -> Response:
    """Show the folders that a message can go to."""
    return choices(current(), Place(number, uid), letter, request.args.get("f", 0, int))


def choices(visit: Visit, place: Place, letter: str, first: int = 0, sentence: str = "") -> Response:
    """Show a page of the folders, under a sentence where the one chosen is gone."""
    reference(visit, place)
    with visit.signed_in.store() as store:
        found = targets(visit, store, {visit.mailbox(place.number)[0]})

    def row(mark: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        fields = (("to", mark), ("ticket", visit.signed_in.ticket()))
        return link("act.do", **place.values(), letter=letter), fields

    def turn(at: int) -> str:
        return link("more.choose", **place.values(), letter=letter, f=at)

    title = visit.language.gettext(DEEDS[LETTERS[letter]].label)
    return respond(chooser(visit, title, found, first, row, turn, back(visit, place), sentence))


def deed(visit: Visit, place: Place, word: str, key: str) -> Action:
    """Offer to do one thing to a message."""
    label = visit.language.gettext(DEEDS[word].label)
    href = link("act.do", **place.values(), letter=LETTER[word])
    return Action(label, href, key, fields=(("ticket", visit.signed_in.ticket()),))


def _joined(visit: Visit, place: Place, ways: Iterable[tuple[str, str, str]]) -> list[Action]:
    """Offer those ways on that the app has screens for."""
    screens = current_app.url_map.bind("")
    found = []
    for label, path, key in ways:
        way = path.format(f"{place.number}.{place.uid}")
        if screens.test("/" + way, "GET"):
            there = f"{request.script_root}/{way}" + (f"?{ORIGIN}={visit.origin}" if visit.origin else "")
            href = relative(there, request.script_root + request.path)
            found.append(Action(visit.language.gettext(label), href, key))
    return found


def back(visit: Visit, place: Place) -> Action:
    """Lead back to the message, where reading stopped."""
    return Action(visit.language.gettext("Back"), resume_link(visit, place.number, place.uid), "0")


def _subject(visit: Visit, found: Message) -> str:
    subject = clean(found.envelope.subject) or visit.language.gettext("(no subject)")
    return shorten(fit(subject, visit.device), 2 * visit.device.columns)


def _page(visit: Visit, title: str, sentence: str, actions: Iterable[Action]) -> Screen:
    _ = visit.language.gettext
    values = {"sentence": sentence, "lines": ()}
    return Screen(
        "notice", title, values, tuple(actions), life=Life.CHECK, words=_, language=visit.language.tag
    )
