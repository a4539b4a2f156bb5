"""Screens: the content of every page of ours, independent of markup.

Nothing here may know a template language or a device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

from gateway.markup.keys import KEYS
from gateway.rendition.breaks import grapheme_before


class Life(Enum):
    """How long a response may be stored (RFC 9111); the values are Cache-Control."""

    NEVER = "no-store"
    CHECK = "no-cache"
    PRIVATE = "private, max-age=600"
    PUBLIC = "public, max-age=86400"
    LASTING = "public, max-age=31536000, immutable"


class Verbatim(str):
    """Text that a form sends back unchanged: it is never transliterated."""

    __slots__ = ()


#: The target of an action that leads back in the browser's history, as a deck can (WAP-191 §9.5.2).
PREVIOUS_PAGE: Final = ""


@dataclass(frozen=True, slots=True)
class Action:
    """Something a person can do next: a link with an access key, or a change that is posted.

    `soft` also puts it on a WML softkey ("accept" is the primary one, "options" the other); `short` is a label of at
    most eight characters if the label is longer. `fields` are posted to `href`; an action without any must not change
    anything.
    """

    label: str
    href: str
    key: str = ""
    soft: str = ""
    short: str = ""
    fields: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        # The link target is not for reading: it may be a URL in any script.
        object.__setattr__(self, "href", Verbatim(self.href))

    @property
    def softlabel(self) -> str:
        return self.short or self.label


class StatusMessage(str):
    """A sentence about what was just done, with the action that undoes it, if there is one; `good`: it succeeded."""

    undo: Action | None
    good: bool

    def __new__(cls, text: str, undo: Action | None = None, good: bool = True) -> StatusMessage:
        made = super().__new__(cls, text)
        made.undo, made.good = undo, good
        return made


def with_own_keys(actions: Iterable[Action], sentence: str = "") -> tuple[Action, ...]:
    """Return the actions of a page, each key given only to the first; while something can be undone, `*` is for
    that."""
    taken = {KEYS["Undo"]} if getattr(sentence, "undo", None) else set()
    found = []
    for one in actions:
        found.append(replace(one, key="") if one.key in taken else one)
        taken |= {one.key} - {""}
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Screen:
    """One page: the name of its template, its title, its values and its actions.

    `forget`: clear history and variables on phones that keep them (WML newcontext). `words`: the person's gettext
    function; `language`: its tag. `style`: the link to the style sheet, "" for none. `rendered`: its text for each
    device, and `compiled`: its octets for each device and room, so that the page that is measured is the page that is
    sent.
    """

    name: str
    title: str
    values: Mapping[str, object] = field(default_factory=dict)
    actions: tuple[Action, ...] = ()
    forget: bool = False
    words: Callable[[str], str] = field(default=str, compare=False)
    life: Life = Life.CHECK
    status: int = 200
    language: str = "en"
    style: str = ""
    rendered: dict[object, str] = field(default_factory=dict, init=False, repr=False, compare=False)
    compiled: dict[object, bytes] = field(default_factory=dict, init=False, repr=False, compare=False)


def shorten(text: str, width: int) -> str:
    """Shorten text to `width` characters, between graphemes."""
    if len(text) <= width:
        return text
    return text[: grapheme_before(text, width - 1)].rstrip() + "…"
