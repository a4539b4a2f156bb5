"""TNEF: the parts of a winmail.dat, written here by hand following MS-OXTNEF."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.message.mime import tnef
from gateway.message.mime.tnef import TnefContent, read


def attribute(level: int, name: int, data: bytes) -> bytes:
    return struct.pack("<BHHI", level, name, 0, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


def sized(kind: int, name: int, data: bytes) -> bytes:
    return struct.pack("<HHII", kind, name, 1, len(data)) + padded(data)


def wide(name: int, text: str) -> bytes:
    return sized(0x1F, name, (text + "\0").encode("utf-16-le"))


def number(name: int, value: int) -> bytes:
    return struct.pack("<HHI", 3, name, value)


def properties(*each: bytes) -> bytes:
    return struct.pack("<I", len(each)) + b"".join(each)


def wrapped(*attributes: bytes) -> bytes:
    return struct.pack("<IH", tnef.SIGNATURE, 7) + b"".join(attributes)


NAMED_BY_ID = struct.pack("<HH", 0x0B, 0x8001) + b"g" * 16 + struct.pack("<II", 0, 99) + b"\1\0\0\0"
NAMED_BY_TEXT = (
    struct.pack("<HH", 0x1F, 0x8002) + b"g" * 16 + struct.pack("<II", 1, 6) + padded("abc".encode("utf-16-le"))
    + struct.pack("<II", 1, 2) + padded(b"x\0")
)  # fmt: skip
SEVERAL = struct.pack("<HHI", 0x1003, 0x6001, 2) + b"\1\0\0\0\2\0\0\0"
TIME = struct.pack("<HHQ", 0x40, 0x3007, 1)
CODE_PAGE = attribute(1, 0x9007, struct.pack("<II", 1251, 0))
PACKED_RTF = bytes.fromhex(
    "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
)
RTF = b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"

WHOLE = wrapped(
    CODE_PAGE,
    attribute(1, 0x8008, b"IPM.Microsoft Mail.Note\0"),
    attribute(1, 0x8004, "Отчет\0".encode("cp1251")),
    attribute(1, 0x9003, properties(
        NAMED_BY_ID, NAMED_BY_TEXT, SEVERAL, TIME, sized(0x102, 0x1009, PACKED_RTF),
        sized(0x102, 0x1013, b"<p>hello</p>"), sized(0x1E, 0x1000, "привет\0".encode("cp1251")),
    )),
    attribute(2, 0x9002, b"\1\0" + b"\0" * 12),
    attribute(2, 0x8010, b"REPORT~1.PDF\0"),
    attribute(2, 0x800F, b"%PDF-1.4 data"),
    attribute(2, 0x9005, properties(
        wide(0x3707, "Report März.pdf"), wide(0x370E, "Application/PDF"), wide(0x3712, "<id@x>"))),
    attribute(2, 0x9002, b""),
    attribute(2, 0x8010, "отчет.txt\0".encode("cp1251")),
    attribute(2, 0x800F, b""),
    attribute(2, 0x9002, b""),
    attribute(2, 0x9005, properties(
        number(0x3705, 5), sized(0x0D, 0x3701, b"i" * 16 + wrapped(attribute(1, 0x8004, b"inner"))))),
)  # fmt: skip


def test_all_that_is_in_it_comes_out() -> None:
    found = read(WHOLE)
    assert found.defects == ()
    assert (found.subject, found.message_class) == ("Отчет", "IPM.Microsoft Mail.Note")
    assert found.bodies == (
        TnefContent("", "text/html", b"<p>hello</p>", "cp1251"),
        TnefContent("", "application/rtf", RTF),
        TnefContent("", "text/plain", "привет".encode("cp1251"), "cp1251"),
    )
    assert found.attachments[:2] == (
        TnefContent("Report März.pdf", "application/pdf", b"%PDF-1.4 data", content_id="id@x"),
        TnefContent("отчет.txt", "application/octet-stream", b""),
    )
    assert found.attachments[2].media_type == "application/ms-tnef"
    assert read(found.attachments[2].octets).subject == "inner"


def test_a_plain_body_alone() -> None:
    assert read(wrapped(attribute(1, 0x800C, b"just text\r\n\0"))).bodies == (
        TnefContent("", "text/plain", b"just text\r\n"),
    )


def test_what_is_cut_is_kept_as_far_as_it_goes() -> None:
    cut = WHOLE[: WHOLE.index(b"%PDF") + 5]
    found = read(cut)
    assert found.attachments[0].octets == b"%PDF-"
    assert found.defects == ("tnef: cut",)
    assert read(wrapped(attribute(1, 0x9003, properties(number(0x3705, 1))[:-2]))).defects == (
        "tnef: properties cut",
    )
    assert read(b"no").defects == ("tnef: no signature",)
    assert read(wrapped(b"\x09" * 20)).defects == ("tnef: unknown level",)


def test_the_second_example_of_the_standard_overlaps_itself() -> None:
    packed = bytes.fromhex("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0")
    assert tnef.decompressed(packed, []) == b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"


def test_a_reference_to_the_place_of_writing_ends_the_rtf() -> None:
    assert tnef.decompressed(struct.pack("<I", 0) + b"\xff\0\0\0" + PACKED_RTF[8:] + b"more" * 9, []) == RTF


def test_an_uncompressed_rtf_is_taken_as_it_is() -> None:
    packed = struct.pack("<IIII", 20, 5, 0x414C454D, 0) + b"{\\rtfmore"
    assert tnef.decompressed(packed, []) == b"{\\rtf"


def test_what_a_tnef_file_may_hold_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tnef, "RTF_LIMIT", 10)
    monkeypatch.setattr(tnef, "CONTENTS_LIMIT", 2)
    monkeypatch.setattr(tnef, "ATTRIBUTES_LIMIT", 12)
    found = read(WHOLE)
    assert found.bodies[1].octets == RTF[:10]
    assert len(found.attachments) == 2
    assert set(found.defects) == {"tnef: rtf cut", "tnef: more than 2 attachments"}
    assert read(wrapped(attribute(1, 0x8004, b"") * 13)).defects == ("tnef: more than 12 attributes",)


def test_counts_that_lie_cost_nothing() -> None:
    many = struct.pack("<I", 0xFFFFFFFF) + struct.pack("<HHII", 0x1E, 0x1000, 0xFFFFFFFF, 4) + b"abcd"
    assert read(wrapped(attribute(1, 0x9003, many))).defects == ("tnef: properties cut",)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damage_is_never_raised(data: st.DataObject) -> None:
    octets = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 8))):
        octets[data.draw(st.integers(6, len(octets) - 1))] = data.draw(st.integers(0, 255))
    found = read(bytes(octets[: data.draw(st.integers(0, len(octets)))]))
    assert sum(len(content.octets) for content in found.attachments) <= 2 * len(octets)


@given(st.binary(max_size=300))
def test_anything_is_read(octets: bytes) -> None:
    assert read(octets).defects
    read(wrapped(octets))
    read(wrapped(attribute(1, 0x9003, octets), attribute(2, 0x9002, b""), attribute(2, 0x9005, octets)))


@given(st.binary(max_size=300), st.integers(0, 2**32 - 1))
def test_any_compressed_rtf_is_unpacked_within_its_size(octets: bytes, size: int) -> None:
    packed = struct.pack("<IIII", 0, size, 0x75465A4C, 0) + octets
    assert len(tnef.decompressed(packed, [])) <= min(size, tnef.RTF_LIMIT)
