"""Roles: gives the finished drafts of an HTML part their final roles, and turns them into segments.

Nothing here may parse. An original that is quoted without marks (Outlook: From, Sent, To, Subject, then the
rest) is recognized by its header block.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, groupby, islice
from typing import Final

from gateway.rendition import glyphs
from gateway.rendition.blocks import Kind, Position, Run
from gateway.rendition.segments import Role, TextSegment
from gateway.rendition.text import quoting
from gateway.rendition.text.line_kinds import rule_like
from gateway.rendition.unplaced import Draft, Face, runs_of

#: The line before a signature (RFC 3676 §4.3), as it survives in HTML.
_DELIMITER = "--"
#: The most characters of a preheader; the number of words that it exceeds; drafts within which it is repeated.
_PREHEADER = 300
_PREHEADER_WORDS = 3
_REPEATED_WITHIN = 8
#: Drafts that a header block may span.
_HEADER_DRAFTS = 5
#: A line without a letter, or several lines of one sign each, which may be a drawing.
_SIGNS: Final = re.compile(r"^(?:[^\w\n]|_){5,}$|(?:^[^\w\n]\n){5,}", re.MULTILINE)


def _original_begins(drafts: list[Draft], index: int) -> bool:
    text = drafts[index].text
    if quoting.is_original_marker(text.partition("\n")[0]):
        return True
    before = drafts[index - 1] if index else None
    if before is not None and before.role is Role.ATTRIBUTION and quoting.introduces_all(before.text):
        return True
    if not quoting.header_kind(text):
        return False
    ahead = islice(drafts, index, index + _HEADER_DRAFTS)
    return quoting.is_header_block([line for draft in ahead for line in draft.text.split("\n")])


def _mark_original(drafts: list[Draft]) -> None:
    """Mark everything from an unmarked original's header block on as quoted."""
    for index, draft in enumerate(drafts):
        if draft.role is Role.BODY and _original_begins(drafts, index):
            unmarked = draft.quote == 0
            for quoted in drafts[index:]:
                quoted.role = Role.QUOTE
                quoted.quote += unmarked
            return


def _with_role(draft: Draft) -> Iterable[Draft]:
    """Give a draft its role; yield it, split at the rules drawn in it."""
    if draft.role is not Role.BODY or draft.kind is not Kind.PARAGRAPH:
        return (draft,)
    text = draft.text
    if rule_like(text):
        draft.kind, draft.runs = Kind.RULE, []
    elif "\n" in text and any(map(rule_like, _SIGNS.findall(text))):
        return chain.from_iterable(map(_with_role, _parted(draft)))
    elif quoting.is_attribution(text):
        draft.role = Role.ATTRIBUTION
    elif quoting.is_legal(text):
        draft.role = Role.LEGAL
    return (draft,)


def _parted(draft: Draft) -> Iterator[Draft]:
    """Yield what is between the drawn lines of a paragraph, and a rule for each of these lines."""
    lines: list[list[tuple[str, Face]]] = [[]]
    for run in draft.runs:
        for text in run.text.splitlines(keepends=True):
            lines[-1].append((text, Face(run.strong, run.emphasis, run.code, run.link)))
            if text.endswith("\n"):
                lines.append([])
    for signs, some in groupby(lines, _is_of_signs):
        stretches = list(chain.from_iterable(some))
        drawn = signs and rule_like(_said(stretches))
        runs = [] if drawn or not stretches else runs_of(stretches)
        if drawn or runs:
            yield replace(draft, kind=Kind.RULE if drawn else draft.kind, runs=runs)


def _is_of_signs(line: list[tuple[str, Face]]) -> bool:
    said = _said(line).strip()
    return rule_like(said) or (len(said) == 1 and not said.isalnum())


def _said(stretches: list[tuple[str, Face]]) -> str:
    return "".join(text for text, _face in stretches)


def _mark_signature(drafts: list[Draft]) -> None:
    """Mark what follows the last "--" in the sender's own words, up to a quotation, and drop that line."""
    for index in range(len(drafts) - 1, -1, -1):
        draft = drafts[index]
        if not draft.runs or not draft.runs[0].text.lstrip().startswith(_DELIMITER[0]):
            continue
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


def _without_idle_rules(drafts: Iterable[Draft]) -> Iterator[Draft]:
    """Drop rules at the beginning, at the end, and after other rules."""
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


def without_preheader(drafts: list[Draft]) -> list[Draft]:
    """Drop a first line that later ones repeat: mail programs show it in lists, next to the subject."""
    first = drafts[0] if drafts else None
    if (
        first is None
        or first.kind is not Kind.PARAGRAPH
        or first.quote
        or any(run.link for run in first.runs)
    ):
        return drafts
    said = glyphs.words(first.text)
    if len(said) > _PREHEADER or said.count(" ") <= _PREHEADER_WORDS + 1:
        return drafts
    for draft in drafts[1:_REPEATED_WITHIN]:
        again = glyphs.words(draft.text)
        if said in again and (draft.kind is Kind.HEADING or len(again) > len(said)):
            return drafts[1:]
    return drafts


def segments(drafts: list[Draft], section: str, reply: bool) -> list[TextSegment]:
    """Return the drafts of one part as segments with roles and positions."""
    kept = list(_without_idle_rules(chain.from_iterable(map(_with_role, drafts))))
    if reply:
        _mark_original(kept)
    _mark_signature(kept)
    return [draft.segment(Position(section, ordinal)) for ordinal, draft in enumerate(kept)]


def rows(lines: list[tuple[Kind, list[Run]]], section: str) -> list[TextSegment]:
    """Return the rows of a viewer as segments."""
    return [
        Draft(kind, runs).segment(Position(section, ordinal)) for ordinal, (kind, runs) in enumerate(lines)
    ]
