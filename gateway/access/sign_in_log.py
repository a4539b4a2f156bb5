"""One line for each sign-in that did not succeed, as fail2ban reads it (deploy/fail2ban).

Nothing here may write an address, a password or a server's reply: a reply may repeat both.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.access.log_context import FIELDS
from gateway.errors import (
    AuthenticationFailed,
    GatewayError,
    ServerAlert,
    ServerClosed,
    StoreRefused,
    TooManyTries,
    UnknownDomain,
)

log = logging.getLogger(__name__)

FAILED = "sign-in failed"


def was_refused(error: BaseException) -> bool:
    """Return whether a mail server has looked at the password and refused it: such a try counts as a guess."""
    # QUIRK: Gmail responds to a wrong password with [ALERT].
    looked_at = isinstance(error, (AuthenticationFailed, ServerAlert, StoreRefused))
    return looked_at and not isinstance(error, ServerClosed)


def log_failure(client: str, reason: str) -> None:
    """Log a failed sign-in from a network address; `reason` is a word of ours."""
    log.warning(FAILED, extra={FIELDS: {"client": client, "reason": reason}})


@contextmanager
def failures_logged(client: str) -> Iterator[None]:
    """Log the sign-in in the block if it fails; `client`: the network address that it comes from."""
    try:
        yield
    except GatewayError as error:
        fields = {"client": client, "reason": type(error).__name__}
        if was_refused(error) or isinstance(error, (UnknownDomain, TooManyTries)):
            log_failure(**fields)
        else:  # nobody's guess: people must not be locked out because a server is down
            log.warning("sign-in not possible: %s", error.detail, extra={FIELDS: fields})
        raise
