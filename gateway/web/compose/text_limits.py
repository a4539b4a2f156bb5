"""How much text a device can post in the form of a mail, and receive back with its page.

Nothing here may know the form's layout: it counts the octets typed into its fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from gateway.composing.typed_mail import MailContent
from gateway.device import WML, Device

#: Octets of a request besides the typed text: address, headers, ticket, probe, field names.
OVERHEAD: Final = 320
#: Octets per letter when posted, in UTF-8 with escapes: Latin (about one in five is escaped), two-octet letters,
#: three-octet letters.
LATIN, TWO, THREE = 2.7, 6.0, 9.0
_SCRIPTS: Final = dict.fromkeys(
    ("ru", "uk", "be", "bg", "sr", "mk", "el", "he", "ar", "fa"), TWO
) | dict.fromkeys(("zh", "ja", "ko", "hi", "th"), THREE)
#: Characters to allow for in an empty recipient or subject field.
_EMPTY_INPUT: Final = 40
#: Minimum deck size in octets -> characters of a WML input that are sent back with the page, at two octets each.
_RETURNED_LIMITS: Final = ((5000, 1500), (1300, 500), (0, 280))
#: What a browser does not escape in a posted form.
_PLAIN: Final = re.compile("[A-Za-z0-9 ._-]+")


def text_limit(device: Device, tag: str, content: MailContent, others: Mapping[str, str]) -> int:
    """Return the maximum length of the text field, given what the device can post and receive back.

    `tag`: the person's language; `others`: the values of the other fields that are typed into, by name.
    """
    each = letter_octets(tag, content)
    left = device.input_limit - OVERHEAD
    for name, value in others.items():
        left -= _escaped(value) or int(_EMPTY_INPUT * (each if name == "subject" else 1))
    most = max(int(left / each), _EMPTY_INPUT)
    return min(most, _returned_limit(device)) if device.markup == WML else most


def _returned_limit(device: Device) -> int:
    return next(characters for octets, characters in _RETURNED_LIMITS if device.deck_limit >= octets)


def letter_octets(tag: str, content: MailContent) -> float:
    """Return the octets per letter when posted, by the language and by the text so far."""
    widest = max(map(ord, filter(str.isalpha, {*content.text, *content.subject})), default=0)
    by_text = LATIN if widest < 0x370 else TWO if widest < 0x800 else THREE
    return max(_SCRIPTS.get(tag.partition("-")[0], LATIN), by_text)


def _escaped(text: str) -> int:
    """Return the octets of a posted value."""
    escaped = _PLAIN.sub("", text)
    return len(text) - len(escaped) + 3 * len(escaped.encode("utf-8", "replace"))
