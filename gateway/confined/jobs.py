"""The jobs that run confined, by name, and their values as JSON.

Nothing here may do I/O: a job is a pure function of octets and JSON arguments, and yields values of a few known
classes.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Final

from gateway.language import Language
from gateway.message.mime import tnef
from gateway.rendition import documents
from gateway.rendition.blocks import Block, Kind, Position, Run
from gateway.rendition.context import Context
from gateway.rendition.documents.bounds import DocumentError
from gateway.rendition.pictures import image
from gateway.rendition.pictures.image import Picture, PictureError


@dataclass(frozen=True, slots=True)
class Job:
    """A pure function of octets and JSON arguments that yields values, and the error that its caller expects."""

    function: Callable[..., Iterator[object]]
    error: Callable[[str], Exception]


def _document(
    octets: bytes, media_type: str, filename: str, language: str, fold: bool, at: Sequence[Any]
) -> Iterator[Block]:
    reader = Language(language)
    context = Context(reader.gettext, reader.ngettext, fold=fold)
    return documents.read(octets, media_type, filename, context, Position(at[0], at[1], "", at[2]))


def _picture(octets: bytes, screen: Sequence[int], formats: Sequence[str], budget: int) -> Iterator[Picture]:
    yield image.picture(octets, screen=(screen[0], screen[1]), formats=formats, budget=budget)


def _tnef(octets: bytes) -> Iterator[tnef.Tnef]:
    yield tnef.read(octets)


def _entries(octets: bytes) -> Iterator[documents.ArchiveEntry]:
    yield from documents.zip_entries(octets)


def _entry(octets: bytes, index: int) -> Iterator[bytes]:
    yield documents.zip_entry(octets, index)


JOBS: Final[dict[str, Job]] = {
    "document": Job(_document, DocumentError),
    "picture": Job(_picture, PictureError),
    "tnef": Job(_tnef, DocumentError),
    "zip entries": Job(_entries, DocumentError),
    "zip entry": Job(_entry, DocumentError),
}

_CLASSES: Final[dict[str, type]] = {
    each.__name__: each
    for each in (Block, Run, Position, Picture, tnef.Tnef, tnef.TnefContent, documents.ArchiveEntry)
}


def packed(value: object) -> object:
    if isinstance(value, Kind):
        return {"Kind": value.name}
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if type(value).__name__ in _CLASSES and is_dataclass(value):
        return {type(value).__name__: [getattr(value, each.name) for each in fields(value)]}
    raise TypeError(type(value).__name__)


def unpacked(pair: dict[str, Any]) -> object:
    ((name, content),) = pair.items()
    if name == "Kind":
        return Kind[content]
    if name == "bytes":
        return base64.b64decode(content)
    return _CLASSES[name](*(tuple(each) if isinstance(each, list) else each for each in content))
