"""The grammar of our addresses as Werkzeug URL converters.

Nothing here may interpret a code.
"""

from __future__ import annotations

from typing import ClassVar, Final

from werkzeug.routing import BaseConverter, ValidationError

from gateway import addresses
from gateway.addresses import ListPositionCode, Position, ViewCode
from gateway.errors import BadRequest
from gateway.message.mime.part_tree import SECTION_PATTERN

Code = Position | ListPositionCode | ViewCode


class CodeConverter(BaseConverter):
    """A code in one path segment, decoded into its value."""

    part_isolating = True
    code: ClassVar[type[Code]]

    def to_python(self, value: str) -> Code:
        try:
            return self.code.decode(value)
        except BadRequest as error:
            raise ValidationError(value) from error

    def to_url(self, value: Code) -> str:
        return value.encode()


class PositionConverter(CodeConverter):
    """A position in a message."""

    regex = addresses.POSITION_PATTERN
    code = Position


class ViewConverter(CodeConverter):
    """A view of a list: order and filter, or a thread."""

    regex = addresses.VIEW_PATTERN
    code = ViewCode


class ListPositionConverter(CodeConverter):
    """A position in a list."""

    regex = addresses.LIST_POSITION_PATTERN
    code = ListPositionCode


class SectionConverter(BaseConverter):
    """A part specifier (RFC 9051 §6.4.5) in one path segment."""

    regex = SECTION_PATTERN
    part_isolating = True


class KeyConverter(BaseConverter):
    """The short id of a link in a mail, in one path segment."""

    regex = addresses.LINK_ID_PATTERN
    part_isolating = True


#: The converters by their names in routes.
CONVERTERS: Final[dict[str, type[BaseConverter]]] = {
    "at": PositionConverter,
    "sec": SectionConverter,
    "key": KeyConverter,
    "view": ViewConverter,
    "listpos": ListPositionConverter,
}
