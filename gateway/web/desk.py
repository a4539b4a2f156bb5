"""A mail on the desk: what it began with, what was typed, how it is shown, and how it gets into Drafts.

Nothing here may send, or lose what was typed: what has no room on a page is saved first, and a request that comes
twice saves once. A draft that was saved again is found by the addresses of its earlier versions.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from flask import Response

from gateway import outbox
from gateway.errors import GatewayError
from gateway.markup.screen import Life
from gateway.message import outgoing
from gateway.store.base import MailStore, MessageRef
from gateway.web import assembly, compose_page, late, letter, origin, sending
from gateway.web.compose_page import Paper
from gateway.web.letter import Content, Doubt, Letter
from gateway.web.message import Place
from gateway.web.origin import Origin
from gateway.web.respond import respond
from gateway.web.visit import Visit

log = logging.getLogger(__name__)

#: Kind in the account's memory: which draft took the place of which.
CHAIN: Final = "drafts"
#: Drafts that are followed so; the oldest are forgotten.
MOST: Final = 100

Load = Callable[[Visit, MailStore], Origin]


@dataclass(frozen=True, slots=True)
class Target:
    """A page on which a mail is written: its endpoint, and how to find what it begins with."""

    endpoint: str
    values: Mapping[str, object]
    load: Load


@dataclass(frozen=True, slots=True)
class Desk:
    """A mail being written: where, what it began with, what was typed.

    `kept` names a text that came back. `lost`: what it began with cannot be had just now.
    """

    target: Target
    origin: Origin
    typed: Letter = field(default_factory=Letter)
    kept: str = ""
    lost: bool = False

    def content(self, visit: Visit) -> Content:
        """Say what the mail would be."""
        return letter.content(self.typed, self.origin, visit.profile.identities)

    def begun(self) -> Desk:
        """Return the same before anything was typed."""
        return replace(self, typed=Letter(piece=self.origin.text))


def resume(number: int, uid: int) -> Target:
    """Name the page of a message that is resumed, wherever its newest version is."""

    def load(visit: Visit, store: MailStore) -> Origin:
        return origin.resumed_draft(visit, store, _newest(visit, Place(number, uid)))

    return Target("drafts.resume", {"number": number, "uid": uid}, load)


def _newest(visit: Visit, place: Place) -> Place:
    """Follow a draft to the version of it that was saved last."""
    memory = visit.signed_in.memory
    for _step in range(MOST):
        found = memory.get(CHAIN, f"{place.number}.{place.uid}")
        if found is None:
            break
        place = Place(found["number"], found["uid"])
    return place


# --- pages ---


def page(
    visit: Visit, desk: Desk, sentence: str = "", names: Collection[str] = (), doubts: tuple[Doubt, ...] = ()
) -> Response:
    """Show a mail as it is now; what has no room on the page is saved first. `names`: fields that are open already."""
    screen, whole = compose_page.shown(visit, paper(visit, desk, sentence, names, doubts))
    if not (whole or desk.lost or desk.origin.whole is not None):  # what is sent on untouched has no draft
        try:
            desk = save(visit, desk)
        except GatewayError as error:
            log.warning("what has no room could not be saved: %s: %s", type(error).__name__, error.detail)
        else:
            screen, _whole = compose_page.shown(visit, paper(visit, desk, sentence, names, doubts))
    return respond(screen, Life.PRIVATE)


def paper(
    visit: Visit, desk: Desk, sentence: str = "", names: Collection[str] = (), doubts: tuple[Doubt, ...] = ()
) -> Paper:
    """Lay a mail out for its page."""
    typed = {name: text for name in letter.PEOPLE if (text := desk.typed.typed(name)) is not None}
    return Paper(
        (desk.target.endpoint, desk.target.values),
        desk.origin,
        desk.content(visit),
        compose_page.opened(visit, desk.origin, names),
        typed,
        desk.typed.piece,
        desk.typed.begun,
        doubts,
        sentence,
        desk.kept,
    )


# --- saving ---


def save(
    visit: Visit,
    desk: Desk,
    added: Iterable[outgoing.Part] = (),
    without: frozenset[str] = frozenset(),
) -> Desk:
    """Put the mail into Drafts in place of what was there, and go on from it. Raise GatewayError."""
    session = visit.signed_in
    content = desk.content(visit)
    added = tuple(added)
    with session.store() as store:
        mail = assembly.assembled(visit, store, desk.origin, content, added, without)
        ref = outbox.save_draft(session, store, mail.octets, desk.origin.draft, visit.now)
        if ref is None:
            return desk
        desk = moved(visit, desk, ref)
        if desk.origin.enclosures or added:
            there = origin.enclosures(ref, store.structure(ref))
            desk = replace(desk, origin=replace(desk.origin, enclosures=there))
    return desk


def moved(visit: Visit, desk: Desk, ref: MessageRef) -> Desk:
    """Go on from the message in Drafts that has all that was typed."""
    session = visit.signed_in
    number = session.mailbox_number(ref.mailbox, ref.uidvalidity)
    content = desk.content(visit)
    old = desk.origin.draft
    if old is not None and old != ref:
        name = f"{session.mailbox_number(old.mailbox, old.uidvalidity)}.{old.uid}"
        session.memory.put(CHAIN, name, {"number": number, "uid": ref.uid}, MOST)
    kept = replace(
        desk.origin,
        fields=origin.open_fields(content.to, content.subject),
        to=content.to,
        cc=content.cc,
        bcc=content.bcc,
        loose=content.loose,
        subject=content.subject,
        sender=content.sender,
        text=content.text,
        draft=ref,
    )
    return Desk(resume(number, ref.uid), kept, Letter(piece=content.text))


def once(visit: Visit, desk: Desk, form: Mapping[str, str], change: Callable[[], Desk] | None = None) -> Desk:
    """Save, or change and save, once for each ticket: a repeat finds what the first one saved."""
    session = visit.signed_in
    ticket = form.get("keep") or form.get("ticket", "")
    claim = session.claim(ticket)
    if not claim.fresh:
        found = sending.first_outcome(session, ticket, claim)
        number, _dot, uid = found.get("draft", "").partition(".")
        if number and uid:
            return _again(visit, desk, resume(int(number), int(uid)))
    try:
        desk = change() if change is not None else save(visit, desk)
    except GatewayError:
        session.settle(ticket, {"outcome": "not saved"})
        raise
    values = desk.target.values
    draft = f"{values['number']}.{values['uid']}" if desk.origin.draft is not None else ""
    session.settle(ticket, {"outcome": "saved", "draft": draft})
    late.forget(visit, form)
    return replace(desk, kept="")


def _again(visit: Visit, desk: Desk, target: Target) -> Desk:
    """Bring what a repeated request holds to what the first one saved: nothing new, mostly."""
    with visit.signed_in.store() as store:
        there = Desk(target, target.load(visit, store)).begun()
    if _same(desk.content(visit), there.content(visit)):
        return there
    kept = replace(desk.origin, draft=there.origin.draft, enclosures=there.origin.enclosures)
    return save(visit, replace(desk, target=target, origin=kept))


def changed(visit: Visit, desk: Desk) -> bool:
    """Say whether there is anything to be saved."""
    now, before = desk.content(visit), desk.begun().content(visit)
    return not _same(now, before) or now.loose != before.loose


def _same(one: Content, other: Content) -> bool:
    """Compare two mails, but for blanks and for names of people."""

    def plain(content: Content) -> tuple[object, ...]:
        people = [tuple(address.spec.lower() for address in content.people(name)) for name in letter.PEOPLE]
        return (*people, content.subject.strip(), content.text.split(), content.sender.address)

    return plain(one) == plain(other)
