"""Assembling a mail from what was typed, what it is based on, and parts on the mail server.

Nothing here may load more than the size limit of a mail (`Author.limit`), or put internal notes where others see them:
they are in header fields that `outgoing.builder.submitted_form` removes. The same mail posted again from the same page
has the same Message-ID, so it is found in Drafts even if all else is forgotten.
"""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import astuple, replace
from typing import Final

from gateway.composing import mailbox_parts
from gateway.composing.author import Author
from gateway.composing.basis import Basis
from gateway.composing.mailbox_parts import Enclosure, raw_part
from gateway.composing.typed_mail import MailContent
from gateway.errors import AddressNotSendable, MessageTooLarge, NobodyToSendTo, TooLargeHere
from gateway.message.headers.header_fields import clean
from gateway.message.model import Address
from gateway.message.outgoing import builder, resumed
from gateway.sending.outbox import Mail
from gateway.store.base import MailStore, MessageRef

#: Header fields of our drafts, besides those that all mail has (see `builder.DRAFT`).
REST: Final = builder.DRAFT + "Rest"
ORIGINAL: Final = builder.DRAFT + "About"
#: The drafts that this one has replaced, newest last, and the maximum number that are noted.
REPLACED: Final = builder.DRAFT + "Before"
MOST_REPLACED: Final = 10
UNPARSED: Final = {field: f"{builder.DRAFT}{field.title()}" for field in ("to", "cc", "bcc")}
#: Octets of base64 for one octet of a file (RFC 2045 §6.8).
_BASE64_FACTOR: Final = 78 / 57
#: Octets that are enough for the header, text and quotation of most mails.
TEXT_OCTETS: Final = 20_000


def for_sending(
    author: Author, store: MailStore, basis: Basis, content: MailContent, page: str, copy_to_self: str = ""
) -> Mail:
    """Assemble a mail for sending; `copy_to_self` overrides the profile's unless it is "".

    Raise NobodyToSendTo, or MessageTooLarge before anything is fetched.
    """
    if not content.recipients:
        raise NobodyToSendTo("no recipient")
    if basis.redirected is not None:
        mail = _redirected(author, store, basis, basis.redirected, content, page)
    else:
        mail = assemble(author, store, basis, content, page)
    return with_copy(author, store, mail, copy_to_self)


def with_copy(author: Author, store: MailStore, mail: Mail, copy_to_self: str = "") -> Mail:
    """Also send a mail to its writer, if they want that and no mailbox keeps it (`copy_to_self`: see `for_sending`).

    The copy is only in the envelope, so that no header names them.
    """
    if store.can.append or (copy_to_self or author.profile.copy_to_self) != "yes":
        return mail
    own = author.session.address
    return replace(mail, recipients=list(dict.fromkeys((*mail.recipients, own))), copy_to=own)


def copy_only(author: Author, mail: Mail) -> Mail:
    """Send a mail that has already been sent to nobody but its writer."""
    own = author.session.address
    return replace(mail, recipients=[own], copy_to=own, answered=None, flag="", draft=None)


def assemble(
    author: Author,
    store: MailStore,
    basis: Basis,
    content: MailContent,
    page: str,
    added: Iterable[builder.Attached] = (),
    without: frozenset[str] = frozenset(),
    alternative: builder.Alternative | None = None,
) -> Mail:
    """Assemble a mail in its current state, finished or not; parts can be added, and left out by section.

    `page`: the ticket of the page that it was posted from, "" if there is none. `alternative`: its text in another
    form, for a mail without attachments.
    """
    if alternative is None and basis.alternative is not None:
        alternative = mailbox_parts.alternative(store, basis.alternative)
    kept = [one for one in basis.enclosures if _section(one) not in without]
    added = tuple(added)
    _check_size(author, kept)
    quoted, rest = basis.quotation(store)
    kept += _with_room(author, kept, rest)
    message_id = _id(author, content, page, kept, added)
    attached = (*(raw_part(store, one) for one in kept), *added, *([alternative] if alternative else ()))
    octets = _octets(author, basis, content, quoted, attached, message_id)
    return _mail(author, basis, octets, content.sender.address, content.recipients, message_id)


def _octets(
    author: Author,
    basis: Basis,
    content: MailContent,
    quoted: str,
    attached: Sequence[builder.OutgoingPart],
    message_id: str,
) -> bytes:
    """Write a mail with everything that it quotes and carries. Raise AddressNotSendable."""
    sender = content.sender
    notes = {REST: resumed.note(quoted, sender.signature)} | _notes(basis, content)
    try:
        return builder.compose(
            sender=Address(sender.name, sender.address),
            to=content.to,
            cc=content.cc,
            bcc=content.bcc,
            subject=clean(content.subject),
            text=resumed.join_text(content.text, quoted, sender.signature),
            attached=attached,
            reply_to=basis.reply_to or ([Address("", sender.reply_to)] if sender.reply_to else []),
            kept=basis.kept,
            in_reply_to=basis.in_reply_to,
            references=basis.references,
            date=author.now.astimezone(author.language.zone),
            message_id=message_id,
            draft={name: value for name, value in notes.items() if value},
        )
    except ValueError as error:
        raise AddressNotSendable((), str(error)) from None


def _notes(basis: Basis, content: MailContent) -> dict[str, str]:
    """Return a draft's notes: its original, the drafts that it replaces, its earlier sendings, unparsed recipients."""
    replaced = (*basis.replaced, ref_note(basis.draft)) if basis.draft is not None else ()
    return {
        ORIGINAL: str(basis.original or ""),
        REPLACED: " ".join(replaced[-MOST_REPLACED:]),
        builder.AFTER: " ".join(_after(basis)),
        **{UNPARSED[field]: clean(typed) for field, typed in content.unparsed},
    }


def _mail(
    author: Author, basis: Basis, octets: bytes, sender: str, recipients: Iterable[Address], message_id: str
) -> Mail:
    """Return a mail with the message that it is about."""
    original = basis.original
    return Mail(
        octets,
        sender,
        [one.spec for one in recipients],
        message_id,
        answered=author.session.mailboxes.message(original.number, original.uid) if original else None,
        flag=original.flag if original else "",
        draft=basis.draft,
        after=_after(basis),
    )


def _after(basis: Basis) -> tuple[str, ...]:
    return tuple(filter(None, (*basis.after, basis.mark)))[-MOST_REPLACED:]


def _redirected(
    author: Author, store: MailStore, basis: Basis, redirected: Enclosure, content: MailContent, page: str
) -> Mail:
    """Redirect a message unchanged, below Resent- fields (RFC 5322 §3.6.6)."""
    _check_size(author, [redirected])
    message_id = _id(author, content, page, [redirected])
    sender = Address(content.sender.name, content.sender.address)
    try:
        octets = builder.resent(
            b"".join(store.octets(redirected.ref, "")),
            sender,
            content.to,
            author.now.astimezone(author.language.zone),
            message_id,
        )
    except ValueError as error:
        raise AddressNotSendable((), str(error)) from None
    return _mail(author, basis, octets, sender.spec, content.to, message_id)


def ref_note(ref: MessageRef) -> str:
    """Return the note by which a draft's successor refers to it."""
    return f"<{ref.uidvalidity}.{ref.uid}>"


def available_octets(author: Author) -> int:
    """Return how many encoded octets can be attached: within our limit and the submission server's."""
    return max(0, int(min(_limits(author))) - TEXT_OCTETS)


def is_gateway_limit(author: Author) -> bool:
    """Return whether the size limit of a mail is the gateway's rather than the submission server's."""
    ours, theirs = _limits(author)
    return ours <= theirs


def _limits(author: Author, anew: bool = False) -> tuple[float, float]:
    theirs = author.session.submission.size_limit(anew)
    return author.limit, math.inf if theirs is None else theirs


def decoded_size(octets: int) -> int:
    """Return the approximate size of a file from its encoded size."""
    return int(octets / _BASE64_FACTOR)


def encoded_size(kept: Iterable[Enclosure], added: Iterable[builder.Attached] = ()) -> int:
    """Return the encoded size of all attachments."""
    return sum(one.octets for one in kept) + int(sum(len(one.octets) for one in added) * _BASE64_FACTOR)


def _check_size(author: Author, kept: Iterable[Enclosure]) -> None:
    size, (ours, theirs) = encoded_size(kept), _limits(author)
    if theirs < size <= ours:  # theirs was once announced, perhaps long ago
        ours, theirs = _limits(author, anew=True)
    if size > min(ours, theirs):
        kind = TooLargeHere if ours <= theirs else MessageTooLarge
        raise kind(int(min(ours, theirs)), f"{size} octets of {min(ours, theirs)}")


def _with_room(author: Author, kept: Sequence[Enclosure], rest: Iterable[Enclosure]) -> list[Enclosure]:
    """Return the texts that were cut as attachments, if they have room, without those that are attached anyway."""
    there = [_section(one) for one in kept]
    new = [one for one in rest if not any(f"{_section(one)}.".startswith(f"{has}.") for has in there)]
    return new if encoded_size((*kept, *new)) <= min(_limits(author)) else []


def _section(enclosure: Enclosure) -> str:
    return enclosure.part.section if enclosure.part is not None else ""


def _id(
    author: Author,
    content: MailContent,
    page: str,
    kept: Iterable[Enclosure],
    added: Iterable[builder.Attached] = (),
) -> str:
    """Make a Message-ID from everything that the person put into the mail on a page; a random one without a page."""
    files = [(one.name, one.octets) for one in kept]
    new = [(one.filename, hashlib.sha256(one.octets).hexdigest()) for one in added]
    seed = repr((page, astuple(content), files, new))
    unique = author.session.name_of(seed) if page else secrets.token_hex(16)
    return builder.new_message_id(content.sender.address.rpartition("@")[2], unique)
