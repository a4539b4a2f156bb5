"""The command `pocketpost`: reads its arguments and hands on.

Nothing here may do the work itself, and what a command needs is imported inside it, so that each starts quickly.
An error that a person can mend is one sentence and exit status 1, never a traceback.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway import __version__
from gateway.errors import GatewayError

if TYPE_CHECKING:
    from gateway.config import Config
    from gateway.serve import Listener

DEMO_LISTEN = "127.0.0.1:8080"
ANY_HOST = ("0.0.0.0", "::")  # noqa: S104

config_option = click.option(
    "--config", "file", required=True, type=click.Path(path_type=Path), help="The configuration file (TOML)."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pocketpost")
def main() -> None:
    """Read and answer mail on small screens: a gateway from IMAP to WML and XHTML."""


@contextmanager
def sentences() -> Iterator[None]:
    """Turn our own errors into one line on stderr and exit status 1."""
    try:
        yield
    except GatewayError as error:
        raise click.ClickException(error.detail or error.sentence) from error


def start_log() -> None:
    """Send the log to stderr, where a service manager collects it."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")


@main.command()
@click.option(
    "--listen", default=DEMO_LISTEN, metavar="HOST:PORT", show_default=True, help="Where to open the gateway."
)
def demo(listen: str) -> None:
    """Try it: a gateway, mail servers and sample mail in one process."""
    with sentences():
        try:
            from gateway.demo.main import running
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] == "gateway":
                raise
            raise click.ClickException(
                f'the demo needs {error.name}, which is not installed: pip install "pocketpost[demo]"'
            ) from error
        from gateway.app import create_app
        from gateway.serve import Listener, require_free, run

        logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
        where = Listener.parse(listen)
        require_free(where)
        # Until `run` takes SIGTERM over, and after: whatever the demo made is cleared away on the way out.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with running(listen) as config:
            run(
                create_app(config),
                (where,),
                config.threads,
                lambda: introduce(config, where),
                config.upload_limit,
            )


def introduce(config: Config, where: Listener) -> None:
    """Print where the demo is and how to look at it, one line each."""
    from gateway.demo.sample import ALICE, BOB, PASSWORD

    near = where if where.host not in ANY_HOST else replace(where, host="127.0.0.1")
    servers = [f"{each.host}:{each.port}" for each in (config.upstreams[0].imap, config.upstreams[0].smtp)]
    for line in (
        f"Address   {near.url}",
        f"User      {ALICE.partition('@')[0]}, or {BOB.partition('@')[0]}",
        f"Password  {PASSWORD}",
        f"Browser   open {near.url}m in any browser, the narrower the better",
        f"Terminal  w3m {near.url}",
        f"Phone     {near.url}w through a WAP gateway such as Kannel (other machines: --listen 0.0.0.0:{near.port})",
        f"Servers   IMAP {servers[0]}, SMTP {servers[1]}, for a look from the side as {ALICE}",
        "Stop      Ctrl-C; nothing is kept",
    ):
        click.echo(line)
    sys.stdout.flush()


@main.command()
@config_option
def serve(file: Path) -> None:
    """Serve the configured mail domains until SIGTERM."""
    with sentences():
        from gateway.app import create_app
        from gateway.config import load
        from gateway.serve import listeners, require_free, run

        start_log()
        config = load(file)
        where = listeners(config)
        for each in where:
            require_free(each)
        log = logging.getLogger("pocketpost")
        run(
            create_app(config),
            where,
            config.threads,
            lambda: log.info("listening at %s", " and ".join(each.url for each in where)),
            config.upload_limit,
        )
    # QUIRK: granian's embedded server leaves a native thread that may still wake while the interpreter is being
    # taken down, and then aborts the process; all that is ours is finished here.
    from gateway import confined

    confined.stop()
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


@main.command()
@config_option
@click.argument("address", required=False)
def check(file: Path, address: str | None) -> None:
    """Look at the servers of a configuration; with ADDRESS, sign in to them too."""
    with sentences():
        from datetime import UTC, datetime

        from gateway import check as checks
        from gateway.config import load

        config = load(file)
        if address is not None:
            checks.upstream_of(config, address)
        failed = 0

        def show(findings: Iterator[checks.Finding]) -> None:
            nonlocal failed
            for finding in findings:
                click.echo(str(finding))
                failed += finding.verdict is checks.Verdict.BAD

        show(checks.report(config, datetime.now(UTC)))
        if address is not None:
            password = click.prompt(f"Password of {address}", hide_input=True, err=True)
            show(checks.sign_in(config, address, password))
        if failed:
            click.echo(f"{failed} of these will not work", err=True)
            sys.exit(1)


@main.group(name="config")
def config_group() -> None:
    """Help with the configuration file."""


@config_group.command(name="sample")
def config_sample() -> None:
    """Print a commented configuration."""
    from gateway.options import sample

    click.echo(sample(), nl=False)


def several(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of `render`, of which there are many."""
    for add in (
        click.option(
            "--out", type=click.Path(file_okay=False, path_type=Path), help="Write files and index.json."
        ),
        click.option("--all", "every", is_flag=True, help="Print every page."),
        click.option(
            "--page", type=click.IntRange(min=1), default=1, show_default=True, help="Print this page."
        ),
        click.option("--full", is_flag=True, help="Fold nothing."),
        click.option("--markup", type=click.Choice(["wml", "xhtml"]), help="The device's own unless given."),
        click.option("--device", "name", default="nokia7110", show_default=True, metavar="NAME"),
        click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path)),
    ):
        command = add(command)
    return command


@main.command()
@several
def render(
    files: tuple[Path, ...],
    name: str,
    markup: str | None,
    full: bool,
    page: int,
    every: bool,
    out: Path | None,
) -> None:
    """Show message FILES as a device would get them, with no server."""
    with sentences():
        from gateway import render_command as command

        handheld = command.device(name, markup)
        make = command.maker(handheld, full)
        if out is None:
            try:
                command.to_stdout(files, make, None if every else page)
            except OSError as error:
                raise click.ClickException(f"{error.filename}: {error.strerror}") from error
        elif failed := command.to_folder(files, make, command.SUFFIXES[handheld.markup], out, sys.stderr):
            click.echo(f"{failed} files failed", err=True)
            sys.exit(1)
