"""A real submission server (aiosmtpd) on loopback: demands STARTTLS and AUTH, delivers into Dovecot mailboxes.

Nothing here may accept mail without both. Faults are switched on by attributes: `refuse` (recipients with a reply),
`size` (octets), `exclude` (AUTH mechanisms), `utf8` (SMTPUTF8 offered), `room` (recipients of one transaction),
`verdict` (the reply to the data), `drop` ("before data", "before accept", "after accept"). `passwords` has those that
are not "secret".
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from tests import PATIENCE
from tests.servers.certs import Authority


@dataclass(frozen=True, slots=True)
class Accepted:
    """One message for which the server has taken responsibility."""

    sender: str
    recipients: tuple[str, ...]
    octets: bytes
    options: tuple[str, ...]


class SmtpServer:
    """One server; `deliver(recipient, octets)` is called for each recipient of an accepted message."""

    host = "127.0.0.1"

    def __init__(
        self, folder: Path, deliver: Callable[[str, bytes], None] = lambda spec, octets: None
    ) -> None:
        authority = Authority(folder)
        self.ca_file = authority.ca_file
        pair = authority.issue("smtp", "localhost", self.host)
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(pair.cert, pair.key)
        self.deliver = deliver
        self.passwords: dict[str, str] = {}
        self.accepted: list[Accepted] = []
        self.refuse: dict[str, str] = {}
        self.drop = ""
        self.verdict = ""
        self.size = 1_000_000
        self.exclude: tuple[str, ...] = ()
        self.utf8 = True
        self.room = 1000
        self.port = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    def reset(self) -> None:
        """Forget faults and accepted mail."""
        self.accepted.clear()
        self.refuse.clear()
        self.drop, self.verdict, self.size, self.exclude, self.utf8 = "", "", 1_000_000, (), True
        self.room = 1000

    def start(self) -> SmtpServer:
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="test-smtp")
        self._thread.start()
        if not ready.wait(PATIENCE):
            raise RuntimeError("the SMTP server did not start")
        return self

    def stop(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join(PATIENCE)
            self._loop = None

    def _run(self, ready: threading.Event) -> None:
        asyncio.run(self._main(ready))

    async def _main(self, ready: threading.Event) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = await self._loop.create_server(self._protocol, self.host, self.port)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._over.wait()
        server.close()
        for task in asyncio.all_tasks():
            if task is not asyncio.current_task():
                task.cancel()
        await asyncio.sleep(0)

    def _protocol(self) -> SMTP:
        return SMTP(
            self,
            hostname="smtp.test",
            tls_context=self._context,
            require_starttls=True,
            auth_required=True,
            auth_require_tls=True,
            authenticator=self._authenticate,
            auth_exclude_mechanism=self.exclude,
            enable_SMTPUTF8=self.utf8,
            data_size_limit=self.size,
            loop=self._loop,
        )

    def _authenticate(
        self, server: Any, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        known = self.passwords.get(data.login.decode(), "secret")
        # QUIRK: aiosmtpd hangs unless a refusal says that it is not handled.
        return AuthResult(success=data.password.decode() == known, handled=data.password.decode() == known)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.drop == "before data":
            assert server.transport is not None
            server.transport.abort()
        if address in self.refuse:
            return self.refuse[address]
        if len(envelope.rcpt_tos) >= self.room:
            return "452 4.5.3 too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert server.transport is not None
        if self.drop == "before accept":
            server.transport.abort()
            return "451 gone"
        if self.verdict:
            return self.verdict
        octets = envelope.content if isinstance(envelope.content, bytes) else b""
        self.accepted.append(
            Accepted(str(envelope.mail_from), tuple(envelope.rcpt_tos), octets, tuple(envelope.mail_options))
        )
        for spec in envelope.rcpt_tos:
            self.deliver(spec, octets)
        if self.drop == "after accept":
            server.transport.abort()
        return "250 OK"


class PlainSmtp(SmtpServer):
    """The same without TLS, so that cuts hit the protocol where they should."""

    def _protocol(self) -> SMTP:
        return SMTP(
            self,
            hostname="smtp.test",
            auth_require_tls=False,
            authenticator=self._authenticate,
            loop=self._loop,
        )
