"""Reading positions: where to continue in messages that were not read to the end.

Nothing here may show anything. A list links straight to the reading position; the address of the message itself is
always its first page, so that the back key and Prev do what they say.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.errors import BadRequest
from gateway.pages.layout import MessagePage
from gateway.rendition.blocks import Position
from gateway.state import ReadingPosition, optional
from gateway.web.request.visit import Visit, link

#: Maximum page number to remember; an address may contain any.
_MOST = 9999


def open_link(number: int, uid: int, stop: ReadingPosition | None) -> str:
    """Return the link to a message, at its reading position or its beginning."""
    if stop is not None:
        try:
            at = Position.decode(stop.position)
            return link("message.page", number=number, uid=uid, page=stop.page, position=at)
        except BadRequest:  # written by another version
            pass
    return link("message.first", number=number, uid=uid)


def resume_link(visit: Visit, number: int, uid: int) -> str:
    """Return the link back to a message, at its reading position or its beginning."""
    return open_link(number, uid, positions(visit, number, (uid,)).get(uid))


def positions(visit: Visit, number: int, uids: Iterable[int]) -> dict[int, ReadingPosition]:
    """Return the reading positions of those messages of a mailbox that were not read to the end."""
    return visit.signed_in.state.reading.positions(visit.signed_in.account, number, uids)


def remember(visit: Visit, number: int, uid: int, shown: MessagePage) -> None:
    """Remember the page that is shown, until it is the last one."""
    session = visit.signed_in
    with optional("where reading stopped"):
        if shown.next is None:
            session.state.reading.forget(session.account, number, uid)
        elif shown.start is not None:
            position = ReadingPosition(shown.start.encode(), min(shown.number, _MOST))
            session.state.reading.remember(session.account, number, uid, position, session.now())
