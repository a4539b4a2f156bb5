"""The demo as a whole: mail servers with sample mail, and a configuration that points the gateway to them.

Nothing here may serve HTTP or print: `cli` does that. Everything on disk is in one temporary folder.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import available_timezones

from gateway.demo.sample import MAILBOXES, MESSAGES, PASSWORDS, POP3_PASSWORDS, sample
from gateway.demo.servers import HOST, Servers

DOMAIN = "pocketpost.example"
LOCAL_TIME = Path("/etc/localtime")
"""A link to the machine's time zone, see localtime(5)."""


@contextlib.contextmanager
def running(listen: str, panel: str, wap: tuple[str, int, int] | None = None) -> Iterator[Path]:
    """Run the mail servers, and yield the configuration file of a gateway at `listen` with its panel at `panel`.

    `wap`: the address and the two ports for WAP phones, with sessions and without.
    """
    with (
        tempfile.TemporaryDirectory(prefix="pocketpost-demo-") as folder,
        Servers(PASSWORDS, MAILBOXES, POP3_PASSWORDS) as servers,
    ):
        now = datetime.now(UTC)
        for address in MESSAGES:
            servers.fill(address, sample(address, now))
        file = Path(folder) / "pocketpost.toml"
        file.write_text(configuration(listen, panel, servers, wap), encoding="utf-8")
        yield file


def configuration(listen: str, panel: str, servers: Servers, wap: tuple[str, int, int] | None = None) -> str:
    """Return a configuration with the demo's servers: any other domain is for those who read by POP3."""
    smtp = f"smtp://{HOST}:{servers.smtp_port}"
    phones = ""
    if wap is not None:
        phones = f'\n[wap]\nlisten = "{wap[0]}"\nport = {wap[1]}\nconnectionless_port = {wap[2]}\n'
    return f"""# The demo's configuration; it is removed when the demo stops.
[http]
listen = "{listen}"

[admin]
listen = "{panel}"
{phones}
[display]
timezone = "{_timezone()}"

[[upstream]]
domains = ["{DOMAIN}"]
imap = "imap://{HOST}:{servers.imap_port}"
smtp = "{smtp}"
sent_copy = "append"

[[upstream]]
domains = ["*"]
pop3 = "pop3://{HOST}:{servers.pop3_port}"
smtp = "{smtp}"
"""


def _timezone() -> str:
    """Return the name of this machine's time zone, so that the list shows the time of its clock."""
    name = str(LOCAL_TIME.resolve()).rpartition("/zoneinfo/")[2]
    return name if name in available_timezones() else "UTC"
