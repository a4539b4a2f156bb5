"""The PDUs of WTP as values, with their TPIs, and several of them in one datagram.

Nothing here may know a transaction. What cannot be read is a WTPError with as much as could be read: its sender may be
owed an Abort. WAP-224 §8; erratum OMA-WAP-224_002 (GTR and TTR are both set on a message of one packet).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

#: The bit of a TID that shows its direction: clear from the initiator. WAP-224 §7.8.1.
DIRECTION: Final = 0x8000
TID_SPACE: Final = 0x8000
#: The most packets of one message: their numbers have one octet. WAP-224 §7.14.2.
MOST_PACKETS: Final = 256


class WtpPduType(IntEnum):
    """Types of PDUs. WAP-224 table 11."""

    INVOKE = 1
    RESULT = 2
    ACK = 3
    ABORT = 4
    SEGMENTED_INVOKE = 5
    SEGMENTED_RESULT = 6
    NACK = 7


class Provider(IntEnum):
    """Why WTP itself aborts a transaction. WAP-224 table 19."""

    UNKNOWN = 0x00
    PROTOERR = 0x01
    INVALIDTID = 0x02
    NOTIMPLEMENTEDCL2 = 0x03
    NOTIMPLEMENTEDSAR = 0x04
    NOTIMPLEMENTEDUACK = 0x05
    WTPVERSIONONE = 0x06
    CAPTEMPEXCEEDED = 0x07
    NORESPONSE = 0x08
    MESSAGETOOLARGE = 0x09
    NOTIMPLEMENTEDESAR = 0x0A


class TpiType(IntEnum):
    """Transport information items. WAP-224 table 25."""

    ERROR = 0
    INFO = 1
    OPTION = 2
    PSN = 3
    SDU_BOUNDARY = 4
    FRAME_BOUNDARY = 5


class OptionTpi(IntEnum):
    """Parameters in an option TPI. WAP-224 table 30."""

    MAXIMUM_RECEIVE_UNIT = 1
    TOTAL_MESSAGE_SIZE = 2
    DELAY_TRANSMISSION = 3
    MAXIMUM_GROUP = 4
    CURRENT_TID = 5
    NO_CACHED_TID = 6
    NUM_GROUPS = 7


#: A TPI: its identity and its data.
Tpi = tuple[int, bytes]


class WTPError(ValueError):
    """The octets are not a PDU. `kind` and `tid` are those of the PDU, as far as they could be read."""

    def __init__(self, reason: str, kind: int = 0, tid: int | None = None) -> None:
        super().__init__(reason)
        self.kind, self.tid = kind, tid


@dataclass(frozen=True, slots=True)
class Invoke:
    """Begins a transaction. `new`: TIDnew; `user_ack`: the U/P flag."""

    tid: int
    data: bytes
    tcl: int = 2
    new: bool = False
    user_ack: bool = False
    version: int = 0
    gtr: bool = True
    ttr: bool = True
    rid: bool = False
    tpis: tuple[Tpi, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a transaction, or its first packet."""

    tid: int
    data: bytes
    gtr: bool = True
    ttr: bool = True
    rid: bool = False
    tpis: tuple[Tpi, ...] = ()


@dataclass(frozen=True, slots=True)
class Ack:
    """Acknowledges. `verify`: TIDve from the responder, TIDok from the initiator."""

    tid: int
    verify: bool = False
    rid: bool = False
    tpis: tuple[Tpi, ...] = ()


@dataclass(frozen=True, slots=True)
class Abort:
    """Ends a transaction. `user`: the reason is WSP's."""

    tid: int
    reason: int
    user: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """A later packet of an Invoke or, with `result`, of a Result."""

    tid: int
    number: int
    data: bytes
    result: bool = False
    gtr: bool = False
    ttr: bool = False
    rid: bool = False
    tpis: tuple[Tpi, ...] = ()


@dataclass(frozen=True, slots=True)
class Nack:
    """Asks for packets that are missing; for the whole group if none is named."""

    tid: int
    missing: tuple[int, ...] = ()
    rid: bool = False
    tpis: tuple[Tpi, ...] = ()


WtpPdu = Invoke | Result | Ack | Abort | Segment | Nack


def separate(datagram: bytes) -> list[bytes]:
    """Return the PDUs in a datagram (WAP-224 §8.5); one that is cut off at the end is left out."""
    if datagram[:1] != b"\0":
        return [datagram]
    found, at = [], 1
    while at < len(datagram):
        length = datagram[at]
        at += 1
        if length & 0x80:
            if at == len(datagram):
                break
            length = (length & 0x7F) << 8 | datagram[at]
            at += 1
        if length and at + length <= len(datagram):
            found.append(datagram[at : at + length])
        at += length
    return found


def concatenate(pdus: Sequence[bytes]) -> bytes:
    """Put PDUs into one datagram."""
    if len(pdus) == 1:
        return pdus[0]
    out = b"\0"
    for pdu in pdus:
        length = len(pdu)
        out += (bytes((length,)) if length < 0x80 else (0x8000 | length).to_bytes(2, "big")) + pdu
    return out


def read_pdu(octets: bytes) -> WtpPdu:
    """Read one PDU; raise WTPError."""
    kind = octets[0] >> 3 & 15 if octets else 0
    if len(octets) < 3:
        raise WTPError("it ends too early", kind)
    tid = int.from_bytes(octets[1:3], "big")
    fixed = _FIXED.get(kind)
    if fixed is None:
        raise WTPError(f"PDU type {kind} is not known", kind, tid)
    if kind == WtpPduType.NACK and len(octets) >= fixed:
        fixed += octets[3]
    if len(octets) < fixed:
        raise WTPError("it ends too early", kind, tid)
    tpis, data = _tpis(octets[fixed:], kind, tid) if octets[0] & 0x80 else ((), octets[fixed:])
    gtr, ttr, rid = bool(octets[0] & 4), bool(octets[0] & 2), bool(octets[0] & 1)
    if kind == WtpPduType.INVOKE:
        flags = octets[3]
        return Invoke(
            tid, data, flags & 3, bool(flags & 0x20), bool(flags & 0x10), flags >> 6, gtr, ttr, rid, tpis
        )
    if kind == WtpPduType.RESULT:
        return Result(tid, data, gtr, ttr, rid, tpis)
    if kind == WtpPduType.ACK:
        return Ack(tid, gtr, rid, tpis)
    if kind == WtpPduType.ABORT:
        return Abort(tid, octets[3], bool(octets[0] & 7))
    if kind == WtpPduType.NACK:
        return Nack(tid, tuple(octets[4:fixed]), rid, tpis)
    return Segment(tid, octets[3], data, kind == WtpPduType.SEGMENTED_RESULT, gtr, ttr, rid, tpis)


#: Octets of the fixed header of each type; a Nack's without the numbers that it names.
_FIXED: Final[dict[int, int]] = {
    WtpPduType.INVOKE: 4,
    WtpPduType.RESULT: 3,
    WtpPduType.ACK: 3,
    WtpPduType.ABORT: 4,
    WtpPduType.SEGMENTED_INVOKE: 4,
    WtpPduType.SEGMENTED_RESULT: 4,
    WtpPduType.NACK: 4,
}


def _tpis(octets: bytes, kind: int, tid: int) -> tuple[tuple[Tpi, ...], bytes]:
    """Read TPIs (WAP-224 §8.4.1); return them, and the data after them."""
    found: list[Tpi] = []
    at = 0
    while True:
        head = octets[at : at + 2]
        long = bool(head and head[0] & 4)
        if len(head) < 1 + long:
            raise WTPError("a TPI is cut off", kind, tid)
        length = head[1] if long else head[0] & 3
        at += 1 + long
        if at + length > len(octets):
            raise WTPError("a TPI is cut off", kind, tid)
        found.append((head[0] >> 3 & 15, octets[at : at + length]))
        at += length
        if not head[0] & 0x80:
            return tuple(found), octets[at:]


def write_pdu(pdu: WtpPdu) -> bytes:
    """Write one PDU."""
    tid = pdu.tid.to_bytes(2, "big")
    if isinstance(pdu, Abort):
        return bytes((WtpPduType.ABORT << 3 | pdu.user,)) + tid + bytes((pdu.reason,))
    tpis = _write_tpis(pdu.tpis)
    more = bool(pdu.tpis) << 7
    if isinstance(pdu, Ack):
        return bytes((more | WtpPduType.ACK << 3 | pdu.verify << 2 | pdu.rid,)) + tid + tpis
    if isinstance(pdu, Nack):
        missing = bytes((len(pdu.missing), *pdu.missing))
        return bytes((more | WtpPduType.NACK << 3 | pdu.rid,)) + tid + missing + tpis
    flags = more | pdu.gtr << 2 | pdu.ttr << 1 | pdu.rid
    if isinstance(pdu, Invoke):
        kind, own = WtpPduType.INVOKE, bytes((pdu.version << 6 | pdu.new << 5 | pdu.user_ack << 4 | pdu.tcl,))
    elif isinstance(pdu, Result):
        kind, own = WtpPduType.RESULT, b""
    else:
        kind = WtpPduType.SEGMENTED_RESULT if pdu.result else WtpPduType.SEGMENTED_INVOKE
        own = bytes((pdu.number,))
    return bytes((flags | kind << 3,)) + tid + own + tpis + pdu.data


def _write_tpis(tpis: Sequence[Tpi]) -> bytes:
    out = b""
    for place, (identity, data) in enumerate(tpis, 1):
        head = (place < len(tpis)) << 7 | identity << 3
        if len(data) < 4:
            out += bytes((head | len(data),)) + data
        else:
            out += bytes((head | 4, len(data))) + data
    return out


def psn(number: int) -> Tpi:
    """Return the TPI that names a packet in an Ack."""
    return TpiType.PSN, bytes((number,))


def packet_number(tpis: Sequence[Tpi]) -> int | None:
    """Return the packet that an Ack names, None if it names none."""
    return next((data[-1] for identity, data in tpis if identity == TpiType.PSN and data), None)


def option(tpis: Sequence[Tpi], which: OptionTpi) -> int | None:
    """Return the number that an option TPI has; None without one."""
    for identity, data in tpis:
        if identity == TpiType.OPTION and data[:1] == bytes((which,)):
            return int.from_bytes(data[1:5], "big")
    return None


def errors_of(tpis: Sequence[Tpi]) -> tuple[Tpi, ...]:
    """Return the answer to unknown TPIs (WAP-224 §7.10.2 and §8.4.2)."""
    known = set(TpiType)
    return tuple((TpiType.ERROR, bytes((0x10 | identity,))) for identity, _ in tpis if identity not in known)
