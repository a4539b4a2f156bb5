"""Authenticated submission of finished messages over SMTP (RFC 6409): the only importer of smtplib.

`smtp_client` reads replies within limits, `smtp_session` connects and signs in, `mail_transaction` sends, `refusals`
says what a refusal is about. Nothing here may try twice, or send without credentials.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from gateway.config import Server
from gateway.errors import RecipientsRefused, SubmissionUnreachable, UnsafeArgument
from gateway.message.outgoing import transport
from gateway.submission.mail_transaction import Receipt, Settled, transact
from gateway.submission.smtp_client import log_line
from gateway.submission.smtp_session import SIZES, authenticate, connected, size_limit
from gateway.upstreams import tls
from gateway.upstreams.tls import ProbeResult

_UNSAFE: Final = re.compile("[\x00\r\n]")
_SPEC: Final = re.compile("[^\x00-\x20<>\x7f-\xa0\ud800-\udfff]+@[^\x00-\x20<>\x7f-\xa0\ud800-\udfff]+\\Z")


def submit(
    server: Server,
    user: str,
    password: str,
    sender: str,
    recipients: Sequence[str],
    octets: bytes,
    settled: Settled = lambda receipt: None,
) -> Receipt:
    """Submit a message to the recipients. Raise SubmissionError if it was accepted for none of them.

    If the server takes fewer at once there are several transactions, and before each but the first `settled` is called
    with the results that are certain by then.
    """
    credentials = _encoded(user), _encoded(password)
    for spec in (sender, *recipients):
        if not _SPEC.match(spec):
            raise UnsafeArgument("an address that is none")
    if b"\0" in octets:
        raise UnsafeArgument("NUL in a message")
    if not recipients:
        raise RecipientsRefused(detail="no recipient")
    # RFC 5321 §2.3.8: a bare CR or LF ends a line for some servers only, which allows smuggling mail.
    canonical = transport.canonical(octets)
    with connected(server) as smtp:
        authenticate(smtp, *credentials)
        return transact(smtp, sender, list(dict.fromkeys(recipients)), canonical, settled)


def sign_in(server: Server, user: str, password: str) -> None:
    """Sign in and quit. Raise SubmissionError."""
    credentials = _encoded(user), _encoded(password)
    with connected(server) as smtp:
        authenticate(smtp, *credentials)


def probe(server: Server) -> ProbeResult:
    """Return what a server reveals before sign-in, as far as the connection gets; never raise a SubmissionError."""
    return tls.probe(server, _look, SubmissionUnreachable)


def _look(server: Server, result: ProbeResult) -> None:
    with connected(server) as smtp:
        if smtp.sock is not None:
            tls.describe(smtp.sock, result)
        hello = (smtp.ehlo_resp or b"").decode("latin-1").splitlines()
        result.greeting = log_line(hello[0]) if hello else ""
        result.capabilities = tuple(sorted(name.upper() for name in smtp.esmtp_features if name != "auth"))
        result.mechanisms = tuple(smtp.esmtp_features.get("auth", "").split())
        result.size_limit = size_limit(smtp)


def known_size_limit(server: Server) -> tuple[bool, int | None]:
    """Return whether the SIZE limit of a server (RFC 1870 §3) is known, and the last announced limit in octets."""
    return server in SIZES, SIZES.get(server)


def query_size_limit(server: Server) -> int | None:
    """Ask a server for its size limit in octets; None if it has none or announces none."""
    with connected(server):
        return SIZES.get(server)


def _encoded(text: str) -> bytes:
    try:
        octets = text.encode()
    except UnicodeEncodeError:
        raise UnsafeArgument("the credentials are not Unicode text") from None
    if _UNSAFE.search(text):
        raise UnsafeArgument("NUL, CR or LF")
    return octets


__all__ = ["Receipt", "Settled", "known_size_limit", "probe", "query_size_limit", "sign_in", "submit"]
