"""What rendering a message costs by itself, stage by stage: no server, no database, no HTTP.

Nothing here may judge a figure. Calls are the same whatever else the machine does; the CPU time is the least of many
rounds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from bench import mailbox
from gateway import markup
from gateway.device import by_name
from gateway.language import Language
from gateway.message.mime.wire_format import MessageFile
from gateway.pages.message_pages import message_layout, reading_context
from gateway.rendition import render

MESSAGES: Final = {"text message": mailbox.text, "HTML newsletter": mailbox.newsletter}
#: The handhelds whose first page is made: compiled decks and a small browser.
DEVICES: Final = {"first page, WML": "nokia7110", "first page, XHTML": "xhtml"}
#: Octets that a store yields at a time.
_PIECE: Final = 32 * 1024


@dataclass(slots=True)
class Stage:
    """One stage of one message: Python and C function calls, and milliseconds of CPU. A page includes its blocks."""

    message: str
    stage: str
    calls: int
    cpu_ms: float


def measure(rounds: int) -> Iterator[Stage]:
    """Measure every stage of each message."""
    for message, make in MESSAGES.items():
        for stage, act in _stages(make()).items():
            act()  # templates are compiled
            yield Stage(message, stage, _calls(act), min(_cpu(act) for _ in range(rounds)) * 1000)


def _stages(raw: bytes) -> dict[str, Callable[[], Any]]:
    file, context = MessageFile(raw), reading_context(Language())

    def octets(section: str, start: int) -> Iterator[bytes]:
        found = b"".join(file.octets(section, start))
        return (found[at : at + _PIECE] for at in range(0, len(found), _PIECE))

    def page(name: str) -> tuple[bytes, str]:
        device = by_name(name)
        layout = message_layout(file.message, octets, device)
        return markup.encode(layout.screen(layout.page()), device)

    stages: dict[str, Callable[[], Any]] = {
        "structure": lambda: MessageFile(raw).message,
        "paragraphs": lambda: list(render(file.message, context, octets)),
    }
    return stages | {stage: lambda name=name: page(name) for stage, name in DEVICES.items()}


def _cpu(act: Callable[[], Any]) -> float:
    begun = time.thread_time()
    act()
    return time.thread_time() - begun


def _calls(act: Callable[[], Any]) -> int:
    count = 0

    def note(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(before)
    return count
