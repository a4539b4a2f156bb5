"""What people miss if an IMAP server lacks a capability: a table for `pocketpost check`.

Nothing here may decide what the gateway does: `store.imap` does. Standard: the registry of IMAP capabilities (IANA);
RFC 9051 Appendix E lists those that IMAP4rev2 includes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

#: Capabilities, any of which is enough, and what is lost without them. The first is the one to ask the provider for.
COSTS: Final = (
    (
        ("UIDPLUS", "IMAP4REV2"),
        "what is deleted for good stays in its folder, marked, until another program clears up",
    ),
    (
        ("MOVE", "IMAP4REV2"),
        "moving is copying and deleting: slower, and twice there if the connection breaks between",
    ),
    (("SORT",), "lists come in order of arrival only, or the unread first"),
    (
        ("THREAD=REFERENCES", "THREAD=REFS", "THREAD=ORDEREDSUBJECT"),
        "there are no conversations: the list by threads is not offered",
    ),
    (("ESEARCH", "IMAP4REV2"), "searches and filters in large folders are slower"),
    (
        ("LIST-STATUS", "IMAP4REV2"),
        "the list of folders takes longer, and counts only the folders of the page shown",
    ),
    (("SPECIAL-USE", "IMAP4REV2"), "Drafts, Sent, Trash, Junk and Archive are found by their names only"),
    (("NAMESPACE", "IMAP4REV2"), "folders of other people cannot be told from one's own"),
    (
        ("LITERAL+", "LITERAL-", "IMAP4REV2"),
        "saving a draft or a copy takes one more exchange with the server",
    ),
    (("QUOTA", "QUOTA=RES-STORAGE"), "the menu does not show how much room is left"),
)


def costs(capabilities: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield each missing capability that matters, with what it costs people."""
    for names, cost in COSTS:
        if not any(name in capabilities for name in names):
            yield names[0], cost
