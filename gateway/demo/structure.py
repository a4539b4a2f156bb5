"""ENVELOPE and BODYSTRUCTURE of the demo's messages, and the part for a section number.

Nothing here may raise for malformed mail, and nothing is decoded: header text is sent as it is in the message, which is
what other servers do and what our own decoder has to handle. RFC 3501 §6.4.5, §7.4.2; RFC 2045, RFC 2183.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from email import message_from_bytes, policy
from email.message import Message
from email.utils import getaddresses, unquote

from pymap.bytes import MaybeBytes
from pymap.mime import MessageContent
from pymap.parsing.primitives import List, Nil, Number, String

ADDRESSES = ("from", "sender", "reply-to", "to", "cc", "bcc")
FALLBACK = {"sender": "from", "reply-to": "from"}
PARAMETER = re.compile(r';\s*([^=;\s]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)')


class Concatenated:
    """Values written one after another without separators, as `body` does with its parts."""

    def __init__(self, values: Iterable[MaybeBytes]) -> None:
        self._octets = b"".join(map(bytes, values))

    def __bytes__(self) -> bytes:
        return self._octets


def find(message: MessageContent, section: Sequence[int]) -> MessageContent:
    """Return the part with this section number. Raise IndexError if there is none."""
    part = message
    for depth, number in enumerate(section):
        enclosed = _enclosed(part)
        if depth and enclosed is None and not _is_multipart(part):
            raise IndexError(number)
        whole = enclosed if depth and enclosed is not None else part
        if _is_multipart(whole):
            part = whole.body.nested[number - 1]
        elif number == 1:
            part = whole
        else:
            raise IndexError(number)
    return part


def _is_multipart(part: MessageContent) -> bool:
    return part.body.content_type.maintype == "multipart" and part.body.has_nested


def _enclosed(part: MessageContent) -> MessageContent | None:
    return part.body.nested[0] if part.is_rfc822 and part.body.has_nested else None


def _header(part: MessageContent) -> Message:
    return message_from_bytes(bytes(part.header), policy=policy.compat32)


def _octets(text: object) -> bytes:
    return b" ".join(str(text).encode("utf-8", "surrogateescape").replace(b"\0", b"").splitlines())


def _text(value: object) -> MaybeBytes:
    return Nil() if value is None else String.build(_octets(value))


def _raw(header: Message, name: str) -> str | None:
    """Return a field's text with its octets unchanged, where `Message.get` would replace raw 8-bit text."""
    for field, value in header.raw_items():
        if field.lower() == name:
            return str(value)
    return None


def _addresses(header: Message, name: str) -> MaybeBytes:
    fields = [str(value) for field, value in header.raw_items() if field.lower() == name]
    if not fields and name in FALLBACK:
        return _addresses(header, FALLBACK[name])
    rows = []
    try:
        found = getaddresses([" ".join(field.splitlines()) for field in fields])
    except RecursionError:  # 3,000 open brackets
        found = []
    for label, spec in found:
        local, at, domain = spec.rpartition("@")
        if label or spec:
            parts = (label or None, None, local if at else spec, domain)
            rows.append(List([_text(each) for each in parts]))
    return List(rows) if rows else Nil()


def envelope(message: MessageContent) -> List:
    """Return the ENVELOPE of a message."""
    header = _header(message)
    return List(
        [
            _text(_raw(header, "date")),
            _text(_raw(header, "subject")),
            *(_addresses(header, name) for name in ADDRESSES),
            _text(_raw(header, "in-reply-to")),
            _text(_raw(header, "message-id")),
        ]
    )


def _parameters(text: str | None) -> MaybeBytes:
    """Return the parameters of a field; those in RFC 2231 form keep that form ("filename*", "filename*0*")."""
    flat: list[MaybeBytes] = []
    for name, value in PARAMETER.findall(" ".join((text or "").splitlines())):
        flat += [_text(name.lower()), _text(unquote(value.strip()))]
    return List(flat) if flat else Nil()


def _disposition(header: Message) -> MaybeBytes:
    text = _raw(header, "content-disposition")
    if text is None:
        return Nil()
    kind = text.partition(";")[0].strip() or "attachment"
    return List([_text(kind), _parameters(text)])


def structure(part: MessageContent, extended: bool) -> List:
    """Return the BODYSTRUCTURE (`extended`) or BODY of a message or of one part."""
    header, kind = _header(part), part.body.content_type
    parameters = _parameters(_raw(header, "content-type"))
    more: list[MaybeBytes] = [_disposition(header), _text(_raw(header, "content-language"))]
    more.append(_text(_raw(header, "content-location")))
    if _is_multipart(part):
        children = Concatenated(structure(each, extended) for each in part.body.nested)
        items: list[MaybeBytes] = [children, _text(kind.subtype)]
        return List([*items, parameters, *more] if extended else items)
    maintype, subtype = kind.maintype, kind.subtype
    if maintype == "multipart":  # without a single part: treated as text
        maintype, subtype, parameters = "text", "plain", Nil()
    items = [
        _text(maintype),
        _text(subtype),
        parameters,
        _text(_raw(header, "content-id")),
        _text(_raw(header, "content-description")),
        _text((_raw(header, "content-transfer-encoding") or "7bit").strip()),
        Number(len(bytes(part.body))),
    ]
    enclosed = _enclosed(part)
    if enclosed is not None:
        items += [envelope(enclosed), structure(enclosed, extended)]
    if enclosed is not None or maintype == "text":
        items.append(Number(bytes(part.body).count(b"\n")))
    return List([*items, Nil(), *more] if extended else items)
