"""The newest lines of the log, in memory, as the log itself has them.

Nothing here may compose a line: the formatter of the log does, which knows what must not be in one. Lines are bounded
in number and length.
"""

from __future__ import annotations

import json
import logging
import socket
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Final

#: Maximum number of lines, and characters of each (a traceback is one line).
MOST: Final = 2000
LONGEST: Final = 4000
#: Maximum octets of a line as JSON, in which a character takes at most twelve.
DATAGRAM: Final = 12 * LONGEST + 64


@dataclass(frozen=True, slots=True)
class LogLine:
    """One record: its level as in `logging`, and its lines."""

    level: int
    text: str


class NewestLines(logging.Handler):
    """A handler that keeps the newest lines; thread-safe."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[LogLine] = deque(maxlen=MOST)
        self._reading = Lock()
        self._like: logging.Handler | None = None
        self._elsewhere: socket.socket | None = None

    def follow(self, logger: logging.Logger) -> None:
        """Keep the lines of a logger from now on, in whatever format its other handler then uses."""
        self._like = next((handler for handler in logger.handlers if handler is not self), None)
        if self not in logger.handlers:
            logger.addHandler(self)

    def format(self, record: logging.LogRecord) -> str:
        """Return a record in the format of the log."""
        return self._like.format(record) if self._like is not None else super().format(record)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        try:
            text = self.format(record)[:LONGEST]
        except Exception:
            self.handleError(record)
            return
        if self._elsewhere is not None:
            with suppress(OSError):  # the log itself has the line
                self._elsewhere.send(json.dumps([record.levelno, text]).encode(), socket.MSG_DONTWAIT)
        self._keep(LogLine(record.levelno, text))

    def send_to(self, line: socket.socket) -> None:
        """Also send each line to the process that shows the lines of all processes."""
        self._elsewhere = line

    def take_from(self, line: socket.socket) -> None:
        """Also keep the lines of other processes."""
        Thread(target=self._take, args=(line,), name="lines", daemon=True).start()

    def _take(self, line: socket.socket) -> None:
        while octets := line.recv(DATAGRAM):
            self._keep(LogLine(*json.loads(octets)))

    def _keep(self, line: LogLine) -> None:
        with self._reading:
            self._lines.append(line)

    def newest(self, level: int = 0, text: str = "") -> Iterator[LogLine]:
        """Yield lines of at least a level that contain a text, regardless of case, the newest first."""
        with self._reading:
            lines = list(self._lines)
        wanted = text.casefold()
        return (line for line in reversed(lines) if line.level >= level and wanted in line.text.casefold())


#: The lines of this process, and of those that send it their own.
LINES: Final = NewestLines()
