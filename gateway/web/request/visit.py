"""The state of one request: person, device and language, and the links that suit them.

Nothing here may hold anything longer than the request. Links are relative to the request's own address, so a token in
the path never appears in a page.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import Request, g, request, url_for
from flask.globals import request_ctx
from werkzeug.exceptions import RequestEntityTooLarge

from gateway import addresses, markup
from gateway import language as lang
from gateway.access import log_context
from gateway.access.forwarded import Client, client
from gateway.access.session import Session
from gateway.access.sessions import Sessions
from gateway.account.profile import ANONYMOUS, Profile, QuickReply, profile
from gateway.addresses import Origin
from gateway.config import Config
from gateway.device import FIELDS, WML, XHTML, Device, Override, identify
from gateway.errors import BadRequest, SessionEnded, StateError, TooLong
from gateway.markup.screen import Screen
from gateway.sealed import vault
from gateway.sealed.vault import TicketedPost
from gateway.web.request import form_bodies, preferences, uploads

#: WSGI environ key of the token that `app` took from the path.
TOKEN_KEY = "pocketpost.token"  # noqa: S105
#: WSGI environ key of the client, once it is known.
_CLIENT_KEY = "pocketpost.client"
#: The header fields that identify a device, with their WSGI environ keys.
_IDENTIFYING = tuple((name, "HTTP_" + name.upper().replace("-", "_")) for name in FIELDS)
#: Screens that fix the markup, regardless of Accept.
_FORCED = {
    "signin.wml": WML,
    "signin.submit_wml": WML,
    "signin.xhtml": XHTML,
    "signin.submit_xhtml": XHTML,
}
#: The query parameter of a sign-in in a markup that nobody asked for.
UNASKED = "a"
#: The query parameter with the list from which a message was opened.
ORIGIN = "l"
MENU = "menu.show"
#: Route parameters that hold a mailbox number.
_NUMBERS = ("number", "box")
#: Default ports that may be missing in Host (RFC 9110 §4.2).
_PORTS = {"http": ":80", "https": ":443"}
SESSION_COOKIE = "s"
#: Prefixes of cookie names over TLS (RFC 6265bis §4.1.3); if our path is not /, the first, stricter one is ruled out.
_WHOLE_HOST, _BELOW_A_PATH = "__Host-", "__Secure-"


@dataclass(slots=True)
class Visit:
    """The state that the views of one request share. `session` is None if nobody is signed in.

    `known`: the device as identified by its headers; `device`: with the person's preferences. `client`: the address of
    the client, as reported by trusted proxies. `profile`: the person's preferences for all devices; `language` follows
    them. `origin`: the list from which a message was opened if that is not simply its mailbox: a view and a position in
    it, or the number of a search and a row. `overrides`: the administrator's changes to what handhelds can show.
    `here`: the path of this request, which links are relative to. `link_ids`: the ids of links in mail, by URL and
    text, as far as this request has made them.
    """

    config: Config
    sessions: Sessions
    known: Device
    device: Device
    language: lang.Language
    now: datetime
    client: Client
    session: Session | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    profile: Profile = ANONYMOUS
    origin: str = ""
    overrides: Sequence[Override] = ()
    here: str = ""
    link_ids: dict[tuple[str, str], str] = field(default_factory=dict)

    def apply_preferences(self) -> None:
        """Load the person's preferences and apply them to device, language and time zone."""
        session = self.signed_in
        self.settings = session.state.settings.all(session.account, session.device)
        self.device = preferences.apply(self.known, self.settings)
        chosen = self.profile = profile(session)
        offered = lang.offered(self.device.charset)
        tag = next((tag for tag in (chosen.language, session.language) if tag in offered), lang.ENGLISH)
        self.language = lang.Language(tag, chosen.zone(self.config.timezone))

    @property
    def quick(self) -> tuple[QuickReply, ...]:
        """The person's quick replies, the standard ones in their language."""
        return self.profile.quick_in(self.language.gettext)

    @property
    def signed_in(self) -> Session:
        """The session. Raise SessionEnded if there is none."""
        if self.session is None:
            raise SessionEnded
        return self.session

    def mailbox(self, number: int) -> tuple[str, int]:
        """Resolve a mailbox number into name and UIDVALIDITY. Raise MailboxGone for an unknown one."""
        return self.signed_in.mailboxes.mailbox(number)

    def form(self) -> form_bodies.Fields:
        """Parse the posted fields, and the files if the person is signed in. Raise BadRequest."""
        fields = self._fields()
        log_context.leave_out(fields.values())
        return fields

    def _fields(self) -> form_bodies.Fields:
        content_type = request.headers.get("Content-Type", "")
        if content_type.strip().lower().startswith("multipart/form-data"):
            limit = self.config.upload_limit if self.session is not None else 0
            request.max_content_length = sys.maxsize  # the parser has its own limits
            return uploads.parse(content_type, request.stream.read, self.device.charset, limit)
        try:
            octets = request.get_data()
        except RequestEntityTooLarge as error:
            raise TooLong("a form of too many octets") from error
        return form_bodies.parse(content_type, octets, self.device.charset)

    @property
    def secure(self) -> bool:
        """Whether the device uses TLS, to us or to a proxy of ours."""
        return _is_secure(self.config, self.client)

    @property
    def base(self) -> str:
        """The scheme and host of this gateway; '' if only Host says so, which anybody can forge."""
        host = request.environ.get("HTTP_HOST", "").lower().removesuffix(_PORTS.get(self.client.scheme, ""))
        return f"{self.client.scheme}://{host}" if host in self.config.names else self.config.origin

    def ticketed_post(self, form: form_bodies.Fields, ticket: str = form_bodies.TICKET) -> TicketedPost:
        """Return the post that this request makes, identified by the ticket in one of its fields."""
        where = f"{request.path}?{request.query_string.decode('latin-1')}"
        return TicketedPost.of(form.get(ticket, ""), form.fingerprint(where))

    def ticket_field(self) -> tuple[str, str]:
        """Return the field that carries a new ticket in an action that posts."""
        return form_bodies.TICKET, self.signed_in.ticket()

    def posted(self) -> form_bodies.Fields | None:
        """Parse the posted fields; return None for a request that posts nothing."""
        return self.form() if request.method == "POST" else None

    def room_left(self, screen: Screen) -> int:
        """Return how many octets the device has left beside a screen; below 0 it does not fit."""
        return self.device.deck_limit - markup.size(screen, self.device)

    def fits(self, screen: Screen) -> bool:
        """Return whether a screen fits the device."""
        return self.room_left(screen) >= 0

    def variable_prefix(self) -> str:
        """Return a prefix for WML variables that no earlier page has used."""
        return "v" + addresses.base36(int(self.now.timestamp() * 1000))[-5:]


def begin(config: Config, sessions: Sessions, overrides: Sequence[Override] = ()) -> Visit:
    """Identify person and device, and store this request's visit; an invalid token results in one without a session."""
    asked = this_request()
    try:
        session = _session(config, sessions, asked)
    except StateError:  # the person cannot be identified; an error page will say so
        g.visit = _visit(config, sessions, asked, None, overrides)
        raise
    visit = g.visit = _visit(config, sessions, asked, session, overrides)
    if session is not None:
        visit.apply_preferences()
        # Other processes may have assigned the mailbox numbers of this address.
        values = (asked.view_args or {}).items()
        numbers = [number for name, number in values if name in _NUMBERS and isinstance(number, int)]
        session.mailboxes.resolve_temporary(numbers, session.store)
    return visit


def cookie_name(config: Config, asked: Request, name: str) -> str:
    """Return the full name of a cookie, which over TLS differs from that over plain HTTP.

    Browsers do not let plain HTTP read or replace what TLS has set (RFC 6265bis §5.7): with one name for both, people
    who have signed in over TLS could not sign in without it. The prefix also prevents cookies from being planted from
    outside TLS.
    """
    if not _is_secure(config, client_of(config, asked)):
        return name
    return (_BELOW_A_PATH if config.path else _WHOLE_HOST) + name


def token_of(config: Config, asked: Request) -> str:
    """Return the session token of a request, valid or expired, '' for none."""
    token = asked.environ.get(TOKEN_KEY) or asked.cookies.get(cookie_name(config, asked, SESSION_COOKIE), "")
    return token if vault.is_token(token) else ""


def asked_for_markup() -> bool:
    """Return whether the person asked for the markup of this sign-in page, or of the one that was posted."""
    return request.endpoint in _FORCED and UNASKED not in request.args


def any_tokens(asked: Request) -> list[str]:
    """Return all possible session tokens in the cookies of a request, whether it came over TLS or not."""
    names = (prefix + SESSION_COOKIE for prefix in ("", _WHOLE_HOST, _BELOW_A_PATH))
    return [token for name in names if vault.is_token(token := asked.cookies.get(name, ""))]


def _is_secure(config: Config, by: Client) -> bool:
    return by.scheme == "https" or config.url.startswith("https://")


def _session(config: Config, sessions: Sessions, asked: Request) -> Session | None:
    token = token_of(config, asked)
    session: Session | None = None
    if token and asked.blueprint != "plain":
        with suppress(SessionEnded):
            session = sessions.resume(token, asked.environ.get("HTTP_USER_AGENT"))
    if session is not None and (session.via == "url") != (TOKEN_KEY in asked.environ):
        return None  # a token that was not sent in the way it was issued
    return session


def _visit(
    config: Config,
    sessions: Sessions,
    asked: Request,
    session: Session | None,
    overrides: Sequence[Override],
) -> Visit:
    environ = asked.environ
    headers = {name: environ[key] for name, key in _IDENTIFYING if key in environ}
    if session is not None:
        device = identify(headers, session.markup, session.device, overrides, chosen=session.chose_markup)
    else:
        device = identify(headers, _FORCED.get(asked.endpoint or ""), overrides=overrides)
    tag = lang.choose(environ.get("HTTP_ACCEPT_LANGUAGE", ""), lang.offered(device.charset))
    return Visit(
        config=config,
        sessions=sessions,
        known=device,
        device=device,
        language=lang.Language(tag, ZoneInfo(config.timezone)),
        now=datetime.now(UTC),
        client=client_of(config, asked),
        session=session,
        origin=_origin(asked.args.get(ORIGIN, "")) if asked.query_string else "",
        overrides=overrides,
        here=asked.script_root + asked.path,
    )


def _origin(text: str) -> str:
    """Return the origin if it names a list; otherwise ""."""
    with suppress(BadRequest):
        return Origin.decode(text).encode()
    return ""


def client_of(config: Config, asked: Request) -> Client:
    """Return the client's address, as reported by trusted proxies."""
    found: Client | None = asked.environ.get(_CLIENT_KEY)
    if found is None:
        found = client(asked.remote_addr or "", asked.scheme, asked.headers.get, config.trusted_proxies)
        asked.environ[_CLIENT_KEY] = found
    return found


def this_request() -> Request:
    """Return this request itself, for code that looks at it often: each look through `request` takes four calls."""
    return request._get_current_object()  # type: ignore[attr-defined, no-any-return]


def current() -> Visit:
    """Return this request's visit."""
    visit: Visit = g._get_current_object().visit  # as in `this_request`
    return visit


def link(endpoint: str, **values: object) -> str:
    """Return the link to a screen, relative to this request's address.

    Screens of a message, and the menu of a list, keep the list from which the message was opened.
    """
    visit = current()
    if visit.origin and ("uid" in values or endpoint == MENU):
        values.setdefault(ORIGIN, visit.origin)
    adapter = request_ctx._get_current_object().url_adapter  # type: ignore[attr-defined]  # as in `this_request`
    assert adapter is not None  # every request has one; `url_for` takes twice the time
    return addresses.relative(adapter.build(endpoint, values, force_external=False), visit.here)


def list_link(endpoint: str, **values: object) -> str:
    """Return a link that must be fresh: its address is new on devices that cache pages regardless of headers."""
    if current().device.caches_regardless:
        values["c"] = fresh_mark(current())
    return link(endpoint, **values)


def fresh_mark(visit: Visit) -> str:
    """Return what makes the address of a list new."""
    return addresses.base36(int(visit.now.timestamp()))


def reload_link() -> str:
    """Return the link to this page again; its address is new on devices that cache pages regardless of headers."""
    query = [part for part in request.query_string.decode("latin-1").split("&") if part and part[:2] != "c="]
    if current().device.caches_regardless:
        query.append(f"c={current().variable_prefix()}")
    here = request.script_root + request.path
    return addresses.relative(here, here) + ("?" + "&".join(query) if query else "")


def sessionless_link(path: str) -> str:
    """Return the link to an address outside any session, such as the sign-in page."""
    return addresses.relative(f"{current().config.path}/{path}", current().here)


def absolute_uri(target: str, script_root: str) -> str:
    """Return the absolute URI of a screen if scheme and host are known, for phones that do not know relative redirects.

    `target`: an endpoint, or a path within the session, which begins with a slash.
    """
    base = current().base
    path = target if target.startswith("/") else url_for(target).removeprefix(request.script_root)
    return base + script_root + path


__all__ = ["Visit", "absolute_uri", "begin", "current", "link", "list_link", "sessionless_link"]
