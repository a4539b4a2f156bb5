"""What another web server could not do."""

from __future__ import annotations

from gateway.errors.gateway_errors import GatewayError, _


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
