"""Compression of pages for browsers that accept it (RFC 9110 §8.4.1.3).

Nothing here may compress a page with the session's token in it: somebody on the line could guess it from the sizes of
responses (BREACH, breachattack.com). Tickets are new in every page. Decks are not compressed: WAP gateways compile
them.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, MutableMapping
from typing import Final

from flask import Request, Response

#: Octets below which compression gains nothing: one packet either way.
LEAST: Final = 600
#: Higher levels take twice the time for one octet in a hundred.
_LEVEL: Final = 6
_ENCODING: Final = "gzip"


def compress(
    response: Response, request: Request, tokens: Iterable[str], kept: MutableMapping[object, bytes]
) -> None:
    """Compress a page unless it contains one of `tokens`, and declare that it depends on what the browser accepts.

    `kept`: what was compiled of this page before, for a screen that is shown again.
    """
    response.vary.add("Accept-Encoding")
    octets = response.get_data()
    if len(octets) < LEAST or request.accept_encodings.quality(_ENCODING) <= 0:
        return
    if any(token and token.encode() in octets for token in tokens):
        return
    name = _ENCODING, response.content_type
    packed = kept.get(name)
    if packed is None:
        packed = kept[name] = gzip.compress(octets, _LEVEL, mtime=0)
    response.set_data(packed)
    response.headers["Content-Encoding"] = _ENCODING
