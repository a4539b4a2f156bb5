"""What can go wrong, as one tree, each leaf with the one sentence a person reads.

Nothing here may import anything of ours. A `sentence` is a gettext msgid and names no host, credential or
server reply; `detail` is for the log. The single exception is `ServerAlert.alert`: RFC 9051 §7.1 obliges a
client to show it to the person.

    GatewayError
    ├── ConfigError                     the administrator's file; says key and line
    ├── SessionEnded                    no such session (any more): sign in again
    ├── TooManyTries                    throttled; `seconds` until the next try
    ├── UnknownDomain                   no upstream for this address
    ├── BadRequest                      the request itself makes no sense
    │   ├── NobodyToSendTo              a mail without any recipient
    │   └── TooLong                     more than anybody types
    ├── NotFound                        no such page
    ├── StoreError                      the message store
    │   ├── AuthenticationFailed        wrong address or password
    │   │   └── CredentialExpired       [EXPIRED] / [PRIVACYREQUIRED]-like answers
    │   ├── StoreUnreachable            no connection, timed out, closed
    │   ├── StoreTLSError               certificate or TLS version refused
    │   ├── ServerAlert                 the server has something to say and will not go on
    │   ├── StoreRefused                a tagged NO (permission, ...)
    │   │   ├── MailboxExists           there is one of that name
    │   │   ├── MailboxHasChildren      others are below it
    │   │   ├── CannotSearch            letters that the server cannot search for
    │   │   └── OverQuota               no room for more
    │   ├── MailboxGone                 no such mailbox, or its UIDVALIDITY changed
    │   │   └── TargetGone              the mailbox that messages were to go to
    │   ├── MessageGone                 expunged meanwhile
    │   ├── PartlyDone                  `done`: which messages, `why` not the others
    │   └── UnsafeArgument              NUL, CR or LF in an argument of a command
    ├── SubmissionError                 SMTP submission; nothing was accepted unless said
    │   ├── SubmissionUnreachable
    │   ├── SubmissionTLSError
    │   ├── SubmissionAuthenticationFailed
    │   ├── RecipientsRefused           `refused`: the addresses
    │   │   └── AddressNotSendable      letters beyond ASCII, and a server that knows none (no SMTPUTF8)
    │   ├── MessageTooLarge             `limit` octets, by SIZE
    │   ├── SenderRefused               not an address that this person may send from
    │   ├── MessageNotSendable          eight bits that cannot be put into seven (no 8BITMIME)
    │   ├── SubmissionRefused           5xx for another reason
    │   └── SubmissionUncertain         the connection broke after the data: accepted or not, unknown
    └── OutboundError                   a request of ours to somebody's web server
        ├── OutboundRefused             not an address that may be reached, or switched off; nothing was sent
        ├── OutboundUnreachable         no connection, or an unsafe one; nothing was sent
        └── OutboundUncertain           sent, and no answer that could be understood
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def _(msgid: str) -> str:
    """Mark a msgid for extraction; translation happens where the person's language is known."""
    return msgid


class GatewayError(Exception):
    """Base of all errors that this program raises on purpose."""

    sentence: str = _("Something went wrong here. Please try again.")
    status: int = 500

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.sentence)
        self.detail = detail


class ConfigError(GatewayError):
    """The configuration cannot be used; the text names key and line."""


class SessionEnded(GatewayError):
    """There is no session for this token, or it has expired."""

    sentence = _("Please sign in again.")
    status = 403


class TooManyTries(GatewayError):
    """Too many failed sign-ins; `seconds` until the next one is looked at."""

    sentence = _("Too many tries. Please wait a little and try again.")
    status = 429

    def __init__(self, seconds: int, detail: str = "") -> None:
        super().__init__(detail)
        self.seconds = seconds


class UnknownDomain(GatewayError):
    """No upstream serves the domain of this address."""

    sentence = _("This gateway does not serve that mail domain.")
    status = 403


class BadRequest(GatewayError):
    """The request cannot be understood."""

    sentence = _("That request could not be understood.")
    status = 400


class NobodyToSendTo(BadRequest):
    """A mail without any recipient."""

    sentence = _("To whom?")


class TooLong(BadRequest):
    """More was posted than anybody types."""

    sentence = _("That is too long. Leave some words out.")
    status = 413


class NotFound(GatewayError):
    """There is no such page."""

    sentence = _("There is no such page.")
    status = 404


class StoreError(GatewayError):
    """The message store could not do what was asked."""

    sentence = _("The mail server could not do that.")
    status = 502


class AuthenticationFailed(StoreError):
    """The server refused the address or the password."""

    sentence = _("Wrong address or password.")
    status = 403


class CredentialExpired(AuthenticationFailed):
    """The server says that the password has expired (RFC 5530 EXPIRED)."""

    sentence = _("Your password has expired. Change it at your provider.")


class StoreUnreachable(StoreError):
    """No connection to the server, or it broke."""

    sentence = _("The mail server cannot be reached just now.")
    status = 503


class StoreTLSError(StoreError):
    """The server's certificate or TLS version is not acceptable."""

    sentence = _("The connection to the mail server is not safe, so it was not used.")


class ServerAlert(StoreError):
    """The server refused and said why in an ALERT, which a client must show (RFC 9051 §7.1)."""

    sentence = _("Your mail server says: %(alert)s")

    def __init__(self, alert: str, detail: str = "") -> None:
        super().__init__(detail or alert)
        self.alert = alert


class StoreRefused(StoreError):
    """The server answered NO."""


class MailboxExists(StoreRefused):
    """A mailbox of that name exists (RFC 5530 ALREADYEXISTS)."""

    sentence = _("There is a folder of that name already.")
    status = 409


class MailboxHasChildren(StoreRefused):
    """A mailbox with others below it is not deleted (RFC 9051 §7.1 HASCHILDREN)."""

    sentence = _("There are folders in this folder. Delete those first.")
    status = 409


class OverQuota(StoreRefused):
    """The message would not fit (RFC 5530 OVERQUOTA)."""

    sentence = _("There is no room for more mail. Delete some first.")


class CannotSearch(StoreRefused):
    """The server knows no charset in which what is to be found can be said (BADCHARSET)."""

    sentence = _("The mail server cannot search for these letters.")
    status = 501


class NotRemoved(StoreRefused):
    """A message was copied to where it was to be moved, and could not be removed from where it was."""

    sentence = _("Copied, but it could not be removed from here.")


class MailboxGone(StoreError):
    """The mailbox does not exist, or its UIDVALIDITY is another one now."""

    sentence = _("This folder has changed. Here is a fresh list.")
    status = 410


class TargetGone(MailboxGone):
    """There is no mailbox of the name that messages were to go to (TRYCREATE)."""

    sentence = _("That folder is not there any more.")


class MessageGone(StoreError):
    """The message was expunged meanwhile."""

    sentence = _("That message is no longer there.")
    status = 410


class PartlyDone(StoreError):
    """Some messages are done, then something came in between: `why`. `done`: what became of each that is."""

    sentence = _("Not all of it could be done.")

    def __init__(self, done: Mapping[Any, Any], why: StoreError) -> None:
        super().__init__(why.detail)
        self.done = done
        self.why = why


class UnsafeArgument(StoreError):
    """An argument holds NUL, CR or LF, which would end the command it stands in."""

    sentence = _("That text holds characters that cannot be used here.")
    status = 400


class SubmissionError(GatewayError):
    """The message was not accepted for submission."""

    sentence = _("The mail server did not take the message.")
    status = 502


class SubmissionUnreachable(SubmissionError):
    """No connection to the submission server, or it broke before the data were accepted."""

    sentence = _("The mail server for sending cannot be reached just now.")
    status = 503


class SubmissionTLSError(SubmissionError):
    """The submission server's certificate or TLS version is not acceptable."""

    sentence = _("The connection for sending is not safe, so it was not used.")


class SubmissionAuthenticationFailed(SubmissionError):
    """The submission server refused the credentials."""

    sentence = _("The mail server for sending refused your password.")


class RecipientsRefused(SubmissionError):
    """Every recipient was refused; `refused` holds their addresses."""

    sentence = _("The mail server refused the recipient.")

    def __init__(self, refused: tuple[str, ...], detail: str = "") -> None:
        super().__init__(detail)
        self.refused = refused


class AddressNotSendable(RecipientsRefused):
    """An address needs SMTPUTF8, which the server does not offer; nothing was sent to anybody (RFC 6531 §3.2)."""

    sentence = _("The mail server cannot write the letters of this address. Nothing was sent.")


class MessageTooLarge(SubmissionError):
    """The message exceeds the server's SIZE; `limit` in octets."""

    sentence = _("The message is too large for the mail server.")

    def __init__(self, limit: int, detail: str = "") -> None:
        super().__init__(detail)
        self.limit = limit


class SenderRefused(SubmissionError):
    """The sender's address is none that this person may send from; nothing was sent."""

    sentence = _("You cannot send from that address.")
    status = 403


class MessageNotSendable(SubmissionError):
    """The server takes seven bits, and the message cannot be put into them (RFC 6152)."""

    sentence = _("The mail server cannot take the letters of this message.")


class SubmissionRefused(SubmissionError):
    """A permanent refusal after MAIL or DATA."""


class SubmissionUncertain(SubmissionError):
    """The connection broke after the data were sent: whether it was accepted is not known (RFC 5321 §6.1)."""

    sentence = _("It is not certain whether the message was sent. Look in Sent.")


class OutboundError(GatewayError):
    """A request to somebody's web server did not come to a good end."""

    sentence = _("The other server could not do that.")
    status = 502


class OutboundRefused(OutboundError):
    """The address is none that may be reached from here; nothing was sent."""

    sentence = _("That address cannot be reached from here.")


class OutboundUnreachable(OutboundError):
    """No connection, or none that is safe; nothing was sent."""

    sentence = _("The other server cannot be reached just now.")
    status = 503


class OutboundUncertain(OutboundError):
    """The request was sent, and no answer came that could be understood."""

    sentence = _("The other server did not answer. It is not certain what happened.")
