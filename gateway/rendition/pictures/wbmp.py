"""WBMP type 0: the picture format of WAP 1.x, one bit per pixel.

Nothing here may know another picture format. WAP-237 §4.5.1, WAP-190 §A: two zero octets, width and height as
multi-byte integers, rows padded to whole octets, most significant bit first, 1 is white.
"""

from __future__ import annotations

from typing import Final

#: The largest side, pixels: three octets of a multi-byte integer hold more, but no phone shows it.
SIDE_LIMIT: Final = 16_383


def _integer(number: int) -> bytes:
    """Encode a number in groups of seven bits, all but the last with the top bit set."""
    high, low = divmod(number, 128)
    return (bytes([high | 0x80]) if high else b"") + bytes([low])


def header(width: int, height: int) -> bytes:
    """Return what precedes the rows."""
    if not (0 < width <= SIDE_LIMIT and 0 < height <= SIDE_LIMIT):
        raise ValueError("side")
    return b"\0\0" + _integer(width) + _integer(height)


def size(width: int, height: int) -> int:
    """Return the size of a picture in octets."""
    return len(header(width, height)) + (width + 7) // 8 * height


def encode(width: int, height: int, rows: bytes) -> bytes:
    """Encode a picture; raise ValueError if `rows` do not have that size."""
    if len(rows) != (width + 7) // 8 * height:
        raise ValueError("rows")
    return header(width, height) + rows


def dimensions(octets: bytes) -> tuple[int, int, int]:
    """Return width, height and the offset of the rows; raise ValueError if it is not a WBMP of type 0."""
    if octets[:2] != b"\0\0":
        raise ValueError("type")
    numbers, at = [0, 0], 2
    for index in (0, 1):
        while True:
            if at >= len(octets) or numbers[index] > SIDE_LIMIT:
                raise ValueError("size")
            octet = octets[at]
            numbers[index] = numbers[index] << 7 | octet & 0x7F
            at += 1
            if not octet & 0x80:
                break
    width, height = numbers
    if not (0 < width <= SIDE_LIMIT and 0 < height <= SIDE_LIMIT):
        raise ValueError("size")
    return width, height, at


def decode(octets: bytes) -> tuple[int, int, bytes]:
    """Return width, height and rows; raise ValueError if it is not a complete WBMP of type 0."""
    width, height, at = dimensions(octets)
    rows = octets[at : at + (width + 7) // 8 * height]
    if len(rows) < (width + 7) // 8 * height:
        raise ValueError("cut")
    return width, height, rows
