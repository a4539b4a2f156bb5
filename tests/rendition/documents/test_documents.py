"""Documents: what a person reads from files of each kind, from any position on."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.message import media_types
from gateway.rendition import documents
from gateway.rendition.blocks import Block, Kind, Position
from gateway.rendition.context import Context
from gateway.rendition.documents import DocumentError, bounds, effective_type
from gateway.rendition.text import markdown
from tests.rendition import mails, samples
from tests.rendition.samples import paragraph

#: pypdf compares bytes with numbers, which -bb is told to report.
pytestmark = pytest.mark.filterwarnings("ignore::BytesWarning")

CONTEXT = Context()
START = Position("2")


def read(
    octets: bytes, name: str = "", media_type: str = media_types.OCTETS, at: Position = START
) -> list[Block]:
    return list(documents.read(octets, media_type, name, CONTEXT, at))


def shown(blocks: list[Block]) -> list[str]:
    return [f"{block.kind.name.lower()}{block.level or ''} {block.marker} {block.text}" for block in blocks]


def reads_on_anywhere(octets: bytes, name: str) -> None:
    whole = read(octets, name)
    assert len({block.at for block in whole}) == len(whole)
    for index, block in enumerate(whole):
        assert read(octets, name, at=Position.decode(block.at.encode())) == whole[index:]


STYLES = (
    f'<w:styles {samples.W}><w:style w:styleId="berschrift2"><w:name w:val="heading 2"/></w:style>'
    '<w:style w:styleId="Normal"><w:name w:val="Normal"/></w:style></w:styles>'
)
NUMBERING = (
    f'<w:numbering {samples.W}><w:abstractNum w:abstractNumId="7"><w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/>'
    '</w:lvl><w:lvl w:ilvl="1"><w:numFmt w:val="lowerLetter"/></w:lvl></w:abstractNum>'
    '<w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num></w:numbering>'
)
LINKS = ('<Relationships><Relationship Id="r1" TargetMode="External" Target="https://example.org/x"/>'
        '<Relationship Id="r2" TargetMode="External" Target="javascript:alert(1)"/></Relationships>')  # fmt: skip
FOOTNOTES = (
    f'<w:footnotes {samples.W}><w:footnote w:id="0"><w:p/></w:footnote><w:footnote w:id="2">'
    "<w:p><w:r><w:t>Said in passing.</w:t></w:r></w:p></w:footnote></w:footnotes>"
)


def numbered(text: str, level: int) -> str:
    return paragraph(text, f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="1"/></w:numPr>')


def test_docx_keeps_headings_numbers_looks_links_and_notes() -> None:
    body = (
        paragraph("Ziele", '<w:pStyle w:val="berschrift2"/>')
        + numbered("one", 0) + numbered("in one", 1) + numbered("in one too", 1) + numbered("two", 0)
        + numbered("in two", 1)
        + '<w:p><w:r><w:rPr><w:b/></w:rPr><w:t xml:space="preserve">Strong </w:t></w:r><w:r><w:rPr><w:b w:val="0"/>'
        '<w:i/></w:rPr><w:t>soft</w:t><w:tab/><w:footnoteReference w:id="2"/></w:r>'
        '<w:del><w:r><w:t>gone</w:t></w:r></w:del></w:p>'
        '<w:p><w:hyperlink r:id="r1"><w:r><w:t>here</w:t></w:r></w:hyperlink>'
        '<w:hyperlink r:id="r2"><w:r><w:t> there</w:t></w:r></w:hyperlink></w:p>'
    )  # fmt: skip
    blocks = read(
        samples.docx(body, styles=STYLES, numbering=NUMBERING, links=LINKS, footnotes=FOOTNOTES), "a.docx"
    )
    assert shown(blocks) == [
        "heading2  Ziele", "item 1. one", "item a. in one", "item b. in one too", "item 2. two", "item a. in two",
        "paragraph  Strong soft [2]", "paragraph  here there", "item [2] Said in passing.",
    ]  # fmt: skip
    assert [(run.text, run.strong, run.emphasis) for run in blocks[6].runs] == [
        ("Strong ", True, False), ("soft [2]", False, True),
    ]  # fmt: skip
    assert [run.link for run in blocks[7].runs] == ["https://example.org/x", ""]
    assert [block.indent for block in blocks[1:4]] == [0, 1, 1]


def test_docx_tables_are_rows_and_layout_tables_are_paragraphs() -> None:
    def table(*rows: tuple[str, ...]) -> str:
        cells = ("".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) for row in rows)
        return "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in cells) + "</w:tbl>"

    long = "word " * 80
    blocks = read(
        samples.docx(table(("Lamp", "20 €"), ("", "4")) + table((long, "b")) + paragraph("end")), "a.docx"
    )
    assert shown(blocks) == [
        "row  Lamp · 20 €", "row  4", f"paragraph  {long.strip()}", "paragraph  b", "paragraph  end",
    ]  # fmt: skip


def test_docx_text_boxes_and_their_fallback_are_read_once() -> None:
    box = f"<w:txbxContent>{paragraph('boxed')}</w:txbxContent>"
    body = (f"<w:p><w:r><w:t>before</w:t><mc:A xmlns:mc='m'><mc:Choice>{box}</mc:Choice>"
           f"<mc:Fallback>{box}</mc:Fallback></mc:A></w:r><w:r><w:t>after</w:t></w:r></w:p>")  # fmt: skip
    assert [block.text for block in read(samples.docx(body), "a.docx")] == ["before", "boxed", "after"]


def test_a_book_is_read_chapter_by_chapter() -> None:
    book = samples.epub(
        "<h1>One</h1><p>The first, with <b>words</b>.</p>", "", "<h1>Two</h1><ul><li>Ende</li></ul>"
    )
    for name in ("a.epub", "book.bin"):
        assert shown(read(book, name)) == [
            "heading1  One",
            "paragraph  The first, with words.",
            "heading1  Two",
            "item • Ende",
        ]
    reads_on_anywhere(book, "a.epub")
    with pytest.raises(DocumentError, match=bounds.DAMAGED):
        read(samples.epub("<p>x", media_type="image/png"), "a.epub")


def test_odt_keeps_headings_lists_tables_and_leaves_out_what_was_deleted() -> None:
    styles = (
        '<style:style style:name="T1"><style:text-properties fo:font-weight="bold"/></style:style>'
        '<text:list-style style:name="L1"><text:list-level-style-number text:level="1" style:num-format="I"/>'
        '<text:list-level-style-bullet text:level="2"/></text:list-style>'
    )
    body = (
        "<text:tracked-changes><text:p>deleted</text:p></text:tracked-changes>"
        '<text:h text:outline-level="3">Plan</text:h>'
        '<text:list text:style-name="L1"><text:list-item><text:p>first</text:p><text:list><text:list-item>'
        "<text:p>below</text:p></text:list-item></text:list></text:list-item>"
        "<text:list-item><text:p>second</text:p><text:p>more</text:p></text:list-item></text:list>"
        '<text:p>A <text:span text:style-name="T1">bold</text:span><text:s text:c="3"/>word<text:note>'
        "<text:note-citation>1</text:note-citation><text:note-body><text:p>aside</text:p></text:note-body></text:note>"
        '<text:line-break/><text:a xlink:href="https://example.org/">link</text:a></text:p>'
        "<table:table><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell><table:table-cell>"
        "<text:p>b</text:p><text:p>c</text:p></table:table-cell></table:table-row></table:table>"
    )
    blocks = read(samples.odt(body, styles), "a.odt")
    assert shown(blocks) == [
        "heading3  Plan", "item I. first", "item • below", "item II. second", "paragraph  more",
        "paragraph  A bold word [aside ]\nlink", "row  a · b / c",
    ]  # fmt: skip
    runs = blocks[5].runs
    assert [run.text for run in runs if run.strong] == ["bold"]
    assert runs[-1].link == "https://example.org/"


def test_xlsx_rows_name_their_columns_and_sheets_their_name() -> None:
    first = samples.row(1, "Item", "Price") + samples.row(2, "Lamp", 20.0) + samples.row(4, "Desk", 99.5)
    second = samples.row(1, "Anna", "Berlin") + samples.row(2, "Bert", "Bonn")
    octets = samples.xlsx(("Stock", first), ("People", second))
    assert shown(read(octets, "a.xlsx")) == [
        "heading2  Stock", "row  Item: Lamp · Price: 20", "row  Item: Desk · Price: 99.5",
        "heading2  People", "row  Anna · Berlin", "row  Bert · Bonn",
    ]  # fmt: skip
    reads_on_anywhere(octets, "a.xlsx")


def test_ods_is_read() -> None:
    def line(*cells: str) -> str:
        out = "".join(f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>'
                      for cell in cells)  # fmt: skip
        return f"<table:table-row>{out}</table:table-row>"

    blocks = read(samples.ods(line("Item", "No", "Where") + line("Lamp", "2", "cellar")), "a.ods")
    assert shown(blocks) == ["row  Item: Lamp · No: 2 · Where: cellar"]


@pytest.mark.parametrize(
    ("octets", "name"),
    [
        ("Name;Größe\r\nTür;\"1,5;\nbreit\"\r\n".encode("cp1252"), "a.csv"),
        ("Name\tGröße\nTür\t1,5; breit\n".encode("utf-16"), "a.tsv"),
    ],
)  # fmt: skip
def test_csv_in_any_charset_and_delimiter(octets: bytes, name: str) -> None:
    assert shown(read(octets, name)) == ["row  Name: Tür · Größe: 1,5; breit"]


def test_csv_labelled_as_excel_is_csv() -> None:
    assert shown(read(b"a,b,c\n1,2,3\n", "list.csv", "application/vnd.ms-excel")) == [
        "row  a: 1 · b: 2 · c: 3"
    ]


LONG = "This line of a letter is as long as the others, and the sentence goes on behind its"


def test_pdf_joins_lines_and_each_page_can_be_opened_alone() -> None:
    first = f"Title\n{LONG}\nend. Then\n{LONG} most remark-\nable hyphen, {LONG}\nlast."
    octets = samples.pdf(first, "Two")
    texts = [block.text for block in read(octets, "a.pdf")]
    assert texts[0] == "[page 1 of 2]"
    assert texts[1:3] == [f"Title\n{LONG} end. Then", f"{LONG} most remarkable hyphen, {LONG} last."]
    assert texts[-2:] == ["[page 2 of 2]", "Two"]
    reads_on_anywhere(octets, "a.pdf")


def test_pdf_without_text_says_so() -> None:
    assert shown(read(samples.pdf("", ""), "scan.pdf")) == ["note  " + bounds.NO_TEXT]


def test_pdf_beyond_the_bound_says_that_it_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.rendition.documents.pdf.PAGES_LIMIT", 2)
    assert shown(read(samples.pdf("a", "b", "c"), "a.pdf"))[-2:] == ["paragraph  b", "note  " + bounds.CUT]


def test_one_bad_page_of_a_pdf_does_not_take_the_others_away() -> None:
    octets = samples.pdf("good", "bad", "fine").replace(b"/Contents 7 0 R", b"/Contents 7    ")
    texts = [block.text for block in read(octets, "a.pdf")]
    assert "good" in texts
    assert "fine" in texts


RTF = (
    rb"{\rtf1\ansi\ansicpg1251{\fonttbl{\f0 Arial;}}{\*\generator Word;}{\info{\title secret}}"
    rb"\b Bold\b0  and \u8364?\'cf\'f0\par {\v hidden}{\uc2\u228ab\u246 cd}x\par"
    rb"\trowd\intbl a\cell b\cell\row done\line next {\htmlrtf gone\htmlrtf0 kept}}"
)


def test_rtf_text_charsets_tables_and_what_is_hidden() -> None:
    blocks = read(RTF, "a.rtf")
    assert shown(blocks) == [
        "paragraph  Bold and €Пр",
        "paragraph  äöx",
        "row  a · b",
        "paragraph  done\nnext kept",
    ]
    assert [run.text for run in blocks[0].runs if run.strong] == ["Bold"]


def test_text_files_are_read_like_mail_and_source_keeps_its_lines() -> None:
    prose = "Grüße aus Köln.\r\n\r\n- eins\r\n- zwei\r\n"
    assert shown(read(prose.encode("cp1252"), "a.txt")) == [
        "paragraph  Grüße aus Köln.",
        "item • eins",
        "item • zwei",
    ]
    code = "def f():\n\treturn 1\n\n\nprint(f())\n"
    (block,) = read(code.encode(), "a.py")
    assert (block.kind, block.text) == (Kind.PREFORMATTED, "def f():\n    return 1\n\n\nprint(f())")
    reads_on_anywhere("\n".join(f"line {n}" for n in range(100)).encode(), "a.py")


def test_zip_lists_and_opens_entries() -> None:
    octets = samples.zipped({"dir/": "", "dir/a.txt": "text", "b.bin": b"x" * 20_000})
    assert [(entry.index, entry.name, entry.octets) for entry in documents.zip_entries(octets)] == [
        (0, "dir/a.txt", 4), (1, "b.bin", 20_000),
    ]  # fmt: skip
    assert documents.zip_entry(octets, 0) == b"text"
    assert shown(read(octets, "a.zip")) == ["item • dir/a.txt · 4 B", "item • b.bin · 20 KB"]
    with pytest.raises(DocumentError):
        documents.zip_entry(octets, 2)


def test_zip_names_without_the_utf8_flag_are_guessed() -> None:
    octets = samples.zipped({"abcdefghi.txt": "x", "jklmn.txt": "y"})
    octets = octets.replace(b"abcdefghi", "März ✓".encode()).replace(b"jklmn", "Größe".encode("cp437"))
    names = [entry.name for entry in documents.zip_entries(octets)]
    assert names == ["März ✓.txt", "Größe.txt"]


def test_a_zip_that_is_a_document_is_read_as_one() -> None:
    octets = samples.docx(paragraph("inside"))
    for media_type, name in (
        ("application/zip", "a.zip"),
        (media_types.OCTETS, "noname"),
        ("application/msword", "a"),
    ):
        assert shown(read(octets, name, media_type)) == ["paragraph  inside"]


@pytest.mark.parametrize(
    ("declared", "name", "octets", "expected"),
    [
        ("application/octet-stream", "Mail.EML", b"", media_types.MESSAGE),
        ("application/octet-stream", "", b"%PDF-1.7", media_types.PDF),
        ("application/x-zip-compressed", "b.docx", b"", media_types.DOCX),
        ("application/pdf", "b.exe", b"", media_types.PDF),
        ("text/plain", "invite.ics", b"BEGIN:VCALENDAR", media_types.CALENDAR),
        ("text/x-vcard", "a.vcf", b"", media_types.CONTACT),
        ("application/octet-stream", "winmail.dat", b"\x78\x9f\x3e\x22\0\0", media_types.TNEF),
        ("application/octet-stream", "a.unknown", b"just words\n", media_types.TEXT),
        ("application/octet-stream", "a.unknown", b"\0\1\2\3", media_types.OCTETS),
        ("video/mp4", "a.mp4", b"", "video/mp4"),
        ("image/pjpeg", "", b"", "image/jpeg"),
        ("application/octet-stream", "a.xls", b"<html><table>", media_types.HTML),
    ],
)
def test_effective_type(declared: str, name: str, octets: bytes, expected: str) -> None:
    assert effective_type(declared, name, octets) == expected


def test_long_paragraphs_become_several_blocks_without_loss() -> None:
    words = " ".join(f"w{n}" for n in range(20_000))
    blocks = read(samples.docx(paragraph(words)), "a.docx")
    assert max(len(block.text) for block in blocks) <= 8000
    assert "".join("".join(block.text.split()) for block in blocks) == words.replace(" ", "")


def test_reading_goes_on_inside_a_block() -> None:
    octets = samples.docx(paragraph("one") + paragraph("two three"))
    blocks = read(octets, "a.docx", at=Position("2", 1, "", 4))
    assert [block.text for block in blocks] == ["three"]
    assert blocks[0].at == Position("2", 1, "", 4)


def test_our_own_words_are_translated() -> None:
    context = Context(translate=lambda msgid: msgid.upper())
    blocks = documents.read(samples.pdf(""), "application/pdf", "", context)
    assert [block.text for block in blocks] == [bounds.NO_TEXT.upper()]


@pytest.mark.parametrize(
    ("octets", "name", "sentence"),
    [
        (b"MZ\0\0", "a.exe", bounds.UNKNOWN),
        (b"PK\3\4 no", "a.docx", bounds.DAMAGED),
        (samples.zipped({"x": "y"}), "a.odt", bounds.DAMAGED),
        (samples.docx("<w:p>"), "a.docx", bounds.DAMAGED),
        (b"%PDF-1.4\n%%EOF", "a.pdf", bounds.DAMAGED),
        (b"no rtf", "a.rtf", bounds.DAMAGED),
        (b"PK\3\4 no", "a.xlsx", bounds.DAMAGED),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "a.xls", bounds.DAMAGED),
        (b"x" * (bounds.OCTETS_LIMIT + 1), "a.txt", bounds.TOO_LARGE),
    ],
)
def test_what_cannot_be_read_says_why(octets: bytes, name: str, sentence: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read(octets, name)
    assert caught.value.sentence == sentence


def test_an_encrypted_entry_is_protected() -> None:
    octets = bytearray(samples.zipped({"a.txt": "x"}))
    octets[octets.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(DocumentError) as caught:
        documents.zip_entry(bytes(octets), 0)
    assert caught.value.sentence == bounds.PROTECTED


def test_a_document_that_breaks_off_keeps_what_came_before() -> None:
    octets = samples.docx(paragraph("whole") + "<w:p><w:r></w:p>")
    assert shown(read(octets, "a.docx")) == ["paragraph  whole", "note  " + bounds.BROKEN]


def test_an_empty_document_says_so() -> None:
    for octets, name in ((samples.docx("<w:p/>"), "a.docx"), (b"", "a.txt"), (samples.zipped({}), "a.zip")):
        assert shown(read(octets, name)) == ["note  " + bounds.EMPTY]


SEEDS = [
    (samples.docx(numbered("text", 0), numbering=NUMBERING, links=LINKS), "a.docx"),
    (samples.odt("<text:p>text</text:p>"), "a.odt"),
    (samples.epub("<p>text</p>"), "a.epub"),
    (samples.pdf("text", "more"), "a.pdf"),
    (RTF, "a.rtf"),
    (samples.zipped({"a": "b"}), "a.zip"),
    (b"a;b\n1;2", "a.csv"),
    (b"text\n", "a.txt"),
]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SEEDS), st.data())
def test_damaged_files_raise_only_document_errors(seed: tuple[bytes, str], data: st.DataObject) -> None:
    octets = bytearray(seed[0])
    for _ in range(data.draw(st.integers(1, 6))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    octets = octets[: data.draw(st.integers(1, len(octets)))]
    try:
        assert all(isinstance(block, Block) for block in read(bytes(octets), seed[1]))
        documents.zip_entries(bytes(octets))
    except DocumentError:
        pass


MARKUP = st.lists(
    st.sampled_from(
        [f"<w:{name}>" for name in ("p", "r", "t", "tbl", "tr", "tc", "hyperlink", "footnote")]
        + [f"</w:{name}>" for name in ("p", "r", "t", "tbl", "tr", "tc", "hyperlink")]
        + ["words ", '<w:numId w:val="1"/>', "<w:b/>", "<w:tab/>", "<w:br/>"]
    ),
    max_size=60,
)


@settings(max_examples=100, deadline=None)
@given(MARKUP)
def test_docx_markup_in_any_order(pieces: list[str]) -> None:
    opened: list[str] = []
    body = ""
    for piece in pieces:  # balanced, so that the parser lets it through to our handlers
        if piece.startswith("</"):
            if not opened:
                continue
            piece = f"</{opened.pop()[1:]}"
        elif piece.startswith("<") and not piece.endswith("/>"):
            opened.append(piece)
        body += piece
    body += "".join(f"</{name[1:]}" for name in reversed(opened))
    for block in read(samples.docx(body), "a.docx"):
        assert block.text.strip()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([b"{", b"}", b"\\par ", b"\\b ", b"\\trowd ", b"\\cell ", b"\\row ", b"\\u9731?",
                                 b"\\'e4", b"\\*\\x ", b"\\v ", b"text", b"\\uc0 ", b"\\"]), max_size=60))  # fmt: skip
def test_rtf_in_any_order(pieces: list[bytes]) -> None:
    for block in read(b"{\\rtf1 " + b"".join(pieces), "a.rtf"):
        assert block.text.strip()


def test_zip_entries_with_lzma_are_not_unpacked() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a", "b")
    with pytest.raises(DocumentError) as caught:
        documents.zip_entry(out.getvalue(), 0)
    assert caught.value.sentence == bounds.UNKNOWN


@pytest.mark.parametrize(
    ("media_type", "name"),
    [
        ("text/markdown", ""), ("text/x-markdown", "notes.txt"),
        ("text/plain", "README.md"), (media_types.OCTETS, "notes.MARKDOWN"),
    ],
)  # fmt: skip
def test_markdown_as_a_file_is_what_it_is_as_a_mail(media_type: str, name: str) -> None:
    text = "# Dear Anna\n\nThe *lamp*:\n\n1. switch\n2. [bulb](https://example.org/b)\n\n```\na  b\n```\n"
    as_file = read(text.encode(), name, media_type)
    as_mail = mails.read(mails.leaf("1", "text/markdown", text))
    assert mails.said(as_file) == mails.said(as_mail)
    assert [block.runs for block in as_file] == [block.runs for block in as_mail]


def test_too_much_markdown_is_cut_and_said() -> None:
    assert shown(read(b"x\n\n" * markdown.LINES_LIMIT, "a.md"))[-1] == "note  " + bounds.CUT
