"""A mail that is taken up again: its text as it was typed, and what stands below it that nobody typed.

Nothing here may take words of a person's for words of ours: what is below the typed text is known by a note of its
length and digest, and where another program has changed it since, all of it counts as typed. Blanks do not count:
flowing a text (RFC 3676) and taking it apart again may change those at the ends of lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from itertools import islice
from typing import Final, NamedTuple

from gateway.message import body
from gateway.message.model import Message, Part

#: Characters of a text that can be taken up; a longer one is cut, and said to be.
LONGEST: Final = 200_000
#: What parts a signature from the text (RFC 3676 §4.3).
SEPARATOR: Final = "-- "

_NOTE: Final = re.compile(r"(\d{1,7})\.(\d{1,5})\.([0-9a-f]{16})")
_BODIES: Final = ("text/plain", "text/html")


class Taken(NamedTuple):
    """A text, apart: what was typed, and below it what was quoted; `signature` is that which stood at the end."""

    typed: str
    quoted: str = ""
    signature: str = ""


def laid_out(typed: str, quoted: str, signature: str) -> str:
    """Put a mail's text together: what is typed, what it is about, who signs (RFC 3676 §4.3)."""
    pieces = [typed.rstrip(), quoted.strip("\n")]
    if signature.strip():
        pieces.append(f"{SEPARATOR}\n{signature.strip()}")
    return "\n\n".join(piece for piece in pieces if piece) + "\n"


def note(quoted: str, signature: str) -> str:
    """Write down what stands below a typed text, so that `take_apart` finds it again; '' for nothing."""
    rest = laid_out("", quoted, signature)
    signed = weight(laid_out("", "", signature))
    return f"{weight(rest)}.{signed}.{_digest(rest)}" if rest.strip() else ""


def take_apart(text: str, written: str) -> Taken:
    """Part a text by the note that was written when it was kept; all is typed where the note is not true any more."""
    match = _NOTE.fullmatch(written.strip())
    if match is None:
        return Taken(text.rstrip())
    whole, below, signed = weight(text), int(match[1]), int(match[2])
    typed = above(text, whole - below)
    rest = text[len(typed) :]
    if below > whole or signed > below or _digest(rest) != match[3]:
        return Taken(text.rstrip())
    quoted = above(rest, below - signed)
    signature = rest[len(quoted) :].strip().removeprefix(SEPARATOR.rstrip()).strip()
    return Taken(typed.rstrip(), quoted.strip("\n"), signature)


def weight(text: str) -> int:
    """Count the characters of a text that are no blanks."""
    return sum(map(len, text.split()))


def above(text: str, count: int) -> str:
    """Return the beginning of a text that has so many characters besides blanks."""
    if count <= 0:
        return ""
    for match in re.finditer(r"\S+", text):
        if count <= len(match[0]):
            return text[: match.start() + count]
        count -= len(match[0])
    return text


def joined(before: str, more: str) -> str:
    """Add a piece to a text; one that was typed in a field without line ends goes on in the same line."""
    more = more.rstrip()
    if not before.strip() or not more.strip():
        return more if more.strip() else before
    gap = "" if more[:1] in " \n" else " "
    return before.rstrip() + gap + more


def _digest(text: str) -> str:
    return sha256("".join(text.split()).encode("utf-8", "replace")).hexdigest()[:16]


def unflowed(lines: Iterable[str], delsp: bool = False) -> Iterator[str]:
    """Take flowed lines together to the paragraphs that they were (RFC 3676 §4.1-4.5)."""
    paragraph, depth = "", -1
    for line in lines:
        text = line.lstrip(">")
        quotes = line[: len(line) - len(text)]
        text = text[1:] if text.startswith(" ") else text
        signs = text == SEPARATOR
        if depth >= 0 and (signs or depth != len(quotes)):
            yield paragraph
            depth = -1
        paragraph = (
            paragraph + text if depth >= 0 else (f"{quotes} {text}" if quotes and text else quotes + text)
        )
        flows = text.endswith(" ") and not signs
        depth = len(quotes) if flows else -1
        if flows and delsp:
            paragraph = paragraph[:-1]
        if not flows:
            yield paragraph
    if depth >= 0:
        yield paragraph


def text_of(part: Part, octets: Callable[[int], Iterator[bytes]]) -> str:
    """Read the text of a text/plain part as it was typed, up to LONGEST characters."""
    pieces: list[str] = []
    length = 0
    for piece in body.text_pieces(part, octets):
        pieces.append(piece.text)
        length += len(piece.text)
        if length > LONGEST:
            break
    text = "".join(pieces)[:LONGEST]
    if part.parameters.get("format", "").strip().lower() == "flowed":
        delsp = part.parameters.get("delsp", "").strip().lower() == "yes"
        text = "\n".join(unflowed(text.split("\n"), delsp))
    return text.rstrip()


def prose(message: Message) -> tuple[Part, ...]:
    """Name the parts of plain text that a person would go on writing in; none where there is only a page."""
    shown = (part for part in _bodies(message.root) if part.media_type == "text/plain")
    return tuple(islice(shown, 10))


def _bodies(root: Part) -> Iterator[Part]:
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if part.media_type.startswith("multipart/"):
            waiting.extend(reversed(part.parts))
        elif part.media_type in _BODIES and part.disposition != "attachment" and not part.filename:
            yield part
