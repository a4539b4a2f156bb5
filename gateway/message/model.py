"""The values of a message: envelope, parts, defects.

Nothing here may know how a message was fetched or how it will be shown. Terms: RFC 5322 (header fields), RFC 2045
(part, parameter, encoding), RFC 2183 (disposition), RFC 9051 §2.2, §6.4.5 (section numbers, ENVELOPE, BODYSTRUCTURE).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Final

#: The largest number of a message, a UID or a UIDVALIDITY (RFC 9051 §9).
MAX_NUMBER: Final = 0xFFFFFFFF
#: The largest UID in any store: a store without numbers of its own makes them from digests.
MAX_UID: Final = (1 << 48) - 1
UID_DIGITS: Final = len(str(MAX_UID))
#: The header fields of a message that are fetched, whatever its store, besides those of its envelope.
HEADER_FIELDS: Final = (
    "references",
    "mail-followup-to",
    "list-post",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "auto-submitted",
    "precedence",
)


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox of an address list: decoded display name and addr-spec, either may be empty."""

    name: str = ""
    spec: str = ""

    @property
    def label(self) -> str:
        """The display name if there is one, else the addr-spec."""
        return self.name or self.spec


@dataclass(frozen=True, slots=True)
class Envelope:
    """The header fields of RFC 9051 ENVELOPE, decoded; `date` is aware or None."""

    subject: str = ""
    date: datetime | None = None
    from_: tuple[Address, ...] = ()
    sender: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    in_reply_to: str = ""
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One entity of the MIME tree.

    `section` is the part specifier that fetches its body ("1.2"; "" for the root multipart, "1" for the body
    of a message that is one part). `media_type` is lower case "type/subtype". `octets` counts the body in its
    transfer encoding. `envelope` is set for message/rfc822, whose only child is the embedded body.
    """

    section: str
    media_type: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    encoding: str = "7bit"
    octets: int = 0
    disposition: str = ""
    disposition_parameters: Mapping[str, str] = field(default_factory=dict)
    content_id: str = ""
    description: str = ""
    parts: tuple[Part, ...] = ()
    envelope: Envelope | None = None

    @property
    def filename(self) -> str:
        """The sender's file name, decoded, from Content-Disposition or Content-Type, or ''."""
        return self.disposition_parameters.get("filename", "") or self.parameters.get("name", "")

    @property
    def maintype(self) -> str:
        return self.media_type.partition("/")[0]

    def walk(self) -> Iterator[Part]:
        """Yield this part and all below it, in order, without recursion."""
        waiting = [self]
        while waiting:
            part = waiting.pop()
            yield part
            waiting.extend(reversed(part.parts))


class Bound(Enum):
    """A limit that left something out."""

    PARTS = auto()
    DEPTH = auto()
    HEADER = auto()
    END = auto()
    MESSAGE = auto()


class Gap(str):
    """A defect that left something out: its token, and what is missing, to be put into words in any language.

    PARTS: `part` is the first one left out, of `parts` in total (0: not counted). DEPTH: `part` is what was not opened.
    HEADER: the rest of the fields `names` is missing, or of the whole header if there are none. END: everything but its
    beginning. MESSAGE: all of it.
    """

    __slots__ = ("bound", "names", "part", "parts")
    bound: Bound
    part: Part | None
    parts: int
    names: str

    def __new__(
        cls, token: str, bound: Bound, part: Part | None = None, parts: int = 0, names: str = ""
    ) -> Gap:
        made = super().__new__(cls, token)
        made.bound, made.part, made.parts, made.names = bound, part, parts, names
        return made


@dataclass(frozen=True, slots=True)
class Message:
    """A message as far as it has been read: never a body, which is fetched by section.

    `headers` has those of HEADER_FIELDS that are present, decoded, by lower-case name. `defects` are short
    English tokens for what was wrong ("date: unparsable"); those that left something out are Gaps.
    """

    envelope: Envelope
    root: Part
    flags: frozenset[str] = frozenset()
    received: datetime | None = None
    octets: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    defects: tuple[str, ...] = ()

    @property
    def readable(self) -> bool:
        """Whether anything of it could be read."""
        return not any(isinstance(defect, Gap) and defect.bound is Bound.MESSAGE for defect in self.defects)

    def header(self, name: str) -> str:
        """Return one of HEADER_FIELDS, '' if absent. Raise KeyError for a field that is never fetched."""
        if name not in HEADER_FIELDS:
            raise KeyError(name)
        return self.headers.get(name, "")
