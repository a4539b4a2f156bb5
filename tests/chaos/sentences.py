"""What the gateway says about a mail, as claims that can be compared with the truth: the one table of sentences.

Nothing here may know how a page is marked up or what really happened. The longest sentences are looked for first, since
short ones are contained in long ones ("Look in Sent." ends in "Sent."). English, like the msgids.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from typing import Final


class Claim(Enum):
    """Something that is told about one mail."""

    SENT = "it was sent"
    NOT_SENT = "it was not sent"
    UNCERTAIN = "nobody knows whether it was sent"
    UNDER_WAY = "it is being sent"
    IN_DRAFTS = "a copy is in Drafts"
    NOT_IN_DRAFTS = "no copy is in Drafts"
    MAYBE_IN_DRAFTS = "a copy may be in Drafts"
    STILL_IN_DRAFTS = "its copy is not in Sent but in Drafts"
    NOT_IN_SENT = "no copy is in Sent"
    COPIED = "its writer was sent a copy"
    SAVED = "it was saved in Drafts"
    NOT_SAVED = "it was not saved"
    KEPT = "its text is kept for the next signing in"
    KEPT_A_DAY = "its text is kept for a day"
    OFFERED = "it was not sent, and here is its text"
    OFFERED_IN_DOUBT = "it may have been sent, and here is its text"
    ASKED = "the page it was written on has sent another mail, and it is waiting for a yes"
    ASKED_IN_DOUBT = "the page it was written on may have sent another mail, and it is waiting for a yes"


#: What a page may say about a mail, and what that claims. "…" represents what differs each time.
TABLE: Final = (
    ("Sent to ….", Claim.SENT),
    ("Sent.", Claim.SENT),  # if more is told about the recipients than who has received it
    ("Not sent.", Claim.NOT_SENT),
    ("It is not certain whether the message was sent. Look in Sent.", Claim.UNCERTAIN),
    ("It is not certain whether the message was sent.", Claim.UNCERTAIN),  # by POP3, which has no Sent
    ("Sending. Look again in a moment.", Claim.UNDER_WAY),
    ("A copy is in Drafts.", Claim.IN_DRAFTS),
    ("No copy could be kept in Drafts.", Claim.NOT_IN_DRAFTS),
    ("Look in Drafts for a copy.", Claim.MAYBE_IN_DRAFTS),
    ("The copy is still in Drafts.", Claim.STILL_IN_DRAFTS),
    ("No copy could be kept in Sent.", Claim.NOT_IN_SENT),
    ("A copy may or may not be in Sent.", Claim.MAYBE_IN_DRAFTS),
    ("A copy was sent to you.", Claim.COPIED),
    ("Saved in Drafts.", Claim.SAVED),
    ("Not saved.", Claim.NOT_SAVED),
    ("You have been signed out. Your text is kept: sign in to continue.", Claim.KEPT),
    ("Your text is kept for a day, under Menu.", Claim.KEPT_A_DAY),
    ("This was not sent. Continue with it?", Claim.OFFERED),
    ("It is not certain whether this was sent. Continue with it?", Claim.OFFERED_IN_DOUBT),
    ("Perhaps sent: …", Claim.OFFERED_IN_DOUBT),
    ("You sent a message to … Send this one too?", Claim.ASKED),
    ("It is not certain whether your message to … Send this one too?", Claim.ASKED_IN_DOUBT),
    ("Your message to … is still being sent. Send this one too?", Claim.ASKED_IN_DOUBT),
)
#: The end of each question whether a page that has sent a mail should send another one.
QUESTION: Final = "Send this one too?"
#: The beginning of a page of news; each line under it is about one mail.
NEWS: Final = "What happened to your mail:"

#: The most characters that "…" represents.
_MOST: Final = 80


def _pattern(said: str) -> str:
    return f"(?:.{{1,{_MOST}}}?)".join(re.escape(part) for part in said.split("…"))


_ORDERED: Final = sorted(TABLE, key=lambda row: len(row[0]), reverse=True)
_ANY: Final = re.compile("|".join(f"({_pattern(said)})" for said, _claim in _ORDERED))
_PLACEHOLDER: Final = re.compile(r"%\(\w+\)s")


def claims(text: str) -> frozenset[Claim]:
    """Read what a text claims."""
    found = _ANY.finditer(" ".join(text.split()))
    return frozenset(_ORDERED[(match.lastindex or 1) - 1][1] for match in found)


def missing(msgids: Iterable[str]) -> list[str]:
    """Return the sentences that the gateway never says: the table is outdated, or the gateway cannot say so yet."""
    known = [_PLACEHOLDER.sub("somebody", msgid) for msgid in msgids]
    patterns = {said: re.compile(_pattern(said)) for said in (*dict(TABLE), NEWS)}
    return [said for said, pattern in patterns.items() if not any(map(pattern.fullmatch, known))]
