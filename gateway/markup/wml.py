"""Blocks as WML (WAP-191): paragraphs of text, links and line breaks, nothing a 1999 phone stumbles over.

Nothing here may go into an attribute or a text without `escape_wml`. WML 1.1 allows in `a` only text, `br` and
`img`, and has no `pre`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from gateway.markup.environment import escape_wml
from gateway.rendition.blocks import Block, Kind, Run


class Pictured(str):
    """Where a picture's block leads, and the address of a small form of the picture for pages that can show it."""

    __slots__ = ("source",)
    source: str

    def __new__(cls, href: str, source: str) -> Pictured:
        made = super().__new__(cls, href)
        made.source = source
        return made


#: Where a run or a block leads, as an address of ours or elsewhere; '' for text only.
Lead = Callable[[Block, Run | None], str]

_BLANKS: Final = re.compile(r"  +|^ ", re.MULTILINE)
#: Lists within lists that are set further in.
_DEEPEST: Final = 2
_RULE: Final = "<p>----</p>"


def block(item: Block, lead: Lead) -> str:
    """Say one block."""
    if item.kind is Kind.RULE:
        return _RULE
    said = _said(item, lead)
    if item.quote:  # every line shows that it is somebody else's
        said = said.replace("<br/>", f"<br/>{_marks(item)}")
    return f"<p>{_marks(item)}{_marker(item)}{said}</p>"


def _said(item: Block, lead: Lead) -> str:
    if item.kind in (Kind.FOLD, Kind.PICTURE):
        text = f"[{item.text}]" if item.kind is Kind.PICTURE else item.text
        return _anchor(text, lead(item, None))
    if item.kind is Kind.NOTE and item.target:
        return f"<i>{_anchor(item.text, lead(item, None))}</i>"
    text = "".join(_run(run, item, lead) for run in item.runs)
    if item.kind is Kind.HEADING:
        return f"<b>{text}</b>"
    return f"<i>{text}</i>" if item.kind is Kind.NOTE else text


def _marks(item: Block) -> str:
    return escape_wml(">" * item.quote + " ") if item.quote else ""


def _marker(item: Block) -> str:
    """Say an item's marker, the ones of lists within lists further in."""
    return escape_wml(inset(item) + f"{item.marker} ") if item.marker else ""


def inset(item: Block) -> str:
    """Say in blanks how deep a list lies within lists, two for each, as far as a small screen can afford."""
    return "\u00a0" * 2 * min(item.indent, _DEEPEST) if item.kind is Kind.ITEM else ""


def _run(run: Run, item: Block, lead: Lead) -> str:
    text = run.text
    if item.kind is Kind.PREFORMATTED:
        text = _BLANKS.sub(lambda blanks: "\u00a0" * len(blanks[0]), text.expandtabs(4))
    href = lead(item, run) if run.link else ""
    out = _anchor(text, href) if href else _lines(text)
    if item.kind is Kind.HEADING:
        return out
    if run.strong:
        out = f"<b>{out}</b>"
    return f"<i>{out}</i>" if run.emphasis and not run.strong else out


def _anchor(text: str, href: str) -> str:
    return f'<a href="{escape_wml(href)}">{_lines(text)}</a>' if href else _lines(text)


def _lines(text: str) -> str:
    return escape_wml(text).replace("\n", "<br/>")
