"""Answers: recipients, threads, quotations, and the octets that go out."""

from __future__ import annotations

import email
import email.policy
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message.headers import header_fields, subjects
from gateway.message.mime import wire_format
from gateway.message.mime.body import text_pieces
from gateway.message.model import Address, Envelope, Message, Part
from gateway.message.outgoing import builder, reply

WHEN = datetime(2025, 11, 3, 14, 5, tzinfo=timezone(timedelta(hours=1)))
ME = Address("Me", "me@x.org")
OWN = {"ME@x.org", "other-me@x.org"}


def message(**envelope: object) -> Message:
    extra, defects = envelope.pop("headers", {}), envelope.pop("defects", ())
    return Message(Envelope(**envelope), Part("1", "text/plain"), headers=extra, defects=defects)  # type: ignore[arg-type]


def people(*specs: str) -> tuple[Address, ...]:
    return tuple(Address("", spec) for spec in specs)


def specs(found: tuple[list[Address], list[Address]]) -> tuple[list[str], list[str]]:
    return [address.spec for address in found[0]], [address.spec for address in found[1]]


@pytest.mark.parametrize(
    ("subject", "answered"),
    [
        ("Hello", "Re: Hello"),
        ("Re: Hello", "Re: Hello"),
        ("RE: AW: Re[2]: Hello", "Re: Hello"),
        ("回复：你好", "Re: 你好"),
        ("RES: ANTW: SV: VS: Odp: YNT: 回复: Re(2): Hello", "Re: Hello"),
        ("Antwort: Re : Hello", "Re: Hello"),
        ("Atb.: Odg: BLS: Svar: Hello", "Re: Hello"),
        ("רד: x", "Re: רד: x"),
        ("رد: תגובה: 답장: 回應：x", "Re: x"),
        ("Result: x", "Re: Result: x"),
        ("Ref: 4711", "Re: Ref: 4711"),
        ("", "Re:"),
        ("Fwd: x", "Re: Fwd: x"),
        ("Regarding: x", "Re: Regarding: x"),
        ("x\r\nBcc: y@z", "Re: x Bcc: y@z"),
    ],
)
def test_the_subject_of_a_reply_has_one_prefix(subject: str, answered: str) -> None:
    assert subjects.reply(subject) == answered
    assert subjects.reply(answered) == answered


@pytest.mark.parametrize(
    ("mail", "to"),
    [
        (message(from_=people("a@b")), ["a@b"]),
        (message(from_=people("a@b"), reply_to=people("c@d")), ["c@d"]),
        (message(from_=people("a@b"), reply_to=people("nonsense")), ["a@b"]),
        (message(sender=people("s@b")), ["s@b"]),
        (
            message(from_=people("me@X.org"), to=people("a@b", "me@x.org"), reply_to=people("me@x.org")),
            ["a@b"],
        ),
        (message(from_=people("me@x.org"), to=people("other-me@x.org")), ["other-me@x.org"]),
        (message(from_=people("me@x.org")), ["me@x.org"]),
        (message(), []),
        # A form on a web page writes in its owner's name.
        (message(from_=people("me@x.org"), to=people("me@x.org"), reply_to=people("v@e.f")), ["v@e.f"]),
        (
            message(from_=people("me+web@x.org"), to=people("Me@x.org", "c@d"), reply_to=people("v@e.f")),
            ["v@e.f"],
        ),
        (message(from_=people("me@x.org"), to=people("other-me@x.org"), reply_to=people("v@e.f")), ["v@e.f"]),
        (message(from_=people("me@x.org"), reply_to=people("v@e.f")), ["v@e.f"]),  # to oneself as Bcc
        (message(from_=people("me@x.org"), to=people("c@d"), reply_to=people("v@e.f")), ["c@d"]),
        (
            message(from_=people("me@x.org"), to=people("me@x.org"), reply_to=people("me+x@x.org")),
            ["me@x.org"],
        ),
        (message(from_=people("me@x.org"), to=people("me@x.org"), reply_to=people("nobody")), ["me@x.org"]),
        # Oneself, only if nobody else is left.
        (message(from_=people("me@x.org"), to=people("me+notes@x.org"), cc=people("c@d")), ["c@d"]),
        (message(from_=people("a@b"), reply_to=people("me+list@x.org")), ["a@b"]),
        (message(from_=people("a@b"), reply_to=people("me@x.org", "c@d")), ["c@d"]),
        (message(from_=people("me+a@x.org"), to=people("me+b@x.org")), ["me+b@x.org"]),
    ],
)
def test_a_reply_goes_to(mail: Message, to: list[str]) -> None:
    assert specs(reply.reply_recipients(mail, OWN)) == (to, [])


@pytest.mark.parametrize(
    ("mail", "to", "cc"),
    [
        (
            message(from_=people("a@b"), to=people("me@x.org", "c@d"), cc=people("e@f", "A@b")),
            ["a@b"],
            ["c@d", "e@f"],
        ),
        (
            message(from_=people("a@b"), to=people("c@d"), headers={"mail-followup-to": "list@x, me@x.org"}),
            ["list@x"],
            [],
        ),
        (message(from_=people("me@x.org"), to=people("a@b"), cc=people("c@d")), ["a@b"], ["c@d"]),
        (message(from_=people("other-me@x.org"), to=people("me@x.org")), ["me@x.org"], []),
        (message(from_=people("a@b")), ["a@b"], []),
        (message(from_=people("a@b"), to=people("me+shop@x.org", "c@d")), ["a@b"], ["c@d"]),
        (
            message(from_=people("a@b"), to=people("me@x.org"), reply_to=people("me+x@x.org", "c@d")),
            ["c@d"],
            [],
        ),
        (
            message(from_=people("me@x.org"), to=people("me@x.org"), cc=people("c@d", "e@f")),
            ["c@d", "e@f"],
            [],
        ),
        (
            message(from_=people("me@x.org"), to=people("me@x.org", "c@d"), reply_to=people("v@e.f")),
            ["v@e.f"],
            ["c@d"],
        ),
        (message(from_=people("me+a@x.org"), to=people("me+b@x.org")), ["me+b@x.org"], []),
    ],
)
def test_a_reply_to_all_goes_to(mail: Message, to: list[str], cc: list[str]) -> None:
    assert specs(reply.reply_all_recipients(mail, OWN)) == (to, cc)


@pytest.mark.parametrize(
    ("mail", "everybody", "names", "more"),
    [
        (
            message(from_=people("a@b"), to=people("c@d", "e"), cc=(Address("Foo", ""),)),
            True,
            ["e", "Foo"],
            0,
        ),
        (message(from_=people("a@b"), to=people("c@d", "e")), False, [], 0),
        (message(from_=people("a@b"), reply_to=people("e")), False, ["e"], 0),
        (
            message(from_=people("a@b"), to=people("e"), headers={"mail-followup-to": "c@d, f"}),
            True,
            ["f"],
            0,
        ),
        (message(defects=("to: 7 more", "from: 3 more", "cc: 5 more", "date: unparsable")), True, [], 12),
        (message(defects=("to: 7 more",)), False, [], 0),
    ],
)
def test_those_who_cannot_be_replied_to_are_named(
    mail: Message, everybody: bool, names: list[str], more: int
) -> None:
    found, count = reply.left_out(mail, everybody)
    assert ([one.label for one in found], count) == (names, more)


def test_a_thread_of_ids_without_at() -> None:
    """Ticket systems and old programs write such ids; they identify a thread all the same."""
    old = message(message_id="<4711.desk>", headers={"references": "<first.4711> <a@x>"})
    assert reply.references(old) == ["<first.4711>", "<a@x>", "<4711.desk>"]
    octets = compose(in_reply_to=old.envelope.message_id, references=reply.references(old))
    assert b"\r\nIn-Reply-To: <4711.desk>\r\nReferences: <first.4711> <a@x> <4711.desk>\r\n" in octets


def test_references_go_on_with_the_message_that_is_answered() -> None:
    assert reply.references(message(message_id="<c@x>", headers={"references": "<a@x> <b@x>"})) == [
        "<a@x>",
        "<b@x>",
        "<c@x>",
    ]
    assert reply.references(message(message_id="<c@x>", in_reply_to="<b@x>")) == ["<b@x>", "<c@x>"]
    assert reply.references(message(message_id="<c@x>", in_reply_to="<a@x> <b@x>")) == ["<c@x>"]
    assert reply.references(message()) == []
    long = reply.references(
        message(message_id="<z@x>", headers={"references": " ".join(f"<{n}@x>" for n in range(500))})
    )
    assert (len(long), long[0], long[-1]) == (reply.REFERENCES_LIMIT, "<0@x>", "<z@x>")


def test_a_quotation_is_marked_line_by_line_and_cut() -> None:
    assert (
        reply.quote("a\r\n> b\n\nc\n", "On Monday, Joe wrote:")
        == "On Monday, Joe wrote:\n> a\n>> b\n>\n> c\n"
    )
    cut = reply.quote("line äöü\n" * 5000, "Joe:", 1000)
    assert cut.endswith("\n> […]\n")
    assert len(cut.encode()) < 1020
    assert reply.quote("x" * 50_000, "", 1000) == "> " + "x" * 997 + "\n> […]\n"


def compose(**changed: object) -> bytes:
    arguments: dict[str, object] = {
        "sender": ME,
        "to": [Address("", "a@b.c")],
        "subject": "s",
        "text": "t",
        "date": WHEN,
        "message_id": "<1@x.org>",
    }
    return reply.compose(**(arguments | changed))  # type: ignore[arg-type]


def text_of(octets: bytes) -> str:
    found = wire_format.parse(octets)
    return "".join(
        piece.text for piece in text_pieces(found.message.root, lambda start: found.octets("1", start))
    )


def unflowed(text: str) -> str:
    """Read format=flowed as RFC 3676 §4 says, for text without quotes."""
    out = []
    for line in text.split("\n"):
        stuffed = line.removeprefix(" ")
        out.append(stuffed if stuffed.endswith(" ") and stuffed != "-- " else stuffed + "\n")
    return "".join(out).removesuffix("\n")


def test_a_plain_answer() -> None:
    octets = compose(cc=[Address("Doe, Joe", "d@e.f")], in_reply_to="<0@x>", references=["<a@x>", "<0@x>"])
    assert octets == (
        b"Date: Mon, 03 Nov 2025 14:05:00 +0100\r\nFrom: Me <me@x.org>\r\nTo: a@b.c\r\nCc: \"Doe, Joe\" <d@e.f>\r\n"
        b"Subject: s\r\nMessage-ID: <1@x.org>\r\nIn-Reply-To: <0@x>\r\nReferences: <a@x> <0@x>\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=us-ascii; format=flowed\r\nContent-Transfer-Encoding: 7bit\r\n\r\nt\r\n"
    )  # fmt: skip


TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\x0b\x0c\x85\u2028\u2029"), max_size=120
)


@given(
    TEXT,
    st.lists(
        st.tuples(TEXT, st.sampled_from(["a@b.c", "ü@d.e", "j@bücher.de", '"q r"@x.y'])),
        min_size=1,
        max_size=3,
    ),
    TEXT,
)
def test_whatever_goes_in_is_one_good_message(subject: str, to: list[tuple[str, str]], text: str) -> None:
    octets = compose(subject=subject, to=[Address(*one) for one in to], text=text)
    assert b"\n" not in octets.replace(b"\r\n", b"")
    assert b"\r" not in octets.replace(b"\r\n", b"")
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    found = wire_format.parse(octets).message
    assert found.defects == ()
    assert found.envelope.subject == header_fields.clean(subject)
    assert found.envelope.date == WHEN
    written = {builder.ascii_spec(spec): header_fields.clean(name) for name, spec in reversed(to)}
    for address in found.envelope.to:
        assert address.name in (written[address.spec], "")
    assert len(found.envelope.to) == len({spec.lower() for _, spec in to})
    header = octets.partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0] for line in header.split(b"\r\n") if line[:1] != b" "]
    subjects = [b"Subject"] if header_fields.clean(subject) else []
    mime = [b"MIME-Version", b"Content-Type", b"Content-Transfer-Encoding"]
    assert names == [b"Date", b"From", b"To", *subjects, b"Message-ID", *mime]


LINES = st.lists(
    st.sampled_from(
        [
            "",
            "short",
            "From here",
            " led by a blank",
            "-- ",
            "a b " * 40,
            "Grüße " * 30,
            "x" * 1200,
            "日本語" * 60,
            ".",
        ]
    ),
    max_size=8,
)


@given(LINES)
def test_text_comes_back_unflowed(lines: list[str]) -> None:
    text = "\n".join(lines)
    octets = compose(text=text)
    body = text_of(octets)
    assert all(len(line) <= 78 or " " not in line.strip() for line in body.split("\n"))
    expected = "\n".join(
        line if line == "-- " else line.rstrip(" ") for line in text.removesuffix("\n").split("\n")
    )
    assert unflowed(body.removesuffix("\n")) == expected
    assert (
        email.message_from_bytes(octets, policy=email.policy.default).get_content().replace("\r\n", "\n")
        == body
    )


def test_long_quotations_keep_their_marks() -> None:
    body = text_of(compose(text="> > " + "quoted words " * 20 + "\n>> x\n> \n>"))
    lines = body.removesuffix("\n").split("\n")
    assert all(line.startswith(">> ") for line in lines[:-2])
    assert all(line.endswith(" ") for line in lines[: len(lines) - 4])
    assert lines[-2:] == [">", ">"]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("plain", b"7bit"),
        ("Grüße an alle im Land", b"quoted-printable"),
        ("Привет всем", b"base64"),
        ("x" * 2000, b"quoted-printable"),
    ],
)
def test_transfer_encodings(text: str, encoding: bytes) -> None:
    assert b"Content-Transfer-Encoding: " + encoding + b"\r\n" in compose(text=text)


def test_no_header_can_be_put_in() -> None:
    evil = "x\r\nBcc: evil@x.org\r\n\r\nbody"
    octets = compose(
        subject=evil,
        sender=Address(evil, "me@x.org"),
        to=[Address(evil, "a@b.c")],
        in_reply_to=evil + "<ok@x>",
        references=[evil, "<a@x>\r\nBcc: y@z"],
    )
    assert b"\r\nBcc" not in octets
    assert b"In-Reply-To: <ok@x>\r\nReferences: <a@x>\r\n" in octets
    for spec in ("a@b\r\nBcc: c@d", "nonsense", "", "a@b>,<c@d"):
        with pytest.raises(ValueError, match="not an address"):
            compose(sender=Address("", spec))
    with pytest.raises(ValueError, match="not a message id"):
        compose(message_id="<a@b\r\nx>")


def test_long_references_are_folded_never_encoded() -> None:
    ids = [f"<{n}-{'z' * 90}@example.org>" for n in range(20)]
    octets = compose(references=ids)
    assert b"=?" not in octets
    assert wire_format.parse(octets).message.headers["references"] == " ".join(ids)


def test_addresses_beyond_ascii() -> None:
    octets = compose(to=[Address("Jörg", "j@bücher.de"), Address("", "ü@bücher.de")])
    assert "To: =?utf-8?b?SsO2cmc=?= <j@xn--bcher-kva.de>, ü@bücher.de\r\n".encode() in octets


@pytest.mark.parametrize(
    ("domain", "unique", "made"),
    [
        ("x.org", "abc.1", "<abc.1@x.org>"),
        ("bücher.de", "abc", "<abc@xn--bcher-kva.de>"),
        ("x\r\n.org>", "a<\n@b", "<ab@x.org>"),
        ("", "", "<mail@localhost>"),
    ],
)
def test_message_ids(domain: str, unique: str, made: str) -> None:
    assert reply.new_message_id(domain, unique) == made
