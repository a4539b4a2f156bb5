"""The line for each request, which an administrator may switch on: `[log] requests`.

Nothing here may write a query, a cookie or a form: they hold what a person has typed. Tokens in the path are removed
by the formatter (`log_lines`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO

from gateway.access.log_context import FIELDS
from gateway.server.http1 import HttpConnection, HttpRequest
from gateway.server.log_lines import REQUESTS
from gateway.server.wsgi import Environ, environ

log = logging.getLogger(REQUESTS)


@contextmanager
def logged(
    request: HttpRequest, connection: HttpConnection, client: Callable[[Environ], str]
) -> Iterator[None]:
    """Write the line of a request when the block has answered it, or failed to; `client` returns its address."""
    if not log.isEnabledFor(logging.INFO):
        yield
        return
    began = time.monotonic()
    try:
        yield
    finally:
        asked = environ(request, BytesIO())
        said = "answered" if connection.finished else "broken off"
        tell(said, asked, connection.status, connection.sent, time.monotonic() - began, client(asked))


def tell(said: str, asked: Environ, status: int, octets: int, seconds: float, client: str) -> None:
    """Write the line of a request."""
    fields = {
        "method": asked["REQUEST_METHOD"],
        "path": asked["PATH_INFO"],
        "status": status,
        "octets": octets,
        "ms": round(seconds * 1000),
        "client": client,
        "agent": asked.get("HTTP_USER_AGENT", ""),
    }
    log.info(said, extra={FIELDS: fields})
