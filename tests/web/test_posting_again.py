"""What was posted without success can be posted again from the page that says so, with everything typed.

Nothing can be written in the meantime (tests/servers/unwritable.py), or the mail server is away.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import pytest

from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.servers.unwritable import FAULTS, Volume, be_impatient
from tests.web.office import Office, at

ME: Final = "oncemore@example.net"
#: Letters, different ones of which each charset and each markup mangles.
WORDS: Final = 'Grüße & 5 € für "$(x)" <я>'
#: A form, its fields, and where what was typed is shown later.
FORMS: Final = {
    "a contact": ("tn", {"name": WORDS, "mail": "ann@example.org", "note": "Tea"}, "t1.e", WORDS),
    "an identity": ("sm0", {"name": WORDS, "address": ME}, "sm2", WORDS),
    "a quick reply": ("sq0", {"quick": WORDS}, "sq", WORDS[:6]),
    "a signature": ("sg1", {"signature": WORDS}, "sg1", WORDS),
}


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Volume]:
    with Volume(tmp_path) as mounted:
        yield mounted


@pytest.fixture
def office(
    volume: Volume, dovecot: Dovecot, smtp_server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    be_impatient(monkeypatch)
    made = Office(dovecot, smtp_server, volume.door)
    made.anew(ME)
    yield made
    made.closing.close()


@pytest.fixture(params=["phone", "browser"])
def device(request: pytest.FixtureRequest, office: Office) -> Any:
    return office.signed_in(getattr(office, request.param)(), ME)


@pytest.fixture(params=FAULTS)
def fault(request: pytest.FixtureRequest, volume: Volume, office: Office) -> AbstractContextManager[None]:
    made: AbstractContextManager[None] = getattr(volume, request.param)(office.sessions._state.database)
    return made


def _shown(device: Any) -> str:
    body = device.answer.body.decode(device.charset if hasattr(device, "card") else "utf-8", "replace")
    for written, letter in (("&quot;", '"'), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        body = body.replace(written, letter)
    return body.replace("$$", "$")


@pytest.mark.parametrize("form", FORMS)
def test_what_was_typed_is_posted_once_more(
    office: Office, device: Any, fault: AbstractContextManager[None], form: str
) -> None:
    page, fields, place, words = FORMS[form]
    at(device, page)
    for name, value in fields.items():
        device.fill(name, value)
    with fault:
        device.press("Save")
        assert "Saved." not in device.text
        device.press("Try again")
        assert "Saved." not in device.text
    device.press("Try again")
    assert "Saved." in device.text
    at(device, place)
    assert words in _shown(device)


def test_lines_stay_lines(office: Office, volume: Volume) -> None:
    device = office.signed_in(office.browser(), ME)
    at(device, "sg1").fill("signature", "One\nTwo\n\nThree")
    with volume.full(office.sessions._state.database):
        device.press("Save")
    device.press("Try again")
    assert "Saved." in device.text
    at(device, "sg1")
    assert "One\nTwo\n\nThree" in _shown(device)


def test_a_password_is_never_in_a_page(office: Office, device: Any, volume: Volume) -> None:
    other = office.phone() if hasattr(device, "card") else office.browser()
    with volume.full(office.sessions._state.database):
        other.sign_in(ME, "secret")
        assert b"secret" not in other.answer.body
        assert b">Try again" not in other.answer.body
