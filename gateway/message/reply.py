"""Replies: who gets an answer, under what subject, in which thread, and above what quotation (RFC 5322 §3.6.3-4).

Nothing here may know how an answer is written by its author or sent. What a message says of itself is not to be
trusted: addresses without the form of one are left out, and all lists are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from gateway.message import addresses, headers, mailto
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
_FORWARDED: Final = re.compile(r"(?:fwd?|wg|tr|rv|enc|pd|vs|doorst|转发|轉寄)\s*[:：]\s*", re.I)
_MSG_ID: Final = re.compile(r"<[^<>\s]{1,400}>")
_URL: Final = re.compile(r"<\s*([^<>]{1,2000}?)\s*>")


def reply_subject(subject: str) -> str:
    """Put "Re: " in front, once, whatever the original's language put there."""
    rest = headers.clean(subject)[:_SUBJECT]
    while match := _ANSWERED.match(rest):
        rest = rest[match.end() :]
    return f"Re: {rest}".rstrip()


def forward_subject(subject: str) -> str:
    """Put "Fwd: " in front, once, whatever the original's language put there; a "Re: " behind it stays."""
    rest = headers.clean(subject)[:_SUBJECT]
    while match := _FORWARDED.match(rest):
        rest = rest[match.end() :]
    return f"Fwd: {rest}".rstrip()


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


def list_recipients(message: Message) -> list[Address]:
    """Name whom a reply to the list goes to, by List-Post (RFC 2369 §3.4); nobody where there is no posting."""
    found: list[Address] = []
    for url in _URL.findall(message.headers.get("list-post", "")):
        plain = re.sub(r"\s+", "", url)
        if plain.lower().startswith("mailto:") and not found:  # the first that can be used counts
            found = list(mailto.parse(plain).to)[:1]
    return found


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


def forwarded(message: Message, text: str, date: str, _: Callable[[str], str]) -> str:
    """Put a mail's text under a head that says whose it is; `date` and the words are the reader's own."""
    envelope = message.envelope
    rows = (
        (_("From"), _people(envelope.from_ or envelope.sender)),
        (_("Date"), date),
        (_("Subject"), headers.clean(envelope.subject)),
        (_("To"), _people(envelope.to)),
        (_("Cc"), _people(envelope.cc)),
    )
    head = [f"---- {_('Forwarded message')} ----", *(f"{name}: {said}" for name, said in rows if said)]
    body = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    return "\n".join((*head, "", body)).rstrip("\n") + "\n"


def _people(found: Iterable[Address]) -> str:
    """Say addresses as a mail's head does."""
    clean = ((headers.clean(one.name), headers.clean(one.spec)) for one in found)
    return ", ".join(f"{name} <{spec}>" if name and spec else name or spec for name, spec in clean)


def parse_addresses(text: str) -> tuple[list[Address], list[str]]:
    """Read what a person typed: the addresses that can be sent to, and the pieces that cannot."""
    return addresses.typed(text)
