"""Message details: everything known about a message except its text.

Nothing here may show a name without its address, or more than the header that was asked for. Long lists of addresses
have pages of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import Blueprint, Response

from gateway.language import Language
from gateway.markup.keys import KEYS
from gateway.markup.screen import Action, Life, Screen
from gateway.message.headers import address_lists, header_fields
from gateway.message.headers.address_lists import GroupedAddresses
from gateway.message.model import Address, Gap, Message
from gateway.pages.layout import MessagePage
from gateway.pages.rows import of_rows
from gateway.rendition import notes
from gateway.rendition.blocks import Block, Kind, Position, Run
from gateway.rendition.selection import both_forms
from gateway.store.base import ANSWERED, DELETED, DRAFT, FLAGGED, SEEN, MailStore, MessageRef
from gateway.web.mailbox.ways_back import ways_back
from gateway.web.message.message_screen import MessageAddress, reference
from gateway.web.request import mail_links
from gateway.web.request.respond import respond
from gateway.web.request.screens import make_screen, paging_actions
from gateway.web.request.visit import Visit, current, link

details = Blueprint("details", __name__)


def _(msgid: str) -> str:
    return msgid


#: Octets of a header to fetch: several lists of a thousand addresses.
HEADER_OCTETS: Final = 256 * 1024
#: Maximum number of addresses of one field.
MOST_ADDRESSES: Final = 5000
#: Addresses of one field shown among the details.
SHOWN_ADDRESSES: Final = 3

_FIELDS: Final = {
    "from": _("From"),
    "sender": _("Sender"),
    "reply-to": _("Reply to"),
    "to": _("To"),
    "cc": _("Cc"),
    "bcc": _("Bcc"),
}
#: The labels of the links to each form of a message that has two, in the order of `both_forms`.
_FORMS: Final = (_("As text"), _("As HTML"))
_FLAGS: Final = {
    SEEN.lower(): _("read"),
    ANSWERED.lower(): _("answered"),
    FLAGGED.lower(): _("flagged"),
    DRAFT.lower(): _("draft"),
    DELETED.lower(): _("deleted"),
    "$forwarded": _("forwarded"),
    "$junk": _("junk"),
    "\\recent": "",
    "nonjunk": "",
    "$notjunk": "",
}
#: Header fields shown unchanged.
_UNCHANGED: Final = {
    "list-id": _("List"),
    "list-post": _("Write to the list"),
    "list-unsubscribe": _("Leave the list"),
    "auto-submitted": _("Automatic"),
    "importance": _("Importance"),
    "message-id": _("Message-ID"),
}
#: Prefix of a defect and the sentence for it; the first match is used.
_DEFECTS: Final = (
    ("date: missing", _("It has no date.")),
    ("date:", _("Its date cannot be read.")),
    ("structure:", _("The mail server could not describe its parts.")),
    ("charset:", _("Its charset is mislabelled.")),
    ("header:", _("Its header is damaged.")),
    ("envelope:", _("Its header cannot be read.")),
    ("multipart/", _("Its parts are damaged.")),
    ("tnef:", _("Its Outlook attachment is damaged.")),
)


@dataclass(frozen=True, slots=True)
class MessageDetails:
    """The structure and the header of one message."""

    message: Message
    lists: dict[str, GroupedAddresses]
    fields: dict[str, str]


@details.get("/h<int:number>.<int:uid>")
def first(number: int, uid: int) -> Response:
    """Show the details of a message."""
    return _show(MessageAddress(number, uid), "", None, 1)


@details.get("/h<int:number>.<int:uid>.<int:page>.<at:position>")
def page(number: int, uid: int, page: int, position: Position) -> Response:
    """Show details from a row on, or with ?b the page before it."""
    return _show(MessageAddress(number, uid), "", position, page)


@details.get("/h<int:number>.<int:uid>.<any('from',sender,'reply-to',to,cc,bcc):name>")
def people(number: int, uid: int, name: str) -> Response:
    """Show all addresses of a field."""
    return _show(MessageAddress(number, uid), name, None, 1)


@details.get(
    "/h<int:number>.<int:uid>.<any('from',sender,'reply-to',to,cc,bcc):name>.<int:page>.<at:position>"
)
def more_people(number: int, uid: int, name: str, page: int, position: Position) -> Response:
    """Show the addresses of a field from an index on, or with ?b the page before it."""
    return _show(MessageAddress(number, uid), name, position, page)


def _show(address: MessageAddress, name: str, position: Position | None, number: int) -> Response:
    visit = current()
    ref = reference(visit, address)
    with visit.signed_in.store() as store:
        known = _fetch_details(store, ref)
    rows = _people(known.lists[name]) if name else _rows(visit, known)

    def frame(shown: MessagePage) -> Screen:
        return _screen(visit, address, known, name, shown)

    layout = of_rows(rows, visit.device, frame)
    return respond(mail_links.page_screen(visit, layout, position, number))


def _fetch_details(store: MailStore, ref: MessageRef) -> MessageDetails:
    """Fetch a message's structure and the fields of its header that are complete."""
    message = store.structure(ref)
    octets = b""
    for piece in store.octets(ref, "HEADER"):
        octets += piece
        if len(octets) >= HEADER_OCTETS:
            break
    raw: dict[str, bytes] = {}
    for name, value in header_fields.fields(octets)[0]:
        if name in _FIELDS and raw.get(name):
            raw[name] += b", " + value
        else:
            raw.setdefault(name, value)
    lists = {name: address_lists.parse_groups(raw.get(name, b""), MOST_ADDRESSES) for name in _FIELDS}
    fields = {name: header_fields.decode(raw[name]) for name in _UNCHANGED if name in raw}
    return MessageDetails(message, lists, fields)


def _screen(
    visit: Visit, address: MessageAddress, known: MessageDetails, name: str, shown: MessagePage
) -> Screen:
    _ = visit.language.gettext
    where = address.values()
    title = _label(visit, name, known.lists[name]) if name else _("Details")
    own = {"number": address.number, "uid": address.uid} | ({"name": name} if name else {})
    turned = "details.more_people" if name else "details.page"
    next_page = before = ""
    if shown.next is not None:
        next_page = link(turned, **own, page=shown.number + 1, position=shown.next)
    if shown.start is not None and shown.number <= 2:
        before = link("details.people" if name else "details.first", **own)
    elif shown.start is not None:
        before = link(turned, **own, page=shown.number - 1, position=shown.start, b="")
    actions = [*paging_actions(visit, next_page, before)]
    if name:
        actions.append(Action(_("Details"), link("details.first", **where), KEYS["Details"]))
    else:
        actions += [
            Action(_label(visit, field, found), link("details.people", **where, name=field), _key(field))
            for field, found in known.lists.items()
            if len(found.addresses) > SHOWN_ADDRESSES
        ]
        actions += [
            Action(_(label), link("message.page", **where, page=1, position=Position(section)), KEYS[label])
            for label, section in zip(_FORMS, both_forms(known.message.root) or (), strict=False)
        ]
    actions += ways_back(visit, address.number, address.uid)
    pages = "" if shown.total == 1 else f"{shown.number}/{shown.total or '…'}"
    values = {"pages": pages, "body": shown.body}
    return make_screen(visit, "details", title, values, actions, life=Life.PRIVATE)


def _key(name: str) -> str:
    """Return the key that opens a field's addresses, "" for the sender's: they are never many."""
    return KEYS.get(_FIELDS[name], "")


def _label(visit: Visit, name: str, found: GroupedAddresses) -> str:
    count = len(found.addresses) + found.more
    return f"{visit.language.gettext(_FIELDS[name])} ({visit.language.number(count)})"


def _rows(visit: Visit, known: MessageDetails) -> list[Block]:
    """Make a row for each detail."""
    _ = visit.language.gettext
    message = known.message
    rows = [_row(visit, _("Subject"), header_fields.clean(message.envelope.subject) or _("(no subject)"))]
    for name, label in _FIELDS.items():
        found = known.lists[name]
        same = name in ("sender", "reply-to") and found.addresses == known.lists["from"].addresses
        if (found.addresses or found.groups) and not same:
            rows.append(_row(visit, _(label), _short_list(visit, found)))
    rows += [_row(visit, _(label), value) for label, value in _dates(visit.language, message)]
    rows.append(_row(visit, _("Size"), visit.language.size(message.octets)))
    flags = sorted(_FLAGS.get(flag.lower(), flag) for flag in message.flags)
    rows.append(_row(visit, _("State"), ", ".join(_(flag) for flag in flags if flag) or _("unread")))
    rows += [
        _row(visit, _(label), known.fields[name])
        for name, label in _UNCHANGED.items()
        if name in known.fields
    ]
    return rows + [Block(Kind.NOTE, (Run(text),)) for text in _defects(message.defects, _)]


def _row(visit: Visit, label: str, value: str) -> Block:
    return Block(Kind.ROW, (Run(visit.language.before(label, ""), strong=True), Run(value)))


def _short_list(visit: Visit, found: GroupedAddresses) -> str:
    """Return the addresses of a field, or only the first one if there are many."""
    _ = visit.language.gettext
    count = len(found.addresses) + found.more
    if count > SHOWN_ADDRESSES:
        who = {"who": _address_text(found.addresses[0]), "count": visit.language.number(count - 1)}
        return _("%(who)s and %(count)s more") % who
    return "\n".join(f"{text}:" if group else text for group, text in _lines(found))


def _people(found: GroupedAddresses) -> list[Block]:
    """Make a row for each address of a field, under the names of their groups."""
    return [
        Block(Kind.HEADING if group else Kind.ITEM, (Run(text),), level=int(group))
        for group, text in _lines(found)
    ]


def _lines(found: GroupedAddresses) -> Iterator[tuple[bool, str]]:
    """Yield addresses and group names; True marks a group name."""
    groups = list(found.groups)
    for index, address in enumerate(found.addresses):
        while groups and groups[0][0] <= index:
            yield True, groups.pop(0)[1]
        yield False, _address_text(address)
    yield from ((True, name) for _index, name in groups)


def _address_text(address: Address) -> str:
    """Return an address with its addr-spec, whatever its name."""
    spec, label = header_fields.safe_spec(address.spec), header_fields.safe_label(address)
    return label if not spec or label.startswith(spec) else f"{label} <{spec}>"


def _dates(language: Language, message: Message) -> Iterator[tuple[str, str]]:
    """Yield when the message was sent, by both clocks if they differ, and when it arrived."""
    sent = message.envelope.date
    if sent is not None:
        yield _("Date"), _date_text(language, sent)
        if sent.utcoffset() != sent.astimezone(language.zone).utcoffset() and sent.tzinfo is not None:
            yield _("Sender's time"), _date_text(Language(language.tag, sent.tzinfo), sent)
    if message.received is not None:
        yield _("Received"), _date_text(language, message.received)


def _date_text(language: Language, when: datetime) -> str:
    return f"{language.long_date(when)} {when.astimezone(language.zone):%z}"


def _defects(found: Sequence[str], gettext: Callable[[str], str]) -> list[str]:
    """Return sentences on defects and omissions; a long list is not a defect."""
    sentences = []
    for defect in found:
        if isinstance(defect, Gap):
            sentences.append(notes.gap(gettext, defect))
        elif not defect.endswith(" more"):
            words = [text for start, text in _DEFECTS if defect.startswith(start)]
            sentences.append(gettext(words[0] if words else _("A field of its header is too long.")))
    return list(dict.fromkeys(sentences))
