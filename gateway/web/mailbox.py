"""The list of a mailbox, newest first, in windows of sequence numbers; or in another order, filtered, in threads.

Nothing here may fetch more than the rows it shows. A page's address is the sequence number of its first row, or in
other orders than that of arrival its rank with its UID: new mail does not shift the pages below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from flask import Blueprint, Response, request

from gateway.errors import MailboxGone
from gateway.markup.screen import Action, Screen
from gateway.store.base import FIRST, INBOX, Found, Listing, MailStore, Order, Spot, Window
from gateway.web import views
from gateway.web.lists import Entry, Frame
from gateway.web.lists import list_screen as framed
from gateway.web.naming import title_of
from gateway.web.respond import respond
from gateway.web.signin import sign_out_action
from gateway.web.views import View, spelled
from gateway.web.visit import Visit, current, link, list_link

mailbox = Blueprint("mailbox", __name__)

#: What the address of the inbox may ask for besides (`/i?f=unread`).
_ASKED: Final = {"unread": views.UNREAD, "flagged": views.FLAGGED}


@mailbox.get("/i")
def inbox() -> Response:
    """Show the newest messages of the inbox."""
    asked = _ASKED.get(request.args.get("f", ""))
    if asked:
        return show_view(current(), INBOX, View(filter=asked))
    return show(INBOX, None)


@mailbox.get("/b<int:number>")
@mailbox.get("/b<int:number>.<int:top>")
def box(number: int, top: int | None = None) -> Response:
    """Show a mailbox from the message with sequence number `top` downwards, or as it is usually looked at."""
    name, _uidvalidity = current().mailbox(number)
    return show(name, top)


@mailbox.get("/b<int:number>.<view:view>")
@mailbox.get("/b<int:number>.<view:view>.<spot:spot>")
def ordered(number: int, view: View, spot: Spot = FIRST) -> Response:
    """Show a mailbox in an order, filtered, or a thread of it, from a place on."""
    visit = current()
    name, uidvalidity = visit.mailbox(number)
    return show_view(visit, name, view, spot, uidvalidity=uidvalidity)


def show(name: str, top: int | None, sentence: str = "") -> Response:
    """Show one window of a mailbox, under a sentence about what happened before."""
    visit = current()
    view = views.usual(visit, name) if top is None else View()
    return show_view(visit, name, view, sentence=sentence, top=top)


def show_view(
    visit: Visit,
    name: str,
    view: View,
    spot: Spot = FIRST,
    *,
    uidvalidity: int = 0,
    top: int | None = None,
    page: int = 0,
    sentence: str = "",
) -> Response:
    """Show a mailbox in a view of it, from a place, a sequence number, or the page with a number.

    Raise MailboxGone for a place in the mailbox before its UIDVALIDITY changed.
    """
    rows = visit.device.rows
    with visit.signed_in.store() as store:
        if view.is_plain and spot == FIRST:
            listing = store.summaries(name, Window(rows, _top_of(store, name, page, rows) if page else top))
            return respond(list_screen(visit, listing, sentence))
        at = Spot((page - 1) * rows + 1) if page else spot
        found = store.found(name, view.query, view.order, at, rows, view.thread)
    if (spot.uid or view.thread) and uidvalidity and found.uidvalidity != uidvalidity:
        raise MailboxGone(f"UIDVALIDITY is {found.uidvalidity} now")
    return respond(found_screen(visit, found, view, sentence))


def _top_of(store: MailStore, name: str, page: int, rows: int) -> int:
    """Find the sequence number at which a page begins; the last page's where there are not so many."""
    exists = store.summaries(name, Window(1)).exists
    last = max(0, exists - 1) // rows
    return exists - min(page - 1, last) * rows


# --- by arrival


def list_screen(visit: Visit, listing: Listing, sentence: str = "") -> Screen:
    """Make the screen of a window of sequence numbers."""
    number = visit.signed_in.mailbox_number(listing.mailbox, listing.uidvalidity)
    summaries = listing.summaries
    front = listing.mailbox == INBOX and listing.top == listing.exists

    def onward(shown: int) -> str:
        last = summaries[min(shown, len(summaries)) - 1].sequence if summaries and shown else 0
        return list_link("mailbox.box", number=number, top=last - 1) if last > 1 else ""

    frame = Frame(
        title=_title(visit, listing.mailbox, listing.unseen),
        first=listing.exists - listing.top + 1,
        count=listing.exists,
        next=onward,
        prev=_newer(visit, listing, number),
        ways=_ways(visit, number, front, listing.top if listing.top < listing.exists else 0),
        empty=visit.language.gettext("No messages here."),
        forget=front,
    )
    return framed(visit, [Entry(summary) for summary in summaries], frame, sentence)


def _newer(visit: Visit, listing: Listing, number: int) -> str:
    """Lead to the page above a window, if there is one."""
    if not 0 < listing.top < listing.exists:
        return ""
    above = listing.top + visit.device.rows
    if above < listing.exists:
        return list_link("mailbox.box", number=number, top=above)
    if not views.usual(visit, listing.mailbox).is_plain:
        return list_link("mailbox.ordered", number=number, view=View())
    if listing.mailbox == INBOX:
        return list_link("mailbox.inbox")
    return list_link("mailbox.box", number=number)


# --- in another order


def found_screen(visit: Visit, found: Found, view: View, sentence: str = "") -> Screen:
    """Make the screen of a stretch of a list that the server has sorted or filtered."""
    _ = visit.language.gettext
    number = visit.signed_in.mailbox_number(found.mailbox, found.uidvalidity)
    lines = found.lines
    # Messages that are opened from here lead back to this page.
    here = "." + spelled(lines[0].spot) if lines and found.rank > 1 else ""
    visit.origin = view.encode() + here

    def leading(spot: Spot) -> str:
        return list_link("mailbox.ordered", number=number, view=view, spot=spot)

    def onward(shown: int) -> str:
        if shown < len(lines):
            return leading(lines[shown].spot)
        return leading(found.beyond) if found.beyond else ""

    prev = ""
    if lines and found.rank > 1:
        before = replace(lines[0].spot, before=True)
        is_first = found.rank <= visit.device.rows + 1
        prev = list_link("mailbox.ordered", number=number, view=view) if is_first else leading(before)
    front = found.mailbox == INBOX and found.rank <= 1
    ways = _ways(visit, number, front)
    if view.thread:
        threads = View(Order.THREADS, view.filter)
        ways = (Action(_("Threads"), list_link("mailbox.ordered", number=number, view=threads)), *ways)
    entries = [
        Entry(line.summary, _thread_link(number, view, line.spot) if line.messages > 1 else "", line.messages)
        for line in lines
    ]
    frame = Frame(
        title=_title(visit, found.mailbox, found.unseen),
        first=max(1, found.rank),
        count=found.count,
        next=onward,
        prev=prev,
        ways=ways,
        remarks=_remarks(visit, found, view),
        empty=_("No messages here."),
        forget=front and not view.thread,
    )
    return framed(visit, entries, frame, sentence)


def _thread_link(number: int, view: View, spot: Spot) -> str:
    return list_link("mailbox.ordered", number=number, view=replace(view, thread=spot.uid))


def _remarks(visit: Visit, found: Found, view: View) -> Sequence[str]:
    """Say in which order the list stands, what is left out, and what the server could not do."""
    _ = visit.language.gettext
    remarks = [_(note) for note in replace(view, order=found.order).notes]
    if found.order is not view.order:
        remarks.append(_("by arrival, since this mail server cannot sort so"))
    if found.newest:
        remarks.append(_("among the newest %(count)s") % {"count": visit.language.number(found.newest)})
    return remarks


# --- around any of them


def _title(visit: Visit, name: str, unseen: int | None) -> str:
    title = title_of(visit, name)
    return f"{title} ({visit.language.number(unseen)})" if unseen else title


def _ways(visit: Visit, number: int, front: bool, top: int = 0) -> tuple[Action, ...]:
    """Lead away from a list: a keypad has twelve keys, nine for rows, two to turn, and one for all the rest."""
    _ = visit.language.gettext
    here = {"number": number, "top": top} if top else {"number": number}
    menu = Action(_("Menu"), link("menu.show", **here), "0", "options")
    if not front:
        return menu, Action(_("Inbox"), list_link("mailbox.inbox"))
    # There is no Prev on the first page, so its key is free.
    return menu, Action(_("Settings"), link("settings.show"), "*"), sign_out_action(visit, "")


def back_action(visit: Visit, number: int, name: str, key: str = "0") -> Action:
    """Lead from a message back to the list that it was opened from, or else to the newest of its mailbox."""
    label = title_of(visit, name)
    kind, _dot, place = visit.origin.partition(".")
    if kind.startswith("q"):
        at = {"row": int(place)} if place else {}
        return Action(
            visit.language.gettext("Results"), list_link("search.results", name=int(kind[1:]), **at), key
        )
    if kind:
        spot = {"spot": views.spot_of(place)} if place else {}
        return Action(label, list_link("mailbox.ordered", number=number, view=View.decode(kind), **spot), key)
    if name == INBOX:
        return Action(label, list_link("mailbox.inbox"), key)
    return Action(label, list_link("mailbox.box", number=number), key)


__all__ = ["INBOX", "back_action", "found_screen", "list_screen", "mailbox", "show", "show_view", "title_of"]
