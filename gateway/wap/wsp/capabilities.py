"""Capabilities: what a client proposes for its session, and what a server answers.

Nothing here may answer what was not proposed, or more than was proposed. WAP-230 §8.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.wap.wsp.assigned import Capability
from gateway.wap.wsp.header_parameters import latin_1
from gateway.wap.wsp.octets import SHORT, TEXT, Cursor, integer, text_string, uintvar

#: Octets of an SDU that was not negotiated. WAP-230 §8.3.3.
DEFAULT_SDU: Final = 1400
#: Outstanding methods and pushes that were not negotiated. WAP-230 §8.3.3.
DEFAULT_MOR: Final = 1

# Protocol options. WAP-230 §8.3.2.3.
CONFIRMED_PUSH: Final = 0x80
PUSH: Final = 0x40
RESUME: Final = 0x20
ACKNOWLEDGEMENT_HEADERS: Final = 0x10
LARGE_DATA: Final = 0x08

#: A capability's identifier (a text if it is not a number) and its parameters as octets.
Proposal = tuple[int | str, bytes]


def read_capabilities(octets: bytes, start: int = 0) -> tuple[Proposal, ...]:
    """Read capabilities, in order; raise WSPError."""
    cursor = Cursor(octets, start)
    found: list[Proposal] = []
    while cursor.left:
        one = cursor.part(cursor.uintvar())
        if not one.left:
            continue
        first = one.peek()
        if TEXT <= first < SHORT:
            found.append((latin_1(one.text()), one.rest()))
        else:
            found.append((one.octet() & 0x7F if first >= SHORT else one.integer(), one.rest()))
    return tuple(found)


def write_capabilities(capabilities: Sequence[Proposal]) -> bytes:
    """Write capabilities."""
    out = b""
    for identifier, parameters in capabilities:
        name = (
            text_string(identifier.encode("latin-1")) if isinstance(identifier, str) else integer(identifier)
        )
        out += uintvar(len(name + parameters)) + name + parameters
    return out


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds in a session. SDUs are in octets, 0 for no limit; `methods`: outstanding at a time."""

    client_sdu: int = DEFAULT_SDU
    server_sdu: int = DEFAULT_SDU
    options: int = 0
    methods: int = DEFAULT_MOR
    pushes: int = DEFAULT_MOR

    @property
    def can_resume(self) -> bool:
        """Whether the session may be suspended and resumed."""
        return bool(self.options & RESUME)


def least(proposed: int, supported: int) -> int:
    """Return the smaller of two sizes, where 0 means no limit."""
    return min(filter(None, (proposed, supported)), default=0)


#: The capabilities that have a value, as the fields of `Terms`.
_TERMS: Final = {
    Capability.CLIENT_SDU: "client_sdu", Capability.SERVER_SDU: "server_sdu", Capability.PROTOCOL_OPTIONS: "options",
    Capability.METHOD_MOR: "methods", Capability.PUSH_MOR: "pushes",
}  # fmt: skip
_SIZES: Final = (Capability.CLIENT_SDU, Capability.SERVER_SDU)


def negotiate(proposals: Sequence[Proposal], supported: Terms) -> tuple[Terms, tuple[Proposal, ...]]:
    """Return the terms of a session, and the capabilities to answer.

    If a capability is proposed several times, the first counts: it is the preferred one. An unknown capability is
    answered without parameters (WAP-230 §8.3.1); so are code pages and extended methods, none of which are supported.
    Aliases are only information, and are not answered. A value without meaning is ignored.
    """
    agreed: dict[str, int] = {}
    answers: list[Proposal] = []
    seen: set[int | str] = {Capability.ALIASES}
    for identifier, octets in proposals:
        if identifier in seen:
            continue
        seen.add(identifier)
        if identifier in _TERMS:
            kind = Capability(identifier)
            value = _agreed(kind, octets, supported)
            if value is not None:
                agreed[_TERMS[kind]] = value
                answers.append((kind, uintvar(value) if kind in _SIZES else bytes((value,))))
        elif identifier not in (Capability.CLIENT_MESSAGE, Capability.SERVER_MESSAGE):
            answers.append((identifier, b""))
    return Terms(**agreed), tuple(answers)


def _agreed(kind: Capability, octets: bytes, supported: Terms) -> int | None:
    """Return the value of a capability that both sides accept; None if none is proposed."""
    most: int = getattr(supported, _TERMS[kind])
    if kind in _SIZES:
        size = _size(octets)
        return None if size is None else least(size, most)
    if not octets:
        return None
    return octets[0] & most if kind is Capability.PROTOCOL_OPTIONS else min(octets[0], most)


def _size(octets: bytes) -> int | None:
    """Read a size, which is one uintvar; None if it is anything else."""
    try:
        return Cursor(octets).uintvar()
    except ValueError:
        return None
