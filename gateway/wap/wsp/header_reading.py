"""The values of WSP headers as HTTP would write them.

Nothing here may fail over what a phone means: a value that is not understood becomes "", and its header is left out;
only unterminated octets are an error. Whatever the header, a text is accepted as it is: phones send texts where numbers
are expected. WAP-230 §8.4.2.7 to §8.4.2.71.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Final

from gateway.wap.wsp.assigned import HEADER_NAMES, LANGUAGE_CODES, METHODS, WspPduType
from gateway.wap.wsp.header_parameters import (
    ANY,
    http_date,
    is_text,
    latin_1,
    q_text,
    read_charset,
    read_media,
    read_parameter,
    version_text,
)
from gateway.wap.wsp.octets import SHORT, TEXT, Cursor

#: Reads the data of a value: the octets after its length, or the one octet of a number (with its high bit).
ValueReader = Callable[[Cursor], str]


def read_value(name: str, cursor: Cursor) -> str:
    """Read the value of a header (`name` in lower case, "" if unknown); "" if it means nothing."""
    first = cursor.peek()
    if TEXT <= first < SHORT:
        return latin_1(cursor.text())
    number = first >= SHORT
    if number:
        data = cursor.part(1)
    else:
        data = cursor.part(cursor.length())
        if not data.left:
            return ""
    reader = (_NUMBERS if number else _DATA).get(name)
    if reader is None:
        return ""
    try:
        return reader(data)
    except ValueError:  # also a WSPError: the value is wrong inside, but the next header is found
        return ""


def _number(data: Cursor) -> int:
    """Read the Integer-value that a value consists of: one octet, or the data of a Long-integer."""
    if data.left == 1 and data.peek() >= SHORT:
        return data.octet() & 0x7F
    return data.multi_octet(data.left)


def _decimal(data: Cursor) -> str:
    return str(_number(data))


def _date(data: Cursor) -> str:
    return http_date(_number(data))


def _q(data: Cursor) -> str:
    return f";q={q_text(data.uintvar())}" if data.left else ""


def _charset(data: Cursor) -> str:
    if is_text(data):
        return latin_1(data.text()) + _q(data)
    if data.peek() == ANY:
        data.octet()
        return "*" + _q(data)
    name = read_charset(data.integer())
    return name + _q(data) if name else ""


def _short_charset(data: Cursor) -> str:
    number = data.octet()
    return "*" if number == ANY else read_charset(number & 0x7F)


def _language(data: Cursor) -> str:
    if is_text(data):
        return latin_1(data.text()) + _q(data)
    if data.peek() == ANY:
        data.octet()
        return "*" + _q(data)
    code = LANGUAGE_CODES.get(data.integer())
    return code + _q(data) if code else ""


def _whole_language(data: Cursor) -> str:
    """Read a language: the data of a Long-integer (0x81 and above) look like a general form of one octet."""
    if data.left == 1:
        number = data.octet()
        return "*" if number == ANY else LANGUAGE_CODES.get(number, LANGUAGE_CODES.get(number & 0x7F, ""))
    return _language(data)


def _short_language(data: Cursor) -> str:
    number = data.octet()
    return "*" if number == ANY else LANGUAGE_CODES.get(number & 0x7F, "")


def _token(*tokens: str) -> ValueReader:
    """Return a reader of tokens that are numbered from 128 on."""

    def read(data: Cursor) -> str:
        number = data.octet() - SHORT
        return tokens[number] if 0 <= number < len(tokens) else ""

    return read


_ENCODINGS: Final = _token("gzip", "compress", "deflate", "*")


def _encoding(data: Cursor) -> str:
    name = latin_1(data.text()) if is_text(data) else _ENCODINGS(data)
    return name + _q(data) if name else ""


def _method(data: Cursor) -> str:
    number = data.octet() & 0x7F
    return METHODS[WspPduType(number)] if number in METHODS else ""


def _field_name(data: Cursor) -> str:
    return latin_1(data.text()) if is_text(data) else HEADER_NAMES.get(data.octet() & 0x7F, "")


def _media(data: Cursor) -> str:
    return read_media(data)


_DIRECTIVES: Final = (
    "no-cache", "no-store", "max-age", "max-stale", "min-fresh", "only-if-cached", "public", "private",
    "no-transform", "must-revalidate", "proxy-revalidate", "s-maxage",
)  # fmt: skip
_SHORT_DIRECTIVES: Final = _token(*_DIRECTIVES)


def _cache_control(data: Cursor) -> str:
    if is_text(data):
        name = latin_1(data.text())
        return (
            f"{name}={data.integer() if not is_text(data) else latin_1(data.text())}" if data.left else name
        )
    name = _SHORT_DIRECTIVES(data)
    if not data.left or not name:
        return name
    if name in ("no-cache", "private"):
        fields = []
        while data.left:
            fields.append(_field_name(data))
        return f'{name}="{", ".join(filter(None, fields))}"'
    return f"{name}={data.integer()}"


def _disposition(data: Cursor) -> str:
    name = latin_1(data.text()) if is_text(data) else _token("form-data", "attachment", "inline")(data)
    while data.left:
        name += read_parameter(data)
    return name


def _range(data: Cursor) -> str:
    kind = data.octet()
    if kind == 0x81:
        return f"bytes=-{data.uintvar()}"
    return f"bytes={data.uintvar()}-{data.uintvar() if data.left else ''}" if kind == 0x80 else ""


def _retry_after(data: Cursor) -> str:
    kind = data.octet()
    return http_date(data.integer()) if kind == 0x80 else str(data.integer())


def _version(data: Cursor) -> str:
    return version_text(data.octet() & 0x7F)


def _encoding_version(data: Cursor) -> str:
    """Read the version of another code page as "10 1.2"; a page alone is one that is not supported."""
    page = data.octet() & 0x7F
    if not data.left:
        return f"{page:x}"
    return f"{page:x} {latin_1(data.text()) if is_text(data) else version_text(data.octet() & 0x7F)}"


def _credentials(data: Cursor) -> str:
    if is_text(data):
        scheme = latin_1(data.text())
        pairs = []
        while data.left:
            pairs.append(read_parameter(data).removeprefix("; "))
        return f"{scheme} {', '.join(filter(None, pairs))}"
    data.octet()
    user, password = data.text(), data.text()
    return "Basic " + b64encode(user + b":" + password).decode("ascii")


def _challenge(data: Cursor) -> str:
    scheme = latin_1(data.text()) if is_text(data) else _token("Basic")(data)
    return f'{scheme} realm="{latin_1(data.text())}"'


def _cookie(data: Cursor) -> str:
    _skip_version(data)
    cookies = []
    while data.left:
        one = data.part(data.uintvar())
        cookies.append(f"{latin_1(one.text())}={latin_1(one.text())}")
    return "; ".join(cookies)


def _set_cookie(data: Cursor) -> str:
    _skip_version(data)
    cookie = f"{latin_1(data.text())}={latin_1(data.text())}"
    while data.left:
        cookie += read_parameter(data)
    return cookie


def _skip_version(data: Cursor) -> None:
    if is_text(data):
        data.text()
    else:
        data.octet()


def _te(data: Cursor) -> str:
    name = latin_1(data.text()) if is_text(data) else _TE(data)
    if data.left and data.peek() == ANY:
        data.octet()
        return name + _q(data)
    return name


_TE: Final = _token("", "trailers", "chunked", "identity", "gzip", "compress", "deflate")


def _pragma(data: Cursor) -> str:
    return read_parameter(data).removeprefix("; ")


def _content_range(data: Cursor) -> str:
    first = data.uintvar()
    whole = "*" if data.peek() == ANY and data.left == 1 else str(data.uintvar())
    return f"bytes {first}-/{whole}"


def _digest(data: Cursor) -> str:
    return b64encode(data.rest()).decode("ascii")


def _warning(data: Cursor) -> str:
    return f'{data.octet() & 0x7F} {latin_1(data.text())} "{latin_1(data.text())}"'


_DATES: Final = (
    "date", "expires", "if-modified-since", "if-range", "if-unmodified-since", "last-modified", "x-wap-tod",
    # QUIRK: under its older, textual name this header has a binary value, too.
    "x-wap.tod",
)  # fmt: skip
_INTEGERS: Final = (
    "age", "bearer-indication", "content-length", "max-forwards", "push-flag", "x-wap-application-id", "warning",
)  # fmt: skip
#: Readers of values in one octet.
_NUMBERS: Final[dict[str, ValueReader]] = {
    **dict.fromkeys(_DATES, _date),
    **dict.fromkeys(_INTEGERS, _decimal),
    "accept": _media,
    "content-type": _media,
    "accept-application": _decimal,
    "accept-charset": _short_charset,
    "accept-encoding": _ENCODINGS,
    "accept-language": _short_language,
    "accept-ranges": _token("none", "bytes"),
    "allow": _method,
    "public": _method,
    "cache-control": _SHORT_DIRECTIVES,
    "connection": _token("close"),
    "content-encoding": _ENCODINGS,
    "content-language": _short_language,
    "encoding-version": _version,
    "expect": _token("100-continue"),
    "pragma": _token("no-cache"),
    "te": _TE,
    "trailer": _field_name,
    "transfer-encoding": _token("chunked"),
    "vary": _field_name,
    "x-wap-security": _token("Close-Subordinate"),
}
#: Readers of values after a length.
_DATA: Final[dict[str, ValueReader]] = {
    **dict.fromkeys(_DATES, _date),
    **dict.fromkeys(_INTEGERS, _decimal),
    "accept": _media,
    "content-type": _media,
    "accept-charset": _charset,
    "accept-encoding": _encoding,
    "accept-language": _whole_language,
    "authorization": _credentials,
    "proxy-authorization": _credentials,
    "cache-control": _cache_control,
    "content-disposition": _disposition,
    "content-language": _whole_language,
    "content-md5": _digest,
    "content-range": _content_range,
    "cookie": _cookie,
    "encoding-version": _encoding_version,
    "pragma": _pragma,
    "proxy-authenticate": _challenge,
    "www-authenticate": _challenge,
    "range": _range,
    "retry-after": _retry_after,
    "set-cookie": _set_cookie,
    "te": _te,
    "warning": _warning,
}
