"""Links that consist of a picture without a name: dropped where a text leads there too, else named as well as possible.

Nothing here may lose the only link to a place. While a page is read, such a link is represented by its `makeshift`;
only at the end is it known what else leads there, and which names are alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import unquote

from gateway.message.headers import mailto
from gateway.rendition import glyphs
from gateway.rendition.blocks import Kind, Run
from gateway.rendition.html.tables import BETWEEN
from gateway.rendition.links import trackers, urls
from gateway.rendition.unplaced import Draft


def _(msgid: str) -> str:
    return msgid


#: The name for a picture about which nothing is known.
PICTURE: Final = _("Picture")
#: Within this many paragraphs before or after a picture, a text with the same link makes its name needless.
_NEAR: Final = 6
#: Characters of a paragraph that may be a heading.
_SHORT: Final = 60
#: The least letters of a file name that mean something, and the most characters of it that are shown.
_LETTERS: Final = 4
_SHOWN: Final = 32
#: The most letters of a word in it.
_WORD_MOST: Final = 20
#: Sites that name each file with a key of letters.
_KEYED_SITES: Final = re.compile(
    r"(?:https?:)?//(?:[\w-]+\.){0,3}(?:imgur\.com|zupimages\.net|ibb\.co|postimg\.(?:cc|org)|imgbox\.com|prnt\.sc|imageshack\.us"
    r"|gyazo\.com|twimg\.com|fbcdn\.net|googleusercontent\.com|photobucket\.com|tinypic\.com)/",
    re.IGNORECASE,
)
#: What links are for, by a name in their path, also if parameters follow it.
_PURPOSE: Final = re.compile(
    r"(?<=/)(?=[^/?#]{0,40}(?:subscri|opt-?out|privacy|terms|preferences|browser|webversion|web-version|view-?online"
    r"|forward|contact|support|help|faq|login|sign-?in|account|profile|shop|cart|order))"
    r"([A-Za-z]{3,20}(?:[-_][A-Za-z]{1,20}){0,5})(?:\.\w{2,5})?(?:/\d{3,20})?/?(?=[?#]|\Z)",
    re.IGNORECASE,
)
_FILE: Final = re.compile(r"([^/]{1,100})\.(?:png|jpe?g|gif|webp|bmp|svg)\Z", re.IGNORECASE)
#: A file named by a program: with a UUID; or, beside a single word, with a long number or a digest.
_IDENTIFIER: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-", re.IGNORECASE)
_KEY: Final = re.compile(r"\d{9}|(?=[a-f]*\d)[0-9a-f]{12}", re.IGNORECASE)
_BETWEEN: Final = re.compile(r"[\W_]+")
_DIGITS: Final = "0123456789"
_WORD: Final = re.compile(
    r"(?:[^\W\d_A-Z]+(?:[A-Z][^\W\d_A-Z]{2,})*|[A-Z][^\W\d_A-Z]*|[A-Z]{2,}|(?:[A-Z][^\W\d_A-Z]{2,})+)\Z"
)
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
#: Sequences of letters found in no word of a language that we know: no vowel, five consonants, rare pairs.
_NO_WORD: Final = re.compile(
    r"[b-df-hj-np-tv-xz]+\Z|.*(?:[b-df-hj-np-tv-xz]{5}|[jqv][bcdfghjkmnpqtvwxz]|[bcfghjkmpqtvwxz][jq]|z[bcfjkpqrtvx])",
    re.IGNORECASE,
)
#: Words in file names that describe the drawing, not what is linked; and the looks, which mean nothing at the end.
_DRAWING: Final = re.compile(
    r"images?|img|pictures?|pic|[pf](?:h)?oto|bild|gra(?:f|ph)ik|graphic|icons?|ico|logo|banner|button|bouton|botao"
    r"|background|head(?:er)?|foot(?:er)?|bullet|spacer|blank|clear|pixel|trans(?:parent)?|shim|dot|arrows?|thumb(?:nail)?"
    r"|fullpage|final|copy|untitled|unnamed|download|screenshot|(?:adobe|shutter|i)stock|e?mail|newsletter|colou?r",
    re.IGNORECASE,
)
_LOOKS: Final = re.compile(
    r"top|bottom|left|right|wide|full|cent(?:er|re)|middle|main|side|back|bar|line|small|large|big|tiny|mini|new|old|tit(?:le|re|el)"
    r"|header|footer|logo|icon|button|banner|index|default|version|square|circle|round(?:ed)?|dark|light"
    r"|white|black|blue|red|green|gr[ea]y",
    re.IGNORECASE,
)


def makeshift(url: str) -> str:
    """Return the placeholder of a nameless picture's link while the page is read."""
    scheme, _, rest = url.partition(":")
    return urls.label(url) if url.startswith("http") else rest.partition("?")[0] or f"{scheme}:"


def file_words(source: str) -> str:
    """Return the words of a picture's file name ("metal_detector2.jpg": "metal detector"), '' if it has none."""
    match = _FILE.search(unquote(source).partition("?")[0].partition("#")[0])
    if match is None or _IDENTIFIER.search(match[1]) or _KEYED_SITES.match(source):
        return ""
    tokens = [token.strip(_DIGITS) for token in _BETWEEN.split(match[1])]
    tokens = [token for token in tokens if token and token.isalpha()]
    if any(len(token) > _WORD_MOST or not _WORD.match(token) for token in tokens):
        return ""
    words = [
        word for word in tokens if len(word) > 1 and not _NO_WORD.match(word) and not _DRAWING.fullmatch(word)
    ]
    if len(words) == 1 and _KEY.search(match[1]):
        return ""
    while words and all(map(_LOOKS.fullmatch, _CAMEL.split(words[-1]))):
        words.pop()
    said = " ".join(words)
    return said if len(said) - said.count(" ") >= _LETTERS and len(said) <= _SHOWN else ""


class _Names:
    """The names of the nameless: where two are alike, the second gets the number 2."""

    def __init__(self, sources: Mapping[str, str], picture: str) -> None:
        self._sources = sources
        self._picture = picture
        #: The host that was last given as a picture's name.
        self._host = ""
        self._hosts: set[str] = set()
        #: The hosts of trackers, which mean nothing to a person.
        self._opaque: set[str] = set()
        self._makeshifts = {url: makeshift(url) for url in sources}
        self._alike: dict[str, dict[str, int]] = {}
        self._known: dict[str, str] = {}

    def is_makeshift(self, run: Run) -> bool:
        return bool(run.link) and self._makeshifts.get(run.link) == run.text.strip()

    def name(self, url: str) -> str:
        known = self._known.get(url)
        if known is None:
            known = self._known[url] = self._found(url)
        return known

    def _found(self, url: str) -> str:
        if url.startswith("http"):
            words = file_words(self._sources[url])
            return words or self._by_url(url)
        if url.startswith("mailto:?"):  # a mail to a recipient of one's choice (RFC 6068 §2)
            return glyphs.collapse(mailto.parse(url).subject).strip() or makeshift(url)
        return makeshift(url)

    def _by_url(self, url: str) -> str:
        name = trackers.label(url)
        if "/" in name:
            return name
        purpose = _PURPOSE.search(url.partition("//")[2])
        if purpose is not None:
            return f"{name}/…/{purpose[1]}"
        self._hosts.add(name)
        if trackers.is_opaque(url):
            self._opaque.add(name)
        return name

    def said(self, url: str, last: str) -> str:
        """Return the name of a link that follows one named `last`: only a number if the names are the same."""
        name = self.name(url)
        is_host = name in self._hosts
        alike = self._alike.setdefault("" if is_host else name, {})
        number = alike.setdefault(url, len(alike) + 1)
        if number > 1 and name == last:
            return str(number)
        said = self._picture if is_host else name
        said = said if number == 1 else f"{said} {number}"
        if is_host and name != self._host and name not in self._opaque:
            self._host = name
            return f"{said} ({name})"
        return said


def settle(drafts: list[Draft], sources: Mapping[str, str], picture: str = PICTURE) -> list[Draft]:
    """Return the drafts with the links of nameless pictures named or dropped.

    `sources`: their files, by URL; `picture`: the name for those of which only the host is known.
    """
    names = _Names(sources, picture)
    told = _told(drafts, sources, names)
    kept: list[Draft] = []
    last = ""
    for index, draft in enumerate(drafts):
        if not any(map(names.is_makeshift, draft.runs)):
            kept.append(draft)
            last = ""
            continue
        below = -1 if kept else _text_below(drafts, index, names)
        needless = [
            names.is_makeshift(run)
            and any(
                abs(at - index) <= _NEAR and (is_title or at != below)
                for at, is_title in told.get(run.link, ())
            )
            for run in draft.runs
        ]
        runs = list(_without(draft.runs, needless))
        alone = {
            names.name(run.link) if names.is_makeshift(run) else "" for run in runs if run.text.strip(" ·\n")
        }
        goes_on = bool(last) and alone == {last} and kept[-1].quote == draft.quote
        runs = list(_named(runs, names, last if goes_on else ""))
        last = alone.pop() if len(alone) == 1 else ""
        if goes_on:
            kept[-1].runs += [Run(BETWEEN), *runs]
        elif runs:
            draft.runs = runs
            kept.append(draft)
    return kept


def _text_below(drafts: list[Draft], index: int, names: _Names) -> int:
    """Return the index of the first paragraph below a picture, -1 if there is none; headings below a picture that has
    no words beside it are passed over."""
    alone = all(names.is_makeshift(run) or not run.text.strip() for run in drafts[index].runs)
    for at in range(index + 1, len(drafts)):
        draft = drafts[at]
        if draft.runs and not (alone and _is_heading(draft)):
            return at
    return -1


def _is_heading(draft: Draft) -> bool:
    if draft.kind is Kind.HEADING or all(run.strong for run in draft.runs):
        return True
    return len(draft.text) <= _SHORT and draft.text[-1:].isalnum() and not any(run.link for run in draft.runs)


def _told(
    drafts: list[Draft], sources: Mapping[str, str], names: _Names
) -> dict[str, list[tuple[int, bool]]]:
    """Return, for each URL, which drafts have a text that leads there, and whether it makes up most of that draft.

    If it does not, as in "unsubscribe *here*", it does not say what the picture was that the mail begins with.
    """
    told: dict[str, list[tuple[int, bool]]] = {}
    for index, draft in enumerate(drafts):
        for run in draft.runs:
            if run.link in sources and run.text.strip() and not names.is_makeshift(run):
                told.setdefault(run.link, []).append((index, 2 * len(run.text) >= len(draft.text)))
    return told


def _without(runs: list[Run], dropped: list[bool]) -> Iterator[Run]:
    """Yield the runs that stay, without what was between them and the dropped ones."""
    waiting: Run | None = None
    begun = False
    for run, drop in zip(runs, dropped, strict=True):
        if drop:
            continue
        if not run.text.strip(" ·"):
            waiting = waiting or replace(run, link="")
            continue
        if waiting is not None and begun:
            yield waiting
        waiting, begun = None, True
        yield run


def _named(runs: list[Run], names: _Names, last: str) -> Iterator[Run]:
    """Yield the runs with their names; of neighbours with the same name, only the first has more than a number."""
    between = ""
    for run in runs:
        if not names.is_makeshift(run):
            blank = not run.text.strip(" ·")
            last = last if blank else ""
            if blank or run.text.startswith(" "):
                between = ""
            yield from _parted(" " if between else "", run)
            between = ""
            continue
        name = names.name(run.link)
        said = names.said(run.link, last)
        last = name
        apart = between or run.text[: run.text.startswith(" ")]
        yield from _parted(apart, replace(run, text=said))
        between = BETWEEN


def _parted(between: str, run: Run) -> Iterator[Run]:
    if between:
        yield Run(between)
    yield run
