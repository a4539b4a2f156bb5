r"""The screen of one message, page by page.

Nothing here may fetch more than the page needs, or change anything but \Seen: showing a page sets it, HEAD does not.
Operations are posted to `message_actions`, which may respond with the page of the next message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from flask import Blueprint, Response, current_app, request

from gateway.account import people
from gateway.account.profile import own_addresses
from gateway.markup.screen import Life, Screen, StatusMessage, with_own_keys
from gateway.message.headers.mailto import unsubscribe
from gateway.message.mime import protected
from gateway.message.model import Message, Part
from gateway.message.outgoing.reply import reply_all_recipients
from gateway.message.outgoing.resumed import returned_message
from gateway.pages import message_heads
from gateway.pages.known_blocks import KnownBlocks
from gateway.pages.layout import Layout, MessagePage, of_message
from gateway.pages.message_pages import MessageFrame, reading_actions, reading_context
from gateway.rendition.blocks import Block, Kind, Position, Run
from gateway.rendition.selection import both_forms
from gateway.store.base import DRAFT, SEEN, MailStore, MessageRef
from gateway.store.mailbox_tree import role_of
from gateway.store.session_cache import SessionCache
from gateway.web.attachments.file_links import FileAddress, files, is_section, picture_link, view_link
from gateway.web.attachments.result_cache import CacheKey, ResultCache
from gateway.web.mailbox.mailbox_list import back_action
from gateway.web.mailbox.reading_progress import remember
from gateway.web.message import invitation_state
from gateway.web.message.message_links import message_links
from gateway.web.request import mail_links
from gateway.web.request.respond import respond
from gateway.web.request.screens import with_style
from gateway.web.request.visit import Visit, current, fresh_mark, link

message = Blueprint("message", __name__)

#: Messages whose page counts, complete or not, are cached per process: counting takes longer than showing a page.
MOST_PAGE_COUNTS = 2000


@dataclass(frozen=True, slots=True)
class MessageAddress:
    """The address of a message, and whether quoted text is unfolded."""

    number: int
    uid: int
    unfolded: str = ""

    def values(self) -> dict[str, object]:
        return {"number": self.number, "uid": self.uid}

    def query(self) -> dict[str, object]:
        return {"u": self.unfolded} if self.unfolded else {}


@message.get("/m<int:number>.<int:uid>")
def first(number: int, uid: int) -> Response:
    """Show a message from its beginning."""
    return show(MessageAddress(number, uid, request.args.get("u", "")))


@message.get("/m<int:number>.<int:uid>.<int:page>.<at:position>")
def page(number: int, uid: int, page: int, position: Position) -> Response:
    """Show a message from a position; `page` is its number as counted so far."""
    return _show(MessageAddress(number, uid, request.args.get("u", "")), position, page)


@message.get("/e<int:number>.<int:uid>.<int:page>.<at:position>")
def page_before(number: int, uid: int, page: int, position: Position) -> Response:
    """Show the page before the one at a position."""
    return _show(MessageAddress(number, uid, request.args.get("u", "")), position, page, before=True)


def reference(visit: Visit, address: MessageAddress) -> MessageRef:
    """Resolve the mailbox number and return the message's permanent reference."""
    name, uidvalidity = visit.mailbox(address.number)
    return MessageRef(name, uidvalidity, address.uid)


def show(address: MessageAddress, sentence: str = "", seen: bool = True) -> Response:
    """Show a message from its beginning, under a sentence about the previous request; if `seen`, mark it as read."""
    return _show(address, None, 1, sentence=sentence, seen=seen)


def _show(
    address: MessageAddress,
    position: Position | None,
    number: int,
    before: bool = False,
    sentence: str = "",
    seen: bool = True,
) -> Response:
    visit = current()
    ref = reference(visit, address)
    with visit.signed_in.store() as store:
        found = protected.with_subject(store.structure(ref), partial(store.octets, ref))
        invited = None
        if position is None:
            invited = invitation_state.read(visit, store, ref, found, record=request.method == "GET")
            sentence = _joined(sentence, invited.sentence(visit) if invited is not None else "")
        layout = _layout(visit, store, ref, address, found, sentence, invited is not None and invited.open)
        totals, key = _page_counts(), _page_count_key(visit, ref, address, _form(found, position))
        if before and position:
            shown = layout.page_before(position, number, totals.get(key))
        else:
            shown = layout.page(position, number, totals.get(key))
            # A sentence above the text changes where pages end.
            if (shown.first or number > 1) and not sentence:
                totals.put(key, shown.known)
                totals.put(_page_count_key(visit, ref, address, _form(found, shown.next)), shown.known)
        layout.keep()
        if seen and SEEN not in found.flags and store.can.seen and request.method != "HEAD":
            store.flag([ref], [SEEN])
        if request.method != "HEAD" and position is None:
            people.record_sender(visit.signed_in, found, store.cache)
    if request.method != "HEAD" and not address.unfolded:
        remember(visit, address.number, address.uid, shown)
    # A new answer is shown at once, not ten minutes later.
    life = Life.NEVER if sentence else Life.CHECK if invited is not None else None
    return respond(mail_links.linked_screen(visit, layout, shown), life)


@dataclass(frozen=True, slots=True)
class MessageShelf:
    """Where the blocks of a message stay between two pages; `key`: everything that they depend on.

    `made_of`: everything besides that their pages depend on.
    """

    cache: SessionCache
    key: CacheKey
    made_of: object

    @classmethod
    def of(
        cls, visit: Visit, store: MailStore, ref: MessageRef, address: MessageAddress, made_of: object
    ) -> MessageShelf | None:
        """Return the shelf of a message, None if nothing is to be kept."""
        key = ref, visit.language, address.unfolded
        return cls(store.cache, key, made_of) if visit.config.keep_read else None

    def get(self) -> KnownBlocks | None:
        found = self.cache.get(self.key)
        return found if isinstance(found, KnownBlocks) else None

    def put(self, blocks: KnownBlocks) -> None:
        self.cache.put(self.key, blocks, blocks.weight)


def _joined(sentence: str, more: str) -> str:
    """Join the sentences above a message; the undo action stays with them."""
    if not sentence or not more:
        return sentence or more
    return StatusMessage(f"{sentence} {more}", getattr(sentence, "undo", None))


def _page_counts() -> ResultCache[int]:
    cache: ResultCache[int] = current_app.extensions.setdefault(
        "pocketpost.totals", ResultCache(MOST_PAGE_COUNTS)
    )
    return cache


def _page_count_key(visit: Visit, ref: MessageRef, address: MessageAddress, form: str) -> CacheKey:
    """Return the cache key of everything that the number of a message's pages depends on."""
    return (visit.signed_in.account, ref, visit.device, visit.language.tag, address.unfolded, form)


def _form(found: Message, position: Position | None) -> str:
    """Return the section of the alternative that contains a position, "" for a message without alternatives."""
    forms = both_forms(found.root)
    return position.section if position and forms and position.section in forms else ""


def _layout(
    visit: Visit,
    store: MailStore,
    ref: MessageRef,
    address: MessageAddress,
    found: Message,
    sentence: str,
    invited: bool,
) -> Layout:
    def octets(section: str, start: int) -> Iterator[bytes]:
        return store.octets(ref, section, start)

    def link_target(block: Block, run: Run | None) -> str:
        if run is not None:
            return mail_target(run)
        if block.kind is Kind.FOLD:
            return link("message.page", **address.values(), page=1, position=block.at, u=block.target)
        if block.kind is Kind.PICTURE and is_section(block.target):
            return picture_link(visit, address.values(), block.target)
        if block.kind is Kind.NOTE and is_section(block.target):
            return link("download.original", **address.values(), section=block.target)
        return ""

    def frame(shown: MessagePage) -> Screen:
        links = {**around, **_page_links(address, shown, _form(found, shown.start))}
        actions = reading_actions(language.gettext, device, shown, links, ticket)
        actions = with_own_keys(actions, sentence)
        return with_style(framed.screen(shown, actions))

    device, language = visit.device, visit.language
    mail_target = mail_links.link_targets(visit)
    attached, own = files(found), own_addresses(visit.signed_in, visit.profile)
    around = _action_links(visit, address, ref.mailbox, found, invited, attached, own)
    framed = MessageFrame(found, device, language, sentence, now=visit.now, own=own, files=attached)
    ticket = visit.signed_in.ticket()
    unfolded = frozenset({address.unfolded} - {""})
    context = reading_context(language, unfolded=unfolded)
    # A sentence is shown once, so are the pages below it.
    made_of = None if sentence else _made_of(visit, address, found, own, around)
    shelf = MessageShelf.of(visit, store, ref, address, made_of)
    return of_message(found, octets, device, context, frame, link_target, shelf=shelf)


def _made_of(
    visit: Visit, address: MessageAddress, found: Message, own: frozenset[str], around: Mapping[str, str]
) -> object:
    """Return everything besides a message and its reader's language that its pages depend on, frames and links.

    A ticket is as long as any other, and so is the time in a link that is always fresh.
    """
    session, device = visit.signed_in, visit.device
    home = around["home"]
    if device.caches_regardless:
        home = home.replace(f"c={fresh_mark(visit)}", "c=")
    return (
        address,
        device,
        (session.device, session.markup, session.language),
        visit.here.rpartition("/")[0],  # links are relative to it
        visit.origin,
        message_heads.when(found, device, visit.language, visit.now),
        own,
        {**around, "home": home},
    )


def _page_links(address: MessageAddress, shown: MessagePage, form: str) -> dict[str, str]:
    """Return the links to the next and the previous page, "" where there is none.

    `form`: which of two forms is shown; its first page may not be the message's.
    """
    where, query = address.values(), address.query()
    before = after = ""
    if shown.next is not None:
        after = link("message.page", **where, page=shown.number + 1, position=shown.next, **query)
    if shown.start is not None and shown.number <= 2 and not form:
        before = link("message.first", **where, **query)
    elif not shown.first and shown.start is not None:
        before = link("message.page_before", **where, page=shown.number - 1, position=shown.start, **query)
    return {"next": after, "prev": before}


def _action_links(
    visit: Visit,
    address: MessageAddress,
    mailbox: str,
    found: Message,
    invited: bool,
    attached: Sequence[Part],
    own: frozenset[str],
) -> dict[str, str]:
    """Return the links of the actions on every page, "" if there is none."""
    to = message_links(address.number, address.uid)
    back = back_action(visit, address.number, mailbox)
    # QUIRK: GNU imap4d does not keep the flags of APPEND; what is in Drafts is a draft even without them.
    drafted = DRAFT in found.flags or role_of(mailbox) == "drafts"
    can, archivable = visit.signed_in.can, role_of(mailbox) not in ("archive", "drafts")
    again = not drafted and returned_message(found.root) is not None
    invited = invited and not drafted and not again
    return {
        "edit": to("drafts.resume") if drafted else "",
        "reply": "" if drafted else to("compose.reply"),
        "attachments": _attachments_link(address, attached),
        "unsubscribe": to("unsubscribe.ask") if unsubscribe(found) else "",
        "reply-all": to("compose.reply", variant="a") if not drafted and _several(found, own) else "",
        "forward": "" if drafted else to("compose.forward"),
        "again": to("drafts.resume") if again else "",
        "answer": to("invitation.ask") if invited else "",
        "quick": "" if drafted or again or invited else to("quick.listing"),
        "older": to("message_actions.neighbour", which="o"),
        "delete": to("message_actions.submit", letter="d") if can.delete else "",
        "archive": to("message_actions.submit", letter="a") if can.move and archivable else "",
        "more": to("more.show"),
        "home": back.href,
        "title": back.label,
    }


def _attachments_link(address: MessageAddress, found: Sequence[Part]) -> str:
    """Return the link to the attachments: a single one's own page, a list of several, "" if there are none."""
    if len(found) == 1:
        return view_link(FileAddress(address.number, address.uid, found[0].section), found[0])
    return link("attachment.listing", **address.values()) if found else ""


def _several(found: Message, own: frozenset[str]) -> bool:
    """Return whether a reply to all goes to more than one person."""
    to, cc = reply_all_recipients(found, own)
    return len(to) + len(cc) > 1
