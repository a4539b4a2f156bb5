"""What stands in our pages in place of the links of a mail.

Nothing here may put a URL of the sender's into a page: a web link leads to its own page by a short id, outside any
session, so that nothing it leads on to can learn the session's token. A mail address leads to our own writing page, a
telephone number to the phone's dialling.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from gateway.markup.message_pages import dialled
from gateway.rendition.blocks import Block, Run
from gateway.web.visit import Visit, link, outside


def lead(visit: Visit, block: Block, run: Run) -> str:
    """Lead to where a link of the sender's is shown, '' for nowhere."""
    if run.link.startswith("tel:"):
        return dialled(run.link, visit.device)
    key = visit.signed_in.link_id(run.link, _text(block, run))
    return link("write.suggested", key=key) if run.link.startswith("mailto:") else outside(f"l/{key}")


def keep(visit: Visit, blocks: Iterable[Block]) -> None:
    """Make the links of the blocks that are being shown lead somewhere."""
    found = [each for block in blocks for each in _links(block)]
    if found:
        visit.signed_in.keep_links(found)


def _links(block: Block) -> Iterator[tuple[str, str]]:
    """Yield URL and text of every link; runs of different looks may make up one."""
    for url, runs in groupby(block.runs, lambda run: run.link):
        if url and not url.startswith("tel:"):
            yield url, "".join(run.text for run in runs)


def _text(block: Block, run: Run) -> str:
    """Read the whole text of the link that a run belongs to."""
    for _url, group in groupby(block.runs, lambda each: each.link):
        runs = list(group)
        if any(each is run for each in runs):
            return "".join(each.text for each in runs)
    return run.text
