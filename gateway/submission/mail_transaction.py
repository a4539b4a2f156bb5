"""The mail transactions by which one message is sent (RFC 5321 §3.3): one, or more for many recipients.

Nothing here may change the content of a message (except its transfer encodings, for a server that takes only seven
bits, RFC 6152), or call "not sent" what may have been sent: SubmissionUncertain is raised exactly when the connection
broke after the end of the data was on its way (RFC 5321 §6.1). No recipient is in two transactions that were given the
data.
"""

from __future__ import annotations

import re
import smtplib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.errors import (
    AddressNotSendable,
    GatewayError,
    GatewayRefused,
    MessageNotSendable,
    MessageTooLarge,
    RecipientsDeferred,
    RecipientsRefused,
    RecipientsTooLarge,
    SenderRefused,
    SignedNotSendable,
    SubmissionError,
    SubmissionRefused,
    SubmissionUncertain,
    SubmissionUnreachable,
)
from gateway.message.headers import encoded_words
from gateway.message.outgoing import transport
from gateway.submission import refusals
from gateway.submission.refusals import CLOSING_CHANNEL, Fate, Step
from gateway.submission.smtp_client import SmtpClient, log_line
from gateway.submission.smtp_session import size_limit
from gateway.upstreams import deadline

#: Recipients named before the replies are read: this many replies fit into any buffer (RFC 2920 §3.1).
RCPT_AT_ONCE: Final = 50
#: Seconds for the reply to the message, regardless of what came before: servers scan a message before they accept it,
#: and giving up leaves the outcome uncertain.
DATA_REPLY_SECONDS: Final = 60.0
_DOT: Final = re.compile(rb"(?m)^\.")


@dataclass(frozen=True, slots=True)
class Receipt:
    """The outcome for each recipient; the replies for those that were not accepted.

    `refused`: permanently; `later`: not yet; `too_large`: the message is, for that mailbox; `doubtful`: unknown whether
    accepted.
    """

    accepted: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    later: Mapping[str, str] = field(default_factory=dict)
    too_large: Mapping[str, str] = field(default_factory=dict)
    doubtful: Mapping[str, str] = field(default_factory=dict)

    def unsent(self) -> dict[str, Any]:
        """Return the addresses that were not, or perhaps not, accepted, by the name of the reason."""
        return {name: tuple(getattr(self, name)) for name in ("refused", "later", "too_large", "doubtful")}

    @property
    def codes(self) -> str:
        """The codes of the replies to recipients that were not accepted, for the log."""
        groups = (self.refused, self.later, self.too_large, self.doubtful)
        return ", ".join(reply[:3] for group in groups for reply in group.values() if reply[:3].isdigit())


Settled = Callable[[Receipt], None]


def transact(
    smtp: SmtpClient, sender: str, recipients: list[str], octets: bytes, settled: Settled
) -> Receipt:
    """Send a message to all recipients, in as many transactions as the server's limit on recipients requires.

    `settled` is called with what is certain before each further transaction begins; an error that it raises ends the
    sending. Raise SubmissionError if nobody was accepted: once somebody is, errors only concern the recipients that are
    left.
    """
    _check_addresses(smtp, [sender, *recipients])
    octets = _in_seven_bits(smtp, octets)
    options = _options(smtp, [sender, *recipients], octets)
    receipt, left = Receipt(), recipients
    while left:
        one = MailTransaction(smtp, sender, left)
        try:
            if receipt.accepted:
                settled(receipt)
            one.run(options, octets)
        except (GatewayError, OSError, smtplib.SMTPException) as error:
            ended = one.ended_by(error, receipt)
            if receipt.accepted:
                return ended
            if isinstance(error, SubmissionUncertain):
                error.refused, error.later = tuple(ended.refused), tuple(ended.later)
                error.too_large = tuple(ended.too_large)
            raise
        receipt, left = one.added_to(receipt), one.left
    if not receipt.accepted:
        raise _nobody(receipt)
    return receipt


def _nobody(receipt: Receipt) -> RecipientsRefused:
    """Make the error for recipients none of which was accepted."""
    refused, later, too_large = (tuple(of) for of in (receipt.refused, receipt.later, receipt.too_large))
    kind = RecipientsRefused if refused else RecipientsTooLarge if too_large else RecipientsDeferred
    return kind(refused, receipt.codes, later, too_large)


class MailTransaction:
    """One mail transaction (RFC 5321 §3.3) for some of the recipients; `left`: those for which it had no room."""

    def __init__(self, smtp: SmtpClient, sender: str, recipients: list[str]) -> None:
        self._smtp, self._sender, self._recipients = smtp, sender, recipients
        self._unsent: dict[Fate, dict[str, str]] = {fate: {} for fate in Fate}
        self.accepted: list[str] = []
        self.left: list[str] = []

    def run(self, options: list[str], octets: bytes) -> None:
        """Name sender and recipients, and send the data unless nobody was accepted."""
        # smtplib's own mail() and rcpt() parse the address again: "a,b@example.org" becomes "a".
        mail = f"FROM:<{encoded_words.ascii_spec(self._sender)}>"
        code, text = self._smtp.docmd("MAIL", " ".join([mail, *options]))
        if code != 250:
            raise self._refusal(Step.MAIL, code, text)
        self._name_recipients()
        if not self.accepted:
            self._end_without_data()
            return
        code, text = self._smtp.docmd("DATA")
        if code != 354:
            raise self._refusal(Step.DATA, code, text)
        code, text = _send_data(self._smtp, octets)
        if code >= 400:
            raise self._refusal(Step.END, code, text)

    def _name_recipients(self) -> None:
        """Send RCPT for each recipient, several at once if the server allows it (RFC 2920)."""
        many = RCPT_AT_ONCE if self._smtp.has_extn("pipelining") else 1
        for at in range(0, len(self._recipients), many):
            if self.left:  # more of them would be errors, and servers only take so many of these
                self.left += self._recipients[at:]
                return
            group = self._recipients[at : at + many]
            self._smtp.send("".join(f"RCPT TO:<{encoded_words.ascii_spec(spec)}>\r\n" for spec in group))
            for spec in group:
                self._judge(spec, *self._smtp.getreply())

    def _judge(self, spec: str, code: int, text: bytes) -> None:
        if code == CLOSING_CHANNEL:
            raise self._refusal(Step.RCPT, code, text)
        found = refusals.fate(code, text, len(self.accepted))
        if found is Fate.ACCEPTED:
            self.accepted.append(spec)
        elif found is Fate.TOO_MANY:
            self.left.append(spec)
        elif found in (Fate.SENDER, Fate.GATEWAY) and not self.accepted:
            raise self._refusal(Step.RCPT, code, text)
        else:
            refused = Fate.LATER if code < 500 else Fate.REFUSED
            reason = found if found in (Fate.LATER, Fate.TOO_LARGE) else refused
            self._unsent[reason][spec] = f"{code} {log_line(text)}"

    def _end_without_data(self) -> None:
        """Prepare for another transaction; if this one had no room for anybody, another would have none either."""
        if len(self.left) == len(self._recipients):
            self._unsent[Fate.LATER] |= dict.fromkeys(self.left, "too many recipients")
            self.left = []
        if self.left:
            self._smtp.docmd("RSET")

    def _refusal(self, step: Step, code: int, text: bytes) -> SubmissionError:
        return refusals.refusal(step, code, text, self._sender, self.accepted)

    def added_to(self, receipt: Receipt) -> Receipt:
        """Return a receipt with the recipients that this transaction has settled."""
        unsent = {
            name: {**getattr(receipt, name), **self._unsent[Fate(name)]}
            for name in ("refused", "later", "too_large", "doubtful")
        }
        return Receipt((*receipt.accepted, *self.accepted), **unsent)

    def ended_by(self, error: Exception, receipt: Receipt) -> Receipt:
        """Return the outcome for all recipients if this transaction failed."""
        why = log_line(getattr(error, "detail", "") or type(error).__name__)
        known = {spec for replies in self._unsent.values() for spec in replies}
        rest = dict.fromkeys((spec for spec in self._recipients if spec not in known), why)
        if isinstance(error, SubmissionUncertain):
            self._unsent[Fate.DOUBTFUL] = {spec: rest.pop(spec) for spec in self.accepted}
        permanent = isinstance(error, (SubmissionRefused, SenderRefused, GatewayRefused))
        large = isinstance(error, (MessageTooLarge, RecipientsTooLarge))
        self._unsent[Fate.TOO_LARGE if large else Fate.REFUSED if permanent else Fate.LATER] |= rest
        self.accepted = []
        return self.added_to(receipt)


def _in_seven_bits(smtp: SmtpClient, octets: bytes) -> bytes:
    """Convert 8-bit content for a server without 8BITMIME."""
    if octets.isascii() or smtp.has_extn("8bitmime"):
        return octets
    try:
        return transport.make_sendable(octets, eight=False)
    except transport.SignedContent as error:
        raise SignedNotSendable(f"8BITMIME is needed and not offered: {error}") from None
    except ValueError as error:
        raise MessageNotSendable(f"8BITMIME is needed and not offered: {error}") from None


def _check_addresses(smtp: SmtpClient, specs: Sequence[str]) -> None:
    """Refuse an address without an ASCII form if the server lacks SMTPUTF8 (RFC 6531 §3.2)."""
    for spec in specs:
        if not encoded_words.ascii_spec(spec).isascii() and not smtp.has_extn("smtputf8"):
            raise AddressNotSendable((spec,), "SMTPUTF8 is needed and not offered")


def _options(smtp: SmtpClient, specs: list[str], octets: bytes) -> list[str]:
    options: list[str] = []
    if smtp.has_extn("size"):
        limit = size_limit(smtp)
        if limit is not None and limit < len(octets):
            raise MessageTooLarge(limit, f"{len(octets)} octets of {limit}")
        options.append(f"SIZE={len(octets)}")
    if not octets.isascii():
        options.append("BODY=8BITMIME")
    if smtp.has_extn("smtputf8") and (
        not all(encoded_words.ascii_spec(spec).isascii() for spec in specs) or _has_utf8_header(octets)
    ):
        options.append("SMTPUTF8")
        smtp.command_encoding = "utf-8"
    return options


def _has_utf8_header(octets: bytes) -> bool:
    """Return whether the header needs RFC 6532; raw octets in other charsets are beyond any extension."""
    header = octets.partition(b"\r\n\r\n")[0]
    try:
        header.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not header.isascii()


def _send_data(smtp: SmtpClient, octets: bytes) -> tuple[int, bytes]:
    """Send the data and return the reply; from here on a broken connection leaves the outcome uncertain."""
    stuffed = _DOT.sub(b"..", octets)
    if not stuffed.endswith(b"\r\n"):
        stuffed += b"\r\n"
    try:
        # No server can accept the message without the final dot: until then a break is a clear failure.
        smtp.send(stuffed)
    except (OSError, smtplib.SMTPException) as error:
        raise SubmissionUnreachable(f"during DATA: {type(error).__name__}") from None
    before, smtp.patience = smtp.patience, DATA_REPLY_SECONDS
    try:
        with deadline.anew(DATA_REPLY_SECONDS):
            smtp.send(b".\r\n")
            code, text = smtp.getreply()
    except (OSError, smtplib.SMTPException) as error:
        raise SubmissionUncertain(f"after DATA: {log_line(str(error))}") from None
    smtp.patience = before
    if 300 <= code < 400:
        raise SubmissionUncertain(f"after DATA: {code}")
    return code, text
