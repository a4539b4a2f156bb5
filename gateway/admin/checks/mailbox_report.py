"""What `pocketpost check ADDRESS` reports about a mailbox after signing in: folders, namespaces, capabilities.

Nothing here may change anything in the mailbox.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.admin.checks.findings import ReportLine, good, note
from gateway.admin.checks.missing_capabilities import costs
from gateway.config import Server
from gateway.store import raw_names
from gateway.store.base import INBOX, OTHERS, PERSONAL, SHARED
from gateway.store.imap.imap_store import ImapStore
from gateway.store.mailbox_tree import FoundBy, Namespace

#: What happens if there is no mailbox for a role.
_MISSING: Final = {
    "drafts": "it is created when something is to be kept",
    "sent": "it is created when something is sent",
    "trash": "what is deleted is only marked",
    "junk": "it is created when something is called junk",
    "archive": "",
}
_OWNERS: Final = {PERSONAL: "own", OTHERS: "other people's", SHARED: "shared"}


def findings(store: ImapStore, server: Server) -> Iterator[ReportLine]:
    """Report on the mailbox of the person who is signed in. Raise StoreError."""
    found = store.special_mailboxes()
    named = dict(server.special)
    for role, without in _MISSING.items():
        special = found.get(role)
        if role in named and (special is None or special.found_by is not FoundBy.NAMED):
            yield note(f'{role}: there is no folder "{named[role]}", as special names it')
        if special is not None:
            yield good(f'{role}: "{raw_names.readable(special.name)}", {special.found_by.value}')
        else:
            yield (note if without else good)(f"{role}: none{without and ': ' + without}")
    yield from map(good, map(_namespace, store.namespaces))
    missing = list(costs(store.capabilities))
    for capability, cost in missing:
        yield note(f"no {capability}: {cost}")
    if not missing:
        yield good("has all capabilities that matter")


def _namespace(space: Namespace) -> str:
    prefix = f'begin with "{raw_names.readable(space.prefix)}"' if space.prefix else "have no prefix"
    inbox = f", but for {INBOX}" if space.owner != PERSONAL and not space.prefix else ""
    separator = f'"{space.delimiter}" between names' if space.delimiter else "no folders in folders"
    return f"{_OWNERS[space.owner]} folders {prefix}{inbox}, {separator}"
