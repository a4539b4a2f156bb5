"""A handheld that presses keys by itself: it follows links and posts forms of the demo's gateway, in both markups.

Nothing here may know a transport: pages are requested through the function that a walk is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import urljoin

from lxml import etree
from lxml.etree import _Element as Element

from gateway.access.session import Session
from gateway.addresses import SESSION_ROOT
from gateway.device import WML_TEXT

#: Maximum pages of a list on which a message is searched for.
MOST_PAGES: Final = 12
#: Maximum redirects after one request.
MOST_HOPS: Final = 5
_VARIABLE: Final = re.compile(r"\$\((\w+)(?::\w+)?\)")
#: Inputs that a walk does not use.
_LEFT_OUT: Final = frozenset({"checkbox", "file"})
_PARSER_OPTIONS: Final = {"resolve_entities": False, "load_dtd": False, "no_network": True}


class Lost(Exception):
    """A page lacks what the next step of a walk needs; the text says what."""


class WalkedPage(Protocol):
    """A response: see `demo_gateway.DemoResponse`. `address`: the requested path and query."""

    @property
    def mimetype(self) -> str:
        """The media type."""

    @property
    def octets(self) -> bytes:
        """The page."""

    @property
    def location(self) -> str:
        """The target of the redirect."""

    @property
    def address(self) -> str:
        """Its own path and query."""


#: Requests a path and query with the fields of a form, None for GET.
FetchPage = Callable[[str, Mapping[str, str] | None], WalkedPage]
#: Something that has happened before, arranged in a session; returns the address that shows it.
Past = Callable[[Session], str]


@dataclass(slots=True)
class Walker:
    """One walk. `root`: the path of the session; `ask`: requests a page; `arrange`: makes something have happened."""

    root: str
    ask: FetchPage
    arrange: Callable[[Past], str]
    page: WalkedPage = field(init=False)
    _root: Element = field(init=False)
    _before: list[tuple[WalkedPage, Element]] = field(default_factory=list)

    def fetch(self, address: str, fields: Mapping[str, str] | None = None) -> None:
        """Request a page, and follow its redirects. `address`: within the session, or with a leading / outside it."""
        if hasattr(self, "_root"):
            self._before.append((self.page, self._root))
        address = urljoin(f"{self.root}/", address)
        for _hop in range(MOST_HOPS):
            self.page = self.ask(address, fields)
            if not self.page.location:
                break
            address, fields = self.page.location, None
        if session := SESSION_ROOT.match(self.page.address):
            self.root = session[0]
        try:
            self._root = etree.fromstring(self.page.octets, etree.XMLParser(**_PARSER_OPTIONS))
        except etree.XMLSyntaxError:
            raise Lost(f"no page, but {self.page.mimetype}") from None
        for element in self._root.iter(etree.Element):
            element.tag = etree.QName(element).localname

    def back(self, count: int) -> None:
        """Show a page again that was shown before, without requesting it."""
        del self._before[len(self._before) - count + 1 :]
        self.page, self._root = self._before.pop()

    @property
    def is_wml(self) -> bool:
        """Whether the page is a deck."""
        return self.page.mimetype == WML_TEXT

    def follow(self, words: str) -> None:
        """Follow the first link with these words, also on the next pages of a list."""
        for _page in range(MOST_PAGES):
            links = [*self._links()]
            target = next((href for label, href in links if words in label), None)
            if target is not None:
                return self.fetch(urljoin(self.page.address, target))
            onward = next((href for label, href in links if label == "Next"), None)
            if onward is None:
                break
            self.fetch(urljoin(self.page.address, onward))
        raise Lost(f"no link {words!r}")

    def press(self, labels: Sequence[str], fields: Mapping[str, str]) -> None:
        """Press the first of these keys that the page has; fill in those of the fields that it has."""
        for label in labels:
            form = self._deck_form(label) if self.is_wml else self._form(label)
            if form is not None:
                target, given = form
                filled = given | {name: value for name, value in fields.items() if name in given}
                return self.fetch(urljoin(self.page.address, target), filled)
        raise Lost(f"no key {' or '.join(labels)}")

    def _links(self) -> Iterator[tuple[str, str]]:
        for link in self._root.iter("a", "do", "anchor"):
            go = link.find("go")
            href = link.get("href") or (
                go.get("href") if go is not None and go.get("method") != "post" else None
            )
            if href is not None:
                yield _words(link), _plain(href)

    def _deck_form(self, label: str) -> tuple[str, dict[str, str]] | None:
        """Return where a softkey or an anchor posts to, and its initial fields; a variable is a field's value."""
        for key in self._root.iter("do", "anchor"):
            go = key.find("go")
            if go is not None and go.get("method") == "post" and _words(key).startswith(label):
                pairs = ((each.get("name", ""), each.get("value", "")) for each in go.iter("postfield"))
                return _plain(go.get("href", "")), {name: self._value(value) for name, value in pairs}
        return None

    def _value(self, value: str) -> str:
        return _plain(_VARIABLE.sub(lambda found: self._held(found[1]), value))

    def _held(self, name: str) -> str:
        """Return the initial value of a field of a deck."""
        for one in self._root.iter("input", "select"):
            if one.get("name") == name:
                if one.get("multiple") == "true":
                    return ""
                first = next((option.get("value", "") for option in one.iter("option")), "")
                return one.get("value") or first
        return ""

    def _form(self, label: str) -> tuple[str, dict[str, str]] | None:
        """Return where a button posts to, and the initial fields of its form; boxes and files are left out."""
        for form in self._root.iter("form"):
            buttons = [one for one in form.iter("input") if one.get("type") == "submit"]
            button = next((one for one in buttons if one.get("value", "").startswith(label)), None)
            if button is None:
                continue
            inputs = [
                one for one in form.iter("input", "textarea", "select") if one.get("type") not in _LEFT_OUT
            ]
            fields = {one.get("name") or "": _typed(one) for one in inputs}
            for other in buttons:
                fields.pop(other.get("name", ""), None)
            if button.get("name"):
                fields[button.get("name", "")] = button.get("value", "")
            fields.pop("", None)
            return form.get("action", ""), fields
        return None


def _typed(one: Element) -> str:
    if one.tag == "textarea":
        return one.text or ""
    if one.tag == "select":
        options = [*one.iter("option")]
        chosen = next((option for option in options if option.get("selected")), options[0])
        return chosen.get("value") or chosen.text or ""
    return one.get("value") or ""


def _words(element: Element) -> str:
    """Return the words on a link or a key."""
    label = element.get("label") or "".join(map(str, element.itertext()))
    return _plain(re.sub(r"\s+", " ", label).strip())


def _plain(text: str) -> str:
    """Return a text of a deck with doubled dollar signs undone (WAP-191 §10.3)."""
    return text.replace("$$", "$")
