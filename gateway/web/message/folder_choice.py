"""Choosing a target folder for messages: recently used ones first, on keys 1 to 9.

Nothing here may confuse two folders: a row identifies its folder by a mark of its full name, which is looked up among
the existing folders when it is posted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen, with_own_keys
from gateway.state import optional
from gateway.store.base import MailStore
from gateway.web.request import mailbox_names
from gateway.web.request.fitted_list import fitted_list, row_within
from gateway.web.request.screens import notice_screen, paging_actions
from gateway.web.request.visit import Visit

#: The kind under which the account memory keeps recent targets, and how many.
KIND: Final = "targets"
REMEMBERED: Final = 9
#: Folders per page: one per number key.
ROWS: Final = 9
#: Maximum characters of a folder's name in a row; the first that fits is used.
_WIDTHS: Final = (60, 40, 28, 20, 14)


@dataclass(frozen=True, slots=True)
class TargetFolder:
    """A folder that messages can be moved to; `names` is its path."""

    mark: str
    names: tuple[str, ...]


class TargetList(list[TargetFolder]):
    """Folders that messages can be moved to. If not `whole`, there are more than can be listed."""

    whole = True


def targets(visit: Visit, store: MailStore, without: Collection[str] = ()) -> TargetList:
    """List the folders that messages can be moved to, in the order of `_order`."""
    memory = visit.signed_in.memory
    # The memory lists values starting with the least recently written.
    last = {mark: -at for at, mark in enumerate(memory.all(KIND))}
    listed = store.folders(all=True, counted=slice(0))
    marked = [
        (memory.mark(folder.name), folder) for folder in listed if folder.open and folder.name not in without
    ]
    order = sorted(marked, key=lambda row: _order(row[1].role, last.get(row[0], 1)))
    found = TargetList(TargetFolder(mark, mailbox_names.names(visit, folder)) for mark, folder in order)
    found.whole = listed.whole
    return found


def _order(role: str, last: int) -> tuple[bool, int, bool, bool]:
    """Order targets: recently used ones, Inbox and Archive, the person's own; Drafts and Sent come last of all."""
    return role in ("drafts", "sent"), last, role not in ("inbox", "archive"), role != ""


def resolve(visit: Visit, store: MailStore, mark: str) -> str | None:
    """Return the name of the folder that a row identifies, None if it no longer exists."""
    memory = visit.signed_in.memory
    listed = store.folders(all=True, counted=slice(0))
    return next((folder.name for folder in listed if folder.open and memory.mark(folder.name) == mark), None)


def remember(visit: Visit, name: str) -> None:
    """Remember a folder as a recent target."""
    memory = visit.signed_in.memory
    with optional("where messages were moved"):
        memory.put(KIND, memory.mark(name), {"name": name}, REMEMBERED)


def chooser_screen(
    visit: Visit,
    title: str,
    found: TargetList,
    first: int,
    row: Callable[[str], tuple[str, tuple[tuple[str, str], ...]]],
    turn: Callable[[int], str],
    ways: Sequence[Action],
    sentence: str = "",
) -> Screen:
    """Make a page of the folders from index `first` on.

    `row` returns where a folder's mark is posted to, and the form fields; `turn` the address of the page that starts at
    an index; `ways` are the links back.
    """
    _ = visit.language.gettext
    first = row_within(first, len(found))
    sentence = sentence or (_("To which folder?") if found else _("There is no other folder."))
    if not found.whole:
        sentence += " " + _(mailbox_names.MORE_FOLDERS)

    def screen(width: int, rows: int) -> Screen:
        actions = []
        for key, target in enumerate(found[first : first + rows], 1):
            href, fields = row(target.mark)
            label = fit(mailbox_names.short(target.names, width), visit.device)
            actions.append(Action(label, href, str(key), fields=fields))
        after = first + rows
        next_page, before = (
            turn(after) if after < len(found) else "",
            turn(max(0, first - ROWS)) if first else "",
        )
        actions += paging_actions(visit, next_page, before, soft="")
        own = with_own_keys((*actions, *ways))
        return notice_screen(visit, title, sentence, own, life=Life.NEVER)

    return fitted_list(screen, visit.fits, _WIDTHS, min(ROWS, len(found) - first))
