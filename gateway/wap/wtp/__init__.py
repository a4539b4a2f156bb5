"""The Wireless Transaction Protocol (WAP-224 with erratum OMA-WAP-224_002), sans I/O: the responder.

`wtp_pdus` has the encoding, `transitions` the states, `timing` the intervals and counters of appendix A. Nothing here
may import anything of ours outside `gateway.wap`.
"""

from gateway.wap.wtp.indications import AbortIndication, Indication, InvokeIndication, ResultConfirmation
from gateway.wap.wtp.responder import Limits, Responder

__all__ = ["AbortIndication", "Indication", "InvokeIndication", "Limits", "Responder", "ResultConfirmation"]
