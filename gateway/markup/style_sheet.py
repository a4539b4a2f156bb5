"""The style sheet of all pages in XHTML: one file with its digest in its name, which a browser may keep for a year.

Nothing here may differ between devices or people.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from gateway.device import XHTML
from gateway.markup.environment import template_folders

STYLE_SHEET: Final = next(
    path.read_bytes() for folder in template_folders(XHTML) if (path := folder / "style.css").is_file()
)
DIGEST: Final = sha256(STYLE_SHEET).hexdigest()[:8]
#: Its address, below the path of the gateway.
NAME: Final = f"style-{DIGEST}.css"
