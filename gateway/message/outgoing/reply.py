"""Replies: their recipients, subject, thread and quotation (RFC 5322 §3.6.3-4).

Nothing here may know how a reply is written or sent. What a message says of itself is not trusted: malformed
addresses are dropped, and all lists are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from gateway.message.headers import address_lists, header_fields, mailto
from gateway.message.model import Address, Message
from gateway.message.outgoing.builder import compose as compose
from gateway.message.outgoing.builder import new_message_id as new_message_id

#: Octets of quotation, in UTF-8, in a reply.
QUOTE_LIMIT: Final = 10 * 1024
#: Message ids in References: the first names the thread, the last ones the way here.
REFERENCES_LIMIT: Final = 20
#: Characters of the original's subject in a reply.
_SUBJECT: Final = 400

_ANSWERED: Final = re.compile(
    r"(?:re|aw|sv|vs|odp|回复|答复|回覆|ответ|отв)(?:\[\d{1,3}\]|\^\d{1,3})?\s*[:：]\s*", re.I
)
_FORWARDED: Final = re.compile(r"(?:fwd?|wg|tr|rv|enc|pd|vs|doorst|转发|轉寄)\s*[:：]\s*", re.I)
_MSG_ID: Final = re.compile(r"<[^<>\s]{1,400}>")
_URL: Final = re.compile(r"<\s*([^<>]{1,2000}?)\s*>")


def reply_subject(subject: str) -> str:
    """Prefix "Re: ", once, whatever the original's language put there."""
    rest = header_fields.clean(subject)[:_SUBJECT]
    while match := _ANSWERED.match(rest):
        rest = rest[match.end() :]
    return f"Re: {rest}".rstrip()


def forward_subject(subject: str) -> str:
    """Prefix "Fwd: ", once, whatever the original's language put there; a "Re: " after it stays."""
    rest = header_fields.clean(subject)[:_SUBJECT]
    while match := _FORWARDED.match(rest):
        rest = rest[match.end() :]
    return f"Fwd: {rest}".rstrip()


def reply_recipients(message: Message, own: Iterable[str]) -> tuple[list[Address], list[Address]]:
    """Return the recipients of a reply as (to, cc): Reply-To, else From; for one's own mail, its recipients.

    `own` are the person's addresses; case does not matter.
    """
    mine = _lower(own)
    envelope = message.envelope
    if _written_by(message, mine):
        others = _sendable(envelope.to, mine)
        return (others or _sendable(envelope.to) or _sendable(envelope.from_)), []
    return (_sendable(envelope.reply_to) or _sendable(envelope.from_) or _sendable(envelope.sender)), []


def reply_all_recipients(message: Message, own: Iterable[str]) -> tuple[list[Address], list[Address]]:
    """Return the recipients of a reply to all as (to, cc): Mail-Followup-To if present; never oneself."""
    mine = _lower(own)
    followup, _ = address_lists.parse(message.header("mail-followup-to"))
    asked = _sendable(followup, mine)
    if asked:
        return asked, []
    to, _ = reply_recipients(message, own)
    if _written_by(message, mine):
        rest: list[Address] = []
    else:
        to = _sendable(to, mine)
        rest = list(message.envelope.to)
    seen = mine | _lower(address.spec for address in to)
    cc = _sendable((*rest, *message.envelope.cc), seen)
    return (to, cc) if to else (cc or reply_recipients(message, own)[0], [])


def list_recipients(message: Message) -> list[Address]:
    """Return the recipients of a reply to the list, by List-Post (RFC 2369 §3.4); none if posting is not allowed."""
    found: list[Address] = []
    for url in _URL.findall(message.header("list-post")):
        plain = re.sub(r"\s+", "", url)
        if plain.lower().startswith("mailto:") and not found:  # the first usable one counts
            found = list(mailto.parse(plain).to)[:1]
    return found


def _written_by(message: Message, mine: frozenset[str]) -> bool:
    return bool(_lower(address.spec for address in message.envelope.from_) & mine)


def _lower(specs: Iterable[str]) -> frozenset[str]:
    return frozenset(spec.lower() for spec in specs if spec)


def _sendable(found: Iterable[Address], without: frozenset[str] = frozenset()) -> list[Address]:
    return address_lists.unique((one for one in found if address_lists.valid(one.spec)), without)


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
