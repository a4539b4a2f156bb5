"""Envelopes: from a server's ENVELOPE, or from a raw header, to one value (RFC 9051 §7.5.2, RFC 5322 §3.6).

Nothing here may raise for whatever a server or a header says: what cannot be read is empty, and a defect.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from gateway.message import addresses, dates, headers
from gateway.message.model import Address, Envelope

#: The header fields that `Message.headers` holds where a message has them.
FIELDS: Final = (
    "references",
    "mail-followup-to",
    "mail-reply-to",
    "list-id",
    "list-post",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "auto-submitted",
    "precedence",
    "importance",
    "x-priority",
)
#: Fields of one header that `header_fields` decodes; honest mail has about fifty.
FIELD_COUNT: Final = 500

_ENVELOPE: Final = (
    "date", "subject", "from_", "sender", "reply_to", "to", "cc", "bcc", "in_reply_to", "message_id",
)  # fmt: skip
_LISTS: Final = ("from", "sender", "reply-to", "to", "cc", "bcc")
_ADDRESS: Final = ("name", "route", "mailbox", "host")


def envelope(raw: object) -> tuple[Envelope, list[str]]:
    """Read ENVELOPE: a sequence of ten, or an object with the attributes that imapclient uses."""
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


def _date(value: object) -> tuple[datetime | None, list[str]]:
    if isinstance(value, datetime):
        value = value if value.tzinfo else value.replace(tzinfo=UTC)
        return (value, []) if value.year in dates.YEARS else dates.parse(value.isoformat())
    return dates.parse(value if isinstance(value, (bytes, str)) else None)


def _addresses(value: object) -> tuple[tuple[Address, ...], int]:
    """Read an address list; the entries that begin and end a group have no host, and are none."""
    found: list[Address] = []
    more = 0
    for entry in value if isinstance(value, (tuple, list)) else ():
        name, _, mailbox, host = (*items(entry, _ADDRESS), None, None, None, None)[:4]
        if host is None and name is None:
            continue
        if len(found) >= addresses.ADDRESS_LIMIT:
            more += 1
            continue
        local, domain = (headers.clean(headers.decode(octets(part))) for part in (mailbox, host))
        # QUIRK: Dovecot says so in words where an address has no local part or no domain.
        local = "" if local == "MISSING_MAILBOX" else local
        domain = "" if domain in ("MISSING_DOMAIN", ".MISSING-HOST-NAME.") else domain
        spec = f"{local}@{domain}" if domain else local
        address = addresses.make(octets(name), spec)
        if address.name or address.spec:
            found.append(address)
    return tuple(found), more


def header_fields(octets: bytes) -> dict[str, str]:
    """Decode a header's fields by lower-case name, the first of each name."""
    found: dict[str, str] = {}
    for name, value in headers.fields(octets)[0]:
        if name not in found and len(found) < FIELD_COUNT:
            found[name] = headers.decode(value)
    return found


def envelope_from_header(octets: bytes) -> tuple[Envelope, list[str]]:
    """Make of a raw header what a server's ENVELOPE would say."""
    found, defects = headers.fields(octets)
    raw: dict[str, bytes] = {}
    for name, value in found:
        if name in _LISTS and raw.get(name):
            raw[name] += b", " + value  # a field that is there twice is read as one, as servers do
        else:
            raw.setdefault(name, value)
    when, wrong = dates.parse(raw.get("date"))
    defects += wrong
    lists: dict[str, tuple[Address, ...]] = {}
    for name in _LISTS:
        lists[name], more = addresses.parse(raw.get(name, b""))
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
    """Take a sequence, or the named attributes of an object, as a list; [] for what is neither."""
    if isinstance(value, (tuple, list)):
        return list(value)
    return [getattr(value, name, None) for name in names] if hasattr(value, names[0]) else []


def octets(value: object) -> bytes:
    """Take what a server may have sent for a string as octets."""
    if isinstance(value, bytes):
        return value[: headers.FIELD_LIMIT]
    if isinstance(value, (str, int)):
        return str(value).encode("utf-8", "replace")[: headers.FIELD_LIMIT]
    return b""
