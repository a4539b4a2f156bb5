"""The document types that are compiled: WML, Service Indication, Service Loading; each with its tokens.

Nothing here may do anything: tables, and what follows from them alone. WAP-191 §14 (WML), WAP-167 §8.3 (SI),
WAP-168 §8.3 (SL), WAP-192 §7.2 (public identifiers).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.wap.wbxml import tokens


@dataclass(frozen=True, slots=True)
class DocumentType:
    """One document type. `public_ids`: the first is used for a document that names none or an unknown one.

    `starts`: (attribute, beginning of its value) -> token. `inline`: elements beside which white space counts.
    `urls`: attributes where a variable is escaped unless it says otherwise; `dates`: attributes written as digits;
    `variables`: `$` begins a variable.
    """

    root: str
    public_ids: Mapping[str, int]
    system_ids: Mapping[str, str]
    tags: Mapping[str, int]
    starts: Mapping[tuple[str, str], int]
    values: Mapping[str, int]
    inline: frozenset[str] = frozenset()
    urls: frozenset[str] = frozenset()
    dates: frozenset[str] = frozenset()
    variables: bool = False
    starts_by_name: Mapping[str, tuple[tuple[str, int], ...]] = field(init=False)
    value_pattern: re.Pattern[str] = field(init=False)
    tag_names: Mapping[int, str] = field(init=False)
    start_names: Mapping[int, tuple[str, str]] = field(init=False)
    value_names: Mapping[int, str] = field(init=False)

    def __post_init__(self) -> None:
        """Invert the tables, and put the longest strings first, since an alternation tries them in order."""
        by_name: dict[str, list[tuple[str, int]]] = {}
        for (name, prefix), token in sorted(self.starts.items(), key=lambda row: -len(row[0][1])):
            by_name.setdefault(name, []).append((prefix, token))
        values = sorted(self.values, key=len, reverse=True)
        object.__setattr__(self, "starts_by_name", {name: tuple(rows) for name, rows in by_name.items()})
        object.__setattr__(self, "value_pattern", re.compile(f"({'|'.join(map(re.escape, values))})"))
        object.__setattr__(self, "tag_names", {token: name for name, token in self.tags.items()})
        object.__setattr__(self, "start_names", {token: start for start, token in self.starts.items()})
        object.__setattr__(self, "value_names", {token: value for value, token in self.values.items()})


WML: Final = DocumentType(
    "wml",
    tokens.PUBLIC_IDS,
    tokens.SYSTEM_IDS,
    tokens.TAGS,
    tokens.ATTRIBUTE_STARTS,
    tokens.ATTRIBUTE_VALUES,
    inline=tokens.INLINE,
    urls=tokens.HREF_ATTRIBUTES,
    variables=True,
)

#: WAP-167 §5.2.1: a date in UTC.
DATE: Final = re.compile(r"[1-9]\d{3}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\dZ", re.ASCII)

_DOMAINS: Final = {".com/": 0x85, ".edu/": 0x86, ".net/": 0x87, ".org/": 0x88}

SI: Final = DocumentType(
    "si",
    {"-//WAPFORUM//DTD SI 1.0//EN": 0x05},
    {"-//WAPFORUM//DTD SI 1.0//EN": "http://www.wapforum.org/DTD/si.dtd"},
    {"si": 0x05, "indication": 0x06, "info": 0x07, "item": 0x08},
    {
        ("action", "signal-none"): 0x05,
        ("action", "signal-low"): 0x06,
        ("action", "signal-medium"): 0x07,
        ("action", "signal-high"): 0x08,
        ("action", "delete"): 0x09,
        ("created", ""): 0x0A,
        ("href", ""): 0x0B,
        ("href", "http://"): 0x0C,
        ("href", "http://www."): 0x0D,
        ("href", "https://"): 0x0E,
        ("href", "https://www."): 0x0F,
        ("si-expires", ""): 0x10,
        ("si-id", ""): 0x11,
        ("class", ""): 0x12,
    },
    _DOMAINS,
    dates=frozenset({"created", "si-expires"}),
)

SL: Final = DocumentType(
    "sl",
    {"-//WAPFORUM//DTD SL 1.0//EN": 0x06},
    {"-//WAPFORUM//DTD SL 1.0//EN": "http://www.wapforum.org/DTD/sl.dtd"},
    {"sl": 0x05},
    {
        ("action", "execute-low"): 0x05,
        ("action", "execute-high"): 0x06,
        ("action", "cache"): 0x07,
        ("href", ""): 0x08,
        ("href", "http://"): 0x09,
        ("href", "http://www."): 0x0A,
        ("href", "https://"): 0x0B,
        ("href", "https://www."): 0x0C,
    },
    _DOMAINS,
)

#: Root element -> document type.
BY_ROOT: Final = {doctype.root: doctype for doctype in (WML, SI, SL)}
#: Number of a public identifier -> the identifier and its document type.
BY_NUMBER: Final = {
    number: (public_id, doctype)
    for doctype in BY_ROOT.values()
    for public_id, number in doctype.public_ids.items()
}
