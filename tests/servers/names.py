"""A real name server on loopback (UDP), with the records of a test.

Nothing here may ask another one: whatever is not in `records` does not exist.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset


@contextlib.contextmanager
def name_server(
    records: Mapping[str, Sequence[str]], *, spoil: bytes = b""
) -> Iterator[dns.resolver.Resolver]:
    """Serve SRV records by name, and yield a resolver that asks there; `spoil`: what is answered instead."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=_serve, args=(sock, records, spoil))
        thread.start()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port, resolver.lifetime = ["127.0.0.1"], sock.getsockname()[1], 1.0
        try:
            yield resolver
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
                end.sendto(b"", sock.getsockname())
            thread.join()


def _serve(sock: socket.socket, records: Mapping[str, Sequence[str]], spoil: bytes) -> None:
    while True:
        octets, peer = sock.recvfrom(4096)
        if not octets:
            return
        sock.sendto(spoil or _answer(octets, records), peer)


def _answer(octets: bytes, records: Mapping[str, Sequence[str]]) -> bytes:
    query = dns.message.from_wire(octets)
    reply = dns.message.make_response(query)
    name = query.question[0].name
    found = records.get(name.to_text(omit_final_dot=True))
    if found is None:
        reply.set_rcode(dns.rcode.NXDOMAIN)
    elif found:
        reply.answer.append(dns.rrset.from_text(name, 60, "IN", "SRV", *found))
    return reply.to_wire()
