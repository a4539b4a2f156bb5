"""One connection to a submission server: opened, secured, greeted and signed in; its errors become ours.

Nothing here may continue without the TLS that the configuration requires, or repeat in an error what was sent.
"""

from __future__ import annotations

import base64
import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from gateway.config import Server, Tls
from gateway.errors import (
    SubmissionOAuthOnly,
    SubmissionPasswordsNotTaken,
    SubmissionTLSError,
    SubmissionTLSNeeded,
    SubmissionUnreachable,
)
from gateway.submission.refusals import Step, auth_refusal, refusal, refuses_mechanism
from gateway.submission.smtp_client import SmtpClient, SmtpsClient, log_line
from gateway.upstreams import deadline, sasl, tls

#: Seconds for QUIT; its reply is not awaited.
QUIT_SECONDS: Final = 1.0

SmtpReply = tuple[int, bytes]
_SIZE: Final = re.compile(r"[0-9]{1,15}\Z")

#: The SIZE limit that each server last announced.
SIZES: Final[dict[Server, int | None]] = {}


@contextmanager
def connected(server: Server) -> Iterator[SmtpClient]:
    """Connect, secure and greet; translate all errors until the message is on its way."""
    if tls.is_too_open(server):
        raise SubmissionTLSError(f"{server.host}: no TLS, and the server is not on this machine")
    smtp: SmtpClient | None = None
    try:
        smtp = _connect(server)
        SIZES[server] = size_limit(smtp)
        yield smtp
    except smtplib.SMTPResponseException as error:
        step = Step.HELLO if isinstance(error, smtplib.SMTPHeloError) else Step.GREETING
        raise refusal(step, error.smtp_code, error.smtp_error) from None
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
        raise refusal(Step.STARTTLS, error.smtp_code, error.smtp_error) from None
    if plain.held:
        raise SubmissionTLSError(f"{server.host}: octets in plain text behind the answer to STARTTLS")
    code, text = smtp.ehlo()
    if code != 250:
        raise smtplib.SMTPHeloError(code, text)


def authenticate(smtp: SmtpClient, user: bytes, password: bytes) -> None:
    """Sign in with a password, both in UTF-8, which smtplib does not support.

    Another mechanism is tried only if the one before was refused as such: accounts get locked for wrong passwords.
    """
    refused: SmtpReply | None = None
    for mechanism in _mechanisms(smtp):
        try:
            code, text = _MECHANISMS[mechanism](smtp, user, password)
        except smtplib.SMTPServerDisconnected:
            if refused is None:
                raise
            break  # the server hung up on the second try: the first refusal says why
        if code == 235:
            return
        refused = code, text
        if not refuses_mechanism(code, text):
            break
    assert refused is not None
    raise auth_refusal(*refused)


def _mechanisms(smtp: SmtpClient) -> list[str]:
    """Return the mechanisms for passwords that are offered, in the order to try them; raise if there are none."""
    offered = smtp.esmtp_features.get("auth", "").upper().split()
    found = [name for name in _MECHANISMS if name in offered]
    if found:
        return found
    if sasl.OAUTH & set(offered):
        raise SubmissionOAuthOnly(f"AUTH offers {' '.join(offered)} only")
    if smtp.has_extn("starttls") and not isinstance(smtp.sock, ssl.SSLSocket):
        raise SubmissionTLSNeeded("AUTH is offered only after STARTTLS: use smtp+starttls://")
    what = f"AUTH offers {' '.join(offered)}" if offered else "AUTH is not offered"
    raise SubmissionPasswordsNotTaken(f"{what}: PLAIN, LOGIN or CRAM-MD5 is needed")


def _plain(smtp: SmtpClient, user: bytes, password: bytes) -> SmtpReply:
    return smtp.docmd("AUTH", f"PLAIN {_base64(sasl.plain(user, password))}")


def _login(smtp: SmtpClient, user: bytes, password: bytes) -> SmtpReply:
    code, text = smtp.docmd("AUTH", "LOGIN")
    for answer in (user, password):
        if code == 334:
            code, text = smtp.docmd(_base64(answer))
    return code, text


def _cram_md5(smtp: SmtpClient, user: bytes, password: bytes) -> SmtpReply:
    code, text = smtp.docmd("AUTH", "CRAM-MD5")
    if code != 334:
        return code, text
    try:
        challenge = base64.b64decode(text, validate=True)
    except ValueError:
        return smtp.docmd("*")  # RFC 4954 §4: cancels, and is answered with 501
    return smtp.docmd(_base64(sasl.cram_md5(user, password, challenge)))


_MECHANISMS: Final[dict[str, Callable[[SmtpClient, bytes, bytes], SmtpReply]]] = {
    sasl.PLAIN: _plain,
    sasl.LOGIN: _login,
    sasl.CRAM_MD5: _cram_md5,
}


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
