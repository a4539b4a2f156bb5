"""Datagrams of phones with mistakes in them."""

from __future__ import annotations

import random
from typing import Final

from gateway.wap import wsp
from gateway.wap.wtp.wtp_pdus import Abort, Ack, Invoke, Nack, Segment, write_pdu
from tests.wap import packets

_GET: Final = wsp.Method("GET", "http://a/", (("Accept", "*/*"), ("User-Agent", "Nokia")))
ORIGINALS: Final = (
    packets.NOKIA_7110_GET,
    packets.MXP600_CONNECT,
    packets.NOKIA_7210_BOTH,
    write_pdu(Ack(1)),
    write_pdu(Ack(2)),
    write_pdu(Ack(2, True)),
    write_pdu(Invoke(2, wsp.write_pdu(_GET))),
    write_pdu(Invoke(3, wsp.write_pdu(wsp.Connect()), new=True)),
    write_pdu(Invoke(3, b"\x40", ttr=False)),
    write_pdu(Abort(2, 0xE8, True)),
    write_pdu(Invoke(9, wsp.write_pdu(wsp.Resume(1)))),
    write_pdu(Invoke(9, wsp.write_pdu(wsp.Suspend(1)), 0)),
    write_pdu(Nack(2, (1, 2))),
    write_pdu(Segment(2, 1, b"abc", ttr=True)),
)


def mutant(chance: random.Random) -> bytes:
    """Return a datagram with one to eight octets changed, left out or put in."""
    octets = bytearray(chance.choice(ORIGINALS))
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        at = chance.randrange(len(octets) + 1)
        kind = chance.randrange(4)
        octets[at : at + (kind > 0) + chance.randrange(3) * (kind == 3)] = chance.randbytes(kind < 3)
    return bytes(octets)
