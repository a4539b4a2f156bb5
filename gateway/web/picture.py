"""A picture of a message on a page of its own, as large as the screen and as small as the device needs it.

Nothing here may decode a picture: that is done in `confined`. What was made for a page is kept for a moment, because
the device asks for the picture right after the page that names its size. Who has switched pictures off gets none
unasked: the page then only offers it, and the original, and fetches nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from flask import Blueprint, Response, current_app, request

from gateway import confined
from gateway.device import WML, Device
from gateway.errors import NotFound
from gateway.markup.screen import Action, Life, Screen
from gateway.message.model import Part
from gateway.rendition.documents import DocumentError
from gateway.rendition.image import Picture, PictureError
from gateway.store.base import MessageRef
from gateway.web import files
from gateway.web.document import failure, file_screen
from gateway.web.files import File, Place
from gateway.web.respond import dress, respond
from gateway.web.shelf import Key, Shelf
from gateway.web.visit import Visit, current

picture = Blueprint("picture", __name__)

#: Octets of a picture for an XHTML device: with its page it stays within the 20 KB that a page may have in all
#: (W3C Mobile Web Best Practices 1.0 §3.7); for screens of readers and tablets four times as much.
SMALL_SCREEN: Final = 16_000
LARGE_SCREEN: Final = 64_000
#: Octets and pixels of a picture among the words of a message: a page of 5 KB with seven of them is within 20 KB.
MINIATURE: Final = 2000
MINIATURE_SIDE: Final = 96
#: Pixels of width up to which a screen is small.
SMALL_WIDTH: Final = 320
#: Pixels that an XHTML page's margins take of the width.
MARGINS: Final = 16
#: Pictures kept at a time, of at most LARGE_SCREEN octets each.
SHELF: Final = 32
#: What ?t says in an address, so that page and picture agree.
_LETTERS: Final = {"j": "image/jpeg", "p": "image/png", "g": "image/gif", "w": "image/vnd.wap.wbmp"}
#: Kinds of files that mostly hold drawings, which JPEG would smear.
_DRAWN: Final = frozenset({"image/png", "image/gif", "image/bmp", "image/vnd.wap.wbmp"})
_PNG: Final = "image/png"


@picture.get("/p<int:number>.<int:uid>.<sec:section>")
def page(number: int, uid: int, section: str) -> Response:
    """Show a picture with what there is to say of it."""
    visit = current()
    place = Place.asked(number, uid, section)
    ref = files.reference(visit, place)
    with visit.signed_in.store() as store:
        part = files.find(store.structure(ref), section)
        wanted = visit.device.pictures or "y" in request.args
        if not wanted and not place.way:
            return respond(_offer(visit, place, part))
        try:
            octets = files.fetch(store, ref, part)
        except DocumentError as error:
            return respond(failure(visit, place, part, error))
    try:
        file = files.opened(part, octets, place.way)
        part = file.part
        if not wanted:
            return respond(_offer(visit, place, part))
        made = _made(visit.device, file)
    except DocumentError as error:
        return respond(failure(visit, place, part, error))
    except PictureError as error:
        return respond(failure(visit, place, part, DocumentError(error.sentence)))
    _shelf().put(_key(visit, ref, place, made.media_type), made)
    return respond(_screen(visit, place, part, made))


@picture.get("/g<int:number>.<int:uid>.<sec:section>")
def image(number: int, uid: int, section: str) -> Response:
    """Give the device the picture itself."""
    visit = current()
    if request.args.get("m") == "1" and visit.device.markup != WML:
        visit.device = replace(visit.device, screen=(MINIATURE_SIDE, MINIATURE_SIDE))
    place = Place.asked(number, uid, section)
    ref = files.reference(visit, place)
    media_type = _LETTERS.get(request.args.get("t", ""), "")
    key = _key(visit, ref, place, media_type)
    made = _shelf().get(key) if media_type and visit.signed_in else None
    if made is None:
        try:
            made = _made(visit.device, files.whole(visit, place), media_type)
        except (DocumentError, PictureError) as error:
            raise NotFound(error.sentence) from error
        _shelf().put(_key(visit, ref, place, made.media_type), made)
    response = dress(Response(made.octets, content_type=made.media_type))
    response.headers["Cache-Control"] = Life.PRIVATE.value
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _shelf() -> Shelf[Picture]:
    shelf: Shelf[Picture] = current_app.extensions.setdefault("pocketpost.pictures", Shelf(SHELF))
    return shelf


def _key(visit: Visit, ref: MessageRef, place: Place, media_type: str) -> Key:
    """Name a picture as one account's device gets it."""
    device = visit.device
    return (visit.signed_in.account, ref, place.section, place.way, device.screen, budget(device), media_type)


def budget(device: Device) -> int:
    """Say how many octets of a picture a device takes: a WAP 1.x phone's limit is the same as for decks."""
    if device.markup == WML:
        return device.deck_limit
    if device.screen[0] <= MINIATURE_SIDE:
        return MINIATURE
    return SMALL_SCREEN if device.screen[0] <= SMALL_WIDTH else LARGE_SCREEN


def _made(device: Device, file: File, media_type: str = "") -> Picture:
    """Scale a picture; of two formats take the one in which it is larger; raise PictureError."""
    formats = [media_type] if media_type else list(device.images[:1])
    drawn = files.kind_of(file.part, file.octets) in _DRAWN
    if not media_type and drawn and _PNG in device.images and formats != [_PNG]:
        formats.insert(0, _PNG)
    width, height = device.screen
    screen = (width if device.markup == WML else width - MARGINS, height)
    made = [
        confined.picture(file.octets, screen=screen, formats=(each,), budget=budget(device))
        for each in formats
    ]
    return max(made, key=lambda each: each.width)


def _offer(visit: Visit, place: Place, part: Part) -> Screen:
    """Offer a picture to somebody who wants none unasked."""
    _ = visit.language.gettext
    show = Action(_("Show picture"), place.link("picture.page", y=1), "#", "accept", _("Show"))
    return file_screen(visit, place, part, (show,), sentence=_("Pictures are switched off."))


def _screen(visit: Visit, place: Place, part: Part, made: Picture) -> Screen:
    letter = next(letter for letter, kind in _LETTERS.items() if kind == made.media_type)
    words = visit.language.gettext
    return Screen(
        "picture",
        files.title_of(visit, part),
        {
            "source": place.link("picture.image", t=letter),
            "width": made.width,
            "height": made.height,
            "alt": files.words_of(visit, part),
            "what": files.description(visit, part),
        },
        (files.original(visit, place), *files.ways_on(visit, place)),
        life=Life.PRIVATE,
        words=words,
        language=visit.language.tag,
    )
