"""The ways back from a page about a message: to the message, where reading stopped, and to its list.

Nothing here may query a server.
"""

from __future__ import annotations

from gateway.markup.keys import KEYS
from gateway.markup.screen import Action
from gateway.web.mailbox.mailbox_list import back_action
from gateway.web.mailbox.reading_progress import resume_link
from gateway.web.request.visit import Visit


def message_action(visit: Visit, number: int, uid: int) -> Action:
    """Return the action back to the message, at its reading position."""
    return Action(visit.language.gettext("Message"), resume_link(visit, number, uid), KEYS["Message"])


def ways_back(visit: Visit, number: int, uid: int) -> tuple[Action, Action]:
    """Return the actions back to the message, and to the list from which it was opened."""
    return message_action(visit, number, uid), back_action(visit, number, visit.mailbox(number)[0])
