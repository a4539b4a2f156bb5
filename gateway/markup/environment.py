"""The Jinja environments for our two markups, in which forgetting to escape is not possible.

Nothing here may bypass escaping: everything that a template prints is escaped for XML, cleaned of what XML 1.0
§2.2 does not allow, and in WML every `$` of content is doubled (WAP-191 §10.3). Only the writers of blocks
hand in finished markup, as Markup.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gateway.device import WML, XHTML

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


def _print_wml(value: object) -> object:
    return value if isinstance(value, Markup) else Markup(escape_wml(_text(value)))  # noqa: S704


def _print_xhtml(value: object) -> object:
    return value if isinstance(value, Markup) else Markup(escape(_text(value)))  # noqa: S704


def _text(value: object) -> str:
    return "" if value is None else str(value)


@cache
def environment(markup: str) -> Environment:
    """Return the one environment of a markup; templates lie inside the package or beside it."""
    package = Path(__file__).resolve().parent.parent
    folder = _FOLDERS[markup]
    return Environment(
        loader=FileSystemLoader([package / folder, package.parent / folder]),
        autoescape=True,
        finalize=_print_wml if markup == WML else _print_xhtml,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
