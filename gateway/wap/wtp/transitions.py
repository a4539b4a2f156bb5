"""The WTP responder's states, as a table: which event does what under which conditions.

Nothing here may act. The rows are those of WAP-224 §9.6, in its order; the first one whose conditions all hold is
taken, and an event without a row does nothing. Where a row differs from the standard, a comment says why.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final, NamedTuple


class TransactionState(Enum):
    """States of a transaction. RECEIVING: packets of its Invoke are still to come (§7.14)."""

    LISTEN = auto()
    RECEIVING = auto()
    TIDOK_WAIT = auto()
    INVOKE_RESP_WAIT = auto()
    RESULT_WAIT = auto()
    RESULT_RESP_WAIT = auto()
    WAIT_TIMEOUT = auto()


class TransactionEvent(Enum):
    """What happens: PDUs, primitives of the user (WSP), and the timer, with its purpose."""

    RCV_INVOKE = auto()
    RCV_ACK = auto()
    RCV_GROUP_ACK = auto()
    RCV_NACK = auto()
    RCV_ABORT = auto()
    RCV_ERROR = auto()
    INVOKE_RES = auto()
    RESULT_REQ = auto()
    ABORT_REQ = auto()
    TIMER_A = auto()
    TIMER_R = auto()
    TIMER_W = auto()


class Condition(Enum):
    """The conditions of a row."""

    CLASS_1 = auto()
    CLASS_2 = auto()
    VALID_TID = auto()
    USER_ACK = auto()
    TIDOK = auto()
    RID = auto()
    ACK_SENT = auto()
    AEC_LEFT = auto()
    RCR_LEFT = auto()


class TransactionAction(Enum):
    """The actions of a row."""

    INDICATE_INVOKE = auto()
    INDICATE_ABORT = auto()
    CONFIRM_RESULT = auto()
    VERIFIED = auto()
    SEND_ACK = auto()
    SEND_ACK_TIDVE = auto()
    SEND_RESULT = auto()
    SEND_TRAILER = auto()
    SEND_NEXT_GROUP = auto()
    SEND_MISSING = auto()
    SEND_ABORT_USER = auto()
    SEND_ABORT_PROTOERR = auto()
    SEND_ABORT_UNKNOWN = auto()
    SEND_ABORT_NORESPONSE = auto()
    START_A = auto()
    START_R = auto()
    START_W = auto()
    STOP = auto()
    RESET_RCR = auto()
    INCREMENT_RCR = auto()
    INCREMENT_AEC = auto()


class Transition(NamedTuple):
    """One row: conditions, actions, next state (None: it stays)."""

    conditions: tuple[Condition, ...]
    actions: tuple[TransactionAction, ...]
    next: TransactionState | None = None


_S, _E, _C, _A = TransactionState, TransactionEvent, Condition, TransactionAction
_ABORTED: Final = (Transition((), (_A.INDICATE_ABORT,), _S.LISTEN),)
_ERROR: Final = (Transition((), (_A.SEND_ABORT_PROTOERR, _A.INDICATE_ABORT), _S.LISTEN),)
_ABORT: Final = (Transition((), (_A.SEND_ABORT_USER,), _S.LISTEN),)

TABLE: Final[dict[tuple[TransactionState, TransactionEvent], tuple[Transition, ...]]] = {
    # Classes 1 and 2; an Invoke of class 0 has no state.
    (_S.LISTEN, _E.RCV_INVOKE): (
        Transition((_C.VALID_TID,), (_A.INDICATE_INVOKE, _A.START_A), _S.INVOKE_RESP_WAIT),
        # The standard starts no timer here. Without one, a state that nobody ends would stay forever.
        Transition((), (_A.SEND_ACK_TIDVE, _A.START_W), _S.TIDOK_WAIT),
    ),
    (_S.TIDOK_WAIT, _E.RCV_ACK): (
        Transition((_C.TIDOK,), (_A.VERIFIED, _A.INDICATE_INVOKE, _A.START_A), _S.INVOKE_RESP_WAIT),
    ),
    (_S.TIDOK_WAIT, _E.RCV_ERROR): (Transition((), (_A.SEND_ABORT_PROTOERR,), _S.LISTEN),),
    (_S.TIDOK_WAIT, _E.RCV_ABORT): (Transition((), (), _S.LISTEN),),
    (_S.TIDOK_WAIT, _E.RCV_INVOKE): (Transition((_C.RID,), (_A.SEND_ACK_TIDVE,)),),
    (_S.TIDOK_WAIT, _E.TIMER_W): (Transition((), (), _S.LISTEN),),
    (_S.RECEIVING, _E.RCV_ABORT): (Transition((), (), _S.LISTEN),),
    (_S.RECEIVING, _E.RCV_ERROR): (Transition((), (_A.SEND_ABORT_PROTOERR,), _S.LISTEN),),
    (_S.RECEIVING, _E.TIMER_W): (Transition((), (), _S.LISTEN),),
    (_S.INVOKE_RESP_WAIT, _E.INVOKE_RES): (
        Transition((_C.CLASS_1,), (_A.SEND_ACK, _A.START_W), _S.WAIT_TIMEOUT),
        Transition((_C.CLASS_2,), (_A.START_A,), _S.RESULT_WAIT),
    ),
    (_S.INVOKE_RESP_WAIT, _E.RESULT_REQ): (
        Transition((), (_A.RESET_RCR, _A.SEND_RESULT, _A.START_R), _S.RESULT_RESP_WAIT),
    ),
    (_S.INVOKE_RESP_WAIT, _E.ABORT_REQ): _ABORT,
    (_S.INVOKE_RESP_WAIT, _E.RCV_ABORT): _ABORTED,
    (_S.INVOKE_RESP_WAIT, _E.RCV_ERROR): _ERROR,
    (_S.INVOKE_RESP_WAIT, _E.TIMER_A): (
        Transition((_C.USER_ACK, _C.AEC_LEFT), (_A.INCREMENT_AEC, _A.START_A)),
        Transition((_C.USER_ACK,), (_A.SEND_ABORT_NORESPONSE, _A.INDICATE_ABORT), _S.LISTEN),
        Transition((_C.CLASS_1,), (_A.SEND_ACK, _A.START_W), _S.WAIT_TIMEOUT),
        Transition((_C.CLASS_2,), (_A.SEND_ACK, _A.STOP), _S.RESULT_WAIT),
    ),
    (_S.RESULT_WAIT, _E.RESULT_REQ): (
        Transition((), (_A.RESET_RCR, _A.SEND_RESULT, _A.START_R), _S.RESULT_RESP_WAIT),
    ),
    (_S.RESULT_WAIT, _E.RCV_INVOKE): (Transition((_C.RID, _C.ACK_SENT), (_A.SEND_ACK,)),),
    (_S.RESULT_WAIT, _E.RCV_ERROR): _ERROR,
    (_S.RESULT_WAIT, _E.ABORT_REQ): _ABORT,
    (_S.RESULT_WAIT, _E.RCV_ABORT): _ABORTED,
    (_S.RESULT_WAIT, _E.TIMER_A): (Transition((), (_A.SEND_ACK, _A.STOP)),),
    (_S.RESULT_RESP_WAIT, _E.ABORT_REQ): _ABORT,
    (_S.RESULT_RESP_WAIT, _E.RCV_ABORT): _ABORTED,
    (_S.RESULT_RESP_WAIT, _E.RCV_ACK): (
        Transition((_C.TIDOK,), ()),
        Transition((), (_A.CONFIRM_RESULT,), _S.LISTEN),
    ),
    (_S.RESULT_RESP_WAIT, _E.RCV_ERROR): _ERROR,
    # The standard has no such row. An initiator that repeats its Invoke has not received the Result, so it is sent at
    # once.
    (_S.RESULT_RESP_WAIT, _E.RCV_INVOKE): (Transition((_C.RID,), (_A.SEND_TRAILER, _A.START_R)),),
    (_S.RESULT_RESP_WAIT, _E.RCV_GROUP_ACK): (
        Transition((), (_A.RESET_RCR, _A.SEND_NEXT_GROUP, _A.START_R)),
    ),
    (_S.RESULT_RESP_WAIT, _E.RCV_NACK): (
        Transition((_C.RCR_LEFT,), (_A.INCREMENT_RCR, _A.SEND_MISSING, _A.START_R)),
    ),
    (_S.RESULT_RESP_WAIT, _E.TIMER_R): (
        Transition((_C.RCR_LEFT,), (_A.INCREMENT_RCR, _A.SEND_TRAILER, _A.START_R)),
        # The message has been sent, so its receiver is told (§7.7.4).
        Transition((), (_A.SEND_ABORT_UNKNOWN, _A.INDICATE_ABORT), _S.LISTEN),
    ),
    (_S.WAIT_TIMEOUT, _E.RCV_INVOKE): (Transition((_C.RID,), (_A.SEND_ACK,)),),
    (_S.WAIT_TIMEOUT, _E.RCV_ACK): (Transition((_C.TIDOK, _C.RID), (_A.SEND_ACK,)),),
    (_S.WAIT_TIMEOUT, _E.RCV_ERROR): _ERROR,
    (_S.WAIT_TIMEOUT, _E.RCV_ABORT): _ABORTED,
    (_S.WAIT_TIMEOUT, _E.TIMER_W): (Transition((), (), _S.LISTEN),),
    (_S.WAIT_TIMEOUT, _E.ABORT_REQ): _ABORT,
}  # fmt: skip
