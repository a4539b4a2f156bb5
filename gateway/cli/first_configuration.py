"""`pocketpost serve` at a terminal without a configuration: the offer to write one, with a browser.

Nothing here may write anything; `admin.configuring.first_run` does, when told to.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import click

from gateway.admin.configuring.first_run import FirstRun
from gateway.admin.panel import CONNECTIONS, THREADS
from gateway.server.listeners import Listener, Site, run


def offer(file: Path, listener: Listener) -> None:
    """Offer to write the file, and return when it is written. Raise ClickException if it is not."""
    click.echo(f"There is no configuration at {file}.")
    if not click.confirm("Write one now, with a browser on this machine?", default=True):
        raise click.ClickException(
            "nothing was written; pocketpost config sample prints a file to begin with"
        )
    first = FirstRun(file, listener, lambda: signal.raise_signal(signal.SIGTERM))
    site = Site(first.application(), (listener,), THREADS, connections=CONNECTIONS)
    run(site, ready=lambda: _say(first))
    if not first.saved:
        why = "too many wrong codes" if first.code.is_spent else "stopped before anything was saved"
        raise click.ClickException(f"{why}; nothing was written")
    click.echo(f"Written: {file}")


def _say(first: FirstRun) -> None:
    port = first.listener.port
    for line in (
        f"Open      {first.listener.url}",
        f"Code      {first.code}, to be typed there once",
        f"          by SSH: ssh -L {port}:127.0.0.1:{port} THIS-MACHINE, then the same address",
        "Stop      Ctrl-C; nothing is written before you save",
    ):
        click.echo(line)
    sys.stdout.flush()
