"""The well-known media types of WSP with the encoding version that introduced each.

Nothing here may do anything but look up. Numbers were assigned one after the other (the WAP Forum's naming authority,
which WAP-230 table 40 refers to); a peer reads those of its encoding version and earlier ones.
"""

from __future__ import annotations

from typing import Final

from gateway.wap.wsp.assigned import USUAL, Version

#: In the order of their numbers.
MEDIA_TYPES: Final = (
    "*/*", "text/*", "text/html", "text/plain", "text/x-hdml", "text/x-ttml", "text/x-vCalendar", "text/x-vCard",
    "text/vnd.wap.wml", "text/vnd.wap.wmlscript", "text/vnd.wap.wta-event", "multipart/*", "multipart/mixed",
    "multipart/form-data", "multipart/byteranges", "multipart/alternative", "application/*", "application/java-vm",
    "application/x-www-form-urlencoded", "application/x-hdmlc", "application/vnd.wap.wmlc",
    "application/vnd.wap.wmlscriptc", "application/vnd.wap.wta-eventc", "application/vnd.wap.uaprof",
    "application/vnd.wap.wtls-ca-certificate", "application/vnd.wap.wtls-user-certificate",
    "application/x-x509-ca-cert", "application/x-x509-user-cert", "image/*", "image/gif", "image/jpeg", "image/tiff",
    "image/png", "image/vnd.wap.wbmp", "application/vnd.wap.multipart.*", "application/vnd.wap.multipart.mixed",
    "application/vnd.wap.multipart.form-data", "application/vnd.wap.multipart.byteranges",
    "application/vnd.wap.multipart.alternative", "application/xml", "text/xml", "application/vnd.wap.wbxml",
    "application/x-x968-cross-cert", "application/x-x968-ca-cert", "application/x-x968-user-cert",
    "text/vnd.wap.si", "application/vnd.wap.sic", "text/vnd.wap.sl", "application/vnd.wap.slc", "text/vnd.wap.co",
    "application/vnd.wap.coc", "application/vnd.wap.multipart.related", "application/vnd.wap.sia",
    "text/vnd.wap.connectivity-xml", "application/vnd.wap.connectivity-wbxml",
    "application/pkcs7-mime", "application/vnd.wap.hashed-certificate", "application/vnd.wap.signed-certificate",
    "application/vnd.wap.cert-response", "application/xhtml+xml", "application/wml+xml", "text/css",
    "application/vnd.wap.mms-message", "application/vnd.wap.rollover-certificate",
)  # fmt: skip
#: The first number of each version after 1.2; everybody reads 1.2.
_FIRST_OF_1_3: Final = MEDIA_TYPES.index("text/vnd.wap.connectivity-xml")
_FIRST_OF_1_4: Final = MEDIA_TYPES.index("application/pkcs7-mime")
_NUMBERS: Final = {name.lower(): number for number, name in enumerate(MEDIA_TYPES)}


def media_type(number: int) -> str:
    """Return a media type by its number, "" for an unknown one."""
    return MEDIA_TYPES[number] if number < len(MEDIA_TYPES) else ""


def media_type_number(name: str, version: Version = USUAL) -> int | None:
    """Return the number of a media type that a peer of this version reads; None if it has to be text."""
    number = _NUMBERS.get(name.lower())
    if number is None or (number >= _FIRST_OF_1_3 and version < (1, 3)):
        return None
    return None if number >= _FIRST_OF_1_4 and version < (1, 4) else number
