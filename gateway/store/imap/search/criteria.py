"""Writes a Query as SEARCH keys, and reads the results of SEARCH, SORT and THREAD.

Nothing here may do I/O. A person's text is only ever written as a quoted string or a literal. IMAP has no
search key for attachments: multipart/mixed approximates it.

Standard: RFC 9051 §6.4.4 (SEARCH), §7.3.4 (ESEARCH); RFC 5256 (SORT, THREAD); RFC 5267 (PARTIAL); RFC 6855 §3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Final, TypeAlias

from gateway.errors import CannotSearch
from gateway.message.query import Query, Term
from gateway.store.imap import response
from gateway.store.imap.response import CommandResponse, ImapSyntaxError, Value, numeral, octets

#: Text and literals alternating: a command, or part of one.
CommandParts: TypeAlias = tuple[bytes, ...]

#: The most numbers that are read from one response; a request that could return more must be narrowed.
MOST_NUMBERS: Final = 100_000
UTF_8: Final = "utf-8"
ASCII: Final = "ascii"
#: ASCII text that is worth searching for when the rest cannot be.
_TELLING: Final = re.compile(r"[!-~]{3,}")

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
#: The search key for each term, with "%" for its text.
_LETTERS: Final = {
    "word": b"OR FROM % OR TO % OR CC % OR SUBJECT % BODY %",
    "from": b"FROM %",
    "to": b"OR TO % CC %",
    "subject": b"SUBJECT %",
    "text": b"TEXT %",
}
_OTHERS: Final = {"before": b"BEFORE ", "since": b"SINCE ", "larger": b"LARGER ", "smaller": b"SMALLER "}
_STATES: Final = {
    ("unread", False): b"UNSEEN", ("unread", True): b"SEEN",
    ("flagged", False): b"FLAGGED", ("flagged", True): b"UNFLAGGED",
    ("answered", False): b"ANSWERED", ("answered", True): b"UNANSWERED",
}  # fmt: skip
_ATTACHMENT: Final = b'HEADER Content-Type "multipart/mixed"'
#: Terms for which the server has to read whole messages.
_DEEP: Final = frozenset({"word", "text"})


def is_deep(query: Query) -> bool:
    """Return whether message bodies have to be read."""
    return any(term.key in _DEEP for term in query.terms)


def join(*parts: CommandParts | bytes) -> CommandParts:
    """Concatenate parts of a command."""
    joined: list[bytes] = [b""]
    for part in parts:
        first, *rest = (part,) if isinstance(part, bytes) else part
        joined[-1] += first
        joined.extend(rest)
    return tuple(joined)


def keys(query: Query, charset: str = UTF_8, utf8: bool = False) -> CommandParts:
    """Write the search keys; `utf8`: UTF8=ACCEPT is enabled, so that quoted strings may contain any characters."""
    parts: list[CommandParts | bytes] = []
    for term in query.terms:
        parts += [b" " if parts else b"", _key(term, charset, utf8)]
    return join(*parts) if parts else (b"ALL",)


def needs_charset(query: Query) -> bool:
    """Return whether the keys contain characters beyond ASCII."""
    return any(isinstance(term.value, str) and not term.value.isascii() for term in query.terms)


def _key(term: Term, charset: str, utf8: bool) -> CommandParts:
    if term.key == "is":
        return (_STATES[str(term.value), term.negated],)
    if term.key == "has":
        found: CommandParts = (_ATTACHMENT,)
    elif isinstance(term.value, date):
        day = f"{term.value.day}-{_MONTHS[term.value.month - 1]}-{term.value.year:04d}"
        found = (_OTHERS[term.key] + day.encode("ascii"),)
    elif isinstance(term.value, int):
        found = (_OTHERS[term.key] + b"%d" % term.value,)
    else:
        text = _string(term.value, charset, utf8)
        pieces = _LETTERS[term.key].split(b"%")
        found = join(pieces[0], *(part for piece in pieces[1:] for part in (text, piece)))
    return join(b"NOT ", found) if term.negated else found


def _string(text: str, charset: str, utf8: bool) -> CommandParts:
    if text.isascii() or utf8:
        return (response.quoted(text, utf8),)
    return b"", response.safe(text).encode(charset), b""


def in_charset(query: Query, offered: Sequence[str]) -> tuple[Query, str]:
    """Convert a query to a charset that the server offers, or reduce it to its ASCII text. Raise CannotSearch."""
    for name in offered:
        with suppress(LookupError, UnicodeError):
            for term in query.terms:
                str(term.value).encode(name)
            return query, name
    terms = []
    for term in query.terms:
        if not isinstance(term.value, str) or term.value.isascii():
            terms.append(term)
            continue
        telling = max(_TELLING.findall(term.value), key=len, default="")
        if telling and not term.negated:
            terms.append(replace(term, value=telling))
    if not any(term.key in _LETTERS for term in terms):
        raise CannotSearch("no charset for these letters")
    return Query(tuple(terms)), ASCII


def charsets(reply: CommandResponse) -> tuple[str, ...] | None:
    """Return the charsets of a BADCHARSET response, None for any other response."""
    if reply.ok or reply.status.code != "BADCHARSET":
        return None
    names = reply.status.argument.decode("ascii", "replace").strip("()").replace('"', "").split()
    return tuple(name for name in names if name.lower() not in ("utf-8", "utf8", "us-ascii", "ascii"))


# --- answers ---


def esearch(reply: CommandResponse) -> dict[bytes, Value]:
    """Read the results of ESEARCH, by upper-case name; if nothing was found, COUNT is 0 and lists are None."""
    found: dict[bytes, Value] = {}
    for line in reply.untagged:
        if line.kind == "ESEARCH":
            with suppress(ImapSyntaxError):
                found.update(_pairs(line.values()))
    return found


def _pairs(values: Sequence[Value]) -> Iterator[tuple[bytes, Value]]:
    """Pair names with values, skipping the correlator before them and UID, which has no value."""
    waiting = iter(values)
    for value in waiting:
        name = value.upper() if isinstance(value, bytes) else b""
        if name and name != b"UID":
            yield name, next(waiting, None)


def partial(reply: CommandResponse) -> list[int]:
    """Read the numbers of PARTIAL, in the server's order."""
    value = esearch(reply).get(b"PARTIAL")
    return expanded(value[1]) if isinstance(value, tuple) and len(value) == 2 else []


def numbers(*replies: CommandResponse) -> list[int]:
    """Read all numbers of SEARCH, SORT, or ALL in ESEARCH, in the server's order."""
    found = [n for reply in replies for n in expanded(esearch(reply).get(b"ALL"))]
    for line in (line for reply in replies for line in reply.untagged):
        if line.kind in ("SEARCH", "SORT"):
            words = (numeral(word) for piece in line.pieces for word in piece.split())
            # CONDSTORE may add (MODSEQ 7), which is not a message number.
            found.extend(n for n in words if n)
    return found[:MOST_NUMBERS]


def expanded(value: Value) -> list[int]:
    """Expand a sequence set, in its order, up to a limit."""
    found: list[int] = []
    for run in octets(value).split(b","):
        first, _, last = run.partition(b":")
        low, high = numeral(first), numeral(last or first)
        if low and high and len(found) < MOST_NUMBERS:
            step = 1 if low <= high else -1
            found.extend(range(low, high + step, step)[: MOST_NUMBERS - len(found)])
    return found


_THREADING: Final = re.compile(rb"[()]|\d{1,10}")


def threads(*replies: CommandResponse) -> list[list[int]]:
    """Read THREAD: the numbers of each thread, flattened, however deep it is."""
    found: list[list[int]] = []
    for line in (line for reply in replies for line in reply.untagged if line.kind == "THREAD"):
        depth = 0
        for token in (token[0] for piece in line.pieces for token in _THREADING.finditer(piece)):
            if token == b"(":
                depth += 1
                if depth == 1:
                    found.append([])
            elif token == b")":
                depth = max(0, depth - 1)
            elif depth and (n := numeral(token)):
                found[-1].append(n)
    return [thread for thread in found if thread]
