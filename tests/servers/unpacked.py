"""Debian packages that cannot be installed beside Dovecot: unpacked with everything they need, and run as if installed.

Nothing here may change the system: packages are in the caller's cache, and a program sees them in a mount and process
namespace of its own, laid over /usr and /etc (overlayfs). That needs root; a server works as `nobody`, except for one
that has to begin as root (Postfix).
`python -m tests.servers.unpacked` fetches what tests/debian-packages.txt marks as `unpacked` and is not there yet.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

LIST = Path(__file__).parents[1] / "debian-packages.txt"
_RELEASE = Path("/etc/debian_version")
CACHE = (
    Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    / "pocketpost-tests"
    / f"debian-{_RELEASE.read_text().strip() if _RELEASE.exists() else 'none'}".replace("/", "-")
)
STATUS = Path("/var/lib/dpkg/status")
#: What apt is told is installed: packages need a mail server and an init system that no test uses.
_STANDING_IN = """\
Package: pocketpost-tests
Status: install ok installed
Version: 1
Architecture: all
Maintainer: nobody <nobody@localhost>
Provides: mail-transport-agent, init-d-script
Description: stands in
"""
#: Runs in the namespaces, as root: what the packages bring first, then what the server's own /etc says.
_INSIDE = """\
mount -t overlay overlay -o lowerdir="$0/usr:/usr" /usr
mount -t tmpfs -o mode=1777 tmpfs /run
mkdir -m 755 -p /run/etc/upper /run/etc/work
mount -t overlay overlay -o lowerdir="$1:$0/etc:/etc",upperdir=/run/etc/upper,workdir=/run/etc/work /etc
[ "$3" = root ] || exec setpriv --reuid nobody --regid nogroup --clear-groups sh -ec "$2"
exec sh -ec "$2"
"""


def packages() -> Iterator[str]:
    """Yield the packages that are marked as `unpacked`."""
    for line in LIST.read_text().splitlines():
        words = line.partition("#")[0].split()
        if words[1:] == ["unpacked"]:
            yield words[0]


def folder(package: str) -> Path:
    """Return where a package is, with everything that it needs and the system lacks."""
    return CACHE / package


def lacking(package: str) -> str:
    """Return why this package's programs cannot be run; "" if they can."""
    if not folder(package).is_dir():
        return f"{package} is not unpacked (see tests/debian-packages.txt)"
    return "" if _namespaces() else f"{package} cannot be run: mounting needs root"


@cache
def _namespaces() -> bool:
    trial = ["unshare", "--mount", "--pid", "--fork", "mount", "-t", "overlay", "overlay", "-o"]
    trial += ["lowerdir=/usr:/etc", "/mnt"]
    return os.geteuid() == 0 and subprocess.run(trial, stderr=subprocess.DEVNULL).returncode == 0


def run(
    package: str, etc: Path, script: str, log: Path, environment: Mapping[str, str], user: str = "nobody"
) -> subprocess.Popen[bytes]:
    """Run a shell script as `nobody`, or root, with this package installed; `end` ends everything that it starts.

    `etc`: files that are in /etc there; what is written in it or in /run is forgotten. It prints to `log`.
    """
    apart = ["unshare", "--mount", "--pid", "--fork"]
    with log.open("ab") as said:
        return subprocess.Popen(
            [*apart, "sh", "-ec", _INSIDE, str(folder(package)), str(etc), script, user],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **environment},
        )


def end(process: subprocess.Popen[bytes]) -> None:
    """End what `run` has begun: with the first process of a namespace the kernel ends all others in it."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    with suppress(FileNotFoundError, ProcessLookupError):  # it has ended by itself
        for child in children.read_text().split():
            os.kill(int(child), signal.SIGKILL)
    process.wait()


# --- fetching


def _system(status: Path) -> None:
    """Write what is installed, except other IMAP servers, which conflict."""
    entries = STATUS.read_text().split("\n\n")
    kept = [entry for entry in entries if not re.search(r"^Provides:.*\bimap-server\b", entry, re.MULTILINE)]
    status.write_text("\n\n".join([_STANDING_IN, *kept]))


def fetch(package: str) -> None:
    """Download a package and what it needs besides the installed ones, as apt finds it, and unpack everything."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        place = Path(name)
        (place / "archives" / "partial").mkdir(parents=True)
        _system(place / "status")
        settings = {
            "Dir::State::status": place / "status",
            "Dir::Cache": place,
            "Dir::Cache::archives": place / "archives",
            "Debug::NoLocking": "1",
            "APT::Sandbox::User": "",
        }
        options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
        command = ["apt-get", "install", "-qq", "-y", "--download-only", "--no-install-recommends", *options]
        subprocess.run([*command, package], check=True, stdout=subprocess.DEVNULL)
        for archive in (place / "archives").glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", str(archive), str(place / "root")], check=True)
        (place / "root" / "etc").mkdir(exist_ok=True)
        for path in (CACHE, place / "root"):
            path.chmod(0o755)
        shutil.rmtree(folder(package), ignore_errors=True)
        (place / "root").rename(folder(package))


def main() -> None:
    missing = [package for package in packages() if not folder(package).is_dir()]
    if missing and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-qq"], check=False)
    for package in missing:
        print(f"Unpacking: {package}", file=sys.stderr)
        try:
            fetch(package)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"MISSING: {package}: {error}; tests that need it are skipped.", file=sys.stderr)


if __name__ == "__main__":
    main()
