"""`pocketpost admin`: the panel's password, and what administrators have done."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gateway.cli import config_option, report_errors


@click.group(name="admin")
def admin_group() -> None:
    """The administrator's panel."""


@admin_group.command(name="password")
@config_option
@click.option("--remove", is_flag=True, help="Remove the password: the panel stays closed.")
def panel_password(file: Path, remove: bool) -> None:
    """Set the panel's password, read at the terminal or from the first line of standard input."""
    with report_errors():
        import time

        from gateway.config import load
        from gateway.sealed import admin_password
        from gateway.state import AuditLine, State

        config = load(file)
        phc = "" if remove else admin_password.hashed(new_password(admin_password.SHORTEST))
        with State.open(config.state) as state:
            state.administration.set_password_hash(phc)
            action = "password removed" if remove else "password set"
            state.administration.record(AuditLine(time.time(), "shell", action, ""))
        if not remove:
            click.echo(f"The panel opens at {config.admin_listen} when the gateway starts.")


def new_password(shortest: int) -> str:
    """Ask for a new password."""
    if sys.stdin.isatty():
        password = str(click.prompt("New password of the panel", hide_input=True, confirmation_prompt=True))
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if len(password) < shortest:
        raise click.ClickException(f"the password needs {shortest} characters or more; nothing was changed")
    return password


@admin_group.command(name="audit")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.option(
    "--most", default=100, show_default=True, type=click.IntRange(1, 10_000), help="Lines to print."
)
def print_audit(file: Path, as_json: bool, most: int) -> None:
    """Print what administrators have done, in the panel and in the shell, newest first."""
    with report_errors():
        from gateway.cli.opened_records import moment, opened, show
        from gateway.config import load

        with opened(load(file)) as records:
            lines = records.state.administration.audit(None, most)
        show(
            [
                {"when": moment(line.at), "from": line.origin, "what": line.action, "to_what": line.subject}
                for _, line in lines
            ],
            as_json,
        )
