"""What real phones send, octet by octet.

Nothing here may use an encoder of ours: these packets judge it.
"""

from __future__ import annotations

from typing import Final

#: A Nokia 7110's connectionless GET over SMS: port 9200, source port 49998, transaction 1.
NOKIA_7110_GET: Final = (
    b"\x01\x40\x1chttp://wap.billy.wales/m.wml\x80\x94\x80\x95\x80\xa1\x80\x98\x80\x83\x83\x99\x81\x84\x81\x02\xea\x51"
    b"\x81\x04\x02\x03\xe8\x3d\xa9Nokia7110/1.0 (04.94)\0X-WAP.TOD\0\x01\0"
)

#: The headers of a Motorola MXP600 (TETRA, UP.Browser 6.3): 356 octets, the last of them in its own code page.
_MXP600_KNOWN: Final = (
    b"\x80\x94\x80\xa1\x80\xbb\x80\x9d\x83\x99\xbb\xea\xbb\x84\xbd\x80\xc3\x93"
    b"\xa9MOT-MXP600/R20.100 UP.Browser/6.3.0.1.c.1 (GUI) MMP/1.0\0"
    b"\xa4http://wap.example.net/start.wml\0"
)
_MXP600_OWN: Final = (
    b"\x7f\x10\x81\x82\x82\x84\x83176x220\0\x88\x02\x01\x02\x91up-device-4711_gw.example.net\0"
)
_MXP600_TEXT: Final = b"x-filler\0" + b"y" * (346 - len(_MXP600_KNOWN + _MXP600_OWN)) + b"\0"
MXP600_HEADERS: Final = _MXP600_KNOWN + _MXP600_TEXT + _MXP600_OWN
#: Its capabilities: SDUs of 327,680 octets, all options but the last one, its own code page.
MXP600_CAPABILITIES: Final = (
    b"\x04\x80\x94\x80\x00\x04\x81\x94\x80\x00\x02\x82\xf0\x02\x83\x04\x02\x84\x01\x09\x86\x10x-up-1\0"
)
#: Its Connect, built from what is known about it: WTP class 2 with U/P and already RID, SAR not supported, on port
#: 9200.
MXP600_CONNECT: Final = b"\x0f\x00\x07\x1a" + b"\x01\x10\x1d\x82\x64" + MXP600_CAPABILITIES + MXP600_HEADERS

#: A Nokia 7210's Connect and Get in one datagram, transactions 1 and 2.
_NOKIA_7210_CONNECT: Final = (
    b"\x0e\x00\x01\x12\x01\x10\x04\x1c\x03\x80\x8a\x78\x80\x94\x80\xa1\x81\xea\xa9Nokia7210/1.0 (3.08)\0"
)
_NOKIA_7210_GET: Final = b"\x0e\x00\x02\x12" + b"\x40\x17http://wap.example.org/"
NOKIA_7210_BOTH: Final = (
    b"\x00"
    + bytes((len(_NOKIA_7210_CONNECT),))
    + _NOKIA_7210_CONNECT
    + bytes((len(_NOKIA_7210_GET),))
    + _NOKIA_7210_GET
)

#: A Siemens SX1's GET: two of its headers have no value. A Siemens S35's: one NUL too many after a value.
SIEMENS_SX1_GET: Final = b"\x40\x13http://example.org/\x80\x94\xa4\0\x83\0\xa9SIE-SX1/1.0\0"
SIEMENS_S35_GET: Final = b"\x40\x13http://example.org/\x80\x94\xa9SIE-S35/1.0\0\0\x83\x99"
#: A Motorola Timeport asks for its home page.
TIMEPORT_GET: Final = b"\x40\x0bDEVICE:home\x80\x94"
