"""Writes blocks as XHTML Basic 1.1: headings, paragraphs, quotations and links, without any attribute of the sender's.

Nothing here may write an attribute or text without `escape`.
"""

from __future__ import annotations

from typing import Final

from gateway.markup.direction import CLASS, right_to_left
from gateway.markup.environment import escape
from gateway.markup.wml import LinkResolver, PictureLink, inset, linked_runs
from gateway.rendition.blocks import Block, Kind, Run

#: The page's own title is h1; the sender's headings start below it.
_TOP_HEADING: Final = 2
_LAST_HEADING: Final = 6


def block(item: Block, link_target: LinkResolver) -> str:
    """Write one block."""
    inner = _inner(item, link_target)
    return "<blockquote>" * item.quote + inner + "</blockquote>" * item.quote


def _inner(item: Block, link_target: LinkResolver) -> str:
    if item.kind is Kind.RULE:
        return "<hr/>"
    marker = escape(f"{inset(item)}{item.marker} ") if item.marker else ""
    if item.kind is Kind.PICTURE and isinstance(href := link_target(item, None), PictureLink):
        shown = f'<img src="{escape(href.source)}" alt="{escape(item.text)}"/>'
        return f"<p>{marker}{_anchor(shown, href)}</p>"
    if item.kind in (Kind.FOLD, Kind.PICTURE):
        text = f"[{item.text}]" if item.kind is Kind.PICTURE else item.text
        return f"<p>{marker}{_anchor(_lines(text), link_target(item, None))}</p>"
    if item.kind is Kind.NOTE and item.target:
        return f'<p class="n">{marker}{_anchor(_lines(item.text), link_target(item, None))}</p>'
    text = marker + "".join([_run(run, item, href) for run, href in linked_runs(item, link_target)])
    way = f' class="{CLASS}"' if not text.isascii() and right_to_left(item.text) else ""
    if item.kind is Kind.HEADING:
        level = min(max(item.level, 1) + _TOP_HEADING - 1, _LAST_HEADING)
        return f"<h{level}{way}>{text}</h{level}>"
    if item.kind is Kind.PREFORMATTED:
        return f"<pre{way}>{text}</pre>"
    if item.kind is Kind.NOTE:
        return f'<p class="n">{text}</p>'
    return f"<p{way}>{text}</p>"


def _run(run: Run, item: Block, href: str) -> str:
    out = _anchor(escape(run.text) if item.kind is Kind.PREFORMATTED else _lines(run.text), href)
    if run.code:
        out = f"<code>{out}</code>"
    if run.strong:
        out = f"<strong>{out}</strong>"
    return f"<em>{out}</em>" if run.emphasis else out


def _anchor(inner: str, href: str) -> str:
    return f'<a href="{escape(href)}">{inner}</a>' if href else inner


def _lines(text: str) -> str:
    text = escape(text)
    return text.replace("\n", "<br/>") if "\n" in text else text
