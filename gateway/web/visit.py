"""One request: who asks, with what device, in which language; and the links that fit it.

Nothing here may hold anything longer than the request. Links are relative to the request's own address, so a
token in the path is never spelled out in a page.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import g, request, url_for
from werkzeug.exceptions import RequestEntityTooLarge

from gateway import language as lang
from gateway.config import Config
from gateway.device import WML, XHTML, Device, identify
from gateway.errors import MailboxGone, SessionEnded, TooLong
from gateway.profile import NOBODY, Profile, profile
from gateway.session import Session, Sessions
from gateway.web import forms, preferences, uploads

#: WSGI environ key under which `app` leaves the token it took out of the path.
TOKEN_KEY = "pocketpost.token"  # noqa: S105
#: Screens that fix the markup, whatever Accept says.
_FORCED = {
    "signin.wml": WML,
    "signin.enter_wml": WML,
    "signin.xhtml": XHTML,
    "signin.enter_xhtml": XHTML,
}
#: The argument of an address that says from which list a message was opened.
ORIGIN = "l"
MENU = "menu.show"
_ORIGIN = re.compile(
    r"(?:q[1-9]\d{0,8}(?:\.[1-9]\d{0,4})?|[adfsznt][ug]?\d{0,10}(?:\.[1-9]\d{0,8}-\d{1,10}s?p?)?)\Z", re.ASCII
)
SESSION_COOKIE = "s"
PROBE_COOKIE = "p"


@dataclass(slots=True)
class Visit:
    """What the views of one request share. `session` is None where nobody is signed in.

    `known`: the device as its headers say; `device`: as the person wants it. `profile`: what they have chosen for
    all their devices, in their words; `language` already speaks so. `origin`: the list that a message is opened from,
    where that is not simply its mailbox: a view and a place in it, or the number of a search and a row.
    """

    config: Config
    sessions: Sessions
    known: Device
    device: Device
    language: lang.Language
    now: datetime
    session: Session | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    profile: Profile = NOBODY
    origin: str = ""

    def prefer(self) -> None:
        """Look up what the person has chosen, and make the device, the language and the zone so."""
        session = self.signed_in
        self.settings = session.settings()
        self.device = preferences.apply(self.known, self.settings)
        chosen = profile(session)
        offered = lang.offered(self.device.charset)
        tag = next((tag for tag in (chosen.language, session.language) if tag in offered), lang.ENGLISH)
        self.language = lang.Language(tag, chosen.zone(self.config.timezone))
        self.profile = chosen.spoken(self.language.gettext)

    @property
    def signed_in(self) -> Session:
        """The session; raise SessionEnded where there is none."""
        if self.session is None:
            raise SessionEnded
        return self.session

    def mailbox(self, number: int) -> tuple[str, int]:
        """Resolve a mailbox's short id into name and UIDVALIDITY; raise MailboxGone for one we never gave."""
        found = self.signed_in.mailbox(number)
        if found is None:
            raise MailboxGone(f"mailbox number {number}")
        return found

    def form(self) -> forms.Fields:
        """Read the posted fields, and the files if somebody is signed in. Raise BadRequest."""
        content_type = request.headers.get("Content-Type", "")
        if content_type.strip().lower().startswith("multipart/form-data"):
            limit = self.config.upload_limit if self.session is not None else 0
            request.max_content_length = sys.maxsize  # the reader has bounds of its own
            return uploads.parse(content_type, request.stream.read, self.device.charset, limit)
        try:
            octets = request.get_data()
        except RequestEntityTooLarge as error:
            raise TooLong("a form of too many octets") from error
        return forms.parse(content_type, octets, self.device.charset)

    def posted(self) -> dict[str, str] | None:
        """Read the posted fields; None where nothing is posted."""
        return self.form() if request.method == "POST" else None

    def fresh(self) -> str:
        """Make a name prefix for WML variables that no earlier page has used."""
        return "v" + base36(int(self.now.timestamp() * 1000))[-5:]


def begin(config: Config, sessions: Sessions) -> Visit:
    """Find out who asks, and remember it for this request; a bad token makes a visit without session."""
    headers: Mapping[str, str] = dict(request.headers.items())
    token = request.environ.get(TOKEN_KEY) or request.cookies.get(SESSION_COOKIE, "")
    session: Session | None = None
    if token and request.endpoint not in ("plain.robots", "plain.favicon"):
        with suppress(SessionEnded):
            session = sessions.resume(token, headers.get("User-Agent"))
    if session is not None and (session.via == "url") != (TOKEN_KEY in request.environ):
        session = None  # a token that is not where it was given to
    if session is not None:
        device = identify(headers, session.markup, session.device)
    else:
        device = identify(headers, _FORCED.get(request.endpoint or ""))
    tag = lang.choose(headers.get("Accept-Language", ""), lang.offered(device.charset))
    visit = Visit(
        config=config,
        sessions=sessions,
        known=device,
        device=device,
        language=lang.Language(tag, ZoneInfo(config.timezone)),
        now=datetime.now(UTC),
        session=session,
        origin=origin if _ORIGIN.match(origin := request.args.get(ORIGIN, "")) else "",
    )
    g.visit = visit
    if session is not None:
        visit.prefer()
    return visit


def current() -> Visit:
    """Return this request's visit."""
    visit: Visit = g.visit
    return visit


def link(endpoint: str, **values: object) -> str:
    """Link to a screen, relative to this request's address.

    All about a message remembers the list that it was opened from, and so does the menu of a list.
    """
    if ("uid" in values or endpoint == MENU) and current().origin:
        values.setdefault(ORIGIN, current().origin)
    return relative(url_for(endpoint, **values), request.script_root + request.path)  # type: ignore[arg-type]


def list_link(endpoint: str, **values: object) -> str:
    """Link to what must be fresh: with a new address on devices that keep pages whatever they are told."""
    if current().device.caches_regardless:
        values["c"] = base36(int(current().now.timestamp()))
    return link(endpoint, **values)


def outside(path: str) -> str:
    """Link to an address that belongs to no session, such as the sign-in page."""
    return relative("/" + path, request.script_root + request.path)


def relative(target: str, base: str) -> str:
    """Say absolute path `target` relative to the page at absolute path `base` (RFC 3986 §4.2)."""
    path, mark, query = target.partition("?")
    there, here = path.split("/"), base.split("/")
    shared = 0
    while shared < min(len(there), len(here)) - 1 and there[shared] == here[shared]:
        shared += 1
    steps = [".."] * (len(here) - 1 - shared) + there[shared:]
    return ("/".join(steps) or ".") + mark + query


def absolute(target: str, script_root: str) -> str:
    """Name a screen with scheme and host, for redirects of phones that know no relative ones.

    `target`: an endpoint, or a path within the session, which begins with a stroke.
    """
    base = current().config.url.rstrip("/") or request.host_url.rstrip("/")
    path = target if target.startswith("/") else url_for(target).removeprefix(request.script_root)
    return base + script_root + path


def base36(number: int) -> str:
    """Say a number in digits and lower-case letters."""
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    out = ""
    while True:
        number, digit = divmod(number, 36)
        out = digits[digit] + out
        if not number:
            return out


__all__ = ["Visit", "absolute", "begin", "current", "link", "list_link", "outside", "relative"]
