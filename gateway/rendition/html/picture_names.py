"""Names of pictures (`alt`, or the label of the linked URL): leaves out what the text beside them repeats.

Nothing here may lose the only link to a place: a name with a link of its own stays, or passes its link on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Final

from gateway.rendition import glyphs
from gateway.rendition.html import picture_links
from gateway.rendition.unplaced import Draft, Face

#: Names without meaning: file names, part names, and programs' defaults.
_NOTHING: Final = re.compile(
    r"(?:spacer|blank|pixel|image|img|picture|divider|logo|icon|banner|alt|(?:image )?alt[ _-]?text"
    r"|[-.,:;*_|•·–—]{1,9}|\d{5,}|\d{2,4} ?[x×] ?\d{2,4}"
    r"|(?:illustr|image|img|pic|photo|bild)[ _-]?\d{1,4}"
    r"|(?=\w{16})(?:[a-z]*\d+[a-z]+){3}[a-z\d]*"
    r"|(?=(?:[a-z_-]+\d+){3})[\w-]{30,}|\[?cid:.*|[\w%+.:/~ -]{0,200}\.(?:png|jpe?g|gif|webp|bmp|svg))?\Z",
    re.IGNORECASE | re.DOTALL,
)


#: Shorter names are signs, such as "yes" in a table, characters.
_LEAST_REPEATED: Final = 8
#: A title this many paragraphs below may repeat the name of the picture above it.
_WITHIN: Final = 3
#: And above it: an article has paragraphs between its title and a picture without a link.
_ABOVE: Final = 8
#: Words in a name that only say that it is a picture's.
_PICTURE: Final = re.compile(
    r"^(?: (?:logo|image|picture|photo|icon|banner|foto|bild|imagen|imagem))+(?: (?:of|von|de|du|di))? (?=.)"
    r"|(?: (?:logo|image|picture|photo|icon|banner|foto|bild|imagen|imagem))+ $"
)


def says_something(name: str) -> bool:
    """Return whether a picture's name is worth reading."""
    return _NOTHING.match(name) is None


def _beside(name: str, text: str) -> bool:
    """Return whether a text begins or ends with the words of a name."""
    named = _named(name)
    first = named[1:].partition(" ")[0]
    if not first or first not in text.casefold():  # the usual case, and much faster
        return False
    said = glyphs.words(text)
    return said.startswith(named) or said.endswith(named)


def _named(name: str) -> str:
    """Return the words of a name without those that say it is a picture's."""
    words = glyphs.words(name)
    rest = _PICTURE.sub(" ", words)
    return rest if rest.strip() else words


def _is_host(text: str, link: str) -> bool:
    """Return whether a link is named by its URL: any other text with the same link says more."""
    said = text.strip()
    return bool(link) and " " not in said and said == picture_links.makeshift(link)


def once(stretches: list[tuple[str, Face]], names: Iterable[int]) -> list[tuple[str, Face]]:
    """Remove from a paragraph the names that the text before or after them repeats."""
    named = set(names)
    kept: list[tuple[str, Face]] = []
    texts = [index for index, (text, _face) in enumerate(stretches) if not text.isspace()]
    behind = dict(pairwise(texts))
    before: tuple[str, Face] | None = None
    for index, stretch in enumerate(stretches):
        text, face = stretch
        if index in named:
            following = stretches[behind[index]] if index in behind else None
            if any(
                other
                and face.link in ("", other[1].link)
                and (_beside(text, other[0]) or _is_host(text, face.link))
                for other in (before, following)
            ):
                continue
        if text == " " and kept and kept[-1][0].endswith(" "):
            continue
        kept.append(stretch)
        before = before if text.isspace() else stretch
    return kept


def settle(drafts: list[Draft], draft: Draft) -> None:
    """Remove the names from a paragraph that the one next to it repeats; `draft` follows `drafts`."""
    before = drafts[-1]
    if before.quote != draft.quote or not before.runs:
        return
    if before.names:
        _give_way(before, draft)
    if draft.names and before.runs:
        _give_way(draft, before)


def _give_way(name: Draft, text: Draft) -> None:
    links, others = _links(name), _links(text)
    if others and not links <= others:
        return
    for run in name.runs:
        if not run.text.isspace() and not _is_host(run.text, run.link):
            break
    else:
        if links <= others:
            name.runs = []
        return
    if not _beside(name.text, text.text) or (text.names and not links):  # "yes" beside "yes" in a table
        return
    if links and not others and _named(name.text) == glyphs.words(text.text):
        text.runs = [replace(run, link=next(iter(links))) for run in text.runs]
    elif links and not others:
        return
    name.runs = []


def without_repeated(drafts: list[Draft]) -> list[Draft]:
    """Return drafts without those that only name a picture that was there before, such as a logo at the end, or that
    repeat the title of an article which follows close below or begins above."""
    said: set[str] = set()
    kept: list[Draft] = []
    for index, draft in enumerate(drafts):
        if draft.names and draft.runs:
            name, links = _named(draft.text), _links(draft)
            below = drafts[index + 1 : index + 1 + _WITHIN]
            if (
                (not links and name in said)
                or _is_title_of(name, links, below)
                or (not links and _is_title_of(name, links, kept[-_ABOVE:]))
            ):
                continue
            if not links and len(name) >= _LEAST_REPEATED:
                said.add(name)
        kept.append(draft)
    return kept


def _is_title_of(name: str, links: set[str], below: list[Draft]) -> bool:
    """Return whether one of the paragraphs below a picture consists of its name, and has its link."""
    if len(name) < _LEAST_REPEATED:
        return False
    return any(
        not draft.names and links <= _links(draft) and name == glyphs.words(draft.text) for draft in below
    )


def _links(draft: Draft) -> set[str]:
    return {run.link for run in draft.runs if run.link}
