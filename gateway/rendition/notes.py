"""Notes: sentences about parts that were left out or cut, so that a person knows which ones and can get them.

Nothing here may say "some part": each sentence has the section number (RFC 9051 §6.4.5) and the file name or type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from gateway.message.headers import header_fields
from gateway.message.model import Bound, Gap, Message, Part

Say = Callable[[str], str]

#: Characters of a section number and of a file name; the middle of longer ones is left out.
SECTION_LIMIT: Final = 16
NAME_LIMIT: Final = 40


def _(msgid: str) -> str:
    return msgid


CUT: Final = _("Part %(part)s is cut at %(size)s KB. The rest is in the original.")
MANY_BLOCKS: Final = _("Part %(part)s has too many elements and is cut. The rest is in the original.")
RECORDS: Final = _("Not all of part %(part)s is shown. The rest is in the original.")
EMPTY: Final = _("The rest of part %(part)s, after many empty lines, was left out.")
DEEP: Final = _("The contents of part %(part)s are left out: they are nested too deeply.")
ENCRYPTED: Final = _("This message is encrypted. It cannot be read here.")
PARTS: Final = _("Too many parts: part %(part)s and what follows it are left out.")
PARTS_COUNTED: Final = _("Too many parts: %(count)s are left out, from part %(part)s on.")
PARTS_MORE: Final = _("Too many parts: %(count)s more are left out.")
HEADER: Final = _("The header is too long: the rest of it is left out.")
ENDLESS: Final = _("The message is too large: only its beginning is here.")
UNREADABLE: Final = _("The mail server cannot say what is in this message.")
FIELD: Final = _("The header is too long: the rest of %(field)s is left out.")


def part_name(part: Part) -> str:
    """Name a part in a few characters: "2.1 (report.html)", or with its type if it has no name."""
    name = header_fields.clean(part.filename) or part.media_type
    section = _shortened(part.section.removesuffix(".TEXT"), SECTION_LIMIT)
    name = _shortened(name, NAME_LIMIT)
    return f"{section} ({name})" if section else f"({name})"


def about(say: Say, msgid: str, part: Part, octets: int = 0) -> str:
    """Return one of the sentences above for a part; `octets`: where the part is cut."""
    return say(msgid) % {"part": part_name(part), "size": octets // 1024}


def gap(say: Say, found: Gap) -> str:
    """Return the sentence about what a limit left out of a message."""
    if found.bound is Bound.HEADER:
        return say(FIELD) % {"field": found.names} if found.names else say(HEADER)
    if found.bound is Bound.END:
        return say(ENDLESS)
    if found.bound is Bound.MESSAGE:
        return say(UNREADABLE)
    if found.part is None:
        return say(PARTS_MORE) % {"count": found.parts}
    if found.bound is Bound.DEPTH:
        return about(say, DEEP, found.part)
    return say(PARTS_COUNTED if found.parts else PARTS) % {
        "part": part_name(found.part),
        "count": found.parts,
    }


def gaps(message: Message) -> Iterator[Gap]:
    """Yield the defects of a message that mean that something is missing."""
    return (defect for defect in message.defects if isinstance(defect, Gap))


def _shortened(text: str, limit: int) -> str:
    """Leave out the middle of a text that is too long: both ends say more."""
    if len(text) <= limit:
        return text
    return f"{text[: limit // 2]}…{text[-(limit // 2 - 1) :]}"
