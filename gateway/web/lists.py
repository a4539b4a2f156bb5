"""A list of messages on one device: as many rows as fit, with as long subjects as fit, each on a key of its own.

Nothing here may know where the messages come from: a mailbox, a sorted one, a thread, a search are all shown alike.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway import markup
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen, shorten
from gateway.message.headers import clean, safe_label
from gateway.message.model import Envelope
from gateway.profile import own_addresses
from gateway.store.base import DELETED, FLAGGED, SEEN, Summary
from gateway.web.reading import open_link
from gateway.web.visit import Visit

#: Characters of a subject in a row: the first of them with which the page fits.
_WIDTHS: Final = (120, 90, 70, 56, 46, 38, 31, 25, 20, 16, 12, 8)
_WHO: Final = 24
_PLACE: Final = 16
#: Number keys, then letters for pages with more rows than a keypad has keys.
_KEYS: Final = "123456789abcdefghijk"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list. `href` leads elsewhere than to the message; `place` names a folder that is another one."""

    summary: Summary
    href: str = ""
    messages: int = 1
    place: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the rows. `first`: rank of the first row (0: none). `notes`: sentences above the rows.

    `next` says where to go on when so many rows are shown ("": nowhere).
    """

    title: str
    first: int
    count: int
    next: Callable[[int], str]
    prev: str = ""
    ways: Sequence[Action] = ()
    remarks: Sequence[str] = ()
    notes: Sequence[str] = ()
    empty: str = ""
    forget: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One message in a list, in the person's words."""

    href: str
    key: str
    who: str
    subject: str
    date: str
    unseen: bool
    flagged: bool
    attached: bool
    deleted: bool
    messages: str
    place: str


def list_screen(visit: Visit, entries: Sequence[Entry], frame: Frame, sentence: str = "") -> Screen:
    """Make the screen with as long subjects as the device's page takes, of as many rows as fit."""
    rows = _rows(visit, entries)

    def screen(width: int) -> Screen:
        narrow = [
            replace(row, subject=shorten(row.subject, width), who=shorten(row.who, min(_WHO, width)))
            for row in rows
        ]
        return _screen(visit, frame, narrow, sentence)

    def fits(screen: Screen) -> bool:
        return markup.size(screen, visit.device) <= visit.device.deck_limit

    longest = screen(_WIDTHS[0])
    if fits(longest):
        return longest
    widest = bisect_left(_WIDTHS[1:-1], True, key=lambda width: fits(screen(width))) + 1
    while rows and widest == len(_WIDTHS) - 1 and not fits(screen(_WIDTHS[-1])):
        rows.pop()
    return screen(_WIDTHS[widest])


def _rows(visit: Visit, entries: Sequence[Entry]) -> list[Row]:
    """Say the lines, each leading to where its message was left."""
    session = visit.signed_in
    uids: dict[int, list[int]] = {}
    numbers = []
    for entry in entries:
        ref = entry.summary.ref
        numbers.append(session.mailbox_number(ref.mailbox, ref.uidvalidity))
        uids.setdefault(numbers[-1], []).append(ref.uid)
    stops = {number: session.stops(number, found) for number, found in uids.items()}
    own = own_addresses(session, visit.profile)
    rows = []
    for index, (entry, number) in enumerate(zip(entries, numbers, strict=True)):
        uid = entry.summary.ref.uid
        href = entry.href or open_link(number, uid, stops[number].get(uid))
        rows.append(_row(visit, index, entry, href, own))
    return rows


def _row(visit: Visit, index: int, entry: Entry, href: str, own: frozenset[str]) -> Row:
    _ = visit.language.gettext
    summary = entry.summary
    envelope = summary.envelope
    return Row(
        href=href,
        key=_KEYS[index : index + 1],
        who=shorten(fit(_who(visit, envelope, own), visit.device), _WHO),
        subject=shorten(fit(clean(envelope.subject) or _("(no subject)"), visit.device), _WIDTHS[0]),
        date=visit.language.short_date(envelope.date or summary.received, visit.now),
        unseen=SEEN not in summary.flags,
        flagged=FLAGGED in summary.flags,
        attached=summary.attached,
        deleted=DELETED in summary.flags,
        messages=visit.language.number(entry.messages) if entry.messages > 1 else "",
        place=shorten(fit(entry.place, visit.device), _PLACE),
    )


def _who(visit: Visit, envelope: Envelope, own: frozenset[str]) -> str:
    """Say who a mail is from; or to whom, where it is the person's own."""
    _ = visit.language.gettext
    sender = envelope.from_ or envelope.sender
    if sender and sender[0].spec.lower() in own and envelope.to and envelope.to[0].spec.lower() not in own:
        return _("To %(who)s") % {"who": safe_label(envelope.to[0])}
    return safe_label(sender[0]) if sender else _("(nobody)")


def _screen(visit: Visit, frame: Frame, rows: Sequence[Row], sentence: str) -> Screen:
    _ = visit.language.gettext
    actions = []
    onward = frame.next(len(rows))
    if onward:
        actions.append(Action(_("Next"), onward, "#", "accept"))
    if frame.prev:
        actions.append(Action(_("Prev"), frame.prev, "*"))
    return Screen(
        "mailbox",
        frame.title,
        {"sentence": sentence, "rows": rows, "range": _range(visit, frame, len(rows)), "notes": frame.notes},
        (*actions, *frame.ways),
        forget=frame.forget,
        life=Life.CHECK,
        words=_,
        language=visit.language.tag,
    )


def _range(visit: Visit, frame: Frame, shown: int) -> str:
    """Say which stretch of the list this is, and how the list is made."""
    _, number = visit.language.gettext, visit.language.number
    if not frame.count:
        said = frame.empty
    else:
        said = _("%(first)s–%(last)s of %(count)s") % {
            "first": number(frame.first),
            "last": number(max(frame.first, frame.first + shown - 1)),
            "count": number(frame.count),
        }
    return ", ".join((said, *frame.remarks))
