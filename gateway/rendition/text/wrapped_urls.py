"""URLs that are wrapped over several lines of plain text (RFC 3986 appendix C).

Nothing here may know of paragraphs: it is asked about two lines.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.rendition.text.lines import LOOK

#: A line at whose end a URL was broken has at least this length, columns.
URL_LINE: Final = 50
#: And the next word would not have fitted into this many.
URL_FULL: Final = 68
#: Characters that are searched for the beginning of a URL.
URL_LIMIT: Final = 4000

#: How addresses begin.
ADDRESSES: Final = ("http:", "https:", "www.", "mailto:")
_URL_END: Final = re.compile(r"(?:https?://|www\.)[^\s<>\"“”«»]*\Z", re.IGNORECASE)
_URL_OPEN: Final = re.compile(r"<(?:URL:)?\s?(?:https?://|mailto:|ftp://)[^\s<>]*\Z", re.IGNORECASE)
_URL_REST: Final = re.compile(r"(?=[^\w\s]{0,3}[^\W_])[\w/&=?%#~.+,;:@!$'()*-]+")
_URL_SIGN: Final = re.compile(r"[/&=?%#~_]|\d[A-Za-z]|[A-Za-z]\d|\w[.-]\w")
_URL_MIXED: Final = re.compile(r"[/&=?%#_]|\d[A-Za-z]|[A-Za-z]\d")
#: The rest of a file name.
_URL_FILE: Final = re.compile(
    r"\w\.(?:s?html?|php|aspx?|jsp|cgi|pdf|txt|xml|zip|gz|gif|jpe?g|png)\Z", re.IGNORECASE
)
_URL_GOES_ON: Final = tuple("/&=?%-_")


def goes_on(written: str, before: str, following: str) -> bool:
    """Return whether the last URL was broken between two lines."""
    if "://" not in written and "www." not in written.lower():
        return False
    rest = _URL_REST.match(following[:LOOK])
    if rest is None or following.lower().startswith(ADDRESSES):
        return False
    token, alone = rest.group(), rest.end() == len(following)
    if _URL_OPEN.search(written[-URL_LIMIT:]):
        return alone or following[rest.end()] == ">"
    if _URL_END.search(written[-URL_LIMIT:]) is None or len(before) < URL_LINE or "@" in token:
        return False
    if before.endswith(_URL_GOES_ON):
        return _URL_SIGN.search(token) is not None
    mixed = _URL_MIXED.search(token) or _URL_FILE.search(token)
    return alone and len(before) + len(token) > URL_FULL and mixed is not None
