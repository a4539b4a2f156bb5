"""The first screen: whether the gateway is well."""

from __future__ import annotations

import time

from flask import Blueprint, Response

from gateway.admin.screens import current_panel, page

overview = Blueprint("overview", __name__)


@overview.get("/")
def show() -> Response:
    """Show what runs, since when, and for whom."""
    process = current_panel().process
    return page(
        "overview",
        title="Overview",
        process=process,
        sessions=process.state.sessions.count(time.time()),
        now=time.time(),
    )
