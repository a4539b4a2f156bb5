"""A screen before it is said in any markup: what every page of ours is made of.

Nothing here may know a template language or a device.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from gateway.rendition.breaks import grapheme_before


class Life(Enum):
    """How long an answer may be kept (RFC 9111); the values are Cache-Control."""

    NEVER = "no-store"
    CHECK = "no-cache"
    PRIVATE = "private, max-age=600"
    PUBLIC = "public, max-age=86400"


class Verbatim(str):
    """Text that a form brings back as it is: it is never said in other characters."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Action:
    """Something a person can do next: a link with a key, or a change that is posted.

    `soft` puts it on a WML softkey too ("accept" is the main one, "options" the other); `short` is a form of
    the label of at most eight characters where the label is longer. `fields` are posted to `href`: only what
    changes nothing goes without.
    """

    label: str
    href: str
    key: str = ""
    soft: str = ""
    short: str = ""
    fields: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        # Where it leads is no text to be read: an address of elsewhere may be in any script.
        object.__setattr__(self, "href", Verbatim(self.href))

    @property
    def softlabel(self) -> str:
        return self.short or self.label


class Said(str):
    """A sentence about what was just done, with the action that takes it back where there is one."""

    undo: Action | None

    def __new__(cls, text: str, undo: Action | None = None) -> Said:
        made = super().__new__(cls, text)
        made.undo = undo
        return made


@dataclass(frozen=True, slots=True)
class Screen:
    """One page: the template's name, its title, its values and its actions.

    `forget`: clear history and variables on phones that keep them (WML newcontext). `words`: the person's
    gettext function; `language`: its tag. `said`: what it came to on a device, as what was weighed is then sent.
    """

    name: str
    title: str
    values: Mapping[str, object] = field(default_factory=dict)
    actions: tuple[Action, ...] = ()
    forget: bool = False
    words: Callable[[str], str] = str
    life: Life = Life.CHECK
    status: int = 200
    language: str = "en"
    said: dict[object, str] = field(default_factory=dict, init=False, repr=False, compare=False)


def shorten(text: str, width: int) -> str:
    """Shorten text to `width` characters, between graphemes."""
    if len(text) <= width:
        return text
    return text[: grapheme_before(text, width - 1)].rstrip() + "…"
