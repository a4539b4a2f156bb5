"""The collections of injections in a real browser, with scripts on: nothing runs, nothing is fetched.

Every vector is a mail, rendered in full, and served without any protecting header, once as XHTML and once as HTML
(which is parsed by other rules); one page shows them all in frames. A script that runs, or an address that is fetched,
notifies the server. The same vectors served unchanged show that the browser would have done it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import pytest

from tests import PATIENCE
from tests.rendition import injections
from tests.rendition.test_injection import mail, pages

CHROMIUM: Final = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="NOT TESTED: chromium is not installed")

KINDS: Final = {"x": "application/xhtml+xml", "h": "text/html"}
#: Frames of one page that shows them all.
FRAMES: Final = 300
#: Milliseconds of the browser's own clock that a page gets after it has loaded.
BUDGET: Final = 3000
_SECONDS: Final = PATIENCE


class Beacon:
    """A loopback server for pages, which remembers any other request."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[str, bytes]] = {}
        self.shown: set[str] = set()
        self.told: list[str] = []
        beacon = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                kind, content = beacon.pages.get(self.path, ("text/plain", b""))
                if content:
                    beacon.shown.add(self.path)
                elif self.path != "/favicon.ico":
                    beacon.told.append(self.path)
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET

            def log_message(self, *_arguments: object) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def armed(self, vector: bytes, number: int) -> bytes:
        """Replace the placeholder in a vector with what notifies the server; without quotes, so that it fits
        anywhere."""
        script = f"new/**/Image().src=`{self.url}/ran/{number}`".encode()
        return vector.replace(b"@JS@", script).replace(b"@URL@", f"{self.url}/fetched/{number}".encode())


@pytest.fixture
def beacon() -> Iterator[Beacon]:
    server = Beacon()
    try:
        yield server
    finally:
        server.close()


def browse(url: str) -> str:
    """Open a page, with scripts, and return the document as it is after a while."""
    with tempfile.TemporaryDirectory() as profile:
        command = [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            "--no-first-run", "--disable-component-update", "--disable-sync", f"--user-data-dir={profile}",
            "--disable-dev-shm-usage", f"--virtual-time-budget={BUDGET}", "--window-size=240,320", "--dump-dom", url,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
    return done.stdout.decode("utf-8", "replace")


def vectors() -> list[tuple[str, bytes]]:
    """Name every vector as charset and body."""
    html = [("utf-8", vector.encode("utf-8", "surrogatepass")) for vector in injections.VECTORS]
    return [*html, *injections.CHARSETS]


def shown_in_frames(beacon: Beacon, paths: list[str]) -> None:
    """Browse to pages that show the others in frames."""
    for at in range(0, len(paths), FRAMES):
        frames = "".join(f'<iframe src="{path}"></iframe>' for path in paths[at : at + FRAMES])
        beacon.pages[f"/all/{at}"] = ("text/html", f"<title>frames</title>{frames}".encode())
        assert "<title>frames</title>" in browse(f"{beacon.url}/all/{at}")
    assert beacon.shown >= set(paths)


@pytest.mark.long
@pytest.mark.parametrize("letter", KINDS)
def test_nothing_runs_and_nothing_is_fetched(beacon: Beacon, letter: str) -> None:
    for number, (charset, vector) in enumerate(vectors()):
        for index, page in enumerate(pages(mail(beacon.armed(vector, number), charset), "xhtml")):
            beacon.pages[f"/{letter}/{number}-{index}"] = (f"{KINDS[letter]}; charset=utf-8", page)
    shown_in_frames(beacon, list(beacon.pages))
    assert beacon.told == []


def test_the_texts_in_the_header_are_texts(beacon: Beacon) -> None:
    for number, vector in enumerate(injections.PLAIN):
        text = beacon.armed(vector.encode(), number)
        header = b'From: "%s" <eve@example.org>\r\nSubject: %s\r\n' % (text.replace(b'"', b""), text)
        for index, page in enumerate(pages(mail(text, kind="text/plain", header=header), "xhtml")):
            for letter, kind in KINDS.items():
                beacon.pages[f"/{letter}/{number}-{index}"] = (f"{kind}; charset=utf-8", page)
    shown_in_frames(beacon, list(beacon.pages))
    assert beacon.told == []


@pytest.mark.matrix  # of the browser and the vectors, whatever the gateway does
def test_the_browser_would_have_done_it(beacon: Beacon) -> None:
    for number, (_charset, vector) in enumerate(vectors()):
        beacon.pages[f"/raw/{number}"] = ("text/html; charset=utf-8", beacon.armed(vector, number))
    shown_in_frames(beacon, list(beacon.pages))
    ran = {path for path in beacon.told if re.fullmatch(r"/ran/\d+", path)}
    fetched = {path for path in beacon.told if re.fullmatch(r"/fetched/\d+", path)}
    assert len(ran) >= 30
    assert len(fetched) >= 15
