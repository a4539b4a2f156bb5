"""How small and how fast decks are compiled, beside Kannel and libwbxml: `python -m bench.compiled_decks FOLDER`.

Takes the decks (`*.wml`) of a folder that all three compile. Nothing here may judge a figure.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, quantiles
from time import process_time

from gateway.wap import wbxml
from tests.wap import oracles


@dataclass(frozen=True, slots=True)
class Deck:
    """Octets of one deck: its source, and the output of each compiler; milliseconds of CPU."""

    source: int
    smallest: int
    plain: int
    without_references: int
    kannel: int
    libwbxml: int
    milliseconds: float
    plain_milliseconds: float


def weigh(path: Path) -> Deck | None:
    """Compile a deck three times; None if any compiler refuses it, or if libwbxml does not read its own output."""
    source = path.read_bytes()
    kannel, libwbxml = oracles.kannel_compile(source), oracles.libwbxml_compile(source)
    if kannel is None or libwbxml is None or oracles.libwbxml_decode(libwbxml) is None:
        return None
    try:
        begin = process_time()
        plain = wbxml.encode(source, room=len(source))
        middle = process_time()
        smallest = wbxml.encode(source)
        end = process_time()
    except wbxml.WBXMLError:
        return None
    without = wbxml.encode(source, attribute_references=False)
    sizes = (len(octets) for octets in (source, smallest, plain, without, kannel, libwbxml))
    return Deck(*sizes, (end - middle) * 1000, (middle - begin) * 1000)


def main() -> int:
    """Print the sums."""
    paths = sorted(Path(sys.argv[1]).glob("*.wml"))
    decks = [deck for deck in map(weigh, paths) if deck is not None]
    if len(decks) < 2:
        print("fewer than two decks that all three compile")
        return 1
    print(f"{len(decks)} of {len(paths)} decks, {sum(deck.source for deck in decks):,} octets of source")
    smallest = sum(deck.smallest for deck in decks)
    for name in ("smallest", "without_references", "plain", "kannel", "libwbxml"):
        size = sum(getattr(deck, name) for deck in decks)
        print(f"{name:20} {size:10,}  ours is {smallest / size:.3f} of that")
    print(
        f"larger than Kannel's by more than an octet: {sum(deck.smallest > deck.kannel + 1 for deck in decks)}"
    )
    for name in ("milliseconds", "plain_milliseconds"):
        times = [getattr(deck, name) for deck in decks]
        print(
            f"{name:20} mean {mean(times):.2f}, p95 {quantiles(times, n=20)[-1]:.2f}, most {max(times):.2f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
