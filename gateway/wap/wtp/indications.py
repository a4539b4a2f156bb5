"""What the WTP responder reports to its user.

Nothing here may do anything. WAP-224 §5.3.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.wap.quadruplet import Quadruplet


@dataclass(frozen=True, slots=True)
class InvokeIndication:
    """TR-Invoke.ind: a message has arrived. `sar`: its sender accepts segmented results."""

    peer: Quadruplet
    tid: int
    tcl: int
    data: bytes
    sar: bool = False
    receive_unit: int | None = None
    group: int | None = None


@dataclass(frozen=True, slots=True)
class ResultConfirmation:
    """TR-Result.cnf: a result has arrived."""

    peer: Quadruplet
    tid: int


@dataclass(frozen=True, slots=True)
class AbortIndication:
    """TR-Abort.ind: a transaction is over. `user`: the reason is WSP's."""

    peer: Quadruplet
    tid: int
    reason: int
    user: bool


Indication = InvokeIndication | ResultConfirmation | AbortIndication
