"""Headless Chromium with a screen of 240x320 and scripts off, driven by keys like a keypad phone.

Nothing here may run a script in a page or load any URL but the first: links, fields and buttons are reached by their
access keys. Speaks the DevTools protocol over the pipe that `--remote-debugging-pipe` opens: NUL-terminated JSON.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import time
from pathlib import Path
from typing import Any

from lxml import html

from tests import PATIENCE

BINARY = shutil.which("chromium")
WIDTH, HEIGHT = 240, 320
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--blink-settings=scriptEnabled=false",
    "--remote-debugging-pipe",
    f"--window-size={WIDTH},{HEIGHT}",
)
#: DevTools' bit for the Alt key, which makes a key an access key.
_ALT = 1


def _high(descriptor: int) -> int:
    """Move a descriptor out of the way of 3 and 4, which the child needs."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return moved


class Chromium:
    """One browser with one page."""

    def __init__(self, folder: Path) -> None:
        assert BINARY
        theirs_in, self._out = map(_high, os.pipe())
        self._in, theirs_out = map(_high, os.pipe())
        quiet = os.open(os.devnull, os.O_RDWR)
        try:
            # It reads commands from descriptor 3 and writes answers to 4.
            pairs = ((quiet, 0), (quiet, 1), (quiet, 2), (theirs_in, 3), (theirs_out, 4))
            self._pid = os.posix_spawn(
                BINARY,
                [BINARY, *_FLAGS, f"--user-data-dir={folder}", "about:blank"],
                {**os.environ, "HOME": str(folder)},
                file_actions=[(os.POSIX_SPAWN_DUP2, ours, number) for ours, number in pairs],
            )
        finally:
            for descriptor in (theirs_in, theirs_out, quiet):
                os.close(descriptor)
        self._waiting = b""
        self._events: list[dict[str, Any]] = []
        self._serial = 0
        self._session = ""
        try:
            self._attach()
        except BaseException:
            self.close()
            raise

    def _attach(self) -> None:
        pages = [each for each in self.call("Target.getTargets")["targetInfos"] if each["type"] == "page"]
        found = self.call("Target.attachToTarget", targetId=pages[0]["targetId"], flatten=True)
        self._session = found["sessionId"]
        self.call("Page.enable")
        size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": True}
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return the answer; events that come in the meantime are kept."""
        self._serial += 1
        message: dict[str, Any] = {"id": self._serial, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            said = self._receive()
            if said.get("id") == self._serial:
                assert "error" not in said, (method, said["error"])
                return said.get("result", {})
            self._events.append(said)

    def _receive(self) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        while b"\0" not in self._waiting:
            assert select.select([self._in], [], [], max(0, end - time.monotonic()))[0], "Chromium is silent"
            piece = os.read(self._in, 1 << 20)
            assert piece, "Chromium has ended"
            self._waiting += piece
        line, _, self._waiting = self._waiting.partition(b"\0")
        return json.loads(line)

    def _await(self, event: str) -> None:
        while not any(each.get("method") == event for each in self._events):
            self._events.append(self._receive())
        self._events.clear()

    def open(self, url: str) -> None:
        """Type an address."""
        self._events.clear()
        self.call("Page.navigate", url=url)
        self._await("Page.loadEventFired")

    def key(self, key: str) -> None:
        """Press an access key that does not lead to another page."""
        pressed = {
            "modifiers": _ALT,
            "key": key,
            "unmodifiedText": key,
            "windowsVirtualKeyCode": ord(key.upper()),
        }
        self.call("Input.dispatchKeyEvent", type="keyDown", **pressed)
        self.call("Input.dispatchKeyEvent", type="keyUp", **pressed)

    def go(self, key: str) -> str:
        """Press the access key of a link or a button, and return the words of the page to which it leads."""
        self._events.clear()
        self.key(key)
        self._await("Page.loadEventFired")
        return self.text

    def type(self, name: str, text: str) -> None:
        """Move to the field with this name, as with a D-pad, and type into it."""
        root = self.call("DOM.getDocument", depth=0)["root"]["nodeId"]
        found = self.call("DOM.querySelector", nodeId=root, selector=f'[name="{name}"]')["nodeId"]
        self.call("DOM.focus", nodeId=found)
        self.call("Input.insertText", text=text)

    @property
    def source(self) -> str:
        root = self.call("DOM.getDocument", depth=0)["root"]["nodeId"]
        return self.call("DOM.getOuterHTML", nodeId=root)["outerHTML"]

    @property
    def page(self) -> html.HtmlElement:
        return html.document_fromstring(self.source.partition("?>")[2] or self.source)

    @property
    def text(self) -> str:
        return self.page.find("body").text_content()

    def key_of(self, label: str) -> str:
        """Return the access key of the link or button with this label."""
        for element in self.page.iter("a", "input"):
            if label in (element.text_content() or element.get("value") or ""):
                return element.get("accesskey", "")
        raise AssertionError(f"no {label!r} on the page")

    @property
    def width(self) -> int:
        """The width that the page needs, in pixels; more than WIDTH is scrolled sideways."""
        return self.call("Page.getLayoutMetrics")["cssContentSize"]["width"]

    def on_screen(self, selector: str) -> int:
        """Count the elements that are completely visible before anything is scrolled."""
        root = self.call("DOM.getDocument", depth=0)["root"]["nodeId"]
        nodes = self.call("DOM.querySelectorAll", nodeId=root, selector=selector)["nodeIds"]
        boxes = [self.call("DOM.getBoxModel", nodeId=node)["model"]["border"] for node in nodes]
        return sum(max(box[1::2]) <= HEIGHT for box in boxes)

    def screenshot(self) -> bytes:
        """Return what is on the screen as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot")["data"])

    def close(self) -> None:
        """End the browser, politely at first."""
        self._session = ""
        try:
            self.call("Browser.close")
        except (AssertionError, OSError):
            os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._in)
        os.close(self._out)
