"""Resumes a mail: separates the text as it was typed from what the gateway put below it.

Nothing here may take a person's words for the gateway's: what is below the typed text is recognized by a note of its
length and digest, and if another program has changed it since, all of it counts as typed. White space does not count:
flowing a text (RFC 3676) and unflowing it again may change it at the ends of lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from itertools import islice
from typing import Final, NamedTuple

from gateway.message import media_types
from gateway.message.mime import body
from gateway.message.model import Message, Part

#: Characters of a text that can be resumed; a longer one is cut, and reported as cut.
LONGEST: Final = 200_000
#: Separates a signature from the text (RFC 3676 §4.3).
SEPARATOR: Final = "-- "

_NOTE: Final = re.compile(r"(\d{1,7})\.(\d{1,5})\.([0-9a-f]{16})")
_BODIES: Final = (media_types.TEXT, media_types.HTML)


class ResumedText(NamedTuple):
    """The parts of a text: what was typed, the quotation below it, and the signature at the end."""

    typed: str
    quoted: str = ""
    signature: str = ""


def returned_message(root: Part) -> Part | None:
    """Return the mail that a delivery report returns in full (RFC 6522 §3), or None."""
    for report in root.walk():
        if report.media_type != "multipart/report":
            continue
        for part in report.parts:
            whole = part.parts and (part.parts[0].octets or part.parts[0].parts)
            if part.envelope is not None and part.envelope.to and whole:
                return part
    return None


def join_text(typed: str, quoted: str, signature: str) -> str:
    """Put a mail's text together: what was typed, the quotation, the signature (RFC 3676 §4.3)."""
    pieces = [typed.rstrip(), quoted.strip("\n")]
    if signature.strip():
        pieces.append(f"{SEPARATOR}\n{signature.strip()}")
    return "\n\n".join(piece for piece in pieces if piece) + "\n"


def note(quoted: str, signature: str) -> str:
    """Write the note by which `split_text` recognizes what is below a typed text; '' if there is nothing."""
    rest = join_text("", quoted, signature)
    signed = visible_length(join_text("", "", signature))
    return f"{visible_length(rest)}.{signed}.{_digest(rest)}" if rest.strip() else ""


def split_text(text: str, written: str) -> ResumedText:
    """Split a text by the note written when it was kept; if the note no longer matches, all of it is typed."""
    match = _NOTE.fullmatch(written.strip())
    if match is None:
        return ResumedText(text.rstrip())
    whole, below, signed = visible_length(text), int(match[1]), int(match[2])
    typed = visible_prefix(text, whole - below)
    rest = text[len(typed) :]
    if below > whole or signed > below or _digest(rest) != match[3]:
        return ResumedText(text.rstrip())
    quoted = visible_prefix(rest, below - signed)
    signature = rest[len(quoted) :].strip().removeprefix(SEPARATOR.rstrip()).strip()
    return ResumedText(typed.rstrip(), quoted.strip("\n"), signature)


def visible_length(text: str) -> int:
    """Count the characters of a text except whitespace."""
    return sum(map(len, text.split()))


def visible_prefix(text: str, count: int) -> str:
    """Return the beginning of a text with this many characters besides whitespace."""
    if count <= 0:
        return ""
    for match in re.finditer(r"\S+", text):
        if count <= len(match[0]):
            return text[: match.start() + count]
        count -= len(match[0])
    return text


def append_piece(before: str, more: str) -> str:
    """Append a piece to a text; one typed in a field without line breaks continues the same line."""
    more = more.rstrip()
    if not before.strip() or not more.strip():
        return more if more.strip() else before
    gap = "" if more[:1] in " \n" else " "
    return before.rstrip() + gap + more


def _digest(text: str) -> str:
    return sha256("".join(text.split()).encode("utf-8", "replace")).hexdigest()[:16]


def unflowed(lines: Iterable[str], delsp: bool = False) -> Iterator[str]:
    """Join flowed lines into paragraphs (RFC 3676 §4.1-4.5)."""
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


def plain_text_parts(message: Message) -> tuple[Part, ...]:
    """Return the plain text parts that a person would continue in; none if there is only HTML."""
    shown = (part for part in _bodies(message.root) if part.media_type == media_types.TEXT)
    return tuple(islice(shown, 10))


def _bodies(root: Part) -> Iterator[Part]:
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if part.media_type.startswith("multipart/"):
            waiting.extend(reversed(part.parts))
        elif part.media_type in _BODIES and part.disposition != "attachment" and not part.filename:
            yield part
