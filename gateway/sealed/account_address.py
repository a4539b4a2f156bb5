"""The address of an account, kept for administrators who want to see it, encrypted.

Nothing here may make an address readable from the database alone: it is encrypted under the server secret, and bound to
the account's key, which it does not fit after that has changed.
"""

from __future__ import annotations

from typing import Final

from gateway.sealed import vault

_PURPOSE: Final = b"address"
_ROW: Final = b""


def closed(address: str, key: bytes, secret: bytes) -> bytes:
    """Encrypt the address of the account with this key."""
    return _seal(key, secret).close(address.encode("utf-8", "surrogatepass"), _ROW)


def opened(sealed: bytes | None, key: bytes, secret: bytes) -> str:
    """Decrypt the address of the account with this key; "" if there is none, or if the secret has changed."""
    plain = _seal(key, secret).open(sealed, _ROW) if sealed is not None else None
    return plain.decode("utf-8", "replace") if plain is not None else ""


def _seal(key: bytes, secret: bytes) -> vault.Seal:
    return vault.Seal(key.hex(), secret, _PURPOSE)
