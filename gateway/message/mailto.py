"""mailto: URLs, and what List-Unsubscribe offers (RFC 6068, RFC 2369 §3.2, RFC 8058).

Nothing here may raise for whatever a URL or a header says. Of a mailto only To, Cc, Subject and Body are read: RFC 6068
§4 warns of all other header fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from gateway.message import addresses
from gateway.message.headers import clean
from gateway.message.model import Address

#: Recipients that a mailto may name, and characters of its subject and its text.
RECIPIENTS: Final = 20
SUBJECT: Final = 200
TEXT: Final = 4000
#: URLs of one List-Unsubscribe that are looked at.
_URLS: Final = 10

_URL: Final = re.compile(r"<\s*([^<>]{1,4000}?)\s*>")
_CONTROLS: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Mailto:
    """A mail that somebody suggests to write."""

    to: tuple[Address, ...] = ()
    subject: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Ways out of a list, '' and None for what is not offered.

    `one_click`: an HTTPS URL that takes the POST of RFC 8058. `web`: a page for people.
    """

    one_click: str = ""
    web: str = ""
    mail: Mailto | None = None

    def __bool__(self) -> bool:
        return bool(self.one_click or self.web or self.mail)


def parse(url: str) -> Mailto:
    """Read a mailto: URL; addresses that cannot be sent to are left out."""
    _, _, rest = url.partition(":")
    path, _, query = rest.partition("#")[0].partition("?")
    found = _addresses(path)
    fields: dict[str, str] = {}
    for piece in query.replace("&amp;", "&").split("&"):
        name, _, value = piece.partition("=")
        name = name.lower()
        if name in ("to", "cc"):
            found += _addresses(value)
        else:
            fields.setdefault(name, unquote(value))
    text = fields.get("body", "").replace("\r\n", "\n").replace("\r", "\n")
    return Mailto(
        tuple(addresses.unique(found)[:RECIPIENTS]),
        clean(fields.get("subject", ""))[:SUBJECT],
        _CONTROLS.sub("", text)[:TEXT],
    )


def _addresses(text: str) -> list[Address]:
    """Read addresses parted by commas, which separate only where they are not escaped (RFC 6068 §2)."""
    specs = (clean(unquote(piece)).strip() for piece in text.split(",")[: 2 * RECIPIENTS])
    return [Address("", spec) for spec in specs if addresses.valid(spec)]


def unsubscribe(headers: Mapping[str, str]) -> Unsubscribe:
    """Read what a message offers to whoever wants no more of its kind; the first of each sort counts."""
    web = one_click = ""
    mail: Mailto | None = None
    # Folding may have left blanks inside a URL, where none can be (RFC 2369 §2).
    for written in _URL.findall(headers.get("list-unsubscribe", ""))[:_URLS]:
        url = re.sub(r"\s+", "", written)
        scheme = url.partition(":")[0].lower()
        if scheme == "mailto" and mail is None:
            suggested = parse(url)
            mail = suggested if suggested.to else None
        elif scheme == "https":
            one_click = one_click or url
            web = web or url
        elif scheme == "http":
            web = web or url
    offered = re.sub(r"\s+", "", headers.get("list-unsubscribe-post", "")).lower()
    return Unsubscribe(one_click if offered == "list-unsubscribe=one-click" else "", web, mail)
