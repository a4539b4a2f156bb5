"""Makes file names chosen by strangers safe to save under.

Nothing here may let a name choose a folder, hide its extension, or end a header field: RFC 6266 §4.3
(filename and filename*), RFC 8187 §3.2 (the encoding of the latter), and what FAT and Windows do not allow in
names.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from gateway.message.headers.header_fields import clean

#: Characters of a file name: as many as fit into a FAT path with a folder before it.
LENGTH: Final = 100
#: Characters of an extension that survive when a name is cut.
_ENDING: Final = 12

_FOLDERS: Final = re.compile(r"[/\\\u2044\u2215\u29f5\u29f8\uff0f\uff3c]")
_FORBIDDEN: Final = re.compile('[<>:"|?*]')
_RESERVED: Final = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?=\.|\Z)", re.IGNORECASE
)
#: Not allowed in a quoted string, and %: some browsers decode %41 as A there (RFC 6266 appendix D).
_NOT_QUOTED: Final = re.compile(r'[^ -~]|["\\%]')


def safe(name: str, otherwise: str = "attachment") -> str:
    """Make a file name that is valid everywhere; `otherwise` if nothing of it remains."""
    name = clean(_FOLDERS.split(name)[-1])
    name = _FORBIDDEN.sub("_", name).lstrip(". ").rstrip(". ")
    if _RESERVED.match(name):
        name = "_" + name
    if len(name) > LENGTH:
        stem, dot, ending = name.rpartition(".")
        keep = dot + ending if stem and len(ending) <= _ENDING else ""
        name = name[: LENGTH - len(keep)].rstrip(". ") + keep
    return name or otherwise


def disposition(name: str, otherwise: str = "attachment") -> str:
    """Write the Content-Disposition for saving a file under its name, in US-ASCII."""
    name = safe(name, otherwise)
    plain = _NOT_QUOTED.sub("_", name)
    field = f'attachment; filename="{plain}"'
    if plain != name:
        field += f"; filename*=UTF-8''{quote(name.encode('utf-8', 'replace'), safe='')}"
    return field
