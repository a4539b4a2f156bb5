"""One person's mail before and after a walk with a real client, seen from outside over IMAP.

Nothing here may know which client walks: it prepares the mail, and checks what the walk has left behind.
"""

from __future__ import annotations

import email
import email.policy
import imaplib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage

from tests.servers import maildir
from tests.servers.dovecot import Dovecot

PASSWORD = "secret"
SUBJECT = "Costs $5 & more"
#: The last words of the message: whoever reads them has been to its last page.
LAST_WORDS = "Here ends the long message."
#: Before the mail that `deliver` writes: the special message is the newest.
EARLIER = 1_700_000_000


@dataclass(frozen=True)
class Journey:
    """A mailbox of `count` messages; the newest is long and from `bob`, who is waiting for an answer.

    `sent`: the mailbox where a copy of it goes.
    """

    dovecot: Dovecot
    me: str
    bob: str
    count: int = 30
    sent: str = "Sent"

    def prepare(self, sentences: int = 120) -> Journey:
        """Make both mailboxes again."""
        for user in (self.me, self.bob):
            shutil.rmtree(self.dovecot.home(user), ignore_errors=True)
            self.dovecot.user(user)
        maildir.fill(self.dovecot.maildir(self.me), self.count - 1, first_second=EARLIER)
        self.dovecot.deliver(self.me, self._long_mail(sentences))
        return self

    def _long_mail(self, sentences: int) -> bytes:
        text = "".join(
            f"Sentence {n} of this long message says little more.\r\n\r\n" for n in range(sentences)
        )
        return (
            f"From: Bob <{self.bob}>\r\nTo: {self.me}\r\nSubject: {SUBJECT}\r\nMessage-ID: <orig@example.net>\r\n"
            "Date: Tue, 3 Nov 2026 14:05:00 +0100\r\nMIME-Version: 1.0\r\n"
            f"Content-Type: text/plain; charset=utf-8\r\n\r\nPay $(user) now.\r\n\r\n{text}{LAST_WORDS}\r\n"
        ).encode()

    @contextmanager
    def imap(self, user: str) -> Iterator[imaplib.IMAP4]:
        """Look into a mailbox as another client does."""
        connection = imaplib.IMAP4(self.dovecot.host, self.dovecot.ports["imap"])
        try:
            connection.login(user, PASSWORD)
            yield connection
        finally:
            connection.logout()

    def messages(self, user: str, mailbox: str = "INBOX") -> list[EmailMessage]:
        with self.imap(user) as connection:
            connection.select(mailbox, readonly=True)
            numbers = connection.search(None, "ALL")[1][0].split()
            octets = [connection.fetch(n.decode(), "(RFC822)")[1][0][1] for n in numbers]
        return [email.message_from_bytes(each, policy=email.policy.default) for each in octets]

    def flags(self) -> str:
        """Return the flags of the newest message."""
        with self.imap(self.me) as connection:
            connection.select("INBOX", readonly=True)
            return connection.fetch(str(self.count), "(FLAGS)")[1][0].decode()

    def assert_answered(self, text: str) -> None:
        """The answer has arrived once, is in Sent, and the original is flagged."""
        arrived, kept = self.messages(self.bob), self.messages(self.me, self.sent)
        assert [found["Subject"] for found in arrived] == [f"Re: {SUBJECT}"]
        assert [found["Message-ID"] for found in kept] == [arrived[0]["Message-ID"]]
        assert arrived[0]["In-Reply-To"] == "<orig@example.net>"
        said = arrived[0].get_content().replace("\r\n", "\n").replace(" \n", " ")  # format=flowed
        assert said.startswith(text), said[:200]
        assert "> Pay $(user) now." in said
        flags = self.flags()
        assert "\\Answered" in flags
        assert "\\Seen" in flags
