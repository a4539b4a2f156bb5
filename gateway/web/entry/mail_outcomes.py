"""The outcome of sending a mail, in the person's language.

Nothing here may call a mail sent unless that is certain.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from gateway.markup.repertoire import fit
from gateway.markup.screen import shorten
from gateway.message.headers.header_fields import clean, safe_label
from gateway.message.model import Address
from gateway.sealed.send_journal import SENDING, SENT, UNCERTAIN
from gateway.sending import outbox
from gateway.sending.outbox import Outcome
from gateway.web.request.visit import Visit

#: Maximum characters of a mail's recipients in a sentence about it.
_WHO: Final = 30


def _(msgid: str) -> str:
    return msgid


#: Outcome of the previous mail -> the question.
_QUESTIONS: Final = {
    SENT: _("You sent a message to %(who)s %(ago)s. Send this one too?"),
    UNCERTAIN: _("It is not certain whether your message to %(who)s was sent %(ago)s. Send this one too?"),
    SENDING: _("Your message to %(who)s is still being sent. Send this one too?"),
}


def outcome_text(visit: Visit, outcome: Outcome, of_copy: bool = True) -> str:
    """Return an outcome as one line in the person's language; the last sentence says where the copy is."""
    sentences = outcome_sentences(visit, outcome)
    return " ".join(sentences if of_copy else sentences[:-1])


def outcome_sentences(visit: Visit, outcome: Outcome, named: Sequence[Address] = ()) -> list[str]:
    """Return the sentences of an outcome in the person's language; the first is the short answer.

    `named`: the mail's recipients; the short answer names those who got it.
    """
    _ = visit.language.gettext
    if outcome.kind == outbox.ASKED:
        who = shorten(", ".join(map(clean, outcome.recipients)), _WHO) or _("somebody")
        return [_(_QUESTIONS[outcome.first]) % {"who": who, "ago": time_ago(visit, outcome.at)}]
    said = [
        _(msgid) % {name: clean(value) for name, value in values.items()} if values else _(msgid)
        for msgid, values in outbox.sentences(outcome, visit.language.clock)
    ]
    got = {spec.lower() for spec in outcome.recipients}
    known = {spec: one for one in named if (spec := one.spec.lower()) in got}
    if known and outcome.kind == outbox.SENT and not outcome.is_partial:
        labels = [fit(safe_label(one), visit.device) for one in known.values()]
        who = shorten(labels[0], _WHO)
        if len(labels) > 1:
            who += f" +{visit.language.number(len(labels) - 1)}"
        said[0] = _("Sent to %(who)s.") % {"who": who}
    return said


def time_ago(visit: Visit, at: float) -> str:
    """Return in words how long ago `at` was, in seconds since the epoch."""
    minutes = max(0, int((visit.now - datetime.fromtimestamp(at, UTC)).total_seconds() // 60))
    _, ngettext = visit.language.gettext, visit.language.ngettext
    if not minutes:
        return _("a moment ago")
    if minutes < 60:
        words, number = ngettext("%(count)s minute ago", "%(count)s minutes ago", minutes), minutes
    elif minutes < 24 * 60:
        number = minutes // 60
        words = ngettext("%(count)s hour ago", "%(count)s hours ago", number)
    else:
        number = minutes // (24 * 60)
        words = ngettext("%(count)s day ago", "%(count)s days ago", number)
    return words % {"count": visit.language.number(number)}
