"""The screen *Handhelds*: the kinds of handheld that have requested pages, and the overrides for what they get.

Nothing here may reveal whose a handheld is; that is not known.
"""

from __future__ import annotations

import glob
import time
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response

from gateway.admin.panel_pages import current_panel, page
from gateway.device import Override
from gateway.device.agents import OMITTED
from gateway.device.overrides import first_match

seen_screens = Blueprint("handhelds", __name__)


@seen_screens.get("/handhelds")
def show() -> Response:
    """Show the handhelds that have been seen, and the overrides."""
    process = current_panel().process
    process.instruments.flush()
    overrides = [Override.of(values) for values in process.config.handhelds]
    all_seen = process.state.handhelds.all()
    seen = [(one, first_match(overrides, one.agent), pattern_of(one.agent)) for one in all_seen]
    return page(
        "handhelds",
        title="Handhelds",
        seen=seen,
        overrides=[(values["pattern"], _words(values)) for values in process.config.handhelds],
        now=time.time(),
    )


def pattern_of(agent: str) -> str:
    """Return the pattern for a displayed user agent: what was left out matches any text."""
    return glob.escape(agent).replace(OMITTED, "*")


def _words(values: Mapping[str, Any]) -> str:
    """Return what an override sets, as written in the file."""
    return ", ".join(f"{name} = {_word(value)}" for name, value in values.items() if name != "pattern")


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "x".join(map(str, value)) if isinstance(value[0], int) else " ".join(value)
    return str(value)
