"""Which providers put mail that is submitted to them into Sent by themselves.

Nothing here may be taken for granted where it was not seen: a copy counts when it is found by its Message-ID. What is
learnt is forgotten when the process ends.
The table is a first guess, by what the providers' documentation says: Gmail, Exchange Online (the parameter
-MessageCopyForSMTPClientSubmissionEnabled of Set-Mailbox), Zoho Mail (its setting for copies of sent mail).
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
#: Seconds between looks into Sent. A person waits for them, once for each submission server that files nothing.
WAITS: Final = (0.2, 0.3, 0.5)


@dataclass(frozen=True, slots=True)
class SentCopy:
    """Who files the sent mail of one upstream; `learnt`: what was seen of submission servers, shared by all."""

    upstream: Upstream
    learnt: dict[Server, bool] = field(default_factory=dict)

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
        return self.learnt.get(smtp, True if smtp.host in FILING else None)

    def learn(self, files: bool) -> None:
        """Remember whether a copy was found that nobody but the provider can have put there."""
        self.learnt[self.upstream.smtp] = files
