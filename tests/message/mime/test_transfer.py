"""Clean stretches of quoted-printable are decoded in one step, with the same result as line by line."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.message.mime.transfer import QuotedPrintable

PIECES = st.sampled_from([
    b"=", b"=3D", b"=e9", b"=E", b"=\r\n", b"=\n", b"\r\n", b"\n", b" ", b"\t", b"\r", b"a", b"word", b"=20\r\n",
    b" =\r\n", b"= \r\n", b"\x00", b"\xff", b"=0A", b"=0D", b"==\n", b"=\r", b"x" * 80, b" " * 80, b"y" * 4200,
    b"=C3=A9" * 700, b"\r\r\n", b"==41", b"=4=\r\n", b"plain line of words\r\n" * 3,
])  # fmt: skip


class LineByLine(QuotedPrintable):
    """The decoder as it is for lines that are not clean."""

    def _clean(self, octets: bytes, at: int) -> int:
        return 0


def decoded(decoder: QuotedPrintable, source: bytes, cuts: list[int]) -> bytes:
    edges = [0, *sorted(cut % (len(source) + 1) for cut in cuts), len(source)]
    pieces = [decoder.feed(source[a:b]) for a, b in pairwise(edges)]
    return b"".join(pieces) + decoder.finish()


@given(
    st.lists(PIECES, max_size=14),
    st.lists(st.integers(0, 10_000), max_size=4),
    st.lists(st.integers(0, 10_000)),
)
@example([b"word", b"=\r\n", b"=3D\r\n", b"a\r\n"], [], [0, 3, 4, 5, 6, 7])
@settings(max_examples=500, deadline=None)
def test_clean_stretches_are_read_as_line_by_line(
    pieces: list[bytes], cuts: list[int], indexes: list[int]
) -> None:
    source = b"".join(pieces)
    at_once, slowly = QuotedPrintable(), LineByLine()
    found = decoded(at_once, source, cuts)
    assert found == decoded(slowly, source, cuts)
    for index in sorted(index % (len(found) + 1) for index in indexes):
        at, state = at_once.locate(index)
        assert (at, state) == slowly.locate(index)
        assert decoded(QuotedPrintable(at, state), source[at:], []) == found[index:]


def test_a_clean_body_is_one_stretch() -> None:
    decoder = QuotedPrintable()
    decoder.feed(b"A line with an =E9, and a soft=\r\nline break.\r\n" * 500)
    assert len(decoder._marks) == 1
