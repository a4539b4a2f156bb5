"""A server that is a function: for protocols begun well and ended badly.

Nothing here may know a protocol. Each connection runs the function in the server's only thread; what it raises is
raised again when the server is left, except for the connection's own end.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from types import TracebackType
from typing import BinaryIO

from tests.servers.certs import Pair
from tests.servers.scripted.listening import Listening


class Caller:
    """One connection, seen from the server."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._file: BinaryIO = sock.makefile("rb")
        self.heard: list[bytes] = []

    def say(self, *lines: bytes) -> None:
        """Send lines."""
        self.sock.sendall(b"".join(line + b"\r\n" for line in lines))

    def hear(self) -> bytes:
        """Read a line without its end; the end of the connection ends the function."""
        line = self._file.readline()
        if not line:
            raise ConnectionError("the client hung up")
        self.heard.append(line.rstrip(b"\r\n"))
        return self.heard[-1]

    def hear_all(self) -> bytes:
        """Read until the client hangs up."""
        return self._file.read()

    def protect(self, pair: Pair) -> None:
        """Do the server's half of a handshake."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(pair.cert, pair.key)
        self._file.close()
        self.sock = context.wrap_socket(self.sock, server_side=True)
        self._file = self.sock.makefile("rb")

    def close(self) -> None:
        self._file.close()
        self.sock.close()


class Peer(Listening):
    """Serves connections with a function, one after the other; `callers` has them."""

    def __init__(self, serve: Callable[[Caller], None]) -> None:
        super().__init__()
        self.callers: list[Caller] = []
        self._function = serve
        self._errors: list[BaseException] = []

    @property
    def heard(self) -> list[bytes]:
        """All lines of all connections."""
        return [line for caller in self.callers for line in caller.heard]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        if self._errors and error is None:
            raise self._errors[0]

    def accepted(self, sock: socket.socket) -> None:
        self._served(sock)

    def serve(self, sock: socket.socket) -> None:
        caller = Caller(sock)
        self.callers.append(caller)
        try:
            self._function(caller)
        except OSError:
            pass
        except BaseException as error:
            self._errors.append(error)
        finally:
            caller.close()
