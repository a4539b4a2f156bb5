"""Records in mail: invitations, contacts and delivery reports, read out as rows.

Nothing here may fail on a broken record: what can be read is shown. RFC 5545 (iCalendar), RFC 6350 (vCard),
RFC 3464 §2 (delivery status).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from gateway.rendition import glyphs
from gateway.rendition.blocks import Kind, Run
from gateway.rendition.context import Context
from gateway.rendition.links import allowed, linked

#: Events, contacts and recipients shown at most.
RECORDS_LIMIT: Final = 20
#: Properties of one event that are shown.
_EVENT_LIMIT: Final = 4 * RECORDS_LIMIT
#: Characters of one value that are shown.
VALUE_LIMIT: Final = 2000


def _(msgid: str) -> str:
    return msgid


Row = tuple[Kind, list[Run]]
Rows = tuple[list[Row], bool]  # and whether there was more
Property = tuple[str, str, str]  # name, parameters, value

_CONTENT_LINE: Final = re.compile(
    r"(?:[\w-]+\.)?([A-Za-z0-9-]+)((?:;[^:\"]*(?:\"[^\"]*\"[^:\"]*)*)?):(.*)", re.DOTALL
)
_ESCAPED: Final = re.compile(r"\\([\\;,nN])")
_METHODS: Final = {
    "CANCEL": _("Cancelled event"),
    "REPLY": _("Answer to an invitation"),
    "REQUEST": _("Invitation"),
}
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
#: In which order an event is told, whatever the order of its properties.
_TOLD: Final = ("SUMMARY", "DTSTART", "DTEND", "DUE", "LOCATION", "ORGANIZER", "ATTENDEE", "DESCRIPTION")
_STATUS: Final = {
    "final-recipient": _("Recipient"),
    "action": _("Result"),
    "status": _("Status"),
    "diagnostic-code": _("Reason"),
}


def _content_lines(text: str) -> Iterator[Property]:
    """Yield the unfolded properties (RFC 5545 §3.1)."""
    unfolded = re.sub(r"\r?\n[ \t]", "", text)
    for line in unfolded.splitlines():
        match = _CONTENT_LINE.match(line[: VALUE_LIMIT * 2])
        if match is not None:
            yield match.group(1).upper(), match.group(2), match.group(3)


def _value(text: str) -> str:
    said = _ESCAPED.sub(lambda match: "\n" if match.group(1) in "nN" else match.group(1), text)
    return glyphs.collapse_lines(glyphs.visible(said))[:VALUE_LIMIT]


def _row(context: Context, label: str, value: str, url: str = "") -> Row:
    name = Run(f"{context.translate(label)}: ")
    return Kind.ROW, [name, Run(value, link=url)] if url else [name, *linked(value, context.fold)]


def _moment(context: Context, value: str, parameters: str) -> str:
    """Say a DATE or DATE-TIME (RFC 5545 §3.3.4, §3.3.5)."""
    digits = value.strip()
    try:
        if len(digits) == 8:
            return datetime.strptime(digits, "%Y%m%d").date().isoformat()  # noqa: DTZ007  # a date has no zone
        when = datetime.strptime(digits.rstrip("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007  # the zone comes below
        if digits.endswith("Z"):
            return context.moment(when.replace(tzinfo=ZoneInfo("UTC")))
        zone = re.search(r"TZID=\"?([^\";:]{1,60})", parameters)
        if zone is None:
            return when.strftime("%Y-%m-%d %H:%M")
        try:
            return context.moment(when.replace(tzinfo=ZoneInfo(zone.group(1))))
        except (KeyError, ValueError, OSError):  # a zone of the sender's own naming
            return f"{when:%Y-%m-%d %H:%M} ({zone.group(1)})"
    except ValueError:
        return _value(value)


def _person(value: str, parameters: str) -> str:
    name = re.search(r"CN=(?:\"([^\"]*)\"|([^;:]*))", parameters)
    address = re.sub(r"(?i)\Amailto:", "", value.strip())
    said = _value((name.group(1) or name.group(2) or "") if name else "")
    return f"{said} <{address}>" if said and address and said != address else said or address


def calendar(text: str, context: Context) -> Rows:
    """Read out an invitation: what, when, where, who."""
    rows: list[Row] = []
    event: list[tuple[int, Row]] = []
    inside: list[str] = []
    events = 0
    attendees = 0
    more = False
    for name, parameters, value in _content_lines(text):
        if name == "BEGIN":
            inside.append(value.strip().upper())
            events += inside[-1] in ("VEVENT", "VTODO")
        elif name == "END":
            if inside[-1:] in (["VEVENT"], ["VTODO"]):
                rows += _in_order(event)
            del inside[-1:]
        elif name == "METHOD" and value.strip().upper() in _METHODS:
            rows.append((Kind.HEADING, [Run(context.translate(_METHODS[value.strip().upper()]))]))
        if not inside or inside[-1] not in ("VEVENT", "VTODO") or name not in _TOLD:
            continue
        attendees += name == "ATTENDEE"
        fits = events <= RECORDS_LIMIT and len(event) < _EVENT_LIMIT
        fits = fits and (name != "ATTENDEE" or attendees <= RECORDS_LIMIT)
        more = more or not fits or len(value) > VALUE_LIMIT
        if fits:
            event.append((_TOLD.index(name), _told(context, name, parameters, value)))
    rows += _in_order(event)
    return [(kind, runs) for kind, runs in rows if any(run.text.strip() for run in runs)], more


def _in_order(event: list[tuple[int, Row]]) -> list[Row]:
    """Take the rows of an event in the order in which they are told."""
    rows = [row for _rank, row in sorted(event, key=lambda ranked: ranked[0])]
    event.clear()
    return rows


def _told(context: Context, name: str, parameters: str, value: str) -> Row:
    """Read out one property of an event."""
    match name:
        case "SUMMARY":
            return _row(context, _("What"), _value(value))
        case "DTSTART":
            return _row(context, _("When"), _moment(context, value, parameters))
        case "DTEND" | "DUE":
            return _row(context, _("Until"), _moment(context, value, parameters))
        case "LOCATION":
            return _row(context, _("Where"), _value(value))
        case "ORGANIZER":
            return _row(context, _("Who"), _person(value, parameters))
        case "ATTENDEE":
            return _row(context, _("With"), _person(value, parameters))
        case _:
            return Kind.PARAGRAPH, list(linked(_value(value), context.fold))


def card(text: str, context: Context) -> Rows:
    """Read out contacts."""
    rows: list[Row] = []
    more = False
    for name, _parameters, value in _content_lines(text):
        if name not in _CONTACT:
            continue
        more = more or len(value) > VALUE_LIMIT or len(rows) >= RECORDS_LIMIT * len(_CONTACT)
        if len(rows) >= RECORDS_LIMIT * len(_CONTACT):
            continue
        parts = [part.strip() for part in re.split(r"(?<!\\);", value) if part.strip()]
        said = _value(", ".join(parts))
        if not said:
            continue
        url = ""
        if name == "TEL":
            url = allowed(said if said.lower().startswith("tel:") else f"tel:{said}")
            said = re.sub(r"(?i)\Atel:", "", said)
        rows.append(_row(context, _CONTACT[name], said, url))
    return rows, more


def delivery(text: str, context: Context) -> Rows:
    """Read out for which recipients delivery failed, and why; one row each."""
    rows: list[Row] = []
    more = False
    for group in re.split(r"\r?\n(?:[ \t]*\r?\n)+", text.strip()):
        fields: dict[str, str] = {}
        for line in re.sub(r"\r?\n[ \t]+", " ", group).splitlines():
            name, colon, value = line.partition(":")
            if colon:
                fields.setdefault(name.strip().lower(), value.strip())
        fields.setdefault("final-recipient", fields.get("original-recipient", ""))
        more = more or (bool(fields["final-recipient"]) and len(rows) >= RECORDS_LIMIT)
        if not fields["final-recipient"] or len(rows) >= RECORDS_LIMIT:
            continue
        runs: list[Run] = []
        for name, label in _STATUS.items():
            value = fields.get(name, "")
            if name in ("final-recipient", "diagnostic-code"):  # "rfc822; a@example.org", "smtp; 550 …"
                value = value.partition(";")[2].strip() or value
            if value:
                before = " · " if runs else ""
                runs.append(Run(f"{before}{context.translate(label)}: {_value(value)}"))
        rows.append((Kind.ROW, runs))
    return rows, more


_ENRICHED_TAG: Final = re.compile(r"<(/?)([A-Za-z-]{1,60})>")


def enriched(text: str) -> str:
    """Make plain text of text/enriched (RFC 1896): single line ends are blanks, commands vanish."""
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
