"""A picture on a page of its own, as large as the screen and within the device's limits.

Nothing here may decode a picture: `confined` does. The scaled picture is cached briefly, because the device requests
it right after the page that states its size. A person who has turned pictures off gets none unasked: the page only
offers the picture and the original, and fetches nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from flask import Blueprint, Response, current_app, request

from gateway import confined
from gateway.device import WML, Device
from gateway.errors import NotFound
from gateway.markup.keys import KEYS
from gateway.markup.screen import Action, Life, Screen
from gateway.message.media_types import BMP, GIF, JPEG, PNG, WBMP
from gateway.message.model import Part
from gateway.rendition.documents import DocumentError
from gateway.rendition.pictures.image import Picture, PictureError
from gateway.store.base import MessageRef
from gateway.web.attachments import file_links
from gateway.web.attachments.document_pages import failure, file_screen
from gateway.web.attachments.file_links import File, FileAddress
from gateway.web.attachments.result_cache import CacheKey, ResultCache
from gateway.web.request.respond import add_headers, respond
from gateway.web.request.screens import make_screen
from gateway.web.request.visit import Visit, current

picture = Blueprint("picture", __name__)

#: Octets of a picture for an XHTML device: together with its page it stays within the limit of 20 KB for a page (W3C
#: Mobile Web Best Practices 1.0 §3.7); four times as much for e-readers and tablets.
SMALL_SCREEN: Final = 16_000
LARGE_SCREEN: Final = 64_000
#: Octets and pixels of a thumbnail in a message: a page of 5 KB with seven of them is within 20 KB.
THUMBNAIL: Final = 2000
MINIATURE_SIDE: Final = 96
#: Maximum width in pixels of a small screen.
SMALL_WIDTH: Final = 320
#: Width in pixels of an XHTML page's margins.
MARGINS: Final = 16
#: Maximum number of cached pictures, of at most LARGE_SCREEN octets each.
CACHED_PICTURES: Final = 32
#: Values of ?t, so that page and picture agree on the format.
_LETTERS: Final = {"j": JPEG, "p": PNG, "g": GIF, "w": WBMP}
#: Formats that mostly hold drawings, which JPEG would blur.
_DRAWINGS: Final = frozenset({PNG, GIF, BMP, WBMP})


@picture.get("/p<int:number>.<int:uid>.<sec:section>")
def page(number: int, uid: int, section: str) -> Response:
    """Show a picture with its description."""
    visit = current()
    address = FileAddress.from_request(number, uid, section)
    ref = file_links.reference(visit, address)
    with visit.signed_in.store() as store:
        part = file_links.find(store.structure(ref), section)
        wanted = visit.device.pictures or "y" in request.args
        if not wanted and not address.nesting:
            return respond(_offer(visit, address, part))
        try:
            octets = file_links.fetch(store, ref, part)
        except DocumentError as error:
            return respond(failure(visit, address, part, error))
    try:
        file = file_links.open_nested(part, octets, address.nesting)
        part = file.part
        if not wanted:
            return respond(_offer(visit, address, part))
        made = _scaled(visit.device, file)
    except DocumentError as error:
        return respond(failure(visit, address, part, error))
    except PictureError as error:
        return respond(failure(visit, address, part, DocumentError(error.sentence)))
    _cache().put(_key(visit, ref, address, made.media_type), made)
    return respond(_screen(visit, address, part, made))


@picture.get("/g<int:number>.<int:uid>.<sec:section>")
def image(number: int, uid: int, section: str) -> Response:
    """Send the picture itself."""
    visit = current()
    if request.args.get("m") == "1" and visit.device.markup != WML:
        visit.device = replace(visit.device, screen=(MINIATURE_SIDE, MINIATURE_SIDE))
    address = FileAddress.from_request(number, uid, section)
    ref = file_links.reference(visit, address)
    media_type = _LETTERS.get(request.args.get("t", ""), "")
    key = _key(visit, ref, address, media_type)
    made = _cache().get(key) if media_type and visit.signed_in else None
    if made is None:
        try:
            made = _scaled(visit.device, file_links.fetch_file(visit, address), media_type)
        except (DocumentError, PictureError) as error:
            raise NotFound(error.sentence) from error
        _cache().put(_key(visit, ref, address, made.media_type), made)
    response = add_headers(Response(made.octets, content_type=made.media_type))
    response.headers["Cache-Control"] = Life.PRIVATE.value
    return response


def _cache() -> ResultCache[Picture]:
    cache: ResultCache[Picture] = current_app.extensions.setdefault(
        "pocketpost.pictures", ResultCache(CACHED_PICTURES)
    )
    return cache


def _key(visit: Visit, ref: MessageRef, address: FileAddress, media_type: str) -> CacheKey:
    """Return the cache key of a picture for one account and device."""
    device = visit.device
    return (
        visit.signed_in.account,
        ref,
        address.section,
        address.nesting,
        device.screen,
        budget(device),
        media_type,
    )


def budget(device: Device) -> int:
    """Return how many octets a picture may have; for a WAP 1.x phone the same as a deck."""
    if device.markup == WML:
        return device.deck_limit
    if device.screen[0] <= MINIATURE_SIDE:
        return THUMBNAIL
    return SMALL_SCREEN if device.screen[0] <= SMALL_WIDTH else LARGE_SCREEN


def _scaled(device: Device, file: File, media_type: str = "") -> Picture:
    """Scale a picture, in whichever of two formats it can be larger. Raise PictureError."""
    formats = [media_type] if media_type else list(device.images[:1])
    drawn = file_links.kind_of(file.part, file.octets) in _DRAWINGS
    if not media_type and drawn and PNG in device.images and formats != [PNG]:
        formats.insert(0, PNG)
    width, height = device.screen
    screen = (width if device.markup == WML else width - MARGINS, height)
    made = [
        confined.picture(file.octets, screen=screen, formats=(each,), budget=budget(device))
        for each in formats
    ]
    return max(made, key=lambda each: each.width)


def _offer(visit: Visit, address: FileAddress, part: Part) -> Screen:
    """Make the page that offers a picture to a person who has turned pictures off."""
    _ = visit.language.gettext
    show = Action(
        _("Show picture"), address.link("picture.page", y=1), KEYS["Show picture"], "accept", _("Show")
    )
    return file_screen(visit, address, part, (show,), sentence=_("Pictures are turned off."))


def _screen(visit: Visit, address: FileAddress, part: Part, made: Picture) -> Screen:
    letter = next(letter for letter, kind in _LETTERS.items() if kind == made.media_type)
    values = {
        "source": address.link("picture.image", t=letter),
        "width": made.width,
        "height": made.height,
        "alt": file_links.type_name(visit, part),
        "what": file_links.description(visit, part),
    }
    actions = (file_links.original(visit, address), *file_links.navigation(visit, address))
    title = file_links.title_of(visit, part)
    return make_screen(visit, "picture", title, values, actions, life=Life.PRIVATE)
