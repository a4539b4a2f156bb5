"""Judging one message: its pages for the three devices, held against grammars, compilers, budgets and its own words.

Nothing here may stop at the first fault: whatever is wrong with a message is told. What comes back is plain values,
so that judging can go on in several processes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from gateway.device import WML, XHTML_PAGE, Device, by_name
from gateway.language import Language
from gateway.markup.message_pages import RenderedPage, message_pages
from gateway.message import wire
from gateway.wap import wbxml
from tests.corpus import words
from tests.wap import oracles

#: A 7110 (1,396 octets compiled), a later WML phone (5,000), a phone with XHTML (5,000; 10 KB at most).
DEVICES: Final = ("nokia7110", "wml5000", "xhtml")
#: Seconds of CPU for all pages of one message.
SLOW: Final = 2.0
#: A message that loses no more words than this is not told of: one word read differently is no fault of a page.
SLACK: Final = 4
#: Least shares of words kept, in order.
TEXT_LEAST: Final = 0.99
HTML_LEAST: Final = 0.97
_TEXT_OF_PAGE: Final = etree.XPath("string()")


@dataclass
class Judgement:
    """One message on one device. Fills are shares of the budget, of all pages but the last."""

    name: str
    device: str
    seconds: float = 0.0
    pages: int = 0
    fills: list[float] = field(default_factory=list)
    bounds: list[float] = field(default_factory=list)
    text: tuple[int, int] = (0, 0)
    html: tuple[int, int] = (0, 0)
    torn: int = 0
    compiled_elsewhere: int = 0
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def judge(name: str, raw: bytes, device_name: str, elsewhere: bool) -> Judgement:
    """Render a message in full and say what is wrong; `elsewhere`: have other compilers make its decks, too."""
    verdict = Judgement(name, device_name)
    device, language = by_name(device_name), Language()
    began = time.process_time()
    try:
        mail = wire.parse(raw)
        pages = list(
            message_pages(
                mail.message, mail.octets, device, fold=False, language=language, zone=language.zone
            )
        )
    except Exception as error:  # the one thing that must not happen, so it is told, not raised
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
    _count_words(verdict, raw, [_body(page.octets, device) for page in pages])
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
    """Return the text of a page without the frame around it: title, who and when, page number, actions."""
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


def _count_words(verdict: Judgement, raw: bytes, bodies: Sequence[str]) -> None:
    shown = [words.words(body) for body in bodies]
    flat = [word for page in shown for word in page]
    counted: dict[bool, list[int]] = {False: [0, 0], True: [0, 0]}
    chosen: list[words.Part] = []
    for choice in words.parts(raw):
        chosen.append(max(choice, key=lambda part: _share(part, flat)))
    # Parts are looked for one behind the other, so that the order counts over the whole message, too.
    for html in (False, True):
        reference = [word for part in chosen if part.html is html for word in part.words]
        if not reference:
            continue
        found = words.kept(reference, flat)
        counted[html] = [found, len(reference)]
        least = HTML_LEAST if html else TEXT_LEAST
        if found < least * len(reference) and len(reference) - found > SLACK:
            lost = " ".join(words.missing(reference, flat)[:12])
            verdict.notes.append(f"{'html' if html else 'text'} {found}/{len(reference)}: {lost}")
    verdict.text, verdict.html = (counted[False][0], counted[False][1]), (counted[True][0], counted[True][1])
    known = {word for part in chosen for word in part.words}
    for before, after in zip(shown, shown[1:], strict=False):
        if before and after and before[-1] + after[0] in known and after[0].isalnum():
            verdict.torn += before[-1] not in known or after[0] not in known


def _share(part: words.Part, shown: Sequence[str]) -> float:
    return words.kept(part.words, shown) / len(part.words) if part.words else 0.0
