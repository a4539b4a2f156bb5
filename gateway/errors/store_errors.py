"""What the message store could not do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.errors.gateway_errors import RETRY_SECONDS, GatewayError, _


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
    """The provider takes a password that was made for mail programs, not the one for its web site."""

    sentence = _(
        "Your provider requires an app password here. Create one in your account settings on its website."
    )


class PasswordsDoubtful(AuthenticationFailed):
    """The refusal does not show whether the password is wrong: the provider refuses passwords from most people."""

    sentence = _(
        "Your provider did not let you sign in. The password may be wrong, or it accepts none from mail programs."
    )


class OAuthOnly(StoreError):
    """The server takes no passwords, only tokens that the provider's own sign-in page issues (RFC 7628)."""

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

    `answered`: the server itself closed it, or its host refused the connection at once, so nobody waited for it.
    `for_anyone`: it happened before the account was named. `dropped`: it broke in the middle of a conversation.
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
    """Too many requests are waiting for this server, or too many of this person's; it was not contacted."""

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
    """The server sent the alert instead of a greeting, so it does not concern a password."""


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
    """Some messages are done, then an error occurred: `why`. `done`: the result for each message that is done."""

    sentence = _("Only part of this could be done.")

    def __init__(self, done: Mapping[Any, Any], why: StoreError) -> None:
        super().__init__(why.detail)
        self.done = done
        self.why = why


class UnsafeArgument(StoreError):
    """An argument contains NUL, CR or LF, which would end its command."""

    sentence = _("That text contains characters that cannot be used here.")
    status = 400
