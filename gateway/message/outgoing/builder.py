"""Builds an outgoing message as octets to be kept and submitted (RFC 5322, RFC 2046, RFC 6532).

Nothing here may read a clock, draw a random number, or let a line break into a header: date and Message-ID are passed
in. The copy that is kept has what is only for the sender (Bcc, notes of a draft); `submitted_form` removes it before
anybody else sees it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Final

from gateway.message.headers import encoded_words, header_fields
from gateway.message.headers.encoded_words import ascii_domain as ascii_domain
from gateway.message.headers.encoded_words import ascii_spec as ascii_spec
from gateway.message.model import Address
from gateway.message.outgoing import enclosures, flowed, transport
from gateway.message.outgoing.enclosures import Alternative as Alternative
from gateway.message.outgoing.enclosures import Attached as Attached
from gateway.message.outgoing.enclosures import CopiedPart as CopiedPart
from gateway.message.outgoing.enclosures import OutgoingPart as OutgoingPart
from gateway.message.outgoing.enclosures import mime_header as mime_header

#: Prefix of the fields in which a draft keeps what is not mail yet; they are never sent.
DRAFT: Final = "X-Pocketpost-"
#: In a draft: the sendings that it continues (`JournalEntry.marks`).
AFTER: Final = DRAFT + "After"

_DRAFT_NAME: Final = re.compile(re.escape(DRAFT) + "[A-Za-z0-9-]{1,40}")
#: Fields that nobody else may see (RFC 5322 §3.6.3, §3.6.6), or that a sender must not write (RFC 5321 §4.4).
_PRIVATE: Final = re.compile(rb"(?:bcc|resent-bcc|return-path|x-pocketpost-[!-9;-~]*)[ \t]*:", re.I)


def compose(
    *,
    sender: Address,
    to: Sequence[Address],
    cc: Sequence[Address] = (),
    bcc: Sequence[Address] = (),
    subject: str = "",
    text: str,
    attached: Sequence[OutgoingPart] = (),
    reply_to: Sequence[Address] = (),
    kept: Sequence[tuple[str, str]] = (),
    in_reply_to: str = "",
    references: Sequence[str] = (),
    date: datetime,
    message_id: str,
    draft: Mapping[str, str] | None = None,
) -> bytes:
    """Write a message as it is kept; `submitted_form` turns it into what is sent. `date` is aware.

    `kept`: fields of another program's draft (`draft_header`). `draft`: additional fields whose names begin with DRAFT;
    `draft_fields` reads them back. Raise ValueError for a malformed address or id, or a part that no server takes.
    """
    if not encoded_words.ids([message_id]):
        raise ValueError(f"not a message id: {message_id!a}")
    out = [
        encoded_words.field("Date", [format_datetime(date)]),
        encoded_words.field("From", encoded_words.address_list([sender])),
        encoded_words.field("Reply-To", encoded_words.address_list(reply_to)),
        encoded_words.field("To", encoded_words.address_list(to)),
        encoded_words.field("Cc", encoded_words.address_list(cc)),
        encoded_words.field("Bcc", encoded_words.address_list(bcc)),
        encoded_words.field("Subject", encoded_words.unstructured(subject)),
        encoded_words.field("Message-ID", encoded_words.ids([message_id])),
        encoded_words.field("In-Reply-To", encoded_words.ids([in_reply_to])),
        encoded_words.field("References", encoded_words.ids(references)),
        *(encoded_words.field(name.title(), encoded_words.unstructured(value)) for name, value in kept),
        *_draft(draft or {}),
        "MIME-Version: 1.0\r\n",
    ]
    return "".join(out).encode() + _content(text, attached, message_id)


def _draft(notes: Mapping[str, str]) -> Iterable[str]:
    for name, value in notes.items():
        if not _DRAFT_NAME.fullmatch(name):
            raise ValueError(f"not the name of a draft's field: {name!a}")
        yield encoded_words.field(name, encoded_words.unstructured(value))


def _content(text: str, attached: Sequence[OutgoingPart], unique: str) -> bytes:
    """Write the text, and its attachments or its other forms."""
    words, encoding, octets = flowed.text_part(text)
    head = encoded_words.field("Content-Type", words) + f"Content-Transfer-Encoding: {encoding}\r\n\r\n"
    if not attached:
        return head.encode("ascii") + octets
    first = head.encode("ascii") + octets
    boundary, encoding, body = enclosures.multipart(first.removesuffix(b"\r\n"), attached, unique)
    kind = "alternative" if all(isinstance(part, Alternative) for part in attached) else "mixed"
    head = encoded_words.field("Content-Type", [f"multipart/{kind};", f'boundary="{boundary}"'])
    return f"{head}Content-Transfer-Encoding: {encoding}\r\n\r\n".encode("ascii") + body


def draft_fields(header: bytes) -> dict[str, str]:
    """Read back the `draft` of `compose`, by lower-case names."""
    found, _ = header_fields.fields(header)
    return {name: header_fields.decode(value) for name, value in found if name.startswith(DRAFT.lower())}


def submitted_form(octets: bytes) -> bytes:
    """Make the message to submit from the kept one: without Bcc and the fields of a draft."""
    # This comes first: a lone CR or LF would hide a field from the filter, but not from the server.
    whole = transport.canonical(octets)
    blank = 0 if whole.startswith(b"\r\n") else whole.find(b"\r\n\r\n") + 2
    end = blank if blank != 1 else len(whole)
    kept: list[bytes] = []
    private = False
    for line in whole[:end].splitlines(keepends=True):
        if not line.startswith((b" ", b"\t")):
            private = _PRIVATE.match(line) is not None
        if not private:
            kept.append(line)
    return b"".join(kept) + whole[end:]


def resent(
    octets: bytes, resent_from: Address, to: Sequence[Address], date: datetime, message_id: str
) -> bytes:
    """Prepend Resent- fields to a message (RFC 5322 §3.6.6); the rest stays as it is.

    Raise ValueError for a malformed address or id.
    """
    if not encoded_words.ids([message_id]):
        raise ValueError(f"not a message id: {message_id!a}")
    block = (
        encoded_words.field("Resent-Date", [format_datetime(date)])
        + encoded_words.field("Resent-From", encoded_words.address_list([resent_from]))
        + encoded_words.field("Resent-To", encoded_words.address_list(to))
        + encoded_words.field("Resent-Message-ID", encoded_words.ids([message_id]))
    )
    # QUIRK: some stores return a message with an mbox "From " line first, which would end the header here.
    whole = re.sub(rb"\A>?From [^\n]*\n", b"", octets)
    return block.encode() + transport.canonical(whole)


def new_message_id(domain: str, unique: str) -> str:
    """Make a Message-ID in the sender's domain from a string that the caller knows to be unique."""
    left = re.sub(r"[^A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]", "", unique).strip(".")
    right = re.sub(r"[^A-Za-z0-9.:\[\]-]", "", ascii_domain(domain)).strip(".")
    return f"<{left or 'mail'}@{right or 'localhost'}>"
