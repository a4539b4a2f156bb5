"""A list of messages on one device: as many rows and as long subjects as fit, each row on its own key.

Nothing here may know where the messages come from: mailboxes, sorted lists, threads and searches look alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from markupsafe import Markup

from gateway.account.profile import own_addresses
from gateway.device import WML
from gateway.markup import piece
from gateway.markup.keys import ROW_KEYS
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Screen, shorten, with_own_keys
from gateway.message.headers.header_fields import clean, safe_label
from gateway.store.base import DELETED, DRAFT, FLAGGED, SEEN, Summary
from gateway.store.mailbox_tree import role_of
from gateway.web.mailbox.reading_progress import open_link, positions
from gateway.web.mailbox.written_rows import RowTexts, WrittenPage, WrittenRows
from gateway.web.request.fitted_list import fitted_list
from gateway.web.request.mailbox_names import SLASH, short
from gateway.web.request.screens import make_screen, paging_actions, range_words
from gateway.web.request.visit import Visit, link

#: Maximum characters of a subject in a row; the first that fits is used.
_WIDTHS: Final = (120, 90, 70, 56, 46, 38, 31, 25, 20, 16, 12, 8)
_WHO: Final = 24
#: Characters for key and date.
_DATE: Final = 11
#: Screen lines that a subject may take; the list shows one, and the phone the rest of it when it scrolls.
_LINES: Final = 2
_FOLDER: Final = 16
#: The sender of a message whose sender could not be read.
UNKNOWN: Final = "?"


@dataclass(frozen=True, slots=True)
class ListEntry:
    """One message of a list. `href`: replaces the message's own link; `folder`: the folder's name, if another one."""

    summary: Summary
    href: str = ""
    messages: int = 1
    folder: str = ""


@dataclass(frozen=True, slots=True)
class ListFrame:
    """The frame around the rows. `first`: rank of the first row (0: none). `notes`: sentences above the rows.

    `next` returns the link to the next page for a number of shown rows, "" for none. `empty`: the sentence if there are
    no rows; `hint`: what can be done then.
    """

    title: str
    first: int
    count: int
    next: Callable[[int], str]
    prev: str = ""
    actions: Sequence[Action] = ()
    remarks: Sequence[str] = ()
    notes: Sequence[str] = ()
    empty: str = ""
    hint: str = ""
    forget: bool = False


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One message in a list, in the person's language."""

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
    folder: str


def list_screen(
    visit: Visit,
    entries: Sequence[ListEntry],
    frame: ListFrame,
    sentence: str = "",
    written: WrittenRows[MessageRow] | None = None,
) -> Screen:
    """Make the screen with the longest subjects that fit the device, of as many rows as fit.

    `written`: the rows that the session has kept.
    """
    kept = written if written is not None and visit.config.keep_read else WrittenRows()
    page = _page(visit, entries, kept)

    def written_rows(width: int, count: int) -> list[Markup]:
        narrow = [_narrow(row, width, min(who, width)) for row in page.rows[:count]]
        return [kept.markup(row, partial(_written, visit, row)) for row in narrow]

    def screen(width: int, count: int) -> Screen:
        shape = width, count
        rows = page.marked_up(shape, partial(written_rows, width, count))
        return page.screen(shape, _screen(visit, frame, rows, sentence))

    device = visit.device
    # A sender shares its line with the subject, or in XHTML with key and date.
    beside = 0 if device.is_narrow else _DATE
    who = min(_WHO, device.columns // 2 if device.markup == WML else device.columns - beside)
    widths = [width for width in _WIDTHS if width <= _LINES * device.columns]
    return fitted_list(screen, visit.fits, widths, len(page.rows))


def _narrow(row: MessageRow, subject: int, who: int) -> MessageRow:
    if len(row.subject) <= subject and len(row.who) <= who:
        return row
    return replace(row, subject=shorten(row.subject, subject), who=shorten(row.who, who))


def _written(visit: Visit, row: MessageRow) -> Markup:
    return piece("mailbox_row", visit.device, visit.language.gettext, row=row)


def _page(
    visit: Visit, entries: Sequence[ListEntry], kept: WrittenRows[MessageRow]
) -> WrittenPage[MessageRow]:
    """Make the rows, each linked to where reading stopped in its message."""
    session = visit.signed_in
    uids: dict[tuple[str, int], list[int]] = {}
    for entry in entries:
        ref = entry.summary.ref
        uids.setdefault((ref.mailbox, ref.uidvalidity), []).append(ref.uid)
    numbers = {mailbox: session.mailboxes.number(*mailbox) for mailbox in uids}
    stops = {mailbox: positions(visit, numbers[mailbox], found) for mailbox, found in uids.items()}
    own = own_addresses(session, visit.profile)
    kept.begin((visit.device, visit.language, visit.now.astimezone(visit.language.zone).date(), own))

    def row(index: int, entry: ListEntry) -> MessageRow:
        ref = entry.summary.ref
        mailbox = ref.mailbox, ref.uidvalidity
        number, stop = numbers[mailbox], stops[mailbox].get(ref.uid)
        written = link("drafts.resume", number=number, uid=ref.uid) if is_draft(entry.summary) else ""
        href = entry.href or written or open_link(number, ref.uid, stop)
        return _row(visit, index, entry, href, kept.texts(entry.summary, partial(_texts, visit, own)))

    # Links are relative to the address of this page, and lead back to its origin.
    made_of = visit.origin, tuple(entries), numbers, stops
    return kept.page(visit.here, made_of, lambda: [row(index, entry) for index, entry in enumerate(entries)])


def _texts(visit: Visit, own: frozenset[str], summary: Summary) -> RowTexts:
    """Return sender or recipient, subject and date."""
    return (
        shorten(fit(_who(visit, summary, own), visit.device), _WHO),
        shorten(fit(subject_of(visit, summary), visit.device), _WIDTHS[0]),
        visit.language.short_date(summary.envelope.date or summary.received, visit.now),
    )


def _row(visit: Visit, index: int, entry: ListEntry, href: str, texts: RowTexts) -> MessageRow:
    summary = entry.summary
    who, subject, date = texts
    return MessageRow(
        href=href,
        key=ROW_KEYS[index : index + 1],
        who=who,
        subject=subject,
        date=date,
        unseen=SEEN not in summary.flags,
        flagged=FLAGGED in summary.flags,
        attached=summary.attached,
        deleted=DELETED in summary.flags,
        messages=visit.language.number(entry.messages) if entry.messages > 1 else "",
        folder=short(fit(entry.folder, visit.device).split(SLASH), _FOLDER) if entry.folder else "",
    )


def is_draft(summary: Summary) -> bool:
    """Return whether a message of a list is a mail that is being written: it opens for writing."""
    # QUIRK: GNU imap4d does not keep the flags of APPEND; what is in Drafts is a draft even without them.
    return DRAFT in summary.flags or role_of(summary.ref.mailbox) == "drafts"


def subject_of(visit: Visit, summary: Summary) -> str:
    """Return the subject of a message in a list, or text saying that there is none or that it is not known."""
    _ = visit.language.gettext
    none = _("(no subject)") if summary.readable else _("(unreadable)")
    return clean(summary.envelope.subject) or none


def _who(visit: Visit, summary: Summary, own: frozenset[str]) -> str:
    """Return the sender of a mail, or its recipient if it is the person's own."""
    _ = visit.language.gettext
    envelope = summary.envelope
    if is_draft(summary) and summary.readable:
        named = (*envelope.to, *envelope.cc, *envelope.bcc)
        return _("To %(who)s") % {"who": safe_label(named[0])} if named else _("To nobody yet")
    sender = envelope.from_ or envelope.sender
    if sender and sender[0].spec.lower() in own and envelope.to and envelope.to[0].spec.lower() not in own:
        return _("To %(who)s") % {"who": safe_label(envelope.to[0])}
    nobody = _("(nobody)") if summary.readable else UNKNOWN
    return safe_label(sender[0]) if sender else nobody


def _screen(visit: Visit, frame: ListFrame, rows: Sequence[Markup], sentence: str) -> Screen:
    values = {
        "sentence": sentence,
        "rows": rows,
        "range": _range(visit, frame, len(rows)),
        "notes": frame.notes,
        "hint": "" if frame.count else frame.hint,
    }
    actions = (*paging_actions(visit, frame.next(len(rows)), frame.prev), *frame.actions)
    actions = with_own_keys(actions, sentence)
    return make_screen(visit, "mailbox", frame.title, values, actions, forget=frame.forget)


def _range(visit: Visit, frame: ListFrame, shown: int) -> str:
    """Return which range of the list is shown, and how the list is sorted and filtered."""
    last = max(frame.first, frame.first + shown - 1)
    text = range_words(visit, frame.first, last, frame.count) if frame.count else frame.empty
    return ", ".join((text, *frame.remarks))
