"""Host names and ports in configuration and addresses, each in its canonical form.

Nothing here may resolve a name.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

MAX_DOMAIN: Final = 253  # octets, RFC 1035 §2.3.4 less root and length; the IDNA codec is slow on long names
MAX_LABEL: Final = 63  # octets, RFC 1035 §2.3.4
MAX_PORT: Final = 65535

_DOMAIN: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*")


def listen_address(text: str) -> tuple[str, int]:
    """Parse "HOST:PORT" or "[IPV6]:PORT". Raise ValueError."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) <= MAX_PORT:
        raise ValueError("HOST:PORT is needed, such as 127.0.0.1:8080 or [::1]:8080")
    if host.startswith("[") and host.endswith("]"):
        return str(ipaddress.IPv6Address(host[1:-1])), int(port)
    if ":" in host:
        raise ValueError("an IPv6 address stands in brackets, such as [::1]:8080")
    return host_name(host), int(port)


def host_port(host: str, port: int | None = None) -> str:
    """Return "HOST:PORT" or "[IPV6]:PORT"; only the host if there is no port."""
    host = f"[{host}]" if ":" in host else host
    return host if port is None else f"{host}:{port}"


def domain_name(text: str) -> str:
    """Return the canonical form of a domain: lower case, IDNA in ASCII (RFC 3490). Raise ValueError."""
    if len(text) > MAX_DOMAIN:
        raise ValueError("too long for a domain")
    try:
        # In ASCII the codec only refuses labels that are too long, and empty ones, which are no domain anyway.
        written = text if text.isascii() and len(text) <= MAX_LABEL else text.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ValueError("not a domain") from error
    name = written.lower().removesuffix(".")
    if not _DOMAIN.fullmatch(name):
        raise ValueError("not a domain")
    return name


def host_name(text: str) -> str:
    """Return the canonical form of a host name or IP address. Raise ValueError."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return domain_name(text)


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
