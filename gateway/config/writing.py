"""Writes the administrator's TOML file: all of it or nothing, keeping the previous version beside it.

Nothing here may decide what is in the file. A new version replaces the old one by a rename in the same folder, with its
mode and owner; a symbolic link stays, and leads to the new version. A failure leaves the file as it was, and raises
ConfigNotWritten.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Final

from gateway.errors import ConfigChanged, ConfigNotWritten

#: The suffix of the previous version's name.
PREVIOUS: Final = ".previous"

_writing: Final = Lock()


def digest(octets: bytes) -> str:
    """Return the digest that identifies a version of the file."""
    return hashlib.sha256(octets).hexdigest()


def is_writable(path: Path) -> bool:
    """Return whether this process can replace the file, which depends on its folder's permissions."""
    return os.access(path.resolve().parent, os.W_OK | os.X_OK)


def replace(path: Path, octets: bytes, version: str) -> None:
    """Replace the version of the file that has this digest with a new one.

    Raise ConfigChanged if the file has another version, ConfigNotWritten if it cannot be written.
    """
    with _writing:
        try:
            target = path.resolve(strict=True)
            before, status = target.read_bytes(), target.stat()
            if digest(before) != version:
                raise ConfigChanged(f"{path} was changed meanwhile; nothing was written")
            _put(target.with_name(target.name + PREVIOUS), before, status)
            _put(target, octets, status)
        except OSError as error:
            raise ConfigNotWritten(f"{path} cannot be written: {error.strerror}") from error


def create(path: Path, octets: bytes) -> None:
    """Write the file if there is none yet, readable by its owner only. Raise ConfigNotWritten."""
    try:
        _put(path, octets, None)
    except OSError as error:
        raise ConfigNotWritten(f"{path} cannot be written: {error.strerror}") from error


def _put(target: Path, octets: bytes, like: os.stat_result | None) -> None:
    """Write a file as a whole, with mode and owner `like` another's, or one that must not exist yet."""
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    try:
        with open(descriptor, "wb") as file:
            if like is not None:
                _give(descriptor, like)
            file.write(octets)
            file.flush()
            os.fsync(descriptor)
        if like is None:
            os.link(name, target)  # unlike a rename, this replaces nothing
        else:
            os.rename(name, target)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)
    _sync_folder(target.parent)


def _give(descriptor: int, like: os.stat_result) -> None:
    made = os.fstat(descriptor)
    if (made.st_uid, made.st_gid) != (like.st_uid, like.st_gid):
        os.fchown(descriptor, like.st_uid, like.st_gid)
    os.fchmod(descriptor, like.st_mode & 0o7777)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
