"""Where a person lands: the inbox, or the page that they chose in the settings.

Nothing here may lead to a page that there is not: a favourite that was given up, or a screen that is not joined.
"""

from __future__ import annotations

from typing import Final

from flask import current_app

from gateway.profile import FAVOURITE, FAVOURITES, Profile
from gateway.session import Session

INBOX: Final = "mailbox.inbox"
#: Addresses of start pages; the inbox is the one that always is.
_PATHS: Final = {"unread": "/i?f=unread", "folders": "/z"}


def start(session: Session, profile: Profile) -> str:
    """Return the endpoint, or the path within the session, of a person's start page."""
    path = _PATHS.get(profile.start, "")
    if profile.start.startswith(FAVOURITE):
        name = profile.start.removeprefix(FAVOURITE)
        path = f"/q{name}" if session.memory.get(FAVOURITES, name) is not None else ""
    screens = current_app.url_map.bind("")
    return path if path and screens.test(path.partition("?")[0], "GET") else INBOX
