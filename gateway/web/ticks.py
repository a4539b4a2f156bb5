"""The page of a list on which messages are ticked, and the words by which a form names messages.

Nothing here may fetch or change anything. A row names its message by UID, and its mailbox where that is not the one of
the address; many together are one word: 3:70-75.77,5:9.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway import markup
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen, shorten
from gateway.message.headers import clean, safe_label
from gateway.store.base import SEEN, MessageRef, Summary
from gateway.web import deeds
from gateway.web.deeds import DEEDS
from gateway.web.naming import title_of
from gateway.web.places import Here, Stretch
from gateway.web.visit import Visit, link

#: What a form says of those that are meant: those ticked, all on the page, all that the list finds.
TICKED, PAGE, FOUND = "t", "p", "f"
#: Characters of a row: the first of them with which the page fits.
_WIDTHS: Final = (90, 70, 56, 46, 38, 31, 25, 20, 16)
_WHO: Final = 24
_KEYS: Final = "123456789"


@dataclass(frozen=True, slots=True)
class Box:
    """One row to be ticked; `value` names its message in the form."""

    value: str
    key: str
    who: str
    subject: str
    date: str
    unseen: bool


def tick_screen(visit: Visit, here: Here, found: Stretch, words: Sequence[str], sentence: str) -> Screen:
    """Make the page with as long rows as fit, and then with as many."""
    boxes = [_box(visit, here.number, index, summary) for index, summary in enumerate(found.summaries)]
    widths = iter(_WIDTHS)
    width = next(widths)
    while True:
        narrow = [replace(b, subject=shorten(b.subject, width), who=shorten(b.who, width)) for b in boxes]
        screen = _made(visit, here, found, narrow, words, sentence)
        if not boxes or markup.size(screen, visit.device) <= visit.device.deck_limit:
            return screen
        following = next(widths, None)
        if following is None:
            boxes.pop()
        width = following or width


def _box(visit: Visit, number: int | None, index: int, summary: Summary) -> Box:
    _ = visit.language.gettext
    envelope = summary.envelope
    who = envelope.from_ or envelope.sender
    own = visit.signed_in.mailbox_number(summary.ref.mailbox, summary.ref.uidvalidity)
    return Box(
        value=f"{summary.ref.uid}" if own == number else f"{own}.{summary.ref.uid}",
        key=_KEYS[index : index + 1],
        who=shorten(fit(safe_label(who[0]) if who else _("(nobody)"), visit.device), _WHO),
        subject=fit(clean(envelope.subject) or _("(no subject)"), visit.device),
        date=visit.language.short_date(envelope.date or summary.received, visit.now),
        unseen=SEEN not in summary.flags,
    )


def _made(
    visit: Visit,
    here: Here,
    found: Stretch,
    boxes: Sequence[Box],
    words: Sequence[str],
    sentence: str,
) -> Screen:
    _, count = visit.language.gettext, visit.language.number
    shown = found.summaries[: len(boxes)]
    actions = []
    after = found.after[len(boxes) - 1 : len(boxes)] if boxes else ()
    if after:
        actions.append(Action(_("Next"), link("several.tick", **Here(here.number, after[0]).arguments), "#"))
    actions.append(back(visit, here))
    of = {
        "first": count(found.first),
        "last": count(found.first + len(boxes) - 1),
        "count": count(found.count),
    }
    scopes = [(TICKED, _("Ticked")), (PAGE, _("All on this page"))]
    if found.all and found.count > len(boxes):
        scopes.append((FOUND, _("All %(count)s") % of))
    values = {
        "sentence": sentence,
        "range": _("%(first)s–%(last)s of %(count)s") % of if boxes else _("No messages here."),
        "boxes": boxes,
        "deeds": [(word, _(DEEDS[word].label)) for word in words],
        "scopes": scopes,
        "page": ",".join(sets(visit, (summary.ref for summary in shown))),
        "target": link("several.tick", **here.arguments),
        "ticket": visit.signed_in.ticket(),
        "fresh": visit.fresh(),
    }
    name = found.summaries[0].ref.mailbox if here.number is not None and shown else ""
    title = _("Select: %(folder)s") % {"folder": title_of(visit, name)} if name else _("Select")
    return Screen(
        "several", title, values, tuple(actions), life=Life.CHECK, words=_, language=visit.language.tag
    )


def back(visit: Visit, here: Here) -> Action:
    """Lead back to the list."""
    return Action(visit.language.gettext("Back"), link("several.leave", **here.arguments), "0")


def sets(visit: Visit, refs: Iterable[MessageRef]) -> list[str]:
    """Write messages in one word for each of their mailboxes: 3:70-75.77."""
    found: dict[tuple[str, int], list[int]] = {}
    for ref in refs:
        found.setdefault((ref.mailbox, ref.uidvalidity), []).append(ref.uid)
    number = visit.signed_in.mailbox_number
    return [f"{number(*mailbox)}:{deeds.joined(uids)}" for mailbox, uids in found.items()]


def of_sets(visit: Visit, text: str) -> list[MessageRef]:
    """Read what `sets` wrote; what is nothing of the kind names no message."""
    refs: list[MessageRef] = []
    for piece in text.split(","):
        number, colon, uids = piece.partition(":")
        if colon and number.isascii() and number.isdigit() and len(number) < 10:
            mailbox = visit.mailbox(int(number))
            refs += [MessageRef(*mailbox, uid) for uid in deeds.parted(uids)]
    return refs
