"""The limits for reading documents: what a stranger's file may cost; and the error for exceeding them.

Nothing here may read a document. Sizes are those of files and of what they unpack to; time and memory are limited
where documents are read, in `confined`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.rendition.blocks import Block, Kind, Run
from gateway.rendition.context import Context


def _(msgid: str) -> str:
    return msgid


#: Octets of the largest document that is read: mail providers accept 25 MB of base64, which is 18 MB of file.
OCTETS_LIMIT: Final = 20 * 1024 * 1024
#: Pages of a PDF, rows of all sheets together, columns of a sheet.
PAGES_LIMIT: Final = 200
ROWS_LIMIT: Final = 5000
COLUMNS_LIMIT: Final = 100
#: Characters of one cell that are read out.
CELL_LIMIT: Final = 500
#: Blocks of one leaf (a page of a PDF, a sheet, or the whole of any other document).
BLOCKS_LIMIT: Final = 20_000
#: Octets that one XML part, or one entry of a ZIP, may unpack to.
UNPACKED_LIMIT: Final = 32 * 1024 * 1024
#: Octets that a workbook may unpack to in total: the library reads it as a whole.
WORKBOOK_LIMIT: Final = 64 * 1024 * 1024
#: The ratio of unpacked to packed octets above which a ZIP entry is a bomb; Deflate's maximum is 1032 (RFC 1951).
RATIO_LIMIT: Final = 400
#: Entries of a ZIP, read and listed.
ENTRIES_LIMIT: Final = 5000
#: Elements of an XML part, and its depth: a paragraph of a word processor takes about fifteen, and never this depth.
ELEMENTS_LIMIT: Final = 200_000
DEPTH_LIMIT: Final = 200

UNKNOWN: Final = _("Files of this kind cannot be shown here.")
NO_READER: Final = _("This gateway is not equipped to show files of this kind.")
DAMAGED: Final = _("This file is damaged and cannot be shown.")
PROTECTED: Final = _("This file is protected by a password.")
TOO_LARGE: Final = _("This file is too large to be shown here.")
TOO_LONG: Final = _("This file takes too long to read.")
BUSY: Final = _("Too many files are being read just now. Please try again.")
NO_TEXT: Final = _("This document contains pictures of pages, but no text.")
EMPTY: Final = _("This document is empty.")
CUT: Final = _("The document is too long and is cut here. The rest is in the original.")
BROKEN: Final = _("The rest cannot be read here. It is in the original.")


class DocumentError(ValueError):
    """A document that cannot be shown; `sentence` is the msgid that says why, `detail` is for the log."""

    def __init__(self, sentence: str, detail: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.detail = detail


def note(context: Context, msgid: str, said: Mapping[str, object] | None = None) -> Block:
    """Return a note: our own words, with values filled in."""
    text = context.translate(msgid)
    return Block(Kind.NOTE, (Run(text % said if said else text),))
