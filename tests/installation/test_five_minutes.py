"""From an empty machine to a phone reading mail: README's installation, then either way, by the clock.

The machine is a checkout and a shell; README's own lines make an environment and install Pocketpost into it, with all
its dependencies, from the package index. How long it took is printed at the end of the run; no test judges it.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.installation.first_steps import by_the_panel, by_the_readme, readme_commands, with_mail
from tests.servers import free_ports
from tests.servers.dovecot import Dovecot
from tests.servers.machine import ROOT, Prompting, pocketpost, provider
from tests.servers.smtp import SmtpServer

#: What pip prints if it reaches no index.
NO_INDEX = "after connection broken by"
#: Without the variable that finds this checkout's modules.
CLEAN = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
#: Lists this checkout's files, NUL after each.
FILES = ["git", "ls-files", "-coz", "--exclude-standard"]
Say = Callable[[str, object], None]


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Prompting]:
    """A shell in a fresh checkout; nothing from this one's environment gets in its way."""
    (checkout := tmp_path / "checkout").mkdir()
    listed = subprocess.run(
        ["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, checkout / name)
    made = Prompting(["/bin/sh"], checkout, PYTHONPATH="", PYTHONDONTWRITEBYTECODE="", PS1="ready> ")
    yield made
    made.close()


def _install(shell: Prompting, environment: Path, ispdb: str, panel: int) -> None:
    """Type README's first lines; then have the tests' provider found instead of the real ones."""
    for number, line in enumerate(readme_commands()[0][:-1]):
        shell.type(f"{line.replace('~/pocketpost', str(environment))}; echo done-$((1000 + {number}))-$?")
        if shell.until(rf"done-{1000 + number}-(\d+)")[1] != "0" and NO_INDEX in shell.text:
            pytest.skip(
                "NOT TESTED: pip reaches no package index, so README's `pip install .` cannot be walked"
            )
        assert f"done-{1000 + number}-0" in shell.text, shell.text
    command = environment / "bin" / "pocketpost"
    python = str(environment / "bin" / "python")
    where = [python, "-c", "import gateway; print(gateway.__file__)"]
    found = subprocess.run(where, cwd="/", env=CLEAN, capture_output=True, check=True)
    assert str(environment) in found.stdout.decode()
    subprocess.run([command, "--version"], cwd="/", env=CLEAN, check=True)
    command.write_text(f'#!/bin/sh\nexec {shlex.join([python, *pocketpost(ispdb, panel)[1:]])} "$@"\n')


@pytest.mark.matrix
@pytest.mark.parametrize("way", ["by the panel", "by the README"])
def test_from_an_empty_machine_to_a_phone_reading_mail(
    way: str,
    shell: Prompting,
    dovecot: Dovecot,
    smtp_server: SmtpServer,
    tmp_path: Path,
    record_property: Say,
) -> None:
    port, panel = free_ports(2)
    ca_file, environment, file = (
        with_mail(dovecot, smtp_server, tmp_path),
        tmp_path / "env",
        "pocketpost.toml",
    )
    with provider(dovecot, smtp_server) as ispdb:
        begun = time.monotonic()
        _install(shell, environment, ispdb, panel)
        installed = time.monotonic()
        shell.type(f"cd {tmp_path}")
        if way == "by the panel":
            shell.type("exec pocketpost serve")
            by_the_panel(shell, tmp_path / file, ca_file, dovecot.ports["imap"], port)
        else:
            shell.type(f"export SSL_CERT_FILE={ca_file}")
            by_the_readme(shell, readme_commands()[1], tmp_path / file, port, panel)
        done = time.monotonic()
        shell.process.terminate()
        assert shell.ended() == 0, shell.text
    figure = f"{done - begun:.0f} s, of them {installed - begun:.0f} s for the installation"
    record_property("measured", f"from an empty machine to a phone reading mail, {way}: {figure}")
