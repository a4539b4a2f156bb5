"""What one value of the configuration must look like, by the kind of its option.

Nothing here may know where a value stands: a check returns the value in its one spelling, or raises
ValueError with the reason. The only I/O is looking whether a file is there.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

from gateway.options import Kind, Option

ANY_DOMAIN = "*"
MAX_DOMAIN = 253  # octets, RFC 1035 §2.3.4 less root and length; the IDNA codec is slow on long names
MAX_PORT = 65535
IMAP_SCHEMES = ("imaps", "imap+starttls", "imap")
SMTP_SCHEMES = ("smtps", "smtp+starttls", "smtp")
ORIGIN_SCHEMES = ("http", "https")

_DOMAIN = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*")


def listen_address(text: str) -> tuple[str, int]:
    """Split "HOST:PORT" or "[IPV6]:PORT". Raise ValueError."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) <= MAX_PORT:
        raise ValueError("HOST:PORT is needed, such as 127.0.0.1:8080 or [::1]:8080")
    if host.startswith("[") and host.endswith("]"):
        return str(ipaddress.IPv6Address(host[1:-1])), int(port)
    if ":" in host:
        raise ValueError("an IPv6 address stands in brackets, such as [::1]:8080")
    return host_name(host), int(port)


def domain_name(text: str) -> str:
    """Bring a domain to its one spelling: lower case, IDNA in ASCII (RFC 3490). Raise ValueError."""
    if len(text) > MAX_DOMAIN:
        raise ValueError("too long for a domain")
    try:
        name = text.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError as error:
        raise ValueError("not a domain") from error
    if not _DOMAIN.fullmatch(name):
        raise ValueError("not a domain")
    return name


def host_name(text: str) -> str:
    """Check a host, given as a name or an IP address. Raise ValueError."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return domain_name(text)


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a text in quotes is needed")
    if not value.isprintable():
        raise ValueError("holds a control character")
    return value


def _listen(option: Option, value: object, folder: Path) -> str:
    text = _text(value)
    listen_address(text)
    return text


def _url(value: object, schemes: tuple[str, ...]) -> SplitResult:
    names = ", ".join(f"{scheme}://" for scheme in schemes)
    text = _text(value)
    url = urlsplit(text)
    if url.scheme not in schemes or not url.netloc:
        raise ValueError(f"a URL is needed that begins with one of {names}")
    if url.path not in ("", "/") or any(mark in text for mark in "?#@"):
        raise ValueError("only scheme, host and port may stand in this URL")
    if url.port == 0 or url.netloc.endswith(":"):
        raise ValueError("port is missing or 0")
    host_name(url.hostname or "")
    return url


def _origin(option: Option, value: object, folder: Path) -> str:
    url = _url(value, ORIGIN_SCHEMES)
    host = host_name(url.hostname or "")
    bracketed = f"[{host}]" if ":" in host else host
    return f"{url.scheme}://{bracketed}" + (f":{url.port}" if url.port else "")


def _imap(option: Option, value: object, folder: Path) -> SplitResult:
    return _url(value, IMAP_SCHEMES)


def _smtp(option: Option, value: object, folder: Path) -> SplitResult:
    return _url(value, SMTP_SCHEMES)


def _file(option: Option, value: object, folder: Path) -> Path:
    path = folder / _text(value)
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    return path


def _new_file(option: Option, value: object, folder: Path) -> Path:
    path = folder / _text(value)
    if path.is_dir() or not path.parent.is_dir():
        raise ValueError(f"{path} cannot be a file: look at its folder")
    return path


def _timezone(option: Option, value: object, folder: Path) -> str:
    name = _text(value)
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f'there is no time zone "{name}"') from error


def _number(option: Option, value: object, folder: Path) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not option.low <= value <= option.high:
        raise ValueError(f"a whole number from {option.low} to {option.high} is needed")
    return value


def _flag(option: Option, value: object, folder: Path) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false is needed")
    return value


def _choice(option: Option, value: object, folder: Path) -> str:
    if value not in option.choices:
        raise ValueError("one of " + ", ".join(f'"{choice}"' for choice in option.choices) + " is needed")
    return str(value)


def _domains(option: Option, value: object, folder: Path) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError('a list of domains is needed, such as ["example.org"]')
    domains = []
    for item in value:
        name = _text(item)
        try:
            domains.append(name if name == ANY_DOMAIN else domain_name(name))
        except ValueError as error:
            raise ValueError(f'"{name}" is not a domain') from error
    return tuple(domains)


CHECKS: dict[Kind, Callable[[Option, object, Path], Any]] = {
    Kind.LISTEN: _listen,
    Kind.ORIGIN: _origin,
    Kind.FILE: _file,
    Kind.NEW_FILE: _new_file,
    Kind.TIMEZONE: _timezone,
    Kind.NUMBER: _number,
    Kind.FLAG: _flag,
    Kind.CHOICE: _choice,
    Kind.DOMAINS: _domains,
    Kind.IMAP: _imap,
    Kind.SMTP: _smtp,
}
