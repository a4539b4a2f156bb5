"""Raw messages to trees, with the section numbers of a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from imapclient import IMAPClient  # type: ignore[import-untyped]

from gateway.message.mime import part_tree, wire_format
from gateway.message.mime.body import text_pieces
from gateway.message.model import Gap, Message, Part
from tests import bounded
from tests.message import samples
from tests.servers.dovecot import PASSWORD, Dovecot

LINES = st.sampled_from(
    [b"--a", b"--b", b"--ab", b"--a--", b"--b--", b"--", b"", b"", b"text", b"X: y", b" folded", b"\0", b"From x",
     b"\xff", b"Content-Type: multipart/mixed; boundary=a", b"Content-Type: multipart/alternative; boundary=b",
     b"Content-Type: multipart/digest; boundary=ab", b"Content-Type: multipart/mixed", b"Content-Type: message/rfc822",
     b"Content-Type: text/html; charset=x", b"Content-Transfer-Encoding: base64",
     b"Content-Type: multipart/x; boundary=",
     b"Content-Type: multipart/mixed; boundary*0=a; boundary*1=b"]
)  # fmt: skip
NO_BLANK = "header: no blank line after it"
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
MESSAGES = st.lists(st.tuples(LINES, ENDS).map(b"".join), max_size=30).map(b"".join)


@given(st.one_of(MESSAGES, st.binary(max_size=200)))
@example(b"")
@example(b"\r\n")
@example(b"From me\r\n")
def test_anything_is_a_message(octets: bytes) -> None:
    found = wire_format.parse(octets)
    whole = b"".join(found.octets(""))
    assert found.message.octets == len(whole)
    seen: set[str] = set()
    for part in found.message.root.walk():
        assert part.section not in seen
        seen.add(part.section)
        body = b"".join(found.octets(part.section))
        if part.maintype != "multipart":
            assert len(body) == part.octets
        assert body in whole
        assert b"".join(found.octets(part.section, 3)) == body[3:]
        if part.envelope is not None and part.parts:
            header = b"".join(found.octets(f"{part.section}.HEADER"))
            assert header + b"".join(found.octets(f"{part.section}.TEXT")) == body
    assert b"".join(found.octets("HEADER")) + b"".join(found.octets("TEXT")) == whole
    assert not list(found.octets("99.99"))


def text_of(octets: bytes) -> str:
    found = wire_format.parse(octets)
    pieces = [
        piece.text
        for part in found.message.root.walk()
        if part.media_type == "text/plain"
        for piece in text_pieces(part, lambda start, part=part: found.octets(part.section, start))  # type: ignore[misc]
    ]
    return "".join(pieces)


@pytest.mark.parametrize(
    ("octets", "text", "defect"),
    [
        (b"Subject: x\n\nhello\n", "hello\n", None),
        (b"Subject: x\r\rhello\rworld\r", "hello\nworld\n", "lines: end with CR"),
        (b"From joe Mon Nov 3\nSubject: x\n\nhello\n", "hello\n", None),
        (b"\n\nSubject: x\n\nhello\n", "hello\n", "header: blank lines before it"),
        (b"\xef\xbb\xbfSubject: x\n\nhello\n", "hello\n", None),
        (b"Subject: x\nhello: no, not\nhello world\n", "hello world\n", NO_BLANK),
        (b"just text\nand more\n", "just text\nand more\n", NO_BLANK),
        (b"Content-Type: multipart/mixed\n\n--b\n\none\n", "", "multipart/mixed: no parts"),
        (b"Content-Type: multipart/mixed; boundary=b\n\nnothing\n", "", "multipart/mixed: no parts"),
        (b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\none", "one", "multipart/mixed: no final boundary"),
        (b"Content-Type: multipart/mixed; boundary=b\n--b\n\none\n--b--\n", "one", NO_BLANK),
        (b"Content-Type: multipart/mixed; boundary*=us-ascii''b\n\n--b\n\none\n--b--\n", "one", None),
        (b"Content-Type: multipart/mixed; boundary=b\n\n--b\nno header\n--b--\n", "no header", NO_BLANK),
        (b"a\0b: c\nSubject: x\n\nnul\0l\n", "null\n", "header: a line that is no field"),
        (b"", "", None),
    ],
)  # fmt: skip
def test_the_text_is_found_whatever_is_wrong(octets: bytes, text: str, defect: str | None) -> None:
    assert text_of(octets) == text
    defects = wire_format.parse(octets).message.defects
    assert defect in defects if defect else not [one for one in defects if not one.startswith("date")]


def test_an_embedded_message_ends_with_its_header() -> None:
    octets = samples.ODD["message in a cut header"]
    assert wire_format.parse(octets).message.root.parts[1].octets == len("Subject: y\r\n")


def test_some_fields_are_kept() -> None:
    found = wire_format.parse(
        b"References: <a@b>\n <c@d>\nList-Post: <mailto:l@x>\nX-Other: no\nTo: a@b\n\n"
    ).message
    assert found.headers == {"references": "<a@b> <c@d>", "list-post": "<mailto:l@x>"}
    assert found.envelope.to[0].spec == "a@b"


def test_bounds_name_what_is_left_out() -> None:
    many = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 10_000
    found = wire_format.parse(many).message
    assert len(found.root.parts) == part_tree.PART_LIMIT - 1
    assert "parts: more than 1000: left out from 1000 (text/plain) on" in found.defects
    inner = b"--b\nContent-Type: multipart/mixed; boundary=c\n\n" + b"--c\n\nx\n" * 998
    inner += b"--c\nContent-Disposition: attachment; filename=last.txt\n\nx\n--c--\n"
    found = wire_format.parse(
        b"Content-Type: multipart/mixed; boundary=b\n\n" + inner + b"--b\n\ny\n--b--\n"
    ).message
    (gap,) = [defect for defect in found.defects if isinstance(defect, Gap)]
    assert gap == "parts: more than 1000: left out from 1.999 (text/plain, last.txt) on"
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(200))
    found = wire_format.parse(deep).message
    assert max(part.section.count(".") for part in found.root.walk()) == part_tree.DEPTH_LIMIT - 1
    assert f"parts: deeper than 50: {'.'.join('1' * 50)} (multipart/mixed) not opened" in found.defects
    found = wire_format.parse(b"Content-Type: message/rfc822\n\n" * 200 + b"x").message
    assert f"parts: deeper than 50: {'.'.join('1' * 51)} (message/rfc822) not opened" in found.defects
    found = wire_format.parse(b"Subject: " + b"x" * 70_000 + b"\n\nbody").message
    assert "subject: more than 65536 octets, the rest left out" in found.defects
    found = wire_format.parse(b"X: y\n" * 300_000 + b"\nbody").message
    assert "header: more than 1048576 octets, the rest left out" in found.defects
    assert found.root.octets == len("body")


MANY = b"Content-Type: multipart/mixed; boundary=b\n\n"
HOSTILE: dict[str, Callable[[], bytes]] = {
    "one line": lambda: b"Subject: x\n\n" + b"x" * 10_000_000,
    "lines": lambda: b"Subject: x\n\n" + b"a line of text\n" * 700_000,
    "parts": lambda: MANY + b"--b\nContent-Type: text/plain\n\nx\n" * 10_000,
    "deep": lambda: b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(10_000)
    ),
    "messages": lambda: b"Content-Type: message/rfc822\n\n" * 10_000,
    "boundaries": lambda: (
        MANY
        + b"".join(b"--b\nContent-Type: multipart/mixed; boundary=c%d\n\n" % n for n in range(1000))
        + b"x\n" * 4_000_000
    ),
    "the same boundary": lambda: (
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * 100 + b"x\n" * 4_000_000
    ),
    "an empty boundary": lambda: b'Content-Type: multipart/mixed; boundary=""\n\n' + b"--\n" * 3_000_000,
    "fields": lambda: b"X: y\n" * 2_000_000,
    "a folded field": lambda: b"X: y\n" + b" z\n" * 3_000_000,
    "no field": lambda: b"x\n" * 5_000_000,
    "bare CR": lambda: b"Subject: x\r\r" + b"x\r" * 5_000_000,
    "comments": lambda: b"To: " + b'(<"' * 20_000 + b"\n\nx",
}


def _count_parts(octets: bytes) -> int:
    return sum(1 for _ in wire_format.parse(octets).message.root.walk())


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_messages_take_bounded_time_and_memory(name: str) -> None:
    assert bounded.call(_count_parts, HOSTILE[name]())


# --- beside a real server ---

Told = tuple[Message, dict[str, bytes]]
#: What Dovecot does not understand, but we do.
BETTER_HERE = {
    "msg_14.txt",  # "Content-Type: text; charset=…": our charset is the one that is written there
    "msg_33.txt",  # a boundary in the form of RFC 2231
}


@pytest.fixture(scope="module")
def served(dovecot: Dovecot) -> Iterator[dict[str, tuple[bytes, Part, IMAPClient, int]]]:
    """Every sample with its tree as the server reports it, and the connection to ask for more."""
    mails = samples.of_python() | samples.ODD
    user = dovecot.user("samples@example.test")
    for octets in mails.values():  # without what is no part of a message (an mbox line), that is
        dovecot.deliver(user, b"".join(wire_format.parse(octets).octets("")))
    with IMAPClient(dovecot.host, dovecot.ports["imap"], ssl=False) as client:
        client.login(user, PASSWORD)
        client.select_folder("INBOX", readonly=True)
        told = client.fetch(client.search(), ["BODYSTRUCTURE", "BODY.PEEK[]"])
        by_octets = {reply[b"BODY[]"]: (uid, reply[b"BODYSTRUCTURE"]) for uid, reply in told.items()}
        found = {}
        for name, octets in mails.items():
            uid, tree = by_octets[b"".join(wire_format.parse(octets).octets(""))]
            root, defects = part_tree.from_bodystructure(tree)
            assert defects == []
            found[name] = (octets, root, client, uid)
        yield found


def test_sections_and_sizes_are_those_of_dovecot(
    served: dict[str, tuple[bytes, Part, IMAPClient, int]],
) -> None:
    for name, (octets, theirs, _, _) in served.items():
        ours = wire_format.parse(octets).message
        if name in BETTER_HERE:
            continue
        assert [(part.section, part.media_type) for part in ours.root.walk()] == [
            (part.section, part.media_type) for part in theirs.walk()
        ], name
        lenient = any("no blank line" in defect for defect in ours.defects)
        assert lenient or ours.root == theirs, name


def test_octets_are_those_of_dovecot(served: dict[str, tuple[bytes, Part, IMAPClient, int]]) -> None:
    for name, (octets, theirs, client, uid) in served.items():
        ours = wire_format.parse(octets)
        if name in BETTER_HERE or any("no blank" in one for one in ours.message.defects):
            continue
        for part in theirs.walk():
            for section in [part.section, f"{part.section}.HEADER"] if part.envelope else [part.section]:
                if section:
                    reply = client.fetch([uid], [f"BODY.PEEK[{section}]"])[uid]
                    body = reply.get(f"BODY[{section}]".encode())
                    assert (body or b"") == b"".join(ours.octets(section)), (name, section)


def test_envelopes_are_those_of_dovecot(served: dict[str, tuple[bytes, Part, IMAPClient, int]]) -> None:
    for name, (octets, _, client, uid) in served.items():
        theirs, _ = part_tree.envelope(client.fetch([uid], ["ENVELOPE"])[uid][b"ENVELOPE"])
        ours = wire_format.parse(octets).message.envelope
        assert (ours.subject, ours.from_, ours.to, ours.cc) == (
            theirs.subject,
            theirs.from_,
            theirs.to,
            theirs.cc,
        ), name


RAW_SUBJECTS = [
    ("windows-1251", "cp1251", "Приглашение на встречу в пятницу"),
    ("koi8-r", "koi8_r", "Встреча"),
    ("big5", "big5", "[talk] 漢字與最新資訊"),
    ("gb2312", "gb2312", "发票"),
    ("shift_jis", "cp932", "会議の件"),
    ("iso-8859-2", "iso8859_2", "Książka i życzenia"),
    ("windows-1253", "cp1253", "Ραντεβού"),
    ("iso-8859-1", "cp1252", "Größe"),
    ("windows-1251", "utf_8", "Уже в UTF-8"),
    ("utf-8", "cp1251", "Совещание переносится на завтра"),
    ("x-unknown", "koi8_r", "Совещание переносится на завтра"),
]


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize(("label", "codec", "subject"), RAW_SUBJECTS)
def test_a_raw_header_is_in_the_charset_of_the_body(
    label: str, codec: str, subject: str, nested: bool
) -> None:
    kind = f"Content-Type: text/plain; charset={label}\r\n".encode()
    body = kind + b"\r\n" + subject.encode(codec) + b"\r\n"
    if nested:
        body = b"Content-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n" + body + b"--B--\r\n"
    name = subject.partition(" ")[0].strip("[]") if codec != "big5" else "漢字"
    octets = (
        b"Subject: "
        + subject.encode(codec)
        + b"\r\nFrom: "
        + name.encode(codec)
        + b" <a@example.org>\r\n"
        + body
    )
    message = wire_format.parse(octets).message
    assert message.envelope.subject == subject
    if codec != "utf_8" and label not in ("utf-8", "x-unknown"):
        assert message.envelope.from_[0].name == name


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_text_in_place_of_a_blank_line_is_the_body_if_there_is_no_other(ends: bytes) -> None:
    part = [b"--b", b"Content-Type: text/plain", b"lamp", b""]
    header = [b"Subject: x", b"Content-Type: multipart/mixed; boundary=b", b""]
    assert text_of(ends.join([*header, *part, b"--b--"])).strip() == "lamp"
    assert text_of(ends.join([b"Subject: x", b"lamp", b"", b""])).strip() == "lamp"
    assert text_of(ends.join([*header, *part, b"chair", b"--b--"])).strip() == "chair"


@pytest.mark.parametrize("blanks", [b" ", b"\t", b"  \t "])
@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_a_line_of_blanks_ends_a_header(blanks: bytes, ends: bytes) -> None:
    octets = ends.join(
        [b"From: a@example.org", b"Subject: lamp", blanks, b"The first", b"paragraph.", b"", b"More."]
    )
    found = wire_format.parse(octets)
    assert found.message.envelope.subject == "lamp"
    assert b"".join(found.octets("1")).split(b"\r\n") == [b"The first", b"paragraph.", b"", b"More."]


def test_a_line_of_blanks_inside_a_header_is_a_folded_line() -> None:
    octets = b"From: a@example.org\r\nSubject: lamp\r\n \r\nTo: b@example.org\r\n\r\nText\r\n"
    found = wire_format.parse(octets)
    assert (found.message.envelope.to[0].spec, b"".join(found.octets("1"))) == ("b@example.org", b"Text\r\n")
    folded = wire_format.parse(b"From: a@example.org\r\nSubject: lamp\r\n \r\n chair\r\n\r\nText\r\n")
    assert folded.message.envelope.subject == "lamp chair"
