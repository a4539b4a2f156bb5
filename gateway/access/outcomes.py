"""Outcomes of posts as stored with their tickets: field names and result codes.

Nothing here may be shown to a person as it is: sentences are msgids. An outcome outlives an upgrade, so
existing names keep their values. Outcomes of sending mail are in `gateway.sealed.send_journal`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

#: Fields: a result code; a msgid for it; the short id of what was made; a count.
RESULT: Final = "outcome"
SENTENCE: Final = "sentence"
NUMBER: Final = "number"
COUNT: Final = "count"
#: The HTTP status that another server returned (RFC 9110 §15).
STATUS: Final = "status"
#: The only field of a post whose outcome is nothing but a msgid.
NOTICE: Final = "said"
#: The number of a search; the place of a draft (mailbox and UID).
SEARCH: Final = "search"
DRAFT: Final = "draft"


class ResultCode(StrEnum):
    """The result of a post.

    MARKED: messages are flagged as deleted but still there. GROWN: there is more to delete than the person was asked
    about.
    """

    CREATED = "created"
    RENAMED = "renamed"
    DELETED = "deleted"
    EMPTIED = "emptied"
    MARKED = "marked"
    GROWN = "grown"
    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"
    REFUSED = "refused"
    DECLINED = "no"
    NOT_DONE = "not done"
    UNCERTAIN = "uncertain"
