"""Hostile documents, each read in a limited process: it ends by itself, with blocks or with a DocumentError.

The reader limits steps (elements, tokens, blocks, octets), which is what most of these meet. The child's own limit is
for what that misses.
"""

from __future__ import annotations

import re
import zipfile
import zlib

import pytest

from gateway.rendition import documents
from gateway.rendition.context import Context
from tests import bounded
from tests.rendition import samples
from tests.rendition.samples import assembled, paragraph, zipped


def _said_of(octets: bytes, name: str) -> str:
    """Read a document to its end, and return how it ended."""
    try:
        last = ""
        for block in documents.read(octets, "", name, Context()):
            last = block.text
        if name.endswith(".zip"):
            documents.zip_entry(octets, 0)
        return f"read {last[:60]}"
    except documents.DocumentError as error:
        return f"error {error.sentence}"


def word(body: str) -> bytes:
    return samples.docx(body)


def numbers() -> str:
    return " ".join(map(str, range(1_500_000)))  # ten million characters that do not look like a bomb


def one_cell() -> bytes:
    return word(f"<w:tbl><w:tr><w:tc>{paragraph(numbers())}</w:tc></w:tr></w:tbl>")


def xml_bomb() -> bytes:
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    text = f"<!DOCTYPE x [{entities}]><w:document {samples.W}><w:p><w:r><w:t>&a11;</w:t></w:r></w:p></w:document>"
    return zipped({"word/document.xml": text})


def external_entity() -> bytes:
    entity = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    return zipped(
        {"word/document.xml": f"{entity}<w:document {samples.W}><w:p><w:t>&e;</w:t></w:p></w:document>"}
    )


def attributes() -> bytes:
    many = " ".join(f'a{n}="{n}"' for n in range(100_000))
    return word(f"<w:p {many}><w:r><w:t>x</w:t></w:r></w:p>")


def deep(levels: int) -> bytes:
    return word("<w:p>" * levels + "x" + "</w:p>" * levels)


def lying_zip() -> bytes:
    """A member that unpacks to 2 MB and claims to have ten octets."""
    octets = bytearray(zipped({"a.bin": b"\0" * 2_000_000}))
    for mark, place in ((b"PK\1\2", 24), (b"PK\3\4", 22)):
        at = octets.index(mark) + place
        octets[at : at + 4] = (10).to_bytes(4, "little")
    return bytes(octets)


def many_entries() -> bytes:
    return zipped({f"{n}": "" for n in range(60_000)}, zipfile.ZIP_STORED)


def pages_that_contain_themselves() -> bytes:
    return assembled(["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2>>"])


def form_that_draws_itself() -> bytes:
    return assembled([
        "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</XObject<</X 5 0 R>>>>>>",
        "<</Length 5>>stream\n/X Do\nendstream",
        "<</Type/XObject/Subtype/Form/Resources<</XObject<</X 5 0 R>>>>/Length 11>>stream\n/X Do /X Do\nendstream",
    ])  # fmt: skip


def pdf_bomb() -> bytes:
    packed = zlib.compress(zlib.compress(b"\0" * 400_000_000, 9), 9)
    head = f"<</Length {len(packed)}/Filter[/FlateDecode/FlateDecode]>>stream\n"
    return assembled([
        "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
        head + packed.decode("latin-1") + "\nendstream",
    ])  # fmt: skip


def nested_arrays() -> bytes:
    return assembled(["<</Type/Catalog/Pages 2 0 R/X " + "[" * 50_000 + "]" * 50_000 + ">>"])


@pytest.mark.parametrize(
    ("name", "make", "expected"),
    [
        ("xml bomb.docx", xml_bomb, "error .*damaged"),
        ("external entity.docx", external_entity, "error .*damaged"),
        ("attributes.docx", attributes, "read x"),
        ("deep.docx", lambda: deep(100_000), "(error .*damaged|read The rest cannot)"),
        ("elements.docx", lambda: word("<w:p/>" * 2_000_000), "read The document is too long"),
        ("paragraphs.docx", lambda: word(paragraph("x") * 200_000), "read The document is too long"),
        ("one text.docx", lambda: word(paragraph(numbers())), "read \\d"),
        ("one cell.docx", one_cell, "read"),
        ("zip bomb.docx", lambda: word("<w:p>" + " " * 300_000_000 + "</w:p>"), "error .*too large"),
        ("zip bomb.zip", lambda: zipped({"a": b"\0" * 300_000_000}), "error .*too large"),
        ("lying.zip", lying_zip, "(read|error)"),
        ("many entries.zip", many_entries, "error .*too large"),
        ("loop.pdf", pages_that_contain_themselves, "(read|error)"),
        ("form.pdf", form_that_draws_itself, "(read|error)"),
        ("bomb.pdf", pdf_bomb, "(read|error)"),
        ("arrays.pdf", nested_arrays, "(read|error)"),
        ("groups.rtf", lambda: b"{\\rtf1 x\\par " + b"{" * 5_000_000, "read The rest cannot"),
        ("tokens.rtf", lambda: b"{\\rtf1 " + b"\\b x" * 2_000_000, "read The document is too long"),
        ("cells.rtf", lambda: b"{\\rtf1 \\trowd " + b"x\\cell " * 400_000, "read"),
        ("one line.txt", lambda: b"x" * 10_000_000, "read"),
        ("one line.py", lambda: b"x " * 5_000_000, "read"),
        ("columns.csv", lambda: b"a,b\n" + b"1," * 5_000_000, "read"),
        ("rows.csv", lambda: b"a,b,c\n" + b"1,2,3\n" * 1_500_000, "read The document is too long"),
        ("quote.csv", lambda: b'"' + b"x" * 10_000_000, "error .*damaged"),
    ],
)  # fmt: skip
def test_a_hostile_document_ends_by_itself(name: str, make: object, expected: str) -> None:
    assert callable(make)
    said = bounded.call(_said_of, make(), name).strip()
    assert re.match(expected, said), said
