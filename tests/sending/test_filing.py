"""filing: drafts in mailboxes that do not exist."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import pytest

from gateway.errors import MailboxGone, NotSupported
from gateway.sending import filing
from gateway.store.abilities import EVERY_ABILITY, Can
from gateway.store.base import MailStore, MessageRef


@dataclass
class Drafts:
    """A store that knows where the drafts are, or does not; `gone`: the mailbox has vanished in the meantime."""

    name: str | None
    gone: bool = False
    can: Can = EVERY_ABILITY

    def special(self, _role: str) -> str | None:
        return self.name

    def find_by_field(self, mailbox: str, field: str, text: str) -> MessageRef | None:
        assert (mailbox, field, text) == ("Drafts", "X-Pocketpost-Before", "<1.2>")
        if self.gone:
            raise MailboxGone(mailbox)
        return MessageRef(mailbox, 1, 3)


@pytest.mark.parametrize(
    ("store", "found"),
    [
        (Drafts("Drafts"), MessageRef("Drafts", 1, 3)),
        (Drafts("Drafts", gone=True), None),
        (Drafts(None), None),
        (Drafts("Drafts", can=Can()), None),
    ],
)
def test_a_draft_is_looked_for_where_there_are_drafts(store: Drafts, found: MessageRef | None) -> None:
    assert filing.find_by_field(cast(MailStore, store), "X-Pocketpost-Before", "<1.2>") == found


def test_a_store_that_cannot_append_has_no_copies() -> None:
    store = cast(MailStore, Drafts("Drafts", can=Can()))
    with pytest.raises(NotSupported):  # a draft that was not kept is never called saved
        filing.keep(store, b"", "<a@example.net>", datetime(2026, 3, 31, tzinfo=UTC))
    assert not filing.file(store, "<a@example.net>", octets=b"x")
    assert filing.find(store, filing.DRAFTS, "<a@example.net>") is None
    assert filing.remove_duplicates(store, "<a@example.net>") is None
