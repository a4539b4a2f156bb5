"""URL converters of ours."""

from __future__ import annotations

from werkzeug.routing import BaseConverter, ValidationError

from gateway.errors import BadRequest
from gateway.rendition.blocks import Position
from gateway.store.base import Spot
from gateway.web.views import SPOT_PATTERN, VIEW_PATTERN, View, spelled, spot_of


class PositionConverter(BaseConverter):
    """A Position in its encoded form, one piece of a path."""

    regex = r"[0-9.]{0,20}t?-[0-9a-z]{1,8}[A-Z]{0,6}(?:-[0-9a-z]{1,8})?"
    part_isolating = True

    def to_python(self, value: str) -> Position:
        try:
            return Position.decode(value)
        except BadRequest as error:
            raise ValidationError(value) from error

    def to_url(self, value: Position) -> str:
        return value.encode()


class ViewConverter(BaseConverter):
    """An order and a filter of a list."""

    regex = VIEW_PATTERN
    part_isolating = True

    def to_python(self, value: str) -> View:
        try:
            return View.decode(value)
        except BadRequest as error:
            raise ValidationError(value) from error

    def to_url(self, value: View) -> str:
        return value.encode()


class SpotConverter(BaseConverter):
    """A place in a list."""

    regex = SPOT_PATTERN
    part_isolating = True

    def to_python(self, value: str) -> Spot:
        try:
            return spot_of(value)
        except BadRequest as error:
            raise ValidationError(value) from error

    def to_url(self, value: Spot) -> str:
        return spelled(value)


class SectionConverter(BaseConverter):
    """A part specifier (RFC 9051 §6.4.5), one piece of a path."""

    regex = r"[1-9]\d{0,3}(?:\.[1-9]\d{0,3}){0,20}"
    part_isolating = True


class KeyConverter(BaseConverter):
    """The short id of a link in a mail, one piece of a path."""

    regex = r"[A-Za-z0-9_-]{11}"
    part_isolating = True
