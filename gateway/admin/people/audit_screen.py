"""Audit: what administrators have done, here and in the shell."""

from __future__ import annotations

from flask import Blueprint, Response

from gateway.admin.panel_pages import ROWS, current_panel, first_shown, page
from gateway.admin.records.printable_text import printable

audit = Blueprint("audit", __name__)


@audit.get("/audit")
def show() -> Response:
    """List what was done, the newest first; the next page begins before the last line of this one."""
    before = first_shown() or None
    lines = current_panel().process.state.administration.audit(before, ROWS + 1)
    shown = lines[:ROWS]
    return page(
        "audit",
        title="Audit",
        lines=[line for _, line in shown],
        printable=printable,
        first=before,
        next=shown[-1][0] if len(lines) > ROWS else None,
    )
