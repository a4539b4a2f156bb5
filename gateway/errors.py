"""All errors of this program as one tree, each leaf with the one sentence that a person reads.

Nothing here may import anything of ours. A `sentence` is a gettext msgid and contains no host, credential or
server reply; `detail` is for the log. The single exception is `ServerAlert.alert`: RFC 9051 §7.1 requires a
client to show it to the person. Two errors are given their sentence where they are raised, and stand there:
`folder_names.NameRefused` and `idempotency.OutcomeUnknown`.

    GatewayError
    ├── ConfigError                     the administrator's file; names key and line
    │   ├── ConfigChanged               it changed while it was being edited
    │   └── ConfigNotWritten            it, or its folder, cannot be written
    ├── CatalogueMissing                a language was not compiled; names the file
    ├── AdminBusy                       too many are signing in to the panel
    ├── SessionEnded                    no such session (any more): sign in again
    ├── AccountLocked                   by the administrator, who alone can unlock it
    ├── TooManyTries                    throttled; `seconds` until the next try
    ├── UnknownDomain                   no upstream for this address
    ├── BadRequest                      the request is invalid
    │   ├── NobodyToSendTo              a mail without recipients
    │   └── TooLong                     more than anybody types
    ├── NotFound                        no such page
    ├── CannotDo                        the message store has no such thing: folders, search …
    ├── StateError                      the gateway's own records cannot be read or written
    │   ├── StateFull                   no room on its disk
    │   ├── StateLocked                 another writer took too long
    │   └── StateReadOnly               the file may not be written
    ├── StoreError                      the message store
    │   ├── AuthenticationFailed        wrong address or password
    │   │   ├── CredentialExpired       responses such as [EXPIRED] and [PRIVACYREQUIRED]
    │   │   ├── AppPasswordNeeded       the provider wants a password made for mail programs
    │   │   └── PasswordsDoubtful       the provider is known to take none from most people
    │   ├── OAuthOnly                   the provider takes no passwords, only tokens of its own sign-in page
    │   ├── PasswordsNotTaken           no mechanism for passwords (LOGINDISABLED)
    │   ├── StoreUnreachable            no connection, timed out, closed
    │   │   ├── AnswerTooLong           a response beyond the limits
    │   │   ├── MaildropLocked          another program has the maildrop open (POP3)
    │   │   ├── SignInTooSoon           it wants more time between two sign-ins (POP3)
    │   │   ├── StoreBusy               too many requests for this server; it was not contacted
    │   │   └── StoreDown               it did not respond to others; it was not contacted
    │   ├── StoreTLSError               certificate or TLS version refused
    │   ├── ServerAlert                 an alert of the server, which refused
    │   │   └── ServerClosed            before anybody could sign in
    │   ├── StoreRefused                a tagged NO (permission, ...)
    │   │   ├── MailboxExists           a mailbox of this name exists
    │   │   ├── MailboxHasChildren      the mailbox has others below it
    │   │   ├── NotSupported            it does not do what it announced
    │   │   ├── CannotSearch            letters that the server cannot search for
    │   │   │   └── CannotSearchAtAll   it refuses every search
    │   │   ├── NotRemoved              copied, but still in the old mailbox too
    │   │   ├── NoMailbox               signed in, but connected to no mailbox (Microsoft)
    │   │   ├── NotAllowed              the person has no right to do that
    │   │   │   └── MailboxClosed       to open the mailbox
    │   │   └── OverQuota               no room for more
    │   ├── MailboxGone                 no such mailbox, or its UIDVALIDITY changed
    │   │   └── TargetGone              the mailbox that messages were to be moved to
    │   ├── MessageGone                 expunged by now
    │   ├── PartlyDone                  `done`: which messages, `why` not the others
    │   └── UnsafeArgument              NUL, CR or LF in a command argument
    ├── SubmissionError                 SMTP submission; nothing was accepted unless noted
    │   ├── SubmissionUnreachable       no connection, timed out, or closed before the data
    │   │   ├── SubmissionBusy          too many requests for this server; nothing was sent
    │   │   └── SubmissionDown          it did not respond to others; nothing was sent
    │   ├── SubmissionDeferred          refused for now (4yz), or a limit of the server on what one may send
    │   ├── SubmissionTLSError
    │   ├── SubmissionAuthenticationFailed
    │   │   ├── SubmissionAppPasswordNeeded     see AppPasswordNeeded
    │   │   └── GatewayPasswordRefused          the administrator's own, for this upstream
    │   ├── SubmissionPasswordsNotTaken no mechanism for passwords is offered, or all were refused
    │   │   ├── SubmissionTLSNeeded     not without STARTTLS
    │   │   └── SubmissionOAuthOnly     only tokens of the provider's own sign-in page
    │   ├── GatewayRefused              this gateway's name or network address
    │   ├── RecipientsRefused           the addresses, by reason: `refused`, `later`, `too_large`
    │   │   ├── RecipientsDeferred      none of them for good (greylisting)
    │   │   ├── RecipientsTooLarge      the message, for their mailboxes
    │   │   └── AddressNotSendable      a non-ASCII address, and a server without SMTPUTF8
    │   ├── MessageTooLarge             `limit` octets, the server's (SIZE)
    │   │   └── TooLargeHere            `limit` octets, our own
    │   ├── TooManyRecipients           more than the hourly limit, our own
    │   ├── SentTooMuch                 the hourly limit, our own, is reached `until` then
    │   ├── SenderRefused               not an address that this person may send from, by our rule
    │   │   └── SenderRefusedThere      by the server's: `sender`
    │   ├── MessageNotSendable          8-bit content that cannot be made 7-bit (no 8BITMIME)
    │   │   └── SignedNotSendable       without breaking its signature
    │   ├── SubmissionRefused           5yz for another reason
    │   │   └── ContentRefused          for what is in the message
    │   └── SubmissionUncertain         the connection broke after the data: accepted or not, unknown
    └── OutboundError                   our request to another web server
        ├── OutboundRefused             an address that must not be reached, or requests are disabled; nothing was sent
        ├── OutboundUnreachable         no connection, or an unsafe one; nothing was sent
        └── OutboundUncertain           sent, but no valid response
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

#: Seconds until a retry if a server is busy or does not respond; the sentences state the same number.
RETRY_SECONDS: Final = 20


def _(msgid: str) -> str:
    """Mark a msgid for extraction; translation happens where the person's language is known."""
    return msgid


class GatewayError(Exception):
    """The base of all errors that this program raises on purpose."""

    sentence: str = _("Something went wrong here. Please try again.")
    status: int = 500
    retry_after: int = 0  # seconds, where trying again helps by itself

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.sentence)
        self.detail = detail


class ConfigError(GatewayError):
    """The configuration is unusable; the text names key and line, `key` is the path of the key, if known."""

    def __init__(self, detail: str = "", key: tuple[str | int, ...] = ()) -> None:
        super().__init__(detail)
        self.key = key


class ConfigChanged(ConfigError):
    """The configuration file changed while a form with its values was being filled in."""


class ConfigNotWritten(ConfigError):
    """The configuration file cannot be written; the text says why. It is as it was."""


class CatalogueMissing(GatewayError):
    """A language has no compiled message catalogue; the text names the file."""


class AdminBusy(GatewayError):
    """Too many are signing in to the administrator's panel, which is in English only."""

    sentence = "Too many are signing in at this moment. Nothing was compared; please try again."
    status = 503


class SessionEnded(GatewayError):
    """There is no session for this token, or it has expired."""

    sentence = _("Please sign in again.")
    status = 403


class AccountLocked(GatewayError):
    """The administrator has locked this account; neither address nor password was looked at."""

    sentence = _(
        "Your account is locked here. Ask the administrator of this gateway. Your mail is not affected."
    )
    status = 403


class TooManyTries(GatewayError):
    """Too many sign-ins failed; `seconds` until the next try."""

    sentence = _("Too many attempts.")
    status = 429

    def __init__(self, seconds: int, detail: str = "") -> None:
        super().__init__(detail)
        self.seconds = self.retry_after = seconds


class UnknownDomain(GatewayError):
    """No upstream serves the domain of this address."""

    sentence = _("This gateway does not serve that mail address. Check the part after the @.")
    status = 403


class BadRequest(GatewayError):
    """The request is invalid."""

    sentence = _("That could not be understood. Go back and try again.")
    status = 400


class NobodyToSendTo(BadRequest):
    """A mail without recipients."""

    sentence = _("Enter a recipient.")


class TooLong(BadRequest):
    """More was posted than anybody types."""

    sentence = _("That is too long. Shorten it and try again.")
    status = 413


class NotFound(GatewayError):
    """Page not found."""

    sentence = _("Page not found.")
    status = 404


class CannotDo(GatewayError):
    """The message store of this person cannot do what the page is for; no page of theirs leads there."""

    sentence = _("Your mail server cannot do that.")
    status = 501


class StateError(GatewayError):
    """The gateway's own records could not be read or written; none of them was changed."""

    sentence = _("This gateway cannot read its own data. Please try again in a minute.")
    status = 503


class StateFull(StateError):
    """There is no room for the database, or for a temporary file."""

    sentence = _("This gateway's disk is full. Please tell its administrator.")


class StateLocked(StateError):
    """Another writer locked the database for too long."""

    sentence = _("This gateway is busy. Please try again in a minute.")


class StateReadOnly(StateError):
    """The database can be read but not written."""

    sentence = _("This gateway cannot save anything. Please tell its administrator.")


class StoreError(GatewayError):
    """The message store could not carry out a request."""

    sentence = _("The mail server could not do that.")
    status = 502


class AuthenticationFailed(StoreError):
    """The server refused the address or the password."""

    sentence = _("Wrong address or password.")
    status = 403
    tries = 1  # how often the password was offered


class CredentialExpired(AuthenticationFailed):
    """The server reports that the password has expired (RFC 5530 EXPIRED)."""

    sentence = _("Your password has expired. Change it on your provider's website.")


class AppPasswordNeeded(AuthenticationFailed):
    """The provider takes a password that was made for mail programs, not the one of its web site."""

    sentence = _(
        "Your provider requires an app password here. Create one in your account settings on its website."
    )


class PasswordsDoubtful(AuthenticationFailed):
    """The refusal does not tell a wrong password from a right one: the provider takes none from most people."""

    sentence = _(
        "Your provider did not let you sign in. The password may be wrong, or it accepts none from mail programs."
    )


class OAuthOnly(StoreError):
    """The server takes no passwords, only tokens that the provider's own sign-in page gives (RFC 7628)."""

    sentence = _(
        "Your provider accepts passwords only on its own sign-in page, which this gateway cannot use."
    )
    status = 403


class PasswordsNotTaken(StoreError):
    """The server offers no mechanism for passwords on this connection (LOGINDISABLED), or refuses what it offers."""

    sentence = _(
        "The mail server does not accept passwords from this gateway. Please tell its administrator."
    )
    status = 403


class StoreUnreachable(StoreError):
    """There is no connection to the server, or it broke.

    `answered`: the server closed it itself, or its host refused the connection at once, so nobody waited for
    that. `for_anyone`: it happened before the account was named. `dropped`: it broke in the middle of a conversation.
    """

    sentence = _("The mail server cannot be reached. Please try again later.")
    status = 503
    answered = False
    for_anyone = False
    dropped = False


class AnswerTooLong(StoreUnreachable):
    """The server's response exceeds the limits; the connection was closed."""

    sentence = _("The mail server sent more than this gateway can handle.")
    status = 502
    answered = True


class MaildropLocked(StoreUnreachable):
    """The maildrop is locked while another program, or another request, reads it (RFC 1939 §4, RFC 2449 §8.1.1)."""

    sentence = _("Another program is using your mailbox. Try again in 20 seconds.")
    retry_after = RETRY_SECONDS
    answered = True


class SignInTooSoon(StoreUnreachable):
    """The server wants more time between two sign-ins (RFC 2449 §8.1.2)."""

    sentence = _("Your mail server limits how often you can check your mail. Try again in a minute.")
    retry_after = 60
    answered = True


class StoreBusy(StoreUnreachable):
    """Too many requests wait for this server, or too many of this person; it was not contacted."""

    sentence = _("The mail server is busy. Try again in 20 seconds.")
    retry_after = RETRY_SECONDS


class StoreDown(StoreUnreachable):
    """The server did not respond to others a moment ago; it was not contacted."""

    sentence = _("The mail server cannot be reached. Try again in 20 seconds.")
    retry_after = RETRY_SECONDS


class StoreTLSError(StoreError):
    """The server's certificate or TLS version is not acceptable."""

    sentence = _(
        "The connection to the mail server is not secure, so it was not used. "
        "Please tell the administrator of this gateway."
    )


class ServerAlert(StoreError):
    """The server refused and gave the reason in an ALERT, which a client must show (RFC 9051 §7.1)."""

    sentence = _("Your mail server says: %(alert)s")

    def __init__(self, alert: str, detail: str = "") -> None:
        super().__init__(detail or alert)
        self.alert = alert


class ServerClosed(ServerAlert):
    """The server sent the alert in place of a greeting, so it concerns no password."""


class StoreRefused(StoreError):
    """The server responded NO."""


class MailboxExists(StoreRefused):
    """A mailbox of this name exists (RFC 5530 ALREADYEXISTS)."""

    sentence = _("There is already a folder with that name. Choose another name.")
    status = 409


class MailboxHasChildren(StoreRefused):
    """A mailbox with others below it is not deleted (RFC 9051 §7.1 HASCHILDREN)."""

    sentence = _("This folder contains other folders. Delete those first.")
    status = 409


class NoMailbox(StoreRefused):
    """The server has signed the person in, but to no mailbox."""

    sentence = _(
        "Your password is correct, but your provider is not opening your mailbox. Please try again later."
    )


class OverQuota(StoreRefused):
    """The message exceeds the quota (RFC 5530 OVERQUOTA)."""

    sentence = _("Your mailbox is full. Delete some mail first.")


class NotSupported(StoreRefused):
    """The server does not support a command, whatever it announced; `for_anyone`: it did not even know it (BAD)."""

    for_anyone = False


class NotAllowed(StoreRefused):
    """The person has no right to do that (RFC 5530 NOPERM)."""

    sentence = _("Your mail server does not allow that.")
    status = 403


class MailboxClosed(NotAllowed):
    """The mailbox exists, but this person may not open it."""

    sentence = _("Your mail server does not let you open this folder.")


class CannotSearch(StoreRefused):
    """The server supports no charset in which the search can be written (BADCHARSET)."""

    sentence = _("The mail server cannot search for these characters. Try other words.")
    status = 501


class CannotSearchAtAll(CannotSearch):
    """The server refuses every search."""

    sentence = _("This mail server cannot search.")


class NotRemoved(StoreRefused):
    """A message was copied to its target, but could not be removed from its old mailbox."""

    sentence = _("It was copied, but could not be removed from here.")


class MailboxGone(StoreError):
    """The mailbox does not exist, or its UIDVALIDITY has changed."""

    sentence = _("This folder has changed. Here is the current list.")
    status = 410


class TargetGone(MailboxGone):
    """The mailbox that messages were to be moved to does not exist (TRYCREATE)."""

    sentence = _("That folder no longer exists.")


class MessageGone(StoreError):
    """The message was expunged."""

    sentence = _("That message is no longer there.")
    status = 410


class PartlyDone(StoreError):
    """Some messages are done, then an error occurred: `why`. `done`: the result for each message that is."""

    sentence = _("Only part of this could be done.")

    def __init__(self, done: Mapping[Any, Any], why: StoreError) -> None:
        super().__init__(why.detail)
        self.done = done
        self.why = why


class UnsafeArgument(StoreError):
    """An argument contains NUL, CR or LF, which would end its command."""

    sentence = _("That text contains characters that cannot be used here.")
    status = 400


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
    """Too many requests wait for this server, or too many of this person; nothing was sent."""

    sentence = _("The outgoing mail server is busy. Try again in 20 seconds.")
    retry_after = RETRY_SECONDS


class SubmissionDown(SubmissionUnreachable):
    """The server did not respond to others a moment ago; nothing was sent."""

    sentence = _("The outgoing mail server cannot be reached. Try again in 20 seconds.")
    retry_after = RETRY_SECONDS


class SubmissionDeferred(SubmissionError):
    """The server refuses for now (4yz), or the sender has reached a limit of its own; it can be reached."""

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
    """The provider takes a password that was made for mail programs, not the one of its web site."""

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
    """The server takes no passwords, only tokens that the provider's own sign-in page gives (RFC 7628)."""

    sentence = _("Your provider does not let mail programs send with a password.")


class GatewayRefused(SubmissionError):
    """The server takes nothing from this gateway: not from its network address, or not by its name (EHLO)."""

    sentence = _(
        "The outgoing mail server does not accept mail from this gateway. Please tell its administrator."
    )


class RecipientsRefused(SubmissionError):
    """No recipient was accepted; their addresses, by reason.

    `refused`: for good; `later`: not yet (greylisting); `too_large`: the message is, for their mailboxes.
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
    """The server does not take mail from `sender` of this person."""

    sentence = _("The mail server does not let you send from %(sender)s.")

    def __init__(self, sender: str, detail: str = "") -> None:
        super().__init__(detail)
        self.sender = sender


class MessageNotSendable(SubmissionError):
    """The server accepts seven bits only, and the message cannot be converted (RFC 6152)."""

    sentence = _("The mail server does not support the characters in this message.")


class SignedNotSendable(MessageNotSendable):
    """What would have to be converted is signed, and no longer would be (RFC 1847 §2.1)."""

    sentence = _("Part of this message is signed, and the mail server cannot pass it on unchanged.")


class SubmissionRefused(SubmissionError):
    """A permanent refusal that concerns nothing that a person can change."""


class ContentRefused(SubmissionRefused):
    """A permanent refusal after the data, for what is in the message (spam, viruses, policy)."""

    sentence = _("The mail server did not accept the content of the message.")


class SubmissionUncertain(SubmissionError):
    """The connection broke after the data were sent: accepted or not, unknown (RFC 5321 §6.1).

    Of `refused`, `later` and `too_large` it is certain that they have not got it, as in RecipientsRefused.
    """

    sentence = _("It is not certain whether the message was sent. Look in Sent.")
    answered = False
    for_anyone = False
    refused: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    too_large: tuple[str, ...] = ()


class OutboundError(GatewayError):
    """A request to another web server failed."""

    sentence = _("The other server could not do that.")
    status = 502


class OutboundRefused(OutboundError):
    """The address must not be reached from here; nothing was sent."""

    sentence = _("That address cannot be reached from here.")


class OutboundUnreachable(OutboundError):
    """There was no connection, or no secure one; nothing was sent."""

    sentence = _("The other server cannot be reached. Please try again later.")
    status = 503


class OutboundUncertain(OutboundError):
    """The request was sent, but no valid response came."""

    sentence = _("The other server did not answer. It is not certain what happened.")
