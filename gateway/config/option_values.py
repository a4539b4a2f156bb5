"""Checks of option values, by the kind of the option.

Nothing here may know where a value comes from: a check returns the value in canonical form, or raises
ValueError with the reason. The only I/O is testing whether a file exists, and reading a password from its file.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

from gateway.config.hosts import domain_name, host_name, host_port, listen_address
from gateway.config.option_kinds import Option, ValueKind
from gateway.config.server import schemes

ANY_DOMAIN = "*"
ORIGIN_SCHEMES = ("http", "https")
#: A path in the gateway's URL, of names that need no escaping in an address or a cookie; no name may be only dots.
_OWN_PATH = re.compile(r"(?<=[^/:])((?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._-]+)+)/?\Z")
#: Octets of a password in a file.
LONGEST_SECRET = 1024

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Item = TypeVar("_Item")


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


def _own_url(option: Option, value: object, folder: Path) -> str:
    """Return the gateway's URL: its origin, and the path with which all its addresses begin, if any."""
    origin, path = _OWN_PATH.sub("", _text(value)), _OWN_PATH.search(_text(value))
    if urlsplit(origin).netloc and urlsplit(origin).path not in ("", "/"):
        raise ValueError("only letters, digits and - . _ / may stand in its path")
    url = _url(origin, ORIGIN_SCHEMES)
    return f"{url.scheme}://{host_port(host_name(url.hostname or ''), url.port)}{path[1] if path else ''}"


def _imap(option: Option, value: object, folder: Path) -> SplitResult:
    return _url(value, schemes("imap"))


def _pop3(option: Option, value: object, folder: Path) -> SplitResult:
    return _url(value, schemes("pop3"))


def _smtp(option: Option, value: object, folder: Path) -> SplitResult:
    return _url(value, schemes("smtp"))


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


_PLACES = re.compile(r"\{(address|local|domain)\}")


def _login(option: Option, value: object, folder: Path) -> str:
    """Check a template of user names: without the part before the @, all people would be one."""
    text = _text(value)
    if not {"address", "local"}.intersection(_PLACES.findall(text)):
        raise ValueError("{address} or {local} must stand in it, or everybody would sign in as the same user")
    if any(mark in _PLACES.sub("", text) for mark in "{}"):
        raise ValueError("only {address}, {local} and {domain} may stand in braces")
    return text


def login_from(template: str, address: str) -> str:
    """Return the user name of an address by a template; braces in the address itself mean nothing."""
    local, _, domain = address.rpartition("@")
    places = {"address": address, "local": local, "domain": domain}
    return _PLACES.sub(lambda place: places[place[1]], template)


def _each(value: object, kind: str, example: str, check: Callable[[str], _Item]) -> tuple[_Item, ...]:
    """Check every item of a list; the error names the item."""
    if not isinstance(value, list) or not value:
        raise ValueError(f'a list of {kind}s is needed, such as ["{example}"]')
    items = []
    for item in value:
        text = _text(item)
        try:
            items.append(check(text))
        except ValueError as error:
            raise ValueError(f'"{text}" is not a {kind}') from error
    return tuple(items)


def domains_in_words(domains: Iterable[str]) -> str:
    """Return an upstream's domains in words, for an administrator."""
    return ", ".join("all other domains (*)" if domain == ANY_DOMAIN else domain for domain in domains)


def _domains(option: Option, value: object, folder: Path) -> tuple[str, ...]:
    return _each(
        value, "domain", "example.org", lambda name: name if name == ANY_DOMAIN else domain_name(name)
    )


def _names(option: Option, value: object, folder: Path) -> tuple[str, ...]:
    return _each(value, "host name", "m.example.org", _host)


def _host(text: str) -> str:
    """Return the canonical form of a host with an optional port. Raise ValueError."""
    url = _url(f"http://{text}", ("http",))
    return host_port(host_name(url.hostname or ""), url.port)


def _address(option: Option, value: object, folder: Path) -> str:
    try:
        return str(ipaddress.ip_address(_text(value)))
    except ValueError:
        raise ValueError("an IP address is needed, such as 0.0.0.0") from None


def _helo(option: Option, value: object, folder: Path) -> str:
    return helo_of(_text(value))


def helo_of(host: str) -> str:
    """Return a host as a name for EHLO: an address as a literal (RFC 5321 §4.1.3). Raise ValueError."""
    name = host_name(host)
    try:
        version = ipaddress.ip_address(name).version
    except ValueError:
        return name
    return f"[IPv6:{name}]" if version == 6 else f"[{name}]"


def _any_text(option: Option, value: object, folder: Path) -> str:
    text = _text(value)
    if not text.strip():
        raise ValueError("a text is needed")
    return text


def _secret(option: Option, value: object, folder: Path) -> str:
    """Read a password from the first line of a file that nobody else can read."""
    path = folder / _text(value)
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            line = file.readline(LONGEST_SECRET).decode("utf-8").rstrip("\r\n")
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8") from None
    if mode & 0o077:
        raise ValueError(f"others may read {path}: chmod 600 it")
    if not line or not line.isprintable():
        raise ValueError(f"the first line of {path} is no password")
    return line


def _networks(option: Option, value: object, folder: Path) -> tuple[Network, ...]:
    networks = _each(value, "network", "192.0.2.0/24", ipaddress.ip_network)
    if not all(network.prefixlen for network in networks):
        raise ValueError("a network of all addresses would let everybody say who they are")
    return networks


def _folders(option: Option, value: object, folder: Path) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict) or not value.keys() <= set(option.choices):
        raise ValueError(f"a table is needed, such as {option.example}, with {', '.join(option.choices)}")
    names = {role: _text(name).strip("/") for role, name in value.items()}
    if not all(names.values()) or any(sign in name for name in names.values() for sign in "%*"):
        raise ValueError("a folder's path is needed, without % and *")
    if len(set(names.values())) < len(names):
        raise ValueError("one folder stands twice")
    return tuple(sorted(names.items()))


_SCREEN = re.compile(r"([1-9][0-9]{1,3}) ?x ?([1-9][0-9]{1,3})")


def _screen(option: Option, value: object, folder: Path) -> tuple[int, int]:
    found = _SCREEN.fullmatch(_text(value))
    if found is None:
        raise ValueError(f"width and height in pixels are needed, such as {option.example}")
    return int(found[1]), int(found[2])


def _choices(option: Option, value: object, folder: Path) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or len({str(item) for item in value}) < len(value):
        raise ValueError(f"a list is needed, such as {option.example}, with nothing twice")
    return tuple(_choice(option, item, folder) for item in value)


CHECKS: dict[ValueKind, Callable[[Option, object, Path], Any]] = {
    ValueKind.LISTEN: _listen,
    ValueKind.OWN_URL: _own_url,
    ValueKind.FILE: _file,
    ValueKind.NEW_FILE: _new_file,
    ValueKind.TIMEZONE: _timezone,
    ValueKind.NUMBER: _number,
    ValueKind.FLAG: _flag,
    ValueKind.LOGIN: _login,
    ValueKind.CHOICE: _choice,
    ValueKind.DOMAINS: _domains,
    ValueKind.NAMES: _names,
    ValueKind.HOST: _helo,
    ValueKind.ADDRESS: _address,
    ValueKind.TEXT: _any_text,
    ValueKind.SECRET: _secret,
    ValueKind.NETWORKS: _networks,
    ValueKind.IMAP: _imap,
    ValueKind.POP3: _pop3,
    ValueKind.SMTP: _smtp,
    ValueKind.FOLDERS: _folders,
    ValueKind.SCREEN: _screen,
    ValueKind.CHOICES: _choices,
}
