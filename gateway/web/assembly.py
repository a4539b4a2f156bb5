"""A mail put together: what was typed, what it began with, and what the mail server has of it.

Nothing here may take more into memory than a mail may have (`visit.config`), or put a note of ours where others see it:
notes stand in fields that `outgoing.wire` takes out again.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Final

from gateway.errors import AddressNotSendable, MessageTooLarge, NobodyToSendTo
from gateway.message import outgoing, resumed
from gateway.message.headers import clean
from gateway.message.model import Address
from gateway.outbox import Mail
from gateway.store.base import MailStore
from gateway.web.letter import Content
from gateway.web.message import reference
from gateway.web.origin import ABOUT, LOOSE, REST, Enclosure, Origin, raw_part
from gateway.web.visit import Visit

#: Octets of what a mail may carry out of the mailbox at least, where no uploads are wanted.
LEAST: Final = 10_000_000
#: Octets of base64 for one of a file (RFC 2045 §6.8).
_SPREAD: Final = 78 / 57
#: Octets that head, text and quotation of a mail mostly take at most.
WORDS: Final = 20_000


def finished(visit: Visit, store: MailStore, origin: Origin, content: Content) -> Mail:
    """Put together a mail that is to be sent now. Raise NobodyToSendTo, or MessageTooLarge before it is fetched."""
    if not content.everybody:
        raise NobodyToSendTo("no recipient")
    if origin.whole is not None:
        return _redirected(visit, store, origin, origin.whole, content)
    return assembled(visit, store, origin, content)


def assembled(
    visit: Visit,
    store: MailStore,
    origin: Origin,
    content: Content,
    added: Iterable[outgoing.Part] = (),
    without: frozenset[str] = frozenset(),
) -> Mail:
    """Put a mail together as it is now, also an unfinished one; parts can be added, and left out by section."""
    kept = [one for one in origin.enclosures if _section(one) not in without]
    _check_size(visit, kept)
    quoted = origin.quotation(store)
    signature = content.sender.signature
    message_id = _new_id(content.sender.address)
    about = origin.about
    notes = {REST: resumed.note(quoted, signature), ABOUT: str(about) if about else ""}
    notes |= {LOOSE[field]: clean(typed) for field, typed in content.loose}
    sender = content.sender
    try:
        octets = outgoing.compose(
            sender=Address(sender.name, sender.address),
            to=content.to,
            cc=content.cc,
            bcc=content.bcc,
            subject=clean(content.subject),
            text=resumed.laid_out(content.text, quoted, signature),
            attached=[*(raw_part(store, one) for one in kept), *added],
            reply_to=Address("", sender.reply_to) if sender.reply_to else None,
            in_reply_to=origin.in_reply_to,
            references=origin.references,
            date=visit.now.astimezone(visit.language.zone),
            message_id=message_id,
            draft={name: value for name, value in notes.items() if value},
        )
    except ValueError as error:
        raise AddressNotSendable((), str(error)) from None
    return Mail(
        octets,
        sender.address,
        [one.spec for one in content.everybody],
        message_id,
        answered=reference(visit, about.place) if about is not None else None,
        flag=about.flag if about is not None else "",
        draft=origin.draft,
    )


def _redirected(visit: Visit, store: MailStore, origin: Origin, whole: Enclosure, content: Content) -> Mail:
    """Send a message on as it is, under a head that says by whom (RFC 5322 §3.6.6)."""
    _check_size(visit, [whole])
    message_id = _new_id(content.sender.address)
    sender = Address(content.sender.name, content.sender.address)
    try:
        octets = outgoing.redirected(
            b"".join(store.octets(whole.ref, "")),
            sender,
            content.to,
            visit.now.astimezone(visit.language.zone),
            message_id,
        )
    except ValueError as error:
        raise AddressNotSendable((), str(error)) from None
    about = origin.about
    return Mail(
        octets,
        sender.spec,
        [one.spec for one in content.to],
        message_id,
        answered=reference(visit, about.place) if about is not None else None,
        flag=about.flag if about is not None else "",
    )


def largest(visit: Visit) -> int:
    """Return the octets, encoded, of what one mail may carry."""
    return int(max(visit.config.upload_limit, LEAST) * _SPREAD)


def room(visit: Visit) -> int:
    """Return the octets, encoded, of what can go along: within our limit and that of the server for sending."""
    limit = visit.signed_in.size_limit()
    return largest(visit) if limit is None else min(largest(visit), max(0, limit - WORDS))


def plain(octets: int) -> int:
    """Say of how large a file, about, these octets are the encoded form."""
    return int(octets / _SPREAD)


def octets_of(kept: Iterable[Enclosure], added: Iterable[outgoing.Attached] = ()) -> int:
    """Count what goes along, encoded."""
    return sum(one.octets for one in kept) + int(sum(len(one.octets) for one in added) * _SPREAD)


def _check_size(visit: Visit, kept: Iterable[Enclosure]) -> None:
    size, limit = octets_of(kept), largest(visit)
    if size > limit:
        raise MessageTooLarge(limit, f"{size} octets of {limit}")


def _section(enclosure: Enclosure) -> str:
    return enclosure.part.section if enclosure.part is not None else ""


def _new_id(address: str) -> str:
    return outgoing.new_message_id(address.rpartition("@")[2], secrets.token_hex(16))
