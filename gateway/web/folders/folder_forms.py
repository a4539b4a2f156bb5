"""The screens of one folder: its page with actions, the form for its name, and the questions before deleting.

Nothing here may query a server: callers pass in what is shown.
"""

from __future__ import annotations

from dataclasses import replace

from flask import request

from gateway.markup.keys import BACK_KEY, KEYS
from gateway.markup.screen import Action, Life, Screen
from gateway.store.base import INBOX, Folder
from gateway.store.mailbox_tree import EMPTIED, lowered
from gateway.web.folders import folder_names
from gateway.web.message.more_actions import FOR
from gateway.web.request import mailbox_names
from gateway.web.request.field_forms import FormField, form_screen
from gateway.web.request.screens import notice_screen, question_screen
from gateway.web.request.visit import Visit, link, list_link

#: Changes to a folder, as letters in addresses.
NEW, RENAME, DELETE, EMPTY, SUBSCRIBE = "n", "r", "d", "e", "s"


def number_of(visit: Visit, found: Folder) -> int:
    """Return the number of a folder under its current UIDVALIDITY."""
    return visit.signed_in.mailboxes.number(found.name, found.uidvalidity)


def folder_screen(visit: Visit, found: Folder, sentence: str = "") -> Screen:
    """Make the page of a folder, under a sentence about the previous request."""
    _ = visit.language.gettext
    lines = [mailbox_names.path(visit, found)] if len(mailbox_names.names(visit, found)) > 1 else []
    lines.append(_counts(visit, found))
    own = mailbox_names.own_name(visit, found)
    if own:
        lines.append(_("On the server: %(name)s") % {"name": own})
    if not found.subscribed and found.role != "inbox":
        lines.append(_("Not subscribed."))
    title = mailbox_names.title(visit, found)
    life = Life.NEVER if sentence else Life.CHECK
    return notice_screen(visit, title, sentence or lines.pop(0), _actions(visit, found), lines, life=life)


def _counts(visit: Visit, found: Folder) -> str:
    _, number = visit.language.gettext, visit.language.number
    if not found.open:
        return _("Contains folders only.")
    if not found.total:
        return _("No messages here.")
    total = visit.language.ngettext("%(count)s message", "%(count)s messages", found.total)
    text = total % {"count": number(found.total)}
    unread = _("%(count)s unread") % {"count": number(found.unseen)} if found.unseen else ""
    return f"{text}, {unread}" if unread else text


def _actions(visit: Visit, found: Folder) -> tuple[Action, ...]:
    _ = visit.language.gettext
    number = number_of(visit, found)

    def folder_action(label: str, what: str, key: str) -> Action:
        endpoint = "folder.name" if what in (NEW, RENAME) else "folder.ask"
        return Action(label, link(endpoint, number=number, what=what), key)

    actions = []
    if found.open:
        actions.append(
            Action(_("Open"), list_link("mailbox.by_number", number=number), KEYS["Open"], "accept")
        )
    if found.mailbox.delimiter and "\\noinferiors" not in lowered(found.mailbox.attributes):
        actions.append(folder_action(_("New folder here"), NEW, KEYS["New folder here"]))
    if not found.role:
        actions.append(folder_action(_("Rename"), RENAME, KEYS["Rename"]))
        actions.append(folder_action(_("Delete"), DELETE, KEYS["Delete"]))
    if found.role in EMPTIED and found.total:
        actions.append(folder_action(_("Empty"), EMPTY, KEYS["Empty"]))
    if found.name != INBOX:
        label = _("Unsubscribe") if found.subscribed else _("Subscribe")
        fields = (("yes", "0" if found.subscribed else "1"), visit.ticket_field())
        actions.append(
            Action(
                label, link("folder.change", number=number, what=SUBSCRIBE), KEYS["Subscribe"], fields=fields
            )
        )
    return (*actions, _back(visit))


def _back(visit: Visit) -> Action:
    return Action(visit.language.gettext("Folders"), list_link("folders.show"), BACK_KEY)


def name_screen(
    visit: Visit, found: Folder | None, what: str, typed: str = "", sentence: str = "", number: int = 0
) -> Screen:
    """Make the form for a name; `number` is the number of a folder that could not be looked up."""
    _ = visit.language.gettext
    number = number_of(visit, found) if found is not None else number
    target = link("folder.change", number=number, what=what) if number else link("folder.make", **_purpose())
    if found is None:
        title = _("New folder") if what == NEW else _("Rename")
    else:
        title = _("New folder in %(name)s") if what == NEW else _("Rename %(name)s")
        title %= {"name": mailbox_names.title(visit, found)}
    field = FormField("name", _("Name"), typed, room=folder_names.LONGEST)
    screen = form_screen(visit, title, target, [field], sentence)
    button = {"button": _("Create") if what == NEW else _("Rename")}
    return replace(screen, values={**screen.values, **button}, actions=(_back(visit),))


def _purpose() -> dict[str, str]:
    """Return the parameter that names the message for which a folder is made, if there is one."""
    return {FOR: request.args[FOR]} if FOR in request.args else {}


def question(visit: Visit, found: Folder, what: str, certain: bool) -> Screen:
    """Make the page that asks before a folder, or everything in it, is deleted."""
    _ = visit.language.gettext
    number = number_of(visit, found)
    sentence, counted = _asked_to_delete(visit, found) if what == DELETE else _asked_to_empty(visit, found)
    target = link("folder.change", number=number, what=what, **counted) if counted else ""
    only_marks = target and what == EMPTY and not certain
    lines = [_("This server only marks them as deleted.")] if only_marks else []
    title = _("Delete") if what == DELETE else _("Empty")
    actions = (Action(_("Back"), link("folder.show", number=number), KEYS["Back"]),)
    return question_screen(visit, title, sentence, target, actions, lines=lines)


def _asked_to_delete(visit: Visit, found: Folder) -> tuple[str, dict[str, int]]:
    """Return the question and how many messages the folder has now, or the reason why it cannot be deleted."""
    _ = visit.language.gettext
    count = found.total or 0
    words = {"name": mailbox_names.path(visit, found), "count": visit.language.number(count)}
    if found.role:
        return _("%(name)s is needed and cannot be deleted.") % words, {}
    if found.children:
        return _("There are folders in %(name)s. Delete those first.") % words, {}
    if not count:
        return _("Delete %(name)s? It is empty.") % words, {"n": 0}
    text = visit.language.ngettext(
        "Delete %(name)s with its %(count)s message?", "Delete %(name)s with its %(count)s messages?", count
    )
    return text % words, {"n": count}


def _asked_to_empty(visit: Visit, found: Folder) -> tuple[str, dict[str, int]]:
    """Return the question and which messages the folder has now, or the reason why it cannot be emptied."""
    _ = visit.language.gettext
    count = found.total or 0
    words = {"name": mailbox_names.title(visit, found), "count": visit.language.number(count)}
    if found.role not in EMPTIED or not count:
        return _("There is nothing to delete in %(name)s.") % words, {}
    text = visit.language.ngettext(
        "Delete %(count)s message in %(name)s for good?",
        "Delete %(count)s messages in %(name)s for good?",
        count,
    )
    return text % words, {"u": found.uidnext}
