"""W3C mobileOK Basic Tests 1.0 (REC 2008-12-08), as far as they concern pages without scripts, objects or frames.

Nothing here may know a screen of ours. A fault is one line: the test's name in the standard and what was found. If the
standard only warns, and we comply, it is a fault, too. At the end are rules of our own for which the standard has no
name: a label for each control, one key for one thing, colours that can be read.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from lxml import etree
from PIL import Image

from gateway.markup.style_sheet import STYLE_SHEET

if TYPE_CHECKING:
    from tests.devices.phones import Answer

#: Octets: §3.16 of the tests, and the most for a style sheet that is fetched once.
MARKUP_LIMIT, TOTAL_LIMIT, STYLE_LIMIT = 10 * 1024, 20 * 1024, 2048
MOST_RESOURCES = 10
LEAST_CONTRAST = 4.5

_BAD_ELEMENTS = {
    "OBJECTS_OR_SCRIPT": ("applet", "object", "script", "embed", "iframe"),
    "NO_FRAMES": ("frame", "frameset", "iframe"),
    "IMAGE_MAPS": ("map", "area"),
    "STYLE_SHEETS_USE": (
        "basefont",
        "bdo",
        "center",
        "del",
        "dir",
        "font",
        "ins",
        "menu",
        "s",
        "strike",
        "u",
    ),
    "TABLES_LAYOUT": ("table",),
}
_EXTERNAL = {"img": "src", "link": "href", "input": "src", "object": "data", "script": "src"}
_LENGTH = re.compile(r"(?<![\w#.])\d*\.?\d+(?:px|pt|pc|cm|mm|in)\b")
_MEASURES_MAY = re.compile(r"(?:margin|border|padding)[\w-]*\Z")


def faults(answer: Answer, fetch: Callable[[str], Answer] | None = None) -> list[str]:
    """Return what is wrong with a page; `fetch` gets the pictures in it."""
    root = _tree(answer.body)
    if isinstance(root, str):
        return [root]
    return [*_headers(answer), *_within(answer.body, root), *_pictures(answer, root, fetch)]


def page_faults(page: bytes) -> list[str]:
    """Return what is wrong with a page by itself, without its header fields and without its pictures."""
    root = _tree(page)
    return [root] if isinstance(root, str) else list(_within(page, root))


def _tree(page: bytes) -> Any:
    try:
        root = etree.fromstring(page, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        return f"VALID_MARKUP: {error}"
    for element in root.iter():
        if isinstance(element.tag, str):
            element.tag = element.tag.rpartition("}")[2]
    return root


def _within(page: bytes, root: Any) -> Iterator[str]:
    yield from _elements(root)
    yield from _sizes(page, root)
    yield from _style(root)
    yield from _controls(root)


def _headers(answer: Answer) -> Iterator[str]:
    if "max-age" not in (caching := answer.headers.get("cache-control", "")) and caching not in (
        "no-cache",
        "no-store",
    ):
        yield f"CACHING: Cache-Control: {caching!r}"
    if answer.headers.get("refresh"):
        yield "AUTO_REFRESH: Refresh header"
    declared = re.match(rb'<\?xml version="1.0" encoding="([\w-]+)"\?>', answer.body)
    in_page = declared[1].decode().lower() if declared else ""
    if not answer.charset or in_page != answer.charset:
        yield f"CHARACTER_ENCODING_USE: {answer.charset!r} in the header, {in_page!r} in the page"
    if answer.media_type not in ("application/xhtml+xml", "application/vnd.wap.xhtml+xml", "text/html"):
        yield f"CONTENT_FORMAT_SUPPORT: {answer.media_type!r}"


def _elements(root: Any) -> Iterator[str]:
    for test, names in _BAD_ELEMENTS.items():
        for element in root.iter(*names):
            yield f"{test}: <{element.tag}>"
    for element in root.iter():
        for test, attribute in (("POP_UPS", "target"), ("IMAGE_MAPS", "ismap"), ("IMAGE_MAPS", "usemap")):
            if element.get(attribute) is not None:
                yield f"{test}: {attribute} on <{element.tag}>"
        for attribute in element.keys():  # noqa: SIM118
            if attribute.startswith("on"):
                yield f"OBJECTS_OR_SCRIPT: {attribute} on <{element.tag}>"
    for meta in root.iter("meta"):
        if meta.get("http-equiv", "").lower() == "refresh":
            yield "AUTO_REFRESH: meta"
    if not (root.findtext("head/title") or "").strip():
        yield "PAGE_TITLE: none"
    for element in root.iter("a"):
        words = "".join(element.itertext()) + "".join(i.get("alt", "") for i in element.iter("img"))
        if element.get("href") is not None and not words.strip():
            yield f"LINK_TARGET_ID: a link without words to {element.get('href')}"
    levels = [int(element.tag[1]) for element in root.iter("h1", "h2", "h3", "h4", "h5", "h6")]
    if levels.count(1) != 1 or levels[0] != 1:
        yield f"STRUCTURE: headings {levels}"


def _sizes(page: bytes, root: Any) -> Iterator[str]:
    size = len(page)
    if size > MARKUP_LIMIT:
        yield f"PAGE_SIZE_LIMIT: {size} octets of markup"
    text = re.sub(rb"(?s)<(pre|textarea).*?</\1>|value=\"[^\"]*\"", b"", page)
    spare = sum(len(run) - 1 for run in re.findall(rb"\s+", text))
    if spare > size / 10:
        yield f"MINIMIZE: {spare} of {size} octets are white space to spare"
    wanted = []
    for tag, attribute in _EXTERNAL.items():
        wanted += [element for element in root.iter(tag) if element.get(attribute)]
    if len(wanted) > MOST_RESOURCES:
        yield f"EXTERNAL_RESOURCES: {len(wanted)}"
    for element in wanted:
        if element.tag != "img" and element.get("rel") != "stylesheet":
            yield f"EXTERNAL_RESOURCES: <{element.tag}>"


def _pictures(answer: Answer, root: Any, fetch: Callable[[str], Answer] | None) -> Iterator[str]:
    size = len(answer.body) + len(STYLE_SHEET)
    for image in root.iter("img"):
        if image.get("alt") is None:
            yield f"NON-TEXT_ALTERNATIVES: {image.get('src')}"
        declared = image.get("width", ""), image.get("height", "")
        if not all(number.isdigit() for number in declared):
            yield f"IMAGES_SPECIFY_SIZE: {image.get('src')}"
            continue
        if fetch is not None:
            octets = fetch(urljoin(answer.url, image.get("src"))).body
            size += len(octets)
            with Image.open(io.BytesIO(octets)) as picture:
                if picture.size != tuple(int(number) for number in declared):
                    yield f"IMAGES_RESIZING: {picture.size} shown as {declared}"
                if picture.format not in ("JPEG", "GIF"):
                    yield f"CONTENT_FORMAT_SUPPORT: {picture.format}"
                if max(picture.size) <= 2:
                    yield "GRAPHICS_FOR_SPACING"
    if size > TOTAL_LIMIT:
        yield f"PAGE_SIZE_LIMIT: {size} octets in all"


def _style(root: Any) -> Iterator[str]:
    css = "".join(element.text or "" for element in root.iter("style"))
    if any(element.get("rel") == "stylesheet" for element in root.iter("link")):
        css += STYLE_SHEET.decode("ascii")
    if len(css) > STYLE_LIMIT:
        yield f"STYLE_SHEETS_SIZE: {len(css)} octets"
    for element in root.iter():
        if element.get("style") is not None:
            yield f"STYLE_SHEETS_USE: style on <{element.tag}>"
    for match in re.finditer(r"([\w-]+)\s*:\s*([^;}]*)", css):
        if _LENGTH.search(match[2]) and not _MEASURES_MAY.match(match[1]):
            yield f"MEASURES: {match[0]}"
    if "@" in css or "url(" in css:
        yield "STYLE_SHEETS_SUPPORT: at-rules or resources"
    for rule in css.split("}"):
        background = (re.findall(r"background(?:-color)?:(#[0-9a-f]{3,6})", rule) or ["#fff"])[0]
        for colour in re.findall(r"(?<![-\w])color:(#[0-9a-f]{3,6})", rule):
            if contrast(colour, background) < LEAST_CONTRAST:
                yield f"COLOR_CONTRAST: {colour} on {background}"


def _controls(root: Any) -> Iterator[str]:
    labelled = {label.get("for") for label in root.iter("label")}
    for element in root.iter("input", "textarea", "select"):
        kind = element.get("type", "text") if element.tag == "input" else element.tag
        if kind in ("hidden", "submit"):
            continue
        inside = any(parent.tag == "label" for parent in element.iterancestors())
        if not inside and (element.get("id") is None or element.get("id") not in labelled):
            yield f"CONTROL_LABELLING: {element.get('name')}"
        if kind in ("text", "password") and not element.get("inputmode") and not element.get("value"):
            yield f"DEFAULT_INPUT_MODE: {element.get('name')}"
        if element.tag == "select" and element.get("multiple") is None:
            options = list(element.iter("option"))
            if sum(option.get("selected") is not None for option in options) != 1:
                yield f"PROVIDE_DEFAULTS: {element.get('name')}"
    radios: dict[str, bool] = {}
    for element in root.iter("input"):
        if element.get("type") == "radio":
            name = element.get("name", "")
            radios[name] = radios.get(name, False) or element.get("checked") is not None
    for name, chosen in radios.items():
        if not chosen:
            yield f"PROVIDE_DEFAULTS: {name}"
    keys = Counter(element.get("accesskey") for element in root.iter() if element.get("accesskey"))
    for key, times in keys.items():
        if times > 1:
            yield f"ACCESS_KEYS: {key!r} {times} times"
    names = Counter(element.get("id") for element in root.iter() if element.get("id"))
    for name, times in names.items():
        if times > 1:
            yield f"VALID_MARKUP: id {name!r} {times} times"


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.1 §1.4.3), 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
