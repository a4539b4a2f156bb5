"""Mail submission for one signed-in person: the credential, their sender addresses, their hourly limit.

Nothing here may submit from an address that the upstream's rule forbids, or reveal the credential.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway import submission
from gateway.access.sent_copies import Learnt, SentCopy
from gateway.config import Server, Upstream
from gateway.errors import (
    GatewayPasswordRefused,
    SenderRefused,
    SentTooMuch,
    SubmissionAuthenticationFailed,
    SubmissionError,
    TooManyRecipients,
)
from gateway.state import optional
from gateway.state.sending.submissions import Submissions
from gateway.submission import Receipt, Settled
from gateway.upstreams.bulkhead import Bulkhead

log = logging.getLogger(__name__)

#: Recipients that count as one mail: mail to a list of people is more than one.
RECIPIENTS_AS_ONE: Final = 10

Submit = Callable[[Server, str, str, str, Sequence[str], bytes, Settled], Receipt]


def _nothing(receipt: Receipt) -> None:
    """Ignore the call."""


@dataclass(frozen=True, slots=True, repr=False)
class MailSubmission:
    """Submission for one person. `person`: their key in the bulkhead; `per_hour`: 0 for no limit.

    `learnt`: which submission servers file sent mail themselves (`sent_copies`).
    """

    upstream: Upstream
    address: str
    password: str
    account: int
    person: bytes
    send: Submit
    bulkhead: Bulkhead
    counted: Submissions
    per_hour: int
    clock: Callable[[], float]
    learnt: Learnt = field(default_factory=Learnt)

    def __repr__(self) -> str:
        return f"<submission of account {self.account}>"

    @property
    def sent_copy(self) -> SentCopy:
        """Who puts a copy into Sent."""
        return SentCopy(self.upstream, self.learnt)

    def allows_from(self, address: str) -> bool:
        """Return whether the upstream's rule lets this person send from an address."""
        return self.upstream.allows_from(self.address, address)

    def submit(
        self, recipients: Sequence[str], octets: bytes, sender: str = "", settled: Settled = _nothing
    ) -> Receipt:
        """Submit a finished message, from the person's own address unless `sender` is given.

        The credential is their own, or the administrator's for this upstream. `settled` is as in `submission.submit`.
        Raise SubmissionError; SenderRefused for an address that is not theirs.
        """
        sender = sender or self.address
        if not self.allows_from(sender):
            raise SenderRefused("not allowed by from_addresses")
        upstream = self.upstream
        with self.bulkhead.admit(upstream, upstream.smtp, self.person):
            user, password = upstream.smtp_credentials(self.address, self.password)
            try:
                return self.send(upstream.smtp, user, password, sender, recipients, octets, settled)
            except SubmissionAuthenticationFailed as error:
                raise GatewayPasswordRefused(error.detail) if upstream.gateway_user else error from None

    def count(self, recipients: int) -> None:
        """Count a mail that is about to be submitted. Raise SentTooMuch, TooManyRecipients."""
        most, weight = self.per_hour, _weight(recipients)
        if not most:
            return
        if weight > most:
            raise TooManyRecipients(f"{recipients} recipients")
        until = self.counted.count(self.account, weight, most, self.clock())
        if until is not None:
            raise SentTooMuch(until, f"{most} an hour")

    def discount(self, recipients: int) -> None:
        """Take back the count of a mail that no server has seen."""
        if self.per_hour:
            with optional("that a mail was counted and not sent"):
                self.counted.discount(self.account, _weight(recipients))

    def size_limit(self, anew: bool = False) -> int | None:
        """Return the server's limit for a message in octets, None if unknown; query the server again if `anew`."""
        server = self.upstream.smtp
        known, limit = submission.known_size_limit(server)
        if known and not anew:
            return limit
        try:
            with self.bulkhead.admit(self.upstream, server, self.person):
                return submission.query_size_limit(server)
        except SubmissionError as error:
            log.info("the size limit is not told: %s: %s", type(error).__name__, error.detail)
            return limit


def _weight(recipients: int) -> int:
    """Return how many mails a mail to this many recipients counts as."""
    return -(-recipients // RECIPIENTS_AS_ONE)
