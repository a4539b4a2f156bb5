"""What became of mail whose sender has not heard of it: shown after signing in, until they have.

Nothing here may keep anybody from their mail: whatever fails, the inbox follows. What is shown counts as heard when
the person goes on from here, which posts; whoever leaves otherwise is told again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from flask import Blueprint, Response

from gateway import markup, outbox
from gateway.errors import BadRequest
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen, shorten
from gateway.message.headers import clean
from gateway.outbox import Outcome
from gateway.web import late
from gateway.web.mailbox import INBOX
from gateway.web.mailbox import show as show_list
from gateway.web.respond import respond
from gateway.web.visit import Visit, current, link

outcomes = Blueprint("outcomes", __name__)

#: Characters of the recipients by which a person knows their mail again.
_WHO: Final = 40


@outcomes.get("/o")
def show() -> Response:
    """Finish what was left unfinished, and tell what the person has not heard."""
    visit = current()
    found = outbox.recover(visit.signed_in, visit.now)
    return respond(_screen(visit, found)) if found else _onward(visit)


@outcomes.post("/o")
def heard() -> Response:
    """Go on, having heard."""
    visit = current()
    form = visit.form()
    seen = form.get("seen", "").split(".")
    if visit.signed_in.check_ticket(form.get("ticket", "")) is None:
        raise BadRequest("a ticket that is not of this session")
    outbox.acknowledge(visit.signed_in, seen)
    # Not again what was shown and cannot be settled yet: nobody gets past that.
    rest = outbox.recover(visit.signed_in, visit.now)
    more = tuple(outcome for outcome in rest if outcome.name not in seen)
    return respond(_screen(visit, more)) if more else _onward(visit)


def _onward(visit: Visit) -> Response:
    return late.show() if visit.signed_in.kept() else show_list(INBOX, None)


def _screen(visit: Visit, found: tuple[Outcome, ...]) -> Screen:
    """Make the page, with as many as fit; the others are told on the next one."""
    while True:
        screen = _page(visit, found)
        if len(found) == 1 or markup.size(screen, visit.device) <= visit.device.deck_limit:
            return screen
        found = found[:-1]


def _page(visit: Visit, found: tuple[Outcome, ...]) -> Screen:
    _ = visit.language.gettext
    lines: list[str] = []
    for outcome in found:
        when = visit.language.long_date(datetime.fromtimestamp(outcome.at, UTC))
        who = shorten(fit(clean(", ".join(outcome.recipients)), visit.device), _WHO)
        lines.append(_("%(date)s, to %(who)s:") % {"date": when, "who": who} if who else f"{when}:")
        said = (
            _(msgid) % {k: clean(v) for k, v in values.items()} for msgid, values in outbox.sentences(outcome)
        )
        lines.append(" ".join(said))
    seen = ".".join(outcome.name for outcome in found)
    fields = (("ticket", visit.signed_in.ticket()), ("seen", seen))
    onward = Action(_("Go on"), link("outcomes.heard"), "1", "accept", fields=fields)
    values = {"sentence": _("What became of your mail:"), "lines": lines}
    return Screen(
        "notice", _("Your mail"), values, (onward,), life=Life.NEVER, words=_, language=visit.language.tag
    )
