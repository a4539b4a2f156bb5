"""Compiles the message catalogues: every .po in gateway/language/locale to the .mo that gettext reads.

A hatchling build hook, so that the wheel, the sdist and an editable install have them. In a checkout,
`python hatch_build.py` or any `make` target that needs them does the same.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
#: The context of the short forms (gateway/language/languages.py).
SOFTKEY = "softkey"
#: The date in a compiled header: the same input gives the same octets.
_EPOCH = datetime.fromtimestamp(0, UTC)


class CatalogueHook(BuildHookInterface):  # type: ignore[type-arg]
    """Compile the catalogues before anything is packed, and pack them although git ignores them."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        compile_catalogues(Path(self.root))
        build_data["artifacts"].append("*.mo")


def compile_catalogues(root: Path = ROOT) -> None:
    """Write each .mo beside its .po; raise ValueError naming file and line of a mistake."""
    for path in sorted((root / "gateway" / "language" / "locale").glob("*/LC_MESSAGES/*.po")):
        try:
            with path.open("rb") as file:
                compiled = for_gettext(read_po(file, abort_invalid=True))
        except PoFileError as error:
            raise ValueError(f"{path}: {error}") from error
        new = path.with_suffix(f".{os.getpid()}.mo")
        with new.open("wb") as file:
            write_mo(file, compiled)
        new.replace(path.with_suffix(".mo"))


def for_gettext(catalogue: Catalog) -> Catalog:
    """Return what is to be compiled: a short form is looked up by the translated label, not by the msgid.

    The templates get labels that are translated already, so only the .mo can map one to the other.
    """
    compiled = Catalog(locale=catalogue.locale, creation_date=_EPOCH)
    compiled.mime_headers = [("Plural-Forms", catalogue.plural_forms)]
    for message in catalogue:
        if not message.id or message.fuzzy:
            continue
        msgid = message.id
        label = catalogue.get(message.id) if message.context == SOFTKEY else None
        if label and isinstance(label.string, str) and label.string and not label.fuzzy:
            msgid = label.string
        compiled.add(msgid, message.string, context=message.context)
    return compiled


if __name__ == "__main__":
    compile_catalogues()
