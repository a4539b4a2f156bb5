"""The text of a message as SEARCH sees it: header and text parts, decoded (RFC 3501 §6.4.4).

Nothing here may raise for malformed mail: what cannot be decoded is searched undecoded.
"""

from __future__ import annotations

from contextlib import suppress
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header

from pymap.mime import MessageContent


def contains_text(message: MessageContent, words: str) -> bool:
    """Return whether a header or text part of a message contains these words, ignoring case."""
    wanted = words.casefold()
    return any(wanted in text.casefold() for part in message.walk() for text in (_header(part), _text(part)))


def _header(part: MessageContent) -> str:
    text = bytes(part.header).decode("utf-8", "replace")
    with suppress(HeaderParseError, LookupError, ValueError):
        return str(make_header(decode_header(text)))
    return text


def _text(part: MessageContent) -> str:
    if part.body.content_type.maintype != "text":
        return ""
    found = message_from_bytes(bytes(part.header) + b"\r\n" + bytes(part.body), policy=policy.compat32)
    octets = found.get_payload(decode=True)
    if not isinstance(octets, bytes):  # after a bare CR the two parsers may see different header fields
        return ""
    with suppress(LookupError):
        return octets.decode(found.get_content_charset("utf-8"), "replace")
    return octets.decode("utf-8", "replace")
