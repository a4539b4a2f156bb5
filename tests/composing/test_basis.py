"""The note in a draft about the message that it answers or forwards, and what counts as a change of a mail."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.account.profile import Identity
from gateway.composing.basis import FORWARD_FLAG, OriginalMessage
from gateway.composing.typed_mail import MailContent, is_changed
from gateway.message.model import Address
from gateway.store.base import ANSWERED

NUMBERS = st.integers(1, 2**32)


@given(NUMBERS, NUMBERS, st.sampled_from([ANSWERED, FORWARD_FLAG]))
def test_what_a_mail_is_about_is_read_again(number: int, uid: int, flag: str) -> None:
    about = OriginalMessage(number, uid, flag)
    assert OriginalMessage.read(str(about)) == about


@given(st.text(alphabet="af0123456789.-٣²", max_size=12) | st.text(max_size=20))
def test_any_note_names_one_message_or_none(written: str) -> None:
    about = OriginalMessage.read(written)
    assert about is None or (about.number >= 0 and about.uid >= 0 and about.flag in (ANSWERED, FORWARD_FLAG))


MAIL = MailContent(
    (Address("Bob", "bob@example.net"),), (), (), (), "Lunch", Identity("Me", "me@example.net"), "Yes.\nNo."
)


@pytest.mark.parametrize(
    ("now", "changed"),
    [
        (MAIL, False),
        (replace(MAIL, to=(Address("Robert", "BOB@example.net"),)), False),
        (replace(MAIL, subject=" Lunch ", text="Yes.  No.\n"), False),
        (replace(MAIL, text="Yes. No. Perhaps."), True),
        (replace(MAIL, subject="Dinner"), True),
        (replace(MAIL, bcc=MAIL.to), True),
        (replace(MAIL, sender=Identity("Me", "other@example.net")), True),
        (replace(MAIL, unparsed=(("cc", "ann"),)), True),
    ],
)
def test_a_mail_is_changed_by_what_it_says(now: MailContent, changed: bool) -> None:
    assert is_changed(now, MAIL) is changed
