"""A handheld in somebody's hand: what its page says, and what pressing does on a line that breaks.

Nothing here may know what is told about a mail. Whatever goes wrong, the handheld shows what it showed before.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from lxml import etree

from tests.chaos.line import Line
from tests.devices.phones import Refused, WmlPhone, XhtmlBrowser

ORIGIN: Final = "http://pocketpost"
#: What can go wrong between a key and a page.
NO_PAGE: Final = (OSError, Refused, etree.XMLSyntaxError, KeyError, ValueError)
_TOKEN: Final = re.compile(r"/~[A-Za-z0-9_-]+")

#: A form as it was posted: address, body, and its type if there is a choice.
Posted = tuple[Any, ...]


class Handheld:
    """One device, by number: a WAP phone, a browser without cookies, one with."""

    def __init__(self, number: int, line: Line) -> None:
        self.line = line
        self._device: Any = _DEVICES[number % len(_DEVICES)](line)

    @property
    def text(self) -> str:
        """The words on the page, "" before the first."""
        return self._device.text if self._device.answer is not None else ""

    @property
    def lines(self) -> list[str]:
        """The words of each paragraph."""
        root = self._device.card if isinstance(self._device, WmlPhone) else self._device.page
        return [" ".join("".join(one.itertext()).split()) for one in root.iter("p")]

    @property
    def labels(self) -> list[str]:
        return list(self._device.links)

    @property
    def asks_to_sign_in(self) -> bool:
        return self._device.answer is not None and b'name="password"' in self._device.answer.body

    @property
    def posted(self) -> Posted | None:
        """The form that was posted last."""
        return getattr(self._device, "posted", None)

    def shows(self, words: str) -> bool:
        """Return whether the page has these words, in its text or in a field."""
        return self._device.answer is not None and words.encode() in self._device.answer.body

    def tries(self, *steps: Callable[[Any], object]) -> bool:
        """Perform these steps, and return whether every step brought its page."""
        try:
            for step in steps:
                step(self._device)
        except NO_PAGE:
            return False
        return True

    def post(self, form: Posted) -> bool:
        """Post a form (again)."""
        return self.tries(lambda device: device.fetch("POST", *form))

    @property
    def home(self) -> str:
        """The path of the session that the page belongs to."""
        found = _TOKEN.search(self._device.url)
        return f"{found[0]}/" if found else "/"

    def window(self) -> Handheld:
        """Open another window of the same session."""
        other = copy.copy(self)
        other._device = copy.copy(self._device)
        for name in ("variables", "history", "jar", "filled", "visited"):
            if hasattr(other._device, name):
                setattr(other._device, name, copy.copy(getattr(other._device, name)))
        return other

    def start_anew(self) -> None:
        """Forget the session, like a phone that was switched off."""
        self._device.url = f"{ORIGIN}/"
        self._device.answer = None
        if isinstance(self._device, XhtmlBrowser):
            self._device.jar.clear()


def changed(form: Posted, **values: str) -> Posted | None:
    """Return a form with other words in its fields, None if it lacks one of them."""
    url, body, *rest = form
    fields = parse_qsl(body.decode("ascii"), keep_blank_values=True)
    if not values.keys() <= {name for name, _value in fields}:
        return None
    return (url, urlencode([(name, values.get(name, value)) for name, value in fields]).encode(), *rest)


_DEVICES: Final[tuple[Callable[[Line], Any], ...]] = (
    lambda line: WmlPhone(ORIGIN, line),
    lambda line: XhtmlBrowser(ORIGIN, line, cookies=False, agent="Lynx/2.9", accept="text/html, */*;q=0.01"),
    lambda line: XhtmlBrowser(ORIGIN, line),
)
