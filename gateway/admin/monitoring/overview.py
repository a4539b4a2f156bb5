"""The first screen: whether the gateway is well, and what needs attention."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import Blueprint, Response

from gateway.admin.monitoring import attention, found_facts
from gateway.admin.monitoring.attention import Facts
from gateway.admin.panel_pages import MENU, current_panel, page
from gateway.config import Config, Server
from gateway.config.option_values import domains_in_words
from gateway.state import Counted
from gateway.state.watching.counts import CountKey
from gateway.upstreams.certificates import PeerCertificate
from gateway.upstreams.health import Health

overview = Blueprint("overview", __name__)

#: Seconds that the page waits for servers that have not been contacted for a while.
WAIT_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class ServerLine:
    """One mail server in the table."""

    server: Server
    domains: str
    health: Health
    certificate: str


@overview.get("/")
def show() -> Response:
    """Show what is running, since when and for whom, and what needs attention."""
    panel = current_panel()
    process, now = panel.process, time.time()
    panel.probes.look(process.config.servers, WAIT_SECONDS)
    facts = found_facts.facts(process, panel.probes)
    screens = dict(MENU)
    counts = process.state.counts
    today, ever = counts.totals(now), counts.totals()
    # After a restore the counts may be lower than before.
    since = {key: max(value - process.beginning.counts.get(key, 0.0), 0.0) for key, value in ever.items()}
    refused = list(_rows(Counted.WAP_REFUSED, today, since, ever))
    phones = [("Datagrams not sent to WAP phones", "Reason", refused)] if process.config.wap_listen else []
    return page(
        "overview",
        title="Overview",
        process=process,
        now=now,
        notices=[(notice, screens.get(notice.path)) for notice in attention.notices(facts)],
        servers=list(_lines(process.config, facts)),
        own=[(own, expiry(own.certificate, facts.now)) for own in facts.own],
        versions=list(found_facts.versions()),
        sessions=process.state.sessions.count(now),
        held=process.instruments.held(),
        tables=[
            ("Mail sent", "Outcome", list(_rows(Counted.SENDS, today, since, ever))),
            ("Sign-ins", "Outcome", list(_rows(Counted.SIGN_INS, today, since, ever))),
            *phones,
        ],
    )


def _lines(config: Config, facts: Facts) -> Iterator[ServerLine]:
    for server in config.servers:
        mine = [one for one in config.upstreams if server in (one.store, one.smtp)]
        domains = domains_in_words(domain for one in mine for domain in one.domains)
        shown = expiry(facts.certificates.get(server, PeerCertificate()), facts.now)
        yield ServerLine(server, domains, facts.health.get(server, Health()), shown)


def _rows(what: Counted, *counts: Mapping[CountKey, float]) -> Iterator[tuple[str, list[int]]]:
    """Yield the labels of a count that has one label, with its numbers in each of the counts."""
    names = sorted({key[1] for each in counts for key in each if key[0] == what.key})
    for name in names:
        yield name, [int(each.get((what.key, name), 0)) for each in counts]


def expiry(certificate: PeerCertificate, now: datetime) -> str:
    """Return until when a certificate is valid, "" if that is not known."""
    if certificate.expires is None:
        return ""
    return f"{certificate.expires:%Y-%m-%d}, {(certificate.expires - now).days} days"
