"""Updates the message catalogues from the source: `python -m tests.language.update`, or `make messages`.

Nothing here may change a translation: new messages are added empty, unused ones are removed, and order and form are
fixed, so that a diff of the catalogues shows what changed and nothing else.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

from gateway.language import ENGLISH, LANGUAGES, SOFTKEY, SOFTKEY_WIDTH, catalogue_path
from tests.language.collect import collect, key

#: The header without dates and names of people, which git knows.
_HEADER: Final = """msgid ""
msgstr ""
"Language: {locale}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plurals}\\n"

"""
#: Files named with a message, so that a translator finds its use.
_PLACES: Final = 2


def source_path(tag: str) -> Path:
    """Return the path of the .po from which a language's catalogue is compiled."""
    return catalogue_path(tag).with_suffix(".po")


def read(tag: str) -> Catalog:
    """Read a language's .po; if there is none yet, an empty catalogue with the language's plural forms."""
    path = source_path(tag)
    if not path.exists():
        return Catalog(locale=tag.replace("-", "_"))
    with path.open("rb") as file:
        return read_po(file, abort_invalid=True)


def update(catalogue: Catalog, template: Catalog) -> None:
    """Make the messages of a catalogue those of the template, in the order of their files."""
    ordered = Catalog()
    for message in sorted(
        (each for each in template if each.id), key=lambda m: (m.locations[0], *key(m)[::-1])
    ):
        ordered.add(message.id, locations=message.locations[:_PLACES], context=message.context)
    catalogue.update(ordered, no_fuzzy_matching=True)


def written(catalogue: Catalog) -> str:
    """Return a catalogue as the text of a .po file."""
    file = io.BytesIO()
    write_po(file, catalogue, omit_header=True, include_lineno=False, ignore_obsolete=True, width=0)
    header = _HEADER.format(locale=catalogue.locale, plurals=catalogue.plural_forms)
    return header + file.getvalue().decode().rstrip("\n") + "\n"


def strings(message: Message) -> tuple[str, ...]:
    """Return the translations of a message, several if it has plural forms."""
    return tuple(message.string) if message.pluralizable else (message.string or "",)


def missing(catalogue: Catalog) -> list[Message]:
    """List what is not translated; a softkey needs a short form only if the word is too long for one."""
    return [
        message
        for message in catalogue
        if message.id
        and (message.fuzzy or not all(strings(message)))
        and not _short_enough(message, catalogue)
    ]


def _short_enough(message: Message, catalogue: Catalog) -> bool:
    label = catalogue.get(message.id) if message.context == SOFTKEY else None
    return label is not None and 0 < len(label.string or "") <= SOFTKEY_WIDTH


def main() -> None:
    """Update every catalogue and count what is missing in it."""
    found = collect()
    for problem in found.problems:
        print(problem)
    for tag in LANGUAGES:
        if tag == ENGLISH:
            continue
        catalogue, path = read(tag), source_path(tag)
        update(catalogue, found.catalogue)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(written(catalogue), encoding="utf-8")
        print(f"{tag}: {len(catalogue)} messages, {len(missing(catalogue))} to translate")


if __name__ == "__main__":
    main()
