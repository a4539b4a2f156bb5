"""People with handhelds who sign in, write, answer, press Send, and press again when no page comes.

Nothing here may judge: what was done and what was told is recorded, with what the mailbox contained at that moment.
Nobody here presses Send for the same text again unless they were told that it was not sent.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from tests.chaos.diary import Diary, text_of
from tests.chaos.handheld import Handheld, Posted, changed
from tests.chaos.judge import Mail
from tests.chaos.line import Line
from tests.chaos.sentences import NEWS, Claim, claims

PASSWORD: Final = "secret"
#: How often somebody tries to get a page before they do something else, and the same once nothing fails any more.
TRIES, CALM_TRIES = 8, 20
#: The most seconds by which each pause between two tries is longer than the one before, and the longest pause.
PAUSE, LONGEST_PAUSE = 0.3, 3.0
#: The most seconds between the page and Send.
TYPING: Final = 1.0
#: Of a hundred mails: answers, quick replies; and the other things that a writer does.
ANSWERS, QUICK = 25, 10
SAVES, SIGNED_OUT, SENDS_AGAIN, REPEATS, OTHER_MAIL, SAYS_YES = 15, 6, 60, 15, 25, 50
#: How often one text is sent after "not sent".
MOST_PRESSES: Final = 4
#: What ends the waiting for an answer.
QUESTIONS: Final = frozenset({Claim.ASKED, Claim.ASKED_IN_DOUBT})
OFFERS: Final = frozenset({Claim.OFFERED, Claim.OFFERED_IN_DOUBT})
ANSWER: Final = QUESTIONS | {Claim.SENT, Claim.NOT_SENT, Claim.UNCERTAIN}
_QUICK_WORDS: Final = "Thank you."


class Stage(Protocol):
    """What people need from the place where they are."""

    #: The gateway asks before the page of a sent mail sends another one.
    asks_again: bool

    def copies(self, address: str, mark: str) -> tuple[int, int]:
        """Count the copies of a mail in Drafts and in Sent."""

    def letter_for(self, address: str, mark: str) -> None:
        """Deliver a letter that can be answered."""


class Person:
    """One person with a handheld and an account, who writes the mails of `marks`."""

    def __init__(
        self, number: int, address: str, marks: list[str], stage: Stage, line: Line, dice: random.Random
    ) -> None:
        self.address, self._marks, self._stage, self._dice = address, marks, stage, dice
        self.line = line
        self._phone = Handheld(number, line)
        self.diary = Diary(address, stage.copies)
        self.repeats = 0
        self._forms: dict[str, Posted] = {}
        self._home = ""
        self._calm = False
        self._end = 0.0

    # --- what they set out to do ---

    def write_all(self, begin: float, spread: float, end: float) -> None:
        """Write one mail after the other, in `spread` seconds if nothing delays them; none after `end`."""
        self._end = end
        for number, mark in enumerate(self._marks):
            due = begin + spread * (number + self._dice.random()) / len(self._marks)
            time.sleep(max(due - time.monotonic(), 0.0))
            if time.monotonic() > end:
                return
            self._write(mark)

    def settle(self, end: float) -> None:
        """With nothing failing any more: press what was never answered once more, sign in again, read what is told."""
        self._calm, self._end = True, end
        for mark, form in list(self._forms.items()):
            if self._is_open(self.diary.mails[mark]):
                self._listen(self.diary.mails[mark], self._phone.post(form))
        for _time in range(2):
            self._phone.start_anew()
            self._home = ""
            self._sign_in()

    def _is_open(self, mail: Mail) -> bool:
        return not any(ANSWER & told.claims for told in mail.told if told.at > mail.pressed[-1])

    def _write(self, mark: str) -> None:
        kind = self._dice.randrange(100)
        typed = not ANSWERS <= kind < ANSWERS + QUICK
        if kind < ANSWERS + QUICK:
            self._stage.letter_for(self.address, mark)
        way = self._quick if not typed else self._answer if kind < ANSWERS else self._new
        if not self._walk(lambda: way(mark)):
            return
        mail = self.diary.begin(mark, typed)
        if mail.typed and self._often(SAVES):
            self._save(mail)
        time.sleep(self._dice.uniform(0.0, TYPING))
        if self._often(SIGNED_OUT):
            self._phone.window().tries(
                lambda device: device.open(f"{self._home}k"), lambda device: device.follow("Sign out")
            )
        self._send(mail)

    # --- ways to a page with Send on it ---

    def _walk(self, way: Callable[[], bool]) -> bool:
        """Go a way from its beginning until it is completed, for as long as mail is written."""
        for tried in itertools.count():
            if time.monotonic() > self._end:
                break
            if self._home or self._sign_in():
                if way():
                    return True
                if self._phone.asks_to_sign_in:
                    self._home = ""
            self._wait(tried)
        return False

    def _new(self, mark: str) -> bool:
        return self._phone.tries(
            lambda device: device.open(f"{self._home}c"),
            lambda device: device.fill("to", f"{mark}@far.test"),
            lambda device: device.fill("subject", f"about {mark}"),
            lambda device: device.fill("text", self._words(mark, device.room("text"))),
        )

    def _answer(self, mark: str) -> bool:
        return self._phone.tries(
            lambda device: device.open(f"{self._home}i"),
            lambda device: device.follow(f"about {mark}"),
            lambda device: device.follow("Reply"),
            lambda device: device.fill("text", self._words(mark, device.room("text"))),
        )

    def _quick(self, mark: str) -> bool:
        return self._phone.tries(
            lambda device: device.open(f"{self._home}i"),
            lambda device: device.follow(f"about {mark}"),
            lambda device: device.follow("Quick reply"),
        )

    def _words(self, mark: str, room: int) -> str:
        """Write a text by which the mail is recognized, short or long."""
        more = "so it goes on and on, " * self._dice.choice((1, 1, 2, 40))
        return f"{text_of(mark)}{more}"[: min(room, 1200)].rstrip()

    def _save(self, mail: Mail) -> None:
        before = self._phone.posted
        came = self._phone.tries(lambda device: device.press("Save"))
        form = self._phone.posted
        if form is None or form is before:  # this page has no such key
            return
        for tried in self._tries:
            if came and self.diary.hear(mail, self._phone) & {
                Claim.SAVED,
                Claim.NOT_SAVED,
                Claim.MAYBE_IN_DRAFTS,
            }:
                return
            self._wait(tried)
            came = self._phone.post(form)
        mail.loose = True

    # --- Send, and what is heard of it ---

    def _send(self, mail: Mail) -> None:
        before = self._phone.posted
        mail.pressed.append(time.monotonic())
        quick = not mail.typed and len(mail.pressed) == 1  # a question has a page with Send on it
        came = self._phone.tries(lambda device: device.press(_QUICK_WORDS if quick else "Send"))
        form = self._phone.posted
        if form is None or form is before:
            mail.pressed.pop()
            return
        self._forms[mail.mark] = form
        self._listen(mail, came)

    def _listen(self, mail: Mail, came: bool) -> None:
        """Repeat the request until its answer says something."""
        form = self._forms[mail.mark]
        for tried in self._tries:
            if came:
                said = self.diary.hear(mail, self._phone)
                if said & ANSWER:
                    self._go_on(mail, said)
                    return
                if self._phone.asks_to_sign_in:
                    self._home = ""
                    self._sign_in()
                    return
                if self._phone.shows(text_of(mail.mark)) and Claim.UNDER_WAY not in said:
                    self._send_again(mail)  # the form came back without having been understood
                    return
            self._wait(tried)
            self.repeats += 1
            came = self._phone.post(form)

    def _go_on(self, mail: Mail, said: frozenset[Claim]) -> None:
        """Do what people do once they have heard what became of their mail."""
        if said & QUESTIONS:
            self._answer_question(mail)
        elif self._calm:
            return
        elif Claim.NOT_SENT in said and self._phone.shows(text_of(mail.mark)):
            if self._often(SENDS_AGAIN):
                self._send_again(mail)
        elif self._often(REPEATS):
            self.repeats += 1
            if Claim.NOT_SENT in said:  # back to the page, and Send again: it may be sent now
                mail.pressed.append(time.monotonic())
            if self._phone.post(self._forms[mail.mark]):
                self.diary.hear(mail, self._phone)
        elif Claim.SENT in said and self._stage.asks_again and self._often(OTHER_MAIL):
            self._write_over(mail)

    def _send_again(self, mail: Mail) -> None:
        if len(mail.pressed) < MOST_PRESSES and not self._calm:
            self._send(mail)

    def _write_over(self, mail: Mail) -> None:
        """Go back to the page that has sent a mail, write another one on it, and press Send."""
        mark = f"{mail.mark}b"
        words = {"to": f"{mark}@far.test", "subject": f"about {mark}", "text": self._words(mark, 200)}
        form = changed(self._forms[mail.mark], **words)
        if form is None or mail.after:
            return
        other = self.diary.begin(mark, after=mail.mark)
        other.pressed.append(time.monotonic())
        self._forms[mark] = form
        self._listen(other, self._phone.post(form))

    def _answer_question(self, mail: Mail) -> None:
        """Answer whether this one should be sent, too."""
        if self._often(SAYS_YES) and not self._calm:
            self._send(mail)
        else:
            mail.dropped = True

    # --- signing in, and what is told then ---

    def _sign_in(self) -> bool:
        """Sign in, on the page that asks for it if there is one, and read what is told."""
        for tried in self._tries:
            if not self._phone.asks_to_sign_in:
                self._phone.tries(lambda device: device.open("/"))
            if self._phone.asks_to_sign_in:
                self._phone.tries(
                    lambda device: device.fill("user", self.address),
                    lambda device: device.fill("password", PASSWORD),
                    lambda device: device.press("Sign in"),
                )
            if self._phone.text and not self._phone.asks_to_sign_in:
                self._home = self._phone.home
                self._read_news()
                return True
            self._wait(tried)
        return False

    def _read_news(self) -> None:
        """Read what became of earlier mail, and go on until there is no more."""
        for tried in self._tries:
            if OFFERS & claims(self._phone.text):
                self._take_back()
                return
            if NEWS not in self._phone.text:
                return
            self.diary.read_news(self._phone.lines)
            if not self._phone.tries(lambda device: device.press("Continue")):
                self._wait(tried)

    def _take_back(self) -> None:
        """Take back the texts that were kept, and send those that were not sent."""
        offered = [label for label in self._phone.labels if self.diary.named(label) is not None]
        unsent = self.diary.read_offers(self._phone.text, offered)
        if self._calm:
            return
        for label in unsent:
            mail = self.diary.named(label)
            came = self._phone.tries(
                lambda device: device.open(f"{self._home}kept"),
                lambda device, label=label: device.follow(label),
            )
            if mail is not None and came and self._phone.shows(text_of(mail.mark)):
                self._send_again(mail)

    # --- how they are ---

    @property
    def _tries(self) -> Iterator[int]:
        """Count tries, until there is no time for more."""
        for tried in range(CALM_TRIES if self._calm else TRIES):
            if time.monotonic() < self._end:
                yield tried

    def _often(self, percent: int) -> bool:
        return self._dice.randrange(100) < percent

    def _wait(self, tried: int) -> None:
        """Wait a moment, and perhaps use another process."""
        if self._often(50):
            self.line.change()
        time.sleep(self._dice.uniform(0.0, min(PAUSE * (tried + 1), LONGEST_PAUSE)))
