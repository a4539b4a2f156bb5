"""Real IMAP, POP3 and SMTP submission servers on free loopback ports, in one thread of this process.

Nothing here may touch the disk or leave this machine: mail is held in memory, and sent mail reaches only the users of
the demo; the invented people of the sample ("*.example", RFC 2606) accept mail and never reply.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from argparse import Namespace
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import Config, DictBackend, Identity
from pymap.backend.dict.filter import FilterSet
from pymap.backend.dict.mailbox import MailboxSet
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials.flag import Flag
from pymap.user import Passwords, UserMetadata
from pysasl.hashing import BuiltinHash

from gateway.demo import repairs
from gateway.demo.pop3_server import Maildrops

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
SIZE_LIMIT = 10 * 1024 * 1024
"""The most octets of a submitted message."""
START_TIME = 20.0
"""Seconds until the servers must be up; it usually takes one."""
STOP_TIME = 5.0
"""Seconds for connections to end."""
HASH_ROUNDS = 1
"""Of PBKDF2: pymap's own half a million would protect passwords that the demo prints, at 0.2 s per sign-in."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One message in a mailbox."""

    mailbox: str
    octets: bytes
    received: datetime
    flags: tuple[str, ...] = ()


class SubmissionHandler:
    """The SMTP server's policy: who may send, as whom, to whom (RFC 6409)."""

    def __init__(self, passwords: Mapping[str, str], servers: Servers) -> None:
        self._passwords = passwords
        self._servers = servers

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _how: str, data: Any) -> AuthResult:
        """Check AUTH PLAIN and LOGIN."""
        assert isinstance(data, LoginPassword)
        user, password = (each.decode("utf-8", "replace") for each in (data.login, data.password))
        good = self._passwords.get(user) == password
        # QUIRK: aiosmtpd 1.4 replies to a refusal only if it is reported as not handled.
        return AuthResult(success=good, handled=good, auth_data=user if good else None)

    async def handle_MAIL(
        self, _server: SMTP, session: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        # Not with aiosmtpd's auth_required, which warns at each connection that there is no TLS.
        if not session.authenticated:
            return "530 5.7.0 Authentication required"
        if address.lower() != session.auth_data:
            return "553 5.7.1 This is not your address"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.lower() not in self._passwords:
            domain = address.lower().rpartition("@")[2]
            if domain in {each.partition("@")[2] for each in self._passwords}:
                return "550 5.1.1 No such mailbox"
            if not f".{domain}".endswith(".example"):
                return "550 5.7.1 The demo delivers to its own users only"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        now = datetime.now(UTC)
        trace = (
            f"Return-Path: <{envelope.mail_from}>\r\n"
            f"Received: by pocketpost.example with ESMTPA;\r\n\t{format_datetime(now)}\r\n"
        )
        octets = trace.encode() + _octets(envelope)
        for address in dict.fromkeys(each.lower() for each in envelope.rcpt_tos):
            if address in self._passwords:
                await self._servers.store(address, Stored("INBOX", octets, now))
        return "250 2.0.0 Accepted"


def _octets(envelope: Envelope) -> bytes:
    content = envelope.content or b""
    return content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content


class Servers:
    """The servers, as a context manager. The ports are known once it is entered."""

    imap_port = 0
    pop3_port = 0
    smtp_port = 0

    def __init__(
        self, passwords: Mapping[str, str], mailboxes: Iterable[str], by_pop3: Mapping[str, str] | None = None
    ) -> None:
        """`passwords` by address; `mailboxes`: those that each user has besides INBOX.

        `by_pop3`: the passwords of people who read by POP3, and have only the inbox.
        """
        self._passwords = dict(passwords)
        self._maildrops = Maildrops(by_pop3 or {})
        self._everybody = self._passwords | dict(by_pop3 or {})
        self._mailboxes = tuple(mailboxes)
        self._sets: dict[str, MailboxSet] = {}
        self._thread = threading.Thread(target=self._run, name="demo-mail", daemon=True)
        self._ready = threading.Event()
        self._error: BaseException | None = None

    def __enter__(self) -> Servers:
        self._thread.start()
        if not self._ready.wait(START_TIME) or self._error:
            raise RuntimeError("the demo's mail servers did not start") from self._error
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is already closed
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(STOP_TIME)

    def fill(self, address: str, messages: Iterable[Stored]) -> None:
        """Put messages into a user's mailboxes, from any thread."""

        async def fill() -> None:
            for message in messages:
                await self.store(address, message)

        asyncio.run_coroutine_threadsafe(fill(), self._loop).result(START_TIME)

    async def store(self, address: str, message: Stored) -> None:
        """Append one message; runs in the servers' own thread."""
        if address in self._maildrops:
            self._maildrops.deliver(address, message.octets)
            return
        mailbox = await self._sets[address].get_mailbox(message.mailbox)
        flags = frozenset(Flag(each.encode()) for each in message.flags)
        await mailbox.append(AppendMessage(message.octets, message.received, flags), recent=True)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._error = error
            log.debug("the demo's mail servers ended", exc_info=error)
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._loop.set_exception_handler(lambda _, context: log.warning("%s", context.get("message")))
        imap, smtp = await self._imap(), await self._smtp()
        pop3 = await asyncio.start_server(self._maildrops.serve, HOST, 0)
        self.imap_port, self.pop3_port, self.smtp_port = (
            each.sockets[0].getsockname()[1] for each in (imap, pop3, smtp)
        )
        self._ready.set()
        await self._stop.wait()
        for each in (imap, pop3, smtp):  # the connections end with their tasks, when the loop does
            each.close()

    async def _imap(self) -> asyncio.Server:
        repairs.apply()
        args = Namespace(
            passlib_cfg=None, proxy_protocol=None, host=HOST, port=0, debug=False, cert=None, key=None,
            tls=False, demo_data=False, demo_user="nobody", demo_password="", inherited_sockets=None,
        )  # fmt: skip
        backend, config = await DictBackend.init(
            args, invalid_user_sleep=0.2, reject_dnsbl=False, hash_context=BuiltinHash(rounds=HASH_ROUNDS)
        )
        config.apply_context()
        backend.login.users_dict.clear()  # pymap's own demo user
        await self._accounts(backend, config)
        callback = ProxyProtocolReader(config.proxy_protocol).get_callback(IMAPServer(backend.login, config))
        return await asyncio.start_server(callback, HOST, 0)

    async def _accounts(self, backend: DictBackend, config: Config) -> None:
        hashes = Passwords(config)
        for address, password in self._passwords.items():
            user = UserMetadata(config, address, password=await hashes.hash_password(password))
            await Identity(address, backend.login, None, frozenset()).set(user)
            boxes = self._sets[address] = MailboxSet()
            for name in self._mailboxes:
                await boxes.add_mailbox(name)
                await boxes.set_subscribed(name, True)
            config.set_cache[address] = (boxes, FilterSet())

    async def _smtp(self) -> asyncio.Server:
        handler = SubmissionHandler(self._everybody, self)
        logging.getLogger("mail.log").setLevel(
            logging.ERROR
        )  # aiosmtpd warns about its own deprecated attribute

        def connection() -> SMTP:
            return SMTP(
                handler,
                data_size_limit=SIZE_LIMIT,
                enable_SMTPUTF8=True,
                hostname="pocketpost.example",
                ident="Pocketpost demo",
                auth_require_tls=False,  # loopback
                authenticator=handler.authenticate,
                loop=self._loop,
            )

        return await self._loop.create_server(connection, HOST, 0)
