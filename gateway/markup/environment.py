"""The Jinja environments for our two markups, in which forgetting to escape is not possible.

Nothing here may bypass escaping: everything that a template prints is escaped for XML, cleaned of what XML 1.0
§2.2 does not allow, and in WML every `$` of content is doubled (WAP-191 §10.3). It is said in the repertoire of the
device first, so that what is weighed is what is sent; only what a form brings back stays as it is (Verbatim). Only
the writers of blocks hand in finished markup, as Markup.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gateway.device import WML, XHTML, Device
from gateway.markup.repertoire import fitter
from gateway.markup.screen import Verbatim

_FOLDERS: Final = {WML: "templates_wml", XHTML: "templates_mobile"}
#: What XML 1.0 §2.2 forbids: most C0 controls, lone surrogates, two non-characters.
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def escape(text: str) -> str:
    """Escape text for XML content and attributes."""
    text = _FORBIDDEN.sub("", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def escape_wml(text: str) -> str:
    """Escape text for WML content and attributes: as XML, and `$` doubled."""
    return escape(text).replace("$", "$$")


def _printer(markup: str, charset: str) -> Callable[[object], object]:
    escaped, fit = escape_wml if markup == WML else escape, fitter(markup, charset)

    def printed(value: object) -> object:
        if isinstance(value, Markup):
            return value
        text = "" if value is None else str(value)
        return Markup(escaped(text if isinstance(value, Verbatim) else fit(text)))  # noqa: S704

    return printed


def environment(device: Device) -> Environment:
    """Return the environment that all devices of this markup and charset share."""
    return _environment(device.markup, device.charset)


@cache
def _environment(markup: str, charset: str) -> Environment:
    """Make an environment; templates lie inside the package or beside it."""
    package = Path(__file__).resolve().parent.parent
    folder = _FOLDERS[markup]
    return Environment(
        loader=FileSystemLoader([package / folder, package.parent / folder]),
        autoescape=True,
        finalize=_printer(markup, charset),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
