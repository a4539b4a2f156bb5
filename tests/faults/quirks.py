"""Quirks: what servers say, or refuse, all the time; each applies for the whole of a request.

Nothing here may know the gateway. Reported about real servers, or similar to what is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Final

from tests.servers.scripted.twisting import End


def _same(response: bytes) -> bytes | End:
    return response


@dataclass(frozen=True)
class Quirk:
    """What becomes of each response, and which commands are refused, with which words (after the tag)."""

    change: Callable[[bytes], bytes | End] = _same
    refuses: bytes = b""
    said: bytes = b"BAD Unknown command"


def _swap(pattern: bytes, instead: bytes | Callable[[re.Match[bytes]], bytes]) -> Quirk:
    return Quirk(lambda response: re.sub(pattern, instead, response, flags=re.DOTALL))


def _after(pattern: bytes, more: bytes) -> Quirk:
    return Quirk(lambda response: response + more if re.match(pattern, response) else response)


def _before(pattern: bytes, more: bytes) -> Quirk:
    return Quirk(lambda response: more + response if re.match(pattern, response) else response)


def _bare(change: Callable[[bytes], bytes | End] = _same) -> Callable[[bytes], bytes | End]:
    """Announce nothing but what every server can do."""
    return lambda response: change(
        re.sub(rb"CAPABILITY IMAP4rev1[^\]\r]*", b"CAPABILITY IMAP4rev1 AUTH=PLAIN", response)
    )


_changing = count(5)

#: Name -> quirk with which everything must be listed nevertheless.
HARMLESS: Final[dict[str, Quirk]] = {
    "nothing but IMAP4rev1": Quirk(_bare()),
    "blank lines": _before(rb"", b"\r\n"),
    "OK between": _before(rb"\* (?!OK)", b"* OK Still here\r\n"),
    "NO between": _before(rb"\* (?!OK)", b"* NO Nearly full\r\n"),
    "ALERT between": _before(rb"\* (?!OK)", b"* OK [ALERT] Nearly full\r\n"),
    "endings without text": _swap(rb"\A(p\d+ OK) [^\[\r]*\r", rb"\1\r"),
    "endings in lower case": _swap(rb"\A(p\d+) OK", rb"\1 ok"),
    "capabilities told apart after sign-in": _swap(
        rb"\A(p\d+ OK) \[CAPABILITY [^\]]*\]", rb"* CAPABILITY IMAP4rev1 UIDPLUS\r\n\1"
    ),
    "header fields in ranges": Quirk(refuses=rb".*HEADER\.FIELDS [^\]]*\]<"),
    "header fields in groups": Quirk(refuses=rb".*HEADER\.FIELDS.*HEADER\.FIELDS"),
    "header fields in groups, NO": Quirk(refuses=rb".*HEADER\.FIELDS.*HEADER\.FIELDS", said=b"NO cannot"),
    "structures": Quirk(refuses=rb".*BODYSTRUCTURE"),
    "STATUS": Quirk(refuses=rb"STATUS"),
    "STATUS of the selected mailbox": Quirk(_bare(), rb"STATUS", b"BAD Mailbox is selected"),
    "NAMESPACE": Quirk(refuses=rb"NAMESPACE", said=b"NO no"),
    "NOOP": Quirk(refuses=rb"NOOP", said=b"NO not now"),
    "LSUB": Quirk(_bare(), rb"LSUB", b"NO no"),
    "EXPUNGE of what never was": _before(rb"p\d+ ", b"* 900 EXPUNGE\r\n" * 9),
    "more announced than is there": _swap(rb"\A\* \d+ EXISTS", b"* 900 EXISTS"),
    "less announced than is there": _swap(rb"\A\* \d+ EXISTS", b"* 0 EXISTS"),
    "no EXISTS": Quirk(lambda response: b"" if re.match(rb"\* \d+ EXISTS", response) else response),
    "no EXISTS, and no STATUS": Quirk(
        lambda response: b"" if re.match(rb"\* \d+ EXISTS", response) else response, rb"STATUS"
    ),
    "endings of unknown tags": _before(rb"(?!\* OK \[CAPA)", b"x9 OK Left over.\r\n"),
    "endings twice": _swap(rb"\A(p\d+ (?:OK|NO|BAD).*)", rb"\1\1"),
    "leave to go on unasked": _before(rb"(?!\* OK \[CAPA)", b"+ idling\r\n"),
    "words of no kind": _before(rb"(?!\* OK \[CAPA)", b"hello there\r\n* 17\r\n* \r\n*\r\n"),
    "no UIDNEXT": Quirk(lambda response: b"" if b"[UIDNEXT" in response else response),
    "no UIDVALIDITY": Quirk(lambda response: b"" if response.startswith(b"* OK [UIDVAL") else response),
    "rows of other messages": _before(rb"\* 3 FETCH", b'* 9 FETCH (UID 99 RFC822.SIZE 9 BODY[] "x")\r\n'),
    "sizes of parts too large": _swap(rb'("7bit") \d+', rb"\1 99999999"),
    "sizes of parts too small": _swap(rb'("7bit") \d+', rb"\1 1"),
    "sizes too large": _swap(rb"RFC822.SIZE \d+", b"RFC822.SIZE 999999999"),
    "sizes too small": _swap(rb"RFC822.SIZE \d+", b"RFC822.SIZE 1"),
    "parameters ()": _swap(rb'\("charset" "[^"]*"\)', b"()"),
    "searches in any order, twice": Quirk(
        _bare(
            lambda response: re.sub(
                rb"\A\* SEARCH(.*)\r\n",
                lambda found: b"* SEARCH " + b" ".join(found[1].split()[::-1] * 2) + b"\r\n",
                response,
            )
        )
    ),
    "searches in several lines": Quirk(
        _bare(
            lambda response: re.sub(
                rb"\A\* SEARCH(.*)\r\n",
                lambda found: b"".join(b"* SEARCH %b\r\n" % uid for uid in found[1].split()),
                response,
            )
        )
    ),
    "the inbox in other letters": _swap(rb"\A(\* (?:LIST|LSUB|STATUS) .*)INBOX", rb"\1Inbox"),
    "the inbox not listed": Quirk(
        lambda response: b"" if re.match(rb"\* (LIST|LSUB) .*INBOX", response) else response
    ),
    "a line end in a name": _after(rb"\* LIST .*Sent", b'* LIST () "/" {10}\r\nA\r\nLOGOUT1\r\n'),
    "names of Yandex": _after(rb"\* LIST .*Sent", b'* LIST () "|" "A & B|&BBUENQ-"\r\n'),
    "namespaces of UW": _swap(
        rb"\A\* NAMESPACE .*",
        b'* NAMESPACE (("" "/")("#mhinbox" NIL)("#mh/" "/")) (("~" "/")) (("#public/" "/"))\r\n',
    ),
}  # fmt: skip
#: Name -> quirk with which not everything is available.
HINDERING: Final[dict[str, Quirk]] = {
    "nothing but sign-in": Quirk(
        refuses=rb"(?!AUTH|LOGIN|CAPA|LOGOUT)", said=b"BAD User is authenticated but not connected."
    ),
    "SELECT before ID": Quirk(refuses=rb"SELECT|EXAMINE", said=b"NO SELECT Unsafe Login."),
    "SELECT, with ALERT": Quirk(refuses=rb"SELECT|EXAMINE", said=b"NO [ALERT] Too much traffic."),
    "SELECT, in use": Quirk(refuses=rb"SELECT", said=b"NO [INUSE] Locked."),
    "sign-in, with ALERT": Quirk(refuses=rb"AUTH|LOGIN", said=b"NO [ALERT] Use your web browser."),
    "greeting BYE": _swap(rb"\A\* OK \[CAPA.*", b"* BYE Too many connections.\r\n"),
    "greeting PREAUTH": _swap(rb"\A\* OK \[CAPA.*", b"* PREAUTH hello\r\n"),
    "FETCH": Quirk(refuses=rb"(UID )?FETCH", said=b"NO Some messages are not there."),
    "rows without header": _swap(rb"BODY(\[HEADER[^\]]*\]\S*) \{\d+\}.*", rb"BODY\1 NIL)\r\n"),
    "LIST": Quirk(refuses=rb"LIST", said=b"NO not allowed"),
    "STORE": Quirk(refuses=rb"UID STORE", said=b"NO [READ-ONLY] No."),
    "changes": Quirk(refuses=rb"UID (STORE|MOVE|COPY|EXPUNGE)", said=b"BAD Mailbox is read-only"),
    "room": Quirk(refuses=rb"APPEND|UID (COPY|MOVE)", said=b"NO [OVERQUOTA] Full."),
    "folders": Quirk(refuses=rb"UID (COPY|MOVE)|APPEND", said=b"NO [TRYCREATE] No such mailbox."),
    "another UIDVALIDITY each time": _swap(
        rb"UIDVALIDITY \d+", lambda _: b"UIDVALIDITY %d" % next(_changing)
    ),
}  # fmt: skip
QUIRKS: Final = HARMLESS | HINDERING
