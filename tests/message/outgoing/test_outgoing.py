"""Outgoing mail: what is written is read back the same, by the standard library and by our own reader."""

from __future__ import annotations

import base64
import email
import email.policy
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message.headers import address_lists, encoded_words, filenames, header_fields, subjects
from gateway.message.mime import wire_format
from gateway.message.mime.body import decoded
from gateway.message.model import Address, Envelope, Message, Part
from gateway.message.outgoing import builder, reply, transport
from gateway.message.outgoing.builder import Attached, CopiedPart
from tests.message import samples

WHEN = datetime(2025, 11, 3, 14, 5, tzinfo=timezone(timedelta(hours=1)))
ME = Address("Me", "me@x.org")


def compose(**changed: object) -> bytes:
    arguments: dict[str, object] = {
        "sender": ME,
        "to": [Address("", "a@b.c")],
        "subject": "s",
        "text": "t",
        "date": WHEN,
        "message_id": "<1@x.org>",
    }
    return builder.compose(**(arguments | changed))  # type: ignore[arg-type]


def standard(octets: bytes) -> EmailMessage:
    found = email.message_from_bytes(octets, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def leaves(octets: bytes) -> list[tuple[Part, bytes]]:
    found = wire_format.parse(octets)
    assert found.message.defects == ()
    return [
        (part, b"".join(decoded(part, found.octets(part.section))))
        for part in found.message.root.walk()
        if not part.parts
    ]


def is_sendable(octets: bytes) -> None:
    assert b"\0" not in octets
    assert octets.count(b"\r") == octets.count(b"\n") == octets.count(b"\r\n")
    assert max(map(len, octets.split(b"\r\n"))) <= 998


NAME = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
SPEC = st.sampled_from(
    ["a@b.c", "first.last@example.org", "ü@d.e", "j@bücher.de", '"q r"@x.y', "o'neil@x.org"]
)
PEOPLE = st.lists(st.builds(Address, NAME, SPEC), max_size=4)
FILES = st.lists(
    st.builds(
        Attached,
        st.one_of(
            NAME, st.sampled_from(["Übersicht März.pdf", "報告書.docx", 'a"b\\c.txt', "x" * 300 + ".tar.gz"])
        ),
        st.sampled_from(
            ["text/plain", "image/png", "application/pdf", "nonsense", "multipart/mixed", "a/b\r\nX: y"]
        ),
        st.one_of(st.binary(max_size=300), st.sampled_from([b"--=_\r\n" * 40, b"\0\r\n.\r\n", b"x" * 5000])),
    ),
    max_size=4,
)


@given(PEOPLE, PEOPLE, NAME, st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200), FILES)
def test_whatever_is_written_reads_back_the_same(
    to: list[Address], bcc: list[Address], subject: str, text: str, files: list[Attached]
) -> None:
    octets = compose(to=to, bcc=bcc, subject=subject, text=text, attached=files)
    is_sendable(octets)
    found = wire_format.parse(octets).message
    assert found.defects == ()
    assert found.envelope.subject == header_fields.clean(subject)
    for read, written in ((found.envelope.to, to), (found.envelope.bcc, bcc)):
        once = {builder.ascii_spec(one.spec): header_fields.clean(one.name) for one in reversed(written)}
        assert {one.spec: one for one in read} == {s: address_lists.make(name, s) for s, name in once.items()}
    got = leaves(octets)
    assert len(got) == 1 + len(files)
    for (part, content), file in zip(got[1:], files, strict=True):
        assert content == file.octets
        assert part.filename == filenames.safe(file.filename)
        assert part.disposition == "attachment"
    other = standard(octets)
    assert header_fields.clean(other["Subject"] or "") == header_fields.clean(subject)
    for mime, file in zip(other.iter_attachments() if files else (), files, strict=True):
        assert mime.get_payload(decode=True) == file.octets
        assert header_fields.clean(mime.get_filename() or "") == filenames.safe(file.filename)
        assert mime.get_content_type() in (file.media_type, "application/octet-stream", "a/b")


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("plain.pdf", b"Content-Disposition: attachment; filename=plain.pdf\r\n"),
        ("a b.pdf", b'Content-Disposition: attachment; filename="a b.pdf"\r\n'),
        (
            "März.pdf",
            b"Content-Disposition: attachment; filename*=UTF-8''M%C3%A4rz.pdf;\r\n filename=\"Marz.pdf\"\r\n",
        ),
        (
            "報告書.docx",
            (
                b"Content-Disposition: attachment;\r\n filename*=UTF-8''%E5%A0%B1%E5%91%8A%E6%9B%B8.docx;"
                b' filename="___.docx"\r\n'
            ),
        ),
    ],
)
def test_the_name_of_a_file_is_encoded_and_read_back(name: str, lines: bytes) -> None:
    octets = compose(attached=[Attached(name, "application/pdf", b"x")])
    assert lines in octets
    assert leaves(octets)[1][0].filename == name


def test_an_attachment_is_in_short_lines_of_base64() -> None:
    octets = compose(attached=[Attached("x.bin", "image/png", bytes(range(256)) * 4)])
    body = octets.partition(b"Content-Transfer-Encoding: base64\r\n\r\n")[2].partition(b"\r\n--")[0]
    lines = body.split(b"\r\n")
    assert {len(line) for line in lines[:-2]} == {76}
    assert b"Content-Type: image/png\r\n" in octets
    assert octets.count(b"Content-Transfer-Encoding: 7bit\r\n") == 2


def test_a_boundary_is_in_no_part_and_the_same_each_time() -> None:
    first = compose(attached=[Attached("x", "a/b", b"y")])
    assert first == compose(attached=[Attached("x", "a/b", b"y")])
    boundary = standard(first).get_boundary()
    assert boundary
    trap = CopiedPart(b"", f"--{boundary}\r\nx\r\n--{boundary}--\r\n".encode())
    octets = compose(attached=[trap])
    chosen = standard(octets).get_boundary() or ""
    assert octets.count(chosen.encode()) == 4  # declared, twice between, once behind
    assert [content for _, content in leaves(octets)][1].startswith(b"--=_")


def test_a_boundary_that_is_met_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a digest's twin could contain its own boundary; a digest of one letter shows what happens then."""

    class Short:
        def __init__(self, octets: bytes = b"") -> None:
            self.said = 0

        def update(self, octets: bytes) -> None:
            self.said += octets == b"again"

        def hexdigest(self) -> str:
            return "abc"[self.said]

    monkeypatch.setattr("gateway.message.outgoing.enclosures.sha256", Short)
    octets = compose(attached=[CopiedPart(b"", b"--=_a\r\n"), CopiedPart(b"", b"x --=_b")])
    assert standard(octets).get_boundary() == "=_c"


def test_a_part_of_another_mail_is_copied_as_it_is() -> None:
    header = (
        b'Content-Type: application/pdf;\r\n\tname="=?utf-8?q?M=C3=A4rz?=.pdf"\r\nX-Secret: no\r\n'
        b"Content-Transfer-Encoding: BASE64\r\nContent-Disposition: attachment\r\n\r\n"
    )
    octets = compose(attached=[CopiedPart(header, b"QUJD\r\nREVG")])
    assert (
        b'\r\nContent-Type: application/pdf;\r\n\tname="=?utf-8?q?M=C3=A4rz?=.pdf"\r\n'
        b"Content-Transfer-Encoding: BASE64\r\nContent-Disposition: attachment\r\n\r\nQUJD\r\nREVG\r\n--"
    ) in octets
    assert b"X-Secret" not in octets
    assert leaves(octets)[1][1] == b"ABCDEF"


@given(st.binary(max_size=300), st.binary(max_size=3000))
def test_any_part_can_be_copied(header: bytes, body: bytes) -> None:
    octets = compose(attached=[CopiedPart(header, body)])
    is_sendable(octets)
    assert standard(octets).get_content_type() == "multipart/mixed"
    assert [part.media_type for part in wire_format.parse(octets).message.root.parts][:1] == ["text/plain"]


def test_eight_bits_and_what_no_server_takes() -> None:
    octets = compose(
        attached=[CopiedPart(b"Content-Type: text/plain; charset=utf-8\r\n\r\n", "Grüße".encode())]
    )
    assert octets.count(b"Content-Transfer-Encoding: 8bit\r\n") == 1  # the whole says what is inside
    assert "Grüße\r\n--".encode() in octets
    binary = compose(
        attached=[CopiedPart(b"Content-Type: image/x\r\nContent-Transfer-Encoding: binary\r\n\r\n", b"a\0b")]
    )
    assert leaves(binary)[1] == (leaves(binary)[1][0], b"a\0b")
    assert leaves(binary)[1][0].encoding == "base64"
    long = compose(attached=[CopiedPart(b"Content-Type: text/plain\r\n\r\n", b"word " * 1000)])
    assert leaves(long)[1][0].encoding == "quoted-printable"
    assert leaves(long)[1][1] == b"word " * 1000


WHOLE = (
    b"Received: by x\r\nFrom: a@b.c\r\nSubject: =?utf-8?q?=C3=A4?=\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n"
)


def test_a_whole_mail_is_never_in_base64() -> None:
    octets = compose(attached=[Attached("mail.eml", "message/rfc822", WHOLE)])
    assert (
        b"Content-Type: message/rfc822\r\nContent-Disposition: attachment; filename=mail.eml\r\n"
        b"Content-Transfer-Encoding: 8bit\r\n\r\n" + WHOLE + b"\r\n--"
    ) in octets
    [inner] = [part for part, _ in leaves(octets)][1:]
    assert inner.section == "2.1"
    ascii_only = compose(attached=[Attached("", "message/rfc822", b"Subject: x\n\ny\n")])
    assert b"Content-Transfer-Encoding: 7bit\r\n\r\nSubject: x\r\n\r\ny\r\n" in ascii_only
    assert b"base64" not in ascii_only
    too_long = WHOLE.replace(b"Gr", b"Gr" * 600)
    mended = compose(attached=[Attached("mail.eml", "message/rfc822", too_long)])
    is_sendable(mended)
    assert leaves(mended)[1][1] == too_long.partition(b"\r\n\r\n")[2]
    assert b"base64" not in mended


@pytest.mark.parametrize("name", sorted({**samples.ODD, **samples.of_python()}))
def test_every_mail_can_be_forwarded_whole(name: str) -> None:
    whole = {**samples.ODD, **samples.of_python()}[name]
    octets = compose(attached=[Attached("mail.eml", "message/rfc822", whole)])
    is_sendable(octets)
    canonical = transport.canonical(whole)
    if transport.is_sendable(canonical):
        assert canonical in octets


def contents(octets: bytes) -> list[bytes]:
    found = wire_format.parse(octets)
    walk = found.message.root.walk()
    return [b"".join(decoded(part, found.octets(part.section))) for part in walk if not part.parts]


@pytest.mark.parametrize("name", sorted({**samples.ODD, **samples.of_python()}))
def test_seven_bits_are_enough_for_every_mail(name: str) -> None:
    whole = transport.canonical({**samples.ODD, **samples.of_python()}[name])
    seven = transport.make_sendable(whole, eight=False)
    is_sendable(seven)
    assert seven.isascii()
    if not transport.is_sendable(whole, eight=False):
        assert contents(seven) == contents(whole)


SEVEN = (
    b"From: a@b.c\r\nDate: Mon, 03 Nov 2025 14:05:00 +0100\r\n"
    b"Subject: Gr\xc3\xbc\xc3\x9fe an alle\r\nContent-Type: multipart/mixed; boundary=b\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9fe an alle im Land\r\n--b\r\n"
    b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nFrom: J\xc3\xb6rg <j@x>\r\n"
    b"Content-Type: text/html; charset=koi8-r\r\n\r\n\xd0\xd2\xc9\xd7\xc5\xd4\r\n--b\r\n\r\nseven\r\n--b--\r\n"
)


def test_what_seven_bits_make_of_eight() -> None:
    seven = transport.make_sendable(SEVEN, eight=False)
    assert b"8bit" not in seven
    assert contents(seven) == contents(SEVEN)
    found = wire_format.parse(seven).message
    assert found.defects == ()
    assert found.envelope.subject == "Grüße an alle"
    assert [part.encoding for part in found.root.walk() if not part.parts] == [
        "quoted-printable",
        "base64",
        "7bit",
    ]
    assert found.root.parts[1].envelope is not None
    assert found.root.parts[1].envelope.from_ == (Address("Jörg", "j@x"),)
    assert transport.make_sendable(SEVEN) is SEVEN
    assert b"\r\n--b\r\n\r\nseven\r\n--b--\r\n" in seven


def signed(content: bytes, *around: bytes) -> bytes:
    before, after = around or (b"", b"")
    return (
        b"Subject: \xc3\xa4\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
        b"Content-Type: multipart/signed; boundary=s; protocol=x; micalg=y\r\n\r\n"
        + before
        + b"--s\r\n"
        + content
        + b"\r\n--s\r\nContent-Type: application/pgp-signature\r\n\r\nsig\r\n--s--\r\n"
        + after
        + b"\r\n--b\r\n"
        + EIGHT_TEXT
        + b"\r\n--b--\r\n"
    )


EIGHT_TEXT = (
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9fe an alle\r\n"
)
FORWARDED = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: \xc3\xa4\r\n"


@pytest.mark.parametrize("content", [EIGHT_TEXT, FORWARDED + EIGHT_TEXT, b"X: \xc3\xa4\r\n\r\nx"])
def test_what_is_signed_is_not_put_into_seven_bits(content: bytes) -> None:
    with pytest.raises(transport.SignedContent):
        transport.make_sendable(signed(content), eight=False)
    assert content in transport.make_sendable(signed(content))


def test_what_is_signed_in_seven_bits_stays_octet_for_octet() -> None:
    content = b"Content-Type: text/plain\r\n\r\n-- \r\nGr=C3=BC  \r\n"
    for around in ((), (b"pre\xc3\xa4mble\r\n", b"epil\xc3\xb6gue")):
        seven = transport.make_sendable(signed(content, *around), eight=False)
        assert seven.isascii()
        assert b"--s\r\n" + content + b"\r\n--s\r\n" in seven


def test_too_many_parts_are_not_lost_but_refused() -> None:
    many = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n\xe4\r\n" * 1100 + b"--b--\r\n"
    with pytest.raises(ValueError, match="parts"):
        transport.make_sendable(many, eight=False)


@given(st.binary(max_size=2000), st.booleans())
def test_anything_becomes_fit_or_is_refused(octets: bytes, eight: bool) -> None:
    try:
        made = transport.make_sendable(octets, eight)
    except ValueError:
        return
    is_sendable(made)
    assert eight or made.isascii()


@given(
    st.lists(
        st.sampled_from(
            [b"a: b", b"Content-Type: multipart/mixed; boundary=b", b"--b", b"--b--", b"", b"\xe4", b"x" * 1200,
             b"Content-Type: message/rfc822", b"Content-Transfer-Encoding: 8bit", b"\0", b" folded\xc3\xa4"]
        ),
        max_size=14,
    ),
    st.booleans(),
)  # fmt: skip
def test_mail_of_odd_lines_becomes_fit_or_is_refused(lines: list[bytes], eight: bool) -> None:
    test_anything_becomes_fit_or_is_refused.hypothesis.inner_test(b"\r\n".join(lines), eight)  # type: ignore[attr-defined]


@pytest.mark.parametrize("ends", [b"\r\n", b"\n", b"\r"])
def test_what_only_the_sender_may_see_is_not_sent(ends: bytes) -> None:
    octets = compose(
        bcc=[Address("Secret", f"s{n}@example.org") for n in range(9)],
        draft={"X-Pocketpost-To": "half an addr, Grüße"},
        text="Bcc: in the text stays\n",
    )
    assert builder.draft_fields(octets.partition(b"\r\n\r\n")[0]) == {
        "x-pocketpost-to": "half an addr, Grüße"
    }
    kept = octets.replace(b"\r\n", ends)
    sent = builder.submitted_form(
        b"Return-Path: <me@x.org>" + ends + b"bCC :" + ends + b"\tx@y.z," + ends + b" w@y.z" + ends + kept
    )
    assert sent == compose(text="Bcc: in the text stays\n")
    assert builder.submitted_form(b"Bcc: x@y" + ends + b" z@y") == b""
    assert builder.submitted_form(ends + b"Bcc: x") == b"\r\nBcc: x"
    assert builder.submitted_form(b"To: a@b" + ends + b"Resent-Bcc: x@y" + ends) == b"To: a@b\r\n"


FIELD_NAMES = ["Bcc", "bcc", "Resent-BCC", "X-Pocketpost-Note", "To", "Subject", "X-Bcc", "Bccx"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(FIELD_NAMES),
            st.lists(st.sampled_from(["hidden@x", "a\rb", "c\n\td", ""]), min_size=1),
        ),
        max_size=6,
    )
)
def test_nothing_of_a_private_field_leaks(found: list[tuple[str, list[str]]]) -> None:
    private = {"bcc", "resent-bcc", "x-pocketpost-note"}
    header = "".join(
        f"{name}: " + "\r\n ".join(values) + "\r\n" for name, values in found if name.lower() in private
    )
    plain = "".join(f"{name}: x\r\n" for name, _ in found if name.lower() not in private)
    sent = builder.submitted_form((header.replace("a\rb", "a\r b") + plain + "\r\nbody\r\n").encode())
    assert sent == (plain + "\r\nbody\r\n").encode()


def test_a_draft_has_no_fields_but_its_own() -> None:
    for name in ("Bcc", "X-Pocketpost", "X-Pocketpost-", "X-Pocketpost-a:b", "X-Pocketpost-a\r\nTo"):
        with pytest.raises(ValueError, match="draft"):
            compose(draft={name: "x"})
    assert b"X-Pocketpost-A: x y: z\r\n" in compose(draft={"X-Pocketpost-A": "x\r\ny: z"})


def test_reply_to_and_no_recipients_at_all() -> None:
    octets = compose(to=[], reply_to=[Address("Büro", "office@x.org")])
    assert b"Reply-To: =?utf-8?b?QsO8cm8=?= <office@x.org>\r\n" in octets
    assert b"\r\nTo:" not in octets


def test_a_redirected_mail_stays_as_it_is() -> None:
    octets = builder.resent(
        b"From x@y Mon Jan  1\nDKIM-Signature: z\nBcc: x@y\n\nbody\n",
        ME,
        [Address("", "n@x.org")],
        WHEN,
        "<2@x.org>",
    )
    assert octets == (
        b"Resent-Date: Mon, 03 Nov 2025 14:05:00 +0100\r\nResent-From: Me <me@x.org>\r\nResent-To: n@x.org\r\n"
        b"Resent-Message-ID: <2@x.org>\r\nDKIM-Signature: z\r\nBcc: x@y\r\n\r\nbody\r\n"
    )
    assert b"Bcc" not in builder.submitted_form(octets)
    whole = samples.ODD["CRLF"]
    assert builder.resent(whole, ME, [ME], WHEN, "<2@x>").endswith(b"\r\n" + whole)
    with pytest.raises(ValueError, match="not an address"):
        builder.resent(b"", ME, [Address("", "x\r\nTo: y")], WHEN, "<2@x>")
    with pytest.raises(ValueError, match="not a message id"):
        builder.resent(b"", ME, [ME], WHEN, "x")


@pytest.mark.parametrize(
    ("spec", "written"),
    [
        ("j@bücher.de", "j@xn--bcher-kva.de"),
        ("j@straße.de", "j@xn--strae-oqa.de"),  # not strasse.de, which is another domain
        ("j@BÜCHER.example", "j@xn--bcher-kva.example"),
        ("j@例え。テスト", "j@xn--r8jz45g.xn--zckzah"),
        ("ü@bücher.de", "ü@bücher.de"),
        ("j@" + "ü" * 80 + ".de", "j@" + "ü" * 80 + ".de"),
    ],
)
def test_domains_in_ascii(spec: str, written: str) -> None:
    assert builder.ascii_spec(spec) == written


def test_a_long_word_of_a_header_is_broken() -> None:
    words = encoded_words.unstructured("x" * 2000)
    assert max(map(len, words)) <= 75
    octets = compose(subject="x" * 2000, to=[Address("y" * 900, "a@b.c")])
    is_sendable(octets)
    assert wire_format.parse(octets).message.envelope.to == (Address("y" * 900, "a@b.c"),)


# --- answering and passing on ---


def message(**envelope: object) -> Message:
    extra = envelope.pop("headers", {})
    return Message(Envelope(**envelope), Part("1", "text/plain"), headers=extra)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("subject", "made"),
    [
        ("Hello", "Fwd: Hello"),
        ("Fw: WG: Hello", "Fwd: Hello"),
        ("Re: Hello", "Fwd: Re: Hello"),
        ("", "Fwd:"),
        ("Forward: x", "Fwd: Forward: x"),
    ],
)
def test_subjects_of_what_is_passed_on(subject: str, made: str) -> None:
    assert subjects.forward(subject) == made
    assert subjects.forward(made) == made


@pytest.mark.parametrize(
    ("said", "to"),
    [
        ("<mailto:list@example.org>", ["list@example.org"]),
        (
            "<https://x.org/post>, <MAILTO:li\r\n st@example.org?subject=x>, <mailto:other@x>",
            ["list@example.org"],
        ),
        ("NO (posting not allowed)", []),
        ("<mailto:nonsense>", []),
        ("", []),
    ],
)
def test_a_reply_to_the_list_goes_to(said: str, to: list[str]) -> None:
    assert [one.spec for one in reply.list_recipients(message(headers={"list-post": said}))] == to


def test_a_mail_passed_on_says_whose_it_was() -> None:
    mail = message(
        from_=(Address("Joe\n Doe", "joe@x"),), to=(ME, Address("", "b@x")), subject="Hi\r\nBcc: x", date=WHEN
    )
    assert reply.forwarded(mail, "\r\ntext\r\n\r\nend\r\n", "Monday", str.upper) == (
        "---- FORWARDED MESSAGE ----\nFROM: Joe Doe <joe@x>\nDATE: Monday\nSUBJECT: Hi Bcc: x\n"
        "TO: Me <me@x.org>, b@x\n\ntext\n\nend\n"
    )
    assert reply.forwarded(message(), "", "", str) == "---- Forwarded message ----\n"


def test_long_names_of_files_fit_short_lines() -> None:
    for name in ("x" * 90 + ".tar.gz", "=_utf-8_b_eA==_=.txt", "報" * 90 + ".docx", "=?utf-8?b?eA==?=.txt"):
        octets = compose(attached=[Attached(name, "application/pdf", b"x")])
        assert max(map(len, octets.split(b"\r\n"))) <= 78
        assert leaves(octets)[1][0].filename == filenames.safe(name)
        [mime] = standard(octets).iter_attachments()
        assert mime.get_filename() == filenames.safe(name)
    assert encoded_words.parameters({"x": "=?utf-8?b?eA==?="}) == [
        "x*=UTF-8''%3D%3Futf-8%3Fb%3FeA%3D%3D%3F%3D;",
        'x="=_utf-8?b?eA==_="',
    ]


@given(st.text(st.characters(min_codepoint=128, exclude_categories=["Cs"]), min_size=20, max_size=80))
def test_no_encoded_word_splits_a_character(text: str) -> None:
    words = list(encoded_words.encoded_words(text.encode()))
    assert "".join(base64.b64decode(word[10:-2]).decode() for word in words) == text
    assert max(map(len, words), default=0) <= 75
