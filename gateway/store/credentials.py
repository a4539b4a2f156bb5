"""What must not be repeated of a credential, whatever the protocol.

Nothing here may send anything, or put a credential into an error.
"""

from __future__ import annotations

import base64
from typing import Final

from gateway.errors import ServerAlert, StoreError, UnsafeArgument
from gateway.upstreams import sasl

#: Characters of a credential that identify an echo of it: a server's text is truncated, and so may be the echo.
ECHO: Final = 16


def secrets(user: str, password: str) -> tuple[str, ...]:
    """Return what must not be repeated: the password, plain and as it is sent. Raise UnsafeArgument."""
    try:
        return password, *(
            base64.b64encode(sent).decode()
            for sent in (password.encode(), sasl.plain(user.encode(), password.encode()))
        )
    except UnicodeEncodeError:
        raise UnsafeArgument("the credentials are not Unicode text") from None


def without(secrets: tuple[str, ...], error: StoreError) -> StoreError:
    """Drop the detail of an error that repeats the password, plain or encoded, whole or truncated."""
    if any(secret and secret[:ECHO] in error.detail for secret in secrets):
        if isinstance(error, ServerAlert):
            return ServerAlert("")
        error.detail = "(text of the server left out)"
        error.args = (error.detail,)
    return error
