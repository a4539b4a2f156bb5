"""Backing up the gateway's state and its secret, and restoring them.

Nothing here may leave half a file under a final name, overwrite what is there, or restore what was not examined. State
and secret are two files, because together they reveal stored personal data: they need not be in one place.
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

from gateway.account import merging
from gateway.config import Config
from gateway.errors import ConfigError, StateError
from gateway.sealed import account_data, memory, vault
from gateway.state import State
from gateway.state.storage import copies
from gateway.state.storage.database import FILE_MODE

STATE: Final = "state.sqlite"
SECRET: Final = "server.secret"  # noqa: S105
FOLDER_MODE: Final = 0o700


@dataclass(frozen=True, slots=True)
class BackupFiles:
    """The two files of a backup; `secret` is None if the backup has none."""

    state: Path
    secret: Path | None

    @classmethod
    def of(cls, folder: Path, secret: Path | None, without_secret: bool) -> BackupFiles:
        """Return the files of a folder; `secret`: where the secret is instead."""
        return cls(folder / STATE, None if without_secret else secret or folder / SECRET)


def backup(config: Config, files: BackupFiles) -> list[str]:
    """Write a backup, whether or not the gateway is running; return what was done, in words. Raise ConfigError."""
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

    `replace`: existing files are put aside. Nothing is changed unless the whole backup is good. If a gateway is using
    the state, the accounts of the backup are brought back into it instead, in one transaction.
    """
    counts = copies.examine(files.state)
    secret = _secret(files.secret) if files.secret is not None else None
    if replace and config.state.exists() and copies.is_in_use(config.state):
        return _bring_back(config, files, secret, counts, now)
    wanted = _Files({config.state: lambda draft: copies.copy(files.state, draft)})
    if secret is not None:
        _require_fit(files, files.secret or config.secret, secret)
        wanted.add(config.secret, secret)
    with wanted.written(replace, now):
        pass
    said = [f"{path}: put aside as {name.name}" for path, name in wanted.aside.items()]
    said.append(f"{config.state}: restored, {_in_words(counts)}")
    if files.secret is not None:
        said.append(f"{config.secret}: restored")
    return said


def _bring_back(
    config: Config, files: BackupFiles, secret: bytes | None, counts: dict[str, int], now: float
) -> list[str]:
    own = _secret(config.secret)
    if secret is not None and secret != own:
        raise ConfigError(f"{files.secret}: not the secret of the gateway that is running; stop it first")
    _require_fit(files, config.secret, own)
    aside = _aside(config.state, now)
    draft = config.state.with_name(f".{config.state.name}.{secrets.token_hex(8)}")
    try:
        copies.copy(config.state, aside)
        _give_to_owner(aside, aside.parent)
        copies.copy(files.state, draft)
        with (
            State.open(draft) as backup,
            State.open(config.state) as state,
        ):  # which brings an older one up to date
            state.bring_back(backup, account_data.resealing(own, merging.merge))
    except StateError as error:
        raise ConfigError(f"{config.state}: {error.detail}") from error
    finally:
        for suffix in ("", *copies.LOGS):
            draft.with_name(draft.name + suffix).unlink(missing_ok=True)
    return [
        f"{config.state}: copied as {aside.name}",
        f"{config.state}: restored in use, {_in_words(counts)}; sessions and sendings since then stay",
    ]


def _require_fit(files: BackupFiles, path: Path, secret: bytes) -> None:
    if not memory.is_readable(copies.newest_memories(files.state), secret):
        raise ConfigError(f"{path}: not the secret of this state, which it does not decrypt")


def _aside(path: Path, now: float) -> Path:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    return path.with_name(f"{path.name}.before-{stamp}")


@dataclass(slots=True)
class _Files:
    """Files that are written together: under other names first, so that none has its own before all are complete.

    `aside`: the new names of the files that were in their place.
    """

    makers: dict[Path, Callable[[Path], None]]
    aside: dict[Path, Path] = field(default_factory=dict)

    def add(self, path: Path, octets: bytes) -> None:
        self.makers[path] = lambda draft: _write(draft, octets)

    @contextmanager
    def written(self, replace: bool = False, now: float = 0.0) -> Iterator[dict[Path, Path]]:
        """Write the temporary files, yield their names by the final ones, and rename them. Raise ConfigError."""
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
        # A log without its database would be taken for that of the new file (sqlite.org/howtocorrupt.html §1.4).
        for suffix in ("", *copies.LOGS):
            old = path.with_name(path.name + suffix)
            if old.exists():
                self.aside[old] = old.rename(_aside(old, now))


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
    """Give a file that root has created to the owner of its folder: the gateway's user has to read it."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(draft, owner.st_uid, owner.st_gid)


def _in_words(counts: dict[str, int]) -> str:
    return f"{counts['accounts']} accounts, {counts['sessions']} sessions, version {counts['version']}"
