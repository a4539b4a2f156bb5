"""/metrics for Prometheus: the only importer of prometheus-client.

Nothing here may count: the numbers are sums from the state, of all processes that share it, so any of them gives the
same response. No label comes from a person, or from what a stranger sent. Format:
prometheus.io/docs/instrumenting/exposition_formats.
"""

from __future__ import annotations

import hmac
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from flask import Blueprint, Request, Response, request

from gateway import __version__
from gateway.admin.gateway_process import GatewayProcess
from gateway.admin.panel_pages import current_panel, page
from gateway.config.hosts import is_loopback
from gateway.state import Counted
from gateway.state.watching.counts import BUCKETS, CountKey

if TYPE_CHECKING:
    from prometheus_client.core import Metric

metrics = Blueprint("metrics", __name__)

#: Header fields in which a proxy names its client: if one is present, the request did not originate on loopback.
FORWARDED: Final = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")
MISSING: Final = (
    'Metrics need prometheus-client, which is not installed: pip install "pocketpost[metrics]", and restart the '
    "gateway."
)
_COUNTERS: Final = {
    Counted.PAGES: ("pocketpost_pages", "Pages sent."),
    Counted.SENDS: ("pocketpost_sends", "Mails by what became of them."),
    Counted.SIGN_INS: ("pocketpost_sign_ins", "Sign-ins by what became of them."),
    Counted.UPSTREAM_ERRORS: (
        "pocketpost_upstream_errors",
        "Requests to mail servers that ended with an error.",
    ),
    Counted.WAP_REFUSED: ("pocketpost_wap_refused", "Datagrams that were not sent to WAP phones."),
}
_HISTOGRAMS: Final = {
    Counted.REQUEST_TIMES: (
        "pocketpost_request_seconds",
        "Requests of handhelds: the time until the answer began.",
    ),
    Counted.UPSTREAM_TIMES: (
        "pocketpost_upstream_seconds",
        "The time for which a request had a mail server.",
    ),
    Counted.CONNECT_TIMES: ("pocketpost_upstream_connect_seconds", "The time until a connection was open."),
}


@metrics.get("/metrics")
def show() -> Response:
    """Show all metrics, to those who may see them."""
    try:
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
    except ModuleNotFoundError:
        return page("notice", 404, title="No metrics", text=MISSING)
    process = current_panel().process
    if refusal := _refused(request, process.config.metrics_token):
        return refusal
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(process))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _refused(asked: Request, token: str) -> Response | None:
    """Refuse requests without the token; if none is configured, those from other machines."""
    if token:
        given = asked.headers.get("Authorization", "")
        if hmac.compare_digest(given.encode("latin-1", "replace"), f"Bearer {token}".encode()):
            return None
        refusal = page(
            "notice", 401, title="Refused", text="The token of [admin] metrics_token_file is needed."
        )
        refusal.headers["WWW-Authenticate"] = 'Bearer realm="metrics"'
        return refusal
    if is_loopback(asked.remote_addr or "") and not any(name in asked.headers for name in FORWARDED):
        return None
    text = "Metrics are for this machine only, unless [admin] metrics_token_file is set."
    return page("notice", 403, title="Refused", text=text)


class _Collector:
    """The metrics of one scrape."""

    def __init__(self, process: GatewayProcess) -> None:
        self._process = process

    def collect(self) -> Iterable[Metric]:
        """Yield all metrics."""
        totals = self._process.state.counts.totals()
        for what, (name, doc) in _COUNTERS.items():
            yield _counter(what, name, doc, totals)
        for what, (name, doc) in _HISTOGRAMS.items():
            yield _histogram(what, name, doc, totals)
        yield from self._gauges()

    def _gauges(self) -> Iterator[Metric]:
        from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily

        process = self._process
        held = process.instruments.held()
        for key, name, doc in (
            ("connections", "pocketpost_pool_connections", "Connections to mail stores, leased and idle."),
            ("workers", "pocketpost_confined_workers", "Confined workers at a job."),
            (
                "wap_sessions",
                "pocketpost_wap_sessions",
                "Sessions of WAP phones with the gateway itself (WSP).",
            ),
            (
                "wap_transactions",
                "pocketpost_wap_transactions",
                "Transactions of WAP phones under way (WTP).",
            ),
        ):
            yield GaugeMetricFamily(name, doc, value=held[key])
        sessions = process.state.sessions.count(time.time())
        yield GaugeMetricFamily("pocketpost_sessions", "Sessions of handhelds.", value=sessions)
        up = GaugeMetricFamily(
            "pocketpost_upstream_up", "Mail servers as requests have seen them.", labels=["server"]
        )
        known: defaultdict[str, list[bool]] = defaultdict(
            list
        )  # two upstreams may trust one server differently
        for server, health in process.healths().items():
            if health.up is not None:
                known[server.url].append(health.up)
        for url, found in known.items():
            up.add_metric([url], int(all(found)))
        yield up
        yield InfoMetricFamily("pocketpost", "The gateway.", value={"version": __version__})


def _counter(what: Counted, name: str, doc: str, totals: Mapping[CountKey, float]) -> Metric:
    from prometheus_client.core import CounterMetricFamily

    made = CounterMetricFamily(name, doc, labels=list(what.labels))
    for key, value in sorted(totals.items()):
        if key[0] == what.key:
            made.add_metric(list(key[1:]), value)
    return made


def _histogram(what: Counted, name: str, doc: str, totals: Mapping[CountKey, float]) -> Metric:
    from prometheus_client.core import HistogramMetricFamily

    counted: defaultdict[CountKey, dict[str, float]] = defaultdict(dict)
    for key, value in sorted(totals.items()):
        if key[0] == what.key:
            counted[key[1:-1]][key[-1]] = value
    made = HistogramMetricFamily(name, doc, labels=list(what.labels[:-1]))
    for labels, found in counted.items():
        below, buckets = 0.0, []
        for bound in map(str, BUCKETS):
            below += found.get(bound, 0.0)
            buckets.append((bound.replace("inf", "+Inf"), below))
        made.add_metric(list(labels), buckets, totals.get((what.sum_of, *labels), 0.0))
    return made
