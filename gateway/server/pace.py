"""Limits on waiting for a peer that sends a body or receives a response.

Nothing here may know what is waited for. There is a limit for each step, a minimum rate for all of them together, and a
total limit; only time spent waiting for the peer counts, not the gateway's own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

BODY_STEP = 60.0
"""Seconds without an octet of a body before giving up; GPRS stalls for 30 and goes on."""
ANSWER_STEP = 120.0
"""The same for a response, whose progress shows only when some 80 KB have left the kernel and a TLS buffer."""
LEAST_RATE = 500.0
"""The least octets per second of a body or a response overall; GSM at 9,600 bit/s, the slowest, has twice that."""
TOTAL = 3600.0
"""Seconds for one body or one response: ten million octets at 3 KB/s."""


class Pace:
    """The progress of one peer: `octets`, and the time they took."""

    def __init__(self, step: float) -> None:
        self.octets = 0
        self._step = step
        self._waited = 0.0

    @contextlib.asynccontextmanager
    async def step(self) -> AsyncIterator[None]:
        """Wait within the limits; raise TimeoutError beyond them."""
        clock = asyncio.get_running_loop().time
        began = clock()
        in_all = min(self._step + self.octets / LEAST_RATE, TOTAL)
        try:
            async with asyncio.timeout(min(self._step, in_all - self._waited)):
                yield
        finally:
            self._waited += clock() - began
