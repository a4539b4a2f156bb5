"""mailto: URLs, and what List-Unsubscribe offers (RFC 6068, RFC 2369 §3.2, RFC 8058).

Nothing here may raise, whatever a URL or a header says. From a mailto: URL only To, Cc, Subject and Body are
read: RFC 6068 §4 warns against all other header fields.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from gateway.message.headers import address_lists
from gateway.message.headers.header_fields import clean
from gateway.message.model import Address, Message

#: Recipients that a mailto: URL may name, and characters of its subject and its body.
RECIPIENTS: Final = 20
SUBJECT: Final = 200
TEXT: Final = 4000
#: URLs of one List-Unsubscribe that are read.
_URLS: Final = 10

_URL: Final = re.compile(r"<\s*([^<>]{1,4000}?)\s*>")
_CONTROLS: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Mailto:
    """The mail that a mailto: URL suggests."""

    to: tuple[Address, ...] = ()
    subject: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Ways to unsubscribe; '' or None if there is none of a kind.

    `one_click`: an HTTPS URL that takes the POST of RFC 8058. `web`: a page for people.
    """

    one_click: str = ""
    web: str = ""
    mail: Mailto | None = None

    def __bool__(self) -> bool:
        return bool(self.one_click or self.web or self.mail)


def parse(url: str) -> Mailto:
    """Parse a mailto: URL; addresses that cannot be sent to are dropped."""
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
        tuple(address_lists.unique(found)[:RECIPIENTS]),
        clean(fields.get("subject", ""))[:SUBJECT],
        _CONTROLS.sub("", text)[:TEXT],
    )


def _addresses(text: str) -> list[Address]:
    """Parse addresses separated by unescaped commas (RFC 6068 §2)."""
    specs = (clean(unquote(piece)).strip() for piece in text.split(",")[: 2 * RECIPIENTS])
    return [Address("", spec) for spec in specs if address_lists.valid(spec)]


def unsubscribe(message: Message) -> Unsubscribe:
    """Read the ways to unsubscribe that a message offers; the first of each kind counts."""
    web = one_click = ""
    mail: Mailto | None = None
    # Folding may have left whitespace inside a URL, where there can be none (RFC 2369 §2).
    for written in _URL.findall(message.header("list-unsubscribe"))[:_URLS]:
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
    offered = re.sub(r"\s+", "", message.header("list-unsubscribe-post")).lower()
    return Unsubscribe(one_click if offered == "list-unsubscribe=one-click" else "", web, mail)
