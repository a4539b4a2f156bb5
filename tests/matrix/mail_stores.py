"""The mail stores on which the whole job is walked: other servers, and Dovecots with others' names or announcements.

Nothing here may know a client. `docs/protocols.md` has a row for each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial

import pytest

from gateway.config import Server, Tls
from tests import rig
from tests.servers import dovecot as dovecots
from tests.servers import go_imap, unpacked
from tests.servers.dovecot import NAMESPACES, Dovecot
from tests.servers.elsewhere import Courier, Cyrus, Elsewhere, Imap4d, OldCyrus
from tests.servers.scripted.rev2_only import Rev2Only


@dataclass(frozen=True)
class Running:
    """A running mail store: how the gateway reaches it, and the port where it is examined from outside."""

    server: Server
    side: int


Opened = Callable[[Sequence[str]], Iterator[Running]]


@dataclass(frozen=True)
class MailStore:
    """How to run one for these users; the prefix of its own mailboxes, and the separator of their levels.

    `keeps_flags`: others see a flag once the connection that set it has ended.
    """

    run: Opened
    prefix: str = ""
    separator: str = "/"
    keeps_flags: bool = False


def _dovecot(
    users: Sequence[str], namespaces: str = NAMESPACES, more: str = "", tls: Tls = Tls.STARTTLS
) -> Iterator[Running]:
    if not dovecots.installed():
        pytest.skip("NOT TESTED: dovecot is not installed (see tests/debian-packages.txt)")
    with closing(Dovecot(namespaces, more)) as dovecot:
        (dovecot.base / "public").mkdir(mode=0o777)
        (dovecot.base / "public").chmod(0o777)
        dovecot.start()
        dovecot.users(dict.fromkeys(users, dovecots.PASSWORD))
        yield Running(rig.imap(dovecot, tls), dovecot.ports["imap"])


def _rev2_only(users: Sequence[str]) -> Iterator[Running]:
    for running in _dovecot(users):
        with Rev2Only(running.side) as proxy:
            yield replace(running, server=rig.plain(proxy))


def _go_imap(users: Sequence[str]) -> Iterator[Running]:
    if not go_imap.installed():
        pytest.skip("NOT TESTED: go and go-imap are not installed (see tests/debian-packages.txt)")
    with go_imap.running(users) as port:
        yield Running(Server("imap", "127.0.0.1", port, Tls.NONE), port)


def _elsewhere(kind: type[Elsewhere], users: Sequence[str]) -> Iterator[Running]:
    if lacking := unpacked.lacking(kind.package):
        pytest.skip(f"NOT TESTED: {lacking}")
    with closing(kind(users)) as server:
        server.start()
        yield Running(rig.imap(server), server.ports["imap"])


_ANNOUNCED = """
protocol imap {{
  imap_capability = %s
}}
"""
_BASE = "IMAP4rev1 SASL-IR LITERAL+ ENABLE IDLE NAMESPACE LIST-EXTENDED CHILDREN SORT ESEARCH"

MAIL_STORES = {
    "Dovecot": MailStore(_dovecot),
    "Dovecot, IMAP4rev1 alone": MailStore(
        partial(
            _dovecot, namespaces=dovecots.NAMESPACE % ("/", ""), more=_ANNOUNCED % "IMAP4rev1", tls=Tls.NONE
        )
    ),
    "Dovecot, IMAP4rev2 alone": MailStore(_rev2_only),
    "Dovecot, no MOVE, no UIDPLUS": MailStore(partial(_dovecot, more=_ANNOUNCED % _BASE)),
    "Dovecot, INBOX. and a shared space": MailStore(
        partial(
            _dovecot, namespaces=dovecots.NAMESPACE % (".", "INBOX.") + dovecots.PUBLIC, tls=Tls.IMPLICIT
        ),
        "INBOX.",
        ".",
    ),
    "Dovecot, separator \\": MailStore(
        partial(_dovecot, namespaces=dovecots.NAMESPACE % (r'"\\"', "")), separator="\\"
    ),
    "Dovecot, mbox": MailStore(
        partial(
            _dovecot,
            namespaces=dovecots.NAMESPACE % ("/", ""),
            more="\nmail_location = mbox:~/mail:INBOX=~/inbox\n",
        )
    ),
    "Cyrus": MailStore(partial(_elsewhere, Cyrus)),
    "Cyrus, all below INBOX": MailStore(partial(_elsewhere, OldCyrus), "INBOX.", "."),
    "Courier": MailStore(partial(_elsewhere, Courier), "INBOX.", "."),
    "GNU imap4d": MailStore(partial(_elsewhere, Imap4d), keeps_flags=True),
    "go-imap": MailStore(_go_imap),
}
