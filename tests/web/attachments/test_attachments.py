"""Attachments, seen by handhelds against a real Dovecot: the list, each kind's pages, pictures, and the original."""

from __future__ import annotations

import io
import re
import shutil
import struct
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from email.message import EmailMessage
from http.client import HTTPConnection, IncompleteRead
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from werkzeug.http import parse_range_header

from gateway.access.sessions import Sessions
from gateway.app import create_app
from gateway.errors import StoreBusy, StoreUnreachable
from gateway.message.headers import filenames
from gateway.message.model import Bound, Envelope, Gap, Message, Part
from gateway.rendition.pictures import wbmp
from gateway.store.imap.imap_store import ImapStore
from gateway.store.pool import Pool
from gateway.web.attachments import download, file_links
from tests import PATIENCE, rig
from tests.devices.checks import check_deck, check_page
from tests.devices.phones import WmlPhone, XhtmlBrowser, in_process
from tests.matrix import one_of
from tests.message.mime import test_tnef
from tests.message.mime.test_cms import DATA, ENVELOPED, der, oid
from tests.message.mime.test_cms import signed as signed_mail
from tests.rendition import samples
from tests.servers.dovecot import Dovecot
from tests.servers.gateway import GatewayServer
from tests.servers.smtp import SmtpServer

ORIGIN = "http://pp.example:8080"
ME = "files@example.net"
HOSTILE = '..\\../etc/\u202egpj.s\u00e4ns $(x) & <b>"%41\x07.exe'


#: A body that is encrypted for somebody.
SEALED = der(
    0x30, oid(ENVELOPED), der(0xA0, der(0x30, der(0x02, b"\0"), oid(DATA), der(0x04, b"secret" * 50)))
)


def drawing(form: str, size: tuple[int, int] = (900, 700), **options: Any) -> bytes:
    """Draw a disc in the upper left quarter, on white."""
    made = Image.new("RGB", size, "white")
    ImageDraw.Draw(made).ellipse((50, 50, 400, 300), fill="navy", outline="black", width=9)
    out = io.BytesIO()
    made.save(out, form, **options)
    return out.getvalue()


def bomb_picture() -> bytes:
    """Claim 60,000 × 60,000 pixels in a few octets."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("notes/read me.txt", "Words from the archive.\n")
        made.writestr("disc.png", drawing("PNG"))
        made.writestr("inner.zip", samples.zipped({"deep.txt": "Deep inside."}))
        made.writestr("bomb.txt", b"0" * 60_000_000)
        for number in range(12):
            made.writestr(f"folder/number {number}.csv", f"Item,Price\nLamp,{number}\n")
    return out.getvalue()


INVITATION = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Regatta at noon\r\n"
    "DTSTART:20261107T110000Z\r\nDTEND:20261107T130000Z\r\nLOCATION:Old harbour\r\n"
    "END:VEVENT\r\nEND:VCALENDAR\r\n"
)
CONTACT = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ada Harbour\r\nTEL:+44 20 7946 0000\r\nEND:VCARD\r\n"
PDF = samples.pdf(
    *(f"Page {n} begins.\n" + f"A line of page {n}, which is not short.\n" * 40 for n in (1, 2, 3))
)
LONG = "".join(f"Sentence number {n} of a long text. " + ("\n\n" if n % 9 == 8 else "") for n in range(1500))


def inner_mail() -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "Carla <carla@example.org>", ME, "The inner one"
    made["Date"] = "Mon, 2 Nov 2026 10:00:00 +0000"
    made.set_content("Inner words.\n" * 3 + LONG[:7000])
    made.add_attachment("Inner file.", filename="inner.txt")
    return made


def mail(subject: str, *attached: tuple[bytes, str, str]) -> EmailMessage:
    """Write a message with attachments: octets, media type, name."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "Bob <bob@example.net>", ME, subject
    made["Date"] = "Tue, 3 Nov 2026 14:05:00 +0100"
    made.set_content("See what is attached.")
    for octets, media_type, name in attached:
        main, _, sub = media_type.partition("/")
        made.add_attachment(octets, maintype=main, subtype=sub, filename=name)
    return made


def everything() -> EmailMessage:
    made = mail(
        "All kinds",
        (PDF, "application/pdf", "report.pdf"),
        (samples.docx(samples.paragraph("Words of a letter.")), "application/octet-stream", "letter.docx"),
        (archive(), "application/zip", "things.zip"),
        (drawing("PNG"), "image/png", "disc.png"),
        (drawing("JPEG"), "image/jpeg", "photo.jpg"),
        (test_tnef.WHOLE, "application/ms-tnef", "winmail.dat"),
        (INVITATION.encode(), "application/octet-stream", "regatta.ics"),
        (CONTACT.encode(), "text/x-vcard", "ada.vcf"),
        (LONG.encode(), "text/plain", "long.txt"),
        (b"\x00\x01\x02unknown", "application/x-thing", "thing.xyz"),
        (b"%PDF-1.7 broken", "application/pdf", "broken.pdf"),
        (drawing("GIF"), "application/octet-stream", ""),
        (b"MZ", "text/html", HOSTILE),
    )
    made.add_attachment(inner_mail())
    return made


@pytest.fixture(scope="module")
def mailbox(dovecot: Dovecot) -> str:
    shutil.rmtree(dovecot.home(ME), ignore_errors=True)
    dovecot.user(ME)
    inside = mail("Pictures inside")
    inside.set_content('<p>Before</p><img src="cid:disc@x"><p>After</p>', subtype="html")
    inside.add_related(drawing("PNG"), "image", "png", cid="<disc@x>")
    bombs = mail("Bombs", (bomb_picture(), "image/png", "bomb.png"))
    eml = mail("Message as a file", (inner_mail().as_bytes(), "application/octet-stream", "saved.eml"))
    signed = mail(
        "Signed as a whole", (signed_mail(inner_mail().as_bytes()), "application/pkcs7-mime", "smime.p7m")
    )
    sealed = mail("Sealed", (SEALED, "application/pkcs7-mime", "smime.p7m"))
    for made in (everything(), inside, bombs, eml, signed, sealed):
        dovecot.deliver(ME, made.as_bytes(policy=made.policy.clone(linesep="\r\n")))
    return ME


@pytest.fixture(scope="module")
def app(dovecot: Dovecot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    config = rig.config(rig.upstream(dovecot))
    with (
        rig.state(tmp_path_factory.mktemp("state") / "state.sqlite") as state,
        closing(Pool()) as pool,
    ):
        made = create_app(config, sessions=Sessions(config, state, b"k" * 32, pool))
        made.extensions["test pool"] = pool
        yield made


def phone(app: Any, **options: Any) -> WmlPhone:
    return WmlPhone(ORIGIN, in_process(app), check_deck=check_deck, **options)


def small_phone(app: Any) -> WmlPhone:
    return phone(app, limit=1000 - 96, headers={"X-WAP-Client-SDU-Size": "1000"})


def browser(app: Any, **options: Any) -> XhtmlBrowser:
    return XhtmlBrowser(ORIGIN, in_process(app), check_page=check_page, **options)


HANDHELDS: dict[str, Callable[[Any], Any]] = {
    "wml": phone,
    "small wml": small_phone,
    "xhtml": browser,
    "xhtml without cookies": lambda app: browser(app, cookies=False),
}


@pytest.fixture(params=one_of(HANDHELDS, "small wml", "xhtml"))
def handheld(request: pytest.FixtureRequest, app: Any, mailbox: str) -> Any:
    device = HANDHELDS[request.param](app)
    return device.sign_in(mailbox, "secret")


def listed(device: Any) -> Any:
    """Go from a message to the list of its attachments; if there is only one, the message leads to its page."""
    assert "Attachments" in device.links
    device.fetch("GET", re.sub(r"/m(\d+\.\d+)[^/]*$", r"/a\1", device.url))
    return device


def attachments(device: Any, subject: str = "All kinds") -> Any:
    return listed(device.follow(subject))


def find(device: Any, label: str) -> Any:
    """Page through a list until there is a link whose label begins like this, and follow it."""
    for _page in range(30):
        for name, href in device.links.items():
            if name.startswith(label):
                device.fetch("GET", urljoin(device.url, href))
                return device
        device.follow("Next")
    raise AssertionError(f"no {label}")


def read(device: Any, pages: int = 200) -> str:
    """Read from here to the end."""
    words = [device.text]
    for _page in range(pages):
        if "Next" not in device.links:
            return "\n".join(words)
        device.follow("Next")
        words.append(device.text)
    raise AssertionError("no end")


def get(device: Any, href: str, method: str = "GET", accept: str = "*/*") -> Any:
    headers = {"User-Agent": device.agent, "Accept": accept}
    if getattr(device, "jar", None):
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in device.jar.items())
    return device.transport(method, urljoin(device.url, href), headers, b"")


def test_what_cannot_be_read_is_not_said_to_have_none(handheld: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    attachments(handheld)
    unread = Message(
        Envelope(), Part("", "multipart/mixed"), defects=(Gap("message: unreadable", Bound.MESSAGE),)
    )
    monkeypatch.setattr(ImapStore, "structure", lambda *_: unread)
    handheld.fetch("GET", handheld.url)
    assert "cannot say what is in this message" in handheld.text
    assert "No attachments." not in handheld.text
    monkeypatch.setattr(ImapStore, "structure", lambda *_: Message(Envelope(), Part("1", "text/plain")))
    handheld.fetch("GET", handheld.url)
    assert "No attachments." in handheld.text


def test_the_list_names_kind_and_size(handheld: Any) -> None:
    attachments(handheld)
    words = read(handheld)
    handheld.follow("Prev")
    for expected in ("report.pdf", "PDF ·", "Word document", "Zip archive", "Picture", "Outlook attachment",
                     "Invitation", "Contact", "Message", "The inner one", " KB", " B", "of 15"):  # fmt: skip
        assert expected in words, expected
    handheld.follow("Message")
    assert "See what is attached." in handheld.text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("report.pdf", ["Page 1 begins.", "A line of page 3, which is not short."]),
        ("letter", ["Words of a letter."]),
        ("regatta", ["Regatta at noon", "Old harbour"]),
        ("ada", ["Ada Harbour", "+44 20 7946 0000"]),
        ("long", ["Sentence number 0 of", "Sentence number 1499 of"]),
        ("thing.xyz", ["cannot be shown"]),
        ("broken", ["damaged"]),
        ("The inner", ["Inner words.", "Sentence number 170 of"]),
    ],
)
def test_each_kind_is_read(handheld: Any, name: str, words: list[str]) -> None:
    attachments(handheld)
    find(handheld, name)
    assert "Original" in handheld.links
    assert len(handheld.url) <= 100
    assert name != "The inner" or "Carla" in f"{handheld.title} {handheld.text}"
    said = re.sub(r"\s+", " ", read(handheld))
    for expected in words:
        assert expected in said, expected
    handheld.follow("Attachments")


@pytest.mark.parametrize("name", ["report.pdf", "long", "The inner"])
def test_paging_back_and_forth(handheld: Any, name: str) -> None:
    attachments(handheld)
    find(handheld, name)
    pages = [handheld.text]
    assert re.search(r"1/(\d+|…)", handheld.text)
    while "Next" in handheld.links and len(pages) < 6:
        handheld.follow("Next")
        pages.append(handheld.text)
    if "Next" not in handheld.links:
        assert re.search(rf"{len(pages)}/{len(pages)}", handheld.text)
    assert len(pages) > 1
    for text in reversed(pages[:-1]):
        handheld.follow("Prev")
        assert handheld.text == text
    assert "Prev" not in handheld.links


def test_an_archive_opens_and_what_is_in_it(handheld: Any) -> None:
    attachments(handheld)
    find(handheld, "things")
    find(handheld, "notes/")
    assert "Words from the archive." in handheld.text
    assert b"Words from the archive." in get(handheld, handheld.links["Original"]).body
    handheld.follow("Attachments")
    find(handheld, "inner")
    find(handheld, "deep")
    assert "Deep inside." in handheld.text
    handheld.follow("Attachments").follow("Attachments")
    find(handheld, "bomb")
    assert "too large" in handheld.text
    handheld.follow("Attachments")
    find(handheld, "folder/number 1")
    assert "Lamp" in handheld.text
    handheld.follow("Attachments")
    find(handheld, "disc")
    assert picture(handheld).width > 50


def test_a_winmail_dat_opens(handheld: Any) -> None:
    attachments(handheld)
    find(handheld, "winmail")
    find(handheld, "Web page")
    assert "hello" in handheld.text
    handheld.follow("Attachments")
    find(handheld, "отчет") if isinstance(handheld, XhtmlBrowser) else find(handheld, "Report")
    handheld.follow("Message").follow("Inbox")


def test_a_message_inside_has_attachments_of_its_own(handheld: Any) -> None:
    whole = [("All kinds", "The inner"), ("Message as a file", "saved"), ("Signed as a whole", "smime")]
    for subject, name in whole:
        attachments(handheld, subject)
        find(handheld, name)
        assert "The inner one" in handheld.text + handheld.title
        handheld.follow("Attachments")
        find(handheld, "inner.txt")
        assert "Inner file." in handheld.text
        answer = get(handheld, handheld.links["Original"])
        assert answer.body.strip() == b"Inner file."
        handheld.follow("Message").follow("Inbox")


def test_ciphertext_is_said_and_saved(handheld: Any) -> None:
    handheld.follow("Sealed")
    assert "This message is encrypted. It cannot be read here." in handheld.text
    listed(handheld)
    find(handheld, "smime")
    assert "This message is encrypted. It cannot be read here." in handheld.text
    answer = get(handheld, handheld.links["Original"])
    assert answer.body == SEALED


def picture(device: Any) -> Image.Image:
    """Load the picture of a picture page as the device would, and compare it with what the page says about it."""
    root = device.deck if hasattr(device, "deck") else device.page
    (shown,) = root.iter("img")
    assert shown.get("alt")
    answer = get(device, shown.get("src"), accept="image/*" if hasattr(device, "page") else device.accept)
    assert answer.status == 200
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert "private" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    if answer.media_type == "image/vnd.wap.wbmp":
        width, height, rows = wbmp.decode(answer.body)
        found = Image.frombytes("1", (width, height), rows).convert("RGB")
        assert len(answer.body) <= device.limit
    else:
        assert isinstance(device, XhtmlBrowser)
        found = Image.open(io.BytesIO(answer.body)).convert("RGB")
        assert len(answer.body) + len(device.answer.body) <= 20_000
    assert found.size == (int(shown.get("width")), int(shown.get("height")))
    return found


@pytest.mark.parametrize("name", ["disc.png", "photo", "Picture"])
def test_pictures_fit_the_screen(handheld: Any, name: str) -> None:
    attachments(handheld)
    if name == "Picture":  # without a name or a type: what it is shows when it is opened
        find(handheld, "File")
        handheld.follow("Open")
    else:
        find(handheld, name)
    found = picture(handheld)
    width = 96 if isinstance(handheld, WmlPhone) else 240 - 16
    assert found.width == width
    dark = [found.resize((90, 70)).getpixel(place)[0] < 128 for place in ((22, 17), (70, 50))]
    assert dark == [True, False]


def test_pictures_inside_a_page_lead_to_their_own(handheld: Any) -> None:
    handheld.follow("Pictures inside")
    if isinstance(
        handheld, XhtmlBrowser
    ):  # small ones are among the words, and all together stay within 20 KB
        shown = handheld.page.findall(".//a/img")
        assert shown
        answers = [get(handheld, img.get("src"), accept="image/*") for img in shown]
        assert all(max(Image.open(io.BytesIO(answer.body)).size) <= 96 for answer in answers)
        assert len(handheld.answer.body) + sum(len(answer.body) for answer in answers) <= 20_000
        assert all(img.get("alt") for img in shown)
    handheld.follow("Picture")
    assert picture(handheld).width >= 96
    handheld.follow("Attachments")
    assert "Picture" in handheld.text


def test_a_bomb_is_refused(handheld: Any) -> None:
    attachments(handheld, "Bombs")
    find(handheld, "bomb")
    assert "too large" in handheld.text
    assert get(handheld, handheld.url.replace("/p", "/g")).status in (200, 404)


def test_what_a_phone_accepts_decides_the_format(app: Any, mailbox: str) -> None:
    device = phone(app).sign_in(mailbox, "secret")
    device.accept += ", image/gif"
    attachments(device)
    find(device, "disc.png")
    (shown,) = device.deck.iter("img")
    answer = get(device, shown.get("src"))
    assert answer.media_type == "image/gif"
    assert len(answer.body) <= 1396
    assert Image.open(io.BytesIO(answer.body)).size == (int(shown.get("width")), int(shown.get("height")))


def test_the_original_is_the_original(handheld: Any) -> None:
    attachments(handheld)
    for name, octets, media_type in (
        ("report.pdf", PDF, "application/pdf"),
        ("regatta", INVITATION.encode(), "text/calendar"),
        ("thing.xyz", b"\x00\x01\x02unknown", "application/octet-stream"),
    ):
        find(handheld, name)
        answer = get(handheld, handheld.links["Original"])
        assert answer.body == octets
        assert answer.media_type == media_type
        assert answer.headers["content-disposition"].startswith('attachment; filename="')
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
        assert "private" in answer.headers["cache-control"]
        head = get(handheld, handheld.links["Original"], "HEAD")
        assert head.body == b""
        assert head.headers["content-disposition"] == answer.headers["content-disposition"]
        handheld.follow("Attachments")


def ranged(device: Any, href: str, method: str = "GET", **fields: str) -> Any:
    """Request a file as a download program does; `fields`: of the request's header."""
    headers = {"User-Agent": device.agent, "Accept": "*/*"}
    headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in device.jar.items())
    headers |= {name.replace("_", "-"): value for name, value in fields.items()}
    return device.transport(method, urljoin(device.url, href), headers, b"")


@pytest.mark.parametrize("kind", ["as it is", "inside an archive"])
def test_a_download_that_broke_off_goes_on(app: Any, dovecot: Dovecot, mailbox: str, kind: str) -> None:
    user = dovecot.user("ranges@example.net")
    plain = b"".join(b"Line %d of a log.\r\n" % n for n in range(9_000))
    made = mail("Ranges", (samples.zipped({"log.txt": plain.decode()}), "application/zip", "log.zip"))
    octets = made.as_bytes(policy=made.policy.clone(linesep="\r\n"))
    boundary = b"--" + made.get_boundary().encode()
    identity = (
        b"Content-Type: application/x-log\r\nContent-Disposition: attachment; filename=x.log\r\n\r\n" + plain
    )
    octets = octets.replace(boundary + b"--", boundary + b"\r\n" + identity + b"\r\n" + boundary + b"--")
    dovecot.deliver(user, octets)
    device = browser(app).sign_in(user, "secret")
    attachments(device, "Ranges")
    find(device, "log.zip" if kind != "as it is" else "x.log")
    if kind != "as it is":
        device.follow("log.txt")
    href = device.links["Original"]
    whole = ranged(device, href)
    assert (whole.status, whole.headers["accept-ranges"]) == (200, "bytes")
    assert whole.headers["content-length"] == str(len(plain))
    assert whole.body == plain
    head = ranged(device, href, "HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(plain)))
    for asked, span in (
        ("bytes=100000-", slice(100_000, None)),
        ("bytes=0-0", slice(0, 1)),
        ("bytes=70000-140000", slice(70_000, 140_001)),
        ("bytes=-7", slice(-7, None)),
    ):
        part = ranged(device, href, range=asked, if_range=whole.headers["etag"])
        assert part.status == 206
        assert part.body == plain[span]
        first, last, _step = span.indices(len(plain))
        assert part.headers["content-range"] == f"bytes {first}-{last - 1}/{len(plain)}"
        assert part.headers["content-length"] == str(last - first)
    beyond = ranged(device, href, range=f"bytes={len(plain)}-")
    assert (beyond.status, beyond.headers["content-range"]) == (416, f"bytes */{len(plain)}")
    for fields in (
        {"range": "bytes=7-", "if_range": '"another"'},
        {"range": "bytes=7-", "if_range": "Sun, 01 Nov 2026 10:00:00 GMT"},
        {"range": "bytes=0-1,5-6"},
        {"range": "lines=1-2"},
    ):
        assert ranged(device, href, **fields).body == plain


def test_what_base64_comes_to_is_known_at_its_end(app: Any, mailbox: str) -> None:
    device = browser(app).sign_in(mailbox, "secret")
    attachments(device)
    find(device, "report.pdf")
    answer = ranged(device, device.links["Original"], range="bytes=10-")
    assert (answer.status, answer.body) == (200, PDF)
    assert "accept-ranges" not in answer.headers
    assert "content-length" not in ranged(device, device.links["Original"], "HEAD").headers


def test_a_server_that_counts_as_it_pleases_spoils_no_download(
    app: Any, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server reports one octet more or less than there are: the whole file comes, without a length."""
    user = dovecot.user("counting@example.net")
    head = "From: a@example.net\r\nSubject: Counted\r\nContent-Type: application/x-log\r\n"
    dovecot.deliver(
        user, f"{head}Content-Disposition: attachment; filename=x.log\r\n\r\n0123456789\r\n".encode()
    )
    device = browser(app).sign_in(user, "secret")
    attachments(device, "Counted")
    find(device, "x.log")
    href = device.links["Original"]
    for more in (1, 500):
        found = file_links.find
        monkeypatch.setattr(
            "gateway.web.attachments.file_links.find",
            lambda *asked, found=found, more=more: replace(part := found(*asked), octets=part.octets + more),
        )
        answer = ranged(device, href)
        assert answer.body == b"0123456789\r\n"
        assert "accept-ranges" not in answer.headers
        monkeypatch.undo()


@pytest.mark.parametrize(
    ("field", "length", "expected"),
    [
        ("bytes=0-", 5, range(5)),
        ("bytes=4-", 5, range(4, 5)),
        ("bytes=5-", 5, None),
        ("bytes=2-99", 5, range(2, 5)),
        ("bytes=-9", 5, range(5)),
        ("bytes=-2", 5, range(3, 5)),
        ("", 5, range(5)),
        ("bytes=3-1", 5, range(5)),
    ],
)
def test_octets_that_are_asked_for(field: str, length: int, expected: range | None) -> None:
    assert download.requested_octets(parse_range_header(field), length) == expected


def test_a_hostile_name_is_harmless(handheld: Any) -> None:
    attachments(handheld)
    find(handheld, "..")
    answer = get(handheld, handheld.links["Original"])
    field = answer.headers["content-disposition"]
    assert answer.body == b"MZ"
    assert answer.media_type == "application/octet-stream"
    assert field.startswith('attachment; filename="')
    assert re.fullmatch(r"[ -~]+", field)
    (extended,) = re.findall(r"filename\*=UTF-8''([A-Za-z0-9%._~-]+)$", field)
    assert unquote(extended) == "gpj.säns $(x) & _b__%41.exe"


def test_what_is_too_much_is_asked_first(app: Any, dovecot: Dovecot, mailbox: str) -> None:
    user = dovecot.user("large@example.net")
    made = mail(
        "Large", (b"x" * 1_500_000, "application/pdf", "large.pdf"), (b"y" * 200_000, "audio/midi", "a.mid")
    )
    dovecot.deliver(user, made.as_bytes(policy=made.policy.clone(linesep="\r\n")))
    for device, asked in ((phone(app), ("large.pdf", "a.mid")), (browser(app), ("large.pdf",))):
        device.sign_in(user, "secret")
        attachments(device, "Large")
        for name in ("large.pdf", "a.mid"):
            find(device, name)
            if name in asked:
                device.follow("Original")
                assert "too large for your device" in device.text
                answer = get(device, device.links["Download"])
            else:
                answer = get(device, device.links["Original"])
            assert len(answer.body) == (1_500_000 if name == "large.pdf" else 200_000)
            device.follow("Attachments")


def test_no_connection_stays_behind_when_somebody_goes_away(app: Any, dovecot: Dovecot, mailbox: str) -> None:
    user = dovecot.user("leaving@example.net")
    dovecot.deliver(user, mail("Large", (b"x" * 900_000, "application/pdf", "large.pdf")).as_bytes())
    device = browser(app).sign_in(user, "secret")
    attachments(device, "Large")
    href = device.links["Original"]
    pool = app.extensions["test pool"]
    before = pool.open_connections
    for _time in range(5):
        cookies = "; ".join(f"{name}={value}" for name, value in device.jar.items())
        environ = {"HTTP_COOKIE": cookies, "HTTP_USER_AGENT": device.agent}
        result = app.test_client().open(urljoin(device.url, href), environ_overrides=environ, buffered=False)
        assert next(result.iter_encoded())
        assert sum(pool._leased.values()) == 0
        result.close()
    assert pool.open_connections == before


@pytest.mark.parametrize("path", ["/a1.999", "/o1.1.9", "/p1.1.1", "/d1.1.2?z=9-9-9-9-9", "/g1.1.7.7", "/o1.1.4?z=99",
                                  "/d1.1.2?z=x", "/n1.1.2", "/a1.1.2", "/n1.1.2.1-0", "/d1.1.2.2-zzzzzz",
                                  "/a1.1.4?z=2-0&i=99999", "/a1.1?i=x", "/d1.1.9.TEXT", "/g1.1.5?t=w"])  # fmt: skip
def test_addresses_that_lead_nowhere_are_answered(handheld: Any, path: str) -> None:
    home = handheld.url
    answer = get(handheld, urljoin(home, path.removeprefix("/")), accept=handheld.accept)
    assert answer.status < 500
    assert b"Sorry" not in answer.body or b"could not do that just now" not in answer.body


class Flaky:
    """A session whose connection breaks at every other piece, in the middle."""

    def __init__(self, octets: bytes, failures: int) -> None:
        self.whole, self.failures, self.leases, self.left = octets, failures, 0, failures

    @contextmanager
    def store(self) -> Iterator[Flaky]:
        self.leases += 1
        yield self

    def octets(self, _ref: object, _section: str, start: int) -> Iterator[bytes]:
        for at in range(start, len(self.whole), 22_000):
            yield self.whole[at : at + 22_000]
            if self.left and at > start:
                self.left -= 1
                raise StoreUnreachable("gone")
        self.left = self.failures

    def __iter__(self) -> Iterator[bytes]:
        return download._chunks(self, None, "2")  # type: ignore[arg-type]


def test_a_broken_connection_leaves_no_gap() -> None:
    whole = bytes(range(256)) * 4000
    flaky = Flaky(whole, download.ATTEMPTS - 1)
    assert b"".join(flaky) == whole
    assert flaky.leases > len(whole) // download.CHUNK_OCTETS
    with pytest.raises(StoreUnreachable):
        b"".join(Flaky(whole, download.ATTEMPTS))


class Crowded:
    """A session that has no place at a server for a while, each time something was fetched."""

    def __init__(self, octets: bytes, times: int) -> None:
        self._octets, self._times, self._left = octets, times, 0
        self.pauses = 0

    @contextmanager
    def store(self) -> Iterator[Crowded]:
        if self._left:
            self._left -= 1
            raise StoreBusy("no place in line")
        self._left = self._times
        yield self

    def await_other(self, seconds: float) -> bool:
        self.pauses += 1
        return True

    def octets(self, ref: object, section: str, start: int) -> Iterator[bytes]:
        yield self._octets[start : start + 1000]

    def __iter__(self) -> Iterator[bytes]:
        return download._chunks(self, None, "2")  # type: ignore[arg-type]


def test_a_server_that_is_busy_breaks_off_nothing_that_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "CHUNK_OCTETS", 1000)
    whole = bytes(range(256)) * 12
    crowded = Crowded(whole, download.PAUSES)
    assert b"".join(crowded) == whole
    assert crowded.pauses == len(whole) // 1000 * download.PAUSES
    with pytest.raises(StoreBusy):
        b"".join(Crowded(whole, download.PAUSES + download.ATTEMPTS))


# The original of fifty megabytes, through the real server.

CHUNK = 50_000_000
GROWTH = 4_000_000


def _big_mail(folder: Path) -> Path:
    """Write a message with 50 MB of attachment, a line at a time."""
    line = b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\r\n"
    path = folder / "big.eml"
    with path.open("wb") as out:
        out.write(b"From: bob@example.net\r\nTo: x@example.net\r\nSubject: Fifty\r\nMIME-Version: 1.0\r\n"
                  b"Content-Type: application/x-tar; name=fifty.tar\r\nContent-Transfer-Encoding: base64\r\n"
                  b"Content-Disposition: attachment; filename=fifty.tar\r\n\r\n")  # fmt: skip
        for _block in range(CHUNK // 57 // 1000):
            out.write(line * 1000)
    return path


def _peak(pid: int) -> int:
    """Return the most octets that a process has had in memory."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) * 1024  # type: ignore[index]


def test_fifty_megabytes_cost_less_than_four(
    dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path
) -> None:
    user = dovecot.user("fifty@example.net")
    dovecot.deliver(user, mail("Warm", (b"w" * 900_000, "application/x-tar", "warm.tar")).as_bytes())
    dovecot.deliver(user, _big_mail(tmp_path).read_bytes())
    server = GatewayServer(tmp_path, dovecot, smtp_server).start()
    try:
        pid = server._process.pid  # type: ignore[union-attr]
        cookie, pages = _signed_in(server, user)
        warm, big = pages["Warm"], pages["Fifty"]
        assert _received(server, cookie, warm.replace("/m", "/o") + ".2?y=1") == 900_000
        before = _peak(pid)
        assert _received(server, cookie, big.replace("/m", "/o") + ".1?y=1") == CHUNK // 57 // 1000 * 57_000
        grown = _peak(pid) - before
        assert grown < GROWTH, grown
        assert _abandoned(server, cookie, big.replace("/m", "/o") + ".1?y=1")
        assert "Traceback" not in server.log
    finally:
        server.stop()


def test_an_original_that_ends_too_soon_is_seen_to(
    dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path
) -> None:
    user = dovecot.user("torn@example.net")
    dovecot.deliver(user, mail("Warm", (b"w" * 900_000, "application/x-tar", "warm.tar")).as_bytes())
    octets = _big_mail(tmp_path).read_bytes()
    dovecot.deliver(user, octets[: 30_000_000 + octets.index(b"\r\n\r\n")])
    server = GatewayServer(tmp_path, dovecot, smtp_server).start()
    try:
        cookie, pages = _signed_in(server, user)
        connection, answer = _ask(server, cookie, pages["Fifty"].replace("/m", "/o") + ".1?y=1")
        with closing(connection):
            assert len(answer.read(100_000)) == 100_000
            for path in (dovecot.maildir(user) / "cur").iterdir():
                path.unlink()
            for path in (dovecot.maildir(user) / "new").iterdir():
                path.unlink()
            with pytest.raises((IncompleteRead, ConnectionError)):
                answer.read()
        assert "in the midst of an answer" in server.log
        connection, answer = _ask(server, cookie, "/i")
        with closing(connection):
            assert answer.status == 200
    finally:
        server.stop()


def _signed_in(server: GatewayServer, user: str) -> tuple[str, dict[str, str]]:
    from tests.devices.phones import over_http

    device = XhtmlBrowser(server.url, over_http).sign_in(user, "secret")
    found = {subject: device.links[next(label for label in device.links if subject in label)]
             for subject in ("Warm", "Fifty")}  # fmt: skip
    cookie = "; ".join(f"{name}={value}" for name, value in device.jar.items())
    return cookie, {subject: "/" + href for subject, href in found.items()}


def _ask(server: GatewayServer, cookie: str, path: str) -> Any:
    connection = HTTPConnection(server.host, server.port, timeout=PATIENCE)
    agent = "Mozilla/5.0 (Mobile; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5"
    connection.request("GET", path, headers={"Cookie": cookie, "User-Agent": agent, "Accept": "*/*"})
    return connection, connection.getresponse()


def _received(server: GatewayServer, cookie: str, path: str) -> int:
    connection, answer = _ask(server, cookie, path)
    with closing(connection):
        assert answer.status == 200
        assert answer.getheader("content-disposition", "").startswith("attachment")
        count = 0
        while piece := answer.read(65536):
            count += len(piece)
        return count


def _abandoned(server: GatewayServer, cookie: str, path: str) -> bool:
    """Leave in the middle, four times, and still be served."""
    for _time in range(4):
        connection, answer = _ask(server, cookie, path)
        assert answer.read(100_000)
        connection.close()
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        connection, answer = _ask(server, cookie, "/i")
        with closing(connection):
            if answer.status == 200 and b"Fifty" in answer.read():
                return True
    return False


@given(st.text(max_size=300))
def test_names_of_files_are_safe_whatever_they_are(name: str) -> None:
    said = filenames.safe(name)
    assert 0 < len(said) <= filenames.LENGTH
    assert not said.startswith((".", " "))
    assert not re.search(r'[/\\<>:"|?*\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]', said)
    field = filenames.disposition(name)
    assert re.fullmatch(
        r"attachment; filename=\"[ !#-\[\]-~]+\"(; filename\*=UTF-8''[A-Za-z0-9%._~-]+)?", field
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("report.pdf", 'attachment; filename="report.pdf"'),
        ("Grüße.txt", "attachment; filename=\"Gr__e.txt\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.txt"),
        ('a"b\\c;d\r\nX: y', 'attachment; filename="c;d X_ y"'),
        ("../../etc/passwd", 'attachment; filename="passwd"'),
        ("C:\\secret\\x.doc", 'attachment; filename="x.doc"'),
        (".htaccess", 'attachment; filename="htaccess"'),
        ("CON.txt", 'attachment; filename="_CON.txt"'),
        ("com1", 'attachment; filename="_com1"'),
        ("console.log", 'attachment; filename="console.log"'),
        ("a\u202efdp.exe", 'attachment; filename="afdp.exe"'),
        ("100%41.txt", "attachment; filename=\"100_41.txt\"; filename*=UTF-8''100%2541.txt"),
        ("", 'attachment; filename="attachment"'),
        ("...", 'attachment; filename="attachment"'),
        ("x" * 300 + ".pdf", f'attachment; filename="{"x" * 96}.pdf"'),
    ],
)
def test_names_of_files(name: str, said: str) -> None:
    assert filenames.disposition(name) == said
