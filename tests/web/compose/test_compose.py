"""compose, write: every way to begin a mail and to send it, walked in both markups against Dovecot and SMTP."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.access.session import Session
from gateway.account import profile
from gateway.account.profile import Identity
from gateway.composing.typed_mail import LONGEST_BEGINNING
from tests.devices.phones import WmlPhone
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.web.office import CLIENTS, Office, at, mail, path_of, specs

ME, BOB, ANN = "cme@example.net", "cbob@example.net", "cann@example.net"


@pytest.fixture
def office(dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> Iterator[Office]:
    made = Office(dovecot, smtp_server, tmp_path)
    made.anew(ME, BOB, ANN)
    yield made
    made.closing.close()


@pytest.fixture(params=CLIENTS)
def device(request: pytest.FixtureRequest, office: Office) -> Any:
    return getattr(office, request.param)()


def small(device: Any) -> bool:
    return isinstance(device, WmlPhone)


# --- writing


def test_an_empty_mail_is_written_and_sent_to_several(office: Office, device: Any) -> None:
    at(office.signed_in(device, ME), "c")
    assert device.title == "Write"
    device.fill("to", f"{BOB}; {ANN}").fill("subject", "Größe $5").fill("text", "Hello, 3 < 4 & да").press(
        "Send"
    )
    assert "Sent to" in device.text
    for who in (BOB, ANN):
        (got,) = office.found(who)
        assert got["Subject"] == "Größe $5"
        assert specs(got["To"]) == [BOB, ANN]
        assert got.get_content().strip() == "Hello, 3 < 4 & да"
        assert "In-Reply-To" not in got
    assert len(office.found(ME, "Sent")) == 1
    assert office.found(ME, "Drafts") == []


def test_bcc_is_in_our_copy_and_nowhere_on_the_wire(office: Office, device: Any) -> None:
    at(office.signed_in(device, ME), "c")
    device.fill("to", BOB).fill("subject", "Secret").press("More fields")
    device.fill("bcc", ANN).fill("cc", ME)
    if small(device):
        device.press("Text")
    device.fill("text", "Psst.").press("Send")
    assert "Sent to" in device.text, device.text
    (accepted,) = office.smtp.accepted
    assert set(accepted.recipients) == {BOB, ANN, ME}
    assert b"\nbcc:" not in accepted.octets.lower()  # a Message-ID may have these letters
    assert ANN.encode() not in accepted.octets
    assert b"Pocketpost" not in accepted.octets
    (kept,) = office.found(ME, "Sent")
    assert specs(kept["Bcc"]) == [ANN]
    assert specs(kept["Cc"]) == [ME]
    assert kept.get_content().strip() == "Psst."
    assert office.found(ME, "Drafts") == []


@pytest.mark.parametrize("wrong", ["nobody", "a@b@c", "x y@example.net z@"])
def test_a_bad_address_is_named_and_everything_else_stays(office: Office, device: Any, wrong: str) -> None:
    at(office.signed_in(device, ME), "c")
    device.fill("to", f"{BOB}, {wrong}").fill("subject", "Kept $1").fill("text", "Also kept").press("Send")
    assert "Not a valid mail address:" in device.text
    page = device.answer.body.decode()
    for said in (BOB, "Kept $$1" if small(device) else "Kept $1", "Also kept"):
        assert said in page
    if not small(device):
        (field,) = (one for one in device.page.iter("input") if one.get("name") == "to")
        assert field.get("class") == "e"
    assert office.smtp.accepted == []
    device.fill("to", BOB).press("Send")
    assert "Sent to" in device.text
    (got,) = office.found(BOB)
    assert (got["Subject"], got.get_content().strip()) == ("Kept $1", "Also kept")


@pytest.mark.parametrize("beginning", [True, False])
def test_the_question_who_is_meant_fits_a_phone(office: Office, device: Any, beginning: bool) -> None:
    """Whatever the names are; what is longer than the beginning of a name is not asked about."""
    narrow = small(device) and device.limit < 1396
    name = "ab" * 9 if narrow else "ж€" * (LONGEST_BEGINNING // 2)
    office.signed_in(device, ME)
    for number in range(5):
        at(device, "tn")
        device.fill("name", name).fill(
            "mail", f"{name[0] if narrow else 'm' * 30}{number}@example.net"
        ).press("Save")
    typed = name if beginning else name.ljust(LONGEST_BEGINNING + 1, "x")
    at(device, "c").fill("to", typed).fill("subject", name[:20]).fill("text", "x").press("Send")
    assert ("Who is" in device.text) is beginning
    assert ("Not a valid mail address" in device.text) is not beginning


def test_first_letters_find_people_and_one_of_them_is_chosen(office: Office, device: Any) -> None:
    at(office.signed_in(device, ME), "c")
    device.fill("to", f"{BOB}, {ANN}").fill("subject", "1").fill("text", "x").press("Send")
    at(device, "c").fill("to", BOB).fill("subject", "2").fill("text", "x").press("Send")
    at(device, "c").fill("to", f"{ANN}, c").fill("subject", "3").fill("text", "y").press("Send")
    assert "Choose the right person" in device.text
    assert "Who is c?" in device.text
    page = device.answer.body.decode()
    assert page.index(f">{BOB}") < page.index(f">{ANN}")  # the most used first
    assert len(office.found(BOB)) == 2
    device.press("Send")
    assert "Sent to" in device.text, device.text
    got = office.found(BOB)[-1]
    assert got["Subject"] == "3"
    assert specs(got["To"]) == [ANN, BOB]


def test_who_is_picked_is_forgotten_when_the_letters_are_typed_over(office: Office, device: Any) -> None:
    at(office.signed_in(device, ME), "c")
    device.fill("to", BOB).fill("subject", "1").fill("text", "x").press("Send")
    at(device, "c").fill("to", "cb").fill("subject", "2").fill("text", "y").press("Send")
    device.fill("to", ANN).press("Send")
    assert "Sent to" in device.text
    assert [m["Subject"] for m in office.found(BOB)] == ["1"]
    assert [m["Subject"] for m in office.found(ANN)] == ["2"]


def test_nobody_and_nothing_are_asked_for(office: Office, device: Any) -> None:
    at(office.signed_in(device, ME), "c")
    device.fill("text", "To nobody").press("Send")
    assert "Enter a recipient." in device.text
    device.fill("to", BOB).fill("text", " ").press("Send")
    assert "Type a text first." in device.text
    assert office.smtp.accepted == []
    device.fill("subject", "Only this").press("Send")
    assert "Sent to" in device.text


# --- answering

EVERYBODY = (
    f"Cc: Ann <{ANN}>, {ME.upper()}, Zed <zed@example.net>\r\nReply-To: Bob at home <{BOB}>\r\n"
    "References: <root@example.org>\r\n"
)


def test_an_answer_to_all_leaves_oneself_out(office: Office, device: Any) -> None:
    office.anew("zed@example.net")
    office.dovecot.deliver(ME, mail("Bob <work@example.org>", f"{ME}, Dan <dan@example.net>", head=EVERYBODY))
    office.anew("dan@example.net")
    office.signed_in(device, ME).follow("Lunch")
    at(device, path_of(device).replace("m", "r") + ".a")
    assert device.title == "Reply all"
    device.fill("text", "Yes.").press("Send")
    assert "Sent to" in device.text
    (got,) = office.found(ANN)
    assert specs(got["To"]) == [BOB]
    assert specs(got["Cc"]) == ["dan@example.net", ANN, "zed@example.net"]
    assert got["In-Reply-To"] == "<Lunch@example.org>"
    assert got["References"].split() == ["<root@example.org>", "<Lunch@example.org>"]
    assert set(office.smtp.accepted[0].recipients) == {BOB, "dan@example.net", ANN, "zed@example.net"}
    assert "\\Answered" in office.flags(ME)[0]


def test_mail_followup_to_has_the_last_word(office: Office, device: Any) -> None:
    head = EVERYBODY + f"Mail-Followup-To: {ANN}, {ME}\r\n"
    office.dovecot.deliver(ME, mail(to=ME, head=head))
    office.signed_in(device, ME).follow("Lunch")
    at(device, path_of(device).replace("m", "r") + ".a").fill("text", "Yes.").press("Send")
    assert office.smtp.accepted[0].recipients == (ANN,)


def test_an_answer_to_the_list_goes_to_the_list(office: Office, device: Any) -> None:
    office.dovecot.deliver(ME, mail(to=ME, head=EVERYBODY + f"List-Post: <mailto:{ANN}>\r\n"))
    office.signed_in(device, ME).follow("Lunch")
    at(device, path_of(device).replace("m", "r") + ".l")
    assert device.title == "Reply to list"
    device.fill("text", "All of you.").press("Send")
    assert office.smtp.accepted[0].recipients == (ANN,)


def test_where_there_is_no_list_an_answer_to_it_asks_to_whom(office: Office, device: Any) -> None:
    office.dovecot.deliver(ME, mail(to=ME, head="List-Post: NO\r\n"))
    office.signed_in(device, ME).follow("Lunch")
    at(device, path_of(device).replace("m", "r") + ".l").fill("text", "Hm.").press("Send")
    assert "Enter a recipient." in device.text
    assert office.smtp.accepted == []


def test_very_many_recipients_fit_and_all_get_it(office: Office, device: Any) -> None:
    many = [f"somebody-with-a-long-name-{n}@department-{n}.example.net" for n in range(60)]
    office.dovecot.deliver(ME, mail(f"Bob <{BOB}>", ",\r\n ".join(many)))
    office.signed_in(device, ME).follow("Lunch")
    at(device, path_of(device).replace("m", "r") + ".a").press("More fields")
    device.fill("subject", "All of you")
    if small(device):
        device.press("Text")
    device.fill("text", "Yes.").press("Send")
    assert "Sent to" in device.text, device.text
    assert set(office.smtp.accepted[0].recipients) == {BOB, *many}
    assert office.found(BOB)[0]["Subject"] == "All of you"


def test_recipients_of_an_answer_can_be_changed(office: Office, device: Any) -> None:
    office.dovecot.deliver(ME, mail(f"Bob <{BOB}>", ME))
    office.signed_in(device, ME).follow("Lunch").follow("Reply").press("More fields")
    device.fill("to", f"{BOB}, {ANN}").fill("subject", "Dinner instead")
    if small(device):
        device.press("Text")
    device.fill("text", "At eight.").press("Send")
    assert "Sent to" in device.text, device.text
    (got,) = office.found(ANN)
    assert got["Subject"] == "Dinner instead"
    assert [(one.display_name, one.addr_spec) for one in got["To"].addresses] == [("Bob", BOB), ("", ANN)]
    assert got["In-Reply-To"] == "<Lunch@example.org>"
    assert "> Shall we?" in got.get_content()
    assert "\\Answered" in office.flags(ME)[0]
    assert office.found(ME, "Drafts") == []


# --- forwarding

PDF = bytes(range(256)) * 40
FILES = (
    b"From: Shop <shop@example.org>\r\nTo: me@example.net\r\nSubject: Invoice\r\nMessage-ID: <inv@example.org>\r\n"
    b"Date: Tue, 3 Nov 2026 14:05:00 +0100\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\nContent-Type: text/plain\r\n\r\n"
    b"Your invoice, $5.\r\n--c\r\nContent-Type: text/html\r\n\r\n<p>Your invoice, $5.\r\n--c--\r\n"
    b'--b\r\nContent-Type: application/pdf;\r\n name="=?utf-8?q?Rechn=C3=BCng=2Epdf?="\r\n'
    b"Content-Disposition: attachment; filename*=utf-8''Rechn%C3%BCng.pdf\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\n"
    + base64.encodebytes(PDF).replace(b"\n", b"\r\n")
    + b"--b\r\n"
    b"Content-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n"
    b"From: Old <old@example.org>\r\nSubject: Older\r\n\r\nOld words.\r\n\r\n--b--\r\n"
)


def _opened_file(office: Office, device: Any, kind: str) -> Any:
    office.dovecot.deliver(ME, FILES)
    office.signed_in(device, ME).follow("Invoice")
    return at(device, path_of(device).replace("m", "f") + kind)


def test_a_mail_is_forwarded_with_its_attachments_untouched(office: Office, device: Any) -> None:
    _opened_file(office, device, "")
    assert device.title == "Forward"
    assert "Attached: Rechnüng.pdf" in device.text
    device.fill("to", BOB).fill("text", "See below.").press("Send")
    assert "Sent to" in device.text
    (got,) = office.found(BOB)
    assert got["Subject"] == "Fwd: Invoice"
    text, pdf, older = got.iter_parts()
    words = text.get_content().replace("\r\n", "\n")
    assert words.startswith("See below.\n\n---- Forwarded message ----\nFrom: Shop <shop@example.org>\n")
    assert "Your invoice, $5." in words
    assert (pdf.get_filename(), pdf.get_content_type(), pdf.get_content()) == (
        "Rechnüng.pdf",
        "application/pdf",
        PDF,
    )
    assert older.get_content()["Subject"] == "Older"
    (raw,) = office.raw(BOB)
    copied = FILES[
        FILES.index(b"Content-Type: application/pdf") : FILES.index(b"--b\r\nContent-Type: message")
    ]
    assert copied in raw
    assert "$Forwarded" in office.flags(ME)[0]
    sent_up = device.posted[1]
    assert b"invoice" not in sent_up.lower()


def test_a_mail_is_forwarded_as_an_attachment(office: Office, device: Any) -> None:
    _opened_file(office, device, ".a")
    device.fill("to", BOB).press("Send")
    assert "Sent to" in device.text, device.text
    (got,) = office.found(BOB)
    _text, whole = got.iter_parts()
    assert whole.get_content_type() == "message/rfc822"
    assert whole.get_filename() == "Invoice.eml"
    assert FILES.rstrip() in office.raw(BOB)[0]


def test_a_mail_is_redirected_untouched(office: Office, device: Any) -> None:
    _opened_file(office, device, ".r")
    assert device.title == "Redirect"
    device.fill("to", BOB).press("Send")
    assert "Sent to" in device.text
    (got,) = office.found(BOB)
    assert got["From"] == "Shop <shop@example.org>"
    assert got["Subject"] == "Invoice"
    assert got["Message-ID"] == "<inv@example.org>"
    assert got["Resent-From"] == ME
    assert got["Resent-To"] == BOB
    assert got["Resent-Message-ID"].endswith("@example.net>")
    assert office.raw(BOB)[0].endswith(FILES)
    (accepted,) = office.smtp.accepted
    assert (accepted.sender, accepted.recipients) == (ME, (BOB,))


def test_a_redirect_that_fails_leaves_nothing_behind(office: Office, device: Any) -> None:
    _opened_file(office, device, ".r")
    office.smtp.refuse[BOB] = "550 nobody here"
    device.fill("to", BOB).press("Send")
    assert "Not sent." in device.text
    assert office.found(ME, "Drafts") == []
    device.fill("to", ANN).press("Send")
    assert "Sent to" in device.text
    assert office.raw(ANN)[0].endswith(FILES)
    assert office.found(ME, "Drafts") == []


def test_a_forwarded_message_that_is_one_file_stays_that_file(office: Office, device: Any) -> None:
    octets = (
        b"From: Fax <fax@example.org>\r\nSubject: Fax\r\nMIME-Version: 1.0\r\nDate: Tue, 3 Nov 2026 14:05:00 +0100\r\n"
        b"Content-Type: application/pdf; name=fax.pdf\r\nContent-Transfer-Encoding: base64\r\n"
        b"Content-Disposition: attachment; filename=fax.pdf\r\nX-Secret: not for others\r\n\r\n"
        + base64.encodebytes(PDF).replace(b"\n", b"\r\n")
    )
    office.dovecot.deliver(ME, octets)
    office.signed_in(device, ME).follow("Fax")
    at(device, path_of(device).replace("m", "f")).fill("to", BOB).press("Send")
    (got,) = office.found(BOB)
    _text, pdf = got.iter_parts()
    assert (pdf.get_filename(), pdf.get_content()) == ("fax.pdf", PDF)
    assert b"X-Secret" not in office.raw(BOB)[0]


# --- who one is


def _session(office: Office) -> Session:
    return office.sessions.open(
        ME,
        "secret",
        device="xhtml",
        markup="xhtml",
        user_agent="",
        language="en",
        via="url",
        remote="192.0.2.9",
    )


@pytest.fixture
def known(dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> Iterator[Office]:
    """A gateway that lets me be two people."""
    made = Office(dovecot, smtp_server, tmp_path, from_addresses="domain")
    made.anew(ME, BOB, ANN)
    session = _session(made)
    profile.keep_identity(session, 0, Identity("Mé Myself", ME, "", "Mé\nat home"))
    profile.keep_identity(session, 1, Identity("Boss", "boss@example.net", "office@example.net", "The Boss"))
    yield made
    made.closing.close()


@pytest.fixture(params=CLIENTS)
def knowing(request: pytest.FixtureRequest, known: Office) -> Any:
    return getattr(known, request.param)()


def test_name_and_signature_of_the_usual_identity(known: Office, knowing: Any) -> None:
    at(known.signed_in(knowing, ME), "c").fill("to", BOB).fill("subject", "S").fill("text", "Hi.").press(
        "Send"
    )
    (got,) = known.found(BOB)
    (sender,) = got["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Mé Myself", ME)
    assert got.get_content().replace("\r\n", "\n") == "Hi.\n\n-- \nMé\nat home\n"


def test_another_identity_is_chosen_and_kept_in_the_draft(known: Office, knowing: Any) -> None:
    at(known.signed_in(knowing, ME), "c").fill("to", BOB).fill("subject", "S").press("More fields")
    knowing.fill("from", "1")
    if small(knowing):
        knowing.press("Text")
    knowing.fill("text", "Do.").press("Save")
    (draft,) = known.found(ME, "Drafts")
    assert specs(draft["From"]) == ["boss@example.net"]
    knowing.press("Send")
    assert "Sent to" in knowing.text, knowing.text
    (got,) = known.found(BOB)
    assert specs(got["From"]) == ["boss@example.net"]
    assert specs(got["Reply-To"]) == ["office@example.net"]
    assert got["Message-ID"].endswith("@example.net>")
    assert got.get_content().replace("\r\n", "\n") == "Do.\n\n-- \nThe Boss\n"
    assert known.smtp.accepted[0].sender == "boss@example.net"


def test_an_answer_comes_from_whom_the_mail_went_to(known: Office, knowing: Any) -> None:
    known.dovecot.deliver(ME, mail(f"Bob <{BOB}>", f"boss@example.net, {ME}, {ANN}"))
    known.signed_in(knowing, ME).follow("Lunch")
    at(knowing, path_of(knowing).replace("m", "r") + ".a").fill("text", "Yes.").press("Send")
    (got,) = known.found(BOB)
    assert specs(got["From"]) == ["boss@example.net"]
    assert specs(got["Cc"]) == [ANN]  # neither of me
    text = got.get_content().replace("\r\n", "\n")
    assert text.startswith("Yes.\n\nOn ")
    assert text.endswith("> Shall we?\n\n-- \nThe Boss\n")


def test_quoting_can_be_off(known: Office, knowing: Any) -> None:
    profile.choose(_session(known), quoting=False)
    known.dovecot.deliver(ME, mail(f"Bob <{BOB}>", ME))
    known.signed_in(knowing, ME).follow("Lunch").follow("Reply").fill("text", "Yes.").press("Send")
    assert known.found(BOB)[0].get_content().replace("\r\n", "\n") == "Yes.\n\n-- \nMé\nat home\n"


def test_the_date_is_in_the_persons_own_zone(known: Office, knowing: Any) -> None:
    profile.choose(_session(known), timezone="Asia/Kolkata")
    at(known.signed_in(knowing, ME), "c").fill("to", BOB).fill("subject", "S").fill("text", "Hi.").press(
        "Send"
    )
    assert str(known.found(BOB)[0]["Date"]).endswith("+0530")


# --- what became of it


def test_a_partial_refusal_names_who_was_refused(office: Office, device: Any) -> None:
    office.smtp.refuse[ANN] = "550 nobody here"
    at(office.signed_in(device, ME), "c").fill("to", f"{BOB}, {ANN}").fill("subject", "S").fill("text", "x")
    device.press("Send")
    assert "Sent." in device.text
    assert f"Refused, so not sent to: {ANN}" in device.text
    assert "It was sent to the others." in device.text
    assert len(office.found(BOB)) == 1


def test_a_refused_recipient_can_be_put_right(office: Office, device: Any) -> None:
    office.smtp.refuse[ANN] = "550 nobody here"
    at(office.signed_in(device, ME), "c").fill("to", ANN).fill("subject", "S").fill("text", "x").press("Send")
    assert "Not sent." in device.text
    assert ANN in device.text
    device.fill("to", BOB).press("Send")
    assert "Sent to" in device.text
    assert office.found(BOB)[0].get_content().strip() == "x"
    assert office.found(ME, "Drafts") == []


def test_what_is_not_certain_is_said_so_and_stays_in_drafts(office: Office, device: Any) -> None:
    office.smtp.drop = "before accept"
    at(office.signed_in(device, ME), "c").fill("to", BOB).fill("subject", "S").fill("text", "Perhaps").press(
        "Send"
    )
    assert "not certain" in device.text
    assert "Perhaps" in device.text
    assert len(office.found(ME, "Drafts")) == 1
    device.fetch("POST", *device.posted)
    assert "not certain" in device.text
    assert office.found(BOB) == []


def test_after_sending_there_are_ways_on(office: Office, device: Any) -> None:
    office.dovecot.deliver(ME, mail(f"Bob <{BOB}>", ME, "Older"))
    office.dovecot.deliver(ME, mail(f"Bob <{BOB}>", ME, "Newer"))
    office.signed_in(device, ME).follow("Newer").follow("Reply").fill("text", "Yes.").press("Send")
    assert "Inbox" in device.links
    device.follow("Next message")
    assert "Older" in device.text + device.title


def test_without_a_ticket_of_this_session_nothing_is_sent_or_saved(office: Office, device: Any) -> None:
    at(office.signed_in(device, ME), "c")
    for body in (b"text=Kept&to=cbob@example.net", b"text=Kept&to=cbob@example.net&keep=AAAA&do=save"):
        device.fetch("POST", device.url, body)
        assert "could not be understood" in device.text
        assert b"Kept" in device.answer.body
    assert office.smtp.accepted == []
    assert office.found(ME, "Drafts") == []


def test_every_button_has_a_key_of_its_own_and_every_field_a_label(office: Office) -> None:
    office.dovecot.deliver(ME, mail(f"Bob <{BOB}>", ME))
    browser = office.signed_in(office.browser(), ME).follow("Lunch").follow("Reply")
    held = {
        "1": "Send",
        "2": "Attach",
        "3": "Save",
        "7": "Discard",
        "8": "More fields",
        "0": "Save and close",
    }
    assert _keys(browser) == held
    assert not [e for e in browser.page.iter("textarea", "label", "select") if e.get("accesskey")]
    labels = {e.get("for") for e in browser.press("More fields").page.iter("label")}
    fields = {
        e.get("id")
        for e in browser.page.iter("input", "textarea", "select")
        if e.get("type") not in ("hidden", "submit")
    }
    assert fields <= labels
    assert {"to", "cc", "bcc", "subject", "text"} <= fields


def _keys(browser: Any) -> dict[str, str]:
    return {
        e.get("accesskey"): e.get("value") for e in browser.page.iter("input") if e.get("type") == "submit"
    }


def test_the_text_field_is_as_wide_as_the_screen_and_as_high_as_suits_it(office: Office) -> None:
    sizes = {}
    for name, browser in (("small", office.browser()), ("text", office.plain_browser())):
        area = at(office.signed_in(browser, ME), "c").page.find(".//textarea")
        sizes[name] = int(area.get("cols")), int(area.get("rows"))
    assert sizes == {"small": (30, 5), "text": (72, 7)}


def test_who_gets_it_and_what_is_quoted_stand_above_send(office: Office, device: Any) -> None:
    office.dovecot.deliver(ME, mail(f"Bob <{BOB}>", ME))
    office.signed_in(device, ME).follow("Lunch").follow("Reply")
    assert 0 < device.text.index("To: Bob") < device.text.find(
        "Send", device.text.index("To: Bob")
    ) or not small(device)
    if device.limit > 1000:
        assert "The message from Bob is quoted below your text." in device.text
    at(device, path_of(device).replace("r", "f"))
    if device.limit > 1000:
        assert "The message from Bob follows your text." in device.text
    assert (
        "Sent to Bob."
        in at(device, path_of(device).replace("f", "r")).fill("text", "Yes.").press("Send").text
    )
    assert device.title.startswith("Bob" if isinstance(device, WmlPhone) else "Lunch")


def test_what_is_discarded_is_asked_about_and_can_be_taken_back(office: Office) -> None:
    office.dovecot.deliver(ME, mail(f"Bob <{BOB}>", ME))
    for device in (office.phone(agent="Nokia6610/1.0 (4.18)", limit=5600), office.browser()):
        office.signed_in(device, ME).follow("Lunch").follow("Reply").fill("text", "Hm.").press("Discard")
        assert "Discard this message?" in device.text
        assert [one.get_content()[:3] for one in office.found(ME, "Drafts")] == ["Hm."], (
            "until then it is kept"
        )
        assert b"Hm." in device.follow("Text").answer.body
        device.press("Discard").press("Discard")
        assert "Deleted: Re: Lunch" in device.text
        assert office.found(ME, "Drafts") == []
        device.press("Undo")
        assert len(office.found(ME, "Drafts")) == 1
        at(device, "i").follow("Lunch").follow("Reply").press("Discard")
        assert device.title == ("Bob" if isinstance(device, WmlPhone) else "Lunch"), (
            "there was nothing to discard"
        )
        office.anew(ME)
        office.dovecot.deliver(ME, mail(f"Bob <{BOB}>", ME))
