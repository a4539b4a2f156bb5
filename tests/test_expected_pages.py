"""Messages of many kinds and the pages that they become: kept as files, to be read by eye whenever they change.

    UPDATE_PAGES=1 python -m pytest tests/test_expected_pages.py      # rewrite the files, then read the diff

`tests/data/messages/NAME.eml` becomes `tests/data/pages/NAME.wml` (nokia7110) and `NAME.xhtml`: for each page the
sender, and its blocks as they are sent; the surrounding frame is left out, so that a new action changes nothing here
but where pages end.
"""

from __future__ import annotations

import os
import re
from datetime import timedelta, timezone
from pathlib import Path

import pytest

from gateway import markup
from gateway.device import WML, by_name
from gateway.language import Language
from gateway.message.mime import wire_format
from gateway.pages.message_heads import Head
from gateway.pages.message_pages import message_layout
from tests.devices.checks import check_deck, check_page

DATA = Path(__file__).parent / "data"
MESSAGES = sorted(path.stem for path in (DATA / "messages").glob("*.eml"))
DEVICES = {"nokia7110": "wml", "xhtml": "xhtml"}
UPDATE = bool(os.environ.get("UPDATE_PAGES"))
#: A line for each block or line of one; the `&#160;` that keeps columns is easier to count as a letter.
_LINE_ENDS = re.compile(r"(<br/>)")


def said(name: str, device_name: str) -> str:
    """Write a message's pages as text, each checked on the way."""
    device = by_name(device_name)
    mail = wire_format.parse((DATA / "messages" / f"{name}.eml").read_bytes())
    zone = timezone(timedelta(hours=1))
    layout = message_layout(mail.message, mail.octets, device, language=Language("en", zone))
    out = []
    for page in layout.all():
        screen = layout.screen(page)
        octets = markup.encode(screen, device)[0]
        (check_deck if device.markup == WML else check_page)(octets, device.deck_limit)
        shown = screen.values["head"]
        assert isinstance(shown, Head)
        head = (str(screen.values["subject"]), shown.who, shown.when, shown.to, shown.attached)
        who = " | ".join(filter(None, head)) if page.first else ""
        out.append(f"== {page.number}/{page.total} {who}".rstrip())
        out += [_LINE_ENDS.sub(r"\1\n", str(page.body).replace("\u00a0", "&#160;"))] * bool(page.body)
    return "\n".join(out) + "\n"


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", MESSAGES)
def test_pages_are_as_expected(name: str, device: str) -> None:
    expected = DATA / "pages" / f"{name}.{DEVICES[device]}"
    found = said(name, device)
    if UPDATE:
        expected.write_text(found, encoding="utf-8")
    assert found == expected.read_text(encoding="utf-8")


def test_there_are_some_thirty_messages_and_no_page_without_one() -> None:
    assert len(MESSAGES) >= 30
    assert {path.stem for path in (DATA / "pages").iterdir()} == set(MESSAGES)
