"""The assigned numbers of WSP: PDU types, statuses, abort reasons, header names, parameters, languages, charsets.

Nothing here may do anything: tables, and what follows from them alone. WAP-230 appendix A. Header names are spelled as
in HTTP; if one has several numbers, the older ones are read, and the one that fits the peer's encoding version is
written.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

Version = tuple[int, int]

#: Versions of the binary encodings. A peer that names none reads 1.2. WAP-230 §8.4.2.70.
NEWEST: Final[Version] = (1, 4)
USUAL: Final[Version] = (1, 2)

#: Header code pages: the default one, and the first that applications may name. WAP-230 §8.4.1.1.
DEFAULT_PAGE: Final = 1


class WspPduType(IntEnum):
    """Types of PDUs. WAP-230 table 34."""

    CONNECT = 0x01
    CONNECT_REPLY = 0x02
    REDIRECT = 0x03
    REPLY = 0x04
    DISCONNECT = 0x05
    PUSH = 0x06
    CONFIRMED_PUSH = 0x07
    SUSPEND = 0x08
    RESUME = 0x09
    GET = 0x40
    OPTIONS = 0x41
    HEAD = 0x42
    DELETE = 0x43
    TRACE = 0x44
    POST = 0x60
    PUT = 0x61


#: Methods by PDU type: those of the Get PDU lie below POST.
METHODS: Final = {
    WspPduType.GET: "GET",
    WspPduType.OPTIONS: "OPTIONS",
    WspPduType.HEAD: "HEAD",
    WspPduType.DELETE: "DELETE",
    WspPduType.TRACE: "TRACE",
    WspPduType.POST: "POST",
    WspPduType.PUT: "PUT",
}
METHOD_TYPES: Final = {name: kind for kind, name in METHODS.items()}


class AbortReason(IntEnum):
    """Why WSP aborts a transaction. WAP-230 table 35."""

    PROTOERR = 0xE0
    DISCONNECT = 0xE1
    SUSPEND = 0xE2
    RESUME = 0xE3
    CONGESTION = 0xE4
    CONNECTERR = 0xE5
    MRUEXCEEDED = 0xE6
    MOREXCEEDED = 0xE7
    PEERREQ = 0xE8
    NETERR = 0xE9
    USERREQ = 0xEA
    USERRFS = 0xEB
    USERPND = 0xEC
    USERDCR = 0xED
    USERDCU = 0xEE


def status_octet(status: int) -> int:
    """Return the number of an HTTP status (WAP-230 table 36); one that has none gets that of its class."""
    hundred, rest = divmod(status, 100)
    most = {1: 1, 2: 6, 3: 7, 4: 17, 5: 5}.get(hundred)
    if most is None:
        hundred, rest, most = 5, 0, 5
    rest = rest if rest <= most else 0
    return ((hundred if hundred < 5 else 6) << 4) + rest


def http_status(octet: int) -> int:
    """Return the HTTP status of a number; 0 for one that is not assigned."""
    high, low = octet >> 4, octet & 15
    if high == 5:
        status = 416 + low
    else:
        status = {1: 100, 2: 200, 3: 300, 4: 400, 6: 500}.get(high, 0) + low
    return status if status >= 100 and status_octet(status) == octet else 0


class Capability(IntEnum):
    """What is negotiated when a session begins. WAP-230 table 37."""

    CLIENT_SDU = 0x00
    SERVER_SDU = 0x01
    PROTOCOL_OPTIONS = 0x02
    METHOD_MOR = 0x03
    PUSH_MOR = 0x04
    EXTENDED_METHODS = 0x05
    HEADER_CODE_PAGES = 0x06
    ALIASES = 0x07
    CLIENT_MESSAGE = 0x08
    SERVER_MESSAGE = 0x09


#: Header names: number, name, version of the encoding that introduced it. WAP-230 table 39.
HEADERS: Final[tuple[tuple[int, str, Version], ...]] = (
    (0x00, "Accept", (1, 1)),
    (0x01, "Accept-Charset", (1, 1)),
    (0x02, "Accept-Encoding", (1, 1)),
    (0x03, "Accept-Language", (1, 1)),
    (0x04, "Accept-Ranges", (1, 1)),
    (0x05, "Age", (1, 1)),
    (0x06, "Allow", (1, 1)),
    (0x07, "Authorization", (1, 1)),
    (0x08, "Cache-Control", (1, 1)),
    (0x09, "Connection", (1, 1)),
    (0x0A, "Content-Base", (1, 1)),
    (0x0B, "Content-Encoding", (1, 1)),
    (0x0C, "Content-Language", (1, 1)),
    (0x0D, "Content-Length", (1, 1)),
    (0x0E, "Content-Location", (1, 1)),
    (0x0F, "Content-MD5", (1, 1)),
    (0x10, "Content-Range", (1, 1)),
    (0x11, "Content-Type", (1, 1)),
    (0x12, "Date", (1, 1)),
    (0x13, "Etag", (1, 1)),
    (0x14, "Expires", (1, 1)),
    (0x15, "From", (1, 1)),
    (0x16, "Host", (1, 1)),
    (0x17, "If-Modified-Since", (1, 1)),
    (0x18, "If-Match", (1, 1)),
    (0x19, "If-None-Match", (1, 1)),
    (0x1A, "If-Range", (1, 1)),
    (0x1B, "If-Unmodified-Since", (1, 1)),
    (0x1C, "Location", (1, 1)),
    (0x1D, "Last-Modified", (1, 1)),
    (0x1E, "Max-Forwards", (1, 1)),
    (0x1F, "Pragma", (1, 1)),
    (0x20, "Proxy-Authenticate", (1, 1)),
    (0x21, "Proxy-Authorization", (1, 1)),
    (0x22, "Public", (1, 1)),
    (0x23, "Range", (1, 1)),
    (0x24, "Referer", (1, 1)),
    (0x25, "Retry-After", (1, 1)),
    (0x26, "Server", (1, 1)),
    (0x27, "Transfer-Encoding", (1, 1)),
    (0x28, "Upgrade", (1, 1)),
    (0x29, "User-Agent", (1, 1)),
    (0x2A, "Vary", (1, 1)),
    (0x2B, "Via", (1, 1)),
    (0x2C, "Warning", (1, 1)),
    (0x2D, "WWW-Authenticate", (1, 1)),
    (0x2E, "Content-Disposition", (1, 1)),
    (0x2F, "X-Wap-Application-Id", (1, 2)),
    (0x30, "X-Wap-Content-URI", (1, 2)),
    (0x31, "X-Wap-Initiator-URI", (1, 2)),
    (0x32, "Accept-Application", (1, 2)),
    (0x33, "Bearer-Indication", (1, 2)),
    (0x34, "Push-Flag", (1, 2)),
    (0x35, "Profile", (1, 2)),
    (0x36, "Profile-Diff", (1, 2)),
    (0x37, "Profile-Warning", (1, 2)),
    (0x38, "Expect", (1, 3)),
    (0x39, "TE", (1, 3)),
    (0x3A, "Trailer", (1, 3)),
    (0x3B, "Accept-Charset", (1, 3)),
    (0x3C, "Accept-Encoding", (1, 3)),
    (0x3D, "Cache-Control", (1, 3)),
    (0x3E, "Content-Range", (1, 3)),
    (0x3F, "X-Wap-Tod", (1, 3)),
    (0x40, "Content-ID", (1, 3)),
    (0x41, "Set-Cookie", (1, 3)),
    (0x42, "Cookie", (1, 3)),
    (0x43, "Encoding-Version", (1, 3)),
    (0x44, "Profile-Warning", (1, 4)),
    (0x45, "Content-Disposition", (1, 4)),
    (0x46, "X-WAP-Security", (1, 4)),
    (0x47, "Cache-Control", (1, 4)),
)
HEADER_NAMES: Final = {number: name for number, name, _ in HEADERS}


def header_number(name: str, version: Version) -> int | None:
    """Return the newest number of a header name that a peer of this version reads; None if it has to be text."""
    found = None
    for number, known, since in HEADERS:
        # Up to 1.2 a number is read by everybody. WAP-230 §8.4.1.1.
        if known.lower() == name.lower() and since <= max(version, USUAL):
            found = number
    return found


#: Parameters: number, name, version. WAP-230 table 38; those below 0x17 with a newer number are deprecated since 1.4.
PARAMETERS: Final[tuple[tuple[int, str, Version], ...]] = (
    (0x00, "q", (1, 1)),
    (0x01, "charset", (1, 1)),
    (0x02, "level", (1, 1)),
    (0x03, "type", (1, 1)),
    (0x05, "name", (1, 1)),
    (0x06, "filename", (1, 1)),
    (0x07, "differences", (1, 1)),
    (0x08, "padding", (1, 1)),
    (0x09, "type", (1, 2)),
    (0x0A, "start", (1, 2)),
    (0x0B, "start-info", (1, 2)),
    (0x0C, "comment", (1, 3)),
    (0x0D, "domain", (1, 3)),
    (0x0E, "max-age", (1, 3)),
    (0x0F, "path", (1, 3)),
    (0x10, "secure", (1, 3)),
    (0x11, "sec", (1, 4)),
    (0x12, "mac", (1, 4)),
    (0x13, "creation-date", (1, 4)),
    (0x14, "modification-date", (1, 4)),
    (0x15, "read-date", (1, 4)),
    (0x16, "size", (1, 4)),
    (0x17, "name", (1, 4)),
    (0x18, "filename", (1, 4)),
    (0x19, "start", (1, 4)),
    (0x1A, "start-info", (1, 4)),
    (0x1B, "comment", (1, 4)),
    (0x1C, "domain", (1, 4)),
    (0x1D, "path", (1, 4)),
)
PARAMETER_NAMES: Final = {number: name for number, name, _ in PARAMETERS}

#: Charsets by MIBenum, with the names that IANA's registry prefers for MIME. WAP-230 table 42, and others that phones
#: name.
CHARSETS: Final = {
    3: "us-ascii", 4: "iso-8859-1", 5: "iso-8859-2", 6: "iso-8859-3", 7: "iso-8859-4", 8: "iso-8859-5",
    9: "iso-8859-6", 10: "iso-8859-7", 11: "iso-8859-8", 12: "iso-8859-9", 13: "iso-8859-10", 17: "shift_jis",
    18: "euc-jp", 37: "iso-2022-kr", 38: "euc-kr", 39: "iso-2022-jp", 106: "utf-8", 109: "iso-8859-13",
    110: "iso-8859-14", 111: "iso-8859-15", 113: "gbk", 114: "gb18030", 1000: "iso-10646-ucs-2", 1013: "utf-16be",
    1014: "utf-16le", 1015: "utf-16", 2025: "gb2312", 2026: "big5", 2084: "koi8-r", 2088: "koi8-u",
    2250: "windows-1250", 2251: "windows-1251", 2252: "windows-1252", 2253: "windows-1253", 2254: "windows-1254",
    2255: "windows-1255", 2256: "windows-1256", 2257: "windows-1257", 2258: "windows-1258", 2259: "tis-620",
}  # fmt: skip
CHARSET_NUMBERS: Final = {name: number for number, name in CHARSETS.items()}

#: Languages by their code in ISO 639. WAP-230 table 41, which prints Polish (pl) as "po".
LANGUAGES: Final = {
    "aa": 0x01, "ab": 0x02, "af": 0x03, "am": 0x04, "ar": 0x05, "as": 0x06, "ay": 0x07, "az": 0x08,
    "ba": 0x09, "be": 0x0A, "bg": 0x0B, "bh": 0x0C, "bi": 0x0D, "bn": 0x0E, "bo": 0x0F, "br": 0x10,
    "ca": 0x11, "co": 0x12, "cs": 0x13, "cy": 0x14, "da": 0x15, "de": 0x16, "dz": 0x17, "el": 0x18,
    "en": 0x19, "eo": 0x1A, "es": 0x1B, "et": 0x1C, "eu": 0x1D, "fa": 0x1E, "fi": 0x1F, "fj": 0x20,
    "ur": 0x21, "fr": 0x22, "uz": 0x23, "ga": 0x24, "gd": 0x25, "gl": 0x26, "gn": 0x27, "gu": 0x28,
    "ha": 0x29, "he": 0x2A, "hi": 0x2B, "hr": 0x2C, "hu": 0x2D, "hy": 0x2E, "vi": 0x2F, "id": 0x30,
    "wo": 0x31, "xh": 0x32, "is": 0x33, "it": 0x34, "yo": 0x35, "ja": 0x36, "jw": 0x37, "ka": 0x38,
    "kk": 0x39, "za": 0x3A, "km": 0x3B, "kn": 0x3C, "ko": 0x3D, "ks": 0x3E, "ku": 0x3F, "ky": 0x40,
    "zh": 0x41, "ln": 0x42, "lo": 0x43, "lt": 0x44, "lv": 0x45, "mg": 0x46, "mi": 0x47, "mk": 0x48,
    "ml": 0x49, "mn": 0x4A, "mo": 0x4B, "mr": 0x4C, "ms": 0x4D, "mt": 0x4E, "my": 0x4F, "uk": 0x50,
    "ne": 0x51, "nl": 0x52, "no": 0x53, "oc": 0x54, "om": 0x55, "or": 0x56, "pa": 0x57, "pl": 0x58,
    "ps": 0x59, "pt": 0x5A, "qu": 0x5B, "zu": 0x5C, "rn": 0x5D, "ro": 0x5E, "ru": 0x5F, "rw": 0x60,
    "sa": 0x61, "sd": 0x62, "sg": 0x63, "sh": 0x64, "si": 0x65, "sk": 0x66, "sl": 0x67, "sm": 0x68,
    "sn": 0x69, "so": 0x6A, "sq": 0x6B, "sr": 0x6C, "ss": 0x6D, "st": 0x6E, "su": 0x6F, "sv": 0x70,
    "sw": 0x71, "ta": 0x72, "te": 0x73, "tg": 0x74, "th": 0x75, "ti": 0x76, "tk": 0x77, "tl": 0x78,
    "tn": 0x79, "to": 0x7A, "tr": 0x7B, "ts": 0x7C, "tt": 0x7D, "tw": 0x7E, "ug": 0x7F, "na": 0x81,
    "fo": 0x82, "fy": 0x83, "ia": 0x84, "vo": 0x85, "ie": 0x86, "ik": 0x87, "yi": 0x88, "iu": 0x89,
    "kl": 0x8A, "la": 0x8B, "rm": 0x8C,
}  # fmt: skip
LANGUAGE_CODES: Final = {number: code for code, number in LANGUAGES.items()}
