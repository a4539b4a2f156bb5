"""Pictures: from an attachment to the few octets that one screen can show.

Nothing here may exceed the budget, enlarge, or pass on anything but pixels: metadata, colour profiles and
comments are dropped. The size is checked before a pixel is decoded. Pillow is used only here; strangers' pictures are
given to it in `confined`. EXIF 2.3 §4.6.4 (Orientation).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from PIL import AvifImagePlugin, Image, ImageOps

from gateway.message.media_types import GIF, JPEG, PNG, WBMP
from gateway.rendition.pictures import wbmp


def _(msgid: str) -> str:
    return msgid


TOO_LARGE: Final = _("This picture is too large to be shown here.")
UNREADABLE: Final = _("This picture is damaged or of an unknown kind.")
TOO_SMALL_A_SCREEN: Final = _("This picture cannot be made small enough for your device.")

#: Octets of the largest picture file that is read.
OCTETS_LIMIT: Final = 20 * 1024 * 1024
#: Pixels of a JPEG, which can be decoded at down to an eighth of its size: enough for today's common cameras.
JPEG_PIXELS: Final = 52_000_000
#: Pixels of any other picture, which is decoded at four octets per pixel, and once more for conversion.
PIXELS: Final = 16_000_000
#: Formats that are read, by Pillow's names. Others are rare in mail, or have a history of bugs (TIFF, EPS, PSD).
READ: Final = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP")
#: Height of a picture, in heights of the screen.
SCREENS_HIGH: Final = 2
#: A side is not reduced below this to meet a budget, pixels.
SMALLEST: Final = 8
#: EXIF tag Orientation, and its values that swap width and height.
_ORIENTATION: Final = 0x0112
_SIDEWAYS: Final = (5, 6, 7, 8)
#: The ratio of decoded to shown sides above which a JPEG is decoded smaller, and other pictures are first reduced by
#: whole factors.
_GAP: Final = 2.0

#: Threads would only slow others down, and `confined` allows none.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1


class PictureError(ValueError):
    """A picture that cannot be shown; `sentence` is the msgid that says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as sent to one device."""

    octets: bytes
    media_type: str
    width: int
    height: int


def size_of(octets: bytes) -> tuple[int, int]:
    """Return width and height as shown, from a file or its beginning; raise PictureError if unknown."""
    try:
        if _is_wbmp(octets):
            return wbmp.dimensions(octets)[:2]
        with Image.open(io.BytesIO(octets), formats=READ) as image:
            return _turned(image, image.size)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureError(TOO_LARGE) from error
    except Exception as error:  # Pillow's plugins raise whatever their parsers do
        raise PictureError(UNREADABLE) from error


def picture(octets: bytes, *, screen: tuple[int, int], formats: Sequence[str], budget: int) -> Picture:
    """Rotate, scale to the screen and re-encode within `budget` octets, in the first of `formats` that we write.

    Raise PictureError for a picture that cannot be decoded, is too large, or does not fit the budget.
    """
    if len(octets) > OCTETS_LIMIT:
        raise PictureError(TOO_LARGE)
    try:
        image = _opened(octets, screen)
        image.info = {}  # from here the writers would pass on comments and colour profiles
        media_type = next(kind for kind in formats if kind in _WRITERS)
        return _within(image, media_type, budget)
    except PictureError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise PictureError(TOO_LARGE) from error
    except StopIteration as error:
        raise PictureError(TOO_SMALL_A_SCREEN) from error
    except Exception as error:  # Pillow's plugins raise whatever their parsers do
        raise PictureError(UNREADABLE) from error


def _is_wbmp(octets: bytes) -> bool:
    return octets[:2] == b"\0\0" and octets[2:3] > b"\0"  # an AVIF file begins with three zero octets


def _orientation(image: Image.Image) -> int:
    value = Image.Image.getexif(image).get(
        _ORIENTATION
    )  # PngImageFile's own method would decode the whole picture
    return value if isinstance(value, int) else 1


def _turned(image: Image.Image, size: tuple[int, int]) -> tuple[int, int]:
    width, height = size
    return (height, width) if _orientation(image) in _SIDEWAYS else (width, height)


def _opened(octets: bytes, screen: tuple[int, int]) -> Image.Image:
    """Decode the first frame as grey or RGB, upright and no larger than the screen shows."""
    if _is_wbmp(octets):
        grey = _from_wbmp(octets)
        grey.thumbnail((screen[0], screen[1] * SCREENS_HIGH), Image.Resampling.LANCZOS, _GAP)
        return grey
    with Image.open(io.BytesIO(octets), formats=READ) as image:
        jpeg = image.format in ("JPEG", "MPO")
        if image.width * image.height > (JPEG_PIXELS if jpeg else PIXELS):
            raise PictureError(TOO_LARGE)
        box = _turned(image, (screen[0], screen[1] * SCREENS_HIGH))
        if jpeg:
            image.draft("RGB", (round(box[0] * _GAP), round(box[1] * _GAP)))
        flat = _flat(image)
        flat.thumbnail(box, Image.Resampling.LANCZOS, _GAP)
        flat.getexif()[_ORIENTATION] = _orientation(image)
        return ImageOps.exif_transpose(flat)


def _from_wbmp(octets: bytes) -> Image.Image:
    width, height, _start = wbmp.dimensions(octets)
    if width * height > PIXELS:
        raise PictureError(TOO_LARGE)
    rows = wbmp.decode(octets)[2]
    return Image.frombytes("1", (width, height), rows).convert("L")


def _flat(image: Image.Image) -> Image.Image:
    """Return the pixels as grey or RGB, over white."""
    if image.has_transparency_data:
        seen = image if image.mode == "RGBA" else image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(seen, mask=seen.getchannel("A"))
        return white
    if image.mode.startswith("I"):  # 16 bits per channel, from PNG: conversion would clip, not scale
        return image.convert("I").point(lambda value: value / 256).convert("L")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _within(image: Image.Image, media_type: str, budget: int) -> Picture:
    """Lower the quality, then the size, until the picture fits the budget."""
    qualities, write = _WRITERS[media_type]
    largest = image
    while True:
        octets = b""
        for quality in qualities:
            octets = write(image, quality)
            if len(octets) <= budget:
                return Picture(octets, media_type, image.width, image.height)
        # The size grows roughly with the area; the factor is bounded, so that each round is certainly smaller.
        scale = min(max((budget / len(octets)) ** 0.5, 0.3), 0.9)
        width, height = int(image.width * scale), int(image.height * scale)
        if max(width, height) < SMALLEST:
            raise PictureError(TOO_SMALL_A_SCREEN)
        image = largest.resize((max(width, 1), max(height, 1)), Image.Resampling.LANCZOS)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()


def _paletted(name: str) -> Callable[[Image.Image, int], bytes]:
    def write(image: Image.Image, colours: int) -> bytes:
        out = io.BytesIO()
        image.quantize(colours, dither=Image.Dither.FLOYDSTEINBERG).save(out, name, optimize=True)
        return out.getvalue()

    return write


def _wbmp(image: Image.Image, _quality: int) -> bytes:
    """Dither (Floyd-Steinberg); contrast is stretched first, as a pale picture would otherwise be all white."""
    grey = ImageOps.autocontrast(image.convert("L"), cutoff=1)
    return wbmp.encode(image.width, image.height, grey.convert("1").tobytes())


#: Formats that are written: quality levels (JPEG) or numbers of colours, best first, and the writer.
_WRITERS: Final[dict[str, tuple[tuple[int, ...], Callable[[Image.Image, int], bytes]]]] = {
    JPEG: ((75, 60, 45, 30), _jpeg),
    PNG: ((256, 64, 16), _paletted("PNG")),
    GIF: ((256, 64, 16), _paletted("GIF")),
    WBMP: ((1,), _wbmp),
}
