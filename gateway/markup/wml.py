"""Writes blocks as WML (WAP-191): paragraphs of text, links and line breaks, nothing that trips up a phone of 1999.

Nothing here may write an attribute or text without `escape_wml`. In WML 1.1, `a` may contain only text, `br`
and `img`, and there is no `pre`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from gateway.markup.direction import directed
from gateway.markup.environment import escape_wml
from gateway.rendition.blocks import Block, Kind, Run, leading


class PictureLink(str):
    """The link target of a picture's block, and the URL of a thumbnail for pages that can show it."""

    __slots__ = ("source",)
    source: str

    def __new__(cls, href: str, source: str) -> PictureLink:
        made = super().__new__(cls, href)
        made.source = source
        return made


#: Returns the link target of a block, or of a link in it, given as one run however its parts look; '' for none.
LinkResolver = Callable[[Block, Run | None], str]

_BLANKS: Final = re.compile(r"  +|^ ", re.MULTILINE)
#: Levels of nested lists that are indented.
_DEEPEST: Final = 2
_RULE: Final = "<p>----</p>"


def block(item: Block, link_target: LinkResolver) -> str:
    """Write one block."""
    if item.kind is Kind.RULE:
        return _RULE
    content = _content(directed(item), link_target)
    if item.quote:  # mark every line as a quotation
        content = content.replace("<br/>", f"<br/>{_marks(item)}")
    return f"<p>{_marks(item)}{_marker(item)}{content}</p>"


def _content(item: Block, link_target: LinkResolver) -> str:
    if item.kind in (Kind.FOLD, Kind.PICTURE):
        text = f"[{item.text}]" if item.kind is Kind.PICTURE else item.text
        return _anchor(text, link_target(item, None))
    if item.kind is Kind.NOTE and item.target:
        return f"<i>{_anchor(item.text, link_target(item, None))}</i>"
    text = "".join(_run(run, item, href) for run, href in linked_runs(item, link_target))
    if item.kind is Kind.HEADING:
        return f"<b>{text}</b>"
    return f"<i>{text}</i>" if item.kind is Kind.NOTE else text


def _marks(item: Block) -> str:
    return escape_wml(">" * item.quote + " ") if item.quote else ""


def _marker(item: Block) -> str:
    """Write an item's marker, indented in nested lists."""
    return escape_wml(inset(item) + f"{item.marker} ") if item.marker else ""


def inset(item: Block) -> str:
    """Return the indentation of a list item: two spaces per level, as far as a small screen can afford."""
    return "\u00a0" * 2 * min(item.indent, _DEEPEST) if item.kind is Kind.ITEM else ""


def linked_runs(item: Block, link_target: LinkResolver) -> list[tuple[Run, str]]:
    """Return the runs of a block, each with its link target."""
    if len(item.runs) == 1:
        run = item.runs[0]
        return [(run, link_target(item, run) if run.link else "")]
    found: list[tuple[Run, str]] = []
    for whole, runs in leading(item):
        href = link_target(item, whole) if whole.link else ""
        if href and len(runs) > 1:  # one link, however its letters look
            said = [run for run in runs if not run.text.isspace()]
            strong, emphasis = all(run.strong for run in said), all(run.emphasis for run in said)
            runs = (replace(whole, strong=strong, emphasis=emphasis),)
        found += [(run, href) for run in runs]
    return found


def _run(run: Run, item: Block, href: str) -> str:
    text = run.text
    if item.kind is Kind.PREFORMATTED:
        text = _BLANKS.sub(lambda blanks: "\u00a0" * len(blanks[0]), text.expandtabs(4))
    out = _anchor(text, href)
    if item.kind is Kind.HEADING:
        return out
    if run.strong:
        out = f"<b>{out}</b>"
    return f"<i>{out}</i>" if run.emphasis and not run.strong else out


def _anchor(text: str, href: str) -> str:
    return f'<a href="{escape_wml(href)}">{_lines(text)}</a>' if href else _lines(text)


def _lines(text: str) -> str:
    return escape_wml(text).replace("\n", "<br/>")
