"""Replies: their recipients, thread and quotation (RFC 5322 §3.6.3-4).

Nothing here may know how a reply is written or sent. What a message says about itself is not trusted: malformed
addresses are dropped, and all lists are limited.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from gateway.message.headers import address_lists, envelopes, header_fields, mailto
from gateway.message.model import Address, Envelope, Message
from gateway.message.outgoing.builder import compose as compose
from gateway.message.outgoing.builder import new_message_id as new_message_id

#: Octets of quotation, in UTF-8, in a reply.
QUOTE_LIMIT: Final = 10 * 1024
#: Message ids in References: the first names the thread, the last ones the way here.
REFERENCES_LIMIT: Final = 20
_MSG_ID: Final = re.compile(r"<[^<>\s]{1,400}>")
_URL: Final = re.compile(r"<\s*([^<>]{1,2000}?)\s*>")


def reply_recipients(message: Message, own: Iterable[str]) -> tuple[list[Address], list[Address]]:
    """Return the recipients of a reply as (to, cc): Reply-To, else From; for one's own mail, its recipients.

    `own` are the person's addresses. They, also in another case or with something after a plus sign, are left out if
    anybody else is named.
    """
    mine = _mailboxes(own)
    named = _to_whom(message.envelope, mine)
    found = next((others for one in named if (others := _others(one, mine))), None)
    return found or next((list(usable) for one in named if (usable := address_lists.sendable(one))), []), []


def reply_all_recipients(message: Message, own: Iterable[str]) -> tuple[list[Address], list[Address]]:
    """Return the recipients of a reply to all as (to, cc): Mail-Followup-To if present; never oneself."""
    mine = _mailboxes(own)
    asked = _others(_followup(message)[0], mine)
    if asked:
        return asked, []
    alone, _ = reply_recipients(message, own)
    to = _others(alone, mine)
    rest = (*message.envelope.to, *message.envelope.cc)
    if to and _is_own(message.envelope, mine):  # the others stay where their writer put them
        to, rest = _others(message.envelope.to, mine) or to, message.envelope.cc
    cc = [one for one in _others(rest, mine) if all(not _is_same(one, other) for other in to)]
    return (to, cc) if to else (cc or alone, [])


def left_out(message: Message, everybody: bool) -> tuple[list[Address], int]:
    """Return whom a reply, or a reply to all, should reach but cannot: those without an address, and how many more."""
    followup, more = _followup(message)
    if everybody and followup:
        return _unusable(followup), more
    envelope = message.envelope
    names = ("reply-to", "to", "cc") if everybody else ("reply-to",)
    lists = (envelope.reply_to, envelope.to, envelope.cc)[: len(names)]
    return _unusable(one for some in lists for one in some), envelopes.left_out(message.defects, names)


def list_recipients(message: Message) -> list[Address]:
    """Return the recipients of a reply to the list, by List-Post (RFC 2369 §3.4); none if posting is not allowed."""
    found: list[Address] = []
    for url in _URL.findall(message.header("list-post")):
        plain = re.sub(r"\s+", "", url)
        if plain.lower().startswith("mailto:") and not found:  # the first usable one counts
            found = list(mailto.parse(plain).to)[:1]
    return found


def _to_whom(envelope: Envelope, mine: frozenset[str]) -> tuple[tuple[Address, ...], ...]:
    """Return the lists of those who may get a reply; the first one that names anybody else counts."""
    if _is_own(envelope, mine):
        return envelope.to, envelope.cc, envelope.reply_to, envelope.from_
    return envelope.reply_to, envelope.from_, envelope.sender


def _is_own(envelope: Envelope, mine: frozenset[str]) -> bool:
    """Return whether the person wrote a mail.

    A form on a web page writes to its owner in the owner's name, with the visitor in Reply-To.
    """
    to_oneself = any(map(mine.__contains__, _mailboxes(one.spec for one in envelope.to)))
    is_form = to_oneself and bool(_others(envelope.reply_to, mine))
    return not is_form and any(map(mine.__contains__, _mailboxes(one.spec for one in envelope.from_)))


def _followup(message: Message) -> tuple[tuple[Address, ...], int]:
    return address_lists.parse(message.header("mail-followup-to"))


def _mailboxes(specs: Iterable[str]) -> frozenset[str]:
    return frozenset(address_lists.mailbox_of(spec) for spec in specs if spec)


def _is_same(one: Address, other: Address) -> bool:
    return one.spec.lower() == other.spec.lower()


def _others(found: Iterable[Address], mine: frozenset[str]) -> list[Address]:
    return [one for one in address_lists.sendable(found) if address_lists.mailbox_of(one.spec) not in mine]


def _unusable(found: Iterable[Address]) -> list[Address]:
    return list(dict.fromkeys(one for one in found if not address_lists.valid(one.spec)))


def references(message: Message) -> list[str]:
    """Continue the thread: the message's References, or its In-Reply-To, and its own id."""
    envelope = message.envelope
    earlier = _MSG_ID.findall(message.header("references"))
    if not earlier:
        parents = _MSG_ID.findall(envelope.in_reply_to)
        # RFC 5322 §3.6.4: with several ids there is no single parent.
        earlier = parents if len(parents) == 1 else []
    found = list(dict.fromkeys((*earlier, *_MSG_ID.findall(envelope.message_id)[:1])))
    return found if len(found) <= REFERENCES_LIMIT else [found[0], *found[1 - REFERENCES_LIMIT :]]


def quote(text: str, attribution: str, limit: int = QUOTE_LIMIT) -> str:
    """Quote text under its attribution, at most `limit` octets of it; an ellipsis marks the cut."""
    lines = [header_fields.clean(attribution)] if attribution else []
    left = limit
    for line in text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n"):
        quoted = f">{line}" if line.startswith(">") else f"> {line}".rstrip()
        size = len(quoted.encode("utf-8", "replace")) + 1
        if size > left:
            part = quoted.encode("utf-8", "replace")[: max(left - 1, 0)].decode("utf-8", "ignore")
            lines += [part, "> […]"] if len(part) > len("> ") else ["> […]"]
            break
        lines.append(quoted)
        left -= size
    return "\n".join(lines) + "\n"


def forwarded(message: Message, text: str, date: str, _: Callable[[str], str]) -> str:
    """Put a forwarded mail's text under its header fields; `date` and the words are in the reader's language."""
    envelope = message.envelope
    rows = (
        (_("From"), _people(envelope.from_ or envelope.sender)),
        (_("Date"), date),
        (_("Subject"), header_fields.clean(envelope.subject)),
        (_("To"), _people(envelope.to)),
        (_("Cc"), _people(envelope.cc)),
    )
    head = [f"---- {_('Forwarded message')} ----", *(f"{name}: {said}" for name, said in rows if said)]
    body = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    return "\n".join((*head, "", body)).rstrip("\n") + "\n"


def _people(found: Iterable[Address]) -> str:
    """Format addresses for the header of a forwarded mail."""
    clean = ((header_fields.clean(one.name), header_fields.clean(one.spec)) for one in found)
    return ", ".join(f"{name} <{spec}>" if name and spec else name or spec for name, spec in clean)
