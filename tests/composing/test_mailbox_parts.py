"""What goes along when a mail is forwarded: everything that its text does not say, unchanged, whatever the server
answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from gateway.composing.mailbox_parts import enclosures, raw_part
from gateway.message.mime import wire_format
from gateway.message.model import Address
from gateway.message.outgoing import builder
from gateway.store.base import MessageRef

REF = MessageRef("INBOX", 1, 1)


def multipart(subtype: str, *parts: str) -> str:
    mark = f"b{len(''.join(parts))}{subtype}".replace("/", "")
    inner = "".join(f"--{mark}\n{part}\n" for part in parts)
    return f"Content-Type: multipart/{subtype}; boundary={mark}\n\n{inner}--{mark}--\n"


def part(media_type: str, head: str = "", body: str = "Words of this part.") -> str:
    return f"Content-Type: {media_type}\n{head}\n{body}\n"


PLAIN, HTML = part("text/plain"), part("text/html", body="<p>Words</p>")
CALENDAR = part("text/calendar; method=REQUEST", body="BEGIN:VCALENDAR")
PICTURE = part("image/png", "Content-ID: <p1>\nContent-Disposition: inline\n")
RETURNED = part("message/rfc822", body="Subject: Mine\n\nMy words.")

KINDS = {
    "text": (PLAIN, []),
    "page": (HTML, []),
    "two forms": (multipart("alternative", PLAIN, HTML), []),
    "an invitation": (CALENDAR, ["text/calendar"]),
    "an invitation among the forms": (multipart("alternative", PLAIN, HTML, CALENDAR), ["text/calendar"]),
    "a document among the forms": (multipart("alternative", PLAIN, part("application/pdf")), ["application/pdf"]),
    "a table among the forms": (multipart("alternative", PLAIN, part("text/csv")), ["text/csv"]),
    "ciphertext": (
        multipart("encrypted", part("application/pgp-encrypted", body="Version: 1"), part("application/octet-stream")),
        ["application/pgp-encrypted", "application/octet-stream"],
    ),
    "an opaque signature": (part("application/pkcs7-mime; smime-type=signed-data"), ["application/pkcs7-mime"]),
    "an opaque signature below": (
        multipart("mixed", PLAIN, part("application/x-pkcs7-mime")),
        ["application/x-pkcs7-mime"],
    ),
    "a detached signature": (multipart("signed", PLAIN, part("application/pgp-signature")), []),
    "a key": (multipart("mixed", PLAIN, part("application/pgp-keys")), ["application/pgp-keys"]),
    "a bounce": (
        multipart("report", multipart("alternative", PLAIN, HTML), part("message/delivery-status"), RETURNED),
        ["message/delivery-status", "message/rfc822"],
    ),
    "headers of a bounce": (multipart("report", PLAIN, part("text/rfc822-headers")), ["text/rfc822-headers"]),
    "a digest": (multipart("digest", "\nSubject: One\n\nFirst.", "\nSubject: Two\n\n2."), ["message/rfc822"] * 2),
    "ciphertext that is called text": (
        multipart("encrypted", part("application/pgp-encrypted", body="Version: 1"), PLAIN),
        ["application/pgp-encrypted", "text/plain"],
    ),
    "a picture of a page": (multipart("related", HTML, PICTURE), ["image/png"]),
    "the looks of a page": (multipart("related", HTML, part("text/css", "Content-ID: <c1>\n")), []),
    "a page inside a page": (multipart("related", HTML, part("text/html", "Content-ID: <f1>\n")), ["text/html"]),
    "a page that is named": (
        multipart('related; start="<f1>"', HTML, part("text/html", "Content-ID: <f1>\n")),
        [],
    ),
    "the same form twice": (multipart("alternative", PLAIN, PLAIN, HTML, HTML), ["text/plain", "text/html"]),
    "a picture beside a text": (multipart("mixed", PLAIN, PICTURE), ["image/png"]),
    "a text file": (multipart("mixed", PLAIN, part("text/plain; name=a.txt")), ["text/plain"]),
    "text below text": (multipart("mixed", PLAIN, HTML, PLAIN), []),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_what_goes_along(kind: str) -> None:
    written, types = KINDS[kind]
    found = wire_format.parse(written.encode())
    assert [one.part.media_type for one in enclosures(REF, found.message) if one.part is not None] == types


def test_a_draft_keeps_the_small_pictures_of_its_page() -> None:
    found = wire_format.parse(multipart("related", HTML, PICTURE).encode())
    assert [one.part.media_type for one in enclosures(REF, found.message, True) if one.part] == ["image/png"]


class Store:
    """A store of one message, whose MIME headers are what a test says."""

    def __init__(self, octets: bytes, mime: bytes | None) -> None:
        self.file, self.mime = wire_format.parse(octets), mime

    def octets(self, ref: MessageRef, section: str, start: int = 0) -> Iterator[bytes]:
        if section.endswith(".MIME") and self.mime is not None:
            return iter([self.mime])
        return self.file.octets(section, start)


PDF = part(
    "application/pdf; name=plan.pdf",
    "Content-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=plan.pdf\nContent-ID: <x>\n",
    "JVBERi0xLjQK",
)


@pytest.mark.parametrize(
    "mime",
    [None, b"", b"\r\n", b"From: a@b\r\nSubject: the whole message's\r\n\r\n", b"Content-Type: text/html\r\n\r\n",
     b"Content-Type: application/pdf\r\n\r\n"],
)  # fmt: skip
def test_a_part_stays_what_it_is_whatever_its_mime_header_is_said_to_be(mime: bytes | None) -> None:
    octets = multipart("mixed", PLAIN, PDF).encode()
    store = Store(octets, mime)
    (found,) = enclosures(REF, store.file.message)
    copied = builder.compose(
        sender=Address("", "me@x.org"), to=[], text="t", date=datetime(2026, 11, 3, tzinfo=UTC),
        message_id="<1@x.org>", attached=[raw_part(store, found)],  # type: ignore[arg-type]
    )  # fmt: skip
    again = wire_format.parse(copied).message.root.parts[1]
    assert (again.media_type, again.encoding, again.filename) == ("application/pdf", "base64", "plan.pdf")
    assert (again.disposition, again.content_id) == ("attachment", "x")
    assert b"JVBERi0xLjQK" in copied
