"""The screens of one folder: what it is and what can be done with it, the form for a name, and the questions.

Nothing here may ask a server: what is shown was found out before.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.markup.screen import Action, Life, Screen
from gateway.store.base import INBOX, Folder
from gateway.store.tree import EMPTIED, lowered
from gateway.web import folder_names, naming
from gateway.web.fields import Field, form_screen
from gateway.web.visit import Visit, link, list_link

#: What is done to a folder, as addresses say it.
NEW, RENAME, DELETE, EMPTY, SUBSCRIBE = "n", "r", "d", "e", "s"


def number_of(visit: Visit, found: Folder) -> int:
    """Return the number of a folder as it is now."""
    return visit.signed_in.mailbox_number(found.name, found.uidvalidity)


def own_screen(visit: Visit, found: Folder, sentence: str = "") -> Screen:
    """Make the page of a folder, under a sentence about what happened before."""
    _ = visit.language.gettext
    lines = [naming.path(visit, found)] if len(naming.names(visit, found)) > 1 else []
    lines.append(_counts(visit, found))
    own = naming.own_name(visit, found)
    if own:
        lines.append(_("On the server: %(name)s") % {"name": own})
    if not found.subscribed and found.role != "inbox":
        lines.append(_("Not subscribed."))
    title = naming.title(visit, found)
    head = {"sentence": sentence or lines.pop(0), "lines": lines}
    return Screen(
        "notice",
        title,
        head,
        _actions(visit, found),
        life=Life.NEVER if sentence else Life.CHECK,
        words=_,
        language=visit.language.tag,
    )


def _counts(visit: Visit, found: Folder) -> str:
    _, number = visit.language.gettext, visit.language.number
    if not found.open:
        return _("Holds folders only.")
    if not found.total:
        return _("No messages here.")
    total = visit.language.ngettext("%(count)s message", "%(count)s messages", found.total)
    said = total % {"count": number(found.total)}
    unread = _("%(count)s unread") % {"count": number(found.unseen)} if found.unseen else ""
    return f"{said}, {unread}" if unread else said


def _actions(visit: Visit, found: Folder) -> tuple[Action, ...]:
    _ = visit.language.gettext
    number = number_of(visit, found)

    def way(label: str, what: str, key: str) -> Action:
        endpoint = "folder.name" if what in (NEW, RENAME) else "folder.ask"
        return Action(label, link(endpoint, number=number, what=what), key)

    actions = []
    if found.open:
        actions.append(Action(_("Open"), list_link("mailbox.box", number=number), "1", "accept"))
    if found.mailbox.delimiter and "\\noinferiors" not in lowered(found.mailbox.attributes):
        actions.append(way(_("New folder here"), NEW, "2"))
    if not found.role:
        actions += [way(_("Rename"), RENAME, "3"), way(_("Delete"), DELETE, "4")]
    if found.role in EMPTIED and found.total:
        actions.append(way(_("Empty"), EMPTY, "5"))
    if found.name != INBOX:
        label = _("Unsubscribe") if found.subscribed else _("Subscribe")
        fields = (("yes", "0" if found.subscribed else "1"), ("ticket", visit.signed_in.ticket()))
        actions.append(
            Action(label, link("folder.change", number=number, what=SUBSCRIBE), "6", fields=fields)
        )
    return (*actions, _back(visit))


def _back(visit: Visit) -> Action:
    return Action(visit.language.gettext("Folders"), list_link("folders.show"), "0")


def form(
    visit: Visit, found: Folder | None, what: str, typed: str = "", sentence: str = "", number: int = 0
) -> Screen:
    """Make the form for a name; `number` names a folder that cannot be asked about."""
    _ = visit.language.gettext
    number = number_of(visit, found) if found is not None else number
    target = link("folder.change", number=number, what=what) if number else link("folder.make")
    if found is None:
        title = _("New folder") if what == NEW else _("Rename")
    else:
        title = _("New folder in %(name)s") if what == NEW else _("Rename %(name)s")
        title %= {"name": naming.title(visit, found)}
    field = Field("name", _("Name"), typed, room=folder_names.LONGEST)
    screen = form_screen(visit, title, target, [field], sentence)
    button = {"button": _("Create") if what == NEW else _("Rename")}
    return replace(screen, values={**screen.values, **button}, actions=(_back(visit),))


def question(visit: Visit, found: Folder, what: str, certain: bool) -> Screen:
    _ = visit.language.gettext
    number = number_of(visit, found)
    sentence, target = _asked_to_delete(visit, found) if what == DELETE else _asked_to_empty(visit, found)
    values = {
        "sentence": sentence,
        "lines": []
        if certain or not target or what == DELETE
        else [_("This server only marks them as deleted.")],
        "answer": _("Delete") if what == DELETE else _("Empty"),
        "short": _("Yes"),
        "target": link("folder.change", number=number, what=what, **target) if target else "",
        "ticket": visit.signed_in.ticket(),
    }
    title = _("Delete") if what == DELETE else _("Empty")
    actions = (Action(_("Back"), link("folder.show", number=number), "3"), _back(visit))
    return Screen("ask", title, values, actions, life=Life.NEVER, words=_, language=visit.language.tag)


def _asked_to_delete(visit: Visit, found: Folder) -> tuple[str, dict[str, int]]:
    """Ask, or say why not; the answer brings along how many messages there are now."""
    _ = visit.language.gettext
    count = found.total or 0
    words = {"name": naming.path(visit, found), "count": visit.language.number(count)}
    if found.role:
        return _("%(name)s is needed and cannot be deleted.") % words, {}
    if found.children:
        return _("There are folders in %(name)s. Delete those first.") % words, {}
    if not count:
        return _("Delete %(name)s? It is empty.") % words, {"n": 0}
    said = visit.language.ngettext(
        "Delete %(name)s with its %(count)s message?", "Delete %(name)s with its %(count)s messages?", count
    )
    return said % words, {"n": count}


def _asked_to_empty(visit: Visit, found: Folder) -> tuple[str, dict[str, int]]:
    """Ask, or say why not; the answer brings along which messages there are now."""
    _ = visit.language.gettext
    count = found.total or 0
    words = {"name": naming.title(visit, found), "count": visit.language.number(count)}
    if found.role not in EMPTIED or not count:
        return _("There is nothing to delete in %(name)s.") % words, {}
    said = visit.language.ngettext(
        "Delete %(count)s message in %(name)s for good?",
        "Delete %(count)s messages in %(name)s for good?",
        count,
    )
    return said % words, {"u": found.uidnext}
