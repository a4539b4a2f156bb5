"""Mails with a fixed text, such as one that unsubscribes from a list.

Nothing here may send anything twice: `outbox` sees to that.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.composing import assembly, basis
from gateway.composing.author import Author
from gateway.composing.typed_mail import MailContent
from gateway.message.model import Address
from gateway.sealed.vault import TicketedPost
from gateway.sending import outbox
from gateway.store.base import MailStore


def send(
    author: Author, post: TicketedPost, to: Sequence[Address], subject: str, text: str
) -> outbox.Outcome:
    """Send a mail with this text, once for each act."""
    initial = basis.new(author)
    content = MailContent(tuple(to), (), (), (), subject, initial.sender, text)

    def make(store: MailStore) -> outbox.Mail:
        return assembly.assemble(author, store, initial, content, post.ticket)

    return outbox.send(author.session, post, make, author.now)
