"""Records: contacts as rows, and what they share with invitations and reports.

Nothing here may fail on a broken record: what can be read is shown. RFC 5545 (iCalendar), RFC 6350 (vCard).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gateway.message import vcard
from gateway.rendition import glyphs
from gateway.rendition.blocks import Kind, Run
from gateway.rendition.context import Context
from gateway.rendition.links.urls import allowed, linked

#: The most events, contacts and recipients shown.
RECORDS_LIMIT: Final = 20
#: The most characters of one value shown.
VALUE_LIMIT: Final = 2000


def _(msgid: str) -> str:
    return msgid


RecordRow = tuple[Kind, list[Run]]
RecordRows = tuple[list[RecordRow], bool]  # and whether there were more
Property = tuple[str, str, str]  # name, parameters, value

_CONTENT_LINE: Final = re.compile(
    r"(?:[\w-]+\.)?([A-Za-z0-9-]+)((?:;[^:\"]*(?:\"[^\"]*\"[^:\"]*)*)?):(.*)", re.DOTALL
)
_ESCAPED: Final = re.compile(r"\\([\\;,nN])")
_CONTACT: Final = {
    "FN": _("Name"),
    "ORG": _("Organisation"),
    "TITLE": _("Title"),
    "TEL": _("Phone"),
    "EMAIL": _("Mail"),
    "ADR": _("Address"),
    "URL": _("Web"),
    "NOTE": _("Note"),
}

#: Values of several components, separated by semicolons (RFC 6350 §6.3.1, §6.6.4).
_COMPOUND: Final = frozenset({"ADR", "ORG"})


def content_lines(text: str) -> Iterator[Property]:
    """Yield the unfolded properties (RFC 5545 §3.1)."""
    unfolded = re.sub(r"\r?\n[ \t]", "", text)
    for line in unfolded.splitlines():
        match = _CONTENT_LINE.match(line[: VALUE_LIMIT * 2])
        if match is not None:
            yield match.group(1).upper(), match.group(2), match.group(3)


def value_of(text: str) -> str:
    """Return a property's text without its escapes (RFC 5545 §3.3.11), shortened."""
    said = _ESCAPED.sub(lambda match: "\n" if match.group(1) in "nN" else match.group(1), text)
    return glyphs.collapse_lines(glyphs.visible(said))[:VALUE_LIMIT]


def row(context: Context, label: str, value: str, url: str = "") -> RecordRow:
    """Return a row of a label and a value; the value has its own links, or one link as a whole."""
    name = Run(context.translate("%(label)s: %(value)s") % {"label": context.translate(label), "value": ""})
    return Kind.ROW, [name, Run(value, link=url)] if url else [name, *linked(value, context.fold)]


def card(text: str, context: Context) -> RecordRows:
    """Return contacts as rows."""
    rows: list[RecordRow] = []
    more = False
    for name, _parameters, value in vcard.properties(text):
        if name not in _CONTACT:
            continue
        more = more or len(value) > VALUE_LIMIT or len(rows) >= RECORDS_LIMIT * len(_CONTACT)
        if len(rows) >= RECORDS_LIMIT * len(_CONTACT):
            continue
        parts = re.split(r"(?<!\\);", value) if name in _COMPOUND else [value]
        said = value_of(", ".join(filter(None, map(str.strip, parts))))
        if not said:
            continue
        url = ""
        if name == "TEL":
            url = allowed(said if said.lower().startswith("tel:") else f"tel:{said}")
            said = re.sub(r"(?i)\Atel:", "", said)
        rows.append(row(context, _CONTACT[name], said, url))
    return rows, more


_ENRICHED_TAG: Final = re.compile(r"<(/?)([A-Za-z-]{1,60})>")


def enriched(text: str) -> str:
    """Convert text/enriched (RFC 1896) to plain text: single line ends become spaces, commands vanish."""
    text = text.replace("\r\n", "\n")
    text = re.sub(r"\n+", lambda match: " " if len(match.group()) == 1 else match.group()[1:] + "\n", text)
    out: list[str] = []
    done = hidden = 0
    for match in _ENRICHED_TAG.finditer(text):
        if not hidden:
            out.append(text[done : match.start()])
        done = match.end()
        if match.group(2).lower() == "param":
            hidden = max(hidden + (-1 if match.group(1) else 1), 0)
    out.append(text[done:] if not hidden else "")
    return "".join(out).replace("<<", "<")
