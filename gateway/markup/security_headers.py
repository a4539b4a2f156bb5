"""The header fields that tell a browser what an answer of ours may do: one table for all answers.

Nothing here may know a request. A deck has only the field that WSP_REPLY_HEADER in `device.identification` counts: no
WAP phone reads the others, and each takes room in its SDU; for the same reason its pictures have few. CSP Level 3;
Fetch (X-Content-Type-Options, Cross-Origin-Resource-Policy); HTML (Cross-Origin-Opener-Policy); RFC 7034 for browsers
before CSP Level 2; RFC 6797.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

#: Our pages load pictures and a style sheet of our own.
PAGE_POLICY: Final = (
    "default-src 'none'; img-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
#: A file that came by mail does nothing at all, wherever it is opened.
FILE_POLICY: Final = "sandbox; default-src 'none'; frame-ancestors 'none'"
#: Seconds for which a browser that came by TLS does not use plain HTTP: 30 days. Not longer, because an old device may
#: reject the next certificate (its list of authorities ages), and then has only plain HTTP.
HSTS_SECONDS: Final = 30 * 86_400

_ALWAYS: Final = {"Referrer-Policy": "no-referrer"}
_TYPE: Final = {"X-Content-Type-Options": "nosniff"}
_BROWSER: Final = {
    **_ALWAYS,
    **_TYPE,
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class ResponseReader(Enum):
    """What reads an answer, with the fields for it."""

    DECK = _ALWAYS
    WAP_PICTURE = {**_ALWAYS, **_TYPE}  # noqa: RUF012
    BROWSER = {**_BROWSER, "Content-Security-Policy": PAGE_POLICY}  # noqa: RUF012
    DISK = {**_BROWSER, "Content-Security-Policy": FILE_POLICY}  # noqa: RUF012


def security_headers(reader: ResponseReader, *, strict: bool = False) -> dict[str, str]:
    """Return the fields of an answer; `strict`: the browser must use TLS from now on."""
    tls = strict and reader in (ResponseReader.BROWSER, ResponseReader.DISK)
    return reader.value | ({"Strict-Transport-Security": f"max-age={HSTS_SECONDS}"} if tls else {})
