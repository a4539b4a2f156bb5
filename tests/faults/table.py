"""The table: what is done, and what happens to one response to it.

Nothing here may know where a response is in its conversation: every fault is injected at each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tests.servers.scripted.twisting import End

#: Fault -> what passes instead of a response.
FAULTS: Final[dict[str, Callable[[bytes], bytes | End]]] = {
    "dropped": lambda response: b"",
    "doubled": lambda response: response * 2,
    "truncated": lambda response: response[: len(response) // 2] + b"\r\n",
    "NO": lambda response: _ended(response, b"NO"),
    "BAD": lambda response: _ended(response, b"BAD"),
    "BYE": lambda response: b"* BYE Shutting down.\r\n",
    "garbage": lambda response: b"\x00\xff{(\"~ nonsense\r\n",
    "silence": lambda response: End.SILENCE,
    "closed": lambda response: End.CLOSED,
}  # fmt: skip


def _ended(response: bytes, kind: bytes) -> bytes:
    """Refuse a command; an untagged response becomes an untagged refusal."""
    tag = response.split(b" ", 1)[0]
    return tag + b" " + kind + b" Internal error occurred.\r\n"


@dataclass(frozen=True)
class Action:
    """One request. `done`: what a page says only if it was done. `cold`: without an earlier connection."""

    method: str
    path: str
    form: dict[str, str] = field(default_factory=dict)
    done: str = ""
    cold: bool = False


TO: Final = "bob@example.org"
WORDS: Final = "Fresh words"
#: {box}: the inbox's number.
ACTIONS: Final = {
    "list": Action("GET", "/b{box}"),
    "list, signing in": Action("GET", "/b{box}", cold=True),
    "open": Action("GET", "/m{box}.3"),
    "reply": Action(
        "POST",
        "/r{box}.3",
        {"text": WORDS, "do": "send"},
        done=r"(?<!Look in )\bSent(?: to [^.<]+)?\.(?! This)",
    ),
    "save": Action(
        "POST", "/c", {"to": TO, "subject": "Fresh", "text": WORDS, "do": "save"}, done=r"\bSaved"
    ),
    "move": Action("POST", "/x{box}.3.d", done=r"\b[Dd]eleted(?:\.|: )"),
}
