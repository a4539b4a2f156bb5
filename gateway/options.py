"""The one table of options: what may stand in the configuration file, and what it means.

Nothing here may read a file or know a value; `config` reads by this table, and the commented sample and
docs/configuration.md are printed from it, so that none of the three can differ. Syntax: TOML 1.0.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from textwrap import wrap

COMMENT_WIDTH = 96  # characters in a line of the sample, so that it reads well in a terminal
MAX_THREADS = 256  # threads: the GIL makes more of them slower, not faster
MAX_UPLOAD = 100_000_000  # octets: each upload is held in memory while its mail is made
MAX_IDLE_MINUTES = 525_600  # minutes: one year


class Kind(Enum):
    """What kind of value an option takes; the text is for the reference."""

    LISTEN = "host:port"
    ORIGIN = "http:// or https:// URL"
    FILE = "path of an existing file"
    NEW_FILE = "path"
    TIMEZONE = "time zone name"
    NUMBER = "whole number"
    FLAG = "true or false"
    CHOICE = "one of"
    DOMAINS = "list of domains"
    IMAP = "IMAP URL"
    SMTP = "SMTP URL"


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the file; `array` for an array of tables, of which at least one is needed."""

    name: str
    doc: str
    array: bool = False

    @property
    def heading(self) -> str:
        """Spell the table's header as it stands in the file."""
        return f"[[{self.name}]]" if self.array else f"[{self.name}]"


@dataclass(frozen=True, slots=True)
class Option:
    """One key. `default` None: none; `example` is TOML text; `active`: not commented out in the sample."""

    section: str
    name: str
    kind: Kind
    default: str | int | bool | None
    example: str
    doc: str
    required: bool = False
    active: bool = False
    choices: tuple[str, ...] = ()
    low: int = 1
    high: int = 1


SECTIONS = (
    Section("http", "Plain HTTP: for phones that know no TLS of today, and for a reverse proxy in front."),
    Section("https", "HTTPS served by the gateway itself. All three keys together, or none."),
    Section("display", "How things are shown until people have settings of their own."),
    Section("state", "What the gateway itself must remember; mail is never kept here."),
    Section("session", "How long a person stays signed in."),
    Section("outbound", "What the gateway asks of other people's web servers when somebody wants it to."),
    Section(
        "upstream", "The servers that hold the mail of some domains. Write it once for each.", array=True
    ),
)

OPTIONS = (
    Option(
        "http", "listen", Kind.LISTEN, "127.0.0.1:8080", '"127.0.0.1:8080"',
        "Address and port to serve HTTP on. Behind a reverse proxy stay on loopback.", active=True,
    ),
    Option(
        "http", "url", Kind.ORIGIN, "", '"http://m.example.org"',
        "How phones name this gateway: scheme, host and port, nothing more. Keep it within 25 characters: "
        "small phones take URLs of 100 bytes in all.",
    ),
    Option(
        "http", "threads", Kind.NUMBER, 16, "16",
        "Requests worked on at a time.", high=MAX_THREADS,
    ),
    Option(
        "http", "upload_limit", Kind.NUMBER, 10_000_000, "10000000",
        "Octets of files that a person may attach to one mail from their device; 0 for none. Mail servers mostly "
        "take messages of 10 to 50 million octets, and a file grows by a third on its way.",
        low=0, high=MAX_UPLOAD,
    ),
    Option(
        "https", "listen", Kind.LISTEN, "", '"0.0.0.0:8443"',
        "Address and port to serve HTTPS on.",
    ),
    Option(
        "https", "cert", Kind.FILE, None, '"cert.pem"',
        "The certificate with its chain, in PEM.",
    ),
    Option(
        "https", "key", Kind.FILE, None, '"key.pem"',
        "The certificate's private key, in PEM.",
    ),
    Option(
        "display", "timezone", Kind.TIMEZONE, "UTC", '"Europe/Berlin"',
        "Time zone of the dates on the screens, by its IANA name.",
    ),
    Option(
        "state", "database", Kind.NEW_FILE, "pocketpost.sqlite", '"pocketpost.sqlite"',
        "The SQLite file of sessions and short ids; made when it is not there, readable by its owner only. "
        "It must lie on a local disk.",
    ),
    Option(
        "state", "secret", Kind.NEW_FILE, "pocketpost.secret", '"pocketpost.secret"',
        "The server secret, half of what seals passwords; made when it is not there. It must be readable by "
        "its owner only. Removing it ends every session. Do not back it up together with the database.",
    ),
    Option(
        "session", "idle_minutes", Kind.NUMBER, 720, "720",
        "Minutes without a request after which a session ends.", high=MAX_IDLE_MINUTES,
    ),
    Option(
        "outbound", "enabled", Kind.FLAG, True, "false",
        "Let people unsubscribe from lists with one click: the gateway then sends the list's server a request "
        "over HTTPS, to public addresses on port 443 only.",
    ),
    Option(
        "upstream", "domains", Kind.DOMAINS, None, '["example.org"]',
        'The mail domains these servers serve; "*" is any domain that no other upstream names. When one '
        "domain is all there is, people may leave it out as they sign in.", required=True, active=True,
    ),
    Option(
        "upstream", "imap", Kind.IMAP, None, '"imaps://mail.example.org"',
        "The IMAP server: imaps:// (port 993), imap+starttls:// (143) or imap:// (143, without TLS: loopback "
        "only, or with insecure = true).", required=True, active=True,
    ),
    Option(
        "upstream", "smtp", Kind.SMTP, None, '"smtp+starttls://mail.example.org:587"',
        "The submission server: smtps:// (port 465), smtp+starttls:// (587) or smtp:// (587, without TLS: "
        "loopback only, or with insecure = true).", required=True, active=True,
    ),
    Option(
        "upstream", "ca_file", Kind.FILE, None, '"ca.pem"',
        "Certificates to trust instead of the system's, in PEM, for both servers.",
    ),
    Option(
        "upstream", "insecure", Kind.FLAG, False, "true",
        "Let these servers go without TLS, or with a certificate that cannot be verified. Passwords can then "
        "be read on the way.",
    ),
    Option(
        "upstream", "login", Kind.CHOICE, "address", '"local-part"',
        "What the servers know a person by: the whole address, or what stands before the @.",
        choices=("address", "local-part"),
    ),
    Option(
        "upstream", "sent_copy", Kind.CHOICE, "append", '"provider"',
        "Who puts a copy of sent mail into the Sent folder: the gateway (append), or the provider by itself.",
        choices=("append", "provider"),
    ),
    Option(
        "upstream", "from_addresses", Kind.CHOICE, "login", '"domain"',
        "Whom a person may send as: with the address they sign in with alone (login), with any address of this "
        "upstream's domains (domain), or with any address at all (any). Allow no more than the submission server "
        "does: it has the last word.",
        choices=("login", "domain", "any"),
    ),
)  # fmt: skip


def options_of(section: Section) -> tuple[Option, ...]:
    """List the options of a section in their order."""
    return tuple(option for option in OPTIONS if option.section == section.name)


def sample() -> str:
    """Print a commented configuration: required keys stand, all others are commented out."""
    lines = ["# Pocketpost. A key that is commented out shows an example; its default is named above it."]
    for section in SECTIONS:
        options = options_of(section)
        active = any(option.active for option in options)
        lines += ["", *_comment(section.doc), section.heading if active else f"# {section.heading}"]
        for option in options:
            mark = "" if option.active else "# "
            lines += [
                *_comment(f"{option.doc} {_default(option)}"),
                f"{mark}{option.name} = {option.example}",
            ]
    return "\n".join(lines) + "\n"


def reference() -> str:
    """Print docs/configuration.md."""
    parts = [_PREFACE]
    for section in SECTIONS:
        parts.append(f"## `{section.heading}`\n\n{section.doc}\n")
        rows = [_row(option) for option in options_of(section)]
        parts.append("\n".join(["| key | value | default | meaning |", "|---|---|---|---|", *rows]) + "\n")
    parts.append(f"## A commented sample\n\n```toml\n{sample()}```\n")
    return "\n".join(parts)


_PREFACE = """\
# Configuration

Generated from the table in `gateway/options.py`; edit that, not this page.

One TOML file, named with `--config`, says everything. Paths are relative to the file. A key that is not
known, a value of the wrong kind and a file that is not there are errors that name the key and the line;
nothing starts half configured. `pocketpost config sample` prints the sample below, `pocketpost check
--config FILE` tries the servers named in it.
"""


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in wrap(text, COMMENT_WIDTH)]


def _default(option: Option) -> str:
    if option.required:
        return "Required."
    return f"Default: {_literal(option.default)}."


def _literal(value: str | int | bool | None) -> str:
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _row(option: Option) -> str:
    kind = option.kind.value
    if option.kind is Kind.CHOICE:
        kind += " " + ", ".join(f'"{choice}"' for choice in option.choices)
    if option.kind is Kind.NUMBER:
        kind += f", {option.low} to {option.high}"
    default = "required" if option.required else _literal(option.default)
    return f"| `{option.name}` | {kind} | {default} | {option.doc} |"
