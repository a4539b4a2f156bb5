"""The requests of phones, as events of the endpoint.

Nothing here may do anything.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.wap.quadruplet import Quadruplet
from gateway.wap.wsp.headers import Headers


class TooLarge(ValueError):
    """A reply does not fit; it has `size` octets, of `limit`."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"{size} octets of {limit}")
        self.size, self.limit = size, limit


@dataclass(frozen=True, slots=True)
class WapRequest:
    """A request of a phone; `id` is for `reply`.

    `limit`: the most octets of the whole Reply. `sdu`: what was negotiated, 0 for no limit, None if nothing was. `tod`:
    the name of the header that asks for the time of day, "" if none does.
    """

    id: int
    peer: Quadruplet
    method: str
    url: str
    headers: Headers
    content_type: str
    body: bytes
    limit: int
    sdu: int | None = None
    session_id: int | None = None
    tod: str = ""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Nobody is waiting for the reply to a request any more."""

    id: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """The reply to a request has arrived."""

    id: int


RequestEvent = WapRequest | Cancelled | Delivered
