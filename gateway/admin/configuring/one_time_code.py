"""The one-time code that opens the first run's pages: whoever sees the terminal may write the configuration.

Nothing here may accept a code twice, or more than TRIES guesses.
"""

from __future__ import annotations

import re
import secrets
from hmac import compare_digest
from threading import Lock
from typing import Final

from gateway.admin.admin_sessions import AdminSessions

#: Digits of a code: there are a hundred million.
DIGITS: Final = 8
TRIES: Final = 5


class OneTimeCode:
    """A code, and whether it is still valid; thread-safe."""

    def __init__(self) -> None:
        self._digits = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
        self._left = TRIES
        self._lock = Lock()

    def __str__(self) -> str:
        half = DIGITS // 2
        return f"{self._digits[:half]}-{self._digits[half:]}"

    @property
    def is_spent(self) -> bool:
        """Whether no code is accepted any more."""
        return self._left == 0

    def take(self, typed: str) -> bool:
        """Return whether this is the code, and its first use; blanks and hyphens do not matter."""
        digits = re.sub(r"[\s-]", "", typed).encode("utf-8", "replace")
        with self._lock:
            if self.is_spent:
                return False
            right = compare_digest(digits, self._digits.encode())
            self._left = 0 if right else self._left - 1
            return right

    def password_hash(self) -> str:
        """Return the hash with which the session opened by the code stays valid."""
        return "code"


class CodeSessions(AdminSessions):
    """The session of the person who has entered the code."""

    def __init__(self, code: OneTimeCode) -> None:
        super().__init__(code)
        self._code = code

    def _compared(self, password: str, origin: str) -> str:
        return self._code.password_hash() if self._code.take(password) else ""
