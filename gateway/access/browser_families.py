"""Fingerprints of User-Agent fields, to tell the browser of a session from others.

Nothing here may keep the User-Agent itself, or take an updated browser for a different one. RFC 9110 §10.1.5.
"""

from __future__ import annotations

import hashlib
import re

LONGEST_USER_AGENT = 1024  # characters of a User-Agent that are read
LONGEST_FAMILY = 64  # characters of the product name that are compared
FAMILY_DIGITS = 12  # hexadecimal digits of the digest, which is not a secret

# RFC 9110 §10.1.5: User-Agent begins with a product, whose name is a token.
_PRODUCT = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# What an update changes: everything after a slash, and words that begin with a digit, such as "MSIE 6.0" and
# "rv:48.0".
_VERSION = re.compile(r"/[^\s;,()]*")
_WORD = re.compile(r"(?<![\w.+-])[^\W\d_][\w.+-]*")
# QUIRK: WAP gateways add UP.Link to the requests of phones behind them, and a Kindle reports its orientation.
_COME_AND_GO = frozenset({"up.link", "rotate"})


def user_agent_family(user_agent: str | None) -> str:
    """Return the family of a User-Agent: its first product and a digest of the rest without versions; "" for none."""
    value = (user_agent or "").strip()[:LONGEST_USER_AGENT].lower()
    match = _PRODUCT.match(value)
    if not match:
        return ""
    words = (word for word in _WORD.findall(_VERSION.sub("", value)) if word not in _COME_AND_GO)
    digest = hashlib.sha256(" ".join(words).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{match.group()[:LONGEST_FAMILY]} {digest[:FAMILY_DIGITS]}"


def is_another_browser(family: str, other: str) -> bool:
    """Return whether two families belong to two browsers.

    An unknown family ("") matches any. One from an earlier version, without a digest, is compared by product.
    """
    if " " not in family or " " not in other:
        family, other = family.partition(" ")[0], other.partition(" ")[0]
    return bool(family and other) and family != other
