"""Quirks of servers, one at a time, between a real Dovecot and the store: each loses at most a row."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count

import pytest

from gateway.errors import StoreError, StoreUnreachable
from gateway.message.mime import body
from gateway.store.base import MessageRef, Window
from gateway.store.imap import imap_store
from gateway.store.imap.imap_store import ImapStore
from tests import rig
from tests.servers.dovecot import Dovecot
from tests.servers.scripted.twisting import Answer, Ask, End, Twisting

FILE = bytes(range(32, 127)) * 3000
TEXT = b"Number %d: caf\xc3\xa9, and what follows.\r\n"
ROWS = 5


def mail(number: int) -> bytes:
    file = base64.encodebytes(b"%d" % number + FILE).replace(b"\n", b"\r\n")
    return (
        b"From: Ann <ann@example.org>\r\nTo: me@example.net\r\nSubject: Number %d\r\n"
        b"Date: Tue, 3 Nov 2026 14:05:00 +0100\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        % number + TEXT % number + b"\r\n--x\r\n"
        b'Content-Type: application/octet-stream; name="data.bin"\r\n'
        b'Content-Disposition: attachment; filename="data.bin"'
        b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + file + b"\r\n--x--\r\n"
    )  # fmt: skip


_users = count()


@pytest.fixture
def user(dovecot: Dovecot) -> str:
    name = dovecot.user(f"quirk{next(_users)}")
    for number in range(1, ROWS + 1):
        dovecot.deliver(name, mail(number))
    return name


@contextmanager
def through(dovecot: Dovecot, user: str, answer: Answer, ask: Ask = bytes) -> Iterator[ImapStore]:
    with (
        Twisting(dovecot.ports["imap"], answer, ask) as proxy,
        closing(imap_store.connect(rig.plain(proxy), user, "secret")) as store,
        store.lent(lambda: imap_store.connect(rig.plain(proxy), user, "secret")),
    ):
        yield store


def only(number: int, change: Callable[[bytes], bytes | End]) -> Answer:
    """Change the FETCH responses about one message."""

    def answer(response: bytes) -> bytes | End:
        return change(response) if re.match(rb"\* %d FETCH" % number, response) else response

    return answer


def swap(pattern: bytes, instead: bytes) -> Callable[[bytes], bytes]:
    """Replace what matches, but not in literals with which a test has nothing to do."""
    return lambda response: re.sub(pattern, lambda _: instead, response, count=1, flags=re.DOTALL)


_STRUCTURE = rb'BODYSTRUCTURE \(.*?"mixed" .*?\) (?=BODY\[)'

#: Name, what becomes of a FETCH response, whether its header can still be read.
LINES: dict[str, Callable[[bytes], bytes | End]] = {
    "blank line before": lambda r: b"\r\n" + r,
    "blank line after": lambda r: r + b"\r\n",
    "bare line ends": lambda r: r[:-2] + b"\n",
    "trailing blanks": lambda r: r[:-2] + b"  \r\n",
    "lower case": swap(rb" FETCH ", b" fetch "),
    "no blank before the list": swap(rb" FETCH ", b" FETCH"),
    "two blanks": lambda r: re.sub(rb"^\* (\d+) FETCH ", rb"*  \1  FETCH  ", r),
    "a tab before the list": swap(rb" FETCH ", b" FETCH\t"),
    "line end in a string": swap(rb'"data.bin"', b'"da\r\nta.bin"'),
    "two line ends in strings": swap(rb'"data.bin" NIL', b'"da\r\nta\n.bin" NIL'),
    "folded between values": swap(rb" BODYSTRUCTURE ", b"\r\n BODYSTRUCTURE "),
    "quote in a keyword": swap(rb"FLAGS \(", b'FLAGS (foo"bar '),
    "quote before a keyword": swap(rb"FLAGS \(", b'FLAGS ("bar '),
    "brace in a keyword": swap(rb"FLAGS \(", b"FLAGS ({ {7} a{3 "),
    "flags NIL": swap(rb"FLAGS \([^)]*\)", b"FLAGS NIL"),
    "flags an atom": swap(rb"FLAGS \([^)]*\)", b"FLAGS \\Seen"),
    "structure NIL": swap(_STRUCTURE, b"BODYSTRUCTURE NIL "),
    "structure ()": swap(_STRUCTURE, b"BODYSTRUCTURE () "),
    "structure of one field": swap(_STRUCTURE, b'BODYSTRUCTURE ("TEXT") '),
    "structure of three fields": swap(_STRUCTURE, b'BODYSTRUCTURE ("TEXT" "PLAIN" NIL) '),
    "structure open": swap(_STRUCTURE, b'BODYSTRUCTURE (("TEXT" "PLAIN" '),
    "structure too deep": swap(_STRUCTURE, b"BODYSTRUCTURE " + b"(" * 1200 + b")" * 1200 + b" "),
    "multipart without parts": swap(_STRUCTURE, b'BODYSTRUCTURE ("MIXED" ("BOUNDARY" "x") NIL NIL) '),
    "parts of 0 octets": lambda r: re.sub(rb'("(?:7bit|8bit|base64)") \d+', rb"\1 0", r),
    "parts of negative size": lambda r: re.sub(rb'("(?:7bit|8bit|base64)") \d+', rb"\1 -1", r),
    "parts of too many octets": lambda r: re.sub(rb'("(?:7bit|8bit|base64)") \d+', rb"\1 99999999", r),
    "parts of size NIL": lambda r: re.sub(rb'("(?:7bit|8bit|base64)") \d+', rb"\1 NIL", r),
    "sizes in quotes": lambda r: re.sub(rb'("(?:7bit|8bit|base64)") (\d+)', rb'\1 "\2"', r),
    "line counts NIL": lambda r: re.sub(rb'("(?:7bit|8bit|base64)" \d+) \d+', rb"\1 NIL", r),
    "strings ()": swap(rb'"7bit"|"8bit"', b"()"),
    "date malformed": swap(rb'INTERNALDATE "[^"]*"', b'INTERNALDATE "yesterday"'),
    "date NIL": swap(rb'INTERNALDATE "[^"]*"', b"INTERNALDATE NIL"),
    "no date": swap(rb'INTERNALDATE "[^"]*" ', b""),
    "no size": swap(rb"RFC822.SIZE \d+ ", b""),
    "size 0": swap(rb"RFC822.SIZE \d+", b"RFC822.SIZE 0"),
    "size too large": swap(rb"RFC822.SIZE \d+", b"RFC822.SIZE 99999999"),
    "size negative": swap(rb"RFC822.SIZE \d+", b"RFC822.SIZE -5"),
    "size in quotes": swap(rb"RFC822.SIZE \d+", b'RFC822.SIZE "7777"'),
    "uid in quotes": lambda r: re.sub(rb"UID (\d+)", rb'UID "\1"', r),
    "no uid": swap(rb"UID \d+ ", b""),
    "header echoed in quotes": lambda r: re.sub(
        rb"\[HEADER.FIELDS \(([A-Z -]+)\)\]", lambda m: b'[header.fields ("%b")]' % b'" "'.join(m[1].split()), r
    ),
    "header echoed without names": lambda r: re.sub(rb"\[HEADER.FIELDS \(DATE[A-Z -]+\)\]", b"[HEADER.FIELDS]", r),
    "header echoed as asked": lambda r: r.replace(b"BODY[HEADER", b"BODY.PEEK[HEADER"),
    "no origin": lambda r: r.replace(b"]<0>", b"]"),
    "literal8": lambda r: re.sub(rb" \{(\d+)\}", rb" ~{\1}", r),
    "blank after a literal's size": lambda r: re.sub(rb"(\{\d+\})\r\n", rb"\1 \r\n", r),
    "no blank before a literal": lambda r: re.sub(rb" (\{\d+\})", rb"\1", r),
    "flags of another message": lambda r: b"* 9 FETCH (FLAGS (\\Seen))\r\n" + r + b"* 1 FETCH (FLAGS (\\Seen))\r\n",
    "unknown items": swap(rb"\(", b"(X-GM-LABELS (a {3}\r\nb)c) MODSEQ (7) "),
    "doubled": lambda r: r + r,
}  # fmt: skip
#: Those after which a row shows only that the message exists.
LOST: dict[str, Callable[[bytes], bytes | End]] = {
    "garbage": lambda r: b"~" * 50 + b"\r\n",
    "nothing": lambda r: b"",
    "cut": lambda r: r[:25] + b"\r\n",
    "another number": swap(rb"^\* \d+", b"* 77"),
    "dropped connection": lambda r: End.CLOSED,
}


@pytest.mark.parametrize("name", LINES)
def test_a_quirk_of_a_response_costs_nothing_that_can_be_had(dovecot: Dovecot, user: str, name: str) -> None:
    with through(dovecot, user, only(3, LINES[name])) as store:
        shown = store.summaries("INBOX", Window(9)).summaries
        assert [row.envelope.subject for row in shown] == [f"Number {n}" for n in range(ROWS, 0, -1)]
        assert all(row.readable for row in shown)
        _can_be_read(store, shown[2].ref, 3)
        assert [row.envelope.subject for row in store.summaries_of([row.ref for row in shown])] == [
            row.envelope.subject for row in shown
        ]


@pytest.mark.parametrize("name", LOST)
def test_a_row_that_cannot_be_read_is_there_and_hides_no_other(
    dovecot: Dovecot, user: str, name: str
) -> None:
    with through(dovecot, user, only(3, LOST[name])) as store:
        shown = store.summaries("INBOX", Window(9)).summaries
        assert [row.envelope.subject for row in shown] == ["Number 5", "Number 4", "", "Number 2", "Number 1"]
        assert [row.readable for row in shown] == [True, True, False, True, True]
        for row in (shown[1], shown[3]):
            _can_be_read(store, row.ref, int(row.envelope.subject[-1]))
        try:
            message = store.structure(shown[2].ref)
            assert message.defects or name == "another number"  # it has its UID
        except StoreError:
            assert name == "dropped connection"


def _can_be_read(store: ImapStore, ref: MessageRef, number: int) -> None:
    """Read a message's text and its attachment, from the beginning and from the middle."""
    message = store.structure(ref)
    text, file = (part for part in message.root.walk() if not part.parts)
    assert (text.media_type, file.filename.replace("\r\n", "")) == ("text/plain", "data.bin"), message.defects
    assert b"".join(store.octets(ref, text.section)).startswith(TEXT % number)
    octets = b"".join(store.octets(ref, file.section))
    assert body.whole(file, iter([octets]), 10**6)[0] == b"%d" % number + FILE
    for start in (1, 8192, 70_000, len(octets) - 1):
        assert b"".join(store.octets(ref, file.section, start)) == octets[start:]


@pytest.mark.parametrize("refused", [rb"HEADER.FIELDS [^\]]*\]<", rb"HEADER.FIELDS.*HEADER.FIELDS"])
def test_header_fields_in_ranges_or_groups_that_are_refused_are_asked_for_plainly(
    dovecot: Dovecot, user: str, refused: bytes
) -> None:
    asked: list[bytes] = []

    def ask(command: bytes) -> bytes:
        if not re.search(refused, command):
            return command
        asked.append(command)
        return command.replace(b"FETCH", b"FETCHING")

    with through(dovecot, user, lambda r: r, ask) as store:
        shown = store.summaries("INBOX", Window(9)).summaries
        assert [row.envelope.subject for row in shown] == [f"Number {n}" for n in range(ROWS, 0, -1)]
        assert all(row.readable and row.received and row.octets for row in shown)
        asked.clear()
        _can_be_read(store, shown[2].ref, 3)
        assert [row.readable for row in store.summaries_of([row.ref for row in shown])] == [True] * ROWS
        store.summaries("INBOX", Window(9))
        store._exchange.close()
        store._resume(_dropped())  # another connection to the same server
        store.summaries("INBOX", Window(9))
        assert not asked
    with through(dovecot, user, lambda r: r, ask) as store:
        assert store.structure(shown[0].ref).envelope.subject == "Number 5"
        asked.clear()
        assert store.structure(shown[1].ref).envelope.subject == "Number 4"
        assert not asked


@pytest.mark.parametrize("told", [0, 4, 900])
def test_what_is_announced_and_not_there_hides_nothing(dovecot: Dovecot, user: str, told: int) -> None:
    def answer(response: bytes) -> bytes:
        response = re.sub(rb"\A\* \d+ EXISTS", b"* %d EXISTS" % told, response)
        return b"* 901 EXPUNGE\r\n" * 9 + response if re.match(rb"p\d+ OK", response) else response

    with through(dovecot, user, answer) as store:
        listing = store.summaries("INBOX", Window(9))
        subjects = [f"Number {n}" for n in range(told if told == 4 else ROWS, 0, -1)]
        assert [row.envelope.subject for row in listing.summaries] == subjects
        assert listing.exists == len(subjects)


def test_none_of_what_is_announced_is_an_error_and_no_empty_page(dovecot: Dovecot, user: str) -> None:
    def answer(response: bytes) -> bytes:
        response = re.sub(rb"\A\* \d+ EXISTS", b"* 900 EXISTS", response)
        return re.sub(rb"MESSAGES \d+", b"MESSAGES 900", response)

    def ask(command: bytes) -> bytes:
        return re.sub(rb"(FETCH|SEARCH) [0-9:,]+", rb"UID \1 99", command)

    with through(dovecot, user, answer, ask) as store, pytest.raises(StoreError):
        store.summaries("INBOX", Window(9))


def test_messages_without_a_row_have_their_own_uids(dovecot: Dovecot, user: str) -> None:
    """Plain searches that are sent together can end in any order, so they are sent one by one."""
    with through(dovecot, user, lambda r: b"" if b" FETCH (" in r else r) as store:
        shown = store.summaries("INBOX", Window(9)).summaries
        assert [(row.ref.uid, row.readable) for row in shown] == [(uid, False) for uid in range(ROWS, 0, -1)]


def _dropped() -> StoreUnreachable:
    error = StoreUnreachable("gone")
    error.dropped = True
    return error


# --- ranges


class Ranges:
    """A server that does not obey ranges: `change` gets the requested origin and size, and returns what is meant.

    `echo`: the requested origin is named in the response, whatever was sent.
    """

    def __init__(self, change: Callable[[int, int], bytes], echo: bool) -> None:
        self.asked = 0
        self.octets = 0
        self._change, self._echo = change, echo
        self._origins: list[bytes] = []

    def ask(self, command: bytes) -> bytes:
        found = re.search(rb"BODY.PEEK\[[0-9.]*\](?:<(\d+)\.(\d+)>)?\)", command)
        if not found:
            return command
        self.asked += 1
        if not found[1]:
            self._origins.append(b"")
            return command
        self._origins.append(b"<%b>" % found[1] if self._echo else b"")
        return re.sub(rb"<\d+\.\d+>", self._change(int(found[1]), int(found[2])), command)

    def answer(self, response: bytes) -> bytes:
        if not re.match(rb"\* \d+ FETCH .*BODY\[[0-9.]*\]", response):
            return response
        self.octets += len(response)
        origin = self._origins.pop(0)
        return re.sub(rb"(BODY\[[0-9.]*\])(?:<\d+>)?", rb"\1" + origin, response, count=1)


RANGES: dict[str, Callable[[int, int], bytes]] = {
    "obeyed": lambda origin, size: b"<%d.%d>" % (origin, size),
    "ignored": lambda origin, size: b"",
    "origin ignored": lambda origin, size: b"<0.%d>" % size,
    "capped": lambda origin, size: b"<%d.%d>" % (origin, min(size, 3000)),
    "nothing after 20,000": lambda origin, size: b"<%d.%d>" % (origin if origin < 20_000 else 10**8, size),
    "more than asked for": lambda origin, size: b"<%d.%d>" % (origin, 2 * size),
    "refused": lambda origin, size: b"<?>",
    "refused but for the first": lambda origin, size: b"<?>" if origin else b"<0.%d>" % size,
}


@pytest.mark.parametrize("echo", [True, False], ids=["origin echoed", "no origin"])
@pytest.mark.parametrize("name", RANGES)
def test_octets_are_whole_and_right_whatever_becomes_of_ranges(
    dovecot: Dovecot, user: str, name: str, echo: bool
) -> None:
    with through(dovecot, user, bytes) as store:
        ref = store.summaries("INBOX", Window(9)).summaries[2].ref
        sections = {section: b"".join(store.octets(ref, section)) for section in ("1", "2", "")}
    longest = len(sections[""])
    for section, expected in sections.items():
        for start in (0, 1, 5000, 20_000, 50_000, len(expected) - 1, len(expected)):
            ranges = Ranges(RANGES[name], echo)
            with through(dovecot, user, ranges.answer, ranges.ask) as store:
                assert b"".join(store.octets(ref, section, start)) == expected[start:], (section, start)
            assert ranges.octets < 3 * longest + 50_000, (section, start)
            assert ranges.asked < 150, (section, start)


@pytest.mark.parametrize("name", ["ignored", "refused"])
def test_a_section_that_came_whole_is_not_fetched_again(dovecot: Dovecot, user: str, name: str) -> None:
    ranges = Ranges(RANGES[name], False)
    with through(dovecot, user, ranges.answer, ranges.ask) as store:
        ref = store.summaries("INBOX", Window(9)).summaries[2].ref
        first = b"".join(store.octets(ref, "2"))
        asked = ranges.asked
        assert all(b"".join(store.octets(ref, "2", at)) == first[at:] for at in range(0, len(first), 65536))
    assert ranges.asked == asked
