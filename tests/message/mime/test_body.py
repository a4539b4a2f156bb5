"""The streaming text reader: reading can restart at every piece, for every encoding and charset."""

from __future__ import annotations

import base64
import binascii
import unicodedata
from collections.abc import Callable, Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.message.charset import decoding, detection
from gateway.message.mime.body import SEGMENT, TextPiece, decoded, text_pieces, whole
from gateway.message.model import Part
from gateway.rendition.blocks import Position
from tests import bounded
from tests.matrix import one_of

CHARSETS = (
    "utf-8",
    "us-ascii",
    "",
    "x-unknown",
    "iso-8859-1",
    "windows-1251",
    "koi8-r",
    "iso-2022-jp",
    "iso-2022-kr",
    "iso-2022-jp-2",
    "hz-gb-2312",
    "utf-7",
    "utf-16",
    "utf-16le",
    "utf-16be",
    "utf-32",
    "utf-32le",
    "gb18030",
    "big5",
    "shift_jis",
    "euc-jp",
    "euc-kr",
    "cp037",
    "macintosh",
    "iso-8859-8",
)
ENCODINGS = ("7bit", "8bit", "quoted-printable", "base64", "x-uuencode", "BASE64 ", "nonsense")

WORDS = st.sampled_from(
    [
        "a",
        "word ",
        "Grüße ",
        "日本語",
        "한국어 ",
        "Привет, ",
        "ẹ́",
        "👨\u200d👩\u200d👧",
        "🇩🇪🇫🇷",
        "𝄞",
        "+",
        "~",
        "~{",
        "=",
        "-",
        "\n",
        "\r\n",
        "\r",
        "\r\r\n",
        " ",
        "\t",
        "=3D",
        "\x1b$B",
        "x" * 400,
        "ж" * 300,
        "日" * 700,
        "́" * 90,
        "𝄞" * 300,
    ]
)
SIZES = st.tuples(st.integers(1, 3000), st.integers(1, 3000))
TEXTS = st.lists(WORDS, max_size=12).map("".join)


def encode(text: str, label: str) -> bytes:
    return text.encode(label if label not in ("", "x-unknown") else "utf-8", "replace")


def uuencode(octets: bytes) -> bytes:
    lines = [binascii.b2a_uu(octets[at : at + 45]) for at in range(0, len(octets), 45)]
    return b"preface\nbegin 644 name.txt\n" + b"".join(lines) + b"`\nend\ntrailer\n"


def transfer_encode(octets: bytes, encoding: str, width: int) -> bytes:
    match encoding.strip().lower():
        case "base64":
            out = base64.b64encode(octets)
            return b"\r\n".join(out[at : at + width] for at in range(0, len(out), width))
        case "quoted-printable":
            escaped = [
                bytes((octet,))
                if (33 <= octet < 127 and octet != 61) or octet in b"\r\n"
                else b"=%02X" % octet
                for octet in octets
            ]
            return b"=\r\n".join(b"".join(escaped[at : at + width]) for at in range(0, len(escaped), width))
        case "x-uuencode":
            return uuencode(octets)
    return octets


def chunked(octets: bytes, size: int) -> Callable[[int], Iterator[bytes]]:
    def source(start: int) -> Iterator[bytes]:
        yield from (octets[at : at + size] for at in range(start, len(octets), size))

    return source


def read(part: Part, octets: bytes, size: int = 4096, start: int = 0, state: str = "") -> list[TextPiece]:
    return list(text_pieces(part, chunked(octets, size), start, state))


def part(encoding: str = "7bit", label: str = "utf-8") -> Part:
    return Part("1", "text/plain", {"charset": label}, encoding)


def holds(pieces: list[TextPiece], the_part: Part, octets: bytes, sizes: tuple[int, int], pick: int) -> None:
    """Reading again from any piece gives the rest, whatever the chunks; a piece fits its limits and a URL."""
    for piece in pieces:
        assert 0 < len(piece.text) <= SEGMENT
        assert "\n" not in piece.text[:-1]
        assert "\r" not in piece.text
        assert Position.decode(Position("1", piece.at, piece.state).encode()).state == piece.state
    for number in {pick % len(pieces), len(pieces) - 1, 1 % len(pieces)} if pieces else ():
        again = read(the_part, octets, sizes[1], pieces[number].at, pieces[number].state)
        assert "".join(p.text for p in again) == "".join(p.text for p in pieces[number:])
        assert again == pieces[number:]


@given(
    TEXTS,
    st.sampled_from(CHARSETS),
    st.sampled_from(ENCODINGS),
    st.tuples(*[st.integers(1, 3000)] * 2),
    st.integers(1, 99),
    st.integers(0, 99),
)
@example("日本語\n" * 3, "iso-2022-jp", "base64", (1, 7), 4, 2)
@example("ж" * 3000, "utf-7", "quoted-printable", (5, 7), 76, 2)
@example("\n\n\n", "utf-8", "base64", (5, 7), 76, 1)
def test_reading_can_begin_again_at_every_piece(
    text: str, label: str, encoding: str, sizes: tuple[int, int], width: int, pick: int
) -> None:
    octets = transfer_encode(encode(text, label), encoding, width)
    the_part = part(encoding, label)
    pieces = read(the_part, octets, sizes[0])
    assert pieces == read(the_part, octets, sizes[1])
    holds(pieces, the_part, octets, sizes, pick)


GARBAGE = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.sampled_from(
            [
                b"=",
                b"==",
                b"=\r\n",
                b"=4",
                b"=C3",
                b"=A4",
                b" \t\r\n",
                b" " * 90,
                b"QUJD",
                b"Q",
                b"\n",
                b"\xff\xfe",
                b"begin 644 x\n",
                b"end\n",
                b"\x1b$B",
                b"\x1b$)C\x0e",
                b"+AGE",
                b"~{",
                b"\xd8\x00",
                b"A" * 5000,
                b"=" * 600,
                b"\xe9" * 60,
            ]
        ),
    ),
    max_size=10,
).map(b"".join)


@given(
    GARBAGE,
    st.sampled_from(CHARSETS),
    st.sampled_from(ENCODINGS),
    st.tuples(*[st.integers(1, 3000)] * 2),
    st.integers(0, 99),
)
@example(b"begin 000 \0\n" + b"A" * 258, "utf-8", "x-uuencode", (1, 2), 0)
@example(b"begin 644 x\n" + b"A" * 258 + b"\n" + b"#0V%T\nend\n", "utf-8", "x-uuencode", (1, 2000), 0)
def test_garbage_never_raises_and_reads_again_alike(
    octets: bytes, label: str, encoding: str, sizes: tuple[int, int], pick: int
) -> None:
    the_part = part(encoding, label)
    pieces = read(the_part, octets, sizes[0])
    assert pieces == read(the_part, octets, sizes[1])
    holds(pieces, the_part, octets, sizes, pick)


@given(
    GARBAGE,
    st.sampled_from(ENCODINGS),
    st.sampled_from(CHARSETS),
    st.integers(0, 400),
    st.text("ABCDEGHKNSXZ", max_size=8),
)
def test_any_place_of_a_url_is_read_somehow(
    octets: bytes, encoding: str, label: str, start: int, state: str
) -> None:
    pieces = read(part(encoding, label), octets, 100, start, state)
    assert all(piece.text for piece in pieces)


@pytest.mark.parametrize("label", [label for label in CHARSETS if label != "us-ascii"])
@pytest.mark.parametrize("encoding", ["8bit", "base64", "quoted-printable", "x-uuencode"])
def test_text_comes_out_as_it_went_in(label: str, encoding: str) -> None:
    samples = {
        "koi8-r": "Привет",
        "windows-1251": "Привет",
        "iso-8859-1": "Grüße",
        "macintosh": "Grüße",
        "cp037": "Grüße",
        "iso-8859-8": "שלום",
        "iso-2022-kr": "한국어",
        "euc-kr": "한국어",
        "gb18030": "日本𝄞",
        "hz-gb-2312": "你好",
        "shift_jis": "日本",
        "euc-jp": "日本",
        "iso-2022-jp": "日本",
        "iso-2022-jp-2": "日本",
        "big5": "你好",
    }
    word = samples.get(label, "日本語 Grüße 𝄞")
    text = f"{word} plain\n{(word + ' ') * 400}\n\nlast {word}"
    octets = transfer_encode(encode(text, label), encoding, 76)
    pieces = read(part(encoding, label), octets, 333)
    assert "".join(piece.text for piece in pieces) == text


def test_no_combining_sequence_is_torn() -> None:
    for cluster in ("e\u0301\u0323", "👨\u200d👩\u200d👧", "🇩🇪", "👍🏽", "한".encode().decode(), "각"):
        text = cluster * 2000
        for before, after in zip(pieces := read(part(), text.encode()), pieces[1:], strict=False):
            assert len(before.text) % len(cluster) == 0
            assert not unicodedata.combining(after.text[0])


def test_long_lines_are_cut_after_blanks() -> None:
    pieces = read(part(), b"some words and more " * 500)
    assert all(piece.text.endswith(" ") for piece in pieces)


def test_pieces_pull_only_what_they_need() -> None:
    pulled: list[int] = []

    def octets(start: int) -> Iterator[bytes]:
        for _ in range(10_000):
            pulled.append(1024)
            yield b"x" * 1023 + b"\n"

    pieces = text_pieces(part(), octets)
    for _ in range(4):
        next(pieces)
    assert sum(pulled) <= 8 * 1024


@pytest.mark.parametrize(
    ("label", "octets", "text"),
    [
        ("utf-8", "Grüße".encode("cp1252"), "Grüße"),
        ("utf-8", "Grüße aus".encode() + b"\xe4", "Grüße ausä"),
        ("us-ascii", "Grüße".encode(), "Grüße"),
        ("", "Привет, как дела".encode("koi8-r"), "Привет, как дела"),
        ("unknown-8bit", "“smart”".encode("cp1252"), "“smart”"),
        ("iso-8859-1", b"\x93smart\x94", "“smart”"),
        ("gb2312", "镕".encode("gb18030"), "镕"),
        ("us-ascii", b"\x1b$B$3$s\x1b(B", "こん"),
        ("utf-16", b"plain after all", "plain after all"),
        ("utf-16", "wide".encode("utf-16-be"), "wide"),
        ("utf-16", "wide".encode("utf-16-le"), "wide"),
        ("utf-8", b"\xef\xbb\xbfmark", "mark"),
        ("cp037", "one\x85two".encode("cp037"), "one\ntwo"),
        ("utf-8", b"nul\0 esc\x1b[0m \xef\xbf\xbf", "nul esc[0m "),
        ("utf-8", b"a\rb\r\nc\r\r\nd\ne", "a\nb\nc\nd\ne"),
    ],
)
def test_wrong_and_missing_labels(label: str, octets: bytes, text: str) -> None:
    assert "".join(piece.text for piece in read(part("8bit", label), octets)) == text


def test_the_codec_that_was_found_stays() -> None:
    text = "ASCII first\n" * 5 + "Привет, как дела у вас сегодня?\n" + "plain\n" * 3 + "Ок\n"
    octets = text.encode("koi8-r")
    pieces = read(part("8bit", ""), octets)
    assert "".join(piece.text for piece in pieces) == text
    last = pieces[-1]
    assert read(part("8bit", ""), octets, 9, last.at, last.state) == [TextPiece("Ок\n", last.at, last.state)]
    assert pieces[3].state == ""


@given(
    st.binary(max_size=300),
    st.sampled_from(["base64", "quoted-printable", "x-uuencode", "binary"]),
    st.integers(1, 50),
    st.integers(1, 80),
)
def test_octets_come_back(octets: bytes, encoding: str, size: int, width: int) -> None:
    octets = octets.replace(b"\r", b"").replace(b"\n", b"") if encoding == "quoted-printable" else octets
    encoded = transfer_encode(octets, encoding, width)
    stream = chunked(encoded, size)
    assert b"".join(decoded(part(encoding), stream(0))) == octets
    assert whole(part(encoding), stream(0), 1000) == (octets, False)
    assert whole(part(encoding), stream(0), 10) == (octets[:10], len(octets) > 10)


@pytest.mark.parametrize(
    ("encoding", "octets", "out"),
    [
        ("base64", b"SGVs!bG8\r\n- gd2\x009y\xffbGQ=\r\n", b"Hello world"),
        ("base64", b"SGVsbG8=IHdvcmxk", b"Hello world"),
        ("base64", b"SGVsbG8", b"Hello"),
        ("base64", b"S", b""),
        ("quoted-printable", b"a=20 \t\r\nb=\r\nc= \nd=3D=3d=zz=4", b"a \r\nbcd===zz=4"),
        ("quoted-printable", b"soft at the end=", b"soft at the end"),
        ("x-uuencode", b"begin 644 a\n#86)C\n`\nend\n#86)C\n", b"abc"),
    ],
)
def test_broken_encodings(encoding: str, octets: bytes, out: bytes) -> None:
    for size in (1, 3, 100):
        assert b"".join(decoded(part(encoding), chunked(octets, size)(0))) == out


def test_every_codec_can_be_read() -> None:
    for codec in sorted(set(decoding._CODECS.values())):
        pieces = read(
            part("8bit", codec), "one\ntwo".encode(codec if codec not in detection.WIDE else "utf_16")
        )
        if codec not in detection.WIDE:
            assert [piece.text for piece in pieces] == ["one\n", "two"], codec


def _read_megabytes(megabytes: int, unit: bytes, encoding: str, label: str) -> int:
    """Return how many characters are read from a part of one line that repeats a unit."""
    large = Part("1", "text/plain", {"charset": label}, encoding)

    def octets(_start: int) -> Iterator[bytes]:
        return (unit * (32768 // len(unit)) for _ in range(30 * megabytes))

    count = sum(len(piece.text) for piece in text_pieces(large, octets))
    whole(large, octets(0), 20_000_000)
    return count


@pytest.mark.parametrize("megabytes", one_of([3, 10], 3))
@pytest.mark.parametrize(
    "case",
    [
        (b"x", "7bit", "utf-8"),
        (b"some text and a line end\r\n", "7bit", "utf-8"),
        (b"=C3=A4=20", "quoted-printable", "utf-8"),
        (b"QUJD", "base64", "utf-8"),
        (b"+AGEA", "7bit", "utf-7"),
        (b" a", "quoted-printable", "utf-8"),
        ("日本".encode("gb18030"), "8bit", "gb18030"),
    ],
    ids=str,
)
def test_megabytes_on_one_line(case: tuple[bytes, str, str], megabytes: int) -> None:
    assert bounded.call(_read_megabytes, megabytes, *case) > 100_000


LETTER = "Grüß Gott, hier ist der Brief.\nEr hat zwei Zeilen, und hier ist die zweite davon.\n"
FOOTERS = [
    "_______________________________________________\nTalk mailing list\nTalk@lists.example.org\n",
    "-- \nYou received this message because you are subscribed to the list.\n",
    "--\nTo unsubscribe, write to talk@lists.example.org\nhttps://lists.example.org/talk\n",
    "\n***********************\nThis mail was scanned.\n",
    "Список рассылки talk@lists.example.org\n",
]


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
@pytest.mark.parametrize("footer", FOOTERS)
@pytest.mark.parametrize("times", [1, 30])
def test_a_plain_footer_behind_base64_is_read(footer: str, times: int, ends: bytes) -> None:
    octets = base64.encodebytes((LETTER * times).encode()) + footer.encode()
    octets = octets.replace(b"\n", ends)
    read = [
        "".join(piece.text for piece in text_pieces(part("base64", "utf-8"), chunked(octets, size)))
        for size in (1, 7, 1000, 100_000)
    ]
    assert len(set(read)) == 1
    assert read[0].split() == (LETTER * times + footer).split()
    pieces = list(text_pieces(part("base64", "utf-8"), chunked(octets, 50)))
    for number, piece in enumerate(pieces):
        again = text_pieces(part("base64", "utf-8"), chunked(octets, 50), piece.at, piece.state)
        assert [one.text for one in again] == [one.text for one in pieces[number:]]


@pytest.mark.parametrize(
    "text",
    [
        LETTER,
        "Hello,\n\nthis is plain.\n",
        "Hi Bob\n",
        "Привет, как дела?\n",
        "你好，明天见。\n",
        LETTER * 50,
        "<html><body>Hello there, this is a page</body></html>\n",
    ],
)
def test_plain_text_that_is_labelled_base64_is_read(text: str) -> None:
    octets = text.encode()
    for size in (1, 13, 100_000):
        pieces = list(text_pieces(part("base64", "utf-8"), chunked(octets, size)))
        assert "".join(piece.text for piece in pieces) == text
        for number, piece in enumerate(pieces):
            again = text_pieces(part("base64", "utf-8"), chunked(octets, size), piece.at, piece.state)
            assert [one.text for one in again] == [one.text for one in pieces[number:]]


BOUNDARIES = ["------=_NextPart_000_01--\n", "--DeathToSpam--\r\n", "\n--0016e6d.a_b--"]


@pytest.mark.parametrize("footer", ["", "\n_______\nA list. http://lists.example.org/\n"])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_the_end_of_a_part_that_no_header_declares_is_not_decoded(boundary: str, footer: str) -> None:
    octets = base64.encodebytes((LETTER * 7).encode()) + boundary.encode() + footer.encode()
    for size in (1, 7, 50, len(octets)):
        pieces = list(text_pieces(part("base64", "utf-8"), chunked(octets, size)))
        assert "".join(piece.text for piece in pieces).split() == (LETTER * 7 + footer).split()
        for index, piece in enumerate(pieces):
            again = text_pieces(part("base64", "utf-8"), chunked(octets, size), piece.at, piece.state)
            assert [one.text for one in again] == [one.text for one in pieces[index:]]


def test_a_line_of_dashes_and_a_word_behind_base64_is_read() -> None:
    octets = base64.encodebytes((LETTER * 7).encode()) + b"--Anna\n"
    (*_rest, last) = text_pieces(part("base64", "utf-8"), chunked(octets, 50))
    assert last.text == "--Anna\n"


def test_dashes_among_full_lines_of_base64_are_passed_over() -> None:
    lines = base64.encodebytes((LETTER * 7).encode()).splitlines(keepends=True)
    octets = b"".join([*lines[:2], b"--x--\n", *lines[2:]])
    read = "".join(piece.text for piece in text_pieces(part("base64", "utf-8"), chunked(octets, 50)))
    assert read == LETTER * 7
