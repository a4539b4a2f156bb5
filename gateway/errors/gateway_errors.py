"""The base of all errors, and those of the gateway itself."""

from __future__ import annotations

from typing import Final

#: Seconds until a retry if a server is busy or does not respond; the sentences state the same number.
RETRY_SECONDS: Final = 20


def _(msgid: str) -> str:
    """Mark a msgid for extraction; translation happens where the person's language is known."""
    return msgid


class GatewayError(Exception):
    """The base of all errors that this program raises on purpose."""

    sentence: str = _("Something went wrong here. Please try again.")
    status: int = 500
    retry_after: int = 0  # seconds, if trying again is enough

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
    """The configuration file cannot be written; the text says why. The file is unchanged."""


class CatalogueMissing(GatewayError):
    """A language has no compiled message catalogue; the text names the file."""


class AdminBusy(GatewayError):
    """Too many are signing in to the administrator's panel, which is only in English."""

    sentence = "Too many are signing in at this moment. Nothing was compared; please try again."
    status = 503


class SessionEnded(GatewayError):
    """There is no session for this token, or it has expired."""

    sentence = _("Please sign in again.")
    status = 403


class AccountLocked(GatewayError):
    """The administrator has locked this account; neither address nor password was checked."""

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
    """There is no such page."""

    sentence = _("Page not found.")
    status = 404


class CannotDo(GatewayError):
    """This person's message store cannot do what the page is for; none of their pages leads there."""

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
    """Another writer has locked the database for too long."""

    sentence = _("This gateway is busy. Please try again in a minute.")


class StateReadOnly(StateError):
    """The database can be read but not written."""

    sentence = _("This gateway cannot save anything. Please tell its administrator.")
