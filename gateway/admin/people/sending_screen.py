"""Sending: what was and was not sent, without text and without addresses."""

from __future__ import annotations

import time

from flask import Blueprint, Response, request

from gateway.admin.panel_pages import ROWS, current_panel, first_shown, page
from gateway.admin.people.listed_records import the_account
from gateway.admin.records import sending_records

sending = Blueprint("sending", __name__)


@sending.get("/sending")
def show() -> Response:
    """List sendings, of all accounts or of one."""
    process, first = current_panel().process, first_shown()
    whose = request.args.get("account", "")
    account = the_account(whose) if whose else None
    number = account.row.id if account is not None else None
    found = sending_records.page(process.state, process.secret, time.time(), number, ROWS + 1, first)
    return page(
        "sending",
        title="Sending",
        account=account,
        counts=sending_records.counts(process.state, number),
        sendings=found[:ROWS],
        first=first,
        next=first + ROWS if len(found) > ROWS else None,
    )
