"""What is told when a mail was sent, or not; who may be meant by first letters; mails that nobody typed.

Nothing here may call sent what is not certain, or leave a person on a page without a way on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from flask import Response

from gateway import outbox, people
from gateway.errors import GatewayError, SubmissionUncertain
from gateway.journal import Kind
from gateway.markup.screen import Action, Life, Screen, shorten
from gateway.message.headers import clean
from gateway.message.model import Address
from gateway.outbox import Outcome
from gateway.session import Session
from gateway.state import Claim
from gateway.store.base import MailStore
from gateway.web import assembly
from gateway.web.letter import Content
from gateway.web.message import Place
from gateway.web.origin import new
from gateway.web.respond import respond
from gateway.web.visit import Visit, link, list_link

log = logging.getLogger(__name__)

#: Seconds a repeated request waits for the first one's outcome, and between looks.
PATIENCE: Final = 10.0
GLANCE: Final = 0.1
#: Seconds after which a request that has not come to an outcome has died: longer than all its time limits.
LONGEST_SENDING: Final = 300.0
#: A text that is shown again takes at most this part of a page's octets, counted in characters.
_SHARE: Final = 4
#: Outcomes as a ticket remembers them.
SENT: Final = "sent"
NOT_SENT: Final = "not sent"
UNCERTAIN: Final = "uncertain"
SENDING: Final = "sending"


def spoken(visit: Visit, outcome: Outcome, of_copy: bool = True) -> str:
    """Say an outcome in the person's language, in one line; the last sentence says where the copy is."""
    said = _said(visit, outcome)
    return " ".join(said if of_copy else said[:-1])


def _said(visit: Visit, outcome: Outcome) -> list[str]:
    _ = visit.language.gettext
    return [
        _(msgid) % {name: clean(value) for name, value in values.items()} if values else _(msgid)
        for msgid, values in outbox.sentences(outcome)
    ]


def told(visit: Visit, outcome: Outcome, text: str, place: Place | None = None) -> Response:
    """Say what became of a mail, and offer ways on; its text stays in sight unless it was sent."""
    sentence, *lines = _said(visit, outcome)
    if outcome.kind != outbox.SENT and text:
        lines.append(shorten(text, visit.device.deck_limit // _SHARE))
    return notice(visit, sentence, lines, *(ways_on(visit, place) if place is not None else ()))


def ways_on(visit: Visit, place: Place) -> tuple[Action, ...]:
    """Lead back to the message that a mail was about, and to the one after it."""
    _ = visit.language.gettext
    return (
        Action(_("Back"), link("message.first", **place.values()), "1"),
        Action(_("Next message"), link("act.neighbour", **place.values(), which="o"), "6"),
    )


def notice(visit: Visit, sentence: str, lines: Sequence[str], *ways: Action) -> Response:
    """Show a sentence with ways on."""
    _ = visit.language.gettext
    actions = (Action(_("Inbox"), list_link("mailbox.inbox"), "0", "accept"), *ways)
    values = {"sentence": sentence, "lines": lines}
    return respond(
        Screen("notice", sentence, values, actions, life=Life.NEVER, words=_, language=visit.language.tag)
    )


def completer(visit: Visit) -> Callable[[str], Sequence[Address]]:
    """Return what finds the people whom first letters may mean, the most used first."""
    return partial(people.complete, visit.signed_in)


def met(visit: Visit, everybody: Iterable[Address]) -> None:
    """Remember whom the person writes to; that this may fail takes nothing from what was sent."""
    try:
        people.met(visit.signed_in, everybody, wrote=True)
    except GatewayError as error:
        log.warning("people are not remembered: %s: %s", type(error).__name__, error.detail)


def mail(visit: Visit, ticket: str, to: Sequence[Address], subject: str, text: str) -> dict[str, str]:
    """Send a mail that stands in no mailbox yet, once for each ticket; return the outcome for `told_again`."""
    begun = new(visit)
    content = Content(tuple(to), (), (), (), subject, begun.sender, text)

    def make(store: MailStore) -> outbox.Mail:
        return assembly.assembled(visit, store, begun, content)

    outcome = outbox.send(visit.signed_in, ticket, make, visit.now)
    return {
        "outcome": outcome.kind,
        "sentence": outcome.sentence,
        "refused": ", ".join(outcome.refused),
        "filed": "yes" if outcome.filed else "",
    }


def told_again(visit: Visit, result: Mapping[str, str], *ways: Action) -> Response:
    """Say an outcome as a ticket remembers it."""
    _ = visit.language.gettext
    if result["outcome"] == UNCERTAIN and result.get("sentence"):
        return notice(visit, _(result["sentence"]), (), *ways)
    refused = tuple(one for one in result.get("refused", "").split(", ") if one)
    kind: Kind = (
        SENT if result["outcome"] == SENT else UNCERTAIN if result["outcome"] == UNCERTAIN else SENDING
    )
    outcome = Outcome(kind, refused=refused, filed=bool(result.get("filed")))
    sentence, *lines = _said(visit, outcome)
    return notice(visit, sentence, lines, *ways)


def first_outcome(session: Session, ticket: str, claim: Claim) -> dict[str, str]:
    """Return what the first request with this ticket came to; wait a little while it is under way."""
    until = time.monotonic() + PATIENCE
    while claim.outcome is None and time.monotonic() < until:
        time.sleep(GLANCE)
        claim = session.claim(ticket)
    if claim.outcome is None and time.time() - claim.claimed > LONGEST_SENDING:
        return {"outcome": UNCERTAIN, "sentence": SubmissionUncertain.sentence}
    return claim.outcome or {"outcome": SENDING}
