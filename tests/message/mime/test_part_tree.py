"""From a server's words to envelopes and trees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message.mime import part_tree
from gateway.message.model import Address, Envelope, Gap, Part

TEXT = (
    b"text",
    b"plain",
    (b"charset", b"utf-8"),
    None,
    None,
    b"quoted-printable",
    30,
    2,
    None,
    None,
    None,
    None,
)
HTML = (b"TEXT", b"HTML", None, None, None, b"7BIT", 40, 3)
PDF = (b"application", b"pdf", (b"name", b"=?utf-8?q?=C3=A4.pdf?="), None, None, b"base64", 900, None,
       (b"attachment", (b"filename*0*", b"utf-8''%c3%a4", b"filename*1", b".pdf")), None, None)  # fmt: skip
ENVELOPE = (
    b"Mon, 3 Nov 2003 14:05:00 +0100",
    b"=?utf-8?q?Gr=C3=BC=C3=9Fe?=",
    ((b"=?utf-8?q?J=C3=B6rg?=", None, b"joerg", b"x.org"),),
    None,
    None,
    ((None, None, b"team", None), (None, None, b"a", b"b.c"), (None, None, None, None)),
    None,
    None,
    b"<parent@x>",
    b" <id@x>",
)


def test_an_envelope_is_read() -> None:
    found, defects = part_tree.envelope(ENVELOPE)
    assert defects == []
    assert found.subject == "Grüße"
    assert found.date == datetime.fromisoformat("2003-11-03T14:05:00+01:00")
    assert found.from_ == (Address("Jörg", "joerg@x.org"),)
    assert found.to == (Address("", "a@b.c"),)
    assert (found.in_reply_to, found.message_id) == ("<parent@x>", "<id@x>")


@dataclass
class Names:
    """The shape of imapclient's Envelope and Address."""

    date: Any = datetime(2003, 11, 3, tzinfo=UTC)
    subject: Any = b"s"
    from_: Any = None
    sender: Any = None
    reply_to: Any = None
    to: Any = None
    cc: Any = None
    bcc: Any = None
    in_reply_to: Any = None
    message_id: Any = None
    name: Any = b"N"
    route: Any = None
    mailbox: Any = b"m"
    host: Any = b"h"


def test_an_envelope_of_objects_is_read() -> None:
    found, defects = part_tree.envelope(Names(to=(Names(), Names(name=None, host=b"MISSING_DOMAIN"))))
    assert defects == []
    assert found.to == (Address("N", "m@h"), Address("", "m"))
    assert part_tree.envelope(Names(date=datetime(2003, 11, 3)))[0].date == datetime(2003, 11, 3, tzinfo=UTC)
    assert part_tree.envelope(Names(date=datetime(1900, 11, 3)))[1] == ["date: not a year of mail"]


def test_of_thousands_of_recipients_the_rest_is_counted() -> None:
    many = ((None, None, b"a", b"b"),) * 1000
    found, defects = part_tree.envelope((*ENVELOPE[:5], many, *ENVELOPE[6:]))
    assert (len(found.to), defects) == (200, ["to: 800 more"])
    found, defects = part_tree.envelope_from_header(b"Date: 3 Nov 2003 1:00\r\nTo: " + b"a@b, " * 1000)
    assert (len(found.to), defects) == (200, ["to: 800 more"])


def test_a_header_says_what_an_envelope_does() -> None:
    raw = (
        b"From: =?utf-8?q?J=C3=B6rg?= <joerg@x.org>\r\nTo: team: a@b.c;\r\nSubject: =?utf-8?q?Gr=C3=BC?=\r\n"
        b" =?utf-8?q?=C3=9Fe?=\r\nDate: Mon, 3 Nov 2003 14:05:00 +0100\r\nIn-Reply-To: <parent@x>\r\n"
        b"Message-ID: <id@x>\r\nCc: d@e\r\nCc: f@g\r\n\r\n"
    )
    found, defects = part_tree.envelope_from_header(raw)
    assert defects == []
    server, _ = part_tree.envelope(ENVELOPE)
    assert (found.subject, found.date, found.from_, found.to) == (
        server.subject,
        server.date,
        server.from_,
        server.to,
    )
    assert found.sender == found.reply_to == found.from_
    assert [address.spec for address in found.cc] == ["d@e", "f@g"]
    kept = b"Precedence: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nPrecedence: second\r\n"
    assert part_tree.header_fields(raw[:-2] + kept) == {"precedence": "Grüße"}


def sections(root: Part) -> list[tuple[str, str]]:
    return [(part.section, part.media_type) for part in root.walk()]


def test_one_part_is_section_one() -> None:
    root, defects = part_tree.from_bodystructure(TEXT)
    assert defects == []
    assert root == Part("1", "text/plain", {"charset": "utf-8"}, "quoted-printable", 30)


@pytest.mark.parametrize("listed", [True, False])
def test_a_tree_is_numbered(listed: bool) -> None:
    def multi(*parts: Any, subtype: bytes = b"mixed") -> Any:
        return ([*parts] if listed else parts) and ((list(parts), subtype) if listed else (*parts, subtype))

    inner = multi(TEXT, PDF)
    message = (
        b"message",
        b"rfc822",
        None,
        None,
        None,
        b"7bit",
        500,
        ENVELOPE,
        inner,
        20,
        None,
        (b"inline", None),
    )
    single = (b"message", b"rfc822", None, None, None, b"7bit", 500, ENVELOPE, TEXT, 20)
    root, defects = part_tree.from_bodystructure(
        multi(multi(TEXT, HTML, subtype=b"alternative"), message, single, PDF)
    )
    assert defects == []
    assert sections(root) == [
        ("", "multipart/mixed"),
        ("1", "multipart/alternative"),
        ("1.1", "text/plain"),
        ("1.2", "text/html"),
        ("2", "message/rfc822"),
        ("2.TEXT", "multipart/mixed"),
        ("2.1", "text/plain"),
        ("2.2", "application/pdf"),
        ("3", "message/rfc822"),
        ("3.1", "text/plain"),
        ("4", "application/pdf"),
    ]
    assert root.parts[1].disposition == "inline"
    assert root.parts[1].envelope is not None
    assert root.parts[1].envelope.subject == "Grüße"
    assert (root.parts[3].filename, root.parts[3].octets) == ("ä.pdf", 900)


def test_bounds_name_what_is_left_out() -> None:
    deep: Any = TEXT
    for _ in range(5000):
        deep = (deep, b"mixed")
    root, defects = part_tree.from_bodystructure(deep)
    assert sum(1 for _ in root.walk()) == part_tree.DEPTH_LIMIT + 1
    (gap,) = defects
    assert isinstance(gap, Gap)
    assert gap == "parts: deeper than 50: " + ".".join("1" * 50) + " (multipart/mixed) not opened"
    assert gap.part is not None
    assert gap.part.section == ".".join("1" * 50)
    named = (b"image", b"png", (b"name", b"a.png"), None, None, b"base64", 10)
    root, defects = part_tree.from_bodystructure(
        ([TEXT, ([TEXT] * 5000, b"mixed"), *[named] * 999], b"mixed")
    )
    assert len(root.parts) == part_tree.PART_LIMIT - 1
    assert defects == [
        "parts: more than 1000: 2 left out, from 1000 (image/png, a.png) on",
        "parts: more than 1000: 5000 left out, from 2.1 (text/plain) on",
    ]
    assert [(gap.part.filename, gap.parts) for gap in defects if isinstance(gap, Gap) and gap.part] == [
        ("a.png", 2),
        ("", 5000),
    ]


def test_of_many_gaps_the_first_are_named_and_the_rest_counted() -> None:
    many: Any = ([([TEXT] * 300, b"mixed")] * 10, b"mixed")
    _, defects = part_tree.from_bodystructure(many)
    assert len(defects) == part_tree.GAPS_LIMIT + 1
    assert defects[-1] == "parts: 600 more left out"


ATOMS = st.one_of(
    st.none(), st.integers(-5, 5), st.binary(max_size=8), st.text(max_size=4),
    st.sampled_from([b"text", b"plain", b"message", b"rfc822", b"mixed", b"attachment", b"charset", b"name*0*"]),
)  # fmt: skip
SHAPES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(st.lists(inner, max_size=12), st.lists(inner, max_size=12).map(tuple)),
    max_leaves=40,
)


@given(SHAPES)
def test_odd_shapes_never_raise(raw: object) -> None:
    root, _ = part_tree.from_bodystructure(raw)
    assert len({part.section for part in root.walk()}) == sum(1 for _ in root.walk())
    part_tree.has_attachment(root)
    assert isinstance(part_tree.envelope(raw)[0], Envelope)


@given(st.tuples(*[SHAPES] * 10))
def test_odd_envelopes_never_raise(raw: tuple[object, ...]) -> None:
    assert isinstance(part_tree.envelope(raw)[0], Envelope)


@given(st.binary(max_size=300))
def test_any_header_is_read(raw: bytes) -> None:
    assert isinstance(part_tree.envelope_from_header(raw)[0], Envelope)
    assert all(part_tree.header_fields(raw))


# --- attachments ---


def leaf(media_type: str, disposition: str = "", name: str = "", cid: str = "") -> Part:
    return Part("1", media_type, {"name": name} if name else {}, disposition=disposition, content_id=cid)


def multi(subtype: str, *parts: Part) -> Part:
    return Part("", f"multipart/{subtype}", parts=parts)


BODY = leaf("text/plain")
PAGE = leaf("text/html")
DOCUMENT = leaf("application/pdf", "attachment", "a.pdf")


@pytest.mark.parametrize(
    ("root", "attached"),
    [
        (BODY, False),
        (leaf("text/plain", "inline", "msg.txt"), False),
        (DOCUMENT, True),
        (leaf("application/pdf"), True),
        (multi("alternative", BODY, PAGE, leaf("text/calendar", "", "x.ics")), False),
        (multi("alternative", BODY, multi("mixed", PAGE, DOCUMENT)), True),
        (multi("mixed", BODY, PAGE), False),
        (multi("mixed", BODY, leaf("text/plain", "", "notes.txt")), True),
        (multi("mixed", BODY, leaf("text/plain", "attachment")), True),
        (multi("related", PAGE, leaf("image/png", "inline", "logo.png", "c1")), False),
        (multi("related", PAGE, leaf("image/png", "attachment", "logo.png", "c1")), False),
        (multi("mixed", PAGE, leaf("image/png", "inline", "logo.png", "c1")), False),
        (multi("mixed", BODY, leaf("image/jpeg", "inline", "photo.jpg")), True),
        (multi("mixed", BODY, leaf("image/jpeg", "attachment", "photo.jpg", "c1")), True),
        (multi("signed", BODY, leaf("application/pkcs7-signature", "attachment", "smime.p7s")), False),
        (
            multi(
                "signed",
                multi("mixed", BODY, DOCUMENT),
                leaf("application/pgp-signature", "", "signature.asc"),
            ),
            True,
        ),
        (
            multi(
                "encrypted",
                leaf("application/pgp-encrypted"),
                leaf("application/octet-stream", "inline", "x.asc"),
            ),
            False,
        ),
        (leaf("application/pkcs7-mime", "attachment", "smime.p7m"), False),
        (multi("report", BODY, leaf("message/delivery-status"), leaf("message/rfc822")), False),
        (multi("mixed", BODY, leaf("message/rfc822")), True),
        (multi("digest", leaf("message/rfc822")), False),
        (multi("mixed", BODY, leaf("application/ms-tnef", "attachment", "winmail.dat")), True),
    ],
)
def test_what_is_an_attachment(root: Part, attached: bool) -> None:
    assert part_tree.has_attachment(root) is attached
