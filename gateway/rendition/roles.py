"""Whose words: the finished drafts of an HTML part get their last roles, and become segments.

Nothing here may parse. An original that is quoted without marks (Outlook: From, Sent, To, Subject, then all the
rest) is found by its header block.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from gateway.rendition import quoting
from gateway.rendition.blocks import Kind, Position, Run
from gateway.rendition.drafts import Draft
from gateway.rendition.lines import rule_like
from gateway.rendition.segments import Role, Segment

#: The line in front of a signature (RFC 3676 §4.3), as far as HTML keeps it.
_DELIMITER = "--"
#: Drafts that a header block may be spread over.
_HEADER_DRAFTS = 5


def _original_begins(drafts: list[Draft], index: int) -> bool:
    text = drafts[index].text
    if quoting.is_original_marker(text.partition("\n")[0]):
        return True
    if quoting.header_kind(text) != "from":
        return False
    ahead = islice(drafts, index, index + _HEADER_DRAFTS)
    return quoting.is_header_block([line for draft in ahead for line in draft.text.split("\n")])


def _mark_original(drafts: list[Draft]) -> None:
    """Mark as quoted what follows an unmarked original's header block, to the end."""
    for index, draft in enumerate(drafts):
        if draft.role is Role.BODY and draft.quote == 0 and _original_begins(drafts, index):
            for quoted in drafts[index:]:
                quoted.role = Role.QUOTE
                quoted.quote += 1
            return


def _mark_role(draft: Draft) -> None:
    if draft.role is not Role.BODY or draft.kind is not Kind.PARAGRAPH:
        return
    text = draft.text
    if rule_like(text):
        draft.kind, draft.runs = Kind.RULE, []
    elif quoting.is_attribution(text):
        draft.role = Role.ATTRIBUTION
    elif quoting.is_legal(text):
        draft.role = Role.LEGAL


def _mark_signature(drafts: list[Draft]) -> None:
    """Mark what stands behind the last "--" of the sender's own words, up to a quotation; drop that line."""
    for index in range(len(drafts) - 1, -1, -1):
        draft = drafts[index]
        if draft.role is not Role.BODY or draft.quote or draft.text.partition("\n")[0].strip() != _DELIMITER:
            continue
        alone = draft.text.strip() == _DELIMITER
        beginning = (
            drafts[index + alone].text.removeprefix(_DELIMITER).lstrip() if drafts[index + alone :] else ""
        )
        role = Role.FOOTER if quoting.is_list_footer(beginning.partition("\n")[0]) else Role.SIGNATURE
        for behind in drafts[index + alone :]:
            if behind.role is not Role.BODY or behind.quote:
                break
            behind.role = role
        if alone:
            del drafts[index]
        return


def _without_idle_rules(drafts: list[Draft]) -> Iterator[Draft]:
    """Drop rules at the beginning, at the end, and after another rule."""
    waiting: Draft | None = None
    begun = False
    for draft in drafts:
        if draft.kind is Kind.RULE:
            waiting = draft if begun else None
            continue
        if waiting is not None:
            yield waiting
            waiting = None
        begun = True
        yield draft


def segments(drafts: list[Draft], section: str, reply: bool) -> list[Segment]:
    """Give roles and positions to the drafts of one part."""
    for draft in drafts:
        _mark_role(draft)
    kept = list(_without_idle_rules(drafts))
    if reply:
        _mark_original(kept)
    _mark_signature(kept)
    return [draft.segment(Position(section, ordinal)) for ordinal, draft in enumerate(kept)]


def rows(lines: list[tuple[Kind, list[Run]]], section: str) -> list[Segment]:
    """Make segments of rows that a viewer has read out itself."""
    return [
        Draft(kind, runs).segment(Position(section, ordinal)) for ordinal, (kind, runs) in enumerate(lines)
    ]
