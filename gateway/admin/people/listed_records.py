"""The records of the running gateway, as a request to the panel gets them."""

from __future__ import annotations

from gateway.admin.panel_pages import current_panel, record
from gateway.admin.records.account_records import Account, AccountRecords, is_hash
from gateway.errors import NotFound


def account_records() -> AccountRecords:
    """Return the accounts of the running gateway; changes to them are recorded for the administrator who asks."""
    process = current_panel().process
    return AccountRecords(process.config, process.state, lambda: process.secret, record, process.pool.drop)


def the_account(account_hash: str) -> Account:
    """Return the account that an address of ours names. Raise NotFound."""
    if not is_hash(account_hash):
        raise NotFound("There is no such account.")
    return account_records().find(account_hash)[0]
