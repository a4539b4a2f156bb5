"""The author of a mail, and what composing it needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.access.session import Session
from gateway.account.profile import Profile
from gateway.language import Language
from gateway.rendition.context import Context


@dataclass(frozen=True, slots=True)
class Author:
    """The author of a mail.

    `now`: the mail's date. `limit`: maximum octets of a message in this gateway. `reading`: how messages are rendered
    as text when they are quoted.
    """

    session: Session
    profile: Profile
    language: Language
    now: datetime
    limit: int
    reading: Context
