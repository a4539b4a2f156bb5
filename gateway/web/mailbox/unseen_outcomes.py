"""Outcomes of sent mail that the person has not seen yet, shown after signing in until acknowledged.

Nothing here may keep people from their mail: whatever fails, the inbox follows. An outcome counts as seen when the
person continues from this page, which posts; otherwise it is shown again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from flask import Blueprint, Response

from gateway.errors import BadRequest
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen, shorten
from gateway.message.headers.header_fields import clean
from gateway.sending import outbox
from gateway.sending.outbox import Outcome
from gateway.web.entry import mail_outcomes, restored_forms
from gateway.web.mailbox.mailbox_list import INBOX
from gateway.web.mailbox.mailbox_list import show as show_list
from gateway.web.request.fitted_list import fitted_rows
from gateway.web.request.respond import respond
from gateway.web.request.screens import notice_screen
from gateway.web.request.visit import Visit, current, link

outcomes = Blueprint("outcomes", __name__)

#: Characters of the recipients by which people recognise their mail.
_WHO: Final = 40


@outcomes.get("/o")
def show() -> Response:
    """Complete unfinished sendings, and show outcomes that the person has not seen."""
    visit = current()
    found = outbox.recover(visit.signed_in, visit.now)
    return respond(_screen(visit, found)) if found else _next_page(visit)


@outcomes.post("/o")
def acknowledge() -> Response:
    """Mark the shown outcomes as seen, and continue."""
    visit = current()
    form = visit.form()
    seen = form.get("seen", "").split(".")
    if visit.signed_in.check_ticket(form.get("ticket", "")) is None:
        raise BadRequest("a ticket that is not of this session")
    outbox.acknowledge(visit.signed_in, seen)
    # Outcomes that were shown but cannot be settled yet are not shown again: the person would never get past them.
    rest = outbox.recover(visit.signed_in, visit.now)
    more = tuple(outcome for outcome in rest if outcome.name not in seen)
    return respond(_screen(visit, more)) if more else _next_page(visit)


def _next_page(visit: Visit) -> Response:
    return restored_forms.show() if restored_forms.all_saved(visit.signed_in) else show_list(INBOX, None)


def _screen(visit: Visit, found: tuple[Outcome, ...]) -> Screen:
    """Make the page with as many outcomes as fit; the others follow on the next one."""
    return fitted_rows(lambda count: _page(visit, found[:count]), visit.fits, len(found))


def _page(visit: Visit, found: tuple[Outcome, ...]) -> Screen:
    _ = visit.language.gettext
    lines: list[str] = []
    for outcome in found:
        when = visit.language.long_date(datetime.fromtimestamp(outcome.at, UTC))
        who = shorten(fit(clean(", ".join(outcome.recipients)), visit.device), _WHO)
        lines.append(_("%(date)s, to %(who)s:") % {"date": when, "who": who} if who else f"{when}:")
        lines.append(mail_outcomes.outcome_text(visit, outcome))
    seen = ".".join(outcome.name for outcome in found)
    fields = (visit.ticket_field(), ("seen", seen))
    next_page = Action(_("Continue"), link("outcomes.acknowledge"), "1", "accept", fields=fields)
    sentence = _("What happened to your mail:")
    return notice_screen(visit, _("Your mail"), sentence, (next_page,), lines, life=Life.NEVER)
