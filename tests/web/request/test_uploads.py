"""uploads: forms with files, in every cut and charset, within limits."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder

from gateway.errors import BadRequest
from gateway.web.request import uploads
from gateway.web.request.form_bodies import PROBE, Fields, Upload
from tests import bounded

TYPE = "multipart/form-data; boundary=b"


def form(*parts: tuple[str, bytes], end: bytes = b"--b--\r\n") -> bytes:
    return b"".join(b"--b\r\n" + head.encode() + b"\r\n\r\n" + body + b"\r\n" for head, body in parts) + end


def typed(name: str, value: bytes, more: str = "") -> tuple[str, bytes]:
    return f'Content-Disposition: form-data; name="{name}"{more}', value


def file(name: str, octets: bytes, kind: str = "image/png") -> tuple[str, bytes]:
    return f'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {kind}', octets


def parse(body: bytes, limit: int = 1000, charset: str = "utf-8", content_type: str = TYPE) -> Fields:
    return uploads.parse(content_type, io.BytesIO(body).read, charset, limit)


def test_fields_and_files() -> None:
    found = parse(
        b"words before\r\n"
        + form(
            typed("text", "Grüße\r\nan alle".encode()),
            typed("u", b"3.77"),
            typed("u", b"3.78"),
            file("a.png", b"\0\r\n--bx\r\n--\r\n"),
            file("", b"", "application/octet-stream"),
            file("C:\\Photos\\M\u00e4rz.txt", b"x", "text/plain; charset=KOI8-R"),
        )
        + b"words behind"
    )
    assert found == {"text": "Grüße\nan alle", "u": "3.77"}
    assert found.getlist("u") == ["3.77", "3.78"]
    assert found.files == (
        Upload("file", "a.png", "image/png", b"\0\r\n--bx\r\n--\r\n"),
        Upload("file", "März.txt", "text/plain; charset=koi8-r", b"x"),
    )
    assert found.too_large == ()


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("a%22b.txt", "a_b.txt"),
        ("../../etc/passwd", "passwd"),
        ('a\\"b.txt', "a_b.txt"),
        ("x%0D%0AContent-Type: y.html", "x Content-Type_ y.html"),
        ("100%.txt", "100%.txt"),
        ("..", "attachment"),
    ],
)
def test_names_of_files_are_names(written: str, name: str) -> None:
    assert [one.filename for one in parse(form(file(written, b"x"))).files] == [name]


@pytest.mark.parametrize("by", ["part", "_charset_", "probe", "page"])
@pytest.mark.parametrize("charset", ["utf-8", "windows-1252"])
def test_the_charset_is_found(charset: str, by: str) -> None:
    octets = "Grüße".encode(charset)
    parts = [
        typed("text", octets, f"\r\nContent-Type: text/plain; charset={charset}" if by == "part" else "")
    ]
    if by == "_charset_":
        parts.append(typed("_charset_", charset.encode()))
    if by == "probe":
        parts.append(typed("_probe", PROBE.encode(charset, "replace")))
    name = b'--b\r\nContent-Disposition: form-data; name=file; filename="' + octets + b'.txt"\r\n\r\nx\r\n'
    found = parse(name + form(*parts), charset=charset if by == "page" else "us-ascii")
    assert found["text"] == "Grüße"
    assert found.files[0].filename == "Grüße.txt"


def test_what_is_too_large_is_left_out_and_named() -> None:
    found = parse(
        form(
            typed("text", b"kept"),
            file("a", b"x" * 600),
            file("b", b"y" * 600),
            file("c", b"z" * 300),
            typed("t", b"u"),
        )
    )
    assert found == {"text": "kept", "t": "u"}
    assert [one.filename for one in found.files] == ["a", "c"]
    assert found.too_large == ("b",)


def test_a_form_that_is_cut_off_keeps_what_came_before() -> None:
    whole = form(typed("text", b"kept"), file("a", b"x" * 200))
    found = parse(whole[:-50])
    assert (dict(found), found.files, found.too_large) == ({"text": "kept"}, (), ("a",))
    with pytest.raises(BadRequest):
        parse(form(typed("text", b"half a sentence"))[:-16])
    endless = parse(form(typed("text", b"kept"), end=b"") + form(file("a", b"x" * 900_000)), limit=1000)
    assert (dict(endless), endless.too_large) == ({"text": "kept"}, ("a",))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b",
        b"--b\r\n\r\nx\r\n--b--",
        form(("Content-Disposition: attachment; name=x", b"y")),
        form(("Content-Disposition: form-data", b"y")),
        form(("X: " + "y" * 20_000, b"y")),
        form(*[typed("x", b"y")] * 201),
        form(*[file("x", b"y")] * 21),
        form(typed("x", b"y" * (uploads.TYPED + 1))),
        b"x" * 1_000_000,
    ],
)
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        parse(body)


@pytest.mark.parametrize(
    "kind", ["", "multipart/form-data", "multipart/mixed; boundary=b", TYPE + "x" * 80, "text/plain"]
)
def test_another_type_is_refused(kind: str) -> None:
    with pytest.raises(BadRequest):
        parse(form(typed("x", b"y")), content_type=kind)


def test_a_form_without_any_field_is_one() -> None:
    assert (parse(b"--b--"), parse(b"--b--").files) == ({}, ())


NAMES = st.text(
    st.characters(exclude_characters='\0\r\n"\\;%', exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20
)


@given(
    st.dictionaries(
        st.from_regex("[a-z]{1,8}", fullmatch=True), st.text(st.characters(exclude_categories=["Cs"]))
    ),
    st.lists(st.tuples(NAMES, st.binary(max_size=300)), max_size=4),
    st.integers(1, 50),
)
def test_what_a_browser_writes_is_read_in_any_pieces(
    values: dict[str, str], files: list[tuple[str, bytes]], size: int
) -> None:
    builder = EnvironBuilder(method="POST", data={"empty": (io.BytesIO(b""), ""), **values})
    for name, octets in files:
        builder.files.add_file("file", io.BytesIO(octets), name, "application/x-y")
    environ = builder.get_environ()
    builder.close()
    source = environ["wsgi.input"]
    found = uploads.parse(
        environ["CONTENT_TYPE"], lambda count: source.read(min(count, size)), "utf-8", 10_000
    )
    assert found == {name: value.replace("\r\n", "\n").replace("\r", "\n") for name, value in values.items()}
    assert [one.octets for one in found.files] == [octets for _, octets in files]


@given(st.binary(max_size=400), st.integers(0, 200))
def test_any_octets_are_a_form_or_refused(body: bytes, limit: int) -> None:
    for octets in (body, form(file("x", body)), form(typed("x", b""), end=body)):
        try:
            found = parse(octets, limit)
        except BadRequest:
            continue
        assert sum(len(one.octets) for one in found.files) <= limit


@given(
    st.lists(
        st.sampled_from(
            [
                b"--b",
                b"\r\n",
                b"--b--",
                b"--",
                b"\r",
                b"-",
                b"b",
                b"Content-Disposition: form-data; name=x",
                b"\r\n\r\n",
                b"; filename=y",
                b" ",
            ]
        ),
        max_size=20,
    ),
    st.integers(1, 7),
)
def test_the_size_of_pieces_changes_nothing(pieces: list[bytes], size: int) -> None:
    def outcome(count: int) -> object:
        source = io.BytesIO(b"".join(pieces))
        try:
            found = uploads.parse(TYPE, lambda most: source.read(min(most, count)), "utf-8", 50)
        except BadRequest as error:
            return error.detail
        return dict(found), found.files, found.too_large

    assert outcome(size) == outcome(1 << 20)


def _parse_without_end() -> tuple[int, tuple[str, ...]]:
    """Parse a file far beyond the limit that all looks like a boundary's beginning; count the files and return what was
    cut."""
    head = b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n'
    left = [head] + [b"\r\n--" * 20_000] * 10_000

    def read(count: int) -> bytes:
        return left.pop(0)[:count] if left else b""

    found = uploads.parse("multipart/form-data; boundary=b", read, "utf-8", 2_000_000)
    return len(found.files), found.too_large


def test_memory_and_time_are_bounded() -> None:
    assert bounded.call(_parse_without_end) == (0, ("x",))
