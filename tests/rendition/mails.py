"""Messages for the tests of rendition: parts in memory, and a count of the octets that were pulled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gateway.message.model import Envelope, Message, Part
from gateway.rendition import Context, render
from gateway.rendition.blocks import Block, Position

PIECE = 4096


class Bodies:
    """Octets by section, as a store gives them."""

    def __init__(self, bodies: dict[str, bytes]) -> None:
        self.bodies = bodies
        self.pulled = 0
        self.calls: list[tuple[str, int]] = []

    def __call__(self, section: str, start: int) -> Iterator[bytes]:
        self.calls.append((section, start))
        body = self.bodies[section]
        for at in range(start, len(body), PIECE):
            self.pulled += len(body[at : at + PIECE])
            yield body[at : at + PIECE]


def leaf(
    section: str, media_type: str, body: bytes | str = b"", **more: object
) -> tuple[Part, dict[str, bytes]]:
    octets = body.encode() if isinstance(body, str) else body
    parameters = {"charset": "utf-8"} | dict(more.pop("parameters", {}))  # type: ignore[call-overload]
    part = Part(section, media_type, parameters, "8bit", len(octets))
    return replace(part, **more), {section: octets}  # type: ignore[arg-type]


def tree(media_type: str, *parts: tuple[Part, dict[str, bytes]], section: str = "", **more: object):
    bodies: dict[str, bytes] = {}
    for _part, inner in parts:
        bodies |= inner
    return Part(section, media_type, parts=tuple(part for part, _inner in parts), **more), bodies  # type: ignore


def mail(
    made: tuple[Part, dict[str, bytes]], subject: str = "", **envelope: object
) -> tuple[Message, Bodies]:
    part, bodies = made
    return Message(Envelope(subject=subject, **envelope), part), Bodies(bodies)  # type: ignore[arg-type]


def read(
    made: tuple[Part, dict[str, bytes]],
    context: Context | None = None,
    start: Position | None = None,
    subject: str = "",
) -> list[Block]:
    message, bodies = mail(made, subject)
    return list(render(message, context or Context(), bodies, start))


def text_of(
    text: str | bytes, context: Context | None = None, subject: str = "", **parameters: str
) -> list[Block]:
    return read(leaf("1", "text/plain", text, parameters=parameters), context, subject=subject)


def html_of(html: str | bytes, context: Context | None = None, subject: str = "") -> list[Block]:
    return read(leaf("1", "text/html", html), context, subject=subject)


def said(blocks: list[Block]) -> list[str]:
    """Write each block as one line: kind, quotation, marker, text."""
    return [
        f"{block.kind.name.lower()} {'>' * block.quote}{block.marker}{' ' * bool(block.marker)}{block.text}".rstrip()
        for block in blocks
    ]
