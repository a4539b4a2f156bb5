"""A WML deck as plain XHTML for an administrator's browser: what a WAP browser would show of it, and its links.

Nothing here may fetch anything, or run what is in a deck: forms are shown but not sent, variables have no values.
Unknown elements are shown by their content. Standard: WAP-191 (WML 1.3).
"""

from __future__ import annotations

from typing import Final

from lxml import etree
from lxml.etree import _Element as Element

#: Elements that have the same name and meaning in XHTML.
_ALIKE: Final = frozenset(
    {"p", "br", "b", "i", "u", "em", "strong", "big", "small", "table", "tr", "td", "pre"}
)
#: Elements that are shown elsewhere, or not at all.
_SILENT: Final = frozenset(
    {"head", "template", "onevent", "setvar", "postfield", "timer", "go", "prev", "refresh", "noop"}
)
#: Maximum depth; decks are not nested this deeply.
DEEPEST: Final = 60
_PARSER_OPTIONS: Final = {"resolve_entities": False, "load_dtd": False, "no_network": True, "recover": True}


def view(deck: bytes) -> Element:
    """Return a `div` with the cards of a deck. Raise ValueError if it is not XML."""
    root = etree.fromstring(deck, etree.XMLParser(**_PARSER_OPTIONS))
    if root is None:
        raise ValueError("no deck")
    made = _new("div", "deck")
    for card in root.iter("card"):
        made.append(_card(card))
    return made


def _card(card: Element) -> Element:
    made = _new("div", "card")
    if title := card.get("title"):
        _new("h1", text=_plain(title), within=made)
    _children(card, made, 0)
    keys = _new("p", "softkeys", within=made)
    for task in card.iterchildren("do"):
        _softkey(task, keys)
    return made


def _children(element: Element, made: Element, depth: int) -> None:
    """Append what is inside an element."""
    _append_text(made, element.text)
    for child in element:
        if isinstance(child.tag, str) and child.tag != "do":
            _child(child, made, depth + 1)
        _append_text(made, child.tail)


def _child(child: Element, made: Element, depth: int) -> None:
    tag = child.tag
    if depth > DEEPEST or tag in _SILENT:
        return
    if tag in _ALIKE:
        _children(child, _new(tag, within=made), depth)
    elif tag in ("a", "anchor"):
        _children(child, _link(child, made), depth)
    elif tag == "img":
        _new("img", within=made, src=child.get("src", ""), alt=_plain(child.get("alt", "")))
    elif tag == "input":
        kind = "password" if child.get("type") == "password" else "text"
        _field("input", child, made, type=kind, value=_plain(child.get("value", "")))
    elif tag == "select":
        _select(child, made)
    else:
        _children(child, made, depth)


def _link(child: Element, made: Element) -> Element:
    """Append a link, or something that looks like one if it leads nowhere by itself."""
    target = child.get("href") or _target(child)
    if target is None:
        return _new("span", "inert", within=made)
    link = _new("a", within=made, href=target)
    if key := child.get("accesskey"):
        link.set("accesskey", key)
    return link


def _softkey(task: Element, made: Element) -> None:
    label, target = _plain(task.get("label") or task.get("type") or "?"), _target(task)
    if target is not None:
        _new("a", text=label, within=made, href=target)
    else:
        _new("span", "inert", text=label, within=made)
    _append_text(made, " ")


def _target(task: Element) -> str | None:
    """Return where a task leads by GET; None for other tasks."""
    go = task.find("go")
    return go.get("href") if go is not None and go.get("method", "get") == "get" else None


def _select(child: Element, made: Element) -> None:
    several = {"multiple": "multiple"} if child.get("multiple") == "true" else {}
    select = _field("select", child, made, **several)
    for option in child.iter("option"):
        _new("option", text=_plain("".join(map(str, option.itertext()))), within=select)


def _field(tag: str, child: Element, made: Element, **attributes: str) -> Element:
    title = _plain(child.get("title") or child.get("name", ""))
    return _new(tag, within=made, disabled="disabled", title=title, **attributes)


def _new(
    tag: str, name: str = "", text: str = "", within: Element | None = None, **attributes: str
) -> Element:
    made = etree.Element(tag, {"class": name, **attributes} if name else attributes)
    made.text = text or None
    if within is not None:
        within.append(made)
    return made


def _append_text(made: Element, text: str | None) -> None:
    if not text:
        return
    text = _plain(text)
    if len(made):
        made[-1].tail = (made[-1].tail or "") + text
    else:
        made.text = (made.text or "") + text


def _plain(text: str) -> str:
    """Undo the doubling of literal dollar signs in a text (WAP-191 §10.3)."""
    return text.replace("$$", "$")
