"""Reads envelopes, from a server's ENVELOPE or from a raw header (RFC 9051 §7.5.2, RFC 5322 §3.6).

Nothing here may raise, whatever a server or a header says: what cannot be read is empty, and a defect.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from gateway.message.headers import address_lists, dates
from gateway.message.headers import header_fields as headers
from gateway.message.model import HEADER_FIELDS, Address, Envelope

_ENVELOPE: Final = (
    "date", "subject", "from_", "sender", "reply_to", "to", "cc", "bcc", "in_reply_to", "message_id",
)  # fmt: skip
_LISTS: Final = ("from", "sender", "reply-to", "to", "cc", "bcc")
_ADDRESS: Final = ("name", "route", "mailbox", "host")


def envelope(raw: object) -> tuple[Envelope, list[str]]:
    """Read ENVELOPE: a sequence of ten, or an object with the attributes of imapclient."""
    values = items(raw, _ENVELOPE)
    if len(values) < len(_ENVELOPE):
        return Envelope(), ["envelope: unreadable"]
    when, defects = _date(values[0])
    lists: list[tuple[Address, ...]] = []
    for name, value in zip(_ENVELOPE[2:8], values[2:8], strict=True):
        found, more = _addresses(value)
        lists.append(found)
        if more:
            defects.append(_more(name, more))
    subject, in_reply_to, message_id = (headers.decode(octets(values[at])) for at in (1, 8, 9))
    from_, sender, reply_to, to, cc, bcc = lists
    return Envelope(subject, when, from_, sender, reply_to, to, cc, bcc, in_reply_to, message_id), defects


def _more(name: str, count: int) -> str:
    return f"{name.strip('_').replace('_', '-')}: {count} more"


def left_out(defects: Iterable[str], names: Iterable[str]) -> int:
    """Return how many addresses of these fields were left out, according to the defects of a message."""
    begin = "|".join(map(re.escape, names))
    found = (re.fullmatch(rf"(?:{begin}): (\d{{1,9}}) more", one) for one in defects)
    return sum(int(match[1]) for match in found if match is not None)


def _date(value: object) -> tuple[datetime | None, list[str]]:
    if isinstance(value, datetime):
        value = value if value.tzinfo else value.replace(tzinfo=UTC)
        return (value, []) if value.year in dates.YEARS else dates.parse(value.isoformat())
    return dates.parse(value if isinstance(value, (bytes, str)) else None)


def _addresses(value: object) -> tuple[tuple[Address, ...], int]:
    """Read an address list; the entries that begin and end a group have no host and are skipped."""
    found: list[Address] = []
    more = 0
    for entry in value if isinstance(value, (tuple, list)) else ():
        name, _, mailbox, host = (*items(entry, _ADDRESS), None, None, None, None)[:4]
        if host is None and name is None:
            continue
        if len(found) >= address_lists.ADDRESS_LIMIT:
            more += 1
            continue
        local, domain = (headers.clean(headers.decode(octets(part))) for part in (mailbox, host))
        # QUIRK: Dovecot writes this where an address has no local part or no domain.
        local = "" if local == "MISSING_MAILBOX" else local
        domain = "" if domain in ("MISSING_DOMAIN", ".MISSING-HOST-NAME.") else domain
        spec = f"{local}@{domain}" if domain else local
        address = address_lists.make(octets(name), spec)
        if address.name or address.spec:
            found.append(address)
    return tuple(found), more


def header_fields(octets: bytes, label: str = "") -> dict[str, str]:
    """Decode the header fields that a message keeps, the first of each name; `label`: the charset of the body."""
    found: dict[str, str] = {}
    for name, value in headers.fields(octets)[0]:
        if name in HEADER_FIELDS and name not in found:
            found[name] = headers.decode(headers.in_charset(value, label))
    return found


def envelope_from_header(octets: bytes, label: str = "") -> tuple[Envelope, list[str]]:
    """Read the envelope from a raw header; `label`: the charset of the body."""
    found, defects = headers.fields(octets)
    raw: dict[str, bytes] = {}
    for name, raw_value in found:
        value = headers.in_charset(raw_value, label)
        if name in _LISTS and raw.get(name):
            raw[name] += b", " + value  # a repeated field is read as one, as servers do
        else:
            raw.setdefault(name, value)
    when, wrong = dates.parse(raw.get("date"))
    defects += wrong
    lists: dict[str, tuple[Address, ...]] = {}
    for name in _LISTS:
        lists[name], more = address_lists.parse(raw.get(name, b""))
        if more:
            defects.append(_more(name, more))
    made = Envelope(
        subject=headers.decode(raw.get("subject", b"")),
        date=when,
        from_=lists["from"],
        sender=lists["sender"] or lists["from"],
        reply_to=lists["reply-to"] or lists["from"],
        to=lists["to"],
        cc=lists["cc"],
        bcc=lists["bcc"],
        in_reply_to=headers.decode(raw.get("in-reply-to", b"")),
        message_id=headers.decode(raw.get("message-id", b"")),
    )
    return made, defects


def items(value: object, names: tuple[str, ...]) -> list[Any]:
    """Return a sequence, or the named attributes of an object, as a list; [] for anything else."""
    if isinstance(value, (tuple, list)):
        return list(value)
    return [getattr(value, name, None) for name in names] if hasattr(value, names[0]) else []


def octets(value: object) -> bytes:
    """Return whatever a server sent for a string as octets."""
    if isinstance(value, bytes):
        return value[: headers.FIELD_LIMIT]
    if isinstance(value, (str, int)):
        return str(value).encode("utf-8", "replace")[: headers.FIELD_LIMIT]
    return b""
