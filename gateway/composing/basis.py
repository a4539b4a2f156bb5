"""What a mail is based on before anything is typed: recipients, subject, thread, quotation, attachments.

Nothing here may pass through a handheld: quotations and attachments stay on the mail server and are fetched only when
a mail is assembled. RFC 5322 §3.6.3-4 (replies), RFC 2369 §3.4 (lists).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from gateway.account.profile import Identity, own_addresses
from gateway.addresses import MessageCode
from gateway.composing.author import Author
from gateway.composing.mailbox_parts import Enclosure, enclosures, whole_message
from gateway.composing.quotation import Quoted, forwarded, quotation
from gateway.errors import BadRequest
from gateway.message.headers import address_lists, subjects
from gateway.message.headers.header_fields import safe_label
from gateway.message.headers.mailto import Mailto
from gateway.message.mime import protected
from gateway.message.model import Address, Message
from gateway.message.outgoing import reply as replies
from gateway.store.base import ANSWERED, MailStore, MessageRef

#: Marks a message as forwarded (IANA registry of IMAP keywords).
FORWARD_FLAG: Final = "$Forwarded"

Quotation = Callable[[MailStore], Quoted]


def _(msgid: str) -> str:
    return msgid


def no_quotation(store: MailStore) -> Quoted:
    """Return an empty quotation."""
    return Quoted("")


@dataclass(frozen=True, slots=True)
class OriginalMessage:
    """The message that is answered or forwarded, by mailbox number and UID, and the flag that it gets for that."""

    number: int
    uid: int
    flag: str

    def __str__(self) -> str:
        return ("f" if self.flag == FORWARD_FLAG else "a") + MessageCode(self.number, self.uid).encode()

    @classmethod
    def read(cls, written: str) -> OriginalMessage | None:
        """Parse what `str` wrote; return None for anything else."""
        try:
            code = MessageCode.decode(written[1:])
        except BadRequest:
            return None
        flag = {"a": ANSWERED, "f": FORWARD_FLAG}.get(written[0])
        return cls(*code, flag) if flag else None


@dataclass(frozen=True, slots=True)
class Basis:
    """The initial values of a mail, and what the server adds. `title` is a msgid.

    `unparsed`: recipient fields with text that is not an address yet. `draft`: the message in Drafts that this was
    resumed from, with its `mark` (`send_journal.mark_of`); `replaced`: the drafts that it has replaced. `after`: marks
    of the sendings that it continues; `noted`: those of them that the draft itself names. `redirected`: the message to
    redirect. `alternative`: in a draft, the answer to an invitation for calendar programs. `quoted`: the writer of the
    text that follows what is typed, "" if not known, None if there is none. `left_out`: people named in the original
    whom a reply cannot reach. `fields`: the inputs that are shown initially.

    For another program's draft: `reply_to` and the other fields `kept`; when it is saved here it loses the formatting
    of its HTML, if `formatted`, and the fields `lost`.
    """

    title: str
    fields: tuple[str, ...]
    sender: Identity
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    unparsed: tuple[tuple[str, str], ...] = ()
    subject: str = ""
    text: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    original: OriginalMessage | None = None
    draft: MessageRef | None = None
    replaced: tuple[str, ...] = ()
    mark: str = ""
    after: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()
    quotation: Quotation = no_quotation
    quoted: str | None = None
    enclosures: tuple[Enclosure, ...] = ()
    redirected: Enclosure | None = None
    alternative: Enclosure | None = None
    left_out: tuple[str, ...] = ()
    reply_to: tuple[Address, ...] = ()
    kept: tuple[tuple[str, str], ...] = ()
    formatted: bool = False
    lost: tuple[str, ...] = ()

    def people(self, field: str) -> tuple[Address, ...]:
        """Return the addresses of a recipient field."""
        return {"to": self.to, "cc": self.cc, "bcc": self.bcc}[field]


#: Titles and initial inputs.
NEW: Final = (_("Write"), ("to", "subject", "text"))
_REPLY: Final = (_("Reply"), ("text",))
_REPLY_ALL: Final = (_("Reply all"), ("text",))
_REPLY_LIST: Final = (_("Reply to list"), ("text",))
_FORWARD: Final = (_("Forward"), ("to", "text"))
_REDIRECT: Final = (_("Redirect"), ("to",))
DRAFT_TITLE: Final = _("Draft")


def open_fields(to: Sequence[Address], subject: str) -> tuple[str, ...]:
    """Return the initial inputs of a mail: those that still need a value."""
    return ("text",) if to and subject else NEW[1]


def new(author: Author) -> Basis:
    """Start an empty mail."""
    return Basis(*NEW, author.profile.identities[0])


def suggested(author: Author, suggestion: Mailto) -> Basis:
    """Start the mail that a link suggests."""
    return replace(new(author), to=suggestion.to, subject=suggestion.subject, text=suggestion.text)


def reply(author: Author, store: MailStore, number: int, uid: int, variant: str = "") -> Basis:
    """Start a reply: to the sender, to all ("a"), or to the list ("l"); to nobody if there is nobody to reply to."""
    ref = author.session.mailboxes.message(number, uid)
    found = protected.with_subject(store.structure(ref), partial(store.octets, ref))
    own = own_addresses(author.session, author.profile)
    cc: list[Address] = []
    unusable, more = replies.left_out(found, variant == "a") if variant != "l" else ([], 0)
    if variant == "l":
        (title, fields), to = _REPLY_LIST, replies.list_recipients(found)
    elif variant == "a":
        title, fields = _REPLY_ALL
        to, cc = replies.reply_all_recipients(found, own)
    else:
        title, fields = _REPLY
        to, cc = replies.reply_recipients(found, own)
    quotes = author.profile.quoting
    return Basis(
        title,
        fields,
        _addressed(author, found),
        to=tuple(to),
        cc=tuple(cc),
        subject=subjects.reply(found.envelope.subject),
        in_reply_to=found.envelope.message_id,
        references=tuple(replies.references(found)),
        original=OriginalMessage(number, uid, ANSWERED),
        left_out=(*map(safe_label, unusable), *([f"+{more}"] if more else ())),
        quotation=partial(quotation, author, ref, found) if quotes else no_quotation,
        quoted=_writer(found) if quotes else None,
    )


def forward(author: Author, store: MailStore, number: int, uid: int, variant: str = "") -> Basis:
    """Start forwarding: as text with the attachments, as an attachment ("a"), or redirected ("r")."""
    ref = author.session.mailboxes.message(number, uid)
    found = protected.with_subject(store.structure(ref), partial(store.octets, ref))
    title, fields = _REDIRECT if variant == "r" else _FORWARD
    subject = subjects.forward(found.envelope.subject)
    whole = whole_message(ref, found)
    made = Basis(
        title,
        fields,
        _addressed(author, found),
        subject=subject,
        original=OriginalMessage(number, uid, FORWARD_FLAG),
    )
    if variant == "r":
        return replace(made, subject=found.envelope.subject, redirected=whole)
    if variant == "a":
        return replace(made, enclosures=(whole,))
    return replace(
        made,
        quotation=partial(forwarded, author, ref, found),
        quoted=_writer(found),
        enclosures=enclosures(ref, found),
    )


def _writer(found: Message) -> str:
    """Return who wrote a message, "" if it does not say so."""
    return next((safe_label(one) for one in (*found.envelope.from_, *found.envelope.sender)), "")


def _addressed(author: Author, found: Message) -> Identity:
    """Return the identity that wrote a message, or else the first that it is addressed to, or the default one.

    An address with a plus and a suffix counts as the identity without them, unless it is an identity itself.
    """
    named = [one.spec for one in (*found.envelope.from_, *found.envelope.to, *found.envelope.cc)]
    for spelled in (str.casefold, address_lists.mailbox_of):
        identities = {spelled(one.address): one for one in reversed(author.profile.identities)}
        for spec in map(spelled, named):
            if spec in identities:
                return identities[spec]
    return author.profile.identities[0]
