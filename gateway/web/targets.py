"""Choosing a folder for messages: those used last come first, on the keys 1 to 9.

Nothing here may take a folder for another one: a row names it by a mark of its whole name, which is looked up among the
folders that there are when it comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from gateway import markup
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen
from gateway.store.base import Folder, MailStore
from gateway.web import naming
from gateway.web.visit import Visit

#: The kind of thing under which folders are remembered to which something was moved, and how many of them.
KIND: Final = "targets"
REMEMBERED: Final = 9
#: Folders on a page: as many as there are keys.
ROWS: Final = 9
#: Characters of a folder's name in a row: the first of them with which the page fits.
_WIDTHS: Final = (60, 40, 28, 20, 14)


@dataclass(frozen=True, slots=True)
class Target:
    """A folder that messages can go to; `names` from the top down."""

    mark: str
    names: tuple[str, ...]


def targets(visit: Visit, store: MailStore, without: Collection[str] = ()) -> list[Target]:
    """List the folders that messages can go to, those used last first."""
    memory = visit.signed_in.memory
    # Of a kind the least recently written comes first.
    last = {mark: -at for at, mark in enumerate(memory.all(KIND))}
    marked = [(memory.mark(folder.name), folder) for folder in _open(store) if folder.name not in without]
    order = sorted(marked, key=lambda row: last.get(row[0], 1))
    return [Target(mark, naming.names(visit, folder)) for mark, folder in order]


def resolve(visit: Visit, store: MailStore, mark: str) -> str | None:
    """Return the name of the folder that a row has named, None when there is none such any more."""
    memory = visit.signed_in.memory
    return next((folder.name for folder in _open(store) if memory.mark(folder.name) == mark), None)


def remember(visit: Visit, name: str) -> None:
    """Remember that something was moved or copied there."""
    memory = visit.signed_in.memory
    memory.put(KIND, memory.mark(name), {"name": name}, REMEMBERED)


def _open(store: MailStore) -> list[Folder]:
    return [folder for folder in store.folders(all=True, counted=slice(0)) if folder.open]


def chooser(
    visit: Visit,
    title: str,
    found: Sequence[Target],
    first: int,
    row: Callable[[str], tuple[str, tuple[tuple[str, str], ...]]],
    turn: Callable[[int], str],
    back: Action,
    sentence: str = "",
) -> Screen:
    """Make a page of the chooser from target `first` on.

    `row`: where a mark is posted to, with which fields; `turn`: the address of the page that begins at a target.
    """
    _ = visit.language.gettext
    first = first if 0 <= first < len(found) else 0

    def screen(width: int, rows: int) -> Screen:
        shown = found[first : first + rows]
        actions = []
        for key, target in enumerate(shown, 1):
            href, fields = row(target.mark)
            label = fit(naming.short(target.names, width), visit.device)
            actions.append(Action(label, href, str(key), fields=fields))
        if first + len(shown) < len(found):
            actions.append(Action(_("Next"), turn(first + len(shown)), "#"))
        if first:
            actions.append(Action(_("Prev"), turn(max(0, first - ROWS)), "*"))
        said = sentence or (_("To which folder?") if found else _("There is no other folder."))
        values = {"sentence": said, "lines": ()}
        return Screen(
            "notice",
            title,
            values,
            (*actions, back),
            life=Life.NEVER,
            words=_,
            language=visit.language.tag,
        )

    for width, rows in [*((width, ROWS) for width in _WIDTHS), *((_WIDTHS[-1], n) for n in range(8, 0, -1))]:
        made = screen(width, rows)
        if markup.size(made, visit.device) <= visit.device.deck_limit:
            break
    return made
