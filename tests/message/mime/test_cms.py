"""S/MIME bodies that are signed as a whole: opened in any form of BER, and never trusted."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from hypothesis import given
from hypothesis import strategies as st

from gateway.message.mime import cms, wire_format
from gateway.message.mime.protected import with_subject
from gateway.rendition import Context, Kind, Position, render, selection
from tests.rendition.mails import said

Made = Callable[..., bytes]
SIGNED, DATA, ENVELOPED = "2a864886f70d010702", "2a864886f70d010701", "2a864886f70d010703"
COMPRESSED = "2a864886f70d0109100109"
INNER = b"Content-Type: text/plain; charset=utf-8\r\n\r\nThe meeting is at ten. Gr\xc3\xbc\xc3\x9fe\r\n"


def der(tag: int, *content: bytes) -> bytes:
    """Write a value with its length."""
    octets = b"".join(content)
    size = len(octets)
    length = bytes([size]) if size < 128 else bytes([0x84]) + size.to_bytes(4)
    return bytes([tag]) + length + octets


def ber(tag: int, *content: bytes) -> bytes:
    """Write a value of indefinite length, where that is allowed."""
    return bytes([tag, 0x80]) + b"".join(content) + b"\0\0" if tag & 0x20 else der(tag, *content)


def oid(digits: str) -> bytes:
    return der(0x06, bytes.fromhex(digits))


def whole(content: bytes) -> list[bytes]:
    return [der(0x04, content)]


def pieces(content: bytes) -> list[bytes]:
    cut = [der(0x04, content[at : at + 7]) for at in range(0, len(content), 7)]
    return [bytes([0x24, 0x80]) + b"".join(cut) + b"\0\0"]


def signed(content: bytes, make: Made = der, strings: Callable[[bytes], list[bytes]] = whole) -> bytes:
    """Write SignedData around a content, with one signer that nobody examines."""
    info = make(0x30, oid(DATA), make(0xA0, *strings(content)))
    signer = der(0x31, der(0x30, der(0x02, b"\1"), der(0x04, b"signature" * 20)))
    data = make(0x30, der(0x02, b"\1"), der(0x31, der(0x30, oid("60864801650304020100"[:18]))), info, signer)
    return make(0x30, oid(SIGNED), make(0xA0, data))


def compressed(content: bytes) -> bytes:
    info = der(0x30, oid(DATA), der(0xA0, der(0x04, zlib.compress(content))))
    data = der(0x30, der(0x02, b"\0"), der(0x30, oid("2a864886f70d010910030800"[:22])), info)
    return der(0x30, oid(COMPRESSED), der(0xA0, data))


def mail(octets: bytes, subject: str = "Lamp", media_type: str = "application/pkcs7-mime") -> bytes:
    header = (
        f"From: ann@example.net\r\nSubject: {subject}\r\nContent-Type: {media_type}; name=smime.p7m\r\n"
        "Content-Disposition: attachment; filename=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    )
    return header.encode() + base64.encodebytes(octets)


FORMS = [
    signed(INNER),
    signed(INNER, ber),
    signed(INNER, der, pieces),
    signed(INNER, ber, pieces),
]


@pytest.mark.parametrize("octets", FORMS)
@pytest.mark.parametrize("media_type", ["application/pkcs7-mime", "application/x-pkcs7-mime"])
def test_an_opaque_signature_is_opened(octets: bytes, media_type: str) -> None:
    assert cms.read_body(octets, 10_000) == (cms.BodyKind.SIGNED, INNER)
    found = wire_format.parse(mail(octets, media_type=media_type))
    blocks = list(render(found.message, Context(), found.octets))
    assert said(blocks) == ["note Signed message", "paragraph The meeting is at ten. Grüße"]
    assert [part.filename for part in selection.attachments(found.message)] == ["smime.p7m"]
    for number, block in enumerate(blocks):
        at = Position.decode(block.at.encode())
        assert list(render(found.message, Context(), found.octets, at)) == blocks[number:]


def test_what_a_mail_program_signs_is_opened() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Ann")])
    begin = datetime(2026, 1, 1)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(begin).not_valid_after(begin + timedelta(days=9)).sign(key, hashes.SHA256())
    )  # fmt: skip
    builder = pkcs7.PKCS7SignatureBuilder().set_data(INNER).add_signer(certificate, key, hashes.SHA256())
    for options in (
        [pkcs7.PKCS7Options.Binary],
        [pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoAttributes],
    ):
        assert cms.read_body(builder.sign(Encoding.DER, options), 10_000) == (cms.BodyKind.SIGNED, INNER)


def test_what_is_compressed_is_opened() -> None:
    found = wire_format.parse(mail(compressed(INNER)))
    assert said(list(render(found.message, Context(), found.octets))) == [
        "paragraph The meeting is at ten. Grüße"
    ]


def test_a_multipart_inside_a_signature_inside_another_is_read() -> None:
    inner = b"Content-Type: multipart/alternative; boundary=B\r\n\r\n--B\r\n" + INNER + b"--B--\r\n"
    outer = b"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n"
    outer += b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(signed(inner, ber))
    found = wire_format.parse(mail(signed(outer)))
    assert said(list(render(found.message, Context(), found.octets))) == [
        "note Signed message",
        "note Signed message",
        "paragraph The meeting is at ten. Grüße",
    ]


def test_ciphertext_is_said_and_offered_for_saving() -> None:
    octets = der(0x30, oid(ENVELOPED), der(0xA0, der(0x30, der(0x02, b"\0"), der(0x04, b"secret" * 50))))
    assert cms.read_body(octets, 1000) == (cms.BodyKind.ENCRYPTED, b"")
    found = wire_format.parse(mail(octets))
    (note,) = render(found.message, Context(), found.octets)
    assert (note.kind, note.text) == (Kind.NOTE, "This message is encrypted. It cannot be read here.")
    assert [part.filename for part in selection.attachments(found.message)] == ["smime.p7m"]


@pytest.mark.parametrize("placeholder", ["...", "[...]", "Encrypted Message"])
def test_a_protected_subject_takes_the_place_of_dots(placeholder: str) -> None:
    inner = b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n" + INNER.replace(
        b"; charset", b'; hp="cipher"; charset'
    )
    multipart = (
        f"Subject: {placeholder}\r\nContent-Type: multipart/signed; boundary=B\r\n\r\n--B\r\n".encode()
        + inner
        + b"--B\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--B--\r\n"
    )
    for octets in (mail(signed(inner), placeholder), multipart):
        found = wire_format.parse(octets)
        assert with_subject(found.message, found.octets).envelope.subject == "Grüße"
    outside = wire_format.parse(mail(signed(inner), "Lamp"))
    assert with_subject(outside.message, outside.octets) is outside.message


@given(st.binary(max_size=200), st.integers(0, 300))
def test_no_octets_of_a_signature_raise(octets: bytes, at: int) -> None:
    whole = FORMS[3]
    for body in (octets, whole[:at] + octets + whole[at:], whole[:at]):
        assert len(cms.read_body(body, 100)[1]) <= 100


def test_deep_and_endless_values_end() -> None:
    for octets in (
        b"\x30\x80" * 100_000,
        b"\x24\x80" * 100_000,
        signed(b"x", ber, lambda _c: [b"\x24\x80" * 50_000]),
    ):
        assert cms.read_body(octets, 1000)[1] == b""
