"""WAP Binary XML (WAP-192) for WML: compiles decks, decompiles them, and predicts their size.

`encode` and `decode` are exact. `deck_bound` returns how many octets a deck has at most, whichever compiler
is used, and `bound` the same from the `measure` of each piece; `fragment_size` is their fast companion, for
sums. Nothing here may import anything of ours outside this package.
"""

from gateway.wap.wbxml.decoder import decode
from gateway.wap.wbxml.encoder import encode
from gateway.wap.wbxml.meter import Measure
from gateway.wap.wbxml.sizes import bound, deck_bound, fits, fragment_size, measure, measure_deck
from gateway.wap.wbxml.tokens import WBXMLError

__all__ = [
    "Measure",
    "WBXMLError",
    "bound",
    "deck_bound",
    "decode",
    "encode",
    "fits",
    "fragment_size",
    "measure",
    "measure_deck",
]
