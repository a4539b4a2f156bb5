"""What a person has chosen for one of their devices, applied to what we know of the device.

Nothing here may ask for more than a WML phone can take: a choice only lowers its decks. Choices are words under a
key; a key or a word that is not known is as good as none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from gateway.device import WML, XHTML_PAGE, Device


def _(msgid: str) -> str:
    return msgid


SIZE: Final = "size"
PICTURES: Final = "pictures"
OFF: Final = "off"
ON: Final = "on"

#: Octets of a compiled deck, and of a page of XHTML, below which the screens around a text leave no room for it.
SMALLEST_DECK: Final = 900
SMALLEST_PAGE: Final = 2500
#: Messages of a list at most: so many have keys.
MOST_ROWS: Final = 20


@dataclass(frozen=True, slots=True)
class Size:
    """How large pages are: `deck` is the share of what a WML device takes, `page` that of an XHTML device's page.

    `rows`: messages of a list page, as a share of the device's own.
    """

    label: str
    deck: float
    page: float
    rows: float


SIZES: Final = {
    "tiny": Size(_("tiny"), 0.5, 0.5, 0.34),
    "small": Size(_("small"), 0.75, 0.7, 0.56),
    "medium": Size(_("medium"), 1.0, 1.0, 1.0),
    "large": Size(_("large"), 1.0, 4.0, 2.0),
}
#: What a device's own budgets are.
USUAL: Final = "medium"
CHOICES: Final[dict[str, dict[str, str]]] = {
    SIZE: {word: size.label for word, size in SIZES.items()},
    PICTURES: {ON: _("on"), OFF: _("off")},
}
_USUAL: Final = {SIZE: USUAL, PICTURES: ON}


def chosen(settings: Mapping[str, str], key: str) -> str:
    """Return the choice of a key, or what holds without one."""
    word = settings.get(key, "")
    return word if word in CHOICES[key] else _USUAL[key]


def apply(device: Device, settings: Mapping[str, str]) -> Device:
    """Make of a device what a person wants it to be."""
    size, pictures = chosen(settings, SIZE), chosen(settings, PICTURES) == ON
    if size == USUAL:
        return device if pictures == device.pictures else replace(device, pictures=pictures)
    wanted, own = SIZES[size], device.deck_limit
    if device.markup == WML:
        limit = min(own, max(int(own * wanted.deck), SMALLEST_DECK))
    else:
        limit = min(max(int(own * wanted.page), SMALLEST_PAGE), max(own, XHTML_PAGE))
    rows = min(max(round(device.rows * wanted.rows), 1), max(MOST_ROWS, device.rows))
    if device.markup == WML:
        rows = min(rows, device.rows)
    return replace(device, deck_limit=limit, rows=rows, pictures=pictures)
