"""Answers to invitations: who invites whom to what, and the reply that a calendar program understands.

Nothing here may change what identifies the event: the organizer's program finds it by UID, SEQUENCE and RECURRENCE-ID,
and times are repeated as they were written, with the zones that they name.
RFC 5546 §3.2.3 (REPLY), RFC 6047 §2.4 (mail).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Final

from gateway.account import invitations_seen
from gateway.account.profile import Identity, is_same_mailbox, own_addresses
from gateway.composing import assembly, basis
from gateway.composing.author import Author
from gateway.composing.mailbox_parts import ANSWER_TYPE
from gateway.composing.typed_mail import MailContent
from gateway.message import media_types
from gateway.message.headers import address_lists
from gateway.message.headers.header_fields import clean
from gateway.message.model import Address, Message, Part
from gateway.message.outgoing import builder
from gateway.message.vcard import folded
from gateway.rendition.records.invitations import Calendar, CalendarEvent, address_of, name_of, read
from gateway.rendition.records.records import Property, value_of
from gateway.sealed import send_journal
from gateway.sealed.vault import TicketedPost
from gateway.sending import outbox
from gateway.store.base import MailStore


def _(msgid: str) -> str:
    return msgid


#: Maximum characters of an event's name in a subject, and of a UID.
_NAME: Final = 200
_UID: Final = 1000
#: Maximum exceptions of a series that are answered with it.
_EVENTS: Final = 20
#: The properties of an event that a reply repeats, besides the person's own ATTENDEE.
_REPEATED: Final = (
    "UID",
    "RECURRENCE-ID",
    "SEQUENCE",
    "ORGANIZER",
    "SUMMARY",
    "DTSTART",
    "DTEND",
    "DURATION",
)
#: Parameters of an ATTENDEE that an answer replaces, or that only a request has.
_ASKED: Final = ("PARTSTAT", "RSVP")
_PARAMETER: Final = re.compile(r';([A-Za-z0-9-]+)=(?:"[^"]*"|[^";])*')
#: PARTSTAT (RFC 5545 §3.2.12) -> subject and text of the mail.
ANSWERS: Final = {
    "ACCEPTED": (_("Accepted: %(event)s"), _("%(who)s accepts the invitation: %(event)s")),
    "TENTATIVE": (_("Maybe: %(event)s"), _("%(who)s may come: %(event)s")),
    "DECLINED": (_("Declined: %(event)s"), _("%(who)s declines the invitation: %(event)s")),
}


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a calendar part says about one event, or about a series with its exceptions.

    `method` is REQUEST or CANCEL. `organizer`: their address. `name`: the event's name, '' if it has none.
    """

    method: str
    uid: str
    recurrence: str
    sequence: int
    organizer: Address
    name: str
    calendar: Calendar

    @property
    def event(self) -> str:
        """What identifies the event, in all its versions."""
        return "\0".join((self.uid, self.recurrence, self.organizer.spec.lower()))

    @property
    def series(self) -> str:
        """What identifies the series that the event belongs to."""
        return replace(self, recurrence="").event


def part_of(message: Message) -> Part | None:
    """Return the part that is a calendar, or else an attached one; never one of a message inside this one."""
    found: list[Part] = []
    waiting = [message.root]
    while waiting:
        part = waiting.pop()
        multipart = part.media_type.startswith("multipart/")
        waiting.extend(reversed(part.parts) if multipart else ())
        found.extend(() if multipart or not part.octets else (part,))
    kinds = media_types.names(media_types.CALENDAR)
    tests: tuple[Callable[[Part], bool], ...] = (
        lambda part: part.media_type == media_types.CALENDAR,
        lambda part: part.media_type in kinds or part.filename.lower().endswith(".ics"),
    )
    return next((part for is_one in tests for part in found if is_one(part)), None)


def parse(text: str, method: str = "") -> Invitation | None:
    """Parse a calendar part as an invitation; return None unless it is about one event and names its organizer.

    `method`: from the Content-Type, for a part that does not state it.
    """
    calendar = read(text)
    method = calendar.method or method.strip().upper()
    events = calendar.events
    if method not in ("REQUEST", "CANCEL") or not 0 < len(events) <= _EVENTS:
        return None
    whole = next((event for event in events if event.first("RECURRENCE-ID") is None), events[0])
    uid = whole.text("UID")
    alike = all(event.kind == "VEVENT" and event.text("UID") == uid for event in events)
    organizer = _organizer(whole)
    if not alike or not 0 < len(uid) <= _UID or organizer is None:
        return None
    if method == "REQUEST" and whole.text("STATUS").upper() == "CANCELLED":
        method = "CANCEL"
    number = whole.text("SEQUENCE")
    sequence = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0
    name = clean(value_of(whole.text("SUMMARY")))[:_NAME]
    return Invitation(method, uid, whole.text("RECURRENCE-ID"), sequence, organizer, name, calendar)


def _organizer(event: CalendarEvent) -> Address | None:
    found = event.first("ORGANIZER")
    spec = address_of(found[2], found[1]) if found else ""
    return Address(clean(name_of(found[1])), spec) if found and address_lists.valid(spec) else None


def is_own(author: Author, invitation: Invitation) -> bool:
    """Return whether the person is the organizer."""
    own = own_addresses(author.session, author.profile)
    return any(is_same_mailbox(one, invitation.organizer.spec) for one in own)


def send(
    author: Author, post: TicketedPost, number: int, uid: int, invitation: Invitation, answer: str
) -> tuple[outbox.Outcome, bool]:
    """Send an answer (a key of ANSWERS) to a message's invitation, once for each post.

    Return the outcome, and whether this request sent it, rather than an earlier one.
    """
    first = False

    def first_time(store: MailStore) -> outbox.Mail:
        nonlocal first
        first = True
        event, sequence = invitation.event, invitation.sequence
        sending = send_journal.name(post.key, post.mark)
        invitations_seen.record_pending(author.session, event, sequence, answer, sending)
        return make(author, store, number, uid, invitation, answer, post.ticket)

    return outbox.send(author.session, post, first_time, author.now), first


def make(
    author: Author, store: MailStore, number: int, uid: int, invitation: Invitation, answer: str, page: str
) -> outbox.Mail:
    """Make the mail that answers an invitation; `page` as in `assembly.assemble`."""
    attendee, identity = _attendee(author, invitation)
    say = author.language.gettext
    subject, text = (
        say(msgid)
        % {"event": invitation.name or say(_("(no subject)")), "who": identity.name or identity.address}
        for msgid in ANSWERS[answer]
    )
    initial = replace(basis.reply(author, store, number, uid), quotation=basis.no_quotation)
    content = MailContent((invitation.organizer,), (), (), (), subject, replace(identity, signature=""), text)
    stamp = f"{author.now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    octets = b"".join(map(folded, _lines(invitation, attendee, answer, stamp)))
    alternative = builder.Alternative(ANSWER_TYPE, octets)
    mail = assembly.assemble(author, store, initial, content, page, alternative=alternative)
    return assembly.with_copy(author, store, mail)


def _attendee(author: Author, invitation: Invitation) -> tuple[Property, Identity]:
    """Return the person's ATTENDEE, and the identity that answers; their own address if none of theirs is invited."""
    identities = author.profile.identities
    # Whole addresses first: somebody may have one address with a plus and one without.
    for same in (_is_same, is_same_mailbox):
        for event in invitation.calendar.events:
            for found in event.attendees:
                spec = address_of(found[2], found[1])
                identity = next((one for one in identities if same(one.address, spec)), None)
                if identity is None and same(author.session.address, spec):
                    identity = identities[0]
                if identity is not None:
                    return found, identity
    return ("ATTENDEE", "", f"mailto:{identities[0].address}"), identities[0]


def _is_same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _lines(invitation: Invitation, attendee: Property, answer: str, stamp: str) -> Iterator[str]:
    """Write the reply, line by line."""
    yield from ("BEGIN:VCALENDAR", "PRODID:-//Pocketpost//Pocketpost//EN", "VERSION:2.0", "METHOD:REPLY")
    yield from _written(invitation.calendar.zone_lines)
    name, parameters, value = attendee
    for event in invitation.calendar.events:
        yield from ("BEGIN:VEVENT", f"DTSTAMP:{stamp}")
        yield from _written(found for wanted in _REPEATED if (found := event.first(wanted)) is not None)
        yield f"{name}{_given(parameters)};PARTSTAT={answer}:{value.strip()}"
        yield "END:VEVENT"
    yield "END:VCALENDAR"


def _given(parameters: str) -> str:
    return "".join(one.group() for one in _PARAMETER.finditer(parameters) if one[1].upper() not in _ASKED)


def _written(properties: Iterable[Property]) -> Iterator[str]:
    return (f"{name}{parameters}:{value}" for name, parameters, value in properties)
