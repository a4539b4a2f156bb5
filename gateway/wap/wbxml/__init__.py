"""WAP Binary XML (WAP-192) for WML, SI and SL: compiles documents, decompiles them, and predicts the size of decks.

`encode` and `decode` are exact; `own_size` is the most that `encode` makes of a piece. `deck_bound` returns how many
octets a deck has at most, whichever compiler is used, and `bound` the same from the `measure` of each piece;
`fragment_size` is a fast alternative, for sums. Nothing here may import anything of ours outside this package.
"""

from gateway.wap.wbxml.decoder import decode
from gateway.wap.wbxml.encoder import encode
from gateway.wap.wbxml.meter import Measure
from gateway.wap.wbxml.replayed_texts import HEADER
from gateway.wap.wbxml.sizes import (
    MeasuredDeck,
    bound,
    deck_bound,
    fragment_size,
    measure,
    measure_deck,
    own_size,
)
from gateway.wap.wbxml.tokens import WBXMLError

__all__ = [
    "HEADER",
    "Measure",
    "MeasuredDeck",
    "WBXMLError",
    "bound",
    "deck_bound",
    "decode",
    "encode",
    "fragment_size",
    "measure",
    "measure_deck",
    "own_size",
]
