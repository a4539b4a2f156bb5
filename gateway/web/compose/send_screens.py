"""The page that reports the outcome of sending a mail.

Nothing here may leave the person on a page without actions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flask import Response

from gateway.markup.screen import Action, Life, shorten
from gateway.sending import outbox
from gateway.sending.outbox import Outcome
from gateway.web.entry import mail_outcomes
from gateway.web.message.message_screen import MessageAddress
from gateway.web.request.respond import respond
from gateway.web.request.screens import inbox_action, notice_screen
from gateway.web.request.visit import Visit, link

#: A text that is repeated takes at most this fraction of a page's octets, counted in characters.
_SHARE: Final = 4


def outcome_response(
    visit: Visit,
    outcome: Outcome,
    text: str,
    address: MessageAddress | None = None,
    copying: Sequence[Action] = (),
) -> Response:
    """Show the outcome of a mail; repeat its text unless it was sent."""
    sentence, *lines = mail_outcomes.outcome_sentences(visit, outcome)
    if outcome.kind != outbox.SENT and text:
        lines.append(shorten(text, visit.device.deck_limit // _SHARE))
    return notice(
        visit, sentence, lines, *copying, *(navigation(visit, address) if address is not None else ())
    )


def navigation(visit: Visit, address: MessageAddress) -> tuple[Action, ...]:
    """Return the actions back to the message that a mail was about, and to the next one."""
    _ = visit.language.gettext
    return (
        Action(_("Back"), link("message.first", **address.values()), "1"),
        Action(_("Next message"), link("message_actions.neighbour", **address.values(), which="o"), "6"),
    )


def notice(visit: Visit, sentence: str, lines: Sequence[str], *more: Action) -> Response:
    """Show a sentence with actions."""
    actions = (inbox_action(visit, soft="accept"), *more)
    return respond(notice_screen(visit, sentence, sentence, actions, lines, life=Life.NEVER))
