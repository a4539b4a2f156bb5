"""compose, compose_fitting: a page of a mail is written and measured about once, however little room there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import markup
from gateway.device import Device
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.web.office import HANDHELDS, Office, at, mail

ME, BOB = "fme@example.net", "fbob@example.net"
#: Further recipients, so that there is no room for everything that could be shown.
OTHERS = "".join(f", Somebody Else Number {n} <else{n}@example.net>" for n in range(9))


@pytest.fixture
def office(dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> Iterator[Office]:
    made = Office(dovecot, smtp_server, tmp_path)
    made.anew(ME, BOB)
    dovecot.deliver(ME, mail(f"Bob <{BOB}>", f"{ME}{OTHERS}"))
    yield made
    made.closing.close()


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collect the sizes of all pages that are measured."""
    sizes: list[int] = []
    text_size = markup.text_size

    def listening(text: str, device: Device) -> int:
        sizes.append(text_size(text, device))
        return sizes[-1]

    monkeypatch.setattr(markup, "text_size", listening)
    return sizes


@pytest.mark.parametrize("kind", HANDHELDS)
def test_a_page_is_measured_about_once(office: Office, measured: list[int], kind: str) -> None:
    device: Any = office.signed_in(getattr(office, kind)(), ME).follow("Lunch")
    message = device.url.rpartition("/m")[2].partition("?")[0]
    counts = []
    for page in ("c", f"r{message}", f"r{message}.a", f"f{message}", f"f{message}.r", f"c{message}"):
        measured.clear()
        at(device, page)
        counts.append(len(measured))
    assert max(counts) <= (4 if kind == "narrow" else 2), counts
    assert sum(counts) <= 2 * len(counts), counts
