"""The values of HTTP headers in the binary form that a peer of some encoding version reads.

Nothing here may lose a header without a known binary form: its name and value are written as text, which every peer
skips or reads. A list becomes one header for each of its values (WAP-230 §8.4.1.3).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from gateway.wap.wsp.assigned import (
    CHARSET_NUMBERS,
    LANGUAGES,
    METHOD_TYPES,
    USUAL,
    Version,
    header_number,
)
from gateway.wap.wsp.header_parameters import (
    ANY,
    OWS,
    date_value,
    parameters_of,
    q_value,
    seconds_of,
    version_octet,
    write_media,
    write_parameter,
)
from gateway.wap.wsp.octets import SHORT, integer, long_integer, text_string, value_length

#: Writes one value of a header for a peer of some version; ValueError if it has no binary form.
Writer = Callable[[str, Version], bytes]

_COMMA: Final = re.compile(r',(?=(?:[^"]*"[^"]*")*[^"]*$)')
LISTS: Final = frozenset({
    "accept", "accept-application", "accept-charset", "accept-encoding", "accept-language", "allow", "cache-control",
    "connection", "content-encoding", "content-language", "public", "te", "vary",
})  # fmt: skip
#: QUIRK: the older, textual name of X-Wap-Tod; a 7110 wants the binary date of the newer one under it.
TEXTUAL_TOD: Final = "X-WAP.TOD"


#: A name is a token (RFC 9110 §5.1). Other octets at its start would be a shift of code pages, or the next header.
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def write_header(name: str, value: str, version: Version = USUAL) -> bytes:
    """Write a header, once for each item of a list. One with an impossible name is left out."""
    if not _NAME.fullmatch(name):
        return b""
    return b"".join(_header(name, one, version) for one in _listed(name.lower(), value))


def _listed(name: str, value: str) -> Iterator[str]:
    if name in LISTS:
        yield from filter(None, (one.strip(OWS) for one in _COMMA.split(value)))
    else:
        yield value.strip(OWS)


def _header(name: str, value: str, version: Version) -> bytes:
    number = header_number(name, version) if name.lower() not in TEXTUAL else None
    writer = _WRITERS.get(name.lower(), _text)
    try:
        if name.upper() == TEXTUAL_TOD:
            return text_string(name.encode("ascii")) + date_value(value)
        if number is not None:
            return bytes((SHORT | number,)) + writer(value, version)
    except (ValueError, OverflowError):
        pass
    return text_string(name.encode("latin-1", "replace")) + _text(value, version)


def _text(value: str, version: Version) -> bytes:
    return text_string(value.encode("latin-1", "replace"))


def _number(value: str, version: Version) -> bytes:
    return integer(int(value))


def _date(value: str, version: Version) -> bytes:
    return date_value(value)


def _q_of(value: str) -> tuple[str, bytes]:
    name, pairs = parameters_of(value)
    return name, b"".join(q_value(text) for key, text in pairs if key == "q")


def _with_q(name: bytes, q: bytes) -> bytes:
    return value_length(name + q) if q else name


def _charset(value: str, version: Version) -> bytes:
    name, q = _q_of(value)
    if name == "*":
        return _with_q(bytes((ANY,)), q)
    number = CHARSET_NUMBERS.get(name.lower())
    return _with_q(_text(name, version) if number is None else integer(number), q)


def _language(value: str, version: Version) -> bytes:
    name, q = _q_of(value)
    if name == "*":
        return _with_q(bytes((ANY,)), q)
    number = LANGUAGES.get(name.lower())
    return _with_q(_text(name, version) if number is None else integer(number), q)


def _tokens(*tokens: str) -> Writer:
    """Return a writer of tokens that are numbered from 128 on; others are text."""

    def write(value: str, version: Version) -> bytes:
        name, q = _q_of(value)
        known = name.lower() in tokens
        return _with_q(bytes((SHORT + tokens.index(name.lower()),)) if known else _text(name, version), q)

    return write


_CACHE_CONTROL: Final = _tokens(
    "no-cache", "no-store", "max-age", "max-stale", "min-fresh", "only-if-cached", "public", "private",
    "no-transform", "must-revalidate", "proxy-revalidate", "s-maxage",
)  # fmt: skip


def _cache_control(value: str, version: Version) -> bytes:
    name, equals, argument = value.partition("=")
    if not equals:
        return _CACHE_CONTROL(name, version)
    if argument.strip(OWS).isdecimal():
        return value_length(_CACHE_CONTROL(name.strip(OWS), version) + integer(int(argument)))
    raise ValueError("no number of seconds")


def _method(value: str, version: Version) -> bytes:
    return bytes((SHORT | METHOD_TYPES[value],)) if value in METHOD_TYPES else _text(value, version)


def _field_name(value: str, version: Version) -> bytes:
    number = header_number(value, version)
    return _text(value, version) if number is None else bytes((SHORT | number,))


def _disposition(value: str, version: Version) -> bytes:
    name, pairs = parameters_of(value)
    token = _tokens("form-data", "attachment", "inline")(name, version)
    return value_length(token + b"".join(write_parameter(key, text, version) for key, text in pairs))


def _retry_after(value: str, version: Version) -> bytes:
    if value.isdecimal():
        return value_length(b"\x81" + integer(int(value)))
    return value_length(b"\x80" + long_integer(seconds_of(value)))


def _version(value: str, version: Version) -> bytes:
    return version_octet(value)


_WRITERS: Final[dict[str, Writer]] = {
    "accept": write_media,
    "accept-charset": _charset,
    "accept-encoding": _tokens("gzip", "compress", "deflate", "*"),
    "accept-language": _language,
    "accept-ranges": _tokens("none", "bytes"),
    "age": _number,
    "allow": _method,
    "cache-control": _cache_control,
    "connection": _tokens("close"),
    "content-disposition": _disposition,
    "content-encoding": _tokens("gzip", "compress", "deflate"),
    "content-language": _language,
    "content-length": _number,
    "date": _date,
    "encoding-version": _version,
    "expires": _date,
    "if-modified-since": _date,
    "if-unmodified-since": _date,
    "last-modified": _date,
    "max-forwards": _number,
    "pragma": _tokens("no-cache"),
    "public": _method,
    "push-flag": _number,
    "retry-after": _retry_after,
    "transfer-encoding": _tokens("chunked"),
    "vary": _field_name,
    "x-wap-application-id": lambda value, version: (
        integer(int(value)) if value.isdecimal() else _text(value, version)
    ),
    "x-wap-tod": _date,
}
#: Headers whose binary form is not written here: their names are text, too. WAP-230 §8.4.1.2.
TEXTUAL: Final = frozenset({
    "authorization", "content-md5", "content-range", "cookie", "expect", "proxy-authenticate", "proxy-authorization",
    "profile-diff", "range", "set-cookie", "te", "trailer", "warning", "www-authenticate",
})  # fmt: skip
