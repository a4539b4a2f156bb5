"""glyphs: characters that are left out of a text, and the search that tells whether there are any."""

from __future__ import annotations

import re
from itertools import chain

import pytest

from gateway.rendition import glyphs


def test_a_text_is_left_alone_only_if_nothing_in_it_would_change(monkeypatch: pytest.MonkeyPatch) -> None:
    letters = map(chr, chain(range(0x11000), range(0xE0000, 0xE1100)))
    texts = [text for letter in letters for text in (letter, f"aé{letter} b", f"{letter}€™", f"{letter}Ÿ™ˆ")]
    quick = list(map(glyphs.visible, texts))
    monkeypatch.setattr(glyphs, "_LOOKED_FOR", re.compile(""))
    assert list(map(glyphs.visible, texts)) == quick
