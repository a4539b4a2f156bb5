"""Files that robots and browsers request by themselves, and the style sheet; none of them opens a session."""

from __future__ import annotations

from base64 import b64decode
from typing import Final

from flask import Blueprint, Response

from gateway.markup.screen import Life
from gateway.markup.style_sheet import DIGEST, STYLE_SHEET

plain = Blueprint("plain", __name__)

_ROBOTS: Final = "User-agent: *\nDisallow: /\n"
#: A 16×16 envelope in one bit, as ICO.
_ICON: Final = b64decode(
    "AAABAAEAEBACAAEAAQCwAAAAFgAAACgAAAAQAAAAIAAAAAEAAQAAAAAAgAAAAAAAAAAAAAAAAgAAAAIAAAD///8AAECKAA"
    "AAAAAAAAAAf/4AAH/+AABgBgAAUAoAAEgSAABEIgAAQkIAAEGCAABDwgAARCIAAFgaAABgBgAAf/4AAAAAAAD//wAA//8AAI"
    "ABAACAAQAAgAEAAIABAACAAQAAgAEAAIABAACAAQAAgAEAAIABAACAAQAAgAEAAIABAAD//wAA"
)


@plain.get("/robots.txt")
def robots() -> Response:
    """Disallow all robots."""
    return _file(_ROBOTS.encode(), "text/plain; charset=us-ascii")


@plain.get("/favicon.ico")
def favicon() -> Response:
    """Send the icon."""
    return _file(_ICON, "image/x-icon")


@plain.get("/style-<digest>.css")
def style_sheet(digest: str) -> Response:
    """Send the style sheet; under another name, which a page of another version has, it is not kept."""
    life = Life.LASTING if digest == DIGEST else Life.CHECK
    return _file(STYLE_SHEET, "text/css; charset=us-ascii", life)


def _file(octets: bytes, content_type: str, life: Life = Life.PUBLIC) -> Response:
    return Response(octets, content_type=content_type, headers={"Cache-Control": life.value})
