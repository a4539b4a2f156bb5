"""The page on which messages of a list are ticked, and the encoding of messages in its form.

Nothing here may fetch or change anything. A row identifies its message by UID, and by mailbox if that is not the one
of the address; sets of messages are encoded as 3:70-75.77,5:9.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.actions.operation_outcomes import decode_uids, encode_uids
from gateway.actions.table import OPERATIONS
from gateway.markup.keys import KEYS, ROW_KEYS
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Screen, shorten
from gateway.message.headers.header_fields import safe_label
from gateway.store.base import SEEN, MessageRef, Summary
from gateway.web.mailbox.message_rows import UNKNOWN, subject_of
from gateway.web.mailbox.origin_list import ListPage, ListRows
from gateway.web.request.fitted_list import fitted_list
from gateway.web.request.mailbox_names import TITLE, title_of
from gateway.web.request.screens import make_screen, paging_actions, range_words
from gateway.web.request.visit import Visit, link

#: Scope of an operation: ticked messages, all on the page, all of the list.
TICKED, PAGE, FOUND = "t", "p", "f"
#: Maximum characters of a row; the first that fits is used.
_WIDTHS: Final = (90, 70, 56, 46, 38, 31, 25, 20, 16)
_WHO: Final = 24


@dataclass(frozen=True, slots=True)
class TickRow:
    """One row with a box to tick; `value` identifies its message in the form."""

    value: str
    key: str
    who: str
    subject: str
    date: str
    unseen: bool


def tick_screen(
    visit: Visit, list_page: ListPage, found: ListRows, words: Sequence[str], sentence: str
) -> Screen:
    """Make the page with the longest rows that fit, or else with as many of the shortest as fit."""
    boxes = [_row(visit, list_page.number, index, summary) for index, summary in enumerate(found.summaries)]

    def screen(width: int, rows: int) -> Screen:
        narrow = [
            replace(box, subject=shorten(box.subject, width), who=shorten(box.who, width))
            for box in boxes[:rows]
        ]
        return _screen(visit, list_page, found, narrow, words, sentence)

    return fitted_list(screen, visit.fits, _WIDTHS, len(boxes))


def _row(visit: Visit, number: int | None, index: int, summary: Summary) -> TickRow:
    _ = visit.language.gettext
    envelope = summary.envelope
    who = envelope.from_ or envelope.sender
    nobody = _("(nobody)") if summary.readable else UNKNOWN
    own = visit.signed_in.mailboxes.number(summary.ref.mailbox, summary.ref.uidvalidity)
    return TickRow(
        value=f"{summary.ref.uid}" if own == number else f"{own}.{summary.ref.uid}",
        key=ROW_KEYS[index : index + 1],
        who=shorten(fit(safe_label(who[0]) if who else nobody, visit.device), _WHO),
        subject=fit(subject_of(visit, summary), visit.device),
        date=visit.language.short_date(envelope.date or summary.received, visit.now),
        unseen=SEEN not in summary.flags,
    )


def _screen(
    visit: Visit,
    list_page: ListPage,
    found: ListRows,
    boxes: Sequence[TickRow],
    words: Sequence[str],
    sentence: str,
) -> Screen:
    _ = visit.language.gettext
    shown = found.summaries[: len(boxes)]
    after = found.after[len(boxes) - 1 : len(boxes)] if boxes else ()
    next_page = link("bulk.tick", **ListPage(list_page.number, after[0]).arguments) if after else ""
    actions = (*paging_actions(visit, next_page, "", soft=""), back_action(visit, list_page))
    scopes = [(TICKED, _("Selected")), (PAGE, _("All on this page"))]
    if found.all and found.count > len(boxes):
        scopes.append((FOUND, _("All %(count)s") % {"count": visit.language.number(found.count)}))
    last = found.first + len(boxes) - 1
    values = {
        "sentence": sentence,
        "range": range_words(visit, found.first, last, found.count) if boxes else _("No messages here."),
        "boxes": boxes,
        "operations": [(word, _(OPERATIONS[word].label)) for word in words],
        "scopes": scopes,
        "page": ",".join(encode_refs(visit, (summary.ref for summary in shown))),
        "target": link("bulk.tick", **list_page.arguments),
        "ticket": visit.signed_in.ticket(),
        "fresh": visit.variable_prefix(),
    }
    name = found.summaries[0].ref.mailbox if list_page.number is not None and shown else ""
    title = _("Select: %(folder)s") % {"folder": title_of(visit, name, TITLE)} if name else _("Select")
    return make_screen(visit, "several", title, values, actions)


def back_action(visit: Visit, list_page: ListPage) -> Action:
    """Return the action back to the list."""
    return Action(
        visit.language.gettext("Back"), link("bulk.return_to_list", **list_page.arguments), KEYS["Back"]
    )


def encode_refs(visit: Visit, refs: Iterable[MessageRef]) -> list[str]:
    """Encode messages, one word per mailbox: 3:70-75.77."""
    found: dict[tuple[str, int], list[int]] = {}
    for ref in refs:
        found.setdefault((ref.mailbox, ref.uidvalidity), []).append(ref.uid)
    number = visit.signed_in.mailboxes.number
    return [f"{number(*mailbox)}:{encode_uids(uids)}" for mailbox, uids in found.items()]


def decode_refs(visit: Visit, text: str) -> list[MessageRef]:
    """Decode what `encode_refs` wrote; ignore anything else."""
    refs: list[MessageRef] = []
    for piece in text.split(","):
        number, colon, uids = piece.partition(":")
        if colon and number.isascii() and number.isdigit() and len(number) < 10:
            mailbox = visit.mailbox(int(number))
            refs += [MessageRef(*mailbox, uid) for uid in decode_uids(uids)]
    return refs
