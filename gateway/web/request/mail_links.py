"""Our links in place of the links of a mail.

Nothing here may put a sender's URL into a page: a web link leads to its own page by a short id, outside any session,
so that its target cannot learn the session's token. A mail address leads to our compose page, a telephone number to
the phone's dialler.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flask import request

from gateway.markup.screen import Screen
from gateway.pages.layout import Layout, MessagePage
from gateway.pages.message_pages import dial_link
from gateway.rendition.blocks import Position, Run
from gateway.sealed.link_ids import Link
from gateway.state import optional
from gateway.web.request.visit import Visit, link, sessionless_link


def link_targets(visit: Visit) -> Callable[[Run], str]:
    """Return the function that makes our link for a link in a mail, '' for none."""
    example = "KEY"  # what stands before it is the same for all links of a page
    folder = sessionless_link(f"l/{example}").removesuffix(example)

    def link_target(run: Run) -> str:
        if run.link.startswith("tel:"):
            return dial_link(run.link, visit.device)
        key = link_id(visit, run.link, run.text)
        return link("write.suggested", key=key) if run.link.startswith("mailto:") else folder + key

    return link_target


def link_id(visit: Visit, url: str, text: str) -> str:
    """Return the id of a link, which reveals neither the link nor the person."""
    known = visit.link_ids.get((url, text))
    if known is None:
        known = visit.signed_in.links.id(_link(visit, url, text), visit.signed_in.token)
        visit.link_ids[url, text] = known
    return known


def keep_links(visit: Visit, links: Iterable[tuple[str, str]]) -> None:
    """Store the links (URL and text) of a page that is being shown, so that their ids resolve."""
    with optional("links"):
        visit.signed_in.links.keep({link_id(visit, *each): _link(visit, *each) for each in links})


def _link(visit: Visit, url: str, text: str) -> Link:
    session = visit.signed_in
    return Link(url, text, session.device, session.markup, session.language)


def page_screen(visit: Visit, layout: Layout, position: Position | None, number: int) -> Screen:
    """Return the screen of the page at a position, or of the one before it if the address says so."""
    before = position is not None and "b" in request.args
    page = layout.page_before(position, number) if before and position else layout.page(position, number)
    return linked_screen(visit, layout, page)


def linked_screen(visit: Visit, layout: Layout, page: MessagePage) -> Screen:
    """Make the screen of a page, and store its links."""
    found = [each for each in page.links if not each[0].startswith("tel:")]  # those have no id
    if found:
        keep_links(visit, found)
    return layout.screen(page)
