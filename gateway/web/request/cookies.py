"""Our cookies: the session's token, the device's, and the address of the person who signed in last.

Nothing here may set a cookie that scripts can read, or that is sent outside the path of the gateway.

Whether a device keeps cookies is shown by the session's cookie itself, which every sign-in page sets: then it is known
that this very cookie comes back, with its name, path and Secure. If it does not, the token is in the address.
"""

from __future__ import annotations

from typing import Final

from flask import Response, g, request

from gateway.access.known_devices import DEVICE_SECONDS
from gateway.access.session import Session
from gateway.state.sending.posted_forms import LIFETIME
from gateway.web.request.visit import SESSION_COOKIE, cookie_name, current

_DEVICE: Final = "d"
_ADDRESS: Final = "a"
#: The value of the session's cookie before sign-in: no token has this form.
_PROBE: Final = "1"
_PROBE_SECONDS: Final = 24 * 3600


def come_back() -> bool:
    """Return whether the device has sent back what the sign-in page set."""
    return current().device.cookies and bool(_value(SESSION_COOKIE))


def device_tokens() -> str:
    """Return what identifies the device at sign-in, as received."""
    return _value(_DEVICE) or request.cookies.get(_DEVICE, "")  # over TLS also under its earlier name


def address() -> str:
    """Return the address that last signed in on this device, '' if it is not known."""
    return _value(_ADDRESS)


def probe(response: Response) -> Response:
    """Set the session's cookie on a sign-in page, so that the next request shows whether it comes back."""
    if current().device.cookies and not _value(SESSION_COOKIE):
        _set(response, SESSION_COOKIE, _PROBE, _PROBE_SECONDS)
    return response


def keep_session(response: Response, session: Session) -> Response:
    """Set the session's cookie, and the longer-lived cookies of the device and the address."""
    _set_session(response, session)
    _set(response, _DEVICE, session.remembered, int(DEVICE_SECONDS), "Strict")
    _set(response, _ADDRESS, session.address, int(DEVICE_SECONDS))
    return response


def renew(response: Response) -> Response:
    """Renew the session's cookie if this request has extended the session; any response may be passed here."""
    session = g.visit.session if "visit" in g else None
    if session is None or session.via != "cookie" or not session.extended:
        return response
    given = (line.partition("=")[0] for line in response.headers.getlist("Set-Cookie"))
    if _whole(SESSION_COOKIE) not in given:
        _set_session(response, session)
    return response


def forget_session(response: Response, kept: str = "") -> Response:
    """End the session's cookie, and forget the address; `kept`: a token that opens texts after the next sign-in."""
    if current().device.cookies:
        _set(response, SESSION_COOKIE, kept or _PROBE, int(LIFETIME) if kept else _PROBE_SECONDS)
        forget_address(response)
    return response


def forget_address(response: Response) -> Response:
    """Forget the address that last signed in on this device."""
    if address():
        _set(response, _ADDRESS, "", 0)
    return response


def _set_session(response: Response, session: Session) -> None:
    # A day longer than the session: the token opens texts that are posted after its end.
    _set(response, SESSION_COOKIE, session.token, int(current().sessions.idle_seconds() + LIFETIME))


def _set(response: Response, name: str, value: str, age: int, samesite: str = "Lax") -> None:
    visit = current()
    response.set_cookie(
        _whole(name),
        value,
        age,
        path=visit.config.path or "/",  # other applications of the same host must not get them
        httponly=True,
        samesite=samesite,
        secure=visit.secure,
    )


def _value(name: str) -> str:
    return request.cookies.get(_whole(name), "")


def _whole(name: str) -> str:
    return cookie_name(current().config, request, name)
