"""Reads what a provider publishes about its mail servers for Mozilla's programs (autoconfig, "config-v1.1.xml").

Nothing here may fetch anything, or trust what it reads: hosts, ports and user names are checked, a document type (the
only place that can declare entities) is refused, and what is not understood is left out.
Format: https://wiki.mozilla.org/Thunderbird:Autoconfiguration:ConfigFileFormat
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lxml import etree

from gateway.config import Tls
from gateway.config.hosts import MAX_PORT, host_name

#: Maximum octets of a document; those of large providers have some 5,000.
LARGEST: Final = 64 * 1024
#: Maximum number of servers read from one document.
MOST: Final = 20

_PATHS: Final = "emailProvider/incomingServer", "emailProvider/outgoingServer"
_PROTOCOLS: Final = frozenset({"imap", "pop3", "smtp"})
_TLS: Final = {"SSL": Tls.IMPLICIT, "STARTTLS": Tls.STARTTLS}
#: Mechanisms for passwords; the last two are names used in older documents.
_PASSWORDS: Final = frozenset({"password-cleartext", "password-encrypted", "plain", "secure"})
_DOMAIN: Final = "%EMAILDOMAIN%"
_PLACES: Final = {"%EMAILADDRESS%": "{address}", "%EMAILLOCALPART%": "{local}", _DOMAIN: "{domain}"}
_PORT: Final = re.compile(r"[0-9]{1,5}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ListedServer:
    """A server with TLS. `login`: the template of user names, "" if not understood; `passwords`: it accepts them."""

    protocol: str
    host: str
    port: int
    tls: Tls
    login: str = "{address}"
    passwords: bool = True


def read(octets: bytes, domain: str) -> tuple[ListedServer, ...]:
    """Return the servers that a document lists for a domain, in order. Raise ValueError for anything else."""
    if len(octets) > LARGEST:
        raise ValueError("too long")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(octets, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise ValueError("not XML") from None
    if root.getroottree().docinfo.doctype:
        raise ValueError("a document type is not expected")
    if root.tag != "clientConfig":
        raise ValueError("not a clientConfig")
    found = (_server(one, domain) for path in _PATHS for one in root.iterfind(path))
    return tuple(_first(found))


def _first(found: Iterator[ListedServer | None]) -> Iterator[ListedServer]:
    for number, server in enumerate(found):
        if number >= MOST:
            return
        if server is not None:
            yield server


def _server(element: etree._Element, domain: str) -> ListedServer | None:
    """Read a server; None for one without TLS, or without a valid host and port."""
    protocol, tls = element.get("type", "").lower(), _TLS.get(_text(element, "socketType"))
    port = _text(element, "port")
    if (
        protocol not in _PROTOCOLS
        or tls is None
        or not _PORT.fullmatch(port)
        or not 0 < int(port) <= MAX_PORT
    ):
        return None
    try:
        host = host_name(_text(element, "hostname").replace(_DOMAIN, domain))
    except ValueError:
        return None
    kinds = {(one.text or "").strip().lower() for one in element.iterfind("authentication")}
    return ListedServer(
        protocol, host, int(port), tls, _login(element), not kinds or bool(_PASSWORDS & kinds)
    )


def _text(element: etree._Element, name: str) -> str:
    return (element.findtext(name) or "").strip()


def _login(element: etree._Element) -> str:
    """Return the user name as a template for the configuration."""
    name = _text(element, "username") or "%EMAILADDRESS%"
    if any(mark in name for mark in "{}") or not name.isprintable():
        return ""
    for place, ours in _PLACES.items():
        name = name.replace(place, ours)
    return name if "{address}" in name or "{local}" in name else ""
