"""Reads the administrator's TOML file into frozen values.

Nothing here may connect anywhere; the only I/O is reading the file. An unknown key, an invalid value or a missing file
is a ConfigError that names key and line. `options` is the table of keys, `option_values` checks their values.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import SplitResult, urlsplit

from gateway.config.hosts import domain_name, host_name, is_loopback, listen_address
from gateway.config.option_kinds import Option, Section, ValueKind
from gateway.config.option_values import ANY_DOMAIN, CHECKS, Network, helo_of, login_from
from gateway.config.options import SECTIONS, default, options_of
from gateway.config.server import SCHEMES, Server, Tls
from gateway.config.toml_lines import KeyLines, KeyPath
from gateway.errors import ConfigError, UnknownDomain

#: The templates of `login`.
_LOGINS = {"address": "{address}", "local-part": "{local}"}
_TOML_LINE = re.compile(r" \(at line (\d+), column \d+\)$")


@dataclass(frozen=True, slots=True)
class Upstream:
    """The mail servers of some domains.

    `store` is where mail is read, by IMAP or POP3. `login` is "address" or "local-part"; `imap_login`, `pop3_login` and
    `smtp_login` are templates, empty if `login` applies; `gateway_user` and `gateway_password`, if set, are used at the
    submission server for everybody; `sent_copy` is "auto", "append" or "provider"; `from_addresses` is "login",
    "domain" or "any". `case_sensitive_logins`: Anna@ and anna@ are two people.
    """

    domains: tuple[str, ...]
    store: Server
    smtp: Server
    login: str = default("upstream", "login")
    imap_login: str = default("upstream", "imap_login")
    pop3_login: str = default("upstream", "pop3_login")
    smtp_login: str = default("upstream", "smtp_login")
    sent_copy: str = default("upstream", "sent_copy")
    from_addresses: str = default("upstream", "from_addresses")
    case_sensitive_logins: bool = default("upstream", "case_sensitive_logins")
    gateway_user: str = default("upstream", "smtp_user")
    gateway_password: str = field(default=default("upstream", "smtp_password_file"), repr=False)

    def __hash__(self) -> int:
        # Each page looks upstreams up several times; the domains tell them apart.
        return hash(self.domains)

    def allows_from(self, login: str, address: str) -> bool:
        """Return whether a person signed in with `login` may send from `address`."""
        if address.casefold() == login.casefold():
            return True
        local, _, written = address.rpartition("@")
        try:
            domain = domain_name(written) if local else ""
        except ValueError:
            return False
        own = {domain_name(login.rpartition("@")[2]), *self.domains} - {ANY_DOMAIN}
        rules = {"login": False, "domain": domain in own, "any": bool(domain)}
        return rules[self.from_addresses]

    def user(self, address: str) -> str:
        """Return the user name of this address at the server where its mail is read."""
        return self._user(self.imap_login if self.store.protocol == "imap" else self.pop3_login, address)

    def smtp_credentials(self, address: str, password: str) -> tuple[str, str]:
        """Return user name and password for the submission server: the person's, or what is set for everybody."""
        if self.gateway_user:
            return self.gateway_user, self.gateway_password
        return self._user(self.smtp_login, address), password

    def _user(self, template: str, address: str) -> str:
        return login_from(template or _LOGINS[self.login], address)


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration.

    `url` is the gateway's own, '' if not set; `names` are other names of its host; `handhelds`: for each table, the
    values of the options that are set (as `device.Override` takes them).
    """

    upstreams: tuple[Upstream, ...]
    listen: str = default("http", "listen")
    url: str = default("http", "url")
    names: tuple[str, ...] = default("http", "names")
    trusted_proxies: tuple[Network, ...] = default("http", "trusted_proxies")
    https_listen: str = default("https", "listen")
    https_cert: Path | None = default("https", "cert")
    https_key: Path | None = default("https", "key")
    service: str = default("display", "service")
    timezone: str = default("display", "timezone")
    state: Path = Path(default("state", "database"))
    secret: Path = Path(default("state", "secret"))
    idle_minutes: int = default("session", "idle_minutes")
    keep_read: bool = default("session", "keep_read")
    threads: int = default("http", "threads")
    upload_limit: int = default("http", "upload_limit")
    log_format: str = default("log", "format")
    log_level: str = default("log", "level")
    log_requests: bool = default("log", "requests")
    wap_listen: str = default("wap", "listen")
    wap_port: int = default("wap", "port")
    wap_connectionless_port: int = default("wap", "connectionless_port")
    wap_trusted: tuple[Network | str, ...] = default("wap", "trusted")
    wap_connectionless: bool = default("wap", "connectionless")
    outbound: bool = default("outbound", "enabled")
    per_hour: int = default("submission", "per_hour")
    message_limit: int = default("submission", "message_limit")
    admin_listen: str = default("admin", "listen")
    admin_cert: Path | None = default("admin", "cert")
    admin_key: Path | None = default("admin", "key")
    admin_show_addresses: bool = default("admin", "show_addresses")
    metrics_token: str = field(default=default("admin", "metrics_token_file"), repr=False)
    handhelds: tuple[Mapping[str, Any], ...] = ()

    @property
    def servers(self) -> tuple[Server, ...]:
        """All mail servers, each once."""
        return tuple(dict.fromkeys(server for one in self.upstreams for server in (one.store, one.smtp)))

    @property
    def origin(self) -> str:
        """Scheme, host and port of `url`; '' if not set."""
        return self.url.removesuffix(self.path)

    @property
    def path(self) -> str:
        """The path of `url`, with which all addresses begin: '' or for example '/mail'."""
        return urlsplit(self.url).path

    def complete_address(self, user: str) -> str:
        """Complete what a person typed to an address: the domain may be omitted if only one is configured."""
        local, at, domain = user.strip().rpartition("@")
        if at:
            return f"{local}@{domain.strip().lower()}"
        domains = [name for upstream in self.upstreams for name in upstream.domains if name != ANY_DOMAIN]
        if len(domains) == 1 and domain:
            return f"{domain}@{domains[0]}"
        return domain

    def upstream_for(self, address: str) -> Upstream:
        """Return the upstream of an address; one that lists its domain wins over "*". Raise UnknownDomain."""
        _, at, written = address.rpartition("@")
        try:
            wanted = domain_name(written) if at else ""
        except ValueError:
            wanted = ""
        for domain in (wanted, ANY_DOMAIN) if wanted else ():
            for upstream in self.upstreams:
                if domain in upstream.domains:
                    return upstream
        raise UnknownDomain(f"no upstream for {wanted or 'an address without a domain'}")


#: Fields of Config with the options from which they are read unchanged.
FIELDS: Final[dict[str, tuple[str, str]]] = {
    "listen": ("http", "listen"),
    "url": ("http", "url"),
    "names": ("http", "names"),
    "trusted_proxies": ("http", "trusted_proxies"),
    "https_listen": ("https", "listen"),
    "https_cert": ("https", "cert"),
    "https_key": ("https", "key"),
    "service": ("display", "service"),
    "timezone": ("display", "timezone"),
    "state": ("state", "database"),
    "secret": ("state", "secret"),
    "idle_minutes": ("session", "idle_minutes"),
    "keep_read": ("session", "keep_read"),
    "threads": ("http", "threads"),
    "upload_limit": ("http", "upload_limit"),
    "log_format": ("log", "format"),
    "log_level": ("log", "level"),
    "log_requests": ("log", "requests"),
    "wap_listen": ("wap", "listen"),
    "wap_port": ("wap", "port"),
    "wap_connectionless_port": ("wap", "connectionless_port"),
    "wap_trusted": ("wap", "trusted"),
    "wap_connectionless": ("wap", "connectionless"),
    "outbound": ("outbound", "enabled"),
    "per_hour": ("submission", "per_hour"),
    "message_limit": ("submission", "message_limit"),
    "admin_listen": ("admin", "listen"),
    "admin_cert": ("admin", "cert"),
    "admin_key": ("admin", "key"),
    "admin_show_addresses": ("admin", "show_addresses"),
    "metrics_token": ("admin", "metrics_token_file"),
}


def load(path: Path, octets: bytes | None = None) -> Config:
    """Read the file, or octets as if they were in it. Raise ConfigError, naming key and line.

    A byte order mark is not part of the text.
    """
    try:
        text = (path.read_bytes() if octets is None else octets).decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = bytes(error.object[: error.start]).count(b"\n") + 1
        raise ConfigError(f"{path}, line {line}: not UTF-8") from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        detail = str(error)
        match = _TOML_LINE.search(detail)
        line = int(match.group(1)) if match else text.count("\n") + 1
        raise ConfigError(f"{path}, line {line}: {_TOML_LINE.sub('', detail)}") from error
    return _Reader(path, data, KeyLines(text)).config()


class _Reader:
    """One reading of the file: holds what an error message needs."""

    def __init__(self, path: Path, data: dict[str, Any], lines: KeyLines) -> None:
        self._path = path
        self._data = data
        self._lines = lines

    def config(self) -> Config:
        for name in self._data:
            if name not in {section.name for section in SECTIONS}:
                self._fail((name,), f"unknown{_suggest(name, [s.name for s in SECTIONS])}")
        values = {section.name: self._tables(section) for section in SECTIONS}
        [http], [https], [submission], [admin] = (
            values[name] for name in ("http", "https", "submission", "admin")
        )
        if len({bool(value) for value in https.values()}) > 1:
            self._fail(("https",), "listen, cert and key are needed together")
        if bool(admin["cert"]) != bool(admin["key"]):
            self._fail(("admin",), "cert and key are needed together")
        if not admin["cert"] and not is_loopback(listen_address(admin["listen"])[0]):
            self._fail(("admin", "listen"), "anywhere but on loopback it needs cert and key")
        if admin["listen"] in (http["listen"], https["listen"]):
            self._fail(("admin", "listen"), "the handhelds' listener is not for the panel")
        helo = submission["helo"] or _helo(http["url"])
        return Config(
            upstreams=self._upstreams(values["upstream"], helo),
            handhelds=tuple(
                {name: value for name, value in table.items() if value is not None}
                for table in values["handheld"]
            ),
            **{field: values[section][0][name] for field, (section, name) in FIELDS.items()},
        )

    def _upstreams(self, tables: list[dict[str, Any]], helo: str) -> tuple[Upstream, ...]:
        if not tables:
            self._fail(("upstream",), "at least one [[upstream]] is needed")
        seen: set[str] = set()
        upstreams = []
        for index, table in enumerate(tables):
            for domain in table["domains"]:
                if domain in seen:
                    self._fail(("upstream", index, "domains"), f'"{domain}" stands twice')
                seen.add(domain)
            if bool(table["smtp_user"]) != bool(table["smtp_password_file"]):
                self._fail(("upstream", index), "smtp_user and smtp_password_file are needed together")
            store, smtp = (
                self._server(("upstream", index, name), table[name], table)
                for name in (self._store(("upstream", index), table), "smtp")
            )
            smtp = replace(smtp, helo=helo)
            words = {
                name: table[name]
                for name in (
                    "login",
                    "imap_login",
                    "pop3_login",
                    "smtp_login",
                    "sent_copy",
                    "from_addresses",
                    "case_sensitive_logins",
                )
            }
            words |= {"gateway_user": table["smtp_user"], "gateway_password": table["smtp_password_file"]}
            upstreams.append(Upstream(table["domains"], store, smtp, **words))
        return tuple(upstreams)

    def _store(self, path: KeyPath, table: dict[str, Any]) -> str:
        """Return the protocol by which mail is read."""
        if table["imap"] is None and table["pop3"] is None:
            self._fail((*path, "imap"), "this or pop3 is needed")
        if table["imap"] is not None and table["pop3"] is not None:
            self._fail((*path, "pop3"), "not beside imap")
        name, other = ("imap", "pop3") if table["pop3"] is None else ("pop3", "imap")
        if table[f"{other}_login"]:
            self._fail((*path, f"{other}_login"), f"not without {other}")
        return name

    def _server(self, path: KeyPath, url: SplitResult, table: dict[str, Any]) -> Server:
        protocol, tls, port = SCHEMES[url.scheme]
        host = host_name(url.hostname or "")
        if tls is Tls.NONE and not table["insecure"] and not is_loopback(host):
            self._fail(path, f"{url.scheme}:// without TLS is for loopback only, or with insecure = true")
        special = table["special"] if protocol == "imap" else ()
        return Server(protocol, host, url.port or port, tls, table["ca_file"], table["insecure"], special)

    def _tables(self, section: Section) -> list[dict[str, Any]]:
        raw = self._data.get(section.name, [] if section.array else {})
        if isinstance(raw, list) != section.array or not all(
            isinstance(table, dict) for table in (raw if section.array else [raw])
        ):
            self._fail((section.name,), f"write it as a table, {section.heading}")
        if not section.array:
            return [self._table(section, (section.name,), raw)]
        return [self._table(section, (section.name, index), table) for index, table in enumerate(raw)]

    def _table(self, section: Section, path: KeyPath, raw: dict[str, Any]) -> dict[str, Any]:
        options = options_of(section)
        names = [option.name for option in options]
        for name in raw:
            if name not in names:
                self._fail((*path, name), f"unknown key{_suggest(name, names)}")
        return {option.name: self._value(option, (*path, option.name), raw) for option in options}

    def _value(self, option: Option, path: KeyPath, raw: dict[str, Any]) -> Any:
        if option.name not in raw:
            if option.required:
                self._fail(path, "is needed")
            if option.kind is ValueKind.NEW_FILE:
                return self._path.parent / str(option.default)
            return option.default
        try:
            return CHECKS[option.kind](option, raw[option.name], self._path.parent)
        except ValueError as error:
            self._fail(path, str(error))

    def _fail(self, path: KeyPath, problem: str) -> NoReturn:
        names = [part for part in path if isinstance(part, str)]
        headings = {section.name: section.heading for section in SECTIONS}
        label = " ".join([headings.get(names[0], names[0]), *names[1:]])
        raise ConfigError(f"{self._path}, line {self._lines.of(path)}: {label}: {problem}", path)


def _helo(url: str) -> str:
    """Return the name for EHLO from the gateway's own URL, if that has a host with a domain, else ""."""
    host = urlsplit(url).hostname or ""
    name = helo_of(host) if host else ""
    return name if "." in name and not name.startswith("[") and not is_loopback(name) else ""


def _suggest(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"
