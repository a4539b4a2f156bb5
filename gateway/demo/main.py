"""The demo as a whole: mail servers with sample mail, and a configuration that points the gateway to them.

Nothing here may serve HTTP or print, which is for `cli`. Everything on disk is in one temporary folder.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import available_timezones

from gateway.config import Config, Server, Tls, Upstream
from gateway.config.option_values import ANY_DOMAIN
from gateway.demo.sample import MAILBOXES, MESSAGES, PASSWORDS, POP3_PASSWORDS, sample
from gateway.demo.servers import HOST, Servers

DOMAIN = "pocketpost.example"
LOCAL_TIME = Path("/etc/localtime")
"""A link to the machine's time zone, see localtime(5)."""


@contextlib.contextmanager
def running(listen: str) -> Iterator[Config]:
    """Run the mail servers, and yield the configuration of a gateway at `listen` in front of them."""
    with (
        tempfile.TemporaryDirectory(prefix="pocketpost-demo-") as folder,
        Servers(PASSWORDS, MAILBOXES, POP3_PASSWORDS) as servers,
    ):
        now = datetime.now(UTC)
        for address in MESSAGES:
            servers.fill(address, sample(address, now))
        yield config(listen, servers, Path(folder))


def config(listen: str, servers: Servers, folder: Path) -> Config:
    """Return a configuration with the demo's servers: any other domain is that of those who read by POP3."""
    imap = Server("imap", HOST, servers.imap_port, Tls.NONE)
    pop3 = Server("pop3", HOST, servers.pop3_port, Tls.NONE)
    smtp = Server("smtp", HOST, servers.smtp_port, Tls.NONE)
    return Config(
        upstreams=(
            Upstream((DOMAIN,), imap, smtp, sent_copy="append"),
            Upstream((ANY_DOMAIN,), pop3, smtp),
        ),
        listen=listen,
        timezone=_timezone(),
        state=folder / "state.sqlite",
        secret=folder / "secret",
    )


def _timezone() -> str:
    """Return the name of this machine's time zone, so that the list shows the time of its clock."""
    name = str(LOCAL_TIME.resolve()).rpartition("/zoneinfo/")[2]
    return name if name in available_timezones() else "UTC"
