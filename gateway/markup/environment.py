"""The Jinja environments of both markups, in which escaping cannot be forgotten.

Nothing here may bypass escaping: everything a template prints is escaped for XML and stripped of what XML 1.0 §2.2 does
not allow; in WML, every `$` of content is doubled (WAP-191 §10.3). Before that, text is reduced to the device's
repertoire, so that the page that is measured is the page that is sent; only what a form sends back is left alone
(Verbatim). Only the block writers pass in finished markup, as Markup.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.compiler import CodeGenerator, Frame
from jinja2.nodes import Expr
from markupsafe import Markup

from gateway.device import WML, XHTML, Device
from gateway.markup.direction import CLASS, ended, right_to_left
from gateway.markup.repertoire import fitter
from gateway.markup.screen import Verbatim

_FOLDERS: Final = {WML: "templates_wml", XHTML: "templates_mobile"}
#: Not allowed by XML 1.0 §2.2: most C0 controls, lone surrogates, two noncharacters.
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

#: What stands for a sign of XML in content and attributes; "&" comes first, as the others contain it.
_REFERENCES: Final = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"))

#: Text that both markups and all repertoires write unchanged: most of what is printed.
_PLAIN: Final = re.compile(r"[\n !#%'-;=?-~]*")


def allowed(text: str) -> str:
    """Leave out what XML does not allow."""
    return text if text.isprintable() else _FORBIDDEN.sub("", text)  # nothing forbidden is printable


def escape(text: str) -> str:
    """Escape text for XML content and attributes."""
    text = allowed(text)
    for sign, reference in _REFERENCES:
        if sign in text:  # seldom; replacing nothing takes longer than looking
            text = text.replace(sign, reference)
    return text


def escape_wml(text: str) -> str:
    """Escape text for WML content and attributes: as XML, with `$` doubled."""
    return escape(text).replace("$", "$$")


class _Printing(CodeGenerator):
    """Prints what `finalize` returns unchanged, since it is already escaped.

    Jinja would turn it into Markup, and escape that: twice the work for every value on a page, a tenth of a list's.
    """

    def _output_child_pre(self, node: Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        self.write(f"({finalize.src}")  # closed by `_output_child_post`


def _printer(markup: str, charset: str) -> Callable[[object], str]:
    escaped, fit, is_plain = (
        escape_wml if markup == WML else escape,
        fitter(markup, charset),
        _PLAIN.fullmatch,
    )

    def printed(value: object) -> str:
        if isinstance(value, Markup):
            return value
        text = "" if value is None else str(value)
        if is_plain(text):
            return text
        return escaped(text if isinstance(value, Verbatim) else fit(text))

    return printed


def template_folders(markup: str) -> list[Path]:
    """Return where the templates of a markup may be: inside the package, or beside it."""
    package = Path(__file__).resolve().parent.parent
    return [package / _FOLDERS[markup], package.parent / _FOLDERS[markup]]


def environment(device: Device) -> Environment:
    """Return the environment shared by all devices of this markup and charset."""
    return _environment(device.markup, device.charset)


@cache
def _environment(markup: str, charset: str) -> Environment:
    """Make an environment."""
    printed, fit = _printer(markup, charset), fitter(markup, charset)

    def apart(value: object) -> object:
        """Print a piece of a line, set apart if it runs right to left."""
        text = value if isinstance(value, Verbatim) else fit(str(value))
        if markup == WML or not right_to_left(text):
            return ended(text)
        return Markup(f'<span class="{CLASS}">{printed(text)}</span>')  # noqa: S704

    made = Environment(
        loader=FileSystemLoader(template_folders(markup)),
        autoescape=True,
        finalize=printed,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.code_generator_class = _Printing
    # XML 1.0 §3.3.3: a line break in an attribute becomes a space unless it is written as a reference.
    made.filters["lines"] = lambda value: Markup(printed(value).replace("\n", "&#10;"))  # noqa: S704
    made.filters["apart"] = apart
    # The class of an element that contains nothing else.
    made.filters["way"] = lambda value: CLASS if right_to_left(str(value)) else ""
    return made
