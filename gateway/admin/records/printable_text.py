"""Texts of others, made fit for a page and for a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """Replace what is no visible sign: line ends, escape sequences, what XML has no place for."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
