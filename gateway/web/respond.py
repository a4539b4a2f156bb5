"""Screen + Device -> Response: octets, type, caching, and only the headers a phone needs.

Nothing here may choose what a screen says. Behind a WAP gateway an error status empties the body, so WML goes
out with 200 always; every header costs room in the phone's SDU.
"""

from __future__ import annotations

from flask import Response

from gateway import markup
from gateway.device import WML
from gateway.markup.screen import Life, Screen
from gateway.web.visit import PROBE_COOKIE, SESSION_COOKIE, absolute, current

_VARY = "Accept, User-Agent, Cookie"
_VARY_WML = "Accept, User-Agent"
_POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"


def respond(screen: Screen, life: Life | None = None) -> Response:
    """Make the answer that shows a screen."""
    device = current().device
    octets, content_type = markup.encode(screen, device)
    status = 200 if device.markup == WML else screen.status
    response = Response(octets, status, content_type=content_type)
    response.headers["Cache-Control"] = (life or screen.life).value
    return dress(response)


def dress(response: Response) -> Response:
    """Add the headers that every answer carries."""
    wml = current().device.markup == WML
    response.headers["Vary"] = _VARY_WML if wml else _VARY
    response.headers["Referrer-Policy"] = "no-referrer"
    if not wml:
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def go(target: str, script_root: str) -> Response:
    """Send a person on to a screen (endpoint or path) of the session at `script_root`, to be fetched by GET."""
    visit = current()
    # RFC 9110 §15.4.4; WAP 1.x phones know 302 only, and want the whole address (RFC 2068 §14.30).
    code = 302 if visit.device.markup == WML else 303
    location = absolute(target, script_root)
    if visit.device.caches_regardless:
        location += ("&c=" if "?" in location else "?c=") + visit.fresh()
    response = Response(b"", code, {"Location": location}, content_type="text/plain")
    response.headers["Cache-Control"] = Life.NEVER.value
    return dress(response)


def probe_cookies(response: Response) -> Response:
    """Find out by the next request whether this device keeps cookies."""
    if current().device.cookies:
        response.set_cookie(PROBE_COOKIE, "1", max_age=86400, samesite="Lax")
    return response


def keep_session(response: Response, token: str, secure: bool) -> Response:
    """Put the session's token into a cookie."""
    response.set_cookie(SESSION_COOKIE, token, httponly=True, samesite="Lax", secure=secure)
    return response


def forget_session(response: Response) -> Response:
    """Take the session's cookie away."""
    if current().device.cookies:
        response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="Lax")
    return response
