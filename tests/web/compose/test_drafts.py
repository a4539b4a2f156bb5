"""drafts, desk, enclosing: what is kept while a mail is written, and what every other client finds there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import copy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from gateway.access.session import Session
from gateway.errors import StoreBusy
from tests.devices.checks import check_page
from tests.devices.phones import WmlPhone, XhtmlBrowser
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.web.acting import buttons
from tests.web.office import CLIENTS, ORIGIN, Office, at, mail, path_of, specs

ME, BOB, ANN = "dme@example.net", "dbob@example.net", "dann@example.net"


@pytest.fixture
def office(dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> Iterator[Office]:
    made = Office(dovecot, smtp_server, tmp_path, upload_limit=50_000)
    made.anew(ME, BOB, ANN)
    yield made
    made.closing.close()


@pytest.fixture(params=CLIENTS)
def device(request: pytest.FixtureRequest, office: Office) -> Any:
    return getattr(office, request.param)()


@pytest.fixture
def with_small_inputs(device: Any, office: Office) -> Any:
    """Make a handheld whose inputs do not hold every text, which is why there is a way to add to it."""
    if small(device):
        return device
    agent = "Nokia6230/2.0 (05.50)"
    return XhtmlBrowser(ORIGIN, office.transport, check_page=check_page, agent=agent)


def small(device: Any) -> bool:
    return isinstance(device, WmlPhone)


def text_field(device: Any) -> str:
    """Return what is in the text field."""
    if not small(device):
        return device.page.find(".//textarea").text or ""
    name = next(f.get("value")[2:-1] for f in device.card.iter("postfield") if f.get("name") == "text")
    return str(device.variables[name])


def save(device: Any) -> None:
    """Save, even from a deck that has no room for the button."""
    if "Save" not in buttons(device):
        more = next(anchor for anchor in device.card.iter("anchor") if anchor.text == "Add more")
        next(field for field in more.iter("postfield") if field.get("name") == "do").set("value", "save")
    device.press("Save" if "Save" in buttons(device) else "Add more")


def leave(device: Any) -> None:
    """Save and close; if there is hardly any room, the button is labelled Close."""
    device.press(buttons(device)[-1])


def drafts(office: Office) -> list[EmailMessage]:
    return office.found(ME, "Drafts")


def words(message: EmailMessage) -> str:
    """Return a message's text as one line for each paragraph."""
    part = message.get_body(("plain",))
    assert part is not None
    return re.sub(r" \n", " ", part.get_content().replace("\r\n", "\n")).strip()


#: Characters of a subject in the list of the smallest phone.
SEEN = 12


def _replying(office: Office, device: Any, **more: str) -> Any:
    office.dovecot.deliver(ME, mail(f"Bob <{BOB}>", ME, **more))
    return office.signed_in(device, ME).follow(more.get("subject", "Lunch")[:SEEN]).follow("Reply")


# --- saved, resumed, sent


def test_an_answer_is_saved_whole_and_resumed(office: Office, device: Any) -> None:
    _replying(office, device, head="References: <root@example.org>\r\n")
    device.fill("text", "First half")
    save(device)
    assert "Saved in Drafts." in device.text
    assert text_field(device) == "First half"
    (draft,) = drafts(office)
    assert specs(draft["To"]) == [BOB]
    assert draft["Subject"] == "Re: Lunch"
    assert draft["In-Reply-To"] == "<Lunch@example.org>"
    assert draft["References"].split() == ["<root@example.org>", "<Lunch@example.org>"]
    assert words(draft).startswith("First half\n\nOn Tue 3 Nov 2026 14:05, Bob wrote:\n> Shall we?")
    (flags,) = office.flags(ME, "Drafts")
    assert "\\Draft" in flags
    assert "\\Answered" not in office.flags(ME)[0]
    path = re.match(r"c\d+\.\d+", path_of(device)) or re.search(
        r'action="(c[\d.]+)"|href="(c[\d.]+)"', device.answer.body.decode()
    )
    assert path
    address = path[0] if path.re.groups == 0 else path[1] or path[2]
    other = office.browser() if small(device) else office.phone()
    at(office.signed_in(other, ME), address)
    assert other.title == "Draft"
    assert text_field(other) == "First half"
    assert "Shall we?" not in other.answer.body.decode()
    other.fill("text", "First half and the rest.").press("Send")
    assert "Sent to" in other.text
    (got,) = office.found(BOB)
    assert got["In-Reply-To"] == "<Lunch@example.org>"
    assert words(got).startswith(
        "First half and the rest.\n\nOn Tue 3 Nov 2026 14:05, Bob wrote:\n> Shall we?"
    )
    assert words(got).count("Shall we?") == 1
    assert drafts(office) == []
    assert "\\Answered" in office.flags(ME)[0]


def test_what_lies_in_drafts_is_edited_though_no_flag_says_that_it_is_one(
    office: Office, device: Any
) -> None:
    office.dovecot.deliver(ME, mail(ME, BOB, "Half"), "Drafts")
    at(office.signed_in(device, ME), "z").follow("Drafts").follow("Half")
    device.fill("text", "Whole.").press("Send")
    assert "Sent to" in device.text, device.text
    assert words(office.found(BOB)[0]) == "Whole."
    assert drafts(office) == []


def test_leaving_by_our_way_keeps_what_was_typed(office: Office, device: Any) -> None:
    _replying(office, device)
    leave(device.fill("text", "Half a sent"))
    assert device.title == ("Bob" if isinstance(device, WmlPhone) else "Lunch")
    assert "Saved in Drafts." in device.text
    (draft,) = drafts(office)
    assert words(draft).startswith("Half a sent\n")


def test_a_button_that_is_none_of_ours_saves_and_never_sends(office: Office, device: Any) -> None:
    _replying(office, device)
    keep = re.search(rb'name="keep" value="([^"]+)"', device.answer.body)
    assert keep is not None
    for does in (b"do=remove.2", b"do.bogus=x"):
        device.fetch("POST", device.url, b"text=Mine&keep=" + keep[1] + b"&" + does)
        assert "Saved in Drafts." in device.text
    assert office.smtp.accepted == []
    assert len(drafts(office)) == 1


def test_leaving_without_having_typed_leaves_no_draft(office: Office, device: Any) -> None:
    _replying(office, device)
    leave(device)
    assert device.title == ("Bob" if isinstance(device, WmlPhone) else "Lunch")
    assert "Saved" not in device.text
    leave(at(device, "c"))
    assert device.title.startswith("Inbox")
    assert drafts(office) == []


def test_a_failed_sending_is_in_drafts_and_is_sent_from_there(office: Office, device: Any) -> None:
    at(office.signed_in(device, ME), "c")
    device.fill("to", BOB).fill("subject", "Kept").fill("text", "Text, $5 & да").press("More fields")
    device.fill("bcc", ANN)
    office.smtp.stop()
    try:
        device.press("Send")
    finally:
        office.smtp.start()
    assert "Not sent." in device.text
    assert "A copy is in Drafts." in device.text
    (draft,) = drafts(office)
    assert specs(draft["Bcc"]) == [ANN]
    device.press("Send")
    assert "Sent to" in device.text, device.text
    (got,) = office.found(ANN)
    assert words(got) == "Text, $5 & да"
    assert got["Bcc"] is None
    assert len(office.found(BOB)) == len(office.found(ME, "Sent")) == 1
    assert drafts(office) == []


def test_when_nothing_can_be_kept_the_page_still_has_it_all(office: Office, device: Any) -> None:
    _replying(office, device)
    device.fill("text", "Only here")
    office.dovecot.stop()
    try:
        save(device)
        assert "Look in Drafts for a copy." in device.text
        assert text_field(device) == "Only here"
        device.press("Send")
        assert "Not sent." in device.text
        assert text_field(device) == "Only here"
    finally:
        office.dovecot.start()
    device.press("Send")
    assert "Sent to" in device.text, device.text
    assert words(office.found(BOB)[0]).startswith("Only here\n\nOn ")


def test_an_answer_to_what_is_gone_keeps_the_text_as_a_new_mail(office: Office, device: Any) -> None:
    _replying(office, device)
    with office.imap(ME) as connection:
        connection.select("INBOX")
        connection.store("1", "+FLAGS", "\\Deleted")
        connection.expunge()
    device.fill("text", "Too late?").press("Send")
    assert "Not sent." in device.text
    assert "no longer there" in device.text
    assert text_field(device) == "Too late?"
    device.fill("to", BOB).fill("subject", "Lunch").press("Send")
    assert "Sent to" in device.text
    assert words(office.found(BOB)[0]) == "Too late?"


# --- small fields


def test_a_text_is_added_piece_by_piece(office: Office, with_small_inputs: Any) -> None:
    device = with_small_inputs
    _replying(office, device)
    pieces = [f"One {n}. " * 12 for n in range(5)]
    for number, piece in enumerate(pieces):
        device.fill("text", piece.strip()).press("Add more")
        assert text_field(device) == ""
        assert pieces[number].strip()[-20:] in device.text
        assert len(drafts(office)) == 1
    device.fill("text", "The end.").press("Send")
    assert "Sent to" in device.text, device.text
    text = words(office.found(BOB)[0])
    assert text.startswith(" ".join(piece.strip() for piece in pieces) + " The end.\n\nOn ")
    assert drafts(office) == []


@pytest.mark.parametrize("button", ["Add more", "Send"])
def test_a_draft_that_is_gone_between_two_pieces_is_told(
    office: Office, with_small_inputs: Any, button: str
) -> None:
    device = with_small_inputs
    _replying(office, device)
    device.fill("text", "First.").press("Add more")
    with office.imap(ME) as connection:
        connection.select("Drafts")
        connection.store("1:*", "+FLAGS", "\\Deleted")
        connection.expunge()
    device.fill("text", "Second.").press(button)
    assert "no longer there" in device.text
    assert text_field(device) == "Second."
    assert office.found(BOB) == []
    device.fill("to", BOB).fill("subject", "Lunch").press("Send")
    assert "Sent to" in device.text
    assert words(office.found(BOB)[0]) == "Second."


def test_the_same_piece_brought_twice_is_there_once(office: Office, with_small_inputs: Any) -> None:
    device = with_small_inputs
    _replying(office, device)
    device.fill("text", "First.").press("Add more")
    device.fill("text", "Second.").press("Add more")
    device.fetch("POST", *device.posted)
    device.fetch("POST", *device.posted)
    assert len(drafts(office)) == 1
    device.fill("text", "Third.").press("Send")
    assert "Sent to" in device.text
    assert words(office.found(BOB)[0]).startswith("First. Second. Third.\n")
    assert drafts(office) == []


def test_going_back_and_sending_from_an_old_page_loses_and_doubles_nothing(
    office: Office, device: Any
) -> None:
    _replying(office, device)
    device.fill("text", "First.")
    save(device)
    answer = device.answer.body
    device.fill("text", "First. Second.")
    save(device)
    assert len(drafts(office)) == 1
    # The page before, which names a draft that no longer exists.
    address = re.search(rb'(?:action|href)="(c[\d.]+)"', answer)
    ticket = re.search(rb'name="ticket" value="([^"]+)"', answer)
    assert address is not None
    assert ticket is not None
    device.fetch("POST", urljoin(device.url, address[1].decode()), b"text=First.+Third.&ticket=" + ticket[1])
    assert "Sent to" in device.text, device.text
    assert words(office.found(BOB)[0]).startswith("First. Third.\n\nOn ")
    assert drafts(office) == []


@pytest.mark.parametrize(
    ("letter", "room"), [("a", (380, 420)), ("д", (170, 190))], ids=["Latin", "Cyrillic"]
)
def test_the_field_takes_what_can_be_sent_up(office: Office, letter: str, room: tuple[int, int]) -> None:
    device = office.phone()
    _replying(office, device, subject=letter * 5)
    assert room[0] <= device.room("text") <= room[1]
    device.fill("text", letter * device.room("text")).press("Send")
    assert len(device.posted[1]) <= 1400 - 250
    assert "Sent to" in device.text


@pytest.mark.parametrize("letter", ["a ", "ü", "д", "字", "$", "&", "<", '"'])
@pytest.mark.parametrize("make", ["phone", "narrow"])
def test_the_worst_texts_come_back_in_a_deck_that_fits(office: Office, make: str, letter: str) -> None:
    device = getattr(office, make)()
    _replying(office, device, subject=letter.strip() * 60)
    text = (letter * 500)[: device.room("text")].strip()
    office.smtp.stop()
    try:
        device.fill("text", text).press("Send")
    finally:
        office.smtp.start()
    assert "Not sent." in device.text
    device.press("Send")
    assert "Sent to" in device.text
    assert "".join(words(office.found(BOB)[0]).partition("\n\nOn ")[0].split()) == "".join(text.split())


@pytest.mark.parametrize("make", ["phone", "narrow"])
def test_what_has_no_room_on_its_page_is_in_drafts(office: Office, make: str) -> None:
    device = at(office.signed_in(getattr(office, make)(), ME), "c")
    text = " ".join(["word"] * 800)
    device.fill("to", "nobody at all").fill("subject", "Long").fill("text", "short").press("Send")
    assert "Not a valid mail address" in device.text
    assert drafts(office) == []  # all of it is on the page
    url, body = device.posted[:2]
    device.fetch("POST", url, body.replace(b"short", text.replace(" ", "+").encode()))
    assert "Not a valid mail address" in device.text
    assert text not in device.text
    (draft,) = drafts(office)
    assert words(draft) == text
    device.fill("to", BOB).press("Send")
    assert "Sent to" in device.text
    assert [words(one) for one in office.found(BOB)] == [text]


def test_a_long_draft_of_another_client_is_continued(office: Office, device: Any) -> None:
    long = " ".join(f"word{n}" for n in range(20_000))
    draft = mail(ME, BOB, "Long", text="\r\n".join(long[at : at + 900] for at in range(0, len(long), 900)))
    office.dovecot.deliver(ME, draft, "Drafts", "D")
    office.signed_in(device, ME)
    _open_draft(office, device)
    assert "word19999" in device.text + text_field(device)
    device.fill("text", (text_field(device) + " And an end.").strip()).press("Send")
    assert "Sent to" in device.text, device.text
    got = words(office.found(BOB)[0])
    assert got.startswith("word0 word1 ")
    assert got.endswith("word19999 And an end.")
    assert drafts(office) == []


@pytest.mark.parametrize("keys", ["Send Send", "Save Send", "Send Save", "Save Save"])
def test_a_page_that_is_gone_back_to_makes_one_draft_whatever_is_typed_on_it(
    office: Office, device: Any, keys: str
) -> None:
    if small(device) and device.limit < 1000:  # a page of 996 octets has no key for Save
        keys = keys.replace("Save", "Send")
    office.smtp.refuse = {BOB: "550 no"}
    at(office.signed_in(device, ME), "c")
    device.fill("to", BOB).fill("subject", "Hello").fill("text", "Words one.")
    page = copy(device)  # the page as it stands in the phone's cache
    for key, text in zip(keys.split(), ("Words one.", "Words two."), strict=True):
        shown = copy(page)
        shown.fill("text", text)
        shown.press(key)
        assert ("Not sent." if key == "Send" else "Saved in Drafts.") in shown.text
        assert [words(one) for one in drafts(office)] == [text]
    office.smtp.refuse = {}
    page.fill("text", "Words three.").press("Send")
    assert "Sent to" in page.text
    assert [words(one) for one in office.found(BOB)] == ["Words three."]
    assert drafts(office) == []


def test_a_copy_whose_response_was_lost_is_not_denied_and_goes_when_the_mail_is_sent(
    office: Office, device: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_arguments: Any) -> None:
        raise StoreBusy("too many wait")

    at(office.signed_in(device, ME), "c")
    device.fill("to", BOB).fill("subject", "Hello").fill("text", "Words one.")
    save(copy(device))
    assert len(drafts(office)) == 1
    with monkeypatch.context() as patch:
        patch.setattr(Session, "store", busy)
        save(device)
    assert "Not saved." not in device.text
    assert "Look in Drafts for a copy." in device.text
    device.fill("text", "Words two.").press("Send")
    assert "Sent to" in device.text
    assert [words(one) for one in office.found(BOB)] == ["Words two."]
    assert drafts(office) == []


def _open_draft(office: Office, device: Any, mailbox: str = "Drafts") -> Any:
    """Go to the newest draft, whatever number its mailbox has here."""
    number = _number(office, mailbox)
    with office.imap(ME) as connection:
        connection.select(mailbox, readonly=True)
        uid = connection.uid("SEARCH", "UNDELETED")[1][0].split()[-1].decode()
    return at(device, f"c{number}.{uid}")


def _number(office: Office, mailbox: str) -> int:
    session = office.sessions.open(
        ME,
        "secret",
        device="xhtml",
        markup="xhtml",
        user_agent="",
        language="en",
        via="url",
        remote="192.0.2.9",
    )
    with office.imap(ME) as connection:
        status = connection.status(mailbox, "(UIDVALIDITY)")[1][0].decode()  # type: ignore[union-attr]
    found = re.search(r"UIDVALIDITY (\d+)", status)
    assert found
    return session.mailboxes.number(mailbox, int(found[1]))


def test_a_draft_that_another_client_changed_counts_as_typed(office: Office, device: Any) -> None:
    _replying(office, device)
    leave(device.fill("text", "Mine"))
    (octets,) = office.raw(ME, "Drafts")
    with office.imap(ME) as connection:
        connection.select("Drafts")
        connection.store("1:*", "+FLAGS", "\\Deleted")
        connection.expunge()
        connection.append("Drafts", "(\\Draft)", None, octets.replace(b"Shall we?", b"Shall we go?"))  # type: ignore[arg-type]
    _open_draft(office, device)
    assert "Shall we go?" in device.text + text_field(device)
    device.press("Send")
    assert "Sent to" in device.text, device.text
    assert words(office.found(BOB)[0]).count("> Shall we go?") == 1


def test_a_draft_without_the_flag_is_one_by_where_it_lies(office: Office, device: Any) -> None:
    office.dovecot.deliver(ME, mail(ME, BOB, "Plain"), "Drafts")
    office.signed_in(device, ME)
    _open_draft(office, device)
    assert device.title == "Draft"
    device.press("Send")
    assert drafts(office) == []
    assert len(office.found(BOB)) == 1


def test_in_drafts_a_message_offers_to_be_edited_first(office: Office, device: Any) -> None:
    office.dovecot.deliver(ME, mail(ME, BOB, "Plain"), "Drafts", "D")
    office.signed_in(device, ME)
    _open_draft(office, device)
    at(device, path_of(device).replace("c", "m"))
    assert next(iter(device.links)) == "Edit"
    assert "Reply" not in device.links
    device.follow("Edit")
    assert device.title == "Draft"


def test_an_unfinished_address_stays_in_the_draft(office: Office, device: Any) -> None:
    leave(at(office.signed_in(device, ME), "c").fill("to", f"{BOB}, nob").fill("text", "Hm"))
    (draft,) = drafts(office)
    assert specs(draft["To"]) == [BOB]
    _open_draft(office, device)
    assert f"{BOB}, nob" in device.answer.body.decode()
    device.press("Send")
    assert "Not a valid mail address: nob" in device.text
    device.fill("to", BOB).press("Send")
    assert "Sent to" in device.text
    assert drafts(office) == []


FOREIGN = (
    "X-Mozilla-Draft-Info: internal/draft\r\nMessage-ID: <tb@example.net>\r\nMIME-Version: 1.0\r\n"
    "X-Priority: 1 (Highest)\r\nX-Campaign: spring\r\nReply-To: desk@example.net\r\nSubject: Plan\r\n"
    'Content-Type: multipart/related; boundary="R"\r\n\r\n--R\r\nContent-Type: text/html\r\n\r\n'
    '<p>Hello <b>bold</b> world</p><img src="cid:p1">\r\n--R\r\nContent-Type: image/png; name=pic.png\r\n'
    "Content-Disposition: inline; filename=pic.png\r\nContent-ID: <p1>\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    "iVBORw0KGgo=\r\n--R--\r\n"
)


def test_a_draft_in_html_says_what_it_loses_before_it_is_replaced(office: Office, device: Any) -> None:
    head = f"From: {ME}\r\nTo: {BOB}, zoe\r\nBcc: {ANN}\r\n"
    office.dovecot.deliver(ME, (head + FOREIGN).encode(), "Drafts", "D")
    office.signed_in(device, ME)
    _open_draft(office, device)
    assert "Saving or sending this draft from here drops: formatting, X-Campaign" in device.text
    leave(device.fill("to", BOB))
    (draft,) = drafts(office)
    assert [draft[name] for name in ("To", "Bcc", "Reply-To", "X-Priority")] == [
        BOB, ANN, "desk@example.net", "1 (Highest)",
    ]  # fmt: skip
    text, picture = draft.iter_parts()
    assert text.get_content().split() == ["Hello", "bold", "world"]
    assert (picture.get_filename(), picture.get_content()) == ("pic.png", b"\x89PNG\r\n\x1a\n")
    _open_draft(office, device)
    assert "loses" not in device.text
    device.press("Send")
    (got,) = office.found(BOB)
    assert (got["Reply-To"], got["X-Priority"], got["Bcc"]) == ("desk@example.net", "1 (Highest)", None)
    assert [name for name in got if name.startswith("X-M")] == []


# --- an old mail as the pattern of a new one


def test_a_sent_mail_is_edited_as_new(office: Office, device: Any) -> None:
    octets = (
        f"From: {ME}\r\nTo: Bob <{BOB}>\r\nCc: {ANN}\r\nSubject: Minutes\r\nMessage-ID: <old@example.net>\r\n"
        "In-Reply-To: <x@example.org>\r\nDate: Tue, 3 Nov 2026 14:05:00 +0100\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHere they are.\r\n"
        "--b\r\nContent-Type: text/csv; name=a.csv\r\nContent-Disposition: attachment; filename=a.csv\r\n\r\n1,2\r\n"
        "\r\n--b--\r\n"
    ).encode()
    office.dovecot.deliver(ME, octets, "Sent", "S")
    office.signed_in(device, ME)
    _open_draft(office, device, "Sent")
    assert device.title == "Write"
    assert text_field(device) == "Here they are."
    device.fill("text", "Here they are again.").press("Send")
    assert "Sent to" in device.text
    (got,) = office.found(BOB)
    assert got["Message-ID"] != "<old@example.net>"
    assert got["In-Reply-To"] is None
    assert specs(got["To"]) + specs(got["Cc"]) == [BOB, ANN]
    text, csv = got.iter_parts()
    assert text.get_content().strip() == "Here they are again."
    assert (csv.get_filename(), csv.get_content().replace("\r\n", "\n")) == ("a.csv", "1,2\n")
    assert len(office.found(ME, "Sent")) == 2


# --- files


def _upload(device: XhtmlBrowser, files: dict[str, tuple[str, bytes]], button: str) -> None:
    """Send the form of the page as a browser sends one with files."""
    (form,) = [form for form in device.page.iter("form") if form.get("enctype") == "multipart/form-data"]
    parts = []
    pressed = False
    for field in form.iter("input"):
        if field.get("type") == "file" and field.get("name") in files:
            name, octets = files[field.get("name")]
            head = f'name="{field.get("name")}"; filename="{name}"\r\nContent-Type: image/jpeg'
            parts.append(head.encode() + b"\r\n\r\n" + octets)
        elif field.get("type") == "file":
            parts.append(
                f'name="{field.get("name")}"; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n'.encode()
            )
        elif field.get("type") == "hidden" or (field.get("value") == button and not pressed):
            pressed = pressed or field.get("type") == "submit"
            parts.append(f'name="{field.get("name")}"\r\n\r\n{field.get("value")}'.encode())
    body = (
        b"".join(b"--XX\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts)
        + b"--XX--\r\n"
    )
    device.posted = (urljoin(device.url, form.get("action")), body)
    _multipart(device)


def _multipart(device: XhtmlBrowser) -> None:
    transport = device.transport

    def with_type(method: str, url: str, headers: Any, body: bytes) -> Any:
        return transport(method, url, {**headers, "Content-Type": "multipart/form-data; boundary=XX"}, body)

    device.transport = with_type
    try:
        device.fetch("POST", *device.posted)
    finally:
        device.transport = transport


PICTURE = bytes(range(256)) * 50


RETURNED = (
    "From: Mail Delivery System <MAILER-DAEMON@mx.example.net>\r\nTo: {me}\r\nSubject: Undelivered\r\n"
    "Message-ID: <ndr@mx.example.net>\r\nDate: Tue, 3 Nov 2026 14:05:00 +0100\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/report; report-type=delivery-status; boundary=A\r\n\r\n"
    "--A\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
    "--A\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n"
    "Final-Recipient: rfc822; {bob}\r\nAction: failed\r\nStatus: 4.2.2\r\n"
    "--A\r\nContent-Type: message/rfc822\r\n\r\nFrom: {me}\r\nTo: {bob}\r\nSubject: My lamp\r\n"
    "Message-ID: <lamp@example.net>\r\nMIME-Version: 1.0\r\n"
)
BODIES = {
    "plain": "Content-Type: text/plain; charset=utf-8\r\n\r\nMy own words.\r\n",
    "with a file": (
        "Content-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\nContent-Type: text/plain\r\n\r\nMy own words.\r\n"
        "--B\r\nContent-Type: text/csv; name=lamp.csv\r\nContent-Disposition: attachment; filename=lamp.csv\r\n\r\n"
        "a;b\r\n--B--\r\n"
    ),
}


@pytest.mark.parametrize("body", BODIES)
def test_a_returned_mail_is_sent_again(office: Office, device: Any, body: str) -> None:
    report = RETURNED.format(me=ME, bob=BOB) + BODIES[body] + "--A--\r\n"
    office.dovecot.deliver(ME, report.encode())
    office.signed_in(device, ME).follow("Undelivered")
    assert "My lamp" in device.text
    device.follow("Send again")
    assert text_field(device) == "My own words."
    device.press("Send")
    assert "Sent to" in device.text
    (got,) = office.found(BOB)
    assert (got["Subject"], specs(got["To"]), words(got)) == ("My lamp", [BOB], "My own words.")
    assert got["Message-ID"] != "<lamp@example.net>"
    files = [part.get_filename() for part in got.iter_attachments()]
    assert files == (["lamp.csv"] if body == "with a file" else [])


def test_a_report_without_the_mail_offers_nothing_to_send_again(office: Office, device: Any) -> None:
    head = RETURNED.format(me=ME, bob=BOB).replace("message/rfc822", "text/rfc822-headers")
    office.dovecot.deliver(ME, (head + "\r\n--A--\r\n").encode())
    office.signed_in(device, ME).follow("Undelivered")
    assert "Send again" not in device.text


@pytest.mark.parametrize("make", ["browser", "plain_browser"])
def test_files_are_attached_taken_out_and_sent(office: Office, make: str) -> None:
    device = getattr(office, make)()
    _replying(office, device)
    device.fill("text", "Look:").press("Attach")
    assert device.title == "Attach"
    _upload(device, {"f1": ("strand.jpg", PICTURE), "f2": ("b.jpg", b"bb")}, "Attach")
    assert "strand.jpg" in device.text
    _multipart(device)  # the same request once more
    assert device.text.count("strand.jpg") == 1
    (draft,) = drafts(office)
    assert [part.get_filename() for part in draft.iter_attachments()] == ["strand.jpg", "b.jpg"]
    _upload(device, {"f1": ("c.jpg", b"cc")}, "Attach")
    _upload(device, {}, "Remove")
    assert "strand.jpg" not in device.text
    _upload(device, {"f1": ("huge.jpg", b"x" * 60_000)}, "Attach")
    assert "Too large, so not attached: huge.jpg." in device.text
    _upload(device, {}, "Text")
    assert text_field(device) == "Look:"
    assert "Attached: b.jpg, c.jpg" in device.text
    device.press("Send")
    assert "Sent to" in device.text
    (got,) = office.found(BOB)
    assert [(p.get_filename(), p.get_content()) for p in got.iter_attachments()] == [
        ("b.jpg", b"bb"),
        ("c.jpg", b"cc"),
    ]
    assert words(got).startswith("Look:\n\nOn Tue 3 Nov 2026 14:05, Bob wrote:\n> Shall we?")
    assert drafts(office) == []


def test_an_attached_file_arrives_octet_for_octet(office: Office) -> None:
    device = office.browser()
    at(office.signed_in(device, ME), "c").fill("to", BOB).fill("subject", "P").press("Attach")
    _upload(device, {"f1": ("Größe 1.jpg", PICTURE)}, "Attach")
    _upload(device, {}, "Save and close")
    phone = office.phone()
    _open_draft(office, office.signed_in(phone, ME))
    assert "Attached: Größe 1.jpg" in phone.text
    phone.press("Send")
    assert "Sent to" in phone.text, phone.text
    (got,) = office.found(BOB)
    (part,) = got.iter_attachments()
    assert (part.get_filename(), part.get_content_type(), part.get_content()) == (
        "Größe 1.jpg",
        "image/jpeg",
        PICTURE,
    )


def test_a_mail_too_large_to_carry_is_not_fetched(office: Office, device: Any) -> None:
    octets = mail(f"Bob <{BOB}>", ME, "Huge", text=("x" * 70 + "\r\n") * 250_000)
    office.dovecot.deliver(ME, octets)
    office.signed_in(device, ME).follow("Huge")
    at(device, path_of(device).replace("m", "f") + ".a").fill("to", ANN).press("Send")
    assert "Not sent." in device.text
    assert "too large" in device.text
    assert ANN in device.answer.body.decode()
    assert office.smtp.accepted == []
