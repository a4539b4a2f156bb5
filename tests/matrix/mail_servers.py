"""The mail servers of the matrix: how each names its mailboxes, what it can do, and how it is reached.

Nothing here may know a client. What is not a Dovecot is a Dovecot that answers like one of them: names below INBOX as
in Courier, or only what RFC 3501 requires.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.config import Tls
from tests.servers.dovecot import NAMESPACES

_BELOW_INBOX = """\
namespace inbox {{
  inbox = yes
  prefix = INBOX.
  separator = .
{special}
}}
"""
_IMAP4REV1_ALONE = """
protocol imap {{
  imap_capability = IMAP4rev1
}}
"""


@dataclass(frozen=True)
class MailServer:
    """One kind: Dovecot's configuration, the connection's protection, and the mailbox that copies go to."""

    namespaces: str = NAMESPACES
    more: str = ""
    tls: Tls = Tls.STARTTLS
    sent: str = "Sent"


MAIL_SERVERS = {
    "Dovecot, STARTTLS": MailServer(),
    "everything below INBOX, TLS": MailServer(_BELOW_INBOX, tls=Tls.IMPLICIT, sent="INBOX.Sent"),
    "IMAP4rev1 alone, no TLS": MailServer(more=_IMAP4REV1_ALONE, tls=Tls.NONE),
}
