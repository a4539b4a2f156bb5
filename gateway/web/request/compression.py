"""Compresses pages for browsers that accept it (RFC 9110 §8.4.1.3).

Nothing here may compress a page with the session's token in it: from the sizes of answers somebody on the line could
guess it (BREACH, breachattack.com). Tickets are new in every page. Decks are not compressed: WAP gateways compile them.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from typing import Final

from flask import Request, Response

#: Octets below which nothing is gained: one packet either way.
LEAST: Final = 600
#: Higher ones take twice the time for one in a hundred octets.
_LEVEL: Final = 6


def compress(response: Response, request: Request, tokens: Iterable[str]) -> None:
    """Compress a page, unless one of `tokens` is in it, and say that it depends on what the browser accepts."""
    response.vary.add("Accept-Encoding")
    octets = response.get_data()
    if len(octets) < LEAST or request.accept_encodings.quality("gzip") <= 0:
        return
    if any(token and token.encode() in octets for token in tokens):
        return
    response.set_data(gzip.compress(octets, _LEVEL, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
