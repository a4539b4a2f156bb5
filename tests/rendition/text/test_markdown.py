"""Markdown in mail: marks become blocks and styles; what is not a mark stays as it was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rendition.blocks import Run
from gateway.rendition.text import markdown
from tests.rendition.mails import leaf, read, said


def shown(text: str) -> list[str]:
    return said(read(leaf("1", "text/markdown", text)))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            "# One\n\nTwo\n===\n\nThree\n---\ntext",
            ["heading One", "heading Two", "heading Three", "paragraph text"],
        ),
        ("a\nb  \nc\n\nd", ["paragraph a b\nc", "paragraph d"]),
        ("* a\n  b\n* c\n  1) d", ["item • a b", "item • c", "item 1) d"]),
        ("> a\nb\n\n> > c\n\nd", ["paragraph >a b", "paragraph >>c", "paragraph d"]),
        (
            "x\n\n***\n\n```py\nif a:\n    b\n```\ny",
            ["paragraph x", "rule", "preformatted if a:\n    b", "paragraph y"],
        ),
        ("| A | B |\n|---|:-:|\n| 1 | |\n| 2 | 3 |", ["row A: 1", "row A: 2 · B: 3"]),
        ("2 * 3 * 4, a_b_c, [x], C# and 5 # 6", ["paragraph 2 * 3 * 4, a_b_c, [x], C# and 5 # 6"]),
    ],
)
def test_markdown_becomes_blocks(text: str, lines: list[str]) -> None:
    assert shown(text) == lines


def test_looks_and_links() -> None:
    (block,) = read(
        leaf("1", "text/markdown", r"**a** *b* `c` [d](http://e.example/) [f](javascript:g) \*h\*")
    )
    assert Run("a", strong=True) in block.runs
    assert Run("b", emphasis=True) in block.runs
    assert Run("c", code=True) in block.runs
    assert Run("d", link="http://e.example/") in block.runs
    assert Run("f") in block.runs
    assert block.text == "a b c d f *h*"


@given(st.text("#*_`[]()<>|-=~ \n\\ab1.>", max_size=200))
def test_no_letter_is_lost(text: str) -> None:
    drafts, _cut = markdown.read(text, False)
    for letter in "ab":
        lost = text.count(letter) - "".join(draft.text for draft in drafts).count(letter)
        assert lost <= 0 or any(mark in text for mark in ("](", "```", "~~~", "|"))


def test_too_much_is_told() -> None:
    assert shown("x\n\n" * markdown.LINES_LIMIT)[-1].startswith(
        "note Part 1 (text/markdown) has too many elements"
    )
