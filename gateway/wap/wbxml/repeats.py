"""Finds the substrings that occur more than once in the strings of a deck, and chooses those worth a table.

Nothing here may know an octet of WBXML beyond what a reference and a string cost. A page is all strings of a deck
joined, separated by `BREAK`; the choice is greedy by octets saved, so it depends only on the strings, not on their
order. Candidates are the inner nodes of the suffix tree, read off a suffix array with its longest common prefixes (T.
Kasai et al., *Linear-Time Longest-Common-Prefix Computation*, 2001).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from heapq import heapify, heappop, heapreplace, nsmallest
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

#: Separates strings, and begins what stands for a reference: no XML text contains either (XML 1.0 §2.2).
BREAK: Final = "\1"
MARK: Final = "\0"
#: Characters of a page that are searched for candidates, which are then counted in all of it.
_SEARCHED: Final = 6000
#: The most characters of a candidate. Longer repeats are rare, and taken in pieces.
_LONGEST: Final = 80
#: Candidates that are examined closely, and how many examinations they may have in total.
_CANDIDATES: Final = 400
_STEPS: Final = 1200
#: Characters of pages that are gone through for that.
_WORK: Final = 3_000_000
#: Items, by the digits of a mark.
_ITEMS: Final = 343
#: Octets of a table to which a reference takes one octet (WAP-192 §5.1: 7 bits an octet).
NEAR: Final = 128

Width = Callable[[str], int]


class Substring(NamedTuple):
    """A substring; `token`: in attribute values it has a token of its own, and needs no table."""

    text: str
    token: bool = False


class DeckStrings(NamedTuple):
    """The strings of a deck: those of its texts and those of its attributes.

    `known`: the strings of its table, each followed by a mark; `names`: how often each variable occurs; a variable can
    refer only to a whole string of the table.
    """

    texts: str
    attributes: str
    known: str
    names: Mapping[str, int]

    def replace(self, item: Substring, by: str) -> DeckStrings:
        """Replace an item with a mark, and put the item into the table."""
        attributes = self.attributes.replace(item.text, by).replace(BREAK + BREAK, BREAK)
        if item.token:
            return self._replace(attributes=attributes)
        texts = self.texts.replace(item.text, by).replace(BREAK + BREAK, BREAK)
        entry = item.text + MARK
        known = self.known if entry in self.known else self.known + entry
        return DeckStrings(texts, attributes, known, self.names)

    def gain(self, item: Substring, width: int, reference: int) -> int:
        """Return how many octets are saved by referring to every occurrence of an item.

        A string takes two octets more than its text. A reference takes one more than its number; within a string it
        splits the string in two, at an end it adds none, and in place of a whole string it saves one.
        """
        text = item.text
        count = self.attributes.count(text)
        ends = count and self.attributes.count(BREAK + text) + self.attributes.count(text + BREAK)
        if item.token:
            return count * (width - 1) + 2 * (ends - count)
        here = self.texts.count(text)
        count += here
        if not count:
            return 0
        if here:
            ends += self.texts.count(BREAK + text) + self.texts.count(text + BREAK)
        saved = count * (width - 1 - reference) + 2 * (ends - count)
        return saved if text + MARK in self.known else saved + self.named(text) - width - 1

    def named(self, text: str) -> int:
        """Return how many octets variables save if a text is in the table."""
        saved = 0
        for name, count in self.names.items():
            if text.endswith(name) and name + MARK not in self.known:
                saved += count * len(name)
        return saved


def choose(
    page: DeckStrings, values: Iterable[str], width: Width, *, whole_words: bool = False
) -> tuple[list[Substring], DeckStrings]:
    """Choose substrings, the best first; return them with the page in which marks replace them.

    `values`: those that have tokens in attributes. `width`: the octets of a string in the deck's charset.
    `whole_words`: none that begins or ends within a word.
    """
    length = width(page.known)
    steps = min(_STEPS, _WORK // (len(page.texts) + len(page.attributes)))
    heap = nsmallest(_CANDIDATES, _candidates(page, width, whole_words))
    heap += [(-saved, Substring(value, True)) for value in values if (saved := _saved(page, value)) > 0]
    heapify(heap)
    items: list[Substring] = []
    for _ in range(steps):
        if not heap or len(items) == _ITEMS:
            break
        bound, item = heap[0]
        gain = page.gain(item, width(item.text), 1 if length < NEAR else 2)
        if gain <= 0:
            heappop(heap)
        elif -gain > bound:
            heapreplace(heap, (-gain, item))
        else:
            heappop(heap)
            length -= len(page.known)
            page = page.replace(item, BREAK + mark(len(items)) + BREAK)
            length += len(page.known)
            items.append(item)
    return items, page


def _saved(page: DeckStrings, value: str) -> int:
    return page.gain(Substring(value, True), len(value), 0)


def joined(strings: list[str]) -> str:
    """Join strings, with a mark that belongs to no item between them."""
    return BREAK + f"{BREAK}{MARK}{BREAK}".join(strings) + BREAK


def mark(number: int) -> str:
    """Write the mark of an item: digits that no text contains, so that no later item is found in it."""
    return MARK + chr(2 + number // 49) + chr(2 + number // 7 % 7) + chr(2 + number % 7)


def marked(text: str) -> int:
    """Return the number of the item that a mark stands for."""
    return (ord(text[1]) - 2) * 49 + (ord(text[2]) - 2) * 7 + ord(text[3]) - 2


def _candidates(page: DeckStrings, width: Width, whole_words: bool) -> Iterator[tuple[int, Substring]]:
    """Yield repeated substrings, each with the negative of the most octets it can save."""
    strings = Counter((page.texts + page.attributes).split(BREAK))
    for text, count in strings.items():
        saved = (count - 1) * (width(text) + 1) - 2 * count + page.named(text)
        if saved > 0 and count + page.names.get(text, 0) > 1 and text not in ("", MARK):
            yield -saved, Substring(text)
    text = (page.texts + page.attributes)[:_SEARCHED] + BREAK
    order = sorted(range(len(text)), key=[text[at : at + _LONGEST] for at in range(len(text))].__getitem__)
    before = [text[at - 1] for at in order]
    changes = list(accumulate((a != b for a, b in pairwise(before)), initial=0))
    starts = list(accumulate((character == BREAK for character in before), initial=0))
    for first, end, length in _intervals(_common_prefixes(text, order)):
        if changes[first] == changes[end - 1] and before[first] != BREAK:
            continue  # always after the same character: a longer one saves more
        count = end - first
        at = order[first]
        behind = at + length
        if whole_words and (text[at - 1 : at + 1].isalnum() or text[behind - 1 : behind + 1].isalnum()):
            continue
        item = text[at:behind]
        ends = starts[end] - starts[first] + (count if text[behind : behind + 1] == BREAK else 0)
        octets = width(item)
        saved = count * (octets - 2) + 2 * (ends - count) - octets - 1 + page.named(item)
        if saved > 0:
            yield -saved, Substring(item)


def _common_prefixes(text: str, order: list[int]) -> list[int]:
    """Return for each suffix how many characters it has in common with the one before it; 0 for the first.

    No more than are compared for `order`, and none beyond a break, with which the text must end.
    """
    rank = [0] * len(order)
    for place, at in enumerate(order):
        rank[at] = place
    common = [0] * len(order)
    length = 0
    for at, place in enumerate(rank):
        if not place:
            length = 0
            continue
        other = order[place - 1]
        # Suffixes that have more in common than was compared are not in order.
        if text[at : at + length] != text[other : other + length]:
            length = 0
        while length < _LONGEST and BREAK < text[at + length] == text[other + length]:
            length += 1
        common[place] = length
        length = max(length - 1, 0)
    return common


def _intervals(common: list[int]) -> Iterator[tuple[int, int, int]]:
    """Yield the inner nodes of the suffix tree: first place, place after the last, length of the common prefix."""
    stack: list[tuple[int, int]] = []
    for place, length in enumerate([*common, 0]):
        first = place - 1
        while stack and stack[-1][0] > length:
            taller, first = stack.pop()
            yield first, place, taller
        if length and (not stack or stack[-1][0] < length):
            stack.append((length, first))
