"""Which providers file submitted mail in Sent by themselves.

Nothing here may be assumed without having been seen: a copy counts when it is found by its Message-ID. What is learnt
is forgotten when the process ends. The table is a first guess, from the providers' documentation: Gmail, Exchange
Online (the parameter -MessageCopyForSMTPClientSubmissionEnabled of Set-Mailbox), Zoho Mail (its setting for copies of
sent mail).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from gateway.config import Server, Upstream

#: Submission servers that file sent mail themselves, by host.
FILING: Final = frozenset(
    ("smtp.gmail.com", "smtp.googlemail.com", "smtp.office365.com", "smtp-mail.outlook.com", "smtp.live.com",
     "smtp.zoho.com", "smtppro.zoho.com", "smtp.zoho.eu", "smtppro.zoho.eu", "smtp.zoho.in", "smtppro.zoho.in")
)  # fmt: skip
#: Seconds between looks into Sent. A person waits for these once for each submission server that files nothing.
WAITS: Final = (0.2, 0.3, 0.5)


@dataclass(slots=True)
class Learnt:
    """What has been seen of submission servers: whether they file, and for which that is more than a first look."""

    files: dict[Server, bool] = field(default_factory=dict)
    sure: set[Server] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class SentCopy:
    """Who files the sent mail of one upstream; `learnt` is shared by all."""

    upstream: Upstream
    learnt: Learnt = field(default_factory=Learnt)

    @property
    def certain(self) -> bool:
        """Whether the administrator has said so."""
        return self.upstream.sent_copy != "auto"

    @property
    def files(self) -> bool | None:
        """Whether the provider files sent mail; None if that is not known."""
        if self.certain:
            return self.upstream.sent_copy == "provider"
        smtp = self.upstream.smtp
        return self.learnt.files.get(smtp, True if smtp.host in FILING else None)

    @property
    def is_guess(self) -> bool:
        """Whether the provider may file sent mail after we have looked."""
        return not self.certain and self.files is False and self.upstream.smtp not in self.learnt.sure

    def learn(self, files: bool) -> None:
        """Remember whether a copy was found that only the provider can have put there."""
        self.learnt.files[self.upstream.smtp] = files

    def confirm(self) -> None:
        """Remember that no copy has come later either."""
        self.learnt.sure.add(self.upstream.smtp)
