"""Backing up the gateway's state and its secret, and restoring them.

Nothing here may leave half a file under a final name, overwrite what is there, or put back what was not examined. State
and secret are two files: together they reveal stored personal data, so that they need not lie together.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.config import Config
from gateway.errors import ConfigError
from gateway.sealed import memory, vault
from gateway.state.storage import copies

STATE: Final = "state.sqlite"
SECRET: Final = "server.secret"  # noqa: S105
FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600


@dataclass(frozen=True, slots=True)
class BackupFiles:
    """The two files of a backup; `secret` is None if it is not part of it."""

    state: Path
    secret: Path | None

    @classmethod
    def of(cls, folder: Path, secret: Path | None, without_secret: bool) -> BackupFiles:
        """Return the files of a folder; `secret`: where the secret lies instead."""
        return cls(folder / STATE, None if without_secret else secret or folder / SECRET)


def backup(config: Config, files: BackupFiles) -> list[str]:
    """Write a backup, while the gateway runs or not; return what was done, in words. Raise ConfigError."""
    if not config.state.exists():
        raise ConfigError(f"state database {config.state}: there is none yet")
    octets = _secret(config.secret) if files.secret is not None else b""
    wanted = _Files({files.state: lambda draft: copies.copy(config.state, draft)})
    if files.secret is not None:
        wanted.add(files.secret, octets)
    try:
        files.state.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{error.filename}: {error.strerror}") from error
    with wanted.written() as drafts:
        counts = copies.examine(drafts[files.state])
    said = [f"{files.state}: the state, {_in_words(counts)}"]
    return said + (
        [f"{files.secret}: the server secret; keep it elsewhere"] if files.secret is not None else []
    )


def restore(config: Config, files: BackupFiles, replace: bool, now: float) -> list[str]:
    """Put a backup in the place that the configuration names; return what was done, in words. Raise ConfigError.

    `replace`: files that are there are put aside. Nothing is changed unless the whole backup is good, and no gateway
    has the state open.
    """
    counts = copies.examine(files.state)
    wanted = _Files({config.state: lambda draft: copies.copy(files.state, draft)})
    if files.secret is not None:
        octets = _secret(files.secret)
        if not memory.is_readable(copies.newest_memories(files.state), octets):
            raise ConfigError(f"{files.secret}: not the secret of this state, which it does not decrypt")
        wanted.add(config.secret, octets)
    if replace and config.state.exists():
        copies.require_unused(config.state)
    with wanted.written(replace, now):
        pass
    said = [f"{path}: put aside as {name.name}" for path, name in wanted.aside.items()]
    said.append(f"{config.state}: restored, {_in_words(counts)}")
    if files.secret is not None:
        said.append(f"{config.secret}: restored")
    return said


@dataclass(slots=True)
class _Files:
    """Files that are written together: under other names first, so that none has its name before all are whole.

    `aside`: the new names of those that stood in their place.
    """

    makers: dict[Path, Callable[[Path], None]]
    aside: dict[Path, Path] = field(default_factory=dict)

    def add(self, path: Path, octets: bytes) -> None:
        self.makers[path] = lambda draft: _write(draft, octets)

    @contextmanager
    def written(self, replace: bool = False, now: float = 0.0) -> Iterator[dict[Path, Path]]:
        """Write the drafts, yield their names by the final ones, and rename them. Raise ConfigError."""
        for path in self.makers:
            if path.exists() and not replace:
                raise ConfigError(f"{path}: exists, and is not overwritten")
        drafts = {path: path.with_name(f".{path.name}.{secrets.token_hex(8)}") for path in self.makers}
        try:
            for path, draft in drafts.items():
                self.makers[path](draft)
                _give_to_owner(draft, path.parent)
            yield drafts
            for path, draft in drafts.items():
                self._put_aside(path, now)
                draft.rename(path)
        except OSError as error:
            raise ConfigError(f"{error.filename}: {error.strerror}") from error
        finally:
            for draft in drafts.values():
                draft.unlink(missing_ok=True)

    def _put_aside(self, path: Path, now: float) -> None:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
        # A log without its database would be taken for that of the new file (sqlite.org/howtocorrupt.html §1.4).
        for suffix in ("", "-wal", "-shm"):
            old = path.with_name(path.name + suffix)
            if old.exists():
                self.aside[old] = old.rename(old.with_name(f"{old.name}.before-{stamp}"))


def _secret(path: Path) -> bytes:
    try:
        octets = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"server secret {path}: {error.strerror}") from error
    if len(octets) < vault.SECRET_OCTETS:
        raise ConfigError(f"server secret {path}: shorter than {vault.SECRET_OCTETS} octets")
    return octets


def _write(draft: Path, octets: bytes) -> None:
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())


def _give_to_owner(draft: Path, folder: Path) -> None:
    """Give a file that root has made to the owner of its folder: the gateway's user has to read it."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(draft, owner.st_uid, owner.st_gid)


def _in_words(counts: dict[str, int]) -> str:
    return f"{counts['accounts']} accounts, {counts['sessions']} sessions, version {counts['version']}"
