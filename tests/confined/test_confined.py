"""Confined: jobs in a child come back as values or as their error, and the child cannot outgrow its limits."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from gateway import confined
from gateway.confined.jobs import JOBS, Job
from gateway.message.mime import tnef
from gateway.rendition.blocks import Block, Kind, Position, Run
from gateway.rendition.documents import ArchiveEntry, DocumentError, bounds
from gateway.rendition.pictures.image import UNREADABLE, PictureError
from tests import PATIENCE
from tests.message.mime.test_tnef import WHOLE
from tests.rendition import samples


@pytest.fixture(autouse=True, scope="module")
def server() -> Iterator[None]:
    yield
    confined.stop()


def test_blocks_come_back_as_they_are() -> None:
    url = "https://example.org/"
    octets = samples.docx(samples.paragraph(f"see {url}") + samples.paragraph("two"))
    blocks = list(confined.document(octets, "", "a.docx", "en", at=Position("2.1")))
    assert blocks == [
        Block(Kind.PARAGRAPH, (Run("see "), Run(url, link=url)), Position("2.1", 0)),
        Block(Kind.PARAGRAPH, (Run("two"),), Position("2.1", 1)),
    ]  # fmt: skip
    assert next(confined.document(octets, "", "a.docx", "de", at=Position("2.1", 1, "", 1))).text == "wo"


def test_a_workbook_and_a_pdf_are_read() -> None:
    rows = samples.row(1, "Item", "Price") + samples.row(2, "Lamp", 20.0)
    (block,) = confined.document(samples.xlsx(("S", rows)), "", "a.xlsx", "en")
    assert block.text == "Item: Lamp · Price: 20"
    (block,) = confined.document(samples.pdf("words"), "application/pdf", "", "en")
    assert block.text == "words"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP"])
def test_pictures_of_all_formats_are_made(form: str) -> None:
    out = io.BytesIO()
    Image.effect_noise((300, 200), 50).convert("RGB").save(out, form)
    made = confined.picture(out.getvalue(), screen=(96, 65), formats=("image/vnd.wap.wbmp",), budget=1300)
    assert (made.width, made.height, made.octets[:2]) == (96, 64, b"\0\0")


def test_zip_and_tnef() -> None:
    octets = samples.zipped({"a": b"\0\xff"})
    assert list(confined.stream("zip entries", octets)) == [ArchiveEntry(0, "a", 2)]
    assert confined.run("zip entry", octets, index=0) == b"\0\xff"
    assert confined.run("tnef", WHOLE) == tnef.read(WHOLE)


def test_errors_come_back_with_their_sentence() -> None:
    with pytest.raises(DocumentError) as caught:
        list(confined.document(b"PK\3\4", "", "a.docx", "en"))
    assert caught.value.sentence == bounds.DAMAGED
    with pytest.raises(PictureError) as refused:
        confined.picture(b"none", screen=(9, 9), formats=("image/png",), budget=99)
    assert refused.value.sentence == UNREADABLE


def test_two_cells_that_ask_for_all_memory_end_only_the_child() -> None:
    rows = samples.row(1, "a") + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    with pytest.raises(DocumentError) as caught:
        list(confined.document(samples.xlsx(("S", rows)), "", "a.xlsx", "en"))
    assert caught.value.sentence in (bounds.TOO_LONG, bounds.DAMAGED, bounds.TOO_LARGE)
    assert next(confined.document(b"fine", "", "a.txt", "en")).text == "fine"


#: Jobs that misbehave, put into the server that the tests below start.
MISBEHAVING = """
import os, socket, time
from gateway.confined import child
from gateway.confined.jobs import JOBS, Job
from gateway.message.mime import tnef
from gateway.rendition.documents import DocumentError

def cpu(octets):
    yield b"before"
    while True: pass
def sleep(octets):
    time.sleep(60); yield 1
def memory(octets):
    yield len(bytearray(400_000_000))
def descriptors(octets):
    yield b",".join(name.encode() for name in sorted(os.listdir("/proc/self/fd")))
def write(octets):
    with open(octets, "wb") as out: out.write(b"x")
    yield 1
def environment(octets):
    yield ",".join(sorted(os.environ)).encode()
def many(octets):
    for number in range(10**9): yield b"x" * 1000
def bug(octets):
    raise LookupError("words of the file")
    yield
def lie(octets):
    os.write(3, b'["item", {"Popen": ["true"]}]\\n'); yield 1
for name in ("cpu", "sleep", "memory", "descriptors", "write", "environment", "many", "bug", "lie"):
    JOBS[name] = Job(globals()[name], DocumentError)
child.WALL_SECONDS = 6
child.serve()
"""


@pytest.fixture(scope="module")
def misbehaving() -> Iterator[None]:
    jobs = dict(JOBS)
    confined.stop()
    confined._server = confined._Server(MISBEHAVING)
    for name in ("cpu", "sleep", "memory", "descriptors", "write", "environment", "many", "bug", "lie"):
        JOBS[name] = Job(lambda octets: iter(()), DocumentError)
    yield
    confined.stop()
    JOBS.clear()
    JOBS.update(jobs)


def sentence_of(name: str, octets: bytes = b"") -> str:
    with pytest.raises(DocumentError) as caught:
        list(confined.stream(name, octets))
    return caught.value.sentence


@pytest.mark.usefixtures("misbehaving")
class TestMisbehaving:
    def test_cpu_time_is_limited_and_what_came_before_stands(self) -> None:
        items = confined.stream("cpu", b"")
        assert next(items) == b"before"
        with pytest.raises(DocumentError) as caught:
            next(items)
        assert caught.value.sentence == bounds.TOO_LONG

    def test_wall_time_is_limited(self) -> None:
        assert sentence_of("sleep") == bounds.TOO_LONG

    def test_memory_is_limited(self) -> None:
        assert sentence_of("memory") == bounds.TOO_LARGE

    def test_nothing_is_inherited(self) -> None:
        # Its own socket, the three standard ones, and the listing itself.
        assert confined.run("descriptors", b"") == b"0,1,2,3,4"
        names = confined.run("environment", b"")
        assert isinstance(names, bytes)
        assert not set(names.decode().split(",")) - {"PYTHONPATH", "LANG", "LC_CTYPE"}

    def test_nothing_can_be_written(self, tmp_path: Path) -> None:
        place = tmp_path / "file"
        assert sentence_of("write", bytes(place)) in (bounds.DAMAGED, bounds.TOO_LONG)
        assert not place.exists() or not place.read_bytes()

    def test_a_bug_shows_nothing_of_the_file(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level("DEBUG"):
            assert sentence_of("bug") == bounds.DAMAGED
        assert "LookupError" in caplog.text
        assert "words" not in caplog.text

    def test_a_child_that_was_taken_over_gets_nothing_but_known_values_through(self) -> None:
        assert sentence_of("lie") == bounds.DAMAGED

    def test_a_reader_that_has_enough_ends_the_work(self) -> None:
        items = confined.stream("many", b"")
        assert next(items) == b"x" * 1000
        items.close()
        assert confined._slots.acquire(blocking=False)
        confined._slots.release()

    def test_octets_that_nobody_reads_do_no_harm(self) -> None:
        assert confined.run("descriptors", b"x" * 10_000_000)

    def test_jobs_at_a_time_are_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(confined, "PATIENCE_SECONDS", 0.01)
        with contextlib.ExitStack() as stack:
            for _ in range(confined.JOBS_AT_A_TIME):
                items = stack.enter_context(contextlib.closing(confined.stream("many", b"")))
                next(items)
            assert sentence_of("descriptors") == bounds.BUSY
        assert confined.run("descriptors", b"")


def test_threads_are_served_at_once() -> None:
    found: list[str] = []

    def read(number: int) -> None:
        text = f"number {number}"
        found.extend(block.text for block in confined.document(text.encode(), "", "a.txt", "en"))

    threads = [threading.Thread(target=read, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(f"number {number}" for number in range(12))


def test_a_server_that_died_is_replaced() -> None:
    first = confined.start()
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait(PATIENCE)
    assert next(confined.document(b"again", "", "a.txt", "en")).text == "again"
    assert confined.start() is not first


def test_the_server_ends_when_it_is_stopped_and_children_are_not_left() -> None:
    process = confined.start().process
    list(confined.document(b"x", "", "a.txt", "en"))
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if children.exists():
        while children.read_text().strip():
            pass
    confined.stop()
    assert process.returncode == 0
