"""Validation of folder names before a server sees them.

Nothing here may change a name other than normalising its Unicode form and trimming spaces. Standards: RFC 9051 §5.1
(names, hierarchy separators and list wildcards in them), RFC 5198 §2 (Net-Unicode: NFC, no controls).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

from gateway.errors import GatewayError, MailboxExists
from gateway.store.base import Folder

#: Characters of a name: 255 octets of a file name, at up to three per letter in modified UTF-7.
LONGEST: Final = 80
#: Wildcards of LIST.
_WILDCARDS: Final = "%*"
#: Categories of invisible characters: controls, formats, surrogates, line separators.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
#: Code points that will never be characters (Unicode §23.7): these, and the last two of each plane.
_NONCHARACTERS: Final = range(0xFDD0, 0xFDF0)


def _(msgid: str) -> str:
    return msgid


class NameRefused(GatewayError):
    """The name for a folder is not valid; `sign` is a character that it must not contain."""

    status = 400

    def __init__(self, sentence: str, sign: str = "") -> None:
        super().__init__(sentence)
        self.sentence, self.sign = sentence, sign


def validated(typed: str, delimiter: str) -> str:
    """Return the name as sent to the server. Raise NameRefused."""
    name = unicodedata.normalize("NFC", typed).strip()
    if not name:
        raise NameRefused(_("Enter a name first."))
    if len(name) > LONGEST:
        raise NameRefused(_("That name is too long."))
    if any(map(_is_unseen, name)):
        raise NameRefused(_("A name cannot contain invisible characters."))
    for sign in (*delimiter, *_WILDCARDS):
        if sign in name:
            raise NameRefused(_("A name cannot contain %(sign)s"), sign)
    return name


def _is_unseen(letter: str) -> bool:
    code = ord(letter)
    return unicodedata.category(letter) in _UNSEEN or code in _NONCHARACTERS or code & 0xFFFE == 0xFFFE


def must_be_free(folders: Iterable[Folder], namespace: str, path: tuple[str, ...]) -> None:
    """Raise MailboxExists if the name is taken; INBOX is case-insensitive (RFC 9051 §5.1)."""
    inbox = len(path) == 1 and path[0].upper() == "INBOX"
    taken = any(folder.namespace == namespace and folder.path == path and folder.open for folder in folders)
    if taken or inbox:
        raise MailboxExists("taken")
