"""What all forms that change the file share: who may save, what if somebody else just did, and the sentences.

Nothing here may lose what was typed: whatever is wrong, the form comes back with it. The exception is passwords, which
no page repeats.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from flask import Response, request

from gateway.admin.configuring.file_edits import ConfigFile
from gateway.admin.configuring.option_fields import OptionForm
from gateway.admin.panel_pages import current_panel, page, record
from gateway.config.editing import OptionEdit
from gateway.config.loading import FIELDS
from gateway.config.toml_lines import KeyPath
from gateway.config.writing import PREVIOUS
from gateway.errors import AdminBusy, ConfigChanged, ConfigError, ConfigNotWritten, TooManyTries

#: Shows a form again, with a problem that belongs to no field, a status, and the version of the file that it is based
#: on.
Again = Callable[[str, int, str], Response]

CHANGED: Final = (
    "The file was changed while this form was open, perhaps by another administrator. Nothing was written. What you "
    "typed is still here, and beside each value that differs is what the file has now; look, and save again."
)
_SURE: Final = "The password of the panel is asked for at the end of the form. Nothing was written."
_BESIDE: Final = "Nothing was written: see what is said beside the fields."


def named(fields: tuple[str, ...]) -> list[str]:
    """Return fields of Config by the names of their options."""
    return [f"[{section}] {name}" for section, name in (FIELDS[field] for field in fields)]


def unusable(error: ConfigError) -> str:
    """Say that the file cannot be changed here until it has been corrected."""
    return f"The file is unusable now: {error.detail}. Nothing was written."


def folder_of_file() -> Path:
    """Return the folder that paths in the file are relative to."""
    file = current_panel().process.file
    return file.parent if file is not None else Path()


def refusal() -> tuple[str, int] | None:
    """Return why the panel's password in this request is not accepted, with a status; None if it is.

    A session alone must not decide where people's passwords go: whoever has stolen one does not know the password.
    """
    password = request.form.get("password", "")
    if not password:
        return _SURE, 403
    try:
        right = current_panel().sessions.is_password(password, request.remote_addr or "")
    except TooManyTries as error:
        return f"Too many wrong passwords. Please wait {error.seconds} seconds; nothing was compared.", 429
    except AdminBusy as error:
        return error.sentence, error.status
    return None if right else ("The password of the panel is wrong. Nothing was written.", 403)


def save_form(
    form: OptionForm,
    path: KeyPath,
    changes: list[OptionEdit],
    again: Again,
    *,
    action: str,
    subject: str,
    back: str,
) -> Response:
    """Write what was typed; say what waits for a restart. `changes` are to the version that the form is based on."""
    version = request.form.get("version", "")
    if why := refusal():
        return again(*why, version)
    try:
        before = ConfigFile.read(current_panel().process.file)
    except ConfigError as error:
        return again(unusable(error), 409, version)
    if before.version != version:
        form.beside(before.table(path))
        return again(CHANGED, 409, before.version)
    if form.problems:
        return again(_BESIDE, 422, version)
    try:
        after = before.after(changes)
    except ConfigError as error:
        return again(form.blame(error, path) or _BESIDE, 422, version)
    try:
        return write(before, after, path, action=action, subject=subject, back=back)
    except ConfigChanged:
        return again(CHANGED, 409, version)


def write(
    before: ConfigFile,
    after: ConfigFile,
    path: KeyPath,
    *,
    action: str,
    subject: str,
    back: str,
    then: Callable[[], str] = str,
) -> Response:
    """Write a version that the parser has accepted, and serve with it; or show how to do that by hand.

    `then` is called afterwards, and returns a sentence about what it did. Raise ConfigChanged.
    """
    if after.octets == before.octets:
        return page("notice", title="Nothing to save", text="The file has these values already.")
    said: dict[str, Any] = {"file": str(after.path), "difference": before.difference(after), "back": back}
    try:
        after.write_after(before)
    except ConfigNotWritten as error:
        title = "To be changed by hand"
        return page(
            "by_hand", title=title, problem=error.detail, table=after.block(path), running=True, **said
        )
    record(action, subject)
    served = _served()
    return page("saved", title="Saved", previous=_previous(after), more=then(), **served, **said)


def _served() -> dict[str, Any]:
    """Serve with the file, and return what to say about that."""
    try:
        return {"waiting": named(current_panel().process.reload()), "problem": ""}
    except ConfigError as error:
        return {"waiting": [], "problem": error.detail}


def _previous(file: ConfigFile) -> str:
    target = file.path.resolve()
    return str(target.with_name(target.name + PREVIOUS))
