"""The addresses of a session: the peer's, and the port of ours that it sends to.

Nothing here may do anything. WAP-230 §7.1.5 (peer address quadruplet; our own address is one and the same).
"""

from __future__ import annotations

from typing import NamedTuple


class Quadruplet(NamedTuple):
    """The peer's address and port, and our own port."""

    host: str
    port: int
    local_port: int
