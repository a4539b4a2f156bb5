"""Hashes of the administrator's password: Argon2id (RFC 9106) in the PHC string format.

Nothing here may store or log a password. A hash takes MEMORY_KIB, so no more than TOGETHER are computed at a time.
"""

from __future__ import annotations

import os
from threading import BoundedSemaphore
from typing import Final

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from gateway.errors import AdminBusy

#: The parameters with the least memory that OWASP's password storage cheat sheet recommends.
MEMORY_KIB: Final = 19 * 1024
ITERATIONS: Final = 2
LANES: Final = 1
HASH_OCTETS: Final = 32
SALT_OCTETS: Final = 16
TOGETHER: Final = 2
PATIENCE_SECONDS: Final = 5.0
SHORTEST: Final = 12  # characters: strangers may be able to reach the panel
LONGEST: Final = 1024

_places = BoundedSemaphore(TOGETHER)


def hashed(password: str) -> str:
    """Return the hash of a password."""
    kdf = Argon2id(
        salt=os.urandom(SALT_OCTETS),
        length=HASH_OCTETS,
        iterations=ITERATIONS,
        lanes=LANES,
        memory_cost=MEMORY_KIB,
    )
    return kdf.derive_phc_encoded(_octets(password))


def matches(password: str, phc: str) -> bool:
    """Return whether a hash is of this password. Raise AdminBusy if too many are being compared."""
    if not phc or len(password) > LONGEST:
        return False
    if not _places.acquire(timeout=PATIENCE_SECONDS):
        raise AdminBusy("passwords of the panel are being compared")
    try:
        Argon2id.verify_phc_encoded(_octets(password), phc)
    except InvalidKey:
        return False
    finally:
        _places.release()
    return True


def _octets(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
