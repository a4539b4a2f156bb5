"""What was told, compared with what happened: records in, verdicts out.

Nothing here may look at a server, a clock or a page. A claim is judged at the moment when it was made, as far as that
can be decided: a mail may be "not sent" now and sent a minute later, since its writer sends it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from tests.chaos.sentences import Claim


class Fault(Enum):
    """What must not happen."""

    DOUBLED = "doubled"
    LOST = "lost"
    UNTRUE = "untrue"
    STRAY = "stray copies"


@dataclass(frozen=True, slots=True)
class Told:
    """What one page said about a mail, at `at` (monotonic seconds).

    `shows`: the page shows the text. `drafts`, `sent`: copies in these mailboxes at that moment, seen from outside.
    """

    at: float
    claims: frozenset[Claim]
    sentence: str = ""
    shows: bool = False
    drafts: int = 0
    sent: int = 0


@dataclass(slots=True)
class Mail:
    """One mail: what its writer did and was told, and what became of it.

    `pressed`: when Send was pressed on a new page (not when the same request was repeated). `after`: the mail that the
    same page had sent before. `typed`: it has a text of its own. `dropped`: its writer gave it up when asked. `loose`:
    Save was pressed and never answered, so that nobody knows about a copy. `accepted`: when the SMTP server accepted
    it, `copied`: also for its writer, `addressed`: when it first heard of it; `journal`: outcomes noted there.
    """

    mark: str
    writer: str = ""
    typed: bool = True
    after: str = ""
    dropped: bool = False
    loose: bool = False
    pressed: list[float] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    accepted: list[float] = field(default_factory=list)
    copied: list[float] = field(default_factory=list)
    addressed: float | None = None
    drafts: int = 0
    sent: int = 0
    journal: list[str] = field(default_factory=list)

    def accepted_by(self, at: float) -> bool:
        """Return whether it had been sent at a moment, or was afterwards without its writer doing anything."""
        return any(when <= at or not any(at < p <= when for p in self.pressed) for when in self.accepted)

    def story(self) -> list[str]:
        """Tell what happened to it, one line per event, in seconds from the first one on."""
        events = [(at, "Send is pressed") for at in self.pressed] + [(at, "accepted") for at in self.accepted]
        events += [
            (one.at, f"told {one.sentence!r} (Drafts {one.drafts}, Sent {one.sent})") for one in self.told
        ]
        first = min((at for at, _what in events), default=0.0)
        end = f"in the end: Drafts {self.drafts}, Sent {self.sent}, journal {self.journal}"
        return [*(f"{at - first:+.2f} s {what}" for at, what in sorted(events)), end]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing that must not happen; `claim`: what was told and is not true."""

    fault: Fault
    mark: str
    why: str
    claim: Claim | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything that is wrong, and the marks that nobody knew about: for the `knowable` ones somebody could have."""

    verdicts: tuple[Verdict, ...]
    uncertain: tuple[str, ...]
    knowable: tuple[str, ...]

    def count(self, fault: Fault) -> int:
        return sum(verdict.fault is fault for verdict in self.verdicts)


def _sent(mail: Mail, told: Told, others: Mapping[str, Mail]) -> bool:
    return any(when <= told.at for when in mail.accepted)


def _not_sent(mail: Mail, told: Told, others: Mapping[str, Mail]) -> bool:
    return not mail.accepted_by(told.at)


def _in_drafts(mail: Mail, told: Told, others: Mapping[str, Mail]) -> bool:
    later = any(press > told.at for press in mail.pressed)
    return told.drafts > 0 and (later or mail.drafts + mail.sent > 0)


def _not_saved(mail: Mail, told: Told, others: Mapping[str, Mail]) -> bool:
    before = any(Claim.SAVED in other.claims or other.drafts for other in mail.told if other.at < told.at)
    return before or told.drafts == 0


def _asked(mail: Mail, told: Told, others: Mapping[str, Mail]) -> bool:
    first = others.get(mail.after)
    return first is not None and any(when <= told.at for when in first.accepted)


#: When a claim is true; one that is not here claims nothing that can be decided. KEPT is told before anybody has signed
#: in, without knowing whether the text was sent; it must not be OFFERED if it was.
TRUE: Final[dict[Claim, Callable[[Mail, Told, Mapping[str, Mail]], bool]]] = {
    Claim.SENT: _sent,
    Claim.NOT_SENT: _not_sent,
    Claim.OFFERED: _not_sent,
    Claim.IN_DRAFTS: _in_drafts,
    Claim.STILL_IN_DRAFTS: _in_drafts,
    Claim.NOT_IN_DRAFTS: lambda mail, told, others: told.drafts == 0,
    Claim.NOT_IN_SENT: lambda mail, told, others: told.sent == 0,
    Claim.COPIED: lambda mail, told, others: any(when <= told.at for when in mail.copied),
    Claim.SAVED: lambda mail, told, others: told.drafts > 0,
    Claim.NOT_SAVED: _not_saved,
    Claim.ASKED: _asked,
}
#: Outcomes as the journal notes them.
_JOURNAL_SENT: Final = "sent"
_JOURNAL_NOT_SENT: Final = "not sent"


def judge(mails: Sequence[Mail], nameless: Mapping[str, Sequence[Told]] | None = None) -> Judgement:
    """Judge all mails; `nameless`: what each writer was told about a mail that the page could not name."""
    others = {mail.mark: mail for mail in mails}
    verdicts = [verdict for mail in mails for verdict in _verdicts(mail, others)]
    verdicts += _lost(mails, nameless or {})
    unsure = [mail for mail in mails if any(Claim.UNCERTAIN in told.claims for told in mail.told)]
    marks = (tuple(mail.mark for mail in some) for some in (unsure, filter(_was_knowable, unsure)))
    return Judgement(tuple(verdicts), *marks)


def _verdicts(mail: Mail, others: Mapping[str, Mail]) -> Iterator[Verdict]:
    if len(mail.accepted) > 1:
        yield Verdict(Fault.DOUBLED, mail.mark, f"accepted {len(mail.accepted)} times")
    for told in mail.told:
        for claim in sorted(told.claims & TRUE.keys(), key=lambda one: one.name):
            if not TRUE[claim](mail, told, others):
                yield Verdict(
                    Fault.UNTRUE, mail.mark, f"told that {claim.value}: {_facts(mail, told)}", claim
                )
    yield from (Verdict(Fault.UNTRUE, mail.mark, why) for why in _journal(mail))
    yield from (Verdict(Fault.STRAY, mail.mark, why) for why in _stray(mail))


def _facts(mail: Mail, told: Told) -> str:
    before = sum(when <= told.at for when in mail.accepted)
    return (
        f"{told.sentence!r}, when {before} had been accepted ({len(mail.accepted)} in the end), "
        f"{told.drafts} in Drafts ({mail.drafts}), {told.sent} in Sent ({mail.sent})"
    )


def _journal(mail: Mail) -> Iterator[str]:
    if _JOURNAL_SENT in mail.journal and not mail.accepted:
        yield "the journal says sent, and nothing was accepted"
    if mail.journal and set(mail.journal) == {_JOURNAL_NOT_SENT} and mail.accepted:
        yield "the journal says not sent, and it was accepted"


def _stray(mail: Mail) -> Iterator[str]:
    """Yield which copies are too many, or missing without a notice."""
    said = {claim for told in mail.told for claim in told.claims}
    if mail.sent + mail.drafts > 1 and not mail.loose:
        yield f"{mail.sent} copies in Sent and {mail.drafts} in Drafts"
    warned = {Claim.NOT_IN_SENT, Claim.MAYBE_IN_DRAFTS, Claim.STILL_IN_DRAFTS, Claim.COPIED, Claim.UNCERTAIN}
    if mail.accepted and not mail.sent and not said & warned:
        yield f"no copy in Sent, {mail.drafts} in Drafts, and nobody was told"
    if mail.sent and not mail.accepted:
        yield "a copy in Sent of what was not accepted"


def _lost(mails: Iterable[Mail], nameless: Mapping[str, Sequence[Told]]) -> Iterator[Verdict]:
    """Find mails that are nowhere, without their writers having been told; one nameless sentence excuses one mail."""
    excuses = {
        writer: sum(Claim.NOT_SENT in told.claims for told in many) for writer, many in nameless.items()
    }
    for mail in mails:
        why = _gone(mail)
        called_sent = any(Claim.SENT in told.claims for told in mail.told)
        if why and not called_sent and excuses.get(mail.writer, 0) > 0:
            excuses[mail.writer] -= 1
        elif why:
            yield Verdict(Fault.LOST, mail.mark, why)


def _gone(mail: Mail) -> str:
    if not mail.pressed or mail.accepted or mail.drafts or mail.dropped:
        return ""
    if not mail.told:
        return "not accepted, in no mailbox, and nothing was told"
    if not mail.typed:
        return ""
    last = mail.told[-1]
    if last.shows or Claim.OFFERED in last.claims:
        return ""
    said = {claim for told in mail.told for claim in told.claims}
    # Its writer was told that there is no copy, on a page with the text; what is told after signing in has no text.
    if Claim.NOT_IN_DRAFTS in said and said & {Claim.NOT_SENT, Claim.UNCERTAIN}:
        return ""
    return f"not accepted, in no mailbox, on no page; told last: {last.sentence!r}"


def _was_knowable(mail: Mail) -> bool:
    """Return whether the gateway could have known better: the SMTP server had not heard of it, or "sent" was told."""
    for told in mail.told:
        if Claim.UNCERTAIN in told.claims:
            untouched = mail.addressed is None or mail.addressed > told.at
            return untouched or any(Claim.SENT in o.claims for o in mail.told if o.at < told.at)
    return False
