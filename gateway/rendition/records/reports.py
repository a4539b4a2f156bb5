"""Reports: why a mail was returned, that it was read, that somebody complained; short tables, explanations first.

Nothing here may fail on a broken report: what can be read is shown. RFC 3464 §2 (delivery status), RFC 8098 §3
(disposition), RFC 5965 §3 (abuse feedback).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from gateway.message.headers import header_fields
from gateway.message.model import Envelope
from gateway.rendition.blocks import Kind, Run
from gateway.rendition.context import Context
from gateway.rendition.links.urls import linked
from gateway.rendition.records.records import RECORDS_LIMIT, RecordRow, RecordRows, row, value_of


def _(msgid: str) -> str:
    return msgid


#: Recipients of a returned mail that are listed.
NAMES_LIMIT: Final = 3

_STATUS: Final = {
    "final-recipient": _("Recipient"),
    "action": _("Result"),
    "status": _("Status"),
    "diagnostic-code": _("Reason"),
}
#: Actions of delivery reports (RFC 3464 §2.3.3), dispositions (RFC 8098 §3.2.6).
_RESULTS: Final = {
    "failed": _("failed"),
    "delayed": _("delayed"),
    "delivered": _("delivered"),
    "relayed": _("relayed"),
    "expanded": _("expanded"),
    "displayed": _("displayed"),
    "deleted": _("deleted unread"),
    "dispatched": _("passed on"),
    "processed": _("processed"),
    "denied": _("no answer wanted"),
}
_FEEDBACK: Final = {
    "abuse": _("abuse"),
    "fraud": _("fraud"),
    "virus": _("virus"),
    "not-spam": _("not spam"),
    "other": _("other"),
}
#: Each group of delivery fields has one of these; a paragraph that only contains a colon has none.
_FIELD: Final = re.compile(
    r"(?:original-envelope-id|reporting-mta|dsn-gateway|received-from-mta|arrival-date|original-recipient|"
    r"final-recipient|action|status|remote-mta|diagnostic-code|last-attempt-date|final-log-id|will-retry-until|"
    r"x-[\w-]+)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_BLANK_LINES: Final = re.compile(r"\r?\n(?:[ \t]*\r?\n)+")


def _fields(group: str) -> dict[str, str]:
    """Parse the fields of a group, the first of each name."""
    fields: dict[str, str] = {}
    for line in re.sub(r"\r?\n[ \t]+", " ", group).splitlines():
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip().lower(), value.strip())
    return fields


def _typed(value: str) -> str:
    """Return the value without its type and brackets: "rfc822; <a@example.org>", "smtp; 550 …"."""
    kind, semicolon, rest = value.partition(";")
    value = rest.strip() or value if semicolon and " " not in kind.strip() else value
    return value[1:-1] if value.startswith("<") and value.endswith(">") else value


def delivery(text: str, context: Context) -> RecordRows:
    """Return a delivery report as rows: the explanation, then each recipient."""
    rows: list[RecordRow] = []
    said: list[RecordRow] = []
    more = False
    for group in _BLANK_LINES.split(text.strip()):
        if not _FIELD.search(group):
            said += _words(group, context)
            continue
        fields = _fields(group)
        fields.setdefault("final-recipient", fields.get("original-recipient", ""))
        if not fields["final-recipient"]:
            continue
        more = more or len(rows) >= RECORDS_LIMIT
        if len(rows) < RECORDS_LIMIT:
            rows.append((Kind.ROW, list(_recipient(fields, context))))
    more = more or len(said) > RECORDS_LIMIT
    return [*said[:RECORDS_LIMIT], *rows], more


def _words(group: str, context: Context) -> Iterator[RecordRow]:
    """Yield the prose among the fields."""
    text = value_of(group)
    if text:
        yield Kind.PARAGRAPH, list(linked(text, context.fold))


def _recipient(fields: Mapping[str, str], context: Context) -> Iterator[Run]:
    before = ""
    for name, label in _STATUS.items():
        value = fields.get(name, "")
        value = _typed(value) if name in ("final-recipient", "diagnostic-code") else value
        if name == "action":
            value = context.translate(_RESULTS[value.lower()]) if value.lower() in _RESULTS else value
        if value:
            yield Run(f"{before}{context.translate(label)}: {value_of(value)}")
            before = " · "


def disposition(text: str, context: Context) -> RecordRows:
    """Return a disposition notification as rows."""
    fields = _fields(text)
    result = fields.get("disposition", "").rpartition(";")[2].strip().partition("/")[0].lower()
    recipient = _typed(fields.get("final-recipient", "") or fields.get("original-recipient", ""))
    rows = [
        (_("Recipient"), recipient),
        (_("Result"), context.translate(_RESULTS[result]) if result in _RESULTS else result),
        (_("Reason"), fields.get("failure", "") or fields.get("error", "") or fields.get("warning", "")),
    ]
    return [row(context, label, value_of(value)) for label, value in rows if value], False


def feedback(text: str, context: Context) -> RecordRows:
    """Return a complaint as rows: its kind, and the sender and source of the mail."""
    fields = _fields(text)
    kind = fields.get("feedback-type", "").lower()
    rows = [
        (_("Complaint"), context.translate(_FEEDBACK[kind]) if kind in _FEEDBACK else kind),
        (_("Recipient"), _typed(fields.get("original-rcpt-to", "") or fields.get("removal-recipient", ""))),
        (_("Sender"), _typed(fields.get("original-mail-from", ""))),
        (_("Server"), fields.get("source-ip", "")),
        (_("Date"), fields.get("arrival-date", "") or fields.get("received-date", "")),
    ]
    return [row(context, label, value_of(value)) for label, value in rows if value], False


def returned(envelope: Envelope, context: Context, rows: Sequence[RecordRow]) -> list[RecordRow]:
    """Return rows about the mail that a report concerns: its subject, and its recipients unless `rows` have them."""
    said = "\n".join(run.text for _kind, runs in rows for run in runs)
    to = [one for one in envelope.to if one.spec not in said]
    names = ", ".join(header_fields.clean(header_fields.safe_label(one)) for one in to[:NAMES_LIMIT])
    more = " …" if len(to) > NAMES_LIMIT else ""
    pairs = [(_("Subject"), header_fields.clean(envelope.subject)), (_("To"), names + more)]
    return [row(context, label, value) for label, value in pairs if value]
