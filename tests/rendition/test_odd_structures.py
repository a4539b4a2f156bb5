"""Mail whose structure is wrong or too large: read alike from a file and from a real server, and its gaps named."""

from __future__ import annotations

import base64
import imaplib
import ssl
from collections.abc import Iterator

import pytest

from gateway.device import by_name
from gateway.message.mime import wire_format
from gateway.message.model import Message
from gateway.pages.message_pages import message_layout
from gateway.rendition import Context, Position, notes, render
from gateway.rendition.blocks import Block, Kind
from gateway.rendition.rendering import GAP_ORDINAL, SEALED_CAP, ReadSection
from gateway.store.base import MessageRef, Window
from gateway.store.imap import imap_store
from tests import rig
from tests.rendition.mails import leaf, read, said, tree
from tests.servers.dovecot import Dovecot

LONG = "".join(f"Sentence number {n} of a long text. " + ("\n\n" if n % 9 == 8 else "") for n in range(1500))


def multipart(boundary: str, body: str | bytes, more: str = "", subtype: str = "mixed") -> bytes:
    """Write the header of a multipart and whatever is below it."""
    octets = body.encode() if isinstance(body, str) else body
    named = f"; boundary={boundary}" if boundary else ""
    return f"Content-Type: multipart/{subtype}{named}\n{more}\n".encode() + octets


def message(octets: bytes, subject: str = "Odd") -> bytes:
    head = f"From: bob@example.net\nSubject: {subject}\nDate: Tue, 3 Nov 2026 14:05:00 +0100\nMIME-Version: 1.0\n"
    return (head.encode() + octets).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def parted(*parts: bytes, boundary: str = "b") -> bytes:
    """Write a multipart with parts, each with its own header."""
    marks = b"".join(b"--" + boundary.encode() + b"\n" + part + b"\n" for part in parts)
    return multipart(boundary, marks + b"--" + boundary.encode() + b"--\n")


def text(words: str) -> bytes:
    return b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" + words.encode()


def sealed(octets: bytes, encoding: str = "base64", name: str = "") -> bytes:
    """Encode a message, as some servers do against RFC 2046."""
    import quopri

    body = base64.encodebytes(octets) if encoding == "base64" else quopri.encodestring(octets)
    named = f"; name={name}" if name else ""
    head = f"Content-Type: message/rfc822{named}\nContent-Transfer-Encoding: {encoding}\n\n"
    return head.encode() + body


INNER = message(
    parted(text("Inner words – schön.\n"), text("More of them.\n"), boundary="q"), "The inner one"
)

#: What is sent, and the words that a person must be able to read.
ODD: dict[str, tuple[bytes, list[str]]] = {
    "boundary that never occurs": (multipart("b", "some words\nand more\n"), ["some words", "and more"]),
    "another boundary": (
        multipart("=b", "--= b\nContent-Type: text/html\n\n<p>HTML <b>words</b>\n--= b--\n", subtype="alternative"),
        ["HTML words"],
    ),
    "a page as plain text": (
        b"Content-Type: text/plain\n\n<!DOCTYPE html>\n<p>HTML <b>words</b></p><p>more of them</p>\n",
        ["HTML words", "more of them"],
    ),
    "a part's header before a page": (
        b"Subject: x\n\n------=_Next_1\nContent-Type: text/html;\n\n<HTML><p>HTML words\n",
        ["HTML words"],
    ),
    "a page without a label": (b"Subject: x\n\n<html><p>HTML <b>words</b></p>\n", ["HTML words"]),
    "a page about pages": (b"Subject: x\n\nWrite this:\n<html><p>x</p></html>\n", ["<html><p>x"]),
    "no boundary named": (multipart("", "--b\n\nsome words\n"), ["some words"]),
    "alternative without parts": (multipart("b", "the words\n", subtype="alternative"), ["the words"]),
    "signed without parts": (multipart("b", "signed words\n", subtype="signed"), ["signed words"]),
    "quoted-printable": (
        multipart("b", "sch=C3=B6ne W=\n=C3=B6rter\n", "Content-Transfer-Encoding: quoted-printable\n"),
        ["schöne Wörter"],
    ),
    "base64 text": (
        multipart("b", base64.encodebytes("grüne Wörter".encode()), "Content-Transfer-Encoding: base64\n"),
        ["grüne Wörter"],
    ),
    "a charset of its own": (
        b"Content-Type: multipart/mixed; boundary=b; charset=koi8-r\n\n" + "Привет всем\n".encode("koi8-r"),
        ["Привет всем"],
    ),
    "long": (multipart("b", LONG), ["number 0 of", "number 700 of", "number 1499 of"]),
    "inside a multipart": (
        parted(text("one\n"), multipart("c", "loose words inside\n"), text("three\n")),
        ["one", "loose words inside", "three"],
    ),
    "inside a message": (
        parted(text("one\n"), b"Content-Type: message/rfc822\n\nSubject: In\n" + multipart("z", LONG[:12000])),
        ["one", "In", "number 0 of", "number 99 of"],
    ),
    "inside a message that is all": (
        b"Content-Type: message/rfc822\n\nSubject: In\n" + multipart("z", "loose words\n"),
        ["In", "loose words"],
    ),
    "parts in a text": (
        (b"\nThis is a multi-part message in MIME format.\n\n"
         b"--b\nContent-Type: text/plain; charset=utf-8\n\nwords one \xc3\xb6\n"
         b"--b\nContent-Type: text/html\n\n<p>words two\n--b\nContent-Type: text/plain\n\nwords three\n--b--\n"),
        ["words one ö", "words two", "words three"],
    ),
    "parts in a text behind the rest of its header": (
        (b"Content-Transfer-Encoding: 8bit\n\n =?utf-8?q?rest?=\nTo: a@example.org\nContent-Type: multipart/mixed;\n"
         b" boundary=b\n\nIn MIME\n--b\nContent-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n"
         b"words=20one\n--b\nContent-Type: image/png; name=lamp.png\nContent-Disposition: attachment\n\nx\n--b--\n"),
        ["words one", "Not all of part", "is shown"],
    ),
    "boundary of RFC 2231": (
        b"Content-Type: multipart/mixed; boundary*=us-ascii''b\n\n--b\n\nwords one\n--b\n\nwords two\n--b--\n",
        ["words one", "words two"],
    ),
    "base64 around the parts": (
        multipart(
            "q", base64.encodebytes(INNER.partition(b"\r\n\r\n")[2]), "Content-Transfer-Encoding: base64\n"
        ),
        ["Inner words – schön.", "More of them."],
    ),
    "one empty part": (parted(b"Content-Type: text/plain\n\n"), ["This message has no text."]),
    "sealed in base64": (
        parted(text("see\n"), sealed(INNER)),
        ["see", "The inner one", "Inner words – schön.", "More"],
    ),
    "sealed in quoted-printable": (
        parted(text("see\n"), sealed(INNER, "quoted-printable")),
        ["see", "The inner one", "Inner words – schön.", "More"],
    ),
    "not sealed, only said so": (
        parted(b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + INNER),
        ["The inner one", "Inner words – schön.", "More"],
    ),
    "sealed, long": (
        parted(text("see\n"), sealed(message(text(LONG), "Long")), text("last\n")),
        ["see", "Long", "number 0 of", "number 1499 of", "last"],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def served(dovecot: Dovecot) -> Iterator[dict[str, tuple[Message, ReadSection]]]:
    """Every odd mail as the store gets it from a server."""
    user = dovecot.user("odd@example.net")
    for octets, _ in ODD.values():
        dovecot.deliver(user, message(octets))
    server = rig.imap(dovecot)
    store = imap_store.connect(server, user, "secret")
    try:
        rows = list(reversed(store.summaries("INBOX", Window(len(ODD))).summaries))

        def opened(ref: MessageRef) -> tuple[Message, ReadSection]:
            return store.structure(ref), lambda section, start: store.octets(ref, section, start)

        yield {name: opened(row.ref) for name, row in zip(ODD, rows, strict=True)}
    finally:
        store.close()


def of_file(octets: bytes) -> tuple[Message, ReadSection]:
    mail = wire_format.parse(message(octets))
    return mail.message, mail.octets


@pytest.mark.parametrize("name", ODD)
def test_the_words_are_there_in_a_file_and_on_a_server(
    served: dict[str, tuple[Message, ReadSection]], name: str
) -> None:
    octets, words = ODD[name]
    here = list(render(*_with(Context(), of_file(octets))))
    there = list(render(*_with(Context(), served[name])))
    for blocks in (here, there):
        shown = "\n".join(block.text for block in blocks)
        places = [shown.find(word) for word in words]
        assert -1 not in places, shown[:500]
        assert places == sorted(places)
        assert "--b" not in shown.replace(words[0], "") or name == "no boundary named"
        assert "Content-T" not in shown
    assert [block.text for block in here] == [block.text for block in there]
    if name != "boundary of RFC 2231":  # which the server does not understand
        assert here == there


def _with(context: Context, mail: tuple[Message, ReadSection]) -> tuple[Message, Context, ReadSection]:
    return mail[0], context, mail[1]


@pytest.mark.parametrize("name", ODD)
def test_reading_goes_on_from_every_position(
    served: dict[str, tuple[Message, ReadSection]], name: str
) -> None:
    mail, octets = served[name]
    blocks = list(render(mail, Context(), octets))
    for index in range(1, len(blocks), max(len(blocks) // 7, 1)):
        at = Position.decode(blocks[index].at.encode())
        assert at == blocks[index].at
        assert list(render(mail, Context(), octets, at)) == blocks[index:]


@pytest.mark.parametrize("device", ["nokia7110", "xhtml"])
@pytest.mark.parametrize("name", ["long", "inside a message", "sealed, long"])
def test_pages_open_by_themselves_and_lead_back(
    served: dict[str, tuple[Message, ReadSection]], name: str, device: str
) -> None:
    mail, octets = served[name]
    pages = list(message_layout(mail, octets, by_name(device)).all())
    assert len(pages) > 2
    for index in {1, len(pages) // 2, len(pages) - 1}:
        layout = message_layout(mail, octets, by_name(device))
        assert pages[index].start is not None
        again = layout.page(Position.decode(pages[index].start.encode()), index + 1)
        assert (again.body, again.next) == (pages[index].body, pages[index].next)
        assert layout.page_before(pages[index].start, index).body == pages[index - 1].body


@pytest.mark.parametrize(
    "text",
    [
        "Look at this:\n\n--b\nContent-Type: text/plain\n\nwords\n--b--\n",
        "--\nContent-Type: of what?\n",
        "--b\n\nwords\n--b--\n",
    ],
)
def test_a_text_about_parts_stays_as_it_is(text: str) -> None:
    blocks = list(render(*_with(Context(fold=False), of_file(b"\n" + text.encode()))))
    shown = "\n".join(block.text for block in blocks)
    assert all(line in shown for line in text.splitlines() if line != "--")


def test_two_forms_of_a_text_in_a_text_are_read_once() -> None:
    both = (
        b"\n--b\nContent-Type: text/plain\n\nwords one\n"
        b"--b\nContent-Type: text/html\n\n<p>words <a href='http://e.example/'>one</a>\n--b--\n"
    )
    (block,) = render(*_with(Context(), of_file(both)))
    assert [run.link for run in block.runs] == ["", "http://e.example/"]


def test_a_long_loose_text_is_not_read_to_its_end() -> None:
    mail, octets = of_file(multipart("b", LONG * 40))
    pulled = 0

    def counted(section: str, start: int) -> Iterator[bytes]:
        nonlocal pulled
        for piece in octets(section, start):
            pulled += len(piece)
            yield piece

    first = next(render(mail, Context(), counted))
    assert "number 0" in first.text
    assert pulled < 100_000
    far = next(render(mail, Context(), counted, Position("", 1_500_000, "")))
    assert "Sentence" in far.text
    assert pulled < 200_000


# What is left out has a name.


def notes_of(octets: bytes) -> list[str]:
    mail = wire_format.parse(message(octets))
    return [block.text for block in render(mail.message, Context(), mail.octets) if block.kind is Kind.NOTE]


def test_parts_beyond_the_bound_are_named_in_the_pages() -> None:
    many = [text(f"part {n}\n") for n in range(1200)]
    many[999] = b"Content-Type: image/png; name=cat.png\n\nx"
    assert notes_of(parted(*many)) == [
        "Too many parts: part 1000 (cat.png) and what follows it are left out."
    ]
    mail = wire_format.parse(message(parted(*many)))
    assert "Too many parts" in _last_page(mail.message, mail.octets)
    deep = b"".join(multipart(f"b{n}", f"--b{n}\n") for n in range(60)) + b"\nwords"
    (said_of_it,) = [note for note in notes_of(deep) if "too deep" in note]
    part = "1.1.1.1.…1.1.1.1 (multipart/mixed)"
    assert said_of_it == f"The contents of part {part} are left out: they are nested too deeply."


def _last_page(mail: Message, octets: ReadSection) -> str:
    return list(message_layout(mail, octets, by_name("nokia7110")).all())[-1].body


def test_the_note_about_parts_opens_by_its_own_position() -> None:
    octets = parted(*[text("x\n") for _ in range(1200)])
    mail = wire_format.parse(message(octets))
    *_, last = render(mail.message, Context(), mail.octets)
    assert last.at == Position("", GAP_ORDINAL)
    again = Position.decode(last.at.encode())
    assert list(render(mail.message, Context(), mail.octets, again)) == [last]


def test_header_fields_beyond_the_bound_are_named() -> None:
    field = b"References: " + b"<abc@example.net>\n " * 5000 + b"\n" + text("words\n")
    assert notes_of(field) == ["The header is too long: the rest of References is left out."]
    assert notes_of(b"X: y\n" * 300_000 + b"\nwords") == [
        "The header is too long: the rest of it is left out."
    ]


@pytest.mark.parametrize(
    ("media_type", "body", "filename", "note"),
    [
        ("text/html", "<p>x</p>" * 80_000, "", "Part 1.2 (text/html) is cut at 512 KB. The rest is in the original."),
        ("text/html", "<p>x</p>" * 80_000, "big page.html",
         "Part 1.2 (big page.html) is cut at 512 KB. The rest is in the original."),
        ("text/html", "<p>x" * 30_000, "",
         "Part 1.2 (text/html) has too many elements and is cut. The rest is in the original."),
        ("text/enriched", "word " * 120_000, "",
         "Part 1.2 (text/enriched) is cut at 512 KB. The rest is in the original."),
        ("text/calendar", "BEGIN:VCALENDAR\r\n" + ("X:" + "z" * 3000 + "\r\n") * 100, "",
         "Part 1.2 (text/calendar) is cut at 256 KB. The rest is in the original."),
        ("text/calendar", "BEGIN:VCALENDAR\r\n" + "BEGIN:VEVENT\r\nSUMMARY:x\r\nEND:VEVENT\r\n" * 30, "",
         "Not all of part 1.2 (text/calendar) is shown. The rest is in the original."),
        ("text/x-vcard", "BEGIN:VCARD\r\nFN:x\r\nEND:VCARD\r\n" * 300, "",
         "Not all of part 1.2 (text/x-vcard) is shown. The rest is in the original."),
        ("message/delivery-status", "\r\n\r\n".join(f"Final-Recipient: rfc822; a{n}@b" for n in range(30)), "",
         "Not all of part 1.2 (message/delivery-status) is shown. The rest is in the original."),
    ],
)  # fmt: skip
def test_parts_that_are_cut_are_named_and_lead_to_the_original(
    media_type: str, body: str, filename: str, note: str
) -> None:
    part = leaf(
        "1.2", media_type, body, parameters={"name": filename} if filename else {}, disposition="inline"
    )
    blocks = read(tree("multipart/mixed", leaf("1.1", "text/plain", "hello"), part))
    assert said(blocks)[-1] == f"note {note}"
    assert blocks[-1].target == "1.2"


def test_what_fits_is_not_called_cut() -> None:
    event = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:x\r\n" + "X-A:b\r\n" * 500 + "END:VEVENT\r\n"
    for made in (
        leaf("1", "text/html", "<p>x</p>" * 100),
        leaf("1", "text/calendar", event),
        leaf("1", "text/x-vcard", "BEGIN:VCARD\r\nFN:x\r\nTEL:1\r\nEND:VCARD\r\n" * 20),
    ):
        assert not [line for line in said(read(made)) if line.startswith("note")]


def test_a_sealed_message_is_opened_to_a_bound_and_no_deeper_than_three() -> None:
    octets = parted(sealed(message(text("w" * 70 + "\n") * 12_000), name="fwd.eml"))
    assert notes_of(octets)[-1] == "Part 1 (fwd.eml) is cut at 512 KB. The rest is in the original."
    assert SEALED_CAP == 512 * 1024
    within = INNER
    for _ in range(5):
        within = message(sealed(within))
    (note,) = notes_of(sealed(within))
    assert note == "The contents of part 1 (message/rfc822) are left out: they are nested too deeply."


def test_names_of_parts_stay_short() -> None:
    part, _ = leaf("1.2.3.4.5.6.7.8.9.10.11", "text/html", parameters={"name": "x" * 200})
    name = notes.part_name(part)
    assert len(name) <= notes.SECTION_LIMIT + notes.NAME_LIMIT + 3
    assert name.startswith("1.2.3.4.")
    assert ".10.11 (" in name


def test_positions_of_texts_of_messages_are_spelled() -> None:
    for at in (Position("2.TEXT", 77, "AB", 3), Position("1.2.TEXT"), Position("", 5), Position("3", 1)):
        assert Position.decode(at.encode()) == at
    assert Position("2.TEXT", 77).encode() == "2t-25"


def test_dovecot_sees_nothing_where_no_boundary_is(dovecot: Dovecot) -> None:
    """Check what the rest of this file relies on."""
    user = dovecot.user("nothing@example.net")
    dovecot.deliver(user, message(ODD["boundary that never occurs"][0]))
    client = imaplib.IMAP4(dovecot.host, dovecot.ports["imap"])
    try:
        client.starttls(ssl.create_default_context(cafile=str(dovecot.ca_file)))
        client.login(user, "secret")
        client.select("INBOX", readonly=True)
        _, told = client.fetch("1", "(BODYSTRUCTURE)")
        assert b'"7bit" 0 0' in told[0]  # type: ignore[operator]
    finally:
        client.logout()


def blocks_of(octets: bytes) -> list[Block]:
    mail = wire_format.parse(message(octets))
    return list(render(mail.message, Context(), mail.octets))


def test_a_sealed_message_is_a_file_too() -> None:
    from gateway.rendition import attachments

    mail = wire_format.parse(message(ODD["sealed in base64"][0]))
    assert [part.section for part in attachments(mail.message)] == ["2"]
    pictures = parted(text("see\n"), b"Content-Type: image/png\nContent-ID: <x>\n\nx", boundary="q")
    (picture,) = [
        block for block in blocks_of(parted(sealed(message(pictures)))) if block.kind is Kind.PICTURE
    ]
    assert picture.target == ""
    assert picture.text == "Picture"
