"""Two forms of one text: decides whether the HTML has what the plain text lacks.

Nothing here may build a tree or decide by size alone: the links and words of both are compared, as far as they are
given. RFC 2046 §5.1.4 calls the last alternative the best; on a small screen the plain text is, if it has the links.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import unescape
from itertools import pairwise
from typing import Final

from gateway.rendition.links import urls

#: A text with a smaller fraction of the page's words is incomplete.
PART: Final = 2 / 3
#: A page with fewer words is too short to compare.
LEAST_WORDS: Final = 12
#: A text is filler, meant for spam filters, if at least this share of its words is only in what the page hides, and at
#: most the second in what it shows.
HIDDEN_LEAST: Final = 0.8
SHOWN_MOST: Final = 0.5
#: The most links compared.
LINKS_LIMIT: Final = 500
#: The most characters of an excuse: a text that only refers to the HTML.
EXCUSE_LIMIT: Final = 700
#: A text of fewer words is an excuse, too, beside HTML of this many times its size.
FEW_WORDS: Final = 12
RATIO: Final = 20
#: With this many URLs in brackets behind words, or with two on a page that has no more links than that, a program made
#: the text from the page, where the words are the links.
BRACKETED: Final = 3
BRACKETED_LEAST: Final = 2
#: With this many pairs of words of the page written as one in the text, a program made the text and lost what separated
#: them.
RUN_TOGETHER: Final = 2
#: This many tags, character references or bullets that became "?" are left in a text that a program made from the page.
LEFT: Final = 3
_LEFT: Final = re.compile(
    r"</?(?:br|b|i|p|font|td|tr|div|span) ?/?>|^\? \w"
    r"|&(?:#\d{2,5}|nbsp|ccedil|[ano]tilde|[aeiou](?:acute|grave|uml|circ));",
    re.IGNORECASE | re.MULTILINE,
)
_BRACKETED: Final = re.compile(
    r"(?:[^\W_]\W{0,9}|>\s{1,40})[<\[(]{1,2} ?https?://[^\s<>\[\]()]{8,}", re.IGNORECASE
)
_ANY_URL: Final = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_EXCUSE: Final = re.compile(
    r"(?:(?:not?|n['’]t|unable|cannot|kein\w*|nicht|pas|non?|não|nie|niet|не|inte|ikke|ei)\b[^.]{0,60}\bhtml"
    r"|\bhtml\b[^.]{0,60}\b(?:not|n['’]t|capable|enabled?|compatible|fähig\w*|nicht|kein\w*|kompatib\w*|"
    r"uniquement|only|activ\w*|format|unterstützt|поддерж\w*|formaat|formát\w*|formatie)"
    r"|\b(?:format|formato|im|in|en|au|w|formaat|формате|auf|requires?|view\w*|enable)\s+html\b"
    r"|\bhtml[- ](?:e-?mail|version|format|message|nachricht|viewer|client)"
    r"|\bthis is an html\b"
    r"|(?:view|read|open|see)\b[^.]{0,40}\b(?:in (?:your|a|the) (?:web )?browser|online)\b"
    r"|\b(?:im|in ihrem|online) (?:browser|ansehen|lesen)\b"
    r"|\b(?:dans votre|en tu|en su|nel|no seu|in uw|w) (?:navigateur|navegador|browser|przeglądarce)\b"
    r"|в браузере)",
    re.IGNORECASE,
)

#: A comment, a tag (its "/", its name, its attributes), or a text.
_TOKEN: Final = re.compile(
    r"<!--(?:.*?-->|.*)|<(/?)([a-z][a-z0-9:]{0,20})([^<>]*)>?|([^<]+)|<", re.IGNORECASE | re.DOTALL
)
_HREF: Final = re.compile(r"\bhref\s{0,9}=\s{0,9}(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
_WORD: Final = re.compile(r"\w{2,}")
_URL: Final = re.compile(r"(?:https?://|www\.)[^\s<>\"]{2,4000}", re.IGNORECASE)
_SCHEME: Final = re.compile(r"\A(?:https?://|mailto:|tel:)?(?:www\.)?", re.IGNORECASE)
#: Attributes that hide an element; only the plainest ones, as no tree is built here. Zero font size is not one: in
#: newsletters most cells have it, and the text in them sets a size of its own.
_HIDES: Final = re.compile(
    r"display\s?:\s?none|visibility\s?:\s?hidden|(?:opacity|max-height)\s?:\s?0(?![.\d]{0,9}[1-9])",
    re.IGNORECASE,
)
_EMPTY: Final = frozenset({"img", "br", "hr", "input", "meta", "link", "area", "wbr", "col", "base", "embed"})
_UNREAD: Final = frozenset({"style", "script", "title", "template"})
_LINKS: Final = frozenset({"a", "area"})


def is_excuse(text: str, html_octets: int) -> bool:
    """Return whether a plain text says nothing, or only that there is HTML."""
    said = text.strip()
    if not said or said[:200].lower().startswith(("<html", "<!doctype html", "<div", "<table")):
        return True
    if len(said) >= EXCUSE_LIMIT:
        return False
    prose = _ANY_URL.sub("", said)
    words = len(_WORD.findall(prose))
    if words == 0:
        return True
    if _EXCUSE.search(prose) is not None and words < 100:
        return True
    return words < FEW_WORDS and html_octets > RATIO * len(said) and html_octets > 4096


def says_more(page: str, text: str) -> bool:
    """Return whether the plain text lacks a page's links, or too many of its words, or names links by their URLs."""
    links, words, hidden = _looked_through(page)
    said = _WORD.findall(_URL.sub(" ", text))
    if (links or words) and _is_filler(set(said), words, hidden):
        return True
    web = {link for link in links if link.startswith("http")}
    enough = BRACKETED if len(web) > BRACKETED else BRACKETED_LEAST
    if links and (len(_BRACKETED.findall(text)) >= enough or "](http" in text):
        return True
    if len(_LEFT.findall(text)) >= LEFT:
        return True
    if len(words) >= LEAST_WORDS and len(said) < PART * len(words):
        return True
    # click trackers give each form its own URLs: where there are as many of them, they are not compared
    few = len({_bare(found) for found in _URL.findall(text)}) < len(web)
    if _is_lacking(links if few else links - web, text):
        return True
    return _run_together(words, set(_WORD.findall(text))) >= RUN_TOGETHER


def _is_filler(said: set[str], shown: list[str], hidden: set[str]) -> bool:
    """Return whether a text consists of words that the page hides."""
    if len(said) < LEAST_WORDS or not hidden:
        return False
    seen = said.intersection(shown)
    return len(said & hidden) >= HIDDEN_LEAST * len(said) and len(seen) < SHOWN_MOST * len(said)


def _is_lacking(links: set[str], text: str) -> bool:
    """Return whether a text has not all of these links."""
    joined = re.sub(r"\s+", "", text).casefold()
    digits = re.sub(r"\D", "", text) if any(link.startswith("tel:") for link in links) else ""
    return any(_bare(link) not in joined and not _said_number(link, digits) for link in links)


def _run_together(words: list[str], said: set[str]) -> int:
    """Return how many pairs of a page's words are one word in a text."""
    strange = said.difference(words)
    return len({one + two for one, two in pairwise(words)} & strange) if strange else 0


def _bare(url: str) -> str:
    """Reduce a URL to the part that all its spellings share."""
    return _SCHEME.sub("", url).partition("?subject=")[0].rstrip("/").casefold()


def _said_number(link: str, digits: str) -> bool:
    return link.startswith("tel:") and re.sub(r"\D", "", link)[-6:] in digits


def _looked_through(page: str) -> tuple[set[str], list[str], set[str]]:
    """Return the links of a page, its words, and the words that are hidden."""
    tokens = _TOKEN.findall(page)
    hiding = _hiding(page, tokens)
    anchors: dict[str, None] = {}
    shown: list[str] = []
    hidden: list[str] = []
    unread = ""
    # The element, if any, that hides what is being read, and how many open elements of its name are inside it.
    hider, depth = "", 0
    for end, tag, rest, text in tokens:
        if not tag:
            if text and not unread:
                (hidden if depth else shown).append(text)
            continue
        name = tag.lower()
        if unread:
            unread = "" if end and name == unread else unread
        elif name in _UNREAD:
            unread = "" if end else name
        else:
            if depth and name == hider:
                if end:
                    depth -= 1
                else:
                    depth = 0 if name == "p" else depth + 1  # the next <p> ends a paragraph
            if not (depth or end):
                if rest in hiding and name not in _EMPTY and not rest.endswith("/"):
                    hider, depth = name, 1
                elif name in _LINKS:
                    anchors[rest] = None
    return _links(anchors), _words(shown), set(_words(hidden))


def _hiding(page: str, tokens: list[tuple[str, str, str, str]]) -> set[str]:
    """Return the attributes, as they are written in the tags of a page, that hide their element."""
    if _HIDES.search(page) is None:
        return set()
    return {rest for rest in {rest for _, _, rest, _ in tokens} if ":" in rest and _HIDES.search(rest)}


def _links(anchors: Iterable[str]) -> set[str]:
    """Return the URLs in the attributes of links."""
    links: set[str] = set()
    for match in filter(None, map(_HREF.search, anchors)):
        if url := urls.allowed(unescape(match[1] or match[2] or match[3] or "")):
            links.add(url)
            if len(links) == LINKS_LIMIT:
                break
    return links


def _words(texts: list[str]) -> list[str]:
    """Return the words of texts that tags separate: no word and no character reference goes on beyond a space."""
    return _WORD.findall(unescape(" ".join(texts)))
