"""The preview's list of screens is complete: each screen of both markups is at the end of one of its walks."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from lxml import etree

from gateway import markup
from gateway.admin.handhelds.demo_gateway import DemoGateway, DemoResponse, ShownHandheld
from gateway.admin.handhelds.demo_walks import GROUPS, WALKS
from gateway.device import Device
from gateway.markup.screen import Screen
from gateway.web.request import screens
from tests.devices.checks import check_deck, check_page

ROOT = Path(__file__).parents[3]
HANDHELDS = {"wml": "nokia7110", "xhtml": "kaios"}
#: Functions that make a screen.
MAKERS = {"make_screen", "notice_screen", "question_screen", "form_screen"}
#: Where one screen represents others: those that make them are called by these.
SHARED = {"screens.notice_screen", "screens.question_screen", "field_forms.form_screen"}


class Seen:
    """What was seen at the ends of the walks: templates, and the functions that made the screens."""

    def __init__(self) -> None:
        self.makers: set[str] = set()
        self.made: set[str] = set()
        self.template = ""
        self.templates: set[str] = set()
        self.make_screen, self.encode = screens.make_screen, markup.encode

    def make(self, *values: Any, **named: Any) -> Screen:
        self.makers = set(_callers(sys._getframe(1)))
        return self.make_screen(*values, **named)

    def encoded(self, screen: Screen, device: Device) -> Any:
        self.template = screen.name
        return self.encode(screen, device)

    def end(self) -> None:
        self.templates.add(self.template)
        self.made |= self.makers


def _callers(frame: FrameType | None) -> Iterator[str]:
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith("gateway.web."):
            yield f"{module.rpartition('.')[2]}.{frame.f_code.co_name}"
        frame = frame.f_back


def makers() -> set[str]:
    """Return every function of gateway/web that makes a screen."""
    found = set()
    for file in (ROOT / "gateway/web").rglob("*.py"):
        for function in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef) and any(
                isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in MAKERS
                for call in _own(function)
            ):
                found.add(f"{file.stem}.{function.name}")
    return found - SHARED


def _own(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Yield what is in a function, without the functions inside it."""
    waiting: list[ast.AST] = [*function.body]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef):
            waiting += ast.iter_child_nodes(node)


def _patched(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, module in list(sys.modules.items()):
        if name.startswith("gateway.web") and getattr(module, "make_screen", None) is seen.make_screen:
            monkeypatch.setattr(module, "make_screen", seen.make)
    monkeypatch.setattr(markup, "encode", seen.encoded)


@pytest.mark.long
@pytest.mark.parametrize("language", HANDHELDS)
def test_every_screen_is_where_a_walk_ends(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, shown = Seen(), ShownHandheld(profile=HANDHELDS[language])
    _patched(seen, monkeypatch)
    device = shown.device(())
    endings: dict[str, DemoResponse] = {}
    demo = DemoGateway(lambda: ())
    try:
        for walk in WALKS.values():
            endings[walk.name] = answer = demo.walk(shown, walk)
            (check_deck if language == "wml" else check_page)(answer.octets, device.deck_limit)
            seen.end()
    finally:
        demo.close()
    folder = ROOT / ("templates_wml" if language == "wml" else "templates_mobile")
    templates = {file.stem for file in folder.glob("*.xml")} - {"frame", "acts", "mailbox_row"}
    assert seen.templates == templates
    assert not makers() - seen.made
    same = _same(endings)
    assert not same, same


def _same(endings: dict[str, DemoResponse]) -> list[tuple[str, str]]:
    """Return the walks whose pages have the same words."""
    by_words: dict[str, str] = {}
    found = []
    for name, answer in endings.items():
        root = etree.fromstring(answer.octets)
        texts = root.xpath(
            "//text()|//@title|//@label|//*[local-name()='input']/@value|//@selected/../text()"
        )
        words = re.sub(r"[\w-]{16,}|\s+|v\w{6}\b", " ", " ".join(map(str, texts)))
        if words in by_words:
            found.append((by_words[words], name))
        by_words[words] = name
    return found


def test_names_are_unique() -> None:
    assert len(WALKS) == sum(len(walks) for _group, walks in GROUPS)
