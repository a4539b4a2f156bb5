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


def make(
    author: Author, store: MailStore, to: Sequence[Address], subject: str, text: str, page: str
) -> outbox.Mail:
    """Make a mail with this text; `page` as in `assembly.assemble`."""
    initial = basis.new(author)
    content = MailContent(tuple(to), (), (), (), subject, initial.sender, text)
    return assembly.for_sending(author, store, initial, content, page)


def send(
    author: Author, post: TicketedPost, to: Sequence[Address], subject: str, text: str
) -> outbox.Outcome:
    """Send a mail with this text, once per post."""
    return outbox.send(
        author.session, post, lambda store: make(author, store, to, subject, text, post.ticket), author.now
    )
