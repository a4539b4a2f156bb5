"""The capabilities of handhelds: `handsets` is the table, `identification` finds a request's device in it.

`overrides` are an administrator's additions to the table.

Nothing here may look at anything but the request's headers and the table.
"""

from gateway.device.handsets import SMALLEST_UNKNOWN_DECK, WML, XHTML, XHTML_PAGE
from gateway.device.identification import (
    ASCII,
    FIELDS,
    HTML,
    LATIN_1,
    UTF_8,
    WML_COMPILED,
    WML_TEXT,
    WSP_REPLY_HEADER,
    XHTML_WAP,
    XHTML_XML,
    Device,
    by_name,
    identify,
    names,
)
from gateway.device.overrides import Override

__all__ = [
    "ASCII",
    "FIELDS",
    "HTML",
    "LATIN_1",
    "SMALLEST_UNKNOWN_DECK",
    "UTF_8",
    "WML",
    "WML_COMPILED",
    "WML_TEXT",
    "WSP_REPLY_HEADER",
    "XHTML",
    "XHTML_PAGE",
    "XHTML_WAP",
    "XHTML_XML",
    "Device",
    "Override",
    "by_name",
    "identify",
    "names",
]
