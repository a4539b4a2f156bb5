"""The preview: the demo's mailbox as a handheld gets it, in a frame of its width, with the size of each page.

Nothing here may send anything: pages are asked for by GET. Under /handhelds/preview is the panel's page around the
frame, under /handhelds/framed, by the same path, the page itself.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from flask import Blueprint, Response, current_app, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from gateway.admin.handhelds import framed_pages
from gateway.admin.handhelds.demo_gateway import Answer, DemoGateway, DemoMissing, ShownHandheld
from gateway.admin.panel_pages import page
from gateway.device import WML, XHTML, names
from gateway.device.agents import LONGEST

preview = Blueprint("preview", __name__)

#: Key of the demo's gateway in the panel's extensions.
DEMO: Final = "pocketpost.preview"
#: Where the links to the first pages lead, within the session.
STARTS: Final = (
    ("/i", "Inbox"), ("/k", "Menu"), ("/c", "Write"), ("/q", "Search"), ("/z", "Folders"), ("/t", "Contacts"),
    ("/s", "Settings"), ("/x", "Select"),
)  # fmt: skip
#: Pixels of a frame's height at least: more than one screenful is seen at once.
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


@preview.get(_OUTER)
def begin() -> AnyResponse:
    """Ask which handheld, or open its inbox."""
    profile, markup = (request.args.get(name, "") for name in ("profile", "markup"))
    if "agent" not in request.args:
        return page("preview", title="Preview", profiles=names(), markups=(WML, XHTML))
    shown = ShownHandheld(
        "".join(sign for sign in request.args["agent"][: 2 * LONGEST] if " " <= sign <= "~"),
        markup if markup in (WML, XHTML) else None,
        profile if profile in names() else None,
    )
    return redirect(f"{_OUTER}/{_demo().name(shown)}{_demo().root(shown)}/i", 303)


@preview.get(f"{_OUTER}/<name>/<path:_path>")
def around(name: str, _path: str) -> AnyResponse:
    """Show a page with what is around it; what is no page is passed on."""
    asked = _asked(_OUTER, name)
    if isinstance(asked, AnyResponse):
        return asked
    shown, answer = asked
    device, root = shown.device(_demo().overrides()), _demo().root(shown)
    return page(
        "previewed",
        title="Preview",
        shown=shown,
        device=device,
        size=framed_pages.size(answer),
        source=framed_pages.source(answer),
        frame=_address(_INNER, name),
        height=max(device.screen[1], SMALLEST_HEIGHT),
        sandbox=framed_pages.SANDBOX,
        starts=[(f"{_OUTER}/{name}{root}{start}", label) for start, label in STARTS],
    )


@preview.get(f"{_INNER}/<name>/<path:_path>")
def framed(name: str, _path: str) -> AnyResponse:
    """Show the page itself."""
    asked = _asked(_INNER, name)
    if isinstance(asked, AnyResponse):
        return asked
    document = framed_pages.framed(asked[1], _address(_OUTER, name))
    response = Response(document, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = framed_pages.policy(document)
    return response


def _asked(prefix: str, name: str) -> tuple[ShownHandheld, Answer] | AnyResponse:
    """Return the handheld and its page that the request is for, or a response in the place of the page."""
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


def _passed_on(answer: Answer) -> Response:
    """Pass on a picture, or a file to be saved."""
    picture = answer.mimetype.startswith(_IMAGES)
    kind = answer.mimetype if picture else "application/octet-stream"
    response = Response(answer.octets, answer.status, content_type=kind)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    if not picture:
        response.headers["Content-Disposition"] = "attachment"
    return response
