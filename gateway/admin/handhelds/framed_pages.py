"""A page of a handheld inside a frame of the panel: its links take the whole window to the preview of their targets.

Nothing here may let a page run a script, post a form, or load anything from another origin.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from html import escape
from typing import Final

from lxml import etree

from gateway.admin.handhelds import deck_view
from gateway.admin.handhelds.demo_gateway import DemoResponse
from gateway.device import HTML, WML_COMPILED, WML_TEXT, XHTML_WAP, XHTML_XML
from gateway.markup.style_sheet import STYLE_SHEET
from gateway.wap import wbxml

DECKS: Final = frozenset({WML_TEXT, WML_COMPILED})
PAGES: Final = frozenset({HTML, XHTML_WAP, XHTML_XML})
#: What a frame may do: take the window elsewhere when a person activates a link. It has the panel's own origin, so that
#: the panel's cookie is sent; without scripts it can do nothing with that.
SANDBOX: Final = "allow-same-origin allow-top-navigation-by-user-activation"
_STYLE: Final = b"<style>" + STYLE_SHEET + b"</style>"
_LINK: Final = re.compile(rb'<link rel="stylesheet"[^>]*/>')
#: The style sheet of handhelds' pages is allowed by its digest: in the frame it is inside the page.
_DIGEST: Final = base64.b64encode(hashlib.sha256(STYLE_SHEET).digest()).decode("ascii")
POLICY: Final = (
    f"default-src 'none'; style-src 'self' 'sha256-{_DIGEST}'; img-src 'self'; base-uri 'self'; form-action 'none'; "
    f"frame-ancestors 'self'; sandbox {SANDBOX}"
)
_HEAD: Final = re.compile(rb"<head[^>]*>")
_SHEET: Final = '<link rel="stylesheet" type="text/css" href="/style.css" />'


@dataclass(frozen=True, slots=True)
class MeasuredSize:
    """The size of a page in octets: as sent, and compiled (0 if it is not compiled)."""

    sent: int
    compiled: int = 0

    @property
    def counted(self) -> int:
        """The size to which the handheld's limit applies."""
        return self.compiled or self.sent


def size(answer: DemoResponse) -> MeasuredSize:
    """Return the size of a page."""
    sent = len(answer.octets)
    if answer.mimetype != WML_TEXT:
        return MeasuredSize(sent)
    return MeasuredSize(sent, len(wbxml.encode(answer.octets.decode("utf-8"))))


def source(answer: DemoResponse) -> str:
    """Return the source of a page as text."""
    return answer.octets.decode("utf-8", "replace")


def framed(answer: DemoResponse, address: str) -> bytes:
    """Return the document for the frame; `address`: where the page is in the panel."""
    base = f'<base href="{escape(address)}" target="_top" />'
    if answer.mimetype in DECKS:
        body = etree.tostring(deck_view.view(answer.octets), encoding="unicode", method="html")
        head = f'<meta charset="utf-8"><title>Deck</title>{base}{_SHEET}'
        return f'<!DOCTYPE html><html lang="en"><head>{head}</head><body class="frame">{body}</body></html>'.encode()
    found = _HEAD.search(answer.octets)
    at = found.end() if found else 0
    page = _LINK.sub(lambda _link: _STYLE, answer.octets[at:], count=1)
    return answer.octets[:at] + base.encode() + page
