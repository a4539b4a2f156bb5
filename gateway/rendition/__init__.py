"""From a Message to the blocks that a small screen can use.

Nothing here may fetch or know a markup: octets come from a callable made inside the store's lease, are pulled only as
far as the page needs, and its StoreError passes through.

The path of a part: `selection` picks it, comparing `alternatives`. `text` reads plain text from any position (`lines`,
`wrapping`, `listings`, `armour`, `quoting`); `html` reads HTML as a whole (`paragraphs`, `tables`, `embedded`, `css`);
`invitations`, `reports` and `records` read machine-written data. `segments` say whose words a block is; `fold` folds
what need not be seen immediately; the result is `blocks`.
"""

from gateway.rendition.blocks import Accept, Block, Kind, Position, Run, split
from gateway.rendition.context import Context
from gateway.rendition.earlier import earlier
from gateway.rendition.rendering import HTML_CAP, render
from gateway.rendition.selection import attachments

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
