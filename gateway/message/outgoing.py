"""Outgoing mail: one message as octets ready to be kept and submitted (RFC 5322, RFC 2046, RFC 6532).

Nothing here may read a clock, draw a random number, or let a line end into a header: date and Message-ID are
passed in. What is only for the sender's own eyes (Bcc, notes of a draft) is in the kept copy, and `wire` takes it
out before anybody else sees it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Final

from gateway.message import enclosures, fields, flowed, headers, transport
from gateway.message.enclosures import Attached as Attached
from gateway.message.enclosures import Part as Part
from gateway.message.enclosures import Raw as Raw
from gateway.message.fields import ascii_domain as ascii_domain
from gateway.message.fields import ascii_spec as ascii_spec
from gateway.message.model import Address

#: The fields in which a draft keeps what is not yet mail; they never leave the house.
DRAFT: Final = "X-Pocketpost-"

_DRAFT_NAME: Final = re.compile(re.escape(DRAFT) + "[A-Za-z0-9-]{1,40}")
#: What nobody else may see (RFC 5322 §3.6.3, §3.6.6), and what a sender must not say (RFC 5321 §4.4).
_PRIVATE: Final = re.compile(rb"(?:bcc|resent-bcc|return-path|x-pocketpost-[!-9;-~]*)[ \t]*:", re.I)


def compose(
    *,
    sender: Address,
    to: Sequence[Address],
    cc: Sequence[Address] = (),
    bcc: Sequence[Address] = (),
    subject: str = "",
    text: str,
    attached: Sequence[Part] = (),
    reply_to: Address | None = None,
    in_reply_to: str = "",
    references: Sequence[str] = (),
    date: datetime,
    message_id: str,
    draft: Mapping[str, str] | None = None,
) -> bytes:
    """Write a message as it is kept: `wire` makes of it what is sent; `date` is aware.

    `draft`: further fields whose names begin with DRAFT; `draft_fields` reads them again.
    Raise ValueError for an address or id without the form of one, or a part that no server would take.
    """
    if not fields.ids([message_id]):
        raise ValueError(f"not a message id: {message_id!a}")
    out = [
        fields.field("Date", [format_datetime(date)]),
        fields.field("From", fields.address_list([sender])),
        fields.field("Reply-To", fields.address_list([reply_to] if reply_to else [])),
        fields.field("To", fields.address_list(to)),
        fields.field("Cc", fields.address_list(cc)),
        fields.field("Bcc", fields.address_list(bcc)),
        fields.field("Subject", fields.unstructured(subject)),
        fields.field("Message-ID", fields.ids([message_id])),
        fields.field("In-Reply-To", fields.ids([in_reply_to])),
        fields.field("References", fields.ids(references)),
        *_draft(draft or {}),
        "MIME-Version: 1.0\r\n",
    ]
    return "".join(out).encode() + _content(text, attached, message_id)


def _draft(notes: Mapping[str, str]) -> Iterable[str]:
    for name, value in notes.items():
        if not _DRAFT_NAME.fullmatch(name):
            raise ValueError(f"not the name of a draft's field: {name!a}")
        yield fields.field(name, fields.unstructured(value))


def _content(text: str, attached: Sequence[Part], unique: str) -> bytes:
    """Write the text, and with it what is attached."""
    words, encoding, octets = flowed.text_part(text)
    head = fields.field("Content-Type", words) + f"Content-Transfer-Encoding: {encoding}\r\n\r\n"
    if not attached:
        return head.encode("ascii") + octets
    first = head.encode("ascii") + octets
    boundary, encoding, body = enclosures.together(first.removesuffix(b"\r\n"), attached, unique)
    head = fields.field("Content-Type", ["multipart/mixed;", f'boundary="{boundary}"'])
    return f"{head}Content-Transfer-Encoding: {encoding}\r\n\r\n".encode("ascii") + body


def draft_fields(header: bytes) -> dict[str, str]:
    """Read again what `compose` wrote as `draft`, by the names given there in lower case."""
    found, _ = headers.fields(header)
    return {name: headers.decode(value) for name, value in found if name.startswith(DRAFT.lower())}


def wire(octets: bytes) -> bytes:
    """Make what is submitted of what is kept: without Bcc and without a draft's own fields."""
    # First of all: half a line end would hide a field from what follows, but not from the server.
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


def redirected(
    octets: bytes, resent_from: Address, to: Sequence[Address], date: datetime, message_id: str
) -> bytes:
    """Put in front of a message that it was sent on, and by whom (RFC 5322 §3.6.6); the rest stays as it is.

    Raise ValueError for an address or id without the form of one.
    """
    if not fields.ids([message_id]):
        raise ValueError(f"not a message id: {message_id!a}")
    block = (
        fields.field("Resent-Date", [format_datetime(date)])
        + fields.field("Resent-From", fields.address_list([resent_from]))
        + fields.field("Resent-To", fields.address_list(to))
        + fields.field("Resent-Message-ID", fields.ids([message_id]))
    )
    # QUIRK: some stores give a message with an mbox line in front, which would end the header here.
    whole = re.sub(rb"\A>?From [^\n]*\n", b"", octets)
    return block.encode() + transport.canonical(whole)


def new_message_id(domain: str, unique: str) -> str:
    """Make a Message-ID of a string that the caller knows to be unique, in the sender's domain."""
    left = re.sub(r"[^A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]", "", unique).strip(".")
    right = re.sub(r"[^A-Za-z0-9.:\[\]-]", "", ascii_domain(domain)).strip(".")
    return f"<{left or 'mail'}@{right or 'localhost'}>"
