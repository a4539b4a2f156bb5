"""Compression of pages for browsers that accept it (RFC 9110 §8.4.1.3).

Nothing here may compress a page with the session's token in it: somebody on the line could guess it from the sizes of
responses (BREACH, breachattack.com). Tickets are new in every page. Decks are not compressed: WAP gateways compile
them.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, MutableMapping
from functools import lru_cache
from typing import Final

from flask import Response
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

#: Octets below which compression gains nothing: one packet either way.
LEAST: Final = 600
#: Higher levels take twice the time for one octet in a hundred.
_LEVEL: Final = 6
_ENCODING: Final = "gzip"
#: The header field that a page depends on, compressed or not.
FIELD: Final = "Accept-Encoding"


def compress(
    response: Response,
    accepted: str | None,
    tokens: Callable[[], Iterable[str]],
    kept: MutableMapping[object, bytes],
) -> None:
    """Compress a page if the browser accepts that, unless the page contains one of `tokens`.

    `accepted`: the value of Accept-Encoding; `kept`: what was compiled of this page before, for a screen that is shown
    again.
    """
    octets = response.get_data()
    if len(octets) < LEAST or not accepted or not _is_accepted(accepted):
        return
    if any(token and token.encode() in octets for token in tokens()):
        return
    name = _ENCODING, response.content_type
    packed = kept.get(name)
    if packed is None:
        packed = kept[name] = gzip.compress(octets, _LEVEL, mtime=0)
    response.set_data(packed)
    response.headers["Content-Encoding"] = _ENCODING


@lru_cache(maxsize=64)
def _is_accepted(accepted: str) -> bool:
    return parse_accept_header(accepted, Accept).quality(_ENCODING) > 0
