"""Quoting: how mail programs mark quoted originals, replies, signatures and notices; tests of lines.

Nothing here may know of blocks; the words are in `quoting_words`. A word alone never makes text a quotation: a
marker has its own line, and a header block needs three different field names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from gateway.rendition.text import quoting_words as words


def _either(words: Sequence[str]) -> str:
    return "|".join(words)


#: "-----Original Message-----", as in Outlook and its imitators.
_ORIGINAL: Final = re.compile(
    rf"[-_– ]{{2,}}\s*(?:{_either(words.ORIGINALS)})\s*(?:[-_– ]{{2,}}|:)\Z", re.IGNORECASE
)

_HEADER_NAMES: Final = {
    name: kind
    for kind, names in (
        ("from", words.FROM),
        ("date", words.DATE),
        ("to", words.TO),
        ("subject", words.SUBJECT),
    )
    for name in names
}
_HEADER_LINE: Final = re.compile(r"[*_\s]{0,4}(\w[\w ]{0,18}?)[*_\s]{0,4}\s?[::][*_]{0,2}(?:\s|\Z)")
#: Lines examined for a header block: five fields, and a To of several lines.
HEADER_LINES: Final = 8

_REPLY: Final = re.compile(rf"\s*(?:{_either(words.REPLIES)})\s*(?:\[\d+\]|\d)?\s*[::]", re.I)
_FORWARD: Final = re.compile(rf"\s*(?:{_either(words.FORWARDS)})\s*(?:\[\d+\])?\s*[::]", re.I)

#: Verb and colon; or, without a verb (as in Russian), a date, an address and a colon.
_ATTRIBUTION: Final = re.compile(
    rf"(?:{_either(words.WROTE)})[^…]{{0,90}}[::…]\s*\Z|\d[^<]{{4,200}}<\s?[^<>\s]{{1,100}}@[^<>\s]{{1,100}}>\s?[::]\s*\Z",
    re.IGNORECASE,
)
#: The same as the caption of a rule: "---- On Monday, Anna wrote ----", "--- Anna wrote: ---".
_CAPTION: Final = re.compile(
    rf"-{{3,}} ?[^-\s][^\n]{{2,200}}(?:{_either(words.WROTE)}) ?(:)?(?:[^\n]{{0,60}}[^-\s])? ?-{{3,}}\s*\Z",
    re.IGNORECASE,
)
#: The ends of an attribution.
_INTRODUCES: Final = (":", "：", "…")
#: What only an automatic attribution has: a date, a time, or an address.
_DATED: Final = re.compile(r"\d[^\n]{0,60}\d[:.h年]\s?\d|\b(?:19|20)\d\d\b|\S@\w")
#: A longer paragraph that ends in "wrote:" is prose, characters.
_ATTRIBUTION_LIMIT: Final = 300

_LEGAL: Final = re.compile(rf"\b(?:{_either(words.LEGAL)})\b", re.IGNORECASE)
#: The literal beginning of each: searching for these takes a tenth of the time, and most paragraphs have none.
_LEGAL_BEGINNINGS: Final = tuple(re.split(r"[\\(\[]", word)[0].casefold() for word in words.LEGAL)
#: The least different terms, and the least characters, of a legal notice.
_LEGAL_HITS: Final = 3
_LEGAL_LENGTH: Final = 160


def is_original_marker(line: str) -> bool:
    """Return whether a line announces an unmarked original."""
    return len(line) < 90 and _ORIGINAL.match(line.strip()) is not None


def header_kind(line: str) -> str:
    """Return the field that a line begins with ("from", "date", "to", "subject"), or ''."""
    match = _HEADER_LINE.match(line)
    return _HEADER_NAMES.get(match.group(1).strip().lower(), "") if match else ""


def is_header_block(lines: Sequence[str]) -> bool:
    """Return whether these lines begin with the header block of a quoted original."""
    if not lines or not header_kind(lines[0]):
        return False
    kinds = {header_kind(line) for line in lines[:HEADER_LINES]} - {""}
    return len(kinds) >= 3 and "from" in kinds


def announces(text: str) -> bool:
    """Return whether a paragraph is only what programs write above an original: a marker, a header block."""
    first, _, rest = text.partition("\n")
    if is_original_marker(first):
        return not rest or header_kind(rest) != ""
    return rest != "" and header_kind(first) != "" and is_header_block(text.split("\n"))


def is_reply(subject: str) -> bool:
    """Return whether a subject begins like a reply's."""
    return _REPLY.match(subject) is not None


def is_forward(subject: str) -> bool:
    """Return whether a subject begins like a forwarded message's."""
    return _FORWARD.match(subject) is not None


def is_attribution(text: str) -> bool:
    """Return whether a paragraph introduces a quotation."""
    last = text.rstrip()[-1:]
    if len(text) > _ATTRIBUTION_LIMIT:
        return False
    return _is_caption(text) if last == "-" else last in _INTRODUCES and _ATTRIBUTION.search(text) is not None


def _is_caption(text: str) -> bool:
    caption = _CAPTION.match(text) if text.startswith("---") else None
    return caption is not None and (caption[1] is not None or _DATED.search(text) is not None)


def introduces_all(text: str) -> bool:
    """Return whether an attribution is automatic, so that whatever follows without marks is quoted to the end."""
    return is_attribution(text) and (_DATED.search(text) is not None or _is_caption(text))


#: Quote marks that are recognized only after an attribution: "# ", ": ", "--]", "AB> ".
_MARKED: Final = re.compile(r"(?:[#:%}\])|!+~-]|--?[\])>]|[A-Za-z]{1,4}[>)|\]])\s?")


def is_marked(text: str) -> bool:
    """Return whether a line after an attribution has an unusual quote mark."""
    return _MARKED.match(text) is not None


_FOOTER: Final = re.compile(rf"\b(?:{_either(words.FOOTERS)})\b", re.IGNORECASE)


def is_footer_rule(line: str) -> bool:
    """Return whether a line is a rule such as list managers put before a footer."""
    return len(line) >= 20 and not line.strip("_-=~")


def is_list_footer(line: str) -> bool:
    """Return whether a line after such a rule mentions a mailing list."""
    return _FOOTER.search(line) is not None


#: Fields that only mail systems write: a block of fields with one of them is a header.
_TECHNICAL: Final = re.compile(
    r"(?:received|return-path|message-id|mime-version|content-type|content-transfer-encoding|dkim-signature|"
    r"domainkey-signature|authentication-results|received-spf|delivered-to|arc-[a-z-]+|x-[\w-]+|list-[a-z-]+):",
    re.IGNORECASE,
)
_FIELD: Final = re.compile(r"[A-Za-z][\w-]{1,60}:(?:\s|\Z)")
#: The least fields among the first lines of a header.
_FIELDS_LEAST: Final = 3


def is_mail_header(lines: Sequence[str]) -> bool:
    """Return whether lines are a raw mail header in the text; leading spaces matter."""
    if not lines or not (lines[0].startswith((" ", "\t")) or _FIELD.match(lines[0])):
        return False
    fields = [line for line in lines if _FIELD.match(line)]
    if any(line not in fields and not line.startswith((" ", "\t")) for line in lines):
        return False
    technical = sum(_TECHNICAL.match(line) is not None for line in fields)
    return technical > 0 and len(fields) >= _FIELDS_LEAST - (technical > 1)


def is_legal(text: str) -> bool:
    """Return whether a paragraph is a legal notice appended by a mail system."""
    if len(text) < _LEGAL_LENGTH:
        return False
    folded = text.casefold()
    if not any(map(folded.__contains__, _LEGAL_BEGINNINGS)):
        return False
    return len({match.group().lower() for match in _LEGAL.finditer(text)}) >= _LEGAL_HITS
