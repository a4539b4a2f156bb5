"""What a handheld can show, learned from its request headers and a table.

Nothing here may look anything up but the headers and the table: values in, a Device out. Sources of the
figures: published UAProf profiles and the WAE specifications (WAP-190); unknown WAP 1.x phones get what a
WSP session without a negotiated SDU carries (WAP-230 §8.3: 1400 octets less a minimal reply header).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

WML: Final = "wml"
XHTML: Final = "xhtml"

WML_TEXT: Final = "text/vnd.wap.wml"
WML_COMPILED: Final = "application/vnd.wap.wmlc"
XHTML_WAP: Final = "application/vnd.wap.xhtml+xml"
XHTML_XML: Final = "application/xhtml+xml"
HTML: Final = "text/html"

UTF_8: Final = "utf-8"
LATIN_1: Final = "iso-8859-1"
ASCII: Final = "us-ascii"
#: What devices call the charsets that we can write, the best first; a superset of one is as good.
_CHARSETS: Final = (
    (UTF_8, frozenset({"utf-8", "utf8"})),
    (LATIN_1, frozenset({"iso-8859-1", "iso_8859-1", "latin1", "windows-1252"})),
)

#: Preference among equals within one markup, best first.
_TYPES: Final[dict[str, tuple[str, ...]]] = {
    WML: (WML_TEXT, WML_COMPILED),
    XHTML: (XHTML_XML, XHTML_WAP, HTML),
}

#: Pictures that are sent unless Accept names others: WAP 1.x knows WBMP for sure (WAP-190 §6.6), everything
#: later JPEG, PNG and GIF.
_IMAGES: Final[dict[str, tuple[str, ...]]] = {
    WML: ("image/vnd.wap.wbmp",),
    XHTML: ("image/jpeg", "image/png", "image/gif"),
}
#: Better than a picture in one bit, best first, where a WML phone names it.
_BETTER_IMAGES: Final = ("image/jpeg", "image/png", "image/gif")

#: Octets of a deck that every WAP 1.x phone takes: 1400 less type, status, header length, content type.
SMALLEST_UNKNOWN_DECK: Final = 1396
#: Octets of an XHTML page: the W3C default delivery context allows 10 KB of markup.
XHTML_PAGE: Final = 10_000
#: Octets our own reply header takes at most in a WSP Reply (Content-Type, Content-Length, Date, Referrer-Policy,
#: Cache-Control, Vary, Server; well-known names in one octet, the others as text, WAP-230 §8.4).
WSP_REPLY_HEADER: Final = 96
#: Nothing below this can hold a useful page; a smaller SDU is taken for a mistake.
SMALLEST_DECK: Final = 600


@dataclass(frozen=True, slots=True)
class Device:
    """One delivery context.

    `deck_limit`: octets of one page as sent (XHTML) or compiled (WML). `url_limit`: octets of a whole URL.
    `screen`: pixels. `columns`: characters a line. `rows`: messages a list page. `input_limit`: octets a
    form may send up. `caches_regardless`: what must be fresh needs a new URL. `images`: media types, best first.
    `pictures`: the person wants to see those of a mail.
    """

    name: str
    markup: str
    content_type: str
    deck_limit: int
    wml_version: str = "1.1"
    charset: str = "utf-8"
    url_limit: int = 100
    screen: tuple[int, int] = (96, 65)
    columns: int = 15
    rows: int = 9
    input_limit: int = 1400
    accesskeys: bool = False
    cookies: bool = False
    caches_regardless: bool = False
    images: tuple[str, ...] = ()
    pictures: bool = True

    def within(self, sdu: int) -> Device:
        """Lower the page to what an SDU of this many octets carries; never raise it."""
        room = sdu - WSP_REPLY_HEADER
        if room < SMALLEST_DECK or room >= self.deck_limit:
            return self
        return replace(self, deck_limit=room)


@dataclass(frozen=True, slots=True)
class Profile:
    """One row of the device table. `agent` is searched in the User-Agent; limits per markup."""

    name: str
    agent: str
    markup: str
    deck: int = SMALLEST_UNKNOWN_DECK
    page: int = XHTML_PAGE
    wml_version: str = "1.1"
    screen: tuple[int, int] = (96, 65)
    columns: int = 15
    rows: int = 9
    input_limit: int = 1400
    cookies: bool = False
    caches_regardless: bool = False


#: A page of XHTML is what a person scrolls through before turning it, some eight screenfuls; never over
#: XHTML_PAGE. First match wins: particular models before families before the generic rows at the end.
PROFILES: Final[tuple[Profile, ...]] = (
    Profile("nokia7110", r"^Nokia(7110|7160|6250|6210)\b", WML, 1396, caches_regardless=True),
    Profile("nokia3330", r"^Nokia(3330|6310i?)\b", WML, 2800, screen=(84, 48), caches_regardless=True),
    Profile("ericssont68", r"^Ericsson(R320|R520|T39|T68)", WML, 3000, screen=(101, 80), columns=16),
    Profile("nokia6100", r"^Nokia6100\b", WML, 3100, 10_000, "1.2", (128, 128), 18),
    Profile("nokia6610", r"^Nokia(3510|6610|7210)", WML, 5600, 10_000, "1.2", (128, 128), 18),
    Profile("upbrowser3", r"\bUP\.Browser/3", WML, 1492, columns=16),
    Profile("upbrowser4", r"\bUP\.Browser/[45]", WML, 2048, columns=16),
    Profile("nokia6230", r"^Nokia6230", XHTML, 10_000, 4000, "1.3", (128, 128), 20, 9, 10_000, True),
    Profile(
        "motorolav3", r"^MOT-V3\b|^MOT-RAZRV3", XHTML, 10_000, 10_000, "1.3", (176, 220), 24, 9, 5000, True
    ),
    Profile("sonyericsson", r"^SonyEricsson", XHTML, 20_000, 5000, "1.3", (176, 220), 24, 9, 10_000, True),
    Profile("wapua", r"^wApua", WML, 5000),
    Profile("kaios", r"\bKAIOS/", XHTML, 5000, 5000, "1.3", (240, 320), 30, 9, 100_000, True),
    Profile("kindle", r"\bKindle/|\bSilk/", XHTML, 5000, 10_000, "1.3", (600, 800), 60, 9, 100_000, True),
    Profile(
        "textbrowser",
        r"^(w3m|Lynx|ELinks|Links|Dillo|NetSurf)\b|\bNetSurf/",
        XHTML,
        5000,
        10_000,
        "1.1",
        (640, 480),
        80,
        20,
        100_000,
        True,
    ),
    Profile("wml5000", r"(?!)", WML, 5000, screen=(128, 128), columns=18),
    Profile("wml", r"(?!)", WML, caches_regardless=True),
    Profile("xhtml", r"(?!)", XHTML, 5000, 5000, "1.1", (240, 320), 30, 9, 100_000, True),
)

_BY_NAME: Final = {profile.name: profile for profile in PROFILES}
_AGENTS: Final = tuple((re.compile(profile.agent, re.IGNORECASE), profile) for profile in PROFILES)
_GENERIC: Final = {WML: _BY_NAME["wml"], XHTML: _BY_NAME["xhtml"]}


def names() -> tuple[str, ...]:
    """Name every profile of the table, in its order."""
    return tuple(_BY_NAME)


def by_name(name: str, markup: str | None = None) -> Device:
    """Make the Device of a profile, as `markup` or as its own; raise KeyError for an unknown name."""
    profile = _BY_NAME[name]
    markup = markup or profile.markup
    return _device(profile, markup, _TYPES[markup][0])


def identify(headers: Mapping[str, str], markup: str | None = None, name: str | None = None) -> Device:
    """Learn the device from request headers (keys in canonical case).

    `markup` and `name` override what Accept and User-Agent say: a person's choice, or what was recognised
    at sign-in. X-WAP-Client-SDU-Size only ever lowers the page.
    """
    accept = _accept(headers.get("Accept", ""))
    profile = _BY_NAME[name] if name in _BY_NAME else _profile(headers.get("User-Agent", ""))
    markup = markup or _markup(accept, profile)
    if profile is None or (profile.name in ("wml", "xhtml") and profile.markup != markup):
        profile = _GENERIC[markup]
    device = _device(profile, markup, _content_type(accept, markup))
    device = replace(device, images=_images(accept, markup))
    sdu = headers.get("X-Wap-Client-Sdu-Size", "").strip()
    if markup == WML and sdu.isascii() and sdu.isdigit():
        device = device.within(int(sdu[:9]))
    charset = _charset(headers.get("Accept-Charset", ""))
    return device if charset == device.charset else replace(device, charset=charset)


def _device(profile: Profile, markup: str, content_type: str) -> Device:
    wml = markup == WML
    return Device(
        name=profile.name,
        markup=markup,
        content_type=content_type,
        deck_limit=profile.deck if wml else profile.page,
        wml_version=profile.wml_version,
        screen=profile.screen,
        columns=profile.columns,
        rows=profile.rows,
        input_limit=profile.input_limit,
        accesskeys=not wml or profile.wml_version >= "1.2",
        cookies=not wml and profile.cookies,
        caches_regardless=profile.caches_regardless,
        images=_IMAGES[markup],
    )


def _profile(agent: str) -> Profile | None:
    for pattern, profile in _AGENTS:
        if pattern.search(agent):
            return profile
    return None


def _accept(value: str) -> dict[str, float]:
    """Read an Accept header (RFC 9110 §12.5.1) into media range -> q; later duplicates win if higher."""
    ranges: dict[str, float] = {}
    for item in value[:4096].split(","):
        name, *parameters = (piece.strip().lower() for piece in item.split(";"))
        if not name:
            continue
        q = 1.0
        for parameter in parameters:
            key, _, number = parameter.partition("=")
            if key.strip() == "q":
                q = _q(number.strip())
        ranges[name] = max(q, ranges.get(name, 0.0))
    return ranges


def _charset(value: str) -> str:
    """Choose by Accept-Charset (RFC 9110 §12.5.2); a device that says nothing takes UTF-8."""
    wanted = _accept(value)
    if not wanted:
        return UTF_8
    for charset, names in _CHARSETS:
        if max((wanted[name] for name in names & wanted.keys()), default=wanted.get("*", 0.0)) > 0.0:
            return charset
    return ASCII


def _q(text: str) -> float:
    if not re.fullmatch(r"[01]?(\.[0-9]{0,9})?", text):
        return 0.0
    return min(float(text), 1.0) if text not in ("", ".") else 0.0


def _markup(accept: Mapping[str, float], profile: Profile | None) -> str:
    named = {markup: max(accept.get(kind, 0.0) for kind in kinds) for markup, kinds in _TYPES.items()}
    if named[WML] or named[XHTML]:
        return WML if named[WML] > named[XHTML] else XHTML
    if not accept and profile is not None:
        return profile.markup
    return XHTML


def _images(accept: Mapping[str, float], markup: str) -> tuple[str, ...]:
    """Name the pictures a device takes: those that Accept names, else what its markup's generation knows."""
    named = tuple(kind for kind in _BETTER_IMAGES if accept.get(kind, 0.0) > 0.0)
    refused = {kind for kind, q in accept.items() if q == 0.0}
    usual = tuple(kind for kind in _IMAGES[markup] if kind not in refused)
    if markup == WML:
        return named + usual
    # Wildcards beside a name, as browsers send them for a page, say that the others are taken too.
    return named if named and not accept.keys() & {"image/*", "*/*"} else usual or named


def _content_type(accept: Mapping[str, float], markup: str) -> str:
    """Choose the type to send as: the named one with the highest q, else what everybody takes."""
    kinds = _TYPES[markup]
    best = max(kinds, key=lambda kind: accept.get(kind, 0.0))
    if accept.get(best, 0.0) > 0.0:
        return best
    return WML_TEXT if markup == WML else HTML
