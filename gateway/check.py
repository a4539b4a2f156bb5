"""`pocketpost check`: what each server of the configuration shows, in words that an administrator can act on.

Nothing here may connect by itself: `store` and `submission` look, this module says what they saw. A password is
used for the sign-ins and appears in no finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from gateway import submission
from gateway.config import Config, Server, Tls, Upstream
from gateway.errors import (
    AuthenticationFailed,
    GatewayError,
    StoreTLSError,
    SubmissionAuthenticationFailed,
    SubmissionTLSError,
    UnknownDomain,
)
from gateway.store import imap
from gateway.store.tls import ProbeResult

EXPIRY_NOTICE = timedelta(days=21)
"""Certificates that last longer are not remarked on; they are usually renewed 30 days before."""
MECHANISMS = frozenset({"PLAIN", "LOGIN"})
"""The SASL mechanisms by which the gateway can submit (RFC 4616, and the older LOGIN)."""
SCHEMES = {Tls.IMPLICIT: "{}s", Tls.STARTTLS: "{}+starttls", Tls.NONE: "{}"}


class Verdict(Enum):
    """How a finding is to be taken; only BAD makes the check fail."""

    HEAD = ""
    GOOD = "ok"
    NOTE = "note"
    BAD = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    verdict: Verdict
    text: str

    def __str__(self) -> str:
        return self.text if self.verdict is Verdict.HEAD else f"  {self.verdict.value:<5}{self.text}"


def good(text: str) -> Finding:
    """Say that something is as it should be."""
    return Finding(Verdict.GOOD, text)


def note(text: str) -> Finding:
    """Say something to think about."""
    return Finding(Verdict.NOTE, text)


def bad(text: str) -> Finding:
    """Say that something will not work."""
    return Finding(Verdict.BAD, text)


def report(config: Config, now: datetime) -> Iterator[Finding]:
    """Look at every server of every upstream, without signing in."""
    for upstream in config.upstreams:
        yield Finding(Verdict.HEAD, f"upstream for {', '.join(upstream.domains)}")
        yield from _server(upstream.imap, imap.probe(upstream.imap), now)
        yield from _server(upstream.smtp, submission.probe(upstream.smtp), now)


def upstream_of(config: Config, address: str) -> tuple[str, Upstream]:
    """Complete an address, and find its servers; raise UnknownDomain with a detail that says what is known."""
    whole = config.complete_address(address)
    try:
        return whole, config.upstream_for(whole)
    except UnknownDomain:
        known = ", ".join(domain for upstream in config.upstreams for domain in upstream.domains)
        raise UnknownDomain(f"no upstream serves {whole}; the configuration names {known}") from None


def sign_in(config: Config, address: str, password: str) -> Iterator[Finding]:
    """Sign in to both servers of an address."""
    whole, upstream = upstream_of(config, address)
    user = upstream.user(whole)
    yield Finding(Verdict.HEAD, f"signing in as {user}")
    try:
        imap.connect(upstream.imap, user, password).close()
        yield good("imap takes the password")
    except GatewayError as error:
        yield bad(f"imap: {_said(error)}")
    try:
        submission.sign_in(upstream.smtp, user, password)
        yield good("smtp takes the password")
    except GatewayError as error:
        yield bad(f"smtp: {_said(error)}")


def _said(error: GatewayError) -> str:
    if isinstance(error, (AuthenticationFailed, SubmissionAuthenticationFailed)):
        return f"{error.sentence} ({error.detail})"
    return error.detail or error.sentence


def _server(server: Server, seen: ProbeResult, now: datetime) -> Iterator[Finding]:
    url = f"{SCHEMES[server.tls].format(server.protocol)}://{server.host}:{server.port}"
    yield Finding(Verdict.HEAD, f" {url}")
    if seen.addresses:
        yield good(f"resolves to {', '.join(seen.addresses)}")
    if seen.connected:
        yield good("connects")
        yield from _security(server, seen, now)
    if seen.failure is not None:
        yield bad(_said(seen.failure))
        if isinstance(seen.failure, (StoreTLSError, SubmissionTLSError)) and server.tls is not Tls.NONE:
            yield note("a certificate that is not publicly signed needs ca_file, an old server a newer TLS")
        return
    if seen.greeting:
        yield good(f"says: {seen.greeting}")
    yield good(f"capabilities: {' '.join(seen.capabilities) or 'none'}")
    if server.protocol == "smtp":
        yield from _submission(seen)


def _security(server: Server, seen: ProbeResult, now: datetime) -> Iterator[Finding]:
    if not seen.tls_version:
        if seen.failure is None:
            yield note("plain text: passwords cross this connection unprotected")
        return
    shown = seen.certificate
    if server.insecure or shown.expires is None:
        yield note(f"{seen.tls_version}, certificate not verified (insecure = true)")
        return
    days = (shown.expires - now).days
    names = ", ".join(shown.names) or shown.subject
    yield good(f"{seen.tls_version}, certificate for {names}, signed by {shown.issuer}")
    until = f"valid until {shown.expires.astimezone(UTC):%Y-%m-%d}, {days} days from now"
    yield note(f"{until}: renew it soon") if shown.expires - now < EXPIRY_NOTICE else good(until)


def _submission(seen: ProbeResult) -> Iterator[Finding]:
    offered = " ".join(seen.mechanisms) or "nothing"
    if MECHANISMS & {name.upper() for name in seen.mechanisms}:
        yield good(f"AUTH offers {offered}")
    else:
        yield bad(f"AUTH offers {offered}: the gateway needs PLAIN or LOGIN (is this the submission port?)")
    if seen.size_limit:
        yield good(f"takes messages up to {seen.size_limit:,} octets")
    else:
        yield note("does not say how large a message may be (SIZE)")
