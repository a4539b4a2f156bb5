"""Mailboxes as files: one message, or a hundred thousand within seconds.

Nothing here may talk to a server. Maildir as Dovecot reads it: `S=` and `W=` in a name save the server a look into each
file, and one file under many names (hard links) is many messages.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable
from pathlib import Path

# The number of different messages in a big mailbox; ext4 allows 65,000 names for one file.
VARIETY = 500

_serial = itertools.count(1)

_MESSAGE = """\
From: =?utf-8?q?S=C3=A9nder?= {n} <sender{n}@example.org>
To: Reader <reader@example.net>
Subject: Message number {n}: what a small message is about
Date: {day:02} Nov 2024 {hour:02}:{minute:02}:00 +0100
Message-ID: <{n}.seed@example.org>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Good day,

this is message {n}. It has a few lines of text,
and that is all there is to it.

--\x20
Sender {n}
"""


def message(n: int) -> bytes:
    """Write one small plain message; the same number gives the same octets."""
    text = _MESSAGE.format(n=n, day=n % 28 + 1, hour=n % 24, minute=n % 60)
    return text.replace("\n", "\r\n").encode()


def _give(path: Path, owner: os.stat_result) -> None:
    if os.getuid() == 0:
        os.chown(path, owner.st_uid, owner.st_gid)


def _folders(root: Path) -> os.stat_result:
    """Make the Maildir if missing, owned like the nearest existing folder, and return that owner."""
    missing = [path for path in (root, *root.parents) if not path.exists()]
    owner = (missing[-1].parent if missing else root).stat()
    for path in [*reversed(missing), *(root / name for name in ("cur", "new", "tmp"))]:
        path.mkdir(exist_ok=True)
        _give(path, owner)
    if root.name.startswith("."):
        (root / "maildirfolder").touch()
        _give(root / "maildirfolder", owner)
    return owner


def _sizes(octets: bytes) -> str:
    wide = len(octets) + octets.count(b"\n") - octets.count(b"\r\n")
    return f"S={len(octets)},W={wide}"


def _name(seconds: int, sizes: str, flags: str) -> str:
    return f"{seconds}.M{next(_serial):09}P{os.getpid()}.test,{sizes}:2,{flags}"


def write(root: Path, messages: Iterable[bytes], flags: str = "", first_second: int = 1_730_000_000) -> None:
    """Add messages to the Maildir at `root`, in this order, with Maildir flag letters ("S" is \\Seen)."""
    owner = _folders(root)
    for octets in messages:
        name = _name(first_second, _sizes(octets), flags)
        (root / "tmp" / name).write_bytes(octets)
        _give(root / "tmp" / name, owner)
        (root / "tmp" / name).rename(root / "cur" / name)


def fill(root: Path, count: int, seen: bool = True, first_second: int = 1_730_000_000) -> None:
    """Add `count` small messages to the Maildir at `root`, a minute apart: every tenth is unread if `seen`."""
    owner = _folders(root)
    folder = str(root / "cur")  # a path takes longer to make than a link
    sources: list[tuple[str, str]] = []
    for n in range(1, count + 1):
        flags = "S" if seen and n % 10 else ""
        if len(sources) == VARIETY:
            source, sizes = sources[n % VARIETY]
            os.link(source, f"{folder}/{_name(first_second + 60 * n, sizes, flags)}")
            continue
        octets = message(n)
        target = root / "cur" / _name(first_second + 60 * n, _sizes(octets), flags)
        target.write_bytes(octets)
        _give(target, owner)
        sources.append((str(target), _sizes(octets)))
