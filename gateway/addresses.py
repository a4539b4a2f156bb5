"""The grammar of our URLs: every code in a URL, encoded and decoded.

Nothing here may know a request or a screen: plain values in, a piece of a URL out, and back. Whatever makes a link and
whatever follows one uses this module, so that no address in a page of ours is refused by us. Codes consist of
characters that need no escaping (RFC 3986 §2.3); an invalid one raises BadRequest.

    ~TOKEN                 the session, before everything else in the path
    1.2, 1.2t              a section of a message, its text
    1.2-3kEKN-4            a position in a message: section, start, state, characters to skip
    su, t4711              a view of a mailbox: by subject, unread only; the thread of a UID
    10-4711, 10-4711sp     a position in a list: the tenth row, which was UID 4711; read rows (s), the page before (p)
    3.77                   a message: the number of its mailbox, its UID
    q3.20, su.10-4711      the list that a message was opened from: a search and a row, a view and a position
    0-3                    the way down into nested files
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from gateway.errors import BadRequest
from gateway.message.mime.part_tree import SECTION_PATTERN
from gateway.message.model import MAX_NUMBER, MAX_UID, UID_DIGITS

#: A session's token at the beginning of a path; with a length other than ours, an ended session's.
SESSION_ROOT: Final = re.compile(r"/~([A-Za-z0-9_-]{16,64})(?=/|\Z)")

#: Characters of 6 bits in the id of a link: 66 bits cannot be guessed, and do not collide.
LINK_ID_LENGTH: Final = 11
LINK_ID_PATTERN: Final = rf"[A-Za-z0-9_-]{{{LINK_ID_LENGTH}}}"

#: Matches every position that `Position.encode` returns: 36**8 octets are more than a message has, and the longest
#: state is five letters of the reader's and five of the decoder's (`rendition.segments`, `message.charset.shifts`).
POSITION_PATTERN: Final = rf"(?:{SECTION_PATTERN}t?)?-[0-9a-z]{{1,8}}[A-Z]{{0,10}}(?:-[0-9a-z]{{1,8}})?"
_POSITION: Final = re.compile(POSITION_PATTERN)
_POSITION_PIECES: Final = re.compile(r"(.*?)-([0-9a-z]+)([A-Z]*)(?:-([0-9a-z]+))?")
#: The end of the section of a message's text (RFC 9051 §6.4.5), and its abbreviation in a position.
_TEXT, _T = ".TEXT", "t"

#: The letters of the orders and of the filters of a list; only one order has threads.
ORDERS: Final = "adfszntr"
FILTERS: Final = "ug"
_THREADS: Final = "t"
VIEW_PATTERN: Final = rf"[{ORDERS}][{FILTERS}]?(?:[1-9][0-9]{{0,9}})?"
_VIEW: Final = re.compile(rf"([{ORDERS}])([{FILTERS}]?)([1-9][0-9]{{0,9}})?")

#: The highest row of a list, whatever an address says.
HIGHEST_RANK: Final = 10**8
#: The digits of a UID.
_UID: Final = rf"[0-9]{{1,{UID_DIGITS}}}"
LIST_POSITION_PATTERN: Final = rf"[1-9][0-9]{{0,8}}-{_UID}s?p?"
_LIST_POSITION: Final = re.compile(rf"([1-9][0-9]{{0,8}})-({_UID})(s?)(p?)")

_MESSAGE: Final = re.compile(rf"([0-9]{{1,10}})\.({_UID})")
_SEARCH: Final = re.compile(r"q([1-9][0-9]{0,8})(?:\.([1-9][0-9]{0,8}))?")
_TOP: Final = re.compile(r"[1-9][0-9]{0,8}")
_WAY: Final = re.compile(r"[0-9]{1,4}(?:-[0-9]{1,4})*")

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a message where reading can start.

    `section`: the part, "" for the message itself. `start`: for text parts an octet offset into the encoded body at a
    safe boundary; for parts that are read whole (HTML) the ordinal of the block. `state`: capital letters, what the
    reader needs in order to begin there (decoder state, quoting; owned by the viewer of the part). `skip`: characters
    of the block there that were already shown.
    """

    section: str = ""
    start: int = 0
    state: str = ""
    skip: int = 0

    def encode(self) -> str:
        """Return the position as written in an address."""
        tail = f"-{base36(self.skip)}" if self.skip else ""
        section = self.section.removesuffix(_TEXT) + _T if self.section.endswith(_TEXT) else self.section
        return f"{section}-{base36(self.start)}{self.state}{tail}"

    @classmethod
    def decode(cls, text: str) -> Position:
        """Parse what `encode` returned. Raise BadRequest for anything else."""
        pieces = _POSITION_PIECES.fullmatch(text) if _POSITION.fullmatch(text) else None
        if pieces is None:
            raise BadRequest("position")
        section, start, state, skip = pieces.groups()
        section = section.removesuffix(_T) + _TEXT if section.endswith(_T) else section
        return cls(section, int(start, 36), state, int(skip or "0", 36))


class ViewCode(NamedTuple):
    """A view of a mailbox: the letters of an order and a filter, and the UID whose thread it is (0: no thread)."""

    order: str = ORDERS[0]
    filter: str = ""
    thread: int = 0

    def encode(self) -> str:
        """Return the view as written in an address."""
        return self.order + self.filter + (str(self.thread) if self.thread else "")

    @classmethod
    def decode(cls, text: str) -> ViewCode:
        """Parse what `encode` returned. Raise BadRequest for anything else."""
        found = _VIEW.fullmatch(text)
        thread = int(found[3] or 0) if found else 0
        if found is None or thread > MAX_NUMBER or (thread and found[1] != _THREADS):
            raise BadRequest("view")
        return cls(found[1], found[2], thread)


class ListPositionCode(NamedTuple):
    """A position in a list, with the fields of `store.base.ListPosition`."""

    rank: int = 1
    uid: int = 0
    before: bool = False
    part: int = 0

    def encode(self) -> str:
        """Return the position as written in an address."""
        return f"{self.rank}-{self.uid}{'s' * self.part}{'p' * self.before}"

    @classmethod
    def decode(cls, text: str) -> ListPositionCode:
        """Parse what `encode` returned. Raise BadRequest for anything else."""
        found = _LIST_POSITION.fullmatch(text)
        if found is None or int(found[2]) > MAX_UID:
            raise BadRequest("position in a list")
        return cls(min(int(found[1]), HIGHEST_RANK), int(found[2]), bool(found[4]), len(found[3]))


class MessageCode(NamedTuple):
    """A message: the number of its mailbox, and its UID."""

    number: int
    uid: int

    def encode(self) -> str:
        """Return the message as written in outcomes, memories and drafts."""
        return f"{self.number}.{self.uid}"

    @classmethod
    def decode(cls, text: str) -> MessageCode:
        """Parse what `encode` returned. Raise BadRequest for anything else."""
        found = _MESSAGE.fullmatch(text)
        if found is None:
            raise BadRequest("message")
        return cls(int(found[1]), int(found[2]))


class Origin(NamedTuple):
    """The list that a message was opened from: a search and a row of it, or a view of its mailbox and a position.

    `top`: its mailbox by arrival, from this sequence number down. If none of these is set: its mailbox in the default
    view.
    """

    search: int = 0
    row: int = 1
    view: ViewCode | None = None
    position: ListPositionCode | None = None
    top: int = 0

    @property
    def is_found(self) -> bool:
        """Whether the list is one that the mail server has sorted, filtered or searched."""
        return self.search > 0 or self.view is not None

    def encode(self) -> str:
        """Return the origin as written in an address."""
        if self.search:
            return f"q{self.search}" + (f".{self.row}" if self.row > 1 else "")
        if self.view is None:
            return str(self.top) if self.top else ""
        return self.view.encode() + (f".{self.position.encode()}" if self.position else "")

    @classmethod
    def decode(cls, text: str) -> Origin:
        """Parse what `encode` returned. Raise BadRequest for anything else."""
        if not text:
            return cls()
        if found := _SEARCH.fullmatch(text):
            return cls(int(found[1]), int(found[2] or 1))
        if _TOP.fullmatch(text):
            return cls(top=int(text))
        view, dot, position = text.partition(".")
        return cls(view=ViewCode.decode(view), position=ListPositionCode.decode(position) if dot else None)


def nesting_code(steps: Sequence[int]) -> str:
    """Return the way down into nested files as written in an address."""
    return "-".join(map(str, steps))


def nesting_steps(text: str) -> tuple[int, ...]:
    """Parse what `nesting_code` returned. Raise BadRequest for anything else."""
    if text and not _WAY.fullmatch(text):
        raise BadRequest("way into a file")
    return tuple(map(int, text.split("-"))) if text else ()


def split_root(path: str, prefix: str) -> tuple[str, str, str]:
    """Split a request's path into its root, the session's token in it or "", and the path of the screen.

    `prefix`: the path under which the gateway is served, such as "/mail", or "". A proxy may have removed it: it is
    part of the root in any case, since it is part of the addresses that the client sees.
    """
    within = path.removeprefix(prefix) if path == prefix or path.startswith(f"{prefix}/") else path
    match = SESSION_ROOT.match(within)
    return (prefix + match[0], match[1], within[match.end() :]) if match else (prefix, "", within)


def session_root(token: str) -> str:
    """Return the prefix of every path of a session that has its token in the path."""
    return f"/~{token}"


def relative(target: str, base: str) -> str:
    """Return absolute path `target` relative to the page at absolute path `base` (RFC 3986 §4.2)."""
    path, mark, query = target.partition("?")
    folder, _, name = path.rpartition("/")
    if folder == base.rpartition("/")[0]:  # as nearly always
        return (name or ".") + mark + query
    there, here = path.split("/"), base.split("/")
    shared = 0
    while shared < min(len(there), len(here)) - 1 and there[shared] == here[shared]:
        shared += 1
    steps = [".."] * (len(here) - 1 - shared) + there[shared:]
    return ("/".join(steps) or ".") + mark + query


def base36(number: int) -> str:
    """Return a number in digits and lower-case letters."""
    out = ""
    while True:
        number, digit = divmod(number, 36)
        out = _DIGITS[digit] + out
        if not number:
            return out
