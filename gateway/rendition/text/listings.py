"""Listings: source code, diffs and shell sessions, recognized by their lines and left as they are.

Nothing here may know of blocks. One odd line is not a listing: most lines of a paragraph decide.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from gateway.rendition.text.line_kinds import is_delimiter, item
from gateway.rendition.text.lines import LOOK, Line

#: Lines in which a listing must be recognized, as reading may begin inside one.
LOOK_LINES: Final = 8
#: The least steps of indentation inwards, and as many outwards, that show nested commands.
STEPS: Final = 2

_DIFF_BEGINS: Final = re.compile(
    r"diff (?:--git |-[a-zA-Z]|--)|Index: \S+\Z|@@ -\d+(?:,\d+)? \+\d+|\*{3} \S+\s.*\d|--- \S+(?:\s|\Z)"
)
_DIFF_FOLLOWS: Final = re.compile(
    r"\+\+\+ |@@ -\d|---|={20,}|index [0-9a-f]{6,}|(?:new|deleted|old) .*mode |similarity "
)
_DIFF_LINE: Final = re.compile(
    r"[ +\-@!\\\t]|diff |index [0-9a-f]|Index: |={20,}|\*{3}|(?:new|deleted|old) .*mode |rename |similarity |Binary "
)
_CHANGE: Final = re.compile(r"[+-](?![\d\s+-])|[+-]\t|@@ -|diff |\+{3} |-{3} \S")
_ADDED: Final = re.compile(r"\+(?![\d\s+])|\+\t|@@ -\d")

_CODE_LINE: Final = re.compile(
    r".*[=()\[\]<>{}].*[;{]$|\s*[{}\])]+[;,]?\s*$|\s*(?:break|continue|return|pass|end|fi|done|esac)\b[\w\s]{0,30};?$"
    r"|\s*(?://|/\*|\*/|#include\b|#define\b|#!|--\s*\w+=|<\?|</?[\w:-]+(?:\s[\w:-]+=[^>]*)?/?>\s*\S*$)"
    r"|\s*(?:def|class|if|elif|else|for|while|with|try|except|switch|function|sub|case)\b.*[:{]$"
    r"|\s*(?:import|from|require|use|using|package|export|local|const|let|var|my)\s[\w.{$\"'*].*"
    r"|\s*[\w.$@\[\]\"'>-]{1,40}\s?(?:[-+*/|.:]?=|->|=>)\s?[\w\"'({\[$&*-].*"
    r"|\s*(?:\$|%|>>>|\.\.\.|[A-Za-z]:\\[^>]*>|[\w.-]+@[\w.-]+[^\s]{0,40}[$#%])\s\S.*|\s+at [\w.$<>]+\(.*\)$"
    r"|\s*File \".*\", line \d+.*|\s*(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|FROM|WHERE|JOIN)\s[\w*].*"
    r"|\s*\"[\w -]{1,40}\"\s*:\s.*|\s*[\w.]+\(.*\)[;,]?$"
)
#: What prose hardly ever has: a quick test before all the above.
_CODE_SIGN: Final = re.compile(
    r"[=()\[\]{}<>;$%\"#@*]|//|:$|^\s*(?:break|continue|return|pass|end|fi|done|esac|import|from|require|use|using|"
    r"package|export|local|const|let|var|my|SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|FROM|WHERE|JOIN|\.\.\.)\b"
)
_NESTED_SIGN: Final = re.compile(r"[={};\\]|\$[\w{(]*[a-z_]|\w\(\)|->")
_PROMPT: Final = re.compile(r"\[?[\w.-]{1,32}@[\w.-]{1,40}[: ]\S{0,60}(?: ?[$#%]|>) [a-z./]")
#: Where a line of code ends in a comma: inside brackets, or among assignments.
_LISTED: Final = re.compile(r"[(\[{;]|[\w\"'] ?[:=]+ ?[\w\"'(\[{$]")
_OPENS: Final = re.compile(
    r"[\[({\\,;=]$|^\s*(?:def|class|if|elif|else|for|while|with|try|except|switch|function|sub)\b.*:$"
)


def is_diff(ahead: Sequence[Line]) -> bool:
    """Return whether a diff begins or continues here."""
    if len(ahead) < 2 or ahead[0].flows:
        return False
    if _DIFF_BEGINS.match(ahead[0].raw) and _DIFF_FOLLOWS.match(ahead[1].raw):
        return True
    if ahead[0].raw.startswith("@@ -"):
        return True
    seen = ahead[:LOOK_LINES]
    return all(is_diff_line(line) for line in seen) and sum(map(_is_added, seen)) > 0 and _is_marked(seen)


def is_diff_line(line: Line) -> bool:
    """Return whether a line may belong to a diff."""
    return _DIFF_LINE.match(line.raw) is not None and not is_delimiter(line)


def is_change(line: Line) -> bool:
    """Return whether a line can only belong to a diff."""
    return _CHANGE.match(line.raw) is not None and not is_delimiter(line)


def is_context(line: Line) -> bool:
    """Return whether a line after an empty line of a diff can be context: it is indented, but not as a list item."""
    return line.raw.startswith((" ", "\t")) and bool(line.text) and item(line) is None


def _is_added(line: Line) -> bool:
    return _ADDED.match(line.raw) is not None


def _is_marked(seen: Sequence[Line]) -> bool:
    """Return whether changed lines are next to others, or to context."""
    return sum(is_change(line) for line in seen) >= 2 or any(line.raw[:1] in (" ", "\t") for line in seen)


def is_code(ahead: Sequence[Line]) -> bool:
    """Return whether a paragraph is source code: going by half of its lines, or by the indentation of the second."""
    if len(ahead) < 2 or any(line.flows for line in ahead[:2]) or item(ahead[0]) is not None:
        return False
    if item(ahead[1]) is None and _opens(ahead[0], ahead[1]):
        return True
    found = sum(map(_is_code_line, ahead))
    return (found >= 2 and 2 * found >= len(ahead)) or _is_nested(ahead)


def _is_nested(ahead: Sequence[Line]) -> bool:
    """Return whether lines are indented and outdented in steps, as commands are, and half of them have signs of
    code."""
    if ahead[0].raw[:1] not in (" ", "\t"):
        return False
    steps = [_indent(line) - _indent(before) for before, line in pairwise(ahead)]
    if sum(step > 0 for step in steps) < STEPS or sum(step < 0 for step in steps) < STEPS:
        return False
    return 2 * sum(_NESTED_SIGN.search(line.raw[:LOOK]) is not None for line in ahead) >= len(ahead)


def has_prompt(ahead: Sequence[Line]) -> bool:
    """Return whether a command after a shell prompt is among the lines: then none of them is wrapped."""
    found = [line for line in ahead if "@" in line.text]
    return bool(found) and any(_PROMPT.match(line.text[:LOOK]) for line in found)


def _is_code_line(line: Line) -> bool:
    text = line.raw
    return (
        len(text) <= LOOK
        and _CODE_SIGN.search(text) is not None
        and _CODE_LINE.match(text.rstrip()) is not None
    )


def _opens(line: Line, following: Line) -> bool:
    deeper = _indent(following) >= _indent(line) + 2
    text = line.raw.rstrip()
    if not deeper or len(text) > LOOK or (text.endswith(",") and not _LISTED.search(text)):
        return False  # a greeting, or centred prose
    return _OPENS.search(text) is not None


def _indent(line: Line) -> int:
    expanded = line.raw.expandtabs(8)
    return len(expanded) - len(expanded.lstrip())
