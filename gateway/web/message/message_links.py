"""The links of one message: as many as a page has actions, so what they share is made once.

Nothing here may spell an address: each is the route of its screen, and the rest is that of the message's own link.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from flask import current_app

from gateway.web.request.visit import link

#: A variable part of a route, by name: `<int:number>`.
_VARIABLE = re.compile(r"<[^<>]*?(\w+)>")


def message_links(number: int, uid: int) -> Callable[..., str]:
    """Return what makes the link to a screen of a message, the same one as `link`.

    Besides endpoint and message it takes the letters in the route.
    """
    path, mark, query = link("message.first", number=number, uid=uid).partition("?")
    folder, rest = path[: path.rfind("/") + 1], mark + query

    def made(endpoint: str, **letters: str) -> str:
        return folder + _name(endpoint, *letters).format(number=number, uid=uid, **letters) + rest

    return made


@cache  # as many as there are routes that a page of a message links to
def _name(endpoint: str, *letters: str) -> str:
    """Return the name of a screen of a message in its folder, to be formatted with these letters."""
    wanted = {"number", "uid", *letters}
    route = next(one.rule for one in current_app.url_map.iter_rules(endpoint) if one.arguments == wanted)
    return _VARIABLE.sub(r"{\1}", route.removeprefix("/"))
