"""The table of known handhelds: what each can show, and its quirks.

Nothing here may look at a request. A new device is one row of `PROFILES`; a new quirk is one field of `Traits`, which
every Device then has. Sources of the figures: published UAProf profiles and the WAE specifications (WAP-190); unknown
WAP 1.x phones get what a WSP session without a negotiated SDU carries (WAP-230 §8.3: 1400 octets less a minimal reply
header).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

WML: Final = "wml"
XHTML: Final = "xhtml"

#: Octets of a deck that every WAP 1.x phone takes: 1400 less type, status, header length, content type.
SMALLEST_UNKNOWN_DECK: Final = 1396
#: Octets of an XHTML page: the W3C default delivery context allows 10 KB of markup.
XHTML_PAGE: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """The traits of a device that apply to either markup.

    `screen`: pixels. `columns`: characters in a line. `shows_titles`: the title of a deck is on the screen. `rows`:
    messages on a page of a list. `input_limit`: octets that a form may send. `cookies`: cookies are kept.
    `attribute_references`: in a compiled deck, attribute values may refer to the string table. `caches_regardless`:
    pages are cached whatever the headers say, so a fresh page needs a new URL.
    """

    wml_version: str = "1.1"
    screen: tuple[int, int] = (96, 65)
    columns: int = 15
    rows: int = 9
    input_limit: int = 1400
    cookies: bool = False
    caches_regardless: bool = False
    attribute_references: bool = True
    shows_titles: bool = True


@dataclass(frozen=True, slots=True)
class DeviceProfile(Traits):
    """One row of the table. `agent`: a pattern for the User-Agent; `deck`, `page`: octets of WML and of XHTML."""

    name: str
    agent: str
    markup: str
    deck: int = SMALLEST_UNKNOWN_DECK
    page: int = XHTML_PAGE


#: Matches no User-Agent: for a row that is chosen by its markup or its name.
_NOBODY: Final = r"(?!)"

#: A page of XHTML is what a person scrolls through before turning it, some eight screenfuls; never more than
#: XHTML_PAGE. The first match wins: models come before families, the generic rows at the end.
PROFILES: Final[tuple[DeviceProfile, ...]] = (
    # QUIRK: the authors of Kannel say that a Nokia 7110 does not understand string table references in attributes.
    DeviceProfile(
        "nokia7110", r"^Nokia(7110|7160|6250|6210)\b", WML, 1396,
        caches_regardless=True, attribute_references=False,
    ),
    DeviceProfile("nokia3330", r"^Nokia(3330|6310i?)\b", WML, 2800, screen=(84, 48), caches_regardless=True),
    DeviceProfile("ericssont68", r"^Ericsson(R320|R520|T39|T68)", WML, 3000, screen=(101, 80), columns=16),
    DeviceProfile("nokia6100", r"^Nokia6100\b", WML, 3100, wml_version="1.2", screen=(128, 128), columns=18),
    DeviceProfile("nokia6610", r"^Nokia(3510|6610|7210)", WML, 5600, wml_version="1.2", screen=(128, 128), columns=18),
    # QUIRK: UP.Browser uses the title of a deck only for its bookmarks; wApua does not show it.
    DeviceProfile("upbrowser3", r"\bUP\.Browser/3", WML, 1492, columns=16, shows_titles=False),
    DeviceProfile("upbrowser4", r"\bUP\.Browser/[45]", WML, 2048, columns=16, shows_titles=False),
    DeviceProfile(
        "nokia6230", r"^Nokia6230", XHTML, 10_000, 4000,
        wml_version="1.3", screen=(128, 128), columns=20, input_limit=10_000, cookies=True,
    ),
    DeviceProfile(
        "motorolav3", r"^MOT-V3\b|^MOT-RAZRV3", XHTML, 10_000, 10_000,
        wml_version="1.3", screen=(176, 220), columns=24, input_limit=5000, cookies=True,
    ),
    DeviceProfile(
        "sonyericsson", r"^SonyEricsson", XHTML, 20_000, 5000,
        wml_version="1.3", screen=(176, 220), columns=24, input_limit=10_000, cookies=True,
    ),
    DeviceProfile("wapua", r"^wApua", WML, 5000, shows_titles=False),
    DeviceProfile(
        "kaios", r"\bKAIOS/", XHTML, 5000, 5000,
        wml_version="1.3", screen=(240, 320), columns=30, input_limit=100_000, cookies=True,
    ),
    DeviceProfile(
        "kindle", r"\bKindle/|\bSilk/", XHTML, 5000, 10_000,
        wml_version="1.3", screen=(600, 800), columns=60, rows=20, input_limit=100_000, cookies=True,
    ),
    DeviceProfile(
        "textbrowser", r"^(w3m|Lynx|ELinks|Links|Dillo|NetSurf)\b|\bNetSurf/", XHTML, 5000, 10_000,
        screen=(640, 480), columns=80, rows=20, input_limit=100_000, cookies=True,
    ),
    DeviceProfile("wml5000", _NOBODY, WML, 5000, screen=(128, 128), columns=18),
    DeviceProfile("wml", _NOBODY, WML, caches_regardless=True, shows_titles=False),
    DeviceProfile(
        "xhtml", _NOBODY, XHTML, 5000, 5000, screen=(240, 320), columns=30, input_limit=100_000, cookies=True
    ),
)  # fmt: skip
