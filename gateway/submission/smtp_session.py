"""One connection to a submission server: opened, secured, greeted and signed in; its errors as ours.

Nothing here may go on without the TLS that the configuration requires, or repeat in an error what was sent.
"""

from __future__ import annotations

import base64
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from gateway.config import Server, Tls
from gateway.errors import (
    MessageTooLarge,
    SubmissionAuthenticationFailed,
    SubmissionError,
    SubmissionRefused,
    SubmissionTLSError,
    SubmissionUnreachable,
)
from gateway.submission.smtp_client import SmtpClient, SmtpsClient, log_line
from gateway.upstreams import deadline, tls

#: Seconds for QUIT, whose reply is not awaited.
QUIT_SECONDS: Final = 1.0

NUL: Final = b"\0"
_SIZE: Final = re.compile(r"[0-9]{1,15}\Z")
#: RFC 4954 §4, RFC 5321 §4.2.2: AUTH was not understood or not wanted, whatever the password.
_NOT_THE_PASSWORD: Final = frozenset({334, 500, 501, 502, 503, 504, 538})
_TOO_LARGE: Final = 552
#: RFC 5321 §3.8: the server closes the connection, whatever the command was.
CLOSING_CHANNEL: Final = 421

#: The SIZE limit that each server last announced.
SIZES: Final[dict[Server, int | None]] = {}


@contextmanager
def connected(server: Server) -> Iterator[SmtpClient]:
    """Connect, secure and greet; translate every error until the message is on its way."""
    if tls.is_too_open(server):
        raise SubmissionTLSError(f"{server.host}: no TLS, and the server is not on this machine")
    smtp: SmtpClient | None = None
    try:
        smtp = _connect(server)
        SIZES[server] = size_limit(smtp)
        yield smtp
    except smtplib.SMTPResponseException as error:
        raise refusal(server.host, error.smtp_code, error.smtp_error) from None
    except smtplib.SMTPException as error:
        raise _unreachable(f"{server.host}: {log_line(str(error))}", smtp) from None
    except (OSError, UnicodeError) as error:
        detail = f"{server.host}: {tls.words(error)}"
        if isinstance(error, ssl.SSLError) and tls.is_unsafe(error):
            raise SubmissionTLSError(detail) from None
        unreachable = _unreachable(detail, smtp)
        unreachable.answered = isinstance(error, ConnectionRefusedError)
        raise unreachable from None
    finally:
        if smtp is not None:
            _quit(smtp)


def _unreachable(detail: str, smtp: SmtpClient | None) -> SubmissionUnreachable:
    error = SubmissionUnreachable(detail)
    error.for_anyone = smtp is None
    return error


def _connect(server: Server) -> SmtpClient:
    smtp = SmtpsClient(server) if server.tls is Tls.IMPLICIT else SmtpClient(server.host, server.port, "")
    try:
        smtp.local_hostname = server.helo or _address_literal(smtp.wire.sock)
        smtp.ehlo_or_helo_if_needed()
        if server.tls is Tls.STARTTLS:
            _start_tls(smtp, server)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _address_literal(sock: socket.socket) -> str:
    """Return the local address of a connection as a name for EHLO (RFC 5321 §4.1.3)."""
    address = str(sock.getsockname()[0]).partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _start_tls(smtp: SmtpClient, server: Server) -> None:
    """Start TLS and discard what was learned before (RFC 3207 §4.2)."""
    if not smtp.has_extn("starttls"):
        raise SubmissionTLSError(f"{server.host}: STARTTLS is not offered")
    plain = smtp.wire
    try:
        plain.sock.settimeout(deadline.left(tls.HANDSHAKE_SECONDS))
        smtp.starttls(context=tls.context(server))
    except smtplib.SMTPResponseException as error:
        raise refusal(
            f"{server.host}: STARTTLS", error.smtp_code, error.smtp_error, SubmissionTLSError
        ) from None
    if plain.held:
        raise SubmissionTLSError(f"{server.host}: octets in plain text behind the answer to STARTTLS")
    smtp.ehlo()


def refusal(
    step: str, code: int, text: bytes | str, kind: type[SubmissionError] = SubmissionRefused
) -> SubmissionError:
    """Make the error for a negative reply: a 4yz one is transient (RFC 5321 §4.2.1)."""
    detail = f"{step}: {code} {log_line(text)}".rstrip()
    # RFC 3463 §3.3: 5.2.2 is a full mailbox, which has the same three digits.
    if code == _TOO_LARGE and not log_line(text).startswith("5.2.2"):
        return MessageTooLarge(0, detail)
    if not 400 <= code < 500:
        return kind(detail)
    later = SubmissionUnreachable(detail)
    later.answered = code != CLOSING_CHANNEL
    return later


def authenticate(smtp: SmtpClient, user: bytes, password: bytes) -> None:
    """Sign in by PLAIN (RFC 4616), else by LOGIN, both in UTF-8, which smtplib does not support."""
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
    # The text is left out, as it may repeat what was sent.
    if code != 235:
        known = code in _NOT_THE_PASSWORD
        raise refusal("AUTH", code, "", SubmissionRefused if known else SubmissionAuthenticationFailed)


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def size_limit(smtp: SmtpClient) -> int | None:
    """Parse SIZE (RFC 1870 §4); None if there is no limit or none is announced."""
    announced = smtp.esmtp_features.get("size", "").strip()
    return int(announced) or None if _SIZE.match(announced) else None


def _quit(smtp: SmtpClient) -> None:
    """Send QUIT without waiting for the reply."""
    smtp.patience = QUIT_SECONDS
    with suppress(OSError, smtplib.SMTPException), deadline.anew(QUIT_SECONDS):
        smtp.putcmd("QUIT")
    smtp.close()
