"""The page after signing in: the inbox, or the one chosen in the settings.

Nothing here may lead to a page that does not exist, such as a favourite that was deleted.
"""

from __future__ import annotations

from typing import Final

from gateway.access.session import Session
from gateway.account.profile import FAVOURITE, FAVOURITES, Profile
from gateway.store.abilities import Can

INBOX: Final = "mailbox.inbox"
#: Addresses of start pages other than the inbox, which always exists, and what the mail store must be able to do.
_PATHS: Final = {"unread": ("/i?f=unread", "search"), "folders": ("/z", "folders")}


def is_possible(start: str, can: Can) -> bool:
    """Return whether a mail store can show a start page."""
    need = "search" if start.startswith(FAVOURITE) else _PATHS.get(start, ("", ""))[1]
    return not need or bool(getattr(can, need))


def start_target(session: Session, profile: Profile) -> str:
    """Return the endpoint, or the path within the session, of the person's start page."""
    if not is_possible(profile.start, session.last_seen_can):
        return INBOX
    path, _need = _PATHS.get(profile.start, ("", ""))
    if profile.start.startswith(FAVOURITE):
        name = profile.start.removeprefix(FAVOURITE)
        path = f"/q{name}" if session.memory.get(FAVOURITES, name) is not None else ""
    return path or INBOX
