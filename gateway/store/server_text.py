"""The last gate before a server, and its text: what is sent is one line, and what it said is made one.

Nothing here may know a protocol or do I/O.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.errors import UnsafeArgument

#: Characters of a server's text that are worth a line in the log, or on a screen (ALERT).
MAX_TEXT: Final = 300

_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_UNSAFE: Final = re.compile("[\0\r\n]")
_LINE_BREAKERS: Final = re.compile(rb"[\0\r\n]")


def clean(octets: bytes) -> str:
    """Make a server's text fit for one line of a log: no controls, not too long."""
    return _CONTROLS.sub(" ", octets.decode("utf-8", "replace")).strip()[:MAX_TEXT]


def safe(text: str) -> str:
    """Return an argument unchanged, or raise UnsafeArgument if it has NUL, CR or LF in it."""
    if _UNSAFE.search(text):
        raise UnsafeArgument("NUL, CR or LF in an argument")
    return text


def one_line(command: bytes) -> bytes:
    """Check that a command is one line: the last gate before the wire, however its arguments were quoted."""
    if _LINE_BREAKERS.search(command):
        raise UnsafeArgument("NUL, CR or LF in a command")
    return command
