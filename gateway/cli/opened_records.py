"""The gateway's records, opened for a command, and how they are printed.

Nothing here may create a state file: a command that finds none has nothing to say. What a command changes is in the
audit as "shell".
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from gateway.admin.records.printable_text import printable
from gateway.errors import ConfigError

if TYPE_CHECKING:
    from gateway.admin.records.account_records import AccountRecords
    from gateway.config import Config

#: The origin in the audit of what is done here.
SHELL: Final = "shell"
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")


@contextmanager
def opened(config: Config) -> Iterator[AccountRecords]:
    """Open the records of a configuration. Raise ConfigError if there are none."""
    from gateway.admin.records.account_records import AccountRecords
    from gateway.sealed.vault import server_secret
    from gateway.state import AuditLine, State

    if not config.state.exists():
        raise ConfigError(f"state database {config.state}: there is none; the gateway has not run yet")
    with State.open(config.state) as state:

        def record(action: str, subject: str) -> None:
            state.administration.record(AuditLine(time.time(), SHELL, action, subject))

        yield AccountRecords(config, state, lambda: server_secret(config.secret), record)


def moment(at: float | None) -> str | None:
    """Return a time as tables show it, in UTC; None if it is unknown."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)) if at else None


def show(rows: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """Print rows with the same names as a table, or as JSON."""
    if as_json:
        click.echo(json.dumps([dict(row) for row in rows], indent=1))
        return
    if not rows:
        click.echo("none", err=True)
        return
    cells = [[name.replace("_", " ") for name in rows[0]]]
    cells += [[_cell(value) for value in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: Any) -> str:
    return "-" if value in (None, "") else printable(str(value))
