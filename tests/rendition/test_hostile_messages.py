"""Hostile messages: page 1 within two seconds of CPU and 200 MB, whatever comes.

One process loads everything and then forks for each message; the fork reads the octets, parses the message, lays out
the first page in each markup as the gateway does, and is ended by the kernel if all that takes more. The judgement
here: it survived, and its pages are valid and within the devices' budgets.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway import confined
from gateway.device import by_name
from gateway.rendition.documents import DocumentError
from gateway.rendition.pictures.image import PictureError
from tests import PATIENCE
from tests.devices.checks import check_deck, check_page
from tests.matrix import by_turns
from tests.rendition import samples
from tests.rendition.hostile import HOSTILE, mail

#: Seconds of CPU for a device, and octets beyond what the loaded program has mapped, including those of the message. An
#: idle machine takes at most 0.7 s, a loaded one three times that.
SECONDS = 6.0
ROOM = 200 * 1024 * 1024
DEVICES = ("nokia7110", "xhtml")

RUNNER = f"""
import gc, os, resource, signal, sys
from pathlib import Path
from gateway import markup
from gateway.device import by_name
from gateway.pages.message_pages import message_layout
from gateway.message.mime import wire_format as wire

def first_page(mail, name):
    layout = message_layout(mail.message, mail.octets, by_name(name))
    return markup.encode(layout.screen(layout.page()), by_name(name))[0]

def limited(line):
    path, name = line.split()
    mapped = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + {ROOM}, mapped + {ROOM}))
    signal.setitimer(signal.ITIMER_PROF, {SECONDS})  # exact, where RLIMIT_CPU counts whole seconds
    resource.setrlimit(resource.RLIMIT_CPU, ({SECONDS:.0f} + 1,) * 2)
    mail = wire.parse(Path(path).read_bytes())
    Path(path + ".page").write_bytes(first_page(mail, name))

for kind in (b"html", b"plain", b"calendar", b"vcard", b"enriched"):
    warm = wire.parse(b"Content-Type: text/" + kind + b"; charset=x-unknown\\n\\n" + bytes(range(32, 256)))
    for name in {DEVICES}:
        first_page(warm, name)
gc.freeze()  # what the forks share is looked at by none of them
print("ready", flush=True)
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            limited(line.rstrip("\\n"))
            status = 0
        except BaseException as error:
            print(f"{{type(error).__name__}}: {{str(error)[:200]}}", file=sys.stderr, flush=True)
        finally:
            os._exit(status)
    _, status, usage = os.wait4(pid, 0)
    print(os.waitstatus_to_exitcode(status), f"{{usage.ru_utime + usage.ru_stime:.2f}}", usage.ru_maxrss, flush=True)
"""

Run = Callable[[bytes, str], tuple[int, float, bytes]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Lay out the first page of a message on a device, within the limits: exit status, seconds, page."""
    folder = tmp_path_factory.mktemp("hostile")
    process = subprocess.Popen(
        [sys.executable, "-c", RUNNER],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    ask, answers = process.stdin, process.stdout
    assert answers.readline() == "ready\n"

    def first_page(octets: bytes, device: str) -> tuple[int, float, bytes]:
        path = folder / "mail"
        path.write_bytes(octets)
        page = folder / "mail.page"
        page.unlink(missing_ok=True)
        print(path, device, file=ask, flush=True)
        status, seconds, _memory = answers.readline().split()
        return int(status), float(seconds), page.read_bytes() if page.exists() else b""

    try:
        yield first_page
    finally:
        ask.close()
        process.wait(PATIENCE)
        answers.close()


@pytest.mark.parametrize(("name", "device"), by_turns(HOSTILE, DEVICES))
def test_page_1_is_there_in_time(run: Run, name: str, device: str) -> None:
    status, seconds, page = run(HOSTILE[name](), device)
    assert status == 0, f"ended by {status} after {seconds} s"
    assert page
    check = check_deck if device == "nokia7110" else check_page
    check(page, by_name(device).deck_limit)


def test_the_limits_are_limits(run: Run) -> None:
    status, _seconds, page = run(mail(b"x" * (210 * 1024 * 1024), "text/plain"), DEVICES[0])
    assert (status, page) == (1, b"")


def bomb(size: int = 12_000) -> bytes:
    """Write a PNG of 144 million pixels in 150 KB, without making them."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(size + 1)) for _ in range(size)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def _confined() -> Iterator[None]:
    yield
    confined.stop()


@pytest.mark.usefixtures("_confined")
def test_bombs_end_in_their_child_with_a_sentence() -> None:
    with pytest.raises(PictureError) as refused:
        confined.picture(bomb(), screen=(96, 65), formats=("image/vnd.wap.wbmp",), budget=1300)
    assert refused.value.sentence
    text = "<w:p><w:r><w:t>" + "x" * 1_000_000 + "</w:t></w:r></w:p>"
    blocks = list(confined.document(samples.docx(text * 300), "", "a.docx", "en"))
    assert sum(len(block.text) for block in blocks) < 100_000_000
    inner = samples.zipped({f"{n}.txt": bytes(50 * 1024 * 1024) for n in range(4)})
    entries = list(confined.stream("zip entries", inner))
    assert len(entries) == 4
    with pytest.raises(DocumentError):
        confined.run("zip entry", inner, index=0)
    assert next(confined.document(b"fine", "", "a.txt", "en")).text == "fine"
