"""The original of an attachment, as it is, to be saved.

Nothing here may hold a whole part in memory, or let a browser take a stranger's file for a page of ours: it is sent
as an attachment, not to be sniffed, in a sandbox (RFC 6266; CSP Level 3 §6.3.2). The connection to the server is
borrowed for a stretch at a time and given back before the stretch is sent: a phone that loads for ten minutes, or
goes away, keeps none.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

from flask import Blueprint, Response, request

from gateway.device import WML
from gateway.errors import StoreUnreachable
from gateway.markup.screen import Action, Life
from gateway.message import body, filenames
from gateway.message.model import Part
from gateway.rendition.documents import DocumentError, kinds
from gateway.session import Session
from gateway.store.base import MessageRef
from gateway.web import files
from gateway.web.document import failure, file_screen
from gateway.web.files import Place
from gateway.web.respond import dress, respond
from gateway.web.visit import Visit, current

download = Blueprint("download", __name__)

#: Octets that are sent without asking. WAP 1.x phones have that much room for all downloads together; on GPRS
#: (some 4 KB/s) a megabyte takes four minutes and may cost money.
WML_UNASKED: Final = 100_000
XHTML_UNASKED: Final = 1_000_000
#: Octets fetched in one lease of a connection.
STRETCH: Final = 128 * 1024
#: Times that a stretch is asked for, when the connection to the server breaks.
TRIES: Final = 3
#: What a device may do something good with; nothing that could be a page, a script or a drawing with scripts in it.
SAFE_TYPES: Final = frozenset({
    "application/pdf", "application/zip", "application/msword", "application/rtf", "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint", "application/vnd.oasis.opendocument.text",
    "application/vnd.oasis.opendocument.spreadsheet", "application/vnd.oasis.opendocument.presentation",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp", "image/avif", "image/vnd.wap.wbmp",
    "audio/amr", "audio/midi", "audio/mpeg", "audio/mp4", "audio/aac", "audio/ogg", "audio/wav", "audio/x-wav",
    "video/3gpp", "video/mp4", "video/mpeg", "text/plain", "text/csv", "text/calendar", "text/vcard",
})  # fmt: skip
OTHER_TYPE: Final = "application/octet-stream"
_POLICY: Final = "sandbox; default-src 'none'"


@download.get("/o<int:number>.<int:uid>.<sec:section>")
def original(number: int, uid: int, section: str) -> Response:
    """Give the file as it was sent, after asking where it is large for the device."""
    visit = current()
    place = Place.asked(number, uid, section)
    ref = files.reference(visit, place)
    with visit.signed_in.store() as store:
        part = files.find(store.structure(ref), section)
        try:
            octets = files.fetch(store, ref, part) if place.way else b""
        except DocumentError as error:
            return respond(failure(visit, place, part, error))
    if not place.way:
        return _asked(visit, place, part) or _streamed(visit, ref, part)
    try:
        file = files.opened(part, octets, place.way)
    except DocumentError as error:
        return respond(failure(visit, place, part, error))
    return _asked(visit, place, file.part) or _attached(visit, file.part, file.octets)


def _asked(visit: Visit, place: Place, part: Part) -> Response | None:
    """Ask first where a file is more than the device may be able to take."""
    unasked = WML_UNASKED if visit.device.markup == WML else XHTML_UNASKED
    if "y" in request.args or files.size_of(part) <= unasked:
        return None
    _ = visit.language.gettext
    sentence = _("This file may be too large for your device.")
    go_on = Action(_("Download"), place.link("download.original", y=1), "1")
    return respond(file_screen(visit, place, part, offer=go_on, sentence=sentence))


def _streamed(visit: Visit, ref: MessageRef, part: Part) -> Response:
    """Send a part while it is fetched; how long it will be is not known before it is decoded."""
    if request.method == "HEAD":
        return _attached(visit, part, b"")
    pieces = body.decoded(part, _pieces(visit.signed_in, ref, part.section))
    first = next(pieces, b"")  # what goes wrong with this one can still be said on a page
    return _attached(visit, part, chain((first,), pieces))


def _pieces(session: Session, ref: MessageRef, section: str) -> Iterator[bytes]:
    """Yield a section, stretch by stretch; one that fails is fetched again, since nobody could see the gap."""
    start = tries = 0
    while True:
        try:
            stretch = _stretch(session, ref, section, start)
        except StoreUnreachable:
            tries += 1
            if tries == TRIES:
                raise
            continue
        yield from stretch
        size = sum(map(len, stretch))
        if size < STRETCH:
            return
        start += size
        tries = 0


def _stretch(session: Session, ref: MessageRef, section: str, start: int) -> list[bytes]:
    """Fetch a stretch of a section in one lease; a short one is the last."""
    stretch: list[bytes] = []
    size = 0
    with session.store() as store:
        for piece in store.octets(ref, section, start):
            stretch.append(piece)
            size += len(piece)
            if size >= STRETCH:
                break
    return stretch


def _attached(visit: Visit, part: Part, content: bytes | Iterator[bytes]) -> Response:
    """Make the answer that saves a file and can do nothing else."""
    kind = files.kind_of(part)
    response = dress(Response(content, content_type=kind if kind in SAFE_TYPES else OTHER_TYPE))
    if request.method == "HEAD":
        response.headers.pop("Content-Length", None)
    response.headers["Content-Disposition"] = filenames.disposition(_name(visit, part))
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = Life.PRIVATE.value
    return response


def _name(visit: Visit, part: Part) -> str:
    """Name a file to be saved; what has no name gets one with the ending of its kind."""
    if part.filename:
        return part.filename
    ending = kinds.ending_of(files.kind_of(part))
    return f"{files.name_of(visit, part)}.{ending}" if ending else files.name_of(visit, part)
