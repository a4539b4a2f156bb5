"""`pocketpost check`: a report on each configured server, in sentences that an administrator can act on.

Nothing here may connect by itself: `store`, `submission` and `tls` probe, this module reports. A password is used for
the sign-ins and appears in no finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from gateway import submission
from gateway.admin.checks import mailbox_report, maildrop_report, own_certificate
from gateway.admin.checks.findings import ReportLine, Verdict, bad, good, note, remaining
from gateway.config import Config, Server, Tls, Upstream
from gateway.config.hosts import host_port
from gateway.errors import (
    AuthenticationFailed,
    GatewayError,
    StoreTLSError,
    StoreUnreachable,
    SubmissionAuthenticationFailed,
    SubmissionTLSError,
    SubmissionUnreachable,
    UnknownDomain,
)
from gateway.store import protocols
from gateway.store.base import MailStore
from gateway.store.imap.imap_store import ImapStore
from gateway.store.pop3 import entering
from gateway.store.pop3.pop3_store import Pop3Store
from gateway.upstreams import deadline, sasl, tls
from gateway.upstreams.certificates import PeerCertificate
from gateway.upstreams.tls import ProbeResult, ProbeServer

#: Seconds for one probe of a server, for a sign-in, and for a second probe of one that failed.
CHECK_SECONDS: Final = 10.0
SECOND_LOOK_SECONDS: Final = 5.0
#: The SASL mechanisms by which the gateway can sign in (RFC 4616, RFC 2195, and the older LOGIN).
MECHANISMS: Final = frozenset({sasl.PLAIN, sasl.LOGIN, sasl.CRAM_MD5})


def report(config: Config, now: datetime, only: Upstream | None = None) -> Iterator[ReportLine]:
    """Examine our own certificate, and probe all servers, or those of one upstream, without signing in."""
    yield from own_certificate.findings(config, now)
    for upstream in config.upstreams if only is None else (only,):
        yield ReportLine(Verdict.HEAD, f"upstream for {', '.join(upstream.domains)}")
        for server, probe in ((upstream.store, protocols.probe), (upstream.smtp, submission.probe)):
            yield from _server(server, _within(probe, server), probe, now)


def _within(probe: ProbeServer, server: Server) -> ProbeResult:
    with deadline.within(CHECK_SECONDS):
        return probe(server)


def upstream_of(config: Config, address: str) -> tuple[str, Upstream]:
    """Complete an address, and find its servers. Raise UnknownDomain with a detail that lists the known domains."""
    whole = config.complete_address(address)
    try:
        return whole, config.upstream_for(whole)
    except UnknownDomain:
        known = ", ".join(domain for upstream in config.upstreams for domain in upstream.domains)
        raise UnknownDomain(f"no upstream serves {whole}; the configuration names {known}") from None


def sign_in(config: Config, address: str, password: str) -> Iterator[ReportLine]:
    """Sign in to both servers of an address."""
    whole, upstream = upstream_of(config, address)
    user = upstream.user(whole)
    yield ReportLine(Verdict.HEAD, f"signing in as {user}")
    try:
        with deadline.within(CHECK_SECONDS):
            store = protocols.connect(upstream.store, user, password)
        yield good(f"{upstream.store.protocol} takes the password")
        with closing(store), deadline.within(CHECK_SECONDS):
            yield from _mailbox(store, upstream.store)
    except GatewayError as error:
        yield bad(f"{upstream.store.protocol}: {_error_line(error)}")
    try:
        with deadline.within(CHECK_SECONDS):
            submission.sign_in(upstream.smtp, *upstream.smtp_credentials(whole, password))
        yield good(f"smtp takes the password{' of smtp_user' if upstream.gateway_user else ''}")
    except GatewayError as error:
        yield bad(f"smtp: {_error_line(error)}")


def _mailbox(store: MailStore, server: Server) -> Iterator[ReportLine]:
    if isinstance(store, ImapStore):
        yield from mailbox_report.findings(store, server)
    if isinstance(store, Pop3Store):
        yield from maildrop_report.findings(store)


def _error_line(error: GatewayError) -> str:
    if isinstance(error, (AuthenticationFailed, SubmissionAuthenticationFailed)):
        return f"{error.sentence} ({error.detail})"
    return error.detail or error.sentence


def _server(server: Server, seen: ProbeResult, probe: ProbeServer, now: datetime) -> Iterator[ReportLine]:
    yield ReportLine(Verdict.HEAD, f" {server.url}")
    if seen.addresses:
        yield good(f"resolves to {', '.join(seen.addresses)}")
    if seen.connected:
        yield good("connects")
        yield from _security(server, seen, now)
    if seen.failure is not None:
        yield bad(_error_line(seen.failure))
        if seen.addresses:
            yield from map(note, _advice(server, seen.failure, probe, now))
        return
    if seen.greeting:
        yield good(f"says: {seen.greeting}")
    yield good(f"capabilities: {' '.join(seen.capabilities) or 'none'}")
    yield from _REPORTS[server.protocol](seen)


def _advice(server: Server, failure: GatewayError, probe: ProbeServer, now: datetime) -> Iterator[str]:
    """Suggest what to do about a failure, after a second probe without a password."""
    if not isinstance(failure, (StoreTLSError, SubmissionTLSError, StoreUnreachable, SubmissionUnreachable)):
        return
    implicit = f"{server.protocol}s://{host_port(server.host)}"
    starttls = f"{server.protocol}+starttls://{host_port(server.host)}"
    with deadline.within(SECOND_LOOK_SECONDS):
        if server.tls is Tls.IMPLICIT and tls.begins_in_plain_text(server):
            yield f"port {server.port} begins in plain text: use {starttls}:{server.port}"
            return
        if server.tls is not Tls.IMPLICIT and tls.begins_with_tls(server):
            yield f"port {server.port} begins with TLS: use {implicit}:{server.port}"
            return
    if isinstance(failure, (StoreTLSError, SubmissionTLSError)) and server.tls is not Tls.NONE:
        yield from _refused_certificate(
            server, _within(probe, replace(server, insecure=True)).certificate, now
        )


def _refused_certificate(server: Server, shown: PeerCertificate, now: datetime) -> Iterator[str]:
    """Say why a certificate may have been refused, judging by its contents."""
    if shown.expires is None or shown.begins is None:
        return
    names = ", ".join(shown.names) or shown.subject
    reasons = []
    if shown.expires <= now:
        reasons.append(f"the certificate expired on {_day(shown.expires)}: it has to be renewed")
    if shown.begins > now:
        reasons.append(
            f"the certificate is valid from {_day(shown.begins)}: is the clock of this machine right?"
        )
    if not shown.covers(server.host):
        reasons.append(f"the certificate is for {names}, not {server.host}: use a name that it has")
    if shown.self_signed:
        reasons.append("the certificate is self-signed: trust it by naming it in ca_file")
    if not reasons:
        yield f"the issuer, {shown.issuer}, is not known here: name its certificate in ca_file"
        yield "or have the server send the intermediate certificates of its issuer"
    yield from reasons


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d}"


def _security(server: Server, seen: ProbeResult, now: datetime) -> Iterator[ReportLine]:
    if not seen.tls_version:
        if seen.failure is None:
            yield note("plain text: passwords cross this connection unprotected")
        return
    shown = seen.certificate
    if server.insecure or shown.expires is None:
        yield note(f"{seen.tls_version}, certificate not verified (insecure = true)")
        return
    names = ", ".join(shown.names) or shown.subject
    yield good(f"{seen.tls_version}, certificate for {names}, signed by {shown.issuer}")
    yield remaining(shown.expires, now)


def _passwords(seen: ProbeResult) -> Iterator[ReportLine]:
    """Report whether an IMAP server accepts passwords at all."""
    offered, names = " ".join(seen.mechanisms) or "nothing", set(seen.mechanisms)
    if MECHANISMS & names:
        return
    if "LOGINDISABLED" in seen.capabilities:
        yield bad(f"takes no passwords here: LOGIN is disabled, and AUTH offers {offered}")
    elif sasl.OAUTH & names:
        yield bad(f"takes no passwords here: AUTH offers {offered}")


def _submission(seen: ProbeResult) -> Iterator[ReportLine]:
    offered = " ".join(seen.mechanisms) or "nothing"
    if MECHANISMS & {name.upper() for name in seen.mechanisms}:
        yield good(f"AUTH offers {offered}")
    elif not seen.mechanisms and not seen.tls_version and "STARTTLS" in seen.capabilities:
        yield bad("AUTH is offered only after STARTTLS: use smtp+starttls://")
    else:
        yield bad(
            f"AUTH offers {offered}: the gateway needs PLAIN, LOGIN or CRAM-MD5 (is this the submission port?)"
        )
    if seen.size_limit:
        yield good(f"takes messages up to {seen.size_limit:,} octets")
    else:
        yield note("does not say how large a message may be (SIZE)")


def _maildrop(seen: ProbeResult) -> Iterator[ReportLine]:
    """Report whether a POP3 server accepts passwords, and what a missing extension costs in lists."""
    offered, names = " ".join(seen.mechanisms) or "nothing", set(seen.mechanisms)
    known = {name.partition(" ")[0] for name in seen.capabilities}
    if "USER" not in known and names and "PLAIN" not in names and not entering.timestamp_in(seen.greeting):
        yield bad(f"takes no passwords here: USER is not offered, and SASL offers {offered}")
    for name, cost in maildrop_report.costs(known):
        yield note(f"no {name}: {cost}")


_REPORTS: Final[Mapping[str, Callable[[ProbeResult], Iterator[ReportLine]]]] = {
    "imap": _passwords,
    "pop3": _maildrop,
    "smtp": _submission,
}
