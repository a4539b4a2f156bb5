"""WAP Push: a Service Indication or a Service Loading, its Push PDU, and that PDU as short messages.

A phone that gets a Service Indication shows its text and offers to open its URL; a Service Loading it opens at once.
Nothing here may send anything. WAP-167 (SI), WAP-168 (SL), WAP-230 §8.2.4 (Push), WAP-259 §8 (short messages).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Final, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from gateway.wap.wbxml import WBXMLError, encode
from gateway.wap.wbxml.document_types import SI, SL, DocumentType
from gateway.wap.wbxml.string_table import multibyte

#: UDP and short messages alike: connectionless, not secured (WAP-259 §6, IANA: wap-push). The other is where a WSP
#: server without sessions would be.
PUSH_PORT: Final = 2948
SENDER_PORT: Final = 9200
#: Octets that are enough for anything pushed, so that no table is made.
_ANY: Final = 1 << 20
#: WAP-230 table 34.
_PUSH: Final = 0x06
#: Parameter "charset" with the value UTF-8, both as short integers (WAP-230 §8.4.2.4, tables 38 and 42).
_CHARSET_UTF_8: Final = b"\x81\xea"
#: Octets of user data in a short message of 8-bit data, and what concatenation can count to (3GPP TS 23.040 §9.2.3).
_MESSAGE: Final = 140
_MOST_MESSAGES: Final = 255
#: Information elements (3GPP TS 23.040 §9.2.3.24): 16-bit application ports; concatenation, 8-bit reference.
_PORTS: Final = b"\x05\x04" + PUSH_PORT.to_bytes(2, "big") + SENDER_PORT.to_bytes(2, "big")
_CONCATENATION: Final = b"\x00\x03"


class PushError(ValueError):
    """What is pushed has no valid encoding."""


class PushContentType(Enum):
    """The content type, as the number that WSP has for it (WAP-230 table 40)."""

    INDICATION = 0x2E
    LOADING = 0x30


class ShortMessage(NamedTuple):
    """One short message: its user data header, with its length, and its data."""

    header: bytes
    payload: bytes


def indication(
    url: str,
    text: str,
    *,
    action: str = "signal-medium",
    si_id: str = "",
    created: datetime | None = None,
    expires: datetime | None = None,
) -> bytes:
    """Return a compiled Service Indication.

    `action`: signal-none, signal-low, signal-medium, signal-high or delete. `si_id`: a later one replaces one of the
    same id. Dates with their time zones.
    """
    values = {"href": url, "si-id": si_id, "created": _date(created), "action": action}
    values["si-expires"] = _date(expires)
    return _compiled(SI, f"<si><indication{_written(values)}>{escape(text)}</indication></si>", action)


def loading(url: str, *, action: str = "execute-low") -> bytes:
    """Return a compiled Service Loading. `action`: execute-low, execute-high or cache."""
    return _compiled(SL, f"<sl{_written({'href': url, 'action': action})}/>", action)


def pdu(kind: PushContentType, content: bytes, transaction: int) -> bytes:
    """Return the Push PDU of connectionless WSP. `transaction`: an octet."""
    content_type = bytes([1 + len(_CHARSET_UTF_8), 0x80 | kind.value]) + _CHARSET_UTF_8
    return bytes([transaction, _PUSH]) + multibyte(len(content_type)) + content_type + content


def short_messages(octets: bytes, reference: int) -> list[ShortMessage]:
    """Divide a Push PDU into short messages of 8-bit data. `reference`: an octet, another for each PDU."""
    room = _MESSAGE - 1 - len(_PORTS)
    if len(octets) <= room:
        return [ShortMessage(bytes([len(_PORTS)]) + _PORTS, octets)]
    room -= len(_CONCATENATION) + 3
    payloads = [octets[at : at + room] for at in range(0, len(octets), room)]
    if len(payloads) > _MOST_MESSAGES:
        raise PushError(f"more than {_MOST_MESSAGES} short messages")
    segments = []
    for number, payload in enumerate(payloads, 1):
        elements = _CONCATENATION + bytes([reference, len(payloads), number]) + _PORTS
        segments.append(ShortMessage(bytes([len(elements)]) + elements, payload))
    return segments


def _compiled(doctype: DocumentType, document: str, action: str) -> bytes:
    """Compile a document, without a string table: what reads it in a phone may be simpler than its browser."""
    if ("action", action) not in doctype.starts:
        raise PushError(f"no action of {doctype.root.upper()}: {action!r}")
    try:
        return encode(document, room=_ANY, attribute_references=False)
    except WBXMLError as error:
        raise PushError(error.reason) from None


def _written(values: Mapping[str, str]) -> str:
    return "".join(f" {name}={quoteattr(value)}" for name, value in values.items() if value)


def _date(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""
