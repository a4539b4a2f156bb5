"""Replies: who gets an answer, under what subject, in which thread, and above what quotation (RFC 5322 §3.6.3-4).

Nothing here may know how an answer is written by its author or sent. What a message says of itself is not to be
trusted: addresses without the form of one are left out, and all lists are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from gateway.message import addresses, headers
from gateway.message.model import Address, Message
from gateway.message.outgoing import compose as compose
from gateway.message.outgoing import new_message_id as new_message_id

#: Octets of quotation, in UTF-8, that an answer carries.
QUOTE_LIMIT: Final = 10 * 1024
#: Message ids in References: the first names the thread, the last ones the way here.
REFERENCES_LIMIT: Final = 20
#: Characters of a subject that is answered.
_SUBJECT: Final = 400

_ANSWERED: Final = re.compile(
    r"(?:re|aw|sv|vs|odp|回复|答复|回覆|ответ|отв)(?:\[\d{1,3}\]|\^\d{1,3})?\s*[:：]\s*", re.I
)
_MSG_ID: Final = re.compile(r"<[^<>\s]{1,400}>")


def reply_subject(subject: str) -> str:
    """Put "Re: " in front, once, whatever the original's language put there."""
    rest = headers.clean(subject)[:_SUBJECT]
    while match := _ANSWERED.match(rest):
        rest = rest[match.end() :]
    return f"Re: {rest}".rstrip()


def reply_recipients(message: Message, own: Iterable[str]) -> tuple[list[Address], list[Address]]:
    """Name who gets a reply, as (to, cc): Reply-To, else From; for one's own mail, those it went to.

    `own` are the person's addresses; their case does not matter.
    """
    mine = _lower(own)
    envelope = message.envelope
    if _written_by(message, mine):
        others = _sendable(envelope.to, mine)
        return (others or _sendable(envelope.to) or _sendable(envelope.from_)), []
    return (_sendable(envelope.reply_to) or _sendable(envelope.from_) or _sendable(envelope.sender)), []


def reply_all_recipients(message: Message, own: Iterable[str]) -> tuple[list[Address], list[Address]]:
    """Name who gets a reply to all, as (to, cc): Mail-Followup-To where there is one, and never oneself."""
    mine = _lower(own)
    followup, _ = addresses.parse(message.headers.get("mail-followup-to", ""))
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


def _written_by(message: Message, mine: frozenset[str]) -> bool:
    return bool(_lower(address.spec for address in message.envelope.from_) & mine)


def _lower(specs: Iterable[str]) -> frozenset[str]:
    return frozenset(spec.lower() for spec in specs if spec)


def _sendable(found: Iterable[Address], without: frozenset[str] = frozenset()) -> list[Address]:
    return addresses.unique((one for one in found if addresses.valid(one.spec)), without)


def references(message: Message) -> list[str]:
    """Continue the thread: the message's References, or else its In-Reply-To, and its own id."""
    envelope = message.envelope
    earlier = _MSG_ID.findall(message.headers.get("references", ""))
    if not earlier:
        parents = _MSG_ID.findall(envelope.in_reply_to)
        earlier = parents if len(parents) == 1 else []  # RFC 5322 §3.6.4: several ids say nothing
    found = list(dict.fromkeys((*earlier, *_MSG_ID.findall(envelope.message_id)[:1])))
    return found if len(found) <= REFERENCES_LIMIT else [found[0], *found[1 - REFERENCES_LIMIT :]]


def quote(text: str, attribution: str, limit: int = QUOTE_LIMIT) -> str:
    """Quote text under its attribution, at most `limit` octets of it; an ellipsis stands for the rest."""
    lines = [headers.clean(attribution)] if attribution else []
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


def parse_addresses(text: str) -> tuple[list[Address], list[str]]:
    """Read what a person typed: the addresses that can be sent to, and the pieces that cannot."""
    return addresses.typed(text)
