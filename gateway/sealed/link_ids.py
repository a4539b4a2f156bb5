"""Short ids that replace the links of a mail in our pages.

Nothing here may make an id that reveals its owner, or keep a URL that can be read from the database alone. An
id is a MAC under the session's token and the server secret, so that the same link is always the same row; the
row is found by the SHA-256 of the id and decrypted with the id itself, without a session.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from gateway.errors import SessionEnded
from gateway.sealed import vault
from gateway.state import State

LONGEST_TEXT = 200  # characters of a link's text that its page shows
#: Encodes a link; made once, since a page has dozens.
_encode: Final = json.JSONEncoder().encode


class Link(NamedTuple):
    """A link in a mail: URL and text, and device, markup and language of the session that shows it."""

    url: str
    text: str
    device: str
    markup: str
    language: str

    def packed(self) -> bytes:
        fields = [self.url, self.text[:LONGEST_TEXT], self.device, self.markup, self.language]
        return _encode(fields).encode("ascii")


class LinkIds:
    """Makes link ids, stores their links, and finds them again."""

    def __init__(self, state: State, secret: bytes, clock: Callable[[], float]) -> None:
        self._table, self._secret, self._clock = state.links, secret, clock
        #: The session whose ids were made last, and its key: a page has dozens of links.
        self._last = "", b""

    def id(self, link: Link, token: str) -> str:
        """Return the id of a link in a session; the same link always has the same id."""
        return vault.link_id(link.packed(), self._key(token))

    def _key(self, token: str) -> bytes:
        last, key = self._last
        if last != token:
            key = vault.link_key(token, self._secret)
            self._last = token, key
        return key

    def keep(self, links: Mapping[str, Link]) -> None:
        """Store the links of a page, by id; those already stored cost nothing."""
        now = self._clock()
        found = {vault.digest(key): (key, link) for key, link in links.items()}
        sealed = {
            digest: vault.seal(
                found[digest][1].packed(), found[digest][0], self._secret, _row(digest), b"link"
            )
            for digest in self._table.missing(found, now)
        }
        self._table.keep(sealed, now)

    def find(self, key: str) -> Link | None:
        """Find a link by its id alone; None if it is no longer known."""
        if not vault.is_link_id(key):
            return None
        digest = vault.digest(key)
        sealed = self._table.get(digest, self._clock())
        if sealed is None:
            return None
        try:
            return Link(*json.loads(vault.unseal(sealed, key, self._secret, _row(digest), b"link")))
        except SessionEnded:  # the server secret was changed
            return None


def _row(digest: bytes) -> int:
    return int.from_bytes(digest[:8], "big")
