"""Brings the catalogues up to what there is to translate: `python -m tests.languages.update`, or `make messages`.

Nothing here may change a translation: new messages are added empty, those that are no longer said are removed, and
everything stands in one order and form, so that a change of the catalogues shows what changed and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from gateway import catalogue
from gateway.catalogue import Entry
from gateway.language import ENGLISH, MANNERS, SOFTKEY, SOFTKEY_WIDTH, catalogue_path
from tests.languages.collect import collect

#: Plural forms (GNU gettext manual §11.2.6; CLDR's for whole numbers).
_ONE: Final = "nplurals=2; plural=n != 1;"
_SLAVIC: Final = "n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2;"
PLURALS: Final = {
    "de": _ONE,
    "es": _ONE,
    "fr": "nplurals=2; plural=n > 1;",
    "pl": "nplurals=3; plural=n==1 ? 0 : " + _SLAVIC,
    "pt-BR": "nplurals=2; plural=n > 1;",
    "ru": "nplurals=3; plural=n%10==1 && n%100!=11 ? 0 : " + _SLAVIC,
}
#: Files named with a message, so that a translator finds where it stands.
_PLACES: Final = 2


def forms(tag: str) -> int:
    """Count the plural forms of a language."""
    return int(re.match(r"nplurals=(\d)", PLURALS[tag])[1])  # type: ignore[index]


def merged(tag: str, known: Iterable[Entry], wanted: Mapping[tuple[str, str], Entry]) -> list[Entry]:
    """Give what is wanted the translations that are known."""
    strings = {entry.key: entry for entry in known if entry.msgid}
    entries = []
    for key, entry in sorted(wanted.items(), key=lambda item: (item[1].places[0], item[0][1], item[0][0])):
        count = forms(tag) if entry.plural else 1
        old = strings.get(key)
        texts = old.strings if old and len(old.strings) == count else ("",) * count
        entries.append(
            Entry(
                entry.msgid,
                entry.plural,
                entry.context,
                texts,
                entry.places[:_PLACES],
                bool(old and old.fuzzy),
            )
        )
    return entries


def written(tag: str, entries: Iterable[Entry]) -> str:
    """Write a catalogue."""
    header = (
        f"Language: {tag.replace('-', '_')}\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n"
        f"Content-Transfer-Encoding: 8bit\nPlural-Forms: {PLURALS[tag]}\n"
    )
    blocks = ["\n".join(_lines(Entry("", strings=(header,))))]
    blocks += ["\n".join(_lines(entry)) for entry in entries]
    return "\n\n".join(blocks) + "\n"


def _lines(entry: Entry) -> Iterator[str]:
    yield from (f"#: {place}" for place in entry.places)
    if entry.fuzzy:
        yield "#, fuzzy"
    if entry.context:
        yield from _quoted("msgctxt", entry.context)
    yield from _quoted("msgid", entry.msgid)
    if entry.plural:
        yield from _quoted("msgid_plural", entry.plural)
    for number, text in enumerate(entry.strings):
        yield from _quoted(f"msgstr[{number}]" if entry.plural else "msgstr", text)


def _quoted(keyword: str, text: str) -> Iterator[str]:
    lines = text.splitlines(keepends=True)
    if len(lines) > 1:
        yield f'{keyword} ""'
        yield from (f'"{_escaped(line)}"' for line in lines)
    else:
        yield f'{keyword} "{_escaped(text)}"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")


def missing(entries: Iterable[Entry]) -> list[Entry]:
    """List what is still to be translated: a softkey needs a short form only where the word is too long for one."""
    entries = list(entries)
    words = {entry.msgid: entry.strings[0] for entry in entries if not entry.context}
    return [
        entry
        for entry in entries
        if not entry.done
        and not (entry.context == SOFTKEY and 0 < len(words.get(entry.msgid, "")) <= SOFTKEY_WIDTH)
    ]


def main() -> None:
    """Bring every catalogue up to date and count what is missing in it."""
    wanted = collect()
    for problem in wanted.problems:
        print(problem)
    for tag in MANNERS:
        if tag == ENGLISH:
            continue
        path = catalogue_path(tag)
        path.parent.mkdir(parents=True, exist_ok=True)
        entries = merged(tag, catalogue.read(path) if path.exists() else (), wanted.entries)
        path.write_text(written(tag, entries), encoding="utf-8")
        print(f"{tag}: {len(entries)} messages, {len(missing(entries))} to translate")


if __name__ == "__main__":
    main()
