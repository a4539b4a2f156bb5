"""Words, numbers, dates and time zones in one person's language."""

from gateway.language.languages import (
    ENGLISH,
    LANGUAGES,
    SOFTKEY,
    SOFTKEY_WIDTH,
    Language,
    catalogue_path,
    choose,
    load,
    offered,
    softkey,
)

__all__ = [
    "ENGLISH",
    "LANGUAGES",
    "SOFTKEY",
    "SOFTKEY_WIDTH",
    "Language",
    "catalogue_path",
    "choose",
    "load",
    "offered",
    "softkey",
]
