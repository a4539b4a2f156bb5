"""Every screen of the panel as assistive technology gets it: Chromium's accessibility tree, and yasr speaking lynx.

Chromium's tree is what Orca and others read: each control has a name, headings are in order, tables say what their rows
and columns are. yasr is a screen reader for terminals; a script takes the place of its synthesizer and notes the words.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import time
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from tests import PATIENCE
from tests.devices.browsers.chromium import Chromium
from tests.devices.browsers.terminal import GLANCE, Terminal
from tests.devices.browsers.text_browsers import DOWN, ENTER
from tests.devices.phones import WmlPhone, over_http

#: Roles of controls, which mean nothing without a name to somebody who does not see them.
CONTROLS = {"button", "checkbox", "combobox", "link", "listbox", "radio", "searchbox", "textbox", "Iframe"}
#: Screens of one kind that are examined: each section of the settings is one more.
OF_A_KIND = 3
#: What the Tab key can focus.
_FOCUSABLE: Final = "a[href], input:not([type=hidden]), select, textarea, button, summary, iframe"


@pytest.fixture(scope="module")
def panel(demo_said: str) -> tuple[str, str, str]:
    """The addresses of a demo and of its panel, and the panel's password."""
    found = re.search(r"^Panel +(\S+)/ .*password (\S+)$", demo_said, re.MULTILINE)
    handhelds = re.search(r"^Address +(\S+)/$", demo_said, re.MULTILINE)
    assert found, demo_said
    assert handhelds, demo_said
    return handhelds[1], found[1], found[2]


@pytest.fixture
def browser(opened_chromium: Chromium) -> Chromium:
    return opened_chromium


def run(browser: Chromium, script: str) -> Any:
    """Run one of the test's own scripts in the page; pages have none."""
    found = browser.call("Runtime.evaluate", expression=script, returnByValue=True)
    assert "exceptionDetails" not in found, found
    return found["result"].get("value")


def go(browser: Chromium, selector: str) -> None:
    """Activate a link or a button, and wait for the page to which it leads."""
    browser._events.clear()
    run(browser, f"document.querySelector({json.dumps(selector)}).click()")
    browser._await("Page.loadEventFired")


def fill(browser: Chromium, **fields: str) -> None:
    for name, value in fields.items():
        named = f"document.getElementsByName({json.dumps(name)})[0]"
        run(browser, f"{named}.value = {json.dumps(value)}")


def value(node: dict[str, Any], name: str) -> Any:
    return node.get(name, {}).get("value", "")


def faults(browser: Chromium) -> Iterator[str]:
    """Yield what somebody who does not see the page would miss."""
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    levels = [0]
    for node in (node for node in nodes if not node["ignored"]):
        role, name = value(node, "role"), value(node, "name").strip()
        if role in CONTROLS and not name:
            yield f"a {role} without a name"
        if role == "heading":
            (level,) = (one["value"]["value"] for one in node["properties"] if one["name"] == "level")
            if not name or level > levels[-1] + 1:
                yield f"heading {name!r} of level {level} after {levels[-1]}"
            levels.append(level)
    if levels.count(1) != 1:
        yield f"{levels.count(1)} headings of level 1"
    yield from _table_faults(nodes)
    yield from run(browser, _PAGE_FAULTS)


def _table_faults(nodes: list[dict[str, Any]]) -> Iterator[str]:
    by_id = {node["nodeId"]: node for node in nodes}

    def inside(node: dict[str, Any]) -> Iterator[str]:
        for child in node.get("childIds", []):
            if child in by_id:
                yield value(by_id[child], "role")
                yield from inside(by_id[child])

    for node in nodes:
        if value(node, "role") in ("table", "LayoutTable"):
            if not value(node, "name").strip():
                yield "a table without a caption"
            if not {"rowheader", "columnheader"} & {*inside(node)}:
                yield f"no header in the table {value(node, 'name')!r}"


#: What the tree does not show: language, title, the order of focus, messages that nothing announces, duplicates.
_PAGE_FAULTS = """(() => {
    const found = [], all = selector => [...document.querySelectorAll(selector)];
    if (document.documentElement.lang !== "en") found.push("no language");
    if (!document.title.startsWith(document.querySelector("h1").textContent)) found.push("title is not the heading");
    if (all("[tabindex], [accesskey]").length) found.push("the order of focus is changed");
    const ids = all("[id]").map(one => one.id);
    for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push("twice the id " + id);
    for (const one of all("[aria-describedby], [for]"))
        for (const id of (one.getAttribute("aria-describedby") || one.htmlFor).split(" "))
            if (!document.getElementById(id)) found.push("no " + id + " to be described by");
    for (const one of all("h1 + p.bad, h1 + p.good"))
        if (!one.getAttribute("role")) found.push("no role: " + one.textContent);
    for (const one of all("th:not([scope])")) found.push("no scope: " + one.textContent);
    const links = {};
    for (const one of all("a[href]")) {
        const words = one.getAttribute("aria-label") || one.textContent.trim();
        if (words in links && links[words] !== one.href) found.push("two links are called " + words);
        links[words] = one.href;
    }
    return found;
})()"""


def _order(browser: Chromium) -> list[str]:
    """Return what the Tab key reaches, in order, as places in the document."""
    count = run(browser, f"document.querySelectorAll({json.dumps(_FOCUSABLE)}).length")
    places = []
    for _key in range(count):
        for kind in ("keyDown", "keyUp"):
            browser.call("Input.dispatchKeyEvent", type=kind, key="Tab", windowsVirtualKeyCode=9)
        script = f"[...document.querySelectorAll({json.dumps(_FOCUSABLE)})].indexOf(document.activeElement)"
        places.append(run(browser, script))
    return places


class Audit:
    """The screens that were examined, and what was found."""

    def __init__(self, browser: Chromium) -> None:
        self.browser = browser
        self.found: list[str] = []
        self.seen: list[str] = []

    def look(self, name: str) -> None:
        self.seen.append(name)
        self.found += [f"{name}: {fault}" for fault in faults(self.browser)]
        folder = os.environ.get("PANEL_PICTURES")
        for width in (320, 1200) if folder else ():
            size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
            self.browser.call("Emulation.setDeviceMetricsOverride", **size)
            picture = self.browser.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
            file = f"{len(self.seen):02}-{re.sub('[^a-z0-9]+', '-', name.lower())[:40]}-{width}.png"
            Path(folder or "", file).write_bytes(base64.b64decode(picture))

    def crawl(self, origin: str) -> None:
        """Examine every screen to which links lead, some of each kind."""
        kinds: Counter[str] = Counter()
        waiting, known = deque([f"{origin}/"]), {f"{origin}/"}
        while waiting:
            url = waiting.popleft()
            kind = re.sub(r"\d+|(?<=/)[0-9a-f]{12}|[^/]+\.[^/]+", "#", urlsplit(url).path)
            kinds[kind] += 1
            if kinds[kind] > OF_A_KIND or "/framed/" in url or "/~" in url:
                continue
            self.browser.open(url)
            self.look(urlsplit(url).path + urlsplit(url).query)
            for there in run(self.browser, "[...document.querySelectorAll('a[href]')].map(one => one.href)"):
                there = there.partition("#")[0]
                if there.startswith(f"{origin}/") and there not in known:
                    known.add(there)
                    waiting.append(there)

    def press(self, name: str, label: str, **fields: str) -> None:
        fill(self.browser, **fields)
        go(self.browser, f"input[type=submit][value={json.dumps(label)}]")
        self.look(name)


@pytest.mark.long
def test_every_screen_says_all_that_it_shows(browser: Chromium, panel: tuple[str, str, str]) -> None:
    phones, origin, password = panel
    WmlPhone(phones, over_http).sign_in("alice", "tap").follow("Lunch")
    audit = Audit(browser)
    browser.open(origin)
    audit.press("refused", "Sign in", password="wrong")
    audit.press("signed in", "Sign in", password=password)
    audit.crawl(origin)
    browser.open(f"{origin}/upstreams/edit?domain=pocketpost.example")
    audit.press("tested", "Test")
    audit.press("a value refused", "Save", domains="", password=password)
    browser.open(f"{origin}/settings/display")
    audit.press("an option refused", "Save", timezone="Nowhere", password=password)
    audit.press("saved", "Save", timezone="Europe/Berlin", password=password)
    for number in (0, 1):
        browser.open(f"{origin}/settings/tables/handheld/{number}")
        audit.press("an override saved", "Save", pattern=f"Phone{number}*", password=password)
    browser.open(f"{origin}/settings")
    audit.look("settings with overrides")
    browser.open(f"{origin}/handhelds")
    audit.look("handhelds with overrides")
    browser.open(f"{origin}/handhelds/preview?agent=&profile=kaios&screen=Deleted")
    audit.look("previewed")
    browser.open(f"{origin}/nothing-here")
    audit.look("no such screen")
    browser.open(f"{origin}/settings/display")
    order = _order(browser)
    assert order == sorted(order), order
    assert not audit.found, "\n".join(audit.found)
    assert len(audit.seen) > 40, audit.seen


#: Alt-W: yasr reads the screen. Its own keys are in Debian's /etc/yasr/yasr.conf.
_READ_SCREEN: Final = "\x1bw"


class Listener:
    """Somebody at a terminal who hears what yasr says about lynx; a script notes it instead of the synthesizer."""

    def __init__(self, home: Path, url: str) -> None:
        self._said, self._heard = home / "said", 0
        self._said.touch()
        speaker, browse = home / "speak", home / "browse"
        speaker.write_text(f"#!/bin/sh\nexec cat >> {self._said}\n")
        # yasr takes the options of the program that it runs for its own.
        browse.write_text(f"#!/bin/sh\nexec lynx -show_cursor -nopause -accept_all_cookies {url}\n")
        for script in (speaker, browse):
            script.chmod(0o755)
        keys = Path("/etc/yasr/yasr.conf").read_text("utf-8")
        settings = f"synthesizer=emacspeak server\nsynthesizer port=|{speaker}\n"
        keys = re.sub(r"(?m)^synthesizer.*\n", "", keys).replace("[options]\n", f"[options]\n{settings}")
        (home / "yasr.conf").write_text(keys)
        # It supports the Linux console, but not xterm.
        command = ["yasr", "-C", str(home / "yasr.conf"), str(browse)]
        self.terminal = Terminal(command, home, {"TERM": "linux"})

    def until(self, words: str) -> str:
        """Listen until these words are spoken; return everything heard since the last time."""
        end = time.monotonic() + PATIENCE
        while words not in (heard := self._words()[self._heard :]):
            self.terminal.drain()
            assert time.monotonic() < end, heard
            time.sleep(GLANCE)
        self._heard += len(heard)
        return heard

    def _words(self) -> str:
        """Return everything that was spoken: the queued texts of an Emacspeak speech server, with blanks collapsed."""
        said = self._said.read_text("utf-8", "replace")
        return " ".join(" ".join(re.findall(r"(?m)^q \{(.*)\}$", said)).split())

    def close(self) -> None:
        """Leave lynx, and with it yasr."""
        self.terminal.type("Q")
        self.terminal.close()

    def press(self, keys: str, words: str) -> str:
        """Press keys and listen."""
        self.terminal.type(keys)
        return self.until(words)


@pytest.mark.long
def test_a_listener_signs_in_and_hears_the_overview(tmp_path: Path, panel: tuple[str, str, str]) -> None:
    for program in ("yasr", "lynx"):
        if shutil.which(program) is None:
            pytest.skip(f"NOT TESTED: {program} is not installed (see tests/debian-packages.txt)")
    _phones, origin, password = panel
    listener = Listener(tmp_path, f"{origin}/")
    try:
        listener.until("Enter text into the field")
        assert "Password of the panel" in listener.press(_READ_SCREEN, "delete a character")
        heard = listener.press(f"{password}{ENTER}", "Sign in")
        assert "star star star" in heard
        assert password not in heard.split()
        listener.press(ENTER, "press space for next page")
        heard = listener.press(_READ_SCREEN, "history list")
        assert "Needs attention" in heard
        assert re.search("Mail servers .* State .* Up since", heard), heard
        for name in ("Upstreams", "Handhelds", "People"):
            listener.press(DOWN, name)
        listener.press(ENTER, "Address, or hash as in the log")
    finally:
        listener.close()
