"""To whom a reply goes: shown before it is typed, nobody left out silently."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.web.office import CLIENTS, Office, at, mail, path_of

ME = "replier@example.net"
ANN, BOB, EVE = "ann@example.net", "bob@example.net", "eve@example.net"


@pytest.fixture
def office(dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> Iterator[Office]:
    made = Office(dovecot, smtp_server, tmp_path)
    made.anew(ME, ANN, BOB, EVE)
    yield made
    made.closing.close()


@pytest.fixture(params=CLIENTS)
def device(request: pytest.FixtureRequest, office: Office) -> Any:
    return getattr(office, request.param)()


def _opened(office: Office, device: Any, octets: bytes, variant: str = "") -> Any:
    office.dovecot.deliver(ME, octets)
    office.signed_in(device, ME).follow("Lunch")
    return at(device, path_of(device).replace("m", "r") + variant)


@pytest.mark.parametrize(
    ("sender", "to", "head", "recipients"),
    [
        (BOB, f"{ANN} {EVE}", "", (BOB, ANN, EVE)),
        (BOB, f"{ANN}; {EVE}", "", (BOB, ANN, EVE)),
        (BOB, f"Ann <{ANN}> Eve <{EVE}>", "", (BOB, ANN, EVE)),
        (BOB, ME, f'Cc: "Värac <{ANN}>", "Doe, Eve <{EVE}>"\r\n', (BOB, ANN, EVE)),
        ("=?utf-8?q?B=C3=B6b_=3Cbob=40example=2Enet=3E?=", ME, "", (BOB,)),
        (f"Form <{ME}>", ME, f"Reply-To: Vera <{EVE}>\r\n", (EVE,)),
        ("nobody", ME, "Reply-To: =?utf-8?q?_B=C3=B6b_=3Cbob=40example?=\r\n =?utf-8?b?Lm5ldD4=?=\r\n", (BOB,)),
        (BOB, f"replier+shop@example.net, {ANN}", "", (BOB, ANN)),
    ],
)  # fmt: skip
def test_a_reply_to_all_reaches_all(
    office: Office, sender: str, to: str, head: str, recipients: tuple[str, ...]
) -> None:
    page = _opened(office, office.browser(), mail(sender, to, head=head), ".a")
    page.fill("text", "Yes.").press("Send")
    assert "Sent to" in page.text
    assert office.smtp.accepted[0].recipients == recipients


def test_who_cannot_be_used_is_named(office: Office, device: Any) -> None:
    _opened(office, device, mail(BOB, f"{ME}, Foo, Bar <bar>"), ".a")
    assert "Left out: Foo, bar" in device.text
    device.fill("text", "Yes.").press("Send")
    assert office.smtp.accepted[0].recipients == (BOB,)


def test_how_many_were_left_out_of_a_crowd(office: Office) -> None:
    many = ",\r\n ".join(f"p{number}@example.net" for number in range(230))
    page = _opened(office, office.browser(), mail(BOB, many), ".a")
    assert "Left out: +30" in page.text


@pytest.mark.parametrize("count", [2, 40])
def test_to_whom_it_goes_is_told_before_it_is_typed(office: Office, device: Any, count: int) -> None:
    head = f"Reply-To: {', '.join(f'colleague-{number}@example.net' for number in range(count))}\r\n"
    _opened(office, device, mail(BOB, ME, head=head))
    assert "To: colleague-" in device.text
    if count == 40:
        assert " +" in device.text
    else:
        assert "colleague-1" in device.text or " +1" in device.text


def test_an_id_without_at_is_a_thread(office: Office) -> None:
    octets = mail(BOB, ME, head="References: <first.4711>\r\n").replace(
        b"<Lunch@example.org>", b"<4711.desk>"
    )
    _opened(office, office.browser(), octets.replace(b"Subject: ", b"Subject: RES: ")).fill(
        "text", "Yes."
    ).press("Send")
    (got,) = office.found(BOB)
    assert (got["In-Reply-To"], got["References"].split()) == ("<4711.desk>", ["<first.4711>", "<4711.desk>"])
    assert got["Subject"] == "Re: Lunch"
