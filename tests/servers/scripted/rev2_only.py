"""A server that speaks IMAP4rev2 and nothing older, made from a Dovecot by translating what passes through.

Nothing here may answer for Dovecot: it announces less, refuses what RFC 9051 no longer has (Appendix E) and the return
option SPECIAL-USE, answers SEARCH with ESEARCH (§6.4.4), and names mailboxes in UTF-8 (§5.1), in both directions.
"""

from __future__ import annotations

import re
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO

from imapclient.imap_utf7 import decode, encode

from tests import PATIENCE
from tests.servers.scripted.proxy import Pass, Proxy

_CAPABILITY = b"CAPABILITY IMAP4rev2 AUTH=PLAIN"
_LITERAL = re.compile(rb"\{(\d+)\+?\}\r\n\Z")
#: What is refused: commands and items that are gone, and an option that is an extension of its own.
_REFUSED = re.compile(
    rb"\S+ (?:LSUB|CHECK)\b|\S+ LIST .*\bRETURN \(.*SPECIAL-USE|\S+ (?:UID )?FETCH .*\bRFC822(?!\.SIZE)"
    rb"|\S+ (?:UID )?SEARCH .*\b(?:RECENT|NEW|OLD)\b",
    re.IGNORECASE,
)
_BY_NAME = re.compile(
    rb"\S+ (?:SELECT|EXAMINE|CREATE|DELETE|RENAME|(?:UN)?SUBSCRIBE|LIST|STATUS|APPEND|(?:UID )?(?:COPY|MOVE)) ",
    re.IGNORECASE,
)
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"')
_LISTED = re.compile(rb'(\* LIST \([^)]*\) (?:"(?:[^"\\]|\\.)*"|NIL) )(.*?)((?: \(.*)?\r\n)\Z')
_COUNTED = re.compile(rb"(\* STATUS )(.*)( \([^()]*\)\r\n)\Z")
_SEARCH = re.compile(rb"(\S+) (UID )?SEARCH (?!RETURN)", re.IGNORECASE)


class Rev2Only(Proxy):
    """A proxy in front of a Dovecot's port on loopback."""

    def passing(self) -> Pass:
        return _converse


def _converse(client: socket.socket, server: socket.socket) -> None:
    conversation = _Conversation()
    up = threading.Thread(target=_pass, args=(client, server, conversation.asked), name="rev2-only")
    up.start()
    _pass(server, client, conversation.answered)
    up.join(PATIENCE)


def _pass(source: socket.socket, target: socket.socket, said: Callable[[bytes], bytes]) -> None:
    """Pass lines on, translated, and literals as they are, until one end is closed."""
    with suppress(OSError), source.makefile("rb") as file:
        while line := file.readline():
            target.sendall(said(line))
            while literal := _LITERAL.search(line):
                line = _octets(file, target, int(literal[1]))
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _octets(file: BinaryIO, target: socket.socket, count: int) -> bytes:
    """Pass a literal on, and the line after it; return that line."""
    target.sendall(file.read(count))
    line = file.readline()
    target.sendall(line)
    return line


class _Conversation:
    """What is said on one connection."""

    def __init__(self) -> None:
        #: Tags of searches whose results come as SEARCH, and whether these are UIDs.
        self._searches: deque[tuple[bytes, bytes]] = deque()

    def asked(self, line: bytes) -> bytes:
        """Translate a line from the client."""
        if _REFUSED.match(line):
            return line.split()[0] + b" REFUSED\r\n"
        if search := _SEARCH.match(line):
            self._searches.append((search[1], search[2] or b""))
        if _BY_NAME.match(line):
            return _QUOTED.sub(lambda name: b'"' + encode(name[1].decode()) + b'"', line)
        return line

    def answered(self, line: bytes) -> bytes:
        """Translate a line from the server."""
        if re.fullmatch(rb"\* \d+ RECENT\r\n", line):
            return b""
        if line.startswith(b"* SEARCH"):
            return self._found(line.split()[2:])
        if match := _LISTED.match(line) or _COUNTED.match(line):
            return match[1] + b'"' + decode(match[2].strip(b'"')).encode() + b'"' + match[3]
        line = re.sub(rb"CAPABILITY [^\]\r]*", _CAPABILITY, line)
        return re.sub(rb" ?\\Recent", b"", line)

    def _found(self, numbers: list[bytes]) -> bytes:
        tag, uid = self._searches.popleft()
        numbers = [number for number in numbers if number.isdigit()]
        found = b" ALL " + b",".join(numbers) if numbers else b""
        return b'* ESEARCH (TAG "' + tag + b'")' + (b" UID" if uid else b"") + found + b"\r\n"
