"""vCards: read from anybody's files, written so that every program can read them (RFC 6350, RFC 2426, vCard 2.1).

Nothing here may raise, whatever a file contains, or take more than linear time. Only what a handheld's address book
keeps is read of a card: name, mail addresses, telephone numbers, organization, note.
"""

from __future__ import annotations

import re
from binascii import a2b_qp
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.message.charset import decoding
from gateway.message.headers import address_lists, header_fields

#: Octets of a file that are read, and cards of it that are kept.
FILE_LIMIT: Final = 2 * 1024 * 1024
CARD_LIMIT: Final = 1000
#: Characters of a name or an organization, of a note, of an address or a number; and how many addresses or numbers.
NAME: Final = 60
NOTE: Final = 200
ENTRY: Final = 128
ENTRIES: Final = 5
#: Octets of a line that is written (RFC 2426 §2.6), without its end.
_LINE: Final = 75
#: Characters of a value that are read; pictures are longer.
_VALUE: Final = 4000

_LINES: Final = re.compile(r"\r\n|\r|\n")
_PROPERTY: Final = re.compile(
    r"""[ \t]*(?:[A-Za-z0-9-]++\.)?([A-Za-z0-9-]++)((?:;(?:[^":;]++|"[^"]*+")*+)*+):(.*+)""", re.DOTALL
)
_PARAMETER: Final = re.compile(r';((?:[^";]++|"[^"]*+")++)')
_QP: Final = re.compile(r"(?i);(?:encoding=)?\"?quoted-printable")
_BASE64: Final = re.compile(r"(?i);(?:encoding=)?\"?(?:b|base64)\"?(?=[;:]|\Z)")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Card:
    """One person; the first address and the first number are the preferred ones."""

    name: str = ""
    addresses: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    organisation: str = ""
    note: str = ""

    def __bool__(self) -> bool:
        return bool(self.addresses or self.phones)


@dataclass(slots=True)
class _Reading:
    """A card while it is being read; `names` by preference."""

    old: bool = False
    names: dict[str, str] = field(default_factory=dict)
    mails: list[tuple[bool, str]] = field(default_factory=list)
    phones: list[tuple[bool, str]] = field(default_factory=list)
    organisation: str = ""
    note: str = ""


def normalized(card: Card) -> Card:
    """Return a card as it is kept: cleaned, shortened, and without malformed addresses."""
    mails = [spec.strip() for spec in card.addresses]
    once = {
        spec.lower(): spec for spec in reversed(mails) if address_lists.valid(spec) and len(spec) <= ENTRY
    }
    phones = (header_fields.clean(number)[:ENTRY].strip() for number in card.phones)
    lines = (header_fields.clean(line) for line in _LINES.split(card.note))
    return Card(
        header_fields.clean(card.name)[:NAME].strip(),
        tuple(reversed(once.values()))[:ENTRIES],
        tuple(dict.fromkeys(filter(None, phones)))[:ENTRIES],
        header_fields.clean(card.organisation)[:NAME].strip(),
        "\n".join(lines).strip()[:NOTE].strip(),
    )


def parse(octets: bytes) -> tuple[list[Card], int, int]:
    """Parse a file: the cards with an address or a number, how many there are without, and how many too many."""
    cards: list[Card] = []
    others = beyond = depth = 0
    reading = _Reading()
    for name, parameters, value in properties(_text(octets[:FILE_LIMIT])):
        if name == "BEGIN" and value.strip().upper() == "VCARD":
            depth += 1  # a card inside a card is somebody's secretary (vCard 2.1 §2.4.2)
            reading = _Reading() if depth == 1 else reading
        elif name == "END" and value.strip().upper() == "VCARD" and depth:
            depth -= 1
            card = _card(reading) if not depth else None
            if card and len(cards) < CARD_LIMIT:
                cards.append(card)
            elif card:
                beyond += 1
            elif card is not None:
                others += 1
        elif depth == 1:
            _take(reading, name, parameters, value)
    return cards, others, beyond


def _text(octets: bytes) -> str:
    if octets.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = octets.decode("utf-16", "replace")
    else:
        text = decoding.decode(octets.removeprefix(b"\xef\xbb\xbf"))[0]
    return text.replace("\0", "").replace("\1", "")  # see _parts


def properties(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield the upper-case name, parameters and value of each property except pictures, unfolded and decoded."""
    for line in _unfolded(_LINES.split(text)):
        match = _PROPERTY.match(line)
        if match is None or _BASE64.search(match[2]):
            continue
        value = match[3][:_VALUE]
        if _QP.search(match[2]):
            value = _decoded(value, match[2])
        yield match[1].upper(), match[2], value


def _unfolded(lines: Iterable[str]) -> Iterator[str]:
    """Join continuation lines: by a leading space (RFC 6350 §3.2), in quoted-printable by a trailing "="."""
    held: list[str] = []
    quoted = soft = False
    for line in lines:
        if soft:
            held[-1] = held[-1][:-1]
            held.append(line)
        elif held and line[:1] in (" ", "\t"):
            # vCard 2.1 §2.1.3 keeps the space; no program that writes it does, and names have no spaces to
            # lose.
            held.append(line[1:])
        else:
            if held:
                yield "".join(held)
            held = [line]
            quoted = _QP.search(line[:_VALUE].partition(":")[0]) is not None
        soft = quoted and line.endswith("=")
    yield "".join(held)


def _decoded(value: str, parameters: str) -> str:
    octets = a2b_qp(value.encode("utf-8", "replace"))
    label = next((one[8:] for one in _parameters(parameters) if one.upper().startswith("CHARSET=")), "")
    return decoding.decode(octets, label)[0]


def _parameters(written: str) -> list[str]:
    return [one.replace('"', "") for one in _PARAMETER.findall(written)]


def _take(reading: _Reading, name: str, parameters: str, value: str) -> None:
    preferred = any(
        "PREF" in one.upper().partition("=")[2].split(",") or one.upper() in ("PREF", "PREF=1")
        for one in _parameters(parameters)
    )
    match name:
        case "VERSION":
            reading.old = value.strip() == "2.1"
        case "FN":
            reading.names.setdefault("FN", _plain(value, reading.old))
        case "N":
            parts = [_plain(part, reading.old) for part in _parts(value)] + [""] * 3
            said = (parts[1], parts[2], parts[0])
            reading.names.setdefault("N", " ".join(filter(None, map(str.strip, said))))
        case "EMAIL":
            spec = re.sub(r"(?i)\Amailto:", "", _plain(value, reading.old).strip())
            reading.mails.append((not preferred, spec))
        case "TEL":
            number = re.sub(
                r"(?i)\Atel:([^;]*).*", r"\1", _plain(value, reading.old).strip(), flags=re.DOTALL
            )
            reading.phones.append((not preferred, number))
        case "ORG":
            organisation = ", ".join(
                _plain(part, reading.old).strip() for part in _parts(value) if part.strip()
            )
            reading.organisation = reading.organisation or organisation
        case "NOTE":
            reading.note = reading.note or _plain(value, reading.old)


def _parts(value: str) -> list[str]:
    """Split a compound value at unescaped semicolons."""
    return [part.replace("\0", "\\;") for part in value.replace("\\\\", "\1").replace("\\;", "\0").split(";")]


def _plain(value: str, old: bool) -> str:
    """Unescape a value; vCard 2.1 §2.1.2 has fewer escapes, and none for line breaks."""
    value = value.replace("\1", "\\\\")
    return _ESCAPED.sub(lambda match: "\n" if match[1] in "nN" and not old else _meant(match[1]), value)


def _meant(sign: str) -> str:
    return sign if sign in "\\;,:" else "\\" + sign


def _card(reading: _Reading) -> Card:
    mails = [spec for _, spec in sorted(reading.mails, key=lambda one: one[0])]
    phones = [number for _, number in sorted(reading.phones, key=lambda one: one[0])]
    name = reading.names.get("FN", "").strip() or reading.names.get("N", "") or reading.organisation
    return normalized(Card(name, tuple(mails), tuple(phones), reading.organisation, reading.note))


def write(cards: Sequence[Card]) -> bytes:
    """Write a vCard 3.0 file, which phones and programs of all ages read (RFC 2426)."""
    return b"".join(folded(line) for card in cards for line in _lines(card))


def _lines(card: Card) -> Iterator[str]:
    first, _, last = card.name.rpartition(" ")
    yield "BEGIN:VCARD"
    yield "VERSION:3.0"
    yield f"N:{_escaped(last)};{_escaped(first)};;;"
    yield f"FN:{_escaped(card.name)}"
    yield from (f"EMAIL;TYPE=INTERNET:{_escaped(spec)}" for spec in card.addresses)
    yield from (f"TEL:{_escaped(number)}" for number in card.phones)
    if card.organisation:
        yield f"ORG:{_escaped(card.organisation)}"
    if card.note:
        yield f"NOTE:{_escaped(card.note)}"
    yield "END:VCARD"


def _escaped(text: str) -> str:
    return re.sub(r"([\\;,])", r"\\\1", text).replace("\n", "\\n")


def folded(line: str) -> bytes:
    """Write a line folded between characters (RFC 6350 §3.2, RFC 5545 §3.1)."""
    octets = line.encode("utf-8", "replace")
    out: list[bytes] = []
    while len(octets) > _LINE:
        cut = _LINE
        while octets[cut] & 0xC0 == 0x80:
            cut -= 1
        out.append(octets[:cut])
        octets = b" " + octets[cut:]
    return b"\r\n".join((*out, octets)) + b"\r\n"
