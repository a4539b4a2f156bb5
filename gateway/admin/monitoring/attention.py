"""What needs an administrator's attention: a sentence for each thing, and the screen where it is fixed.

Nothing here may examine anything: values in, notices out, the most urgent first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from gateway.admin.checks.findings import EXPIRY_NOTICE
from gateway.config import Config, Server, Upstream
from gateway.config.hosts import is_loopback, listen_address
from gateway.config.option_values import domains_in_words
from gateway.sealed.send_journal import UNCERTAIN
from gateway.upstreams.certificates import PeerCertificate
from gateway.upstreams.health import Health

#: Octets, and the fraction of a disk, below which its free space is low.
LITTLE_SPACE: Final = 1_000_000_000
LITTLE_PART: Final = 0.05
#: Octets below which it is low on any disk.
LEAST_SPACE: Final = 100_000_000

UPSTREAMS, SETTINGS, SENDING = "/upstreams", "/settings", "/sending"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that needs attention; `path`: where it is fixed; `urgent`: something does not work, or is open."""

    text: str
    path: str
    urgent: bool = True


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """One of the gateway's own certificates; `problem`: why its file cannot be used, "" if it can."""

    of: str
    certificate: PeerCertificate
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found out. `free`, `size`: octets of the disk with the state; `sends`: counts by outcome.

    `waiting`: changed options that wait for a restart; `unwritable`: why the state cannot be written, "" if it can;
    `secret_mode`: permissions of the file with the server secret.
    """

    config: Config
    now: datetime
    health: Mapping[Server, Health] = field(default_factory=dict)
    certificates: Mapping[Server, PeerCertificate] = field(default_factory=dict)
    own: Sequence[OwnCertificate] = ()
    unwritable: str = ""
    secret_mode: int = 0o600
    free: int = LITTLE_SPACE
    size: int = LITTLE_SPACE
    sends: Mapping[str, int] = field(default_factory=dict)
    waiting: Sequence[str] = ()


def notices(facts: Facts) -> list[Notice]:
    """Return what needs attention."""
    found = [
        *_state(facts),
        *_servers_down(facts),
        *_own_certificates(facts),
        *_their_certificates(facts),
        *_exposure(facts.config),
        *_waiting(facts),
        *_sends(facts),
    ]
    return sorted(found, key=lambda notice: not notice.urgent)


def _state(facts: Facts) -> Iterator[Notice]:
    if facts.unwritable:
        yield Notice(
            f"The state cannot be written: {facts.unwritable}. Nobody can sign in or send.", SETTINGS
        )
    if facts.secret_mode & 0o077:
        yield Notice(f"Others on this machine may read {facts.config.secret}: chmod 600 it.", SETTINGS)
    if facts.free < LEAST_SPACE or (facts.free < LITTLE_SPACE and facts.free < LITTLE_PART * facts.size):
        free = f"{facts.free // 1_000_000:,} MB"
        yield Notice(f"The disk with the state is nearly full: {free} are left.", SETTINGS)


def _servers_down(facts: Facts) -> Iterator[Notice]:
    for upstream, server in _servers(facts.config.upstreams):
        health = facts.health.get(server, Health())
        if health.up is False:
            yield Notice(f"{server.url}, for {_domains(upstream)}, is down: {health.error}", UPSTREAMS)


def _own_certificates(facts: Facts) -> Iterator[Notice]:
    for own in facts.own:
        if own.problem:
            yield Notice(f"The certificate of {own.of} cannot be used: {own.problem}.", SETTINGS)
        yield from _expiry(f"The certificate of {own.of}", own.certificate, facts.now, SETTINGS)


def _their_certificates(facts: Facts) -> Iterator[Notice]:
    for server, shown in facts.certificates.items():
        yield from _expiry(f"The certificate of {server.url}", shown, facts.now, UPSTREAMS)


def _expiry(of: str, shown: PeerCertificate, now: datetime, path: str) -> Iterator[Notice]:
    if shown.expires is None:
        return
    day = f"{shown.expires:%Y-%m-%d}"
    if shown.expires <= now:
        yield Notice(f"{of} expired on {day}: it has to be renewed.", path)
    elif shown.expires - now < EXPIRY_NOTICE:
        days = (shown.expires - now).days
        yield Notice(f"{of} is valid until {day}, {days} more days: renew it soon.", path, urgent=False)


def _exposure(config: Config) -> Iterator[Notice]:
    for upstream in config.upstreams:
        if upstream.store.insecure or upstream.smtp.insecure:
            yield Notice(
                f"insecure = true for {_domains(upstream)}: passwords can be read on the way to these servers.",
                UPSTREAMS,
                urgent=False,
            )
    if not is_loopback(listen_address(config.listen)[0]):
        yield Notice(
            f"Plain HTTP is open at {config.listen}: passwords and mail can be read on the way to handhelds, unless "
            "the network is your own.",
            SETTINGS,
            urgent=False,
        )


def _waiting(facts: Facts) -> Iterator[Notice]:
    if facts.waiting:
        names = ", ".join(facts.waiting)
        yield Notice(
            f"Until the gateway is started again, the old values stay in use of: {names}.",
            SETTINGS,
            urgent=False,
        )


def _sends(facts: Facts) -> Iterator[Notice]:
    if count := facts.sends.get(UNCERTAIN, 0):
        mails = "1 mail" if count == 1 else f"{count} mails"
        yield Notice(
            f"It is not certain whether {mails} of the last seven days went out; their writers are told.",
            SENDING,
            urgent=False,
        )


def _servers(upstreams: Iterable[Upstream]) -> Iterator[tuple[Upstream, Server]]:
    seen: set[Server] = set()
    for upstream in upstreams:
        for server in (upstream.store, upstream.smtp):
            if server not in seen:
                seen.add(server)
                yield upstream, server


def _domains(upstream: Upstream) -> str:
    return domains_in_words(upstream.domains)
