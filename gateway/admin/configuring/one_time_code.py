"""The one-time code that opens the first run's pages: who sees the terminal may write the configuration.

Nothing here may take a code twice, or more than TRIES guesses.
"""

from __future__ import annotations

import re
import secrets
from hmac import compare_digest
from threading import Lock
from typing import Final

from gateway.admin.admin_sessions import AdminSessions

#: Of a hundred million codes.
DIGITS: Final = 8
TRIES: Final = 5


class OneTimeCode:
    """A code, and whether it still counts; thread-safe."""

    def __init__(self) -> None:
        self._digits = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
        self._left = TRIES
        self._lock = Lock()

    def __str__(self) -> str:
        half = DIGITS // 2
        return f"{self._digits[:half]}-{self._digits[half:]}"

    @property
    def is_spent(self) -> bool:
        """Whether no code is taken any more."""
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
        """Return what the session that the code has opened lasts by."""
        return "code"


class CodeSessions(AdminSessions):
    """The session of who has typed the code."""

    def __init__(self, code: OneTimeCode) -> None:
        super().__init__(code)
        self._code = code

    def _compared(self, password: str, origin: str) -> str:
        return self._code.password_hash() if self._code.take(password) else ""
