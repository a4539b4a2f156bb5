"""`pocketpost upstream find`: the mail servers of an address, each probed, as a block of the configuration.

Nothing here may send a password, or name a server that was not reached over TLS with its name verified. Candidates come
from SRV records (RFC 6186, RFC 8314 §5.1), from what the provider publishes for Mozilla's programs, and from usual
names, in this order; the first that responds is taken. POP3 is tried if there is no IMAP.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Final
from urllib.parse import quote, urljoin

from gateway import submission
from gateway.admin.checks import autoconfig
from gateway.admin.checks.autoconfig import ListedServer
from gateway.admin.checks.findings import ReportLine, bad, good, note
from gateway.config import Server, Tls
from gateway.config.hosts import domain_name, host_port
from gateway.errors import ConfigError, OutboundError, OutboundRefused
from gateway.outbound import ListedOrigins, Outbound
from gateway.store import protocols
from gateway.upstreams import deadline, sasl, srv_records
from gateway.upstreams.srv_records import Resolver
from gateway.upstreams.tls import ProbeResult

#: Seconds for one probe of a server.
PROBE_SECONDS: Final = 6.0
#: Maximum number of redirects, each only to where the first request was allowed to go.
REDIRECTS: Final = 3
ISPDB: Final = "https://autoconfig.thunderbird.net/v1.1"

PROBES: Final[dict[str, Callable[[Server], ProbeResult]]] = {
    "imap": protocols.probe,
    "smtp": submission.probe,
    "pop3": protocols.probe,
}
#: Services in the order to try them (RFC 8314 §5.1: TLS from the beginning is preferred).
SERVICES: Final[dict[str, tuple[tuple[str, Tls], ...]]] = {
    "imap": (("_imaps._tcp", Tls.IMPLICIT), ("_imap._tcp", Tls.STARTTLS)),
    "smtp": (("_submissions._tcp", Tls.IMPLICIT), ("_submission._tcp", Tls.STARTTLS)),
    "pop3": (("_pop3s._tcp", Tls.IMPLICIT), ("_pop3._tcp", Tls.STARTTLS)),
}
#: Usual host names, as prefixes of the domain, and the ports.
NAMES: Final = {
    "imap": ("imap.", "mail.", ""),
    "smtp": ("smtp.", "mail.", ""),
    "pop3": ("pop.", "pop3.", "mail."),
}
PORTS: Final = {
    "imap": ((993, Tls.IMPLICIT), (143, Tls.STARTTLS)),
    "smtp": ((465, Tls.IMPLICIT), (587, Tls.STARTTLS)),
    "pop3": ((995, Tls.IMPLICIT), (110, Tls.STARTTLS)),
}
_SUFFIX: Final = {Tls.IMPLICIT: "s", Tls.STARTTLS: "+starttls", Tls.NONE: ""}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A possible server; `source` says who names it, `login` is the template of user names, "" if unknown."""

    protocol: str
    host: str
    port: int
    tls: Tls
    source: str
    login: str = "{address}"

    @property
    def url(self) -> str:
        """The server as a URL in the configuration."""
        return f"{self.protocol}{_SUFFIX[self.tls]}://{host_port(self.host, self.port)}"


@dataclass
class Search:
    """The search for one address. `public` and `listed` reach the provider's pages and the ISPDB at `ispdb`, if any.

    `say` receives the lines of the report; `ca_file` is trusted instead of the system's certificates.
    """

    address: str
    resolver: Resolver | None
    public: Outbound
    listed: Outbound
    ispdb: str
    say: Callable[[ReportLine], None]
    ca_file: Path | None = None
    domain: str = field(init=False)

    def __post_init__(self) -> None:
        local, _, domain = self.address.strip().rpartition("@")
        try:
            self.domain = domain_name(domain) if local else ""
        except ValueError:
            self.domain = ""
        if not self.domain:
            raise ConfigError(f"{self.address}: an address is needed, such as you@example.org")

    def block(self) -> str:
        """Return the block for the configuration; "" if no pair of servers was found."""
        reading = self._first("imap") or self._first("pop3")
        sending = self._first("smtp")
        if reading is None or sending is None:
            return ""
        return _block(self.domain, reading, sending, self.ca_file)

    def _first(self, protocol: str) -> Candidate | None:
        """Return the first candidate that responds as it should."""
        tried = set()
        sources = (self._by_srv, self._by_autoconfig, self._by_name)
        for candidate in chain.from_iterable(source(protocol) for source in sources):
            if candidate.url not in tried and self._answers(candidate):
                return candidate
            tried.add(candidate.url)
        self.say(bad(f"no {protocol} server was found"))
        return None

    def _answers(self, candidate: Candidate) -> bool:
        """Connect, and report what was seen."""
        server = Server(candidate.protocol, candidate.host, candidate.port, candidate.tls, self.ca_file)
        with deadline.within(PROBE_SECONDS):
            seen = PROBES[candidate.protocol](server)
        where = f"{candidate.url} ({candidate.source})"
        if seen.failure is not None:
            self.say(note(f"{where}: {seen.failure.detail}"))
            return False
        self.say(good(f"{where}: {seen.tls_version}, says: {seen.greeting}"))
        offered = {name.upper() for name in seen.mechanisms}
        if offered & sasl.OAUTH and not offered & {sasl.PLAIN, sasl.LOGIN, sasl.CRAM_MD5}:
            self.say(note(f"{candidate.url} takes no passwords, only {', '.join(sorted(offered))}"))
        return True

    # --- candidates ---

    def _by_srv(self, protocol: str) -> Iterator[Candidate]:
        for service, tls in SERVICES[protocol]:
            if self.resolver is None:
                return
            found = srv_records.look_up(service, self.domain, self.resolver)
            if found.failure:
                self.say(
                    note(f"SRV records: the name servers of this machine do not answer ({found.failure})")
                )
                self.resolver = None
            if found.refused:
                self.say(note(f"{service}.{self.domain}: the domain says that it has none"))
            for one in found.hosts:
                yield Candidate(protocol, one.host, one.port, tls, f"SRV {service}.{self.domain}")

    def _by_autoconfig(self, protocol: str) -> Iterator[Candidate]:
        for url, one in self._pages:
            if one.protocol == protocol:
                yield Candidate(protocol, one.host, one.port, one.tls, url, one.login)

    def _by_name(self, protocol: str) -> Iterator[Candidate]:
        for name in NAMES[protocol]:
            for port, tls in PORTS[protocol]:
                yield Candidate(protocol, f"{name}{self.domain}", port, tls, "a usual name")

    @cached_property
    def _pages(self) -> list[tuple[str, ListedServer]]:
        """The servers on the first page that names any, each with the page's address."""
        own = f"https://autoconfig.{self.domain}/mail/config-v1.1.xml"
        asked = f"?emailaddress={quote(self.address.strip(), safe='@')}"
        pages = [
            (self.public, own, asked),
            (self.public, f"https://{self.domain}/.well-known/autoconfig/mail/config-v1.1.xml", ""),
        ]
        if self.ispdb:
            pages.append((self.listed, f"{self.ispdb.rstrip('/')}/{self.domain}", ""))
        for client, url, query in pages:
            try:
                found = autoconfig.read(_fetched(client, url + query), self.domain)
            except (OutboundError, ValueError) as error:
                self.say(note(f"{url}: {getattr(error, 'detail', '') or error}"))
                continue
            usable = [(url, one) for one in found if one.passwords]
            if len(usable) < len(found):
                self.say(note(f"{url} names servers that take no passwords"))
            if usable:
                return usable
        return []


def search(address: str, ispdb: str, ca_file: Path | None, say: Callable[[ReportLine], None]) -> Search:
    """Begin a search with this machine's resolver. Raise ConfigError for an invalid address or URL."""
    try:
        listed = Outbound(reach=ListedOrigins([ispdb] if ispdb else []))
    except OutboundRefused as error:
        raise ConfigError(f"--ispdb {ispdb}: {error.detail}") from None
    try:
        resolver = srv_records.system_resolver()
    except OSError as error:
        say(note(f"SRV records cannot be asked for: {error}"))
        resolver = None
    return Search(address, resolver, Outbound(), listed, ispdb, say, ca_file)


def _fetched(client: Outbound, url: str) -> bytes:
    """Return a page. Raise OutboundError, or ValueError for a status other than success."""
    for _hop in range(REDIRECTS + 1):
        response = client.request("GET", url, most=autoconfig.LARGEST)
        if response.status not in (301, 302, 303, 307, 308) or not response.location:
            break
        url = urljoin(url, response.location)
    if response.status != 200:
        raise ValueError(f"status {response.status}")
    return response.body


def _block(domain: str, reading: Candidate, sending: Candidate, ca_file: Path | None) -> str:
    lines = ["[[upstream]]", f"domains = {json.dumps([domain])}"]
    for one in (reading, sending):
        lines += [f"# by {one.source}", f"{one.protocol} = {json.dumps(one.url)}"]
    lines += [f"ca_file = {_text(str(ca_file))}"] if ca_file is not None else []
    if reading.login == sending.login == "{local}":
        return "\n".join([*lines, 'login = "local-part"', ""])
    for one in (reading, sending):
        if not one.login:
            lines.append(f"# {one.protocol}_login: the provider does not say which user names these are")
        elif one.login != "{address}":
            lines.append(f"{one.protocol}_login = {_text(one.login)}")
    return "\n".join([*lines, ""])


def _text(text: str) -> str:
    """Write a text as a basic string of TOML; JSON strings are valid ones."""
    return json.dumps(text, ensure_ascii=False)
