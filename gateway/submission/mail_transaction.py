"""One mail transaction (RFC 5321 §3.3).

Nothing here may change the content of a message (only its transfer encodings, for a server that takes seven
bits only, RFC 6152), or call "not sent" what may have been sent: SubmissionUncertain is raised exactly when
the connection broke after the end of the data was on its way (RFC 5321 §6.1).
"""

from __future__ import annotations

import re
import smtplib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.errors import (
    AddressNotSendable,
    MessageNotSendable,
    MessageTooLarge,
    RecipientsRefused,
    SubmissionUncertain,
    SubmissionUnreachable,
)
from gateway.message.headers import encoded_words
from gateway.message.outgoing import transport
from gateway.submission.smtp_client import SmtpClient, log_line
from gateway.submission.smtp_session import CLOSING_CHANNEL, refusal, size_limit
from gateway.upstreams import deadline

#: Seconds for the reply to the message, whatever went before: servers scan a message before they accept it, and
#: giving up leaves the outcome uncertain.
DATA_REPLY_SECONDS: Final = 60.0
_DOT: Final = re.compile(rb"(?m)^\.")


@dataclass(frozen=True, slots=True)
class Receipt:
    """The acceptance of a message; `refused`: the recipients that were not accepted, and why."""

    refused: Mapping[str, str] = field(default_factory=dict)


def transact(smtp: SmtpClient, sender: str, recipients: list[str], octets: bytes) -> Receipt:
    """Run one mail transaction (RFC 5321 §3.3)."""
    _check_addresses(smtp, [sender, *recipients])
    if not octets.isascii() and not smtp.has_extn("8bitmime"):
        try:
            octets = transport.make_sendable(octets, eight=False)
        except ValueError as error:
            raise MessageNotSendable(f"8BITMIME is needed and not offered: {error}") from None
    options = _options(smtp, [sender, *recipients], octets)
    # smtplib's own mail() and rcpt() parse the address again: "a,b@example.org" becomes "a".
    code, text = smtp.docmd("MAIL", " ".join([f"FROM:<{encoded_words.ascii_spec(sender)}>", *options]))
    if code != 250:
        raise refusal("MAIL", code, text)
    refused: dict[str, str] = {}
    for spec in recipients:
        code, text = smtp.docmd("RCPT", f"TO:<{encoded_words.ascii_spec(spec)}>")
        if code == CLOSING_CHANNEL:
            raise refusal("RCPT", code, text)
        if code not in (250, 251):
            refused[spec] = f"{code} {log_line(text)}"
    if len(refused) == len(recipients):
        raise RecipientsRefused(
            tuple(refused), ", ".join(reply.partition(" ")[0] for reply in refused.values())
        )
    code, text = smtp.docmd("DATA")
    if code != 354:
        raise refusal("DATA", code, text)
    _send_data(smtp, octets)
    return Receipt(refused)


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


def _send_data(smtp: SmtpClient, octets: bytes) -> None:
    """Send the data and wait for the reply; from here on a broken connection leaves the outcome uncertain."""
    stuffed = _DOT.sub(b"..", octets)
    if not stuffed.endswith(b"\r\n"):
        stuffed += b"\r\n"
    try:
        # Without the final dot no server can accept the message: until then a break is a clear failure.
        smtp.send(stuffed)
    except (OSError, smtplib.SMTPException) as error:
        raise SubmissionUnreachable(f"during DATA: {type(error).__name__}") from None
    smtp.patience = DATA_REPLY_SECONDS
    try:
        with deadline.anew(DATA_REPLY_SECONDS):
            smtp.send(b".\r\n")
            code, text = smtp.getreply()
    except (OSError, smtplib.SMTPException) as error:
        raise SubmissionUncertain(f"after DATA: {log_line(str(error))}") from None
    if 300 <= code < 400:
        raise SubmissionUncertain(f"after DATA: {code}")
    if code >= 400:
        raise refusal("end of DATA", code, text)
