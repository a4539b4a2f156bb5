"""The tables of an array, such as [[handheld]], on the screen *Settings*: each can be added, changed and removed.

Nothing here may know what the tables are for; upstreams, which can be tested, have a screen of their own. A table is
identified by its number, which is only valid in one version of the file.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from gateway.admin.configuring.file_edits import ConfigFile
from gateway.admin.configuring.option_fields import OptionForm
from gateway.admin.configuring.saving import CHANGED, folder_of_file, refusal, save_form, unusable, write
from gateway.admin.panel_pages import current_panel, page
from gateway.config.editing import OptionEdit
from gateway.config.option_kinds import Section
from gateway.config.options import SECTIONS, options_of
from gateway.errors import ConfigChanged, ConfigError

table_screens = Blueprint("table_screens", __name__, url_prefix="/settings/tables/<name>/<int:number>")

#: The arrays, except the one that has a screen of its own.
ARRAYS: Final = {
    section.name: section for section in SECTIONS if section.array and section.name != "upstream"
}


def listed(section: Section, file: ConfigFile) -> list[str]:
    """Return what each table of an array sets, as one line."""
    found = range(_count(section, file))
    forms = (
        OptionForm.of_table(options_of(section), file.path.parent, file.table((section.name, n)))
        for n in found
    )
    return [
        ", ".join(f"{field.label} = {' '.join(field.typed.split())}" for field in form.fields if field.typed)
        for form in forms
    ]


def options_page(
    section: Section, path: str, form: OptionForm, version: str, problem: str, status: int
) -> Response:
    """Return the page with the options of a table; its form is posted to this path below /settings."""
    return page(
        "setting",
        status,
        title=section.heading,
        section=section,
        action=f"/settings/{path}",
        form=form,
        version_of_file=version,
        problem=problem,
    )


@table_screens.get("")
def form(name: str, number: int) -> Response:
    """Show the options of a table, or of a new one after the last, with the values in the query."""
    section, file = _found(name, number, new=True)
    options = options_of(section)
    offered = {option.name: request.args[option.name] for option in options if option.name in request.args}
    form = OptionForm.of_table(options, file.path.parent, file.table((name, number)) or offered)
    return _page(section, number, form, file.version)


@table_screens.post("")
def save(name: str, number: int) -> Response:
    """Save a table."""
    section, version = _section(name), request.form.get("version", "")
    typed = OptionForm.of_request(options_of(section), folder_of_file(), request.form)

    def again(problem: str, status: int, version: str) -> Response:
        return _page(section, number, typed, version, problem, status)

    try:
        count = _count(section, ConfigFile.read(current_panel().process.file))
    except ConfigError as error:
        return again(unusable(error), 409, version)
    number = min(number, count)  # if there are fewer now, the version is also another one
    path = (name, number)
    changes = typed.changes(path) if number < count else [OptionEdit(path, {**typed.values()})]
    said = {"action": "settings saved", "subject": section.heading, "back": "/settings"}
    return save_form(typed, path, changes, again, **said)


@table_screens.get("/remove")
def ask(name: str, number: int) -> Response:
    """Ask whether to remove a table."""
    section, file = _found(name, number)
    return _asked(section, number, file)


@table_screens.post("/remove")
def remove(name: str, number: int) -> Response:
    """Remove a table."""
    section, file = _found(name, number)
    path = (name, number)
    if why := refusal():
        return _asked(section, number, file, *why)
    try:
        if file.version != request.form.get("version", ""):
            raise ConfigChanged(CHANGED)
        after = file.after([OptionEdit(path, None)])
        return write(file, after, path, action="settings removed", subject=section.heading, back="/settings")
    except ConfigError as error:
        return _asked(section, number, file, error.detail, 409)


def _found(name: str, number: int, new: bool = False) -> tuple[Section, ConfigFile]:
    """Return the array and the file, if there is a table with this number. Raise NotFound."""
    section, file = _section(name), ConfigFile.read(current_panel().process.file)
    if number >= _count(section, file) + new:
        raise NotFound
    return section, file


def _section(name: str) -> Section:
    if name not in ARRAYS:
        raise NotFound
    return ARRAYS[name]


def _count(section: Section, file: ConfigFile) -> int:
    return len(file.tables.get(section.name, ()))


def _page(
    section: Section, number: int, form: OptionForm, version: str, problem: str = "", status: int = 200
) -> Response:
    return options_page(section, f"tables/{section.name}/{number}", form, version, problem, status)


def _asked(section: Section, number: int, file: ConfigFile, problem: str = "", status: int = 200) -> Response:
    return page(
        "remove_table",
        status,
        title=f"Remove this {section.heading}?",
        words=listed(section, file)[number],
        action=f"/settings/tables/{section.name}/{number}/remove",
        version_of_file=file.version,
        problem=problem,
    )
