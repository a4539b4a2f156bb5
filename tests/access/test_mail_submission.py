"""mail_submission: how much a mail counts as, by its recipients, and how many an hour one person may send."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.access.mail_submission import RECIPIENTS_AS_ONE, MailSubmission
from gateway.errors import SentTooMuch, TooManyRecipients
from tests.access.test_session import House


@pytest.fixture
def submission(tmp_path: Path) -> Iterator[MailSubmission]:
    house = House(tmp_path / "state.sqlite")
    yield replace(house.open().submission, per_hour=3)
    house.state.close()


@pytest.mark.parametrize(
    ("recipients", "mails"),
    [(1, 3), (RECIPIENTS_AS_ONE, 3), (RECIPIENTS_AS_ONE + 1, 1), (3 * RECIPIENTS_AS_ONE, 1)],
)
def test_a_mail_to_many_is_more_than_one(submission: MailSubmission, recipients: int, mails: int) -> None:
    for _ in range(mails):
        submission.count(recipients)
    with pytest.raises(SentTooMuch):
        submission.count(recipients)
    submission.discount(recipients)
    submission.count(recipients)


def test_what_is_more_than_an_hour_allows_is_never_begun(submission: MailSubmission) -> None:
    with pytest.raises(TooManyRecipients):
        submission.count(3 * RECIPIENTS_AS_ONE + 1)
    submission.count(3 * RECIPIENTS_AS_ONE)


def test_without_a_limit_nothing_is_counted(submission: MailSubmission) -> None:
    unlimited = replace(submission, per_hour=0)
    unlimited.count(1000 * RECIPIENTS_AS_ONE)
    unlimited.discount(1)
    submission.count(3 * RECIPIENTS_AS_ONE)
