"""The header of a draft that another program has saved: what is kept when it is saved here, and what is dropped.

Nothing here may keep a field that only its program or a mail server may write: whatever is kept is sent.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from gateway.message.headers import header_fields

#: Fields that tell the recipients something, in one line of text (RFC 2156, RFC 5322 §3.6.5, RFC 8098 §2.1).
_RESUMED_FIELDS: Final = frozenset(
    ("importance", "priority", "x-priority", "x-msmail-priority", "sensitivity", "keywords", "comments",
     "organization", "expires", "reply-by", "disposition-notification-to", "return-receipt-to")
)  # fmt: skip
#: Fields that are written anew, or are the notes of a program or a server.
_ANEW: Final = re.compile(
    r"date|from|sender|reply-to|to|cc|bcc|subject|message-id|in-reply-to|references|mime-version|content-.*|received"
    r"|return-path|delivered-to|envelope-to|user-agent|x-mailer|fcc|status|x-status|x-uid|x-keywords"
    r"|x-(?:pocketpost|mozilla|identity|account|ms|apple|uniform|universally|google|gm|evolution|kmail|sylpheed)-.*"
)
#: Characters of a field that is kept.
_LONGEST: Final = 900


class DraftHeader(NamedTuple):
    """The fields that are kept, by lower-case name, and the names of those that are dropped."""

    kept: tuple[tuple[str, str], ...]
    lost: tuple[str, ...]


def read(header: bytes) -> DraftHeader:
    """Sort the fields of a header that are not written anew anyway."""
    kept: dict[str, str] = {}
    lost: dict[str, None] = {}
    for name, raw in header_fields.fields(header)[0]:
        value = header_fields.decode(raw)
        # An address with a name beyond ASCII would be encoded with it.
        plain = value.isascii() or not name.endswith("-to")
        if name in _RESUMED_FIELDS and name not in kept and len(value) <= _LONGEST and plain:
            kept[name] = value
        elif value and not _ANEW.fullmatch(name):
            lost[name.title()] = None
    return DraftHeader(tuple(kept.items()), tuple(lost))
