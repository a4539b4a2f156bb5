"""What follows the sending of a mail: the message that it answers, or a list, under a sentence about its outcome.

Nothing here may leave the person without knowing the outcome, whatever fails after it, or on a page without actions.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from flask import Response

from gateway.errors import GatewayError
from gateway.markup.keys import KEYS
from gateway.markup.screen import Action, Life, StatusMessage, shorten
from gateway.sending import outbox
from gateway.sending.outbox import Outcome
from gateway.web.compose.draft import RESUME, Composition
from gateway.web.entry import mail_outcomes
from gateway.web.mailbox.mailbox_list import INBOX, show
from gateway.web.mailbox.origin_list import ListPage, show_list
from gateway.web.message.message_screen import MessageAddress
from gateway.web.message.undo import show_if_exists
from gateway.web.request.respond import respond
from gateway.web.request.screens import inbox_action, notice_screen, question_screen
from gateway.web.request.visit import Visit, link

log = logging.getLogger(__name__)

#: A text that is repeated takes at most this fraction of a page's octets, counted in characters.
_SHARE: Final = 4


def outcome_response(
    visit: Visit,
    outcome: Outcome,
    text: str,
    mail: Composition | None,
    copying: Sequence[Action] = (),
    kept: bool = False,
) -> Response:
    """Show the outcome of a mail: above the page that it was written from if it was simply sent, otherwise on its own.

    The text is repeated unless it was sent. `kept`: it is also kept, see `unsent_texts`.
    """
    named = mail.content(visit).recipients if mail is not None else ()
    sentence, *lines = mail_outcomes.outcome_sentences(visit, outcome, named)
    if mail is not None and outcome.kind == outbox.SENT and not outcome.is_partial and not copying:
        try:
            return page_after(visit, mail, StatusMessage(" ".join((sentence, *lines))))
        except GatewayError as error:  # whatever went wrong, the mail was sent
            log.warning("after sending: %s: %s", type(error).__name__, error.detail)
    if outcome.kind != outbox.SENT and text:
        lines += [visit.language.gettext("Your text is kept for a day, under Menu.")] * kept
        lines.append(shorten(text, visit.device.deck_limit // _SHARE))
    address = original_of(mail) if mail is not None else None
    return notice(
        visit, sentence, lines, *copying, *(navigation(visit, address) if address is not None else ())
    )


def page_after(visit: Visit, mail: Composition, sentence: str) -> Response:
    """Show the page that a mail was written from: the message that it is about, or else the list."""
    address = original_of(mail)
    shown = show_if_exists(address, sentence) if address is not None else None
    if shown is not None:
        return shown
    target = mail.gone or mail.target  # when its request is repeated, a draft that was sent is gone
    if target.endpoint == RESUME:
        return show_list(visit, ListPage(int(str(target.values["number"])), visit.origin), sentence)
    return show(INBOX, None, sentence)


def original_of(mail: Composition) -> MessageAddress | None:
    """Return the message that a mail answers or forwards, None if there is none."""
    original = mail.basis.original
    return MessageAddress(original.number, original.uid) if original is not None else None


def navigation(visit: Visit, address: MessageAddress) -> tuple[Action, ...]:
    """Return the actions back to the message that a mail was about, and to the next one."""
    _ = visit.language.gettext
    return (
        Action(_("Back"), link("message.first", **address.values()), "0", "accept"),
        Action(_("Next message"), link("message_actions.neighbour", **address.values(), which="o"), "6"),
    )


def notice(visit: Visit, sentence: str, lines: Sequence[str], *more: Action) -> Response:
    """Show a sentence with actions, the last of which opens the inbox."""
    taken = any(action.key == "0" for action in more)
    actions = (*more, inbox_action(visit, "" if taken else "0", "" if taken else "accept"))
    return respond(notice_screen(visit, sentence, sentence, actions, lines, life=Life.NEVER))


def ask_to_discard(visit: Visit, there: str, target: str) -> Response:
    """Ask whether to delete the mail whose page is `there`; deleting posts to `target`."""
    _ = visit.language.gettext
    ways = (Action(_("Text"), there, KEYS["Text"]),)
    return respond(question_screen(visit, _("Discard"), _("Discard this message?"), target, ways))
