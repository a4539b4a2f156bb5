"""What a submission server could not do."""

from __future__ import annotations

from gateway.errors.gateway_errors import RETRY_SECONDS, GatewayError, _
from gateway.errors.store_errors import AppPasswordNeeded


class SubmissionError(GatewayError):
    """The message was not accepted for submission."""

    sentence = _("The mail server did not accept the message.")
    status = 502


class SubmissionUnreachable(SubmissionError):
    """There is no connection to the submission server, or it broke before the data were accepted.

    `answered` and `for_anyone` are as in StoreUnreachable.
    """

    sentence = _("The outgoing mail server cannot be reached. Please try again later.")
    status = 503
    answered = False
    for_anyone = False


class SubmissionBusy(SubmissionUnreachable):
    """Too many requests are waiting for this server, or too many of this person's; nothing was sent."""

    sentence = _("The outgoing mail server is busy. Try again in 20 seconds.")
    retry_after = RETRY_SECONDS


class SubmissionDown(SubmissionUnreachable):
    """The server did not respond to others a moment ago; nothing was sent."""

    sentence = _("The outgoing mail server cannot be reached. Try again in 20 seconds.")
    retry_after = RETRY_SECONDS


class SubmissionDeferred(SubmissionError):
    """The server refuses for now (4yz), or the sender has reached one of its limits; it can be reached."""

    sentence = _("The outgoing mail server is not accepting this mail yet. Please try again later.")
    status = 503


class SubmissionTLSError(SubmissionError):
    """The submission server's certificate or TLS version is not acceptable."""

    sentence = _(
        "The connection to the outgoing mail server is not secure, so it was not used. "
        "Please tell the administrator of this gateway."
    )


class SubmissionAuthenticationFailed(SubmissionError):
    """The submission server refused the credentials."""

    sentence = _("The outgoing mail server refused your password.")


class SubmissionAppPasswordNeeded(SubmissionAuthenticationFailed):
    """The provider takes a password that was made for mail programs, not the one for its web site."""

    sentence = AppPasswordNeeded.sentence


class GatewayPasswordRefused(SubmissionAuthenticationFailed):
    """The server refused the user name and password that the administrator has configured for everybody."""

    sentence = _(
        "The outgoing mail server refused this gateway's own password. Please tell its administrator."
    )


class SubmissionPasswordsNotTaken(SubmissionError):
    """The server offers no mechanism for passwords, or refuses what it offers."""

    sentence = _(
        "The outgoing mail server does not accept passwords from this gateway. Please tell its administrator."
    )


class SubmissionTLSNeeded(SubmissionPasswordsNotTaken):
    """The server takes no password before STARTTLS, and the administrator has configured plain text."""

    sentence = _(
        "The outgoing mail server accepts passwords only after STARTTLS. Please tell the administrator of this gateway."
    )


class SubmissionOAuthOnly(SubmissionPasswordsNotTaken):
    """The server takes no passwords, only tokens that the provider's own sign-in page issues (RFC 7628)."""

    sentence = _("Your provider does not let mail programs send with a password.")


class GatewayRefused(SubmissionError):
    """The server takes nothing from this gateway: not from its network address, or not under its name (EHLO)."""

    sentence = _(
        "The outgoing mail server does not accept mail from this gateway. Please tell its administrator."
    )


class RecipientsRefused(SubmissionError):
    """No recipient was accepted; their addresses, by reason.

    `refused`: permanently; `later`: not yet (greylisting); `too_large`: the message is, for their mailboxes.
    """

    sentence = _("The mail server refused the recipient.")

    def __init__(
        self,
        refused: tuple[str, ...] = (),
        detail: str = "",
        later: tuple[str, ...] = (),
        too_large: tuple[str, ...] = (),
    ) -> None:
        super().__init__(detail)
        self.refused, self.later, self.too_large = refused, later, too_large


class RecipientsDeferred(RecipientsRefused):
    """Every recipient was refused for now (greylisting, RFC 6647)."""

    sentence = _("The mail server does not accept mail for the recipient yet.")
    status = 503


class RecipientsTooLarge(RecipientsRefused):
    """The message is too large for the mailboxes of all recipients."""

    sentence = _("The message is too large for the recipient.")


class AddressNotSendable(RecipientsRefused):
    """An address needs SMTPUTF8, which the server does not offer; nothing was sent to anybody (RFC 6531 §3.2)."""

    sentence = _("The mail server does not support the characters in this address. Nothing was sent.")


class MessageTooLarge(SubmissionError):
    """The message exceeds the server's SIZE; `limit` in octets."""

    sentence = _("The message is too large for the mail server.")

    def __init__(self, limit: int, detail: str = "") -> None:
        super().__init__(detail)
        self.limit = limit


class TooLargeHere(MessageTooLarge):
    """The message exceeds this gateway's own limit, though the server may accept more; `limit` in octets."""

    sentence = _(
        "The message is too large for this gateway. Its administrator sets that limit (message_limit)."
    )
    status = 413


class TooManyRecipients(SubmissionError):
    """The message has more recipients than the hourly limit allows; nothing was sent."""

    sentence = _(
        "That is more people than you can write to in an hour here. The administrator sets that limit (per_hour)."
    )
    status = 403


class SentTooMuch(SubmissionError):
    """The hourly limit is reached; `until`: when there is room for this mail (seconds since the epoch)."""

    sentence = _("You have reached the hourly limit for sending. You can send again at %(time)s.")
    status = 429

    def __init__(self, until: float, detail: str = "") -> None:
        super().__init__(detail)
        self.until = until


class SenderRefused(SubmissionError):
    """The person may not send from this address; nothing was sent."""

    sentence = _("You cannot send from that address.")
    status = 403


class SenderRefusedThere(SenderRefused):
    """The server does not accept mail from `sender` sent by this person."""

    sentence = _("The mail server does not let you send from %(sender)s.")

    def __init__(self, sender: str, detail: str = "") -> None:
        super().__init__(detail)
        self.sender = sender


class MessageNotSendable(SubmissionError):
    """The server accepts only seven bits, and the message cannot be converted (RFC 6152)."""

    sentence = _("The mail server does not support the characters in this message.")


class SignedNotSendable(MessageNotSendable):
    """The part that would have to be converted is signed, and its signature would break (RFC 1847 §2.1)."""

    sentence = _("Part of this message is signed, and the mail server cannot pass it on unchanged.")


class SubmissionRefused(SubmissionError):
    """A permanent refusal due to nothing that a person can change."""


class ContentRefused(SubmissionRefused):
    """A permanent refusal after the data, because of what is in the message (spam, viruses, policy)."""

    sentence = _("The mail server did not accept the content of the message.")


class SubmissionUncertain(SubmissionError):
    """The connection broke after the data were sent: accepted or not, unknown (RFC 5321 §6.1).

    It is certain that `refused`, `later` and `too_large` have not received it, as in RecipientsRefused.
    """

    sentence = _("It is not certain whether the message was sent. Look in Sent.")
    answered = False
    for_anyone = False
    refused: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    too_large: tuple[str, ...] = ()
