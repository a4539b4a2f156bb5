"""The Wireless Session Protocol (WAP-230), sans I/O: PDUs, headers and capabilities as values.

`read_pdu` and `write_pdu` are for sessions, `read_unit` and `write_unit` for requests without one. Nothing here may
import anything of ours outside this package.
"""

from gateway.wap.wsp.assigned import AbortReason, WspPduType
from gateway.wap.wsp.octets import WSPError
from gateway.wap.wsp.wsp_pdus import (
    Connect,
    ConnectReply,
    Disconnect,
    Method,
    Push,
    Redirect,
    RedirectAddress,
    Reply,
    Resume,
    Suspend,
    WspPdu,
    read_pdu,
    read_unit,
    write_pdu,
    write_unit,
)

__all__ = [
    "AbortReason",
    "Connect",
    "ConnectReply",
    "Disconnect",
    "Method",
    "Push",
    "Redirect",
    "RedirectAddress",
    "Reply",
    "Resume",
    "Suspend",
    "WSPError",
    "WspPdu",
    "WspPduType",
    "read_pdu",
    "read_unit",
    "write_pdu",
    "write_unit",
]
