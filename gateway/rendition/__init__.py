"""From a Message to the blocks that a small screen can use.

Nothing here may fetch, and nothing here may know a markup: octets come in through a callable made inside the
store's lease, are pulled only as far as the page wants, and its StoreError passes through.

The way of a part: `choose` picks it; `text` reads plain text from any position, `html` reads HTML whole (through
`paragraphs`, `tables`, `lists`, `css`), `records` reads invitations and reports; `segments` carry whose words a
block is; `fold` folds what need not be seen at once; `blocks` come out.
"""

from gateway.rendition.blocks import Accept, Block, Kind, Position, Run, split
from gateway.rendition.choose import attachments
from gateway.rendition.context import Context
from gateway.rendition.earlier import earlier
from gateway.rendition.render import HTML_CAP, render

__all__ = [
    "HTML_CAP",
    "Accept",
    "Block",
    "Context",
    "Kind",
    "Position",
    "Run",
    "attachments",
    "earlier",
    "render",
    "split",
]
