"""The bearer's own decks: a sentence, or a link, in the language of a phone.

Nothing here may know a socket, or why something is said. What a phone accepts decides on language and charset, as for
the screens; whose phone it is is not known here.
"""

from __future__ import annotations

from functools import lru_cache
from html import escape
from typing import Final

from gateway import language
from gateway.device import WML_COMPILED, identify
from gateway.errors import GatewayError
from gateway.markup.scale import MIB_ENUMS
from gateway.server.bridge import DECK
from gateway.wap import wbxml, wsp
from gateway.wap.requests import WapRequest
from gateway.wap.wsp.headers import field


def _(msgid: str) -> str:
    return msgid


FOREIGN: Final = _("This is a mail gateway. It opens no other addresses.")
BUSY: Final = _("The gateway is busy. Nothing was done. Please try again.")
TOO_LARGE: Final = _("This is too large for your phone.")
"""Short in every language: it fits the smallest SDU that is believed, in one datagram."""
FAILED: Final = GatewayError.sentence
_CONTINUE: Final = _("Continue")


def notice(request: WapRequest, msgid: str, code: str = "") -> wsp.Reply:
    """Return a deck with one sentence; `code`: by which an administrator finds the request in the log."""
    return _deck(request, msgid, code=code)


def question(request: WapRequest, path: str) -> wsp.Reply:
    """Return a deck whose one link, Continue, leads to a path."""
    return _deck(request, _CONTINUE, path=path)


def _deck(request: WapRequest, msgid: str, *, path: str = "", code: str = "") -> wsp.Reply:
    charset = identify({"Accept-Charset": field(request.headers, "Accept-Charset")}).charset
    tag = language.choose(field(request.headers, "Accept-Language"), language.offered(charset))
    text = _escaped(language.Language(tag).gettext(msgid)) + (f" ({code})" if code else "")
    if path:
        text = f'<a href="{_escaped(path)}">{text}</a>'
    compiled = _compiled(text, charset)
    return wsp.Reply(200, WML_COMPILED, (("Cache-Control", "no-store"),), compiled)


@lru_cache(maxsize=64)
def _compiled(text: str, charset: str) -> bytes:
    """Compile a deck; a flood of requests for others' addresses gets the same one again and again."""
    return wbxml.encode(DECK.format(text), MIB_ENUMS[charset])


def _escaped(text: str) -> str:
    return escape(text).replace("$", "$$")
