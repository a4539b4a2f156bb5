"""Account keys: every spelling of a login leads to one account.

Nothing here may change what a mail server receives: logins go there as typed. A key is a SHA-256 that reveals neither
server nor login. For the account, spellings are folded if mail servers take them for the same name (RFC 8265 §3.3,
UsernameCaseMapped, and RFC 5890 for the domain). Counting of wrong passwords folds more, since at worst two people then
share one queue.
"""

from __future__ import annotations

import hashlib
import unicodedata

from gateway.config import Upstream
from gateway.config.hosts import domain_name


def account_key(upstream: Upstream, address: str) -> bytes:
    """Return an account's key, the same for all spellings of a complete address."""
    return _key(upstream, canonical(upstream, address))


def key_as_typed(upstream: Upstream, address: str) -> bytes:
    """Return the key by which earlier versions knew the account of this one spelling."""
    return _key(upstream, upstream.user(address))


def counting_key(upstream: Upstream, address: str) -> bytes:
    """Return the key by which wrong passwords are counted.

    Some databases compare names without accents, marks and blanks (MySQL's utf8mb4_general_ci, PAD SPACE), and some
    providers ignore dots in a name, or `+` and what follows it. Mailboxes that differ only in case are counted
    separately if the upstream keeps them apart.
    """
    login = canonical(upstream, address)
    return _key(upstream, login if upstream.case_sensitive_logins else _bare(login))


def _bare(login: str) -> str:
    apart = unicodedata.normalize("NFKD", login.casefold())
    plain = "".join(sign for sign in apart if unicodedata.category(sign)[0] not in "MCZ")
    local, at, domain = plain.rpartition("@") if "@" in plain else (plain, "", "")
    local = local.replace(".", "")
    return (local.partition("+")[0] or local) + at + domain


def canonical(upstream: Upstream, address: str) -> str:
    """Return the canonical login of a complete address. Raise ValueError if it has no domain."""
    local, _, domain = address.rpartition("@")
    local = _narrow(local.strip())
    if not upstream.case_sensitive_logins:
        local = local.lower()
    return upstream.user(f"{unicodedata.normalize('NFC', local)}@{domain_name(domain.strip())}")


def _narrow(text: str) -> str:
    """Map full-width and half-width letters to the usual ones (RFC 8265 §3.3.1, RFC 8264 §5.2.1)."""
    if text.isascii():
        return text
    mapped = (unicodedata.decomposition(sign).split() for sign in text)
    return "".join(
        "".join(chr(int(code, 16)) for code in parts[1:])
        if parts and parts[0] in ("<wide>", "<narrow>")
        else sign
        for sign, parts in zip(text, mapped, strict=True)
    )


def _key(upstream: Upstream, login: str) -> bytes:
    return hashlib.sha256(f"{upstream.store.host}\0{login}".encode("utf-8", "surrogatepass")).digest()
