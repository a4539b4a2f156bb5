"""Pictures: sizes, formats, budgets, what is left behind, and what is refused."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from gateway.message.media_types import GIF, JPEG, PNG, WBMP
from gateway.rendition.pictures import image, wbmp
from gateway.rendition.pictures.image import Picture, PictureError, picture, size_of
from tests import bounded

FORMATS = (JPEG, PNG, GIF, WBMP)
PILLOW = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF"}
SCREEN = (128, 128)


def saved(made: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    made.save(out, form, **options)
    return out.getvalue()


def noise(width: int, height: int) -> Image.Image:
    return Image.effect_noise((width, height), 90).convert("RGB")


def reduced(
    octets: bytes, form: str = "image/png", budget: int = 20_000, screen: tuple[int, int] = SCREEN
) -> Picture:
    return picture(octets, screen=screen, formats=(form,), budget=budget)


def pixels(made: Picture) -> Image.Image:
    if made.media_type == WBMP:
        width, height, rows = wbmp.decode(made.octets)
        return Image.frombytes("1", (width, height), rows).convert("RGB")
    opened = Image.open(io.BytesIO(made.octets))
    assert opened.format == PILLOW[made.media_type]
    return opened.convert("RGB")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP"])
@pytest.mark.parametrize("target", FORMATS)
def test_every_format_becomes_every_other_within_the_budget(form: str, target: str) -> None:
    octets = saved(noise(640, 480), form)
    assert size_of(octets) == (640, 480)
    for budget in (300, 1300, 20_000):
        made = reduced(octets, target, budget)
        assert len(made.octets) <= budget
        assert made.media_type == target
        assert pixels(made).size == (made.width, made.height)
        assert abs(made.width / made.height - 4 / 3) < 0.3
    assert (made.width, made.height) == (128, 96)


def test_the_budget_is_used() -> None:
    octets = saved(noise(640, 480), "PNG")
    for target in FORMATS:
        assert len(reduced(octets, target, 1300).octets) > 650


def test_nothing_is_enlarged_and_strips_are_two_screens_high() -> None:
    assert reduced(saved(noise(20, 10), "PNG")).width == 20
    made = reduced(saved(noise(400, 8000), "PNG"))
    assert (made.width, made.height) == (13, 256)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright(orientation: int) -> None:
    upright = Image.new("RGB", (60, 40), "blue")
    ImageDraw.Draw(upright).rectangle((0, 0, 19, 9), fill="red")  # red is top left
    undo = {2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
            5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
            8: Image.Transpose.ROTATE_270}  # fmt: skip
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    for form in ("JPEG", "PNG", "WEBP"):
        octets = saved(stored, form, exif=exif)
        assert size_of(octets) == (60, 40)
        made = pixels(reduced(octets, screen=(60, 60)))
        assert made.size == (60, 40)
        red, _green, blue = made.getpixel((5, 3))  # type: ignore[misc]
        assert red > blue


def test_what_is_transparent_is_white() -> None:
    clear = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    paletted = Image.new("P", (40, 40), 0)
    paletted.putpalette([0, 0, 0, 255, 0, 0])
    for octets in (
        saved(clear, "PNG"), saved(clear, "WEBP", lossless=True), saved(clear.convert("LA"), "PNG"),
        saved(paletted, "GIF", transparency=0), saved(paletted, "PNG", transparency=0),
    ):  # fmt: skip
        assert pixels(reduced(octets)).getpixel((20, 20)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_png_of_any_mode_keeps_its_grey(mode: str) -> None:
    grey = Image.new("L", (30, 30), 128)
    if mode == "I;16":
        made = Image.new(mode, (30, 30), 128 * 256)
    else:
        made = grey.convert("RGBA" if mode == "RGBA" else mode)
    value = (
        pixels(reduced(saved(made, "PNG"))).convert("L").resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    )
    assert isinstance(value, int)
    assert abs(value - 128) < 12


def test_a_jpeg_in_cmyk_keeps_its_colour() -> None:
    octets = saved(Image.new("RGB", (30, 30), (200, 30, 30)).convert("CMYK"), "JPEG")
    red, green, _blue = pixels(reduced(octets)).getpixel((10, 10))  # type: ignore[misc]
    assert red > green + 100


def test_the_first_frame_of_an_animation_is_shown() -> None:
    frames = [Image.new("RGB", (30, 30), colour) for colour in ("red", "blue")]
    for form in ("GIF", "WEBP", "PNG", "AVIF"):
        octets = saved(frames[0], form, save_all=True, append_images=frames[1:])
        red, _green, blue = pixels(reduced(octets)).getpixel((10, 10))  # type: ignore[misc]
        assert red > 200 > blue


def test_metadata_stay_behind() -> None:
    exif = Image.Exif()
    exif[0x010E] = "SECRET"
    text = saved(noise(50, 50), "JPEG", exif=exif, comment=b"SECRET", icc_profile=b"SECRET" * 30)
    looped = saved(noise(50, 50), "GIF", comment=b"SECRET")
    for octets in (text, looped, saved(noise(50, 50), "PNG", exif=exif, icc_profile=b"SECRET" * 30)):
        assert b"SECRET" in octets or octets[:4] == b"\x89PNG"
        for target in FORMATS:
            made = reduced(octets, target)
            assert b"SECRET" not in made.octets
            assert b"Exif" not in made.octets
            assert b"iCCP" not in made.octets


def test_the_first_format_that_can_be_written_is_taken() -> None:
    octets = saved(noise(50, 50), "PNG")
    made = picture(octets, screen=SCREEN, formats=("image/x-odd", "image/gif", "image/png"), budget=9000)
    assert made.media_type == "image/gif"
    with pytest.raises(PictureError):
        picture(octets, screen=SCREEN, formats=("image/x-odd",), budget=9000)


def test_dithering_keeps_the_grey() -> None:
    half = Image.new("L", (96, 65), 0)
    half.paste(255, (48, 0, 96, 65))
    half.paste(128, (24, 0, 72, 65))
    made = reduced(saved(half, "PNG"), WBMP, 1300, (96, 65))
    assert (made.width, made.height, len(made.octets)) == (96, 65, 4 + 12 * 65)
    grey = (
        pixels(made).convert("L").crop((30, 5, 66, 60)).resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    )
    assert isinstance(grey, int)
    assert 100 < grey < 156


def test_a_wbmp_comes_in_too() -> None:
    octets = wbmp.encode(9, 2, bytes([0xFF, 0x80, 0x00, 0x00]))
    assert size_of(octets) == (9, 2)
    made = pixels(reduced(octets))
    assert [made.getpixel((8, row)) for row in (0, 1)] == [(255, 255, 255), (0, 0, 0)]


@pytest.mark.parametrize(
    "octets",
    [
        b"", b"\0\0", b"\0\0\x81\x81\x81\x01\x01", b"\0\0\x09\x09\xff", b"GIF89a", b"\x89PNG\r\n\x1a\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", saved(noise(9, 9), "TIFF"),
        saved(noise(200, 200), "PNG")[:2000] + b"\0" * 40, b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
)  # fmt: skip
def test_what_cannot_be_decoded_says_so(octets: bytes) -> None:
    with pytest.raises(PictureError) as caught:
        reduced(octets)
    assert caught.value.sentence == image.UNREADABLE


def test_a_budget_that_nothing_meets_is_refused() -> None:
    for target in FORMATS:
        with pytest.raises(PictureError) as caught:
            reduced(saved(noise(60, 60), "PNG"), target, budget=5)
        assert caught.value.sentence == image.TOO_SMALL_A_SCREEN


def png(width: int, height: int) -> bytes:
    """Write a PNG that claims any size, in few octets."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * (((width + 7) // 8 + 1) * min(height, 60_000)), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def gif(width: int, height: int) -> bytes:
    octets = bytearray(saved(Image.new("P", (4, 4)), "GIF"))
    octets[6:10] = struct.pack("<HH", width, height)
    frame = octets.index(b",")
    octets[frame + 5 : frame + 9] = struct.pack("<HH", width, height)
    return bytes(octets)


def _width(octets: bytes) -> str:
    """Return how wide a picture becomes for a phone, or why it becomes none."""
    try:
        image.size_of(octets)
        return str(image.picture(octets, screen=(96, 65), formats=("image/vnd.wap.wbmp",), budget=1300).width)
    except image.PictureError as error:
        return error.sentence


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: png(40_000, 40_000), image.TOO_LARGE),
        (lambda: png(5000, 4000), image.TOO_LARGE),
        (lambda: png(4000, 4000), "96"),
        (lambda: gif(65_535, 65_535), image.TOO_LARGE),
        (lambda: saved(Image.new("L", (5000, 4000)), "WEBP", method=0, quality=1), image.TOO_LARGE),
        (lambda: saved(Image.new("RGBA", (4000, 3900)), "PNG", compress_level=1), "96"),
        (lambda: saved(noise(1000, 750).resize((8000, 6000)), "JPEG", quality=60), "96"),
        (lambda: wbmp.encode(16_000, 4000, b"\0" * 8_000_000), image.TOO_LARGE),
        (lambda: b"\xff\xd8\xff" + b"\0" * (image.OCTETS_LIMIT + 1), image.TOO_LARGE),
    ],
)
def test_bombs_are_refused_and_large_pictures_fit(make: object, expected: str) -> None:
    assert callable(make)
    octets = make()
    said = bounded.call(_width, octets)
    # The header of a picture with too many octets is not read: size_of reports that it is unreadable.
    assert said == expected or (
        expected == image.TOO_LARGE and said == image.UNREADABLE and len(octets) > 2**24
    ), said


@given(st.integers(1, 500), st.integers(1, 300))
def test_wbmp_reads_what_it_wrote(width: int, height: int) -> None:
    rows = bytes((width + 7) // 8 * height)
    octets = wbmp.encode(width, height, rows)
    assert wbmp.decode(octets) == (width, height, rows)
    assert len(octets) == wbmp.size(width, height)


def test_wbmp_octets_are_those_of_the_standard() -> None:
    assert wbmp.encode(200, 1, b"\xaa" * 25) == b"\0\0\x81\x48\x01" + b"\xaa" * 25
    for bad in ((0, 1, b""), (9, 1, b"\0"), (20_000, 1, b"\0" * 2500)):
        with pytest.raises(ValueError):
            wbmp.encode(*bad)


@given(st.binary(max_size=60))
def test_wbmp_refuses_only_by_value_error(octets: bytes) -> None:
    for prefix in (b"", b"\0\0"):
        try:
            width, height, rows = wbmp.decode(prefix + octets)
            assert len(rows) == (width + 7) // 8 * height
        except ValueError:
            pass


SEEDS = [saved(noise(24, 18), form) for form in ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP")]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(SEEDS), st.data())
def test_damaged_pictures_raise_only_picture_errors(seed: bytes, data: st.DataObject) -> None:
    octets = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 5))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        made = reduced(bytes(octets), "image/gif", 3000)
        assert len(made.octets) <= 3000
    except PictureError:
        pass
