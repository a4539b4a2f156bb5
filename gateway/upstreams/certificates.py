"""Reads what an administrator wants to know about a certificate, whether or not it can be verified.

Nothing here may decide whether a certificate is trusted: OpenSSL does, and of one that it refuses it returns only the
octets. Malformed octets give an empty certificate. Standard: RFC 5280 §4.1 (certificate), §4.2.1.6 (subjectAltName);
X.690 (DER); RFC 9525 §6.3 (names).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

#: OIDs in DER: commonName, organizationName, subjectAltName.
_COMMON_NAME, _ORGANIZATION, _ALTERNATIVES = b"\x55\x04\x03", b"\x55\x04\x0a", b"\x55\x1d\x11"
#: Tags: UTCTime, BMPString; [0] version, [3] extensions; dNSName and iPAddress of a GeneralName.
_UTC_TIME, _BMP, _VERSION, _EXTENSIONS, _DNS, _IP = 0x17, 0x1E, 0xA0, 0xA3, 0x82, 0x87

_Item = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class PeerCertificate:
    """What a certificate says about itself; without `expires` nothing is known."""

    subject: str = ""
    issuer: str = ""
    names: tuple[str, ...] = ()
    expires: datetime | None = None
    begins: datetime | None = None
    self_signed: bool = False

    def covers(self, host: str) -> bool:
        """Return whether the certificate is for this host name or IP address."""
        return any(_matches(name, host) for name in self.names)


def read(der: bytes | None) -> PeerCertificate:
    """Read a certificate in DER; an empty one if it is malformed."""
    try:
        return _read(der or b"")
    except (ValueError, IndexError, OverflowError):
        return PeerCertificate()


def _read(der: bytes) -> PeerCertificate:
    body = list(_items(_inside(_inside(der))))
    _serial, _algorithm, issuer, validity, subject, *rest = body[body[0][0] == _VERSION :]
    begins, expires = (_moment(item) for item in _items(validity[1]))
    extensions = next((_inside(content) for tag, content in rest if tag == _EXTENSIONS), b"")
    return PeerCertificate(
        _name(subject[1]),
        _name(issuer[1]),
        tuple(_alternatives(extensions)),
        expires,
        begins,
        subject[1] == issuer[1],
    )


def _items(octets: bytes) -> Iterator[_Item]:
    """Yield tag and content of consecutive elements (X.690 §8.1)."""
    at = 0
    while at < len(octets):
        tag, size, at = octets[at], octets[at + 1], at + 2
        if size & 0x80:
            width = size & 0x7F
            size, at = int.from_bytes(octets[at : at + width], "big"), at + width
        if at + size > len(octets):
            raise ValueError("truncated")
        yield tag, octets[at : at + size]
        at += size


def _inside(octets: bytes) -> bytes:
    """Return the content of the first element."""
    return next(_items(octets), (0, b""))[1]


def _name(octets: bytes) -> str:
    """Return the common name of a subject or issuer, else its organization."""
    found: dict[bytes, str] = {}
    for _, relative in _items(octets):
        for _, pair in _items(relative):
            (_, kind), (tag, value) = _items(pair)
            found.setdefault(kind, value.decode("utf-16-be" if tag == _BMP else "utf-8", "replace"))
    return found.get(_COMMON_NAME) or found.get(_ORGANIZATION, "")


def _moment(item: _Item) -> datetime:
    tag, value = item
    text = value.decode("ascii")
    if tag == _UTC_TIME:  # RFC 5280 §4.1.2.5.1: for the years 1950 to 2049
        text = ("19" if int(text[:2]) >= 50 else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _alternatives(extensions: bytes) -> Iterator[str]:
    """Yield the host names and IP addresses of a subjectAltName."""
    for _, extension in _items(extensions):
        (_, kind), *_critical, (_tag, value) = _items(extension)
        for tag, name in _items(_inside(value)) if kind == _ALTERNATIVES else ():
            if tag == _DNS:
                yield name.decode("ascii", "replace")
            elif tag == _IP:
                yield str(ipaddress.ip_address(name))


def _matches(name: str, host: str) -> bool:
    name, host = name.lower(), host.lower()
    star, _, parent = name.partition(".")
    return name == host or (star == "*" and parent != "" and host.partition(".")[2] == parent)
