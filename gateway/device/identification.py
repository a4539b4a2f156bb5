"""Identification of the device from the request headers and the table of handsets.

Nothing here may look at anything but the headers and the table: values in, a Device out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Final

from gateway.device.handsets import PROFILES, WML, XHTML, DeviceProfile, Traits
from gateway.device.overrides import Override, first_match
from gateway.message.media_types import GIF, JPEG, PNG, WBMP

WML_TEXT: Final = "text/vnd.wap.wml"
WML_COMPILED: Final = "application/vnd.wap.wmlc"
XHTML_WAP: Final = "application/vnd.wap.xhtml+xml"
XHTML_XML: Final = "application/xhtml+xml"
HTML: Final = "text/html"

UTF_8: Final = "utf-8"
LATIN_1: Final = "iso-8859-1"
ASCII: Final = "us-ascii"
#: Names of the charsets that we can write, the best first; a superset counts as the charset.
_CHARSETS: Final = (
    (UTF_8, frozenset({"utf-8", "utf8"})),
    (LATIN_1, frozenset({"iso-8859-1", "iso_8859-1", "latin1", "windows-1252"})),
)

#: Preference among equals within one markup, best first.
_TYPES: Final[dict[str, tuple[str, ...]]] = {
    WML: (WML_TEXT, WML_COMPILED),
    XHTML: (XHTML_XML, XHTML_WAP, HTML),
}

#: Image types unless Accept names others: WAP 1.x is only sure to know WBMP (WAP-190 §6.6), everything later knows
#: JPEG, PNG and GIF.
_IMAGES: Final[dict[str, tuple[str, ...]]] = {
    WML: (WBMP,),
    XHTML: (JPEG, PNG, GIF),
}
#: Better than WBMP, best first, if a WML phone names them.
_BETTER_IMAGES: Final = _IMAGES[XHTML]

#: The most octets of our own reply header in a WSP Reply (Content-Type, Content-Length, Date, Referrer-Policy,
#: Cache-Control, Vary, Server; well-known names in one octet, the others as text, WAP-230 §8.4).
WSP_REPLY_HEADER: Final = 96
#: Pixels of a line of text, including its share of title and softkeys: a Nokia 7110 shows four on 65.
LINE: Final = 16
#: A screen with fewer pixels across is narrow; one with this many down is tall.
NARROW: Final = 200
TALL: Final = 800
#: The smallest SDU that can be stated: 0 means none, and a page has at least one octet.
_SMALLEST_PAGE: Final = 1
#: What WAP gateways call themselves in Via: the protocol is WAP, or it is in their name (RFC 9110 §7.6.3).
_WAP_GATEWAY: Final = re.compile(r"\bWAP|Kannel", re.IGNORECASE)


#: The header fields that identify a device.
FIELDS: Final = ("Accept", "Accept-Charset", "User-Agent", "Via", "X-Wap-Client-Sdu-Size", "X-Wap-Gateway")
#: Characters in those fields up to which the device is remembered.
LONGEST_REMEMBERED: Final = 1024


@dataclass(frozen=True, slots=True)
class Device(Traits):
    """One delivery context: the traits of a handset, in one markup.

    `deck_limit`: octets of one page as sent (XHTML) or compiled (WML). `images`: media types, best first.
    `pictures`: the person wants to see the pictures in mail.
    """

    name: str
    markup: str
    content_type: str
    deck_limit: int
    charset: str = UTF_8
    accesskeys: bool = False
    images: tuple[str, ...] = ()
    pictures: bool = True

    @property
    def is_narrow(self) -> bool:
        """Whether a title beside anything else takes two lines at the usual font size."""
        return self.markup == XHTML and self.screen[0] < NARROW

    @property
    def is_tall(self) -> bool:
        """Whether there is room for larger letters."""
        return self.markup == XHTML and self.screen[1] >= TALL

    @property
    def lines(self) -> int:
        """The approximate number of lines that a deck shows at once, below its title and above the softkeys."""
        return self.screen[1] // LINE

    def within(self, sdu: int) -> Device:
        """Lower the page to what an SDU of this many octets carries; never raise it. 0: no limit was stated."""
        room = max(sdu - WSP_REPLY_HEADER, _SMALLEST_PAGE)
        if not sdu or room >= self.deck_limit:
            return self
        return replace(self, deck_limit=room)


_BY_NAME: Final = {profile.name: profile for profile in PROFILES}
_AGENTS: Final = tuple((re.compile(profile.agent, re.IGNORECASE), profile) for profile in PROFILES)
_GENERIC: Final = {WML: _BY_NAME["wml"], XHTML: _BY_NAME["xhtml"]}


def names() -> tuple[str, ...]:
    """Return the names of all profiles, in the order of the table."""
    return tuple(_BY_NAME)


def by_name(name: str, markup: str | None = None) -> Device:
    """Return the Device of a profile, in `markup` or its own. Raise KeyError for an unknown name."""
    profile = _BY_NAME[name]
    markup = markup or profile.markup
    return _device(profile, markup, _TYPES[markup][0])


def identify(
    headers: Mapping[str, str],
    markup: str | None = None,
    name: str | None = None,
    overrides: Sequence[Override] = (),
    *,
    chosen: bool = True,
) -> Device:
    """Return the device that sent these request headers (keys in canonical case).

    `markup` and `name` override Accept and User-Agent: a person's choice, or what was identified at sign-in. An
    administrator's `overrides` by User-Agent take precedence over the table and Accept, but not over a markup that was
    `chosen`. X-WAP-Client-SDU-Size can only lower the page size; what came through a WAP gateway gets compiled decks
    unless it prefers text.
    """
    fields_read = tuple(map(headers.get, FIELDS))
    step = (
        _identified
        if sum(len(value) for value in fields_read if value) <= LONGEST_REMEMBERED
        else _identified.__wrapped__
    )
    return step(fields_read, markup, name, tuple(overrides), chosen)


@lru_cache(maxsize=256)
def _identified(
    fields_read: tuple[str | None, ...],
    markup: str | None,
    name: str | None,
    overrides: tuple[Override, ...],
    chosen: bool,
) -> Device:
    """Do what `identify` says; a person's pages all come with the same header fields."""
    headers = {field: value for field, value in zip(FIELDS, fields_read, strict=True) if value is not None}
    accept = _accept(headers.get("Accept", ""))
    agent = headers.get("User-Agent", "")
    override = first_match(overrides, agent)
    if override is not None:
        name = override.profile or name
        markup = (chosen and markup) or override.markup or markup
    profile = _BY_NAME[name] if name in _BY_NAME else _profile(agent)
    markup = markup or _markup(accept, profile)
    if profile is None or (profile.name in ("wml", "xhtml") and profile.markup != markup):
        profile = _GENERIC[markup]
    if override is not None:
        profile = override.apply(profile)
    device = _device(profile, markup, _content_type(accept, markup, _came_by_wap(headers)))
    device = replace(device, images=(override and override.images) or _images(accept, markup))
    sdu = headers.get("X-Wap-Client-Sdu-Size", "").strip()
    if markup == WML and sdu.isascii() and sdu.isdigit():
        device = device.within(int(sdu[:9]))
    charset = _charset(headers.get("Accept-Charset", ""))
    return device if charset == device.charset else replace(device, charset=charset)


def _device(profile: DeviceProfile, markup: str, content_type: str) -> Device:
    wml = markup == WML
    traits = {trait.name: getattr(profile, trait.name) for trait in fields(Traits)}
    traits["cookies"] = not wml and profile.cookies
    return Device(
        profile.name,
        markup,
        content_type,
        deck_limit=profile.deck if wml else profile.page,
        accesskeys=not wml or profile.wml_version >= "1.2",
        images=_IMAGES[markup],
        **traits,
    )


def _profile(agent: str) -> DeviceProfile | None:
    for pattern, profile in _AGENTS:
        if pattern.search(agent):
            return profile
    return None


def _accept(value: str) -> dict[str, float]:
    """Parse an Accept field (RFC 9110 §12.5.1) into media range -> q; of duplicates, the highest q counts."""
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
    """Choose by Accept-Charset (RFC 9110 §12.5.2); a device that sends none gets UTF-8."""
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


def _markup(accept: Mapping[str, float], profile: DeviceProfile | None) -> str:
    named = {markup: max(accept.get(kind, 0.0) for kind in kinds) for markup, kinds in _TYPES.items()}
    if named[WML] or named[XHTML]:
        return WML if named[WML] > named[XHTML] else XHTML
    if not accept and profile is not None:
        return profile.markup
    return XHTML


def _images(accept: Mapping[str, float], markup: str) -> tuple[str, ...]:
    """Return the image types that a device takes: those in Accept, else those of its markup's generation."""
    named = tuple(kind for kind in _BETTER_IMAGES if accept.get(kind, 0.0) > 0.0)
    refused = {kind for kind, q in accept.items() if q == 0.0}
    usual = tuple(kind for kind in _IMAGES[markup] if kind not in refused)
    if markup == WML:
        return named + usual
    # Wildcards beside a name, as browsers send them for a page, mean that the others are accepted, too.
    return named if named and not accept.keys() & {"image/*", "*/*"} else usual or named


def _came_by_wap(headers: Mapping[str, str]) -> bool:
    """Return whether a request came through a WAP gateway."""
    return "X-Wap-Gateway" in headers or _WAP_GATEWAY.search(headers.get("Via", "")) is not None


def _content_type(accept: Mapping[str, float], markup: str, came_by_wap: bool) -> str:
    """Choose the type to send: the one in Accept with the highest q, else the one that every device takes.

    A WAP gateway passes on what is compiled, and would itself compile text.
    """
    kinds = _TYPES[markup]
    if markup == WML and came_by_wap:
        kinds = kinds[::-1]
    best = max(kinds, key=lambda kind: accept.get(kind, 0.0))
    if accept.get(best, 0.0) > 0.0:
        return best
    return WML_TEXT if markup == WML else HTML
