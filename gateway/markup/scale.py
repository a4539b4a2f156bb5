"""Scales: what pieces of a page weigh together, without putting the page together.

Nothing here may guess by characters. XHTML is weighed by the octets sent. WML is weighed by the octets compiled,
whoever compiles it; since compilers share repeated strings over a whole deck, the weight of a page is not the sum
of its pieces, but it never is less than what we make of them ourselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from gateway.device import WML, Device
from gateway.wap import wbxml

#: What the bound for all compilers is in prose, as a multiple of what our own one makes of it.
_BOUND_OVER_OWN: Final = 1.05


class XhtmlScale:
    """Weighs octets in the device's charset."""

    def __init__(self, charset: str) -> None:
        self._charset = charset

    def page(self, text: str) -> int:
        return len(text.encode(self._charset, "xmlcharrefreplace"))

    piece = page

    def fits(self, weights: Iterable[int], limit: int) -> bool:
        return self.rough(weights) <= limit

    def least(self, weight: int) -> int:
        return weight + 1

    def rough(self, weights: Iterable[int]) -> int:
        # One octet a piece is the line's end behind it in the template.
        return sum(weight + 1 for weight in weights)


class WmlScale:
    """Weighs compiled octets."""

    def page(self, text: str) -> wbxml.Measure:
        return wbxml.measure_deck(text)

    def piece(self, text: str) -> wbxml.Measure:
        return wbxml.measure(text)

    def fits(self, weights: Iterable[wbxml.Measure], limit: int) -> bool:
        weights = list(weights)
        own = sum(weight.own for weight in weights)
        if own > limit:
            return False
        return wbxml.bound(weights) <= limit

    def least(self, weight: wbxml.Measure) -> int:
        return weight.own

    def rough(self, weights: Iterable[wbxml.Measure]) -> int:
        return int(sum(weight.own for weight in weights) * _BOUND_OVER_OWN)


Weight = Any
Scale = WmlScale | XhtmlScale


def scale(device: Device) -> Scale:
    """Choose the scale for a device."""
    return WmlScale() if device.markup == WML else XhtmlScale(device.charset)
