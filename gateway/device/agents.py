"""User agents as an administrator sees them: shortened, and without what identifies a single handheld.

Nothing here may pass on a serial number or an address: QUIRK: Vodafone's handsets send their IMEI (`/SN35...`), those
of i-mode the numbers of the handset and of its card (`ser...`, `icc...`), some browsers a user's mail address.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

#: Characters of a user agent: what distinguishes models is at the beginning.
LONGEST: Final = 160
#: The least digits in a word that make it a serial number; versions and dates of builds have fewer.
_DIGITS: Final = 9
#: Represents what is left out.
OMITTED: Final = "..."

_SERIAL: Final = re.compile(r"\b(SN|ser|icc)[0-9A-Za-z]{8,}|\b[0-9]{2}-[0-9]{6}-[0-9]{6}-[0-9]")
_ADDRESS: Final = re.compile(r"[^\s/;,()<>@]+@[^\s/;,()<>@]+")
_WORD: Final = re.compile(r"[0-9A-Za-z_]{9,}")


@lru_cache(maxsize=256)
def cleaned(agent: str) -> str:
    """Return a User-Agent that may be stored and shown."""
    text = "".join(sign if sign.isprintable() else " " for sign in agent[: 4 * LONGEST])
    text = _SERIAL.sub(lambda found: (found[1] or "") + OMITTED, _ADDRESS.sub(OMITTED, text))
    text = " ".join(_WORD.sub(_without_number, text).split())
    return text if len(text) <= LONGEST else text[:LONGEST] + OMITTED


def _without_number(found: re.Match[str]) -> str:
    word = found[0]
    return OMITTED if sum(sign.isdigit() for sign in word) >= _DIGITS else word
