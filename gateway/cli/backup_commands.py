"""`pocketpost backup` and `pocketpost restore`."""

from __future__ import annotations

import time
from pathlib import Path

import click

from gateway.cli import config_option, report_errors
from gateway.errors import StateError

folder_argument = click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
secret_option = click.option(
    "--secret", type=click.Path(dir_okay=False, path_type=Path), help="The file of the secret, elsewhere."
)
without_option = click.option("--without-secret", is_flag=True, help="Leave the secret out.")


@click.command()
@config_option
@secret_option
@without_option
@folder_argument
def backup(file: Path, secret: Path | None, without_secret: bool, folder: Path) -> None:
    """Write state and secret into FOLDER, as two files, while the gateway runs.

    Keep them apart: together they reveal stored personal data. The configuration is not part of it.
    """
    with report_errors():
        from gateway.admin.records import backup as files
        from gateway.cli.opened_records import opened
        from gateway.config import load

        config = load(file)
        wanted = files.BackupFiles.of(folder, secret, without_secret)
        for line in files.backup(config, wanted):
            click.echo(line)
        try:
            with opened(config) as records:
                records.record("backup", str(wanted.state))
        except StateError as error:  # a full disk must not prevent a backup
            click.echo(f"not in the audit: {error.detail}", err=True)


@click.command()
@config_option
@secret_option
@without_option
@click.option("--replace", is_flag=True, help="Put files that are there aside.")
@folder_argument
def restore(file: Path, secret: Path | None, without_secret: bool, replace: bool, folder: Path) -> None:
    """Restore the backup in FOLDER to the place that the configuration names, or into the running gateway."""
    with report_errors():
        from gateway.admin.records import backup as files
        from gateway.cli.opened_records import opened
        from gateway.config import load

        config = load(file)
        wanted = files.BackupFiles.of(folder, secret, without_secret)
        for line in files.restore(config, wanted, replace, time.time()):
            click.echo(line)
        with opened(config) as records:
            records.record("restored", str(wanted.state))
