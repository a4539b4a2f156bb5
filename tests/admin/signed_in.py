"""People who are signed in to a gateway with a panel, without mail servers."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

from gateway.access.session import Session
from gateway.access.sessions import Sessions
from gateway.admin.gateway_process import GatewayProcess
from gateway.errors import AuthenticationFailed
from gateway.store.abilities import EVERY_ABILITY

PASSWORD = "pa55-of-a-mailbox"
PHONE = "Nokia7110/1.0 (04.84)"


class _Pool:
    """Lends what is connected, and keeps nothing."""

    def lease(self, key: bytes, connect: Callable[[], Any]) -> Any:
        return nullcontext(connect())

    def drop(self, key: bytes) -> None:
        """Close nothing."""

    def close(self) -> None:
        """Close nothing."""


def _connect(_server: object, _user: str, password: str) -> Any:
    if password != PASSWORD:
        raise AuthenticationFailed("wrong")
    return SimpleNamespace(can=EVERY_ABILITY, lent=lambda connect, notes: nullcontext())


def sign_in(
    process: GatewayProcess, address: str, password: str = PASSWORD, at: float | None = None, **more: Any
) -> Session:
    """Sign somebody in to the running gateway: their mail server takes PASSWORD.

    `at`: the time of day that the throttle uses.
    """
    clock = (lambda: at) if at is not None else time.time
    sessions = Sessions(process.config, process.state, process.secret, _Pool(), _connect, clock=clock)
    how = {
        "device": "nokia7110", "markup": "wml", "user_agent": PHONE, "language": "en", "via": "url",
        "remote": "192.0.2.1", **more,
    }  # fmt: skip
    return sessions.open(address, password, **how)


def is_out(process: GatewayProcess, session: Session) -> bool:
    """Return whether the gateway asks whoever has the session's token to sign in."""
    answer = process.app.test_client().get(f"/~{session.token}/s", headers={"User-Agent": PHONE})
    assert "Settings" in answer.text or "Please sign in again." in answer.text
    return "Please sign in again." in answer.text
