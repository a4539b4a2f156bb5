"""URLs: which may leave a message, and how a long one is shown.

Nothing here may fetch. Schemes are an allow-list; white space and control characters are removed first, as
browsers do (WHATWG URL §4.4).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urljoin, urlsplit

from gateway.rendition.blocks import Run

SCHEMES: Final = ("http:", "https:", "mailto:", "tel:")
#: Longer URLs are dropped, characters: no server accepts them, and some mails put pictures in them.
URL_LIMIT: Final = 4000
#: Longer URLs in text are shown as their hosts, characters: two lines of a small screen.
SHOWN_URL: Final = 40

_REMOVED: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u2000-\u200f\u2028-\u202f\u2060-\u206f\ufeff]")
_FOUND: Final = re.compile(
    r"(?P<url>(?<![\w@.])(?:https?://|www\.(?=\w))[^\s<>\"“”«»`]{2,4000})"
    r"|(?P<mail>(?<![\w.+%@-])(?P<mailto>mailto:)?[\w.+%-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}(?![\w@])"
    r"(?(mailto)(?:\?[^\s<>\"“”«»]{2,1000})?))",
    re.IGNORECASE,
)
_MAILTO: Final = re.compile(r"\Amailto:|\?.*\Z", re.IGNORECASE)
_TAIL: Final = ".,;:!?'*_|\\…’]}>"
#: The end of a path, if it is a name rather than a number or a key.
_LEADS_TO: Final = re.compile(
    r"(?<![/:])/([A-Z]?[a-z]{3,20}(?:[-_.+](?:[A-Z]?[a-z]{1,20}|\d{1,4}(?!\d))|[A-Z][a-z]{1,20}|\d{1,4}(?!\d)){0,7})/?\Z"
)
_WHOLE_URL: Final = re.compile(r"(?:https?://|www\.)\S+\Z", re.IGNORECASE)


def allowed(href: str) -> str:
    """Return the URL without white space and control characters, '' if it may not be linked."""
    if len(href) > URL_LIMIT:
        return ""
    url = _REMOVED.sub("", href)
    scheme, colon, rest = url.partition(":")
    scheme = scheme.lower()
    if scheme + colon not in SCHEMES or not rest.strip("/"):
        return ""
    if scheme.startswith("http") and not rest.startswith("//"):
        return ""
    return f"{scheme}:{rest}"


def resolved(base: str, href: str) -> str:
    """Return where a relative URL leads from another one, '' if nowhere (RFC 3986 §5)."""
    if not href or href.startswith("#") or not base.startswith("http"):
        return ""
    try:
        return allowed(urljoin(base, _REMOVED.sub("", href)))
    except ValueError:
        return ""


def host(url: str) -> str:
    """Return the host of a URL without "www.", or ''."""
    try:
        name = urlsplit(url if "://" in url else f"http://{url}").hostname or ""
    except ValueError:
        return ""
    return name.removeprefix("www.")


def label(url: str) -> str:
    """Name a URL by its host and, if that is a word, the last name of its path: "example.org/…/lamps.html"."""
    name = host(url)
    match = _LEADS_TO.search(url)
    if match is None or len(name) + len(match[1]) > SHOWN_URL - len("/…/"):
        return name
    return f"{name}/{match[1]}" if match.start() == url.find(name) + len(name) else f"{name}/…/{match[1]}"


def leads_to(path: str) -> str:
    """Return the last name in a path if it is a word, else ''."""
    match = _LEADS_TO.search(path)
    return match[1] if match else ""


def shown(text: str) -> str:
    """Shorten a text that consists of one long URL to its label."""
    if len(text) <= SHOWN_URL or not _WHOLE_URL.match(text):
        return text
    name = label(text)
    if "/" in name:
        return name
    return f"{name[:SHOWN_URL]}/…" if name else text[:SHOWN_URL] + "…"


def _trimmed(url: str) -> str:
    """Remove what probably belongs to the sentence rather than to the URL."""
    end = len(url)
    excess = url.count(")") - url.count("(")
    while end:
        last = url[end - 1]
        if last == ")" and excess > 0:
            excess -= 1
        elif last not in _TAIL:
            break
        end -= 1
    return url[:end]


def may_be_in(text: str) -> bool:
    """Return whether there can be a URL or mail address in a text."""
    return "@" in text or "://" in text or "ww." in text or "WW." in text


def linked(text: str, shorten: bool) -> Iterator[Run]:
    """Split text into runs, with links for the URLs and mail addresses in it."""
    done = 0
    if may_be_in(text):
        for match in _FOUND.finditer(text):
            found = _trimmed(match.group()) if match.group("url") or "?" in match.group() else match.group()
            url = _target(found, bool(match.group("url")))
            if not url:
                continue
            if match.start() > done:
                yield Run(text[done : match.start()])
            said = shown(found) if match.group("url") else _MAILTO.sub("", found)
            yield Run(said if shorten else found, link=url)
            done = match.start() + len(found)
    if done < len(text):
        yield Run(text[done:])


#: A link as in HTML, which some write into plain text for programs that understand it.
_ANCHOR: Final = re.compile(
    r"<a\s[^<>]{0,200}?href\s?=\s?[\"']?(?P<url>(?:https?://|mailto:)[^\s<>\"']{3,2000})[\"']?[^<>]{0,200}>?"
    r"(?P<label>(?:\s|<[bi]>|<font[^<>]{0,100}>)*[^<>]{1,200}?)(?:\s|</[bi]>|</font>)*</a>",
    re.IGNORECASE,
)
_TAGS: Final = re.compile(r"<[^<>]*>")


def linked_source(text: str, shorten: bool) -> Iterator[Run]:
    """Split plain text into runs like `linked`, and read links that are written as in HTML, too."""
    done = 0
    for match in _ANCHOR.finditer(text) if "href" in text.lower() else ():
        url = allowed(match["url"])
        said = " ".join(_TAGS.sub("", match["label"]).split())
        if url and said:
            yield from linked(text[done : match.start()], shorten)
            yield Run(said, link=url)
            done = match.end()
    yield from linked(text[done:], shorten)


def _target(found: str, is_url: bool) -> str:
    if is_url:
        return allowed(found if "://" in found else f"http://{found}")
    return allowed(found if found.lower().startswith("mailto:") else f"mailto:{found}")
