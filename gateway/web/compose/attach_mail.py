"""Attaching what is in the mailbox to a draft: a message as it is, or one of its files, chosen from lists.

Nothing here may send an attachment through the handheld, change an octet of it, or attach it twice because a request
was repeated: each row has its own ticket. If it cannot be attached, the draft stays as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from flask import Blueprint, Response, request

from gateway.composing import assembly
from gateway.composing.mailbox_parts import Enclosure, enclosures, whole_message
from gateway.errors import GatewayError, MailboxGone, MessageGone, MessageTooLarge
from gateway.markup.keys import BACK_KEY
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen, StatusMessage, shorten
from gateway.message.headers.header_fields import clean
from gateway.message.model import Message
from gateway.store.base import INBOX, Listing, MessageRef, Window
from gateway.web.attachments import file_links
from gateway.web.compose import attach_files
from gateway.web.compose import draft as desk
from gateway.web.compose.draft import Composition
from gateway.web.entry.sign_in import error_sentence
from gateway.web.mailbox.message_rows import ListEntry, ListFrame, list_screen
from gateway.web.message.folder_choice import TargetList, chooser_screen, resolve, targets
from gateway.web.message.message_screen import MessageAddress, reference
from gateway.web.request.fitted_list import fitted_list, row_within
from gateway.web.request.form_bodies import KEEP
from gateway.web.request.mail_author import author
from gateway.web.request.mailbox_names import title_of
from gateway.web.request.respond import respond
from gateway.web.request.screens import notice_screen, paging_actions
from gateway.web.request.visit import Visit, current, link, list_link

attach_mail = Blueprint("attach_mail", __name__)

#: Parts of a message per page: one per number key.
ROWS: Final = 9
#: Maximum characters of a name in a row; the first that fits is used.
_WIDTHS: Final = (60, 40, 28, 20, 14)
#: Maximum characters of a subject above the rows, and of a name in a sentence.
_SUBJECT: Final = 60
_NAMED: Final = 30


# --- choosing a message


@attach_mail.get("/c<int:number>.<int:uid>.m")
@attach_mail.get("/c<int:number>.<int:uid>.m<int:box>")
@attach_mail.get("/c<int:number>.<int:uid>.m<int:box>.<int:top>")
def messages(number: int, uid: int, box: int | None = None, top: int | None = None) -> Response:
    """List the messages of the inbox or another mailbox, from a sequence number downwards."""
    visit = current()
    name = INBOX if box is None else visit.mailbox(box)[0]
    return _messages(visit, MessageAddress(number, uid), name, top)


@attach_mail.get("/c<int:number>.<int:uid>.z")
def folders(number: int, uid: int) -> Response:
    """Show the folders to choose from; `f` is the mark of the chosen one."""
    visit, draft = current(), MessageAddress(number, uid)
    chosen = request.args.get("f", "")
    with visit.signed_in.store() as store:
        name = resolve(visit, store, chosen) if chosen else None
        found = targets(visit, store) if name is None else TargetList()
    if name is not None:
        return _messages(visit, draft, name)

    def row(mark: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        return list_link("attach_mail.folders", **draft.values(), f=mark), ()

    def turn(at: int) -> str:
        return link("attach_mail.folders", **draft.values(), i=at)

    _ = visit.language.gettext
    sentence = _("That folder no longer exists.") if chosen else _("From my mail")
    back = Action(_("Back"), list_link("attach_mail.messages", **draft.values()), BACK_KEY)
    first = request.args.get("i", 0, int)
    return respond(chooser_screen(visit, _("Folders"), found, first, row, turn, (back,), sentence))


def _messages(
    visit: Visit, draft: MessageAddress, name: str, top: int | None = None, sentence: str = ""
) -> Response:
    with visit.signed_in.store() as store:
        listing = store.summaries(name, Window(visit.device.rows, top))
    _ = visit.language.gettext
    box = visit.signed_in.mailboxes.number(listing.mailbox, listing.uidvalidity)
    from_top = {"t": listing.top} if listing.top < listing.exists else {}
    entries = [
        ListEntry(one, link("attach_mail.parts", **draft.values(), box=box, message=one.ref.uid, **from_top))
        for one in listing.summaries
    ]

    def next_page(shown: int) -> str:
        last = listing.summaries[min(shown, len(entries)) - 1].sequence if entries and shown else 0
        return _list_link(draft, box, last - 1) if last > 1 else ""

    frame = ListFrame(
        title=_("From my mail"),
        first=listing.exists - listing.top + 1,
        count=listing.exists,
        next=next_page,
        prev=_newer_link(visit, draft, box, listing),
        actions=(
            *(_folders_action(visit, draft) if visit.signed_in.can.folders else ()),
            Action(_("Back"), link("drafts.files", **draft.values()), BACK_KEY),
        ),
        remarks=(title_of(visit, listing.mailbox),),
        empty=_("No messages here."),
    )
    return respond(list_screen(visit, entries, frame, sentence), Life.NEVER if sentence else None)


def _folders_action(visit: Visit, draft: MessageAddress) -> tuple[Action, ...]:
    return (Action(visit.language.gettext("Folders"), link("attach_mail.folders", **draft.values())),)


def _newer_link(visit: Visit, draft: MessageAddress, box: int, listing: Listing) -> str:
    """Return the link to the page above a window, "" if there is none."""
    if not 0 < listing.top < listing.exists:
        return ""
    above = listing.top + visit.device.rows
    return _list_link(draft, box, above if above < listing.exists else 0)


def _list_link(draft: MessageAddress, box: int, top: int = 0) -> str:
    return list_link("attach_mail.messages", **draft.values(), box=box, **({"top": top} if top else {}))


# --- choosing a part


@attach_mail.get("/c<int:number>.<int:uid>.p<int:box>.<int:message>")
def parts(number: int, uid: int, box: int, message: int) -> Response:
    """Show what can be attached from a message, from row `i` on; `t` is where the list was."""
    visit, draft, address = current(), MessageAddress(number, uid), MessageAddress(box, message)
    try:
        ref = reference(visit, address)
        with visit.signed_in.store() as store:
            found = store.structure(ref)
    except (MailboxGone, MessageGone) as error:
        return _messages(visit, draft, INBOX, sentence=error_sentence(error, visit))
    offered = _offered(ref, found)
    first = row_within(request.args.get("i", 0, int), len(offered))
    _ = visit.language.gettext
    subject = fit(clean(found.envelope.subject) or _("(no subject)"), visit.device)

    def screen(width: int, rows: int) -> Screen:
        shown = offered[first : first + rows]
        next_page = first + rows if first + rows < len(offered) else 0
        actions = (
            *_rows(visit, draft, address, shown, width),
            *_actions(visit, draft, address, first, next_page),
        )
        return notice_screen(visit, _("Attach"), shorten(subject, _SUBJECT), actions, life=Life.NEVER)

    return respond(fitted_list(screen, visit.fits, _WIDTHS, min(ROWS, len(offered) - first)))


def _offered(ref: MessageRef, found: Message) -> Sequence[Enclosure]:
    """Return what can be attached from a message: the message itself, then its files."""
    return (whole_message(ref, found), *enclosures(ref, found))


def _section(one: Enclosure) -> str:
    return one.part.section if one.part is not None else ""


def _rows(
    visit: Visit, draft: MessageAddress, address: MessageAddress, shown: Sequence[Enclosure], width: int
) -> list[Action]:
    """Return a row for each of them, with its own ticket: several can be attached even after using the back key."""
    href = link("attach_mail.attach", **draft.values(), box=address.number, message=address.uid)
    actions = []
    for key, one in enumerate(shown, 1):
        if one.part is None:
            name, size = visit.language.gettext("Whole message"), visit.language.size(one.octets)
        else:
            name = shorten(fit(file_links.name_of(visit, one.part), visit.device), width)
            size = visit.language.size(file_links.size_of(one.part))
        fields = (("s", _section(one)), ("keep", visit.signed_in.ticket()))
        actions.append(Action(f"{name} ({size})", href, str(key), fields=fields))
    return actions


def _actions(
    visit: Visit, draft: MessageAddress, address: MessageAddress, first: int, next_page: int
) -> list[Action]:
    _ = visit.language.gettext
    top = max(0, request.args.get("t", 0, int))
    from_top = {"t": top} if top else {}

    def link_at(at: int) -> str:
        row = {"i": at} if at else {}
        return link(
            "attach_mail.parts", **draft.values(), box=address.number, message=address.uid, **from_top, **row
        )

    before = link_at(max(0, first - ROWS)) if first else ""
    turns = paging_actions(visit, link_at(next_page) if next_page else "", before, soft="")
    return [*turns, Action(_("Back"), _list_link(draft, address.number, top), BACK_KEY)]


@attach_mail.post("/c<int:number>.<int:uid>.p<int:box>.<int:message>")
def attach(number: int, uid: int, box: int, message: int) -> Response:
    """Attach what was chosen, once, and show the mail again; if that fails, say so and change nothing."""
    visit = current()
    form, _ = visit.form(), visit.language.gettext
    mail = replace(attach_files.load_draft(visit, desk.resume_page(number, uid)), page=form.get(KEEP, ""))
    chosen: list[str] = []

    def add() -> Composition:
        one = _chosen(visit, MessageAddress(box, message), form.get("s", ""))
        chosen.append(one.name)
        going = (*mail.basis.enclosures, one)
        if assembly.encoded_size(going) > assembly.available_octets(author(visit)):
            raise MessageTooLarge(
                assembly.available_octets(author(visit)), f"{assembly.encoded_size(going)} octets"
            )
        return desk.save(visit, replace(mail, basis=replace(mail.basis, enclosures=going)))

    try:
        mail = desk.save_once(visit, mail, form, add)
    except MessageTooLarge:
        return attach_files.page(visit, mail, attach_files.too_large_sentence(visit, chosen))
    except GatewayError as error:
        return attach_files.page(visit, mail, desk.not_saved_sentence(visit, error))
    names = [shorten(clean(name), _NAMED) or _("File") for name in chosen]  # a repeat has none
    return desk.page(
        visit, mail, StatusMessage(visit.language.before(_("Attached"), names[0])) if names else ""
    )


def _chosen(visit: Visit, address: MessageAddress, section: str) -> Enclosure:
    """Find the chosen part in its current state. Raise MessageGone."""
    ref = reference(visit, address)
    with visit.signed_in.store() as store:
        offered = _offered(ref, store.structure(ref))
    one = next((one for one in offered if _section(one) == section), None)
    if one is None:
        raise MessageGone(f"no such part: {len(section)} characters")
    return one
