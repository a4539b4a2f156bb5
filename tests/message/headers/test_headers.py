"""Header fields, encoded words, addresses, parameters and cleaning."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message.headers import address_lists, dates, header_fields, parameters
from gateway.message.model import Address
from tests import bounded

PIECES = st.sampled_from(
    [b"=?utf-8?q?", b"=?utf-8?B?", b"?=", b"=?", b"?", b"=", b"=C3", b"w6Q=", b"(", b")", b"<", b">", b'"', b"\\",
     b"@", b",", b";", b":", b"[", b"]", b" ", b"\r\n ", b"a", b"b.c", b"*0*", b"*", b"'", b"%e2", b"\xe4",
     "ä".encode(), b"\0", b"\x1b$B"]
)  # fmt: skip
HOSTILE = st.lists(PIECES, max_size=30).map(b"".join)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"=?utf-8?q?Hello_W=C3=B6rld?=", "Hello Wörld"),
        (b"=?utf-8?B?4oKs?= =?utf-8?B?4oKs?= x", "€€ x"),
        (b"a =?utf-8?q?b?= c =?utf-8?q?d?=", "a b c d"),
        (b"=?utf-8?q?=E2=82?=\r\n =?utf-8?q?=AC?=", "€"),
        (b"=?utf-8?B?4o?= =?utf-8?B?Ks?=", None),
        (b"=?utf-8?q?one?= =?iso-8859-1?q?=FC?=", "oneü"),
        (b"=?utf-8?q?a?==?utf-8?q?b?=", "ab"),
        (b"x=?utf-8?q?a?=y", "xay"),
        (b"=?utf-8?q?with spaces, and what??=", "with spaces, and what?"),
        (b"=?utf-8?q?unterminated =C3=B6", "unterminated ö"),
        (b"=?utf-8?q?unterminated =?utf-8?q?next?=", "unterminated next"),
        (b"=?utf-8?B?w7Y?=", "ö"),
        (b"=?utf-8?B?w7Y=w7Y=?=", "öö"),
        (b"=?utf-8?B?w\r\n 7Y=?=", "ö"),
        (b"Gr\xfc\xdfe", "Grüße"),
        ("Grüße".encode(), "Grüße"),
        ("Привет".encode("koi8-r"), "Привет"),
        (b"\x1b$B$3$s\x1b(B", "こん"),
        (b"=?x-foo?q?Gr=FC=DFe?=", "Grüße"),
        (b"=?koi8-r?B?8NLJ18XU?=", "Привет"),
        (b"=?iso-2022-jp?B?GyRCJDMkcxsoQg==?=", "こん"),
        (b"=?gb2312?B?xOO6ww==?=", "你好"),
        (b"=?utf-8*en?Q?hi?=", "hi"),
        (b"=?UTF-8?Q?=3D=3Futf-8=3FQ=3Fabc=3F=3D?=", "abc"),
        (b"=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
        (b"=?utf-8?q?=0D=0ABcc:_x@y?=", "Bcc: x@y"),
        (b"folded\r\n\t value \r\n  here", "folded value here"),
        (b"", ""),
    ],
)
def test_encoded_words(raw: bytes, text: str | None) -> None:
    decoded = header_fields.decode(raw)
    assert text is None or decoded == text


@given(HOSTILE)
def test_decoding_never_raises_and_is_clean(raw: bytes) -> None:
    text = header_fields.decode(raw)
    assert text == header_fields.clean(text)
    assert all(unicodedata.category(character) not in ("Cc", "Cs") for character in text)


@given(st.text(st.characters(exclude_categories=["C", "Z"], include_characters=" "), max_size=60))
def test_words_of_the_standard_library_are_read(text: str) -> None:
    from email.header import Header

    written = Header(text.encode("utf-8", "replace").decode(), "utf-8").encode().encode()
    assert header_fields.decode(written) == header_fields.clean(text.encode("utf-8", "replace").decode())


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\u202eb\u202c \u2066c\u2069\u200f\u061c", "ab c"),
        ("pay\u200bpal\ufeff\u2060 \u00adx", "paypal x"),
        ("pay\U000e0139\U000e0061pal", "paypal"),
        (" a\r\n\tb\u00a0\u3000 c\0d\x1b ", "a b cd"),
        ("pay\u200dpal", "paypal"),
        ("👨\u200d👩 می\u200cخواهم", "👨\u200d👩 می\u200cخواهم"),
        ("\U000e0041tag", "tag"),
        ("Grüße 日本", "Grüße 日本"),
    ],
)
def test_cleaned_text_is_one_line_and_stays_as_it_is(text: str, cleaned: str) -> None:
    assert header_fields.clean(text) == cleaned
    assert header_fields.clean(cleaned) == cleaned


@pytest.mark.parametrize(
    ("address", "label"),
    [
        (Address("Joe", "joe@x.org"), "Joe"),
        (Address("", "joe@x.org"), "joe@x.org"),
        (Address("Joe", ""), "Joe"),
        (Address("JOE@x.org", "joe@x.org"), "joe@x.org"),
        (Address("boss@bank.com", "x@evil.test"), "x@evil.test (boss@bank.com)"),
        (Address("boss＠bank.com", "x@evil.test"), "x@evil.test (boss＠bank.com)"),
        (Address("boss@bank.com x@evil.test", "x@evil.test"), "x@evil.test (boss@bank.com x@evil.test)"),
        (Address("Joe <joe@x.org>", "joe@x.org"), "Joe <joe@x.org>"),
        (Address("Pаypal", "x@evil.test"), "x@evil.test (Pаypal)"),  # the a is Cyrillic
        (Address("", "x@pаypal.test"), "x@xn--pypal-4ve.test"),
        (Address("Иван Ivanov", "i@x.org"), "Иван Ivanov"),
        (Address("", "i@пример.org"), "i@пример.org"),
    ],
)
def test_the_real_address_is_seen(address: Address, label: str) -> None:
    assert header_fields.safe_label(address) == label


def test_fields_are_split_and_unfolded() -> None:
    raw = b"Subject: one\r\n two\r\nnonsense\r\nX-Y : z\r\n: no name\r\nTo:\r\n"
    assert header_fields.fields(raw) == (
        [("subject", b"one two"), ("x-y", b"z"), ("to", b"")],
        ["header: a line that is no field"],
    )
    long, defects = header_fields.fields(b"A: " + b"x" * 70000 + b"\r\nB: y\r\n" + b"C: z\r\n" * 200_000)
    assert (len(long[0][1]), long[1]) == (header_fields.FIELD_LIMIT, ("b", b"y"))
    assert len(defects) == 3


# --- addresses ---


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"Joe <joe@x.org>, b@c (Bob)", [("Joe", "joe@x.org"), ("Bob", "b@c")]),
        (b'"Doe, John" <j@x>', [("Doe, John", "j@x")]),
        (b'Joe "The \\"Man\\"" Doe <j@x>', [('Joe The "Man" Doe', "j@x")]),
        (b"=?utf-8?q?Doe,_J?= <j@x>; k@l", [("Doe, J", "j@x"), ("", "k@l")]),
        (b'"=?utf-8?q?J=C3=B6rg?=" <j@x>', [("Jörg", "j@x")]),
        (b"undisclosed-recipients:;", []),
        (b"G: a@b, C <c@d>;, e@f", [("", "a@b"), ("C", "c@d"), ("", "e@f")]),
        (b"<@a,@b:c@d>", [("", "c@d")]),
        (b'"a b"@c, <"a,b"@c>', [("", '"a b"@c'), ("", '"a,b"@c')]),
        (b"joe @ example.org", [("", "joe@example.org")]),
        (b"'joe@x.org' <joe@x.org>", [("", "joe@x.org")]),
        (b"Joe joe@x.org", [("Joe", "joe@x.org")]),
        (b"mailto:joe@x", [("", "joe@x")]),
        (b"Joe (nested (comment)) <j@x>", [("Joe", "j@x")]),
        (b"j@x (nested (comment))", [("nested (comment)", "j@x")]),
        (b"Joe <j@x, k@y", [("Joe", "j@x"), ("", "k@y")]),
        (b"<<a@b>>", [("", "a@b")]),
        (b'"Joe <j@x>, b@c', [("Joe", "j@x"), ("", "b@c")]),
        (b"Joe (x <j@x>, b@c", [("Joe x", "j@x"), ("", "b@c")]),
        (b"a@[1.2.3.4], b@c", [("", "a@[1.2.3.4]"), ("", "b@c")]),
        (b"postmaster, foo at bar", [("", "postmaster"), ("foo at bar", "")]),
        ("Grüße <ü@bücher.de>".encode(), [("Grüße", "ü@bücher.de")]),
        (b"J\xf6rg <j@x>", [("Jörg", "j@x")]),
        (b"Joe\0\r\n <j@\r\n x>", [("Joe", "j@x")]),
        (b'"', []),
        (b"a@", [("", "a@")]),
        (b"a@[", [("", "a@[")]),
        (b"<>", []),
        (b",,;", []),
        # A blank separates addresses.
        (b"a@b c@d", [("", "a@b"), ("", "c@d")]),
        (b"a@b\r\n\tc @ d", [("", "a@b"), ("", "c@d")]),
        (b"Ann a@b Bob c@d", [("Ann", "a@b"), ("Bob", "c@d")]),
        (b"a@b c@d Eve", [("", "a@b"), ("", "c@d"), ("Eve", "")]),
        (b"<a@b> <c@d>", [("", "a@b"), ("", "c@d")]),
        (b"Ann <a@b> Bob <c@d>", [("Ann", "a@b"), ("Bob", "c@d")]),
        (b"Ann <a@b> c@d", [("Ann", "a@b"), ("", "c@d")]),
        (b"<a@b> Ann, c@d", [("Ann", "a@b"), ("", "c@d")]),
        (b"a@b <c@d>", [("a@b", "c@d")]),  # a name, as some programs write it
        (b"<a@b c@d>", [("", "a@b c@d")]),
        (b"<ann bee@x.org>", [("", "ann bee@x.org")]),
        # All of it in quotes, or encoded.
        ('"Värac <v@x.org>"'.encode(), [("Värac", "v@x.org")]),
        (
            b'"Doe, John <j@x.org>", "<k@x.org>", "l@x.org"',
            [("Doe, John", "j@x.org"), ("", "k@x.org"), ("", "l@x.org")],
        ),
        (b"=?utf-8?q?Graf_L=C3=BCk_=3Cl=2Eg=40x=2Eorg=3E?=", [("Graf Lük", "l.g@x.org")]),
        (b"=?utf-8?q?_B_R=C3=88_=3Cb=2Er=40x?=\r\n =?utf-8?b?LmNvbT4=?=", [("B RÈ", "b.r@x.com")]),
        (b"=?utf-8?q?=3Ca=40x=2Eorg=3E?=, =?utf-8?q?b=40x=2Eorg?=", [("", "a@x.org"), ("", "b@x.org")]),
        (b"=?utf-8?q?J=C3=B6rg <j@x.org>?=", [("Jörg", "j@x.org")]),
        (b"=?utf-8?q?J=C3=B6rg?= j@x.org", [("Jörg", "j@x.org")]),
        (b'"Joe <j@x.org>" <k@x.org>', [("Joe <j@x.org>", "k@x.org")]),
        (b'"Joe <j@x.org>, Eve <e@x.org>"', [("Joe", "j@x.org"), ("Eve", "e@x.org")]),
    ],
)
def test_address_lists(raw: bytes, found: list[tuple[str, str]]) -> None:
    kept, more = address_lists.parse(raw)
    assert [(address.name, address.spec) for address in kept] == found
    assert more == 0


@given(HOSTILE)
def test_address_lists_never_raise(raw: bytes) -> None:
    kept, _ = address_lists.parse(raw)
    for address in kept:
        assert address.name or address.spec
        header_fields.safe_label(address)
    address_lists.parse_typed(raw.decode("utf-8", "replace"))


def test_of_thousands_of_addresses_two_hundred_are_kept() -> None:
    kept, more = address_lists.parse(b"Some Body <a@b.c>, " * 1000)
    assert (len(kept), more) == (address_lists.ADDRESS_LIMIT, 800)


def test_what_a_person_types() -> None:
    good, bad = address_lists.parse_typed(
        "joe@x.org, Bob <bob@y.org>; bad, foo@\nc@d.e, @x, JOE@x.org ü@x.de"
    )
    assert [address.spec for address in good] == ["joe@x.org", "bob@y.org", "c@d.e", "ü@x.de"]
    assert bad == ["bad", "foo@", "@x"]
    assert address_lists.parse_typed("") == ([], [])
    assert [address.spec for address in address_lists.parse_typed("a@b.c d@e.f\tg@h.i")[0]] == [
        "a@b.c", "d@e.f", "g@h.i",
    ]  # fmt: skip
    assert address_lists.parse_typed("a@b.c <d@e.f>, g@h.i\xa0com") == ([], ["a@b.c <d@e.f>", "g@h.i com"])
    assert address_lists.parse_typed("d@e.f <D@e.f>")[1] == []


@given(st.lists(st.sampled_from(["a@b.c", "<d@e.f>", "Ann", '"Q"', "g@h.i", "(x)"]), min_size=2, max_size=6))
def test_two_addresses_never_become_one(words: list[str]) -> None:
    """Whatever separates them: each is an address of its own, or what was typed is an error."""
    good, bad = address_lists.parse_typed(" ".join(words))
    typed = {word.strip("<>") for word in words if "@" in word}
    assert bad or {address.spec for address in good} == typed


def test_case_and_subaddress_make_no_other_mailbox() -> None:
    same = ("Mary@X.org", "mary+shop@x.org", "mary+a+b@x.org")
    assert {address_lists.mailbox_of(spec) for spec in same} == {"mary@x.org"}
    assert address_lists.mailbox_of("+mary@x.org") == "+mary@x.org"


@pytest.mark.parametrize("spec", ["a@b.c", '"a b"@c', "a@[1.2.3.4]", "ü@x.de", "a+b@c-d.e", "a@bücher.de"])
def test_an_address_that_can_be_sent_to(spec: str) -> None:
    assert address_lists.valid(spec)


@pytest.mark.parametrize(
    "spec",
    ["", "a", "a@", "@b", "a b@c", "a@b\r\nBcc: x@y", "a\n@b", "a@b c", "a@-", "a@b" + "c" * 260, "a@b>"],
)
def test_an_address_that_cannot_be_sent_to(spec: str) -> None:
    assert not address_lists.valid(spec)


# --- parameters ---


@pytest.mark.parametrize(
    ("raw", "first", "found"),
    [
        (b"text/plain; charset=utf-8; format=flowed", "text/plain", {"charset": "utf-8", "format": "flowed"}),
        (b'TEXT/HTML ;charset="utf-8" (x); NAME=a b.txt', "text/html", {"charset": "utf-8", "name": "a b.txt"}),
        (b"text/plain charset=x name=y", "text/plain", {"charset": "x", "name": "y"}),
        (b"x; filename*=utf-8''%e2%82%ac.txt; filename=y", "x", {"filename": "€.txt"}),
        (b"x; filename*0*=utf-8''%e2%82; filename*1*=%ac; filename*2=.txt", "x", {"filename": "€.txt"}),
        (b"x; filename*1=b; filename*0=a", "x", {"filename": "ab"}),
        (b"x; filename*0=\"=?utf-8?B?w6\"; filename*1=\"Q=?=\"", "x", {"filename": "ä"}),
        (b'x; filename="=?utf-8?q?=E2=82=AC?="', "x", {"filename": "€"}),
        (b'x; filename="a\\"b\\c.txt"', "x", {"filename": 'a"b\\c.txt'}),
        (b'x; filename="unterminated', "x", {"filename": "unterminated"}),
        (b"x; filename=J\xf6rg.txt", "x", {"filename": "Jörg.txt"}),
        (b"x; filename*=unknown'en'%e4", "x", {"filename": "ä"}),
        (b"x; a=1; a=2", "x", {"a": "1"}),
        (b"", "", {}),
        (b";;; = ;", "=", {}),
    ],
)  # fmt: skip
def test_parameters_of_a_field_are_split_and_joined(raw: bytes, first: str, found: dict[str, str]) -> None:
    value, pairs = parameters.split(raw)
    assert value == first
    assert parameters.combine(pairs) == (found, [])


@given(HOSTILE)
def test_parameters_never_raise(raw: bytes) -> None:
    for value in (raw, b"text/plain;" + raw, b"text/plain;name=" + raw, b"x; name*0*=" + raw):
        assert all(parameters.combine(parameters.split(value)[1])[0])


@given(st.lists(st.tuples(HOSTILE, HOSTILE), max_size=5))
def test_any_pairs_are_combined(pairs: list[tuple[bytes, bytes]]) -> None:
    found, _defects = parameters.combine(pairs)
    assert len(found) <= len(pairs)


def test_too_many_parameters_are_a_defect() -> None:
    found, defects = parameters.combine([(b"a%d" % number, b"x") for number in range(300)])
    assert len(found) == parameters.PARAMETER_LIMIT
    assert defects == ["parameters: more than 200"]


HOSTILE_PIECES = (
    b"(", b"<", b"[", b'"', b'"\\', b"(\\", b"a@b,", b":", b"@", b";", b"=", b"=?", b"=?utf-8?q?", b"=?a?B?",
    b"=?a?q?\xff\xfe\xfd\xfc?= x", b"\\", b"a ", b" ", b"'", b"*", b"%", b"a*0*=b;", b"\xe4 ", b"1 ",
    b"1:", b"(a", b"a<", b'"a" ', b"\xe4" * 30 + b" ", b"=?x?q?=E4?= a ",
)  # fmt: skip


def _read_as_every_field(piece: bytes) -> None:
    raw = piece * (65536 // len(piece))
    address_lists.parse(raw)
    header_fields.decode(raw)
    dates.parse(raw)
    for value in (raw, b"x;" + raw, b"x;a=" + raw, b'x;a="' + raw):
        assert all(parameters.combine(parameters.split(value)[1])[0])


@pytest.mark.parametrize("piece", HOSTILE_PIECES)
def test_hostile_fields_take_linear_time(piece: bytes) -> None:
    bounded.call(_read_as_every_field, piece)
