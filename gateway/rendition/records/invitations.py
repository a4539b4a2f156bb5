"""Invitations: the events of a calendar part as rows: what, when, how often, where, who.

Nothing here may fail on a broken record: what can be read is shown. RFC 5545 (iCalendar), RFC 5546 (methods).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from typing import Final
from urllib.parse import unquote

from gateway.rendition.blocks import Kind, Run
from gateway.rendition.context import Context
from gateway.rendition.links.urls import linked
from gateway.rendition.records import occasions
from gateway.rendition.records.records import (
    RECORDS_LIMIT,
    VALUE_LIMIT,
    Property,
    RecordRow,
    RecordRows,
    content_lines,
    row,
    value_of,
)


def _(msgid: str) -> str:
    return msgid


#: Properties of one event that are kept.
_EVENT_LIMIT: Final = 4 * RECORDS_LIMIT
_METHODS: Final = {
    "CANCEL": _("Cancelled event"),
    "REPLY": _("Answer to an invitation"),
    "REQUEST": _("Invitation"),
    "COUNTER": _("Another time is proposed"),
}
_UPDATED: Final = _("Updated invitation")
#: The answers (RFC 5545 §3.2.12).
_ANSWERS: Final = {
    "ACCEPTED": _("accepted"),
    "DECLINED": _("declined"),
    "TENTATIVE": _("maybe"),
    "DELEGATED": _("delegated"),
}
_READ_PROPERTIES: Final = frozenset(
    ("SUMMARY", "DTSTART", "DTEND", "DUE", "DURATION", "RRULE", "EXDATE", "LOCATION", "ORGANIZER", "ATTENDEE")
) | {"DESCRIPTION", "STATUS", "SEQUENCE", "COMMENT", "UID", "RECURRENCE-ID"}
_EXCEPTIONS: Final = 10
#: A description in HTML, what ends a line in it, and its tags.
_MARKUP: Final = re.compile(r"</(?:p|div|span|a|b|html)>|<(?:br|p|html)\s?/?>", re.IGNORECASE)
_BREAK: Final = re.compile(r"<br\s?/?>|</(?:p|div|li|tr|h[1-6])>", re.IGNORECASE)
_TAG: Final = re.compile(r"</?[a-z][^<>]{0,500}>", re.IGNORECASE)


@dataclass(slots=True)
class CalendarEvent:
    """One event or task; `kind`: VEVENT or VTODO; its properties in order, and whether some were left out.

    `attendees`: all of them, however many are shown.
    """

    kind: str = ""
    properties: list[Property] = field(default_factory=list)
    attendees: list[Property] = field(default_factory=list)
    more: bool = False

    def take(self, found: Property) -> None:
        name, _parameters, value = found
        if name == "ATTENDEE":
            self.attendees.append(found)
        shown = name != "ATTENDEE" or len(self.attendees) <= RECORDS_LIMIT
        fits = shown and len(self.properties) < _EVENT_LIMIT
        self.more = self.more or not fits or len(value) > VALUE_LIMIT
        if fits:
            self.properties.append(found)

    def all(self, name: str) -> Iterator[Property]:
        return (found for found in self.properties if found[0] == name)

    def first(self, name: str) -> Property | None:
        return next(self.all(name), None)

    def text(self, name: str) -> str:
        found = self.first(name)
        return found[2].strip() if found else ""


@dataclass(slots=True)
class Calendar:
    """The content of a calendar part. `zone_lines`: its time zones as written."""

    method: str = ""
    events: list[CalendarEvent] = field(default_factory=list)
    zones: dict[str, tuple[occasions.Observance, ...]] = field(default_factory=dict)
    zone_lines: list[Property] = field(default_factory=list)


def read(text: str) -> Calendar:
    """Read a calendar part; malformed lines are left out."""
    found = Calendar()
    inside: list[str] = []
    zone, observed = "", dict[str, str]()
    for name, parameters, value in content_lines(text):
        if "VTIMEZONE" in inside[:2] or (name == "BEGIN" and value.strip().upper() == "VTIMEZONE"):
            found.zone_lines.append((name, parameters, value))
        if name == "BEGIN":
            inside.append(value.strip().upper())
            if inside[-1] in ("VEVENT", "VTODO"):
                found.events.append(CalendarEvent(inside[-1]))
            elif inside[-1] in ("STANDARD", "DAYLIGHT"):
                observed = {}
        elif name == "END":
            if inside[-1:] in (["STANDARD"], ["DAYLIGHT"]) and len(found.zones) < RECORDS_LIMIT:
                made = occasions.observance(observed)
                found.zones[zone] = (*found.zones.get(zone, ()), *((made,) if made else ()))
            del inside[-1:]
        elif inside[-1:] == ["VTIMEZONE"] and name == "TZID":
            zone = value.strip()
        elif inside[-1:] in (["STANDARD"], ["DAYLIGHT"]):
            observed.setdefault(name, value)
        elif name == "METHOD":
            found.method = found.method or value.strip().upper()
        elif inside[-1:] in (["VEVENT"], ["VTODO"]) and name in _READ_PROPERTIES:
            found.events[-1].take((name, parameters, value))
    return found


def calendar(text: str, context: Context) -> RecordRows:
    """Return an invitation as rows."""
    found = read(text)
    rows: list[RecordRow] = []
    heading = _METHODS.get(found.method, "")
    if found.method == "REQUEST" and any(event.text("SEQUENCE").lstrip("0") for event in found.events):
        heading = _UPDATED
    if heading:
        rows.append((Kind.HEADING, [Run(context.translate(heading))]))
    for event in found.events[:RECORDS_LIMIT]:
        if event.text("STATUS").upper() == "CANCELLED" and found.method != "CANCEL":
            rows.append((Kind.HEADING, [Run(context.translate(_METHODS["CANCEL"]))]))
        rows += _told(context, event, found)
    more = len(found.events) > RECORDS_LIMIT or any(event.more for event in found.events)
    return [(kind, runs) for kind, runs in rows if any(run.text.strip() for run in runs)], more


def _told(context: Context, event: CalendarEvent, found: Calendar) -> Iterator[RecordRow]:
    """Return one event as rows, in the order in which a person asks."""
    yield from (
        row(context, _("What"), value_of(value)) for _name, _parameters, value in event.all("SUMMARY")
    )
    yield from _times(context, event, found.zones)
    yield from (
        row(context, _("Where"), value_of(value)) for _name, _parameters, value in event.all("LOCATION")
    )
    answers = found.method in ("REPLY", "COUNTER")
    for name, label in (("ORGANIZER", _("Who")), ("ATTENDEE", _("With"))):
        for _name, parameters, value in event.all(name):
            yield row(context, label, _person(context, value, parameters, answers))
    for name in ("DESCRIPTION", "COMMENT"):
        for _name, _parameters, value in event.all(name):
            yield Kind.PARAGRAPH, list(linked(_plain(value_of(value)), context.fold))


def _plain(description: str) -> str:
    """Return a description without the tags that some calendars put into it, against RFC 5545."""
    if not _MARKUP.search(description):
        return description
    return unescape(_TAG.sub("", _BREAK.sub("\n", description))).strip()


def _times(context: Context, event: CalendarEvent, zones: occasions.Zones) -> Iterator[RecordRow]:
    start = event.first("DTSTART")
    end = event.first("DTEND") or event.first("DUE")
    if start is not None:
        yield row(context, _("When"), _moment(context, start, zones))
    until = _last_day(context, start, end) if end is not None and end[0] == "DTEND" else None
    if until is None and end is not None:
        until = _moment(context, end, zones)
    lasts = occasions.duration(event.text("DURATION")) if end is None else None
    if start is not None and lasts is not None and lasts > timedelta():
        until = _lasting(context, start, lasts, zones)
    if until and (start is None or until != _moment(context, start, zones)):
        yield row(context, _("Until"), until)
    for _name, _parameters, value in event.all("RRULE"):
        yield row(context, _("Repeats"), occasions.recurrence(context, value))
    without = [
        (name, parameters, one) for name, parameters, value in event.all("EXDATE") for one in value.split(",")
    ]
    if without:
        said = ", ".join(_moment(context, one, zones) for one in without[:_EXCEPTIONS])
        yield row(context, _("Except"), said + (" …" if len(without) > _EXCEPTIONS else ""))


def _moment(context: Context, found: Property, zones: occasions.Zones, after: timedelta = timedelta()) -> str:
    _name, parameters, value = found
    return occasions.moment(context, value, _zone_of(parameters), zones, after) or value_of(value)


def _zone_of(parameters: str) -> str:
    match = re.search(r";TZID=(?:\"([^\"]*)\"|([^\";:]*))", parameters, re.IGNORECASE)
    return (match.group(1) or match.group(2) or "").strip() if match else ""


def _last_day(context: Context, start: Property | None, end: Property) -> str | None:
    """Format the last day of an all-day event, whose DTEND is the day after (RFC 5545 §3.6.1).

    None if it is not an all-day event, '' if it lasts one day.
    """
    begins = occasions.day(start[2]) if start is not None else None
    ends = occasions.day(end[2])
    if begins is None or ends is None:
        return None
    last = ends - timedelta(days=1)
    return context.day(last) if last > begins else ""


def _lasting(context: Context, start: Property, lasts: timedelta, zones: occasions.Zones) -> str:
    """Format the end of an event that has a duration instead."""
    if not occasions.is_day(start[2]):
        return _moment(context, start, zones, lasts) if lasts else ""
    days = lasts - timedelta(days=1)
    return _moment(context, start, zones, days) if days >= timedelta(days=1) else ""


def _person(context: Context, value: str, parameters: str, answers: bool) -> str:
    address = address_of(value, parameters) or value.strip()
    said = name_of(parameters)
    person = f"{said} <{address}>" if said and address and said != address else said or address
    answer = re.search(r";PARTSTAT=\"?([A-Z-]+)", parameters, re.IGNORECASE) if answers else None
    words = _ANSWERS.get(answer.group(1).upper(), "") if answer else ""
    return f"{person} – {context.translate(words)}" if words else person


def address_of(value: str, parameters: str = "") -> str:
    """Return the mail address of a calendar user: from a mailto: URI, else from the EMAIL parameter (RFC 7986 §6.2)."""
    scheme, colon, spec = value.strip().partition(":")
    if colon and scheme.lower() == "mailto":
        return unquote(spec).strip()
    named = re.search(r";EMAIL=\"?([^\";:,]+)", parameters, re.IGNORECASE)
    return named.group(1).strip() if named else ""


def name_of(parameters: str) -> str:
    """Return the name of a calendar user, '' if there is none."""
    name = re.search(r";CN=(?:\"([^\"]*)\"|((?:\\.|[^;:\\])*))", parameters, re.IGNORECASE)
    return value_of(_carets(name.group(1) or name.group(2) or "")) if name else ""


def _carets(text: str) -> str:
    """Undo the escapes of parameters (RFC 6868)."""
    return text.replace("^n", " ").replace("^'", '"').replace("^^", "^")
