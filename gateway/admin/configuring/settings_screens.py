"""The screen *Settings*: all options except those of upstreams, with a page for each table of the file.

Arrays of tables have screens of their own.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from gateway.admin.configuring.file_edits import ConfigFile
from gateway.admin.configuring.option_fields import OptionField, OptionForm
from gateway.admin.configuring.saving import folder_of_file, named, save_form
from gateway.admin.configuring.table_screens import ARRAYS, listed, options_page
from gateway.admin.panel_pages import current_panel, done, page
from gateway.config.option_kinds import Section
from gateway.config.options import SECTIONS, options_of
from gateway.config.writing import is_writable
from gateway.errors import ConfigError

settings_screens = Blueprint("settings_screens", __name__, url_prefix="/settings")

_SECTIONS: Final = {section.name: section for section in SECTIONS if not section.array}


@settings_screens.get("")
def show() -> Response:
    """Show every option with its value and its default."""
    process, problem = current_panel().process, ""
    forms: list[tuple[Section, list[OptionField]]] = []
    arrays: list[tuple[Section, list[str]]] = []
    try:
        file = ConfigFile.read(process.file)
        forms = [(section, _form(section, file).fields) for section in _SECTIONS.values()]
        arrays = [(section, listed(section, file)) for section in ARRAYS.values()]
    except ConfigError as error:
        problem = error.detail
    return page(
        "settings",
        title="Settings",
        forms=forms,
        arrays=arrays,
        problem=problem,
        file=process.file or "",
        writable=process.file is None or is_writable(process.file),
        waiting=named(process.waiting),
    )


@settings_screens.post("")
def read_again() -> AnyResponse:
    """Serve with the file as it is now."""
    current_panel().process.reload()
    return done("/settings", "file read again")


@settings_screens.get("/<name>")
def form(name: str) -> Response:
    """Show the options of one table."""
    section = _section(name)
    file = ConfigFile.read(current_panel().process.file)
    return _page(section, _form(section, file), file.version)


@settings_screens.post("/<name>")
def save(name: str) -> Response:
    """Save the options of one table."""
    section = _section(name)
    typed = OptionForm.of_request(options_of(section), folder_of_file(), request.form)
    path = (section.name,)

    def again(problem: str, status: int, version: str) -> Response:
        return _page(section, typed, version, problem, status)

    said = {"action": "settings saved", "subject": section.heading, "back": "/settings"}
    return save_form(typed, path, typed.changes(path), again, **said)


def _section(name: str) -> Section:
    if name not in _SECTIONS:
        raise NotFound
    return _SECTIONS[name]


def _form(section: Section, file: ConfigFile) -> OptionForm:
    return OptionForm.of_table(options_of(section), file.path.parent, file.table((section.name,)))


def _page(section: Section, form: OptionForm, version: str, problem: str = "", status: int = 200) -> Response:
    return options_page(section, section.name, form, version, problem, status)
