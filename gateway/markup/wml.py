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
_RULE: Final = "<p>----</p>"


def block(item: Block, lead: Lead) -> str:
    """Say one block."""
    if item.kind is Kind.RULE:
        return _RULE
    if item.kind in (Kind.FOLD, Kind.PICTURE):
        text = f"[{item.text}]" if item.kind is Kind.PICTURE else item.text
        return f"<p>{_prefix(item)}{_anchor(text, lead(item, None))}</p>"
    text = "".join(_run(run, item, lead) for run in item.runs)
    if item.kind is Kind.HEADING:
        text = f"<b>{text}</b>"
    elif item.kind is Kind.NOTE:
        text = f"<i>{text}</i>"
    return f"<p>{_prefix(item)}{text}</p>"


def _prefix(item: Block) -> str:
    marker = f"{item.marker} " if item.marker else ""
    return escape_wml(">" * item.quote + (" " if item.quote else "") + marker)


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
