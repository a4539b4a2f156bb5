"""Determines from a negative reply what is refused, and whom that concerns: the only table of refusals.

Nothing here may talk to a server, or put a reply into an error where it may repeat a password. A reply is judged by the
step at which it came, its code, its enhanced code, and only then by its text: servers that postpone their checks
(Postfix, until RCPT; Exim and Exchange, until the end of the data) say there what is wrong with the sender or with this
gateway.

Standard: RFC 5321 §4.2, §4.5.3.1.10 (too many recipients); RFC 4954 §4, §6 (AUTH); RFC 3463, RFC 5248 (enhanced codes).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from typing import Final

from gateway.errors import (
    ContentRefused,
    GatewayRefused,
    MessageTooLarge,
    RecipientsTooLarge,
    SenderRefusedThere,
    SubmissionAppPasswordNeeded,
    SubmissionAuthenticationFailed,
    SubmissionDeferred,
    SubmissionError,
    SubmissionOAuthOnly,
    SubmissionPasswordsNotTaken,
    SubmissionRefused,
    SubmissionTLSError,
    SubmissionTLSNeeded,
    SubmissionUnreachable,
)
from gateway.submission.smtp_client import log_line
from gateway.upstreams import sasl

#: RFC 5321 §3.8: the server closes the connection, whatever the command was.
CLOSING_CHANNEL: Final = 421
#: RFC 1870 §6.1, RFC 3463 §3.4, §3.3: too large for the server, and for a recipient's mailbox.
_STORAGE: Final = 552
_TOO_LARGE, _TOO_LARGE_FOR_MAILBOX, _MAILBOX_FULL = "3.4", "2.3", "2.2"
#: RFC 3463 §3.6, RFC 5321 §4.5.3.1.10: too many recipients, by the correct codes and by that of RFC 821.
_TOO_MANY: Final = "5.3"
_TOO_MANY_CODES: Final = frozenset({452, 552})
#: Enhanced codes of a sender that is not this person's. QUIRK: the last two are Exchange's.
_SENDER_CODES: Final = frozenset({"1.7", "1.8", "7.60", "2.252"})
#: QUIRK: Gmail's and Microsoft's permanent codes for a limit that ends by itself.
_LIMIT_CODES: Final = frozenset({"4.5", "1.90", "7.232", "7.233"})
#: RFC 4954 §4, §6, RFC 5321 §4.2.2: the mechanism is unknown, too weak or needs TLS; AUTH is not accepted at all.
_NOT_THIS_MECHANISM: Final = frozenset({500, 502, 504, 534, 538})
_NOT_THE_PASSWORD: Final = frozenset({334, 500, 501, 502, 503, 504, 530, 534, 538})
_TLS_FIRST: Final = frozenset({530, 538})
#: RFC 5321 §4.2.2: replies to MAIL that reject its sender; the others are about syntax.
_SENDER_AT_MAIL: Final = frozenset({550, 551, 553, 554})

_ENHANCED: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
_ADDRESS: Final = re.compile(r"<[^<>]*>|\S+@\S+")
_SENDER: Final = re.compile(
    r"\bsender (?:address )?(?:\S+ )?(?:rejected|denied|refused|verify|not )|\bsend\s?as|not owned by user"
    r"|\bsender (?:domain|mismatch)|\benvelope sender\b|\bmail from\b.{0,20}\bmust\b|\bverification failed for\b"
    r"|\b(?:from header|header from|sender)\b.{0,30}\b(?:not match|mismatch|differ)"
    r"|not (?:allowed|permitted|authori[sz]ed) to (?:send|use|relay)\b.{0,40}\b(?:as|from|sender|address)\b"
    r"|\b(?:from|envelope|return)[ -](?:address|from|path)\b|\binvalid sender",
    re.IGNORECASE,
)
#: The rules of a recipient's group or mailbox decide who may write to it: that concerns this recipient alone.
_NOT_TO_THEM: Final = re.compile(
    r"\b(?:send|post|write|mail)\w* (?:\w+ ){0,2}to (?:th\w+ )?(?:\w+ )?(?:group|list|recipient|mailbox|user|alias)",
    re.IGNORECASE,
)
#: A recipient's server does not know this sender or this client yet.
_GREYLISTED: Final = re.compile(r"\bgr[ae]y-?\s?list", re.IGNORECASE)
_GATEWAY: Final = re.compile(
    r"\b(?:helo|ehlo)\b|\bclient host\b|\bblocked using\b|\b(?:block|black|deny)\s?list|\breverse dns\b|\bPTR\b"
    r"|\byour (?:ip|host)\b|\b(?:dns|r)bl\b|\bspam(?:haus|cop)\b|\bbanned sen(?:ding|der)\b",
    re.IGNORECASE,
)
_LIMIT: Final = re.compile(
    r"\b(?:rate|daily|hourly|sending|outgoing)\W+(?:\w+\W+){0,3}(?:limit|quota)"
    r"|\btoo (?:many|much) (?:messages|e?-?mails?|connections)\b|\bthrottl|\bslow down\b|quotaexceeded"
    r"|\b(?:limit|quota) (?:for|of) (?:messages|e?-?mails?|recipients)|\bsending too fast\b|\btoo much mail\b"
    r"|\b(?:limit|number|many)\b.{0,30}\b(?:messages|e?-?mails?|recipients)\b.{0,30}\b(?:hour|day|minute|exceeded)\b",
    re.IGNORECASE,
)
_SIZE: Final = re.compile(
    r"\b(?:message|mail)\b.{0,30}\b(?:size\b.{0,30}\b(?:limit|maximum|exceed)|too (?:large|big))", re.I
)
_MANY: Final = re.compile(
    r"\b(?:too many|(?:maximum|limit)(?: number)? (?:of|on)(?: the)?) recipients\b", re.IGNORECASE
)
_HOURS: Final = re.compile(r"\b(?:hour|day|minute|daily|hourly)\b", re.IGNORECASE)
_FULL: Final = re.compile(r"\bmailbox\b|\bquota\b", re.IGNORECASE)
#: QUIRK: some servers use the code of a wrong password for too many tries.
_TRIES: Final = re.compile(
    r"\btoo many (?:\w+ ){0,2}(?:attempts|tries|failures|errors)|\btry (?:again )?later", re.IGNORECASE
)
_CONTENT: Final = re.compile(r"\b(?:spam|virus|malware|content|infected|phish)", re.IGNORECASE)


class Step(Enum):
    """The step of a session at which a reply came."""

    GREETING = "greeting"
    HELLO = "EHLO"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    END = "end of DATA"


class Fate(Enum):
    """The fate of a recipient; SENDER and GATEWAY are reasons that concern all recipients."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    LATER = "later"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    SENDER = "sender"
    GATEWAY = "gateway"
    DOUBTFUL = "doubtful"


def fate(code: int, text: bytes | str, accepted: int) -> Fate:
    """Judge a reply to RCPT; `accepted`: how many recipients of this transaction were accepted before it."""
    if 200 <= code < 300:
        return Fate.ACCEPTED
    enhanced, said = _read(text)
    if _is_too_many(code, enhanced, said, accepted):
        return Fate.TOO_MANY
    if code < 500 and _GREYLISTED.search(said):
        return Fate.LATER
    if enhanced in _SENDER_CODES or (_SENDER.search(said) and not _NOT_TO_THEM.search(said)):
        return Fate.SENDER
    if code in _TLS_FIRST or _GATEWAY.search(said):
        return Fate.GATEWAY
    if 400 <= code < 500 or enhanced in _LIMIT_CODES:
        return Fate.LATER
    if enhanced in (_TOO_LARGE, _TOO_LARGE_FOR_MAILBOX) or _SIZE.search(said):
        return Fate.TOO_LARGE
    return Fate.LATER if _LIMIT.search(said) else Fate.REFUSED


def _is_too_many(code: int, enhanced: str, said: str, accepted: int) -> bool:
    """Return whether a reply to RCPT means that the other recipients need another transaction."""
    if enhanced == _TOO_MANY:
        return True
    if _MANY.search(said):
        return not _HOURS.search(said)  # otherwise nobody is accepted for a while
    bare = code in _TOO_MANY_CODES and not enhanced and accepted > 0
    return bare and not (code == _STORAGE and (_FULL.search(said) or _SIZE.search(said)))


def refusal(
    step: Step, code: int, text: bytes | str, sender: str = "", recipients: Sequence[str] = ()
) -> SubmissionError:
    """Make the error for a negative reply that is neither about one recipient nor to AUTH.

    `sender` and `recipients` are those of the transaction.
    """
    detail = f"{step.value}: {code} {log_line(text)}".rstrip()
    enhanced, said = _read(text)
    limited = enhanced in _LIMIT_CODES or _LIMIT.search(said)
    if code == CLOSING_CHANNEL and not limited:
        return SubmissionUnreachable(detail)
    if _is_too_large(code, enhanced, said):
        return MessageTooLarge(0, detail)
    if 400 <= code < 500 or limited:
        return SubmissionDeferred(detail)
    if step is Step.STARTTLS:
        return SubmissionTLSError(detail)
    if enhanced == _TOO_LARGE_FOR_MAILBOX:
        return RecipientsTooLarge(detail=detail, too_large=tuple(recipients))
    if code in _TLS_FIRST and "STARTTLS" in said.upper():
        return SubmissionTLSNeeded(detail)
    if enhanced in _SENDER_CODES or _SENDER.search(said):
        return SenderRefusedThere(sender, detail)
    if step in (Step.GREETING, Step.HELLO) or _GATEWAY.search(said):
        return GatewayRefused(detail)
    if step is Step.MAIL and code in _SENDER_AT_MAIL and not enhanced.startswith("5."):
        return SenderRefusedThere(sender, detail)
    if step is Step.END and (enhanced.startswith(("6.", "7.")) or _CONTENT.search(said)):
        return ContentRefused(detail)
    return SubmissionRefused(detail)


def _is_too_large(code: int, enhanced: str, said: str) -> bool:
    """Return whether the message is too large for the server; a full mailbox has the same three digits."""
    if enhanced in (_MAILBOX_FULL, _TOO_LARGE_FOR_MAILBOX) or code < 500:
        return False
    # QUIRK: Gmail replies 552 5.7.0 to a file that it calls dangerous.
    return (
        (code == _STORAGE and not enhanced.startswith(("5.", "6.", "7.")))
        or enhanced == _TOO_LARGE
        or bool(_SIZE.search(said))
    )


# --- AUTH ---


def refuses_mechanism(code: int, text: bytes | str) -> bool:
    """Return whether a reply to AUTH refuses the mechanism, whatever the password."""
    said = log_line(text)
    if sasl.wants_app_password(said) or sasl.refuses_passwords(said):
        return False
    return code in _NOT_THIS_MECHANISM or (code >= 500 and sasl.refuses_mechanism(said))


def auth_refusal(code: int, text: bytes | str) -> SubmissionError:
    """Make the error for a negative reply to AUTH, without its text, which may repeat what was sent."""
    said = log_line(text)
    found = _ENHANCED.match(said)
    detail = f"AUTH: {code} {found[0] if found else ''}".rstrip()
    if code == CLOSING_CHANNEL and not _LIMIT.search(said):
        return SubmissionUnreachable(detail)
    if 400 <= code < 500 or _TRIES.search(said):
        return SubmissionDeferred(detail)
    if sasl.wants_app_password(said):
        return SubmissionAppPasswordNeeded(detail)
    if sasl.refuses_passwords(said):
        return SubmissionOAuthOnly(detail)
    if code in _TLS_FIRST:
        return SubmissionTLSNeeded(detail)
    if code in _NOT_THE_PASSWORD or refuses_mechanism(code, text):
        return SubmissionPasswordsNotTaken(detail)
    return SubmissionAuthenticationFailed(detail)


def _read(text: bytes | str) -> tuple[str, str]:
    """Return subject and detail of the enhanced code at the beginning of a text ('' for none), and its words.

    Addresses are left out of the words: an address like helo@ or spam@ is not a reason.
    """
    line = log_line(text)
    found = _ENHANCED.match(line)
    return found[0][2:] if found else "", _ADDRESS.sub(" ", line)
