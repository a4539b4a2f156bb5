"""What a mail begins with, before anything is typed: recipients, subject, thread, what it quotes, what it carries.

Nothing here may send what it finds through a handheld: quotations and attachments stay with the mail server and are
fetched only as a mail is put together. RFC 5322 §3.6.3-4 (replies), RFC 2369 §3.4 (lists).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from gateway import filing
from gateway.errors import MessageGone
from gateway.markup.message_pages import reading_context
from gateway.message import outgoing, resumed
from gateway.message import reply as replies
from gateway.message.attachment import attachments
from gateway.message.headers import safe_label
from gateway.message.mailto import Mailto
from gateway.message.model import Address, Message, Part
from gateway.profile import Identity, own_addresses
from gateway.rendition.render import render
from gateway.store.base import ANSWERED, DRAFT, MailStore, MessageRef
from gateway.web.files import REAL_PICTURE
from gateway.web.message import Place, reference
from gateway.web.visit import Visit

#: Characters of the original that an answer quotes, and that is forwarded as text.
QUOTED: Final = 10 * 1024
FORWARDED: Final = 200_000
#: What marks a message as forwarded (IANA registry of IMAP keywords).
FORWARD_FLAG: Final = "$Forwarded"
#: Fields of a draft of ours, besides those of every mail (see `outgoing.DRAFT`).
REST: Final = outgoing.DRAFT + "Rest"
ABOUT: Final = outgoing.DRAFT + "About"
LOOSE: Final = {field: f"{outgoing.DRAFT}{field.title()}" for field in ("to", "cc", "bcc")}

Quotation = Callable[[MailStore], str]


def _(msgid: str) -> str:
    return msgid


def nothing(store: MailStore) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Enclosure:
    """Something of the mailbox that goes along: a part of a message, or (`part` None) the whole of it."""

    ref: MessageRef
    part: Part | None
    name: str
    octets: int
    alone: bool = False


@dataclass(frozen=True, slots=True)
class About:
    """The message that is answered or forwarded, and the flag it gets for that."""

    place: Place
    flag: str

    def __str__(self) -> str:
        return f"{'f' if self.flag == FORWARD_FLAG else 'a'}{self.place.number}.{self.place.uid}"

    @classmethod
    def read(cls, written: str) -> About | None:
        number, _dot, uid = written[1:].partition(".")
        if written[:1] not in ("a", "f") or not (number.isdecimal() and uid.isdecimal()):
            return None
        return cls(Place(int(number), int(uid)), FORWARD_FLAG if written[0] == "f" else ANSWERED)


@dataclass(frozen=True, slots=True)
class Origin:
    """What stands there at first, and what the server adds. `title` is a msgid.

    `loose`: recipients as typed, by field, where they are no addresses yet. `draft`: the message in Drafts that this
    was resumed from. `whole`: the message that is redirected, itself. `fields`: the inputs that are open at first.
    """

    title: str
    fields: tuple[str, ...]
    sender: Identity
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    loose: tuple[tuple[str, str], ...] = ()
    subject: str = ""
    text: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    about: About | None = None
    draft: MessageRef | None = None
    quotation: Quotation = nothing
    enclosures: tuple[Enclosure, ...] = ()
    whole: Enclosure | None = None

    def people(self, field: str) -> tuple[Address, ...]:
        """Return who stands in a field of recipients."""
        return {"to": self.to, "cc": self.cc, "bcc": self.bcc}[field]


#: Titles and open inputs.
_NEW: Final = (_("Write"), ("to", "subject", "text"))
_REPLY: Final = (_("Reply"), ("text",))
_REPLY_ALL: Final = (_("Reply all"), ("text",))
_REPLY_LIST: Final = (_("Reply to list"), ("text",))
_FORWARD: Final = (_("Forward"), ("to", "text"))
_REDIRECT: Final = (_("Redirect"), ("to",))
_DRAFT: Final = _("Draft")


def open_fields(to: Sequence[Address], subject: str) -> tuple[str, ...]:
    """Name the inputs that a mail in the making opens with: those that it still needs."""
    return ("text",) if to and subject else _NEW[1]


def new(visit: Visit) -> Origin:
    """Begin an empty mail."""
    return Origin(*_NEW, visit.profile.identities[0])


def suggested(visit: Visit, suggestion: Mailto) -> Origin:
    """Begin the mail that a link suggests."""
    return replace(new(visit), to=suggestion.to, subject=suggestion.subject, text=suggestion.text)


def reply(visit: Visit, store: MailStore, place: Place, variant: str = "") -> Origin:
    """Begin an answer: to who wrote, to all ("a"), or to the list ("l"), which is nobody where there is none."""
    ref = reference(visit, place)
    found = store.structure(ref)
    own = own_addresses(visit.signed_in, visit.profile)
    cc: list[Address] = []
    if variant == "l":
        (title, fields), to = _REPLY_LIST, replies.list_recipients(found)
    elif variant == "a":
        title, fields = _REPLY_ALL
        to, cc = replies.reply_all_recipients(found, own)
    else:
        title, fields = _REPLY
        to, cc = replies.reply_recipients(found, own)
    quotes = visit.profile.quoting
    return Origin(
        title,
        fields,
        _addressed(visit, found),
        to=tuple(to),
        cc=tuple(cc),
        subject=replies.reply_subject(found.envelope.subject),
        in_reply_to=found.envelope.message_id,
        references=tuple(replies.references(found)),
        about=About(place, ANSWERED),
        quotation=partial(quotation, visit, ref, found) if quotes else nothing,
    )


def forward(visit: Visit, store: MailStore, place: Place, variant: str = "") -> Origin:
    """Begin to forward: as text with the attachments, as an attachment ("a"), or untouched ("r")."""
    ref = reference(visit, place)
    found = store.structure(ref)
    title, fields = _REDIRECT if variant == "r" else _FORWARD
    subject = replies.forward_subject(found.envelope.subject)
    whole = entire(ref, found)
    made = Origin(
        title,
        fields,
        _addressed(visit, found),
        subject=subject,
        about=About(place, FORWARD_FLAG),
    )
    if variant == "r":
        return replace(made, subject=found.envelope.subject, whole=whole)
    if variant == "a":
        return replace(made, enclosures=(whole,))
    return replace(made, quotation=partial(_forwarded, visit, ref, found), enclosures=enclosures(ref, found))


def resumed_draft(visit: Visit, store: MailStore, place: Place) -> Origin:
    """Go on with a draft, whoever saved it; any other message is the pattern of a new one."""
    ref = reference(visit, place)
    found = store.structure(ref)
    header = b"".join(store.octets(ref, "HEADER"))
    notes = outgoing.draft_fields(header)
    taken = resumed.take_apart(_text(visit, store, ref, found), notes.get(REST.lower(), ""))
    envelope = found.envelope
    is_draft = (
        DRAFT in found.flags or store.special(filing.DRAFTS.attribute, filing.DRAFTS.names) == ref.mailbox
    )
    loose = {field: notes.get(name.lower(), "") for field, name in LOOSE.items()}
    sender = visit.profile.identity(envelope.from_[0].spec if envelope.from_ else "")
    references = tuple(replies.references(replace(found, envelope=replace(envelope, message_id=""))))
    return Origin(
        _DRAFT if is_draft else _NEW[0],
        open_fields(envelope.to, envelope.subject),
        sender,
        to=envelope.to,
        cc=envelope.cc,
        bcc=envelope.bcc,
        loose=tuple((field, text) for field, text in loose.items() if text),
        subject=envelope.subject,
        text=taken.typed,
        in_reply_to=envelope.in_reply_to if is_draft else "",
        references=references if is_draft else (),
        about=About.read(notes.get(ABOUT.lower(), "")) if is_draft else None,
        draft=ref if is_draft else None,
        quotation=lambda store: taken.quoted,
        enclosures=enclosures(ref, found),
    )


def entire(ref: MessageRef, found: Message) -> Enclosure:
    """Name a message itself, to go along as it is."""
    return Enclosure(ref, None, f"{found.envelope.subject or 'message'}.eml", found.octets)


def enclosures(ref: MessageRef, found: Message) -> tuple[Enclosure, ...]:
    """Name what a message carries besides its text: files, mails, and pictures in its page that are some."""
    chosen = {id(part) for part in attachments(found.root)}
    return tuple(
        Enclosure(ref, part, part.filename or _subject_of(part), part.octets, part is found.root)
        for part in _outer(found.root)
        if id(part) in chosen or _is_picture(part)
    )


def _subject_of(part: Part) -> str:
    return part.envelope.subject if part.envelope is not None else ""


def _is_picture(part: Part) -> bool:
    return part.maintype == "image" and bool(part.content_id) and part.octets >= REAL_PICTURE


def _outer(root: Part) -> Iterator[Part]:
    """Yield the leaves of a message; a mail in it is one."""
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if part.maintype == "multipart":
            waiting.extend(reversed(part.parts))
        else:
            yield part


def _addressed(visit: Visit, found: Message) -> Identity:
    """Choose the identity that wrote a message, or that it names first; the usual one where it names none."""
    mine = {one.address.casefold(): one for one in reversed(visit.profile.identities)}
    named = (one.spec.casefold() for one in (*found.envelope.from_, *found.envelope.to, *found.envelope.cc))
    return next((mine[spec] for spec in named if spec in mine), visit.profile.identities[0])


def _text(visit: Visit, store: MailStore, ref: MessageRef, found: Message) -> str:
    parts = resumed.prose(found)
    if not parts:
        return _said(visit, ref, found, store, FORWARDED)
    texts = (resumed.text_of(part, partial(store.octets, ref, part.section)) for part in parts)
    return "\n\n".join(text for text in texts if text)


def _said(visit: Visit, ref: MessageRef, found: Message, store: MailStore, most: int) -> str:
    """Say a message in plain text, at most so many characters and the rest of the paragraph."""

    def octets(section: str, start: int) -> Iterator[bytes]:
        return store.octets(ref, section, start)

    lines: list[str] = []
    length = 0
    for block in render(found, reading_context(visit.language, fold=False, pictures=False), octets):
        text = ("> " * block.quote + (f"{block.marker} " if block.marker else "") + block.text).rstrip()
        lines.extend((text, ""))
        length += len(text)
        if length > most:
            lines.append("[…]")
            break
    return "\n".join(lines).strip()


def quotation(visit: Visit, ref: MessageRef, found: Message, store: MailStore) -> str:
    """Quote the original's text, at most QUOTED characters of it."""
    senders = found.envelope.from_ or found.envelope.sender
    attribution = visit.language.gettext("On %(date)s, %(who)s wrote:") % {
        "date": _date(visit, found),
        "who": safe_label(senders[0]) if senders else visit.language.gettext("(nobody)"),
    }
    text = _said(visit, ref, found, store, QUOTED)
    return replies.quote(text, attribution, QUOTED)


def _forwarded(visit: Visit, ref: MessageRef, found: Message, store: MailStore) -> str:
    text = _said(visit, ref, found, store, FORWARDED)
    return replies.forwarded(found, text, _date(visit, found), visit.language.gettext)


def _date(visit: Visit, found: Message) -> str:
    return visit.language.long_date(found.envelope.date or found.received)


def raw_part(store: MailStore, enclosure: Enclosure) -> outgoing.Part:
    """Fetch what goes along, as it stands in the mailbox."""
    if enclosure.part is None:
        return outgoing.Attached(enclosure.name, "message/rfc822", b"".join(store.octets(enclosure.ref, "")))
    section = enclosure.part.section
    header = b"" if enclosure.alone else b"".join(store.octets(enclosure.ref, f"{section}.MIME"))
    if enclosure.alone:  # a message that is nothing else has the fields of its part in its own header
        header = b"".join(store.octets(enclosure.ref, "HEADER"))
    octets = b"".join(store.octets(enclosure.ref, section))
    if not octets and enclosure.part.octets:
        raise MessageGone(f"section {section}")
    return outgoing.Raw(header, octets)
