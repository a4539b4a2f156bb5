"""The person's preferences for one device, applied to the device profile.

Nothing here may exceed what a WML phone can take: preferences only lower its deck size. They are stored as a value for
each key; unknown keys and values are ignored.
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
#: What is shown after a message has been deleted or filed.
AFTER: Final = "after"
LIST: Final = "list"
NEXT: Final = "next"
OFF: Final = "off"
ON: Final = "on"

#: Octets of a compiled deck, and of an XHTML page, below which the frame leaves no room for the text.
SMALLEST_CHOSEN_DECK: Final = 900
SMALLEST_PAGE: Final = 2500
#: Maximum number of messages in a list: this many have keys.
MOST_ROWS: Final = 20


@dataclass(frozen=True, slots=True)
class PageSize:
    """Page size: `deck` and `page` are fractions of a WML device's deck and an XHTML device's page.

    `rows`: messages in a list, as a fraction of the device's own.
    """

    label: str
    deck: float
    page: float
    rows: float


SIZES: Final = {
    "tiny": PageSize(_("tiny"), 0.5, 0.5, 0.34),
    "small": PageSize(_("small"), 0.75, 0.7, 0.56),
    "medium": PageSize(_("medium"), 1.0, 1.0, 1.0),
    "large": PageSize(_("large"), 1.0, 4.0, 2.0),
}
#: The device's own budgets.
USUAL: Final = "medium"
CHOICES: Final[dict[str, dict[str, str]]] = {
    SIZE: {word: size.label for word, size in SIZES.items()},
    PICTURES: {ON: _("on"), OFF: _("off")},
    AFTER: {LIST: _("List"), NEXT: _("Next message")},
}
_USUAL: Final = {SIZE: USUAL, PICTURES: ON, AFTER: LIST}


def choice(settings: Mapping[str, str], key: str) -> str:
    """Return the value of a preference, or its default."""
    word = settings.get(key, "")
    return word if word in CHOICES[key] else _USUAL[key]


def apply(device: Device, settings: Mapping[str, str]) -> Device:
    """Return the device with the person's preferences applied."""
    size, pictures = choice(settings, SIZE), choice(settings, PICTURES) == ON
    if size == USUAL:
        return device if pictures == device.pictures else replace(device, pictures=pictures)
    wanted, own = SIZES[size], device.deck_limit
    if device.markup == WML:
        limit = min(own, max(int(own * wanted.deck), SMALLEST_CHOSEN_DECK))
    else:
        limit = min(max(int(own * wanted.page), SMALLEST_PAGE), max(own, XHTML_PAGE))
    rows = min(max(round(device.rows * wanted.rows), 1), max(MOST_ROWS, device.rows))
    if device.markup == WML:
        rows = min(rows, device.rows)
    return replace(device, deck_limit=limit, rows=rows, pictures=pictures)
