"""/health/live and /health/ready, for a service manager or a load balancer: without a session, without names.

Nothing here may wait for a mail server, or write to the disk on each request.
"""

from __future__ import annotations

import json
from collections import Counter

from flask import Blueprint, Response

from gateway.admin.panel_pages import current_panel

health_checks = Blueprint("health", __name__)


@health_checks.get("/health/live")
def live() -> Response:
    """Say that the process responds."""
    return _answer(True, {"status": "live"})


@health_checks.get("/health/ready")
def ready() -> Response:
    """Say whether people can be served: the state can be written, and some message store is not known to be down."""
    panel = current_panel()
    stores = {one.store for one in panel.process.config.upstreams}
    health = {server: known for server, known in panel.process.healths().items() if server in stores}
    # Nobody comes through a gateway that is not ready, so nobody would notice that a server is up again.
    panel.probes.look((store for store, known in health.items() if known.up is False), 0.0)
    counted = Counter({True: "up", False: "down", None: "unknown"}[known.up] for known in health.values())
    writable = not panel.process.unwritable()
    is_ready = writable and counted["down"] < len(health)
    return _answer(
        is_ready,
        {
            "status": "ready" if is_ready else "not ready",
            "state": "writable" if writable else "not writable",
            "stores": {name: counted[name] for name in ("up", "down", "unknown")},
        },
    )


def _answer(well: bool, values: dict[str, object]) -> Response:
    return Response(json.dumps(values) + "\n", 200 if well else 503, content_type="application/json")
