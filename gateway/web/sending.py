"""What belongs to sending and is no screen: the quotation, the copy in Sent, the flag, waiting for a twin.

Nothing here may turn a message that was accepted into a failure: what goes wrong after acceptance is told,
not raised.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from gateway.errors import BadRequest, GatewayError, MailboxGone, SubmissionUncertain
from gateway.markup.message_pages import reading_context
from gateway.message import outgoing
from gateway.message import reply as replies
from gateway.message.headers import safe_label
from gateway.message.model import Address, Message
from gateway.rendition.render import render
from gateway.session import Session
from gateway.state import Claim
from gateway.store.base import SEEN, MailStore, MessageRef
from gateway.web.visit import Visit

log = logging.getLogger(__name__)

#: Characters of the original that a reply quotes.
QUOTED: Final = 10 * 1024
#: Names under which servers without SPECIAL-USE keep sent mail, and the one we create.
SENT_NAMES: Final = ("Sent", "Sent Items", "Sent Messages", "INBOX.Sent", "INBOX/Sent")
#: Seconds a repeated request waits for the first one's outcome, and between looks.
PATIENCE: Final = 10.0
GLANCE: Final = 0.1
#: Seconds after which a request that has not come to an outcome has died: longer than all its time limits.
LONGEST_SENDING: Final = 300.0


def quotation(visit: Visit, store: MailStore, ref: MessageRef, found: Message) -> str:
    """Quote the original's text, at most QUOTED characters of it."""

    def octets(section: str, start: int) -> Iterator[bytes]:
        return store.octets(ref, section, start)

    lines: list[str] = []
    length = 0
    for block in render(found, reading_context(visit.language, fold=False), octets):
        text = ("> " * block.quote + (f"{block.marker} " if block.marker else "") + block.text).rstrip()
        lines.extend((text, ""))
        length += len(text)
        if length > QUOTED:
            break
    senders = found.envelope.from_ or found.envelope.sender
    attribution = visit.language.gettext("On %(date)s, %(who)s wrote:") % {
        "date": visit.language.long_date(found.envelope.date or found.received),
        "who": safe_label(senders[0]) if senders else visit.language.gettext("(nobody)"),
    }
    return replies.quote("\n".join(lines).strip(), attribution, QUOTED)


def file(session: Session, store: MailStore, octets: bytes, now: datetime) -> bool:
    """Keep a copy in the Sent mailbox, made if there is none; say whether there is one now."""
    if session.sent_copy == "provider":
        return True
    try:
        name = store.special("\\Sent", SENT_NAMES)
        if name is None:
            name = SENT_NAMES[0]
            store.create(name)
        try:
            store.append(name, octets, [SEEN], now)
        except MailboxGone:
            store.create(name)
            store.append(name, octets, [SEEN], now)
    except GatewayError as error:
        log.warning("copy to Sent failed: %s", type(error).__name__)
        return False
    return True


def mark(store: MailStore, ref: MessageRef, flag: str) -> bool:
    """Flag the original; one that has gone meanwhile is no failure of the answer."""
    try:
        store.flag([ref], [flag])
    except GatewayError as error:
        log.info("flag %s not set: %s", flag, type(error).__name__)
        return False
    return True


def mail(visit: Visit, to: Sequence[Address], subject: str, text: str) -> dict[str, str]:
    """Send a mail that is no answer, and file it; return the outcome, which never holds text."""
    session = visit.signed_in
    domain = session.address.rpartition("@")[2]
    try:
        octets = outgoing.compose(
            sender=Address("", session.address),
            to=to,
            subject=subject,
            text=text,
            date=visit.now.astimezone(visit.language.zone),
            message_id=outgoing.new_message_id(domain, unique()),
        )
    except ValueError:  # an address that has no form in ASCII
        return {"outcome": "not sent", "sentence": BadRequest.sentence}
    try:
        receipt = session.submit([address.spec for address in to], octets)
    except SubmissionUncertain as error:
        return {"outcome": "uncertain", "sentence": error.sentence}
    except GatewayError as error:
        return {"outcome": "not sent", "sentence": error.sentence}
    try:
        with session.store() as store:
            filed = file(session, store, octets, visit.now)
    except GatewayError:
        filed = False
    return {"outcome": "sent", "refused": ", ".join(receipt.refused), "filed": "yes" if filed else ""}


def first_outcome(session: Session, ticket: str, claim: Claim) -> dict[str, str]:
    """Return what the first request with this ticket came to; wait a little while it is under way."""
    until = time.monotonic() + PATIENCE
    while claim.outcome is None and time.monotonic() < until:
        time.sleep(GLANCE)
        claim = session.claim(ticket)
    if claim.outcome is None and time.time() - claim.claimed > LONGEST_SENDING:
        return {"outcome": "uncertain", "sentence": SubmissionUncertain.sentence}
    return claim.outcome or {"outcome": "sending"}


def unique() -> str:
    """Make the left part of a Message-ID, never to be met again."""
    return secrets.token_hex(16)
