"""Text from others, made safe for a page and for a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """Replace what is not a visible character: line ends, escape sequences, characters that XML does not allow."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
