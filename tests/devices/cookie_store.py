"""The cookies that a browser keeps, and where it sends which (RFC 6265, and 6265bis for prefixes and Secure).

Nothing here may know the names of our cookies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

from tests.devices.phones import Answer, Transport


@dataclass(frozen=True, slots=True)
class _Kept:
    value: str
    path: str
    secure: bool
    until: float | None


class CookieStore:
    """The cookies of one host, between a browser without any and the transport; its clock stands still."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.now = 0.0
        self.kept: dict[str, _Kept] = {}

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        sent = "; ".join(f"{name}={one.value}" for name, one in self.kept.items() if self._goes(one, url))
        answer = self.transport(method, url, {**headers, **({"Cookie": sent} if sent else {})}, body)
        for line in answer.cookies:
            self.take(line, url)
        return answer

    def restart(self) -> None:
        """Close the browser and open it again."""
        self.kept = {name: one for name, one in self.kept.items() if one.until is not None}

    def _goes(self, one: _Kept, url: str) -> bool:
        parts = urlsplit(url)
        fresh = one.until is None or self.now < one.until
        return fresh and parts.path.startswith(one.path) and (parts.scheme == "https" or not one.secure)

    def take(self, line: str, url: str) -> None:
        """Keep what a response from a URL sets, as far as a browser would."""
        ((name, morsel),) = SimpleCookie(line).items()
        tls, secure, path = urlsplit(url).scheme == "https", bool(morsel["secure"]), morsel["path"]
        held = self.kept.get(name)
        if not tls and (secure or (held is not None and held.secure)):
            return  # plain HTTP leaves secure cookies alone
        if name.startswith(("__Host-", "__Secure-")) and not secure:
            return
        if name.startswith("__Host-") and (path != "/" or morsel["domain"]):
            return
        age = morsel["max-age"]
        if age and int(age) <= 0:
            self.kept.pop(name, None)
        else:
            value = line.partition("=")[2].partition(";")[0]
            self.kept[name] = _Kept(value, path, secure, self.now + int(age) if age else None)


__all__ = ["CookieStore"]
