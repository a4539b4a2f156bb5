"""Download of an attachment in its original form.

Nothing here may hold a whole part in memory, or let a browser treat an untrusted file as a page of ours: it is sent as
an attachment with nosniff and a sandbox (RFC 6266; CSP Level 3 §6.3.2). A connection to the mail server is leased for
one chunk at a time and returned before the chunk is sent: a phone that loads for ten minutes, or goes away, holds
none. A download that was cut off can be continued (RFC 9110 §14) where the length is known exactly: for a file inside
an opened file, and for a part without a transfer encoding. The decoded length of base64 is known only at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Final

from flask import Blueprint, Response, request
from werkzeug.datastructures import Range

from gateway.access.session import Session
from gateway.addresses import nesting_code
from gateway.device import WML
from gateway.errors import StoreUnreachable
from gateway.markup.keys import KEYS
from gateway.markup.screen import Action, Life
from gateway.message import media_types
from gateway.message.headers import filenames
from gateway.message.mime import body, transfer
from gateway.message.model import Part
from gateway.rendition.documents import DocumentError
from gateway.store.base import MessageRef
from gateway.web.attachments import file_links
from gateway.web.attachments.document_pages import failure, file_screen
from gateway.web.attachments.file_links import FileAddress
from gateway.web.request.respond import add_headers, respond
from gateway.web.request.visit import Visit, current

download = Blueprint("download", __name__)

#: Octets to send without asking first. WAP 1.x phones have about this much storage for all downloads; over GPRS (some
#: 4 KB/s) a megabyte takes four minutes and may cost money.
WML_UNASKED: Final = 100_000
XHTML_UNASKED: Final = 1_000_000
#: Octets to fetch per lease of a connection, held in memory while a slow client reads them.
CHUNK_OCTETS: Final = 64 * 1024
#: Attempts to fetch a chunk when the connection to the mail server breaks.
ATTEMPTS: Final = 3
#: Seconds between attempts to get a connection for the next chunk, and the number of attempts: other people's requests,
#: or a server that is briefly unavailable, must not break off a download.
PAUSE_SECONDS: Final = 1.0
PAUSES: Final = 30


@download.get("/o<int:number>.<int:uid>.<sec:section>")
def original(number: int, uid: int, section: str) -> Response:
    """Send the file in its original form, after asking if it is large for the device."""
    visit = current()
    address = FileAddress.from_request(number, uid, section)
    ref = file_links.reference(visit, address)
    with visit.signed_in.store() as store:
        part = file_links.find(store.structure(ref), section)
        try:
            octets = file_links.fetch(store, ref, part) if address.nesting else b""
        except DocumentError as error:
            return respond(failure(visit, address, part, error))
    if not address.nesting:
        return _confirmation(visit, address, part) or _streamed(visit, address, ref, part)
    try:
        file = file_links.open_nested(part, octets, address.nesting)
    except DocumentError as error:
        return respond(failure(visit, address, part, error))
    return _confirmation(visit, address, file.part) or _partial_response(
        visit, address, file.part, len(file.octets), lambda span: iter((file.octets[span.start : span.stop],))
    )


def _confirmation(visit: Visit, address: FileAddress, part: Part) -> Response | None:
    """Return the page that asks first if the file may be too large for the device."""
    unasked = WML_UNASKED if visit.device.markup == WML else XHTML_UNASKED
    if "y" in request.args or file_links.size_of(part) <= unasked:
        return None
    _ = visit.language.gettext
    sentence = _("This file may be too large for your device.")
    confirmed = Action(_("Download"), address.link("download.original", y=1), KEYS["Download"])
    return respond(file_screen(visit, address, part, offer=confirmed, sentence=sentence))


def _streamed(visit: Visit, address: FileAddress, ref: MessageRef, part: Part) -> Response:
    """Stream a part while it is fetched."""
    session = visit.signed_in
    if _is_length_exact(session, ref, part):

        def octets(span: range) -> Iterator[bytes]:
            return _truncated(_chunks(session, ref, part.section, span.start), len(span))

        return _partial_response(visit, address, part, part.octets, octets)
    if request.method == "HEAD":
        return _attachment_response(visit, part, iter(()))
    return _attachment_response(
        visit, part, _started(body.decoded(part, _chunks(session, ref, part.section)))
    )


def _is_length_exact(session: Session, ref: MessageRef, part: Part) -> bool:
    """Check that a part is sent as it is stored, and that its last octet is where the server's size puts it.

    QUIRK: some servers report wrong sizes, and a wrong Content-Length would break every download.
    """
    if transfer.decoder(part.encoding) is not transfer.IdentityDecoder or not part.octets:
        return False
    with session.store() as store:
        return sum(map(len, store.octets(ref, part.section, part.octets - 1))) == 1


def _partial_response(
    visit: Visit,
    address: FileAddress,
    part: Part,
    length: int,
    octets: Callable[[range], Iterator[bytes]],
) -> Response:
    """Send a file of known length, or the single range of it that the request asks for."""
    response = _attachment_response(visit, part, iter(()))
    response.headers["Accept-Ranges"] = "bytes"
    # A mailbox number includes the UIDVALIDITY, so this tag never names another file.
    tag = f"{address.number}.{address.uid}.{address.section}.{nesting_code(address.nesting)}-{length}"
    response.set_etag(tag)
    matches = request.if_range.date is None and request.if_range.etag in (None, tag)
    span = requested_octets(request.range if matches else None, length)
    if span is None:
        response.status_code = 416
        response.headers["Content-Range"] = f"bytes */{length}"
        return response
    if len(span) < length:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{length}"
    if request.method != "HEAD":
        response.response = _started(octets(span))
    response.headers["Content-Length"] = str(len(span))
    return response


def requested_octets(requested: Range | None, length: int) -> range | None:
    """Return the octets that a Range field asks for (RFC 9110 §14.2); None for a range that cannot be satisfied.

    Without a range, with several, or with other units, the whole file.
    """
    if requested is None or requested.units != "bytes" or len(requested.ranges) != 1:
        return range(length)
    first, end = requested.ranges[0]
    span = range(max(0, length + first) if first < 0 else first, length if end is None else min(end, length))
    return span if span else None


def _started(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Fetch the first piece at once: an error there can still be shown on a page."""
    return chain((next(pieces, b""),), pieces)


def _truncated(pieces: Iterator[bytes], length: int) -> Iterator[bytes]:
    """Yield at most `length` octets."""
    for piece in pieces:
        yield piece[:length]
        length -= len(piece)
        if length <= 0:
            return


def _chunks(session: Session, ref: MessageRef, section: str, start: int = 0) -> Iterator[bytes]:
    """Yield a section from an offset, chunk by chunk. A failed chunk is retried: the client could not notice a gap."""
    sent = tries = pauses = 0
    while True:
        try:
            stretch = _fetch_chunk(session, ref, section, start + sent)
        except StoreUnreachable as error:
            # Nothing was requested, so this does not count as an attempt. Before the first chunk, an error page is
            # better.
            if error.retry_after and sent and pauses < PAUSES and session.await_other(PAUSE_SECONDS):
                pauses += 1
                continue
            tries += 1
            if tries == ATTEMPTS:
                raise
            continue
        yield from stretch
        size = sum(map(len, stretch))
        if size < CHUNK_OCTETS:
            return
        sent += size
        tries = pauses = 0


def _fetch_chunk(session: Session, ref: MessageRef, section: str, start: int) -> list[bytes]:
    """Fetch a chunk of a section in one lease; a short chunk is the last."""
    stretch: list[bytes] = []
    size = 0
    with session.store() as store:
        for piece in store.octets(ref, section, start):
            stretch.append(piece)
            size += len(piece)
            if size >= CHUNK_OCTETS:
                break
    return stretch


def _attachment_response(visit: Visit, part: Part, content: Iterable[bytes]) -> Response:
    """Make the response that saves a file and can do nothing else."""
    kind = file_links.kind_of(part)
    response = add_headers(
        Response(content, content_type=kind if media_types.is_safe(kind) else media_types.OCTETS)
    )
    response.headers["Content-Disposition"] = filenames.disposition(_name(visit, part))
    response.headers["Cache-Control"] = Life.PRIVATE.value
    return response


def _name(visit: Visit, part: Part) -> str:
    """Return the file name for saving; a file without one gets the extension of its type."""
    if part.filename:
        return part.filename
    ending = media_types.ending_of(file_links.kind_of(part))
    return f"{file_links.name_of(visit, part)}.{ending}" if ending else file_links.name_of(visit, part)
