"""`pocketpost user` and `pocketpost sessions`: who has signed in, and ending, locking, forgetting.

Nothing here may do the work itself: `gateway.admin.records` does, also for the panel.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli import config_option, report_errors
from gateway.cli.opened_records import json_option, moment, opened, show
from gateway.errors import NotFound

if TYPE_CHECKING:
    from gateway.admin.records.account_records import Account, AccountRecords
    from gateway.state import AccountFilter, SessionRow

#: Rows that are read at a time.
AT_ONCE = 500
who_argument = click.argument("who", metavar="ADDRESS|HASH")


@click.group(name="user")
def user_group() -> None:
    """Accounts that have signed in. WHO is a mail address, or an account's hash as in the log."""


@user_group.command(name="list")
@config_option
@json_option
@click.option("--signed-in", "which", flag_value="SIGNED_IN", help="Only those with sessions.")
@click.option("--locked", "which", flag_value="LOCKED", help="Only locked ones.")
def user_list(file: Path, as_json: bool, which: str | None) -> None:
    """List accounts, the last used first."""
    with report_errors(), _opened(file) as records:
        from gateway.state import AccountFilter

        show([_account(one) for one in _accounts(records, AccountFilter[which or "ALL"])], as_json)


@user_group.command(name="end")
@config_option
@who_argument
def user_end(file: Path, who: str) -> None:
    """End all sessions of an account."""
    with report_errors(), _opened(file) as records:
        for account in records.find(who):
            click.echo(f"{account.hash}: {records.end_all(account)} sessions ended")


@user_group.command(name="lock")
@config_option
@who_argument
def user_lock(file: Path, who: str) -> None:
    """End all sessions of an account, and refuse sign-ins to it. The address need not have signed in yet."""
    with report_errors(), _opened(file) as records:
        try:
            found = records.find(who)
        except NotFound:
            found = records.introduce(who)
        for account in found:
            click.echo(f"{account.hash}: locked, {records.lock(account)} sessions ended")


@user_group.command(name="unlock")
@config_option
@who_argument
def user_unlock(file: Path, who: str) -> None:
    """Let people sign in to an account again."""
    with report_errors(), _opened(file) as records:
        for account in records.find(who):
            records.unlock(account)
            click.echo(f"{account.hash}: unlocked")


@user_group.command(name="forget")
@config_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@who_argument
def user_forget(file: Path, yes: bool, who: str) -> None:
    """Delete everything that is stored about an account, as its owner can do; mail is not touched."""
    with report_errors(), _opened(file) as records:
        for account in records.find(who):
            if not yes:
                click.echo(f"Of account {account.hash} this goes:", err=True)
                for line in records.what_goes(account):
                    click.echo(f"  {line}", err=True)
                click.confirm("Delete all of it?", abort=True, err=True)
            records.forget(account)
            click.echo(f"{account.hash}: forgotten")


@click.group(name="sessions", invoke_without_command=True)
@click.option("--config", "file", type=click.Path(path_type=Path), help="The configuration file (TOML).")
@json_option
@click.pass_context
def sessions_group(ctx: click.Context, file: Path | None, as_json: bool) -> None:
    """List active sessions, the last used first; or end some."""
    if ctx.invoked_subcommand is None:
        _list_sessions(file, as_json)


@sessions_group.command(name="list")
@config_option
@json_option
def sessions_list(file: Path, as_json: bool) -> None:
    """List active sessions, the last used first."""
    _list_sessions(file, as_json)


@sessions_group.command(name="end")
@config_option
@click.option("--all", "everybody", is_flag=True, help="End the sessions of everybody.")
@click.argument("numbers", metavar="[NUMBER]...", nargs=-1, type=click.IntRange(min=0))
def sessions_end(file: Path, everybody: bool, numbers: tuple[int, ...]) -> None:
    """End the sessions with these numbers."""
    if everybody == bool(numbers):
        raise click.UsageError("Name the sessions to be ended, or --all.")
    with report_errors(), _opened(file) as records:
        if everybody:
            click.echo(f"{records.end_everybodys()} sessions ended")
        for number in numbers:
            click.echo(f"{number}: ended, of account {records.end_session(number)}")


@contextmanager
def _opened(file: Path | None) -> Iterator[AccountRecords]:
    if file is None:
        raise click.UsageError("Missing option '--config'.")
    from gateway.config import load

    with opened(load(file)) as records:
        yield records


def _list_sessions(file: Path | None, as_json: bool) -> None:
    with report_errors(), _opened(file) as records:
        show([_session(whose, row) for whose, row in _sessions(records)], as_json)


def _accounts(records: AccountRecords, which: AccountFilter) -> Iterator[Account]:
    for first in count(0, AT_ONCE):
        found = records.page(which, AT_ONCE, first)
        yield from found
        if len(found) < AT_ONCE:
            return


def _sessions(records: AccountRecords) -> Iterator[tuple[str, SessionRow]]:
    for first in count(0, AT_ONCE):
        found = records.sessions(None, AT_ONCE, first)
        yield from found
        if len(found) < AT_ONCE:
            return


def _account(account: Account) -> dict[str, Any]:
    return {
        "account": account.hash,
        "address": account.address or None,
        "sessions": account.row.sessions,
        "last_use": moment(account.row.used),
        "locked_since": moment(account.row.locked),
    }


def _session(whose: str, row: SessionRow) -> dict[str, Any]:
    return {
        "session": row.id,
        "account": whose,
        "device": row.device,
        "markup": row.markup,
        "begun": moment(row.begun),
        "last_use": moment(row.touched),
        "ends_unless_used": moment(row.expires),
    }
