"""Authenticated submission of finished messages over SMTP (RFC 6409): the only importer of smtplib.

Nothing here may change what a message says (its line ends, and its transfer encodings where a server takes only
seven bits, RFC 6152), try twice, send without the person's own credentials, or say "not sent" of what may have been:
SubmissionUncertain is raised exactly when the connection broke after the end of the data was on its way
(RFC 5321 §6.1). What is refused for now (4yz) is SubmissionUnreachable.
"""

from __future__ import annotations

import base64
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from gateway.config import Server, Tls
from gateway.errors import (
    AddressNotSendable,
    MessageNotSendable,
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
from gateway.message import fields, transport
from gateway.store import tls
from gateway.store.tls import ProbeResult
from gateway.store.wire import Wire

#: Seconds for a connection, for each answer, for the verdict on a message (servers look into it before they take it,
#: and to give up is to be uncertain), and for the farewell. RFC 5321 §4.5.3.2 allows minutes, a handheld does not.
CONNECT_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 30.0
VERDICT_SECONDS: Final = 90.0
FAREWELL_SECONDS: Final = 2.0
#: Octets of one answer with all of its lines; EHLO's has some twenty of at most 512 (RFC 5321 §4.5.3.1.5).
MAX_REPLY: Final = 64 * 1024
#: What EHLO says: a name that says nothing of this machine (RFC 2606 §2).
HELLO: Final = "pocketpost.invalid"

NUL: Final = b"\0"
_UNSAFE: Final = re.compile("[\x00\r\n]")
_SPEC: Final = re.compile("[^\x00-\x20<>\x7f-\xa0\ud800-\udfff]+@[^\x00-\x20<>\x7f-\xa0\ud800-\udfff]+\\Z")
_REPLY: Final = re.compile(rb"([2-5][0-9][0-9])(?:([ -])([^\r\n]*))?\r?\n\Z")
_SIZE: Final = re.compile(r"[0-9]{1,15}\Z")
_DOT: Final = re.compile(rb"(?m)^\.")

#: RFC 4954 §4, RFC 5321 §4.2.2: AUTH was not understood or not wanted, whatever the password is.
_NOT_THE_PASSWORD: Final = frozenset({334, 500, 501, 502, 503, 504, 538})
_TOO_LARGE: Final = 552
#: RFC 5321 §3.8: said of the connection, whatever the command was.
_GOING_AWAY: Final = 421


#: What each server said last of how large a message may be.
_SIZES: Final[dict[Server, int | None]] = {}


@dataclass(frozen=True, slots=True)
class Receipt:
    """The server took the message; `refused` holds the recipients it did not take, and why."""

    refused: Mapping[str, str] = field(default_factory=dict)


def submit(
    server: Server, user: str, password: str, sender: str, recipients: Sequence[str], octets: bytes
) -> Receipt:
    """Submit a message for the recipients; raise SubmissionError when nobody's copy was taken."""
    credentials = _encoded(user), _encoded(password)
    for spec in (sender, *recipients):
        if not _SPEC.match(spec):
            raise UnsafeArgument("an address that is none")
    if b"\0" in octets:
        raise UnsafeArgument("NUL in a message")
    if not recipients:
        raise RecipientsRefused((), "no recipient")
    # RFC 5321 §2.3.8: a bare CR or LF is one server's line end and another's text, and so a way to smuggle mail.
    canonical = transport.canonical(octets)
    with _session(server) as smtp:
        _authenticate(smtp, *credentials)
        return _transact(smtp, sender, list(dict.fromkeys(recipients)), canonical)


def sign_in(server: Server, user: str, password: str) -> None:
    """Sign in and out again; raise the SubmissionError that says why not."""
    credentials = _encoded(user), _encoded(password)
    with _session(server) as smtp:
        _authenticate(smtp, *credentials)


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
            result.greeting = _words(hello[0]) if hello else ""
            result.capabilities = tuple(
                sorted(name.upper() for name in smtp.esmtp_features if name != "auth")
            )
            result.mechanisms = tuple(smtp.esmtp_features.get("auth", "").split())
            result.size_limit = _size_limit(smtp)
    except SubmissionError as error:
        result.failure = error
    return result


def size_limit(server: Server) -> int | None:
    """Say how many octets a server takes (RFC 1870 §3), as it said last; who has not said is asked.

    None where there is no limit, none that is told, or nobody who could be asked.
    """
    if server not in _SIZES:
        probe(server)
    return _SIZES.get(server)


def _encoded(text: str) -> bytes:
    try:
        octets = text.encode()
    except UnicodeEncodeError:
        raise UnsafeArgument("the credentials are not Unicode text") from None
    if _UNSAFE.search(text):
        raise UnsafeArgument("NUL, CR or LF")
    return octets


class _Smtp(smtplib.SMTP):
    """smtplib, whose answers are read within limits; what is no answer ends the connection."""

    patience = ANSWER_SECONDS
    wire: Wire | None = None

    def getreply(self) -> tuple[int, bytes]:
        """Read one answer with all its lines."""
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("not connected")
        if self.wire is None or self.wire.sock is not self.sock:
            self.wire = Wire(self.sock, ANSWER_SECONDS)
        self.wire.silence = self.patience
        self.wire.begin(self.patience, MAX_REPLY)
        lines: list[bytes] = []
        try:
            while True:
                found = _REPLY.match(self.wire.line(MAX_REPLY))
                if found is None:
                    raise OSError("the server's answer is not SMTP")
                lines.append((found[3] or b"").strip())
                if found[2] != b"-":
                    return int(found[1]), b"\n".join(lines)
        except OSError as error:
            self.close()
            raise smtplib.SMTPServerDisconnected(tls.words(error)) from None


class _SmtpOverTls(_Smtp, smtplib.SMTP_SSL):
    """The same inside TLS from the beginning (RFC 8314 §3.3)."""


@contextmanager
def _session(server: Server) -> Iterator[_Smtp]:
    """Connect, protect and greet; translate what goes wrong until the message is on its way."""
    if tls.is_too_open(server):
        raise SubmissionTLSError(f"{server.host}: no TLS, and the server is not on this machine")
    smtp: _Smtp | None = None
    try:
        smtp = _connect(server)
        _SIZES[server] = _size_limit(smtp)
        yield smtp
    except smtplib.SMTPResponseException as error:
        raise _refusal(server.host, error.smtp_code, error.smtp_error) from None
    except smtplib.SMTPException as error:
        raise SubmissionUnreachable(f"{server.host}: {_words(str(error))}") from None
    except (OSError, UnicodeError) as error:
        unsafe = isinstance(error, ssl.SSLError) and tls.is_unsafe(error)
        kind = SubmissionTLSError if unsafe else SubmissionUnreachable
        raise kind(f"{server.host}: {tls.words(error)}") from None
    finally:
        if smtp is not None:
            _leave(smtp)


def _connect(server: Server) -> _Smtp:
    if server.tls is Tls.IMPLICIT:
        smtp: _Smtp = _SmtpOverTls(
            server.host, server.port, HELLO, timeout=CONNECT_SECONDS, context=tls.context(server)
        )
    else:
        smtp = _Smtp(server.host, server.port, HELLO, timeout=CONNECT_SECONDS)
    try:
        if smtp.sock is not None:
            smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        smtp.ehlo_or_helo_if_needed()
        if server.tls is Tls.STARTTLS:
            _start_tls(smtp, server)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _start_tls(smtp: _Smtp, server: Server) -> None:
    """Go on inside TLS, forgetting what was said before (RFC 3207 §4.2)."""
    if not smtp.has_extn("starttls"):
        raise SubmissionTLSError(f"{server.host}: STARTTLS is not offered")
    plain = smtp.wire
    try:
        smtp.starttls(context=tls.context(server))
    except smtplib.SMTPResponseException as error:
        raise _refusal(
            f"{server.host}: STARTTLS", error.smtp_code, error.smtp_error, SubmissionTLSError
        ) from None
    if plain is not None and plain.held:
        raise SubmissionTLSError(f"{server.host}: octets in plain text behind the answer to STARTTLS")
    smtp.ehlo()


def _refusal(
    step: str, code: int, text: bytes | str, kind: type[SubmissionError] = SubmissionRefused
) -> SubmissionError:
    """Make the error for an answer that is no yes: 4yz is only so for now (RFC 5321 §4.2.1)."""
    detail = f"{step}: {code} {_words(text)}".rstrip()
    # RFC 3463 §3.3: 5.2.2 is a full mailbox, which has the same three digits.
    if code == _TOO_LARGE and not _words(text).startswith("5.2.2"):
        return MessageTooLarge(0, detail)
    return SubmissionUnreachable(detail) if 400 <= code < 500 else kind(detail)


def _authenticate(smtp: _Smtp, user: bytes, password: bytes) -> None:
    """Sign in by PLAIN (RFC 4616), else by LOGIN, both in UTF-8, which smtplib cannot."""
    mechanisms = smtp.esmtp_features.get("auth", "").upper().split()
    if "PLAIN" in mechanisms:
        code, _text = smtp.docmd("AUTH", f"PLAIN {_base64(NUL + user + NUL + password)}")
    elif "LOGIN" in mechanisms:
        code, _text = smtp.docmd("AUTH", "LOGIN")
        for answer in (user, password):
            if code == 334:
                code, _text = smtp.docmd(_base64(answer))
    else:
        raise SubmissionRefused("the server offers neither AUTH PLAIN nor AUTH LOGIN")
    # The text is left out: it may repeat what was sent.
    if code != 235:
        known = code in _NOT_THE_PASSWORD
        raise _refusal("AUTH", code, "", SubmissionRefused if known else SubmissionAuthenticationFailed)


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def _transact(smtp: _Smtp, sender: str, recipients: list[str], octets: bytes) -> Receipt:
    """Run one mail transaction (RFC 5321 §3.3)."""
    _check_addresses(smtp, [sender, *recipients])
    if not octets.isascii() and not smtp.has_extn("8bitmime"):
        try:
            octets = transport.fit(octets, eight=False)
        except ValueError as error:
            raise MessageNotSendable(f"8BITMIME is needed and not offered: {error}") from None
    options = _options(smtp, [sender, *recipients], octets)
    # smtplib's own mail() and rcpt() look for an address in an address: "a,b@example.org" becomes "a".
    code, text = smtp.docmd("MAIL", " ".join([f"FROM:<{fields.ascii_spec(sender)}>", *options]))
    if code != 250:
        raise _refusal("MAIL", code, text)
    refused: dict[str, str] = {}
    for spec in recipients:
        code, text = smtp.docmd("RCPT", f"TO:<{fields.ascii_spec(spec)}>")
        if code == _GOING_AWAY:
            raise _refusal("RCPT", code, text)
        if code not in (250, 251):
            refused[spec] = f"{code} {_words(text)}"
    if len(refused) == len(recipients):
        raise RecipientsRefused(
            tuple(refused), ", ".join(answer.partition(" ")[0] for answer in refused.values())
        )
    code, text = smtp.docmd("DATA")
    if code != 354:
        raise _refusal("DATA", code, text)
    _send_data(smtp, octets)
    return Receipt(refused)


def _size_limit(smtp: _Smtp) -> int | None:
    """Read SIZE (RFC 1870 §4); None where there is no limit, or none that is told."""
    told = smtp.esmtp_features.get("size", "").strip()
    return int(told) or None if _SIZE.match(told) else None


def _check_addresses(smtp: _Smtp, specs: Sequence[str]) -> None:
    """Refuse an address that has no form in ASCII where the server knows no other (RFC 6531 §3.2)."""
    for spec in specs:
        if not fields.ascii_spec(spec).isascii() and not smtp.has_extn("smtputf8"):
            raise AddressNotSendable((spec,), "SMTPUTF8 is needed and not offered")


def _options(smtp: _Smtp, specs: list[str], octets: bytes) -> list[str]:
    options: list[str] = []
    if smtp.has_extn("size"):
        limit = _size_limit(smtp)
        if limit is not None and limit < len(octets):
            raise MessageTooLarge(limit, f"{len(octets)} octets of {limit}")
        options.append(f"SIZE={len(octets)}")
    if not octets.isascii():
        options.append("BODY=8BITMIME")
    if smtp.has_extn("smtputf8") and (
        not all(fields.ascii_spec(spec).isascii() for spec in specs) or _has_utf8_header(octets)
    ):
        options.append("SMTPUTF8")
        smtp.command_encoding = "utf-8"
    return options


def _has_utf8_header(octets: bytes) -> bool:
    """Tell whether the header needs RFC 6532; raw octets of other charsets are nothing that a server could ask for."""
    header = octets.partition(b"\r\n\r\n")[0]
    try:
        header.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not header.isascii()


def _send_data(smtp: _Smtp, octets: bytes) -> None:
    """Send the data and wait for the verdict; from here on a broken connection leaves it uncertain."""
    stuffed = _DOT.sub(b"..", octets)
    if not stuffed.endswith(b"\r\n"):
        stuffed += b"\r\n"
    try:
        # Without the line of one dot no server can take the message: until then a break is a clear failure.
        smtp.send(stuffed)
    except (OSError, smtplib.SMTPException) as error:
        raise SubmissionUnreachable(f"during DATA: {type(error).__name__}") from None
    smtp.patience = VERDICT_SECONDS
    try:
        smtp.send(b".\r\n")
        code, text = smtp.getreply()
    except (OSError, smtplib.SMTPException) as error:
        raise SubmissionUncertain(f"after DATA: {_words(str(error))}") from None
    if 300 <= code < 400:
        raise SubmissionUncertain(f"after DATA: {code}")
    if code >= 400:
        raise _refusal("end of DATA", code, text)


def _leave(smtp: _Smtp) -> None:
    """Say goodbye without waiting for an answer."""
    with suppress(OSError, smtplib.SMTPException):
        if smtp.sock is not None:
            smtp.sock.settimeout(FAREWELL_SECONDS)
            smtp.putcmd("QUIT")
    smtp.close()


def _words(text: bytes | str) -> str:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", said)[:200]
