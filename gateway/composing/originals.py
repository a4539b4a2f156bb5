"""The message that a mail begins with: its structure from the server, its addresses from its own header.

Nothing here may leave out an address that the header has.
QUIRK: Dovecot's ENVELOPE drops what stands behind a blank or a semicolon ("a@x.org; b@x.org"), and others drop other
addresses.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from gateway.message.headers import envelopes, header_fields
from gateway.message.mime import part_tree, protected
from gateway.message.model import Message
from gateway.store.base import MailStore, MessageRef

_LISTS: Final = ("from_", "sender", "reply_to", "to", "cc", "bcc")


def fetch(store: MailStore, ref: MessageRef) -> tuple[Message, bytes]:
    """Fetch a message without its body, and its header."""
    found = protected.with_subject(store.structure(ref), partial(store.octets, ref))
    header = b""
    for piece in store.octets(ref, "HEADER"):
        header += piece
        if len(header) >= header_fields.HEADER_LIMIT:
            break
    written, defects = envelopes.envelope_from_header(header, part_tree.text_charset(found.root))
    lists = {name: getattr(written, name) or getattr(found.envelope, name) for name in _LISTS}
    defects = list(dict.fromkeys((*found.defects, *defects)))
    return replace(found, envelope=replace(found.envelope, **lists), defects=tuple(defects)), header
