"""The list of a mailbox, newest first, in windows of sequence numbers; or in another order, filtered, in threads.

Nothing here may fetch more than the rows it shows. A page's address is the sequence number of its first row, or in
other orders the rank and UID of that row: new mail does not shift the pages below it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from flask import Blueprint, Response, request

from gateway.addresses import ListPositionCode, Origin, ViewCode
from gateway.errors import AuthenticationFailed, MailboxClosed, MailboxGone, StoreError, StoreTLSError
from gateway.markup.keys import BACK_KEY, KEYS
from gateway.markup.screen import Action, Screen
from gateway.sending.filing import DRAFTS
from gateway.store.abilities import Order
from gateway.store.base import FIRST, INBOX, FoundList, Listing, ListPosition, ListRow, MailStore, Window
from gateway.web.entry import restored_forms
from gateway.web.mailbox import list_views
from gateway.web.mailbox.list_views import ListView, position_code
from gateway.web.mailbox.message_rows import ListEntry, ListFrame, MessageRow
from gateway.web.mailbox.message_rows import list_screen as framed
from gateway.web.mailbox.written_rows import WrittenRows
from gateway.web.request.mailbox_names import TITLE, title_of
from gateway.web.request.respond import respond
from gateway.web.request.screens import inbox_action, notice_screen
from gateway.web.request.visit import Visit, current, link, list_link

log = logging.getLogger(__name__)
mailbox = Blueprint("mailbox", __name__)


def _(msgid: str) -> str:
    return msgid


_FAILED: Final = _("The mail server could not show the list that way. Here it is in order of arrival.")
#: Filters in the query string of the inbox (`/i?f=unread`).
_ASKED: Final = {"unread": list_views.UNREAD, "flagged": list_views.FLAGGED}


@mailbox.get("/i")
def inbox() -> Response:
    """Show the newest messages of the inbox."""
    asked = _ASKED.get(request.args.get("f", ""))
    if asked:
        return show_view(current(), INBOX, ListView(filter=asked))
    return show(INBOX, None)


@mailbox.get("/bd")
def drafts() -> Response:
    """Show the newest drafts."""
    visit = current()
    with visit.signed_in.store() as store:
        name, keeps = store.special(DRAFTS), store.can.append
    if name is not None:
        return show(name, None)
    _ = visit.language.gettext
    sentence = _("No drafts yet. Messages that you save before sending are kept here.")
    actions = [Action(_("Write"), link("write.new"), KEYS["Write"]), inbox_action(visit)]
    if not keeps:
        sentence = _("This mailbox keeps no drafts and no sent mail.")
        if restored_forms.all_saved(visit.signed_in):
            actions.insert(0, Action(_("Your text"), link("restored_forms.show")))
    return respond(notice_screen(visit, _("Drafts"), sentence, actions))


@mailbox.get("/b<int:number>")
@mailbox.get("/b<int:number>.<int:top>")
def by_number(number: int, top: int | None = None) -> Response:
    """Show a mailbox from the message with sequence number `top` downwards, or in its usual view."""
    name, _uidvalidity = current().mailbox(number)
    return show(name, top)


@mailbox.get("/b<int:number>.<view:view>")
@mailbox.get("/b<int:number>.<view:view>.<listpos:start>")
def in_view(number: int, view: ViewCode, start: ListPositionCode = ListPositionCode()) -> Response:
    """Show a mailbox in an order, filtered, or one of its threads, from a position on."""
    visit = current()
    name, uidvalidity = visit.mailbox(number)
    return show_view(visit, name, ListView.of(view), ListPosition(*start), uidvalidity=uidvalidity)


def show(name: str, top: int | None, sentence: str = "") -> Response:
    """Show one window of a mailbox, under a sentence about the previous request."""
    visit = current()
    view = list_views.usual_view(visit, name) if top is None else ListView()
    return show_view(visit, name, view, sentence=sentence, top=top)


def show_view(
    visit: Visit,
    name: str,
    view: ListView,
    position: ListPosition = FIRST,
    *,
    uidvalidity: int = 0,
    top: int | None = None,
    page: int = 0,
    sentence: str = "",
) -> Response:
    """Show a mailbox in a view, from a position, a sequence number, or a page number.

    If the mail server cannot show that view, show the mailbox by arrival. Raise MailboxGone if the position is from
    before the mailbox's UIDVALIDITY changed.
    """
    try:
        return _shown(
            visit, name, view, position, uidvalidity=uidvalidity, top=top, page=page, sentence=sentence
        )
    except (AuthenticationFailed, MailboxClosed, MailboxGone, StoreTLSError):
        raise
    except StoreError as error:
        if (view.is_plain and position == FIRST) or error.retry_after:
            raise
        log.warning("a view failed: %s: %s", type(error).__name__, error.detail)
    # No choice of view ever keeps people from their mail.
    return _shown(visit, name, ListView(), sentence=visit.language.gettext(_FAILED))


def _shown(
    visit: Visit,
    name: str,
    view: ListView,
    position: ListPosition = FIRST,
    *,
    uidvalidity: int = 0,
    top: int | None = None,
    page: int = 0,
    sentence: str = "",
) -> Response:
    rows = visit.device.rows
    with visit.signed_in.store() as store:
        written: WrittenRows[MessageRow] = WrittenRows.of(store.cache)
        if view.is_plain and position == FIRST:
            listing = store.summaries(name, Window(rows, _top_of(store, name, page, rows) if page else top))
            return respond(list_screen(visit, listing, sentence, written))
        at = ListPosition((page - 1) * rows + 1) if page else position
        found = store.found(name, view.query, view.order, at, rows, view.thread)
    if (position.uid or view.thread) and uidvalidity and found.uidvalidity != uidvalidity:
        raise MailboxGone(f"UIDVALIDITY is {found.uidvalidity} now")
    return respond(view_screen(visit, found, view, sentence, written))


def _top_of(store: MailStore, name: str, page: int, rows: int) -> int:
    """Return the sequence number at which a page starts; if there are fewer pages, that of the last one."""
    exists = store.summaries(name, Window(1)).exists
    last = max(0, exists - 1) // rows
    return exists - min(page - 1, last) * rows


# --- by arrival


def list_screen(
    visit: Visit, listing: Listing, sentence: str = "", written: WrittenRows[MessageRow] | None = None
) -> Screen:
    """Make the screen of a window of sequence numbers."""
    number = visit.signed_in.mailboxes.number(listing.mailbox, listing.uidvalidity)
    summaries = listing.summaries
    front = listing.mailbox == INBOX and listing.top == listing.exists

    def next_page(shown: int) -> str:
        last = summaries[min(shown, len(summaries)) - 1].sequence if summaries and shown else 0
        return list_link("mailbox.by_number", number=number, top=last - 1) if last > 1 else ""

    actions = _actions(visit, number, front, listing.top if listing.top < listing.exists else 0)
    if 0 < listing.top < listing.exists:  # messages opened from here link back to this page
        visit.origin = Origin(top=listing.top).encode()
    frame = ListFrame(
        title=_title(visit, listing.mailbox, listing.unseen),
        first=listing.exists - listing.top + 1,
        count=listing.exists,
        next=next_page,
        prev=_newer_link(visit, listing, number),
        actions=actions,
        remarks=_undeleted(visit, listing.undeleted),
        empty=visit.language.gettext("No messages here."),
        hint=visit.language.gettext("Refresh looks for new mail."),
        forget=front,
    )
    return framed(visit, [ListEntry(summary) for summary in summaries], frame, sentence, written)


def _newer_link(visit: Visit, listing: Listing, number: int) -> str:
    """Return the link to the page above a window, "" if there is none."""
    if not 0 < listing.top < listing.exists:
        return ""
    above = listing.top + visit.device.rows
    if above < listing.exists:
        return list_link("mailbox.by_number", number=number, top=above)
    if not list_views.usual_view(visit, listing.mailbox).is_plain:
        return list_link("mailbox.in_view", number=number, view=ListView().code)
    if listing.mailbox == INBOX:
        return list_link("mailbox.inbox")
    return list_link("mailbox.by_number", number=number)


# --- in other orders


def view_screen(
    visit: Visit,
    found: FoundList,
    view: ListView,
    sentence: str = "",
    written: WrittenRows[MessageRow] | None = None,
) -> Screen:
    """Make the screen of a range of a list that the server has sorted or filtered."""
    _ = visit.language.gettext
    number = visit.signed_in.mailboxes.number(found.mailbox, found.uidvalidity)
    lines = found.lines
    # Messages opened from here link back to this page.
    here = position_code(lines[0].position) if lines and found.rank > 1 else None
    visit.origin = Origin(view=view.code, position=here).encode()

    def next_page(shown: int) -> str:
        start = lines[shown].position if shown < len(lines) else found.beyond
        return _leading(number, view, start) if start is not None else ""

    entries = [
        ListEntry(line.summary, _thread_link(number, view, line) if line.messages > 1 else "", line.messages)
        for line in lines
    ]
    front = found.mailbox == INBOX and found.rank <= 1
    frame = ListFrame(
        title=_title(visit, found.mailbox, found.unseen),
        first=max(1, found.rank),
        count=found.count,
        next=next_page,
        prev=_before_link(visit, found, number, view),
        actions=_view_actions(visit, number, view, front),
        remarks=[*_remarks(visit, found, view), *_undeleted(visit, found.undeleted)],
        empty=_("No messages here."),
        hint=_("View, in the menu, shows the others.") if view.filter else _("Refresh looks for new mail."),
        forget=front and not view.thread,
    )
    return framed(visit, entries, frame, sentence, written)


def _leading(number: int, view: ListView, start: ListPosition) -> str:
    return list_link("mailbox.in_view", number=number, view=view.code, start=position_code(start))


def _before_link(visit: Visit, found: FoundList, number: int, view: ListView) -> str:
    """Return the link to the page before a range, "" if there is none."""
    if not found.lines or found.rank <= 1:
        return ""
    if found.rank <= visit.device.rows + 1:
        return list_link("mailbox.in_view", number=number, view=view.code)
    return _leading(number, view, replace(found.lines[0].position, before=True))


def _thread_link(number: int, view: ListView, line: ListRow) -> str:
    return list_link("mailbox.in_view", number=number, view=replace(view, thread=line.position.uid).code)


def _view_actions(visit: Visit, number: int, view: ListView, front: bool) -> Sequence[Action]:
    actions = _actions(visit, number, front)
    if not view.thread:
        return actions
    threads = ListView(Order.THREADS, view.filter)
    url = list_link("mailbox.in_view", number=number, view=threads.code)
    return (Action(visit.language.gettext("Threads"), url), *actions)


def _remarks(visit: Visit, found: FoundList, view: ListView) -> Sequence[str]:
    """Return notes on the order of the list, what is left out, and what the server could not do."""
    _ = visit.language.gettext
    shown = replace(view, order=found.order, filter=view.filter if found.filtered else list_views.ALL)
    remarks = [_(note) for note in shown.notes]
    if not found.filtered:
        remarks.append(_("all messages, since this mail server cannot search"))
    if found.order is not view.order is not Order.RECEIVED:
        remarks.append(_("by arrival, since this mail server cannot sort that way"))
    if found.newest:
        remarks.append(_("among the newest %(count)s") % {"count": visit.language.number(found.newest)})
    return remarks


# --- common to both


def _undeleted(visit: Visit, count: int) -> Sequence[str]:
    """Say that there are messages which the server claimed to have deleted."""
    if not count:
        return ()
    words = visit.language.ngettext(
        "%(count)s message is back that the mail server said it had deleted",
        "%(count)s messages are back that the mail server said it had deleted",
        count,
    )
    return (words % {"count": visit.language.number(count)},)


def _title(visit: Visit, name: str, unseen: int | None) -> str:
    title = title_of(visit, name, TITLE)
    return f"{title} ({visit.language.number(unseen)})" if unseen else title


def _actions(visit: Visit, number: int, front: bool, top: int = 0) -> tuple[Action, ...]:
    """Return the actions of a list: its twelve keys are for rows, paging and the menu.

    If there is no page before it, `*` fetches the current list.
    """
    _ = visit.language.gettext
    here = {"number": number, "top": top} if top else {"number": number}
    can = visit.signed_in.can
    return (
        *(() if front else (inbox_action(visit, ""),)),
        Action(_("Write"), link("write.new")),
        *((Action(_("Search"), link("search.form", number=number)),) if can.search else ()),
        Action(
            _("Refresh"),
            list_link("mailbox.inbox") if front else list_link("mailbox.by_number", number=number),
            KEYS["Refresh"],
        ),
        Action(_("Menu"), link("menu.show", **here), KEYS["Menu"], "options"),
    )


def back_action(visit: Visit, number: int, name: str, key: str = BACK_KEY) -> Action:
    """Return the action back to the list from which a message was opened, or else to the top of its mailbox."""
    label = title_of(visit, name, TITLE)
    origin = Origin.decode(visit.origin)
    if origin.search:
        at = {"row": origin.row} if origin.row > 1 else {}
        return Action(
            visit.language.gettext("Results"), list_link("search.results", name=origin.search, **at), key
        )
    if origin.view:
        start = {"start": origin.position} if origin.position else {}
        return Action(label, list_link("mailbox.in_view", number=number, view=origin.view, **start), key)
    if origin.top:
        return Action(label, list_link("mailbox.by_number", number=number, top=origin.top), key)
    if name == INBOX:
        return Action(label, list_link("mailbox.inbox"), key)
    return Action(label, list_link("mailbox.by_number", number=number), key)


__all__ = ["INBOX", "back_action", "list_screen", "mailbox", "show", "show_view", "title_of", "view_screen"]
