"""Where a person continues in a message that they have not read to its end.

Nothing here may show anything. A list leads straight to the place where reading stopped; the message's own address
always is its first page, so that the back key and Prev lead where they say.
"""

from __future__ import annotations

from gateway.errors import BadRequest
from gateway.markup.layout import MessagePage
from gateway.rendition.blocks import Position
from gateway.state import Stop
from gateway.web.visit import Visit, link

#: Pages that are counted; a number from an address may be any.
_MOST = 9999


def open_link(number: int, uid: int, stop: Stop | None) -> str:
    """Link to a message, where reading stopped or from its beginning."""
    if stop is not None:
        try:
            at = Position.decode(stop.position)
            return link("message.page", number=number, uid=uid, page=stop.page, position=at)
        except BadRequest:  # spelled by another version
            pass
    return link("message.first", number=number, uid=uid)


def resume_link(visit: Visit, number: int, uid: int) -> str:
    """Link back to a message, where reading stopped or from its beginning."""
    return open_link(number, uid, visit.signed_in.stops(number, (uid,)).get(uid))


def remember(visit: Visit, number: int, uid: int, shown: MessagePage) -> None:
    """Remember the page that is shown, until the last one is."""
    if shown.next is None:
        visit.signed_in.stop(number, uid, None)
    elif shown.start is not None:
        visit.signed_in.stop(number, uid, Stop(shown.start.encode(), min(shown.number, _MOST)))
