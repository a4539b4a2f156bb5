"""Drafts: a mail saved in the mailbox in its current state, and resumed later.

Nothing here may lose what was typed. A draft that has been saved again is found from the addresses of its earlier
versions: the account memory knows them, and so does the draft itself, in case nothing can be remembered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from gateway.access import outcomes
from gateway.access.idempotency import PostOutcome, last_outcome
from gateway.access.session import Session
from gateway.addresses import MessageCode
from gateway.composing import assembly
from gateway.composing.assembly import ORIGINAL, REPLACED, REST, UNPARSED, ref_note
from gateway.composing.author import Author
from gateway.composing.basis import DRAFT_TITLE, NEW, Basis, OriginalMessage, open_fields
from gateway.composing.mailbox_parts import enclosures, parts_of_draft
from gateway.composing.quotation import FORWARDED, Quoted, plain_text
from gateway.composing.typed_mail import MailContent
from gateway.errors import MessageGone, StoreUnreachable
from gateway.message.headers import address_lists, envelopes
from gateway.message.mime import protected
from gateway.message.mime.disposition import has_html
from gateway.message.model import Address, Message
from gateway.message.outgoing import builder, draft_header, resumed
from gateway.message.outgoing import reply as replies
from gateway.sealed.send_journal import mark_of
from gateway.sealed.vault import TicketedPost
from gateway.sending import filing, outbox
from gateway.state import optional
from gateway.store.base import DRAFT, MailStore, MessageRef

#: Kind in the account memory: old draft -> the draft that replaced it.
CHAIN: Final = "drafts"
#: Maximum number of these links; the oldest are forgotten.
MOST: Final = 100


def resume(author: Author, store: MailStore, number: int, uid: int) -> Basis:
    """Resume the newest version of a draft, or start a new mail from any other message. Raise MessageGone.

    The newest version is known from the account memory, or from its own note.
    """
    ref = author.session.mailboxes.message(*_newest(author.session, MessageCode(number, uid)))
    try:
        return _resumed(author, store, ref)
    except MessageGone:
        later = filing.find_by_field(store, REPLACED, ref_note(ref))
        found = _resumed(author, store, later) if later is not None else None
        if (
            found is None or ref_note(ref) not in found.replaced
        ):  # servers differ in how well they search header fields
            raise
        return found


def _resumed(author: Author, store: MailStore, ref: MessageRef) -> Basis:
    """Resume a draft, whoever saved it; any other message, or the one it returns, becomes a template for a new mail."""
    found = protected.with_subject(store.structure(ref), partial(store.octets, ref))
    header = b"".join(store.octets(ref, "HEADER"))
    back = resumed.returned_message(found.root)
    if back is not None and back.envelope is not None:
        found, header = Message(back.envelope, back.parts[0]), b""
    notes = builder.draft_fields(header)
    taken = resumed.split_text(_text(author, store, ref, found), notes.get(REST.lower(), ""))
    envelope = found.envelope
    people = {field: address_lists.sendable(getattr(envelope, field)) for field in UNPARSED}
    unparsed = {
        field: notes.get(name.lower(), "") or _not_sendable(getattr(envelope, field))
        for field, name in UNPARSED.items()
    }
    sender = author.profile.identity(envelope.from_[0].spec if envelope.from_ else "")
    made = Basis(
        NEW[0],
        open_fields(envelope.to, envelope.subject),
        sender,
        to=people["to"],
        cc=people["cc"],
        bcc=people["bcc"],
        unparsed=tuple((field, text) for field, text in unparsed.items() if text),
        subject=envelope.subject,
        text=taken.typed,
        quotation=lambda store: Quoted(taken.quoted),
        quoted="" if taken.quoted.strip() else None,
        enclosures=enclosures(ref, found, ornaments=True),
    )
    if DRAFT not in found.flags and store.special(filing.DRAFTS) != ref.mailbox:
        return made
    return _with_header(author, _as_draft(made, ref, found, notes), found, header)


def _as_draft(made: Basis, ref: MessageRef, found: Message, notes: Mapping[str, str]) -> Basis:
    """Add what only the next version of a draft has: its place, what it answers and what it continues."""
    envelope = found.envelope
    attached, answer = parts_of_draft(ref, found)
    after = tuple(notes.get(builder.AFTER.lower(), "").split())
    return replace(
        made,
        title=DRAFT_TITLE,
        in_reply_to=envelope.in_reply_to,
        references=tuple(replies.references(replace(found, envelope=replace(envelope, message_id="")))),
        original=OriginalMessage.read(notes.get(ORIGINAL.lower(), "")),
        draft=ref,
        replaced=tuple(notes.get(REPLACED.lower(), "").split()),
        after=after,
        noted=after,
        mark=mark_of(envelope.message_id),
        enclosures=attached,
        alternative=answer,
    )


def _not_sendable(found: Sequence[Address]) -> str:
    """Return a recipient field as text if another program has left something in it that is not an address."""
    if all(address_lists.valid(one.spec) for one in found):
        return ""
    return ", ".join(one.spec or one.name for one in found)


def _with_header(author: Author, made: Basis, found: Message, header: bytes) -> Basis:
    """Keep what another program has put into the header, and note what cannot be kept."""
    fields = draft_header.read(header)
    more = envelopes.left_out(found.defects, UNPARSED)
    ours = {one.reply_to for one in author.profile.identities}
    asked = found.envelope.reply_to if found.envelope.reply_to != found.envelope.from_ else ()
    return replace(
        made,
        reply_to=address_lists.sendable(one for one in asked if one.spec not in ours),
        kept=fields.kept,
        formatted=has_html(found.root),
        lost=(*fields.lost, *([f"+{more}"] if more else ())),
    )


def _text(author: Author, store: MailStore, ref: MessageRef, found: Message) -> str:
    parts = resumed.plain_text_parts(found)
    if not parts:
        return plain_text(author, ref, found, store, FORWARDED)
    texts = (resumed.text_of(part, partial(store.octets, ref, part.section)) for part in parts)
    return "\n\n".join(text for text in texts if text)


def _newest(session: Session, draft: MessageCode) -> MessageCode:
    """Follow a draft to its newest version."""
    for _step in range(MOST):
        found = session.memory.get(CHAIN, draft.encode())
        if found is None:
            break
        draft = MessageCode(found["number"], found["uid"])
    return draft


def save(
    author: Author,
    basis: Basis,
    content: MailContent,
    page: str,
    added: Iterable[builder.Attached] = (),
    without: frozenset[str] = frozenset(),
) -> Basis:
    """Replace a mail's copy in Drafts; return it based on the new copy, or unchanged if its location is unknown.

    `page`: the ticket of the page that it was posted from. Raise GatewayError.
    """
    added = tuple(added)
    try:
        kept, ref = _put(author, basis, content, page, added, without)
    except StoreUnreachable as error:
        if not error.dropped:
            raise
        # APPEND may have taken effect before the connection broke, so the copy is looked for first.
        kept, ref = _put(author, basis, content, page, added, without)
    outbox.remove_replaced_draft(author.session, basis.draft, ref)
    return kept


def _put(
    author: Author,
    basis: Basis,
    content: MailContent,
    page: str,
    added: Sequence[builder.Attached],
    without: frozenset[str],
) -> tuple[Basis, MessageRef | None]:
    with author.session.store() as store:
        mail = assembly.assemble(author, store, basis, content, page, added, without)
        ref = outbox.save_draft(store, mail.octets, author.now)
        if ref is None:
            return basis, None
        kept = based_on_draft(author.session, basis, content, ref)
        if kept.enclosures or added or kept.alternative:
            attached, answer = parts_of_draft(ref, store.structure(ref))
            kept = replace(kept, enclosures=attached, alternative=answer)
        return kept, ref


def based_on_draft(session: Session, basis: Basis, content: MailContent, ref: MessageRef) -> Basis:
    """Return the mail based on the message in Drafts that holds all that was typed."""
    old, replaced = basis.draft, basis.replaced
    if old is not None and old != ref:
        replaced = (*replaced, ref_note(old))
        with optional("which draft took the place of which"):
            code = session.mailboxes.code
            session.memory.put(CHAIN, code(old).encode(), code(ref)._asdict(), MOST)
    return replace(
        basis,
        fields=open_fields(content.to, content.subject),
        to=content.to,
        cc=content.cc,
        bcc=content.bcc,
        unparsed=content.unparsed,
        subject=content.subject,
        sender=content.sender,
        text=content.text,
        draft=ref,
        replaced=replaced,
        noted=basis.after,
    )


def draft_location(outcome: PostOutcome) -> MessageCode | None:
    """Return the location of the draft in the outcome of saving."""
    saved = outcome.get(outcomes.DRAFT)
    return MessageCode.decode(saved) if saved else None


def last_saved(session: Session, post: TicketedPost) -> MessageCode | None:
    """Return the draft that the same page made earlier, by Save or by Send; None if there is none."""
    found = draft_location(last_outcome(session, post))
    ref = session.journal.draft(post) if found is None else None
    return session.mailboxes.code(ref) if ref is not None else found
