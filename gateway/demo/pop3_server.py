"""A real POP3 server for those people in the demo who read their mail that way.

Nothing here may keep a maildrop open for two sessions (RFC 1939 §4), or delete before QUIT (§6). It has what servers
have today: capabilities (RFC 2449), unique-ids, TOP, several commands in one write.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Final

#: Octets of a command line.
LONGEST_LINE: Final = 1024
#: Seconds of silence after which a connection is closed (RFC 1939 §3 has ten minutes).
SILENCE: Final = 600.0
_CAPABILITIES: Final = (
    b"USER\r\nTOP\r\nUIDL\r\nPIPELINING\r\nRESP-CODES\r\nIMPLEMENTATION Pocketpost-demo\r\n"
)
_NO_SUCH: Final = b"-ERR no such message\r\n"


class Maildrops:
    """The maildrops, by address; all in one thread."""

    def __init__(self, passwords: Mapping[str, str]) -> None:
        self._passwords = passwords
        self._messages: dict[str, list[bytes]] = {address: [] for address in passwords}
        self._open: set[str] = set()

    def __contains__(self, address: str) -> bool:
        return address in self._passwords

    def deliver(self, address: str, octets: bytes) -> None:
        """Put a message into a maildrop; a session in progress does not see it."""
        self._messages[address].append(octets)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        session = _Session(self)
        writer.write(b"+OK Pocketpost demo\r\n")
        try:
            while not session.ended:
                line = await asyncio.wait_for(reader.readline(), SILENCE)
                if not line:
                    break
                writer.write(session.answer(line[:LONGEST_LINE].rstrip(b"\r\n").decode("utf-8", "replace")))
                await writer.drain()
        except (OSError, ValueError, TimeoutError):
            pass
        finally:
            session.leave()
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def enter(self, address: str, password: str) -> list[bytes] | str:
        """Open a maildrop, and return its messages, or why not."""
        if self._passwords.get(address) != password:
            return "[AUTH] wrong user or password"
        if address in self._open:
            return "[IN-USE] another session has it open"
        self._open.add(address)
        return list(self._messages[address])

    def close(self, address: str, deleted: Iterable[bytes]) -> None:
        """Remove messages from a maildrop, and close it."""
        for octets in deleted:
            self._messages[address].remove(octets)
        self._open.discard(address)


class _Session:
    """One connection's state (RFC 1939 §3); messages keep the numbers from its beginning."""

    def __init__(self, maildrops: Maildrops) -> None:
        self._maildrops = maildrops
        self._user = self._address = ""
        self._messages: list[bytes] = []
        self._deleted: set[int] = set()
        self.ended = False

    def answer(self, line: str) -> bytes:
        """Answer one command."""
        command, _, argument = line.partition(" ")
        command = command.upper()
        if command in _ANYTIME:
            return _ANYTIME[command](self, argument)
        known = _SIGNED_IN if self._address else _SIGNED_OUT
        return known[command](self, argument) if command in known else b"-ERR unknown command\r\n"

    def leave(self, deleted: Iterable[bytes] = ()) -> None:
        """Close the maildrop, if it is open."""
        if self._address:
            self._maildrops.close(self._address, deleted)
        self._address = ""

    def capabilities(self, _argument: str) -> bytes:
        return _many(_CAPABILITIES)

    def quit(self, _argument: str) -> bytes:
        self.leave([self._messages[number - 1] for number in sorted(self._deleted)])
        self.ended = True
        return b"+OK\r\n"

    def user(self, argument: str) -> bytes:
        self._user = argument
        return b"+OK\r\n"

    def password(self, argument: str) -> bytes:
        found = self._maildrops.enter(self._user, argument)
        if isinstance(found, str):
            return f"-ERR {found}\r\n".encode()
        self._address, self._messages = self._user, found
        return b"+OK\r\n"

    def status(self, _argument: str) -> bytes:
        there = self._there()
        return b"+OK %d %d\r\n" % (len(there), sum(map(len, there.values())))

    def listing(self, argument: str) -> bytes:
        return self._listed(argument, lambda octets: b"%d" % len(octets))

    def unique_ids(self, argument: str) -> bytes:
        return self._listed(argument, lambda octets: sha256(octets).hexdigest()[:20].encode())

    def retrieve(self, argument: str) -> bytes:
        octets = self._there().get(_number(argument))
        return _many(octets) if octets is not None else _NO_SUCH

    def top(self, argument: str) -> bytes:
        number, _, lines = argument.partition(" ")
        octets = self._there().get(_number(number))
        if octets is None:
            return _NO_SUCH
        header, blank, body = octets.partition(b"\r\n\r\n")
        return _many(header + blank + b"".join(body.splitlines(keepends=True)[: _number(lines)]))

    def delete(self, argument: str) -> bytes:
        if _number(argument) not in self._there():
            return _NO_SUCH
        self._deleted.add(_number(argument))
        return b"+OK\r\n"

    def reset(self, _argument: str) -> bytes:
        self._deleted.clear()
        return b"+OK\r\n"

    def nothing(self, _argument: str) -> bytes:
        return b"+OK\r\n"

    def _there(self) -> dict[int, bytes]:
        return {n: octets for n, octets in enumerate(self._messages, 1) if n not in self._deleted}

    def _listed(self, argument: str, said: Callable[[bytes], bytes]) -> bytes:
        there = self._there()
        if not argument:
            return _many(b"".join(b"%d %b\r\n" % (n, said(octets)) for n, octets in there.items()))
        octets = there.get(_number(argument))
        return b"+OK %d %b\r\n" % (_number(argument), said(octets)) if octets is not None else _NO_SUCH


_ANYTIME: Final = {"CAPA": _Session.capabilities, "QUIT": _Session.quit}
_SIGNED_OUT: Final = {"USER": _Session.user, "PASS": _Session.password}
_SIGNED_IN: Final = {
    "STAT": _Session.status, "LIST": _Session.listing, "UIDL": _Session.unique_ids, "RETR": _Session.retrieve,
    "TOP": _Session.top, "DELE": _Session.delete, "RSET": _Session.reset, "NOOP": _Session.nothing,
}  # fmt: skip


def _number(text: str) -> int:
    """Read a message number, or a count of lines; 0 if it is neither."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0


def _many(text: bytes) -> bytes:
    """Write a multi-line response (RFC 1939 §3)."""
    text += b"" if not text or text.endswith(b"\r\n") else b"\r\n"
    return b"+OK\r\n" + (b"\r\n" + text).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"
