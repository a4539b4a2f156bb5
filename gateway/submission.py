"""Authenticated submission of finished messages over SMTP (RFC 6409): the only importer of smtplib.

Nothing here may change a message, try twice, or say "not sent" of what may have been: SubmissionUncertain is
raised exactly when the connection broke after the end of the data was on its way (RFC 5321 §6.1).
"""

from __future__ import annotations

import base64
import re
import smtplib
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from gateway.config import Server, Tls
from gateway.errors import (
    MessageTooLarge,
    RecipientsRefused,
    SubmissionAuthenticationFailed,
    SubmissionError,
    SubmissionRefused,
    SubmissionTLSError,
    SubmissionUncertain,
    SubmissionUnreachable,
    UnsafeArgument,
)
from gateway.store import tls
from gateway.store.tls import ProbeResult

#: Seconds for a connection, and for each answer; RFC 5321 §4.5.3.2 allows minutes, a handheld does not.
CONNECT_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 30.0
#: What EHLO says: a name that says nothing of this machine (RFC 2606 §2).
HELLO: Final = "pocketpost.invalid"
#: RFC 5321 §3.8, RFC 3207 §4: the server is there, but not for us now.
_GOING_AWAY: Final = (421, 454)
_UNSAFE: Final = re.compile("[\x00\r\n]")
_SPEC: Final = re.compile(r"[^\x00-\x20<>\x7f]+@[^\x00-\x20<>\x7f]+\Z")


@dataclass(frozen=True, slots=True)
class Receipt:
    """The server took the message; `refused` holds the recipients it did not take, and why."""

    refused: Mapping[str, str] = field(default_factory=dict)


def submit(
    server: Server, user: str, password: str, sender: str, recipients: Sequence[str], octets: bytes
) -> Receipt:
    """Submit a message (CRLF line ends) for the recipients; raise SubmissionError when nobody's copy was taken."""
    for argument in (user, password):
        _safe(argument)
    for spec in (sender, *recipients):
        if not _SPEC.match(_safe(spec)):
            raise UnsafeArgument("an address that is none")
    with _session(server) as smtp:
        _authenticate(smtp, user, password)
        return _transact(smtp, sender, list(dict.fromkeys(recipients)), octets)


def sign_in(server: Server, user: str, password: str) -> None:
    """Sign in and out again; raise the SubmissionError that says why not."""
    with _session(server) as smtp:
        _authenticate(smtp, _safe(user), _safe(password))


def probe(server: Server) -> ProbeResult:
    """Learn what a server shows before sign-in, as far as one gets; never raise a SubmissionError."""
    result = ProbeResult()
    try:
        result.addresses = tls.resolve(server)
    except OSError as error:
        result.failure = SubmissionUnreachable(f"{server.host}: {tls.words(error)}")
        return result
    try:
        with _session(server) as smtp:
            if smtp.sock is not None:
                tls.describe(smtp.sock, result)
            hello = (smtp.ehlo_resp or b"").decode("latin-1").splitlines()
            result.greeting = hello[0] if hello else ""
            result.capabilities = tuple(
                sorted(name.upper() for name in smtp.esmtp_features if name != "auth")
            )
            result.mechanisms = tuple(smtp.esmtp_features.get("auth", "").split())
            size = smtp.esmtp_features.get("size", "")
            result.size_limit = int(size) if size.isdigit() else None
    except SubmissionError as error:
        result.failure = error
    return result


def _safe(text: str) -> str:
    if _UNSAFE.search(text):
        raise UnsafeArgument("NUL, CR or LF")
    return text


@contextmanager
def _session(server: Server) -> Iterator[smtplib.SMTP]:
    """Connect, protect and greet; translate what goes wrong until the message is on its way."""
    if tls.is_too_open(server):
        raise SubmissionTLSError(f"{server.host}: no TLS, and the server is not on this machine")
    smtp: smtplib.SMTP | None = None
    try:
        smtp = _connect(server)
        yield smtp
    except ssl.SSLError as error:
        raise SubmissionTLSError(f"{server.host}: {tls.words(error)}") from error
    except smtplib.SMTPResponseException as error:
        kind = SubmissionUnreachable if error.smtp_code in _GOING_AWAY else SubmissionRefused
        raise kind(f"{server.host}: {error.smtp_code}") from error
    except smtplib.SMTPNotSupportedError as error:
        raise SubmissionTLSError(f"{server.host}: STARTTLS is not offered") from error
    except (OSError, smtplib.SMTPException) as error:
        said = tls.words(error) if isinstance(error, OSError) else type(error).__name__
        raise SubmissionUnreachable(f"{server.host}: {said}") from error
    finally:
        if smtp is not None:
            _leave(smtp)


def _connect(server: Server) -> smtplib.SMTP:
    if server.tls is Tls.IMPLICIT:
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, HELLO, timeout=CONNECT_SECONDS, context=tls.context(server)
        )
    else:
        smtp = smtplib.SMTP(server.host, server.port, HELLO, timeout=CONNECT_SECONDS)
    try:
        if smtp.sock is not None:
            smtp.sock.settimeout(ANSWER_SECONDS)
        smtp.ehlo_or_helo_if_needed()
        if server.tls is Tls.STARTTLS:
            smtp.starttls(context=tls.context(server))
            smtp.ehlo()
    except BaseException:
        smtp.close()
        raise
    return smtp


def _authenticate(smtp: smtplib.SMTP, user: str, password: str) -> None:
    """Sign in by PLAIN in UTF-8 (RFC 4616), which smtplib cannot; by its own LOGIN where there is no PLAIN."""
    mechanisms = smtp.esmtp_features.get("auth", "").upper().split()
    try:
        if "PLAIN" in mechanisms or not mechanisms:
            secret = base64.b64encode(f"\0{user}\0{password}".encode()).decode("ascii")
            code, _text = smtp.docmd("AUTH", "PLAIN " + secret)
            if code not in (235, 503):
                raise SubmissionAuthenticationFailed(f"AUTH PLAIN: {code}")
            return
        smtp.login(user, password)
    except smtplib.SMTPAuthenticationError as error:
        raise SubmissionAuthenticationFailed(f"AUTH: {error.smtp_code}") from error
    except UnicodeEncodeError:
        raise SubmissionAuthenticationFailed(
            "the password is not ASCII, and AUTH PLAIN is not offered"
        ) from None


def _transact(smtp: smtplib.SMTP, sender: str, recipients: list[str], octets: bytes) -> Receipt:
    """Run one mail transaction (RFC 5321 §3.3)."""
    options = _options(smtp, [sender, *recipients], octets)
    code, _text = smtp.mail(sender, options)
    if code != 250:
        raise SubmissionRefused(f"MAIL: {code}")
    refused: dict[str, str] = {}
    for spec in recipients:
        code, text = smtp.rcpt(spec)
        if code not in (250, 251):
            refused[spec] = f"{code} {_words(text)}"
    if len(refused) == len(recipients):
        raise RecipientsRefused(
            tuple(refused), ", ".join(answer.partition(" ")[0] for answer in refused.values())
        )
    code, _text = smtp.docmd("DATA")
    if code != 354:
        raise SubmissionRefused(f"DATA: {code}")
    _send_data(smtp, octets)
    return Receipt(refused)


def _options(smtp: smtplib.SMTP, specs: list[str], octets: bytes) -> list[str]:
    options: list[str] = []
    limit = smtp.esmtp_features.get("size", "")
    if "size" in smtp.esmtp_features:
        if limit.isdigit() and 0 < int(limit) < len(octets):
            raise MessageTooLarge(int(limit), f"{len(octets)} octets of {limit}")
        options.append(f"SIZE={len(octets)}")
    if not octets.isascii() and smtp.has_extn("8bitmime"):
        options.append("BODY=8BITMIME")
    if not all(spec.isascii() for spec in specs):
        if not smtp.has_extn("smtputf8"):
            raise SubmissionRefused("SMTPUTF8 is needed and not offered")
        options.append("SMTPUTF8")
        smtp.command_encoding = "utf-8"
    return options


def _send_data(smtp: smtplib.SMTP, octets: bytes) -> None:
    """Send the data and wait for the verdict; from here on a broken connection leaves it uncertain."""
    stuffed = re.sub(rb"(?m)^\.", b"..", octets)
    if not stuffed.endswith(b"\r\n"):
        stuffed += b"\r\n"
    try:
        # Without its last five octets no server can take the message: until then a break is a clear failure.
        smtp.send(stuffed)
    except (OSError, smtplib.SMTPException) as error:
        raise SubmissionUnreachable(f"during DATA: {type(error).__name__}") from error
    try:
        smtp.send(b".\r\n")
        code, _text = smtp.getreply()
    except (OSError, smtplib.SMTPException) as error:
        raise SubmissionUncertain(f"after DATA: {type(error).__name__}") from error
    if code in _GOING_AWAY:
        raise SubmissionUnreachable(f"the server closes: {code}")
    if code == 552:
        raise MessageTooLarge(0, "552")
    if code != 250:
        raise SubmissionRefused(f"end of DATA: {code}")


def _leave(smtp: smtplib.SMTP) -> None:
    with suppress(OSError, smtplib.SMTPException):
        if smtp.sock is not None:
            smtp.sock.settimeout(2.0)
        smtp.quit()
    smtp.close()


def _words(text: bytes | str) -> str:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return re.sub(r"[\x00-\x1f\x7f]+", " ", said)[:200]
