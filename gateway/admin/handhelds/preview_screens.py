"""The preview: the demo's mailbox as a handheld gets it, in a frame of its width, with the size of each page.

Nothing here may send what a browser posts: pages are requested by GET, and where only a form leads, one of the walks of
`demo_walks` goes. Under /handhelds/preview is the panel's page around the frame; under /handhelds/framed, at the same
path, the page itself; under either, SCREEN and the name of a walk lead to where it ends.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from flask import Blueprint, Response, current_app, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from gateway.admin.handhelds import framed_pages
from gateway.admin.handhelds.demo_gateway import DemoGateway, DemoMissing, DemoResponse, ShownHandheld
from gateway.admin.handhelds.demo_walker import Lost
from gateway.admin.handhelds.demo_walks import GROUPS, WALKS, Walk
from gateway.admin.panel_pages import page
from gateway.device import WML, XHTML, names
from gateway.device.agents import LONGEST

preview = Blueprint("preview", __name__)

#: Key of the demo's gateway in the panel's extensions.
DEMO: Final = "pocketpost.preview"
#: The first walk in lists, which is shown first for a handheld.
FIRST: Final = "Inbox"
#: Prefix of the names of walks, in place of a session's path, which begins with a tilde.
SCREEN: Final = "/screen/"
#: Minimum height of a frame in pixels: more than one screenful is visible at once.
SMALLEST_HEIGHT: Final = 400
_OUTER, _INNER = "/handhelds/preview", "/handhelds/framed"
_IMAGES: Final = "image/"
MISSING: Final = (
    'The preview needs the demo\'s servers, but {} is not installed: pip install "pocketpost[demo]".'
)


def _demo() -> DemoGateway:
    demo: DemoGateway = current_app.extensions[DEMO]
    return demo


@preview.errorhandler(DemoMissing)
def missing(error: DemoMissing) -> Response:
    """Say what is not installed."""
    return page("notice", 404, title="No preview", text=MISSING.format(error))


@preview.errorhandler(Lost)
def lost(error: Lost) -> Response:
    """Say that a screen cannot be reached on this handheld."""
    return page(
        "notice", 404, title="No preview", text=f"This handheld does not get to that screen: {error}."
    )


@preview.get(_OUTER)
def begin() -> AnyResponse:
    """Ask for a handheld, or open its inbox."""
    profile, markup = (request.args.get(name, "") for name in ("profile", "markup"))
    if "agent" not in request.args:
        return page(
            "preview", title="Preview", profiles=names(), markups=(WML, XHTML), groups=GROUPS, first=FIRST
        )
    shown = ShownHandheld(
        "".join(sign for sign in request.args["agent"][: 2 * LONGEST] if " " <= sign <= "~"),
        markup if markup in (WML, XHTML) else None,
        profile if profile in names() else None,
    )
    walk = WALKS.get(request.args.get("screen", ""), WALKS[FIRST])
    _demo().root(shown)  # the demo may not be installed
    return redirect(_screen_address(_OUTER, _demo().name(shown), walk), 303)


@preview.get(f"{_OUTER}/<name>")
def another(name: str) -> AnyResponse:
    """Redirect to another screen of a handheld."""
    walk = WALKS.get(request.args.get("screen", ""), WALKS[FIRST])
    return redirect(_screen_address(_OUTER, name, walk), 303)


@preview.get(f"{_OUTER}/<name>{SCREEN}<walk>")
def around_screen(name: str, walk: str) -> AnyResponse:
    """Take a walk, and show the page at its end with the panel around it."""
    shown, found = _demo().shown(name), WALKS.get(walk)
    if shown is None or found is None:
        return redirect(_OUTER, 303)
    return _around(name, shown, _demo().walk(shown, found), _screen_address(_INNER, name, found), walk)


@preview.get(f"{_INNER}/<name>{SCREEN}<walk>")
def framed_screen(name: str, walk: str) -> AnyResponse:
    """Show the page at the end of a walk."""
    shown, found = _demo().shown(name), WALKS.get(walk)
    if shown is None or found is None:
        return redirect(_OUTER, 303)
    answer = _demo().end_of(shown, found)
    return _framed(answer, f"{_OUTER}/{name}{quote(answer.address, safe='/~.-_?=&')}")


@preview.get(f"{_OUTER}/<name>/<path:_path>")
def around(name: str, _path: str) -> AnyResponse:
    """Show a page with the panel around it; anything that is not a page is passed on."""
    asked = _asked(_OUTER, name)
    if isinstance(asked, AnyResponse):
        return asked
    return _around(name, *asked, _address(_INNER, name))


@preview.get(f"{_INNER}/<name>/<path:_path>")
def framed(name: str, _path: str) -> AnyResponse:
    """Show the page itself."""
    asked = _asked(_INNER, name)
    if isinstance(asked, AnyResponse):
        return asked
    return _framed(asked[1], _address(_OUTER, name))


def _around(name: str, shown: ShownHandheld, answer: DemoResponse, frame: str, screen: str = "") -> Response:
    device = shown.device(_demo().overrides())
    return page(
        "previewed",
        title="Preview",
        shown=shown,
        device=device,
        size=framed_pages.size(answer),
        source=framed_pages.source(answer),
        frame=frame,
        height=max(device.screen[1], SMALLEST_HEIGHT),
        sandbox=framed_pages.SANDBOX,
        action=f"{_OUTER}/{name}",
        groups=GROUPS,
        screen=screen,
    )


def _framed(answer: DemoResponse, address: str) -> Response:
    document = framed_pages.framed(answer, address)
    response = Response(document, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = framed_pages.POLICY
    return response


def _screen_address(prefix: str, name: str, walk: Walk) -> str:
    return f"{prefix}/{name}{SCREEN}{quote(walk.name, safe='')}"


def _asked(prefix: str, name: str) -> tuple[ShownHandheld, DemoResponse] | AnyResponse:
    """Return the handheld and its page that are requested, or a response to send instead."""
    shown = _demo().shown(name)
    if shown is None:
        return redirect(_OUTER, 303)
    answer = _demo().get(shown, _within(prefix, name), request.query_string.decode("latin-1"))
    if answer.location:
        return redirect(f"{prefix}/{name}{answer.location}", 303)
    if answer.mimetype not in framed_pages.PAGES | framed_pages.DECKS:
        return _passed_on(answer)
    return shown, answer


def _within(prefix: str, name: str) -> str:
    """Return the path of the request within the demo's gateway, as in PATH_INFO."""
    path: str = request.environ["PATH_INFO"]
    return path.removeprefix(f"{prefix}/{name}")


def _address(prefix: str, name: str) -> str:
    """Return the address of this page below the other prefix."""
    here = quote(_within(_INNER if prefix == _OUTER else _OUTER, name), safe="/~.-_", encoding="latin-1")
    query = f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
    return f"{prefix}/{name}{here}{query}"


def _passed_on(answer: DemoResponse) -> Response:
    """Pass on a picture, or a file to be saved."""
    picture = answer.mimetype.startswith(_IMAGES)
    kind = answer.mimetype if picture else "application/octet-stream"
    response = Response(answer.octets, answer.status, content_type=kind)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    if not picture:
        response.headers["Content-Disposition"] = "attachment"
    return response
