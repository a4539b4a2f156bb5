"""Connects the asyncio server to the WSGI application: one request is one call in a pool of threads.

Nothing here may know a route or a socket. A request takes a thread only when it is complete: bodies are read
by the event loop, so that phones that stall halfway hold nothing but a connection. A long answer is pulled in
pieces, each when the one before has been accepted: a slow reader holds no thread and slows down what is
fetched for it. An answer that fails midway never looks complete: its connection is reset. PEP 3333.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from enum import Enum
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any

from gateway import computing
from gateway.access import log_context
from gateway.device import WML_TEXT
from gateway.errors import GatewayError
from gateway.server.admission import Full, Holder, Priority, Slots
from gateway.server.http1 import WAITING_OCTETS, Gone, HttpConnection, HttpRequest, MalformedRequest
from gateway.server.request_log import logged
from gateway.server.wsgi import Environ, NoRoom, WsgiResponse, ask, environ, pull

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Work = Callable[..., "Future[Any]"]

log = logging.getLogger(__name__)

SMALL_BODY = 16 * 1024
"""Octets of a body that any connection may send: what is typed on a handheld is less."""
BODY_LIMIT = 256 * 1024
"""Octets of a body without files, and octets held in memory of one with files: our forms are far smaller."""
LARGE_BODIES = 32
"""Bodies beyond SMALL_BODY at a time, until they are answered; beyond BODY_LIMIT they are in unnamed files."""
SHARE = 16
"""How many of these one address may have."""
PATIENCE = 4
"""Multiple of the upload limit that is read and dropped, so that a browser gets to read the response."""
ASK_SECONDS = 1.0
"""Seconds for finding out whether somebody is signed in, before they count as a stranger."""

DECK = """<?xml version="1.0"?>
<!DOCTYPE wml PUBLIC "-//WAPFORUM//DTD WML 1.1//EN" "http://www.wapforum.org/DTD/wml_1.1.xml">
<wml><card><p>{}</p><do type="prev"><prev/></do></card></wml>"""


class Reason(Enum):
    """The bridge's own answers: status and sentence, in US-ASCII, since the device is not known yet."""

    MALFORMED = 400, "This is no request. Nothing was done."
    TOO_SLOW = 408, "What you sent came too slowly. Nothing was done. Please try again."
    TOO_MUCH = 413, "What you sent is too large. Nothing was done."
    FAILED = 500, GatewayError.sentence
    GIVEN_UP = 503, "The gateway cannot wait for the rest. Nothing was done. Try again in a minute."
    NO_PLACE = 503, "Too many files are on their way. Nothing was done. Try again in a minute."
    NO_ROOM = 507, "The gateway has no room for files just now. Nothing was done. Try again later."
    NO_ROOM_FOR_ANSWER = 507, "The gateway has no room for this file just now. Try again later."


class Refusal(Exception):
    """A request that is not passed to the application."""

    def __init__(self, why: Reason) -> None:
        super().__init__(why.name)
        self.status, self.sentence = why.value

    def content(self, request: HttpRequest, name: str) -> tuple[str, str]:
        """Return text and media type that the device can show. Many WAP 1.x phones show no plain text.

        `name`: the request's id, by which an administrator finds it in the log.
        """
        said = f"{self.sentence} ({name})"
        if any(
            name == b"accept" and WML_TEXT.encode("ascii") in value.lower() for name, value in request.headers
        ):
            return DECK.format(said), WML_TEXT
        return said, "text/plain"


def peer(request: Environ) -> str:
    """Return the owner of a request, for shares: the address that it comes from."""
    address: str = request["REMOTE_ADDR"]
    return address


class Bridge:
    """Answers requests by calling a WSGI application in a pool of threads."""

    def __init__(
        self,
        app: WSGIApplication,
        threads: int,
        upload_limit: int = 0,
        *,
        known: Callable[[Environ], bool] = lambda request: False,
        client: Callable[[Environ], str] = peer,
    ) -> None:
        """`upload_limit` is in octets; `known` tells who is signed in, `client` the client's address."""
        self._app = app
        self._upload_limit = upload_limit
        self._known, self._client = known, client
        self._large = Slots(LARGE_BODIES, SHARE)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self._doorkeeper = ThreadPoolExecutor(1, thread_name_prefix="doorkeeper")

    async def answer(self, request: HttpRequest, connection: HttpConnection) -> None:
        """Answer one request; raise Gone if the peer is."""
        task = asyncio.current_task()
        assert task is not None
        place = Holder(request.ends.peer, task.cancel)
        with log_context.request() as entry, logged(request, connection, self._client):
            try:
                with SpooledTemporaryFile(BODY_LIMIT) as body:
                    await self._body(request, connection, place, body)
                    await self._respond(environ(request, body), connection)
            except Refusal as refusal:
                await connection.refuse(refusal.status, *refusal.content(request, entry.id))
            finally:
                self._large.free(place)

    def close(self, *, wait: bool) -> None:
        """End the threads; without `wait`, hanging ones are left behind."""
        self._doorkeeper.shutdown(wait=False, cancel_futures=True)
        self._pool.shutdown(wait=wait, cancel_futures=True)

    # --- the request ---

    async def _body(
        self, request: HttpRequest, connection: HttpConnection, place: Holder, body: IO[bytes]
    ) -> None:
        """Read a body; raise Refusal."""
        try:
            if not connection.complete:
                await self._recognise(environ(request, BytesIO()), connection)
            place.move(connection.holder.address)
            place.standing = connection.slow
            await self._read(request, connection, place, body)
        except TimeoutError:
            raise Refusal(Reason.TOO_SLOW) from None
        except MalformedRequest:
            raise Refusal(Reason.MALFORMED) from None
        except Full:
            raise Refusal(Reason.NO_PLACE) from None
        except asyncio.CancelledError:
            raise Refusal(Reason.GIVEN_UP) from None
        place.standing = Priority.BUSY

    async def _read(
        self, request: HttpRequest, connection: HttpConnection, place: Holder, body: IO[bytes]
    ) -> None:
        kind = dict(request.headers).get(b"content-type", b"").lower()
        most = BODY_LIMIT + self._upload_limit * kind.startswith(b"multipart/form-data")
        size = 0
        async for piece in connection.body():
            before, size = size, size + len(piece)
            if before <= SMALL_BODY < size:
                self._large.take(place)
            if size > BODY_LIMIT + PATIENCE * (most - BODY_LIMIT):
                raise Refusal(Reason.TOO_MUCH)
            # The form reader notices what was dropped, and so knows that it was too large.
            _keep(piece[: max(most - before, 0)], body)

    async def _recognise(self, request: Environ, connection: HttpConnection) -> None:
        """Find out who sends the body, so that signed-in people do not wait for strangers."""
        connection.holder.move(self._client(request))
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(ASK_SECONDS):
                connection.known = await loop.run_in_executor(self._doorkeeper, self._known, request)
        except TimeoutError:
            log.warning("it took too long to find out whether somebody is signed in")
        except Exception as error:  # the text may contain the key by which a token is looked up
            log.error("it was not found out whether somebody is signed in: %s", type(error).__name__)

    # --- the response ---

    async def _respond(self, request: Environ, connection: HttpConnection) -> None:
        # One context for all steps of a request: its pieces may be pulled by different threads.
        context = contextvars.copy_context()

        def work(step: Callable[..., Any], *values: Any) -> Future[Any]:
            return self._pool.submit(context.run, computing.in_turn, step, *values)

        try:
            answer: WsgiResponse = await _done(work, ask, self._app, request)
        except NoRoom:
            raise Refusal(Reason.NO_ROOM_FOR_ANSWER) from None
        except Exception:
            log.exception("the application failed")
            raise Refusal(Reason.FAILED) from None
        try:
            await connection.start(answer.status, answer.reason, answer.headers)
            is_long = answer.rest is not None or len(answer.head) > WAITING_OCTETS
            if is_long and not connection.bodiless:  # it may be waited for
                await self._recognise(request, connection)
            await connection.send(answer.head)
            if answer.rest is not None and not connection.bodiless:
                await _stream(answer.rest, connection, work)
            await connection.end()
        except Gone:
            raise
        except Exception:
            log.exception("the application failed in the midst of an answer")
            raise Refusal(Reason.FAILED) from None
        finally:
            if answer.rest is not None:
                work(_let_go, answer.close)


async def _stream(pieces: Iterator[bytes], connection: HttpConnection, work: Work) -> None:
    while piece := await _done(work, pull, pieces):
        await connection.send(piece)


async def _done(work: Work, *call: Any) -> Any:
    return await asyncio.wrap_future(work(*call))


def _let_go(close: Callable[[], object]) -> None:
    try:
        close()
    except Exception:
        log.exception("the application failed at the end of an answer")


def _keep(piece: bytes, body: IO[bytes]) -> None:
    """Write a piece of a body; raise Refusal if the disk is full."""
    try:
        body.write(piece)
    except OSError as error:
        log.error("no room for a body in the temporary folder: %s", error.strerror)
        raise Refusal(Reason.NO_ROOM) from error
