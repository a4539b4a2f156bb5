"""The command `pocketpost`: reads its arguments and calls the rest.

Nothing here may do the work itself; what a command needs is imported inside it, so that each starts quickly. An error
that the user can fix is one sentence and exit status 1, never a traceback.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from gateway import __version__
from gateway.errors import ConfigError, GatewayError

if TYPE_CHECKING:
    from gateway.config import Config
    from gateway.server.listeners import Listener

DEMO_LISTEN = "127.0.0.1:8080"
DEMO_PANEL = "127.0.0.1:8090"
DEMO_PASSWORD = "tap"  # noqa: S105
MOST_WORKERS = 64
USUAL_FILE = "pocketpost.toml"
ANY_HOST = ("0.0.0.0", "::")  # noqa: S104

config_option = click.option(
    "--config", "file", required=True, type=click.Path(path_type=Path), help="The configuration file (TOML)."
)


#: Commands in modules of their own, imported when they are called: the module and the name in it.
LATER = {
    "admin": ("gateway.cli.admin_commands", "admin_group"),
    "backup": ("gateway.cli.backup_commands", "backup"),
    "restore": ("gateway.cli.backup_commands", "restore"),
    "sessions": ("gateway.cli.user_commands", "sessions_group"),
    "user": ("gateway.cli.user_commands", "user_group"),
    "wap": ("gateway.cli.wap_commands", "wap_group"),
    "wbxml": ("gateway.cli.wbxml_commands", "wbxml_group"),
}


class LazyGroup(click.Group):
    """A group that imports some of its commands when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted({*super().list_commands(ctx), *LATER})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name."""
        if cmd_name not in LATER:
            return super().get_command(ctx, cmd_name)
        module, name = LATER[cmd_name]
        command: click.Command = getattr(import_module(module), name)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pocketpost")
def main() -> None:
    """Read and answer mail on small screens: a gateway from IMAP to WML and XHTML."""


@contextmanager
def report_errors() -> Iterator[None]:
    """Turn a GatewayError into one line on stderr and exit status 1."""
    try:
        yield
    except GatewayError as error:
        raise click.ClickException(error.detail or error.sentence) from error


@main.command()
@click.option(
    "--listen", default=DEMO_LISTEN, metavar="HOST:PORT", show_default=True, help="Where to open the gateway."
)
def demo(listen: str) -> None:
    """Try it: a gateway, mail servers and sample mail in one process."""
    with report_errors():
        try:
            from gateway.demo.main import running
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] == "gateway":
                raise
            raise click.ClickException(
                f'the demo needs {error.name}, which is not installed: pip install "pocketpost[demo]"'
            ) from error
        from gateway.config import load
        from gateway.server.listeners import Listener, require_free
        from gateway.server.log_lines import TextFormatter

        handler = logging.StreamHandler()
        handler.setFormatter(TextFormatter())  # like the log of `serve`, which the panel also shows
        logging.basicConfig(level=logging.WARNING, handlers=[handler])
        listener = Listener.parse(listen)
        require_free(listener)
        panel = panel_beside(listen)
        wap = wap_beside(listener)
        # Before and after `run` handles SIGTERM: whatever the demo has created is removed on exit.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with running(listen, panel, wap) as file:
            config = load(file)
            from gateway.cli.serving import run_gateway

            run_gateway(config, file, lambda: print_addresses(config, listener), DEMO_PASSWORD)
    exit_now()


def panel_beside(listen: str) -> str:
    """Return where the demo's panel listens: at its usual address if the demo does, else on a free port."""
    from gateway.config.hosts import host_port
    from gateway.server.listeners import Listener, bind

    usual = Listener.parse(DEMO_PANEL)
    for port in (usual.port, 0) if listen == DEMO_LISTEN else (0,):
        with suppress(GatewayError), bind(replace(usual, port=port)) as line:
            return host_port(*line.getsockname()[:2])
    raise ConfigError("no port is free for the panel")


def wap_beside(listener: Listener) -> tuple[str, int, int] | None:
    """Return where the demo serves WAP phones: on the usual ports if the demo uses its own and they are free; else
    others.

    None if the host is a name. Two demos that start at the same time would both find the usual ports free.
    """
    from gateway.server.datagrams import free_ports
    from gateway.server.listeners import Listener

    usual = ((9201, 9200),) if listener.port == Listener.parse(DEMO_LISTEN).port else ()
    return free_ports(listener.host, (*usual, (0, 0)))


def wap_lines(config: Config, near: Listener) -> list[str]:
    """Return the line that says what to set on a phone, if phones are served."""
    if not config.wap_listen:
        return []
    return [f"WAP       on the phone: gateway {near.host}, {udp_ports(config)}, home page {near.url}w"]


def udp_ports(config: Config) -> str:
    """Return a text that names the ports of WAP phones."""
    return f"UDP port {config.wap_port}, connectionless {config.wap_connectionless_port}"


def print_addresses(config: Config, listener: Listener) -> None:
    """Print where the demo is and how to open it, one line each."""
    from gateway.demo.sample import ALICE, BOB, CAROL, PASSWORD

    upstream, by_pop3 = config.upstreams
    near = listener if listener.host not in ANY_HOST else replace(listener, host="127.0.0.1")
    for line in (
        f"Address   {near.url}",
        f"User      {ALICE.partition('@')[0]}, or {BOB.partition('@')[0]}; {CAROL} reads by POP3",
        f"Password  {PASSWORD}",
        f"Browser   open {near.url}m in any browser, the narrower the better",
        f"Terminal  w3m {near.url}",
        f"Phone     {near.url}w through a WAP gateway such as Kannel (other machines: --listen 0.0.0.0:{near.port})",
        *wap_lines(config, near),
        f"Panel     http://{config.admin_listen}/ for the administrator, password {DEMO_PASSWORD}",
        f"Servers   IMAP {upstream.store.address}, SMTP {upstream.smtp.address}, for a look from the side as {ALICE}",
        f"          POP3 {by_pop3.store.address}",
        "Stop      Ctrl-C; nothing is kept",
    ):
        click.echo(line)
    sys.stdout.flush()


@main.command()
@click.option(
    "--config", "file", type=click.Path(path_type=Path),
    help=f"The configuration file (TOML); ./{USUAL_FILE} unless given. At a terminal, a missing one can be written.",
)  # fmt: skip
@click.option(
    "--workers", "count", type=click.IntRange(1, MOST_WORKERS),
    help="Processes that serve handhelds; as many as there are cores unless given.",
)  # fmt: skip
def serve(file: Path | None, count: int | None) -> None:
    """Serve the configured mail domains until SIGTERM."""
    with report_errors():
        file = existing(file)
        from gateway.admin.panel import panel_listener
        from gateway.config import load
        from gateway.server import log_lines
        from gateway.server.listeners import listeners, require_free

        config = load(file)
        log_lines.start(config)
        served = listeners(config)
        for listener in (*served, panel_listener(config)):
            require_free(listener)
        log = logging.getLogger(__name__)
        from gateway.cli.serving import run_gateway, run_workers
        from gateway.server.workers import cores

        def ready() -> None:
            if config.wap_listen:
                log.info("WAP phones: %s, %s", config.wap_listen, udp_ports(config))
            log.info("listening at %s", " and ".join(each.url for each in served))

        count = count or min(cores(), MOST_WORKERS)
        if count == 1 and not config.wap_listen:
            run_gateway(config, file, ready)
        else:
            run_workers(config, file, ready, count)
    exit_now()


def existing(file: Path | None) -> Path:
    """Return the configuration file; if it is missing, it can be written at a terminal."""
    path = file or Path(USUAL_FILE)
    if path.exists():
        return path
    if sys.stdin.isatty() and sys.stdout.isatty():
        from gateway.cli import first_configuration
        from gateway.server.listeners import Listener

        first_configuration.offer(path, Listener.parse(panel_beside(DEMO_LISTEN)))
    elif file is None:
        raise click.MissingParameter(param_type="option", param_hint="'--config'")
    return path


def exit_now() -> NoReturn:
    """End the process now: the interpreter would wait for blocked threads."""
    from gateway import confined

    confined.stop()
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


@main.command()
@config_option
@click.argument("address", required=False)
def check(file: Path, address: str | None) -> None:
    """Check the servers of a configuration; with ADDRESS, only its servers, and sign in to them."""
    with report_errors():
        from datetime import UTC, datetime

        from gateway.admin.checks import check as checks
        from gateway.admin.checks.findings import ReportLine, Verdict
        from gateway.config import load

        config = load(file)
        only = checks.upstream_of(config, address)[1] if address is not None else None
        failed = 0

        def show(findings: Iterator[ReportLine]) -> None:
            nonlocal failed
            for finding in findings:
                click.echo(str(finding))
                failed += finding.verdict is Verdict.BAD

        show(checks.report(config, datetime.now(UTC), only))
        if address is not None:
            password = click.prompt(f"Password of {address}", hide_input=True, err=True)
            show(checks.sign_in(config, address, password))
        if failed:
            click.echo(f"{failed} of these will not work", err=True)
            sys.exit(1)


@main.group(name="upstream")
def upstream_group() -> None:
    """Help with the mail servers of a provider."""


@upstream_group.command(name="find")
@click.argument("address")
@click.option(
    "--ispdb", metavar="URL", help="Ask this copy of Mozilla's list of providers instead; '' asks none."
)
@click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Trust these certificates (PEM) instead of the system's.",
)
def upstream_find(address: str, ispdb: str | None, ca_file: Path | None) -> None:
    """Find the mail servers of ADDRESS and print a block for the configuration; no password is asked for or sent."""
    with report_errors():
        from gateway.admin.checks import find_servers as finding

        found = finding.search(
            address,
            finding.ISPDB if ispdb is None else ispdb,
            ca_file,
            lambda line: click.echo(line, err=True),
        )
        if not (block := found.block()):
            raise click.ClickException(
                f"no servers to read mail from and to send by were found for {address}"
            )
        click.echo(block, nl=False)


@main.group(name="config")
def config_group() -> None:
    """Help with the configuration file."""


@config_group.command(name="sample")
def config_sample() -> None:
    """Print a sample configuration with every option explained."""
    from gateway.config.reference import sample

    click.echo(sample(), nl=False)


def render_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of `render`, which are many."""
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
@render_options
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
    with report_errors():
        from gateway.cli import message_files as command

        handheld = command.device(name, markup)
        make = command.page_maker(handheld, full)
        if out is None:
            try:
                command.to_stdout(files, make, None if every else page)
            except OSError as error:
                raise click.ClickException(f"{error.filename}: {error.strerror}") from error
        elif failed := command.to_folder(files, make, command.SUFFIXES[handheld.markup], out, sys.stderr):
            click.echo(f"{failed} files failed", err=True)
            sys.exit(1)
