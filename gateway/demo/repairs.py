"""Fixes for pymap 0.36.7 (pinned), each with its reason.

Nothing here may add a feature on which the gateway would then rely: only what RFC 3501 and the extensions that pymap
announces require. `apply()` may be called again; it works once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import pymap.mime
from pymap.backend.dict import Config
from pymap.backend.dict.mailbox import MailboxData
from pymap.backend.mailbox import MailboxDataInterface
from pymap.bytes import MaybeBytes
from pymap.config import IMAPConfig
from pymap.fetch import _BodyFetchValue, _BodyStructureFetchValue, _EnvelopeFetchValue
from pymap.listtree import ListEntry
from pymap.message import BaseLoadedMessage, _NoContent
from pymap.mime import MessageContent
from pymap.mime.parsed import ParsedHeaders
from pymap.parsing.specials.flag import Flag
from pymap.search import SearchCriteria

from gateway.demo.search_text import contains_text
from gateway.demo.structure import envelope, find, structure

SPECIAL_USE = {name: name.encode() for name in ("Drafts", "Sent", "Trash", "Junk", "Archive")}
ANY_KEYWORD = Flag(b"\\*")


@cache
def apply() -> None:
    """Apply all fixes in this process."""
    for repair in REPAIRS:
        repair()


def _put(owner: Any, name: str, value: Any) -> None:
    setattr(owner, name, value)


def special_use() -> None:
    """Announce the special use of mailboxes in LIST, and the capability (RFC 6154)."""
    plain = vars(ListEntry)["attributes"].fget

    def attributes(self: ListEntry) -> Sequence[bytes]:
        use = SPECIAL_USE.get(self.name)
        return [*plain(self), *([use] if use else [])]

    offered = vars(IMAPConfig)["login_capability"].fget
    _put(ListEntry, "attributes", property(attributes))
    _put(Config, "login_capability", property(lambda self: [*offered(self), b"SPECIAL-USE"]))


def greeting() -> None:
    """Replace the greeting, which looks up this machine's name: without a name service that takes seconds."""
    _put(Config, "greeting", property(lambda self: b"Pocketpost demo"))


def fetch_structures() -> None:
    """Replace ENVELOPE and BODYSTRUCTURE.

    pymap's ENVELOPE loses the connection on odd headers and decodes what should stay encoded; its BODYSTRUCTURE counts
    a part's header as its body and writes the disposition as a string.
    """

    def written(maker: Any) -> Any:
        return lambda self, loaded: maker(loaded.content)

    def body(self: Any, loaded: Any) -> MaybeBytes:
        return structure(loaded.content, False) if self.attribute.section is None else data(self, loaded)

    data: Any = _BodyFetchValue.get_value
    _put(_EnvelopeFetchValue, "get_value", written(envelope))
    _put(_BodyStructureFetchValue, "get_value", written(lambda content: structure(content, True)))
    _put(_BodyFetchValue, "get_value", body)


def sections() -> None:
    """Count a section number below message/rfc822 among the parts of the enclosed message, not as the message."""

    def subpart(self: BaseLoadedMessage, section: Sequence[int] | None) -> MessageContent:
        return find(self.content, section or ())

    _put(BaseLoadedMessage, "_get_subpart", subpart)


def empty_ranges() -> None:
    """Return no octets for a range without lines; pymap uses 0 as its start and all but one octet as its end."""

    def get_raw(view: memoryview, *ranges: Sequence[tuple[int, int, int]]) -> memoryview:
        lines = [line for each in ranges for line in (each[:1], each[-1:])]
        filled = [line[0] for line in lines if line]
        return view[filled[0][0] : filled[-1][2]] if filled else view[:0]

    _put(pymap.mime, "get_raw", get_raw)


def ugly_headers() -> None:
    """Leave out fields for which the library's header parser raises, as it does for some real mail."""
    plain = ParsedHeaders._parse

    def parse(values: Sequence[Sequence[bytes]]) -> Iterable[Any]:
        for value in values:
            try:
                yield from plain([value])
            except Exception:
                continue

    _put(ParsedHeaders, "_parse", staticmethod(parse))


def keywords() -> None:
    """Announce in PERMANENTFLAGS that flags such as $Forwarded are kept; otherwise STORE drops them."""
    plain = vars(MailboxDataInterface)["permanent_flags"].fget
    _put(MailboxData, "permanent_flags", property(lambda self: plain(self) | {ANY_KEYWORD}))


def searching() -> None:
    """Search the text as displayed, ignoring case.

    pymap searches base64 and encoded words undecoded, and distinguishes case beyond ASCII.
    """

    def contains(self: BaseLoadedMessage, value: bytes) -> bool:
        try:
            content = self.content
        except _NoContent:
            return False
        return contains_text(content, value.decode("utf-8", "replace"))

    def within(_cls: type[SearchCriteria], words: str, data: str) -> bool:
        return words.casefold() in data.casefold()

    _put(BaseLoadedMessage, "contains", contains)
    _put(SearchCriteria, "_in", classmethod(within))


REPAIRS = (
    special_use,
    greeting,
    fetch_structures,
    sections,
    empty_ranges,
    ugly_headers,
    keywords,
    searching,
)
