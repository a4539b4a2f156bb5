"""Screen + Device -> response: octets, type, caching, and only the headers that a phone needs.

Nothing here may choose what a screen shows. Behind a WAP gateway an error status empties the body, so WML is always
sent with 200; every header takes room in the phone's SDU.
"""

from __future__ import annotations

from flask import Response, g

from gateway import markup
from gateway.config import Config
from gateway.device import WML, WML_COMPILED, WML_TEXT
from gateway.markup.screen import Life, Screen
from gateway.markup.security_headers import ResponseReader, security_headers
from gateway.web.request import compression
from gateway.web.request.compression import compress
from gateway.web.request.visit import absolute_uri, any_tokens, client_of, current, this_request, token_of

_VARY = "Accept, User-Agent, Cookie"
_VARY_COMPRESSED = f"{_VARY}, {compression.FIELD}"
#: The names of the other headers that decks depend on do not fit the SDU: these distinguish WAP gateways.
_VARY_WML = "Accept, User-Agent, Via, X-WAP-Gateway"


def respond(screen: Screen, life: Life | None = None) -> Response:
    """Return the response that shows a screen."""
    visit = current()
    octets, content_type = markup.encode(screen, visit.device)
    wml = visit.device.markup == WML
    headers = [
        ("Content-Type", content_type),
        ("Cache-Control", (life or screen.life).value),
        ("Vary", _VARY_WML if wml else _VARY_COMPRESSED),
    ]
    response = Response(octets, 200 if wml else screen.status, headers)
    if not wml:
        asked = this_request()
        compress(
            response,
            asked.environ.get("HTTP_ACCEPT_ENCODING"),
            lambda: {token_of(visit.config, asked), *any_tokens(asked)},
            screen.compiled,
        )
    return response


def add_headers(response: Response) -> Response:
    """Add the headers that every response to a person has; `secure` adds those of all responses."""
    response.headers["Vary"] = _VARY_WML if current().device.markup == WML else _VARY
    return response


def secure(config: Config, response: Response) -> Response:
    """Add the headers that restrict what a browser does with any response."""
    # If handhelds use plain HTTP, one visit over TLS must not keep people from it.
    strict = client_of(config, this_request()).scheme == "https" and not config.url.startswith("http://")
    reader = _reader(response)
    # All at once: one after another, each would be looked for among the others. No screen sets one of these.
    response.headers[len(response.headers) :] = security_headers(reader, strict=strict).items()
    if config.path and reader is ResponseReader.BROWSER:
        response.headers["X-Robots-Tag"] = "none"  # robots request /robots.txt, which is not ours then
    return response


def _reader(response: Response) -> ResponseReader:
    """Return the kind of reader that a response is for."""
    if "Content-Disposition" in response.headers:
        return ResponseReader.DISK
    wap = "visit" in g and current().device.markup == WML
    if response.mimetype in (WML_TEXT, WML_COMPILED) or (wap and response.location):
        return ResponseReader.DECK
    return (
        ResponseReader.WAP_PICTURE
        if wap and (response.mimetype or "").startswith("image/")
        else ResponseReader.BROWSER
    )


def retry_later(response: Response, seconds: int) -> Response:
    """Add Retry-After in seconds (RFC 9110 §10.2.3); for 0 nothing."""
    if seconds:
        response.headers["Retry-After"] = str(seconds)
    return response


def redirect_to(target: str, script_root: str) -> Response:
    """Redirect to a screen (endpoint or path) of the session at `script_root`, by GET."""
    visit = current()
    # RFC 9110 §15.4.4; WAP 1.x phones only know 302, and want an absolute URI (RFC 2068 §14.30), which they get if it
    # is known.
    code = 302 if visit.device.markup == WML else 303
    location = absolute_uri(target, script_root)
    if visit.device.caches_regardless:
        location += ("&c=" if "?" in location else "?c=") + visit.variable_prefix()
    response = Response(b"", code, {"Location": location}, content_type="text/plain")
    response.headers["Cache-Control"] = Life.NEVER.value
    return add_headers(response)
