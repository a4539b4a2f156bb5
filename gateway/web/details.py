"""Details: all that is known of a message but its text.

Nothing here may show a name without the address behind it, or more than the header that was asked for. Long lists
of addresses are opened on demand, in pages of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import Blueprint, Response, request

from gateway.language import Language
from gateway.markup.layout import Layout, MessagePage
from gateway.markup.screen import Action, Life, Screen
from gateway.message import addresses, headers
from gateway.message.addresses import Listed
from gateway.message.model import Address, Gap, Message
from gateway.rendition import notes
from gateway.rendition.blocks import Block, Kind, Position, Run, cut
from gateway.store.base import ANSWERED, DELETED, DRAFT, FLAGGED, SEEN, MailStore, MessageRef
from gateway.web.files import size_words
from gateway.web.message import Place, reference
from gateway.web.reading import resume_link
from gateway.web.respond import respond
from gateway.web.signin import sign_out_action
from gateway.web.visit import Visit, current, link, list_link

details = Blueprint("details", __name__)


def _(msgid: str) -> str:
    return msgid


#: Octets of a header that are fetched: several lists of a thousand addresses.
HEADER_OCTETS: Final = 256 * 1024
#: Addresses of one field that can be opened.
MOST_ADDRESSES: Final = 5000
#: Addresses of one field that stand among the details.
SHOWN_ADDRESSES: Final = 3

_FIELDS: Final = {
    "from": _("From"),
    "sender": _("Sender"),
    "reply-to": _("Reply to"),
    "to": _("To"),
    "cc": _("Cc"),
    "bcc": _("Bcc"),
}
#: The keys that open a field's addresses.
_KEYS: Final = {name: str(key) for key, name in enumerate(_FIELDS, 2)}
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
#: Header fields shown as they are.
_AS_THEY_ARE: Final = {
    "list-id": _("List"),
    "list-post": _("Write to the list"),
    "list-unsubscribe": _("Leave the list"),
    "auto-submitted": _("Automatic"),
    "importance": _("Importance"),
    "message-id": _("Message-ID"),
}
#: How a defect begins, and what to say of it; the first that fits.
_DEFECTS: Final = (
    ("date: missing", _("It has no date.")),
    ("date:", _("Its date cannot be read.")),
    ("structure:", _("The server could not say how it is made.")),
    ("charset:", _("Its charset is wrongly named.")),
    ("header:", _("Its header is damaged.")),
    ("envelope:", _("Its header cannot be read.")),
    ("multipart/", _("Its parts are damaged.")),
    ("tnef:", _("Its Outlook attachment is damaged.")),
)


@dataclass(frozen=True, slots=True)
class Known:
    """What was fetched of one message."""

    message: Message
    lists: dict[str, Listed]
    fields: dict[str, str]


@details.get("/h<int:number>.<int:uid>")
def first(number: int, uid: int) -> Response:
    """Show the details of a message."""
    return _show(Place(number, uid), "", None, 1)


@details.get("/h<int:number>.<int:uid>.<int:page>.<at:position>")
def page(number: int, uid: int, page: int, position: Position) -> Response:
    """Show details from a row on, or with ?b the page before it."""
    return _show(Place(number, uid), "", position, page)


@details.get("/h<int:number>.<int:uid>.<any('from',sender,'reply-to',to,cc,bcc):name>")
def people(number: int, uid: int, name: str) -> Response:
    """Show all addresses of a field."""
    return _show(Place(number, uid), name, None, 1)


@details.get(
    "/h<int:number>.<int:uid>.<any('from',sender,'reply-to',to,cc,bcc):name>.<int:page>.<at:position>"
)
def more_people(number: int, uid: int, name: str, page: int, position: Position) -> Response:
    """Show the addresses of a field from one on, or with ?b the page before it."""
    return _show(Place(number, uid), name, position, page)


def _show(place: Place, name: str, position: Position | None, number: int) -> Response:
    visit = current()
    ref = reference(visit, place)
    with visit.signed_in.store() as store:
        known = _known(store, ref)
    blocks = _people(known.lists[name]) if name else _rows(visit, known)
    numbered = [_numbered(block, index) for index, block in enumerate(blocks)]

    def frame(shown: MessagePage) -> Screen:
        return _screen(visit, place, known, name, shown)

    def blocks_from(start: Position | None) -> Iterator[Block]:
        return _from(numbered, start)

    layout = Layout(blocks_from, visit.device, frame, lambda block, run: "")
    if position is not None and "b" in request.args:
        return respond(layout.screen(layout.page_before(position, number)))
    return respond(layout.screen(layout.page(position, number)))


def _known(store: MailStore, ref: MessageRef) -> Known:
    """Fetch a message's structure and its header, as far as that is honest."""
    message = store.structure(ref)
    octets = b""
    for piece in store.octets(ref, "HEADER"):
        octets += piece
        if len(octets) >= HEADER_OCTETS:
            break
    raw: dict[str, bytes] = {}
    for name, value in headers.fields(octets)[0]:
        if name in _FIELDS and raw.get(name):
            raw[name] += b", " + value
        else:
            raw.setdefault(name, value)
    lists = {name: addresses.listed(raw.get(name, b""), MOST_ADDRESSES) for name in _FIELDS}
    fields = {name: headers.decode(raw[name]) for name in _AS_THEY_ARE if name in raw}
    return Known(message, lists, fields)


def _screen(visit: Visit, place: Place, known: Known, name: str, shown: MessagePage) -> Screen:
    _ = visit.language.gettext
    where = place.values()
    title = _label(visit, name, known.lists[name]) if name else _("Details")
    own = {"number": place.number, "uid": place.uid} | ({"name": name} if name else {})
    turned = "details.more_people" if name else "details.page"
    actions = []
    if shown.next is not None:
        href = link(turned, **own, page=shown.number + 1, position=shown.next)
        actions.append(Action(_("Next"), href, "#", "accept"))
    if shown.start is not None:
        href = link(turned, **own, page=shown.number - 1, position=shown.start, b="")
        if shown.number <= 2:
            href = link("details.people" if name else "details.first", **own)
        actions.append(Action(_("Prev"), href, "*"))
    if name:
        back = link("details.first", **where)
    else:
        back = resume_link(visit, place.number, place.uid)
        actions += [
            Action(_label(visit, field, found), link("details.people", **where, name=field), _KEYS[field])
            for field, found in known.lists.items()
            if len(found.addresses) > SHOWN_ADDRESSES
        ]
    actions.append(Action(_("Back"), back, "1"))
    actions.append(Action(_("Inbox"), list_link("mailbox.inbox"), "0"))
    actions.append(sign_out_action(visit, "9"))
    pages = "" if shown.total == 1 else f"{shown.number}/{shown.total or '…'}"
    values = {"pages": pages, "body": shown.body}
    return Screen(
        "details", title, values, tuple(actions), life=Life.PRIVATE, words=_, language=visit.language.tag
    )


def _label(visit: Visit, name: str, found: Listed) -> str:
    count = len(found.addresses) + found.more
    return f"{visit.language.gettext(_FIELDS[name])} ({visit.language.number(count)})"


def _rows(visit: Visit, known: Known) -> list[Block]:
    """Say what is known, one row each."""
    _ = visit.language.gettext
    message = known.message
    rows = [_row(_("Subject"), headers.clean(message.envelope.subject) or _("(no subject)"))]
    for name, label in _FIELDS.items():
        found = known.lists[name]
        same = name in ("sender", "reply-to") and found.addresses == known.lists["from"].addresses
        if (found.addresses or found.groups) and not same:
            rows.append(_row(_(label), _few(visit, found)))
    rows += [_row(_(label), value) for label, value in _moments(visit.language, message)]
    rows.append(_row(_("Size"), size_words(visit, message.octets)))
    flags = sorted(_FLAGS.get(flag.lower(), flag) for flag in message.flags)
    rows.append(_row(_("State"), ", ".join(_(flag) for flag in flags if flag) or _("unread")))
    rows += [
        _row(_(label), known.fields[name]) for name, label in _AS_THEY_ARE.items() if name in known.fields
    ]
    return rows + [Block(Kind.NOTE, (Run(said),)) for said in _defects(message.defects, _)]


def _row(label: str, value: str) -> Block:
    return Block(Kind.ROW, (Run(f"{label}: ", strong=True), Run(value)))


def _few(visit: Visit, found: Listed) -> str:
    """Name the addresses of a field, or of many the first one."""
    _ = visit.language.gettext
    count = len(found.addresses) + found.more
    if count > SHOWN_ADDRESSES:
        who = {"who": _said(found.addresses[0]), "count": visit.language.number(count - 1)}
        return _("%(who)s and %(count)s more") % who
    return "\n".join(f"{text}:" if group else text for group, text in _lines(found))


def _people(found: Listed) -> list[Block]:
    """Say every address of a field, one each, under the names of their groups."""
    return [
        Block(Kind.HEADING if group else Kind.ITEM, (Run(text),), level=int(group))
        for group, text in _lines(found)
    ]


def _lines(found: Listed) -> Iterator[tuple[bool, str]]:
    """Yield addresses, and before them the names of their groups, told apart by True."""
    groups = list(found.groups)
    for index, address in enumerate(found.addresses):
        while groups and groups[0][0] <= index:
            yield True, groups.pop(0)[1]
        yield False, _said(address)
    yield from ((True, name) for _index, name in groups)


def _said(address: Address) -> str:
    """Name an address with its addr-spec, whatever else it is called."""
    spec, label = headers.safe_spec(address.spec), headers.safe_label(address)
    return label if not spec or label.startswith(spec) else f"{label} <{spec}>"


def _moments(language: Language, message: Message) -> Iterator[tuple[str, str]]:
    """Say when it was sent, by both clocks where they differ, and when it came."""
    sent = message.envelope.date
    if sent is not None:
        yield _("Date"), _moment(language, sent)
        if sent.utcoffset() != sent.astimezone(language.zone).utcoffset() and sent.tzinfo is not None:
            yield _("Sender's time"), _moment(Language(language.tag, sent.tzinfo), sent)
    if message.received is not None:
        yield _("Received"), _moment(language, message.received)


def _moment(language: Language, when: datetime) -> str:
    return f"{language.long_date(when)} {when.astimezone(language.zone):%z}"


def _defects(found: Sequence[str], say: Callable[[str], str]) -> list[str]:
    """Say in words what is wrong with a message, and what of it is left out; that a list is long is not wrong."""
    said = []
    for defect in found:
        if isinstance(defect, Gap):
            said.append(notes.gap(say, defect))
        elif not defect.endswith(" more"):
            words = [text for start, text in _DEFECTS if defect.startswith(start)]
            said.append(say(words[0] if words else _("A field of its header is too long.")))
    return list(dict.fromkeys(said))


def _numbered(block: Block, index: int) -> Block:
    return Block(block.kind, block.runs, Position("", index), level=block.level)


def _from(blocks: Sequence[Block], start: Position | None) -> Iterator[Block]:
    """Yield blocks from a position on."""
    at = start or Position()
    for block in blocks[at.start : at.start + 1]:
        rest = cut(block, at.skip)[1] if at.skip else block
        if rest.runs:
            yield rest
    yield from blocks[at.start + 1 :]
