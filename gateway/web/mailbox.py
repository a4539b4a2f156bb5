"""The list of a mailbox, newest first, in windows of sequence numbers.

Nothing here may fetch more than the rows it shows. A page's address is the sequence number of its first row:
new mail does not shift the pages below it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask import Blueprint, Response

from gateway import markup
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen, shorten
from gateway.message.headers import clean, safe_label
from gateway.store.base import SEEN, Listing, Summary, Window
from gateway.web.reading import open_link
from gateway.web.respond import respond
from gateway.web.signin import sign_out_action
from gateway.web.visit import Visit, current, link, list_link

mailbox = Blueprint("mailbox", __name__)

INBOX = "INBOX"
#: Characters of a subject in a row: the first of them with which the page fits.
_WIDTHS = (120, 90, 70, 56, 46, 38, 31, 25, 20, 16, 12, 8)
_WHO = 24
#: Number keys, then letters for pages with more rows than a keypad has keys.
_KEYS = "123456789abcdefghijk"


@dataclass(frozen=True, slots=True)
class Row:
    """One message in a list, in the person's words."""

    href: str
    key: str
    who: str
    subject: str
    date: str
    unseen: bool
    attached: bool
    sequence: int


@mailbox.get("/i")
def inbox() -> Response:
    """Show the newest messages of the inbox."""
    return show(INBOX, None)


@mailbox.get("/b<int:number>")
@mailbox.get("/b<int:number>.<int:top>")
def box(number: int, top: int | None = None) -> Response:
    """Show a mailbox from the message with sequence number `top` downwards."""
    name, _uidvalidity = current().mailbox(number)
    return show(name, top)


def show(name: str, top: int | None, sentence: str = "") -> Response:
    """Show one window of a mailbox, under a sentence about what happened before."""
    visit = current()
    with visit.signed_in.store() as store:
        listing = store.summaries(name, Window(visit.device.rows, top))
    return respond(list_screen(visit, listing, sentence))


def list_screen(visit: Visit, listing: Listing, sentence: str = "") -> Screen:
    """Make the screen with as long subjects as the device's page takes, of as many rows as fit."""
    number = visit.signed_in.mailbox_number(listing.mailbox, listing.uidvalidity)
    stops = visit.signed_in.stops(number, [summary.ref.uid for summary in listing.summaries])
    rows = [
        _row(visit, index, summary, open_link(number, summary.ref.uid, stops.get(summary.ref.uid)))
        for index, summary in enumerate(listing.summaries)
    ]

    def screen(width: int) -> Screen:
        narrow = [
            replace(row, subject=shorten(row.subject, width), who=shorten(row.who, min(_WHO, width)))
            for row in rows
        ]
        return _screen(visit, listing, number, narrow, sentence)

    def fits(screen: Screen) -> bool:
        return markup.size(screen, visit.device) <= visit.device.deck_limit

    longest = screen(_WIDTHS[0])
    if fits(longest):
        return longest
    widest = bisect_left(_WIDTHS[1:-1], True, key=lambda width: fits(screen(width))) + 1
    while rows and widest == len(_WIDTHS) - 1 and not fits(screen(_WIDTHS[-1])):
        rows.pop()
    return screen(_WIDTHS[widest])


def _row(visit: Visit, index: int, summary: Summary, href: str) -> Row:
    _ = visit.language.gettext
    envelope = summary.envelope
    who = envelope.from_ or envelope.sender
    return Row(
        href=href,
        key=_KEYS[index : index + 1],
        who=shorten(fit(safe_label(who[0]) if who else _("(nobody)"), visit.device), _WHO),
        subject=shorten(fit(clean(envelope.subject) or _("(no subject)"), visit.device), _WIDTHS[0]),
        date=visit.language.short_date(envelope.date or summary.received, visit.now),
        unseen=SEEN not in summary.flags,
        attached=summary.attached,
        sequence=summary.sequence,
    )


def _screen(visit: Visit, listing: Listing, number: int, rows: Sequence[Row], sentence: str) -> Screen:
    _ = visit.language.gettext
    title = title_of(visit, listing.mailbox)
    if listing.unseen:
        title = f"{title} ({visit.language.number(listing.unseen)})"
    last = rows[-1].sequence if rows else 0
    actions = []
    if last > 1:
        actions.append(
            Action(_("Next"), list_link("mailbox.box", number=number, top=last - 1), "#", "accept")
        )
    if listing.top and listing.top < listing.exists:
        above = listing.top + visit.device.rows
        newest = above >= listing.exists
        href = (
            list_link("mailbox.inbox")
            if newest and listing.mailbox == INBOX
            else list_link("mailbox.box", number=number, **({} if newest else {"top": above}))
        )
        actions.append(Action(_("Prev"), href, "*"))
    front = listing.mailbox == INBOX and listing.top == listing.exists
    # A keypad has twelve keys: nine rows, on, back, and one more. What is seldom needed has none.
    actions.append(
        sign_out_action(visit, "0") if front else Action(_("Inbox"), list_link("mailbox.inbox"), "0")
    )
    if front:
        # There is no Prev on the first page, so its key is free.
        actions.append(Action(_("Settings"), link("settings.show"), "*"))
    return Screen(
        "mailbox",
        title,
        {"sentence": sentence, "rows": rows, "range": _range(visit, listing, len(rows))},
        tuple(actions),
        forget=front,
        life=Life.CHECK,
        words=_,
        language=visit.language.tag,
    )


def _range(visit: Visit, listing: Listing, shown: int) -> str:
    _ = visit.language.gettext
    if not listing.exists:
        return _("No messages here.")
    first = listing.exists - listing.top + 1
    return _("%(first)s–%(last)s of %(count)s") % {  # noqa: RUF100
        "first": visit.language.number(first),
        "last": visit.language.number(first + shown - 1),
        "count": visit.language.number(listing.exists),
    }


def title_of(visit: Visit, name: str) -> str:
    """Name a mailbox to the person."""
    return visit.language.gettext("Inbox") if name.upper() == INBOX else clean(name)
