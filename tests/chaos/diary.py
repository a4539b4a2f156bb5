"""What one person is told about their mails, recorded as it is told, with what their mailbox contained at that moment.

Nothing here may press a key or judge. A line of news that names no mail is kept separately: it may be about any.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from tests.chaos.handheld import Handheld
from tests.chaos.judge import Mail, Told
from tests.chaos.sentences import Claim, claims
from tests.chaos.servers import MARK

#: Characters of a page by which its sentence is recognized.
_SENTENCE = 160


def text_of(mark: str) -> str:
    """Return the first words of a mail, by which its text is recognized."""
    return f"Text {mark}, "


class Diary:
    """All mails of one person; `copies` counts those of a mail in Drafts and in Sent."""

    def __init__(self, address: str, copies: Callable[[str, str], tuple[int, int]]) -> None:
        self._address, self._copies = address, copies
        self.mails: dict[str, Mail] = {}
        #: By its words, since a page of news may come twice.
        self.nameless: dict[str, Told] = {}

    def begin(self, mark: str, typed: bool = True, after: str = "") -> Mail:
        """Begin a mail."""
        return self.mails.setdefault(mark, Mail(mark, self._address, typed, after))

    def hear(self, mail: Mail, phone: Handheld) -> frozenset[Claim]:
        """Record what the page says about the mail that was posted."""
        said = claims(phone.text)
        shows = phone.shows(text_of(mail.mark))
        if said or shows or phone.asks_to_sign_in:
            mail.told.append(self._told(mail.mark, said, phone.text, shows))
        return said

    def read_news(self, lines: Iterable[str]) -> None:
        """Record what a page of news says about each mail, under a line with its date and its recipients."""
        head = ""
        for line in lines:
            said, whole = claims(line), f"{head} {line}".strip()
            mail = self.named(whole)
            if said and mail is not None:
                mail.told.append(self._told(mail.mark, said, whole))
            elif said:
                self.nameless[whole] = self._told("", said, whole)
            head = "" if said else line

    def read_offers(self, sentence: str, labels: Iterable[str]) -> list[str]:
        """Record which mails are offered, as unsent or in doubt; return the labels of the unsent ones."""
        said = claims(sentence)
        all_in_doubt = Claim.OFFERED_IN_DOUBT in said and Claim.OFFERED not in said
        unsent = []
        for label in labels:
            in_doubt = all_in_doubt or Claim.OFFERED_IN_DOUBT in claims(label)
            offer = Claim.OFFERED_IN_DOUBT if in_doubt else Claim.OFFERED
            unsent += [label] * (not in_doubt)
            if (mail := self.named(label)) is not None:
                mail.told.append(self._told(mail.mark, frozenset({offer}), sentence, shows=True))
        return unsent

    def named(self, words: str) -> Mail | None:
        """Return the mail that is named."""
        found = MARK.search(words)
        return self.mails.get(found[0]) if found is not None else None

    def _told(self, mark: str, said: frozenset[Claim], text: str, shows: bool = False) -> Told:
        at = time.monotonic()
        drafts, sent = self._copies(self._address, mark) if mark else (0, 0)
        return Told(at, said, " ".join(text.split())[:_SENTENCE], shows, drafts, sent)
