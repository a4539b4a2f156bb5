"""The invitation in a message: whether it can be answered, and earlier answers.

Nothing here may call an answer sent that was not, or offer to answer a cancelled event or an older version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.account import invitations_seen
from gateway.account.invitations_seen import SeenInvitation
from gateway.composing import invitation_reply
from gateway.composing.invitation_reply import Invitation
from gateway.message.charset import decoding
from gateway.message.mime import body
from gateway.message.model import Message
from gateway.rendition.wholes import RECORD_CAP
from gateway.store.base import MailStore, MessageRef
from gateway.web.request.mail_author import author
from gateway.web.request.visit import Visit


def _(msgid: str) -> str:
    return msgid


#: Sentences about the answer, by PARTSTAT.
_ANSWERED: Final = {
    "ACCEPTED": _("You accepted."),
    "TENTATIVE": _("You answered: maybe."),
    "DECLINED": _("You declined."),
}


@dataclass(frozen=True, slots=True)
class InvitationState:
    """An invitation or a cancellation, and what is known about its event. `own`: the person is the organizer."""

    invitation: Invitation
    known: SeenInvitation
    cancelled: bool
    own: bool

    @property
    def open(self) -> bool:
        """Whether it can be answered."""
        return self._asked and not self.cancelled and not self._outdated

    @property
    def _asked(self) -> bool:
        return self.invitation.method == "REQUEST" and not self.own

    @property
    def _outdated(self) -> bool:
        return self.invitation.sequence < self.known.sequence

    def sentence(self, visit: Visit) -> str:
        """Say what is known beyond the message itself; '' for nothing."""
        _ = visit.language.gettext
        if not self._asked:
            return ""
        if self.cancelled:
            return _("This event has been cancelled.")
        if self._outdated:
            return _("There is a newer version of this invitation.")
        answer = _ANSWERED.get(self.known.answer, "")
        if answer and self.known.answered < self.invitation.sequence:
            return f"{_(answer)} {_('That was an earlier version.')}"
        return _(answer) if answer else ""


def read(
    visit: Visit, store: MailStore, ref: MessageRef, found: Message, record: bool = False
) -> InvitationState | None:
    """Read the invitation or cancellation in a message, None if there is none; `record` that it was seen."""
    part = invitation_reply.part_of(found)
    if part is None or part.octets > RECORD_CAP:
        return None
    octets, _was_cut = body.whole(part, store.octets(ref, part.section, 0), RECORD_CAP)
    text = decoding.decode(octets, part.parameters.get("charset", ""))[0]
    invitation = invitation_reply.parse(text, part.parameters.get("method", ""))
    if invitation is None:
        return None
    session, event, sequence = visit.signed_in, invitation.event, invitation.sequence
    if record:
        cancelled = invitation.method == "CANCEL"
        known = invitations_seen.record_version(session, event, sequence, cancelled)
    else:
        known = invitations_seen.known(session, event)
    known = invitations_seen.settled(session, event, known)
    series = invitations_seen.known(session, invitation.series) if invitation.recurrence else known
    over = known.cancelled or (series.cancelled and series.sequence >= sequence)
    return InvitationState(invitation, known, over, invitation_reply.is_own(author(visit), invitation))
