"""The log: each record as lines with time, level, request and account, or as one JSON object.

Nothing here may write a token, an address of mail, or the text of an exception that may quote a person. Whatever a
stranger controls (a user agent, a path, a server's reply) stays within its line: what is not printable is escaped.
Times are RFC 3339, in UTC. deploy/fail2ban has a filter for these lines.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from gateway.access.log_context import FIELDS, current
from gateway.addresses import LINK_ID_PATTERN
from gateway.config import Config
from gateway.errors import GatewayError

log = logging.getLogger(__name__)

_HANDLER: Final = logging.StreamHandler()
#: The logger of the line for each request.
REQUESTS: Final = "gateway.request"
#: Characters of one value or message; what is longer is cut.
LONGEST: Final = 1000
#: Frames of a traceback, the innermost.
FRAMES: Final = 40

_CUT: Final = "..."
#: Tokens of sessions and ids of links: anyone who knows them has what they stand for.
_KEYS: Final = re.compile(rf"(~)[A-Za-z0-9_-]{{16,}}|(/l/|/c){LINK_ID_PATTERN}(?![A-Za-z0-9_-])")
#: The part of a mail address before the @.
_LOCAL_PART: Final = re.compile(r'(?:"[^"@]*"|(?<![^\s@<>"(),:;])[^\s@<>"(),:;]+)@(?=[^\s@])')
_SAFE: Final = re.compile(r"[\w./:+~-]+", re.ASCII)
#: Exceptions of the interpreter about code, whose texts name types and names only.
_ABOUT_CODE: Final = (AttributeError, ImportError, NameError, NotImplementedError, RecursionError, TypeError)


def start(config: Config) -> None:
    """Send everything that this process has to say to stderr, as log lines."""
    configure(config)
    logging.captureWarnings(capture=True)
    threading.excepthook = lambda thread: _uncaught(thread.exc_type, thread.exc_value, None)
    sys.excepthook = _uncaught


def configure(config: Config) -> None:
    """Set form and levels of the log; a later configuration replaces the earlier one."""
    formatter = JsonFormatter() if config.log_format == "json" else TextFormatter()
    _HANDLER.setStream(sys.stderr)
    _HANDLER.setFormatter(formatter)
    logging.root.addHandler(_HANDLER)  # once, however often
    logging.root.setLevel(logging.WARNING)
    # Other libraries' own details may quote what they were given.
    logging.getLogger("gateway").setLevel(config.log_level.upper())
    logging.getLogger(REQUESTS).setLevel(logging.INFO if config.log_requests else logging.CRITICAL)


def _uncaught(kind: type[BaseException], error: BaseException | None, _: object) -> None:
    """Log an exception that nobody has caught like the others."""
    log.critical("not caught: %s", kind.__name__, exc_info=error)


class TextFormatter(logging.Formatter):
    """`TIME LEVEL REQUEST ACCOUNT LOGGER: message name=value …`; each line of a traceback begins the same way."""

    def format(self, record: logging.LogRecord) -> str:
        entry = current()
        marks = (_time(record), record.levelname, entry.id or "-", entry.account or "-", f"{record.name}:")
        head = escaped(" ".join(marks))
        values = [f"{name}={_quoted(value)}" for name, value in _fields(record).items()]
        message = " ".join([escaped(_message(record)), *values])
        return "\n".join(
            f"{head} {line}" for line in (message, *(f"| {escaped(one)}" for one in _trace(record)))
        )


class JsonFormatter(logging.Formatter):
    """One object per line, in ASCII: time, level, request, account, logger, message, further values, traceback."""

    def format(self, record: logging.LogRecord) -> str:
        entry = current()
        line: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname,
            "request": entry.id,
            "account": entry.account,
            "logger": record.name,
            "message": _message(record),
            **_fields(record),
        }
        if trace := list(_trace(record)):
            line["traceback"] = trace
        return json.dumps(line)


def cut(text: str) -> str:
    """Remove tokens, ids of links and the local parts of addresses from a text, and shorten it."""
    text = _LOCAL_PART.sub(f"{_CUT}@", _KEYS.sub(lambda found: (found[1] or found[2]) + _CUT, text))
    return text if len(text) <= LONGEST else text[:LONGEST] + _CUT


def escaped(text: str) -> str:
    """Escape what is not printable, such as line breaks, escape sequences and marks of direction."""
    if text.isprintable() and "\\" not in text:
        return text
    return "".join(
        sign if sign.isprintable() and sign != "\\" else sign.encode("unicode_escape").decode()
        for sign in text
    )


def _message(record: logging.LogRecord) -> str:
    """Return a record's message; the values filled into it may repeat a form."""
    words, arguments = str(record.msg), record.args
    if isinstance(arguments, tuple):
        arguments = tuple(_untyped(one) if isinstance(one, str) else one for one in arguments)
    try:
        return cut(words % arguments if arguments else words)
    except (TypeError, ValueError):  # a wrong line is worth more than none
        return cut(f"{words} (without its values)")


def _untyped(text: str) -> str:
    for typed in current().typed:
        text = text.replace(typed, _CUT)
    return text


def _fields(record: logging.LogRecord) -> dict[str, str | int]:
    given: Mapping[str, Any] = getattr(record, FIELDS, {})
    return {name: value if isinstance(value, int) else cut(str(value)) for name, value in given.items()}


def _quoted(value: str | int) -> str:
    text = str(value)
    return text if _SAFE.fullmatch(text) else '"' + escaped(text).replace('"', "\\x22") + '"'


def _time(record: logging.LogRecord) -> str:
    made = datetime.fromtimestamp(record.created, UTC)
    return made.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _trace(record: logging.LogRecord) -> Iterator[str]:
    """Yield the lines of a record's exception, and of those that led to it, the cause last."""
    error = record.exc_info[1] if record.exc_info else None
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield cut(_named(error))
        for frame in reversed(traceback.extract_tb(error.__traceback__)[-FRAMES:]):
            file = "/".join(frame.filename.split("/")[-3:])
            yield f"  {file}:{frame.lineno} {frame.name}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _named(error: BaseException) -> str:
    """Name an exception, with its text only if that cannot quote a mail, a form or a key."""
    name = type(error).__name__
    if isinstance(error, GatewayError):
        return f"{name}: {_untyped(error.detail)}"
    if isinstance(error, OSError):
        return f"{name}: {error.strerror}"
    return f"{name}: {error}" if isinstance(error, _ABOUT_CODE) else name
