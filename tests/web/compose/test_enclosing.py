"""enclosing, picking: what goes along with a mail from the mailbox, chosen on the handheld in both markups."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from gateway.submission import smtp_session
from tests.devices import mobileok
from tests.devices.phones import Answer, WmlPhone
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.web.acting import buttons
from tests.web.office import CLIENTS, Office, at, mail, path_of

ME, BOB = "eme@example.net", "ebob@example.net"
PDF = bytes(range(256)) * 40


@pytest.fixture
def office(dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> Iterator[Office]:
    smtp_session.SIZES.clear()
    made = Office(dovecot, smtp_server, tmp_path)
    made.anew(ME, BOB)
    made.dovecot.deliver(ME, INVOICE)
    yield made
    made.closing.close()
    smtp_session.SIZES.clear()


@pytest.fixture(params=CLIENTS)
def device(request: pytest.FixtureRequest, office: Office) -> Any:
    return getattr(office, request.param)()


def small(device: Any) -> bool:
    return isinstance(device, WmlPhone)


ENCODED = base64.encodebytes(PDF).replace(b"\n", b"\r\n")
INVOICE = (
    b"From: Shop <shop@example.org>\r\nTo: me@example.net\r\nSubject: Invoice $5\r\nMessage-ID: <inv@example.org>\r\n"
    b"Date: Tue, 3 Nov 2026 14:05:00 +0100\r\nX-Odd:  kept   as it is\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nYour invoice.\r\n"
    b'--b\r\nContent-Type: application/pdf;\r\n name="=?utf-8?q?Rechn=C3=BCng=2Epdf?="\r\n'
    b"Content-Disposition: attachment; filename*=utf-8''Rechn%C3%BCng.pdf\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\n" + ENCODED + b"--b\r\n"
    b"Content-Type: text/csv; name=a.csv\r\nContent-Disposition: attachment; filename=a.csv\r\n\r\n1,2\r\n3,4\r\n"
    b"--b--\r\n"
)


def drafts(office: Office) -> list[EmailMessage]:
    return office.found(ME, "Drafts")


def names(message: EmailMessage) -> list[str]:
    return [part.get_filename() or part.get_content_type() for part in message.iter_attachments()]


def written(office: Office, device: Any) -> Any:
    """Write a mail up to its attachments."""
    at(office.signed_in(device, ME), "c").fill("to", BOB).fill("subject", "Here").fill("text", "Look, $5:")
    device.press("Attach")
    assert device.title == "Attach"
    return device


def row(device: Any, label: str) -> str:
    """Name the button of a row in full."""
    body = device.answer.body.decode()
    found = re.findall(r"<anchor[^>]*>([^<]+)<go|type=\"submit\" value=\"([^\"]+)\"", body)
    return next(name.replace("$$", "$") for pair in found for name in pair if label in name)


def pick(device: Any, subject: str, label: str) -> Any:
    """Choose something from a message in the list, on the page of what goes along."""
    device.follow("From my mail").follow(subject)
    return device.press(row(device, label))


# --- attached, and delivered as it was


def test_files_and_a_whole_message_of_the_mailbox_are_attached_and_delivered(
    office: Office, device: Any
) -> None:
    office.dovecot.deliver(ME, mail(subject="Lunch"))
    pick(written(office, device), "Invoice", "Rechn")
    assert "Attached: Rechnüng.pdf" in device.text
    assert "Look, $" in device.answer.body.decode()
    pick(device.press("Attach"), "Lunch", "Whole message")
    pick(device.press("Attach"), "Invoice", "a.csv")
    (draft,) = drafts(office)
    assert len(names(draft)) == 3
    device.press("Send")
    assert "Sent to" in device.text, device.text
    ((sent, *_),) = (office.smtp.accepted,)
    assert ENCODED.strip() in sent.octets
    assert office.raw(ME)[1].strip() in sent.octets
    (got,) = office.found(BOB)
    text, pdf, lunch, csv = got.iter_parts()
    assert text.get_content().strip() == "Look, $5:"
    assert (pdf.get_filename(), pdf.get_content_type(), pdf.get_content()) == (
        "Rechnüng.pdf",
        "application/pdf",
        PDF,
    )
    assert lunch.get_content_type() == "message/rfc822"
    assert lunch.get_content()["Message-ID"] == "<Lunch@example.org>"
    assert csv.get_payload(decode=True) == b"1,2\r\n3,4"
    assert drafts(office) == []


def test_a_whole_message_keeps_every_octet(office: Office, device: Any) -> None:
    pick(written(office, device), "Invoice", "Whole message").press("Send")
    assert "Sent to" in device.text, device.text
    (source,) = office.raw(ME)
    assert b"X-Odd:  kept   as it is\r\n" in source
    assert source.strip() in office.smtp.accepted[0].octets


def test_a_mail_that_is_nothing_but_a_file_gives_its_file(office: Office, device: Any) -> None:
    alone = (
        b"From: Scanner <scan@example.org>\r\nSubject: Scan\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: application/pdf; name=scan.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" + ENCODED
    )
    office.dovecot.deliver(ME, alone)
    pick(written(office, device), "Scan", "scan.pdf").press("Send")
    (got,) = office.found(BOB)
    (part,) = got.iter_attachments()
    assert (part.get_filename(), part.get_content()) == ("scan.pdf", PDF)


def test_nothing_of_it_goes_through_the_handheld(office: Office, device: Any) -> None:
    pick(written(office, device), "Invoice", "Rechn")
    assert len(device.posted[1]) < 120


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_a_text_too_long_to_forward_goes_along_whole(office: Office, kind: str) -> None:
    lines = [f"Line {number} of very many words." for number in range(9000)]
    text = "".join(f"<p>{line}</p>" for line in lines) if kind == "html" else "\r\n".join(lines)
    head = f"From: Ann <ann@example.org>\r\nSubject: Long\r\nContent-Type: text/{kind}\r\n\r\n"
    office.dovecot.deliver(ME, (head + text + "\r\n").encode())
    device = office.signed_in(office.browser(), ME).follow("Long")
    at(device, "f" + path_of(device)[1:]).fill("to", BOB).press("Send")
    assert "Sent to" in device.text
    (got,) = office.found(BOB)
    short, whole = got.iter_parts()
    assert short.get_content().rstrip().endswith("[…]")
    assert (whole.get_content_type(), whole.get_payload(decode=True).strip()) == (
        f"text/{kind}",
        text.encode(),
    )  # type: ignore[union-attr]


# --- taken out, repeated, gone


def test_what_is_attached_is_taken_out_again(office: Office, device: Any) -> None:
    pick(written(office, device), "Invoice", "Rechn")
    pick(device.press("Attach"), "Invoice", "a.csv")
    device.press("Attach").press("Remove")
    assert "Rechn" not in device.text
    assert "a.csv" in device.text
    (draft,) = drafts(office)
    assert names(draft) == ["a.csv"]
    device.press("Remove").press("Text")
    assert "Attached" not in device.text
    assert "Look, $" in device.answer.body.decode()
    device.press("Send")
    (got,) = office.found(BOB)
    assert not got.is_multipart()


def test_a_page_that_is_out_of_date_takes_nothing_else_out(office: Office, device: Any) -> None:
    pick(written(office, device), "Invoice", "Rechn")
    pick(device.press("Attach"), "Invoice", "a.csv")
    device.press("Attach")
    old = device.answer.body
    device.press("Remove")
    first, fresh = (re.findall(rb"remove\.([\d.-]+)", body)[0] for body in (old, device.answer.body))
    ticket = re.search(rb'name="keep" value="([^"]+)"', device.answer.body)
    assert ticket is not None
    assert first.partition(b"-")[0] == fresh.partition(b"-")[0]  # another file has its place now
    device.fetch("POST", device.url, b"do=remove." + first + b"&keep=" + ticket[1])
    assert names(drafts(office)[0]) == ["a.csv"]


def test_a_repeated_request_attaches_once(office: Office, device: Any) -> None:
    pick(written(office, device), "Invoice", "a.csv")
    posted = device.posted
    for _again in range(2):
        device.fetch("POST", *posted)
        assert "a.csv" in device.text
    assert names(drafts(office)[0]) == ["a.csv"]
    device.press("Attach").press("Remove")
    device.fetch("POST", *posted)
    assert names(drafts(office)[0]) == []


def test_a_request_without_a_ticket_attaches_nothing(office: Office, device: Any) -> None:
    written(office, device).follow("From my mail").follow("Invoice")
    device.fetch("POST", device.url, b"s=&keep=AAAA")
    assert "could not be understood" in device.text
    assert names(drafts(office)[0]) == []


def test_a_message_that_has_gone_is_told_and_the_draft_stays(office: Office, device: Any) -> None:
    pick(written(office, device), "Invoice", "a.csv")
    device.press("Attach").follow("From my mail").follow("Invoice")
    label, page = row(device, "Rechn"), device.url
    with office.imap(ME) as connection:
        connection.select("INBOX")
        connection.store("1", "+FLAGS", "\\Deleted")
        connection.expunge()
    device.press(label)
    assert "Not saved. That message is no longer there." in device.text
    assert "a.csv" in device.text
    device.fetch("GET", page)
    assert "That message is no longer there." in device.text
    assert device.title == "From my mail"
    (draft,) = drafts(office)
    assert names(draft) == ["a.csv"]
    assert draft.get_body(("plain",)).get_content().strip() == "Look, $5:"  # type: ignore[union-attr]


def test_another_session_goes_on_with_what_is_attached(office: Office, device: Any) -> None:
    pick(written(office, device), "Invoice", "Rechn")
    address = re.search(r"/(c[\d.]+)\.p", device.posted[0])  # of the draft before: it leads to the newest
    device.press(buttons(device)[-1])
    other = office.browser() if small(device) else office.phone()
    assert address is not None
    at(office.signed_in(other, ME), address[1])
    assert "Attached: Rechnüng.pdf" in other.text
    pick(other.press("Attach"), "Invoice", "a.csv").press("Send")
    assert "Sent to" in other.text, other.text
    assert names(office.found(BOB)[0]) == ["Rechnüng.pdf", "a.csv"]


# --- how much there is room for


def test_what_the_server_for_sending_does_not_take_is_not_attached(office: Office, device: Any) -> None:
    office.smtp.size = 32_000
    written(office, device)
    assert "Room for 9 KB in all." in device.text
    pick(device, "Invoice", "Rechn")
    assert "Too large, so not attached: Rechnüng.pdf. There is room for 9 KB." in device.text
    (draft,) = drafts(office)
    assert names(draft) == []
    pick(device, "Invoice", "a.csv").press("Send")
    assert "Sent to" in device.text
    assert names(office.found(BOB)[0]) == ["a.csv"]


def test_the_size_is_what_the_server_said_last(office: Office) -> None:
    device = office.browser()
    written(office, device)
    office.smtp.size = 32_000
    device.press("Text").press("Send")
    at(device, "c").press("Attach")
    assert "Room for 9 KB in all." in device.text


def test_a_server_that_cannot_be_asked_stands_in_nobodys_way(office: Office, device: Any) -> None:
    office.smtp.stop()
    try:
        pick(written(office, device), "Invoice", "a.csv")
        assert "Attached: a.csv" in device.text
    finally:
        office.smtp.start()
    device.press("Send")
    assert names(office.found(BOB)[0]) == ["a.csv"]


# --- finding it


def test_older_messages_and_other_folders_are_found(office: Office, device: Any) -> None:
    for number in range(30):
        office.dovecot.deliver(ME, mail(subject=f"Filler{number}"))
    office.dovecot.deliver(ME, mail(subject="Filed"), "Archive")
    written(office, device).follow("From my mail")
    for _page in range(10):
        if "Invoice" in device.text:
            break
        device.follow("Next")
    back = device.url
    device.follow("Invoice").follow("Back")
    assert "Invoice" in device.text
    device.follow("Prev")
    assert "Invoice" not in device.text
    device.fetch("GET", back)
    device.follow("Folders").follow("Archive").follow("Filed").press(row(device, "Whole message"))
    assert "Attached: Filed.eml" in device.text
    assert drafts(office)[0].is_multipart()


def test_very_many_and_very_long_names_fit(office: Office, device: Any) -> None:
    made = EmailMessage()
    made["From"], made["Subject"] = "Ann <ann@example.org>", "More of everything " + "and more " * 100
    made.set_content("All.")
    for number in range(12):
        made.add_attachment(f"File {number}.\n", filename=f"{number} " + "a very long name д" * 20 + ".txt")
    office.dovecot.deliver(ME, made.as_bytes())
    at(office.signed_in(device, ME), "i").follow("More of everything")
    at(device, device.url.rpartition("/")[2].partition("?")[0].replace("m", "f"))
    device.fill("to", BOB).fill("text", "All of it.").press("Attach").follow("From my mail").follow("More of")
    seen = 1
    while "Next" in device.links:
        device.follow("Next")
        seen += 1
        assert seen < 13
    device.press(row(device, "11 a"))
    assert len(names(drafts(office)[0])) == 13
    device.press("Attach")
    while "Next" in device.links:
        device.follow("Next")
    device.press("Remove")
    assert len(names(drafts(office)[0])) == 12


def test_the_pages_are_mobileok(office: Office) -> None:
    device = office.browser()
    written(office, device)

    def fetch(url: str) -> Answer:
        raise AssertionError(url)

    for step in ("", "From my mail", "Invoice"):
        if step:
            device.follow(step)
        assert device.answer is not None
        assert list(mobileok.faults(device.answer, fetch)) == [], step
