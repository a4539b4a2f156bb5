"""Judges one message: its pages for the three devices, compared with grammars, compilers, budgets and its own words.

Nothing here may stop at the first fault: whatever is wrong with a message is reported. The result is plain values, so
that several processes can judge.
"""

from __future__ import annotations

import re
import time
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby, pairwise
from typing import Final
from unicodedata import bidirectional

from lxml import etree

from gateway.device import WML, XHTML_PAGE, Device, by_name
from gateway.message.mime import wire_format
from gateway.pages.message_pages import RenderedPage, message_pages
from gateway.rendition.links.urls import allowed
from gateway.wap import wbxml
from tests.corpus import kept, words
from tests.wap import oracles

#: A 7110 (1,396 octets compiled), a later WML phone (5,000), a phone with XHTML (5,000; 10 KB at most).
DEVICES: Final = ("nokia7110", "wml5000", "xhtml")
#: Seconds of CPU for all pages of one message.
SLOW: Final = 2.0
#: A message that loses no more words than this is not reported: one word read differently is not a page's fault.
SLACK: Final = 4
#: The least shares of words kept, in order.
TEXT_LEAST: Final = 0.99
HTML_LEAST: Final = 0.97
#: Lines that make a quotation long.
_LONG_QUOTE: Final = 10
#: The id in the example address of a link (see `gateway.pages.message_pages`).
_KEY: Final = re.compile(rb"(?:\.\./l/|\bc)([\w-]{11})[\"&?]")
#: Two lines of the same kind are separate: a field, a line of a table, of a diff, of code, a row that ends in a number.
_APART: Final = tuple(
    map(
        re.compile,
        (
            r"[A-Z][\w-]{1,20}: \S",
            r"\|",
            r"[-+](?:[^\s>+-]|\s{2})",
            r"<(?!\w+:[^\s>]*>\W*\s\S)\w",  # an address in brackets may be part of a sentence
            r".{2,60}\S\s{2,}[\d.,]+$",
        ),
    )
)
_TEXT_OF_PAGE: Final = etree.XPath("string()")


@dataclass
class Judgement:
    """One message on one device. Fills are shares of the budget, over all pages but the last.

    `text`, `html`, `links`: how many were kept, and how many exist; `elsewhere`: words of HTML that count as kept,
    though not in order.
    """

    name: str
    device: str
    seconds: float = 0.0
    pages: int = 0
    fills: list[float] = field(default_factory=list)
    bounds: list[float] = field(default_factory=list)
    text: tuple[int, int] = (0, 0)
    html: tuple[int, int] = (0, 0)
    links: tuple[int, int] = (0, 0)
    elsewhere: int = 0
    joined: int = 0
    unfolded: int = 0
    filler: int = 0
    astray: int = 0
    torn: int = 0
    compiled_elsewhere: int = 0
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def judge(
    name: str, raw: bytes, device_name: str, elsewhere: bool, look: words.Look = words.seen
) -> Judgement:
    """Render a message in full and return what is wrong; `elsewhere`: have other compilers make its decks, too."""
    verdict = Judgement(name, device_name)
    device = by_name(device_name)
    began = time.process_time()
    try:
        mail = wire_format.parse(raw)
        pages = list(message_pages(mail.message, mail.octets, device, fold=False))
    except Exception as error:  # the one thing that must not happen, so it is reported, not raised
        verdict.faults.append(f"{type(error).__name__}: {error}")
        return verdict
    verdict.seconds = time.process_time() - began
    if verdict.seconds > SLOW:
        verdict.faults.append(f"slow: {verdict.seconds:.2f} s")
    verdict.pages = len(pages)
    for number, page in enumerate(pages, 1):
        faults = _faults(page, device, elsewhere)
        verdict.faults += [f"page {number}: {fault}" for fault in faults]
        if number < len(pages):
            verdict.fills.append(_size(page) / device.deck_limit)
            if device.markup == WML:
                verdict.bounds.append(wbxml.deck_bound(page.octets) / device.deck_limit)
    verdict.compiled_elsewhere = len(pages) if elsewhere and device.markup == WML else 0
    bodies = [_body(page.octets, device) for page in pages]
    chosen = _count_words(verdict, raw, bodies, look)
    _count_links(verdict, chosen, pages)
    _count_joined(verdict, chosen, bodies)
    _count_filler(verdict, chosen, bodies)
    if device.markup != WML:
        _count_astray(verdict, pages)
        folded = message_pages(mail.message, mail.octets, device)
        _count_unfolded(verdict, chosen, [_body(page.octets, device) for page in folded])
    return verdict


def _size(page: RenderedPage) -> int:
    return len(page.octets) if page.compiled is None else page.compiled


def _faults(page: RenderedPage, device: Device, elsewhere: bool) -> list[str]:
    faults = oracles.dtd_errors(page.octets)
    if _size(page) > device.deck_limit or (len(page.octets) > XHTML_PAGE and device.markup != WML):
        faults.append(f"{_size(page)} octets, {device.deck_limit} allowed")
    if device.markup == WML and elsewhere:
        for compiler, size in (("Kannel", oracles.kannel_size), ("libwbxml", oracles.libwbxml_size)):
            octets = size(page.octets)
            installed = oracles.KANNEL if compiler == "Kannel" else oracles.XML2WBXML
            if octets is None and installed:
                faults.append(f"{compiler} refuses it")
            elif octets is not None and octets > device.deck_limit:
                faults.append(f"{octets} octets by {compiler}, {device.deck_limit} allowed")
    return faults


def _body(octets: bytes, device: Device) -> str:
    """Return the text of a page without the frame around it: title, sender and date, page number, actions."""
    try:
        root = etree.fromstring(octets, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return ""
    if device.markup == WML:
        blocks = [child for child in root[0] if child.tag == "p"][1:-1]
    else:
        blocks = [child for child in root[1] if child.get("class") != "a"][2:]
    texts = []
    for block in blocks:
        for line_end in block.iter("{*}br", "br"):
            line_end.text = "\n"
        texts.append(str(_TEXT_OF_PAGE(block)))
    text = "\n".join(texts)
    return text


def _count_words(verdict: Judgement, raw: bytes, bodies: Sequence[str], look: words.Look) -> list[words.Part]:
    shown = [words.words(body) for body in bodies]
    flat = [word for page in shown for word in page]
    counted: dict[bool, list[int]] = {False: [0, 0], True: [0, 0]}
    chosen: list[words.Part] = []
    for choice in words.parts(raw, look):
        chosen.append(max(choice, key=lambda part: _share(part, flat)))
    # Parts are searched for one after the other, so that the order counts over the whole message, too.
    for html in (False, True):
        reference = [word for part in chosen if part.html is html for word in part.words]
        if not reference:
            continue
        elsewhere = kept.elsewhere(reference, flat) if html else 0
        verdict.elsewhere += elsewhere
        found = kept.in_order(reference, flat) + elsewhere
        counted[html] = [found, len(reference)]
        least = HTML_LEAST if html else TEXT_LEAST
        if found < least * len(reference) and len(reference) - found > SLACK:
            lost = " ".join(kept.missing(reference, flat)[:12])
            verdict.notes.append(f"{'html' if html else 'text'} {found}/{len(reference)}: {lost}")
    verdict.text, verdict.html = (counted[False][0], counted[False][1]), (counted[True][0], counted[True][1])
    known = {word for part in chosen for word in part.words}
    for before, after in zip(shown, shown[1:], strict=False):
        if before and after and before[-1] + after[0] in known and after[0].isalnum():
            verdict.torn += before[-1] not in known or after[0] not in known
    return chosen


def _count_links(verdict: Judgement, chosen: Sequence[words.Part], pages: Sequence[RenderedPage]) -> None:
    """Count the places to which the HTML leads, and those of them to which the pages lead."""
    wanted = {allowed(link) for part in chosen for link in part.seen.links} - {""}
    wanted = {link for link in wanted if link.startswith(("http:", "https:", "mailto:"))}
    keys = {key.decode() for page in pages for key in _KEY.findall(page.octets)}
    lost = [link for link in sorted(wanted) if _key(link) not in keys]
    verdict.links = (len(wanted) - len(lost), len(wanted))
    if lost:
        verdict.notes.append(
            f"links {len(lost)}/{len(wanted)} lost: {' '.join(link[:80] for link in lost[:4])}"
        )


def _count_joined(verdict: Judgement, chosen: Sequence[words.Part], bodies: Sequence[str]) -> None:
    """Count pairs of lines of a text that are separate but ended up in one line."""
    shown = [" ".join(line.split()) for body in bodies for line in body.splitlines()]
    for part in chosen:
        written = {_unmarked(line) for line in part.lines}
        for one, other in pairwise(part.lines):
            if any(kind.match(one) and kind.match(other) for kind in _APART):
                both = " ".join(f"{one} {other}".split())
                if any(both in line and line not in written for line in shown):
                    verdict.joined += 1
                    verdict.notes.append(f"joined: {both[:120]}")


def _count_filler(verdict: Judgement, chosen: Sequence[words.Part], bodies: Sequence[str]) -> None:
    """Count sequences of five hidden words that are shown, but are nowhere visible in the source."""
    shown = set(kept.stretches([word for body in bodies for word in words.words(body)]))
    for part in chosen:
        found = (shown & {*kept.stretches(part.seen.hidden)}) - {*kept.stretches(part.words)}
        if found:
            verdict.filler += len(found)
            verdict.notes.append(f"hidden, but shown: {' '.join(min(found))}")


def _key(link: str) -> str:
    return urlsafe_b64encode(sha256(link.encode("utf-8", "replace")).digest()).decode()[:11]


def _unmarked(line: str) -> str:
    return " ".join(line.lstrip("> ").split())


def _count_unfolded(verdict: Judgement, chosen: Sequence[words.Part], bodies: Sequence[str]) -> None:
    """Count quotations of at least ten lines whose middle is on a page although quotations are folded."""
    shown = [" ".join(line.split()) for body in bodies for line in body.splitlines()]
    for part in chosen:
        often = Counter(_unmarked(line) for line in part.lines)
        for quoted, lines in groupby(part.lines, lambda line: line.startswith(">")):
            inner = list(lines)
            if not quoted or len(inner) < _LONG_QUOTE:
                continue
            once = [line for line in map(_unmarked, inner[3:-3]) if often[line] == 1]
            middle = max(once, key=len, default="")
            if middle.count(" ") > 2 and any(middle in line for line in shown):
                verdict.unfolded += 1
                verdict.notes.append(f"not folded: {middle[:120]}")


def _count_astray(verdict: Judgement, pages: Sequence[RenderedPage]) -> None:
    """Count paragraphs that run in another direction than their first strong letter says."""
    for page in pages:
        for block in etree.fromstring(page.octets).iter("{*}p", "{*}li", "{*}h2", "{*}h3", "{*}blockquote"):
            text = str(_TEXT_OF_PAGE(block))
            ways = (bidirectional(letter) for letter in text)
            first = next((way for way in ways if way in ("L", "R", "AL")), "L")
            said = any("r" in (each.get("class") or "").split() for each in (block, *block.iterancestors()))
            if said != (first != "L"):
                verdict.astray += 1
                verdict.notes.append(f"wrong way: {text[:60]}")


def _share(part: words.Part, shown: Sequence[str]) -> float:
    return kept.in_order(part.words, shown) / len(part.words) if part.words else 0.0
