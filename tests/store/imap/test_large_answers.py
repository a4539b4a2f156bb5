"""Servers that send everything when asked for a little: what that costs in memory, in a process of its own."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import pytest

from gateway.errors import AnswerTooLong
from gateway.store.base import MessageRef
from gateway.store.imap import imap_store
from tests import bounded, rig
from tests.servers.scripted.peer import Caller, Peer

MEGABYTE = 1024 * 1024
REF = MessageRef("INBOX", 7, 11)
LINE = b"The quick brown fox jumps over the lazy dog, again and again..\r\n"
#: Octets that the process may have in memory beyond what it had before.
MOST = 24 * MEGABYTE


def _serve(caller: Caller, size: int) -> None:
    """Be a server with one message of one text part, which ignores ranges."""
    caller.say(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hello")
    while words := caller.hear().split():
        tag, name = words[0], b" ".join(words[1:3])
        if name.startswith(b"SELECT"):
            caller.say(b"* 1 EXISTS", b"* OK [UIDVALIDITY 7] fine")
        if b"BODYSTRUCTURE" in b" ".join(words):
            made = b'("TEXT" "PLAIN" NIL NIL NIL "7BIT" %d 1)' % size
            caller.say(b"* 1 FETCH (UID 11 RFC822.SIZE %d BODYSTRUCTURE %b)" % (size + 500, made))
        elif re.search(rb"BODY", b" ".join(words)):
            caller.sock.sendall(b"* 1 FETCH (UID 11 BODY[1]<0> {%d}\r\n" % size)
            block = LINE * (MEGABYTE // len(LINE))
            for _ in range(size // MEGABYTE):
                caller.sock.sendall(block)
            caller.say(b")")
        caller.say(tag + b" OK done")


def _peak() -> int:
    (line,) = (
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")
    )
    return int(line.split()[1]) * 1024


def _read(megabytes: int, start: int) -> tuple[int, bytes, str, int]:
    """Read the text from an octet on; return how many came, the first ones, why not all, and the cost."""
    count, begins, why = 0, b"", ""
    with Peer(lambda caller: _serve(caller, megabytes * MEGABYTE)) as peer:
        before = _peak()
        with closing(imap_store.connect(rig.plain(peer), "user", "secret")) as store:
            try:
                for piece in store.octets(REF, "1", start):
                    begins = begins or piece[:10]
                    count += len(piece)
            except AnswerTooLong as error:
                why = error.sentence
    return count, begins, why, _peak() - before


@pytest.mark.parametrize("start", [0, 5_000_000])
def test_a_section_that_came_whole_is_on_disk(start: int) -> None:
    count, begins, why, cost = bounded.call(_read, 24, start)
    assert (count, why) == (24 * MEGABYTE - start, "")
    assert begins == (LINE * 2)[start % len(LINE) :][:10]
    assert cost < MOST


@pytest.mark.parametrize("start", [0, 5_000_000])
def test_a_section_that_is_too_large_is_said_to_be(start: int) -> None:
    count, _, why, cost = bounded.call(_read, 200, start)
    assert (count, why) == (0, AnswerTooLong.sentence)
    assert cost < MOST


@pytest.mark.parametrize("size", [900, 40 * MEGABYTE])
def test_a_message_of_which_nothing_is_told_and_nothing_can_be_read_says_so(size: int) -> None:
    def serve(caller: Caller) -> None:
        caller.say(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hello")
        while words := caller.hear().split(b" ", 1):
            if b"SELECT" in words[1]:
                caller.say(b"* 1 EXISTS", b"* OK [UIDVALIDITY 7] fine")
            if b"SEARCH" in words[1]:
                caller.say(b"* SEARCH 11")
            if b"STRUCTURE" in words[1] or b"BODY.PEEK[])" in words[1]:
                caller.say(words[0] + b" NO cannot")
                continue
            if b"HEADER" in words[1]:
                caller.say(b"* 1 FETCH (UID 11 RFC822.SIZE %d BODY[HEADER.FIELDS (X)] {2}" % size, b"", b")")
            caller.say(words[0] + b" OK done")

    with Peer(serve) as peer, closing(imap_store.connect(rig.plain(peer), "user", "secret")) as store:
        message = store.structure(REF)
        assert not message.readable
        assert message.octets == size
