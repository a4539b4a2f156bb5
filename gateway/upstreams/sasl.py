"""SASL for passwords, whatever the protocol around it: the messages of mechanisms, and what a refusal is about.

Nothing here may talk to a server. Standard: RFC 4616 (PLAIN), RFC 2195 (CRAM-MD5); servers' texts are in no standard.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

PLAIN, LOGIN, CRAM_MD5 = "PLAIN", "LOGIN", "CRAM-MD5"
#: The mechanisms that need a token instead of a password (RFC 7628, and Google's).
OAUTH: Final = frozenset({"XOAUTH2", "OAUTHBEARER"})

_NEGATION: Final = (
    r"(?:un(?:supported|known|recogni[sz]ed|implemented|available)|invalid|disabled|no such"
    r"|not (?:supported|implemented|available|recogni[sz]ed|enabled))"
)
_MECHANISM: Final = r"(?:mechanisms?|methods?|auth(?:entication)? type|sasl|authenticate|command)"
_NOT_THIS_WAY: Final = re.compile(
    rf"\b{_NEGATION}\W+(?:\w+\W+){{0,2}}{_MECHANISM}\b|\b{_MECHANISM}\W+(?:\w+\W+){{0,2}}{_NEGATION}\b"
    r"|\bno mechanism available\b",
    re.IGNORECASE,
)
# QUIRK: what Gmail, Yahoo, iCloud and Microsoft reply to the password of a person who needs another one, or none.
_APP_PASSWORD: Final = re.compile(
    r"app(?:lication)?-?\s?(?:specific)?[- ]password|web login required|log in (?:via|with) your web browser",
    re.IGNORECASE,
)
_NO_BASIC: Final = re.compile(
    r"basic\s?auth(?:entication)?\W*(?:is )?(?:blocked|disabled)|smtpclientauthentication is disabled",
    re.IGNORECASE,
)


def plain(user: bytes, password: bytes) -> bytes:
    """Write the message of PLAIN (RFC 4616 §2)."""
    return b"\0" + user + b"\0" + password


def cram_md5(user: bytes, password: bytes, challenge: bytes) -> bytes:
    """Write the response of CRAM-MD5 (RFC 2195 §2)."""
    return user + b" " + hmac.new(password, challenge, "md5").hexdigest().encode("ascii")


def apop(password: bytes, timestamp: bytes) -> str:
    """Write the digest of APOP, which POP3 had before SASL (RFC 1939 §7)."""
    return hashlib.md5(timestamp + password, usedforsecurity=False).hexdigest()


def refuses_mechanism(text: str) -> bool:
    """Return whether a refusal is about the mechanism, going by its text."""
    return bool(_NOT_THIS_WAY.search(text))


def wants_app_password(text: str) -> bool:
    """Return whether the provider wants a password that was made for mail programs."""
    return bool(_APP_PASSWORD.search(text))


def refuses_passwords(text: str) -> bool:
    """Return whether the provider no longer takes passwords from mail programs."""
    return bool(_NO_BASIC.search(text))
