"""URL converters of ours."""

from __future__ import annotations

from werkzeug.routing import BaseConverter, ValidationError

from gateway.errors import BadRequest
from gateway.rendition.blocks import Position


class PositionConverter(BaseConverter):
    """A Position in its encoded form, one piece of a path."""

    regex = r"[0-9.]{0,20}-[0-9a-z]{1,8}[A-Z]{0,6}(?:-[0-9a-z]{1,8})?"
    part_isolating = True

    def to_python(self, value: str) -> Position:
        try:
            return Position.decode(value)
        except BadRequest as error:
            raise ValidationError(value) from error

    def to_url(self, value: Position) -> str:
        return value.encode()
