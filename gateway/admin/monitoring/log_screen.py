"""The screen *Log*: the newest lines of the log of all workers."""

from __future__ import annotations

import logging
from itertools import islice
from typing import Final

from flask import Blueprint, Response, request

from gateway.admin.monitoring.newest_lines import LINES, MOST
from gateway.admin.panel_pages import page

log_screen = Blueprint("log", __name__)

#: Lines on the screen.
SHOWN: Final = 200
LEVELS: Final = {"all": 0, "warnings": logging.WARNING, "errors": logging.ERROR}
LONGEST_TEXT: Final = 200


@log_screen.get("/log")
def show() -> Response:
    """Show the newest lines of a level that contain a text."""
    level, text = request.args.get("level", "all"), request.args.get("text", "")[:LONGEST_TEXT]
    level = level if level in LEVELS else "all"
    found = list(islice(LINES.newest(LEVELS[level], text), SHOWN + 1))
    return page(
        "log",
        title="Log",
        lines=[(logging.getLevelName(line.level), line.text) for line in found[:SHOWN]],
        more=len(found) > SHOWN,
        levels=tuple(LEVELS),
        level=level,
        text=text,
        most=MOST,
        shown=SHOWN,
    )
